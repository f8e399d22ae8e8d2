#!/bin/sh
# SPDX-License-Identifier: MIT
# Thirty thousand processes: every one is in the first snapshot, recording goes on, and ends when it is told to.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
want=30000
[ -z "${PT_SANITIZED:-}" ] || want=3000
if [ "${PT_NUMBERS:-}" != many ]; then
    unshare -p -f -m --mount-proc true 2>/dev/null || skip 'no pid namespace of our own'
    [ "$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)" -gt 4096 ] || skip 'less than 4 GiB are available'
    PT_NUMBERS=many exec unshare -p -f -m --mount-proc --kill-child sh "$0"
fi
db=$PT_TMP/r.db

start "$PT_TOOLS/e2e_storm" many $want >"$PT_TMP/born"
until_true 60 test -s "$PT_TMP/born" || fail 'they are not born'
born=$(cat "$PT_TMP/born")
[ "$born" -ge $((want * 9 / 10)) ] || skip "there can be only $born processes here"
start "$recorder" -o "$db" -i 2s 2>"$PT_TMP/err"
daemon=$pid
until_true 90 more_than "$db" 2 || fail "no snapshots: $(cat "$PT_TMP/err")"
peak=$(awk '/^VmHWM:/ { print $2 }' /proc/$daemon/status)
began=$(date +%s)
stop $daemon
echo "$born processes, $peak kB at the most, ended in $(($(date +%s) - began)) s"
least=$(sql "$db" 'select min(processes) from snapshot')
[ "$least" -gt "$born" ] || fail "a snapshot has $least processes"
[ "$peak" -lt $((65536 + born * 8)) ] || fail "it took $peak kB"
sound "$db"
for n in 1000 $((born / 2)) $born; do
    "$analyzer" show "$db" text proc:$n/status --at @1 | grep -q "^Pid:.$n\$" || fail "process $n is not in the first snapshot"
done
