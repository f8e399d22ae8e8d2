#!/bin/sh
# SPDX-License-Identifier: MIT
# The clock is set forward and back by hours, and the machine sleeps: recording goes on at its interval, events tell it,
# and the recording is sound and found by number, by order and by time. (The clocks are those of the recorder alone.)
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ -z "${PT_SANITIZED:-}" ] || skip 'sanitizers want to be loaded first'
shim=$PT_TOOLS/libclockshift.so
[ -e "$shim" ] || fail "'$shim' is not built"
db=$PT_TMP/r.db

# set_clocks REAL BOOT: at once for every reader.
set_clocks()
{
    printf '%s %s\n' "$1" "$2" >"$PT_TMP/clock.new"
    mv "$PT_TMP/clock.new" "$PT_TMP/clock"
}

# five: more snapshots, and soon.
five()
{
    have=$(snapshots "$db")
    until_true 20 more_than "$db" $((have + 5)) || fail "$1: recording does not go on: $(cat "$PT_TMP/err")"
}

# told KIND TEXT NUMBER: one event says a number (milliseconds, seconds) that is right to a thousandth.
told()
{
    [ "$(sql "$db" "select count(*) from event where kind = $1 and text like '$2%' and
        abs(cast(substr(text, 1 + length('$2')) as integer) - $3) <= abs($3) / 1000")" = 1 ] ||
        fail "no event '$2 $3': $(sql "$db" "select text from event where kind = $1")"
}

set_clocks +00000000 +00000000
start env LD_PRELOAD="$shim" PT_CLOCK="$PT_TMP/clock" "$recorder" -o "$db" -i 200ms --deep off \
    --cgroupfs "$PT_TMP" 2>"$PT_TMP/err"
daemon=$pid
until_true 30 more_than "$db" 5 || fail "no snapshots: $(cat "$PT_TMP/err")"
set_clocks +00010800 +00000000
five 'set forward'
set_clocks -00007200 +00000000
five 'set back'
set_clocks +00000000 +00000000
five 'set right'
set_clocks +00021600 +00021600
five 'after sleep'
stop "$daemon"
told 3 'the clock was set by ' 10800000
told 3 'the clock was set by ' -18000000
told 3 'the clock was set by ' 7200000
told 8 'the machine slept for ' 21600
[ "$(sql "$db" 'select count(*) from snapshot')" = "$(sql "$db" 'select max(n) from snapshot')" ] || fail 'numbers are missing'
[ "$(sql "$db" 'select max(time_ms) - min(time_ms) > 28000000 from snapshot')" = 1 ] || fail 'the times are not those of the clock'
sound "$db"
n=$(sql "$db" 'select n from snapshot order by time_ms limit 1')
at=$(sql "$db" "select (time_ms + 999) / 1000 from snapshot where n = $n + 3")
"$analyzer" show "$db" text proc:meminfo --at "$at" | grep -q '^MemTotal:' || fail 'a time within the hours gone back is not found'
