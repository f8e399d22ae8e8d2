#!/bin/sh
# SPDX-License-Identifier: MIT
# The service manager's protocol: ready once a snapshot is stored, signs of life, also while the disk hangs (a frozen
# file system, where one can be mounted), reloading, stopping, on a socket with a path and on an abstract one.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
command -v python3 >/dev/null 2>&1 || skip 'no python3'

disk=$PT_TMP/disk
frozen=
cleanup()
{
    [ -z "$frozen" ] || { fsfreeze -u "$disk"; umount "$disk"; } 2>/dev/null
    stop_started
}
trap cleanup EXIT
mkdir "$disk"
if [ "$(id -u)" -eq 0 ] && command -v mkfs.ext4 >/dev/null 2>&1 && command -v fsfreeze >/dev/null 2>&1; then
    dd if=/dev/zero of="$PT_TMP/image" bs=1M count=32 status=none
    mkfs.ext4 -q "$PT_TMP/image" && mount -o loop "$PT_TMP/image" "$disk" 2>/dev/null && frozen=$disk
fi
[ -n "$frozen" ] || echo 'note: no file system can be mounted here: a hanging disk is not tried'
python3 "$PT_SOURCE/tests/e2e/notify.py" "$recorder" "$disk/n.db" "$frozen" || fail 'see above'
