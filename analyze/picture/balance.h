/* SPDX-License-Identifier: MIT
 * The balance sheet of a host's memory: lines that add up to MemTotal exactly, with what no counter
 * of the kernel tells as a signed line of its own. Pure. Units: bytes.
 *
 * Overlaps in the kernel's counters, and what is done about them:
 * - Cached holds Shmem: the page cache line is Cached + Buffers - Shmem.
 * - SwapCached pages that are mapped stand in AnonPages too: the swap cache line is the part of
 * SwapCached for which there is room on the LRU lists beyond Cached, Buffers and AnonPages.
 * - KernelStack (and ShadowCallStack) lies within VmallocUsed where stacks are vmalloc'ed: the
 * vmalloc line is what is beyond.
 * - KReclaimable holds SReclaimable: its line is what is beyond.
 * - Hugetlb pages, in use or not, are in no other counter.
 * - struct pages made at boot lie beyond MemTotal; those made later (memory hotplug) are a line.
 * - zspages hold zram and zswap: the line is the larger of nr_zspages and Zswap.
 * A line is there only where the kernel tells what it is made of; what it would hold is in the
 * unaccounted line then. */
#ifndef PT_ANALYZE_PICTURE_BALANCE_H
#define PT_ANALYZE_PICTURE_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

/* What the sheet is made from. */
enum pt_mem {
    PT_MEM_TOTAL = 0,
    PT_MEM_FREE,
    PT_MEM_AVAILABLE,
    PT_MEM_BUFFERS,
    PT_MEM_CACHED,
    PT_MEM_SWAP_CACHED,
    PT_MEM_ACTIVE,
    PT_MEM_INACTIVE,
    PT_MEM_UNEVICTABLE,
    PT_MEM_SWAP_TOTAL,
    PT_MEM_SWAP_FREE,
    PT_MEM_ZSWAP,
    PT_MEM_ANON,
    PT_MEM_SHMEM,
    PT_MEM_KRECLAIMABLE,
    PT_MEM_SRECLAIMABLE,
    PT_MEM_SUNRECLAIM,
    PT_MEM_KERNEL_STACK,
    PT_MEM_SHADOW_STACK,
    PT_MEM_PAGE_TABLES,
    PT_MEM_SEC_PAGE_TABLES,
    PT_MEM_BOUNCE,
    PT_MEM_WRITEBACK_TMP,
    PT_MEM_VMALLOC,
    PT_MEM_PERCPU,
    PT_MEM_GPU_ACTIVE,
    PT_MEM_GPU_RECLAIM,
    PT_MEM_BALLOON,
    PT_MEM_DIRTY,
    PT_MEM_WRITEBACK,
    PT_MEM_ANON_HUGE,
    PT_MEM_SHMEM_HUGE,
    PT_MEM_HUGETLB,
    PT_MEM_HUGE_COUNT, /* HugePages_Total, pages */
    PT_MEM_HUGE_FREE,  /* HugePages_Free, pages */
    PT_MEM_HUGE_SIZE,
    PT_MEM_ZSPAGES, /* vmstat nr_zspages, in bytes */
    PT_MEM_MEMMAP,  /* vmstat nr_memmap_pages, in bytes */
    PT_MEM_PCP,     /* free pages in the per-CPU lists of zoneinfo, in bytes */
    PT_MEM_COUNT
};
/* PT_UNKNOWN where the kernel does not tell. */
struct pt_mem_values {
    int64_t v[PT_MEM_COUNT];
};
void pt_mem_init(struct pt_mem_values *m);
/* The key of meminfo ("MemFree"); NULL for what comes from elsewhere. */
const char *pt_mem_key(enum pt_mem which);

enum pt_line {
    PT_LINE_FREE = 0,
    PT_LINE_PCP,
    PT_LINE_CACHE,
    PT_LINE_ANON,
    PT_LINE_SHMEM,
    PT_LINE_SWAP_CACHE,
    PT_LINE_SLAB_RECLAIMABLE,
    PT_LINE_SLAB_UNRECLAIMABLE,
    PT_LINE_KERNEL_RECLAIMABLE,
    PT_LINE_KERNEL_STACKS,
    PT_LINE_PAGE_TABLES,
    PT_LINE_SEC_PAGE_TABLES,
    PT_LINE_PERCPU,
    PT_LINE_VMALLOC,
    PT_LINE_GPU,
    PT_LINE_GPU_RECLAIM,
    PT_LINE_HUGETLB,
    PT_LINE_ZSPAGES,
    PT_LINE_BOUNCE,
    PT_LINE_WRITEBACK_TMP,
    PT_LINE_MEMMAP,
    PT_LINE_UNACCOUNTED,
    PT_LINE_COUNT
};
struct pt_balance {
    bool known[PT_LINE_COUNT];
    int64_t bytes[PT_LINE_COUNT];
    int64_t total; /* PT_UNKNOWN: there is no sheet */
};
const char *pt_line_name(enum pt_line line);
void pt_balance_of(const struct pt_mem_values *m, struct pt_balance *ret);
/* Makes two sheets comparable: a line only one of them has goes into the unaccounted line of that
 * one. */
void pt_balance_align(struct pt_balance *a, struct pt_balance *b);

#endif
