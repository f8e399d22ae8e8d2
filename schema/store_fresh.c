/* SPDX-License-Identifier: MIT
 * See store_fresh.h. */
#include "schema/store_fresh.h"

#include "schema/array.h"
#include "schema/frame_blob.h"
#include "schema/store_rows.h"

#include <stdlib.h>
#include <string.h>

int pt_fresh_snaps(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err)
{
    struct pt_fresh *f = ctx;
    f->snaps = malloc(count * sizeof *snaps);
    if (!f->snaps)
        return pt_err_nomem(err);
    memcpy(f->snaps, snaps, count * sizeof *snaps);
    f->first = snaps[0].n;
    f->last = snaps[count - 1].n;
    f->boot = snaps[0].boot;
    f->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct pt_val v[PT_SNAP_NCOLUMNS];
        pt_snap_to_row(&snaps[i], v);
        const int64_t ms = v[1].i;
        if (i == 0 || ms < f->min_ms)
            f->min_ms = ms;
        if (i == 0 || ms > f->max_ms)
            f->max_ms = ms;
    }
    return 0;
}

int pt_fresh_block(void *ctx, enum pt_block_kind kind, const char *what, const void *blob,
                   size_t len, struct pt_err *err)
{
    struct pt_fresh *f = ctx;
    if (f->blocks >= PT_BLOB_PLACES)
        return pt_err_set(err, PT_ENOMEM, 0, "segment", f->first,
                          "more than %u blocks in a segment", PT_BLOB_PLACES);
    struct pt_fresh_block *more = pt_array_room(f->v, (size_t)f->blocks, &f->cap, sizeof *more);
    if (!more)
        return pt_err_nomem(err);
    f->v = more;
    struct pt_fresh_block *b = &f->v[f->blocks];
    *b = (struct pt_fresh_block){
        .kind = kind, .what = strdup(what), .blob = malloc(len), .len = len};
    f->blocks++;
    f->bytes += (int64_t)len;
    if (!b->what || !b->blob)
        return pt_err_nomem(err);
    memcpy(b->blob, blob, len);
    return 0;
}

void pt_fresh_release(struct pt_fresh *f)
{
    for (int64_t i = 0; i < f->blocks; i++) {
        free(f->v[i].what);
        free(f->v[i].blob);
    }
    free(f->v);
    free(f->snaps);
}

int pt_fresh_write(const struct pt_fresh *f, struct pt_store *s, struct pt_err *err)
{
    for (int64_t i = 0; i < f->blocks; i++) {
        const struct pt_fresh_block *b = &f->v[i];
        const struct pt_val v[] = {pt_val_int(f->first * PT_BLOCKS_MAX + i), pt_val_int(b->kind),
                                   pt_val_text(b->what)};
        pt_blob_stamp(b->blob, b->len, (unsigned)i, i + 1 == f->blocks);
        const int r =
            pt_store_run(s, PT_S_BLOCK, PT_T_BLOCK, v, 3, b->blob, b->len, "write a block", err);
        if (r < 0)
            return r;
    }
    const struct pt_seg seg = {f->first,  f->last,   f->count,  f->boot,
                               f->min_ms, f->max_ms, f->blocks, f->bytes};
    return pt_store_segment(s, &seg, err);
}
