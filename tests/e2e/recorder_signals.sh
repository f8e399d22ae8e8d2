#!/bin/sh
# SPDX-License-Identifier: MIT
# Signals and the lock: a second recorder is refused by name, SIGUSR1 takes a snapshot at once, SIGHUP begins a new file after a rename,
# SIGTERM and SIGINT leave clean files; exit statuses. (A renamed file may keep its -wal: the rename is seen before the signal.)
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/a.db

# clean DATABASE: one file, sealed, whole.
clean()
{
    for suffix in -wal -shm .lock; do
        [ ! -e "$1$suffix" ] || fail "$1$suffix is left"
    done
    integrity "$1"
    [ "$(sqlite3 -readonly "$1" 'select count(*) from frame')" = 0 ] || fail "frames are left in $1"
}

# triggers DATABASE TRIGGER: how many snapshots it has of it.
triggers()
{
    sqlite3 -readonly -cmd ".timeout 2000" "$1" "select count(*) from snapshot where trigger=$2"
}

taken()
{
    [ "$(triggers "$1" "$2")" -ge "${3:-1}" ]
}

status()
{
    want=$1
    shift
    "$@" >"$PT_TMP/out" 2>&1
    rc=$?
    [ $rc -eq "$want" ] || fail "exit status $rc, not $want, of: $*"
}

start "$recorder" -q -o "$db" -i 200ms
first=$pid
until_true 30 taken "$db" 0 2 || fail 'no snapshots'

echo '-- a second recorder'
status 3 "$recorder" -q -o "$db" --once
grep -q "by process $first\$" "$PT_TMP/out" || fail "the message does not name process $first: $(cat "$PT_TMP/out")"

echo '-- SIGUSR1'
kill -USR1 "$first"
until_true 10 taken "$db" 4 || fail 'no snapshot was taken on SIGUSR1'

echo '-- SIGHUP'
mv "$db" "$PT_TMP/old.db"
kill -HUP "$first"
until_true 30 taken "$db" 0 2 || fail 'no new file was begun'
integrity "$PT_TMP/old.db"
taken "$PT_TMP/old.db" 4 || fail 'the renamed file lost snapshots'

echo '-- SIGTERM, SIGINT'
kill -TERM "$first"
wait "$first" || fail "exit status $? after SIGTERM"
clean "$db"
taken "$db" 3 || fail 'no last snapshot'
before=$(snapshots "$db")
start "$recorder" -q -o "$db" -i 200ms
until_true 30 taken "$db" 2 2 || fail 'the recording did not go on'
kill -INT "$pid"
wait "$pid" || fail "exit status $? after SIGINT"
clean "$db" # before any reader: one that may only read leaves an empty -wal
[ "$(snapshots "$db")" -gt "$before" ] || fail 'nothing was added'

echo '-- what cannot be'
status 2 "$recorder" --no-such-option
status 2 "$recorder" -i nonsense
status 3 "$recorder" -q -o "$PT_TMP/no/such/dir/x.db" --once
status 3 "$recorder" -q -o "$PT_TMP/x.db" --procfs "$PT_TMP/nowhere" --once
mkfifo "$PT_TMP/fifo"
for odd in "$PT_TMP/fifo" "$PT_TMP" /dev/null; do
    status 3 timeout -s KILL 20 "$recorder" -q -o "$PT_TMP/x.db" --raw-log "$odd" --once
    grep -q "cannot open '$odd'" "$PT_TMP/out" || fail "a log that is no file: $(cat "$PT_TMP/out")"
done
[ -p "$PT_TMP/fifo" ] || fail 'a FIFO was replaced'
echo 'not a database' >"$PT_TMP/y.db"
status 3 "$recorder" -q -o "$PT_TMP/y.db" --once
[ "$(cat "$PT_TMP/y.db")" = 'not a database' ] || fail 'a foreign file was changed'
