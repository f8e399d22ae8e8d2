#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail swap on other kernels, which tell less, on damaged recordings, and on this kernel: cold pages that
# lie in swap are harmless; then a program that grows pushes another out of the memory both share, which is told with whom
# it hurt and who grew, and whoever only has cold pages is not blamed.
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

[ "$(id -u)" -eq 0 ] || skip 'needs root'
db=$PT_TMP/a.db
hog=$PT_TOOLS/e2e_hog
swap=$PT_TMP/swapfile
trap 'stop_started; swapoff "$swap" 2>/dev/null; rm -f "$swap"' EXIT
if ! { dd if=/dev/zero of="$swap" bs=1M count=256 2>/dev/null && chmod 600 "$swap" && mkswap "$swap" >/dev/null 2>&1 &&
    swapon "$swap" 2>/dev/null; }; then
    skip 'no swap file can be had here'
fi

# may_swap: the cgroup made last.
may_swap()
{
    [ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
    [ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"
}

# ask DOCUMENT EXPRESSION...: python over the document d must hold.
ask()
{
    document=$1
    shift
    for expression in "$@"; do
        python3 - "$document" "$expression" <<'PYTHON' || fail "not so: $expression"
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    d = json.load(f)
bad = [e for e in d["episodes"] if e["state"] in ("churn", "thrash")]
def names(key):
    return {p["comm"] for e in bad for p in e[key]}
sys.exit(0 if eval(sys.argv[2]) else "%s; %s" % (d["text"], json.dumps(d["episodes"])[:3000]))
PYTHON
    done
}

# swapped: pages moved in or out since the boot.
swapped()
{
    awk '/^pswp(in|out) / { n += $2 } END { print n }' /proc/vmstat
}
before=$(swapped)
sleep 2
[ "$(swapped)" -eq "$before" ] || skip 'other work swaps'

memory_cgroup "pagetrail-parked-$$" $((24 << 20))
may_swap
start "$hog" name=parked "cgroup=$cgroup" 64:0 >"$PT_TMP/parked"
until_true 30 said "$PT_TMP/parked" ready || fail 'nothing was parked'
memory_cgroup "pagetrail-shared-$$" $((64 << 20))
may_swap
sleep 1 # what is being written is written
start "$recorder" -q -o "$db" -i 1s
recorder_pid=$pid
until_true 60 more_than "$db" 2 || fail 'no snapshots'
sleep 31
start "$hog" name=toucher "cgroup=$cgroup" "48*300000" >/dev/null
toucher=$pid
steps=
for step in 8 16 24 32 40 48; do
    steps="$steps $step*1000"
done
# shellcheck disable=SC2086 # many steps
start "$hog" name=grower "cgroup=$cgroup" $steps "56*300000" >/dev/null
grower=$pid
sleep 34
# here and there the kernel rather kills one of the two than lets both go on
for one in "$toucher" "$grower"; do
    grep -q '^VmRSS' "/proc/$one/status" || skip 'the OOM killer ended the thrash'
done
stop "$recorder_pid"

run "$analyzer" swap "$db" >"$PT_TMP/text"
run "$analyzer" swap "$db" --format json >"$PT_TMP/all.json"
run "$analyzer" swap "$db" --to '@30' --format json >"$PT_TMP/before.json"
cat "$PT_TMP/text"
python3 -c 'import sys; sys.exit(max(map(len, open(sys.argv[1], encoding="utf-8").read().splitlines())) > 80)' "$PT_TMP/text" ||
    fail 'lines of more than 80 columns'
ask "$PT_TMP/before.json" 'd["verdict"] == "harmless"' '[e["state"] for e in d["episodes"]] == ["parked"]' \
    'd["processes"][0]["comm"] == "parked" and d["processes"][0]["last_bytes"] > 30 << 20'
ask "$PT_TMP/all.json" 'd["verdict"] == "harmful"' 'bad' 'names("victims") and names("victims") <= {"toucher", "grower"}' \
    '"grower" in names("aggressors") and names("aggressors") <= {"toucher", "grower"}' \
    'sum(e["bytes_in"] for e in bad) > 8 << 20' 'bad[0]["stall_seconds"] is None or bad[0]["stall_seconds"] > 0' \
    'any(p["comm"] == "parked" and p["swapped_in_bytes"] < 1 << 20 for p in d["processes"])' \
    'any(v["size_bytes"] > 255 << 20 and v["present"] and v["type"] == "file" for v in d["devices"])' \
    'd["held"]["used_bytes"] == sum(d["held"][k] or 0 for k in ("processes_bytes", "cached_bytes", "sysv_shm_bytes", "mapped_shmem_bytes", "not_attributed_bytes"))'
validate swap "$PT_TMP/all.json"
validate swap "$PT_TMP/before.json"
