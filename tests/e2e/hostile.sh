#!/bin/sh
# SPDX-License-Identifier: MIT
# The same as roundtrip.sh for trees of hostile texts, changed under the recorder: one snapshot a run, and live.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
tree=$PT_TMP/tree
db=$PT_TMP/h.db

record()
{
    "$recorder" -q -o "$db" --procfs "$tree/proc" --sysfs "$tree/sys" --cgroupfs "$tree/cgroup" --cmdline full \
        --deep all "$@"
}

echo "-- one snapshot a run"
step=1
while [ $step -le 12 ]; do
    run "$PT_TOOLS/e2e_hostile" "$tree" $step
    run record --once --timestamp $((1790000000 + step * 60)) --raw-log "$PT_TMP/log.$step"
    step=$((step + 1))
done
step=1
while [ $step -le 12 ]; do
    "$verify" "$db" "$PT_TMP/log.$step" >"$PT_TMP/out" || fail "run $step: $(cat "$PT_TMP/out")"
    grep -q '^1 snapshots' "$PT_TMP/out" || fail "run $step: $(cat "$PT_TMP/out")"
    step=$((step + 1))
done
cat "$PT_TMP/out"

echo "-- live"
db=$PT_TMP/l.db
record -i 500ms -d 10s --raw-log "$PT_TMP/live" 2>"$PT_TMP/messages" &
pid=$!
while kill -0 $pid 2>/dev/null; do
    run "$PT_TOOLS/e2e_hostile" "$tree" $step
    step=$((step + 1))
    sleep 0.15
done
wait $pid || fail "exit status $? of the recorder"
# Random bytes are more than a slow machine can press and store: what was not stored the recorder must have said.
said=$(grep -c 'could not be stored' "$PT_TMP/messages")
cut=
[ "$said" -eq 0 ] || cut=--cut
run "$verify" $cut "$db" "$PT_TMP/live" >"$PT_TMP/out"
cat "$PT_TMP/out"
[ "$said" -gt 0 ] || grep -q ' 0 not stored' "$PT_TMP/out" || fail 'snapshots were lost in silence'
grep -qE '^([3-9]|[1-9][0-9]+) snapshots' "$PT_TMP/out" || fail 'hardly anything was stored'
integrity "$db"
run "$analyzer" check "$db"
