/* SPDX-License-Identifier: MIT
 * Lives from the columns of stat and status. */
#include "analyze/series/lives.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/source.h"

/* ---- columns ---- */

enum { F_ANON, F_SWAP, F_SHMEM, F_PTE, F_HUGETLB, F_DATA, F_THREADS, F_UID, F_COUNT };
static const char *const status_fields[F_COUNT] = {
    [F_ANON] = "RssAnon",         [F_SWAP] = "VmSwap", [F_SHMEM] = "RssShmem",  [F_PTE] = "VmPTE",
    [F_HUGETLB] = "HugetlbPages", [F_DATA] = "VmData", [F_THREADS] = "Threads", [F_UID] = "Uid",
};

static double kib(const int64_t *v, uint32_t known, unsigned field)
{
    return known >> field & 1 ? (double)v[field] * 1024 : NAN;
}

static double memory_of(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx;
    switch ((enum pt_life_measure)measure) {
    case PT_LIFE_ANON: {
        const double anon = kib(v, known, F_ANON), swap = kib(v, known, F_SWAP);
        return isnan(swap) ? anon : anon + swap; /* kernels without swap do not tell it */
    }
    case PT_LIFE_SHMEM:
        return kib(v, known, F_SHMEM);
    case PT_LIFE_PTE:
        return kib(v, known, F_PTE);
    case PT_LIFE_HUGETLB:
        return kib(v, known, F_HUGETLB);
    case PT_LIFE_DATA:
        return kib(v, known, F_DATA);
    case PT_LIFE_THREADS:
        return known >> F_THREADS & 1 ? (double)v[F_THREADS] : NAN;
    case PT_LIFE_MEASURES:
        break;
    }
    return NAN;
}

static double nothing(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)v, (void)known, (void)measure;
    return NAN;
}

static bool another_start(void *ctx, const int64_t *before, const int64_t *now)
{
    (void)ctx;
    return before[0] != now[0];
}

/* ---- lives ---- */

static int by_pid(const void *a, const void *b)
{
    const struct pt_life *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* Index of the first life of a pid. */
static size_t lower(const struct pt_lives_of_span *l, int64_t pid)
{
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (l->v[mid].pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* How far a time lies from the one a life began at, as far as it is within it: the later of two
 * lives has the instant at which one took the number of the other. */
static double distance(const struct pt_life *life, double at)
{
    return at >= life->from && at <= life->to ? at - life->from : INFINITY;
}

/* The life of a pid that a time falls into, else one that is near; the slack is a reading's age. */
static struct pt_life *life_at(struct pt_lives_of_span *l, int64_t pid, uint32_t boot, double at,
                               double slack)
{
    struct pt_life *best = NULL;
    for (size_t i = lower(l, pid); i < l->n && l->v[i].pid == pid; i++) {
        struct pt_life *life = &l->v[i];
        if (life->boot == boot && at >= life->from - slack && at <= life->to + slack &&
            (!best || distance(life, at) < distance(best, at) ||
             (isinf(distance(best, at)) && fabs(life->from - at) < fabs(best->from - at))))
            best = life;
    }
    return best;
}

/* What cells of a sum are made of. */
static double span_of(const struct pt_timeline *t)
{
    return t->end > 0 ? t->end : 1;
}

static void call(struct pt_life *l, const struct pt_names *names, size_t index)
{
    const struct pt_called c = pt_names_of(names, index);
    l->comm = c.comm;
    l->exe = c.exe;
    l->cgroup = c.cgroup;
    l->service = c.service;
    l->memory_cgroup = c.memory_cgroup;
}

static void find_parents(struct pt_lives_of_span *l, const struct pt_timeline *t)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct pt_life *parent =
            life_at(l, l->v[i].ppid, l->v[i].boot, l->v[i].from, t->interval);
        l->v[i].parent = parent ? parent->exe : NULL;
    }
}

static int make_lives(const struct pt_timeline *t, const struct pt_series *stat,
                      const struct pt_names *names, struct pt_lives_of_span *l, struct pt_err *err)
{
    l->v = calloc(stat->n ? stat->n : 1, sizeof(*l->v));
    if (!l->v)
        return pt_err_nomem(err);
    for (size_t i = 0; i < stat->n; i++) {
        const struct pt_serie *s = stat->v[i];
        const char *leaf;
        const int64_t pid = pt_source_pid(s->source, &leaf);
        if (pid < 0)
            continue;
        l->v[l->n++] = (struct pt_life){
            .pid = pid,
            .start_time = s->known & 1 ? s->v[0] : PT_UNKNOWN,
            .ppid = s->known & 2 ? s->v[1] : PT_UNKNOWN,
            .uid = PT_UNKNOWN,
            .boot = s->boot,
            .from = s->from,
            .to = s->to,
            .last_n = s->last_n,
            .born = s->from > 1.5 * t->interval,
            .died = s->to < t->end - 1.5 * t->interval,
        };
        call(&l->v[l->n - 1], names, s->index);
    }
    if (l->n)
        qsort(l->v, l->n, sizeof(*l->v), by_pid);
    return 0;
}

static void add_memory(const struct pt_lives_load *w, struct pt_lives_of_span *l)
{
    const struct pt_timeline *t = w->timeline;
    for (size_t i = 0; i < l->status.n; i++) {
        const struct pt_serie *s = l->status.v[i];
        const char *leaf;
        struct pt_life *life =
            life_at(l, pt_source_pid(s->source, &leaf), s->boot, s->from, t->interval);
        if (!life)
            continue;
        life->memory = s;
        life->share = s->index < w->nshares ? w->shares[s->index] : (struct pt_share){0};
        if (s->known >> F_UID & 1)
            life->uid = s->v[F_UID];
    }
}

/* ---- shares ---- */

static bool room_for(struct pt_lives_load *w, uint32_t index)
{
    size_t n = w->nshares ? w->nshares : 256;
    while (n <= index)
        n *= 2;
    if (n == w->nshares)
        return true;
    struct pt_share *v = realloc(w->shares, n * sizeof(*v));
    if (!v)
        return false;
    memset(v + w->nshares, 0, (n - w->nshares) * sizeof(*v));
    w->shares = v;
    w->nshares = n;
    return true;
}

static void add_track(struct pt_curve *sum, const struct pt_curve *t)
{
    if (t->n == 0)
        pt_curve_add(sum, t->start, t->last, t->first_value);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct pt_cell *c = &t->cell[i];
        const double from = t->start + i * t->width;
        if (c->time > 0)
            pt_curve_add(sum, from, fmin(from + (double)c->time, from + t->width), c->mean);
    }
}

/* A span of months has wide cells: what a life of hours adds to them is little, and takes the place
 * of its own. */
static bool take_share(struct pt_lives_load *w, const struct pt_serie *s)
{
    const struct pt_curve *t = &s->track[PT_LIFE_ANON];
    struct pt_curve *sum = &w->sum;
    if (!room_for(w, s->index) || (!sum->n && !pt_curve_sum_init(sum, 0, span_of(w->timeline))))
        return false;
    if (!t->holds)
        return true;
    add_track(sum, t);
    struct pt_share *share = &w->shares[s->index];
    uint32_t end = 0;
    share->first = sum->n;
    for (uint32_t i = 0; i < sum->n; i++) {
        if (!(sum->cell[i].mean > 0)) {
            sum->cell[i].mean = 0; /* of a damaged file: less than nothing */
            continue;
        }
        share->first = i < share->first ? i : share->first;
        end = i + 1;
    }
    share->n = end > share->first ? end - share->first : 0;
    share->v = pt_arena_alloc(&w->lives.shares, (share->n + 1) * sizeof(*share->v));
    for (uint32_t i = 0; i < share->n; i++) {
        if (share->v)
            share->v[i] = sum->cell[share->first + i].mean;
        sum->cell[share->first + i].mean = 0;
    }
    return share->v != NULL;
}

static void on_ended(void *ctx, struct pt_serie *s)
{
    struct pt_lives_load *w = ctx;
    w->nomem |= !take_share(w, s);
    if (w->ended)
        w->ended(w->ctx, s);
}

/* While stat is being loaded: what is told of a segment's end is of its newest lives, or of one
 * whose number was taken by another since. */
static size_t named_life(void *ctx, int64_t pid, uint32_t boot, double at)
{
    const struct pt_lives_load *w = ctx;
    const struct pt_serie *s = pt_series_life(w->stat, pid, at);
    if (!s || s->boot != boot || (s->over && at > s->to))
        s = pt_series_life(w->stat, pid, at + w->timeline->interval);
    return s && s->boot == boot ? s->index : SIZE_MAX;
}

void pt_lives_load_begin(struct pt_lives_load *w, struct pt_db *db, const struct pt_timeline *t,
                         const struct pt_series *loaded, struct pt_series_spec *specs,
                         struct pt_last_query lasts[PT_NAMES])
{
    static const char *const starts[] = {"starttime", "ppid"};
    *w = (struct pt_lives_load){.timeline = t, .stat = &loaded[PT_LIVES_STAT]};
    w->names.find = named_life;
    w->names.ctx = w;
    specs[PT_LIVES_STAT] = (struct pt_series_spec){.glob = "proc:*/stat",
                                                   .fields = starts,
                                                   .nfields = 2,
                                                   .measure = nothing,
                                                   .other = another_start};
    specs[PT_LIVES_STARTS] = specs[PT_LIVES_STAT];
    specs[PT_LIVES_STARTS].nfields = 1;
    specs[PT_LIVES_STATUS] = (struct pt_series_spec){.glob = "proc:*/status",
                                                     .fields = status_fields,
                                                     .nfields = F_COUNT,
                                                     .nmeasures = PT_LIFE_MEASURES,
                                                     .ends_only = 1u << PT_LIFE_DATA,
                                                     .measure = memory_of,
                                                     .lives = &loaded[PT_LIVES_STARTS],
                                                     .ended = on_ended,
                                                     .ctx = w};
    pt_names_begin(&w->names, db, t, &w->lives.arena, lasts);
}

int pt_lives_load_end(struct pt_lives_load *w, int rc, struct pt_series *loaded,
                      struct pt_lives_of_span *ret, struct pt_err *err)
{
    struct pt_lives_of_span *l = &w->lives;
    l->status = loaded[PT_LIVES_STATUS];
    loaded[PT_LIVES_STATUS] = (struct pt_series){0};
    if (w->names.nomem || w->nomem)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        rc = make_lives(w->timeline, &loaded[PT_LIVES_STAT], &w->names, l, err);
    if (rc >= 0)
        add_memory(w, l);
    for (size_t i = 0; i < l->n; i++)
        l->unreadable += !l->v[i].memory;
    find_parents(l, w->timeline);
    pt_series_release(&loaded[PT_LIVES_STAT]);
    pt_series_release(&loaded[PT_LIVES_STARTS]);
    pt_names_release(&w->names);
    pt_curve_release(&w->sum);
    free(w->shares);
    if (rc < 0)
        pt_lives_release(l);
    else
        *ret = *l;
    return rc;
}

void pt_lives_release(struct pt_lives_of_span *l)
{
    pt_series_release(&l->status);
    pt_arena_release(&l->arena);
    pt_arena_release(&l->shares);
    free(l->v);
    *l = (struct pt_lives_of_span){0};
}

const struct pt_curve *pt_life_track(const struct pt_life *l, enum pt_life_measure m)
{
    return l->memory && l->memory->track[m].holds ? &l->memory->track[m] : NULL;
}

/* ---- groups ---- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* "" for what belongs to no group: kernel threads. */
static void group_key(const struct pt_life *l, char *key, size_t size, const char **ret_name,
                      bool *ret_unit)
{
    *ret_unit = l->service != NULL;
    *ret_name = l->service ? l->service : l->exe ? base_of(l->exe) : l->comm;
    if (l->service)
        snprintf(key, size, "unit %s", l->service);
    else if (l->exe)
        snprintf(key, size, "exe %s %lld %s", l->exe, (long long)l->uid,
                 l->parent ? l->parent : "?");
    else
        *key = '\0';
}

struct keyed {
    char *key;
    size_t life;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    const int c = strcmp(x->key, y->key);
    return c ? c : (x->life > y->life) - (x->life < y->life);
}

static bool add_life(struct pt_group *g, const struct pt_life *l, const struct pt_timeline *t)
{
    if (g->lives++ == 0) {
        const double end = span_of(t);
        if (!pt_curve_sum_init(&g->sum, 0, end) || !pt_curve_sum_init(&g->count, 0, end))
            return false;
        g->from = l->from;
        g->to = l->to;
    }
    g->from = fmin(g->from, l->from);
    g->to = fmax(g->to, l->to);
    if (!l->died || !g->memory_cgroup)
        g->memory_cgroup = l->memory_cgroup;
    pt_curve_add(&g->count, l->from, l->to, 1);
    for (uint32_t i = 0; i < l->share.n; i++)
        g->sum.cell[l->share.first + i].mean += l->share.v[i];
    return true;
}

/* Sums over time become means over the time that was recorded while the service was there. */
static void finish_sum(const struct pt_group *g, const struct pt_timeline *t, struct pt_curve *sum)
{
    for (uint32_t i = 0; i < sum->n; i++) {
        struct pt_cell *c = &sum->cell[i];
        const double from = fmax(sum->start + i * sum->width, g->from);
        const double to = fmin(sum->start + (i + 1) * sum->width, g->to);
        const double known = to > from ? pt_timeline_known(t, from, to) : 0;
        c->time = known > sum->width / 10 ? (float)known : 0;
        c->mean = known > 0 ? (float)((double)c->mean / known) : 0;
        c->min = c->max = c->mean;
    }
}

static int make_groups(struct pt_lives_of_span *lives, const struct pt_timeline *t,
                       struct keyed *keyed, struct pt_groups *ret, struct pt_err *err)
{
    char key[8400];
    const char *name;
    bool unit;
    size_t n = 0;
    for (size_t i = 0; i < lives->n; i++) {
        group_key(&lives->v[i], key, sizeof(key), &name, &unit);
        lives->v[i].group = UINT32_MAX;
        if (*key) {
            keyed[n] = (struct keyed){pt_arena_copy(&lives->arena, key, strlen(key)), i};
            if (!keyed[n++].key)
                return pt_err_nomem(err);
        }
    }
    if (n)
        qsort(keyed, n, sizeof(*keyed), by_key);
    for (size_t i = 0; i < n; i++) {
        struct pt_life *l = &lives->v[keyed[i].life];
        if (i == 0 || strcmp(keyed[i].key, keyed[i - 1].key) != 0) {
            group_key(l, key, sizeof(key), &name, &unit);
            ret->v[ret->n++] = (struct pt_group){.name = name, .key = keyed[i].key, .unit = unit};
        }
        struct pt_group *g = &ret->v[ret->n - 1];
        l->group = (uint32_t)(ret->n - 1);
        if (!add_life(g, l, t))
            return pt_err_nomem(err);
    }
    for (size_t i = 0; i < ret->n; i++) {
        finish_sum(&ret->v[i], t, &ret->v[i].sum);
        finish_sum(&ret->v[i], t, &ret->v[i].count);
    }
    return 0;
}

int pt_groups_make(struct pt_lives_of_span *lives, const struct pt_timeline *t,
                   struct pt_groups *ret, struct pt_err *err)
{
    struct keyed *keyed = calloc(lives->n ? lives->n : 1, sizeof(*keyed));
    *ret = (struct pt_groups){.v = calloc(lives->n ? lives->n : 1, sizeof(*ret->v))};
    const int rc = keyed && ret->v ? make_groups(lives, t, keyed, ret, err) : pt_err_nomem(err);
    free(keyed);
    if (rc < 0)
        pt_groups_release(ret);
    return rc;
}

void pt_groups_release(struct pt_groups *g)
{
    for (size_t i = 0; i < g->n; i++) {
        pt_curve_release(&g->v[i].sum);
        pt_curve_release(&g->v[i].count);
    }
    free(g->v);
    *g = (struct pt_groups){0};
}
