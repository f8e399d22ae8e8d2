# SPDX-License-Identifier: MIT
# bash completion for pagetrail. Commands and options come from the program's own --help.

_pagetrail()
{
    local program=$1 word=$2 before=$3 command=${COMP_WORDS[1]} help
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 || $COMP_CWORD -eq 2 && $command == help ]]; then
        help=$("$program" --help 2>/dev/null)
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^ *pagetrail \([a-z][a-z]*\) .*/\1/p' <<<"$help") help --help --version" -- "$word")
        return
    fi
    help=$("$program" "$command" --help 2>/dev/null)
    case $before in
    --format)
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^ *--format FORMAT *//p' <<<"$help" | tr -d ',' | sed 's/ or / /; s/ (default)//')" -- "$word")
        return
        ;;
    --by)
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^ *--by WHAT *sum by //p' <<<"$help" | tr -d ',' | sed 's/ or / /')" -- "$word")
        return
        ;;
    --kind)
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^kinds:/,/^$/p' <<<"$help" | sed 's/^kinds://; s/([^)]*)//g' | tr -d ',')" -- "$word")
        return
        ;;
    --against | --output | -o)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac
    # any other option that takes a value: nothing is known of it
    if [[ $before == -* ]] && grep -qE -- "(^|[ ,])$before [A-Z]+( |\$)" <<<"$help"; then
        return
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -nE 's/^ +(-., )? *(--[a-z][a-z-]*).*/\2/p' <<<"$help")" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        if [[ $command == show && $COMP_CWORD -eq 3 ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^views:/,/^$/s/^  \([a-z]\+\) .*/\1/p' <<<"$help")" -- "$word")
        fi
    fi
}
complete -o filenames -F _pagetrail pagetrail
