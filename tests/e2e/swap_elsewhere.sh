#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail swap on other kernels, which tell less, and on damaged recordings.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
# other_kernel TREE VERDICT MISSING...: of two snapshots of a captured tree; what is not known begins with these words.
other_kernel()
{
    tree=$PT_SOURCE/tests/fixtures/$1
    mkdir -p "$PT_TMP/none"
    for place in sys cgroup; do
        [ -d "$tree/$place" ] && eval "$place=\$tree/$place" || eval "$place=\$PT_TMP/none"
    done
    rm -f "$PT_TMP/other.db"
    for time in 2026-11-20T10:00:00Z 2026-11-20T10:01:00Z; do
        run "$recorder" -q --once --deep all --timestamp "$time" --procfs "$tree/proc" --sysfs "$sys" --cgroupfs "$cgroup" \
            -o "$PT_TMP/other.db"
    done
    run "$analyzer" swap "$PT_TMP/other.db" >"$PT_TMP/other.text"
    run "$analyzer" swap "$PT_TMP/other.db" --format json >"$PT_TMP/other.json"
    validate swap "$PT_TMP/other.json"
    said "$PT_TMP/other.json" "\"verdict\": \"$2\"" || fail "not $2 of $1: $(cat "$PT_TMP/other.text")"
    name=$1
    shift 2
    for missing in "$@"; do
        said "$PT_TMP/other.text" "^  $missing" || fail "nothing on '$missing' of $name: $(cat "$PT_TMP/other.text")"
    done
}
other_kernel linux-4.18-x86_64 harmless 'how long tasks waited' 'whether memory was wanted back'
other_kernel linux-5.10-arm64-64k unused 'pages swapped in and out'
other_kernel cgroup-v2-numa unknown 'pages swapped in and out' 'how much swap was in use'
other_kernel linux-6.18-x86_64 none

# bytes of a recording changed at random: an answer, a partial one or an error, nothing else
for seed in 1 2 3 4 5 6 7 8; do
    python3 - "$PT_SOURCE/tests/fixtures/labelled/chosen/s1.db" "$PT_TMP/damaged.db" $seed <<'PYTHON'
import random, sys
rng = random.Random(int(sys.argv[3]))
with open(sys.argv[1], "rb") as f:
    data = bytearray(f.read())
for _ in range(1 << rng.randrange(10)):
    data[rng.randrange(4096, len(data))] ^= 1 << rng.randrange(8)
with open(sys.argv[2], "wb") as f:
    f.write(data[:len(data) - rng.choice((0, 0, rng.randrange(len(data) // 2)))])
PYTHON
    timeout 60 "$analyzer" swap "$PT_TMP/damaged.db" --format json >"$PT_TMP/damaged.json" 2>"$PT_TMP/damaged.err"
    status=$?
    case $status in
    0 | 4) validate swap "$PT_TMP/damaged.json" ;;
    3) [ -s "$PT_TMP/damaged.err" ] || fail "no error of damage $seed" ;;
    *) fail "exit status $status of damage $seed: $(cat "$PT_TMP/damaged.err")" ;;
    esac
done

# a machine that churns all the time: whom the costliest episodes hurt is looked into, and those are shown
run "$PT_TOOLS/ptgen" -o "$PT_TMP/churn.db" -n 3000 -p 20 -i 10 -s 1 --gap-every 0 --churn-every 4
run "$analyzer" swap "$PT_TMP/churn.db" --from first >"$PT_TMP/churn.text"
run "$analyzer" swap "$PT_TMP/churn.db" --from first --format json >"$PT_TMP/churn.json"
validate swap "$PT_TMP/churn.json"
[ "$(grep -cE '^(churn|swap-out-pressure) ' "$PT_TMP/churn.text")" -eq 10 ] || fail "not ten episodes: $(cat "$PT_TMP/churn.text")"
said "$PT_TMP/churn.text" '^and [0-9]* more that cost less' || fail 'what is left out is not told'
run python3 - "$PT_TMP/churn.json" <<'PYTHON'
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    episodes = [e for e in json.load(f)["episodes"] if e["state"] != "parked"]
blamed = [e["stall_seconds"] for e in episodes if e["victims"] is not None]
rest = [e["stall_seconds"] for e in episodes if e["victims"] is None]
print(len(episodes), len(blamed))
sys.exit(0 if len(blamed) == 250 and rest and max(rest) <= min(blamed) else "%d of %d" % (len(blamed), len(episodes)))
PYTHON
