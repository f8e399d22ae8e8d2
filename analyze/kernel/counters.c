/* SPDX-License-Identifier: MIT
 * Counters of vmstat: what reclaim, compaction, huge pages and NUMA balancing did in the span. */
#include <math.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct counter {
    enum pt_kernel_series series;
    enum pt_kernel_topic topic;
    const char *field, *title;
} counters[] = {
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pageoutrun", "rounds of kswapd"},
    {PT_KS_STALLS, PT_TOPIC_RECLAIM, "allocstall", "allocations that had to reclaim"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pgscan_kswapd", "pages kswapd looked at"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pgsteal_kswapd", "pages kswapd took back"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pgscan_direct", "pages allocating tasks looked at"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pgsteal_direct", "pages allocating tasks took back"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "pgscan_direct_throttle", "times tasks were throttled"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "slabs_scanned", "objects shrinkers looked at"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "kswapd_low_wmark_hit_quickly",
     "times kswapd stopped too early for the low watermark"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "kswapd_high_wmark_hit_quickly",
     "times kswapd stopped too early for the high watermark"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "drop_pagecache", "times somebody dropped the page cache"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "drop_slab", "times somebody dropped slab caches"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "zone_reclaim_failed", "times a node could not reclaim"},
    {PT_KS_RECLAIM, PT_TOPIC_RECLAIM, "oom_kill", "processes killed for want of memory"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_stall", "allocations that had to compact"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_success", "compactions that made room"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_fail", "compactions that did not help"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_daemon_wake", "times kcompactd woke"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_migrate_scanned",
     "pages compaction looked at for moving"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "compact_free_scanned",
     "pages compaction looked at as targets"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "pgmigrate_success", "pages moved"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "pgmigrate_fail", "pages that could not be moved"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "cma_alloc_success", "contiguous allocations (CMA)"},
    {PT_KS_COMPACTION, PT_TOPIC_COMPACTION, "cma_alloc_fail",
     "contiguous allocations (CMA) that failed"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_fault_alloc", "huge pages at a fault"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_fault_fallback", "faults that got smaller pages instead"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_collapse_alloc", "huge pages put together by khugepaged"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_collapse_alloc_failed", "huge pages khugepaged did not get"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_split_page", "huge pages split"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_deferred_split_page", "huge pages in line to be split"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_file_alloc", "huge pages for files"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_file_fallback", "huge pages for files not to be had"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_swpout", "huge pages swapped out whole"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "thp_swpout_fallback", "huge pages split to be swapped out"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "htlb_buddy_alloc_success", "hugetlb pages allocated"},
    {PT_KS_HUGE, PT_TOPIC_HUGE, "htlb_buddy_alloc_fail", "hugetlb pages not to be had"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_miss", "pages from another node than meant"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_other", "pages for tasks of another node"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_pte_updates", "entries marked for NUMA balancing"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_hint_faults", "faults on marked entries"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_hint_faults_local", "of these on the task's own node"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "numa_pages_migrated", "pages moved by NUMA balancing"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "pgpromote_success", "pages moved to a faster node"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "pgdemote_kswapd", "pages moved to a slower node by kswapd"},
    {PT_KS_NUMA, PT_TOPIC_NUMA, "pgdemote_direct", "pages moved to a slower node by tasks"},
    {PT_KS_WRITE, PT_TOPIC_WRITE, "nr_vmscan_write", "pages that reclaim itself wrote out"},
    {PT_KS_WRITE, PT_TOPIC_WRITE, "nr_throttled_written",
     "pages written while reclaim was throttled"},
};

/* One counter a zone, which the kernel once had in one. */
const char *const pt_kernel_stalls[PT_STALLS] = {
    "allocstall",         "allocstall_dma",    "allocstall_dma32", "allocstall_normal",
    "allocstall_movable", "allocstall_device", "allocstall_high"};
double pt_kernel_measure_stalls(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    double sum = known ? 0 : NAN;
    (void)ctx, (void)measure;
    for (unsigned i = 0; i < PT_STALLS; i++)
        sum += pt_kernel_has(known, i) ? (double)v[i] : 0;
    return sum;
}

unsigned pt_kernel_counter_fields(enum pt_kernel_series which, const char **ret)
{
    unsigned n = 0;
    for (size_t i = 0; i < COUNT(counters); i++)
        if (counters[i].series == which)
            ret[n++] = counters[i].field;
    return n;
}

static unsigned track_of(size_t counter)
{
    unsigned n = 0;
    for (size_t i = 0; i < counter; i++)
        n += counters[i].series == counters[counter].series;
    return n;
}

static double last_rise(const struct pt_curve *t)
{
    struct pt_spell spells[64];
    const size_t n = pt_course_rises(t, spells, COUNT(spells));
    return n ? fmin(spells[n - 1].to, t->last) : NAN;
}

/* Over all boots of the span: each begins at 0. */
static bool count(const struct pt_kernel_work *w, enum pt_kernel_series which, unsigned track,
                  double *ret_n, double *ret_last)
{
    const struct pt_series *all = &w->series[which];
    bool known = false;
    *ret_n = 0;
    *ret_last = NAN;
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        const struct pt_curve *t = &s->track[track];
        const double now = which == PT_KS_STALLS ? pt_kernel_measure_stalls(NULL, s->v, s->known, 0)
                                                 : pt_kernel_end(s, track);
        if (!t->holds && isnan(now))
            continue;
        known = true;
        const double to = isnan(now) ? t->last_value : now;
        const double n = t->holds ? to - t->first_value : 0;
        if (!(n > 0))
            continue;
        const double rise = last_rise(t);
        *ret_n += n;
        *ret_last = isnan(rise) ? t->last : rise;
    }
    return known;
}

int pt_kernel_counters(struct pt_kernel_work *w, struct pt_err *err)
{
    struct pt_kernel *k = w->k;
    k->slabs_scanned = PT_UNKNOWN;
    for (size_t i = 0; i < COUNT(counters); i++) {
        double n, last;
        const struct counter *c = &counters[i];
        if (!count(w, c->series, track_of(i), &n, &last) || pt_kernel_whole(n) == PT_UNKNOWN)
            continue;
        struct pt_kernel_counter *one = pt_kernel_push(&k->counters, &k->ncounters, sizeof(*one));
        if (!one)
            return pt_err_nomem(err);
        *one = (struct pt_kernel_counter){
            .topic = c->topic,
            .name = c->field,
            .title = c->title,
            .n = pt_kernel_whole(n),
            .last_us = isnan(last) ? PT_UNKNOWN : pt_timeline_real(&k->timeline, last)};
        if (strcmp(c->field, "slabs_scanned") == 0)
            k->slabs_scanned = one->n;
    }
    return k->ncounters ? 0
                        : pt_kernel_unknown(w, "reclaim, compaction and huge pages",
                                            "vmstat was not recorded");
}

size_t pt_kernel_shrinks(const struct pt_kernel_work *w, struct pt_spell *ret, size_t max)
{
    const struct pt_serie *s = pt_kernel_newest(w, PT_KS_RECLAIM);
    for (size_t i = 0; s && i < COUNT(counters); i++)
        if (strcmp(counters[i].field, "slabs_scanned") == 0)
            return pt_course_rises(&s->track[track_of(i)], ret, max);
    return 0;
}
