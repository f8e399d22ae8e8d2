#!/bin/sh
# SPDX-License-Identifier: MIT
# A thousand processes a second, in a pid namespace of 600 numbers, so that these are used again within the second: what
# is recorded is what was read, and two that have one number one after the other are not taken for one.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
if [ "${PT_NUMBERS:-}" != few ]; then
    unshare -p -f -m --mount-proc true 2>/dev/null || skip 'no pid namespace of our own'
    PT_NUMBERS=few exec unshare -p -f -m --mount-proc --kill-child sh "$0"
fi
{ echo 600 >/proc/sys/kernel/pid_max; } 2>/dev/null || skip 'this kernel has one pid_max for all pid namespaces'
[ "$(cat /proc/sys/kernel/pid_max)" = 600 ] || skip 'this kernel has one pid_max for all pid namespaces'
db=$PT_TMP/r.db

# born NAME COMMAND...: with the number $same.
born()
{
    while :; do
        echo $((same - 1)) >/proc/sys/kernel/ns_last_pid
        "$@" &
        last=$!
        [ $last -ne $same ] || return 0
        kill -9 $last
        wait $last 2>/dev/null
        tries=$((tries + 1))
        [ $tries -lt 200 ] || fail "process number $same is never free"
    done
}

same=500
tries=0
start "$recorder" -q -o "$db" -i 100ms --deep auto --raw-log "$PT_TMP/log"
daemon=$pid
until_true 30 more_than "$db" 3 || fail 'no snapshots'
born sleep 1000
until_true 30 more_than "$db" $(($(snapshots "$db") + 5)) || fail 'no snapshots'
first=$(sql "$db" 'select max(n) from snapshot')
kill -9 $same
wait $same 2>/dev/null
born tail -f /dev/null
until_true 30 more_than "$db" $(($(snapshots "$db") + 70)) || fail 'no snapshots'
second=$(sql "$db" 'select max(n) from snapshot')
kill -9 $same
began=$(date +%s)
forks=$("$PT_TOOLS/e2e_storm" fork 1000 6)
echo "$forks processes in $(($(date +%s) - began)) s"
[ "$forks" -gt 1800 ] || skip "this machine makes $forks processes in 6 s"
kill -0 $daemon || fail 'the recorder ended'
stop $daemon
run "$verify" --every 3 "$db" "$PT_TMP/log"
sound "$db"
"$analyzer" show "$db" text proc:$same/status --at "@$first" | grep -q 'Name:.sleep' || fail 'the first process has another name'
"$analyzer" show "$db" text proc:$same/status --at "@$second" | grep -q 'Name:.tail' || fail 'the second process has the name of the first'
[ "$(sql "$db" 'select count(*) from snapshot where trigger = 0')" -gt 60 ] || fail 'hardly a snapshot was taken'
