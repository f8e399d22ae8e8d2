/* SPDX-License-Identifier: MIT
 * Bins of ten seconds or of one interval of recording, whichever is longer, that end where a
 * snapshot was taken: what a counter rose by lies wholly in one of them. */
#include <math.h>
#include <stdlib.h>

#include "analyze/swap/swap_int.h"
#include "schema/array.h"

/* Ten seconds, and what the interval of recording varies by. */
#define BIN_S 9.5
/* 96 MB: bins of a span that would need more are wider. */
#define BINS_MAX 1000000.0

struct edges {
    const struct pt_timeline *t;
    struct pt_swap_bin *v;
    size_t n, cap, hole;
    double least;
    double from, last; /* of the bin at hand; the snapshot before */
    bool any;
};

static bool add(struct edges *e, double from, double to, bool hole)
{
    if (!(to > from))
        return true;
    struct pt_swap_bin *v = pt_array_room(e->v, e->n, &e->cap, sizeof(*v));
    if (!v)
        return false;
    e->v = v;
    struct pt_swap_bin *b = &e->v[e->n++];
    *b = (struct pt_swap_bin){.from = from, .to = to, .hole = hole};
    for (unsigned c = 0; c < PT_SWAP_COLUMNS; c++)
        b->v[c] = NAN;
    return true;
}

/* Does a hole of the timeline lie between two snapshots? */
static bool hole_between(struct edges *e, double from, double to)
{
    while (e->hole < e->t->nholes && !(e->t->holes[e->hole].to > from))
        e->hole++;
    return e->hole < e->t->nholes && e->t->holes[e->hole].from < to;
}

static bool add_snapshot(struct edges *e, double at)
{
    bool ok = true;
    if (!e->any) {
        e->from = e->last = at;
        e->any = true;
    }
    if (!(at > e->last))
        return true;
    if (hole_between(e, e->last, at)) {
        ok = add(e, e->from, e->last, false) && add(e, e->last, at, true);
        e->from = at;
    } else if (at - e->from >= e->least) {
        ok = add(e, e->from, at, false);
        e->from = at;
    }
    e->last = at;
    return ok;
}

int pt_swap_bins_make(struct pt_db *db, const struct pt_timeline *t, struct pt_swap_bin **ret,
                      size_t *ret_n, struct pt_err *err)
{
    struct edges e = {.t = t, .least = fmax(BIN_S, t->end / BINS_MAX)};
    int64_t n = t->first - 1;
    bool ok = true;
    while (ok && pt_db_step(db, n, 1, &n, NULL) >= 0 && n <= t->last) {
        struct pt_snap snap;
        struct pt_err why = {0};
        if (pt_db_snap(db, n, &snap, &why) < 0)
            continue; /* damage is told where it is met */
        const double at = pt_timeline_at(t, snap.boot, snap.boot_us);
        ok = isnan(at) || add_snapshot(&e, at);
    }
    if (!ok || (e.any && !add(&e, e.from, e.last, false))) {
        free(e.v);
        return pt_err_nomem(err);
    }
    *ret = e.v;
    *ret_n = e.n;
    return 0;
}

/* ---- columns ---- */

/* The bin that an instant lies in, its end included; *ret_in: it does, else it is the first later.
 */
static size_t bin_at(const struct pt_swap_fills *f, double at, bool *ret_in)
{
    size_t lo = 0, hi = f->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (f->bins[mid].to < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_in = lo < f->n && f->bins[lo].from < at;
    return lo;
}

/* Nothing changed in the bins that end before `at`. */
static void settle(struct pt_swap_fills *f, enum pt_swap_column column, double at)
{
    struct pt_swap_fill *c = &f->of[column];
    for (; c->next < f->n && f->bins[c->next].to < at; c->next++) {
        const bool told = c->known && f->bins[c->next].to <= c->until;
        if (told)
            f->bins[c->next].v[column] = column < PT_SWAP_COUNTERS ? 0 : (float)c->v;
    }
}

static float rise(enum pt_swap_column column, int64_t delta)
{
    const bool us = column == PT_SWAP_SOME || column == PT_SWAP_FULL;
    return (float)((double)delta * (us ? 1e-6 : 1));
}

void pt_swap_fill_point(struct pt_swap_fills *f, enum pt_swap_column column,
                        const struct pt_point *p)
{
    struct pt_swap_fill *c = &f->of[column];
    const double at = pt_timeline_at(f->timeline, p->boot, p->boot_us);
    const double end = pt_timeline_at(f->timeline, p->boot, p->end_boot_us);
    bool in;
    if (isnan(at) || isnan(end))
        return;
    /* a row that takes another form ends and begins at one moment, in either order */
    const bool same = c->ever && c->boot == p->boot && !(at > c->at);
    if (!p->known && same && c->known && c->instance != p->instance)
        return;
    c->known |= p->known && same;
    settle(f, column, at);
    const size_t i = bin_at(f, at, &in);
    float *v = in ? &f->bins[i].v[column] : NULL;
    int64_t delta;
    if (v && column >= PT_SWAP_COUNTERS) {
        *v = p->known ? (float)p->ivalue : NAN;
    } else if (v && p->known) {
        /* By how much it rose is not known where it fell (it began anew), nor where nothing is
         * known of it when the bin begins. */
        const float before = c->next > i ? *v : 0;
        const bool risen = c->known && c->boot == p->boot && c->until >= f->bins[i].from &&
                           !__builtin_sub_overflow(p->ivalue, c->v, &delta) && delta >= 0;
        *v = risen ? before + rise(column, delta) : NAN;
    }
    c->known = p->known;
    c->at = at;
    if (!p->known)
        return;
    c->next = in ? i + 1 : i;
    c->ever = true;
    c->boot = p->boot;
    c->instance = p->instance;
    c->v = p->ivalue;
    c->until = end;
}

void pt_swap_fill_end(struct pt_swap_fills *f)
{
    for (unsigned c = 0; c < PT_SWAP_COLUMNS; c++)
        settle(f, (enum pt_swap_column)c, INFINITY);
}
