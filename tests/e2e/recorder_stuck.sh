#!/bin/sh
# SPDX-License-Identifier: MIT
# A process whose cmdline and smaps hang (fifos that nobody writes): the ticks go on, the process is recorded as stuck, the others
# are read deeply all the same. Then more of them than there are threads to give up: deep reading pauses, ticks still go on.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
tree=$PT_TMP/proc

# process PID NAME
process()
{
    mkdir -p "$tree/$1"
    echo "$1 ($2) S 1 1 1 0 -1 4194560 10 0 0 0 1 1 0 0 20 0 1 0 $1 4096000 100 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0" >"$tree/$1/stat"
    echo '1000 100 50 10 0 90 0' >"$tree/$1/statm"
    printf 'Name:\t%s\nVmRSS:\t     400 kB\n' "$2" >"$tree/$1/status"
    printf '%s\0--flag\0' "$2" >"$tree/$1/cmdline"
    printf '00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/%s\nSize:                328 kB\nRss:                 100 kB\n' "$2" \
        >"$tree/$1/smaps"
}

# hang PID FILE...
hang()
{
    dir=$tree/$1
    shift
    for file in "$@"; do
        rm "$dir/$file"
        mkfifo "$dir/$file"
    done
}

# read_as SOURCE OUTCOME
read_as()
{
    grep -aq "^snapshot [0-9]* source $1 .* outcome $2\$" "$PT_TMP/log" || fail "$1 was not recorded as $2"
}

record()
{
    rm -f "$PT_TMP/log"
    "$recorder" -q -o "$PT_TMP/s.db" --procfs "$tree" --sysfs "$tree" --cgroupfs "$tree" --raw-log "$PT_TMP/log" "$@"
}

mkdir -p "$tree"
printf 'MemTotal:        1000 kB\nMemFree:          500 kB\nMemAvailable:     700 kB\n' >"$tree/meminfo"
for pid in 100 101 102 103; do
    process $pid "p$pid"
done
hang 101 cmdline smaps
hang 102 smaps

echo '-- two that hang'
run record -i 100ms -d 8s
[ "$(snapshots "$PT_TMP/s.db")" -ge 50 ] || fail "$(snapshots "$PT_TMP/s.db") snapshots: the ticks did not go on"
read_as proc:101/cmdline unreadable:110
read_as proc:102/smaps unreadable:110
read_as proc:102/cmdline read
read_as proc:100/smaps read
read_as proc:103/smaps read
last=$(grep -a '^snapshot' "$PT_TMP/log" | tail -1 | cut -d' ' -f2)
grep -aq "^snapshot $last source proc:101/stat " "$PT_TMP/log" || fail 'the process that hangs was lost'
sqlite3 -readonly "$PT_TMP/s.db" 'select text from event' | grep -q '^process 10[12] hangs' || fail 'no event tells of it'
integrity "$PT_TMP/s.db"

echo '-- more than there are threads for'
for pid in 201 202 203 204 205 206 207 208; do
    process $pid "p$pid"
    hang $pid smaps
done
rm "$PT_TMP/s.db"
start record -i 100ms
until_true 40 sh -c "sqlite3 -readonly '$PT_TMP/s.db' 'select text from event' | grep -q '^deep reading pauses'" ||
    fail 'deep reading did not pause'
before=$(snapshots "$PT_TMP/s.db")
sleep 1
after=$(snapshots "$PT_TMP/s.db")
[ $((after - before)) -ge 5 ] || fail "the ticks stopped: $before snapshots, a second later $after"
kill -TERM "$(cat "$PT_TMP/s.db.lock")"
wait "$pid" || fail "exit status $? after SIGTERM"
[ ! -e "$PT_TMP/s.db-wal" ] && [ ! -e "$PT_TMP/s.db.lock" ] || fail 'not a clean end'

echo '-- once'
rm -r "$PT_TMP/s.db" "$tree"/20?
run record --once --timestamp 1790000000
read_as proc:102/smaps unreadable:110
read_as proc:100/smaps read
