#!/bin/sh
# SPDX-License-Identifier: MIT
# machine.sh KERNEL.deb BUILD OUT.db v1|v2 ARGUMENT...: makes a recording in a virtual machine of its own (KVM), with that
# kernel (Debian's linux-image-*-cloud-amd64), the programs of that build and control groups of that version; ARGUMENTs go
# to record.py. What this machine does besides is not in it, and what happens in it hurts nobody. Needs qemu-system-x86,
# busybox-static, e2fsprogs and Debian's python3.
set -eu

kernel=$(readlink -f "$1") build=$(readlink -f "$2") out=$(readlink -f "$3") version=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dpkg -x "$kernel" "$work/kernel"
modules=$(echo "$work"/kernel/lib/modules/*/kernel)

# A first root that finds the disk, with busybox and modules.
mkdir -p "$work/first/bin" "$work/first/disk"
cp /bin/busybox "$work/first/bin/busybox"
ln -s busybox "$work/first/bin/sh"
order='drivers/virtio/virtio drivers/virtio/virtio_ring drivers/virtio/virtio_pci_legacy_dev
    drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci drivers/block/virtio_blk crypto/lzo-rle mm/zsmalloc
    drivers/block/zram/zram'
for one in $order; do
    cp "$modules/$one.ko" "$work/first/"
done
{
    echo '#!/bin/sh'
    for one in $order; do
        echo "busybox insmod /${one##*/}.ko"
    done
    echo 'busybox mount -t devtmpfs dev /dev 2>/dev/null || { busybox mkdir -p /dev; busybox mount -t devtmpfs dev /dev; }'
    echo 'busybox mount -t ext4 /dev/vda /disk && exec busybox switch_root /disk /start'
} >"$work/first/init"
chmod +x "$work/first/init"
(cd "$work/first" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initrd"

# The disk: the programs, what they are linked with, and room for swap and for what is read over and over.
root=$work/root
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/bin" "$root/usr/lib" "$root/etc"
for program in /usr/bin/python3.11 "$(command -v unshare)" "$(command -v mkswap)" "$(command -v swapon)" \
    "$(command -v swapoff)" "$build/pagetraild" "$build/tests/episodes_subject"; do
    cp -L "$program" "$root/bin/"
    ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
        mkdir -p "$root${library%/*}"
        cp -nL "$library" "$root$library"
    done
done
cp /bin/busybox "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp -r /usr/lib/python3.11 "$root/usr/lib/"
cp "$here/record.py" "$root/record.py"
cat >"$root/start" <<END_
#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
busybox mount -t tmpfs tmpfs /sys/fs/cgroup
if [ $version = v1 ]; then
    busybox mkdir /sys/fs/cgroup/memory
    busybox mount -t cgroup -o memory cgroup /sys/fs/cgroup/memory
else
    busybox umount /sys/fs/cgroup
    busybox mount -t cgroup2 cgroup /sys/fs/cgroup
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control
fi
busybox hostname episodes
python3.11 /record.py /out.db --subject /bin/episodes_subject --recorder /bin/pagetraild $*
busybox sync
busybox umount -r / 2>/dev/null
busybox reboot -f
END_
chmod +x "$root/start"
truncate -s 4G "$work/disk"
mkfs.ext4 -q -d "$root" "$work/disk"

qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nodefaults -no-reboot -nographic -serial stdio \
    -kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initrd" -append 'console=ttyS0 quiet psi=1 panic=-1' \
    -drive "file=$work/disk,if=virtio,format=raw,cache=unsafe"
for one in db labels.json; do
    debugfs -R "dump /out.$one ${out%.db}.$one" "$work/disk" 2>/dev/null
    [ -s "${out%.db}.$one" ] || { echo "there is no out.$one" >&2; exit 1; }
done
