/* SPDX-License-Identifier: MIT
 * Rows that follow from what they tell of. */
#include "schema/store_rows.h"

int pt_store_sealed(struct pt_store *s, const struct pt_snap *snaps, size_t count,
                    struct pt_err *err)
{
    int r = 0;
    for (size_t i = 0; i < count && r >= 0; i++) {
        struct pt_val v[PT_SNAP_NCOLUMNS];
        pt_snap_to_row(&snaps[i], v);
        r = pt_store_run(s, PT_S_SEALED, PT_T_SEALED, v, PT_SNAP_NCOLUMNS, NULL, 0,
                         "write a sealed snapshot", err);
    }
    return r;
}

int pt_store_segment(struct pt_store *s, const struct pt_seg *seg, struct pt_err *err)
{
    const struct pt_val v[] = {
        pt_val_int(seg->first),  pt_val_int(seg->last),   pt_val_int(seg->count),
        pt_val_int(seg->boot),   pt_val_int(seg->min_ms), pt_val_int(seg->max_ms),
        pt_val_int(seg->blocks), pt_val_int(seg->bytes),
    };
    return pt_store_run(s, PT_S_SEGMENT, PT_T_SEGMENT, v, 8, NULL, 0, "write a segment", err);
}

int pt_row_of_frame(const void *blob, size_t len, struct pt_val v[PT_SNAP_NCOLUMNS + 1],
                    struct pt_err *err)
{
    struct pt_frame *f;
    const int r = pt_frame_open(blob, len, &f, err);
    if (r < 0)
        return r;
    pt_snap_to_row(pt_frame_snap(f), v);
    v[PT_SNAP_NCOLUMNS] = pt_val_int(pt_frame_is_key(f));
    pt_frame_free(f);
    return 0;
}

void pt_block_what(const struct pt_block *b, struct pt_buf *out)
{
    char class[PT_CLASS_MAX], before[PT_CLASS_MAX] = "";
    const uint32_t count = pt_block_kind(b) == PT_BLOCK_CLOCK ? 0 : pt_block_sources(b);
    const size_t start = out->len;
    for (uint32_t i = 0; i < count && out->len - start <= PT_WHAT_MAX; i++) {
        pt_source_class(pt_block_name(b, i), class, sizeof class);
        if (i > 0 && strcmp(class, before) == 0)
            continue;
        if (i > 0)
            pt_buf_u8(out, '\n');
        pt_buf_put(out, class, strlen(class));
        memcpy(before, class, sizeof before);
    }
    pt_buf_u8(out, 0);
    if (out->len - start > PT_WHAT_MAX + 1) {
        out->len = start;
        pt_buf_put(out, "**", 3);
    }
}

int pt_row_of_block(const void *blob, size_t len, int64_t first, struct pt_shapes *shapes,
                    int *ret_kind, struct pt_buf *ret_what, struct pt_err *err)
{
    struct pt_block *b;
    int r = pt_block_open(blob, len, shapes, &b, err);
    if (r < 0)
        return r;
    if (pt_block_first(b) != first)
        r = pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "it is a block of another place");
    *ret_kind = (int)pt_block_kind(b);
    pt_block_what(b, ret_what);
    if (r >= 0 && ret_what->failed)
        r = pt_err_nomem(err);
    pt_block_free(b);
    return r;
}
