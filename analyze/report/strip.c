/* SPDX-License-Identifier: MIT
 * Buckets of a chart's line. */
#include "analyze/report/strip.h"

#include <math.h>
#include <stdlib.h>

bool pt_strip_init(struct pt_strip *s, double from, double to, size_t n)
{
    const double width = (to - from) / (double)n;
    *s = (struct pt_strip){
        .from = from, .width = width > 0 ? width : 1, .n = n, .v = calloc(n, sizeof(*s->v))};
    return s->v != NULL;
}

void pt_strip_release(struct pt_strip *s)
{
    free(s->v);
    *s = (struct pt_strip){0};
}

static void put(struct pt_bucket *b, double time, double value)
{
    b->low = b->time > 0 && b->low < value ? b->low : value;
    b->high = b->time > 0 && b->high > value ? b->high : value;
    b->time += time;
    b->sum += value * time;
}

void pt_strip_hold(struct pt_strip *s, double from, double to, double value)
{
    const double end = s->from + s->width * (double)s->n;
    if (!isfinite(value) || !(to > from) || !(to > s->from) || !(from < end))
        return;
    from = from > s->from ? from : s->from;
    to = to < end ? to : end;
    for (size_t i = (size_t)((from - s->from) / s->width); i < s->n && from < to; i++) {
        const double edge = s->from + s->width * (double)(i + 1), stop = edge < to ? edge : to;
        if (stop > from)
            put(&s->v[i], stop - from, value);
        from = stop > from ? stop : from;
    }
}

double pt_strip_mean(const struct pt_strip *s, size_t bucket)
{
    const struct pt_bucket *b = &s->v[bucket];
    return b->time > 0 ? b->sum / b->time : (double)NAN;
}
