#!/bin/sh
# SPDX-License-Identifier: MIT
# Manual pages are well formed and tell the options that --help tells, and no others.
. "${PT_SOURCE:?}/tests/lib/lint.sh"

command -v mandoc >/dev/null 2>&1 || skip 'no mandoc'
for page in recorder/pagetraild.8 analyze/pagetrail.1; do
    [ -f "$page" ] || { echo "$page: missing" | rule 'manual page'; continue; }
    mandoc -T lint -W warning "$page" | rule "$page"
    program=$(basename "${page%.*}")
    [ -x "${PT_BUILD:-}/$program" ] && [ -z "${PT_LINT_TREE:-}" ] || continue
    {
        "$PT_BUILD/$program" --help 2>&1
        [ "$program" != pagetraild ] || "$PT_BUILD/$program" dump --help 2>&1
        for command in $("$PT_BUILD/$program" --help 2>&1 | sed -n 's/^ *pagetrail \([a-z]*\) .*/\1/p' | sort -u); do
            "$PT_BUILD/$program" "$command" --help 2>&1
        done
    } >"$PT_TMP/text"
    awk 'length > 80' "$PT_TMP/text" | rule "help of $program over 80 columns"
    grep -oE -- '--[a-z][a-z-]+' "$PT_TMP/text" | sort -u >"$PT_TMP/help"
    mandoc -T ascii "$page" | sed 's/.\x08//g' | grep -oE -- '--[a-z][a-z-]*[a-z]' | sort -u >"$PT_TMP/man"
    comm -23 "$PT_TMP/help" "$PT_TMP/man" | rule "options of $program that $page does not tell"
    comm -13 "$PT_TMP/help" "$PT_TMP/man" | rule "options of $page that $program --help does not tell"
done

# The manual of the configuration file tells what the shipped file tells, with the same defaults.
page=recorder/pagetraild.conf.5
if [ -f $page ]; then
    mandoc -T lint -W warning $page | rule "$page"
    sed -nE 's/^#([a-z-]+) = (.*)/\1 \2/p' recorder/pagetraild.conf | sed 's/ FILE$/ none/' | sort >"$PT_TMP/conf"
    sed -nE 's/^\.It Cm ([a-z-]+) Ta .* Ta (.*)/\1 \2/p' $page | sort >"$PT_TMP/page"
    diff "$PT_TMP/conf" "$PT_TMP/page" | grep '^[<>]' | rule "$page and recorder/pagetraild.conf (<) differ"
fi
lint_end
