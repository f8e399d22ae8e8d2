/* SPDX-License-Identifier: MIT
 * Rows that follow from what they tell of: of snapshots, segments, frames and blocks. Internal to
 * schema/store*.c. */
#ifndef PT_SCHEMA_STORE_ROWS_H
#define PT_SCHEMA_STORE_ROWS_H

#include "schema/store_db.h"
#include "schema/store_write.h"

/* Rows of `sealed`. */
int pt_store_sealed(struct pt_store *s, const struct pt_snap *snaps, size_t count,
                    struct pt_err *err);
int pt_store_segment(struct pt_store *s, const struct pt_seg *seg, struct pt_err *err);

/* A frame's own words for its row: n to key. */
int pt_row_of_frame(const void *blob, size_t len, struct pt_val v[PT_SNAP_NCOLUMNS + 1],
                    struct pt_err *err);
/* What a block of the segment that begins at snapshot `first` says of its kind and classes (a
 * string, appended). */
int pt_row_of_block(const void *blob, size_t len, int64_t first, struct pt_shapes *shapes,
                    int *ret_kind, struct pt_buf *ret_what, struct pt_err *err);
void pt_block_what(const struct pt_block *b, struct pt_buf *out);

#endif
