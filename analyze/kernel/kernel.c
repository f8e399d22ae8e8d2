/* SPDX-License-Identifier: MIT
 * A span's kernel memory, put together. */
#include "analyze/kernel/kernel_int.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"

#define TEXT_MAX (4u << 20)

const char *pt_kernel_topic_name(enum pt_kernel_topic t)
{
    static const char *const names[PT_TOPICS] = {
        [PT_TOPIC_RECLAIM] = "reclaim", [PT_TOPIC_COMPACTION] = "compaction",
        [PT_TOPIC_HUGE] = "huge_pages", [PT_TOPIC_NUMA] = "numa",
        [PT_TOPIC_WRITE] = "writeback",
    };
    return names[t];
}

void *pt_kernel_push(void *array, size_t *n, size_t size)
{
    void **p = array;
    enum { FIRST = 16 };
    if (*n == 0 || (*n >= FIRST && (*n & (*n - 1)) == 0)) {
        void *v = *n > SIZE_MAX / 2 / size ? NULL : realloc(*p, (*n ? *n * 2 : FIRST) * size);
        if (!v)
            return NULL;
        *p = v;
    }
    void *one = (char *)*p + size * (*n)++;
    memset(one, 0, size);
    return one;
}

struct pt_kernel_item *pt_kernel_add(struct pt_kernel_work *w, enum pt_kernel_group group,
                                     const char *name)
{
    struct pt_kernel_item *item =
        name ? pt_kernel_push(&w->k->items, &w->k->nitems, sizeof(*item)) : NULL;
    if (!item)
        return NULL;
    *item = (struct pt_kernel_item){.group = group,
                                    .name = name,
                                    .title = name,
                                    .count_first = PT_UNKNOWN,
                                    .count = PT_UNKNOWN,
                                    .shrank = PT_UNKNOWN};
    pt_course_init(&item->bytes);
    return item;
}

char *pt_kernel_copy(struct pt_kernel_work *w, const char *name, size_t len)
{
    return pt_arena_copy(&w->k->arena, name, len);
}

int pt_kernel_unknown(struct pt_kernel_work *w, const char *what, const char *why)
{
    struct pt_kernel_unknown *one = pt_kernel_push(&w->k->unknown, &w->k->nunknown, sizeof(*one));
    if (!one)
        return -1;
    *one = (struct pt_kernel_unknown){what, why};
    return 0;
}

static int emit_value(void *ctx, const struct pt_item *item)
{
    *(int64_t *)ctx = pt_items_number(item);
    return 0;
}

int64_t pt_kernel_value(const struct pt_view *view, const char *source)
{
    struct pt_buf text;
    int64_t v = PT_UNKNOWN;
    pt_buf_init(&text, TEXT_MAX);
    pt_items_each(pt_db_shapes(view->db), NULL, pt_view_find(view, source), &text, emit_value, &v,
                  NULL);
    pt_buf_release(&text);
    return v;
}

/* ---- control groups that were removed and hold memory still ---- */

static int emit_cgroups(void *ctx, const struct pt_item *item)
{
    int64_t *v = ctx; /* hierarchy, groups */
    if (item->row_len != strlen("memory") || memcmp(item->row, "memory", item->row_len) != 0)
        return 0;
    if (pt_items_is(item, "hierarchy"))
        v[0] = pt_items_number(item);
    else if (pt_items_is(item, "num_cgroups"))
        v[1] = pt_items_number(item);
    return 0;
}

static int emit_refused(void *ctx, const struct pt_item *item)
{
    if (pt_items_is(item, "cgroups_refused"))
        *(int64_t *)ctx = pt_items_number(item);
    return 0;
}

/* v1 does not tell: how many the kernel has less those that have a directory, all of which the
 * recorder reads unless it says otherwise. */
static int64_t dying_v1(const struct pt_view *view)
{
    static const char prefix[] = "cgroup:memory/", file[] = "memory.usage_in_bytes";
    int64_t v[] = {PT_UNKNOWN, PT_UNKNOWN}, refused = 0, here = 0;
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    const struct pt_shapes *shapes = pt_db_shapes(view->db);
    pt_items_each(shapes, NULL, pt_view_find(view, "proc:cgroups"), &text, emit_cgroups, v, NULL);
    pt_items_each(shapes, NULL, pt_view_find(view, "self:account"), &text, emit_refused, &refused,
                  NULL);
    pt_buf_release(&text);
    for (uint32_t i = pt_view_lower(view, prefix);
         i < view->count && strncmp(view->sources[i].name, prefix, sizeof(prefix) - 1) == 0; i++) {
        const char *slash = strrchr(view->sources[i].name, '/');
        const enum pt_presence presence = view->sources[i].presence;
        here += strcmp(slash + 1, file) == 0 && presence != PT_ABSENT && presence != PT_LOST;
    }
    return v[0] == PT_UNKNOWN || v[0] == 0 || v[1] == PT_UNKNOWN || refused || here == 0 ||
                   v[1] < here
               ? PT_UNKNOWN
               : v[1] - here;
}

static int note_cgroups(struct pt_kernel_work *w, struct pt_err *err)
{
    static const char *const roots[] = {"cgroup:cgroup.stat", "cgroup:unified/cgroup.stat"};
    enum { DESCENDANTS = 0, MEMORY };
    struct pt_kernel *k = w->k;
    const struct pt_series *all = &w->series[PT_KS_DYING];
    pt_course_init(&k->cgroups.dying);
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        const bool root = strcmp(s->source, roots[0]) == 0 || strcmp(s->source, roots[1]) == 0;
        const unsigned which = pt_kernel_has(s->known, MEMORY) ? MEMORY : DESCENDANTS;
        if (s->boot == w->boot && root)
            pt_course_of(&s->track[which], &k->timeline, 1, pt_kernel_end(s, which),
                         &k->cgroups.dying);
    }
    const int64_t counted = dying_v1(k->end.view);
    if (counted != PT_UNKNOWN) { /* where memory is in v1, v2's tree does not tell of it */
        k->cgroups.counted = true;
        pt_course_init(&k->cgroups.dying);
        k->cgroups.dying.last = counted;
        k->cgroups.dying.first = dying_v1(w->first);
    }
    return k->cgroups.dying.last == PT_UNKNOWN &&
                   pt_kernel_unknown(w, "removed control groups",
                                     "neither cgroup.stat nor the v1 groups were recorded") < 0
               ? pt_err_nomem(err)
               : 0;
}

/* ---- all of it ---- */

static int64_t growth(const struct pt_kernel_item *item)
{
    const int64_t change = pt_course_change(&item->bytes);
    return change == PT_UNKNOWN ? INT64_MIN + 1 : change;
}

static int by_growth(const void *a, const void *b)
{
    const struct pt_kernel_item *x = a, *y = b;
    const int64_t p = growth(x), q = growth(y);
    if (p != q)
        return p < q ? 1 : -1;
    if (x->bytes.last != y->bytes.last)
        return x->bytes.last < y->bytes.last ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Where the newest boot of the span begins. */
static int set_base(struct pt_kernel_work *w, int64_t from, struct pt_err *err)
{
    struct pt_kernel *k = w->k;
    const struct pt_timeline *t = &k->timeline;
    const struct pt_boot_time *boot = &t->boots[t->nboots - 1];
    int64_t first = from;
    w->boot = boot->boot;
    w->base = boot->from;
    w->end = t->end;
    for (uint32_t i = 0; i < pt_db_boots(w->s->db); i++) {
        const struct pt_boot *b = pt_db_boot(w->s->db, i);
        if (b->id == w->boot && b->first > first)
            first = b->first;
    }
    int rc = pt_view_load(w->s->db, first, PT_GROUP(PT_BLOCK_SYSTEM), &w->first, err);
    if (rc >= 0)
        rc = pt_mem_load(w->first, &w->mem, err);
    if (rc < 0)
        return rc;
    pt_balance_of(&w->mem, &w->before);
    w->after = k->end.balance;
    if (w->before.total != PT_UNKNOWN && w->after.total != PT_UNKNOWN)
        pt_balance_align(&w->before, &w->after);
    return 0;
}

static int make(struct pt_kernel_work *w, int64_t from, int64_t to, struct pt_err *err)
{
    static int (*const parts[])(struct pt_kernel_work * w, struct pt_err * err) = {
        pt_kernel_follow, pt_kernel_lines,   pt_kernel_levels, pt_kernel_huge,   pt_kernel_counters,
        pt_kernel_slabs,  pt_kernel_callers, pt_kernel_zones,  pt_kernel_shared, note_cgroups,
    };
    struct pt_kernel *k = w->k;
    int rc = pt_timeline_load(w->s->db, from, to, &k->timeline, err);
    if (rc >= 0)
        rc = pt_picture_load(w->s->db, to, w->s->smaps, &k->end, err);
    if (rc >= 0)
        rc = set_base(w, from, err);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && rc >= 0; i++)
        rc = parts[i](w, err);
    if (rc < 0 && !err->code)
        rc = pt_err_nomem(err);
    if (rc >= 0 && k->nitems > 1)
        qsort(k->items, k->nitems, sizeof(*k->items), by_growth);
    return rc;
}

int pt_kernel_make(const struct pt_session *s, int64_t from, int64_t to, struct pt_kernel *ret,
                   struct pt_err *err)
{
    struct pt_kernel k = {.at = from == to};
    const int64_t page = pt_db_meta(s->db)->page_size;
    struct pt_kernel_work w = {.s = s, .k = &k, .page = page > 0 ? page : PT_UNKNOWN};
    const int rc = make(&w, from, to, err);
    for (unsigned i = 0; i < PT_KS_COUNT; i++)
        pt_series_release(&w.series[i]);
    if (w.first)
        pt_view_free(w.first);
    if (rc < 0) {
        pt_kernel_release(&k);
        return rc;
    }
    *ret = k;
    return 0;
}

void pt_kernel_release(struct pt_kernel *k)
{
    for (size_t i = 0; i < k->nobjects; i++)
        free(k->objects[i].owners);
    free(k->items);
    free(k->counters);
    free(k->zones);
    free(k->mobility);
    free(k->nodes);
    free(k->objects);
    free(k->unknown);
    pt_picture_release(&k->end);
    pt_timeline_release(&k->timeline);
    pt_arena_release(&k->arena);
    *k = (struct pt_kernel){0};
}
