/* SPDX-License-Identifier: MIT
 * Over all snapshots, by the snapshot table and the recorder's account alone; coverage from the
 * last one. */
#include "analyze/info/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/process.h"
#include "analyze/print/units.h"
#include "schema/source.h"

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

/* The recorder's CPU over steps of which it is known: minutes are whole ones. */
static void add_cost(struct pt_info_walk *w, int64_t step, int64_t cost)
{
    enum { MINUTE = 60 * 1000000 };
    struct pt_info *info = w->info;
    if (__builtin_add_overflow(info->cost_us, cost, &info->cost_us) ||
        __builtin_add_overflow(w->minute_cost_us, cost, &w->minute_cost_us))
        return;
    info->cost_span_us += step;
    w->minute_us += step;
    if (w->minute_us < MINUTE)
        return;
    const double percent = 100.0 * (double)w->minute_cost_us / (double)w->minute_us;
    if (percent > info->cost_max)
        info->cost_max = percent;
    w->minute_cost_us = w->minute_us = 0;
}

/* Numbers that are missing were thinned out or lost: what they took is no gap, and a snapshot's
 * cost is that since the one before it. */
static void add_step(struct pt_info_walk *w, const struct pt_snap *snap)
{
    struct pt_info *info = w->info;
    const int64_t step = pt_units_minus(snap->real_us, w->last.real_us);
    const int64_t numbers = pt_units_minus(snap->n, w->last.n);
    int64_t least;
    const bool known = numbers == 1 && snap->cost_us >= 0;
    if (snap->boot != w->last.boot || step <= 0 || !known)
        w->minute_cost_us = w->minute_us = 0;
    if (numbers > 1) {
        info->thin_n = snap->n;
        info->thin_us = snap->real_us;
    }
    if (snap->boot != w->last.boot || step <= 0)
        return;
    if (!__builtin_mul_overflow(GAP_INTERVALS * w->interval_us, numbers, &least) && step > least) {
        const struct pt_gap gap = {
            .from = w->last.n, .to = snap->n, .from_us = w->last.real_us, .us = step};
        add_gap(info, &gap);
        w->minute_cost_us = w->minute_us = 0;
        return;
    }
    if (__builtin_add_overflow(info->covered_us, step, &info->covered_us))
        return;
    if (known)
        add_cost(w, step, snap->cost_us);
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
    int64_t rss;
    if (snap->rss_kb != PT_UNKNOWN && !__builtin_mul_overflow(snap->rss_kb, 1024, &rss) &&
        (info->rss_max == PT_UNKNOWN || rss > info->rss_max))
        info->rss_max = rss;
    return 0;
}

/* ---- at the last snapshot ---- */

static int by_count(const void *a, const void *b)
{
    const struct pt_unread *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    const int name = strcmp(x->files, y->files);
    return name ? name : (x->why > y->why) - (x->why < y->why);
}

static void add_unread(struct pt_info *info, const struct pt_source_at *at)
{
    char class[sizeof(info->unread[0].files)];
    size_t i = 0;
    pt_source_class(at->name, class, sizeof(class));
    while (i < info->nunread &&
           (info->unread[i].why != at->why || strcmp(info->unread[i].files, class) != 0))
        i++;
    if (i == PT_INFO_UNREAD)
        return;
    struct pt_unread *u = &info->unread[i];
    if (i == info->nunread) {
        info->nunread++;
        memcpy(u->files, class, sizeof(class));
        u->why = at->why;
    }
    u->count++;
}

static void add_processes(struct pt_info *info, const struct pt_processes *table, int64_t now_us)
{
    info->lost = table->lost;
    for (size_t i = 0; i < table->n; i++) {
        const struct pt_process *p = &table->v[i];
        info->processes++;
        info->kernel += p->kernel;
        info->unreadable += !p->kernel && p->deep == PT_UNREADABLE;
        if (p->kernel || p->deep_us == PT_UNKNOWN)
            continue;
        info->with_smaps++;
        const int64_t age = pt_units_minus(now_us, p->deep_us);
        if (age == PT_UNKNOWN)
            continue;
        if (info->oldest_smaps_us == PT_UNKNOWN || age > info->oldest_smaps_us)
            info->oldest_smaps_us = age < 0 ? 0 : age;
    }
}

/* Whether the files of a kind are damaged there. */
static bool is_lost(const struct pt_session *s, enum pt_block_kind kind)
{
    struct pt_view *view;
    if (pt_view_load(s->db, s->span.last, PT_GROUP(kind), &view, NULL) < 0)
        return true;
    const bool lost = view->lost > 0;
    pt_view_free(view);
    return lost;
}

/* What nothing was found of, because it is damaged. */
static void forget_lost(const struct pt_session *s, struct pt_info *info)
{
    const bool processes = is_lost(s, PT_BLOCK_PROC);
    if (processes)
        info->processes = info->kernel = info->lost = PT_UNKNOWN;
    if (processes || is_lost(s, PT_BLOCK_DEEP))
        info->with_smaps = info->unreadable = info->oldest_smaps_us = PT_UNKNOWN;
}

static int coverage(const struct pt_session *s, struct pt_info *info, struct pt_err *err)
{
    struct pt_view *view;
    struct pt_processes table;
    struct pt_err why = {0};
    int rc = pt_view_load(s->db, s->span.last, PT_GROUP_ALL, &view, &why);
    if (rc < 0 && why.code == PT_EDAMAGED) {
        info->processes = info->kernel = info->with_smaps = info->unreadable = info->lost =
            PT_UNKNOWN;
        return 0; /* which is told by the database, and all else is known */
    }
    if (rc < 0)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    for (uint32_t i = 0; i < view->count; i++) {
        if (view->sources[i].presence == PT_UNREADABLE)
            add_unread(info, &view->sources[i]);
    }
    qsort(info->unread, info->nunread, sizeof(info->unread[0]), by_count);
    rc = pt_processes_load(view, s->smaps, &table, err);
    if (rc >= 0) {
        add_processes(info, &table, view->snap.real_us);
        pt_processes_release(&table);
    }
    if (rc >= 0 && view->lost)
        forget_lost(s, info);
    pt_view_free(view);
    return rc;
}

static int count_event(void *ctx, const struct pt_db_event *e)
{
    struct pt_info *info = ctx;
    if (e->kind >= 0 && e->kind < PT_INFO_KINDS)
        info->events[e->kind]++;
    return 0;
}

int pt_info_make(const struct pt_session *s, struct pt_info *ret, struct pt_err *err)
{
    struct pt_info info = {.rss_max = PT_UNKNOWN, .oldest_smaps_us = PT_UNKNOWN, .cost_max = -1};
    struct pt_info_walk walk = {.info = &info, .interval_us = pt_session_interval(s)};
    int rc = pt_db_events(s->db, INT64_MIN, INT64_MAX, INT64_MIN, count_event, &info, err);
    if (rc >= 0 && s->span.count > 0)
        rc = pt_db_each(s->db, s->span.first, s->span.last, pt_info_add, &walk, err);
    if (rc >= 0 && s->span.count > 0)
        rc = pt_own_load(s->db, s->span.first, s->span.last, &info.own, err);
    if (rc >= 0 && s->span.count > 0)
        rc = coverage(s, &info, err);
    if (rc < 0)
        return rc;
    *ret = info;
    return 0;
}

/* ---- amounts ---- */

const char *pt_info_why(int why)
{
    return why == ETIMEDOUT ? "the read hung" : strerror(why);
}

double pt_info_cpu(const struct pt_info *info)
{
    return info->cost_span_us > 0 ? 100.0 * (double)info->cost_us / (double)info->cost_span_us : -1;
}

int64_t pt_info_bytes_per_snapshot(const struct pt_session *s)
{
    return s->span.count > 0 ? s->span.bytes / s->span.count : PT_UNKNOWN;
}

int64_t pt_info_bytes_per_day(const struct pt_session *s)
{
    enum { ENOUGH = 360 };
    if (s->span.count < ENOUGH)
        return PT_UNKNOWN;
    return (int64_t)((double)pt_info_bytes_per_snapshot(s) * 86400e6 /
                     (double)pt_session_interval(s));
}

int64_t pt_info_written_per_day(const struct pt_info *info)
{
    const int64_t written = pt_own_total(&info->own, "written_bytes");
    return written == PT_UNKNOWN || info->covered_us <= 0
               ? PT_UNKNOWN
               : (int64_t)((double)written * 86400e6 / (double)info->covered_us);
}
