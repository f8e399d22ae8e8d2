/* SPDX-License-Identifier: MIT
 * The processes of a span: their tracks, who they are, and those that are told of. */
#include <math.h>
#include <stdlib.h>

#include "analyze/series/names.h"
#include "analyze/swap/whom.h"

/* ---- lives ---- */

static int by_pid(const void *a, const void *b)
{
    const struct pt_track *x = ((const struct pt_swap_who *)a)->stat;
    const struct pt_track *y = ((const struct pt_swap_who *)b)->stat;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* How far a time lies from the one a life began at, as far as it is within it. */
static double distance(const struct pt_track *k, double at)
{
    const double to = k->over ? k->lost : k->until;
    return at >= k->from && at <= to ? at - k->from : INFINITY;
}

struct pt_swap_who *pt_swap_who_at(const struct pt_swap_whom *w, int64_t pid, uint32_t boot,
                                   double at, double slack)
{
    size_t lo = 0, hi = w->n;
    struct pt_swap_who *best = NULL;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (w->v[mid].stat->pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < w->n && w->v[lo].stat->pid == pid; lo++) {
        const struct pt_track *k = w->v[lo].stat;
        if (k->boot == boot && at >= k->from - slack && at <= k->until + slack &&
            (!best || distance(k, at) < distance(best->stat, at) ||
             (isinf(distance(best->stat, at)) && fabs(k->from - at) < fabs(best->stat->from - at))))
            best = &w->v[lo];
    }
    return best;
}

struct load {
    struct pt_swap *w;
    const struct pt_swap_deeps *deeps;
    struct pt_tracks stat, status;
    struct pt_windows during, before;
    struct pt_squeezes squeezes;
    struct pt_swap_whom whom;
    struct pt_names names; /* of each of stat's tracks */
};

static int make_whom(struct load *l, struct pt_err *err)
{
    struct pt_swap_whom *w = &l->whom;
    w->v = calloc(l->stat.n + 1, sizeof(*w->v));
    if (!w->v)
        return pt_err_nomem(err);
    for (size_t i = 0; i < l->stat.n; i++)
        w->v[w->n++].stat = &l->stat.v[i];
    if (w->n)
        qsort(w->v, w->n, sizeof(*w->v), by_pid);
    for (size_t i = 0; i < l->status.n; i++) {
        const struct pt_track *k = &l->status.v[i];
        struct pt_swap_who *one =
            pt_swap_who_at(w, k->pid, k->boot, k->from, l->w->timeline.interval);
        if (one && !one->status)
            one->status = k;
    }
    return 0;
}

static struct pt_life life_of(const struct load *l, const struct pt_track *k)
{
    const struct pt_timeline *t = &l->w->timeline;
    const struct pt_called called = pt_names_of(&l->names, (size_t)(k - l->stat.v));
    return (struct pt_life){.comm = called.comm,
                            .exe = called.exe,
                            .cgroup = called.cgroup,
                            .service = called.service,
                            .memory_cgroup = called.memory_cgroup,
                            .pid = k->pid,
                            .ppid =
                                k->known >> PT_TRACK_PPID & 1 ? k->v[PT_TRACK_PPID] : PT_UNKNOWN,
                            .start_time = k->v[PT_TRACK_START],
                            .boot = k->boot,
                            .from = k->from,
                            .to = k->over ? k->lost : k->until,
                            .born = k->born,
                            .died = k->over || k->until < t->end - 1.5 * t->interval,
                            .uid = PT_UNKNOWN,
                            .group = UINT32_MAX};
}

static const struct pt_swap_deep *deep_of(const struct load *l, const struct pt_swap_who *one)
{
    return pt_swap_deep_of(l->deeps, one->stat->pid, one->stat->v[PT_TRACK_START]);
}

/* Those that something may be told of, with their names. */
static int make_lives(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    w->lives.v = calloc(l->whom.n + 1, sizeof(*w->lives.v));
    if (!w->lives.v)
        return pt_err_nomem(err);
    for (size_t i = 0; i < l->whom.n; i++) {
        struct pt_swap_who *one = &l->whom.v[i];
        const struct pt_track *k = one->status;
        const struct pt_swap_deep *deep = deep_of(l, one);
        one->told = (k && k->most > 0) || (deep && deep->shmem_swap > 0);
        if (!one->told && !one->stat->nparts && !(k && k->nparts))
            continue;
        one->life = &w->lives.v[w->lives.n++];
        *one->life = life_of(l, one->stat);
    }
    return 0;
}

/* ---- those that are told of ---- */

static void make_process(struct load *l, const struct pt_swap_who *one, struct pt_swap_process *ret)
{
    const struct pt_track *k = one->status;
    const struct pt_swap_deep *deep = deep_of(l, one);
    *ret = (struct pt_swap_process){.life = one->life,
                                    .first = k ? k->first : PT_UNKNOWN,
                                    .most = k ? k->most : PT_UNKNOWN,
                                    .last = k ? k->last : PT_UNKNOWN,
                                    .most_at = k ? k->most_at : NAN,
                                    .swapped_in = k && k->most != PT_UNKNOWN ? k->in : PT_UNKNOWN,
                                    .swapped_out = k && k->most != PT_UNKNOWN ? k->out : PT_UNKNOWN,
                                    .majflt = one->stat->majflt,
                                    .swap_pss = deep ? deep->swap_pss : PT_UNKNOWN,
                                    .shmem_swap = deep ? deep->shmem_swap : PT_UNKNOWN,
                                    .smaps_us = deep ? deep->read_us : PT_UNKNOWN};
    if (k) { /* the curve moves to its process */
        struct pt_track *own = &l->status.v[k - l->status.v];
        ret->swap = own->swap;
        pt_curve_init(&own->swap, 1);
    }
}

/* Private memory, and that of shared objects. */
static double all_of(const struct pt_swap_process *p)
{
    return (p->most > 0 ? (double)p->most : 0) + (p->shmem_swap > 0 ? (double)p->shmem_swap : 0);
}

static int by_most(const void *a, const void *b)
{
    const struct pt_swap_process *x = a, *y = b;
    if (all_of(x) < all_of(y) || all_of(x) > all_of(y))
        return all_of(x) < all_of(y) ? 1 : -1;
    return (x->life > y->life) - (x->life < y->life);
}

static void number_parts(const struct pt_swap_whom *whom, struct pt_swap_part *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        v[i].process = whom->v[v[i].process].process;
}

/* The most in swap first; what is said of a process by its place among all is said of its new one.
 */
static int make_processes(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    size_t *who = calloc(w->lives.n + 1, sizeof(*who)); /* of each life */
    w->processes = calloc(l->whom.n + 1, sizeof(*w->processes));
    if (!who || !w->processes) {
        free(who);
        return pt_err_nomem(err);
    }
    for (size_t i = 0; i < l->whom.n; i++) {
        if (!l->whom.v[i].told)
            continue;
        who[l->whom.v[i].life - w->lives.v] = i;
        make_process(l, &l->whom.v[i], &w->processes[w->nprocesses++]);
    }
    if (w->nprocesses)
        qsort(w->processes, w->nprocesses, sizeof(*w->processes), by_most);
    for (size_t i = 0; i < w->nprocesses; i++)
        l->whom.v[who[w->processes[i].life - w->lives.v]].process = (uint32_t)i;
    free(who);
    for (size_t i = 0; i < w->episodes.n; i++) {
        number_parts(&l->whom, w->blame[i].victims, w->blame[i].nvictims);
        number_parts(&l->whom, w->blame[i].aggressors, w->blame[i].naggressors);
    }
    return 0;
}

/* ---- loading ---- */

/* What is told of a segment's end is of its newest lives, or of one whose number was taken by
 * another since. */
static size_t named_life(void *ctx, int64_t pid, uint32_t boot, double at)
{
    const struct pt_tracks *t = ctx;
    const struct pt_track *k = pt_track_life(t, pid, at);
    if (!k || k->boot != boot || (k->over && at > k->lost))
        k = pt_track_life(t, pid, at + t->timeline->interval);
    return k && k->boot == boot ? (size_t)(k - t->v) : SIZE_MAX;
}

static int load_tracks(struct pt_db *db, struct load *l, struct pt_err *err)
{
    static const char *const stat[] = {"starttime", "ppid", "majflt"};
    static const char *const status[] = {"RssAnon", "VmSwap"};
    const struct pt_timeline *t = &l->w->timeline;
    l->stat = (struct pt_tracks){.timeline = t,
                                 .windows = l->during.v,
                                 .latest = l->during.latest,
                                 .nwindows = l->during.n,
                                 .change = pt_track_stat,
                                 .same = 1u << PT_TRACK_START,
                                 .unit = 1};
    l->status = (struct pt_tracks){.timeline = t,
                                   .windows = l->before.v,
                                   .latest = l->before.latest,
                                   .nwindows = l->before.n,
                                   .change = pt_track_status,
                                   .lives = &l->stat,
                                   .unit = 1024};
    l->squeezes = (struct pt_squeezes){
        .timeline = t, .windows = l->before.v, .latest = l->before.latest, .nwindows = l->before.n};
    static const char *const hits[] = {"value"}, *const events[] = {"max", "high"};
    const struct pt_field_query q[] = {
        {.glob = "proc:*/stat",
         .fields = stat,
         .nfields = 3,
         .from = t->first,
         .to = t->last,
         .fn = pt_track_point,
         .ctx = &l->stat},
        {.glob = "proc:*/status",
         .fields = status,
         .nfields = 2,
         .from = t->first,
         .to = t->last,
         .fn = pt_track_point,
         .ctx = &l->status},
        {.glob = "cgroup:**memory.failcnt",
         .fields = hits,
         .nfields = 1,
         .from = t->first,
         .to = t->last,
         .fn = pt_squeeze_point,
         .ctx = &l->squeezes},
        {.glob = "cgroup:**memory.events.local",
         .fields = events,
         .nfields = 2,
         .from = t->first,
         .to = t->last,
         .fn = pt_squeeze_point,
         .ctx = &l->squeezes},
    };
    struct pt_last_query lasts[PT_NAMES];
    l->names.find = named_life;
    l->names.ctx = &l->stat;
    pt_names_begin(&l->names, db, t, &l->w->lives.arena, lasts);
    /* without windows nobody is to blame */
    const int rc = pt_db_scan(db, q, l->before.n ? 4 : 2, lasts, PT_NAMES, err);
    pt_tracks_end(&l->stat);
    pt_tracks_end(&l->status);
    pt_squeezes_end(&l->squeezes);
    return l->stat.nomem || l->status.nomem || l->squeezes.nomem || l->names.nomem
               ? pt_err_nomem(err)
               : rc;
}

/* Swap that was never used and hurt nobody is nobody's. */
static bool keeps(const struct pt_swap *w)
{
    return w->episodes.n > 0 || !(w->all.used_most <= 0);
}

int pt_swap_load_processes(struct pt_db *db, struct pt_swap *w, const struct pt_swap_deeps *deeps,
                           struct pt_err *err)
{
    struct load l = {.w = w, .deeps = deeps};
    int rc = 0;
    if (keeps(w)) {
        rc = pt_swap_windows(&w->episodes, false, &l.during, err);
        if (rc >= 0)
            rc = pt_swap_windows(&w->episodes, true, &l.before, err);
        if (rc >= 0)
            rc = load_tracks(db, &l, err);
    }
    if (rc >= 0)
        rc = make_whom(&l, err);
    if (rc >= 0)
        rc = make_lives(&l, err);
    if (rc >= 0)
        rc = pt_swap_blame(w, &l.whom, &l.squeezes, err);
    if (rc >= 0)
        rc = make_processes(&l, err);
    if (keeps(w) && (l.status.unreadable || l.status.n == 0))
        w->missing |= PT_SWAP_NO_VMSWAP;
    free(l.whom.v);
    pt_names_release(&l.names);
    pt_squeezes_release(&l.squeezes);
    pt_tracks_release(&l.stat);
    pt_tracks_release(&l.status);
    pt_windows_release(&l.during);
    pt_windows_release(&l.before);
    return rc;
}
