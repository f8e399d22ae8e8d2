/* SPDX-License-Identifier: MIT
 * Points to tracks. */
#include "analyze/series/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "schema/ident.h"

/* Of intervals: longer nothing was told of a series that goes on. */
#define GAP 5

/* Rows of one name within a source, by the instance they have in this segment. */
struct alias {
    uint32_t instance;
    struct pt_serie *serie;
};

struct load {
    struct pt_db *db;
    const struct pt_timeline *timeline;
    const struct pt_series_spec *spec;
    struct pt_series *ret;
    /* the source at hand, in one segment */
    char source[4096];
    const char *told; /* where its name stands */
    struct alias *alias;
    size_t naliases, cap;
    int64_t asked, after; /* the snapshot that follows the one asked for last */
    /* whose end is to be told */
    struct pt_serie **open;
    size_t nopen, open_cap;
    int64_t end_n; /* of the segment at hand */
    double end;
    bool nomem;
};

/* ---- the table ---- */

static uint64_t key_hash(const char *source, const char *row, uint32_t ordinal)
{
    return (pt_hash(source, strlen(source)) * 31 + pt_hash(row, strlen(row))) * 31 + ordinal;
}

static bool same_key(const struct pt_serie *s, const char *source, const char *row,
                     uint32_t ordinal)
{
    return s->ordinal == ordinal && strcmp(s->row, row) == 0 && strcmp(s->source, source) == 0;
}

static struct pt_serie **slot_of(const struct pt_series *t, const char *source, const char *row,
                                 uint32_t ordinal)
{
    size_t at = key_hash(source, row, ordinal) & (t->nslots - 1);
    while (t->slots[at] && !same_key(t->slots[at], source, row, ordinal))
        at = (at + 1) & (t->nslots - 1);
    return &t->slots[at];
}

static bool rehash(struct pt_series *t)
{
    struct pt_series grown = {.nslots = t->nslots ? t->nslots * 2 : 1024};
    grown.slots = calloc(grown.nslots, sizeof(struct pt_serie *));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < t->nslots; i++) {
        struct pt_serie *s = t->slots[i];
        if (s)
            *slot_of(&grown, s->source, s->row, s->ordinal) = s;
    }
    free(t->slots);
    t->slots = grown.slots;
    t->nslots = grown.nslots;
    return true;
}

static bool note_open(struct load *l, struct pt_serie *s)
{
    if (l->nopen == l->open_cap) {
        const size_t cap = l->open_cap ? l->open_cap * 2 : 256;
        struct pt_serie **v = realloc(l->open, cap * sizeof(struct pt_serie *));
        if (!v)
            return false;
        l->open = v;
        l->open_cap = cap;
    }
    l->open[l->nopen++] = s;
    return true;
}

static struct pt_serie *serie_new(struct load *l, const char *row, uint32_t ordinal, uint32_t boot,
                                  double at)
{
    struct pt_series *t = l->ret;
    if (t->n == t->cap) {
        const size_t cap = t->cap ? t->cap * 2 : 256;
        struct pt_serie **v = realloc(t->v, cap * sizeof(struct pt_serie *));
        if (!v)
            return NULL;
        t->v = v;
        t->cap = cap;
    }
    struct pt_serie *s = calloc(1, sizeof(*s) + l->spec->nmeasures * sizeof(*s->track));
    if (!s)
        return NULL;
    s->nmeasures = l->spec->nmeasures;
    s->source = strdup(l->source);
    s->row = strdup(row);
    s->ordinal = ordinal;
    s->index = (uint32_t)t->n;
    s->boot = boot;
    s->from = s->to = s->since = s->end = at;
    for (unsigned k = 0; k < l->spec->nmeasures; k++) {
        pt_curve_init(&s->track[k], l->timeline->interval);
        s->track[k].ends_only = l->spec->ends_only >> k & 1;
    }
    t->v[t->n++] = s;
    if (l->spec->ended && !note_open(l, s))
        return NULL;
    return s->source && s->row ? s : NULL;
}

/* ---- holding ---- */

/* What was known holds until `to`, but for the holes. */
static void hold(struct load *l, struct pt_serie *s, double to)
{
    const struct pt_timeline *t = l->timeline;
    for (unsigned k = 0; k < l->spec->nmeasures; k++) {
        const double v = l->spec->measure(l->spec->ctx, s->v, s->known, k);
        double from = s->since;
        if (isnan(v))
            continue;
        for (size_t i = pt_timeline_hole_after(t, from); i < t->nholes && t->holes[i].from < to;
             i++) {
            if (t->holes[i].to <= from)
                continue;
            if (t->holes[i].from > from && !pt_curve_hold(&s->track[k], from, t->holes[i].from, v))
                l->nomem = true;
            from = t->holes[i].to;
        }
        if (from < to && !pt_curve_hold(&s->track[k], from, to, v))
            l->nomem = true;
    }
    s->to = to > s->to ? to : s->to;
    s->since = to > s->since ? to : s->since;
}

static void finish(struct load *l, struct pt_serie *s, double at)
{
    hold(l, s, at);
    s->over = true;
}

/* Whether snapshots lie between the last one that told of a series and a point. Counted, not timed:
 * steps of a thinned recording are wider than its usual ones. */
static bool skipped(struct load *l, const struct pt_serie *s, const struct pt_point *p)
{
    if (p->n <= s->end_n)
        return false;
    if (l->asked != s->end_n) {
        l->asked = s->end_n;
        if (pt_db_step(l->db, s->end_n, 1, &l->after, NULL) < 0)
            l->after = p->n;
    }
    return l->after < p->n;
}

/* A segment has ended. What was over by then does not come back, and what it did not tell of ended
 * before it, as serie_of will find. */
static void tell_ends(struct load *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->nopen; i++) {
        struct pt_serie *s = l->open[i];
        if (!s->over && s->end_n < l->end_n &&
            pt_timeline_known(l->timeline, s->end, l->end) > GAP * l->timeline->interval)
            finish(l, s, s->end);
        if (s->over)
            l->spec->ended(l->spec->ctx, s);
        else
            l->open[n++] = s;
    }
    l->nopen = n;
}

/* The series a point belongs to: the same as before, unless that one ended. */
static struct pt_serie *serie_of(struct load *l, const struct pt_point *p, uint32_t ordinal,
                                 double at)
{
    struct pt_series *t = l->ret;
    if ((t->used + 1) * 2 > t->nslots && !rehash(t))
        return NULL;
    struct pt_serie **slot = slot_of(t, l->source, p->row, ordinal);
    struct pt_serie *s = *slot;
    /* a segment without it lies between: it was not there */
    if (s && !s->over &&
        (s->boot != p->boot || (skipped(l, s, p) && pt_timeline_known(l->timeline, s->end, at) >
                                                        GAP * l->timeline->interval)))
        finish(l, s, s->end);
    /* its row took another form at this very moment: it goes on */
    if (s && s->over && s->boot == p->boot && !(at > s->to)) {
        s->over = false;
        s->since = at;
    }
    if (!s || s->over) {
        t->used += !s;
        *slot = s = serie_new(l, p->row, ordinal, p->boot, at);
    }
    return s;
}

static struct pt_serie *alias_of(struct load *l, const struct pt_point *p, double at)
{
    uint32_t ordinal = 0;
    for (size_t i = 0; i < l->naliases; i++) {
        if (l->alias[i].instance == p->instance && strcmp(l->alias[i].serie->row, p->row) == 0)
            return l->alias[i].serie;
        ordinal += !l->alias[i].serie->over && strcmp(l->alias[i].serie->row, p->row) == 0;
    }
    if (l->naliases == l->cap) {
        const size_t cap = l->cap ? l->cap * 2 : 64;
        struct alias *alias = realloc(l->alias, cap * sizeof(*alias));
        if (!alias)
            return NULL;
        l->alias = alias;
        l->cap = cap;
    }
    struct pt_serie *s = serie_of(l, p, ordinal, at);
    if (s)
        l->alias[l->naliases++] = (struct alias){p->instance, s};
    return s;
}

/* Another source, or the same in the next segment. */
static void begin_source(struct load *l, const char *source)
{
    const size_t n = strnlen(source, sizeof(l->source) - 1);
    memcpy(l->source, source, n);
    l->source[n] = '\0';
    l->told = source;
    l->naliases = 0;
}

static void forget(struct load *l, double at, bool gone)
{
    for (size_t i = 0; i < l->naliases; i++) {
        struct pt_serie *s = l->alias[i].serie;
        if (!s->over)
            hold(l, s, at);
        s->known = 0;
        s->over |= gone;
    }
    if (gone)
        l->naliases = 0;
}

static void note_end(struct pt_serie *s, const struct pt_point *p, double end)
{
    s->end = end > s->end ? end : s->end;
    s->end_n = p->end_n > s->end_n ? p->end_n : s->end_n;
}

static int on_point(void *ctx, const struct pt_point *p)
{
    struct load *l = ctx;
    const double at = pt_timeline_at(l->timeline, p->boot, p->boot_us);
    const double end = pt_timeline_at(l->timeline, p->boot, p->end_boot_us);
    if (isnan(at) || isnan(end))
        return 0;
    if (p->end_n != l->end_n) {
        tell_ends(l);
        l->end_n = p->end_n;
        l->end = end;
    }
    if (p->first || p->source != l->told)
        begin_source(l, p->source);
    if (!p->known && (p->presence != PT_ABSENT || !*p->field)) {
        /* nobody could read it, or it is not there: of none of its rows anything is known */
        forget(l, at, p->presence == PT_ABSENT);
        return 0;
    }
    struct pt_serie *s = alias_of(l, p, at);
    if (!s)
        return -1;
    note_end(s, p, end);
    if (!p->known) {
        if (!s->over)
            finish(l, s, at);
        return 0;
    }
    if (s->over)
        return 0;
    int64_t now[PT_FIELDS_MAX];
    memcpy(now, s->v, sizeof(now));
    now[p->which] = p->ivalue;
    if ((s->known >> p->which & 1) && l->spec->other && l->spec->other(l->spec->ctx, s->v, now)) {
        finish(l, s, at);
        for (size_t i = 0; i < l->naliases; i++)
            if (l->alias[i].serie == s)
                l->alias[i].instance = UINT32_MAX;
        s = alias_of(l, p, at);
        if (!s)
            return -1;
        note_end(s, p, end);
    } else if (at > s->since) {
        hold(l, s, at);
    }
    s->v[p->which] = p->ivalue;
    s->known |= 1u << p->which;
    s->last_n = p->n;
    return l->nomem ? -1 : 0;
}

static bool wanted(void *ctx, const char *source)
{
    const struct load *l = ctx;
    return !l->spec->keep || l->spec->keep(l->spec->ctx, source);
}

static int load_all(struct pt_db *db, struct load *loads, size_t n,
                    const struct pt_last_query *lasts, size_t nlasts, struct pt_err *err)
{
    struct pt_field_query *q = calloc(n ? n : 1, sizeof(*q));
    if (!q)
        return pt_err_nomem(err);
    for (size_t k = 0; k < n; k++)
        q[k] = (struct pt_field_query){.glob = loads[k].spec->glob,
                                       .fields = loads[k].spec->fields,
                                       .nfields = loads[k].spec->nfields,
                                       .from = loads[k].timeline->first,
                                       .to = loads[k].timeline->last,
                                       .keep = wanted,
                                       .fn = on_point,
                                       .ctx = &loads[k]};
    int rc = pt_db_scan(db, q, n, lasts, nlasts, err);
    free(q);
    for (size_t k = 0; k < n; k++) {
        struct load *l = &loads[k];
        for (size_t i = 0; i < l->ret->n && rc >= 0; i++)
            if (!l->ret->v[i]->over)
                hold(l, l->ret->v[i], l->ret->v[i]->end);
        for (size_t i = 0; i < l->nopen && rc >= 0; i++)
            l->spec->ended(l->spec->ctx, l->open[i]);
        if (l->nomem)
            rc = pt_err_nomem(err);
    }
    return rc;
}

int pt_series_scan(struct pt_db *db, const struct pt_timeline *t,
                   const struct pt_series_spec *specs, struct pt_series *ret, size_t n,
                   const struct pt_last_query *lasts, size_t nlasts, struct pt_err *err)
{
    struct load *loads = calloc(n ? n : 1, sizeof(*loads));
    if (!loads)
        return pt_err_nomem(err);
    for (size_t k = 0; k < n; k++) {
        ret[k] = (struct pt_series){0};
        loads[k].db = db;
        loads[k].asked = -1;
        loads[k].timeline = t;
        loads[k].spec = &specs[k];
        loads[k].ret = &ret[k];
    }
    const int rc = load_all(db, loads, n, lasts, nlasts, err);
    for (size_t k = 0; k < n; k++) {
        free(loads[k].alias);
        free(loads[k].open);
        if (rc < 0)
            pt_series_release(&ret[k]);
    }
    free(loads);
    return rc;
}

int pt_series_load(struct pt_db *db, const struct pt_timeline *t,
                   const struct pt_series_spec *specs, struct pt_series *ret, size_t n,
                   struct pt_err *err)
{
    return pt_series_scan(db, t, specs, ret, n, NULL, 0, err);
}

const struct pt_serie *pt_series_newest(const struct pt_series *s, const char *source)
{
    return s->nslots ? *slot_of(s, source, "", 0) : NULL;
}

void pt_series_release(struct pt_series *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->v[i]->nmeasures; k++)
            pt_curve_release(&s->v[i]->track[k]);
        free(s->v[i]->source);
        free(s->v[i]->row);
        free(s->v[i]);
    }
    free(s->v);
    free(s->slots);
    *s = (struct pt_series){0};
}
