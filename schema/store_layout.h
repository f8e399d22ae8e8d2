/* SPDX-License-Identifier: MIT
 * From sources to the blocks of a segment: the order in which sources stand, and the block each
 * goes to. What makes segments (of frames, of segments that are thinned) knows its sources, sorts
 * them here, and then tells one after the other what it did. Internal to schema/store*.c. */
#ifndef PT_SCHEMA_STORE_LAYOUT_H
#define PT_SCHEMA_STORE_LAYOUT_H

#include "schema/store_int.h"

/* Names are held in two parts, up to the last '/' and after it: processes have many files of few
 * names.
 */
struct pt_entry {
    uint32_t dir, file; /* offsets in names */
    uint32_t id;        /* the caller's, until sources of one name are made one */
    uint32_t base : 29; /* bytes of its first text, packed, where the caller holds it meanwhile */
    uint32_t kind : 3;  /* enum pt_block_kind */
};
#define PT_BASE_MAX ((1u << 29) - 1)
#define PT_RECENT   256u

struct pt_layout {
    struct pt_shapes *shapes;
    const struct pt_seal_ops *ops;
    int level;
    const struct pt_snap *snaps; /* of the segment; borrowed */
    uint32_t nsnaps;
    struct pt_buf names;
    uint32_t recent[PT_RECENT]; /* parts of names by their hash: offset + 1 */
    struct pt_entry *entries;
    uint32_t n;
    size_t cap;
    uint32_t max_id;
    uint32_t *by_id; /* after sorting: index + 1 of the entry; 0: none */
    uint32_t by_id_len;
    /* the open block */
    struct pt_block_writer *writer;
    bool open;
    enum pt_block_kind kind;
    struct pt_buf what, blob;
    char class[PT_CLASS_MAX];
};

int pt_layout_init(struct pt_layout *l, struct pt_shapes *shapes, const struct pt_seal_ops *ops,
                   int level, struct pt_err *err);
void pt_layout_release(struct pt_layout *l);
/* A source; names may come twice. < 0: no memory, or too many. */
int pt_layout_add(struct pt_layout *l, const char *name, uint32_t id, size_t base);
/* Sorts, and makes sources of one name (a pid used again) one, so that passes know a source by its
 * number and compare no names: they did so for most of a seal's time. < 0: no memory. */
int pt_layout_sort(struct pt_layout *l);
/* The snapshots, and the clock block. */
int pt_layout_clock(struct pt_layout *l, const struct pt_snap *snaps, uint32_t nsnaps,
                    struct pt_err *err);
/* Sources in ascending order; then its states, by pt_layout_state with the layout as ctx. */
int pt_layout_source(struct pt_layout *l, uint32_t index, struct pt_err *err);
int pt_layout_state(void *ctx, uint32_t tick, const struct pt_source_at *at, struct pt_err *err);
int pt_layout_end(struct pt_layout *l, struct pt_err *err);

#endif
