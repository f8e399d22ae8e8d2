/* SPDX-License-Identifier: MIT
 * The axis of time of a span: seconds that no set clock moves, boot after boot, and where nothing
 * was recorded. Units: seconds since the span's first snapshot. */
#ifndef PT_ANALYZE_SERIES_TIMELINE_H
#define PT_ANALYZE_SERIES_TIMELINE_H

#include "schema/store.h"

struct pt_boot_time {
    uint32_t boot;
    double base;     /* axis time of the boot's CLOCK_BOOTTIME 0 */
    double from, to; /* of its snapshots */
};
struct pt_hole {
    double from, to;
    bool reboot; /* between two boots: the machine may have been off */
};
/* From an axis time on real time is so far ahead of the axis. */
struct pt_clock {
    double from, ahead;
};
struct pt_timeline {
    int64_t first, last; /* snapshots */
    int64_t count;
    int64_t first_us, last_us; /* real time of these */
    int32_t utc_offset_s;      /* of the last */
    double end;                /* axis time of the last snapshot */
    double interval;           /* the median one */
    struct pt_boot_time *boots;
    size_t nboots;
    struct pt_hole *holes; /* gaps of more than five intervals, and the time between boots */
    size_t nholes;
    struct pt_clock *clocks; /* as often as it was set, or had drifted */
    size_t nclocks;
    uint32_t clock_steps; /* times real time jumped against the axis */
};
/* Of snapshots [from, to]. */
int pt_timeline_load(struct pt_db *db, int64_t from, int64_t to, struct pt_timeline *ret,
                     struct pt_err *err);
void pt_timeline_release(struct pt_timeline *t);
/* NAN: the boot is not in the span. */
double pt_timeline_at(const struct pt_timeline *t, uint32_t boot, int64_t boot_us);
/* Real time, microseconds, of an axis time, by the clock as it was then; PT_UNKNOWN: there is no
 * such time. */
int64_t pt_timeline_real(const struct pt_timeline *t, double at);
/* The first hole that ends after `at`; nholes: none does. */
size_t pt_timeline_hole_after(const struct pt_timeline *t, double at);
/* How long the gaps are together, or the times between boots, and how many. */
double pt_timeline_unrecorded(const struct pt_timeline *t, bool reboots, size_t *ret_n);
/* How much of [from, to] was recorded. */
double pt_timeline_known(const struct pt_timeline *t, double from, double to);

#endif
