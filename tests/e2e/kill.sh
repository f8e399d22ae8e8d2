#!/bin/sh
# SPDX-License-Identifier: MIT
# kill -9 at random instants, 200 times into one file (a quarter of that under sanitizers): see kill.c.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
cycles=200
[ -z "${PT_SANITIZED:-}" ] || cycles=50

run "$PT_TOOLS/e2e_kill" ${PT_SEED:+--seed "$PT_SEED"} $cycles "$PT_TMP" "$recorder" "$verify" -i 20ms --deep auto
before=$(snapshots "$PT_TMP/kill.db")
run "$recorder" -q -o "$PT_TMP/kill.db" -i 100ms -d 1s --raw-log "$PT_TMP/last"
after=$(snapshots "$PT_TMP/kill.db")
[ "$after" -gt "$before" ] || fail "recording did not continue: $before snapshots before, $after after"
run "$verify" "$PT_TMP/kill.db" "$PT_TMP/last"
integrity "$PT_TMP/kill.db"
run "$analyzer" check "$PT_TMP/kill.db"
