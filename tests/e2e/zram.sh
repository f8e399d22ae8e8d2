#!/bin/sh
# SPDX-License-Identifier: MIT
# Swapping to zram, on this kernel: the device is told with what was put there, what it was compressed to and the memory that
# costs, as the kernel has it; the balance sheet has that memory too.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
command -v jq >/dev/null || skip 'no jq'
control=/sys/class/zram-control
n=
node=
made=
clean_up()
{
    stop_started
    [ -n "$n" ] || return 0
    swapoff "$node" 2>/dev/null
    echo 1 >"/sys/block/zram$n/reset"
    until_true 10 remove
    [ -z "$made" ] || rm -f "$made"
}
remove()
{
    echo "$n" >"$control/hot_remove"
}
trap clean_up EXIT
[ -r "$control/hot_add" ] || modprobe zram 2>/dev/null
n=$(cat "$control/hot_add" 2>/dev/null) || skip 'no zram can be had here'
device=/sys/block/zram$n
node=/dev/zram$n
until_true 2 test -b "$node" || { # nobody makes nodes of new devices here
    mknod -m 600 "$node" b "$(cut -d: -f1 "$device/dev")" "$(cut -d: -f2 "$device/dev")" || skip "'$node' cannot be made"
    made=$node
}
echo $((192 << 20)) 2>/dev/null >"$device/disksize" || skip 'zram takes no size'
mkswap "$node" >/dev/null 2>&1 && swapon -p 100 "$node" 2>/dev/null || skip 'no swap on zram'

memory_cgroup "pagetrail-zram-$$" $((24 << 20))
[ ! -e "$cgroup/memory.swappiness" ] || echo 60 >"$cgroup/memory.swappiness"
[ ! -e "$cgroup/memory.swap.max" ] || echo max >"$cgroup/memory.swap.max"
start "$PT_TOOLS/e2e_hog" name=parked "cgroup=$cgroup" 64:0 >"$PT_TMP/parked"
until_true 60 said "$PT_TMP/parked" ready || fail 'nothing was parked'
db=$PT_TMP/a.db
for _ in 1 2; do
    cp "$device/mm_stat" "$PT_TMP/before"
    run "$recorder" -q --once -o "$db"
    cp "$device/mm_stat" "$PT_TMP/after"
done
cat "$PT_TMP/after"

run "$analyzer" swap "$db" --format json >"$PT_TMP/json"
validate swap "$PT_TMP/json"
# mm_stat FIELD: the range it was in while it was recorded
range()
{
    cat "$PT_TMP/before" "$PT_TMP/after" | awk "{ print \$$1 }" | sort -n | tr '\n' ' '
}
for field in original:1 compressed:2 memory:3; do
    # shellcheck disable=SC2046 # two words
    set -- $(range "${field#*:}")
    jq -e --arg node "$node" --argjson least "$1" --argjson most "$2" "[.devices[] | select(.name == \$node) |
        .zram.${field%:*}_bytes] | length == 1 and .[0] >= \$least and .[0] <= \$most" "$PT_TMP/json" >/dev/null ||
        fail "${field%:*} is not $1 to $2: $(jq -c .devices "$PT_TMP/json")"
done
jq -e --arg node "$node" '.devices[] | select(.name == $node) | .present and .priority == 100 and .used_bytes > 30 * 1048576 and
    .zram.original_bytes > 4 * .zram.memory_bytes' "$PT_TMP/json" >/dev/null || fail "$(jq -c .devices "$PT_TMP/json")"
jq -e '.processes[0] | .comm == "parked" and .last_bytes > 30 * 1048576' "$PT_TMP/json" >/dev/null ||
    fail "parked is not what is in swap: $(jq -c .processes "$PT_TMP/json")"
run "$analyzer" swap "$db" >"$PT_TMP/text"
grep -q 'zram' "$PT_TMP/text" || fail "the text does not tell of zram: $(cat "$PT_TMP/text")"
run "$analyzer" balance "$db" --format json >"$PT_TMP/json"
memory=$(range 3 | cut -d' ' -f1)
jq -e --argjson memory "$memory" '[.lines[] | select(.line == "compressed swap") | .bytes.after][0] >= $memory / 2' \
    "$PT_TMP/json" >/dev/null || fail "compressed swap: $(jq -c '[.lines[] | {line, bytes}]' "$PT_TMP/json")"
