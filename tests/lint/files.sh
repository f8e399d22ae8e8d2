#!/bin/sh
# SPDX-License-Identifier: MIT
# What every file has (licence line, guard, own header first) and what none has.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

sources()
{
    c_files schema recorder analyze tests
    find schema recorder analyze tests .ci -name '*.sh' -o -path .ci/run -o -name CMakeLists.txt -o -name '*.py' 2>/dev/null | sort
}

sources | while read -r file; do
    head -3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
done | rule 'no SPDX line at the head'

c_files schema recorder analyze tests | grep '\.h$' | while read -r file; do
    guard=PT_$(printf '%s' "$file" | tr 'a-z/.' 'A-Z__' | tr -c 'A-Z0-9_\n' _)
    case $file in
    tests/*) pattern="#ifndef PT_" ;;
    *) pattern="#ifndef $guard\$" ;;
    esac
    grep -q "$pattern" "$file" || echo "$file: $guard"
done | rule 'header without its guard'

c_files schema recorder analyze | grep '\.c$' | while read -r file; do
    own=${file%.c}.h
    [ -f "$own" ] || continue
    first=$(grep -m1 -E '^#include' "$file")
    case $first in
    "#include \"$own\"" | "#include \"${own%/*}/"*_int.h\") ;; # or the header the parts of a library share
    *) echo "$file: $first" ;;
    esac
done | rule 'own header is not the first include'

{
    sources
    ls README.md CHANGELOG.md CMakePresets.json CMakeLists.txt 2>/dev/null
    find schema recorder analyze tests \( -name '*.md' -o -name '*.[1-8]' -o -name '*.service' -o -name '*.json' \) \
        -not -path '*/fixtures/*'
} | grep -v '^tests/lint/' | sort -u >"$PT_TMP/texts"
xargs grep -nwE 'TODO|FIXME|XXX|HACK' /dev/null <"$PT_TMP/texts" | rule 'unfinished business'
xargs grep -nE '(^|[^A-Za-z0-9])/(work|root|home/[a-z]+)/' /dev/null <"$PT_TMP/texts" | rule 'a path of one machine'
xargs grep -nP '[ \t]+$' /dev/null <"$PT_TMP/texts" | grep -v '\.md:' | rule 'trailing white space'
find schema recorder analyze tests .ci -name '*.o' -o -name '*.db' -o -name '*.orig' -o -name '*~' 2>/dev/null |
    grep -v '^tests/fixtures/' | rule 'not a source'
lint_end
