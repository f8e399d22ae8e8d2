#!/bin/sh
# SPDX-License-Identifier: MIT
# What becomes of the place that is recorded to: its directory is removed, its file system is unmounted, a read-only one
# is mounted over it, it may not be written any more. Recording goes on as soon as it can, and one recorder a file stays
# the rule.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
private_mounts
tree=$PT_SOURCE/tests/fixtures/linux-6.18-x86_64/proc
dir=$PT_TMP/dir
db=$dir/r.db
log=$PT_TMP/err

begin()
{
    echo "-- $1"
    rm -rf "$dir"
    mkdir "$dir"
    shift
    start "$@" "$recorder" -o "$db" -i 100ms --deep off --procfs "$tree" 2>"$log"
    daemon=$pid
    until_true 30 more_than "$db" 5 || fail "no snapshots: $(cat "$log")"
}

again()
{
    until_true 30 said "$log" 'storing again' || fail "it does not store again: $(cat "$log")"
    until_true 30 more_than "$db" "${1:-5}" || fail 'recording does not go on'
}

begin 'the directory is removed'
rm -rf "$dir"
until_true 30 said "$log" 'was moved or deleted: a new file is begun' || fail "it says nothing: $(cat "$log")"
until_true 30 more_than "$db" 5 || fail 'recording does not go on'
"$recorder" -q -o "$db" --once --procfs "$tree" 2>"$PT_TMP/other" && fail 'a second recorder is let in'
grep -q "by process $daemon\$" "$PT_TMP/other" || fail "the second is told: $(cat "$PT_TMP/other")"
rm "$db.lock"
until_true 30 test -e "$db.lock" || fail 'its lock is gone for good'
"$recorder" -q -o "$db" --once --procfs "$tree" 2>"$PT_TMP/other" && fail 'a second recorder is let in'
stop "$daemon"
sound "$db"

mount=$dir
mkdir -p "$mount"
if mount -t tmpfs none "$mount" 2>/dev/null; then
    dir=$mount/dir
    db=$dir/r.db
    begin 'the file system that it lies on is unmounted, and mounted again'
    umount -l "$mount"
    until_true 30 said "$log" 'cannot store' || fail "it says nothing: $(cat "$log")"
    sleep 1
    [ ! -e "$dir" ] || fail 'a directory is made on another file system'
    mount -t tmpfs none "$mount" || fail 'it cannot be mounted again'
    mkdir "$dir"
    again
    stop "$daemon"
    sound "$db"
    [ "$(sql "$db" "select count(*) from event where kind = 4 and text like '% snapshots and %'")" -ge 1 ] || fail 'no loss is told'
    umount "$mount"
    dir=$mount
    db=$dir/r.db
fi

begin 'a read-only file system is mounted over it'
if mount -t tmpfs -o ro none "$dir" 2>/dev/null; then
    until_true 30 said "$log" 'cannot store: .*Read-only file system' || fail "it says: $(cat "$log")"
    umount "$dir"
    again "$(snapshots "$db")"
    stop "$daemon"
    sound "$db"
    [ "$(sql "$db" 'select min(n) from snapshot')" = 1 ] || fail 'it is another file'
    # the one gap is what is told as lost
    [ "$(sql "$db" "select count(*) from event where kind = 4 and text like '%Read-only file system'")" = 1 ] || fail 'no loss is told'
fi

echo '-- read-only from the start'
if mount -t tmpfs -o ro none "$dir" 2>/dev/null; then
    "$recorder" -q -o "$db" --once --procfs "$tree" 2>"$PT_TMP/other"
    [ $? -eq 3 ] || fail 'exit status is not 3'
    grep -q 'Read-only file system' "$PT_TMP/other" || fail "it says: $(cat "$PT_TMP/other")"
    umount "$dir"
fi

if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --clear-groups test -x "$recorder" 2>/dev/null &&
    setpriv --reuid=65534 --clear-groups test -x "$PT_TMP"; then
    echo '-- it may not be written any more'
    rm -rf "$dir"
    mkdir "$dir"
    chown 65534 "$dir"
    start setpriv --reuid=65534 --clear-groups "$recorder" -o "$db" -i 100ms --deep off --procfs "$tree" 2>"$log"
    daemon=$pid
    until_true 30 more_than "$db" 5 || fail "no snapshots: $(cat "$log")"
    chmod 0 "$dir" "$db"
    have=$(snapshots "$db")
    until_true 30 more_than "$db" $((have + 5)) || fail 'what is open is not recorded to any more'
    kill -HUP "$daemon"
    until_true 30 said "$log" 'cannot open .* anew: .*Permission denied' || fail "it says: $(cat "$log")"
    chmod 700 "$dir"
    chmod 600 "$db"
    again "$(snapshots "$db")"
    stop "$daemon"
    sound "$db"
fi
exit 0
