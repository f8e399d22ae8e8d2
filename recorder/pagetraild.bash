# SPDX-License-Identifier: MIT
# bash completion for pagetraild. What it offers comes from the program's own --help.

_pagetraild()
{
    local program=$1 word=$2 before=$3 help
    COMPREPLY=()
    if [[ ${COMP_WORDS[1]} == dump && $COMP_CWORD -gt 1 ]]; then
        help=$("$program" dump --help 2>/dev/null)
    else
        help=$("$program" --help 2>/dev/null)
    fi
    case $before in
    --deep)
        mapfile -t COMPREPLY < <(compgen -W 'auto off all' -- "$word")
        return
        ;;
    --cmdline)
        mapfile -t COMPREPLY < <(compgen -W 'masked full name' -- "$word")
        return
        ;;
    --procfs | --sysfs | --cgroupfs)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    -o | --output | --raw-log | --config)
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
    elif [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W dump -- "$word")
    elif [[ ${COMP_WORDS[1]} == dump ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _pagetraild pagetraild
