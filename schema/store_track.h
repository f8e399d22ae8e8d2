/* SPDX-License-Identifier: MIT
 * What one source did over a chain, held small: runs of readings that say the same, and readings as
 * the slots that differ from the one before. Internal to sealing. */
#ifndef PT_SCHEMA_STORE_TRACK_H
#define PT_SCHEMA_STORE_TRACK_H

#include "schema/store_int.h"

/* Zero is empty. There are thousands at once, most of them with a log of a few bytes. */
struct pt_track {
    uint8_t *log; /* see store_track.c */
    uint32_t len, cap;
    /* readings of other shapes than the one before, a reference each: the first, and the rest */
    struct pt_reading *first, **more;
    uint32_t nmore, more_cap;
    struct pt_reading *cur; /* the last told; a reference */
    uint32_t tick;          /* the next run's first */
    uint32_t run;           /* ticks of a run not in the log yet */
    size_t held;            /* bytes */
};

void pt_track_release(struct pt_track *t, struct pt_shapes *shapes);
/* Adds a state; ticks ascending. snaps: of the chain. */
int pt_track_add(struct pt_track *t, struct pt_shapes *shapes, uint32_t tick,
                 const struct pt_source_at *at, const struct pt_snap *snaps, struct pt_err *err);
/* Tells all states in order. at->name is not told; at->reading lives while fn runs. */
int pt_track_play(struct pt_track *t, struct pt_shapes *shapes, const struct pt_snap *snaps,
                  int (*fn)(void *ctx, uint32_t tick, const struct pt_source_at *at,
                            struct pt_err *err),
                  void *ctx, struct pt_err *err);

#endif
