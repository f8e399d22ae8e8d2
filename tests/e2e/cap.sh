#!/bin/sh
# SPDX-License-Identifier: MIT
# The size limit, as du would see it, at every moment: while snapshots are stored, sealed, thinned and dropped; while a
# reader keeps the -wal from being emptied; after the limit was lowered. The interval is a thousandth of the usual, so
# that a minute is an hour's worth.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
# Among few processes, where it may: what else runs here decides how large a snapshot is.
if [ -z "${PT_INSIDE:-}" ] && unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
    PT_INSIDE=1 exec unshare --mount --pid --fork --mount-proc sh "$0"
fi
db=$PT_TMP/a.db
cap=$PT_SOURCE/tests/e2e/cap.py

query()
{
    sqlite3 -readonly "$db" "$1"
}

good()
{
    integrity "$db"
    run "$analyzer" check "$db"
}

run "$recorder" -q -o "$db" --once --deep off
one=$(stat -c %s "$db")
limit=$((16 * one))
[ $limit -ge 2097152 ] || limit=2097152
rm -f "$db"

echo "-- a limit of $limit bytes, a snapshot takes $one"
run python3 "$cap" --thinned "$db" $limit 25 "$recorder" -i 20ms --deep off
good
[ "$(query 'select count(*) from thinned')" -gt 0 ] || fail 'nothing was thinned'
query 'select level, sum(last - first + 1), sum(kept) from thinned group by level'
[ "$(query 'select max(n) - count(*) from sealed')" -gt 0 ] || fail 'nothing was taken out'
[ "$(query "select count(*) from sealed where trigger = 2")" = 1 ] || fail 'the first snapshot of the run is gone'

echo '-- a reader that holds on'
run python3 "$cap" --reader 8 "$db" $limit 16 "$recorder" -i 20ms --deep off
good
query 'select text from event where kind = 14'
[ "$(query "select count(*) from event where kind = 14 and text glob '*fewer snapshots*'")" -ge 1 ] ||
    fail 'no event says that a reader kept the -wal'
[ "$(query "select count(*) from event where kind = 14 and text glob '*every snapshot is taken*'")" -ge 1 ] ||
    fail 'no event says that it let go'

echo '-- half of it'
before=$(stat -c %s "$db")
run python3 "$cap" --settle 8 "$db" $((limit / 2)) 12 "$recorder" -i 100ms --deep off
good
after=$(stat -c %s "$db")
[ "$after" -lt "$before" ] || fail "the file did not shrink: $before bytes, then $after"

echo '-- the smallest limit'
rm -f "$db"
start "$recorder" -q -o "$db" --max-size 1M -i 50ms --deep off
enough()
{
    [ "$(query 'select max(n) from snapshot')" -gt 40 ]
}
until_true 60 enough || fail 'recording stopped'
kill -TERM "$pid"
wait "$pid" || fail "exit status $?"
good
