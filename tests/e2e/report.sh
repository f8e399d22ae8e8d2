#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail report on good and bad recordings, in every format, over time, and against others: what it says first, that its
# documents keep to their schemas, that names stay text, and that a file is written whole or not at all.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
export LC_ALL=C.UTF-8

# report FILE ARGUMENT...: its standard output in FILE.
report()
{
    out=$1
    shift
    run "$analyzer" report "$@" >"$out"
}

# narrow FILE: no line is over 80 columns.
narrow()
{
    grep -Ev '^.{0,80}$' "$1" >"$PT_TMP/wide" && fail "a line of $1 is too long: $(cat "$PT_TMP/wide")"
    return 0
}

# formats DB NAME: all formats of it, the document checked.
formats()
{
    report "$PT_TMP/$2.txt" "$1"
    narrow "$PT_TMP/$2.txt"
    report "$PT_TMP/$2.md" "$1" --format markdown
    report "$PT_TMP/$2.json" "$1" --format json
    validate report "$PT_TMP/$2.json"
}

# says FILE TEXT...
says()
{
    file=$1
    shift
    for text; do
        grep -qF -- "$text" "$file" || fail "'$text' is not said in $file: $(head -40 "$file")"
    done
}

# refused STATUS TEXT ARGUMENT...: an error that says so.
refused()
{
    status=$1 text=$2
    shift 2
    "$analyzer" report "$@" >"$PT_TMP/refused" 2>"$PT_TMP/error"
    [ $? -eq "$status" ] || fail "not exit status $status of: report $*"
    says "$PT_TMP/error" "$text"
}

echo '-- leaks, known by their names'
interval=300
[ -z "${PT_SANITIZED:-}" ] || interval=900
snapshots=$((5 * 86400 / interval))
leaks=$PT_TMP/leaks.db
run "$PT_TOOLS/ptgen" --history -o "$leaks" -n $snapshots -i $interval -p 30 -s 3 --gap-every $((snapshots / 3)) --gap-hours 5
formats "$leaks" leaks
says "$PT_TMP/leaks.txt" Verdict Machine Leaks 'Who grew' 'Memory over time' 'What the recorder cost' Words
first=$(grep -nE '^(Verdict|Machine|Leaks|Who grew|Memory over time|Processes|What the recorder cost|Words)$' "$PT_TMP/leaks.txt" |
    cut -d: -f2 | tr '\n' ' ')
[ "$first" = 'Verdict Machine Leaks Who grew Memory over time Processes What the recorder cost Words ' ] ||
    fail "the order is: $first"
jq -e '.verdict[0].severity == "alarm" and .leaks.alarms > 0 and (.verdict | map(.severity) |
    [.[] | {"alarm": 0, "warning": 1, "good": 2, "note": 2}[.]]) as $s | $s == ($s | sort)' "$PT_TMP/leaks.json" >/dev/null ||
    fail "the verdict is not worst first: $(jq -c '.verdict | map(.severity)' "$PT_TMP/leaks.json")"
jq -e '. as $doc | .charts.memory as $m | ($m.layers | length) > 3 and
    all(range($m.seconds | length); . as $i | [$m.layers[].values[$i]] | all(. == null) or
        (add == $doc.machine.host.mem_total))' "$PT_TMP/leaks.json" >/dev/null || fail 'the layers of memory do not add up'
jq -e 'any(.marks[]; .kind == "gap")' "$PT_TMP/leaks.json" >/dev/null || fail 'no gap is marked'
# nothing is drawn over a gap, and no two points of the stack are at one place: charts would leave the second out
jq -e '.charts.seconds as $at | ($at[1] - $at[0]) as $wide | any(.charts.lines[]; .name == "swap_out") and
    all(.marks[] | select(.kind == "gap"); . as $gap | any(range($at | length); $at[.] - $wide > $gap.seconds and $at[.] + $wide < $gap.until))
    and ([.marks[] | select(.kind == "gap")] as $gaps | all(.charts.lines[]; . as $line | all(range($at | length); . as $i |
        $line.values[$i] == null or all($gaps[]; $at[$i] - $wide <= .seconds or $at[$i] + $wide >= .until)))) and
    (.charts.memory.seconds as $v | all(range(1; $v | length); $v[.] > $v[. - 1]))' "$PT_TMP/leaks.json" >/dev/null ||
    fail "gaps are drawn over: $(jq -c '[.marks[] | select(.kind == "gap")], .charts.memory.seconds' "$PT_TMP/leaks.json")"
jq -e '.leaks.findings[] | select(.verdict == "leak") | .picture.values | map(select(. != null)) | length > 20' \
    "$PT_TMP/leaks.json" >/dev/null || fail 'a leak has no picture'
# the parts are what the commands of that name print
jq '{span: {from: .span.from, to: .span.to, snapshots: .span.snapshots},
    findings: [.leaks.findings[] | del(.id, .title, .sentence, .status, .picture)],
    host: {available_slope_bytes_per_hour: .leaks.available_slope_bytes_per_hour,
        explained_fraction: .leaks.explained_fraction}}' "$PT_TMP/leaks.json" >"$PT_TMP/part.json"
validate leaks "$PT_TMP/part.json"
for part in machine kernel swap growth; do
    jq ".$part | if .classes and .total_change then del(.classes[] | .omitted, .omitted_bytes) else . end" \
        "$PT_TMP/leaks.json" >"$PT_TMP/part.json"
    validate "$(echo $part | sed 's/machine/info/')" "$PT_TMP/part.json"
done
"$analyzer" report "$leaks" --exit-code >/dev/null
[ $? -eq 1 ] || fail 'a leak, and no exit status of 1'

echo '-- a peak of one snapshot in many is in the chart'
least=$(sql "$leaks" 'select min(mem_available_kb) * 1024 from snapshot')
jq -e --argjson least "$least" 'any(.charts.lines[]; .name == "mem_available" and ([.low[] | select(. != null)] | min) == $least)' \
    "$PT_TMP/leaks.json" >/dev/null || fail "the least available memory, $least, is not in the chart"

echo '-- against itself, an edited report, another version, another host, a database'
report "$PT_TMP/same.json" "$leaks" --against "$PT_TMP/leaks.json" --format json
validate report "$PT_TMP/same.json"
jq -e '.against.counts | .new == 0 and .resolved == 0 and .worse == 0 and .better == 0 and .ongoing > 0' "$PT_TMP/same.json" \
    >/dev/null || fail "against itself: $(jq -c .against.counts "$PT_TMP/same.json")"
jq -e 'all(.notes[]; contains("another") | not)' "$PT_TMP/same.json" >/dev/null || fail "against itself: $(jq -c .notes "$PT_TMP/same.json")"
# what a list that is cut does not hold is neither new nor ended
report "$PT_TMP/cut.json" "$leaks" --against "$PT_TMP/leaks.json" --top 1 --format json
validate report "$PT_TMP/cut.json"
report "$PT_TMP/top.json" "$leaks" --top 1 --format json
report "$PT_TMP/uncut.json" "$leaks" --against "$PT_TMP/top.json" --format json
for cut in cut uncut; do
    jq -e '.against.counts.new == 0 and .against.counts.resolved == 0 and any(.notes[]; contains("a report is cut"))' \
        "$PT_TMP/$cut.json" >/dev/null || fail "$cut: $(jq -c '.notes, .against.counts' "$PT_TMP/$cut.json")"
done
report "$PT_TMP/same.json" "$leaks" --against "$leaks" --format json
jq -e '.against.kind == "database" and .against.counts.ongoing == .leaks.alarms + (.incidents | length)' "$PT_TMP/same.json" >/dev/null ||
    fail 'against its own database'
# pids and start times mean nothing; one is gone from the old report, one is new in it, two have other slopes
jq '[.leaks.findings[] | select(.verdict == "leak" and .subject.kind == "process")][0:3] as $f |
    .leaks.findings |= ([.[] | select(.id != $f[0].id) | .subject.pid = 1 | .subject.start_time = 2 |
        if .id == $f[1].id then .slope_bytes_per_hour /= 10 | .slope_high /= 10 | .slope_low /= 10
        elif .id == $f[2].id then .slope_bytes_per_hour *= 10 | .slope_high *= 10 | .slope_low *= 10 else . end] +
        [$f[0] | .subject.comm = "gone" | .title = "gone"])' "$PT_TMP/leaks.json" >"$PT_TMP/old.json"
report "$PT_TMP/against.json" "$leaks" --against "$PT_TMP/old.json" --format json
validate report "$PT_TMP/against.json"
jq -e '.against.counts | .new == 1 and .resolved == 1 and .worse == 1 and .better == 1' "$PT_TMP/against.json" >/dev/null ||
    fail "against an edited report: $(jq -c .against.counts "$PT_TMP/against.json")"
jq -e 'any(.verdict[]; .status == "resolved" and (.text | startswith("gone")))' "$PT_TMP/against.json" >/dev/null ||
    fail 'what was resolved has no sentence'
report "$PT_TMP/against.txt" "$leaks" --against "$PT_TMP/old.json"
says "$PT_TMP/against.txt" 'Since then' 'resolved: gone'
narrow "$PT_TMP/against.txt"
jq '.machine.host.name = "elsewhere" | .machine.host.machine_id = "x"' "$PT_TMP/leaks.json" >"$PT_TMP/other.json"
report "$PT_TMP/against.txt" "$leaks" --against "$PT_TMP/other.json"
head -8 "$PT_TMP/against.txt" >"$PT_TMP/head"
says "$PT_TMP/head" 'another host, elsewhere'
jq '.report = 99' "$PT_TMP/leaks.json" >"$PT_TMP/newer.json"
refused 3 'a report of version 99' "$leaks" --against "$PT_TMP/newer.json"
jq .leaks "$PT_TMP/leaks.json" >"$PT_TMP/part.json"
refused 3 'is not a report' "$leaks" --against "$PT_TMP/part.json"
head -c 1000 "$PT_TMP/leaks.json" >"$PT_TMP/part.json"
refused 3 'neither a recording nor a report' "$leaks" --against "$PT_TMP/part.json"
refused 3 'cannot open' "$leaks" --against "$PT_TMP/none.json"
mkfifo "$PT_TMP/fifo.json"
timeout 10 "$analyzer" report "$leaks" --against "$PT_TMP/fifo.json" 2>"$PT_TMP/error" >/dev/null
[ $? -eq 3 ] || fail 'a pipe is not refused'
says "$PT_TMP/error" 'not a regular file'

echo '-- periods, boots, before and after'
boots=$PT_TMP/boots.db
run "$PT_TOOLS/ptgen" --history -o "$boots" -n $snapshots -i $interval -p 20 -s 4 --gap-every $((snapshots / 4)) --gap-hours 5 --reboot-every 2
run "$analyzer" report "$boots" --every 1d -o "$PT_TMP/daily" --format json
n=$(find "$PT_TMP/daily" -name '20*.json' | wc -l)
[ "$n" -ge 5 ] && [ "$n" -eq "$(find "$PT_TMP/daily" -type f ! -name index.json | wc -l)" ] ||
    fail "of $n days: $(ls -A "$PT_TMP/daily")"
for day in "$PT_TMP"/daily/20*.json; do
    validate report "$day"
done
validate report-index "$PT_TMP/daily/index.json"
jq -e --argjson n "$n" '(.compare.columns | length) == $n and all(.compare.findings[]; (.cells | length) == $n) and
    all(.compare.rows[]; (.values | length) == $n)' "$PT_TMP/daily/index.json" >/dev/null || fail 'the index is not of all days'
for file in $(jq -r '.compare.columns[].file' "$PT_TMP/daily/index.json"); do
    [ -f "$PT_TMP/daily/$file" ] || fail "the index names '$file'"
done
# each day says of every finding what its own report says; nothing is before the first
for status in new ongoing worse better; do
    index=$(jq -c --arg s $status '.compare | [range(1; .columns | length) as $i | [.findings[].cells[$i] | select(.status == $s)] |
        length]' "$PT_TMP/daily/index.json")
    pages=$(find "$PT_TMP/daily" -name '20*.json' | sort | xargs jq -s -c --arg s $status '[.[1:][].against.findings |
        map(select(.status == $s and .finding != null)) | length]')
    [ "$index" = "$pages" ] || fail "$status by day: $index in the index, $pages in their reports"
done
jq -e 'all(.compare.findings[]; .cells[0] == null or .cells[0].status == null)' "$PT_TMP/daily/index.json" >/dev/null ||
    fail 'what the first day has is called new'
# what a day's report says of the machine is of that day; the file's size is that of all
for day in "$PT_TMP"/daily/20*.json; do
    jq -e '.span.gaps == .machine.gap_count and .machine.snapshots == .span.snapshots and .machine.events == .events.counts and
        (.machine.boots | length) == .span.boots' "$day" >/dev/null || fail "the machine of $day: $(jq -c '.span, .machine' "$day")"
done
jq -s -e 'map(.machine.size.bytes_per_snapshot) | length > 4 and (unique | length) == 1' "$PT_TMP"/daily/20*.json >/dev/null || fail 'the size of a snapshot is another one each day'
report "$PT_TMP/full.json" "$boots" --format json
# each event is of one day, also where it was before the first snapshot of it
days=$(jq -s -c 'map(.events.counts | to_entries[]) | group_by(.key) |
    map({key: .[0].key, value: (map(.value) | add)}) | from_entries' "$PT_TMP"/daily/20*.json)
jq -e --argjson days "$days" '.events.counts as $all | ($all | add) > 0 and $all == $days' "$PT_TMP/full.json" >/dev/null ||
    fail "events of days: $days, of all: $(jq -c .events.counts "$PT_TMP/full.json")"
n=$(sql "$boots" "select n from event where text = 'reboot'")
report "$PT_TMP/after.json" "$boots" --from "@$n" --format json
jq -e '.events.counts.gap == 2 and .events.rows[0].detail == "reboot"' "$PT_TMP/after.json" >/dev/null ||
    fail "from the reboot on: $(jq -c .events "$PT_TMP/after.json")"
report "$PT_TMP/before.json" "$boots" --to "@$((n - 1))" --format json
jq -e '.events.counts.gap == 1' "$PT_TMP/before.json" >/dev/null || fail "before the reboot: $(jq -c .events "$PT_TMP/before.json")"
# the time between boots is no gap of the recorder
jq -e '(.span.boots - 1) as $boots | .machine.gap_count as $gaps | $boots > 0 and $gaps > 0 and
    ([.verdict[].text | select(contains("(\($gaps) gap") or contains("around \($boots) reboot"))] | length) == 2 and
    ([.marks[] | select(.kind == "gap")] | length) == $gaps and
    ([.marks[] | select(.kind == "boot" and .until > .seconds)] | length) == $boots' "$PT_TMP/full.json" >/dev/null ||
    fail "gaps and boots: $(jq -c '.span, .machine.gap_count, .verdict, .marks' "$PT_TMP/full.json")"
# a leak of any day counts, not of the newest alone: the last day of the first span and all of the second are too short to tell
last=$(jq -r '.span.from | .[:10]' "$(find "$PT_TMP/daily" -name '20*.json' | sort | tail -n 1)")
for from in "$last -2 days" "$last"; do
    "$analyzer" report "$boots" --from "$(date -u -d "$from" +%Y-%m-%dT00:00:00Z)" --to "${last}T00:20:00Z" --every 1d \
        -o "$PT_TMP/some" --format json --exit-code
    got=$?
    alarms=$(find "$PT_TMP/some" -name '20*.json' | sort | xargs jq -s -c 'map(.leaks.alarms)')
    echo "$alarms" | jq -e --argjson got "$got" '(add > 0) == ($got == 1) and .[-1] == 0' >/dev/null ||
        fail "exit status $got of alarms $alarms by day"
    echo "$got"
    rm -r "$PT_TMP/some"
done >"$PT_TMP/statuses"
[ "$(tr '\n' ' ' <"$PT_TMP/statuses")" = '1 0 ' ] || fail "not a day with leaks and one without: $(cat "$PT_TMP/statuses")"
# of what is too short, or quiet, no growth is made up
"$analyzer" leaks "$boots" --all --format json --since "@$((snapshots - 25))" >"$PT_TMP/quiet.json"
validate leaks "$PT_TMP/quiet.json"
jq -e '[.findings[] | select(.verdict == "stable" or .verdict == "insufficient")] as $quiet |
    any($quiet[]; .verdict == "stable" and .growth_bytes > 1048576) and all($quiet[]; .slope_bytes_per_hour == null and
    (.verdict == "stable") == (.growth_bytes != null))' "$PT_TMP/quiet.json" >/dev/null ||
    fail "quiet: $(jq -c '.findings[] | [.verdict, .growth_bytes, .slope_bytes_per_hour]' "$PT_TMP/quiet.json" | sort | uniq -c | tail)"
run "$analyzer" report "$boots" --every 1w -o "$PT_TMP/weekly"
narrow "$PT_TMP/weekly/index.txt"
says "$PT_TMP/weekly/index.txt" 'Memory of generated'
refused 2 'is not a period' "$boots" --every soon -o "$PT_TMP/x"
refused 2 'needs -o' "$boots" --every 1d
# years that are longer than others
run "$PT_TOOLS/ptgen" -o "$PT_TMP/far.db" -n 70 -i 4294967295 -p 2 -s 1
run "$analyzer" report "$PT_TMP/far.db" --every 1d --utc -o "$PT_TMP/far"
find "$PT_TMP/far" -name '1????-*.txt' | grep -qvE '/1[0-9]{4}-[0-9]{2}-[0-9]{2}\.txt$' && fail "a name is cut: $(ls "$PT_TMP/far")"
[ "$(find "$PT_TMP/far" -name '1????-??-??.txt' | wc -l)" -ge 3 ] || fail "no far years: $(ls "$PT_TMP/far")"
run "$PT_TOOLS/ptgen" -o "$PT_TMP/long.db" -n 1000 -i 3600 -p 2 -s 1
refused 2 'would be 1000 reports' "$PT_TMP/long.db" --every 1h -o "$PT_TMP/x"
[ ! -e "$PT_TMP/x" ] || fail 'a directory for nothing'
for how in --compare-boots '--split-at -3d' '--split-at reboot'; do
    # the words of it are its arguments
    # shellcheck disable=SC2086
    report "$PT_TMP/compare.json" "$boots" $how --format json
    validate report "$PT_TMP/compare.json"
    jq -e '(.compare.columns | length) >= 2 and .against.kind == "span"' "$PT_TMP/compare.json" >/dev/null || fail "$how"
    # shellcheck disable=SC2086
    report "$PT_TMP/compare.txt" "$boots" $how
    says "$PT_TMP/compare.txt" 'Side by side'
    narrow "$PT_TMP/compare.txt"
done
refused 2 'one boot only' "$leaks" --compare-boots
run "$PT_TOOLS/ptgen" -o "$PT_TMP/many.db" -n 60 -i 60 -p 2 -s 1 --gap-every 4 --gap-hours 1 --reboot-every 1
report "$PT_TMP/compare.json" "$PT_TMP/many.db" --compare-boots --format json
jq -e '(.compare.columns | length) == 12 and any(.notes[]; test("^the newest 12 of 1[3-5] boots"))' "$PT_TMP/compare.json" >/dev/null ||
    fail "many boots: $(jq -c '.notes, .machine.boots' "$PT_TMP/compare.json")"
refused 2 'neither a time nor an event' "$boots" --split-at 'no such thing'
refused 2 'on one side' "$boots" --split-at first
refused 2 'one of them' "$boots" --split-at -1d --compare-boots
refused 2 'not a format' "$boots" --format pdf

echo '-- what happened at times, and came again or did not: OOM kills and swap'
swapped=$PT_SOURCE/tests/fixtures/labelled/chosen/s2.db
report "$PT_TMP/now.json" "$swapped" --format json
jq -e '([.incidents[].verdict] | contains(["oom-kill"])) and (any(.incidents[]; .section == "swap")) and all(.incidents[]; .status == null)' "$PT_TMP/now.json" \
    >/dev/null || fail "incidents: $(jq -c .incidents "$PT_TMP/now.json")"
report "$PT_TMP/same.json" "$swapped" --against "$PT_TMP/now.json" --format json
validate report "$PT_TMP/same.json"
jq -e 'all(.verdict[] | select(.severity == "alarm" or .severity == "warning"); (.text | startswith("and ")) or .status == "ongoing")' \
    "$PT_TMP/same.json" >/dev/null || fail "against itself: $(jq -c '[.verdict[] | [.status, .text]]' "$PT_TMP/same.json")"
# an alarm is whatever the verdict calls one, leak or not
aside=$PT_SOURCE/tests/fixtures/episodes/aside/s5.db
report "$PT_TMP/aside.json" "$aside" --format json
jq -e '.leaks.alarms == 0 and any(.verdict[]; .severity == "alarm")' "$PT_TMP/aside.json" >/dev/null ||
    fail "not alarms without leaks: $(jq -c .verdict "$PT_TMP/aside.json")"
"$analyzer" report "$aside" --exit-code >/dev/null
[ $? -eq 1 ] || fail 'an alarm that is no leak, and no exit status of 1'
# other victims, hit so often that it is no chance that they were not, and no thrash, none at all, another pace of it, an earlier report that could not tell
jq '.incidents |= map(select(.section == "oom") | .subject.name = "gone" | .title = "gone" | .per_hour *= 10)' "$PT_TMP/now.json" >"$PT_TMP/old.json"
report "$PT_TMP/against.json" "$swapped" --against "$PT_TMP/old.json" --format json
validate report "$PT_TMP/against.json"
jq -e '[.verdict[] | select(.section != "leaks" and .status != null) | [.section, .status]] | contains([["oom", "new"],
    ["swap", "new"], ["oom", "resolved"]])' "$PT_TMP/against.json" >/dev/null ||
    fail "other victims: $(jq -c '[.verdict[] | [.section, .status, .text]]' "$PT_TMP/against.json")"
report "$PT_TMP/against.txt" "$swapped" --against "$PT_TMP/old.json"
says "$PT_TMP/against.txt" '! new: swap did harm: ' '+ resolved: gone: was'
jq '.incidents |= map(if .section == "swap" then .per_hour /= 10 | .seconds /= 10 else . end)' "$PT_TMP/now.json" >"$PT_TMP/old.json"
report "$PT_TMP/against.json" "$swapped" --against "$PT_TMP/old.json" --format json
jq -e 'any(.verdict[]; .section == "swap" and .status == "worse")' "$PT_TMP/against.json" >/dev/null || fail 'more swap is not worse'
jq '.incidents = [] | .oom = [] | .swap = null' "$PT_TMP/now.json" >"$PT_TMP/old.json"
report "$PT_TMP/against.json" "$swapped" --against "$PT_TMP/old.json" --format json
jq -e 'all(.verdict[] | select(.section == "swap"); .status == null) and any(.verdict[]; .section == "oom" and .status == "new") and
    any(.notes[]; contains("does not tell of swap"))' "$PT_TMP/against.json" >/dev/null ||
    fail "without swap: $(jq -c '.notes, [.verdict[] | [.section, .status]]' "$PT_TMP/against.json")"
report "$PT_TMP/compare.json" "$swapped" --split-at 16:25 --format json
validate report "$PT_TMP/compare.json"
jq -e 'any(.compare.findings[]; .class == "oom")' "$PT_TMP/compare.json" >/dev/null || fail 'kills are in no history'

echo '-- recordings that tell little: one snapshot, none, damage'
run "$recorder" -q --once -o "$PT_TMP/once.db"
formats "$PT_TMP/once.db" once
# a file's name tells the format, where nothing else does
for name in named.html named.md named.json named.txt; do
    run "$analyzer" report "$PT_TMP/once.db" -o "$PT_TMP/$name"
done
head -c 15 "$PT_TMP/named.html" | grep -qi '<!doctype html>' || fail 'named.html is no HTML'
validate report "$PT_TMP/named.json"
cmp "$PT_TMP/named.md" "$PT_TMP/once.md" || fail 'named.md is no Markdown'
cmp "$PT_TMP/named.txt" "$PT_TMP/once.txt" || fail 'named.txt is no text'
run "$analyzer" report "$PT_TMP/once.db" -o "$PT_TMP/named.html" --format markdown
cmp "$PT_TMP/named.html" "$PT_TMP/once.md" || fail 'what was asked for is not what a name tells'
says "$PT_TMP/once.txt" 'record for longer'
# what was not there before is not unknown
run "$recorder" -q --once -o "$PT_TMP/new.db"
start sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); : >"$0"; kill -STOP $$; echo "$x"' "$PT_TMP/grown"
until_true 20 test -e "$PT_TMP/grown" || fail 'the program that grows has not grown'
run "$recorder" -q --once -o "$PT_TMP/new.db"
report "$PT_TMP/new.txt" "$PT_TMP/new.db"
grep -Eq "^  $pid sh +- +[0-9.]+ [MG]iB +\+" "$PT_TMP/new.txt" || fail "the new process: $(sed -n '/^Who grew/,/^Memory over/p' "$PT_TMP/new.txt")"
says "$PT_TMP/new.txt" 'record for longer'
sqlite3 "$PT_TMP/once.db" 'delete from sealed; delete from frame; delete from segment; delete from block;'
formats "$PT_TMP/once.db" none
says "$PT_TMP/none.txt" 'holds no snapshots'
cp "$leaks" "$PT_TMP/damaged.db"
sqlite3 "$PT_TMP/damaged.db" "update block set data = zeroblob(length(data)) where rowid % 3 = 1"
"$analyzer" report "$PT_TMP/damaged.db" >"$PT_TMP/damaged.txt" 2>/dev/null
[ $? -eq 4 ] || fail 'damage, and no exit status of 4'
head -8 "$PT_TMP/damaged.txt" >"$PT_TMP/head"
says "$PT_TMP/head" 'is damaged in'
"$analyzer" report "$PT_TMP/damaged.db" --every 1d -o "$PT_TMP/damaged" --format json 2>/dev/null
[ $? -eq 4 ] || fail 'damaged days, and no exit status of 4'
for day in "$PT_TMP"/damaged/20*.json; do
    validate report "$day"
done
[ "$(find "$PT_TMP/damaged" -name '20*.json' | wc -l)" -ge 5 ] || fail "damage took days: $(ls "$PT_TMP/damaged")"

# what cannot be read of the last third leaks nothing that is known, and nothing of before has ended with it
cp "$boots" "$PT_TMP/lost.db"
sqlite3 "$PT_TMP/lost.db" "update block set data = zeroblob(length(data)) where kind in (2, 4)
    and id / 65536 > (select max(id) / 65536 from block) * 2 / 3"
"$analyzer" report "$PT_TMP/lost.db" --format json --against "$PT_TMP/full.json" >"$PT_TMP/lost.json" 2>/dev/null
[ $? -eq 4 ] || fail 'damage, and no exit status of 4'
validate report "$PT_TMP/lost.json"
jq -e '.damaged > 0 and .against.counts.resolved == 0 and all(.verdict[].text; startswith("nothing leaks") | not)' \
    "$PT_TMP/lost.json" >/dev/null || fail "damage is taken for an end: $(jq -c '.damaged, .against.counts, .verdict' "$PT_TMP/lost.json")"
"$analyzer" report "$boots" --format json --against "$PT_TMP/lost.db" >"$PT_TMP/lost.json" 2>/dev/null
[ $? -eq 4 ] || fail 'against a damaged recording, and no exit status of 4'
jq -e '.damaged == 0 and .against.counts.new == 0 and any(.notes[]; contains("is damaged in part"))' "$PT_TMP/lost.json" >/dev/null ||
    fail "against damage: $(jq -c '.notes, .against.counts' "$PT_TMP/lost.json")"

# what lies in the newest block that is damaged is not known, and not nothing; the rest is told
for kind in 2 4; do
    cp "$PT_SOURCE/tests/fixtures/labelled/chosen/s2.db" "$PT_TMP/end.db"
    sqlite3 "$PT_TMP/end.db" "update block set data = zeroblob(length(data)) where kind = $kind and
        id / 65536 = (select max(first) from segment)"
    "$analyzer" info "$PT_TMP/end.db" --format json >"$PT_TMP/end.json" 2>/dev/null
    [ $? -eq 4 ] || fail "the newest block of kind $kind, and no exit status of 4"
    validate info "$PT_TMP/end.json"
    jq -e --argjson kind $kind '.coverage | (.with_smaps == null) and (.processes == null) == ($kind == 2)' "$PT_TMP/end.json" \
        >/dev/null || fail "coverage without kind $kind: $(jq -c .coverage "$PT_TMP/end.json")"
    "$analyzer" report "$PT_TMP/end.db" >"$PT_TMP/end.txt" 2>/dev/null
    [ $? -eq 4 ] || fail "a report without the newest block of kind $kind, and no exit status of 4"
    "$analyzer" info "$PT_TMP/end.db" >"$PT_TMP/info.txt" 2>/dev/null
    for text in end info; do
        [ $kind -eq 2 ] && say='not known: the last snapshot is damaged' || say='of how many the mappings were read is not known'
        tr -s '\n ' ' ' <"$PT_TMP/$text.txt" | grep -qF "$say" || fail "'$say' is not said: $(cat "$PT_TMP/$text.txt")"
    done
done
cp "$PT_SOURCE/tests/fixtures/labelled/chosen/s2.db" "$PT_TMP/clocks.db"
sqlite3 "$PT_TMP/clocks.db" 'update block set data = zeroblob(length(data)) where kind = 0'
"$analyzer" report "$PT_TMP/clocks.db" --format json >"$PT_TMP/clocks.json" 2>/dev/null
[ $? -eq 4 ] || fail 'sections are left out, and no exit status of 4'
validate report "$PT_TMP/clocks.json"
jq -e '([.left_out[].section] == ["leaks", "swap", "kernel"]) and (.notes[1] | contains("clocks of all snapshots")) and
    .leaks == null and .growth != null and .span.snapshots == 757 and (.oom | length) > 0' "$PT_TMP/clocks.json" >/dev/null ||
    fail "without clocks: $(jq -c '.left_out, .notes, .span' "$PT_TMP/clocks.json")"
"$analyzer" report "$PT_TMP/clocks.db" --format html 2>/dev/null | grep -qF '<p>kernel memory: could not be made' ||
    fail 'the page does not say why there is no kernel memory'

echo '-- names that want to be more than text'
tree=$PT_TMP/tree
cp -r "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64" "$tree"
for status in "$tree"/proc/[0-9]*/status; do
    process=${status%/status}
    printf '<script>|`@x' >"$process/comm"
    sed -i 's/^Name:.*/Name:\t<script>|`@x/' "$status"
    sed -i 's/(.*)/(<script>|`@x)/' "$process/stat"
    printf '<img src=x onerror=y>\033[2J\n# [a](b)\0' >"$process/cmdline"
done
for at in 0 5; do
    run "$recorder" -q --once --deep all --timestamp "2026-11-20T10:0$at:00Z" --procfs "$tree/proc" --sysfs "$tree/sys" \
        --cgroupfs "$tree/cgroup" -o "$PT_TMP/names.db"
done
formats "$PT_TMP/names.db" names
grep -q 'script' "$PT_TMP/names.md" || fail 'no such name is in the report'
grep -qE '<(script|img)' "$PT_TMP/names.md" && fail 'a name is markup in Markdown'
grep -q "$(printf '\033')" "$PT_TMP/names.md" "$PT_TMP/names.txt" && fail 'a name moves the cursor'

echo '-- a clock that was wrong, and was set right'
# clock FILE TIME...: a snapshot at each, a minute of the machine's own time apart
clock()
{
    db=$1 up=1000
    shift
    for time; do
        echo "$up.00 $up.00" >"$tree/proc/uptime"
        sed -i "s/^MemAvailable:.*/MemAvailable:    $((up * 1000)) kB/" "$tree/proc/meminfo"
        up=$((up + 60))
        run "$recorder" -q --once --timestamp "$time" --procfs "$tree/proc" --sysfs "$tree/sys" \
            --cgroupfs "$tree/cgroup" -o "$db"
    done
}
# days FILE NAME...: those, and no others, and each keeps to the schema
days()
{
    rm -rf "$PT_TMP/days"
    run "$analyzer" report "$1" --every 1d --utc --format json -o "$PT_TMP/days"
    shift
    [ "$(ls -A "$PT_TMP/days")" = "$(printf '%s.json\n' "$@" index)" ] || fail "not $*: $(ls -A "$PT_TMP/days")"
    for day; do
        validate report "$PT_TMP/days/$day.json"
    done
    validate report-index "$PT_TMP/days/index.json"
}
clock "$PT_TMP/early.db" 1970-01-01T00:00:10Z 1970-01-01T00:01:10Z 2026-11-20T23:58:00Z 2026-11-20T23:59:00Z \
    2026-11-21T00:00:30Z 2026-11-20T23:59:30Z 2026-11-21T00:01:00Z
days "$PT_TMP/early.db" 1970-01-01 2026-11-20 2026-11-21
[ "$(jq -c '[.compare.columns[] | [.first, .last]]' "$PT_TMP/days/index.json")" = '[[1,2],[3,4],[5,7]]' ] ||
    fail "periods of $(jq -c '[.compare.columns[] | [.first, .last]]' "$PT_TMP/days/index.json")"
report "$PT_TMP/early.json" "$PT_TMP/early.db" --format json
validate report "$PT_TMP/early.json"
# six minutes, in their order, told by the clock as it is at the end
jq -e 'def rises: . as $v | all(range(1; length); $v[.] >= $v[. - 1]) and $v[0] >= 0 and $v[-1] <= 360;
    .span.seconds == 360 and .charts.from == "2026-11-20T23:55:00.000000Z" and .charts.to == "2026-11-21T00:01:00.000000Z" and
    (.charts.seconds | rises) and (.charts.memory.seconds | rises) and ([0] + [.marks[].seconds] | rises) and
    (.charts.memory.seconds | unique | length) == 7' "$PT_TMP/early.json" >/dev/null ||
    fail "the axis: $(jq -c '.span, .charts.from, .charts.to, .charts.memory.seconds, .charts.seconds, .marks' "$PT_TMP/early.json")"
report "$PT_TMP/early.html" "$PT_TMP/early.db" --format html
sed -n 's/.*id="chart-data">\(.*\)<\/script>.*/\1/p' "$PT_TMP/early.html" | jq -e '.charts.memory.seconds as $v |
    all(range(1; $v | length); $v[.] >= $v[. - 1])' >/dev/null || fail 'the charts of the page run backwards'
clock "$PT_TMP/late.db" 2031-05-01T12:00:00Z 2031-05-01T12:01:00Z 2026-11-20T10:00:00Z 2026-11-20T10:01:00Z
days "$PT_TMP/late.db" 2026-11-20 2031-05-01
says "$PT_TMP/days/2026-11-20.json" '"from": "2026-11-20'
clock "$PT_TMP/again.db" 2026-11-20T10:00:00Z 2026-11-21T10:00:00Z 2026-11-20T10:02:00Z
days "$PT_TMP/again.db" 2026-11-20-2 2026-11-20 2026-11-21

echo '-- files: whole or not at all'
mkdir "$PT_TMP/files"
run "$analyzer" report "$leaks" -o "$PT_TMP/files/a.txt"
cmp "$PT_TMP/files/a.txt" "$PT_TMP/leaks.txt" || fail 'the file is not what is printed'
refused 3 'cannot write' "$leaks" -o "$PT_TMP/files/none/a.txt"
refused 3 'cannot write' "$leaks" -o "$PT_TMP/files"
refused 2 'regular file' "$leaks" -o /dev/null
cp "$leaks" "$PT_TMP/files/copy.db"
refused 2 'is a database' "$leaks" -o "$PT_TMP/files/copy.db"
cmp "$leaks" "$PT_TMP/files/copy.db" || fail 'a database was written over'
[ "$(find "$PT_TMP/files" -type f | wc -l)" -eq 2 ] || fail "left behind: $(ls -A "$PT_TMP/files")"
"$analyzer" report "$leaks" >/dev/full 2>"$PT_TMP/error"
[ $? -eq 3 ] || fail 'a full device, and no exit status of 3'
if unshare -m true 2>/dev/null; then
    mkdir "$PT_TMP/full"
    # what is expanded is the inner shell's
    # shellcheck disable=SC2016
    run unshare -m sh -c 'mount -t tmpfs -o size=16k none "$1/full" && echo old >"$1/full/a" || exit 9
        "$2" report "$3" -o "$1/full/a" 2>"$1/error" && exit 8
        [ "$(cat "$1/full/a")" = old ] && [ "$(ls -A "$1/full")" = a ]' sh "$PT_TMP" "$analyzer" "$leaks"
    says "$PT_TMP/error" 'No space left'
    # one day fits, all do not
    # shellcheck disable=SC2016
    run unshare -m sh -c 'mount -t tmpfs -o size=300k none "$1/full" && mkdir "$1/full/old" && echo old >"$1/full/old/a" || exit 9
        "$2" report "$3" --every 1d --format json -o "$1/full/new" 2>"$1/error" && exit 8
        "$2" report "$3" --every 1d --format json -o "$1/full/old" 2>>"$1/error" && exit 7
        [ "$(cat "$1/full/old/a")" = old ] && [ "$(find "$1/full" | wc -l)" -eq 3 ]' sh "$PT_TMP" "$analyzer" "$leaks"
    says "$PT_TMP/error" 'No space left'
fi
# who is interrupted leaves no directory behind
"$analyzer" report "$boots" --every 1d -o "$PT_TMP/ended" &
pid=$!
while [ ! -e "$PT_TMP/ended" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill $pid
wait $pid
[ $? -eq 143 ] || fail 'not ended by the signal'
[ ! -e "$PT_TMP/ended" ] || fail "an interrupted one left: $(ls -A "$PT_TMP/ended")"
# at no moment, where files cannot be without a name either; sanitizers want to be loaded first
if [ -z "${PT_SANITIZED:-}" ]; then
    shim=$PT_TOOLS/libended.so
    [ -e "$shim" ] || fail "'$shim' is not built"
    for moment in 'mkdir 1' 'mkostemp 1' 'mkostemp 3'; do
        LD_PRELOAD=$shim PT_END_AT=$moment "$analyzer" report "$boots" --every 1d --format json -o "$PT_TMP/ended"
        [ $? -eq 143 ] || fail "at '$moment': not ended by the signal"
        [ ! -e "$PT_TMP/ended" ] || fail "ended at '$moment' it left: $(ls -A "$PT_TMP/ended")"
    done
    # what was there stays; once all are whole, all of them get their names
    mkdir "$PT_TMP/ended"
    LD_PRELOAD=$shim PT_END_AT='mkostemp 2' "$analyzer" report "$boots" --every 1d --format json -o "$PT_TMP/ended"
    [ -z "$(ls -A "$PT_TMP/ended")" ] || fail "ended it left: $(ls -A "$PT_TMP/ended")"
    LD_PRELOAD=$shim PT_END_AT='rename 1' "$analyzer" report "$boots" --every 1d --format json -o "$PT_TMP/ended"
    [ $? -eq 143 ] || fail 'at the first name: not ended by the signal'
    [ "$(ls -A "$PT_TMP/ended")" = "$(ls -A "$PT_TMP/daily")" ] ||
        fail "ended at its first name it left: $(ls -A "$PT_TMP/ended")"
    for moment in 'mkostemp 1' 'rename 1'; do
        rm -f "$PT_TMP/ended/"*
        LD_PRELOAD=$shim PT_END_AT=$moment "$analyzer" report "$boots" -o "$PT_TMP/ended/a.txt"
        [ $? -eq 143 ] || fail "at '$moment' of one file: not ended by the signal"
        [ -z "$(find "$PT_TMP/ended" -type f ! -name a.txt)" ] || fail "one file: ended at '$moment' it left: $(ls -A "$PT_TMP/ended")"
    done
fi
if unshare -m true 2>/dev/null; then
    # one that cannot be replaced: those before it are new ones, those behind it are the old ones
    run "$analyzer" report "$boots" --every 1d -o "$PT_TMP/kept" --format json
    find "$PT_TMP/kept" -name '20*.json' | sort >"$PT_TMP/names"
    for name in $(cat "$PT_TMP/names"); do echo old >"$name"; done
    # shellcheck disable=SC2016
    run unshare -m sh -c 'mount --bind "$1" "$1" || exit 9
        "$2" report "$3" --every 1d --format json -o "${1%/*}" 2>"$4" && exit 8; exit 0' sh \
        "$(sed -n 3p "$PT_TMP/names")" "$analyzer" "$boots" "$PT_TMP/error"
    says "$PT_TMP/error" 'cannot write' "$(sed -n 3p "$PT_TMP/names")"
    for name in $(cat "$PT_TMP/names"); do [ "$(head -c 3 "$name")" = old ] && echo old || echo new; done >"$PT_TMP/which"
    [ "$(head -3 "$PT_TMP/which" | tr '\n' ' ')" = 'new new old ' ] && ! tail -n +3 "$PT_TMP/which" | grep -q new ||
        fail "after a failure: $(tr '\n' ' ' <"$PT_TMP/which")"
fi
mkdir "$PT_TMP/files/index.txt"
refused 3 'cannot write' "$boots" --every 1d -o "$PT_TMP/files"
[ "$(find "$PT_TMP/files" -type f | wc -l)" -eq 2 ] || fail "left behind: $(ls -A "$PT_TMP/files")"
