#!/bin/sh
# SPDX-License-Identifier: MIT
# Every source of this machine, all processes, recorded while a churner forks, maps, unmaps, renames and (where a swap
# file can be had) swaps, comes back byte for byte as the raw log saw it read: live, after kill -9 with frames not yet
# sealed, and sealed.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/r.db
seconds=8
mkdir "$PT_TMP/scratch" "$PT_TMP/sample"

swap=$PT_TMP/swapfile
if [ "$(id -u)" -eq 0 ] && dd if=/dev/zero of="$swap" bs=1M count=64 2>/dev/null && chmod 600 "$swap" &&
    mkswap "$swap" >/dev/null 2>&1 && swapon "$swap" 2>/dev/null; then
    trap 'stop_started; swapoff "$swap"' EXIT
    echo "with swap"
else
    echo "without swap: no swap file can be had here"
fi

start "$PT_TOOLS/e2e_churn" $((seconds * 3)) "$PT_TMP/scratch"

echo "-- live, then killed"
start "$recorder" -q -o "$db" -i 200ms --deep auto --cmdline full --raw-log "$PT_TMP/log.1"
first=$pid
sleep $seconds
run "$verify" --cut --every 4 "$db" "$PT_TMP/log.1"
kill -9 "$first"
wait "$first" 2>/dev/null
run "$verify" --cut "$db" "$PT_TMP/log.1" >"$PT_TMP/out"
cat "$PT_TMP/out"
grep -q ' [1-9][0-9]* frames' "$PT_TMP/out" || fail 'nothing was unsealed: the test does not test that'

echo "-- sealed"
run "$recorder" -q -o "$db" -i 200ms -d ${seconds}s --deep all --cmdline full --raw-log "$PT_TMP/log.2"
run "$verify" --cut "$db" "$PT_TMP/log.1"
run "$verify" --sample "$PT_TMP/sample" "$db" "$PT_TMP/log.2" >"$PT_TMP/out"
cat "$PT_TMP/out"
grep -q ' 0 frames; 0 not stored; 0 wrong' "$PT_TMP/out" || fail 'frames are left after a clean end'
grep -q ' [1-9][0-9]* carried' "$PT_TMP/out" || fail 'nothing was carried'
integrity "$db"

echo "-- by the command line"
[ -x "$analyzer" ] || fail "'$analyzer' is not built"
count=0
for text in "$PT_TMP"/sample/*.text; do
    base=${text%.text}
    run "$analyzer" show "$db" text "$(cat "$base.source")" --at "$(cat "$base.at")" >"$PT_TMP/shown"
    cmp "$PT_TMP/shown" "$text" || fail "show text $(cat "$base.source") --at $(cat "$base.at")"
    count=$((count + 1))
done
[ $count -ge 10 ] || fail "only $count samples"
run "$analyzer" check "$db"
