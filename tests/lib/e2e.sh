# SPDX-License-Identifier: MIT
# For tests/e2e/*.sh: paths of the programs, checks that say what failed, and an end that leaves nothing running.
set -u
export TZ=UTC
recorder=${PT_BUILD:?}/pagetraild
analyzer=$PT_BUILD/pagetrail
verify=${PT_TOOLS:?}/e2e_verify
started=
cgroups=

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

# memory_cgroup NAME BYTES: makes a memory cgroup of that limit, without swap where it can; its directory in $cgroup. Gone
# with the test. Skips where none can be made.
memory_cgroup()
{
    if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
        cgroup=/sys/fs/cgroup/memory/$1
        set -- "$1" "$2" memory.limit_in_bytes memory.swappiness 0
    elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
        cgroup=/sys/fs/cgroup/$1
        set -- "$1" "$2" memory.max memory.swap.max 0
    else
        skip 'no memory controller'
    fi
    mkdir "$cgroup" 2>/dev/null || skip "cannot make the cgroup '$cgroup'"
    cgroups="$cgroups $cgroup"
    echo "$2" 2>/dev/null >"$cgroup/$3" || skip "cannot set a limit of '$cgroup'"
    [ ! -e "$cgroup/$4" ] || echo "$5" 2>/dev/null >"$cgroup/$4"
}

# swap_file MIB: a swap file in the scratch directory. Gone with the test. Skips where none can be had.
swap_file()
{
    swap=$PT_TMP/swapfile
    dd if=/dev/zero of="$swap" bs=1M count="$1" 2>/dev/null && chmod 600 "$swap" && mkswap "$swap" >/dev/null 2>&1 &&
        swapon "$swap" 2>/dev/null || skip 'no swap file can be had here'
}

# The first try may fail while those who were killed still hold what is out, in a cgroup at its limit.
swap_is_off()
{
    swapoff "$swap"
    ! grep -qF "$swap " /proc/swaps
}

stop_started()
{
    for one in $started; do
        kill -9 "$one" 2>/dev/null
    done
    [ -z "${swap:-}" ] || { until_true 30 swap_is_off && rm -f "$swap"; }
    for one in $cgroups; do
        until_true 10 rmdir "$one"
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

# validate NAME DOCUMENT: the JSON document is what NAME.schema.json of the analyzer says. Skips without a validator.
validate()
{
    python3 -c 'import jsonschema' 2>/dev/null || skip 'schemas are not checked: no python3 with jsonschema'
    run python3 -c '
import json, sys, jsonschema
schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(document)' "$(find "$PT_SOURCE/analyze" -name "$1.schema.json")" "$2"
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

# private_mounts: the script begins again in a mount namespace of its own, where it may mount.
private_mounts()
{
    [ "${PT_MOUNTS:-}" != private ] || return 0
    unshare -m true 2>/dev/null || skip 'no mount namespace of our own'
    PT_MOUNTS=private exec unshare -m sh "$0"
}

# sql DATABASE QUERY: the answer, also while it is recorded to.
sql()
{
    sqlite3 -readonly -cmd '.timeout 2000' "$1" "$2"
}

# said FILE TEXT: a log has that line by now.
said()
{
    grep -q -- "$2" "$1"
}

# more_than DATABASE N: so many snapshots are committed.
more_than()
{
    [ "$(sql "$1" 'select count(*) from snapshot')" -gt "$2" ]
}

# rss PID: its resident size in kB.
rss()
{
    awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# stop PID: SIGTERM; the recorder must end well.
stop()
{
    kill -TERM "$1"
    wait "$1" || fail "exit status $? of the recorder"
}

# sound DATABASE: passes every check.
sound()
{
    "$analyzer" check "$1" >"$PT_TMP/check" 2>&1 || fail "check of $1: $(cat "$PT_TMP/check")"
}

# accounted DATABASE MS: every tick of one life of a recorder is a snapshot, or counted in an event: lost, or too late.
accounted()
{
    lost=$(sql "$1" "select coalesce(sum(cast(text as integer)), 0) from event where kind = 4")
    late=$(sql "$1" "select coalesce(sum(cast(text as integer)), 0) from event where kind = 2")
    taken=$(sql "$1" "select count(*) from snapshot where trigger = 0")
    span=$(sql "$1" "select (max(time_us) - min(time_us)) / 1000 / $2 from event where kind in (0, 1)")
    echo "$taken snapshots, $lost lost, $late too late; $span ticks"
    off=$((taken + lost + late - span))
    [ $off -ge -3 ] && [ $off -le 3 ] || fail "$off ticks are not accounted for"
}

# hold_lock DATABASE SECONDS: another program writes, and takes its time.
hold_lock()
{
    { echo 'begin immediate; create table if not exists theirs(x); '; sleep "$2"; echo 'rollback;'; } | sqlite3 "$1"
}
