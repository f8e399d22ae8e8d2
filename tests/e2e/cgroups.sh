#!/bin/sh
# SPDX-License-Identifier: MIT
# A live memory cgroup, named as Docker names one: its files are recorded, its processes bear its name, and one that is
# removed and made anew under the same path is the new one.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
id=c8b38413c88eefe063b8cd3f01c16be5e3bda9693a19a68a88807baca9feb937
db=$PT_TMP/a.db
if [ -f /sys/fs/cgroup/memory/memory.usage_in_bytes ]; then
    root=/sys/fs/cgroup/memory limit=memory.limit_in_bytes below=memory/
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
    root=/sys/fs/cgroup limit=memory.max below=
else
    skip 'no hierarchy of control groups that accounts memory'
fi
parent=pagetrail-cgroups-$$
path=$parent/docker/$id
name=cgroup:$below$path

clean_up()
{
    stop_started
    sleep 0.2
    for group in "$path" "$parent/docker" "$parent"; do
        [ ! -d "$root/$group" ] || rmdir "$root/$group"
    done 2>/dev/null
}
trap clean_up EXIT
mkdir "$root/$parent" 2>/dev/null || skip 'control groups cannot be made here'

# group BYTES: makes it, with that limit.
group()
{
    mkdir -p "$root/$path" || fail "cannot make $path"
    for one in "$parent" "$parent/docker"; do
        [ "$below" ] || echo +memory >"$root/$one/cgroup.subtree_control"
    done
    echo "$1" >"$root/$path/$limit"
}

# sleeper: a process in it.
sleeper()
{
    # the shell that joins becomes the sleeper
    # shellcheck disable=SC2016
    start sh -c 'echo $$ >"$1/cgroup.procs" && exec sleep 1000' sh "$root/$path"
    until_true 10 grep -qx "$pid" "$root/$path/cgroup.procs" || fail 'a process did not join'
}

# says FILE TEXT: the last snapshot has it.
says()
{
    [ "$("$analyzer" show "$db" text "$name/$1" 2>/dev/null)" = "$2" ]
}
gone()
{
    "$analyzer" show "$db" text "$name/$limit" 2>&1 | grep -q 'was not there'
}

group 67108864
sleeper
first=$pid
start "$recorder" -q --deep off -i 250ms -o "$db"
until_true 30 says "$limit" 67108864 || fail "the limit of $name was not recorded"
[ -n "$("$analyzer" show "$db" text "$name/memory.stat")" ] || fail "no memory.stat of $name"
run "$analyzer" show "$db" ps --format json >"$PT_TMP/ps"
run python3 -c '
import json, sys
p = {p["pid"]: p for p in json.load(open(sys.argv[1]))["processes"]}[int(sys.argv[2])]
assert p["cgroup"] == "/" + sys.argv[3], p
assert p["container"] == sys.argv[4], p
assert p["service"] == "docker-" + sys.argv[4][:12], p' \
    "$PT_TMP/ps" "$first" "$path" "$id"
run "$analyzer" diff "$db" --by cgroup --format json >"$PT_TMP/diff"
grep -qF "\"/$path\"" "$PT_TMP/diff" || fail "diff --by cgroup does not know /$path"

kill "$first"
until_true 10 rmdir "$root/$path" || fail "cannot remove $path"
group 134217728
sleeper
until_true 30 says "$limit" 134217728 || fail "the limit of $name is still that of a group that was removed"

kill "$pid"
until_true 10 rmdir "$root/$path" || fail "cannot remove $path"
until_true 30 gone || fail "$name is still there"
status=$("$analyzer" check "$db" 2>&1) || fail "check: $status"
