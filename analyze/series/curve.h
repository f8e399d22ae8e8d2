/* SPDX-License-Identifier: MIT
 * A series as a bounded number of cells: however long it is, each cell says how long a value was
 * known in it, its mean over that time, and its extremes. A series begins with cells as wide as the
 * interval of recording; when they are all used, neighbours are joined. So memory depends on the
 * number of series, not on time, and a process of an hour within a month has cells of its own.
 * Values hold from one change to the next and weigh by time: bursts and changes of the interval do
 * not count for more. Pure. Units: seconds; values as the caller likes. */
#ifndef PT_ANALYZE_SERIES_CURVE_H
#define PT_ANALYZE_SERIES_CURVE_H

#include <stdbool.h>
#include <stdint.h>

/* 512 cells leave some ten for each of the 48 bins of a trend: enough for a tenth percentile. */
#define PT_CURVE_CELLS 512

/* Floats: 24 bits of a value, 256 bytes in 4 GiB. */
struct pt_cell {
    float time; /* 0: nothing is known */
    float mean, min, max;
};

struct pt_curve {
    double start, width; /* of cell 0; of every cell */
    struct pt_cell *cell;
    uint32_t n, cap;
    double last; /* end of what is known */
    double first_value, last_value;
    uint32_t holds; /* how many values were told */
    bool ends_only; /* no cells: of this one only its ends are asked for */
};

/* Most series never change: one that has had a single value so far, without a hole, has no cells
 * (n is 0), only start, last and first_value. */
/* width: of the first cells. */
void pt_curve_init(struct pt_curve *t, double width);
void pt_curve_release(struct pt_curve *t);
/* value held from one time to another, at or after all that was told before. false: no memory. */
bool pt_curve_hold(struct pt_curve *t, double from, double to, double value);
/* Cells of a sum: value is added to what was told of the same time, by time. Only mean and time
 * are kept; start and width must have been set, times within. */
bool pt_curve_sum_init(struct pt_curve *t, double start, double end);
void pt_curve_add(struct pt_curve *t, double from, double to, double value);

static inline double pt_curve_at(const struct pt_curve *t, uint32_t i)
{
    return t->start + ((double)i + 0.5) * t->width;
}

#endif
