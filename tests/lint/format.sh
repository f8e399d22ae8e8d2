#!/bin/sh
# SPDX-License-Identifier: MIT
# The layout of clang-format 14, other versions differ in details.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

command -v clang-format >/dev/null 2>&1 || skip 'no clang-format'
case $(clang-format --version) in
*'version 14.'*) ;;
*) skip "clang-format is not version 14: $(clang-format --version)" ;;
esac
c_files schema recorder analyze tests | xargs -r clang-format --style=file --dry-run -Werror 2>&1 |
    grep -E '(error|warning):' | cut -d: -f1 | sort | uniq -c | rule 'not formatted (places, file): clang-format -i FILE'
lint_end
