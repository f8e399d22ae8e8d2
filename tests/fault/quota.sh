#!/bin/sh
# SPDX-License-Identifier: MIT
# A quota of a real file system that is used up, then raised: recording goes on, and why and what is missing is told. The
# file system never writes in place: what is mapped and was written back needs room again.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
private_mounts
command -v mkfs.btrfs >/dev/null 2>&1 && command -v btrfs >/dev/null 2>&1 || skip 'no btrfs-progs'
disk=$PT_TMP/disk
db=$disk/r.db
log=$PT_TMP/err
mkdir "$disk"
truncate -s 256M "$PT_TMP/image"
run mkfs.btrfs -q "$PT_TMP/image" 2>"$PT_TMP/mkfs"
mount -o loop "$PT_TMP/image" "$disk" 2>/dev/null || skip 'btrfs cannot be mounted'
unmount()
{
    stop_started
    umount "$disk"
}
trap unmount EXIT
btrfs quota enable "$disk" >"$PT_TMP/quota" 2>&1 && btrfs quota rescan -w "$disk" >"$PT_TMP/quota" 2>&1 || skip "no quota: $(cat "$PT_TMP/quota")"

start "$recorder" -o "$db" -i 50ms --deep off --procfs "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc" 2>"$log"
daemon=$pid
until_true 30 more_than "$db" 20 || fail "no snapshots: $(cat "$log")"
run btrfs qgroup limit 1M "$disk"
head -c 4M /dev/zero 2>/dev/null >"$disk/filler" # what is left of it
sync "$db-shm"
until_true 30 said "$log" 'cannot store: .*[Qq]uota' || fail "it says: $(cat "$log")"
sleep 2
kill -0 "$daemon" || fail 'the recorder ended'
run btrfs qgroup limit none "$disk"
until_true 30 said "$log" 'storing again' || fail "it does not store again: $(cat "$log")"
have=$(snapshots "$db")
until_true 30 more_than "$db" $((have + 5)) || fail 'no more snapshots'
stop "$daemon"
sound "$db"
[ "$(sql "$db" "select count(*) from event where kind in (4, 5) and text like '%quota%'")" -ge 1 ] ||
    fail "no event tells it: $(sql "$db" 'select text from event')"
accounted "$db" 50
