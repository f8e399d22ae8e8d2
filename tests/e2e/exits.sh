#!/bin/sh
# SPDX-License-Identifier: MIT
# Ends of processes: one of 50 ms that no snapshot saw is told with its peak; one that snapshots saw, with the last of
# them; many small ones are counted; a flood is told as lost; in a network namespace of its own the recorder says that
# nothing is delivered. (The largest are told first, so that others on this machine do not matter.)
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
db=$PT_TMP/a.db
hog=$PT_TOOLS/e2e_hog

# ask QUERY [DATABASE]
ask()
{
    sqlite3 -readonly "${2:-$db}" "pragma busy_timeout=2000; $1" | tail -n +2
}

# has WHERE: an event.
has()
{
    [ "$(ask "select count(*) from event where $1")" -ge 1 ]
}

# tell: has the recorder take a snapshot, and waits for it.
tell()
{
    before=$(ask 'select max(n) from snapshot')
    kill -USR1 "$recorder_pid"
    until_true 60 taken || fail 'no snapshot'
}

taken()
{
    [ "$(ask 'select coalesce(max(n), 0) from snapshot')" -gt "$before" ]
}

# peak_of PID LEAST MOST: the peak that is told of it, in MiB.
peak_of()
{
    until_true 10 has "kind=10 and subject like '$1 %'" || fail "the end of $1 is not told: $(ask 'select * from event')"
    kb=$(ask "select text from event where kind=10 and subject like '$1 %'" | sed -n 's/^peak RSS \([0-9]*\) kB, .*/\1/p')
    if [ "${kb:-0}" -lt $(($2 << 10)) ] || [ "$kb" -gt $(($3 << 10)) ]; then
        fail "the peak of $1 is told as '$kb' kB"
    fi
}

start "$hog" name=seen 250:0 >"$PT_TMP/seen"
seen=$pid
until_true 30 grep -q ready "$PT_TMP/seen" || fail 'no memory'
start "$recorder" -q -o "$db" -i 1h --burst-length 0
recorder_pid=$pid
before=0
until_true 60 taken || fail 'no recording'
if has "kind=5 and text like 'ends of processes are not told: %'"; then
    skip "$(ask 'select text from event where kind=5')"
fi

echo '-- one that lives for 50 ms'
"$hog" name=short 400:50 >"$PT_TMP/short" &
short=$!
wait "$short" || fail 'it failed'
tell
peak_of "$short" 400 420
has "kind=10 and subject='$short short' and n is null and text like '% kB, lived %.% s, exit status 0, in no snapshot'" ||
    fail "$(ask "select * from event where kind=10 and subject like '$short %'")"

echo '-- one that snapshots saw'
kill -9 "$seen"
wait "$seen"
n=$(ask 'select max(n) from snapshot')
sleep 6 # at least one end is told by itself in five seconds
tell
peak_of "$seen" 250 270
has "kind=10 and subject='$seen seen' and n=$n and text like '% kB, lived %.% s, killed by signal 9'" ||
    fail "$(ask "select * from event where kind=10 and subject like '$seen %'")"

echo '-- a flood'
kill -STOP "$recorder_pid"
i=0
while [ $i -lt 5000 ]; do
    (:)
    i=$((i + 1))
done
kill -CONT "$recorder_pid"
sleep 1
tell
until_true 10 has "kind=4 and text like '% ends of tasks were lost: too many at once'" || fail 'lost ends are not told'
lost=$(ask "select text from event where kind=4" | sed -n '1s/ .*//p')
[ "$lost" -ge 100 ] || fail "only $lost are told as lost"
"$analyzer" show "$db" text self:account | grep -q "^exits_lost [1-9]" || fail 'the account does not tell it'

echo '-- the others'
kill -TERM "$recorder_pid"
wait "$recorder_pid" || fail "exit status $?"
others=$(ask "select sum(cast(text as integer)) from event where kind=10 and text like '% others ended in % s, % of them in no snapshot: %'")
[ "$((others + lost))" -ge 5000 ] || fail "$others and $lost are told of 5000"

# says COMMAND...: the reason why ends are not told, of a recorder that this starts.
says()
{
    db=$PT_TMP/$#.db
    reason=$1
    shift
    start "$@" "$recorder" -q -o "$db" -i 500ms
    until_true 30 has "kind=5 and text='ends of processes are not told: $reason'" ||
        fail "'$reason' is not told: $(ask 'select * from event')"
}

echo '-- not permitted'
if command -v setpriv >/dev/null 2>&1; then
    says 'not permitted' setpriv --bounding-set -net_admin --inh-caps -net_admin
fi

echo '-- namespaces'
unshare -np true 2>/dev/null || skip 'no namespaces for the rest'
says 'only in the first pid and user namespaces' unshare -pf --kill-child --mount-proc
says 'the kernel delivers them in the first network namespace only' unshare -n
