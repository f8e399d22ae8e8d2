#!/bin/sh
# SPDX-License-Identifier: MIT
# Triggers and bursts, and what a recording tells of the one before: a signal, MemAvailable low, pressure and OOM kills by
# the totals of a tree of files; dense snapshots, their end and the day's limit; a crash, a gap, a reboot.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/a.db

# ask QUERY [DATABASE]
ask()
{
    sqlite3 -readonly "${2:-$db}" "pragma busy_timeout=2000; $1" | tail -n +2
}

# count KIND TEXT-PATTERN: events of that kind and text.
count()
{
    ask "select count(*) from event where kind=$1 and text like '$2'"
}

# has KIND TEXT-PATTERN [HOW-MANY]
has()
{
    [ "$(count "$1" "$2")" -ge "${3:-1}" ]
}

# exactly KIND TEXT-PATTERN HOW-MANY
exactly()
{
    [ "$(count "$1" "$2")" -eq "$3" ] || fail "$(count "$1" "$2"), not $3 events of kind $1 like '$2': $(ask 'select * from event')"
}

# The recorder must be past its start: a signal before that is one that waits.
recording()
{
    until_true 60 has 0 'recording every%' "$1" || fail 'no recording'
    before=0
    until_true 30 more 0 || fail 'no snapshot'
}

# more N: so many snapshots were added to those of before.
more()
{
    [ "$(snapshots "$db")" -gt $((before + $1)) ]
}

stop()
{
    kill -TERM "$pid"
    wait "$pid" || fail "exit status $? after SIGTERM"
}

# of a tree: this machine may have triggers of its own
calm=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc

echo '-- a signal, and a burst of the day'
start "$recorder" -q -o "$db" --procfs "$calm" -i 1h --burst-interval 200ms --burst-length 2s --burst-limit 2
recording 1
kill -USR1 "$pid"
until_true 30 has 12 'begins: a snapshot every 0.2 s for 2 s' || fail 'no burst'
kill -USR1 "$pid" # prolongs it
until_true 60 has 12 'ends: % snapshots in % s, called for by 2 triggers' || fail "no end: $(ask 'select * from event')"
exactly 11 signal 2
exactly 12 begins% 1
dense=$(ask 'select count(*) from snapshot where trigger=8')
[ "$dense" -ge 5 ] || fail "only $dense dense snapshots"
before=$(snapshots "$db")
sleep 1
[ "$(snapshots "$db")" -eq "$before" ] || fail 'snapshots are dense after the end'
kill -USR1 "$pid"
until_true 60 has 12 ends% 2 || fail 'no second burst'
kill -USR1 "$pid" # the budget is spent: a snapshot, no burst
until_true 30 has 13 'no dense snapshots: those of the day are used up, for another % h' || fail 'the limit is not told'
exactly 11 signal 4
exactly 12 begins% 2
[ "$(ask "select count(*) from event e join snapshot s using(n) where e.kind=11 and s.trigger=4")" -eq 4 ] ||
    fail 'a trigger and its snapshot do not go together'

echo '-- a crash'
kill -9 "$pid"
wait "$pid"
sleep 1
last=$(ask 'select max(n) from snapshot')
start "$recorder" -q -o "$db" --procfs "$calm" -i 200ms --burst-length 0
recording 2
exactly 6 "the recorder before did not stop by itself: its last snapshot is $last, % were not sealed yet" 1
exactly 2 "nothing was recorded for % s after snapshot $last" 1
kill -USR1 "$pid"
until_true 30 has 11 signal 5 || fail 'no snapshot on a signal without bursts'
exactly 12 begins% 2
stop
exactly 7 % 0

# set_text NAME SED-SCRIPT: a file of the tree, in place (the recorder keeps it open) and in one write. It must not shrink.
set_text()
{
    sed "$2" "$tree/$1" >"$PT_TMP/text"
    dd if="$PT_TMP/text" of="$tree/$1" bs=1M conv=notrunc 2>/dev/null
}

# available KB
available()
{
    set_text meminfo "s/^MemAvailable:[ 0-9]*/MemAvailable:$(printf '%11s ' "$1")/"
}

echo '-- a tree: little memory, pressure, an OOM kill'
tree=$PT_TMP/proc
db=$PT_TMP/tree.db
cp -r "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc" "$tree"
chmod -R u+w "$tree"
mkdir -p "$tree/sys/kernel/random" "$tree/pressure"
echo 11111111-1111-1111-1111-111111111111 >"$tree/sys/kernel/random/boot_id"
echo 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1000
full avg10=0.00 avg60=0.00 avg300=0.00 total=1000' >"$tree/pressure/memory"
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$tree/meminfo")
start "$recorder" -q -o "$db" --procfs "$tree" -i 300ms --burst-interval 100ms --burst-length 1s
recording 1
available $((total / 50))
until_true 30 has 11 "MemAvailable $((total / 50)) kB is under % kB" || fail 'low memory is not told'
until_true 30 has 12 ends% || fail 'no burst'
exactly 11 MemAvailable% 1 # it is still low
available $((total / 2))
before=$(snapshots "$db")
until_true 30 more 2 || fail 'no more snapshots'
available $((total / 100))
until_true 30 has 11 MemAvailable% 2 || fail 'low memory is told once only'
until_true 30 has 12 ends% 2 || fail 'no second burst'
set_text pressure/memory 's/total=1000/total=900000000/'
until_true 30 has 11 'memory pressure: tasks stalled for 899999 ms of % s' || fail 'pressure is not told'
until_true 30 has 12 ends% 3 || fail 'no third burst'
set_text vmstat 's/^oom_kill .*/oom_kill 12345/'
until_true 30 has 11 'out of memory: % killed' || fail 'an OOM kill is not told'
for trigger in 5 6 7 8; do
    [ "$(ask "select count(*) from snapshot where trigger=$trigger")" -ge 1 ] || fail "no snapshot of trigger $trigger"
done
stop

echo '-- a reboot'
echo 22222222-2222-2222-2222-222222222222 >"$tree/sys/kernel/random/boot_id"
last=$(ask 'select max(n) from snapshot')
start "$recorder" -q -o "$db" --procfs "$tree" -i 300ms
recording 2
exactly 7 "the machine was booted at %, after snapshot $last" 1
exactly 6 % 0
stop
