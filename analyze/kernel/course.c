/* SPDX-License-Identifier: MIT
 * Tracks to courses: where a level began, ended, was least and most, and what it did while
 * something else went on. */
#include "analyze/kernel/kernel_int.h"

#include <math.h>

/* A cache that is shrunk may need a moment to give its pages back. */
#define AFTER_S 60.0
/* No machine has more: what a damaged file says beyond it is not known, and sums of a few million
 * cannot overflow. */
#define MOST 7.2e16

int64_t pt_kernel_whole(double v)
{
    return isfinite(v) && fabs(v) < MOST ? (int64_t)llround(v) : PT_UNKNOWN;
}

void pt_course_init(struct pt_course *c)
{
    *c = (struct pt_course){PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN};
}

int64_t pt_course_change(const struct pt_course *c)
{
    int64_t r;
    return c->first == PT_UNKNOWN || c->last == PT_UNKNOWN ||
                   __builtin_sub_overflow(c->last, c->first, &r)
               ? PT_UNKNOWN
               : r;
}

/* Cells are floats: what a course says of its ends must lie within its extremes. */
static void contain(struct pt_course *c)
{
    const int64_t ends[] = {c->first, c->last};
    for (unsigned i = 0; i < 2; i++) {
        if (ends[i] == PT_UNKNOWN)
            continue;
        if (c->least == PT_UNKNOWN || ends[i] < c->least)
            c->least = ends[i];
        if (c->most == PT_UNKNOWN || ends[i] > c->most)
            c->most = ends[i];
    }
}

void pt_course_of(const struct pt_curve *track, const struct pt_timeline *t, double scale,
                  double last, struct pt_course *ret)
{
    double least = NAN, most = NAN, when = NAN;
    pt_course_init(ret);
    ret->last = pt_kernel_whole(last * scale);
    if (track->holds) {
        ret->first = pt_kernel_whole(track->first_value * scale);
        least = most = track->first_value;
        when = track->start;
    } else {
        ret->first = ret->last;
    }
    for (uint32_t i = 0; i < track->n; i++) {
        const struct pt_cell *c = &track->cell[i];
        if (c->time <= 0)
            continue;
        least = fmin(least, (double)c->min);
        if ((double)c->max > most) {
            most = (double)c->max;
            when = fmin(pt_curve_at(track, i), track->last);
        }
    }
    ret->least = pt_kernel_whole(least * scale);
    ret->most = pt_kernel_whole(most * scale);
    ret->most_us = isnan(when) ? PT_UNKNOWN : pt_timeline_real(t, when);
    contain(ret);
}

double pt_course_at(const struct pt_curve *track, double at)
{
    if (!track->holds || at < track->start || at > track->last)
        return NAN;
    if (track->n == 0)
        return track->first_value;
    uint32_t i = (uint32_t)((at - track->start) / track->width);
    if (i >= track->n)
        i = track->n - 1;
    return track->cell[i].time > 0 ? (double)track->cell[i].mean : NAN;
}

double pt_course_time(const struct pt_curve *track, double *ret_known)
{
    double known = 0, on = 0;
    if (track->holds && track->n == 0) {
        known = track->last - track->start;
        on = known * track->first_value;
    }
    for (uint32_t i = 0; i < track->n; i++) {
        known += (double)track->cell[i].time;
        on += (double)track->cell[i].time * (double)track->cell[i].mean;
    }
    *ret_known = known;
    return on;
}

size_t pt_course_rises(const struct pt_curve *track, struct pt_spell *ret, size_t max)
{
    size_t n = 0;
    double before = track->first_value;
    for (uint32_t i = 0; i < track->n; i++) {
        const struct pt_cell *c = &track->cell[i];
        if (c->time <= 0)
            continue;
        const bool rose = (double)c->max > before || c->max > c->min;
        const double from = track->start + (double)i * track->width, to = from + track->width;
        before = (double)c->max;
        if (!rose)
            continue;
        if (n && (from - ret[n - 1].to < track->width / 2 || n == max))
            ret[n - 1].to = to;
        else
            ret[n++] = (struct pt_spell){from, to};
    }
    return n;
}

/* The deepest fall within a span of time. A cell does not tell which of its extremes came first:
 * only what fell from one cell to a later one counts. */
static double fall(const struct pt_curve *track, double from, double to)
{
    double peak = NAN, deepest = 0;
    for (uint32_t i = 0; i < track->n; i++) {
        const struct pt_cell *c = &track->cell[i];
        const double start = track->start + (double)i * track->width;
        if (c->time <= 0 || start + track->width <= from || start >= to)
            continue;
        if (peak - (double)c->min > deepest)
            deepest = peak - (double)c->min;
        peak = fmax(peak, (double)c->max);
    }
    return deepest;
}

double pt_course_lost(const struct pt_curve *track, const struct pt_spell *spells, size_t n)
{
    double lost = 0;
    for (size_t k = 0; k < n; k++) {
        const double after = spells[k].to + AFTER_S;
        const double until = k + 1 < n ? fmin(after, spells[k + 1].from) : after;
        lost += fall(track, spells[k].from - track->width, until);
    }
    return lost;
}
