#!/bin/sh
# SPDX-License-Identifier: MIT
# The captured machine of tests/fixtures, recorded at two stated times, the second with changed files: what the commands
# print of it stands in fixture.txt. PT_BLESS=1 writes that file anew; look at the difference before it is committed.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
export TZ=UTC LC_ALL=C
tree=$PT_TMP/tree
db=$PT_TMP/golden.db
cp -r "$PT_SOURCE/tests/fixtures/linux-6.18-x86_64" "$tree"

record()
{
    run "$recorder" -q --once --deep all --timestamp "$1" --procfs "$tree/proc" --sysfs "$tree/sys" \
        --cgroupfs "$tree/cgroup" -o "$db"
}

# kilobytes FILE FIELD TEXT: gives a field another value.
kilobytes()
{
    run sed -i "s/^$2: .*/$2: $3 kB/" "$1"
}

record 2026-11-20T10:00:00Z
kilobytes "$tree/proc/meminfo" MemFree '       23000000'
kilobytes "$tree/proc/meminfo" AnonPages '      1004268'
record 2026-11-20T10:05:00Z

for command in 'show DB meminfo --utc --at @1' 'show DB meminfo --utc --at @2' 'show DB ps --utc --at @1' \
    'balance DB --utc --at @2' 'balance DB @1 @2 --utc' 'balance DB --over 2 --utc' 'oom DB --utc' \
    'diff DB --utc' 'diff DB --utc --by exe' 'kernel DB --utc' 'show DB text proc:buddyinfo --at @2' 'explain MemAvailable'; do
    echo "\$ pagetrail $command"
    # the words of a command are its arguments
    # shellcheck disable=SC2046
    "$analyzer" $(echo "$command" | sed "s|DB|$db|") 2>&1 || fail "exit status $? of: $command"
    echo
done | sed "s|$db|DB|g" >"$PT_TMP/out"

if [ "${PT_BLESS:-}" ]; then
    cp "$PT_TMP/out" "$PT_SOURCE/tests/golden/fixture.txt"
fi
diff -u "$PT_SOURCE/tests/golden/fixture.txt" "$PT_TMP/out" || fail "the output is not what it was (PT_BLESS=1 accepts it)"
