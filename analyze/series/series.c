/* SPDX-License-Identifier: MIT
 * Points to tracks. */
#include "analyze/series/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/series/series_table.h"

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
    const struct pt_serie *newest, *life; /* of lives: the process's; the one at hand, or NULL */
    /* what was known of a series before the instant at hand */
    struct {
        const struct pt_serie *of;
        double at;
        int64_t v[PT_FIELDS_MAX];
        uint32_t known;
    } settled;
    int64_t asked, after; /* the snapshot that follows the one asked for last */
    /* whose end is to be told */
    struct pt_serie **open;
    size_t nopen, open_cap;
    int64_t end_n; /* of the segment at hand */
    double end;
    bool nomem;
};

/* ---- the open ones ---- */

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

/* before: of the same key; NULL: none. */
static struct pt_serie *serie_new(struct load *l, struct pt_serie *before, const char *source,
                                  const char *row, uint32_t ordinal, uint32_t boot, double at)
{
    struct pt_series *t = l->ret;
    if (t->n == t->cap) {
        const size_t cap = t->cap ? t->cap * 2 : 256;
        struct pt_serie **v = realloc(t->v, cap * sizeof(*v));
        if (!v)
            return NULL;
        t->v = v;
        t->cap = cap;
    }
    struct pt_serie *s = pt_serie_alloc(l->spec, source, row);
    if (!s)
        return NULL;
    s->ordinal = ordinal;
    s->index = (uint32_t)t->n;
    s->boot = boot;
    s->before = before;
    if (before)
        before->after = s;
    s->from = s->to = s->since = s->end = at;
    for (unsigned k = 0; k < s->nmeasures; k++) {
        pt_curve_init(&s->track[k], l->timeline->interval);
        s->track[k].ends_only = l->spec->ends_only >> k & 1;
    }
    t->v[t->n++] = s;
    return l->spec->ended && !note_open(l, s) ? NULL : s;
}

/* ---- holding ---- */

/* All fields of a text are told at one instant: after it, it has those no more that were not. */
static void forget_untold(struct pt_serie *s, double at)
{
    if (!(at > s->renewed))
        return;
    s->known &= ~s->untold;
    s->untold = 0;
}

/* What was known holds until `to`, but for the holes. */
static void hold(struct load *l, struct pt_serie *s, double to)
{
    const struct pt_timeline *t = l->timeline;
    forget_untold(s, to);
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

/* ---- lives ---- */

/* The one that begins where s ended because its object is another's now. What is not told anew at
 * that instant is as it was. */
static struct pt_serie *succeed(struct load *l, struct pt_serie *s, double at)
{
    struct pt_serie *next = serie_new(l, s, s->source, s->row, s->ordinal, s->boot, at);
    if (!next)
        return NULL;
    memcpy(next->v, s->v, l->spec->nfields * sizeof(*s->v));
    next->known = s->known;
    next->untold = s->untold;
    next->renewed = s->renewed;
    next->end = fmax(s->end, at);
    next->end_n = s->end_n;
    next->last_n = s->last_n;
    *pt_series_slot(l->ret, s->source, s->row, s->ordinal) = next;
    for (size_t i = 0; i < l->naliases; i++)
        if (l->alias[i].serie == s)
            l->alias[i].serie = next;
    return next;
}

/* The one at an instant; instants ascend, as points of a source do. */
static const struct pt_serie *life_now(struct load *l, double at)
{
    if (!l->life)
        l->life = pt_serie_life(l->newest, at);
    while (l->life && l->life->after && !(l->life->after->from > at))
        l->life = l->life->after;
    return l->life;
}

static bool same_process(const struct pt_serie *a, const struct pt_serie *b)
{
    return a == b || (a->boot == b->boot && a->v[0] == b->v[0]);
}

/* s, or what follows on it where its process's number was another's by `at`. */
static struct pt_serie *follow(struct load *l, struct pt_serie *s, double at)
{
    const struct pt_serie *life = life_now(l, at);
    if (life && s->life && !same_process(s->life, life)) {
        finish(l, s, fmin(s->life->to, life->from));
        s = succeed(l, s, fmax(life->from, s->since));
    }
    if (life && s)
        s->life = life;
    return s;
}

/* ---- points ---- */

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

/* Does a segment without it lie between, or a boot: was it not there? */
static bool parted(struct load *l, const struct pt_serie *s, const struct pt_point *p, double at)
{
    return s->boot != p->boot || (skipped(l, s, p) && pt_timeline_known(l->timeline, s->end, at) >
                                                          GAP * l->timeline->interval);
}

/* Its row took another form at this very moment, and is still of the same process. */
static bool goes_on(struct load *l, const struct pt_serie *s, const struct pt_point *p, double at)
{
    const struct pt_serie *life = life_now(l, at);
    return s->boot == p->boot && !(at > s->to) &&
           (!life || !s->life || same_process(s->life, life));
}

/* The series a point belongs to: the same as before, unless that one ended. */
static struct pt_serie *serie_of(struct load *l, const struct pt_point *p, uint32_t ordinal,
                                 double at)
{
    struct pt_series *t = l->ret;
    if (!pt_series_room(t))
        return NULL;
    struct pt_serie **slot = pt_series_slot(t, l->source, p->row, ordinal);
    struct pt_serie *s = *slot;
    if (s && !s->over && parted(l, s, p, at))
        finish(l, s, s->end);
    if (s && s->over && goes_on(l, s, p, at)) {
        s->over = false;
        s->since = at;
    }
    if (!s || s->over) {
        t->used += !s;
        s = serie_new(l, s, l->source, p->row, ordinal, p->boot, at);
        if (s)
            *slot = s;
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
    if (!s)
        return NULL;
    forget_untold(s, at); /* of the text before, of which nothing was told since */
    s->untold = s->known;
    s->renewed = at;
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
    l->newest = l->spec->lives ? pt_series_newest_life(l->spec->lives, l->source) : NULL;
    l->life = NULL;
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

/* The segment begins without a file that the one before had. */
static void end_newest(struct load *l, const struct pt_point *p, double at)
{
    struct pt_serie *s = l->ret->nslots ? *pt_series_slot(l->ret, l->source, "", 0) : NULL;
    if (s && !s->over)
        finish(l, s, parted(l, s, p, at) ? s->end : at);
}

static void note_end(struct pt_serie *s, const struct pt_point *p, double end)
{
    s->end = end > s->end ? end : s->end;
    s->end_n = p->end_n > s->end_n ? p->end_n : s->end_n;
}

/* As it was before this instant: its fields are told one by one. */
static void note_settled(struct load *l, const struct pt_serie *s, double at)
{
    if (l->settled.of == s && !(at > l->settled.at))
        return;
    l->settled.of = s;
    l->settled.at = at;
    l->settled.known = s->known;
    memcpy(l->settled.v, s->v, l->spec->nfields * sizeof(*s->v));
}

/* The object is another's: what was told of this instant is the new one's. */
static struct pt_serie *part(struct load *l, struct pt_serie *s, double at)
{
    finish(l, s, at);
    struct pt_serie *next = succeed(l, s, at);
    s->known = l->settled.known;
    memcpy(s->v, l->settled.v, l->spec->nfields * sizeof(*s->v));
    return next;
}

static bool is_other(const struct load *l, const struct pt_serie *s, const struct pt_point *p)
{
    int64_t now[PT_FIELDS_MAX];
    if (!(s->known >> p->which & 1))
        return false;
    memcpy(now, s->v, l->spec->nfields * sizeof(*now));
    now[p->which] = p->ivalue;
    return l->spec->other(l->spec->ctx, s->v, now);
}

/* A value of a series (NULL: no memory); returns the one that it is of. */
static struct pt_serie *take(struct load *l, struct pt_serie *s, const struct pt_point *p,
                             double at)
{
    if (s && l->spec->other)
        note_settled(l, s, at);
    if (s && l->spec->other && is_other(l, s, p))
        s = part(l, s, at);
    else if (s && at > s->since)
        hold(l, s, at);
    if (s) {
        s->v[p->which] = p->ivalue;
        s->known |= 1u << p->which;
        s->untold &= ~(1u << p->which);
        s->last_n = p->n;
    }
    return s;
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
        if (p->first && p->presence == PT_ABSENT)
            end_newest(l, p, at);
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
    s = take(l, follow(l, s, at), p, at);
    if (!s)
        return -1;
    note_end(s, p, end);
    return l->nomem ? -1 : 0;
}

static bool wanted(void *ctx, const char *source)
{
    const struct load *l = ctx;
    return !l->spec->keep || l->spec->keep(l->spec->ctx, source);
}

/* There is nothing more to tell. Of a process that says what the one before it said, nothing was.
 */
static void end_at_last(struct load *l, struct pt_serie *s)
{
    if (s->over)
        return;
    l->newest = l->spec->lives ? pt_series_newest_life(l->spec->lives, s->source) : NULL;
    l->life = NULL;
    struct pt_serie *of = follow(l, s, s->end);
    l->nomem |= !of;
    if (of == s)
        hold(l, s, s->end);
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
            end_at_last(l, l->ret->v[i]);
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
