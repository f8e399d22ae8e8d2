/* SPDX-License-Identifier: MIT
 * Memory by who asked for it, at both ends of the span: vmalloc areas by the function that made
 * them, and where the kernel profiles allocations, all of them by line of code. */
#include <stdlib.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/picture/items.h"
#include "analyze/print/units.h"

#define TEXT_MAX (64u << 20)

/* One name's memory at one end. */
struct sum {
    const char *name;
    int64_t bytes, count;
};
struct sums {
    struct sum *v;
    size_t n;
    bool there; /* the file was recorded */
    int why;    /* it could not be read */
    bool unreadable;
};

struct load {
    struct pt_kernel_work *w;
    struct sums *ret;
    const char *row; /* as the parser gave it, to tell when the next begins */
    size_t len;
    int64_t pages, size, calls;
    bool vmalloc, ram;
};

static void clear(struct load *l)
{
    l->row = NULL;
    l->pages = l->size = l->calls = PT_UNKNOWN;
    l->ram = true;
}

/* An area: its pages where it has some; what maps a device is no memory. */
static int64_t bytes_of(const struct load *l)
{
    if (!l->vmalloc)
        return l->size;
    return l->ram ? pt_items_times(l->pages, l->w->page) : PT_UNKNOWN;
}

static int flush(struct load *l)
{
    const int64_t bytes = l->row ? bytes_of(l) : PT_UNKNOWN;
    const char *plus = l->row && l->vmalloc ? memchr(l->row, '+', l->len) : NULL;
    int rc = 0;
    if (bytes != PT_UNKNOWN && bytes > 0) {
        struct sum *one = pt_kernel_push(&l->ret->v, &l->ret->n, sizeof(*one));
        char *name = pt_kernel_copy(l->w, l->row, plus ? (size_t)(plus - l->row) : l->len);
        if (one)
            *one = (struct sum){name, bytes, l->vmalloc ? 1 : l->calls};
        rc = one && name ? 0 : -1;
    }
    clear(l);
    return rc;
}

static int emit(void *ctx, const struct pt_item *item)
{
    struct load *l = ctx;
    /* "start" and "size" are the first of a line's fields: callers repeat from line to line */
    if (pt_items_is(item, l->vmalloc ? "start" : "size") && flush(l) < 0)
        return -1;
    l->row = item->row;
    l->len = item->row_len;
    if (pt_items_is(item, "pages"))
        l->pages = pt_items_number(item);
    else if (pt_items_is(item, "size"))
        l->size = pt_items_number(item);
    else if (pt_items_is(item, "calls"))
        l->calls = pt_items_number(item);
    else if (pt_items_is(item, "phys"))
        l->ram = false;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void merge(struct sums *s)
{
    size_t n = 0;
    if (s->n > 1)
        qsort(s->v, s->n, sizeof(*s->v), by_name);
    for (size_t i = 0; i < s->n; i++) {
        if (n && strcmp(s->v[n - 1].name, s->v[i].name) == 0) {
            s->v[n - 1].bytes = pt_units_plus(s->v[n - 1].bytes, s->v[i].bytes);
            s->v[n - 1].count = pt_units_plus(s->v[n - 1].count, s->v[i].count);
        } else {
            s->v[n++] = s->v[i];
        }
    }
    s->n = n;
}

static int load_sums(struct pt_kernel_work *w, const struct pt_view *view, const char *source,
                     bool vmalloc, struct sums *ret, struct pt_err *err)
{
    const struct pt_source_at *at = pt_view_find(view, source);
    struct load l = {.w = w, .ret = ret, .vmalloc = vmalloc};
    struct pt_buf text;
    ret->there = at && at->reading;
    ret->unreadable = at && at->presence == PT_UNREADABLE;
    clear(&l);
    pt_buf_init(&text, TEXT_MAX);
    int rc = pt_items_each(pt_db_shapes(w->s->db), NULL, at, &text, emit, &l, err);
    if (rc >= 0)
        rc = flush(&l) < 0 ? pt_err_nomem(err) : 0;
    pt_buf_release(&text);
    merge(ret);
    return rc;
}

static int add(struct pt_kernel_work *w, enum pt_kernel_group group, const struct sum *was,
               const struct sum *is, bool before)
{
    struct pt_kernel_item *item = pt_kernel_add(w, group, is ? is->name : was->name);
    if (!item)
        return -1;
    item->count_first = was ? was->count : before ? 0 : PT_UNKNOWN;
    item->count = is ? is->count : 0;
    item->within = group == PT_KERNEL_SITE;
    item->bytes.first = was ? was->bytes : before ? 0 : PT_UNKNOWN;
    item->bytes.last = is ? is->bytes : 0;
    return 0;
}

static int pair(struct pt_kernel_work *w, enum pt_kernel_group group, const struct sums *before,
                const struct sums *after)
{
    size_t a = 0, b = 0;
    int rc = 0;
    while (rc >= 0 && (a < before->n || b < after->n)) {
        const int order = a == before->n  ? 1
                          : b == after->n ? -1
                                          : strcmp(before->v[a].name, after->v[b].name);
        rc = add(w, group, order <= 0 ? &before->v[a] : NULL, order >= 0 ? &after->v[b] : NULL,
                 before->there);
        a += order <= 0;
        b += order >= 0;
    }
    return rc;
}

int pt_kernel_callers(struct pt_kernel_work *w, struct pt_err *err)
{
    static const struct {
        const char *source, *what, *none, *unreadable;
        enum pt_kernel_group group;
    } files[] = {
        {"proc:vmallocinfo", "vmalloc by caller", "vmallocinfo was not recorded",
         "vmallocinfo could not be read", PT_KERNEL_VMALLOC},
        {"proc:allocinfo", "allocations by line of kernel code",
         "allocinfo was not recorded; kernels from 6.10 on may have it",
         "allocinfo could not be read", PT_KERNEL_SITE},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files) && rc >= 0; i++) {
        struct sums before = {0}, after = {0};
        const bool vmalloc = files[i].group == PT_KERNEL_VMALLOC;
        rc = load_sums(w, w->first, files[i].source, vmalloc, &before, err);
        if (rc >= 0)
            rc = load_sums(w, w->k->end.view, files[i].source, vmalloc, &after, err);
        if (rc >= 0 && after.there && pair(w, files[i].group, &before, &after) < 0)
            rc = pt_err_nomem(err);
        if (rc >= 0 && !after.there &&
            pt_kernel_unknown(w, files[i].what,
                              after.unreadable ? files[i].unreadable : files[i].none) < 0)
            rc = pt_err_nomem(err);
        free(before.v);
        free(after.v);
    }
    return rc;
}
