/* SPDX-License-Identifier: MIT
 * Levels: the balance sheet's lines over time, commit charge, dirty pages and what else meminfo
 * tells. */
#include <math.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/picture/items.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define KIB      1024.0
#define POINTS   (4 * PT_KERNEL_POINTS) /* at which a line of several fields is worked out */

/* ---- what is followed ---- */

/* meminfo in two, so that what hardly changes is not worked out with every snapshot. */
static const enum pt_mem fast[] = {
    PT_MEM_FREE,         PT_MEM_BUFFERS,    PT_MEM_CACHED,       PT_MEM_ACTIVE,
    PT_MEM_INACTIVE,     PT_MEM_ANON,       PT_MEM_SHMEM,        PT_MEM_KRECLAIMABLE,
    PT_MEM_SRECLAIMABLE, PT_MEM_SUNRECLAIM, PT_MEM_KERNEL_STACK, PT_MEM_PAGE_TABLES,
    PT_MEM_VMALLOC,      PT_MEM_PERCPU,
};
static const enum pt_mem slow[] = {
    PT_MEM_TOTAL,        PT_MEM_SWAP_CACHED,     PT_MEM_UNEVICTABLE, PT_MEM_ZSWAP,
    PT_MEM_SHADOW_STACK, PT_MEM_SEC_PAGE_TABLES, PT_MEM_BOUNCE,      PT_MEM_WRITEBACK_TMP,
    PT_MEM_GPU_ACTIVE,   PT_MEM_GPU_RECLAIM,     PT_MEM_HUGETLB,     PT_MEM_HUGE_COUNT,
    PT_MEM_HUGE_SIZE,
};

/* Levels of meminfo that are no lines of the balance sheet. */
enum { MORE_COMMITTED = 0, MORE_LIMIT };
static const struct more {
    const char *field, *title; /* title NULL: used otherwise */
    bool pages;                /* huge pages of the default size, not KiB */
} more[] = {
    [MORE_COMMITTED] = {"Committed_AS", NULL, false},
    [MORE_LIMIT] = {"CommitLimit", NULL, false},
    {"AnonHugePages", "anonymous memory in huge pages", false},
    {"ShmemHugePages", "shared memory in huge pages", false},
    {"FileHugePages", "page cache in huge pages", false},
    {"HugePages_Free", "huge pages (hugetlb), free", true},
    {"HugePages_Rsvd", "huge pages (hugetlb), promised", true},
    {"HugePages_Surp", "huge pages (hugetlb), beyond the pool", true},
    {"CmaTotal", "contiguous memory (CMA)", false},
    {"CmaFree", "contiguous memory (CMA), free", false},
    {"HighTotal", "high memory", false},
    {"HighFree", "high memory, free", false},
    {"Mlocked", "locked by mlock()", false},
    {"HardwareCorrupted", "corrupted by hardware", false},
    {"Balloon", "given back to the hypervisor", false},
    {"Unaccepted", "not yet accepted from the hypervisor", false},
};

const char *const pt_kernel_vm[PT_VM_COUNT] = {
    [PT_VM_DIRTY] = "nr_dirty",           [PT_VM_WRITEBACK] = "nr_writeback",
    [PT_VM_LIMIT] = "nr_dirty_threshold", [PT_VM_BACKGROUND] = "nr_dirty_background_threshold",
    [PT_VM_ZSPAGES] = "nr_zspages",       [PT_VM_MEMMAP] = "nr_memmap_pages",
};
double pt_kernel_measure_vm(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    const bool dirty = pt_kernel_has(known, PT_VM_DIRTY) && pt_kernel_has(known, PT_VM_WRITEBACK);
    (void)ctx;
    switch (measure) {
    case PT_VMM_DIRTY:
        return dirty ? (double)v[PT_VM_DIRTY] + (double)v[PT_VM_WRITEBACK] : NAN;
    case PT_VMM_OVER_BACKGROUND: /* what is being written does not wait for the flushers any more */
        return pt_kernel_has(known, PT_VM_DIRTY) && pt_kernel_has(known, PT_VM_BACKGROUND)
                   ? v[PT_VM_DIRTY] > v[PT_VM_BACKGROUND]
                   : NAN;
    case PT_VMM_OVER_LIMIT:
        return dirty && pt_kernel_has(known, PT_VM_LIMIT)
                   ? (double)v[PT_VM_DIRTY] + (double)v[PT_VM_WRITEBACK] > (double)v[PT_VM_LIMIT]
                   : NAN;
    case PT_VMM_ZSPAGES:
        return pt_kernel_has(known, PT_VM_ZSPAGES) ? (double)v[PT_VM_ZSPAGES] : NAN;
    default:
        return pt_kernel_has(known, PT_VM_MEMMAP) ? (double)v[PT_VM_MEMMAP] : NAN;
    }
}

unsigned pt_kernel_level_fields(enum pt_kernel_series which, const char **ret)
{
    const enum pt_mem *fields = which == PT_KS_FAST ? fast : which == PT_KS_SLOW ? slow : NULL;
    const unsigned n = which == PT_KS_FAST   ? COUNT(fast)
                       : which == PT_KS_SLOW ? COUNT(slow)
                       : which == PT_KS_MORE ? COUNT(more)
                                             : 0;
    for (unsigned i = 0; i < n; i++)
        ret[i] = fields ? pt_mem_key(fields[i]) : more[i].field;
    return n;
}

/* ---- lines of the balance sheet ---- */

static double scale_of(enum pt_mem which)
{
    return which == PT_MEM_HUGE_COUNT ? 1 : KIB;
}

static void values_at(const struct pt_serie *s, const enum pt_mem *fields, size_t n, double at,
                      struct pt_mem_values *ret)
{
    for (size_t i = 0; s && i < n; i++) {
        const double v = pt_course_at(&s->track[i], at);
        if (!isnan(v))
            ret->v[fields[i]] = pt_kernel_whole(v * scale_of(fields[i]));
    }
}

/* What CPUs keep for themselves. On machines of many CPUs it is not followed: it is taken to go
 * evenly from what it was at the start to what it was at the end. */
static int64_t pcp_at(const struct pt_kernel_work *w, double at)
{
    const int64_t first = w->mem.v[PT_MEM_PCP], last = w->k->end.mem.v[PT_MEM_PCP];
    const struct pt_series *zones = &w->series[PT_KS_PCP];
    double sum = 0;
    if (first == PT_UNKNOWN || last == PT_UNKNOWN || w->page == PT_UNKNOWN)
        return PT_UNKNOWN;
    if (!pt_kernel_pcp_followed(w))
        return pt_kernel_whole((double)first + ((double)last - (double)first) * (at - w->base) /
                                                   (w->end - w->base));
    for (size_t i = 0; i < zones->n; i++)
        if (zones->v[i]->boot == w->boot)
            sum += pt_course_at(&zones->v[i]->track[0], at) * (double)w->page;
    return pt_kernel_whole(sum);
}

/* The balance sheet at an instant between. */
static void balance_at(const struct pt_kernel_work *w, double at, struct pt_balance *ret)
{
    static const struct {
        unsigned measure;
        enum pt_mem mem;
    } pages[] = {{PT_VMM_ZSPAGES, PT_MEM_ZSPAGES}, {PT_VMM_MEMMAP, PT_MEM_MEMMAP}};
    struct pt_mem_values mem;
    const struct pt_serie *levels = pt_kernel_newest(w, PT_KS_VM);
    pt_mem_init(&mem);
    values_at(pt_kernel_newest(w, PT_KS_FAST), fast, COUNT(fast), at, &mem);
    values_at(pt_kernel_newest(w, PT_KS_SLOW), slow, COUNT(slow), at, &mem);
    for (size_t i = 0; levels && i < COUNT(pages) && w->page != PT_UNKNOWN; i++) {
        const double v = pt_course_at(&levels->track[pages[i].measure], at);
        if (!isnan(v))
            mem.v[pages[i].mem] = pt_kernel_whole(v * (double)w->page);
    }
    mem.v[PT_MEM_PCP] = pcp_at(w, at);
    pt_balance_of(&mem, ret);
    for (unsigned i = 0; i < PT_LINE_COUNT; i++)
        if (w->after.known[i] && !ret->known[i])
            ret->total = PT_UNKNOWN; /* not recorded then: its part would go for unaccounted */
    struct pt_balance end = w->after;
    pt_balance_align(ret, &end);
}

static void note(struct pt_course *c, int64_t bytes, int64_t us)
{
    if (bytes == PT_UNKNOWN)
        return;
    if (c->least == PT_UNKNOWN || bytes < c->least)
        c->least = bytes;
    if (c->most == PT_UNKNOWN || bytes > c->most) {
        c->most = bytes;
        c->most_us = us;
    }
}

static bool is_kernels(enum pt_line line)
{
    static const enum pt_line others[] = {PT_LINE_FREE, PT_LINE_PCP, PT_LINE_CACHE, PT_LINE_ANON,
                                          PT_LINE_SWAP_CACHE};
    for (size_t i = 0; i < COUNT(others); i++)
        if (line == others[i])
            return false;
    return true;
}

/* Every fourth point of the unaccounted line is kept: whose it is, is in no counter. */
static void keep_rest(struct pt_kernel *k, unsigned point, int64_t us, const struct pt_balance *b)
{
    if (point % (POINTS / PT_KERNEL_POINTS) == 0 && b->known[PT_LINE_UNACCOUNTED])
        k->rest[k->nrest++] = (struct pt_kernel_point){us, b->bytes[PT_LINE_UNACCOUNTED]};
}

static void follow_lines(struct pt_kernel_work *w, struct pt_course *courses)
{
    const struct pt_timeline *t = &w->k->timeline;
    struct pt_balance b;
    for (unsigned i = 0; i < POINTS && w->end > w->base; i++) {
        const double at = w->base + (w->end - w->base) * (i + 0.5) / POINTS;
        balance_at(w, at, &b);
        if (b.total == PT_UNKNOWN)
            continue;
        const int64_t us = pt_timeline_real(t, at);
        for (unsigned line = 0; line < PT_LINE_COUNT; line++)
            if (b.known[line])
                note(&courses[line], b.bytes[line], us);
        keep_rest(w->k, i, us, &b);
    }
}

/* Lines that are one field of meminfo have their extremes from all readings. */
static void refine(const struct pt_kernel_work *w, enum pt_line line, struct pt_course *c)
{
    static const struct {
        enum pt_line line;
        enum pt_mem mem;
    } plain[] = {{PT_LINE_SLAB_RECLAIMABLE, PT_MEM_SRECLAIMABLE},
                 {PT_LINE_SLAB_UNRECLAIMABLE, PT_MEM_SUNRECLAIM},
                 {PT_LINE_PAGE_TABLES, PT_MEM_PAGE_TABLES},
                 {PT_LINE_PERCPU, PT_MEM_PERCPU},
                 {PT_LINE_SHMEM, PT_MEM_SHMEM}};
    const struct pt_serie *s = pt_kernel_newest(w, PT_KS_FAST);
    struct pt_course all;
    for (size_t i = 0; s && i < COUNT(plain); i++)
        for (size_t k = 0; k < COUNT(fast) && plain[i].line == line; k++) {
            if (fast[k] != plain[i].mem)
                continue;
            pt_course_of(&s->track[k], &w->k->timeline, KIB, pt_kernel_end(s, (unsigned)k), &all);
            note(c, all.most, all.most_us);
            note(c, all.least, all.most_us);
        }
}

int pt_kernel_lines(struct pt_kernel_work *w, struct pt_err *err)
{
    struct pt_course courses[PT_LINE_COUNT];
    for (unsigned i = 0; i < PT_LINE_COUNT; i++)
        pt_course_init(&courses[i]);
    if (w->after.total == PT_UNKNOWN)
        return pt_kernel_unknown(w, "kernel memory by kind", "meminfo was not recorded");
    follow_lines(w, courses);
    for (unsigned i = 0; i < PT_LINE_COUNT; i++) {
        if (!is_kernels((enum pt_line)i) || !w->after.known[i])
            continue;
        struct pt_kernel_item *item =
            pt_kernel_add(w, PT_KERNEL_CLASS, pt_line_name((enum pt_line)i));
        if (!item)
            return pt_err_nomem(err);
        struct pt_course *c = &courses[i];
        const bool before = w->before.total != PT_UNKNOWN && w->before.known[i];
        c->first = before ? w->before.bytes[i] : PT_UNKNOWN;
        c->last = w->after.bytes[i];
        if (before)
            note(c, c->first, w->first->snap.real_us);
        note(c, c->last, w->k->end.view->snap.real_us);
        refine(w, (enum pt_line)i, c);
        item->bytes = *c;
    }
    return 0;
}

/* ---- other levels ---- */

static int add_level(struct pt_kernel_work *w, const struct more *m, const struct pt_serie *s,
                     unsigned field, double scale, struct pt_err *err)
{
    struct pt_course c;
    const double last = pt_kernel_end(s, field);
    pt_course_of(&s->track[field], &w->k->timeline, scale, last, &c);
    if (c.last == PT_UNKNOWN || c.most == 0)
        return 0; /* not told, or there is none of it */
    struct pt_kernel_item *item = pt_kernel_add(w, PT_KERNEL_GAUGE, m->field);
    if (!item)
        return pt_err_nomem(err);
    item->title = m->title;
    item->bytes = c;
    item->within = true;
    return 0;
}

static void set_commit(struct pt_kernel_work *w, const struct pt_serie *s)
{
    struct pt_kernel *k = w->k;
    double over = 0, width;
    pt_course_init(&k->commit.committed);
    k->commit.limit = PT_UNKNOWN;
    k->commit.over = NAN;
    k->commit.policy = pt_kernel_value(k->end.view, "proc:sys/vm/overcommit_memory");
    if (!s)
        return;
    const struct pt_curve *committed = &s->track[MORE_COMMITTED], *limit = &s->track[MORE_LIMIT];
    pt_course_of(committed, &k->timeline, KIB, pt_kernel_end(s, MORE_COMMITTED),
                 &k->commit.committed);
    const double last = pt_kernel_end(s, MORE_LIMIT);
    k->commit.limit = pt_kernel_whole(last * KIB);
    width = (w->end - w->base) / POINTS;
    for (unsigned i = 0; i < POINTS && width > 0; i++) {
        const double at = w->base + (i + 0.5) * width;
        over += pt_course_at(committed, at) > pt_course_at(limit, at) ? width : 0;
    }
    k->commit.over = isnan(last) || !committed->holds ? NAN : over;
}

static void set_dirty(struct pt_kernel_work *w, const struct pt_serie *s)
{
    struct pt_kernel *k = w->k;
    double known;
    pt_course_init(&k->dirty.dirty);
    k->dirty.background = k->dirty.limit = PT_UNKNOWN;
    k->dirty.over_background = k->dirty.over_limit = NAN;
    if (!s || w->page == PT_UNKNOWN)
        return;
    const double page = (double)w->page;
    pt_course_of(&s->track[PT_VMM_DIRTY], &k->timeline, page,
                 pt_kernel_measure_vm(NULL, s->v, s->known, PT_VMM_DIRTY), &k->dirty.dirty);
    if (pt_kernel_has(s->known, PT_VM_BACKGROUND))
        k->dirty.background = pt_items_times(s->v[PT_VM_BACKGROUND], w->page);
    if (pt_kernel_has(s->known, PT_VM_LIMIT))
        k->dirty.limit = pt_items_times(s->v[PT_VM_LIMIT], w->page);
    const double background = pt_course_time(&s->track[PT_VMM_OVER_BACKGROUND], &known);
    k->dirty.over_background = known > 0 ? background : NAN;
    const double limit = pt_course_time(&s->track[PT_VMM_OVER_LIMIT], &known);
    k->dirty.over_limit = known > 0 ? limit : NAN;
}

int pt_kernel_levels(struct pt_kernel_work *w, struct pt_err *err)
{
    const struct pt_serie *s = pt_kernel_newest(w, PT_KS_MORE);
    const int64_t huge = w->k->end.mem.v[PT_MEM_HUGE_SIZE];
    int rc = 0;
    set_commit(w, s);
    set_dirty(w, pt_kernel_newest(w, PT_KS_VM));
    for (unsigned i = 0; s && i < COUNT(more) && rc >= 0; i++)
        if (more[i].title && (!more[i].pages || huge != PT_UNKNOWN))
            rc = add_level(w, &more[i], s, i, more[i].pages ? (double)huge : KIB, err);
    return rc;
}
