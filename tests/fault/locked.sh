#!/bin/sh
# SPDX-License-Identifier: MIT
# Another program holds the database's write lock, while it is recorded to and when recording begins: snapshots wait,
# then thin, and every tick is accounted for. PT_LONG=1: for three minutes.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/r.db
log=$PT_TMP/err
seconds=10
[ -z "${PT_LONG:-}" ] || seconds=180
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc

start "$recorder" -o "$db" -i 100ms --deep off --procfs "$tree" 2>"$log"
daemon=$pid
until_true 30 more_than "$db" 5 || fail 'no snapshots'
# under another name SQLite sees neither its lock nor its -wal
ln "$db" "$PT_TMP/other.db"
"$recorder" --once -o "$PT_TMP/other.db" --procfs "$tree" 2>"$PT_TMP/said" && fail 'recorded to by two, under two names'
grep -q 'hard links' "$PT_TMP/said" || fail "a second name: $(cat "$PT_TMP/said")"
rm "$PT_TMP/other.db"
before=$(rss "$daemon")
hold_lock "$db" $seconds &
holder=$!
until_true 30 said "$log" 'cannot store: .*locked' || fail "a lock is not told: $(cat "$log")"
wait $holder
until_true 30 said "$log" 'storing again' || fail 'it does not store again'
have=$(snapshots "$db")
until_true 30 more_than "$db" $((have + 5)) || fail 'no more snapshots'
after=$(rss "$daemon")
[ "$after" -lt $((before + 8192)) ] || fail "it grew from $before to $after kB"
stop "$daemon"
sound "$db"
sql "$db" 'select text from event where kind in (4, 5)'
[ "$(sql "$db" "select count(*) from event where kind in (4, 5) and text like '%locked%'")" -ge 1 ] || fail 'no event tells it'
accounted "$db" 100

echo '-- at the start'
hold_lock "$db" 6 &
holder=$!
sleep 1
have=$(snapshots "$db")
start "$recorder" -o "$db" -i 100ms --deep off --procfs "$tree" 2>"$log"
until_true 30 said "$log" 'cannot store: .*locked' || fail "it does not wait for the lock: $(cat "$log")"
wait $holder
until_true 30 more_than "$db" $((have + 5)) || fail 'it does not record once the lock is gone'
stop "$pid"
sound "$db"
