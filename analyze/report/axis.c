/* SPDX-License-Identifier: MIT
 * Real times back to the axis that they were told of. */
#include "analyze/report/axis.h"

#include <math.h>

#include "analyze/print/units.h"

static double since_first(const struct pt_axis *a, int64_t real_us)
{
    return (double)pt_units_minus(real_us, a->t->first_us) / 1e6;
}

void pt_axis_init(struct pt_axis *a, const struct pt_timeline *t)
{
    *a = (struct pt_axis){.t = t, .by_clock = !(t->end > 0), .from_us = t->first_us};
    a->end = a->by_clock ? fmax(since_first(a, t->last_us), 0) : t->end;
    const double ahead = t->nclocks ? t->clocks[t->nclocks - 1].ahead : 0;
    if (!a->by_clock && fabs(ahead) < 9e11 && fabs((double)t->first_us) < 8e18)
        a->from_us = t->first_us + (int64_t)(ahead * 1e6);
}

/* Where a time would be, had the clock stood as it did from clock k on. */
static double by_clock(const struct pt_axis *a, size_t k, double since)
{
    return since - a->t->clocks[k].ahead;
}

static double until(const struct pt_axis *a, size_t k)
{
    return k + 1 < a->t->nclocks ? a->t->clocks[k + 1].from : INFINITY;
}

double pt_axis_next(struct pt_axis *a, int64_t real_us)
{
    enum { SLACK = 1 }; /* the timeline lets a clock drift by half of it before it tells of it */
    const double since = since_first(a, real_us);
    double at = a->by_clock ? since : a->at;
    for (size_t k = a->clock; !a->by_clock && k < a->t->nclocks; k++) {
        const double here = by_clock(a, k, since);
        if (here >= a->at - SLACK && here < until(a, k)) {
            a->clock = k;
            at = here;
            break;
        }
    }
    a->at = fmax(a->at, at);
    return a->at;
}

double pt_axis_at(const struct pt_axis *a, int64_t real_us)
{
    const double since = since_first(a, real_us);
    double best = since, off = INFINITY;
    for (size_t k = 0; !a->by_clock && k < a->t->nclocks; k++) {
        const double here = by_clock(a, k, since);
        const double apart = fmax(fmax(a->t->clocks[k].from - here, here - until(a, k)), 0);
        if (apart < off) {
            off = apart;
            best = here;
        }
    }
    return fmax(best, 0);
}
