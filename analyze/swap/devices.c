/* SPDX-License-Identifier: MIT
 * Swap areas by name, zram under them and zswap before them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/swap/swap_int.h"
#include "schema/array.h"

#define TEXT_MAX (1u << 20)

static const char swaps[] = "proc:swaps";

enum { D_SIZE, D_USED, D_PRIORITY };
const char *const pt_swap_device_fields[3] = {"Size", "Used", "Priority"};
enum { Z_ORIGINAL, Z_COMPRESSED, Z_MEMORY };
const char *const pt_swap_zram_fields[3] = {"orig_data_size", "compr_data_size", "mem_used_total"};
enum { ZSWAP_POOL, ZSWAP_STORED };
const char *const pt_swap_zswap_fields[2] = {"Zswap", "Zswapped"};

/* NULL: no memory. */
static struct pt_swap_device *device_of(struct pt_swap_devices *d, const char *name, double at)
{
    struct pt_swap *w = d->w;
    for (size_t i = 0; i < w->ndevices; i++)
        if (strcmp(w->devices[i].name, name) == 0)
            return &w->devices[i];
    struct pt_swap_device *v = pt_array_room(w->devices, w->ndevices, &d->cap, sizeof(*v));
    d->nomem |= !v;
    if (!v)
        return NULL;
    w->devices = v;
    const char *copy = pt_arena_copy(&w->lives.arena, name, strlen(name));
    d->nomem |= !copy;
    if (!copy)
        return NULL;
    w->devices[w->ndevices] = (struct pt_swap_device){.name = copy,
                                                      .size = PT_UNKNOWN,
                                                      .used = PT_UNKNOWN,
                                                      .most = PT_UNKNOWN,
                                                      .priority = PT_UNKNOWN,
                                                      .original = PT_UNKNOWN,
                                                      .compressed = PT_UNKNOWN,
                                                      .memory = PT_UNKNOWN,
                                                      .from = at,
                                                      .to = at};
    return &w->devices[w->ndevices++];
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b; /* PT_UNKNOWN is less than any */
}

int pt_swap_on_device(void *ctx, const struct pt_point *p)
{
    struct pt_swap_devices *d = ctx;
    const struct pt_timeline *t = &d->w->timeline;
    const double at = pt_timeline_at(t, p->boot, p->boot_us);
    const double end = pt_timeline_at(t, p->boot, p->end_boot_us);
    if (isnan(at) || isnan(end) || (!p->known && !*p->row))
        return 0;
    struct pt_swap_device *one = device_of(d, p->row, at);
    if (!one)
        return -1;
    if (!p->known && p->instance != one->instance)
        return 0; /* it took another form */
    one->to = p->known ? end : at;
    one->gone = !p->known;
    if (!p->known)
        return 0;
    one->instance = p->instance;
    one->n = p->n;
    const int64_t bytes = pt_items_times(p->ivalue, 1024);
    if (p->which == D_SIZE)
        one->size = bytes;
    else if (p->which == D_USED)
        one->most = larger(one->most, one->used = bytes);
    else if (p->which == D_PRIORITY)
        one->priority = p->ivalue;
    return 0;
}

int pt_swap_on_zram(void *ctx, const struct pt_point *p)
{
    static const char before[] = "sys:block/", after[] = "/mm_stat";
    struct pt_swap_devices *d = ctx;
    const double at = pt_timeline_at(&d->w->timeline, p->boot, p->boot_us);
    char name[64];
    const size_t len = strlen(p->source), ends = strlen(before) + strlen(after);
    if (isnan(at) || !p->known || len <= ends || len - ends > sizeof(name) - sizeof("/dev/"))
        return 0;
    snprintf(name, sizeof(name), "/dev/%.*s", (int)(len - ends), p->source + strlen(before));
    struct pt_swap_device *one = device_of(d, name, at);
    if (!one)
        return -1;
    one->zram = true;
    if (p->which == Z_ORIGINAL)
        one->original = p->ivalue;
    else if (p->which == Z_COMPRESSED)
        one->compressed = p->ivalue;
    else if (p->which == Z_MEMORY)
        one->memory = p->ivalue;
    return 0;
}

int pt_swap_on_zswap(void *ctx, const struct pt_point *p)
{
    struct pt_swap_zswap *z = &((struct pt_swap_devices *)ctx)->w->zswap;
    const int64_t bytes = p->known ? pt_items_times(p->ivalue, 1024) : PT_UNKNOWN;
    if (p->which == ZSWAP_POOL)
        z->most_pool = larger(z->most_pool, z->pool = bytes);
    else if (p->which == ZSWAP_STORED)
        z->most_stored = larger(z->most_stored, z->stored = bytes);
    return 0;
}

/* ---- which are gone ---- */

static int on_there(void *ctx, const struct pt_item *item)
{
    struct pt_swap *w = ctx;
    for (size_t i = 0; i < w->ndevices; i++) {
        struct pt_swap_device *d = &w->devices[i];
        if (strlen(d->name) == item->row_len && memcmp(d->name, item->row, item->row_len) == 0)
            d->gone = false;
    }
    return 0;
}

/* What went between two segments has no point that tells it: the last text does. Where that cannot
 * be read, it stays as it was told last. */
static int find_gone(struct pt_db *db, struct pt_swap *w, struct pt_buf *text)
{
    struct pt_source_at at = {.presence = PT_ABSENT};
    pt_buf_reset(text);
    if (pt_db_text(db, w->timeline.last, swaps, &at, text, NULL) < 0 || !text->len)
        return 0;
    for (size_t i = 0; i < w->ndevices; i++)
        w->devices[i].gone = true;
    return pt_file_of(swaps)->parse((const char *)text->data, text->len, on_there, w);
}

/* ---- types ---- */

static int on_type(void *ctx, const struct pt_item *item)
{
    struct pt_swap *w = ctx;
    for (size_t i = 0; i < w->ndevices && pt_items_is(item, "Type"); i++) {
        struct pt_swap_device *d = &w->devices[i];
        if (strlen(d->name) != item->row_len || memcmp(d->name, item->row, item->row_len) != 0)
            continue;
        if (!(d->type = pt_arena_copy(&w->lives.arena, item->value, item->value_len)))
            return -1;
    }
    return 0;
}

/* A zram disk that is no swap area, or holds a file system, is not swap's. */
static void drop_other_zram(struct pt_swap *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->ndevices; i++)
        if (w->devices[i].size != PT_UNKNOWN)
            w->devices[n++] = w->devices[i];
    w->ndevices = n;
}

int pt_swap_devices_end(struct pt_db *db, struct pt_swap *w, struct pt_err *err)
{
    struct pt_buf text;
    drop_other_zram(w);
    pt_buf_init(&text, TEXT_MAX);
    int rc = find_gone(db, w, &text);
    for (size_t i = 0; i < w->ndevices && rc >= 0; i++) {
        if (w->devices[i].type)
            continue;
        pt_buf_reset(&text);
        rc = pt_db_text(db, w->devices[i].n, swaps, NULL, &text, err);
        if (rc >= 0 && text.len)
            rc = pt_file_of(swaps)->parse((const char *)text.data, text.len, on_type, w);
    }
    pt_buf_release(&text);
    return rc;
}
