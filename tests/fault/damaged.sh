#!/bin/sh
# SPDX-License-Identifier: MIT
# A damaged database, at the start and while it is recorded to, is set aside byte for byte and recording goes on in a new
# one, which says so. What is not ours, or newer, is refused and left as it was.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc

# recording with a -wal: killed
start "$recorder" -q -o "$PT_TMP/base.db" -i 50ms --deep off --procfs "$tree"
until_true 30 more_than "$PT_TMP/base.db" 20 || fail 'no snapshots'
kill -9 "$pid"
wait "$pid" 2>/dev/null
rm -f "$PT_TMP/base.db.lock" "$PT_TMP/base.db-shm"
[ -s "$PT_TMP/base.db-wal" ] || fail 'the killed recorder left no -wal'

# sums DIR PREFIX: of the files that hold something, without the names' beginnings.
sums()
{
    for suffix in '' -wal; do
        [ ! -s "$1/$2$suffix" ] || cksum <"$1/$2$suffix"
    done
}

# begin KIND: a folder with a copy to damage, in $dir and $db.
begin()
{
    echo "-- $1"
    dir=$PT_TMP/dir
    db=$dir/x.db
    rm -rf "$dir"
    mkdir "$dir"
    cp "$PT_TMP/base.db" "$db"
    cp "$PT_TMP/base.db-wal" "$db-wal"
}

# A second of recording to a damaged file.
set_aside()
{
    before=$(sums "$dir" x.db)
    "$recorder" -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" 2>"$PT_TMP/err" || fail "exit status $?: $(cat "$PT_TMP/err")"
    set -- "$dir"/x.db.damaged-*
    aside=${1##*/}
    aside=${aside%-wal}
    [ -e "$1" ] || fail "nothing is set aside: $(ls "$dir")"
    [ "$(sums "$dir" "$aside")" = "$before" ] || fail 'what is set aside was changed'
    grep -q "is now '$aside'" "$PT_TMP/err" || fail "the log does not name '$aside': $(cat "$PT_TMP/err")"
    [ "$(sql "$db" "select count(*) from event where subject = '$aside' and text like '%damaged%'")" = 1 ] || fail 'no event tells it'
    more_than "$db" 3 || fail 'recording did not go on'
    sound "$db"
}

# overwrite FILE OFFSET BYTES
overwrite()
{
    head -c "$3" /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

begin 'head overwritten'
overwrite "$db" 0 100
set_aside
begin 'schema overwritten'
overwrite "$db" 100 3000
rm "$db-wal"
set_aside
begin 'cut to a page'
truncate -s 512 "$db"
rm "$db-wal"
set_aside
begin 'cut within the head'
truncate -s 50 "$db"
set_aside
begin 'nothing but zeros'
size=$(stat -c %s "$db")
truncate -s 0 "$db"
truncate -s "$size" "$db"
rm "$db-wal"
set_aside
begin 'empty, and its -wal is not'
: >"$db"
set_aside
begin 'gone, and its -wal is not'
rm "$db"
set_aside
begin 'a table is missing'
sqlite3 "$db" 'drop table event'
set_aside
begin 'a table is another'
sqlite3 "$db" 'drop table segment; create table segment(x)'
set_aside

begin 'the -wal, in its middle'
base=$(snapshots "$PT_TMP/base.db")
overwrite "$db-wal" $((32 + $(stat -c %s "$db-wal") / 536 / 2 * 536 + 24 + 100)) 16
before=$(cksum <"$db-wal")
"$analyzer" check "$db" >"$PT_TMP/out" 2>&1
status=$?
{ [ $status -eq 4 ] && grep -q 'transactions behind a damaged place' "$PT_TMP/out"; } || fail "check says, with $status: $(cat "$PT_TMP/out")"
"$recorder" -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" 2>"$PT_TMP/err" || fail "exit status $?: $(cat "$PT_TMP/err")"
set -- "$dir"/x.db.damaged-*-wal
aside=${1##*/}
aside=${aside%-wal}
[ "$(cksum <"$1")" = "$before" ] || fail "the -wal was not kept: $(ls "$dir")"
grep -q "is kept as '$aside-wal'" "$PT_TMP/err" || fail "the log does not name '$aside': $(cat "$PT_TMP/err")"
[ "$(sql "$db" "select count(*) from event where subject = '$aside' and text like 'the -wal was damaged%'")" = 1 ] || fail 'no event tells it'
sound "$db"
[ "$(snapshots "$db")" -gt 5 ] || fail 'recording did not go on'
"$analyzer" check --repair -o "$dir/repaired.db" "$dir/$aside" >"$PT_TMP/out" 2>&1
status=$?
[ $status -eq 4 ] || fail "exit status $status of the repair: $(cat "$PT_TMP/out")"
[ "$(snapshots "$dir/repaired.db")" -ge $((base - 2)) ] || fail "$(snapshots "$dir/repaired.db") of $base snapshots are recovered: $(cat "$PT_TMP/out")"
"$recorder" -q -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" || fail "exit status $? of a second start"
[ "$(sql "$db" "select count(*) from event where text like 'the -wal was damaged%'")" = 1 ] || fail 'it is told once more'
begin 'the head of the -wal'
overwrite "$db-wal" 0 32
"$recorder" -q -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" 2>/dev/null || fail "exit status $?"
[ -n "$(find "$dir" -name 'x.db.damaged-*-wal' -size +8k)" ] || fail "the -wal was not kept: $(ls "$dir")"
sound "$db"
begin 'a -wal that is whole, or cut short'
truncate -s -300 "$db-wal"
"$recorder" -q -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" || fail "exit status $?"
[ -z "$(find "$dir" -name 'x.db.damaged-*')" ] || fail "something is kept: $(ls "$dir")"
sound "$db"
[ "$(snapshots "$db")" -gt $((base - 2)) ] || fail 'snapshots are gone'

# refused STATUS: neither the file nor anything beside it changes.
refused()
{
    before=$(cd "$dir" && find . -type f -exec cksum {} + | sort)
    timeout 20 "$recorder" -q -o "$db" -i 50ms -d 1s --deep off --procfs "$tree" 2>"$PT_TMP/err"
    status=$?
    [ $status -eq 3 ] || fail "exit status $status, not 3: $(cat "$PT_TMP/err")"
    grep -q "$1" "$PT_TMP/err" || fail "the message is: $(cat "$PT_TMP/err")"
    [ "$(cd "$dir" && find . -type f -exec cksum {} + | sort)" = "$before" ] || fail 'it was changed'
}

begin 'another program, which died writing'
rm "$db" "$db-wal"
{ echo 'pragma journal_mode=wal; create table theirs(x); insert into theirs values(1);'; echo ".shell kill -9 \$PPID"; } |
    sqlite3 "$db" >/dev/null 2>&1
[ -s "$db-wal" ] || fail 'no -wal of another program'
refused 'another program'
begin 'another program, with a journal'
rm "$db" "$db-wal"
sqlite3 "$db" 'create table theirs(x); insert into theirs values(1)'
head -c 600 /dev/urandom >"$db-journal"
refused 'another program'
begin 'a newer format'
rm "$db-wal"
sqlite3 "$db" 'pragma user_version=1000'
refused 'format 1000'
begin 'a text'
rm "$db-wal"
echo 'a letter' >"$db"
refused 'not a Pagetrail database'
begin 'a picture'
rm "$db-wal"
head -c 100000 /dev/urandom >"$db"
refused 'not a Pagetrail database'
begin 'a directory'
rm "$db" "$db-wal"
mkdir "$db"
refused 'not a regular file'
begin 'a FIFO'
rm "$db" "$db-wal"
mkfifo "$db"
refused 'not a regular file'
begin 'a device'
rm "$db" "$db-wal"
ln -s /dev/null "$db"
refused 'not a regular file'

begin 'while it is recorded to'
rm "$db" "$db-wal"
start "$recorder" -o "$db" -i 50ms --deep off 2>"$PT_TMP/err" # of this machine: more than SQLite has in its cache
daemon=$pid
grown()
{
    [ "$(stat -c %s "$db-wal")" -gt 600000 ]
}
until_true 60 grown || fail 'no snapshots'
pages=$(($(stat -c %s "$db-wal") / 536))
i=100
while [ $i -lt $pages ] && [ $i -lt 600 ]; do # pages, behind the head of their frames in the -wal
    overwrite "$db-wal" $((32 + i * 536 + 24)) 512
    i=$((i + 2))
done
kill -HUP "$daemon" # it packs all, and reads it for that
until_true 30 said "$PT_TMP/err" 'is now' || fail "the damage is not noticed: $(cat "$PT_TMP/err")"
until_true 30 more_than "$db" 10 || fail 'recording did not go on'
stop "$daemon"
sound "$db"
set -- "$dir"/x.db.damaged-*
[ -s "$1" ] || fail 'nothing is set aside'
[ "$(sql "$db" "select count(*) from event where subject like 'x.db.damaged-%'")" = 1 ] || fail 'no event tells it'
