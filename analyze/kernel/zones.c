/* SPDX-License-Identifier: MIT
 * Zones and nodes: free memory against watermarks, in what pieces it is free, and from which node
 * allocations came. */
#include <math.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/picture/items.h"

#define TEXT_MAX (16u << 20)
#define ROW_MAX  160

/* ---- watermarks ---- */

static int64_t pages(const struct pt_kernel_work *w, const struct pt_serie *s, unsigned field)
{
    return pt_kernel_has(s->known, field) ? pt_items_times(s->v[field], w->page) : PT_UNKNOWN;
}

static struct pt_kernel_zone *add_zone(struct pt_kernel_work *w, const char *name)
{
    struct pt_kernel_zone *z = pt_kernel_push(&w->k->zones, &w->k->nzones, sizeof(*z));
    char *copy = pt_kernel_copy(w, name, strlen(name));
    if (!z || !copy)
        return NULL;
    *z = (struct pt_kernel_zone){.name = copy,
                                 .managed = PT_UNKNOWN,
                                 .present = PT_UNKNOWN,
                                 .cma = PT_UNKNOWN,
                                 .min = PT_UNKNOWN,
                                 .low = PT_UNKNOWN,
                                 .high = PT_UNKNOWN,
                                 .known = NAN,
                                 .below_high = NAN,
                                 .below_low = NAN,
                                 .below_min = NAN};
    pt_course_init(&z->free);
    for (unsigned i = 0; i < PT_ORDERS; i++) {
        z->blocks[i] = PT_UNKNOWN;
        z->unusable[i] = z->worst[i] = NAN;
    }
    return z;
}

static struct pt_kernel_zone *find_zone(const struct pt_kernel *k, const char *name)
{
    for (size_t i = 0; i < k->nzones; i++)
        if (strcmp(k->zones[i].name, name) == 0)
            return &k->zones[i];
    return NULL;
}

static void below(const struct pt_serie *s, unsigned measure, double *ret, double *ret_known)
{
    double known;
    const double on = pt_course_time(&s->track[measure], &known);
    if (known > 0) {
        *ret = on;
        *ret_known = known;
    }
}

static int watermarks(struct pt_kernel_work *w, struct pt_err *err)
{
    enum { MANAGED = PT_ZONE_MEASURES, PRESENT, CMA };
    const struct pt_series *all = &w->series[PT_KS_ZONES];
    const double page = w->page == PT_UNKNOWN ? NAN : (double)w->page;
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        const bool empty = pt_kernel_has(s->known, MANAGED) && s->v[MANAGED] == 0;
        if (s->boot != w->boot || s->over || empty || find_zone(w->k, s->row))
            continue;
        struct pt_kernel_zone *z = add_zone(w, s->row);
        if (!z)
            return pt_err_nomem(err);
        pt_course_of(&s->track[PT_ZONE_FREE], &w->k->timeline, page, pt_kernel_end(s, PT_ZONE_FREE),
                     &z->free);
        z->min = pages(w, s, PT_ZONE_MIN);
        z->low = pages(w, s, PT_ZONE_LOW);
        z->high = pages(w, s, PT_ZONE_HIGH);
        z->managed = pages(w, s, MANAGED);
        z->present = pages(w, s, PRESENT);
        z->cma = pages(w, s, CMA);
        below(s, PT_ZONE_HIGH, &z->below_high, &z->known);
        below(s, PT_ZONE_LOW, &z->below_low, &z->known);
        below(s, PT_ZONE_MIN, &z->below_min, &z->known);
    }
    return 0;
}

/* ---- fragmentation ---- */

/* The order that a field "order7" tells of; PT_ORDERS: it is none, or beyond. */
static unsigned order_of(const struct pt_item *item)
{
    static const char stem[] = "order";
    const size_t n = sizeof(stem) - 1;
    int64_t v, scale;
    if (item->field_len <= n || memcmp(item->field, stem, n) != 0 ||
        !pt_number(item->field + n, item->field_len - n, &v, &scale) || v < 0 || v >= PT_ORDERS)
        return PT_ORDERS;
    return (unsigned)v;
}

struct buddy {
    struct pt_kernel_work *w;
    struct pt_kernel_zone *zone;
    const char *row; /* of the text, to tell when the next begins */
    int64_t blocks[PT_ORDERS];
    unsigned n;
    bool last; /* of the end of the span */
    struct pt_buf text;
};

void pt_unusable(const int64_t *blocks, unsigned n, double *ret)
{
    double all = 0, below = 0;
    for (unsigned i = 0; i < n; i++)
        all += ldexp((double)blocks[i], (int)i);
    for (unsigned i = 0; i < n; i++) {
        ret[i] = all > 0 ? below / all : NAN;
        below += ldexp((double)blocks[i], (int)i);
    }
}

static void flush_zone(struct buddy *b)
{
    struct pt_kernel_zone *z = b->zone;
    double unusable[PT_ORDERS];
    if (z && b->n) {
        pt_unusable(b->blocks, b->n, unusable);
        for (unsigned i = 0; i < b->n; i++) {
            z->worst[i] = fmax(z->worst[i], unusable[i]); /* of a number and NAN: the number */
            if (!b->last)
                continue;
            z->blocks[i] = b->blocks[i];
            z->unusable[i] = unusable[i];
        }
        z->norders = b->n > z->norders ? b->n : z->norders;
    }
    b->zone = NULL;
    b->n = 0;
}

static int emit_buddy(void *ctx, const struct pt_item *item)
{
    struct buddy *b = ctx;
    const unsigned order = order_of(item);
    const int64_t v = pt_items_number(item);
    if (item->row != b->row) {
        char name[ROW_MAX];
        flush_zone(b);
        b->row = item->row;
        pt_row_name(item->row, item->row_len, name, sizeof(name));
        b->zone = find_zone(b->w->k, name);
        if (!b->zone && !pt_view_find(b->w->k->end.view, "proc:zoneinfo")) {
            b->zone = add_zone(b->w, name); /* buddyinfo alone tells of it */
            if (!b->zone)
                return -1;
        }
    }
    if (order == b->n && v >= 0 && v != PT_UNKNOWN)
        b->blocks[b->n++] = v;
    return 0;
}

static int read_buddy(struct buddy *b, const struct pt_source_at *at, struct pt_err *err)
{
    b->row = NULL;
    const int rc = pt_items_each(pt_db_shapes(b->w->s->db), NULL, at, &b->text, emit_buddy, b, err);
    flush_zone(b);
    return rc;
}

static int on_buddy(void *ctx, const struct pt_source_at *at, int64_t n)
{
    (void)n;
    return read_buddy(ctx, at, NULL) < 0 ? -1 : 0;
}

static int fragmentation(struct pt_kernel_work *w, struct pt_err *err)
{
    struct buddy b = {.w = w, .last = true};
    const struct pt_source_at *at = pt_view_find(w->k->end.view, "proc:buddyinfo");
    pt_buf_init(&b.text, TEXT_MAX);
    int rc = read_buddy(&b, at, err);
    b.last = false;
    if (rc >= 0)
        rc = read_buddy(&b, pt_view_find(w->first, "proc:buddyinfo"), err);
    const struct pt_last_query q = {.glob = "proc:buddyinfo",
                                    .from = w->first->snap.n,
                                    .to = w->k->end.view->snap.n,
                                    .fn = on_buddy,
                                    .ctx = &b};
    if (rc >= 0 && at && !w->k->at)
        rc = pt_db_last(w->s->db, &q, 1, err);
    pt_buf_release(&b.text);
    if (rc >= 0 && !(at && at->reading))
        rc = pt_kernel_unknown(w, "fragmentation", "buddyinfo was not recorded");
    return rc;
}

/* ---- mobility ---- */

struct types {
    struct pt_kernel_work *w;
    struct pt_kernel_mobility *now;
    const char *row;
    int64_t large; /* the order of a page block */
};

/* "Node 0, zone Normal, type Movable": the comma before the type, or NULL. */
static const char *type_of(char *row)
{
    char *type = strstr(row, ", type ");
    if (!type)
        return NULL;
    *type = '\0';
    return type + strlen(", type ");
}

static int begin_type(struct types *t, const struct pt_item *item)
{
    struct pt_kernel *k = t->w->k;
    char row[ROW_MAX];
    t->row = item->row;
    t->now = NULL;
    pt_row_name(item->row, item->row_len, row, sizeof(row));
    const char *type = type_of(row);
    if (!type)
        return 0;
    struct pt_kernel_mobility *m = pt_kernel_push(&k->mobility, &k->nmobility, sizeof(*m));
    char *zone = pt_kernel_copy(t->w, row, strlen(row));
    char *name = pt_kernel_copy(t->w, type, strlen(type));
    if (!m || !zone || !name)
        return -1;
    *m = (struct pt_kernel_mobility){.zone = zone, .type = name, .blocks = PT_UNKNOWN};
    t->now = m;
    return 0;
}

/* The second table: page blocks of a zone by type. */
static void put_blocks(const struct types *t, const struct pt_item *item)
{
    char row[ROW_MAX];
    struct pt_kernel *k = t->w->k;
    pt_row_name(item->row, item->row_len, row, sizeof(row));
    for (size_t i = 0; i < k->nmobility; i++)
        if (strcmp(k->mobility[i].zone, row) == 0 && pt_items_is(item, k->mobility[i].type))
            k->mobility[i].blocks = pt_items_number(item);
}

static int emit_types(void *ctx, const struct pt_item *item)
{
    struct types *t = ctx;
    const unsigned order = order_of(item);
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "Page block order"))
        t->large = v;
    if (item->row_len == 0)
        return 0;
    if (item->row != t->row && begin_type(t, item) < 0)
        return -1;
    if (!t->now) {
        put_blocks(t, item);
        return 0;
    }
    const int64_t bytes = pt_items_times(pt_items_times(v, INT64_C(1) << order), t->w->page);
    if (order == PT_ORDERS || bytes == PT_UNKNOWN || bytes < 0)
        return 0;
    if (__builtin_add_overflow(t->now->free, bytes, &t->now->free))
        t->now->free = INT64_MAX;
    if (t->large != PT_UNKNOWN && (int64_t)order >= t->large &&
        __builtin_add_overflow(t->now->large, bytes, &t->now->large))
        t->now->large = INT64_MAX;
    return 0;
}

static int mobility(struct pt_kernel_work *w, struct pt_err *err)
{
    struct pt_kernel *k = w->k;
    struct types t = {.w = w, .large = PT_UNKNOWN};
    const struct pt_source_at *at = pt_view_find(k->end.view, "proc:pagetypeinfo");
    struct pt_buf text;
    size_t n = 0;
    pt_buf_init(&text, TEXT_MAX);
    int rc = pt_items_each(pt_db_shapes(w->s->db), NULL, at, &text, emit_types, &t, err);
    pt_buf_release(&text);
    for (size_t i = 0; i < k->nmobility; i++) /* those a zone does not have are let pass */
        if (k->mobility[i].free > 0 ||
            (k->mobility[i].blocks != PT_UNKNOWN && k->mobility[i].blocks > 0))
            k->mobility[n++] = k->mobility[i];
    k->nmobility = n;
    if (rc >= 0 && !(at && at->reading))
        rc = pt_kernel_unknown(w, "free memory by mobility",
                               at && at->presence == PT_UNREADABLE
                                   ? "pagetypeinfo could not be read"
                                   : "pagetypeinfo was not recorded");
    return rc;
}

/* ---- nodes ---- */

static int emit_node(void *ctx, const struct pt_item *item)
{
    struct pt_kernel_node *n = ctx;
    const struct {
        const char *field;
        int64_t *to;
        int64_t unit;
    } fields[] = {{"MemTotal", &n->total, 1024},    {"MemFree", &n->free, 1024},
                  {"numa_hit", &n->hit, 1},         {"numa_miss", &n->miss, 1},
                  {"numa_foreign", &n->foreign, 1}, {"local_node", &n->local, 1},
                  {"other_node", &n->other, 1}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (pt_items_is(item, fields[i].field))
            *fields[i].to = pt_items_times(pt_items_number(item), fields[i].unit);
    return 0;
}

static int load_node(struct pt_kernel_work *w, const struct pt_view *view, int64_t node,
                     struct pt_kernel_node *ret, struct pt_err *err)
{
    static const char *const files[] = {"meminfo", "numastat"};
    struct pt_buf text;
    int rc = 0;
    *ret = (struct pt_kernel_node){node,       PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN,
                                   PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN};
    pt_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files) && rc >= 0; i++) {
        char name[96];
        snprintf(name, sizeof(name), "sys:devices/system/node/node%lld/%s", (long long)node,
                 files[i]);
        rc = pt_items_each(pt_db_shapes(w->s->db), NULL, pt_view_find(view, name), &text, emit_node,
                           ret, err);
    }
    pt_buf_release(&text);
    return rc;
}

static int64_t since(int64_t before, int64_t after)
{
    return before == PT_UNKNOWN || after == PT_UNKNOWN || after < before ? PT_UNKNOWN
                                                                         : after - before;
}

static int add_node(struct pt_kernel_work *w, int64_t node, struct pt_err *err)
{
    struct pt_kernel_node before, after;
    int rc = load_node(w, w->first, node, &before, err);
    if (rc >= 0)
        rc = load_node(w, w->k->end.view, node, &after, err);
    if (rc < 0)
        return rc;
    struct pt_kernel_node *n = pt_kernel_push(&w->k->nodes, &w->k->nnodes, sizeof(*n));
    if (!n)
        return pt_err_nomem(err);
    *n = after;
    n->hit = since(before.hit, after.hit);
    n->miss = since(before.miss, after.miss);
    n->foreign = since(before.foreign, after.foreign);
    n->local = since(before.local, after.local);
    n->other = since(before.other, after.other);
    return 0;
}

static int nodes(struct pt_kernel_work *w, struct pt_err *err)
{
    static const char prefix[] = "sys:devices/system/node/node";
    const struct pt_view *view = w->k->end.view;
    int64_t last = -1, node, scale;
    int rc = 0;
    for (uint32_t i = pt_view_lower(view, prefix);
         i < view->count && rc >= 0 &&
         strncmp(view->sources[i].name, prefix, sizeof(prefix) - 1) == 0;
         i++) {
        const char *digits = view->sources[i].name + sizeof(prefix) - 1;
        if (!pt_number(digits, strcspn(digits, "/"), &node, &scale) || scale != 1 || node == last)
            continue;
        last = node;
        rc = add_node(w, node, err);
    }
    if (rc >= 0 && w->k->nnodes == 0)
        rc = pt_kernel_unknown(w, "NUMA nodes", "none was recorded");
    return rc;
}

int pt_kernel_zones(struct pt_kernel_work *w, struct pt_err *err)
{
    int rc = watermarks(w, err);
    if (rc >= 0 && w->k->nzones == 0)
        rc = pt_kernel_unknown(w, "watermarks of zones", "zoneinfo was not recorded");
    if (rc >= 0)
        rc = fragmentation(w, err);
    if (rc >= 0)
        rc = mobility(w, err);
    return rc >= 0 ? nodes(w, err) : rc;
}
