/* SPDX-License-Identifier: MIT
 * Series in cells. */
#include "analyze/series/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP 32u /* cells that are added at once */

void pt_curve_init(struct pt_curve *t, double width)
{
    *t = (struct pt_curve){.width = width > 0 ? width : 1};
}

void pt_curve_release(struct pt_curve *t)
{
    free(t->cell);
    t->cell = NULL;
    t->n = t->cap = 0;
}

static bool grow(struct pt_curve *t, uint32_t n)
{
    if (n > t->cap) {
        /* not twice as many: there are thousands of curves, and most end halfway */
        const uint32_t cap = (n + STEP - 1) / STEP * STEP;
        struct pt_cell *cell = realloc(t->cell, cap * sizeof(*cell));
        if (!cell)
            return false;
        memset(cell + t->cap, 0, (cap - t->cap) * sizeof(*cell));
        t->cell = cell;
        t->cap = cap;
    }
    if (n > t->n)
        t->n = n;
    return true;
}

static void put(struct pt_cell *c, double time, double value)
{
    const float v = (float)value;
    if (c->time <= 0) {
        *c = (struct pt_cell){.time = (float)time, .mean = v, .min = v, .max = v};
        return;
    }
    const double all = (double)c->time + time;
    c->mean = (float)((double)c->mean + (value - (double)c->mean) * time / all);
    c->time = (float)all;
    c->min = v < c->min ? v : c->min;
    c->max = v > c->max ? v : c->max;
}

static struct pt_cell joined(struct pt_cell a, struct pt_cell b)
{
    if (a.time <= 0 || b.time <= 0)
        return a.time > 0 ? a : b;
    const float time = a.time + b.time;
    return (struct pt_cell){.time = time,
                            .mean = a.mean + (b.mean - a.mean) * (b.time / time),
                            .min = a.min < b.min ? a.min : b.min,
                            .max = a.max > b.max ? a.max : b.max};
}

static void widen(struct pt_curve *t)
{
    const uint32_t n = (t->n + 1) / 2;
    t->width *= 2;
    if (n == 0) /* no cells yet */
        return;
    for (uint32_t i = 0; i < n; i++)
        t->cell[i] =
            joined(t->cell[2 * i], 2 * i + 1 < t->n ? t->cell[2 * i + 1] : (struct pt_cell){0});
    memset(t->cell + n, 0, (t->n - n) * sizeof(*t->cell));
    t->n = n;
}

/* Adds the value to each cell it held in. */
static void spread(struct pt_curve *t, double from, double to, double value,
                   void (*into)(struct pt_cell *c, double time, double value))
{
    const double first = (from - t->start) / t->width;
    if (!(first < t->n))
        return;
    uint32_t i = (uint32_t)first;
    for (double at = from; at < to && i < t->n; i++) {
        const double end = t->start + (i + 1.0) * t->width;
        const double stop = end < to ? end : to;
        if (stop > at)
            into(&t->cell[i], stop - at, value);
        at = stop > at ? stop : at;
    }
}

static bool fill(struct pt_curve *t, double from, double to, double value)
{
    while ((to - t->start) / t->width > PT_CURVE_CELLS)
        widen(t);
    if (!grow(t, (uint32_t)ceil((to - t->start) / t->width)))
        return false;
    spread(t, from, to, value, put);
    return true;
}

bool pt_curve_hold(struct pt_curve *t, double from, double to, double value)
{
    if (t->holds == 0) {
        t->start = t->last = from;
        t->first_value = value;
    }
    if (!(to > from) || from < t->last)
        return true;
    if (t->n == 0) {
        const bool same = t->ends_only || (value == t->first_value && !(from > t->last));
        if (!same && t->holds > 0 && !fill(t, t->start, t->last, t->first_value))
            return false;
        if (same) {
            t->last = to;
            t->last_value = value;
            t->holds++;
            return true;
        }
    }
    if (!fill(t, from, to, value))
        return false;
    t->last = to;
    t->last_value = value;
    t->holds++;
    return true;
}

bool pt_curve_sum_init(struct pt_curve *t, double start, double end)
{
    pt_curve_init(t, (end - start) / PT_CURVE_CELLS);
    t->start = start;
    t->last = end;
    return grow(t, PT_CURVE_CELLS);
}

/* time: of the cell, known by the caller's others; mean becomes the sum over time. */
static void sum(struct pt_cell *c, double time, double value)
{
    c->mean += (float)(value * time);
}

void pt_curve_add(struct pt_curve *t, double from, double to, double value)
{
    if (from < t->start)
        from = t->start;
    spread(t, from, to, value, sum);
    t->holds++;
}
