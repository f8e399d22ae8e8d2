#!/bin/sh
# SPDX-License-Identifier: MIT
# What `report` prints: as text, Markdown and JSON of the captured machine of tests/fixtures, recorded at two stated times;
# as text and Markdown of a recording of labelled programs, with leaks, OOM kills and swapping in it. PT_BLESS=1 writes the
# files anew; look at the difference before it is committed.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
export TZ=UTC LC_ALL=C
tree=$PT_TMP/tree
db=$PT_TMP/golden.db
golden=$PT_SOURCE/tests/golden/report
cp -r "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64" "$tree"

record()
{
    run "$recorder" -q --once --deep all --timestamp "$1" --procfs "$tree/proc" --sysfs "$tree/sys" \
        --cgroupfs "$tree/cgroup" -o "$db"
}

# print DB NAME FORMAT SUFFIX: compared with NAME.SUFFIX, or taken for it; what a run costs is another in each, and so are
# paths of where the programs were recorded.
print()
{
    run "$analyzer" report "$1" --utc --format "$3" >"$PT_TMP/out"
    if [ "$3" = json ]; then
        jq 'del(.machine.cost, .machine.size)' "$PT_TMP/out" >"$PT_TMP/$2.$4"
    else
        sed -E 's#/(woodlab|root|tmp)/[^ |"]*#/elsewhere#g
            s/^((- \*\*)?(CPU|memory|size)(\*\*)?) .*( of one CPU|resident|a snapshot,).*/\1 .../' "$PT_TMP/out" >"$PT_TMP/$2.$4"
    fi
    if [ "${PT_BLESS:-}" ]; then
        mkdir -p "$golden"
        cp "$PT_TMP/$2.$4" "$golden/$2.$4"
    fi
    diff -u "$golden/$2.$4" "$PT_TMP/$2.$4" || fail "$2.$4 is not what it was (PT_BLESS=1 accepts it)"
}

record 2026-11-20T10:00:00Z
run sed -i 's/^AnonPages: .*/AnonPages:      1004268 kB/; s/^MemFree: .*/MemFree:       23000000 kB/' "$tree/proc/meminfo"
record 2026-11-20T10:05:00Z
print "$db" fixture text txt
print "$db" fixture markdown md
print "$db" fixture json json
print "$PT_SOURCE/tests/fixtures/labelled/chosen/s2.db" labelled text txt
print "$PT_SOURCE/tests/fixtures/labelled/chosen/s2.db" labelled markdown md
