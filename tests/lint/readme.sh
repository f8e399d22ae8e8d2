#!/bin/sh
# SPDX-License-Identifier: MIT
# What README.md tells people to type exists: scripts, files, commands and long options.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

[ -f README.md ] || { echo README.md | rule missing; lint_end; }
sed -n '/^    /p; /^```/,/^```/p' README.md | grep -vE '^```' | sed 's/^ *\$ //; s/^ *//' >"$PT_TMP/code"
head -30 README.md | grep -q 'sh recorder/quickstart.sh' || echo 'sh recorder/quickstart.sh' | rule 'not in its opening'
head -30 README.md | grep -q 'sh tests/run.sh' || echo 'sh tests/run.sh' | rule 'not in its opening'
grep -oE '\b(schema|recorder|analyze|tests)/[A-Za-z0-9_./-]+[A-Za-z0-9]' README.md | sort -u | while read -r path; do
    [ -e "$path" ] || echo "$path"
done | rule 'no such file'

if [ -z "${PT_LINT_TREE:-}" ] && [ -x "${PT_BUILD:-}/pagetrail" ] && [ -x "$PT_BUILD/pagetraild" ]; then
    "$PT_BUILD/pagetraild" --help >"$PT_TMP/pagetraild" 2>&1
    "$PT_BUILD/pagetrail" --help >"$PT_TMP/pagetrail" 2>&1
    grep -oE '\bpagetrail (info|diff|show|check|explain|[a-z]+) ' "$PT_TMP/code" | awk '{print $2}' | sort -u | while read -r command; do
        grep -qw -- "$command" "$PT_TMP/pagetrail" || echo "pagetrail $command"
        "$PT_BUILD/pagetrail" "$command" --help >>"$PT_TMP/pagetrail" 2>&1
    done | rule 'no such command'
    for program in pagetraild pagetrail; do
        grep -E "\b$program\b " "$PT_TMP/code" | grep -oE -- '--[a-z][a-z-]*' | sort -u | while read -r option; do
            grep -q -- "$option" "$PT_TMP/$program" || echo "$program $option"
        done | rule 'no such option'
    done
fi
lint_end
