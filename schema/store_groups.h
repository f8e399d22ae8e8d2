/* SPDX-License-Identifier: MIT
 * The blocks that a salvage has found, by segment. Internal to schema.
 *
 * Blocks of one segment are those with the same snapshots: a segment that was made anew of fewer
 * ones leaves its old blocks behind in free pages, and those must not be mixed. Of segments that
 * overlap the one that is not deleted counts; a deleted one counts where it is whole and nothing
 * else is there, or where it is the newest. */
#ifndef PT_SCHEMA_STORE_GROUPS_H
#define PT_SCHEMA_STORE_GROUPS_H

#include "schema/store_catalog.h"

struct pt_group {
    int64_t first, hash, last, ticks; /* its snapshots */
    int64_t found, clocks, expected;  /* blocks */
    bool live, dropped;               /* dropped: by retention */
};

struct pt_groups {
    struct pt_group *v; /* free() */
    size_t count, cap, taken;
};

int pt_groups_read(struct pt_groups *s, struct pt_catalog *c, struct pt_err *err);
/* Chooses: v[0..taken-1], in order, do not overlap. */
void pt_groups_choose(struct pt_groups *s);
/* Does a chosen one overlap these? */
bool pt_groups_hold(const struct pt_groups *s, int64_t first, int64_t last);

#endif
