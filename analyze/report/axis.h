/* SPDX-License-Identifier: MIT
 * The axis of a report's charts: the timeline's, which no set clock moves, told by the clock as it
 * was at the end. Where a recording has no other clock than the real one (snapshots at stated
 * times), by that one, never backwards. Pure. Units: seconds from the first snapshot on; real time
 * in microseconds. */
#ifndef PT_ANALYZE_REPORT_AXIS_H
#define PT_ANALYZE_REPORT_AXIS_H

#include "analyze/series/timeline.h"

struct pt_axis {
    const struct pt_timeline *t;
    bool by_clock;
    int64_t from_us; /* of its beginning, by the clock of the end */
    double end;
    /* at work: of the snapshot before */
    size_t clock;
    double at;
};
void pt_axis_init(struct pt_axis *a, const struct pt_timeline *t);
/* Of the next snapshot, in the order they were taken: never less than the one before. */
double pt_axis_next(struct pt_axis *a, int64_t real_us);
/* Of a time at any place: where it came twice, the first. Not before the beginning. */
double pt_axis_at(const struct pt_axis *a, int64_t real_us);

#endif
