/* SPDX-License-Identifier: MIT
 * Whom an episode hurt and who pushed: the major faults and the memory that came back from swap of
 * each process, and how much each grew, in the windows of the episodes. */
#include <math.h>
#include <stdlib.h>

#include "analyze/swap/whom.h"

#define MIB (INT64_C(1) << 20)
/* Growth pushes others out from before it can be told from quiet: a bin. */
#define LEAD_S 10.0
/* Episodes so close are of one cause, but of none that lies further back than that. */
#define CHAIN_S 15.0
#define CAUSE_S 60.0
/* Less than these is nobody's fault, nor harm; nor is what is little beside the worst. */
#define VICTIM_LEAST    (1 * MIB)
#define AGGRESSOR_LEAST (8 * MIB)
#define VICTIM_SHARE    0.1
/* While memory is pushed out and little comes back, of what was pushed out. */
#define OUT_SHARE       0.1
#define AGGRESSOR_SHARE 0.2
/* Pages that come with one fault at most: swap read-ahead is 8 by default. A process that frees
 * what it has in swap waits for nothing. */
#define FAULT_PAGES 16
/* A child that begins with what its parent has shares it. */
#define FORK_LEAST (16 * MIB)
/* kswapd reclaims for the whole machine, a control group at its limit reclaims by itself. */
#define BACKGROUND_SHARE 0.05

/* ---- windows ---- */

static int by_begin(const void *a, const void *b)
{
    const struct pt_window *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Growth counts from before the first of the episodes that follow each other closely. */
int pt_swap_windows(const struct pt_swap_episodes *e, bool growth, struct pt_windows *ret,
                    struct pt_err *err)
{
    double begun = NAN, end = -INFINITY;
    *ret = (struct pt_windows){.v = calloc(e->n + 1, sizeof(*ret->v)),
                               .latest = calloc(e->n + 1, sizeof(*ret->latest))};
    if (!ret->v || !ret->latest)
        return pt_err_nomem(err);
    for (size_t i = 0; i < e->n; i++) {
        const struct pt_swap_episode *one = &e->v[i];
        if (one->state == PT_SWAP_PARKED)
            continue;
        begun = one->from - end > CHAIN_S ? one->from : begun;
        end = fmax(end, one->to);
        if (!one->blamed)
            continue;
        ret->v[ret->n++] = (struct pt_window){
            growth ? fmax(begun, one->from - CAUSE_S) - LEAD_S : one->from, one->to, (uint32_t)i};
    }
    if (ret->n)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_begin);
    for (size_t i = 0; i < ret->n; i++)
        ret->latest[i] = i ? fmax(ret->latest[i - 1], ret->v[i].to) : ret->v[i].to;
    return 0;
}

void pt_windows_release(struct pt_windows *w)
{
    free(w->v);
    free(w->latest);
    *w = (struct pt_windows){0};
}

struct work {
    const struct pt_swap *w;
    const struct pt_swap_whom *whom;
    const struct pt_squeezes *squeezes;
};

/* ---- blame ---- */

/* A child that began with as much as its parent had then has it from there. */
static bool forked(const struct work *l, const struct pt_swap_who *one)
{
    const struct pt_track *child = one->status, *stat = one->stat;
    if (!child || child->first_anon < FORK_LEAST || !(stat->known >> PT_TRACK_PPID & 1))
        return false;
    const struct pt_swap_who *parent = pt_swap_who_at(l->whom, stat->v[PT_TRACK_PPID], stat->boot,
                                                      stat->from, l->w->timeline.interval);
    return parent && parent->status && parent->status->first_anon != PT_UNKNOWN &&
           child->first_anon >= parent->status->least_anon / 10 * 8 &&
           child->first_anon <= parent->status->most_anon / 20 * 21;
}

static const struct pt_track_part *part_in(const struct pt_track *k, uint32_t episode)
{
    uint32_t lo = 0, hi = k ? k->nparts : 0;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (k->parts[mid].episode < episode)
            lo = mid + 1;
        else
            hi = mid;
    }
    return k && lo < k->nparts && k->parts[lo].episode == episode ? &k->parts[lo] : NULL;
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

static int64_t growth_of(const struct work *l, const struct pt_swap_who *one,
                         const struct pt_track_part *p)
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

/* Where control groups ran into their limits and the machine as a whole had memory to give, whoever
 * grew outside of these pushed nobody. */
static void leave_outsiders(const struct work *l, uint32_t episode, struct candidates *c)
{
    const struct pt_swap_episode *e = &l->w->episodes.v[episode];
    bool inside = false;
    size_t n = 0;
    if (!(e->scan_kswapd <= BACKGROUND_SHARE * e->scan_direct))
        return;
    for (size_t i = 0; i < l->whom->n && !inside; i++) {
        const struct pt_life *life = l->whom->v[i].life;
        inside = life && pt_squeeze_holds(l->squeezes, episode, life->memory_cgroup);
    }
    for (size_t i = 0; i < c->n && inside; i++) {
        const struct pt_life *life = l->whom->v[c->v[i].who].life;
        if (!life->memory_cgroup || pt_squeeze_holds(l->squeezes, episode, life->memory_cgroup))
            c->v[n++] = c->v[i];
    }
    c->n = inside ? n : c->n;
}

static void mark(struct pt_swap_whom *whom, const struct pt_swap_part *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        whom->v[v[i].process].told = true;
}

static void blame(const struct work *l, uint32_t episode, struct candidates *victims,
                  struct candidates *aggressors, struct pt_swap_blame *ret)
{
    victims->n = aggressors->n = 0;
    for (uint32_t i = 0; i < l->whom->n; i++) {
        const struct pt_swap_who *one = &l->whom->v[i];
        if (!one->life)
            continue;
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
    leave_outsiders(l, episode, aggressors);
    const struct pt_swap_episode *e = &l->w->episodes.v[episode];
    const bool one_way = e->state == PT_SWAP_OUT_PRESSURE && e->out * OUT_SHARE > VICTIM_LEAST;
    ret->nvictims = worst(victims, one_way ? pt_swap_whole(e->out * OUT_SHARE) : VICTIM_LEAST,
                          VICTIM_SHARE, ret->victims);
    ret->naggressors = worst(aggressors, AGGRESSOR_LEAST, AGGRESSOR_SHARE, ret->aggressors);
}

int pt_swap_blame(struct pt_swap *w, struct pt_swap_whom *whom, const struct pt_squeezes *squeezes,
                  struct pt_err *err)
{
    const struct work l = {.w = w, .whom = whom, .squeezes = squeezes};
    struct candidates victims = {.v = calloc(whom->n + 1, sizeof(*victims.v))};
    struct candidates aggressors = {.v = calloc(whom->n + 1, sizeof(*aggressors.v))};
    w->blame = calloc(w->episodes.n + 1, sizeof(*w->blame));
    const bool ok = victims.v && aggressors.v && w->blame;
    for (uint32_t i = 0; ok && i < w->episodes.n; i++) {
        if (!w->episodes.v[i].blamed)
            continue;
        blame(&l, i, &victims, &aggressors, &w->blame[i]);
        mark(whom, w->blame[i].victims, w->blame[i].nvictims);
        mark(whom, w->blame[i].aggressors, w->blame[i].naggressors);
    }
    free(victims.v);
    free(aggressors.v);
    return ok ? 0 : pt_err_nomem(err);
}
