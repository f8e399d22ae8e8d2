/* SPDX-License-Identifier: MIT
 * Points of smaps to bytes by class. */
#include "analyze/leaks/classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/trend.h"
#include "schema/source.h"

/* So many segments are read whole; of more, so many instants, each of which is about as dear. */
#define SEGMENTS 24
/* Fewer readings make no slope. */
#define READINGS_MIN 4
/* A process that has more than so many regions as large as an arena has them of something else:
 * glibc makes eight a CPU. */
#define ARENAS_MAX 512

enum { F_START, F_END, F_RSS, F_SWAP, F_ANONYMOUS, F_COUNT };
static const char *const fields[F_COUNT] = {
    [F_START] = "start",         [F_END] = "end", [F_RSS] = "Rss", [F_SWAP] = "Swap",
    [F_ANONYMOUS] = "Anonymous",
};

/* One mapping. */
struct row {
    int64_t v[F_COUNT];
    enum pt_class of;
    bool known, moved, arena;
};

struct load {
    const struct pt_timeline *timeline;
    struct pt_classes *ret;
    /* the source at hand, in one segment */
    struct pt_class_series *series; /* NULL: none yet */
    double end, at;
    bool changed;
    unsigned arenas; /* regions looked at for this point */
    struct row *row; /* by instance */
    size_t nrows, cap;
    bool nomem;
};

static int by_pid(const void *a, const void *b)
{
    const struct pt_class_series *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct pt_class_series *find(const struct pt_classes *c, int64_t pid)
{
    const struct pt_class_series key = {.pid = pid};
    return c->n ? bsearch(&key, c->v, c->n, sizeof(key), by_pid) : NULL;
}

/* ---- points ---- */

static void thin(struct pt_class_series *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i += 2)
        s->v[n++] = s->v[i];
    s->n = n;
    s->apart = s->n > 1 ? (s->v[s->n - 1].t - s->v[0].t) / s->n : 0;
}

/* The next point; one that is too near to the one before takes its place. */
static struct pt_class_point *next_point(struct pt_class_series *s, double t)
{
    if (s->n > 1 && t - s->v[s->n - 2].t < s->apart)
        return &s->v[s->n - 1];
    if (s->n == PT_CLASS_POINTS)
        thin(s);
    return &s->v[s->n++];
}

/* As two texts are judged: analyze/leaks/parts.c. */
static bool is_arena(struct load *l, const struct row *r, int64_t stack)
{
    const uint64_t start = (uint64_t)r->v[F_START];
    const int64_t end = (int64_t)(start + PT_ARENA);
    if (start % PT_ARENA != 0 || r->v[F_START] < stack / 2 || r->v[F_END] > end ||
        l->arenas >= ARENAS_MAX)
        return false;
    l->arenas++;
    bool whole = r->v[F_END] == end;
    for (size_t i = 0; i < l->nrows && !whole; i++)
        whole = l->row[i].known && l->row[i].v[F_START] == r->v[F_END] && l->row[i].v[F_END] == end;
    return whole;
}

static void flush(struct load *l)
{
    if (!l->series || !l->changed)
        return;
    l->changed = false;
    struct pt_class_series *s = l->series;
    if (!s->v)
        s->v = malloc(PT_CLASS_POINTS * sizeof(*s->v));
    if (!s->v) {
        l->nomem = true;
        return;
    }
    struct pt_class_point *p = next_point(s, l->at);
    *p = (struct pt_class_point){.t = l->at};
    l->arenas = 0;
    int64_t stack = 0;
    for (size_t i = 0; i < l->nrows; i++)
        if (l->row[i].known && l->row[i].of == PT_CLASS_STACK && l->row[i].v[F_START] > stack)
            stack = l->row[i].v[F_START];
    for (size_t i = 0; i < l->nrows; i++) {
        struct row *r = &l->row[i];
        if (!r->known)
            continue;
        if (r->moved)
            r->arena = r->of == PT_CLASS_ANON && is_arena(l, r, stack);
        r->moved = false;
        const enum pt_class of = r->arena ? PT_CLASS_ARENA : r->of;
        const int64_t kib = r->v[of == PT_CLASS_PRIVATE_FILE ? F_ANONYMOUS : F_RSS];
        p->bytes[of] += 1024.0 * ((double)kib + (double)r->v[F_SWAP]);
    }
}

/* ---- columns ---- */

static struct row *row_of(struct load *l, uint32_t instance)
{
    if (instance >= l->cap) {
        size_t cap = l->cap ? l->cap : 256;
        while (cap <= instance)
            cap *= 2;
        struct row *row = realloc(l->row, cap * sizeof(*row));
        if (!row) {
            l->nomem = true;
            return NULL;
        }
        l->row = row;
        l->cap = cap;
    }
    for (; l->nrows <= instance; l->nrows++)
        l->row[l->nrows] = (struct row){0};
    return &l->row[instance];
}

static int on_point(void *ctx, const struct pt_point *p)
{
    struct load *l = ctx;
    const char *leaf;
    const double at = pt_timeline_at(l->timeline, p->boot, p->boot_us);
    const double end = pt_timeline_at(l->timeline, p->boot, p->end_boot_us);
    struct pt_class_series *s = find(l->ret, pt_source_pid(p->source, &leaf));
    if (!s || isnan(at) || isnan(end))
        return 0;
    if (s != l->series || end > l->end || end < l->end) {
        flush(l);
        l->series = s;
        l->end = end;
        l->nrows = 0;
    } else if (at > l->at) {
        flush(l);
    }
    l->at = at;
    if (!p->known && (p->presence != PT_ABSENT || !*p->field)) { /* of none anything is known */
        l->nrows = 0;
        l->changed = false;
        return 0;
    }
    struct row *r = row_of(l, p->instance);
    if (!r)
        return -1;
    l->changed = true;
    if (p->known && !r->known)
        *r = (struct row){.known = true, .of = pt_class_of(p->row, strlen(p->row))};
    r->known = p->known;
    if (p->known)
        r->v[p->which] = p->ivalue;
    r->moved |= p->which == F_START || p->which == F_END;
    return 0;
}

static bool wanted(void *ctx, const char *source)
{
    const struct load *l = ctx;
    const char *leaf;
    return find(l->ret, pt_source_pid(source, &leaf)) != NULL;
}

static int read_span(struct pt_db *db, struct load *l, int64_t from, int64_t to, struct pt_err *err)
{
    const struct pt_field_query q = {.glob = "proc:*/smaps",
                                     .fields = fields,
                                     .nfields = F_COUNT,
                                     .from = from,
                                     .to = to,
                                     .keep = wanted,
                                     .fn = on_point,
                                     .ctx = l};
    int rc = pt_db_fields(db, &q, 1, err);
    flush(l);
    l->series = NULL;
    if (l->nomem)
        rc = pt_err_nomem(err);
    return rc;
}

static int read_instants(struct pt_db *db, struct load *l, struct pt_err *err)
{
    const struct pt_timeline *t = l->timeline;
    int64_t before = -1, n;
    int rc = 0;
    for (int i = 0; i <= SEGMENTS && rc >= 0; i++) {
        const double at = t->end * i / SEGMENTS;
        if (i == SEGMENTS)
            n = t->last;
        else if (pt_db_find(db, pt_timeline_real(t, at), PT_SEEK_NEAREST, &n, NULL) < 0)
            continue;
        if (n > before && n >= t->first)
            rc = read_span(db, l, n, n, err);
        before = n > before ? n : before;
    }
    return rc;
}

int pt_classes_load(struct pt_db *db, const struct pt_timeline *t, const int64_t *pids, size_t n,
                    struct pt_classes *ret, struct pt_err *err)
{
    struct pt_classes c = {.v = calloc(n ? n : 1, sizeof(*c.v))};
    struct load l = {.timeline = t, .ret = &c};
    struct pt_db_span span;
    if (!c.v)
        return pt_err_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || pids[i] != pids[i - 1])
            c.v[c.n++].pid = pids[i];
    int rc = c.n ? pt_db_span(db, &span, err) : 0;
    if (c.n && rc >= 0)
        rc = span.segments <= SEGMENTS ? read_span(db, &l, t->first, t->last, err)
                                       : read_instants(db, &l, err);
    free(l.row);
    if (rc < 0)
        pt_classes_release(&c);
    else
        *ret = c;
    return rc;
}

void pt_classes_release(struct pt_classes *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->v[i].v);
    free(c->v);
    *c = (struct pt_classes){0};
}

/* ---- growth ---- */

/* Evenly so many of n points, the first and the last among them. */
static uint32_t pick(uint32_t n, uint32_t of, uint32_t i)
{
    return of < n ? i * (n - 1) / (of - 1) : i;
}

bool pt_classes_growth(const struct pt_classes *c, int64_t pid, double from, double to,
                       double ret[PT_CLASS_COUNT], int *ret_readings)
{
    const struct pt_class_series *s = find(c, pid);
    uint32_t lo = 0, hi = s ? s->n : 0;
    while (lo < hi && s->v[lo].t < from)
        lo++;
    while (hi > lo && s->v[hi - 1].t > to)
        hi--;
    const uint32_t n = hi - lo, used = n < PT_BINS ? n : PT_BINS;
    *ret_readings = (int)n;
    if (n < READINGS_MIN)
        return false;
    for (int k = 0; k < PT_CLASS_COUNT; k++) {
        struct pt_env e = {.n = (int)used};
        struct pt_slope slope;
        for (uint32_t i = 0; i < used; i++) {
            const struct pt_class_point *p = &s->v[lo + pick(n, used, i)];
            e.t[i] = p->t;
            e.v[i] = p->bytes[k];
        }
        pt_slope_of(&e, &slope);
        ret[k] = slope.b * (s->v[hi - 1].t - s->v[lo].t);
    }
    return true;
}
