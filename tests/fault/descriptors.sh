#!/bin/sh
# SPDX-License-Identifier: MIT
# 64 descriptors, then 40: nothing is left unread for want of one, and it is told once that they are few.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
for limit in 64 40; do
    db=$PT_TMP/$limit.db
    prlimit --nofile=$limit:$limit "$recorder" -o "$db" -i 300ms -d 5s --raw-log "$PT_TMP/$limit.log" 2>"$PT_TMP/err" ||
        fail "exit status $? with $limit descriptors: $(cat "$PT_TMP/err")"
    for errno in 23 24; do # ENFILE, EMFILE
        ! grep -a -q "outcome unreadable:$errno\$" "$PT_TMP/$limit.log" || fail "files could not be opened with $limit descriptors"
    done
    [ "$(grep -c "only $limit descriptors" "$PT_TMP/err")" = 1 ] || fail "not told once: $(cat "$PT_TMP/err")"
    [ "$(sql "$db" "select count(*) from event where text like 'only $limit descriptors%'")" = 1 ] || fail 'no event'
    more_than "$db" 3 || fail 'hardly a snapshot was taken'
    run "$verify" --every 4 "$db" "$PT_TMP/$limit.log"
    sound "$db"
done
