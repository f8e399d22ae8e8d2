#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine of plain files, recorded at stated times before and after a reboot: every number and name of diff and show is
# known beforehand.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
tree=$PT_TMP/proc
db=$PT_TMP/exact.db
mkdir -p "$tree/sys/kernel/random" "$PT_TMP/none"

# memory FREE_KB ANON_KB: meminfo of a machine of 1,000,000 kB.
memory()
{
    printf '%-16s%8d kB\n' MemTotal: 1000000 MemFree: "$1" MemAvailable: "$1" Buffers: 1000 Cached: 5000 \
        SwapCached: 0 Active: 0 Inactive: 0 Unevictable: 0 SwapTotal: 2000 SwapFree: 1500 AnonPages: "$2" \
        Shmem: 2000 SReclaimable: 300 SUnreclaim: 400 KernelStack: 100 PageTables: 50 VmallocUsed: 150 >"$tree/meminfo"
}

# process PID START COMM UID CGROUP ANON_KB SWAP_KB: with a heap of all of it.
process()
{
    dir=$tree/$1
    mkdir -p "$dir"
    printf '%s (%s) S 1 %s %s 0 -1 4194304 1 0 0 0 10 5 0 0 20 0 1 0 %s 10000000 %s 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n' \
        "$1" "$3" "$1" "$1" "$2" "$(($6 / 4))" >"$dir/stat"
    printf '%s %s %s 1 0 1 0\n' 2500 "$(($6 / 4))" 0 >"$dir/statm"
    printf 'Name:\t%s\nState:\tS (sleeping)\nPid:\t%s\nUid:\t%s\t%s\t%s\t%s\nVmSize:\t%8d kB\nVmRSS:\t%8d kB\nRssAnon:\t%8d kB\nRssFile:\t%8d kB\nRssShmem:\t%8d kB\nVmSwap:\t%8d kB\nThreads:\t1\n' \
        "$3" "$1" "$4" "$4" "$4" "$4" 10000 "$6" "$6" 0 0 "$7" >"$dir/status"
    printf '0::%s\n' "$5" >"$dir/cgroup"
    printf '%s\0--flag\0' "$3" >"$dir/cmdline"
    printf '5600-5700 rw-p 00000000 00:00 0                          [heap]\nRss:            %8d kB\nPss:            %8d kB\nPrivate_Clean:  %8d kB\nPrivate_Dirty:  %8d kB\nSwap:           %8d kB\nSwapPss:        %8d kB\n' \
        "$6" "$6" 0 "$6" "$7" "$7" >"$dir/smaps"
    ln -sfn "/opt/$3" "$dir/exe"
}

# boot ID: of the machine that is recorded next.
boot()
{
    printf '%s\n' "$1" >"$tree/sys/kernel/random/boot_id"
}

snapshot()
{
    run "$recorder" -q --once --deep all --timestamp "$1" --procfs "$tree" --sysfs "$PT_TMP/none" \
        --cgroupfs "$PT_TMP/none" -o "$db"
}

boot 11111111-1111-4111-8111-111111111111
memory 900000 50000
process 10 100 stays 0 /system.slice/web.service 1000 8
process 11 110 goes 1000 /user.slice 2000 0
snapshot 2026-11-20T10:00:00Z
memory 880000 60000
process 10 100 stays 0 /system.slice/web.service 9000 16
rm -r "$tree/11"
process 11 120 reused 1000 /user.slice 3000 0
snapshot 2026-11-20T10:01:00Z
boot 22222222-2222-4222-8222-222222222222
memory 700000 90000
rm -r "$tree/10" "$tree/11"
process 77 50 stays 0 /system.slice/web.service 30000 0
snapshot 2026-11-20T12:00:00Z

check()
{
    run python3 "$PT_SOURCE/tests/e2e/analyze_exact.py" "$analyzer" "$db"
}
check
