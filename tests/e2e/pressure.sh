#!/bin/sh
# SPDX-License-Identifier: MIT
# Under pressure: while eight processes fight over a sixth of the memory they want and swap for it, the recorder, in the
# same memory cgroup, leaves no gap over two intervals; the kernel's pressure trigger begins a burst; somebody else who is
# killed for want of memory is told with what it had before. Skipped (after all of this) where other work on this machine
# keeps PSI full from 50%.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
[ -r /proc/pressure/memory ] || skip 'no PSI'
db=$PT_TMP/a.db
hog=$PT_TOOLS/e2e_hog
interval_ms=2000
seconds=25

swap_file 640

# ask QUERY
ask()
{
    sqlite3 -readonly "$db" "pragma busy_timeout=5000; $1" | tail -n +2
}

# at_least QUERY NUMBER
at_least()
{
    [ "$(ask "$1")" -ge "$2" ]
}

memory_cgroup "pagetrail-victim-$$" $((48 << 20))
apart=$cgroup
memory_cgroup "pagetrail-pressure-$$" $((96 << 20))
# here there is swap
[ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
[ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"

# shellcheck disable=SC2016 # for the inner shell
start sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$cgroup" \
    "$recorder" -q -o "$db" -i ${interval_ms}ms --burst-interval 1s --burst-length 10s
recorder_pid=$pid
until_true 60 at_least 'select count(*) from snapshot' 2 || fail 'no snapshots'
start "$hog" name=victim "cgroup=$apart" 24:0 200:0 >"$PT_TMP/victim"
victim=$pid
for _ in 1 2 3 4 5 6 7 8; do
    start "$hog" name=stressor "cgroup=$cgroup" "72*$((seconds * 1000))" >/dev/null
done
sleep $((seconds * 3 / 5))
kill -USR1 "$victim"
wait "$victim"
[ $? -eq 137 ] || fail 'the victim was not killed'
until_true $((seconds * 4)) at_least "select count(*) from event where kind=9 and (subject='$victim victim' or subject='')" 1 ||
    fail "the victim is not told: $(ask 'select * from event where kind=9')"
sleep $((seconds * 2 / 5))
kill -0 "$recorder_pid" || fail 'the recorder has ended'
swapped=$(sed -n 's/^VmSwap:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$recorder_pid/status")
[ "$PT_SANITIZED" = 1 ] || [ "$swapped" = 0 ] || fail "$swapped KiB of the recorder are swapped out"
kill -TERM "$recorder_pid"
wait "$recorder_pid" || fail "exit status $?"

gap=$(ask 'select max(time_ms - before) from (select time_ms, lag(time_ms) over (order by n) before from snapshot)')
full=$(ask "select max(100 * (psi_full_us - was) / (time_ms - before) / 1000) from (select time_ms, psi_full_us,
    lag(time_ms, 5) over (order by n) before, lag(psi_full_us, 5) over (order by n) was from snapshot)")
echo "PSI full up to $full%, longest gap $gap ms at an interval of $interval_ms ms, $(snapshots "$db") snapshots"
[ "$gap" -le $((2 * interval_ms)) ] || fail "a gap of $gap ms"
at_least "select count(*) from event where kind=11 and text like 'memory pressure: %'" 1 || fail "no trigger of pressure: $(ask 'select kind, time_us, subject, text from event')"
at_least 'select count(*) from snapshot where trigger=5' 1 || fail 'no snapshot of pressure'
at_least 'select count(*) from snapshot where trigger=8' 3 || fail 'no burst'
if [ -n "$(ask 'select subject from event where kind=9')" ]; then
    rss=$(ask "select text from event where kind=9 and subject='$victim victim'" | sed -n 's/.*; snapshot [0-9]*: RSS \([0-9]*\) kB.*/\1/p')
    [ "${rss:-0}" -ge $((24 << 10)) ] || fail "the victim had '$rss' kB before"
fi
[ "$full" -ge 50 ] || skip "other work keeps PSI full down: $full%"
