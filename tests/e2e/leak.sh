#!/bin/sh
# SPDX-License-Identifier: MIT
# pagetraild beside a program that leaks 1 MiB a second: diff's first process is that program, its growth is right to
# 2% of what the program itself logged between the two snapshots, and its mapping is named. 30 s (15 under sanitizers);
# PT_LONG=1: 5 minutes.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
seconds=30
[ -z "${PT_SANITIZED:-}" ] || seconds=15
[ -z "${PT_LONG:-}" ] || seconds=300

# leak HOW NAME: HOW it leaks, NAME of the mapping that must have grown.
leak()
{
    db=$PT_TMP/$1.db
    start "$PT_TOOLS/e2e_leak" $((seconds + 300)) "$1" "$PT_TMP/$1.log"
    leaker=$pid
    sleep 1
    run "$recorder" -q -o "$db" -i 1s -d ${seconds}s
    kill -0 "$leaker" || fail 'the leaking program ended before the recording'
    kill -9 "$leaker"
    run "$analyzer" diff "$db" --format json >"$PT_TMP/$1.json"
    run python3 "$PT_SOURCE/tests/e2e/leak.py" "$leaker" "$2" "$PT_TMP/$1.log" "$PT_TMP/$1.json" "$seconds"
}

leak heap '[heap]'
leak map '[anon]'
