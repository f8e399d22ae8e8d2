#!/bin/sh
# SPDX-License-Identifier: MIT
# Ceilings: files of 600 lines, functions of 100 (from the line of the opening brace to the closing one, both at the
# start of their lines as clang-format puts them).
. "${PT_SOURCE:?}/tests/lib/lint.sh"

c_files schema recorder analyze tests | while read -r file; do
    awk -v max_file=600 -v max_function=100 '
        /^\{$/ { start = FNR }
        /^\}$/ && start { if (FNR - start - 1 > max_function)
            printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start - 1; start = 0 }
        END { if (FNR > max_file) printf "%s: %d lines\n", FILENAME, FNR }' "$file"
done | rule 'too long: split it'
lint_end
