#!/bin/sh
# SPDX-License-Identifier: MIT
# What the recorder says of itself is what the kernel says of it, and what is in the file: CPU time, memory, bytes written,
# descriptors, processes, frames, ticks left out.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/r.db
start "$recorder" -q -o "$db" -i 200ms --deep all --cpu-budget 100%
daemon=$pid
until_true 60 more_than "$db" 10 || fail 'no snapshots'

last()
{
    sql "$db" 'select max(n) from snapshot'
}

# account KEY: of snapshot $n
account()
{
    awk -v key="$1" '$1 == key { print $2; there = 1 } END { exit !there }' "$PT_TMP/account" || fail "no '$1' in the account of snapshot $n"
}

# kernel: the CPU time in us and the bytes written of the recorder so far
kernel()
{
    # threads that ended are in the first, in hundredths of a second
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%d ", ($12 + $13) * 1000000 / tick }' "/proc/$daemon/stat"
    awk '/^wchar:/ { print $2 }' "/proc/$daemon/io"
}

# within WHAT VALUE LOW HIGH
within()
{
    echo "$1: $2 ($3 to $4)"
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1 is $2, not $3 to $4"
}

kernel >"$PT_TMP/before"
n=$(($(last) + 2)) # begun after that
until_true 30 more_than "$db" "$n" || fail 'no more snapshots'
kill -STOP "$daemon"
kernel >"$PT_TMP/after"
n=$(last)
run "$analyzer" show "$db" text self:account --at "@$n" >"$PT_TMP/account"
read -r cpu_before written_before <"$PT_TMP/before"
read -r cpu_after written_after <"$PT_TMP/after"
kernel_rss=$(rss "$daemon")
kept=$(find "/proc/$daemon/fd" -lname '/proc/[0-9]*' | wc -l)
kill -CONT "$daemon"
within cpu_us "$(account cpu_us)" $((cpu_before - 20000)) $((cpu_after + 20000))
within 'cpu_deep_us and cpu_store_us' $(($(account cpu_deep_us) + $(account cpu_store_us))) 1 "$(account cpu_us)"
within written_bytes "$(account written_bytes)" "$written_before" "$written_after"
within rss_kb "$(account rss_kb)" $((kernel_rss * 3 / 4)) $((kernel_rss * 5 / 4))
within fds_kept "$(account fds_kept)" $((kept * 8 / 10 - 10)) $((kept * 12 / 10 + 10))
within read_us "$(account read_us)" 1 10000000
within store_us "$(account store_us)" 1 10000000
within interval_us "$(account interval_us)" 200000 200000
within processes "$(account processes)" "$(sql "$db" "select processes from snapshot where n = $n")" "$(sql "$db" "select processes from snapshot where n = $n")"
# some end while they are looked at
within processes_read "$(account processes_read)" 1 $(($(account processes) * 102 / 100 + 5))
within deep_reads "$(account deep_reads)" 1 10000000
if [ "$(sql "$db" 'select min(n) from frame')" = 1 ]; then
    bytes=$(sql "$db" "select sum(length(data)) from frame where n < $n")
    within frame_bytes "$(account frame_bytes)" "$bytes" "$bytes"
fi

echo '-- ticks left out'
skipped=$(account ticks_skipped)
n=$(last)
until_true 30 more_than "$db" "$n" || fail 'no more snapshots'
kill -STOP "$daemon"
sleep 2
kill -CONT "$daemon"
n=$(($(last) + 2))
until_true 30 more_than "$db" "$n" || fail 'no more snapshots'
n=$(last)
run "$analyzer" show "$db" text self:account --at "@$n" >"$PT_TMP/account"
within ticks_skipped "$(account ticks_skipped)" $((skipped + 7)) 1000
stop "$daemon"
late=$(sql "$db" "select sum(cast(text as integer)) from event where kind = 2")
within 'ticks told in events' "$late" "$(account ticks_skipped)" $(($(account ticks_skipped) + 5))
sound "$db"
