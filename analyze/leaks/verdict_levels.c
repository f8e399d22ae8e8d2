/* SPDX-License-Identifier: MIT
 * Memory that rises by a part of itself: a heap that its collector enlarges, a table that doubles.
 * It stands ever longer between rises, so in time it looks like a few steps and an end, however
 * evenly the program takes from it. On the logarithm of its age the rises are even. Units: seconds
 * since it is known; bytes. The constants are those of tests/labelled, where each was chosen. */
#include "analyze/leaks/verdict_int.h"

#include <math.h>

/* Ages looked at, up to the last: levels before that are starts, and its cells are too wide. */
#define AGES 16.0
/* A level lasts so long, in logarithm of age; what rises steadily is within one for half of it. */
#define HELD 0.1
/* What a level moves by at the most: of its height above the start, of the whole growth. */
#define ROOM       0.05
#define ROOM_LEAST 0.01
#define ROOM_NOISE 4.0 /* of what it is off its floor: the floor of noise has stairs of its own */
#define APART      2.0 /* rooms from one level to the next */
/* Four levels are too few to tell from a few steps: contest.c. Of five waits one more is twice as
 * long as the longest by chance one time in 21, where waits are exponential; with those of a heap,
 * which are alike, less often. */
#define LEVELS 6
#define WAITS  2.0
/* How far a level begins from the line that all begin on, the newest among them, however short it
 * stands. The labelled heaps are within 4%; of levels that rise as the root or the logarithm of age
 * one is 10% off and more, tests/unit/analyze_levels.c. */
#define LINE 0.06
#define WIDE 4.0 /* between the ages of the first level and the last */

struct points {
    int n;
    double age[PT_CURVE_CELLS], v[PT_CURVE_CELLS];
};

/* The floor under what follows, by age. Returns what the series is off it. */
static double floor_of(const struct pt_case *c, struct points *ret)
{
    const struct pt_curve *t = c->track;
    double off[PT_CURVE_CELLS];
    ret->n = 0;
    for (uint32_t i = 0; i < t->n && ret->n < PT_CURVE_CELLS; i++) {
        const double age = t->start + i * t->width - c->from;
        if (t->cell[i].time <= 0 || age < 0 || age >= c->to - c->from)
            continue;
        ret->age[ret->n] = fmax(age, t->width); /* no age is known finer */
        off[ret->n] = t->cell[i].mean;
        ret->v[ret->n++] = t->cell[i].min;
    }
    for (int i = ret->n - 2; i >= 0; i--)
        ret->v[i] = fmin(ret->v[i], ret->v[i + 1]);
    for (int i = 0; i < ret->n; i++)
        off[i] -= ret->v[i];
    return ret->n ? pt_median(off, ret->n) : 0;
}

/* The most that a point is off, of its height, from the line that fits all so best. */
static double off_line(const struct points *p)
{
    /* v / age = b + a / age: errors count by the age they are at */
    double mx = 0, my = 0, sxx = 0, sxy = 0, most = 0;
    for (int i = 0; i < p->n; i++) {
        mx += 1 / p->age[i] / p->n;
        my += p->v[i] / p->age[i] / p->n;
    }
    for (int i = 0; i < p->n; i++) {
        sxx += (1 / p->age[i] - mx) * (1 / p->age[i] - mx);
        sxy += (1 / p->age[i] - mx) * (p->v[i] / p->age[i] - my);
    }
    const double a = sxx > 0 ? sxy / sxx : 0, b = my - a * mx;
    for (int i = 0; i < p->n; i++)
        most = fmax(most, fabs(p->v[i] - a - b * p->age[i]) / (b * p->age[i]));
    return b > 0 ? most : INFINITY;
}

void pt_levels_of(const struct pt_case *c, struct pt_levels *ret)
{
    struct points floor, begin = {0};
    double was = -INFINITY;
    *ret = (struct pt_levels){.off = INFINITY};
    const double noise = fmax(c->noise, ROOM_NOISE * floor_of(c, &floor)), end = c->to - c->from;
    const int n = floor.n;
    if (n < 2)
        return;
    const double base = floor.v[0], growth = floor.v[n - 1] - base;
    for (int i = 0, k; i < n; i = k) {
        const double v = floor.v[i];
        const double room = fmax(fmax(ROOM * (v - base), ROOM_LEAST * growth), noise);
        for (k = i + 1; k < n && floor.v[k] <= v + room;)
            k++;
        const double until = k < n ? floor.age[k] : end, held = log(until / floor.age[i]);
        if (held < HELD)
            continue;
        if (until > end / AGES && v - was >= APART * room) {
            ret->n++;
            ret->longest = k < n ? fmax(ret->longest, held) : ret->longest;
            if (floor.age[i] >= end / AGES) {
                begin.age[begin.n] = floor.age[i];
                begin.v[begin.n++] = v;
            }
        }
        was = floor.v[k - 1];
    }
    const double last = floor.v[n - 1] - fmax(ROOM * growth, noise);
    for (int i = 0; i < n; i++) {
        if (floor.v[i] >= last) {
            ret->since = floor.age[i];
            break;
        }
    }
    ret->begun = begin.n;
    ret->last = log(end / ret->since);
    if (begin.n < 3 || end / begin.age[0] < WIDE)
        return;
    if (begin.age[begin.n - 1] < ret->since) { /* many small rises may be between */
        begin.age[begin.n] = ret->since;
        begin.v[begin.n++] = floor.v[n - 1];
    }
    ret->off = off_line(&begin);
}

bool pt_levels_leak(const struct pt_levels *l)
{
    return l->begun >= LEVELS && l->off <= LINE && l->last <= -log(LATE_CAP);
}

double pt_levels_more(const struct pt_levels *l)
{
    const double age = l->since * exp(l->last), enough = l->since * exp(WAITS * l->longest);
    return l->n >= LEVELS && enough > age ? enough - age : NAN;
}
