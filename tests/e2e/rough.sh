#!/bin/sh
# SPDX-License-Identifier: MIT
# A recorder that is handled roughly: too short an interval, a flood of SIGUSR1, its database deleted. It ends when it
# is told to, does not fill the file with complaints, and says what is lost.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/r.db

echo "-- one snapshot reads the mappings too"
run "$recorder" -q -o "$PT_TMP/once.db" --once --deep all --raw-log "$PT_TMP/once.log"
grep -a -q "source proc:$$/smaps length [1-9]" "$PT_TMP/once.log" || fail 'mappings of a process are missing'
run "$verify" "$PT_TMP/once.db" "$PT_TMP/once.log"

echo "-- an interval nobody can keep"
run "$recorder" -q -o "$db" -i 10ms -d 3s --deep off --raw-log "$PT_TMP/log"
gaps=$(sqlite3 -readonly "$db" 'select count(*) from event where kind = 2')
[ "$gaps" -le 3 ] || fail "$gaps gaps are told in three seconds"
run "$verify" --every 8 "$db" "$PT_TMP/log"
integrity "$db"

echo "-- SIGUSR1 without end"
start "$recorder" -q -o "$db" -i 1s --deep off
daemon=$pid
until_true 10 test -s "$db.lock" || fail 'no recorder'
flood()
{
    until=$(($(date +%s) + 30))
    while kill -USR1 "$daemon" 2>/dev/null; do
        count=$((count + 1))
        [ $((count % 1000)) -ne 0 ] || [ "$(date +%s)" -lt $until ] || return
    done
}
count=0
flood &
one=$!
flood &
other=$!
signalled()
{
    [ "$(sqlite3 -readonly "$db" 'select count(*) from snapshot where trigger = 4')" -ge 1 ]
}
until_true 20 signalled || fail 'no snapshot for a signal'
began=$(date +%s)
kill -TERM "$daemon"
wait "$daemon" || fail "exit status $?"
[ $(($(date +%s) - began)) -lt 15 ] || fail 'SIGTERM is not heard'
wait "$one" "$other"

echo "-- deleted"
start "$recorder" -o "$db" -i 100ms --deep off 2>"$PT_TMP/err"
daemon=$pid
sleep 1
rm "$db"
told()
{
    grep -q 'moved or deleted' "$PT_TMP/err"
}
until_true 30 told || fail 'it records to a deleted file and says nothing'
sleep 1
kill -TERM "$daemon"
wait "$daemon" || fail "exit status $?"
[ "$(sqlite3 -readonly "$db" 'select count(*) from snapshot')" -ge 1 ] || fail 'nothing is in the new file'
integrity "$db"
