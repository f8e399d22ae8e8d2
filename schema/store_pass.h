/* SPDX-License-Identifier: MIT
 * One pass over the input of a new segment, for as many sources as there is room to hold. Blocks
 * want one source over all snapshots, then the next; whoever makes a segment gets its input in
 * another order, so he walks it several times, and each time tells the states of sources lo..hi-1.
 * The first of them goes straight into its block and is not held at all. Internal to
 * schema/store*.c. */
#ifndef PT_SCHEMA_STORE_PASS_H
#define PT_SCHEMA_STORE_PASS_H

#include "schema/store_layout.h"
#include "schema/store_track.h"

/* A source in one pass. */
struct pt_pass_source {
    struct pt_track held; /* of all but the first */
    /* told last */
    int64_t read_us;
    int why;
    uint8_t presence;
    bool any;
};

struct pt_pass {
    struct pt_layout *layout;
    uint32_t lo, hi; /* indexes of the layout; hi comes down when there is no room */
    uint32_t begun;  /* hi at the beginning, minus lo */
    struct pt_pass_source *sources;
    size_t held, room; /* bytes; held: of what sources did */
};

/* Passes until every source of the layout is done. walk tells what sources lo..hi-1 did, each its
 * ticks ascending, through pt_pass_note; sources it does not know are told as absent. */
int pt_pass_all(struct pt_layout *layout,
                int (*walk)(void *ctx, struct pt_pass *pass, struct pt_err *err), void *ctx,
                struct pt_err *err);
/* The state of source `index` at a tick; kept unless the text is simply carried. */
int pt_pass_note(struct pt_pass *p, uint32_t index, uint32_t tick, const struct pt_source_at *at,
                 struct pt_err *err);
/* Makes room by leaving the last sources to the next pass: hi may be less after it. */
void pt_pass_make_room(struct pt_pass *p);

#endif
