/* SPDX-License-Identifier: MIT
 * The balance sheet's lines with their holders. */
#include "analyze/diff/growth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"

#define TEXT_MAX (4u << 20)

const char *pt_holder_name(enum pt_holder h)
{
    static const char *const names[] = {[PT_HOLDER_PROCESS] = "process",
                                        [PT_HOLDER_SLAB] = "slab",
                                        [PT_HOLDER_TMPFS] = "tmpfs",
                                        [PT_HOLDER_SHM] = "shm"};
    return names[h];
}

struct growers {
    struct pt_grower *v;
    size_t n, cap;
};

static int add(struct growers *g, const struct pt_grower *one)
{
    if (one->bytes.delta == PT_UNKNOWN || one->bytes.delta == 0)
        return 0;
    if (g->n == g->cap) {
        const size_t cap = g->cap ? g->cap * 2 : 64;
        struct pt_grower *v = realloc(g->v, cap * sizeof(*v));
        if (!v)
            return -1;
        g->v = v;
        g->cap = cap;
    }
    g->v[g->n++] = *one;
    return 0;
}

static int64_t size_of(int64_t v)
{
    return v == PT_UNKNOWN ? 0 : v < 0 ? -v : v;
}

static int by_change(const void *a, const void *b)
{
    const struct pt_grower *x = a, *y = b;
    const int64_t p = size_of(x->bytes.delta), q = size_of(y->bytes.delta);
    return (p < q) - (p > q);
}

/* ---- holders ---- */

static int anonymous(const struct pt_diff *d, struct growers *g)
{
    for (size_t i = 0; i < d->nprocesses; i++) {
        const struct pt_grower one = {.holder = PT_HOLDER_PROCESS,
                                      .process = &d->processes[i],
                                      .bytes = d->processes[i].m[PT_ANON]};
        if (add(g, &one) < 0)
            return -1;
    }
    return 0;
}

static int slabs(const struct pt_diff *d, struct growers *g)
{
    for (size_t i = 0; i < d->nslabs; i++) {
        const struct pt_grower one = {
            .holder = PT_HOLDER_SLAB, .name = d->slabs[i].name, .bytes = d->slabs[i].bytes};
        if (add(g, &one) < 0)
            return -1;
    }
    return 0;
}

/* What a tmpfs or a System V segment holds, by name. */
struct held {
    char *name;
    int64_t bytes;
    bool matched;
};
struct holdings {
    struct held *v;
    size_t n, cap;
    struct pt_arena *arena;
    enum pt_holder holder;
    const char *name; /* of the mount at hand */
    int64_t bsize, blocks, bfree, shmid;
    bool nomem;
};

static void hold(struct holdings *h, const char *name, int64_t bytes)
{
    if (h->n == h->cap) {
        const size_t cap = h->cap ? h->cap * 2 : 16;
        struct held *v = realloc(h->v, cap * sizeof(*v));
        h->nomem |= !v;
        if (!v)
            return;
        h->v = v;
        h->cap = cap;
    }
    char *copy = pt_arena_copy(h->arena, name, strlen(name));
    h->nomem |= !copy;
    if (copy)
        h->v[h->n++] = (struct held){copy, bytes, false};
}

static int on_statfs(void *ctx, const struct pt_item *item)
{
    struct holdings *h = ctx;
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "bsize"))
        h->bsize = v;
    else if (pt_items_is(item, "blocks"))
        h->blocks = v;
    else if (pt_items_is(item, "bfree"))
        h->bfree = v;
    return 0;
}

static int on_shm(void *ctx, const struct pt_item *item)
{
    struct holdings *h = ctx;
    char name[40];
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "shmid")) {
        h->shmid = v;
    } else if (pt_items_is(item, "rss") && v != PT_UNKNOWN) {
        snprintf(name, sizeof(name), "shmid %lld", (long long)h->shmid);
        hold(h, name, v);
    }
    return 0;
}

static int holdings_of(const struct pt_picture *p, const char *prefix, pt_emit *emit,
                       struct holdings *h)
{
    struct pt_buf text;
    const struct pt_view *view = p->view;
    const size_t len = strlen(prefix);
    pt_buf_init(&text, TEXT_MAX);
    for (uint32_t i = pt_view_lower(view, prefix);
         i < view->count && strncmp(view->sources[i].name, prefix, len) == 0; i++) {
        h->bsize = h->blocks = h->bfree = h->shmid = PT_UNKNOWN;
        if (pt_items_each(pt_db_shapes(p->db), NULL, &view->sources[i], &text, emit, h, NULL) < 0)
            continue; /* damage was told when the view was made */
        if (h->holder == PT_HOLDER_TMPFS && h->bsize > 0 && h->blocks != PT_UNKNOWN &&
            h->bfree != PT_UNKNOWN)
            hold(h, view->sources[i].name + len, pt_items_times(h->blocks - h->bfree, h->bsize));
    }
    pt_buf_release(&text);
    return h->nomem ? -1 : 0;
}

static int pair_holdings(struct holdings *a, struct holdings *b, struct growers *g)
{
    for (size_t i = 0; i < b->n; i++) {
        struct held *was = NULL;
        for (size_t k = 0; k < a->n && !was; k++)
            if (!a->v[k].matched && strcmp(a->v[k].name, b->v[i].name) == 0)
                was = &a->v[k];
        if (was)
            was->matched = true;
        const struct pt_grower one = {
            .holder = b->holder,
            .name = b->v[i].name,
            .bytes = pt_change_of(was != NULL, was ? was->bytes : 0, true, b->v[i].bytes)};
        if (add(g, &one) < 0)
            return -1;
    }
    for (size_t k = 0; k < a->n; k++) {
        const struct pt_grower one = {.holder = a->holder,
                                      .name = a->v[k].name,
                                      .bytes = pt_change_of(true, a->v[k].bytes, false, 0)};
        if (!a->v[k].matched && add(g, &one) < 0)
            return -1;
    }
    return 0;
}

static int shared(const struct pt_diff *d, struct pt_arena *arena, struct growers *g)
{
    static const struct {
        enum pt_holder holder;
        const char *prefix;
        pt_emit *emit;
    } kinds[] = {{PT_HOLDER_TMPFS, "statfs:", on_statfs},
                 {PT_HOLDER_SHM, "proc:sysvipc/shm", on_shm}};
    int rc = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && rc >= 0; i++) {
        struct holdings a = {.arena = arena, .holder = kinds[i].holder}, b = a;
        rc = holdings_of(d->from, kinds[i].prefix, kinds[i].emit, &a);
        if (rc >= 0)
            rc = holdings_of(d->to, kinds[i].prefix, kinds[i].emit, &b);
        if (rc >= 0)
            rc = pair_holdings(&a, &b, g);
        free(a.v);
        free(b.v);
    }
    return rc;
}

/* ---- classes ---- */

static int finish(struct pt_growth *g, const char *name, struct pt_change bytes, bool attributed,
                  struct growers *growers)
{
    struct pt_growth_class *c = &g->v[g->n++];
    *c = (struct pt_growth_class){.name = name,
                                  .bytes = bytes,
                                  .v = growers->v,
                                  .n = growers->n,
                                  .rest = bytes.delta,
                                  .attributed = attributed};
    if (c->n)
        qsort(c->v, c->n, sizeof(*c->v), by_change);
    for (size_t i = 0; i < c->n && c->rest != PT_UNKNOWN; i++)
        if (__builtin_sub_overflow(c->rest, c->v[i].bytes.delta, &c->rest))
            c->rest = PT_UNKNOWN;
    return 0;
}

static struct pt_change change_of(const struct pt_diff *d, enum pt_line line)
{
    return pt_change_of(true, d->before.bytes[line], true, d->after.bytes[line]);
}

static struct pt_change plus(struct pt_change a, struct pt_change b)
{
    return pt_change_of(true, a.before + b.before, true, a.after + b.after);
}

static int make_class(struct pt_growth *g, const struct pt_diff *d, enum pt_line line)
{
    struct growers growers = {0};
    struct pt_change bytes = change_of(d, line);
    int rc = 0;
    const char *name = pt_line_name(line);
    bool attributed = true;
    if (line == PT_LINE_ANON) {
        rc = anonymous(d, &growers);
    } else if (line == PT_LINE_SHMEM) {
        rc = shared(d, &g->arena, &growers);
    } else if (line == PT_LINE_SLAB_UNRECLAIMABLE) {
        /* slabinfo does not tell which caches can be taken back: both lines are one class */
        name = "slab";
        if (d->before.known[PT_LINE_SLAB_RECLAIMABLE])
            bytes = plus(bytes, change_of(d, PT_LINE_SLAB_RECLAIMABLE));
        rc = slabs(d, &growers);
    } else {
        attributed = false;
    }
    if (rc < 0) {
        free(growers.v);
        return rc;
    }
    return finish(g, name, bytes, attributed, &growers);
}

static int by_class(const void *a, const void *b)
{
    const struct pt_growth_class *x = a, *y = b;
    const int64_t p = size_of(x->bytes.delta), q = size_of(y->bytes.delta);
    return (p < q) - (p > q);
}

int pt_growth_make(const struct pt_diff *d, struct pt_growth *ret, struct pt_err *err)
{
    struct pt_growth g = {.v = calloc(PT_LINE_COUNT, sizeof(*g.v))};
    int rc = g.v ? 0 : -1;
    for (unsigned i = 0; i < PT_LINE_COUNT && rc >= 0; i++) {
        const bool merged =
            i == PT_LINE_SLAB_RECLAIMABLE && d->before.known[PT_LINE_SLAB_UNRECLAIMABLE];
        if (d->before.total != PT_UNKNOWN && d->after.total != PT_UNKNOWN && d->before.known[i] &&
            !merged)
            rc = make_class(&g, d, (enum pt_line)i);
    }
    if (rc < 0) {
        pt_growth_release(&g);
        return pt_err_nomem(err);
    }
    g.total = g.n ? 0 : PT_UNKNOWN;
    for (size_t i = 0; i < g.n; i++)
        g.total += g.v[i].bytes.delta;
    if (g.n)
        qsort(g.v, g.n, sizeof(*g.v), by_class);
    *ret = g;
    return 0;
}

void pt_growth_release(struct pt_growth *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->v[i].v);
    free(g->v);
    pt_arena_release(&g->arena);
    *g = (struct pt_growth){0};
}
