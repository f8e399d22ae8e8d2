/* SPDX-License-Identifier: MIT
 * See store_layout.h. Sources are taken class by class (all status, then all statm ...), so that a
 * field of every process is found in few blocks, and blocks hold one kind of shape. */
#include "schema/store_layout.h"

#include <stdlib.h>
#include <string.h>

#include "schema/array.h"

#define NAMES_MAX (256u << 20)
#define BLOB_MAX  (PT_BLOCK_RAW_LIMIT)
#define MAX_ID    (1u << 24) /* sources of a segment; the decoder's own bound is lower */

int pt_layout_init(struct pt_layout *l, struct pt_shapes *shapes, const struct pt_seal_ops *ops,
                   int level, struct pt_err *err)
{
    *l = (struct pt_layout){
        .shapes = shapes, .ops = ops, .level = level, .writer = pt_block_writer_new(shapes)};
    pt_buf_init(&l->names, NAMES_MAX);
    pt_buf_init(&l->what, NAMES_MAX);
    pt_buf_init(&l->blob, BLOB_MAX);
    return l->writer ? 0 : pt_err_nomem(err);
}

void pt_layout_release(struct pt_layout *l)
{
    pt_block_writer_free(l->writer);
    pt_buf_release(&l->names);
    pt_buf_release(&l->what);
    pt_buf_release(&l->blob);
    free(l->entries);
    free(l->by_id);
}

/* ---- the order of sources ---- */

static void name_of(const struct pt_layout *l, const struct pt_entry *e, char ret[PT_NAME_MAX])
{
    const char *dir = (const char *)l->names.data + e->dir,
               *file = (const char *)l->names.data + e->file;
    const size_t len = strlen(dir);
    memcpy(ret, dir, len);
    memcpy(ret + len, file, strlen(file) + 1);
}

/* Names of one length are compared by bytes, so that pids come in numeric order. */
static int order_entries(const void *x, const void *y, void *layout)
{
    char a[PT_NAME_MAX], b[PT_NAME_MAX];
    name_of(layout, x, a);
    name_of(layout, y, b);
    const enum pt_block_kind ka = pt_block_kind_of(a), kb = pt_block_kind_of(b);
    if (ka != kb)
        return ka < kb ? -1 : 1;
    char ca[PT_CLASS_MAX], cb[PT_CLASS_MAX];
    pt_source_class(a, ca, sizeof ca);
    pt_source_class(b, cb, sizeof cb);
    const int c = strcmp(ca, cb);
    if (c)
        return c;
    const size_t la = strlen(a), lb = strlen(b);
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

/* The offset of a part of a name; one that was used not long ago is not held twice. */
static uint32_t part_of(struct pt_layout *l, const char *part, size_t len)
{
    uint32_t *recent = &l->recent[pt_hash(part, len) % PT_RECENT];
    if (*recent) {
        const char *known = (const char *)l->names.data + *recent - 1;
        if (strncmp(known, part, len) == 0 && !known[len])
            return *recent - 1;
    }
    const size_t at = l->names.len;
    pt_buf_put(&l->names, part, len);
    pt_buf_u8(&l->names, 0);
    if (!l->names.failed) /* else it may not be there whole */
        *recent = (uint32_t)at + 1;
    return (uint32_t)at;
}

int pt_layout_add(struct pt_layout *l, const char *name, uint32_t id, size_t base)
{
    if (id >= MAX_ID || strlen(name) >= PT_NAME_MAX)
        return -1;
    struct pt_entry *entries = pt_array_room(l->entries, l->n, &l->cap, sizeof *entries);
    if (!entries)
        return -1;
    l->entries = entries;
    if (id > l->max_id)
        l->max_id = id;
    const char *slash = strrchr(name, '/'), *file = slash ? slash + 1 : name;
    l->entries[l->n++] =
        (struct pt_entry){.dir = part_of(l, name, (size_t)(file - name)),
                          .file = part_of(l, file, strlen(file)),
                          .id = id,
                          .base = (uint32_t)(base < PT_BASE_MAX ? base : PT_BASE_MAX) & PT_BASE_MAX,
                          .kind = (uint32_t)pt_block_kind_of(name) & 7u};
    return l->names.failed ? -1 : 0;
}

int pt_layout_sort(struct pt_layout *l)
{
    char before[PT_NAME_MAX], name[PT_NAME_MAX];
    l->by_id = calloc((size_t)l->max_id + 1, sizeof *l->by_id);
    if (!l->by_id)
        return -1;
    l->by_id_len = l->max_id + 1;
    if (l->n > 1)
        qsort_r(l->entries, l->n, sizeof *l->entries, order_entries, l);
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        name_of(l, &l->entries[i], name);
        if (n > 0)
            name_of(l, &l->entries[n - 1], before);
        if (n == 0 || strcmp(name, before) != 0)
            l->entries[n++] = l->entries[i];
        l->by_id[l->entries[i].id] = n;
    }
    l->n = n;
    return 0;
}

/* ---- blocks ---- */

int pt_layout_end(struct pt_layout *l, struct pt_err *err)
{
    if (!l->open)
        return 0;
    l->open = false;
    pt_buf_reset(&l->blob);
    int r = pt_block_end(l->writer, l->level, &l->blob, err);
    if (r < 0)
        return r;
    pt_buf_u8(&l->what, 0);
    if (l->blob.failed || l->what.failed)
        return pt_err_nomem(err);
    const char *what = l->what.len > PT_WHAT_MAX ? "**" : (const char *)l->what.data;
    r = l->ops->block(l->ops->ctx, l->kind, what, l->blob.data, l->blob.len, err);
    /* The buffer is not kept at the size of the largest block there ever was. */
    pt_buf_release(&l->blob);
    pt_buf_init(&l->blob, BLOB_MAX);
    return r;
}

static int begin(struct pt_layout *l, enum pt_block_kind kind, struct pt_err *err)
{
    const int r = pt_block_begin(l->writer, kind, l->snaps, l->nsnaps, err);
    if (r < 0)
        return r;
    l->open = true;
    l->kind = kind;
    pt_buf_reset(&l->what);
    return 0;
}

int pt_layout_clock(struct pt_layout *l, const struct pt_snap *snaps, uint32_t nsnaps,
                    struct pt_err *err)
{
    l->snaps = snaps;
    l->nsnaps = nsnaps;
    int r = l->ops->snaps(l->ops->ctx, snaps, nsnaps, err);
    if (r >= 0)
        r = begin(l, PT_BLOCK_CLOCK, err);
    return r < 0 ? r : pt_layout_end(l, err);
}

int pt_layout_source(struct pt_layout *l, uint32_t index, struct pt_err *err)
{
    const enum pt_block_kind kind = (enum pt_block_kind)l->entries[index].kind;
    char class[PT_CLASS_MAX], name[PT_NAME_MAX];
    int r;
    name_of(l, &l->entries[index], name);
    if (l->open && (l->kind != kind || pt_block_raw(l->writer) >= PT_BLOCK_RAW) &&
        (r = pt_layout_end(l, err)) < 0)
        return r;
    pt_source_class(name, class, sizeof class);
    if (!l->open && (r = begin(l, kind, err)) < 0)
        return r;
    if (l->what.len == 0 || strcmp(class, l->class) != 0) {
        if (l->what.len)
            pt_buf_u8(&l->what, '\n');
        pt_buf_put(&l->what, class, strlen(class));
        memcpy(l->class, class, sizeof class);
    }
    return pt_block_source(l->writer, name, pt_file_of(name)->grammar.key, err);
}

int pt_layout_state(void *ctx, uint32_t tick, const struct pt_source_at *at, struct pt_err *err)
{
    struct pt_layout *l = ctx;
    return pt_block_add(l->writer, tick, at, err);
}
