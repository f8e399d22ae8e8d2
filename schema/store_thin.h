/* SPDX-License-Identifier: MIT
 * Segments in, one segment of some of their snapshots out. Internal to retention. */
#ifndef PT_SCHEMA_STORE_THIN_H
#define PT_SCHEMA_STORE_THIN_H

#include "schema/store_fresh.h"
#include "schema/store_pick.h"

/* A row of `segment`, and what was thinned of it. */
struct pt_stretch {
    int64_t first, last, count, boot, min_ms, max_ms, blocks, bytes;
    int64_t from, to; /* the numbers that it was made of: first and last, unless it was thinned */
    enum pt_thin_level level;
};

/* The snapshots of neighbours of one boot, and which of them are kept. */
struct pt_thinning {
    struct pt_fresh fresh;
    const struct pt_stretch *old;
    uint32_t nold;
    struct pt_snap *snaps; /* of all */
    uint32_t *begin;       /* of each: where its snapshots begin; nold + 1 */
    bool *keep;
    uint32_t nsnaps, kept;
};
/* Reads the clocks and chooses. Damage (PT_EDAMAGED): they are better left alone. */
int pt_thin_choose(struct pt_store *s, const struct pt_stretch *old, uint32_t nold,
                   const struct pt_pick *how, struct pt_thinning *t, struct pt_err *err);
/* Makes the blocks of what is kept, in t->fresh. Memory: one decoded block, one in the making. */
int pt_thin_make(struct pt_store *s, struct pt_thinning *t, struct pt_err *err);
void pt_thin_release(struct pt_thinning *t);

#endif
