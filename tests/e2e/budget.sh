#!/bin/sh
# SPDX-License-Identifier: MIT
# A CPU budget that is far too small for the interval: the interval stretches, an event and the recorder's account of
# itself say so, and what was used after the start is near the budget. With all the CPU it wants nothing of the kind.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
skips="select count(*) from event where kind = 13 and text like 'a snapshot every %, not every 100ms: %'"

# account DATABASE KEY SNAPSHOT
account()
{
    run "$analyzer" show "$1" text self:account --at "$3" | awk -v key="$2" '$1 == key { print $2 }'
}

echo "-- too little"
db=$PT_TMP/little.db
run "$recorder" -q -o "$db" -i 100ms -d 15s --burst-length 0 --deep off --cpu-budget 0.1%
[ "$(sqlite3 "$db" "$skips")" -ge 1 ] || fail 'no event says that the interval stretches'
count=$(snapshots "$db")
echo "$count snapshots"
[ "$count" -ge 3 ] || fail 'nothing was recorded'
[ "$count" -le 40 ] || fail 'the interval did not stretch'
last=$(sqlite3 "$db" "select max(n) from snapshot where trigger = 0")
[ "$(account "$db" interval_us "@$last")" -gt 1000000 ] || fail 'the account does not tell the interval in force'
[ "$(account "$db" budget_ppm "@$last")" -eq 1000 ] || fail 'the account does not tell the budget'

echo "-- enough"
db=$PT_TMP/enough.db
run "$recorder" -q -o "$db" -i 100ms -d 5s --burst-length 0 --deep off --cpu-budget 100%
[ "$(sqlite3 "$db" "$skips")" -eq 0 ] || fail 'the interval stretched for nothing'
last=$(sqlite3 "$db" "select max(n) from snapshot where trigger = 0")
[ "$(account "$db" interval_us "@$last")" -eq 100000 ] || fail 'the interval is not what was asked for'
[ "$(account "$db" processes "@$last")" -eq "$(account "$db" processes_read "@$last")" ] ||
    fail 'not all processes were looked at'
