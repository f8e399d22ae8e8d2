/* SPDX-License-Identifier: MIT
 * The field dictionary: control groups. Meanings are from the kernel's documentation, named above
 * each table. */
#include "schema/fields.h"

/* clang-format off */
/* Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst: v2 counts those below too, v1 in
 * total_* */
const struct pt_field pt_fields_memory_stat[] = {
    GAUGE("anon", BYTES, "anonymous memory"),
    GAUGE("file", BYTES, "page cache, tmpfs and shared memory included"),
    GAUGE("kernel", BYTES,
          "kernel memory: kernel_stack, pagetables, percpu, vmalloc, slab and more"),
    GAUGE("kernel_stack", BYTES, "kernel stacks"),
    GAUGE("pagetables", BYTES, "page tables"),
    GAUGE("sec_pagetables", BYTES, "secondary page tables, such as those of KVM"),
    GAUGE("percpu", BYTES, "per-CPU data of the kernel"),
    GAUGE("sock", BYTES, "network buffers"),
    GAUGE("vmalloc", BYTES, "vmalloc memory"),
    GAUGE("shmem", BYTES, "page cache backed by swap: tmpfs, shared memory"),
    GAUGE("zswap", BYTES, "memory zswap takes, compressed"),
    GAUGE("zswapped", BYTES, "memory held in zswap, its size before compression"),
    GAUGE("file_mapped", BYTES, "page cache that is mapped"),
    GAUGE("file_dirty", BYTES, "page cache that is dirty"),
    GAUGE("file_writeback", BYTES, "page cache being written back"),
    GAUGE("swapcached", BYTES, "swap cached in memory: charged to both memory and swap"),
    GAUGE("anon_thp", BYTES, "anonymous memory in huge pages"),
    GAUGE("file_thp", BYTES, "page cache in huge pages"),
    GAUGE("shmem_thp", BYTES, "shared memory in huge pages"),
    GAUGE("inactive_anon", BYTES, "anonymous memory used less recently"),
    GAUGE("active_anon", BYTES, "anonymous memory used recently"),
    GAUGE("inactive_file", BYTES, "page cache used less recently"),
    GAUGE("active_file", BYTES, "page cache used recently"),
    GAUGE("unevictable", BYTES, "memory that cannot be reclaimed"),
    GAUGE("slab_reclaimable", BYTES, "slab that might be reclaimed, such as dentries and inodes"),
    GAUGE("slab_unreclaimable", BYTES, "slab that cannot be reclaimed"),
    GAUGE("slab", BYTES, "slab of both kinds"),
    GAUGE("hugetlb", BYTES, "hugetlb memory, where it is charged to memory"),
    COUNTER("workingset_refault_anon", PAGES,
          "anonymous pages swapped in again that had been evicted"),
    COUNTER("workingset_refault_file", PAGES, "file pages read again that had been evicted"),
    COUNTER("workingset_activate_anon", PAGES, "refaulted anonymous pages activated at once"),
    COUNTER("workingset_activate_file", PAGES, "refaulted file pages activated at once"),
    COUNTER("workingset_restore_anon", PAGES,
          "anonymous pages that were active when evicted and came back"),
    COUNTER("workingset_restore_file", PAGES,
          "file pages that were active when evicted and came back"),
    COUNTER("workingset_refault", PAGES, "evicted pages that were read again"),
    COUNTER("workingset_activate", PAGES, "refaulted pages activated at once"),
    COUNTER("workingset_restore", PAGES, "pages that were active when evicted and came back"),
    COUNTER("workingset_nodereclaim", COUNT, "shadow nodes reclaimed"),
    COUNTER("pswpin", PAGES, "pages swapped in"),
    COUNTER("pswpout", PAGES, "pages swapped out"),
    COUNTER("pgscan", PAGES, "pages looked at by reclaim"),
    COUNTER("pgsteal", PAGES, "pages reclaimed"),
    COUNTER("pgscan_kswapd", PAGES, "pages looked at by kswapd"),
    COUNTER("pgscan_direct", PAGES, "pages looked at by allocating tasks"),
    COUNTER("pgscan_khugepaged", PAGES, "pages looked at by khugepaged"),
    COUNTER("pgscan_proactive", PAGES, "pages looked at by reclaim on request"),
    COUNTER("pgsteal_kswapd", PAGES, "pages reclaimed by kswapd"),
    COUNTER("pgsteal_direct", PAGES, "pages reclaimed by allocating tasks"),
    COUNTER("pgsteal_khugepaged", PAGES, "pages reclaimed by khugepaged"),
    COUNTER("pgsteal_proactive", PAGES, "pages reclaimed on request"),
    COUNTER("pgfault", COUNT, "page faults, minor and major"),
    COUNTER("pgmajfault", COUNT, "page faults that had to read"),
    COUNTER("pgrefill", PAGES, "active pages looked at to be made inactive"),
    COUNTER("pgactivate", PAGES, "pages made active"),
    COUNTER("pgdeactivate", PAGES, "pages made inactive"),
    COUNTER("pglazyfree", PAGES, "pages given up with MADV_FREE"),
    COUNTER("pglazyfreed", PAGES, "pages given up with MADV_FREE that were freed"),
    COUNTER("swpin_zero", PAGES, "pages of zeros swapped in without I/O"),
    COUNTER("swpout_zero", PAGES, "pages of zeros swapped out without I/O"),
    COUNTER("zswpin", PAGES, "pages taken back from zswap"),
    COUNTER("zswpout", PAGES, "pages put into zswap"),
    COUNTER("zswpwb", PAGES, "pages written from zswap to swap"),
    COUNTER("thp_fault_alloc", COUNT, "huge pages allocated at a fault"),
    COUNTER("thp_collapse_alloc", COUNT, "huge pages put together by khugepaged"),
    COUNTER("thp_swpout", COUNT, "huge pages swapped out whole"),
    COUNTER("thp_swpout_fallback", COUNT, "huge pages split to be swapped out"),
    COUNTER("numa_*", PAGES, "pages of NUMA balancing"),
    COUNTER("pgdemote_*", PAGES, "pages moved to a slower node"),
    COUNTER("pgpromote_success", PAGES, "pages moved to a faster node"),
    GAUGE("cache", BYTES, "page cache, tmpfs and shared memory included (v1)"),
    GAUGE("rss", BYTES, "anonymous and swap cache memory, huge pages included (v1)"),
    GAUGE("rss_huge", BYTES, "anonymous huge pages (v1)"),
    GAUGE("mapped_file", BYTES, "mapped files, tmpfs and shared memory included (v1)"),
    GAUGE("dirty", BYTES, "waiting for write-back (v1)"),
    GAUGE("writeback", BYTES, "queued for write-back (v1)"),
    GAUGE("swap", BYTES, "swap in use (v1)"),
    COUNTER("pgpgin", COUNT, "pages charged to the group (v1)"),
    COUNTER("pgpgout", COUNT, "pages uncharged from the group (v1)"),
    GAUGE("recent_rotated_*", COUNT, "internal to reclaim (v1)"),
    GAUGE("recent_scanned_*", COUNT, "internal to reclaim (v1)"),
    STATE("hierarchical_memory_limit", BYTES,
          "lowest memory limit of the group and those above (v1)"),
    STATE("hierarchical_memsw_limit", BYTES,
          "lowest limit of memory plus swap of the group and those above (v1)"),
    COUNTER("total_pgpgin", COUNT, "pages charged, those below included (v1)"),
    COUNTER("total_pgpgout", COUNT, "pages uncharged, those below included (v1)"),
    COUNTER("total_pgfault", COUNT, "page faults, those below included (v1)"),
    COUNTER("total_pgmajfault", COUNT, "page faults that had to read, those below included (v1)"),
    COUNTER("total_workingset_*", PAGES, "evicted pages that came back, those below included (v1)"),
    GAUGE("total_*", BYTES, "the field of that name, those below included (v1)"),
};

/* Documentation/admin-guide/cgroup-v2.rst */
const struct pt_field pt_fields_memory_events[] = {
    COUNTER("low", COUNT, "times reclaimed although under memory.low"),
    COUNTER("high", COUNT, "times tasks were throttled over memory.high"),
    COUNTER("max", COUNT, "times memory was about to go over memory.max"),
    COUNTER("oom", COUNT, "times the limit was reached and an allocation was about to fail"),
    COUNTER("oom_kill", COUNT, "processes killed by an OOM killer"),
    COUNTER("oom_group_kill", COUNT, "times the whole group was killed"),
    COUNTER("sock_throttled", COUNT, "times network sockets were throttled"),
};

/* Documentation/admin-guide/cgroup-v2.rst */
const struct pt_field pt_fields_swap_events[] = {
    COUNTER("high", COUNT, "times swap was over memory.swap.high"),
    COUNTER("max", COUNT, "times swap was about to go over memory.swap.max"),
    COUNTER("fail", COUNT, "times swap could not be had"),
};

/* Documentation/admin-guide/cgroup-v2.rst */
const struct pt_field pt_fields_cgroup_stat[] = {
    GAUGE("nr_descendants", COUNT, "live control groups below"),
    GAUGE("nr_dying_descendants", COUNT,
          "removed control groups below that still hold memory: zombies"),
    GAUGE("nr_subsys_*", COUNT, "live objects of this controller at or below"),
    GAUGE("nr_dying_subsys_*", COUNT, "dying objects of this controller at or below"),
    COUNTER("frozen_usec", US, "time spent frozen"),
};

/* Documentation/admin-guide/cgroup-v2.rst */
const struct pt_field pt_fields_cgroup_procs[] = {
    STATE("pid", ID, "a process of the group"),
};

/* Documentation/admin-guide/cgroup-v1/memory.rst */
const struct pt_field pt_fields_oom_control[] = {
    STATE("oom_kill_disable", NONE, "1: the OOM killer is off for the group"),
    STATE("under_oom", NONE, "1: the group is out of memory, tasks may be stopped"),
    COUNTER("oom_kill", COUNT, "processes of the group killed by an OOM killer"),
};

/* Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst; row: as the field of memory.stat
 * */
const struct pt_field pt_fields_cgroup_numa_stat[] = {
    GAUGE("N*", NONE, "on the NUMA node: bytes (v2), pages (v1)"),
    GAUGE("total", PAGES, "pages of all nodes (v1)"),
    GAUGE("file", PAGES, "file pages of all nodes (v1)"),
    GAUGE("anon", PAGES, "anonymous pages of all nodes (v1)"),
    GAUGE("unevictable", PAGES, "unevictable pages of all nodes (v1)"),
    GAUGE("hierarchical_*", PAGES, "the same, those below included (v1)"),
};
