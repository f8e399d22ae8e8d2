#!/bin/sh
# SPDX-License-Identifier: MIT
# A disk that is full, then is not, then is again: recording goes on, memory does not grow, and the file tells exactly
# what is missing: every tick is a snapshot, or counted in an event. Where there is no room to copy what a damaged -wal
# holds, nothing is written over it: it waits for room, or, where there is some, begins a new file.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
private_mounts
disk=$PT_TMP/disk
mkdir "$disk"
mount -t tmpfs -o size=6m,mode=700 none "$disk" 2>/dev/null || skip 'nothing may be mounted'
db=$disk/r.db
log=$PT_TMP/err

fill()
{
    head -c 16m /dev/zero >"$disk/filler" 2>/dev/null
    head -c 64k /dev/zero >"$disk/rest" 2>/dev/null
}

# said_so_often LOG TEXT: how often a line was said.
said_so_often()
{
    grep -c -- "$2" "$1"
}

start "$recorder" -o "$db" -i 50ms --deep off --procfs "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc" 2>"$log"
daemon=$pid
until_true 30 more_than "$db" 20 || fail 'no snapshots'
before=$(rss "$daemon")
for round in 1 2; do
    fill
    until_true 30 said "$log" 'cannot store' || fail "round $round: a full disk is not told"
    # what waits is thinned from the 24th on, and nothing is taken when 48 wait
    sleep $((8 * round))
    kill -0 "$daemon" || fail 'the recorder ended'
    rm "$disk/filler" "$disk/rest"
    until_true 30 eval "[ \$(said_so_often '$log' 'storing again') -ge $round ]" || fail "round $round: it does not store again"
    have=$(snapshots "$db")
    until_true 30 more_than "$db" $((have + 5)) || fail "round $round: no more snapshots"
done
after=$(rss "$daemon")
[ "$after" -lt $((before + 8192)) ] || fail "it grew from $before to $after kB"
stop "$daemon"
sound "$db"
sql "$db" "select text from event where kind in (4, 5)"
[ "$(sql "$db" "select count(*) from event where kind = 4")" -ge 1 ] || fail 'no loss is told'
sql "$db" "select text from event where kind = 4" | grep -qE \
    '^[0-9]+ snapshots and 0 events lost from [0-9T:Z-]+ to [0-9T:Z-]+: .*(full|No space)' || fail 'the loss has no count, span or reason'

accounted "$db" 50

# deleted FILE...: on a full disk; the recorder lets go of them.
deleted()
{
    start "$recorder" -o "$db" -i 50ms --deep off --procfs "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc" 2>"$log"
    daemon=$pid
    until_true 30 more_than "$db" 20 || fail 'no snapshots'
    fill
    until_true 30 said "$log" 'cannot store' || fail 'a full disk is not told'
    rm "$@"
}

goes_on()
{
    until_true 30 said "$log" 'moved or deleted' || fail "it keeps what was deleted: $(cat "$log")"
    until_true 30 more_than "$db" 5 || fail "recording does not go on: $(cat "$log")"
}

echo '-- the database is deleted to make room'
db=$disk/d.db
deleted "$db" "$db-wal" "$db-shm"
goes_on
rm "$disk/filler" "$disk/rest"
stop "$daemon"
sound "$db"

echo '-- its -wal is left, which is most of it'
db=$disk/e.db
deleted "$db" "$db-shm"
until_true 30 eval "ls '$disk'/e.db.damaged-*-wal" || fail "the -wal is not set aside: $(ls "$disk")"
rm "$disk/filler" "$disk/rest"
goes_on
stop "$daemon"
sound "$db"
[ -s "$(find "$disk" -name 'e.db.damaged-*-wal')" ] || fail "the -wal is gone: $(ls "$disk")"
[ "$(sql "$db" "select count(*) from event where kind = 5 and text like '%its -wal is not'")" = 1 ] || fail 'no event tells of the -wal'

echo '-- a limit to the size of files is a full disk'
db=$disk/l.db
start prlimit --fsize=120000:unlimited "$recorder" -o "$db" -i 50ms --deep off --procfs "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc" 2>"$log"
daemon=$pid
until_true 30 said "$log" 'cannot store' || fail "it says nothing: $(cat "$log")"
sleep 1
kill -0 "$daemon" || fail 'the recorder ended'
run prlimit --pid "$daemon" --fsize=unlimited
until_true 30 said "$log" 'storing again' || fail 'it does not store again'
stop "$daemon"
sound "$db"
accounted "$db" 50

# begin_damaged NAME: the files of a recorder that was killed, the -wal damaged in its middle.
begin_damaged()
{
    db=$disk/$1
    start "$recorder" -q -o "$db" -i 200ms --deep off --procfs "$tree" # no seal until it is killed
    until_true 30 more_than "$db" 20 || fail 'no snapshots'
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    rm -f "$db-shm"
    printf 'overwritten' | dd of="$db-wal" bs=1 seek=$((32 + $(stat -c %s "$db-wal") / 536 / 2 * 536 + 124)) conv=notrunc status=none
}

echo '-- full at the start, and the -wal that a kill left is damaged in its middle'
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc
begin_damaged w.db
before=$(cat "$db" "$db-wal" | cksum)
wal=$(cksum <"$db-wal")
fill
start "$recorder" -o "$db" -i 50ms --deep off --procfs "$tree" 2>"$log"
daemon=$pid
until_true 30 said "$log" 'cannot store: its -wal is damaged and cannot be copied: .*No space left' || fail "it says: $(cat "$log")"
sleep 1
[ "$(cat "$db" "$db-wal" | cksum)" = "$before" ] || fail 'what it may not lose was changed'
rm "$disk/filler" "$disk/rest"
until_true 30 said "$log" 'storing again' || fail 'it does not store'
until_true 30 more_than "$db" 15 || fail 'no more snapshots'
stop "$daemon"
sound "$db"
copy=$(find "$disk" -name 'w.db.damaged-*-wal')
[ "$(cksum <"$copy")" = "$wal" ] || fail "it has no copy of the -wal: $(ls -l "$disk")"
[ ! -s "${copy%-wal}" ] || fail 'the database was set aside'
[ "$(sql "$db" "select count(*) from event where text like 'the -wal was damaged:%is in this file only'")" = 1 ] ||
    fail "no event tells it: $(sql "$db" 'select subject, text from event')"

echo '-- there is room for a new database, and not for such a copy'
begin_damaged v.db
truncate -s 4M "$db-wal"
before=$(cat "$db" "$db-wal" | cksum)
fill
rm "$disk/rest"
truncate -s -2M "$disk/filler"
start "$recorder" -o "$db" -i 50ms --deep off --procfs "$tree" 2>"$log"
daemon=$pid
until_true 30 said "$log" "is now 'v.db.damaged-" || fail "it does not set it aside: $(cat "$log")"
until_true 30 more_than "$db" 5 || fail 'no more snapshots'
aside=$(find "$disk" -name 'v.db.damaged-*' ! -name '*-wal' ! -name '*-shm')
[ "$(cat "$aside" "$aside-wal" | cksum)" = "$before" ] || fail "what is set aside was changed: $(ls -l "$disk")"
stop "$daemon"
sound "$db"
[ "$(sql "$db" "select count(*) from event where text like '%its -wal is damaged and cannot be copied: %No space left%'")" = 1 ] ||
    fail "no event tells it: $(sql "$db" 'select subject, text from event')"
