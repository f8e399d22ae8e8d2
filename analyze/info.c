/* SPDX-License-Identifier: MIT
 * Over all snapshots, by the snapshot table alone; coverage from the last one. */
#include "analyze/info.h"

#include <string.h>

#include "analyze/units.h"

#define GAP_INTERVALS 5

/* Keeps the longest, longest first. */
static void add_gap(struct pt_info *info, const struct pt_gap *gap)
{
    size_t at = info->ngaps;
    info->gaps_in_all++;
    while (at > 0 && info->gaps[at - 1].us < gap->us)
        at--;
    if (at == PT_INFO_GAPS)
        return;
    const size_t tail = info->ngaps < PT_INFO_GAPS ? info->ngaps - at : PT_INFO_GAPS - 1 - at;
    memmove(&info->gaps[at + 1], &info->gaps[at], tail * sizeof(*gap));
    info->gaps[at] = *gap;
    info->ngaps += info->ngaps < PT_INFO_GAPS;
}

static void add_step(struct pt_info_walk *w, const struct pt_snap *snap)
{
    struct pt_info *info = w->info;
    const int64_t step = pt_units_minus(snap->real_us, w->last.real_us);
    if (snap->boot != w->last.boot || step <= 0)
        return;
    if (step > GAP_INTERVALS * w->interval_us) {
        const struct pt_gap gap = {
            .from = w->last.n, .to = snap->n, .from_us = w->last.real_us, .us = step};
        add_gap(info, &gap);
        return;
    }
    if (__builtin_add_overflow(info->covered_us, step, &info->covered_us))
        return;
    int64_t cost;
    if (snap->cost_us >= 0 && !__builtin_add_overflow(info->cost_us, snap->cost_us, &cost)) {
        info->cost_us = cost;
        info->cost_span_us += step;
    }
}

int pt_info_add(void *walk, const struct pt_snap *snap)
{
    struct pt_info_walk *w = walk;
    struct pt_info *info = w->info;
    if (w->any)
        add_step(w, snap);
    w->any = true;
    w->last = *snap;
    info->count++;
    const size_t kinds = sizeof(info->triggers) / sizeof(info->triggers[0]);
    info->triggers[snap->trigger < kinds ? snap->trigger : kinds - 1]++;
    int64_t rss;
    if (snap->rss_kb != PT_UNKNOWN && !__builtin_mul_overflow(snap->rss_kb, 1024, &rss) &&
        (info->rss_max == PT_UNKNOWN || rss > info->rss_max))
        info->rss_max = rss;
    return 0;
}

static int coverage(const struct pt_session *s, struct pt_info *info, struct pt_err *err)
{
    struct pt_view *view;
    struct pt_processes table;
    const unsigned groups = PT_GROUP(PT_BLOCK_PROC) | PT_GROUP(PT_BLOCK_DEEP);
    int rc = pt_view_load(s->db, s->span.last, groups, &view, err);
    if (rc < 0)
        return rc;
    rc = pt_processes_load(view, s->smaps, &table, err);
    if (rc >= 0) {
        info->lost = table.lost;
        for (size_t i = 0; i < table.n; i++) {
            const struct pt_process *p = &table.v[i];
            info->processes++;
            info->kernel += p->kernel;
            info->unreadable += !p->kernel && p->deep == PT_UNREADABLE;
            if (p->kernel || p->deep_us == PT_UNKNOWN)
                continue;
            info->with_smaps++;
            const int64_t age = pt_units_minus(view->snap.real_us, p->deep_us);
            if (age == PT_UNKNOWN)
                continue;
            if (info->oldest_smaps_us == PT_UNKNOWN || age > info->oldest_smaps_us)
                info->oldest_smaps_us = age < 0 ? 0 : age;
        }
        pt_processes_release(&table);
    }
    pt_view_free(view);
    return rc;
}

int pt_info_make(const struct pt_session *s, struct pt_info *ret, struct pt_err *err)
{
    struct pt_info info = {.rss_max = PT_UNKNOWN, .oldest_smaps_us = PT_UNKNOWN};
    struct pt_info_walk walk = {.info = &info, .interval_us = pt_session_interval(s)};
    int rc = 0;
    if (s->span.count > 0)
        rc = pt_db_each(s->db, s->span.first, s->span.last, pt_info_add, &walk, err);
    if (rc >= 0 && s->span.count > 0)
        rc = coverage(s, &info, err);
    if (rc < 0)
        return rc;
    *ret = info;
    return 0;
}
