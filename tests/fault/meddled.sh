#!/bin/sh
# SPDX-License-Identifier: MIT
# What others do to the files of a database that is recorded to: its -wal, its -shm or itself deleted, replaced or cut
# short, one by one and all at once (as a script that clears away "temporary files" does, or logrotate with
# copytruncate). The recorder lives, what was stored is kept where it can be, recording goes on in a file at that path,
# and an event tells it.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc
dir=$PT_TMP/dir
db=$dir/r.db
log=$PT_TMP/err

# begin TITLE [INTERVAL]: a recorder that has some snapshots in its -wal. Where files are cut, between two snapshots: what
# is mapped and cut while it is in use is a SIGBUS.
begin()
{
    echo "-- $1"
    rm -rf "$dir"
    mkdir "$dir"
    start "$recorder" -o "$db" -i "${2:-100ms}" --deep off --procfs "$tree" 2>"$log"
    daemon=$pid
    until_true 30 more_than "$db" 3 || fail "no snapshots: $(cat "$log")"
    [ -z "${2:-}" ] || sleep 0.1
}

# event_says KINDS TEXT: an event of such a kind in the database that stands at the path now.
event_says()
{
    [ "$(sql "$db" "select count(*) from event where kind in ($1) and text like '$2'")" -ge 1 ]
}

# goes_on LOG KINDS TEXT: recording does, in a file at the path, and it is told. In the log first: who opens a database makes
# an -shm that was cut as long as it should be.
goes_on()
{
    until_true 30 said "$log" "$1" || fail "it says: $(cat "$log")"
    shift
    until_true 30 event_says "$1" "$2" || fail "no event tells it: $(cat "$log"; sql "$db" 'select kind, text from event')"
    have=$(snapshots "$db")
    until_true 30 more_than "$db" $((have + 3)) || fail "recording does not go on: $(cat "$log")"
    kill -0 "$daemon" || fail 'the recorder ended'
}

# ends WHOLE: and all snapshots there ever were are in the file (yes), or may not be (no).
ends()
{
    stop "$daemon"
    sound "$db"
    [ ! -e "$db-wal" ] || fail 'a -wal is left'
    [ "$1" = no ] || [ "$(sql "$db" 'select min(n) || " " || (max(n) - count(*)) from snapshot')" = '1 0' ] ||
        fail "snapshots are missing: $(sql "$db" 'select min(n), max(n), count(*) from snapshot')"
}

begin 'the -shm is cut short' 1s
: >"$db-shm"
goes_on 'deleted, replaced or cut the -shm' 5 '%-shm%'
ends yes

begin 'the -shm is deleted'
rm "$db-shm"
goes_on 'deleted, replaced or cut the -shm' 5 '%-shm%'
ends yes

begin 'the -wal is deleted, then the recorder is killed'
rm "$db-wal"
goes_on 'deleted or replaced the -wal' 5 '%-wal%'
have=$(snapshots "$db")
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
[ "$(snapshots "$db")" -ge "$have" ] || fail 'what was committed is gone'
start "$recorder" -o "$db" -i 100ms --deep off --procfs "$tree" 2>"$log"
daemon=$pid
until_true 30 more_than "$db" $((have + 5)) || fail "recording does not go on: $(cat "$log")"
ends yes

begin 'both are deleted, while somebody reads'
{ echo 'begin; select count(*) from snapshot;'; sleep 3; echo 'end;'; } | sqlite3 -readonly "$db" >"$PT_TMP/reader" &
reader=$!
until_true 10 test -s "$PT_TMP/reader"
rm "$db-wal" "$db-shm"
goes_on 'deleted or replaced the -wal' 5 '%-wal%'
wait "$reader"
ends yes

begin 'the -wal is deleted while somebody reads, and a new file is asked for'
{ echo 'begin; select count(*) from snapshot;'; sleep 4; echo 'end;'; } | sqlite3 -readonly "$db" >"$PT_TMP/reader2" &
reader=$!
until_true 10 test -s "$PT_TMP/reader2"
sleep 0.5
rm "$db-wal"
sleep 0.5
kill -HUP "$daemon"
wait "$reader"
goes_on 'deleted or replaced the -wal' 5 '%-wal%'
ends yes

begin 'the -wal is replaced by something else'
head -c 3000 /dev/urandom >"$PT_TMP/other"
mv "$PT_TMP/other" "$db-wal"
goes_on 'deleted or replaced the -wal' 5 '%-wal%'
ends yes
[ "$(find "$dir" -name 'r.db.damaged-*-wal' -size 3000c | wc -l)" = 1 ] || fail "what came in its place is gone: $(ls "$dir")"

begin 'the -wal is emptied by a checkpoint of another program'
have=$(snapshots "$db")
sqlite3 "$db" 'pragma busy_timeout=5000; pragma wal_checkpoint(truncate)' >"$PT_TMP/checkpoint" || fail 'no checkpoint'
until_true 30 more_than "$db" $((have + 5)) || fail "recording does not go on: $(cat "$log")"
! event_says 4 '%' && ! event_says 5 '%-wal%' || fail "it complains: $(sql "$db" 'select text from event')"
ends yes

begin 'the -wal is cut short' 1s
have=$(snapshots "$db")
: >"$db-wal"
goes_on 'cut the -wal short' 4 '%snapshots that were stored are lost: another program cut the -wal short'
[ "$(sql "$db" "select cast(text as integer) from event where text like '%cut the -wal%'")" -ge $((have - 1)) ] ||
    fail "it says: $(sql "$db" 'select text from event')"
ends yes

begin 'the database is emptied' 1s
: >"$db"
goes_on "is now 'r.db.damaged-" 5 'the database was damaged and is kept as this file: another program emptied%'
ends no
saved=$(find "$dir" -name 'r.db.damaged-*' ! -name '*-wal' ! -name '*-shm')
"$analyzer" check --repair "$saved" -o "$PT_TMP/saved.db" >"$PT_TMP/out" 2>&1
[ "$(snapshots "$PT_TMP/saved.db")" -ge 3 ] || fail "what its -wal had is not saved: $(cat "$PT_TMP/out")"

begin 'all are copied and cut short' 1s
for one in "$db" "$db-shm" "$db-wal"; do
    cp "$one" "$one.1"
    : >"$one"
done
goes_on "is now 'r.db.damaged-" 5 'the database was damaged and is kept as this file: another program emptied%'
ends no

begin 'another database comes in its place'
run "$recorder" -q -o "$dir/other.db" --once --procfs "$tree"
mv "$dir/other.db" "$db"
goes_on 'moved or deleted' 0 '%moved or deleted%'
ends no

begin 'what comes in its place is none'
printf 'notes of somebody\n' >"$dir/notes"
mv "$dir/notes" "$db"
until_true 30 said "$log" "cannot store: .*is not a Pagetrail database" || fail "it says: $(cat "$log")"
[ "$(cat "$db")" = 'notes of somebody' ] || fail 'it was changed'
rm "$db"
goes_on 'storing again' 4 '%snapshots and%is not a Pagetrail database'
ends no

begin 'the whole directory is deleted'
rm -rf "$dir"
goes_on 'deleted' 0,4 '%deleted%'
ends no
