/* SPDX-License-Identifier: MIT
 * Whom an episode hurt and who pushed: the major faults and the memory that came back from swap of
 * each process, and how much each grew, in the windows of the episodes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/swap/swap_int.h"
#include "analyze/swap/tracks.h"

#define MIB (INT64_C(1) << 20)
/* Growth pushes others out from before it can be told from quiet: the first bins of a rule. */
#define LEAD_S 30.0
/* Episodes so close are of one cause. */
#define CHAIN_S 30.0
/* Less than these is nobody's fault, nor harm; nor is what is little beside the worst. */
#define VICTIM_LEAST    (1 * MIB)
#define AGGRESSOR_LEAST (8 * MIB)
#define VICTIM_SHARE    0.1
#define AGGRESSOR_SHARE 0.2
/* Pages that come with one fault at most: swap read-ahead is 8 by default. A process that frees
 * what it has in swap waits for nothing. */
#define FAULT_PAGES 16
/* A child that begins with what its parent has shares it. */
#define FORK_LEAST (16 * MIB)

/* ---- windows ---- */

static bool blames(const struct pt_swap_episode *e)
{
    return e->state != PT_SWAP_PARKED;
}

static int by_begin(const void *a, const void *b)
{
    const struct pt_window *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

struct windows {
    struct pt_window *v;
    double *latest;
    size_t n;
};

/* lead: from the beginning of the first of the episodes that follow each other closely, and what
 * stands before it. */
static int make_windows(const struct pt_swap_episodes *e, double lead, struct windows *ret,
                        struct pt_err *err)
{
    double begun = NAN, end = -INFINITY;
    *ret = (struct windows){.v = calloc(e->n + 1, sizeof(*ret->v)),
                            .latest = calloc(e->n + 1, sizeof(*ret->latest))};
    if (!ret->v || !ret->latest)
        return pt_err_nomem(err);
    for (size_t i = 0; i < e->n; i++) {
        const struct pt_swap_episode *one = &e->v[i];
        if (!blames(one))
            continue;
        begun = one->from - end > CHAIN_S ? one->from : begun;
        end = fmax(end, one->to);
        ret->v[ret->n++] =
            (struct pt_window){lead > 0 ? begun - lead : one->from, one->to, (uint32_t)i};
    }
    if (ret->n)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_begin);
    for (size_t i = 0; i < ret->n; i++)
        ret->latest[i] = i ? fmax(ret->latest[i - 1], ret->v[i].to) : ret->v[i].to;
    return 0;
}

static void release_windows(struct windows *w)
{
    free(w->v);
    free(w->latest);
}

/* ---- lives ---- */

/* A process by its stat, and the tracks of its status. */
struct who {
    const struct pt_track *stat, *status;
};

static int by_pid(const void *a, const void *b)
{
    const struct pt_track *x = ((const struct who *)a)->stat, *y = ((const struct who *)b)->stat;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static struct who *who_at(struct who *v, size_t n, int64_t pid, uint32_t boot, double at,
                          double slack)
{
    size_t lo = 0, hi = n;
    struct who *best = NULL;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (v[mid].stat->pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < n && v[lo].stat->pid == pid; lo++) {
        const struct pt_track *k = v[lo].stat;
        if (k->boot == boot && at >= k->from - slack && at <= k->until + slack &&
            (!best || fabs(k->from - at) < fabs(best->stat->from - at)))
            best = &v[lo];
    }
    return best;
}

struct load {
    struct pt_swap *w;
    const struct pt_swap_deeps *deeps;
    struct pt_tracks stat, status;
    struct windows during, before;
    struct who *who;
    size_t nwho;
    uint32_t *index; /* of each of who in the processes, + 1 */
};

static int make_who(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    l->who = calloc(l->stat.n + 1, sizeof(*l->who));
    l->index = calloc(l->stat.n + 1, sizeof(*l->index));
    if (!l->who || !l->index)
        return pt_err_nomem(err);
    for (size_t i = 0; i < l->stat.n; i++)
        l->who[l->nwho++].stat = &l->stat.v[i];
    if (l->nwho)
        qsort(l->who, l->nwho, sizeof(*l->who), by_pid);
    for (size_t i = 0; i < l->status.n; i++) {
        const struct pt_track *k = &l->status.v[i];
        struct who *one = who_at(l->who, l->nwho, k->pid, k->boot, k->from, w->timeline.interval);
        if (one && !one->status)
            one->status = k;
    }
    return 0;
}

/* ---- blame ---- */

/* A child that began with as much as its parent had then has it from there. */
static bool forked(struct load *l, const struct who *one)
{
    const struct pt_track *child = one->status, *stat = one->stat;
    if (!child || child->first_anon < FORK_LEAST || !(stat->known >> PT_TRACK_PPID & 1))
        return false;
    const struct who *parent = who_at(l->who, l->nwho, stat->v[PT_TRACK_PPID], stat->boot,
                                      stat->from, l->w->timeline.interval);
    return parent && parent->status && parent->status->first_anon != PT_UNKNOWN &&
           child->first_anon >= parent->status->least_anon / 10 * 8 &&
           child->first_anon <= parent->status->most_anon / 20 * 21;
}

static const struct pt_track_part *part_in(const struct pt_track *k, uint32_t episode)
{
    for (uint32_t i = 0; k && i < k->nparts; i++)
        if (k->parts[i].episode == episode)
            return &k->parts[i];
    return NULL;
}

struct candidate {
    uint32_t who;
    struct pt_swap_part part;
    int64_t weight;
};

static int by_weight(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return (x->who > y->who) - (x->who < y->who);
}

struct candidates {
    struct candidate *v; /* room for one of each process */
    size_t n;
};

static void consider(struct candidates *c, uint32_t who, struct pt_swap_part part, int64_t weight)
{
    if (weight <= 0)
        return;
    c->v[c->n++] = (struct candidate){who, part, weight};
}

static int64_t growth_of(struct load *l, const struct who *one, const struct pt_track_part *p)
{
    const int64_t start = p->born && forked(l, one) ? one->status->first_anon : p->start;
    int64_t growth;
    return __builtin_sub_overflow(p->most, start, &growth) ? 0 : growth;
}

static int64_t harm_of(const struct pt_swap_part *p, int64_t page)
{
    int64_t read, most;
    if (__builtin_mul_overflow(p->majflt, page, &read) ||
        __builtin_mul_overflow(read, FAULT_PAGES, &most))
        return 0;
    const int64_t back = p->refilled < most ? p->refilled : most;
    return read > back ? read : back;
}

/* The worst of them: taken out of `c` into `ret`, .process being of who for now. */
static unsigned worst(struct candidates *c, int64_t least, double share, struct pt_swap_part *ret)
{
    unsigned n = 0;
    if (c->n)
        qsort(c->v, c->n, sizeof(*c->v), by_weight);
    while (n < PT_SWAP_PARTS && n < c->n && c->v[n].weight >= least &&
           (double)c->v[n].weight >= share * (double)c->v[0].weight) {
        ret[n] = c->v[n].part;
        ret[n].process = c->v[n].who;
        n++;
    }
    return n;
}

static void blame(struct load *l, uint32_t episode, struct candidates *victims,
                  struct candidates *aggressors, struct pt_swap_blame *ret)
{
    victims->n = aggressors->n = 0;
    for (uint32_t i = 0; i < l->nwho; i++) {
        const struct who *one = &l->who[i];
        const struct pt_track_part *faults = part_in(one->stat, episode);
        const struct pt_track_part *memory = part_in(one->status, episode);
        const int64_t growth =
            memory && memory->start != PT_UNKNOWN ? growth_of(l, one, memory) : 0;
        const struct pt_swap_part part = {.majflt = faults ? faults->majflt
                                                    : one->stat->majflt == PT_UNKNOWN ? PT_UNKNOWN
                                                                                      : 0,
                                          .refilled = memory        ? memory->refilled
                                                      : one->status ? 0
                                                                    : PT_UNKNOWN,
                                          .growth = one->status ? growth : PT_UNKNOWN};
        consider(victims, i, part, harm_of(&part, l->w->page_size));
        consider(aggressors, i, part, growth);
    }
    ret->nvictims = worst(victims, VICTIM_LEAST, VICTIM_SHARE, ret->victims);
    ret->naggressors = worst(aggressors, AGGRESSOR_LEAST, AGGRESSOR_SHARE, ret->aggressors);
}

static int blame_all(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    struct candidates victims = {.v = calloc(l->nwho + 1, sizeof(*victims.v))};
    struct candidates aggressors = {.v = calloc(l->nwho + 1, sizeof(*aggressors.v))};
    w->blame = calloc(w->episodes.n + 1, sizeof(*w->blame));
    const bool ok = victims.v && aggressors.v && w->blame;
    for (uint32_t i = 0; ok && i < w->episodes.n; i++)
        if (blames(&w->episodes.v[i]))
            blame(l, i, &victims, &aggressors, &w->blame[i]);
    free(victims.v);
    free(aggressors.v);
    return ok ? 0 : pt_err_nomem(err);
}

/* ---- those that are told of ---- */

static void note_parts(struct load *l, const struct pt_swap_part *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        l->index[v[i].process] = 1;
}

/* Positions by who to positions by process. */
static void number_parts(const struct load *l, const uint32_t *position, struct pt_swap_part *v,
                         unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        v[i].process = position[l->index[v[i].process] - 1];
}

static const struct pt_swap_deep *deep_of(const struct load *l, const struct who *one)
{
    return pt_swap_deep_of(l->deeps, one->stat->pid, one->stat->v[PT_TRACK_START]);
}

static void make_process(struct load *l, const struct who *one, const struct pt_life *life,
                         struct pt_swap_process *ret)
{
    const struct pt_track *k = one->status;
    const struct pt_swap_deep *deep = deep_of(l, one);
    *ret = (struct pt_swap_process){.life = life,
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

static int by_most(const void *a, const void *b)
{
    const struct pt_swap_process *x = a, *y = b;
    if (x->most != y->most)
        return x->most < y->most ? 1 : -1;
    return (x->life > y->life) - (x->life < y->life);
}

/* The most in swap first; what was said of a process by its place is said of the new one. */
static int sort_processes(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    uint32_t *position = calloc(w->nprocesses + 1, sizeof(*position));
    if (!position)
        return pt_err_nomem(err);
    if (w->nprocesses)
        qsort(w->processes, w->nprocesses, sizeof(*w->processes), by_most);
    for (size_t i = 0; i < w->nprocesses; i++)
        position[w->processes[i].life - w->lives.v] = (uint32_t)i;
    for (size_t i = 0; i < w->episodes.n; i++) {
        number_parts(l, position, w->blame[i].victims, w->blame[i].nvictims);
        number_parts(l, position, w->blame[i].aggressors, w->blame[i].naggressors);
    }
    free(position);
    return 0;
}

static struct pt_life life_of(const struct pt_track *k, const struct pt_timeline *t)
{
    return (struct pt_life){.pid = k->pid,
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

static int pick(struct load *l, struct pt_err *err)
{
    struct pt_swap *w = l->w;
    size_t n = 0;
    for (size_t i = 0; i < w->episodes.n; i++) {
        note_parts(l, w->blame[i].victims, w->blame[i].nvictims);
        note_parts(l, w->blame[i].aggressors, w->blame[i].naggressors);
    }
    for (size_t i = 0; i < l->nwho; i++) {
        const struct pt_track *k = l->who[i].status;
        const struct pt_swap_deep *deep = deep_of(l, &l->who[i]);
        if (l->index[i] || (k && k->most > 0) || (deep && deep->shmem_swap > 0))
            l->index[i] = (uint32_t)++n;
    }
    w->processes = calloc(n + 1, sizeof(*w->processes));
    w->lives.v = calloc(n + 1, sizeof(*w->lives.v));
    if (!w->processes || !w->lives.v)
        return pt_err_nomem(err);
    for (size_t i = 0; i < l->nwho; i++) {
        if (!l->index[i])
            continue;
        struct pt_life *life = &w->lives.v[w->lives.n++];
        *life = life_of(l->who[i].stat, &w->timeline);
        make_process(l, &l->who[i], life, &w->processes[w->nprocesses++]);
    }
    return sort_processes(l, err);
}

/* ---- loading ---- */

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
                                   .unit = 1024};
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
    };
    const int rc = pt_db_fields(db, q, 2, err);
    pt_tracks_end(&l->stat);
    pt_tracks_end(&l->status);
    return l->stat.nomem || l->status.nomem ? pt_err_nomem(err) : rc;
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
        rc = make_windows(&w->episodes, 0, &l.during, err);
        if (rc >= 0)
            rc = make_windows(&w->episodes, LEAD_S, &l.before, err);
        if (rc >= 0)
            rc = load_tracks(db, &l, err);
    }
    if (rc >= 0)
        rc = make_who(&l, err);
    if (rc >= 0)
        rc = blame_all(&l, err);
    if (rc >= 0)
        rc = pick(&l, err);
    if (rc >= 0 && w->lives.n)
        rc = pt_lives_name(db, &w->timeline, &w->lives, err);
    if (keeps(w) && (l.status.unreadable || l.status.n == 0))
        w->missing |= PT_SWAP_NO_VMSWAP;
    free(l.who);
    free(l.index);
    pt_tracks_release(&l.stat);
    pt_tracks_release(&l.status);
    release_windows(&l.during);
    release_windows(&l.before);
    return rc;
}
