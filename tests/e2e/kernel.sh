#!/bin/sh
# SPDX-License-Identifier: MIT
# Kernel and shared memory on this machine: floods of dentries and inodes, unread datagrams, a System V segment left behind,
# tmpfs files deleted and mapped or only held open, a memfd; each is found and named, with its owner where it has one, and
# neighbours are not. What reclaim took back is told. Which slab caches can be taken back is what the kernel says.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
command -v jq >/dev/null || skip 'no jq'
load=$PT_SOURCE/tests/e2e/kernel.py
db=$PT_TMP/a.db
mib=1048576
shmid=
mounted=
mkdir "$PT_TMP/tmpfs" "$PT_TMP/names"
clean_up() # the recorder looks at the mounts of all
{
    stop_started
    [ -z "$shmid" ] || ipcrm -m "$shmid"
    [ -z "$mounted" ] || until_true 10 umount "$PT_TMP/tmpfs" # those killed let go of its files first
}
trap clean_up EXIT
mount -t tmpfs -o size=256m kernel "$PT_TMP/tmpfs" 2>/dev/null || skip 'no tmpfs can be mounted'
mounted=yes

# begin NAME ARGUMENT...: a load; its pid in $pid when it holds.
begin()
{
    name=$1
    start python3 "$load" "$@" >"$PT_TMP/$name.out"
    until_true 60 test -s "$PT_TMP/$name.out" || fail "the load '$*' is not ready"
}

# later N: so many snapshots more.
later()
{
    until_true 60 more_than "$db" $(($(snapshots "$db") + $1)) || fail 'the recorder does not go on'
}

begin neighbour $((24 * mib))
neighbour=$pid
start "$recorder" -q -o "$db" -i 500ms --deep all --cpu-budget 50
recorder_pid=$pid
until_true 60 more_than "$db" 1 || fail 'nothing is recorded'
later 3

# dentries of a control group that is then emptied: what shrinkers took back. slabinfo is read every sixth time. Slabs that
# others left half empty are filled first, and are not given back.
room=$(awk '$1 == "dentry" { print $3 - $2 }' /proc/slabinfo)
memory_cgroup pagetrail-kernel-$$ $((512 * mib))
[ -e "$cgroup/memory.force_empty" ] && root=/sys/fs/cgroup/memory || root=/sys/fs/cgroup
echo $$ >"$cgroup/cgroup.procs"
begin dentries "$PT_TMP/names" $((room + 120000))
echo $$ >"$root/cgroup.procs"
later 8
if [ -e "$cgroup/memory.force_empty" ]; then
    echo 0 >"$cgroup/memory.force_empty"
else
    echo 256M >"$cgroup/memory.reclaim" 2>/dev/null || true
fi
later 8

begin inodes "$PT_TMP/tmpfs" 20000
begin udp $((16 * mib))
begin unix $((16 * mib))
begin segment $((12 * mib))
read -r _ maker shmid <"$PT_TMP/segment.out"
begin deleted "$PT_TMP/tmpfs/mapped" $((14 * mib))
deleted=$pid
begin held "$PT_TMP/tmpfs/held" $((18 * mib))
begin memfd kernel-e2e $((22 * mib))
memfd=$pid
# slabs, sockets and mounts are read every sixth time; mappings when it is their turn
later 8
mapped()
{
    [ "$("$analyzer" kernel "$db" --format json 2>/dev/null | jq "[.shared.objects[] | select(.bytes.last > 13 * $mib) |
        .owners[].pid | select(. == $deleted or . == $memfd)] | length")" = 2 ]
}
until_true 90 mapped || fail 'the mappings of memfd and file are not read'
stop "$recorder_pid"
sound "$db"

run "$analyzer" kernel "$db" --format json >"$PT_TMP/json"
validate kernel "$PT_TMP/json"
for options in '' -v '--at @4'; do
    # shellcheck disable=SC2086
    run "$analyzer" kernel "$db" $options >"$PT_TMP/text"
    LC_ALL=C.UTF-8 awk 'length > 80 { exit 1 }' "$PT_TMP/text" || fail "over 80 columns: $(awk 'length > 80' "$PT_TMP/text")"
done

# is FILTER: holds of the document.
is()
{
    jq -e --arg tmpfs "$PT_TMP/tmpfs" --argjson mib $mib "$1" "$PT_TMP/json" >/dev/null ||
        fail "not so: $1: $(jq -c '[.slabs[:8], .sockets[:3], .shared.tmpfs, .shared.objects[:6]]' "$PT_TMP/json" | head -c 6000)"
}

# names of slab caches differ with what kernels merge: the flood is within the first of those that grew
is '[.slabs[] | select(.name == "dentry")][0] | .shrank_bytes > 10 * $mib and .reclaimable and .bytes.most - .bytes.first > 10 * $mib'
is '[.slabs[] | select(.name == "shmem_inode_cache" or .name == "dentry") | .bytes.change] | add > 12 * $mib'
is '[.slabs[:12][] | select(.name | test("^(kmalloc|skbuff)")) | .bytes.change] | add > 12 * $mib'
is '[.classes[] | select(.name == "slab, unreclaimable")][0].bytes | .most - .first > 20 * $mib' # others may free theirs
is '[.sockets[] | select(.name == "UDP")][0].bytes.change > 14 * $mib'
is '[.shared.tmpfs[] | select(.name == $tmpfs)][0].bytes | .first == 0 and .last == 32 * $mib'
is "[.shared.objects[] | select(.kind == \"sysv\" and .id == $shmid)] | length == 1 and (.[0] |
    .left_behind and .segment.attached == 0 and .segment.creator_pid == $maker and .bytes.last == 12 * \$mib and .owners == [])"
is "[.shared.objects[] | select(.name == \$tmpfs + \"/mapped\")] | length == 1 and (.[0] |
    .deleted and .bytes.last == 14 * \$mib and [.owners[].pid] == [$deleted])"
is "[.shared.objects[] | select(.name == \"/memfd:kernel-e2e\")] | length == 1 and (.[0] |
    .kind == \"memfd\" and .bytes.last == 22 * \$mib and [.owners[].pid] == [$memfd] and (.left_behind | not))"
is "[.shared.objects[].owners[].pid | select(. == $neighbour)] == []"
is '[.shared.objects[] | select(.name == $tmpfs + "/held")] == []'
is '.zones | length > 0 and all(.known_seconds > 10 and .free.last > 0 and .min_bytes <= .low_bytes)'
is '[.counters.reclaim[] | select(.name == "slabs_scanned")][0] | .count > 100000 and .last_at != null'

# reclaimable or not is what the kernel says of the cache, for all whose names are known
jq -r '.slabs[] | select(.reclaimable != null) | [.name, .reclaimable] | @tsv' "$PT_TMP/json" >"$PT_TMP/known"
known=0
while read -r name yes; do
    says=$(cat "/sys/kernel/slab/$name/reclaim_account" 2>/dev/null) || continue
    [ "$says" = 1 ] && says=true || says=false
    [ "$says" = "$yes" ] || fail "cache $name: reclaimable is $yes, the kernel says $says"
    known=$((known + 1))
done <"$PT_TMP/known"
[ ! -e /sys/kernel/slab ] || [ $known -gt 20 ] || fail "only $known slab caches are known"

# the text names them
run "$analyzer" kernel "$db" --top 30 >"$PT_TMP/text"
for word in "segment $shmid" 'nobody; made by' "(deleted) .* $deleted python3" 'memfd:kernel-e2e' UDP; do
    grep -q -- "$word" "$PT_TMP/text" || fail "the text does not tell '$word': $(cat "$PT_TMP/text")"
done
run "$analyzer" kernel "$db" -v >"$PT_TMP/text"
grep -q '^  dentry (gave back [0-9.]* MiB)' "$PT_TMP/text" || fail "the text does not tell what dentries lost: $(cat "$PT_TMP/text")"
for wrong in '--at @5 --from @2' '--from @9 --to @3' '@5'; do
    # shellcheck disable=SC2086
    "$analyzer" kernel "$db" $wrong >/dev/null 2>&1 && fail "'$wrong' is taken"
done

# other kernels: what is there is told, what is not is said
mkdir "$PT_TMP/none"
for kernel in linux-4.18-x86_64 linux-5.10-arm64-64k cgroup-v2-numa; do
    tree=$PT_SOURCE/tests/fixtures/$kernel
    [ -d "$tree/sys" ] && sys=$tree/sys || sys=$PT_TMP/none
    [ -d "$tree/cgroup" ] && cgroup=$tree/cgroup || cgroup=$PT_TMP/none
    run "$recorder" -q --once --deep all --timestamp 2026-11-20T10:00:00Z --procfs "$tree/proc" --sysfs "$sys" \
        --cgroupfs "$cgroup" -o "$PT_TMP/$kernel.db"
    run "$analyzer" kernel "$PT_TMP/$kernel.db" --format json >"$PT_TMP/json"
    validate kernel "$PT_TMP/json"
    run "$analyzer" kernel "$PT_TMP/$kernel.db" -v >"$PT_TMP/text"
    is '.unknown | any(.what == "socket buffers")'
    case $kernel in
    linux-4.18*) is '(.zones | length) == 1 and (.nodes == []) and any(.unknown[]; .what == "fragmentation")' ;;
    linux-5.10*) is '.zones[0].orders | length == 14' ;;
    *) is '[.zones[].name] == ["Node 0, zone Normal", "Node 1, zone Normal"] and [.nodes[].node] == [0, 1]' ;;
    esac
done
exit 0
