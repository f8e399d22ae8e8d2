#!/bin/sh
# SPDX-License-Identifier: MIT
# Pressure is told although somebody else reads pressure/memory all the time, which keeps the kernel from looking at the
# triggers of those without CAP_SYS_RESOURCE: the totals tell it.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
[ -r /proc/pressure/memory ] || skip 'no PSI'
db=$PT_TMP/a.db
swap_file 128
memory_cgroup "pagetrail-starved-$$" $((24 << 20))
[ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
[ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"

start python3 -c '
import os, time
fd = os.open("/proc/pressure/memory", os.O_RDONLY)
while True:
    os.pread(fd, 256, 0)
    time.sleep(0.0005)'
start "$recorder" -q -o "$db" -i 1s --burst-interval 500ms --burst-length 3s --deep off
recorder_pid=$pid
until_true 60 more_than "$db" 1 || fail 'no snapshots'
start "$PT_TOOLS/e2e_hog" name=stressor "cgroup=$cgroup" '72*600000' >/dev/null
# some QUERY: counts more than none
some()
{
    [ "$(sql "$db" "select count(*) from $1")" -ge 1 ]
}
until_true 30 some "event where kind = 11 and text like 'memory pressure: %'" || fail "no trigger of pressure: $(cat /proc/pressure/memory)"
until_true 30 some 'snapshot where trigger = 5' || fail 'no snapshot of pressure'
until_true 30 some 'snapshot where trigger = 8' || fail 'no burst'
stop "$recorder_pid"
sound "$db"
