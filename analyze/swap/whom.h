/* SPDX-License-Identifier: MIT
 * Processes on their way from tracks to blame. Internal to analyze/swap. Units: as tracks.h. */
#ifndef PT_ANALYZE_SWAP_WHOM_H
#define PT_ANALYZE_SWAP_WHOM_H

#include "analyze/swap/swap_int.h"
#include "analyze/swap/tracks.h"

/* A process by its stat, and the track of its status. */
struct pt_swap_who {
    const struct pt_track *stat, *status;
    struct pt_life *life; /* NULL: nothing is to be told of it */
    bool told;            /* it is blamed, or had memory in swap */
    uint32_t process;     /* in the list of those told of */
};
struct pt_swap_whom {
    struct pt_swap_who *v; /* by pid, then in time */
    size_t n;
};
/* The one that a time falls into; NULL: none. */
struct pt_swap_who *pt_swap_who_at(const struct pt_swap_whom *w, int64_t pid, uint32_t boot,
                                   double at, double slack);

/* ---- squeeze.c: control groups that were at their limit ---- */

struct pt_squeeze {
    char *path; /* as PID/cgroup has it: "/a/b" */
    uint32_t episode;
    int64_t hits;
};
struct pt_squeezes {
    const struct pt_timeline *timeline;
    const struct pt_window *windows; /* those of growth */
    const double *latest;            /* as of struct pt_tracks */
    size_t nwindows;
    struct pt_squeeze *v; /* in the end by episode */
    size_t n, cap, begun; /* begun: those of the source at work */
    char source[4096];    /* at work */
    int64_t was[2];
    uint32_t known;
    bool nomem;
};
/* Points of memory.failcnt (value) and of memory.events.local (max, high). */
int pt_squeeze_point(void *squeezes, const struct pt_point *p);
/* After all points. */
void pt_squeezes_end(struct pt_squeezes *s);
/* Is a path at or below a group that was at its limit in an episode? */
bool pt_squeeze_holds(const struct pt_squeezes *s, uint32_t episode, const char *path);
void pt_squeezes_release(struct pt_squeezes *s);

/* ---- blame.c ---- */

struct pt_windows {
    struct pt_window *v; /* by beginning */
    double *latest;      /* of each, the latest end of it and those before */
    size_t n;
};
/* Of the episodes that are looked into; growth: with what stands before them. */
int pt_swap_windows(const struct pt_swap_episodes *e, bool growth, struct pt_windows *ret,
                    struct pt_err *err);
void pt_windows_release(struct pt_windows *w);
/* Fills w->blame; positions are those of whom, which are marked as told. */
int pt_swap_blame(struct pt_swap *w, struct pt_swap_whom *whom, const struct pt_squeezes *squeezes,
                  struct pt_err *err);

#endif
