#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail leaks and growth on recordings that tell little: three snapshots, a process that lives seconds, without smaps,
# without root, reboots and gaps, an empty span. An answer that says what it could not know, never a guess or a crash;
# every document keeps to its schema; growth adds up.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"

# rule DB WORD...: no alarm, and the text says so.
rule()
{
    db=$1
    shift
    run "$analyzer" leaks "$db" >"$PT_TMP/text"
    grep -q 'no leak found' "$PT_TMP/text" || fail "an alarm of $db: $(cat "$PT_TMP/text")"
    LC_ALL=C.UTF-8 grep -Ev '^.{0,80}$' "$PT_TMP/text" >"$PT_TMP/wide" && fail "a line is too long: $(cat "$PT_TMP/wide")"
    for word; do
        grep -q "$word" "$PT_TMP/text" || fail "'$word' is not said of $db: $(cat "$PT_TMP/text")"
    done
    run "$analyzer" leaks "$db" --exit-code >"$PT_TMP/text"
    run "$analyzer" leaks "$db" --all -v >"$PT_TMP/text"
    LC_ALL=C.UTF-8 grep -Ev '^.{0,80}$' "$PT_TMP/text" >"$PT_TMP/wide" && fail "a line is too long: $(cat "$PT_TMP/wide")"
    return 0
}

# three snapshots, and a process that lives seconds; without smaps
(sleep 0.7; exec sleep 1) &
run "$recorder" -q -o "$PT_TMP/three.db" -i 600ms -d 1500ms --deep off
rule "$PT_TMP/three.db" 'too short to tell' 'no mappings were read'
"$analyzer" leaks "$PT_TMP/three.db" | grep 'an hour' && fail 'a rate from three snapshots'
[ "$(run "$analyzer" leaks "$PT_TMP/three.db" --all --format json |
    jq '[.findings[] | select(.verdict != "insufficient")] | length')" -eq 0 ] || fail 'a verdict from three snapshots'

# somebody without rights: memory of others is not known, and not called so
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    mkdir -m 777 "$PT_TMP/nobody"
    chmod 711 "$PT_TMP"
    run setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$recorder" -q -o "$PT_TMP/nobody/a.db" -i 500ms -d 2s
    rule "$PT_TMP/nobody/a.db" 'too short to tell'
fi

# reboots, gaps and restarts in a long history
run "$PT_TOOLS/ptgen" -o "$PT_TMP/gaps.db" -n 1500 -p 20 -i 10 -s 3 --gap-every 220
run "$analyzer" leaks "$PT_TMP/gaps.db" >"$PT_TMP/text"
grep -q 'boots: processes are followed within each' "$PT_TMP/text" || fail "boots are not told: $(cat "$PT_TMP/text")"
grep -q 'nothing was recorded for' "$PT_TMP/text" || fail "gaps are not told: $(cat "$PT_TMP/text")"
if run "$analyzer" leaks "$PT_TMP/gaps.db" --format json |
    jq -e '.findings[] | select(.verdict == "leak" and .subject.kind == "process") |
        select(.subject.comm | startswith("steady"))' >/dev/null; then
    fail 'a steady process is called a leak'
fi

# a thinned recording: what is old is a sixtieth as dense, and a process is the same life throughout
run "$PT_TOOLS/ptgen" -o "$PT_TMP/coarse.db" -n 1500 -p 20 -s 1 --coarse 600 --chain 60 --gap-every 0
run "$analyzer" leaks "$PT_TMP/coarse.db" --all --format json >"$PT_TMP/coarse.json"
jq -e '[.findings[] | select(.subject.kind == "process") | [.subject.pid, .subject.start_time, .class]] |
    length > 0 and length == (unique | length)' "$PT_TMP/coarse.json" >/dev/null || fail 'a life of a thinned recording is split'
jq -e 'all(.findings[]; .verdict == "undetermined" or .verdict == "insufficient" or .more_seconds == null)' \
    "$PT_TMP/coarse.json" >/dev/null || fail 'a verdict that stands asks for more'

# what is exhausted first: the limit of a.service is nearer than the machine's, b.service has none
run "$analyzer" leaks "$PT_TMP/gaps.db" --all --format json >"$PT_TMP/limits.json"
jq -e '[.findings[] | select(.exhaustion.limit != null) | [.subject.service, .exhaustion.limit]] | unique |
    . - [["a.service", "/system.slice/a.service"]] |
    length > 0 and all(.[0] != "a.service" and .[1] == "machine")' "$PT_TMP/limits.json" >/dev/null ||
    fail "a limit is wrong: $(jq -c '[.findings[] | [.subject.service, .exhaustion.limit]] | unique' "$PT_TMP/limits.json")"
jq -e 'any(.findings[]; .exhaustion.limit == "/system.slice/a.service")' "$PT_TMP/limits.json" >/dev/null ||
    fail 'no control group is exhausted'

# a clock that is set an hour ahead: the same findings, the same mappings; what began after it bears the new time
for clock in 0 200; do
    run "$PT_TOOLS/ptgen" -o "$PT_TMP/clock-$clock.db" -n 600 -p 20 -s 2 --gap-every 0 --clock-at $clock
    run "$analyzer" leaks "$PT_TMP/clock-$clock.db" --format json |
        jq '[.findings[] | {verdict, subject, class, growth_bytes, mappings}]' >"$PT_TMP/clock-$clock.json"
done
jq -e 'any(.[]; .mappings != [])' "$PT_TMP/clock-0.json" >/dev/null || fail 'no mappings at all'
cmp "$PT_TMP/clock-0.json" "$PT_TMP/clock-200.json" || fail 'a clock that was set changes the findings'

# spans: of nothing, of one snapshot, backwards
run "$analyzer" leaks "$PT_TMP/gaps.db" --since @5 --until @5 >"$PT_TMP/text"
grep -q 'no leak found' "$PT_TMP/text" || fail 'one snapshot has a leak'
"$analyzer" leaks "$PT_TMP/gaps.db" --since @50 --until @5 2>"$PT_TMP/text" && fail 'a span that runs backwards'
# a name that nobody had is not called free of leaks; one that had no leak is
for wanted in nobody-of-this-name 999999999; do
    "$analyzer" leaks "$PT_TMP/gaps.db" --subject $wanted >"$PT_TMP/text" 2>"$PT_TMP/err"
    [ $? -eq 3 ] && grep -q "is called '$wanted'" "$PT_TMP/err" && [ ! -s "$PT_TMP/text" ] || fail "a subject that is not there: $wanted"
done
# Whether a record is long enough is told of the one that was asked for, not of all others.
"$analyzer" leaks "$PT_SOURCE/tests/fixtures/labelled/chosen/s5.db" --subject 11 >"$PT_TMP/text"
grep -qx 'no leak found' "$PT_TMP/text" || fail "of one that was known for long: $(grep leak "$PT_TMP/text")"
"$analyzer" leaks "$PT_SOURCE/tests/fixtures/labelled/aside/s4.db" --subject 39 >"$PT_TMP/text"
grep -q 'all is too short to tell' "$PT_TMP/text" || fail "of one that was known briefly: $(grep leak "$PT_TMP/text")"

# growth adds up, class by class and in all
run "$analyzer" growth "$PT_TMP/three.db" >/dev/null
run "$analyzer" growth "$PT_TMP/three.db" --format json >"$PT_TMP/growth.json"
jq -e '.total_change == ([.classes[].bytes.delta] | add) and .total_change == 0 and
    all(.classes[] | select(.not_attributed != null);
        .bytes.delta == .not_attributed + ([.holders[].bytes.delta] | add // 0))' "$PT_TMP/growth.json" >/dev/null ||
    fail "growth does not add up: $(cat "$PT_TMP/growth.json")"

run "$analyzer" leaks "$PT_TMP/gaps.db" --all --format json >"$PT_TMP/leaks.json"
for document in leaks growth; do
    validate $document "$PT_TMP/$document.json"
done
