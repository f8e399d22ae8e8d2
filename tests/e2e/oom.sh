#!/bin/sh
# SPDX-License-Identifier: MIT
# A real OOM kill in a memory cgroup: the event names the right one of two processes of the same name, by number, command
# line and cgroup, with its size before; the snapshot it points to has both; a snapshot follows at once.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
db=$PT_TMP/a.db
hog=$PT_TOOLS/e2e_hog
name="oom)a,pid=1" # of fifteen bytes at most
memory_cgroup "pagetrail-oom-$$" $((64 << 20))
group=${cgroup##*/}

# ask QUERY
ask()
{
    sqlite3 -readonly "$db" "pragma busy_timeout=2000; $1" | tail -n +2
}

# is QUERY VALUE
is()
{
    [ "$(ask "$1")" = "$2" ]
}

# at_least QUERY NUMBER
at_least()
{
    [ "$(ask "$1")" -ge "$2" ]
}

# A snapshot of an OOM kill, or of memory pressure, which may be first to call for one: on a busy machine, and by the kill.
at_once()
{
    at_least 'select count(*) from snapshot where trigger=6' 1 ||
        at_least "select count(*) from event where kind=11 and text like 'memory pressure%'" 1
}

# between NUMBER LEAST MOST
between()
{
    [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

start "$hog" "name=$name" "cgroup=$cgroup" 8:0 >"$PT_TMP/other"
other=$pid
start "$hog" "name=$name" "cgroup=$cgroup" 24:0 200:0 >"$PT_TMP/victim"
victim=$pid
until_true 30 grep -q ready "$PT_TMP/victim" || fail 'the victim has no memory'
until_true 30 grep -q ready "$PT_TMP/other" || fail 'the other has no memory'

start sh -c 'echo 300 >/proc/self/oom_score_adj; exec sleep 600' # for the rule, below
adjusted=$pid
start "$recorder" -q -o "$db" -i 1s --burst-interval 500ms --burst-length 1s
recorder_pid=$pid
blind= # a second recorder, which may not read the kernel log
if [ "$(cat /proc/sys/kernel/dmesg_restrict 2>/dev/null)" = 1 ] && command -v setpriv >/dev/null 2>&1; then
    start setpriv --bounding-set -syslog --inh-caps -syslog "$recorder" -q -o "$PT_TMP/blind.db" -i 1s --burst-length 0
    blind=$pid
fi
until_true 60 at_least 'select count(*) from snapshot' 2 || fail 'no snapshots'
kill -USR1 "$victim"
wait "$victim"
[ $? -eq 137 ] || fail "the victim was not killed"
killed=$(date +%s)
until_true 30 is 'select count(*) from event where kind=9' 1 || fail 'no event of an OOM kill'
until_true 30 at_once || fail 'no snapshot of an OOM kill'
at_least 'select count(*) from event where kind=11 and (text="out of memory: 1 killed" or text like "memory pressure%")' 1 ||
    fail 'no trigger is told'
sleep 1.5 # the counter of vmstat tells nothing more

text=$(ask 'select text from event where kind=9')
if [ -z "$(ask 'select subject from event where kind=9')" ]; then
    echo "$text" | grep -q 'cannot be read$' || fail "$text"
    skip 'the kernel log cannot be read here'
fi
is 'select count(*) from event where kind=9' 1 || fail "more than one event: $(ask 'select * from event where kind=9')"
is 'select subject from event where kind=9' "$victim $name" || fail "the victim is $victim $name: $(ask 'select * from event where kind=9')"
for part in "killed: out of memory in cgroup /$group; snapshot " "; cgroup /$group; started " "; command line: $hog name=$name cgroup=$cgroup 24:0 200:0"; do
    case $text in
    *"$part"*) ;;
    *) fail "'$part' is not in '$text'" ;;
    esac
done
rss=$(echo "$text" | sed -n 's/.*; snapshot [0-9]*: RSS \([0-9]*\) kB.*/\1/p')
between "${rss:-0}" $((24 << 10)) $((60 << 10)) || fail "its RSS before: '$rss' kB"
anon=$(echo "$text" | sed -n 's/.*anon-rss \([0-9]*\) kB.*/\1/p')
[ "${anon:-0}" -gt $((40 << 10)) ] || fail "the kernel's figure: '$anon' kB"
time_s=$(ask 'select time_us/1000000 from event where kind=9')
between "$time_s" $((killed - 5)) $((killed + 5)) || fail "its time is $time_s, not $killed"

n=$(ask 'select n from event where kind=9')
for one in "$victim" "$other"; do
    "$analyzer" show "$db" text "proc:$one/status" --at "@$n" | grep -q '^VmRSS:' || fail "snapshot $n does not have $one"
done
start_time=$(echo "$text" | sed -n 's/.*; started \([0-9]*\) ticks after boot.*/\1/p')
"$analyzer" show "$db" text "proc:$victim/stat" --at "@$n" | sed 's/.*) //' | cut -d' ' -f20 | grep -qx "$start_time" ||
    fail "its start is not $start_time"
kill -TERM "$recorder_pid"
wait "$recorder_pid" || fail "exit status $?"
"$analyzer" events "$db" --kind oom --format json >"$PT_TMP/json" || fail 'pagetrail events'
python3 -c '
import json, sys
event, = json.load(open(sys.argv[1]))
victim, other, group = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
assert event["kind"] == "oom" and event["subject"] == f"{victim} oom)a,pid=1", event
before = event["before"]
processes = {p["pid"]: p for p in before["processes"]}
assert [p["pid"] for p in before["processes"] if p["killed"]] == [victim], before
assert 20 << 20 < processes[victim]["rss"] < 70 << 20 and processes[victim]["cgroup"] == "/" + group, processes[victim]
assert before["mem_available"] > 0 and 0 <= before["seconds"] < 30, before
assert [(one["cgroup"], one["limit"]) for one in before["limits"]][:1] == [("/" + group, 64 << 20)], before' \
    "$PT_TMP/json" "$victim" "$other" "$group" || fail "pagetrail events: $(cat "$PT_TMP/json")"
"$analyzer" events "$db" --kind oom >"$PT_TMP/text" || fail 'pagetrail events'
grep -q '^ *before it .* available' "$PT_TMP/text" && grep -q "^ *$victim .* killed" "$PT_TMP/text" ||
    fail "pagetrail events: $(cat "$PT_TMP/text")"
awk 'length > 80 { exit 1 }' "$PT_TMP/text" || fail 'pagetrail events: over 80 columns'
validate events "$PT_TMP/json"

# looked into: whose limit, who had grown, whom the kernel would choose: the victim, then the other
"$analyzer" oom "$db" --format json >"$PT_TMP/json" || fail 'pagetrail oom'
validate oom "$PT_TMP/json"
python3 -c '
import json, sys
case = json.load(open(sys.argv[1]))
victim, other, group = int(sys.argv[2]), int(sys.argv[3]), "/" + sys.argv[4]
kill = case["kill"]
assert case["kills"] == 1 and kill["subject"] == f"{victim} oom)a,pid=1", kill
assert (kill["constraint"], kill["constraint_from"], kill["cgroup"], kill["limit"]) == (
    "cgroup", "kernel log", group, 64 << 20), kill
assert [(c["pid"], c["killed"]) for c in case["candidates"]] == [(victim, True), (other, False)], case["candidates"]
assert case["next"]["pid"] == other and case["next"]["oom_score_adj"] == 0, case["next"]
assert case["candidates"][0]["badness"] >= 24 << 20 and case["candidates"][0]["page_tables"] > 0, case["candidates"]
assert case["minutes"] and 24 << 20 < case["minutes"][-1]["group_usage"] <= 64 << 20, case["minutes"]
assert case["minutes"][-1]["snapshot"] == case["before"]["snapshot"], case["minutes"]
assert case["zones"] and all(0 < z["min"] < z["low"] < z["high"] for z in case["zones"]), case["zones"]' \
    "$PT_TMP/json" "$victim" "$other" "$group" || fail "pagetrail oom: $(cat "$PT_TMP/json")"
"$analyzer" oom "$db" >"$PT_TMP/text" || fail 'pagetrail oom'
for line in "the control group /$group was at its limit" "^ *$victim .* killed\$" "^ *$other .* next\$" 'zone .* MiB'; do
    grep -q "$line" "$PT_TMP/text" || fail "pagetrail oom: no '$line' in $(cat "$PT_TMP/text")"
done
awk 'length > 80 { exit 1 }' "$PT_TMP/text" || fail 'pagetrail oom: over 80 columns'
"$analyzer" events "$db" --kind oom -v | grep -q "^ *$other .* next\$" || fail 'pagetrail events -v does not look into it'
"$analyzer" oom "$db" --at @1 >"$PT_TMP/text" || fail 'pagetrail oom --at'
grep -q '^no OOM kill was recorded by then' "$PT_TMP/text" && grep -q ' first$' "$PT_TMP/text" ||
    fail "before the kill: $(cat "$PT_TMP/text")"

# the rule is the kernel's: what it told of each process that is read at all (proc_oom_score) follows from the badness
"$analyzer" oom "$db" --at @1 --format json >"$PT_TMP/json" || fail 'pagetrail oom --at'
python3 -c '
import json, sys
case = json.load(open(sys.argv[1]))
assert case["kill"] is None
told = [c for c in case["candidates"] if c["oom_score"] is not None and c["oom_score_adj"] is not None and not c["exempt"]]
off = [(c["pid"], c["oom_score"], score) for c in told if abs(c["oom_score"] - (
    score := max(0, 1000 + c["badness"] * 1000 // case["memory_and_swap"]) * 2 // 3)) > 3]
assert len(off) <= len(told) // 10, off # what grows meanwhile
mine, = [c for c in told if c["pid"] == int(sys.argv[2])]
assert mine["oom_score_adj"] == 300 and 862 <= mine["oom_score"] <= 872, mine
' "$PT_TMP/json" "$adjusted" || fail "the rule is not the kernel's"

[ -n "$blind" ] || skip 'everybody may read the kernel log: what is told without it is not tested'
db=$PT_TMP/blind.db
until_true 30 is 'select count(*) from event where kind=9' 1 || fail 'without the log: no event of an OOM kill'
is 'select subject from event where kind=9' "/$group" || fail "without the log: not in /$group: $(ask 'select * from event where kind=9')"
is 'select text from event where kind=9' '1 killed: the kernel log, which says whom, cannot be read' ||
    fail "without the log: $(ask 'select text from event where kind=9')"
until_true 10 at_once || fail 'without the log: no snapshot'
sleep 1.5
"$analyzer" oom "$db" --format json >"$PT_TMP/json" || fail 'without the log: pagetrail oom'
validate oom "$PT_TMP/json"
python3 -c '
import json, sys
case = json.load(open(sys.argv[1]))
assert (case["kill"]["constraint"], case["kill"]["constraint_from"], case["kill"]["cgroup"]) == (
    "cgroup", "counters", "/" + sys.argv[2]), case["kill"]
assert len(case["candidates"]) == 2, case["candidates"]' "$PT_TMP/json" "$group" || fail "without the log: $(cat "$PT_TMP/json")"
"$analyzer" oom "$db" | grep -q '(inferred:' || fail 'without the log: it does not say that it infers'
is "select count(*) from event where kind=5 and text like 'the kernel log cannot be read: %; OOM kills are counted, not named'" 1 ||
    fail 'without the log: it does not say so'
