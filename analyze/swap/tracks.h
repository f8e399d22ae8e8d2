/* SPDX-License-Identifier: MIT
 * What one file of each process said over a span, life by life, and what changed within windows of
 * time. Internal to analyze/swap. Units: bytes, seconds of the timeline; start time in clock ticks.
 */
#ifndef PT_ANALYZE_SWAP_TRACKS_H
#define PT_ANALYZE_SWAP_TRACKS_H

#include "analyze/series/curve.h"
#include "analyze/series/timeline.h"

struct pt_window {
    double from, to;
    uint32_t episode;
};
/* The first window that may hold an instant; latest: of each, the latest end of it and those
 * before. */
size_t pt_window_first(const double *latest, size_t n, double at);

/* In one window. Of stat: majflt; of status: the rest. */
struct pt_track_part {
    uint32_t episode;
    bool born;           /* its first value lies in the window */
    int64_t majflt;      /* what it rose by */
    int64_t refilled;    /* what VmSwap fell by */
    int64_t start, most; /* RssAnon + VmSwap: before the first change, and at most */
};

struct pt_track {
    int64_t pid;
    uint32_t boot, instance;
    double from, until;     /* as far as it is known to be there */
    double at, lost;        /* of the values at hand; when they ceased to be known, NAN */
    bool born, over;        /* it began within the recording; it ended */
    uint32_t before, after; /* the pid's tracks beside it, + 1; 0: none */
    uint32_t life;          /* of lives, + 1; 0: not known */
    int64_t v[3], now[3];   /* settled; of the instant at hand */
    uint32_t known, now_known;
    double since; /* v holds from then on */
    /* of stat */
    int64_t majflt;
    /* of status */
    int64_t first, last, most, in, out, least_anon, most_anon, first_anon;
    double most_at;
    struct pt_curve swap;
    struct pt_track_part *parts; /* by episode */
    uint32_t nparts, parts_cap;
};

struct pt_tracks;
typedef void pt_track_change(struct pt_tracks *t, struct pt_track *track);

struct pt_tracks {
    const struct pt_timeline *timeline;
    const struct pt_window *windows; /* by beginning */
    const double *latest;            /* of each, the latest end of it and those before */
    size_t nwindows;
    pt_track_change *change; /* from v to now, at `at` */
    uint32_t same;           /* fields that another value of means another life: bits */
    /* Of PID/stat, told before: where they say that the pid is another's, it is. NULL: none */
    const struct pt_tracks *lives;
    int64_t unit; /* what values are told in */
    struct pt_track *v;
    size_t n, cap;
    uint32_t *slots; /* newest track of each pid, + 1 */
    size_t nslots;
    struct pt_track *current;
    char source[64];
    bool unreadable; /* some process's file */
    bool nomem;
};

/* Of PID/stat the fields starttime, ppid, majflt; of PID/status RssAnon, VmSwap. */
enum { PT_TRACK_START = 0, PT_TRACK_PPID, PT_TRACK_MAJFLT };
enum { PT_TRACK_ANON = 0, PT_TRACK_SWAP };
pt_track_change pt_track_stat, pt_track_status;

int pt_track_point(void *tracks, const struct pt_point *p);
/* The life that a pid has at a time, or had last; NULL: none by then. */
const struct pt_track *pt_track_life(const struct pt_tracks *t, int64_t pid, double at);
/* After all points. */
void pt_tracks_end(struct pt_tracks *t);
void pt_tracks_release(struct pt_tracks *t);

#endif
