/* SPDX-License-Identifier: MIT
 * slabinfo to caches. */
#include "analyze/picture/slab.h"

#include <stdlib.h>

#include "analyze/picture/items.h"
#include "analyze/print/units.h"
#include "schema/array.h"

#define TEXT_MAX (64u << 20)

struct row {
    const char *name;
    size_t len;
    int64_t num_slabs, pages, objects;
};

struct load {
    struct pt_slabs *ret;
    size_t cap;
    struct row now;
    int64_t page_size;
    bool failed;
};

static void flush(struct load *l)
{
    const struct row r = l->now;
    const int64_t bytes = pt_items_times(pt_items_times(r.num_slabs, r.pages), l->page_size);
    l->now = (struct row){.num_slabs = PT_UNKNOWN, .pages = PT_UNKNOWN, .objects = PT_UNKNOWN};
    if (!r.name || bytes == PT_UNKNOWN)
        return;
    struct pt_slabs *t = l->ret;
    struct pt_slab *v = pt_array_room(t->v, t->n, &l->cap, sizeof(*v));
    if (!v) {
        l->failed = true;
        return;
    }
    t->v = v;
    char *name = pt_arena_copy(&t->arena, r.name, r.len);
    l->failed |= !name;
    if (name)
        t->v[t->n++] = (struct pt_slab){.name = name, .bytes = bytes, .objects = r.objects};
}

static int emit(void *ctx, const struct pt_item *item)
{
    struct load *l = ctx;
    if (item->row != l->now.name) {
        flush(l);
        l->now.name = item->row;
        l->now.len = item->row_len;
    }
    if (pt_items_is(item, "num_slabs"))
        l->now.num_slabs = pt_items_number(item);
    else if (pt_items_is(item, "pagesperslab"))
        l->now.pages = pt_items_number(item);
    else if (pt_items_is(item, "active_objs"))
        l->now.objects = pt_items_number(item);
    return l->failed ? -PT_ENOMEM : 0;
}

static int by_name(const void *a, const void *b)
{
    const struct pt_slab *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void merge(struct pt_slabs *t)
{
    size_t n = 0;
    if (t->n > 1)
        qsort(t->v, t->n, sizeof(t->v[0]), by_name);
    for (size_t i = 0; i < t->n; i++) {
        if (n > 0 && strcmp(t->v[n - 1].name, t->v[i].name) == 0) {
            t->v[n - 1].bytes = pt_units_plus(t->v[n - 1].bytes, t->v[i].bytes);
            t->v[n - 1].objects = pt_units_plus(t->v[n - 1].objects, t->v[i].objects);
        } else {
            t->v[n++] = t->v[i];
        }
    }
    t->n = n;
}

int pt_slabs_load(const struct pt_view *view, struct pt_slabs *ret, struct pt_err *err)
{
    struct pt_slabs loaded = {.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    const struct pt_source_at *at = pt_view_find(view, "proc:slabinfo");
    const int64_t page_size = pt_db_meta(view->db)->page_size;
    struct load l = {.ret = &loaded, .page_size = page_size > 0 ? page_size : PT_UNKNOWN};
    struct pt_buf text;
    int rc = 0;
    if (at) {
        loaded.presence = at->presence;
        loaded.why = at->why;
        loaded.read_us = at->read_us;
        pt_buf_init(&text, TEXT_MAX);
        rc = pt_items_each(pt_db_shapes(view->db), NULL, at, &text, emit, &l, err);
        if (rc >= 0)
            flush(&l);
        pt_buf_release(&text);
        if (l.failed)
            rc = pt_err_nomem(err);
    }
    if (rc < 0) {
        pt_slabs_release(&loaded);
        return rc;
    }
    merge(&loaded);
    *ret = loaded;
    return 0;
}

void pt_slabs_release(struct pt_slabs *s)
{
    free(s->v);
    pt_arena_release(&s->arena);
    *s = (struct pt_slabs){.presence = PT_ABSENT};
}
