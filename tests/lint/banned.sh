#!/bin/sh
# SPDX-License-Identifier: MIT
# Functions that write without a bound, keep hidden state or take rubbish for a number.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

c_files schema recorder analyze tests |
    xargs -r grep -nE '\b(sprintf|vsprintf|strcpy|stpcpy|strcat|strncat|strncpy|gets|strtok|strtok_r|s?scanf|fscanf|vsscanf|atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull|strtoimax|strtoumax|alloca|mktemp|tmpnam|asctime|ctime|gmtime|localtime)[[:space:]]*\(' /dev/null |
    rule 'banned function (numbers: one strict cursor; text: snprintf, memcpy with a length; times: the _r functions)'
lint_end
