# SPDX-License-Identifier: MIT
# For tests/lint/*.sh: source it, apply rules, end with lint_end. PT_LINT_TREE points
# the rules at another tree (their own tests use it).
set -u
cd "${PT_LINT_TREE:-$PT_SOURCE}" || exit 1
rm -f "$PT_TMP/broken"

# rule TEXT: reads findings (any lines) from standard input; prints them under TEXT.
rule()
{
    found=$(cat)
    [ -n "$found" ] || return 0
    printf '%s:\n' "$1"
    printf '%s\n' "$found" | sed 's/^/    /'
    : >"$PT_TMP/broken" # a file: rules run at the end of pipes, in subshells
}

# c_files DIR...: our C files of the folders that exist.
c_files()
{
    for dir in "$@"; do
        [ ! -d "$dir" ] || find "$dir" -name '*.[ch]' -type f
    done | sort
}

skip()
{
    echo "skipped: $*"
    exit 77
}

lint_end()
{
    [ ! -e "$PT_TMP/broken" ] || exit 1
    exit 0
}
