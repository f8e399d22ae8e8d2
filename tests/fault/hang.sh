#!/bin/sh
# SPDX-License-Identifier: MIT
# A disk that hangs (a frozen file system) under one that never writes in place: the thread that stores waits, and nobody
# else does, not for its memory either. Snapshots are taken all the while, and stored afterwards.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
private_mounts
command -v mkfs.btrfs >/dev/null 2>&1 || skip 'no btrfs-progs'
command -v fsfreeze >/dev/null 2>&1 || skip 'no fsfreeze'
case $(uname -r) in
[1-5].* | 6.[0-6].* | 6.[0-6]-*) skip 'this kernel holds all memory of a process for a page of a file' ;;
esac
disk=$PT_TMP/disk
db=$disk/r.db
log=$PT_TMP/err
mkdir "$disk"
truncate -s 256M "$PT_TMP/image"
run mkfs.btrfs -q "$PT_TMP/image" 2>"$PT_TMP/mkfs"
mount -o loop "$PT_TMP/image" "$disk" 2>/dev/null || skip 'btrfs cannot be mounted'
unmount()
{
    fsfreeze -u "$disk" 2>/dev/null
    stop_started
    wait
    umount "$disk"
}
trap unmount EXIT

# ticks N: so many snapshots were taken.
ticks()
{
    [ "$(grep -c 'us of CPU' "$log")" -ge "$1" ]
}

start "$recorder" -vv -o "$db" -i 100ms 2>"$log"
daemon=$pid
until_true 60 more_than "$db" 5 || fail "no snapshots: $(cat "$log")"
run sync "$db-shm" # its pages want room anew
run fsfreeze -f "$disk"
sleep 2 # who waits does by now
had=$(grep -c 'us of CPU' "$log")
until_true 40 ticks $((had + 5)) || fail "of 40 seconds, $(($(grep -c 'us of CPU' "$log") - had)) snapshots"
run fsfreeze -u "$disk"
have=$(snapshots "$db")
until_true 60 more_than "$db" $((have + 5)) || fail 'no more snapshots'
stop "$daemon"
sound "$db"
