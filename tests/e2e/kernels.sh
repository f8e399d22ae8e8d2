#!/bin/sh
# SPDX-License-Identifier: MIT
# Every command on recordings of other kernels, and of this one without what a kernel or a permission may withhold: pressure,
# slabinfo, NUMA nodes, cgroups. Each says what it cannot know, the rest works, and documents keep to their schemas.
. "${PT_SOURCE:?}/tests/lib/e2e.sh"
export LC_ALL=C.UTF-8
commands='info diff leaks growth swap kernel balance oom events report'
fixtures=$PT_SOURCE/tests/fixtures
# where nobody may go too
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
chmod 755 "$box"
cp "$recorder" "$box/pagetraild"

# copy FIXTURE: a tree to be changed, in $tree.
copy()
{
    tree=$box/tree
    rm -rf "$tree"
    cp -r "$fixtures/$1" "$tree"
    mkdir -p "$tree/sys" "$tree/cgroup"
}

# look NAME [PREFIX...]: two snapshots of $tree, a minute apart, the recorder run by PREFIX, and what all commands say of
# them in $out.COMMAND and $out.COMMAND.json.
look()
{
    echo "-- $1"
    out=$PT_TMP/$1
    mkdir "$box/$1"
    chmod 777 "$box/$1"
    db=$box/$1/a.db
    shift
    for time in 10:00 10:01; do
        run "$@" "$box/pagetraild" -q --once --deep all --timestamp "2026-11-20T$time:00Z" --procfs "$tree/proc" \
            --sysfs "$tree/sys" --cgroupfs "$tree/cgroup" -o "$db"
    done
    for command in $commands; do
        for options in '' -v; do
            # shellcheck disable=SC2086 # none, or one
            run "$analyzer" $command "$db" $options >"$out.$command" 2>"$out.error"
            ! grep -Ev '^.{0,80}$' "$out.$command" || fail "$command: over 80 columns"
        done
        run "$analyzer" $command "$db" --format json >"$out.$command.json" 2>"$out.error"
    done
    run "$analyzer" report "$db" --format markdown >"$out.markdown"
    run "$analyzer" report "$db" --format html >"$out.html"
    python3 - "$PT_SOURCE/analyze" "$out" $commands <<'PYTHON' || fail 'a document is not what its schema says'
import glob, json, sys
from jsonschema import Draft202012Validator
def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)
for command in sys.argv[3:]:
    schema = load(glob.glob("%s/*/%s.schema.json" % (sys.argv[1], command))[0])
    Draft202012Validator(schema).validate(load("%s.%s.json" % (sys.argv[2], command)))
PYTHON
}

# says COMMAND TEXT...: each is in what it printed.
says()
{
    command=$1
    shift
    for text; do
        grep -q -- "$text" "$out.$command" || fail "$command does not say '$text': $(cat "$out.$command")"
    done
}

# not COMMAND TEXT...: none is.
says_not()
{
    command=$1
    shift
    for text; do
        ! grep -q -- "$text" "$out.$command" || fail "$command says '$text': $(cat "$out.$command")"
    done
}

# is COMMAND FILTER...: holds of its document.
is()
{
    command=$1
    shift
    for filter; do
        jq -e "$filter" "$out.$command.json" >/dev/null || fail "of $command not so: $filter: $(cut -c 1-4000 "$out.$command.json")"
    done
}

python3 -c 'import jsonschema' 2>/dev/null || skip 'schemas are not checked: no python3 with jsonschema'
[ "$(id -u)" -eq 0 ] || skip 'needs root, to become others'
command -v jq >/dev/null || skip 'no jq'

copy linux-4.18-x86_64
look linux-4.18
is info '.host.mem_total > 0 and .coverage.processes == 1'
says swap 'up to 12.0 MiB in swap' 'how long tasks waited: no pressure' 'wanted back: refaults of anonymous' '^1201  *postmaster'
is swap '.verdict == "harmless" and ([.devices[].used_bytes] == [12582912])'
says kernel 'fragmentation: buddyinfo was not' 'vmalloc by caller: vmallocinfo' 'NUMA nodes: none' '^  xfs_inode  *29.8 MiB' \
    'allocinfo was not recorded; kernels from'
is kernel '[.zones[].free.last] == [491646976]'
says balance '^  1201 postmaster .* estimated$' '^unaccounted'
says oom '^ *1201 .*[0-9] KiB    ? .* first$' '^ *10:01:00 .* ?     ?$'
says report 'how long tasks waited: no pressure' '^memory  *3.7 GiB, 2 CPUs'
says markdown 'how long tasks waited: no pressure'
says markdown 'postmaster'
says html 'postmaster'

copy linux-5.10-arm64-64k
look linux-5.10
says info '^memory  *63.7 GiB, ? CPUs'
is swap '.verdict == "unused"'
says swap 'pages swapped in and out: vmstat was not recorded'
says_not swap 'how long tasks waited'
says kernel 'watermarks of zones: zoneinfo was not' 'slab caches: slabinfo was not' '^node 0 DMA32  *?  *?  *?' '^contiguous memory (CMA)  *512.0 MiB'
is kernel '(.zones | length) == 2 and all(.zones[]; .free.last == null and (.orders | length) == 14)'
says balance 'slab caches are not known: slabinfo was not recorded' '^  free in the pool '
says oom 'not known: zoneinfo was not recorded' 'nobody that this recording knows'
says leaks 'no mappings were read'
says report 'whether anything leaks cannot be told' '^memory  *63.7 GiB, ? CPUs' 'mappings read of none'

copy cgroup-v2-numa
look cgroup-v2-numa
is swap '.verdict == "unknown"'
says swap 'how much swap was in use: meminfo was not' 'status could not be read'
says kernel '^node 1 Normal  *43.6 GiB' '^   1  63.0 GiB  43.6 GiB' 'kernel memory by kind: meminfo was not'
is kernel '[.nodes[].node] == [0, 1] and .classes == []'
is balance '.lines == []'
says balance 'was not recorded$'
says growth 'was not recorded$'
says oom '^ *Node 1, zone Normal '
says report 'nothing was recorded that could leak' '? kernel memory by kind: meminfo was not'

copy linux-6.18-x86_64
look linux-6.18
says swap 'no swap is set up on this machine'
says_not swap 'Not known'
says oom '^ *10:01:00 .* 0.0%  0.0%$'
says kernel '^   0  7.0 GiB' '^  ext4_inode_cache  *69.3 MiB'
is kernel '[.nodes[].node] == [0]'

copy linux-6.18-x86_64
rm -r "$tree/proc/pressure" "$tree/cgroup/unified"
look no-pressure
is swap '.verdict == "none"'
says swap 'how long tasks waited: no pressure'
says oom '^ *10:01:00 .* ?     ?$'
cmp "$out.kernel" "$PT_TMP/linux-6.18.kernel" || fail 'without pressure kernel memory is another'

copy linux-6.18-x86_64
rm -r "$tree/sys/devices/system/node"
look no-nodes
says kernel 'NUMA nodes: none was recorded'
is kernel '.nodes == [] and (.zones | length) == 3'
cmp "$out.balance" "$PT_TMP/linux-6.18.balance" || fail 'without nodes the balance is another'

# nobody may read these
if [ -n "${PT_SANITIZED:-}" ] || ! command -v setpriv >/dev/null 2>&1; then
    echo 'left out: files that may not be read (no setpriv, or a build that runs as root only)'
    exit 0
fi
copy linux-6.18-x86_64
chmod 000 "$tree/proc/slabinfo" "$tree/proc/vmallocinfo" "$tree/proc/pagetypeinfo"
look not-permitted setpriv --reuid 65534 --regid 65534 --clear-groups
says info 'proc:slabinfo: Permission denied'
says kernel 'slab caches: slabinfo could not be read' 'vmalloc by caller: vmallocinfo could not be read' \
    'mobility: pagetypeinfo could not be read' '^slab, reclaimable  *119.9 MiB'
is kernel '.slabs == [] and (.zones | length) == 3'
says balance 'slab caches are not known: slabinfo: Permission denied' '^slab  *157.5 MiB'
says report 'proc:slabinfo: Permission denied' 'slab caches: slabinfo could not be read'
