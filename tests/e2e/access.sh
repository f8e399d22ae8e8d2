#!/bin/sh
# SPDX-License-Identifier: MIT
# Recorders that may not read everything: as nobody, with hidepid=, as root without capabilities; and in namespaces of
# their own, with the host's /proc elsewhere. Each records what it may and says what it may not.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root, to become others'
[ -z "${PT_SANITIZED:-}" ] || skip 'needs a program that runs anywhere'
command -v setpriv >/dev/null 2>&1 || skip 'no setpriv'
unshare --mount --pid --fork true 2>/dev/null || skip 'no namespaces'
# among its own processes only: this machine may have thousands
[ -n "${PT_INSIDE:-}" ] || PT_INSIDE=1 exec unshare --mount --pid --fork --kill-child --mount-proc sh "$0"

box=$(mktemp -d) # where nobody may go
trap 'stop_started; rm -rf "$box"' EXIT
chmod 755 "$box"
cp "$recorder" "$box/pagetraild"
cp "$analyzer" "$box/pagetrail"
mkdir "$box/nobody" "$box/root" "$box/proc" "$box/tmpfs"
chown 65534 "$box/nobody"
as_nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
start sleep 600
of_root=$pid
# shellcheck disable=SC2086 # words
start $as_nobody sleep 600
of_nobody=$pid

# says DATABASE PATTERN: an event and, in $PT_TMP/err, a line do
says()
{
    sqlite3 -readonly "$1" 'select text from event where kind = 13' >"$PT_TMP/events"
    grep -Eq -- "$2" "$PT_TMP/events" || fail "no event says '$2': $(cat "$PT_TMP/events")"
    grep -Eq -- "^<5>.*$2" "$PT_TMP/err" || fail "it does not say '$2': $(cat "$PT_TMP/err")"
}

# has DATABASE SOURCE [PATTERN]
has()
{
    "$analyzer" show "$1" text "$2" >"$PT_TMP/text" 2>"$PT_TMP/why" || fail "$2: $(cat "$PT_TMP/why")"
    grep -Eq -- "${3:-.}" "$PT_TMP/text" || fail "$2 has no '${3:-.}': $(head -3 "$PT_TMP/text")"
}

# refuses DATABASE SOURCE WHY
refuses()
{
    "$analyzer" show "$1" text "$2" >/dev/null 2>"$PT_TMP/why" && fail "$2 is shown"
    grep -q -- "$3" "$PT_TMP/why" || fail "$2: not '$3': $(cat "$PT_TMP/why")"
}
once='--once --deep all'

echo '-- as nobody'
db=$box/nobody/a.db
# shellcheck disable=SC2086
run $as_nobody "$box/pagetraild" $once -o "$db" 2>"$PT_TMP/err"
says "$db" 'not permitted to read: .*proc:slabinfo'
says "$db" '[^a-z]smaps of [0-9]+ processes'
has "$db" proc:meminfo '^MemTotal: '
has "$db" "proc:$of_root/status" '^VmRSS:'
has "$db" "proc:$of_nobody/smaps" '^Pss: '
refuses "$db" "proc:$of_root/smaps" 'Permission denied'
refuses "$db" proc:slabinfo 'Permission denied'

echo '-- as root without capabilities'
db=$box/root/b.db
# shellcheck disable=SC2086
run setpriv --bounding-set -all --inh-caps -all "$box/pagetraild" $once -o "$db" 2>"$PT_TMP/err"
says "$db" 'not permitted to read: .*smaps of [0-9]+ processes'
has "$db" proc:slabinfo '^dentry'
has "$db" "proc:$of_nobody/status" '^VmRSS:'
refuses "$db" "proc:$of_nobody/smaps" 'Permission denied'

echo '-- whoever may not read a recording is told who may'
for command in "pagetrail info $db" "pagetraild dump $db -o $box/nobody/dump.db"; do
    # shellcheck disable=SC2086
    $as_nobody "$box"/$command >/dev/null 2>"$PT_TMP/err"
    [ $? -eq 3 ] && grep -q 'Permission denied' "$PT_TMP/err" && grep -q 'try sudo' "$PT_TMP/err" ||
        fail "as nobody: $command: $(cat "$PT_TMP/err")"
done

echo '-- hidepid=2'
db=$box/nobody/c.db
# shellcheck disable=SC2086
unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh \
    $as_nobody "$box/pagetraild" $once -o "$db" 2>"$PT_TMP/err" || fail "exit status $?: $(cat "$PT_TMP/err")"
says "$db" 'processes of other users are hidden: procfs is mounted with hidepid'
has "$db" "proc:$of_nobody/smaps" '^Pss: '
refuses "$db" "proc:$of_root/status" 'was not there'
db=$box/nobody/d.db
# shellcheck disable=SC2086
unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh \
    $as_nobody --inh-caps +sys_ptrace --ambient-caps +sys_ptrace "$box/pagetraild" $once -o "$db" 2>"$PT_TMP/err" ||
    fail "exit status $?: $(cat "$PT_TMP/err")"
grep -q 'hidden' "$PT_TMP/err" && fail 'hidden from CAP_SYS_PTRACE?'
has "$db" "proc:$of_root/smaps" '^Pss: '

echo '-- a container that has the /proc of its host'
db=$box/root/e.db
cat >"$PT_TMP/container" <<'END'
mount --rbind /proc "$1/proc" && shift && exec unshare --pid --ipc --net --fork --mount-proc "$@"
END
# shellcheck disable=SC2086
unshare --mount sh "$PT_TMP/container" "$box" "$box/pagetraild" $once --procfs "$box/proc" -o "$db" 2>"$PT_TMP/err" ||
    fail "exit status $?: $(cat "$PT_TMP/err")"
has "$db" "proc:$of_root/smaps" '^Pss: '
has "$db" "proc:$of_nobody/cmdline" sleep
if [ -r /proc/1/mounts ] && readlink /proc/1/ns/net >/dev/null; then
    has "$db" proc:1/mounts ' /proc proc '
    has "$db" proc:self/net/sockstat '^sockets: used '
    refuses "$db" proc:net/sockstat 'not recorded'
fi

echo '-- a container that has nothing where its --procfs should be'
db=$box/root/g.db
# shellcheck disable=SC2086
run "$box/pagetraild" $once --procfs "$box/tmpfs" -o "$db" 2>"$PT_TMP/err"
says "$db" 'no meminfo in the directory that --procfs names'

echo '-- a service whose view of the file system is its own'
db=$box/root/f.db
cat >"$PT_TMP/host" <<'END'
mount -t tmpfs -o size=7m,nr_inodes=77 tmpfs "$1/tmpfs" && dd if=/dev/zero of="$1/tmpfs/x" bs=1M count=3 status=none
unshare --mount sh -c 'umount "$1/tmpfs" && shift && exec "$@"' sh "$@"
END
# shellcheck disable=SC2086
unshare --mount --pid --fork --mount-proc sh "$PT_TMP/host" "$box" "$box/pagetraild" $once -o "$db" 2>"$PT_TMP/err" ||
    fail "exit status $?: $(cat "$PT_TMP/err")"
has "$db" proc:1/mounts "$box/tmpfs tmpfs"
has "$db" "statfs:$box/tmpfs" '7168|1792'
