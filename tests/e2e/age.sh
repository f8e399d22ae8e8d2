#!/bin/sh
# SPDX-License-Identifier: MIT
# --max-age: what is older goes when more is recorded, what is younger stays, and without it all of it does.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/a.db
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc
for ago in '10 days' '3 days' '2 hours'; do
    run "$recorder" -q -o "$db" --once --deep off --procfs "$tree" --timestamp "$(date -u -d "$ago ago" +%Y-%m-%dT%H:%M:%SZ)"
done
[ "$(snapshots "$db")" -eq 3 ] || fail 'not three snapshots'

# older HOURS: snapshots that are older
older()
{
    sql "$db" "select count(*) from snapshot where time_ms < (strftime('%s', 'now') - $1 * 3600) * 1000"
}

run "$recorder" -q -o "$db" -i 100ms -d 1s --deep off --procfs "$tree"
[ "$(older 24)" -eq 2 ] || fail 'something is gone without a limit'
run "$recorder" -q -o "$db" -i 100ms -d 2s --deep off --procfs "$tree" --max-age 5d
[ "$(older 120)" -eq 0 ] || fail 'what is older than the limit stays'
[ "$(older 24)" -eq 1 ] || fail 'what is younger than the limit is gone'
run "$recorder" -q -o "$db" -i 100ms -d 2s --deep off --procfs "$tree" --max-age 1h
[ "$(older 1)" -eq 0 ] || fail 'two hours are left'
[ "$(snapshots "$db")" -gt 10 ] || fail 'what was recorded now is gone'
sound "$db"
