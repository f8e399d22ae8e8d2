#!/bin/sh
# SPDX-License-Identifier: MIT
# --estimate: records nothing, its lines add up, and what it says of bytes is within a factor of two of what recording the
# same machine then takes (deep reads left out of that: none would be due again in so short a time). It names what may not
# be read.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
alone='unshare --pid --fork --kill-child --mount-proc'
# shellcheck disable=SC2086 # its words
if [ -z "${PT_ALONE:-}" ] && $alone true 2>/dev/null; then
    PT_ALONE=1 exec $alone sh "$0" # what else goes on here is no part of it
fi
factor=2
interval=100ms
ticks_a_day=864000
mkdir "$PT_TMP/scratch" "$PT_TMP/home"
start "$PT_TOOLS/e2e_churn" 100 "$PT_TMP/scratch"

# estimate FILE OPTION...
estimate()
{
    out=$1
    shift
    HOME=$PT_TMP/home run "$recorder" -i $interval --estimate "$@" >"$out"
    cat "$out"
}

# Bytes and CPU of a line of the table; tenths of MiB and of seconds are as exact as it gets.
figures()
{
    awk -v want="$2" '
        / (B|KiB|MiB|GiB) +[0-9.]+ s$/ {
            unit = $(NF - 2) == "KiB" ? 1024 : $(NF - 2) == "MiB" ? 1048576 : $(NF - 2) == "GiB" ? 1073741824 : 1
            name = $1; for (i = 2; i < NF - 3; i++) name = name " " $i
            if (name == want) printf "%d %.1f\n", $(NF - 3) * unit, $(NF - 1)
            else if (want == "sum" && name != "together") { bytes += $(NF - 3) * unit; cpu += $(NF - 1) }
        }
        END { if (want == "sum") printf "%d %.1f\n", bytes, cpu }' "$1"
}

echo "-- everything"
estimate "$PT_TMP/all" 6s
[ -z "$(find "$PT_TMP/home" -type f)" ] || fail 'a file was written'
for line in 'the host, every snapshot' 'processes' 'deep reads' 'encoding, storing, packing' together; do
    figures "$PT_TMP/all" "$line" | grep -q '^[1-9][0-9]* [0-9.]*$' || fail "no figures for: $line"
done
{ figures "$PT_TMP/all" sum; figures "$PT_TMP/all" together; } | paste -s -d ' ' - | awk '
    { apart = $1 - $3; off = apart < 0 ? -apart : apart; slow = $2 - $4; late = slow < 0 ? -slow : slow
      exit !(off <= $3 / 50 + 4096 && late <= 1) }' || fail 'the lines do not add up'

echo "-- beside a recording"
estimate "$PT_TMP/cheap" 6s --deep off
expected=$(figures "$PT_TMP/cheap" together | awk -v n=$ticks_a_day '{ printf "%d", $1 / n }')
run "$recorder" -q -i $interval -d 30s --deep off -o "$PT_TMP/r.db"
count=$(snapshots "$PT_TMP/r.db")
taken=$(($(stat -c %s "$PT_TMP/r.db") / count))
echo "a snapshot: $expected bytes expected, $taken taken ($count snapshots)"
[ "$count" -ge 50 ] || fail 'too few snapshots'
[ "$expected" -le $((taken * factor)) ] || fail 'the estimate is too high'
[ "$taken" -le $((expected * factor)) ] || fail 'the estimate is too low'

if [ "$(id -u)" -eq 0 ]; then
    echo "-- not permitted"
    chmod 755 "$PT_TMP"
    chmod -R a+rX "$PT_BUILD/pagetraild" 2>/dev/null
    cp "$recorder" "$PT_TMP/pagetraild"
    if setpriv --reuid 65534 --regid 65534 --clear-groups "$PT_TMP/pagetraild" --version >/dev/null 2>&1; then
        run setpriv --reuid 65534 --regid 65534 --clear-groups "$PT_TMP/pagetraild" -i $interval --estimate 2s \
            >"$PT_TMP/nobody"
        grep -q '^not permitted:$' "$PT_TMP/nobody" || fail 'nothing is said of what is not permitted'
        grep -q '^  smaps of [1-9][0-9]* processes$' "$PT_TMP/nobody" || fail 'smaps are not named'
        grep -q '^  proc:' "$PT_TMP/nobody" || fail 'no file of the host is named'
    else
        echo "left out: the scratch directory cannot be reached by others"
    fi
fi
