/* SPDX-License-Identifier: MIT
 * Instants as people write them:
 *   first, last, now                      of the recording
 *   @123                                  snapshot 123
 *   -30m, -1h30m, 2h ago, 3 days ago      before the end of the recording
 *   14:05, 14:05:30, 1405                 the last such time of day at or before its end
 *   today, yesterday [14:05]              by its last day; without a time: midnight
 *   2026-11-23 [14:05[:30]], 20261123     in the zone of the recorded host
 *   2026-11-23T14:05:30Z, ...+01:00       where the zone is told
 *   202611231405[30]                      as atop writes it
 *   1795443900[.5]                        seconds since the epoch
 * Pure. Units: microseconds since the epoch; offsets in seconds east of UTC. */
#ifndef PT_SCHEMA_TIMESPEC_H
#define PT_SCHEMA_TIMESPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/err.h"

struct pt_timespec_base {
    int64_t first_us, last_us;
    int32_t utc_offset_s; /* of the recorded host at last_us, 0 with --utc */
    bool bare;            /* "2d" means 2d ago */
};
enum pt_instant_kind {
    PT_INSTANT_TIME = 0,
    PT_INSTANT_SNAPSHOT,
    PT_INSTANT_FIRST,
    PT_INSTANT_LAST
};
struct pt_instant {
    enum pt_instant_kind kind;
    int64_t value; /* microseconds, or the snapshot's number */
    bool local;    /* a time of day in the host's zone: right only if its offset was base's then */
};
/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t pt_days_from_civil(int64_t year, unsigned month, unsigned day);
/* PT_EUSAGE: not a time. */
int pt_timespec_parse(const char *text, const struct pt_timespec_base *base, struct pt_instant *ret,
                      struct pt_err *err);

#endif
