#!/bin/sh
# SPDX-License-Identifier: MIT
# Shell scripts are POSIX sh and clean under shellcheck (SC1090/1091: sourced by a computed path; SC2034, SC2154: read
# by the sourcing script; SC3043: local, which every sh in use has).
. "${PT_SOURCE:?}/tests/lib/lint.sh"

scripts()
{
    find schema recorder analyze tests -name '*.sh' -type f | sort
    [ ! -f .ci/run ] || echo .ci/run
}

scripts | while read -r file; do
    sh -n "$file" 2>&1
    head -1 "$file" | grep -qE '^#!/bin/sh$' || case $file in
    tests/lib/*) ;;
    *) echo "$file: not #!/bin/sh" ;;
    esac
done | rule 'not a script of sh'
if command -v shellcheck >/dev/null 2>&1; then
    scripts | xargs shellcheck -s sh -S warning -e SC1090,SC1091,SC2034,SC2154,SC3043 -f gcc | rule 'shellcheck'
fi
lint_end
