#!/bin/sh
# SPDX-License-Identifier: MIT
# bash completion: every option and command of --help, the words of options that have some, files.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
command -v bash >/dev/null 2>&1 || skip 'no bash'
cd "$PT_TMP" || exit 1
mkdir folder
: >file.db

# completed WORD...: what is offered for the last word, sorted, in one line
completed()
{
    bash -c '
        source "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        name=$(basename "$1")
        "_$name" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$source" "$@" | sort | tr '\n' ' ' | sed 's/ $//'
}

# offers EXPECTED WORD...
offers()
{
    expected=$1
    shift
    got=$(completed "$@")
    [ "$got" = "$expected" ] || fail "'$*' is offered '$got', not '$expected'"
}

# options PROGRAM [COMMAND]: all long options its --help has, as completed
options()
{
    "$@" --help | grep -oE '^ +(-., )? *--[a-z][a-z-]*' | grep -oE -- '--.*' | sort -u | tr '\n' ' ' | sed 's/ $//'
}

source=$PT_SOURCE/recorder/pagetraild.bash
offers "$(options "$recorder")" "$recorder" --
offers '--burst-interval --burst-length --burst-limit' "$recorder" -q --burst
offers 'dump' "$recorder" ''
offers '' "$recorder" --interval ''
offers '' "$recorder" -i ''
offers 'file.db folder' "$recorder" -o f
offers 'folder' "$recorder" --procfs f
offers '--since' "$recorder" dump --s
offers 'file.db folder' "$recorder" dump f
for option in --deep --cmdline; do
    words=$(completed "$recorder" $option '')
    [ -n "$words" ] || fail "nothing for $option"
    for word in $words; do
        run "$recorder" $option "$word" --version >/dev/null
    done
    # and no others: the message about a wrong one tells all
    "$recorder" $option no-such-word 2>&1 | grep -o "is not .*" | sed 's/is not//; s/ or / /; s/,//g' |
        tr ' ' '\n' | grep . | sort | tr '\n' ' ' | grep -qx "$words " || fail "$option: other words than '$words'"
done

source=$PT_SOURCE/analyze/pagetrail.bash
for command in info diff show check explain; do
    completed "$analyzer" '' | grep -qw $command || fail "'$command' is not offered"
    offers "$(options "$analyzer" $command)" "$analyzer" $command --
done
offers 'info' "$analyzer" inf
offers 'help' "$analyzer" he
offers 'leaks' "$analyzer" help lea
offers 'cgroup exe process service user' "$analyzer" diff file.db --by ''
offers 'json text' "$analyzer" diff --format ''
offers 'file.db' "$analyzer" show file
offers 'meminfo' "$analyzer" show file.db mem
offers '' "$analyzer" diff --top ''
"$analyzer" events no.db --kind none 2>&1 | sed -n 's/^the kinds: //p' | tr -d ',' | tr ' ' '\n' | sort | tr '\n' ' ' >"$PT_TMP/kinds"
grep -q oom "$PT_TMP/kinds" || fail 'no kinds are told'
offers "$(sed 's/ $//' "$PT_TMP/kinds")" "$analyzer" events file.db --kind ''
