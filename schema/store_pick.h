/* SPDX-License-Identifier: MIT
 * Which snapshots stay when a stretch of a recording is thinned. Pure. Internal to retention. */
#ifndef PT_SCHEMA_STORE_PICK_H
#define PT_SCHEMA_STORE_PICK_H

#include "schema/frame.h"

/* How far a stretch is thinned; stored in the table `thinned`. */
enum pt_thin_level {
    PT_THIN_ALL = 0,    /* nothing was taken out */
    PT_THIN_MINUTE = 1, /* one in six intervals (10 s: a minute), and what stands out in its hour */
    PT_THIN_TEN = 2,    /* one in sixty (ten minutes), and the same */
    PT_THIN_MARKED = 3, /* what was not taken by the timer, and what events point to */
    PT_THIN_NONE = 4,
};

struct pt_pick {
    enum pt_thin_level level;
    int64_t interval_us;
    const int64_t *marks; /* snapshots that events point to, ascending */
    size_t nmarks;
};

/* snaps: n of one boot, ascending. Sets keep[i], and returns how many are kept. What is kept of a
 * stretch that was thinned before has in it what would be kept of the whole. */
uint32_t pt_pick_kept(const struct pt_snap *snaps, uint32_t n, const struct pt_pick *how,
                      bool *keep);

#endif
