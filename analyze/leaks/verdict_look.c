/* SPDX-License-Identifier: MIT
 * One look at a part of a series: envelope, slope, gates, contest. */
#include "analyze/leaks/verdict_int.h"

#include <math.h>

#define CLEAN        40.0 /* growth / median residual */
#define SHORT_SPAN   (2 * 86400.0)
#define SHORT_SHARE  0.05 /* of the level, in records shorter than that */
#define QUARTER_LAST 0.04
#define STAIR        0.02 /* of the growth */
#define STAIRS       6

/* Growth of the floor under what follows, from quarter to quarter: a leak raises it in each. */
static void quarters_of(const struct pt_env *e, struct pt_look *l)
{
    double floor[PT_BINS], start[5];
    double low = INFINITY, rises = 0;
    bool all = true;
    for (int i = e->n - 1; i >= 0; i--)
        floor[i] = low = e->v[i] < low ? e->v[i] : low;
    for (int q = 0; q <= 4; q++)
        start[q] = floor[q * (e->n - 1) / 4];
    for (int q = 0; q < 4; q++) {
        all = all && start[q + 1] > start[q];
        rises += start[q + 1] - start[q];
    }
    l->quarters = all && l->growth > 0 ? rises / l->growth : 0;
    l->last_quarter = l->growth > 0 ? (start[4] - start[3]) / l->growth : 0;
}

/* A staircase: the floor rises time and again, between rises it stands. How many rises, if each
 * third has two at least. */
static int stairs_of(const struct pt_env *e, double growth)
{
    double floor[PT_BINS], low = INFINITY, was;
    int rises = 0, third[3] = {0};
    bool rising = false;
    for (int i = e->n - 1; i >= 0; i--)
        floor[i] = low = e->v[i] < low ? e->v[i] : low;
    was = floor[0];
    for (int i = 1; i < e->n; i++) {
        const bool up = floor[i] - was > STAIR * growth;
        rises += up && !rising;
        third[i * 3 / e->n] += up && !rising;
        rising = up;
        was = floor[i];
    }
    return third[0] >= 2 && third[1] >= 2 && third[2] >= 2 ? rises : 0;
}

static double floor_of(const struct pt_case *c, const struct pt_look *l, double span)
{
    double least = c->least > 0 ? c->least : FLOOR;
    if (c->least <= 0 && l->growth > CLEAN * l->slope.mad && l->quarters > 0.8)
        least = CLEAN_FLOOR;
    least = fmax(least, 4 * l->slope.mad);
    least = fmax(least, 3 * c->noise);
    if (span < SHORT_SPAN && least > CLEAN_FLOOR)
        least = fmax(least, SHORT_SHARE * l->env.v[0]);
    return least;
}

void pt_look_on(const struct pt_case *c, const struct pt_env *env, double z, struct pt_look *ret)
{
    struct pt_env part;
    struct pt_slope third;
    *ret = (struct pt_look){.env = *env};
    const struct pt_env *e = &ret->env;
    ret->enough = e->n >= PT_BINS_MIN;
    if (!ret->enough)
        return;
    pt_slope_of(e, &ret->slope);
    ret->growth = ret->slope.b * (e->t[e->n - 1] - e->t[0]);
    /* a staircase has a slope of few pairs: what it gained stands in */
    if (ret->slope.b >= 0 && e->v[e->n - 1] - e->v[0] > ret->growth)
        ret->growth = e->v[e->n - 1] - e->v[0];
    quarters_of(e, ret);
    ret->floor = floor_of(c, ret, e->to - e->from);
    pt_env_part(e, e->n - e->n / 3, e->n / 3, &part);
    pt_slope_of(&part, &third);
    ret->last_third = ret->slope.b > 0 ? third.b / ret->slope.b : 0;
    ret->stairs = stairs_of(e, ret->growth);
    if (ret->stairs >= STAIRS) { /* most pairs of a third stand on one stair */
        const double net = e->v[e->n - 1] - e->v[e->n - 1 - e->n / 3];
        ret->last_third = fmax(ret->last_third, 3 * net / ret->growth);
    }
    pt_contest_of(e, c->noise, &ret->contest);
    ret->a = ret->growth >= ret->floor;
    ret->b = ret->slope.z >= z && ret->slope.low > 0;
    ret->c = ret->quarters >= QUARTERS && ret->last_quarter >= QUARTER_LAST;
    ret->d = ret->last_third >= LAST_THIRD;
}

void pt_look_at(const struct pt_case *c, double from, double to, int bins, double z,
                struct pt_look *ret)
{
    struct pt_env e;
    pt_env_of(c->track, from, to, bins, &e);
    pt_look_on(c, &e, z, ret);
}

bool pt_gates(const struct pt_look *l)
{
    return l->enough && l->a && l->b && l->c && l->d;
}

/* What a leak must be better by. That growth ended just before the record did is seldom so: chance
 * makes the last few bins flat more often. */
static double margin_of(const struct pt_look *l)
{
    const struct pt_contest *k = &l->contest;
    if (k->bounded == PT_MODEL_LEVELS && l->stairs >= STAIRS)
        return -INFINITY; /* four levels are too few for so many */
    const double late = l->env.from + LATE_CAP * (l->env.to - l->env.from);
    return k->bounded == PT_MODEL_CAP && k->knot > late ? -MARGIN : MARGIN;
}

bool pt_leaks(const struct pt_look *l)
{
    return l->rescued || (pt_gates(l) && l->contest.margin >= margin_of(l));
}
