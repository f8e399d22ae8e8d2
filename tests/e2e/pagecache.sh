#!/bin/sh
# SPDX-License-Identifier: MIT
# What is written leaves the page cache: the WAL once it is synced, the database once it is sealed, the raw log as it
# goes. And nothing is written but at a tick.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
command -v fincore >/dev/null || skip 'no fincore (util-linux)'
db=$PT_TMP/a.db
case $(stat -f -c %T "$PT_TMP") in
tmpfs | ramfs) skip "$PT_TMP is in memory" ;;
esac

# resident FILE: KiB of it in the page cache.
resident()
{
    bytes=$(fincore -b -n -r -o RES "$1") || fail "fincore of $1"
    echo $((bytes / 1024))
}

size()
{
    echo $(($(stat -c %s "$1") / 1024))
}

at_least()
{
    [ "$(snapshots "$db")" -ge "$1" ]
}

# little FILE KIB: at most that much of it is resident.
little()
{
    [ "$(resident "$1")" -le "$2" ]
}

echo '-- the WAL, the raw log'
start "$recorder" -q -o "$db" -i 100ms --raw-log "$PT_TMP/raw.log"
until_true 60 at_least 60 || fail 'no snapshots'
kill -USR1 "$pid" # syncs
until_true 5 little "$db-wal" 64 || fail "$(resident "$db-wal") KiB of $(size "$db-wal") KiB of the WAL stay cached"
[ "$(size "$db-wal")" -gt 128 ] || fail "the WAL has $(size "$db-wal") KiB only: this shows nothing"
[ $(($(resident "$PT_TMP/raw.log") * 2)) -lt "$(size "$PT_TMP/raw.log")" ] ||
    fail "$(resident "$PT_TMP/raw.log") KiB of $(size "$PT_TMP/raw.log") KiB of the raw log stay cached"

echo '-- the database'
kill -TERM "$pid"
wait "$pid" || fail "exit status $?"
[ "$(size "$db")" -gt 32 ] || fail "the database has $(size "$db") KiB only: this shows nothing"
[ "$(resident "$db")" -eq 0 ] || fail "$(resident "$db") KiB of $(size "$db") KiB of the database stay cached"

# written PID: bytes handed to write(), and how often.
written()
{
    sed -n 's/^\(wchar\|syscw\): //p' "/proc/$1/io" | tr '\n' ' '
}

echo '-- between ticks'
start "$recorder" -q -o "$db" -i 4s
[ -r "/proc/$pid/io" ] || skip "/proc/$pid/io cannot be read"
start=$(written "$pid")
before=$(snapshots "$db")
grown()
{
    [ "$(snapshots "$db")" -ge $((before + 2)) ]
}
until_true 30 grown || fail 'no snapshots'
quiet= # a while in which there was no snapshot, whatever triggers one
for _ in 1 2 3 4 5 6 7 8; do
    sleep 1
    count=$(snapshots "$db")
    first=$(written "$pid")
    sleep 1
    last=$(written "$pid")
    sleep 0.5 # what was in the making is counted
    [ "$(snapshots "$db")" -eq "$count" ] || continue
    quiet=yes
    [ "$last" = "$first" ] || fail "written between two ticks: from $first to $last"
done
[ -n "$quiet" ] || fail 'there was a snapshot every second'
[ "$(written "$pid")" != "$start" ] || fail "nothing is written at a tick either: $start"
