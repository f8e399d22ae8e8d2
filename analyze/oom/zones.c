/* SPDX-License-Identifier: MIT
 * zoneinfo to zones. */
#include "analyze/oom/zones.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "schema/array.h"

#define TEXT_MAX  (64u << 20)
#define NAME_SIZE 64

struct load {
    struct pt_zones *ret;
    size_t cap;
    int64_t page_size;
    bool nomem;
};

static struct pt_zone *zone_of(struct load *l, const struct pt_item *item)
{
    struct pt_zones *t = l->ret;
    char name[NAME_SIZE];
    pt_row_name(item->row, item->row_len, name, sizeof(name));
    if (t->n && strcmp(t->v[t->n - 1].name, name) == 0)
        return &t->v[t->n - 1];
    struct pt_zone *v = pt_array_room(t->v, t->n, &l->cap, sizeof(*v));
    if (!v)
        return NULL;
    t->v = v;
    const char *copy = pt_arena_copy(&t->arena, name, strlen(name));
    if (!copy)
        return NULL;
    t->v[t->n] = (struct pt_zone){copy, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN};
    return &t->v[t->n++];
}

/* "free" stands in one zone once; "min", "low" and "high" of its CPUs have other names. */
static int emit(void *ctx, const struct pt_item *item)
{
    static const struct {
        const char *field;
        size_t offset;
    } table[] = {
        {"free", offsetof(struct pt_zone, free)},       {"min", offsetof(struct pt_zone, min)},
        {"low", offsetof(struct pt_zone, low)},         {"high", offsetof(struct pt_zone, high)},
        {"managed", offsetof(struct pt_zone, managed)},
    };
    struct load *l = ctx;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (!pt_items_is(item, table[i].field))
            continue;
        struct pt_zone *z = zone_of(l, item);
        const int64_t v = pt_items_times(pt_items_number(item), l->page_size);
        l->nomem |= !z;
        if (!z)
            return -1;
        memcpy((char *)z + table[i].offset, &v, sizeof(v));
        return 0;
    }
    return 0;
}

int pt_zones_load(const struct pt_view *view, struct pt_zones *ret, struct pt_err *err)
{
    struct pt_zones loaded = {0};
    const int64_t page_size = pt_db_meta(view->db)->page_size;
    struct load l = {.ret = &loaded, .page_size = page_size > 0 ? page_size : PT_UNKNOWN};
    struct pt_buf text;
    size_t n = 0;
    pt_buf_init(&text, TEXT_MAX);
    const int rc = pt_items_each(pt_db_shapes(view->db), NULL, pt_view_find(view, "proc:zoneinfo"),
                                 &text, emit, &l, err);
    pt_buf_release(&text);
    if (l.nomem || rc < 0) {
        pt_zones_release(&loaded);
        return l.nomem ? pt_err_nomem(err) : rc;
    }
    for (size_t i = 0; i < loaded.n; i++) /* zones of no memory, and rows of a node */
        if (loaded.v[i].managed != 0 && loaded.v[i].min != PT_UNKNOWN)
            loaded.v[n++] = loaded.v[i];
    loaded.n = n;
    *ret = loaded;
    return 0;
}

void pt_zones_release(struct pt_zones *z)
{
    free(z->v);
    pt_arena_release(&z->arena);
    *z = (struct pt_zones){0};
}

const char *pt_zone_state(const struct pt_zone *z)
{
    if (z->free == PT_UNKNOWN || z->min == PT_UNKNOWN)
        return "?";
    return z->free < z->min                             ? "below min"
           : z->low != PT_UNKNOWN && z->free < z->low   ? "below low"
           : z->high != PT_UNKNOWN && z->free < z->high ? "below high"
                                                        : "";
}
