/* SPDX-License-Identifier: MIT
 * The balance sheet, line by line. */
#include "analyze/picture/balance.h"

#include "schema/frame.h"

/* No machine has more: what a damaged file says beyond it is not known, and sums cannot overflow.
 */
#define MOST (INT64_C(1) << 56)

static const char *const keys[PT_MEM_COUNT] = {
    [PT_MEM_TOTAL] = "MemTotal",
    [PT_MEM_FREE] = "MemFree",
    [PT_MEM_AVAILABLE] = "MemAvailable",
    [PT_MEM_BUFFERS] = "Buffers",
    [PT_MEM_CACHED] = "Cached",
    [PT_MEM_SWAP_CACHED] = "SwapCached",
    [PT_MEM_ACTIVE] = "Active",
    [PT_MEM_INACTIVE] = "Inactive",
    [PT_MEM_UNEVICTABLE] = "Unevictable",
    [PT_MEM_SWAP_TOTAL] = "SwapTotal",
    [PT_MEM_SWAP_FREE] = "SwapFree",
    [PT_MEM_ZSWAP] = "Zswap",
    [PT_MEM_ANON] = "AnonPages",
    [PT_MEM_SHMEM] = "Shmem",
    [PT_MEM_KRECLAIMABLE] = "KReclaimable",
    [PT_MEM_SRECLAIMABLE] = "SReclaimable",
    [PT_MEM_SUNRECLAIM] = "SUnreclaim",
    [PT_MEM_KERNEL_STACK] = "KernelStack",
    [PT_MEM_SHADOW_STACK] = "ShadowCallStack",
    [PT_MEM_PAGE_TABLES] = "PageTables",
    [PT_MEM_SEC_PAGE_TABLES] = "SecPageTables",
    [PT_MEM_BOUNCE] = "Bounce",
    [PT_MEM_WRITEBACK_TMP] = "WritebackTmp",
    [PT_MEM_VMALLOC] = "VmallocUsed",
    [PT_MEM_PERCPU] = "Percpu",
    [PT_MEM_GPU_ACTIVE] = "GPUActive",
    [PT_MEM_GPU_RECLAIM] = "GPUReclaim",
    [PT_MEM_BALLOON] = "Balloon",
    [PT_MEM_DIRTY] = "Dirty",
    [PT_MEM_WRITEBACK] = "Writeback",
    [PT_MEM_ANON_HUGE] = "AnonHugePages",
    [PT_MEM_SHMEM_HUGE] = "ShmemHugePages",
    [PT_MEM_HUGETLB] = "Hugetlb",
    [PT_MEM_HUGE_COUNT] = "HugePages_Total",
    [PT_MEM_HUGE_FREE] = "HugePages_Free",
    [PT_MEM_HUGE_SIZE] = "Hugepagesize",
};

const char *pt_mem_key(enum pt_mem which)
{
    return keys[which];
}

void pt_mem_init(struct pt_mem_values *m)
{
    for (unsigned i = 0; i < PT_MEM_COUNT; i++)
        m->v[i] = PT_UNKNOWN;
}

const char *pt_line_name(enum pt_line line)
{
    static const char *const names[PT_LINE_COUNT] = {
        [PT_LINE_FREE] = "free",
        [PT_LINE_PCP] = "free in per-CPU lists",
        [PT_LINE_CACHE] = "page cache",
        [PT_LINE_ANON] = "anonymous",
        [PT_LINE_SHMEM] = "shared memory and tmpfs",
        [PT_LINE_SWAP_CACHE] = "swap cache",
        [PT_LINE_SLAB_RECLAIMABLE] = "slab, reclaimable",
        [PT_LINE_SLAB_UNRECLAIMABLE] = "slab, unreclaimable",
        [PT_LINE_KERNEL_RECLAIMABLE] = "kernel, other reclaimable",
        [PT_LINE_KERNEL_STACKS] = "kernel stacks",
        [PT_LINE_PAGE_TABLES] = "page tables",
        [PT_LINE_SEC_PAGE_TABLES] = "page tables, secondary",
        [PT_LINE_PERCPU] = "per-CPU data",
        [PT_LINE_VMALLOC] = "vmalloc, other",
        [PT_LINE_GPU] = "GPU",
        [PT_LINE_GPU_RECLAIM] = "GPU, reclaimable",
        [PT_LINE_HUGETLB] = "huge pages (hugetlb)",
        [PT_LINE_ZSPAGES] = "compressed swap",
        [PT_LINE_BOUNCE] = "bounce buffers",
        [PT_LINE_WRITEBACK_TMP] = "FUSE writeback",
        [PT_LINE_MEMMAP] = "memory map",
        [PT_LINE_UNACCOUNTED] = "unaccounted",
    };
    return names[line];
}

static bool known(int64_t v)
{
    return v != PT_UNKNOWN;
}

static int64_t or_zero(int64_t v)
{
    return known(v) ? v : 0;
}

static void put(struct pt_balance *b, enum pt_line line, bool is_known, int64_t bytes)
{
    b->known[line] = is_known;
    b->bytes[line] = is_known ? bytes : 0;
}

static int64_t beyond(int64_t whole, int64_t part)
{
    return whole > part ? whole - part : 0;
}

/* SwapCached pages that no other line holds. */
static int64_t swap_cache(const int64_t *v)
{
    const int64_t lru =
        or_zero(v[PT_MEM_ACTIVE]) + or_zero(v[PT_MEM_INACTIVE]) + or_zero(v[PT_MEM_UNEVICTABLE]);
    const int64_t room = beyond(lru, or_zero(v[PT_MEM_CACHED]) + or_zero(v[PT_MEM_BUFFERS]) +
                                         or_zero(v[PT_MEM_ANON]));
    return room < v[PT_MEM_SWAP_CACHED] ? room : v[PT_MEM_SWAP_CACHED];
}

static int64_t hugetlb(const int64_t *v)
{
    int64_t bytes;
    if (known(v[PT_MEM_HUGETLB])) /* all sizes; older kernels tell the default size only */
        return v[PT_MEM_HUGETLB];
    if (!known(v[PT_MEM_HUGE_COUNT]) || !known(v[PT_MEM_HUGE_SIZE]) ||
        __builtin_mul_overflow(v[PT_MEM_HUGE_COUNT], v[PT_MEM_HUGE_SIZE], &bytes) || bytes > MOST)
        return PT_UNKNOWN;
    return bytes;
}

static void put_plain(struct pt_balance *b, const int64_t *v)
{
    static const struct {
        enum pt_line line;
        enum pt_mem from;
    } plain[] = {
        {PT_LINE_FREE, PT_MEM_FREE},
        {PT_LINE_PCP, PT_MEM_PCP},
        {PT_LINE_ANON, PT_MEM_ANON},
        {PT_LINE_SHMEM, PT_MEM_SHMEM},
        {PT_LINE_SLAB_RECLAIMABLE, PT_MEM_SRECLAIMABLE},
        {PT_LINE_SLAB_UNRECLAIMABLE, PT_MEM_SUNRECLAIM},
        {PT_LINE_PAGE_TABLES, PT_MEM_PAGE_TABLES},
        {PT_LINE_SEC_PAGE_TABLES, PT_MEM_SEC_PAGE_TABLES},
        {PT_LINE_PERCPU, PT_MEM_PERCPU},
        {PT_LINE_GPU, PT_MEM_GPU_ACTIVE},
        {PT_LINE_GPU_RECLAIM, PT_MEM_GPU_RECLAIM},
        {PT_LINE_BOUNCE, PT_MEM_BOUNCE},
        {PT_LINE_WRITEBACK_TMP, PT_MEM_WRITEBACK_TMP},
        {PT_LINE_MEMMAP, PT_MEM_MEMMAP},
    };
    for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        put(b, plain[i].line, known(v[plain[i].from]), v[plain[i].from]);
}

static void put_derived(struct pt_balance *b, const int64_t *v)
{
    const int64_t stacks = or_zero(v[PT_MEM_KERNEL_STACK]) + or_zero(v[PT_MEM_SHADOW_STACK]);
    const int64_t zspages = or_zero(v[PT_MEM_ZSPAGES]), zswap = or_zero(v[PT_MEM_ZSWAP]);
    put(b, PT_LINE_CACHE, known(v[PT_MEM_CACHED]),
        or_zero(v[PT_MEM_CACHED]) + or_zero(v[PT_MEM_BUFFERS]) - or_zero(v[PT_MEM_SHMEM]));
    put(b, PT_LINE_SWAP_CACHE, known(v[PT_MEM_SWAP_CACHED]),
        known(v[PT_MEM_SWAP_CACHED]) ? swap_cache(v) : 0);
    put(b, PT_LINE_KERNEL_RECLAIMABLE,
        known(v[PT_MEM_KRECLAIMABLE]) && known(v[PT_MEM_SRECLAIMABLE]),
        beyond(or_zero(v[PT_MEM_KRECLAIMABLE]), or_zero(v[PT_MEM_SRECLAIMABLE])));
    put(b, PT_LINE_KERNEL_STACKS, known(v[PT_MEM_KERNEL_STACK]), stacks);
    put(b, PT_LINE_VMALLOC, known(v[PT_MEM_VMALLOC]), beyond(or_zero(v[PT_MEM_VMALLOC]), stacks));
    put(b, PT_LINE_HUGETLB, known(hugetlb(v)), hugetlb(v));
    put(b, PT_LINE_ZSPAGES, known(v[PT_MEM_ZSPAGES]) || known(v[PT_MEM_ZSWAP]),
        zspages > zswap ? zspages : zswap);
}

void pt_balance_of(const struct pt_mem_values *m, struct pt_balance *ret)
{
    int64_t v[PT_MEM_COUNT];
    for (unsigned i = 0; i < PT_MEM_COUNT; i++)
        v[i] = m->v[i] < 0 || m->v[i] > MOST ? PT_UNKNOWN : m->v[i];
    *ret = (struct pt_balance){.total = v[PT_MEM_TOTAL]};
    if (!known(ret->total))
        return;
    put_plain(ret, v);
    put_derived(ret, v);
    int64_t rest = ret->total;
    for (unsigned i = 0; i < PT_LINE_UNACCOUNTED; i++)
        rest -= ret->bytes[i];
    put(ret, PT_LINE_UNACCOUNTED, true, rest);
}

void pt_balance_align(struct pt_balance *a, struct pt_balance *b)
{
    struct pt_balance *const both[] = {a, b};
    for (unsigned i = 0; i < PT_LINE_UNACCOUNTED; i++) {
        if (a->known[i] && b->known[i])
            continue;
        for (unsigned k = 0; k < 2; k++) {
            both[k]->bytes[PT_LINE_UNACCOUNTED] += both[k]->bytes[i];
            put(both[k], (enum pt_line)i, false, 0);
        }
    }
}
