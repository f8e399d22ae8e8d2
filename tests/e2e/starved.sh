#!/bin/sh
# SPDX-License-Identifier: MIT
# Pressure is told although somebody else reads pressure/memory all the time, which keeps the kernel from looking at the
# triggers of those without CAP_SYS_RESOURCE: the totals tell it.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
[ -r /proc/pressure/memory ] || skip 'no PSI'
db=$PT_TMP/a.db
swap_file 640
memory_cgroup "pagetrail-starved-$$" $((96 << 20))
[ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
[ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"

start python3 -c '
import os, time
fd = os.open("/proc/pressure/memory", os.O_RDONLY)
while True:
    os.pread(fd, 256, 0)
    time.sleep(0.02) # much oftener, and the kernel rounds the totals away'
start "$recorder" -q -o "$db" -i 1s --burst-interval 500ms --burst-length 3s --deep off
recorder_pid=$pid
until_true 60 more_than "$db" 1 || fail 'no snapshots'
for _ in 1 2 3 4 5 6 7 8; do # one alone goes round its memory without the kernel taking it for a working set
    start "$PT_TOOLS/e2e_hog" name=stressor "cgroup=$cgroup" '72*600000' >/dev/null
done
# some QUERY: counts more than none
some()
{
    [ "$(sql "$db" "select count(*) from $1")" -ge 1 ]
}
# stalled: microseconds that somebody has waited for memory
stalled()
{
    sed -n 's/^some.*total=//p' /proc/pressure/memory
}
before=$(stalled)
until_true 30 some "event where kind = 11 and text like 'memory pressure: %'" || {
    # eight periods of two seconds in which a trigger of 0.15 s would have fired
    [ $(($(stalled) - before)) -ge 8000000 ] || skip "a fast disk: $(($(stalled) - before)) us of pressure in 30 s"
    fail "no trigger of pressure: $(cat /proc/pressure/memory)"
}
until_true 30 some 'snapshot where trigger = 5' || fail 'no snapshot of pressure'
until_true 30 some 'snapshot where trigger = 8' || fail 'no burst'
stop "$recorder_pid"
sound "$db"
