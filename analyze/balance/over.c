/* SPDX-License-Identifier: MIT
 * Choosing snapshots by a pass over the columns of meminfo, then the sheet of each. */
#include "analyze/balance/over.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/picture/picture.h"
#include "analyze/print/units.h"
#include "analyze/series/timeline.h"

#define SLICES_MAX 100000u
#define US_MAX     9e18 /* of an int64_t */

/* Whose extremes are kept; the first also tells the slices'. */
static const char *const fields[] = {
    "MemAvailable", "MemFree",      "Cached",     "Buffers",      "AnonPages",  "Shmem",
    "SwapCached",   "SReclaimable", "SUnreclaim", "KernelStack",  "PageTables", "Percpu",
    "VmallocUsed",  "Hugetlb",      "Zswap",      "KReclaimable",
};
#define FIELDS (sizeof(fields) / sizeof(*fields))
_Static_assert(FIELDS <= PT_FIELDS_MAX, "asked for in one query");

struct range {
    int64_t min, max, min_n, max_n; /* n 0: nothing was told */
};

struct pick {
    const struct pt_timeline *t;
    struct range *slice;
    size_t nslices;
    struct range whole[FIELDS];
};

static void note(struct range *r, int64_t n, int64_t value)
{
    if (!r->min_n || value < r->min) {
        r->min = value;
        r->min_n = n;
    }
    if (!r->max_n || value > r->max) {
        r->max = value;
        r->max_n = n;
    }
}

/* By the axis of time; by the clock where that alone went on. */
static size_t slice_of(const struct pick *p, const struct pt_point *point)
{
    const struct pt_timeline *t = p->t;
    const double span = (double)t->last_us - (double)t->first_us;
    const double at = t->end > 0 ? pt_timeline_at(t, point->boot, point->boot_us) / t->end
                      : span > 0 ? ((double)point->real_us - (double)t->first_us) / span
                                 : 0;
    const double slice = at * (double)p->nslices;
    return slice > 0 ? slice >= (double)p->nslices ? p->nslices - 1 : (size_t)slice : 0;
}

static int on_point(void *ctx, const struct pt_point *p)
{
    struct pick *pick = ctx;
    if (!p->known || !*p->field)
        return 0;
    note(&pick->whole[p->which], p->n, p->ivalue);
    if (p->which == 0 && p->real_us != PT_UNKNOWN)
        note(&pick->slice[slice_of(pick, p)], p->n, p->ivalue);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* ---- snapshots to points ---- */

static bool hole_between(const struct pt_timeline *t, double from, double to)
{
    for (size_t i = 0; i < t->nholes; i++)
        if (t->holes[i].from < to && t->holes[i].to > from)
            return true;
    return false;
}

static int load_point(struct pt_db *db, int64_t n, struct pt_over_point *ret, struct pt_snap *snap,
                      struct pt_err *err)
{
    struct pt_view *view;
    struct pt_mem_values mem;
    int rc = pt_view_load(db, n, PT_GROUP(PT_BLOCK_SYSTEM), &view, err);
    if (rc < 0)
        return rc;
    *snap = view->snap;
    rc = pt_mem_load(view, &mem, err);
    pt_view_free(view);
    if (rc < 0)
        return rc;
    *ret = (struct pt_over_point){
        .n = n,
        .real_us = snap->real_us,
        .utc_offset_s = snap->utc_offset_s,
        .available = mem.v[PT_MEM_AVAILABLE],
        .swap_used = pt_units_minus(mem.v[PT_MEM_SWAP_TOTAL], mem.v[PT_MEM_SWAP_FREE])};
    pt_balance_of(&mem, &ret->sheet);
    return 0;
}

static void note_extremes(struct pt_over *o)
{
    for (unsigned k = 0; k < PT_LINE_COUNT; k++) {
        struct pt_over_extreme *e = &o->extreme[k];
        *e = (struct pt_over_extreme){PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN};
        for (size_t i = 0; i < o->n; i++) {
            const int64_t bytes = o->v[i].sheet.bytes[k];
            if (!o->v[i].sheet.known[k])
                continue;
            if (e->min == PT_UNKNOWN || bytes < e->min) {
                e->min = bytes;
                e->min_us = o->v[i].real_us;
            }
            if (e->max == PT_UNKNOWN || bytes > e->max) {
                e->max = bytes;
                e->max_us = o->v[i].real_us;
            }
        }
    }
}

/* numbers: ascending, some may be 0 or stand twice. */
static int load_points(struct pt_db *db, const struct pt_timeline *t, const int64_t *numbers,
                       size_t n, struct pt_over *ret, struct pt_err *err)
{
    struct pt_over o = {.v = calloc(n ? n : 1, sizeof(*o.v))};
    double before = NAN;
    bool lost = false;
    int rc = o.v ? 0 : pt_err_nomem(err);
    for (size_t i = 0; i < n && rc >= 0; i++) {
        struct pt_err why = {0};
        struct pt_snap snap;
        struct pt_over_point *p = &o.v[o.n];
        if (numbers[i] <= 0 || (i && numbers[i] == numbers[i - 1]))
            continue;
        if (load_point(db, numbers[i], p, &snap, &why) < 0) {
            if (why.code == PT_ENOMEM)
                rc = pt_err_nomem(err);
            lost = true; /* damage is told by the database */
            continue;
        }
        if (p->sheet.total == PT_UNKNOWN) {
            lost = true;
            continue;
        }
        const double at = pt_timeline_at(t, snap.boot, snap.boot_us);
        p->gap = o.n && (lost || isnan(at) || isnan(before) || hole_between(t, before, at));
        before = at;
        lost = false;
        o.n++;
    }
    if (rc < 0) {
        pt_over_release(&o);
        return rc;
    }
    note_extremes(&o);
    *ret = o;
    return 0;
}

static size_t chosen(const struct pick *p, const struct pt_timeline *t, int64_t *numbers)
{
    size_t n = 0;
    numbers[n++] = t->first;
    numbers[n++] = t->last;
    for (size_t i = 0; i < p->nslices; i++) {
        numbers[n++] = p->slice[i].min_n;
        numbers[n++] = p->slice[i].max_n;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        numbers[n++] = p->whole[i].min_n;
        numbers[n++] = p->whole[i].max_n;
    }
    qsort(numbers, n, sizeof(*numbers), by_number);
    return n;
}

static int pick_and_load(struct pt_db *db, const struct pt_timeline *t, size_t slices,
                         struct pt_over *ret, struct pt_err *err)
{
    struct pick pick = {.t = t, .slice = calloc(slices, sizeof(*pick.slice)), .nslices = slices};
    int64_t *numbers = calloc(2 * (slices + FIELDS + 1), sizeof(*numbers));
    const struct pt_field_query q = {.glob = "proc:meminfo",
                                     .fields = fields,
                                     .nfields = FIELDS,
                                     .from = t->first,
                                     .to = t->last,
                                     .fn = on_point,
                                     .ctx = &pick};
    int rc = pick.slice && numbers ? pt_db_fields(db, &q, 1, err) : pt_err_nomem(err);
    if (rc >= 0)
        rc = load_points(db, t, numbers, chosen(&pick, t, numbers), ret, err);
    free(pick.slice);
    free(numbers);
    return rc;
}

int pt_over_make(struct pt_db *db, int64_t from, int64_t to, size_t slices, struct pt_over *ret,
                 struct pt_err *err)
{
    struct pt_timeline t;
    int rc = pt_timeline_load(db, from, to, &t, err);
    if (rc < 0)
        return rc;
    slices = slices < 1 ? 1 : slices > SLICES_MAX ? SLICES_MAX : slices;
    rc = pick_and_load(db, &t, slices, ret, err);
    pt_timeline_release(&t);
    return rc;
}

int pt_over_steps(struct pt_db *db, int64_t from, int64_t to, size_t instants, struct pt_over *ret,
                  struct pt_err *err)
{
    struct pt_timeline t;
    int rc = pt_timeline_load(db, from, to, &t, err);
    if (rc < 0)
        return rc;
    instants = instants < 1 ? 1 : instants > SLICES_MAX ? SLICES_MAX : instants;
    int64_t *numbers = calloc(instants, sizeof(*numbers));
    const double step = instants > 1 ? 1.0 / (double)(instants - 1) : 1;
    const double span = (double)t.last_us - (double)t.first_us;
    for (size_t i = 0; numbers && i < instants; i++) {
        const double at = (double)t.first_us + span * (double)i * step;
        const int64_t us = (int64_t)fmax(-US_MAX, fmin(at, US_MAX)); /* of any clock */
        int64_t n = t.last;
        if (i + 1 < instants && pt_db_find(db, us, PT_SEEK_LAST_BEFORE, &n, NULL) < 0)
            n = t.first;
        numbers[i] = n < t.first ? t.first : n > t.last ? t.last : n;
    }
    if (numbers)
        qsort(numbers, instants, sizeof(*numbers), by_number);
    rc = numbers ? load_points(db, &t, numbers, instants, ret, err) : pt_err_nomem(err);
    free(numbers);
    pt_timeline_release(&t);
    return rc;
}

void pt_over_release(struct pt_over *o)
{
    free(o->v);
    *o = (struct pt_over){0};
}
