/* SPDX-License-Identifier: MIT
 * Statistics of one series: its lower envelope in bins, a robust slope with an interval that holds
 * under autocorrelation, its drops, its seasons. Pure. Units: seconds; values in bytes; slopes in
 * bytes a second.
 *
 * Sources: Theil 1950 and Sen 1968 for slope and interval, Hamed and Rao 1998 for the variance of
 * Kendall's S under autocorrelation. */
#ifndef PT_ANALYZE_LEAKS_TREND_H
#define PT_ANALYZE_LEAKS_TREND_H

#include "analyze/series/curve.h"

/* More bins see no more of a trend and are more alike from one to the next; with fewer than 12 a
 * model of four levels fits anything. */
#define PT_BINS     48
#define PT_BINS_MIN 12

/* The lower envelope. Bins in which nothing is known are left out. */
struct pt_env {
    int n;
    double t[PT_BINS]; /* centre */
    double v[PT_BINS]; /* the 10th percentile of what was held in the bin */
    double width;
    double from, to; /* of what is covered */
};

/* Of [from, to] of a track, in so many bins. */
void pt_env_of(const struct pt_curve *t, double from, double to, int bins, struct pt_env *ret);
/* The part of an envelope from one index on. */
void pt_env_part(const struct pt_env *e, int first, int n, struct pt_env *ret);

struct pt_slope {
    double b;         /* bytes a second */
    double low, high; /* 95% */
    double at0;       /* value of the line at time 0 */
    double z;         /* of Kendall's S, its variance corrected */
    double mad;       /* median of |residual| */
    double factor;    /* of the variance, by autocorrelation; >= 1 */
};
/* n >= 3; else all is 0. */
void pt_slope_of(const struct pt_env *e, struct pt_slope *ret);
/* Half of a 95% interval of a slope b whose speed wanders: the interval of struct pt_slope holds
 * for what comes and goes about a line, not for steps that add up. 0: they do not, or n is too
 * small to tell. */
double pt_wander_of(const struct pt_env *e, double b);

/* Falls of a track: from a high to the low after it. */
struct pt_drops {
    int count;      /* falls of at least the least that counts */
    double largest; /* bytes */
    double typical; /* median range within a cell: saws finer than cells */
    double last_at; /* time of the last one's low */
};
void pt_drops_of(const struct pt_curve *t, double least, struct pt_drops *ret);

/* With three days or more: takes the median of each hour of the day out of the track's cells, after
 * its trend. offset_s: of local time from the track's. Returns how much of the variance about the
 * trend it was, < 0: not enough days, nothing was done. */
double pt_season_remove(struct pt_curve *t, double offset_s);

/* Median of v; sorts it. n > 0. */
double pt_median(double *v, int n);

#endif
