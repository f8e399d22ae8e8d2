#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may know whom (includes, and symbols of the built libraries).
. "${PT_SOURCE:?}/tests/lib/lint.sh"

# includes REGEX DIR...: file:line of #include lines that match.
includes()
{
    regex=$1
    shift
    c_files "$@" | xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$regex" /dev/null
}

includes 'analyze/' recorder schema | rule 'only analyze includes analyze/'
includes 'recorder/' analyze schema | rule 'only recorder includes recorder/'
includes 'tests/' schema recorder analyze | rule 'programs do not include tests/'
includes 'sqlite3\.h' recorder analyze | rule 'only schema includes sqlite3.h'
includes 'sqlite3ext\.h' recorder schema | rule 'only the SQLite extension includes sqlite3ext.h'
includes '(zstd|zdict)[a-z_]*\.h' recorder analyze | rule 'only schema includes zstd.h'
includes 'jansson\.h' schema recorder | rule 'only analyze includes jansson.h'
includes 'n?curses[a-z]*[./]' schema recorder | rule 'only analyze draws on the terminal'
c_files schema recorder analyze tests | xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' /dev/null |
    grep -vE '"(schema|recorder|analyze|tests)/' | rule 'include paths start at the root'

c_files schema |
    xargs -r grep -nE '\b(printf|fprintf|dprintf|vprintf|vfprintf|vdprintf|puts|fputs|putchar|fputc|perror|syslog|exit|_exit|abort|getenv|secure_getenv)[[:space:]]*\(' /dev/null |
    rule 'schema does not print, log, exit or read the environment'
c_files schema | xargs -r grep -nE '"/(proc|sys)[/"]' /dev/null | rule 'schema does not open kernel files'

# undefined LIBRARY REGEX: symbols a built library takes from outside.
undefined()
{
    [ ! -f "${PT_BUILD:-}/$1" ] || nm -u "$PT_BUILD/$1" 2>/dev/null | grep -E "^ +U $2" | sort -u
}
if [ -z "${PT_LINT_TREE:-}" ]; then
    undefined libpt_recorder.a '(sqlite3_|ZSTD_|json_)' | rule 'recorder calls SQLite, zstd or jansson itself'
    undefined libpt_analyze.a '(sqlite3_|ZSTD_)' | rule 'analyze calls SQLite or zstd itself'
    undefined libpt_schema.a '(json_|printf$|puts$|exit$|getenv$|stdout$|stderr$)' |
        rule 'schema prints, exits, reads the environment or knows jansson'
fi

for entry in *; do
    case $entry in
    recorder | analyze | schema | tests | build* | CMakeLists.txt | CMakePresets.json | README.md | LICENSE | CHANGELOG.md) ;;
    *) echo "$entry" ;;
    esac
done | rule 'nothing else stands at the top'
lint_end
