/* SPDX-License-Identifier: MIT
 * What a recording is as a whole: span, gaps, coverage, what it cost. Units: microseconds, bytes.
 */
#ifndef PT_ANALYZE_INFO_INFO_H
#define PT_ANALYZE_INFO_INFO_H

#include <jansson.h>

#include "analyze/info/own.h"
#include "analyze/session.h"

#define PT_INFO_GAPS   16 /* kept: the longest */
#define PT_INFO_KINDS  32 /* of events */
#define PT_INFO_UNREAD 64 /* kinds of files */

struct pt_gap {
    int64_t from, to; /* snapshots around it */
    int64_t from_us, us;
};
/* Files of one kind that could not be read for one reason. */
struct pt_unread {
    char files[128]; /* "proc:*\/smaps" */
    int why;         /* errno */
    int64_t count;
};
struct pt_info {
    /* over all snapshots */
    int64_t count;
    struct pt_gap gaps[PT_INFO_GAPS]; /* more than 5 intervals within a boot, longest first */
    size_t ngaps, gaps_in_all;
    int64_t thin_n, thin_us; /* the last snapshot before which others are missing; 0: none */
    int64_t covered_us;      /* time between snapshots of one boot, gaps left out */
    int64_t cost_us;         /* CPU of the recorder over snapshots where it is known */
    int64_t cost_span_us;    /* the time it was used in */
    double cost_max;         /* percent of a CPU, the most in a minute; < 0: none is known whole */
    int64_t rss_max;         /* PT_UNKNOWN: not told */
    int64_t events[PT_INFO_KINDS]; /* by kind */
    struct pt_own own;
    /* at the last snapshot; PT_UNKNOWN where that is damaged */
    int64_t processes, kernel, with_smaps, unreadable, lost;
    int64_t oldest_smaps_us;                 /* age */
    struct pt_unread unread[PT_INFO_UNREAD]; /* the most first */
    size_t nunread;
};
int pt_info_make(const struct pt_session *s, struct pt_info *ret, struct pt_err *err);
/* One snapshot after the other; pure. */
struct pt_info_walk {
    struct pt_info *info;
    int64_t interval_us;
    struct pt_snap last;
    bool any;
    int64_t minute_cost_us, minute_us; /* of the minute at hand */
};
int pt_info_add(void *walk, const struct pt_snap *snap);

/* "Permission denied", ... */
const char *pt_info_why(int why);
double pt_info_cpu(const struct pt_info *info); /* percent of a CPU; < 0: not known */
int64_t pt_info_bytes_per_snapshot(const struct pt_session *s);
/* PT_UNKNOWN where the key frame, dear and seldom, decides it still. */
int64_t pt_info_bytes_per_day(const struct pt_session *s);
/* What the recorder passed to write(), the log included. */
int64_t pt_info_written_per_day(const struct pt_info *info);

void pt_info_text(const struct pt_session *s, const struct pt_info *info);
/* info.schema.json; NULL: no memory. */
json_t *pt_info_json(const struct pt_session *s, const struct pt_info *info);

#endif
