#!/bin/sh
# SPDX-License-Identifier: MIT
# The recorder's memory stays where it is when memory is short, and is little; without the permission it says what it
# could not have, and records.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
db=$PT_TMP/a.db
log=$PT_TMP/log
[ "$PT_SANITIZED" = 1 ] && skip 'sanitizers do not let memory be locked'

# A program of its own: pages that another recorder has mapped too are not paged out, nor those not written yet.
cp "$recorder" "$PT_TMP/pagetraild" && sync "$PT_TMP/pagetraild" || fail 'no copy of the recorder'
recorder=$PT_TMP/pagetraild

# has_snapshots N
has_snapshots()
{
    [ "$(snapshots "$db")" -ge "$1" ]
}

# record COMMAND...: starts the recorder with it; sets before, after, locked.
record()
{
    rm -f "$db" "$db-wal" "$db-shm"
    start "$@" "$recorder" -vv -o "$db" -i 200ms 2>"$log"
    until_true 30 has_snapshots 5 || fail "no snapshots: $(cat "$log")"
    numbers=$(python3 "$PT_SOURCE/tests/e2e/endure.py" "$pid")
    case $? in
    0) ;;
    77) skip 'this kernel cannot be asked to page a process out' ;;
    *) fail 'endure.py' ;;
    esac
    read -r before after locked <<E
$numbers
E
    echo "$before KiB resident, $after after paging out, $locked locked"
    run kill -TERM "$pid"
    wait "$pid" || fail "exit status $?: $(cat "$log")"
}

echo '-- as it is'
record env
if grep -q 'cannot lock memory' "$log"; then
    skip "$(grep 'cannot lock memory' "$log")"
fi
[ "$after" -ge $((before - 64)) ] || fail 'its memory can be paged out'
[ "$locked" -le 32768 ] || fail 'more than 32 MiB are locked'

echo '-- without the permission'
command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ] || skip 'no setpriv, or not root'
record prlimit --memlock=65536:65536 setpriv --bounding-set=-ipc_lock,-sys_nice,-sys_resource
grep -q 'cannot lock memory' "$log" || fail "it does not say that memory is not locked: $(cat "$log")"
grep -q 'cannot raise the priority' "$log" || fail "it does not say that it keeps its priority: $(cat "$log")"
# where there is no swap only pages of files can go
[ "$after" -lt $((before - 64)) ] || fail 'even so it stays: this shows nothing'
