#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite3 readers (and our own) that open and close between the ticks of a live recorder lose nothing: neither what
# they saw, nor the -wal under the recorder.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/r.db

start "$recorder" -q -o "$db" -i 50ms --deep off --raw-log "$PT_TMP/log"
daemon=$pid
until_true 10 test -s "$db" || fail 'no database'
until_true 10 snapshots "$db" || fail 'no snapshot table'
seen=0 looks=0
end=$(($(date +%s) + 8))
while [ "$(date +%s)" -lt $end ]; do
    now=$(snapshots "$db") || fail 'a reader was refused'
    [ "$now" -ge $seen ] || fail "snapshots went from $seen to $now"
    seen=$now
    looks=$((looks + 1))
    [ -e "$db-wal" ] || fail 'the -wal is gone under the recorder'
    [ $((looks % 10)) -ne 0 ] || run "$analyzer" info "$db" >/dev/null
    [ $((looks % 10)) -ne 5 ] || run "$verify" --cut --every 50 "$db" "$PT_TMP/log" >/dev/null
done
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
left=$(snapshots "$db")
[ "$left" -ge $seen ] || fail "$seen snapshots were seen, $left are left"
run "$verify" --cut "$db" "$PT_TMP/log"
integrity "$db"
echo "$looks looks, $left snapshots"
[ $looks -ge 10 ] || fail "only $looks looks"
