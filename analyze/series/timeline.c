/* SPDX-License-Identifier: MIT
 * Snapshots to an axis of time. */
#include "analyze/series/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/trend.h"

#define RECENT  15
#define GAP     5.0 /* intervals, as they were before it */
#define SAMPLES 1024
#define STEP_S  0.5
#define US_MAX  9e18 /* of an int64_t */

struct load {
    struct pt_timeline *t;
    size_t boots_cap, holes_cap, clocks_cap;
    double recent[RECENT], samples[SAMPLES];
    int nrecent, at;
    int nsamples;
    int64_t diffs;
    double last, last_real;
    bool any;
    double meta;
};

static bool room(void *array, size_t *cap, size_t n, size_t size)
{
    void **p = array;
    if (n < *cap)
        return true;
    const size_t want = *cap ? *cap * 2 : 16;
    void *v = realloc(*p, want * size);
    if (!v)
        return false;
    *p = v;
    *cap = want;
    return true;
}

static bool add_hole(struct load *l, double from, double to, bool reboot)
{
    struct pt_timeline *t = l->t;
    if (!(to > from))
        return true;
    if (!room(&t->holes, &l->holes_cap, t->nholes, sizeof(*t->holes)))
        return false;
    t->holes[t->nholes++] = (struct pt_hole){from, to, reboot};
    return true;
}

static bool note_clock(struct load *l, double at, double real)
{
    struct pt_timeline *t = l->t;
    if (t->nclocks && fabs(real - at - t->clocks[t->nclocks - 1].ahead) <= STEP_S)
        return true;
    if (!room(&t->clocks, &l->clocks_cap, t->nclocks, sizeof(*t->clocks)))
        return false;
    t->clocks[t->nclocks++] = (struct pt_clock){at, real - at};
    return true;
}

static double usual(const struct load *l)
{
    double v[RECENT];
    if (l->nrecent == 0)
        return l->meta;
    memcpy(v, l->recent, sizeof(v));
    return fmax(pt_median(v, l->nrecent), l->meta);
}

static bool note_step(struct load *l, double step)
{
    if (l->nrecent >= 1 && step > GAP * usual(l) && !add_hole(l, l->last, l->last + step, false))
        return false;
    l->recent[l->at++ % RECENT] = step;
    l->nrecent += l->nrecent < RECENT;
    /* a sample in which every step is as likely, the same in every run */
    const uint64_t seen = (uint64_t)++l->diffs, at = seen * 6364136223846793005u % seen;
    if (l->nsamples < SAMPLES)
        l->samples[l->nsamples++] = step;
    else if (at < SAMPLES)
        l->samples[at] = step;
    return true;
}

static double since_first(const struct pt_timeline *t, int64_t real_us)
{
    return ((double)real_us - (double)t->first_us) / 1e6; /* of any clock */
}

static bool new_boot(struct load *l, const struct pt_snap *snap)
{
    struct pt_timeline *t = l->t;
    if (!room(&t->boots, &l->boots_cap, t->nboots, sizeof(*t->boots)))
        return false;
    /* by what the clock went on since the last snapshot, however it was set before; at least in
     * order where it was set back meanwhile */
    const double real = since_first(t, snap->real_us);
    const double at = l->any ? fmax(l->last + real - l->last_real, l->last) : real;
    t->boots[t->nboots++] = (struct pt_boot_time){
        .boot = snap->boot, .base = at - (double)snap->boot_us / 1e6, .from = at, .to = at};
    return !l->any || add_hole(l, l->last, at, true);
}

static bool add_snap(struct load *l, const struct pt_snap *snap)
{
    struct pt_timeline *t = l->t;
    if (t->count++ == 0) {
        t->first = snap->n;
        t->first_us = snap->real_us;
    }
    t->last = snap->n;
    t->last_us = snap->real_us;
    t->utc_offset_s = snap->utc_offset_s;
    struct pt_boot_time *b = t->nboots ? &t->boots[t->nboots - 1] : NULL;
    const bool same = b && b->boot == snap->boot;
    if (!same && !new_boot(l, snap))
        return false;
    b = &t->boots[t->nboots - 1];
    const double at = b->base + (double)snap->boot_us / 1e6;
    const double real = since_first(t, snap->real_us);
    if (same && at > l->last && !note_step(l, at - l->last))
        return false;
    if (!note_clock(l, at, real))
        return false;
    t->clock_steps += same && fabs((real - l->last_real) - (at - l->last)) > STEP_S;
    l->last = b->to = at;
    l->last_real = real;
    l->any = true;
    return true;
}

int pt_timeline_load(struct pt_db *db, int64_t from, int64_t to, struct pt_timeline *ret,
                     struct pt_err *err)
{
    struct pt_timeline t = {0};
    struct load l = {.t = &t};
    const int64_t meta = pt_db_meta(db)->interval_us;
    l.meta = meta > 0 ? (double)meta / 1e6 : 0;
    int64_t n = from - 1;
    bool lost = false;
    int rc = 0;
    while (rc >= 0 && pt_db_step(db, n, 1, &n, NULL) >= 0 && n <= to) {
        struct pt_snap snap;
        struct pt_err why = {0};
        if (pt_db_snap(db, n, &snap, &why) < 0 || snap.boot_us == PT_UNKNOWN ||
            snap.real_us == PT_UNKNOWN) {
            lost = true;
            continue; /* damage is told where it is met */
        }
        if (!add_snap(&l, &snap))
            rc = pt_err_nomem(err);
    }
    if (rc >= 0 && t.count == 0)
        rc = lost ? pt_err_set(err, PT_EDAMAGED, 0, "", -1,
                               "the clocks of all snapshots in this span are damaged")
                  : pt_err_set(err, PT_ENOTFOUND, 0, "", -1, "no snapshots in this span");
    if (rc < 0) {
        pt_timeline_release(&t);
        return rc;
    }
    t.end = l.last;
    t.interval = l.nsamples ? pt_median(l.samples, l.nsamples) : l.meta > 0 ? l.meta : 10;
    *ret = t;
    return 0;
}

void pt_timeline_release(struct pt_timeline *t)
{
    free(t->boots);
    free(t->holes);
    free(t->clocks);
    *t = (struct pt_timeline){0};
}

double pt_timeline_at(const struct pt_timeline *t, uint32_t boot, int64_t boot_us)
{
    for (size_t i = t->nboots; i-- > 0;)
        if (t->boots[i].boot == boot && boot_us != PT_UNKNOWN)
            return t->boots[i].base + (double)boot_us / 1e6;
    return NAN;
}

int64_t pt_timeline_real(const struct pt_timeline *t, double at)
{
    size_t lo = 0, hi = t->nclocks;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (t->clocks[mid].from <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    const double us = (at + (lo ? t->clocks[lo - 1].ahead : 0)) * 1e6;
    int64_t real;
    if (!(fabs(us) < US_MAX) || __builtin_add_overflow(t->first_us, (int64_t)us, &real))
        return PT_UNKNOWN;
    return real;
}

size_t pt_timeline_hole_after(const struct pt_timeline *t, double at)
{
    size_t lo = 0, hi = t->nholes;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (t->holes[mid].to <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

double pt_timeline_unrecorded(const struct pt_timeline *t, bool reboots, size_t *ret_n)
{
    double sum = 0;
    *ret_n = 0;
    for (size_t i = 0; i < t->nholes; i++) {
        if (t->holes[i].reboot != reboots)
            continue;
        sum += t->holes[i].to - t->holes[i].from;
        ++*ret_n;
    }
    return sum;
}

double pt_timeline_known(const struct pt_timeline *t, double from, double to)
{
    double known = to - from;
    for (size_t i = pt_timeline_hole_after(t, from); i < t->nholes && t->holes[i].from < to; i++) {
        const double a = fmax(from, t->holes[i].from), z = fmin(to, t->holes[i].to);
        if (z > a)
            known -= z - a;
    }
    return known;
}
