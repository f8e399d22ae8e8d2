#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetrail swap on this kernel: cold pages that lie in swap are harmless; then a program that grows pushes another out of
# the memory both share, which is told with whom it hurt and who grew, and whoever only has cold pages is not blamed.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
db=$PT_TMP/a.db
hog=$PT_TOOLS/e2e_hog

# may_swap: the cgroup made last.
may_swap()
{
    [ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
    [ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"
}

# nobody_is_killed MIB: where two use their memory faster than the kernel can put it out it kills one of them, or, if told
# not to (version 1 of control groups), lets both wait until there is more.
nobody_is_killed()
{
    while sleep 0.2; do
        if said "$cgroup/memory.oom_control" 'under_oom 1'; then
            echo $((($1 + 4) << 20)) >"$cgroup/memory.limit_in_bytes"
            echo $(($1 << 20)) >"$cgroup/memory.limit_in_bytes" || :
        fi
    done 2>/dev/null
}

# ask DOCUMENT EXPRESSION...: python over the document d, all of which must hold.
ask()
{
    python3 - "$@" <<'PYTHON' || fail "$1 says otherwise"
import json, sys
with open(sys.argv[1], encoding="utf-8") as f:
    d = json.load(f)
bad = [e for e in d["episodes"] if e["state"] in ("churn", "thrash")]
def names(key):
    return {p["comm"] for e in bad for p in e[key]}
for expression in sys.argv[2:]:
    if not eval(expression):
        sys.exit("not so: %s; %s; %s" % (expression, d["text"], json.dumps(d["episodes"])[:3000]))
PYTHON
}

# swapped: pages moved in or out since the boot.
swapped()
{
    awk '/^pswp(in|out) / { n += $2 } END { print n }' /proc/vmstat
}

# harmed: an episode of harm is told, while it is recorded.
harmed()
{
    "$analyzer" swap "$db" --from "@$begun" --format json | grep -q '"verdict": "harmful"'
}

before=$(swapped)
swap_file 256
sleep 1
[ "$(swapped)" -eq "$before" ] || skip 'other work swaps'
memory_cgroup "pagetrail-parked-$$" $((24 << 20))
may_swap
start "$hog" name=parked "cgroup=$cgroup" 64:0 >"$PT_TMP/parked"
until_true 30 said "$PT_TMP/parked" ready || fail 'nothing was parked'
memory_cgroup "pagetrail-shared-$$" $((64 << 20))
may_swap
if echo 1 2>/dev/null >"$cgroup/memory.oom_control"; then
    start nobody_is_killed 64
fi
sleep 1 # what is being written is written
start "$recorder" -q -o "$db" -i 500ms
recorder_pid=$pid
until_true 60 more_than "$db" 20 || fail 'no snapshots'
begun=$(snapshots "$db")
start "$hog" name=toucher "cgroup=$cgroup" "48*300000" >/dev/null
toucher=$pid
steps=
for step in 8 16 24 32 40 48; do
    steps="$steps $step*1000"
done
# shellcheck disable=SC2086 # many steps
start "$hog" name=grower "cgroup=$cgroup" $steps "56*300000" >/dev/null
grower=$pid
sleep 28 # no state is told of less
waited=0
until harmed || [ $waited -gt 60 ]; do
    sleep 1
    waited=$((waited + 1))
done
for one in "$toucher" "$grower"; do
    grep -q '^VmRSS' "/proc/$one/status" || skip 'the OOM killer ended the thrash'
done
stop "$recorder_pid"

run "$analyzer" swap "$db" >"$PT_TMP/text"
run "$analyzer" swap "$db" --from "@$begun" --format json >"$PT_TMP/all.json"
run "$analyzer" swap "$db" --to "@$begun" --format json >"$PT_TMP/before.json"
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
