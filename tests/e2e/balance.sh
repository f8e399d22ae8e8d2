#!/bin/sh
# SPDX-License-Identifier: MIT
# Where the machine's memory is, on this machine: a process that forks, a memfd, a tmpfs file that is deleted and held open, a
# bind mount and a System V segment are each found once and at their size; all adds up; what is unaccounted is little.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
[ "$(id -u)" -eq 0 ] || skip 'needs root'
command -v jq >/dev/null || skip 'no jq'
db=$PT_TMP/a.db
mkdir "$PT_TMP/tmpfs" "$PT_TMP/bound"
shmid=
clean_up() # the recorder looks at the mounts of all
{
    stop_started
    [ -z "$shmid" ] || ipcrm -m "$shmid"
    umount -l "$PT_TMP/bound" "$PT_TMP/tmpfs" 2>/dev/null # who was killed may hold it for a moment
}
trap clean_up EXIT
mount -t tmpfs -o size=64m balance "$PT_TMP/tmpfs" 2>/dev/null || skip 'no tmpfs can be mounted'
mount --bind "$PT_TMP/tmpfs" "$PT_TMP/bound" || fail 'bind mount'

# 48 MiB of anonymous memory between two processes, 24 MiB of a memfd in both, 16 MiB of a segment nobody is attached to
start python3 -c '
import ctypes, mmap, os, sys, time
MIB = 1 << 20
def fill(m, n):
    for at in range(0, n, 4096):
        m[at] = 1
anon = mmap.mmap(-1, 48 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
fill(anon, 48 * MIB)
fd = os.memfd_create("balance-e2e")
os.ftruncate(fd, 24 * MIB)
shared = mmap.mmap(fd, 24 * MIB)
fill(shared, 24 * MIB)
held = open(sys.argv[1] + "/held", "wb")
held.write(b"x" * (32 * MIB))
held.flush()
os.unlink(sys.argv[1] + "/held")
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
shmid = libc.shmget(0, ctypes.c_size_t(16 * MIB), 0o1600)
at = libc.shmat(shmid, None, 0)
ctypes.memset(at, 1, 16 * MIB)
libc.shmctl(shmid, 11, None) # SHM_LOCK: another test may fill the memory
libc.shmdt(at)
libc.mlockall(3)
child = os.fork()
if child == 0:
    import ctypes
    libc.prctl(1, 9)  # ends with its parent
    time.sleep(600)
    os._exit(0)
print(shmid, child, flush=True)
time.sleep(600)
' "$PT_TMP/tmpfs" >"$PT_TMP/ready"
holder=$pid
until_true 30 test -s "$PT_TMP/ready" || fail 'the holder does not hold'
read -r shmid child <"$PT_TMP/ready"

start "$recorder" -q -o "$db" -i 500ms --deep all --cpu-budget 50
recorder_pid=$pid
deep()
{
    [ "$("$analyzer" balance "$db" --format json 2>/dev/null | jq "[.lines[].holders[] |
        select((.pid == $holder or .pid == $child) and .estimated == 0)] | length")" = 2 ]
}
until_true 60 deep || fail 'the holders are not read in smaps'
stop "$recorder_pid"

run "$analyzer" balance "$db" --format json >"$PT_TMP/json"
validate balance "$PT_TMP/json"
run "$analyzer" balance "$db" >"$PT_TMP/text"
awk 'length > 80 { exit 1 }' "$PT_TMP/text" || fail "over 80 columns: $(cat "$PT_TMP/text")"

adds='def sum(side): .total[side] == ([.lines[].bytes[side]] | add) and
    all(.lines[] | select(.rest != null); .bytes[side] == .rest.bytes[side] + ([.holders[].bytes[side] // 0] | add // 0));'
jq -e "$adds sum(\"after\")" "$PT_TMP/json" >/dev/null || fail "it does not add up: $(cat "$PT_TMP/json")"

# holds FILTER LEAST MOST: MiB
holds()
{
    jq -e --argjson least "$2" --argjson most "$3" "[.lines[].holders[] | select($1) | .bytes.after / 1048576] |
        length == 1 and .[0] >= \$least and .[0] <= \$most" "$PT_TMP/json" >/dev/null ||
        fail "$1 is not once $2 to $3 MiB: $(jq -c "[.lines[].holders[] | select($1)]" "$PT_TMP/json")"
}
holds ".pid == $holder" 24 36
holds ".pid == $child" 24 36
holds '.name // "" | startswith("/memfd:balance-e2e")' 24 24
holds ".name == \"shmid $shmid\"" 16 16
jq -e --arg here "$PT_TMP" '[.lines[].holders[] | select(.kind == "tmpfs" and (.name | startswith($here))) |
    .bytes.after / 1048576] | length == 1 and .[0] == 32' "$PT_TMP/json" >/dev/null ||
    fail "the tmpfs is not once 32 MiB: $(jq -c '[.lines[].holders[] | select(.kind == "tmpfs")]' "$PT_TMP/json")"

# a few snapshots and pairs
last=$(jq .to.snapshot "$PT_TMP/json")
for n in 1 $((last / 2)) $((last - 1)); do
    run "$analyzer" balance "$db" --at "@$n" --format json | jq -e "$adds sum(\"after\")" >/dev/null || fail "@$n does not add up"
    run "$analyzer" balance "$db" "@$n" "@$last" --format json >"$PT_TMP/pair"
    jq -e "$adds sum(\"before\") and sum(\"after\") and sum(\"delta\")" "$PT_TMP/pair" >/dev/null ||
        fail "@$n to @$last does not add up"
done
validate balance "$PT_TMP/pair"
run "$analyzer" balance "$db" --over 5 --format json >"$PT_TMP/over"
validate balance-over "$PT_TMP/over"
jq -e 'all(.points[]; .total == ([.lines[]] | add))' "$PT_TMP/over" >/dev/null || fail 'a point does not add up'
run "$analyzer" balance "$db" --over 5 >"$PT_TMP/text"
rows=$(($(wc -l <"$PT_TMP/text") - 2))
[ "$rows" -ge 2 ] && [ "$rows" -le 5 ] && awk 'length > 80 { exit 1 }' "$PT_TMP/text" || fail "--over: $(cat "$PT_TMP/text")"

# the residual: the median over the snapshots there are, under 1% of the machine or 128 MiB
jq -r '([.points[].lines.unaccounted] | sort | .[length / 2 | floor]) as $rest |
    "unaccounted: \($rest / 1048576 | floor) MiB, \($rest * 10000 / .points[0].total | round / 100)% of MemTotal"' "$PT_TMP/over"
jq -e '([.points[].lines.unaccounted] | sort | .[length / 2 | floor]) as $rest | .points[0].total as $total |
    ($rest | fabs) < ([$total / 100, 134217728] | max)' "$PT_TMP/over" >/dev/null ||
    fail "unaccounted: $(jq -c '[.points[].lines.unaccounted]' "$PT_TMP/over")"

# full sockets are in the unaccounted line, and the sheet tells of them
start python3 -c '
import signal, socket, time
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(64)
pairs = []
for _ in range(24):
    client = socket.create_connection(server.getsockname())
    pairs.append((client, server.accept()[0]))
    client.setblocking(False)
print("connected", flush=True)
signal.sigwait([signal.SIGUSR1])
for client, _ in pairs:
    try:
        while True:
            client.send(bytes(65536))
    except BlockingIOError:
        pass
print("full", flush=True)
time.sleep(600)' >"$PT_TMP/sockets"
sockets=$pid
until_true 30 grep -q connected "$PT_TMP/sockets" || fail 'no sockets'
db=$PT_TMP/b.db
run "$recorder" -q --once --deep off -o "$db"
kill -USR1 "$sockets"
until_true 30 grep -q full "$PT_TMP/sockets" || fail 'the sockets are not full'
run "$recorder" -q --once --deep off -o "$db"
run "$analyzer" balance "$db" @1 @2 --format json >"$PT_TMP/pair"
jq -e '(.hints[] | select(.name | contains("TCP")) | .bytes.delta) as $told |
    (.lines[] | select(.line == "unaccounted") | .bytes.delta) as $rest |
    $told > 33554432 and $rest > $told / 2 and $rest < $told * 2' "$PT_TMP/pair" >/dev/null ||
    fail "full sockets: $(jq -c '[.hints, (.lines[] | select(.line == "unaccounted"))]' "$PT_TMP/pair")"

# other kernels, and a tree made to break parsers: what is known adds up, what is not is said
mkdir "$PT_TMP/none"
# tree NAME: its recording in $db
tree()
{
    from=$PT_SOURCE/tests/fixtures/$1
    db=$PT_TMP/$1.db
    run "$recorder" -q --once --deep all --procfs "$from/proc" -o "$db" \
        --sysfs "$([ -d "$from/sys" ] && echo "$from/sys" || echo "$PT_TMP/none")" \
        --cgroupfs "$([ -d "$from/cgroup" ] && echo "$from/cgroup" || echo "$PT_TMP/none")"
    for command in balance oom; do
        run "$analyzer" "$command" "$db" --format json >"$PT_TMP/$1.$command.json"
        validate "$command" "$PT_TMP/$1.$command.json"
        run "$analyzer" "$command" "$db" >"$PT_TMP/$1.$command"
        awk 'length > 80 { exit 1 }' "$PT_TMP/$1.$command" || fail "$1: over 80 columns: $(cat "$PT_TMP/$1.$command")"
    done
    jq -e "$adds .lines == [] or sum(\"after\")" "$PT_TMP/$1.balance.json" >/dev/null || fail "$1 does not add up"
}
# says NAME.COMMAND TEXT
says()
{
    grep -q -- "$2" "$PT_TMP/$1" || fail "$1 does not say '$2': $(cat "$PT_TMP/$1")"
}
tree linux-4.18-x86_64
says linux-4.18-x86_64.balance '^  1201 postmaster .* estimated$'
says linux-4.18-x86_64.oom '^ *1201 .* ? .* first$' # its oom_score_adj is not there
tree linux-5.10-arm64-64k
says linux-5.10-arm64-64k.balance 'slab caches are not known'
says linux-5.10-arm64-64k.balance '^  free in the pool '
says linux-5.10-arm64-64k.oom 'not known: zoneinfo was not recorded'
tree cgroup-v2-numa
says cgroup-v2-numa.balance 'was not recorded$'
says cgroup-v2-numa.oom '^ *Node 1, zone Normal '
tree hostile

db=$PT_TMP/b.db
last=2
for wrong in '@5 --at @6' '@9999' "@$last @1" '--over 0' '--over x'; do
    # shellcheck disable=SC2086
    "$analyzer" balance "$db" $wrong >/dev/null 2>&1 && fail "'$wrong' is taken"
done
exit 0
