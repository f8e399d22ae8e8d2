# SPDX-License-Identifier: MIT
# For tests/e2e/*.sh: paths of the programs, checks that say what failed, and an end that leaves nothing running.
set -u
recorder=${PT_BUILD:?}/pagetraild
analyzer=$PT_BUILD/pagetrail
verify=${PT_TOOLS:?}/e2e_verify
started=

fail()
{
    echo "FAILED: $*" >&2
    exit 1
}

skip()
{
    echo "skipped: $*"
    exit 77
}

# run COMMAND...: must succeed.
run()
{
    "$@" || fail "exit status $? of: $*"
}

# start COMMAND...: in the background; its pid in $pid; ended with the test.
start()
{
    "$@" &
    pid=$!
    started="$started $pid"
}

stop_started()
{
    for one in $started; do
        kill -9 "$one" 2>/dev/null
    done
}
trap stop_started EXIT

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true()
{
    left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.1
    done
}

# snapshots DATABASE: how many are committed.
snapshots()
{
    sqlite3 -readonly -cmd '.timeout 2000' "$1" 'select count(*) from snapshot'
}

# integrity DATABASE
integrity()
{
    [ "$(sqlite3 -readonly "$1" 'pragma integrity_check')" = ok ] || fail "integrity_check of $1"
}

for program in "$recorder" "$verify"; do
    [ -x "$program" ] || fail "'$program' is not built"
done
