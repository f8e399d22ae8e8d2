/* SPDX-License-Identifier: MIT
 * What a recording is as a whole: span, gaps, coverage, what it cost. Units: microseconds, bytes.
 */
#ifndef PT_ANALYZE_INFO_H
#define PT_ANALYZE_INFO_H

#include "analyze/session.h"

#define PT_INFO_GAPS 16 /* kept: the longest */

struct pt_gap {
    int64_t from, to; /* snapshots around it */
    int64_t from_us, us;
};
struct pt_info {
    /* over all snapshots */
    int64_t count;
    struct pt_gap gaps[PT_INFO_GAPS]; /* more than 5 intervals within a boot, longest first */
    size_t ngaps, gaps_in_all;
    int64_t covered_us;   /* time between snapshots of one boot, gaps left out */
    int64_t cost_us;      /* CPU of the recorder over snapshots where it is known */
    int64_t cost_span_us; /* the time it was used in */
    int64_t rss_max;      /* PT_UNKNOWN: not told */
    uint64_t triggers[16];
    /* at the last snapshot */
    int64_t processes, kernel, with_smaps, unreadable, lost;
    int64_t oldest_smaps_us; /* age */
};
int pt_info_make(const struct pt_session *s, struct pt_info *ret, struct pt_err *err);
/* One snapshot after the other; pure. */
struct pt_info_walk {
    struct pt_info *info;
    int64_t interval_us;
    struct pt_snap last;
    bool any;
};
int pt_info_add(void *walk, const struct pt_snap *snap);

#endif
