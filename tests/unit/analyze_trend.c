/* SPDX-License-Identifier: MIT
 * Statistics of a series, number by number: envelope, slope and its interval, drops, seasons; which
 * model fits a shape best. Numbers that are not plain to see are of an implementation of their own.
 * Units: seconds, bytes. */
#include <stdlib.h>

#include "analyze/leaks/contest.h"
#include "tests/unit/near.h"

/* ---- envelope ---- */

static void medians(void **state)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 9}, one[] = {7};
    (void)state;
    is(pt_median(odd, 3), 2, "odd");
    is(pt_median(even, 4), 3.5, "even");
    is(pt_median(one, 1), 7, "one");
}

/* Values 0, 1, 2, ... a second each. */
static void ramp(struct pt_curve *t, int n)
{
    pt_curve_init(t, 1);
    for (int i = 0; i < n; i++)
        assert_true(pt_curve_hold(t, i, i + 1, i % 20));
}

static void the_lowest_tenth_of_a_bin(void **state)
{
    struct pt_curve t;
    struct pt_env e, part;
    (void)state;
    ramp(&t, 60);
    pt_env_of(&t, 0, 60, 3, &e);
    assert_int_equal(e.n, 3);
    for (int i = 0; i < 3; i++) {
        is(e.v[i], 1, "the value that a tenth of the time lies at or below");
        is(e.t[i], 10 + 20 * i, "its middle");
    }
    is(e.width, 20, "width");
    is(e.from, 0, "from");
    is(e.to, 60, "to");
    /* half a cell counts half: of 0.5, 5 to 14.5 the tenth is one second behind 5 */
    pt_env_of(&t, 4.5, 14.5, 1, &e);
    is(e.v[0], 5, "of half cells");
    is(e.t[0], 9.5, "their middle");
    pt_env_of(&t, 50, 80, 3, &e); /* nothing is known behind 60 */
    assert_int_equal(e.n, 1);
    pt_env_of(&t, 30, 30, 3, &e);
    assert_int_equal(e.n, 0);
    pt_env_of(&t, -40, 20, 3, &e);
    assert_int_equal(e.n, 1);
    is(e.t[0], 10, "of what is known");
    pt_env_of(&t, 0, 60, 6, &e);
    pt_env_part(&e, 2, 3, &part);
    assert_int_equal(part.n, 3);
    is(part.t[0], e.t[2], "the first of a part");
    is(part.v[2], e.v[4], "the last of it");
    is(part.from, 20, "from");
    is(part.to, 50, "to");
    pt_env_part(&e, 2, 0, &part);
    is(part.to, 0, "of none");
    pt_curve_release(&t);
}

/* Less than a hundredth of a bin is not enough to tell of it. */
static void little_is_nothing(void **state)
{
    struct pt_curve t;
    struct pt_env e;
    (void)state;
    pt_curve_init(&t, 1);
    assert_true(pt_curve_hold(&t, 0, 3, 7));
    assert_true(pt_curve_hold(&t, 200, 200.5, 9));
    assert_true(pt_curve_hold(&t, 399, 402, 5));
    pt_env_of(&t, 0, 400, 2, &e);
    assert_int_equal(e.n, 1);
    is(e.v[0], 7, "the first bin");
    pt_env_of(&t, 0, 800, 2, &e);
    assert_int_equal(e.n, 1);
    is(e.v[0], 5, "the least of all");
    near(e.t[0], (3 * 1.5 + 0.5 * 200.5 + 399.5) / 4.5, 1e-6, "where it was known");
    pt_curve_release(&t);
}

/* ---- slope ---- */

static void slopes(void **state)
{
    static const struct {
        const char *name;
        int n, v[24];
        struct pt_slope want;
    } cases[] = {
        {"up", 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0.1, 0.1, 0.1, -0.5, 3.9354796404, 0, 1}},
        {"down",
         10,
         {0, -1, -2, -3, -4, -5, -6, -7, -8, -9},
         {-0.1, -0.1, -0.1, 0.5, -3.9354796404, 0, 1}},
        {"walk",
         20,
         {0, 3, 1, 4, 9, 12, 10, 14, 13, 18, 25, 22, 21, 27, 30, 36, 33, 40, 38, 41},
         {0.225, 0.2, 0.2428571429, -3.125, 5.6128611711, 1.5, 1}},
        {"noise",
         10,
         {5, 1, 7, 3, 9, 2, 8, 6, 12, 4},
         {0.05, -0.06, 0.1571428571, 3.5, 0.8944271910, 2.75, 1}},
        {"ties",
         4,
         {1, 1, 2, 2},
         {0.0416666667, 0, 0.1, 0.6666666667, 1.1618950039, 0.2083333333, 1}},
        {"odd", 5, {7, 3, 3, 1, 0}, {-0.1625, -0.2, 0, 7.0625, -2.0211646106, 0.375, 1}},
        {"three", 3, {1, 5, 2}, {0.05, -0.3, 0.4, 0.75, 0, 0, 1}},
        {"waves",
         24,
         {0, 4, 7, 8, 7, 4, 0, -4, -7, -8, -7, -4, 1, 5, 8, 9, 8, 5, 1, -3, -6, -7, -6, -3},
         {-0.0230769231, -0.08, 0.01, 3.1538461538, -0.9234992967, 4.6923076923, 1.3465977891}},
        {"arch", 4, {1, 2, 2, 1}, {0, -0.1, 0.1, 1.5, 0, 0.5, 1}},
        {"two", 2, {1, 5}, {0, 0, 0, 0, 0, 0, 1}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pt_env e = {.n = cases[i].n, .width = 10};
        const struct pt_slope *want = &cases[i].want;
        struct pt_slope s;
        for (int k = 0; k < e.n; k++) {
            e.t[k] = 10 * k + 5;
            e.v[k] = cases[i].v[k];
        }
        pt_slope_of(&e, &s);
        const double pairs[][2] = {
            {s.b, want->b}, {s.low, want->low}, {s.high, want->high},    {s.at0, want->at0},
            {s.z, want->z}, {s.mad, want->mad}, {s.factor, want->factor}};
        for (size_t k = 0; k < COUNT(pairs); k++)
            near(pairs[k][0], pairs[k][1], 1e-8, cases[i].name);
    }
}

/* Two bins of one time say nothing of a slope. */
static void at_one_time(void **state)
{
    struct pt_env e = {.n = 4, .t = {5, 5, 15, 25}, .v = {0, 7, 10, 20}};
    struct pt_slope s;
    (void)state;
    pt_slope_of(&e, &s);
    is(s.b, 1, "of the five pairs that are apart");
    assert_true(isfinite(s.low) && isfinite(s.high) && isfinite(s.at0));
}

/* Steps that add up: by hand, of twelve bins, differences over one, two and three. */
static void steps_that_add_up(void **state)
{
    struct pt_env e = {.n = 12};
    (void)state;
    for (int i = 0; i < 12; i++) {
        e.t[i] = 10 * i;
        e.v[i] = 100 * i;
    }
    is(pt_wander_of(&e, 10), 0, "a line");
    for (int i = 0; i < 12; i++)
        e.v[i] += i % 2 * 50;
    is(pt_wander_of(&e, 10), 0, "what comes and goes");
    e.n = 11;
    is(pt_wander_of(&e, 0), 0, "too few");
    /* about a slope that is off by 1 all differences of q bins are 10 q */
    e.n = 12;
    for (int i = 0; i < 12; i++)
        e.v[i] = 10 * i;
    const double x[] = {1 - 0.8 / 12, 2 * (1 - 1.6 / 12), 3 * (1 - 2.4 / 12)};
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int q = 0; q < 3; q++) {
        const double y = 100.0 * (q + 1) * (q + 1);
        sx += x[q];
        sy += y;
        sxx += x[q] * x[q];
        sxy += x[q] * y;
    }
    /* squares rise faster than a line through what is not below nothing: through the origin */
    assert_true(sy / 3 < (3 * sxy - sx * sy) / (3 * sxx - sx * sx) * sx / 3);
    is(pt_wander_of(&e, 0), 2.18 * sqrt(1.2 * (sxy / sxx) / 12) / 10, "steps without noise");
}

/* ---- drops ---- */

static void tell(struct pt_curve *t, const double *v, int n)
{
    pt_curve_init(t, 1);
    for (int i = 0; i < n; i++)
        if (!isnan(v[i]))
            assert_true(pt_curve_hold(t, i, i + 1, v[i]));
}

static void falls(void **state)
{
    static const struct {
        double v[20];
        int n;
        double least;
        struct pt_drops want;
    } cases[] = {
        /* what is no more than the least is none; where a fall goes on it is the same */
        {{0, 10, 20, 20, 20, 20, 20, 10, 0, 0, 0, 0, 0, 0}, 14, 19, {1, 20, 0, 8.5}},
        {{0, 10, 20, 20, 20, 20, 20, 10, 0, 0, 0, 0, 0, 0}, 14, 20, {0, 0, 0, 0}},
        /* it has risen by more than the least before it falls again */
        {{30, 30, 30, 0, 0, 11, 11, 0, 0, 0, 0, 0, 0, 0}, 14, 10, {2, 30, 0, 7.5}},
        {{30, 30, 30, 0, 0, 10, 10, -1, 0, 0, 0, 0, 0, 0}, 14, 10, {1, 31, 0, 7.5}},
        /* what is not known is no step */
        {{99, NAN, 0, NAN, 99, NAN, 0, NAN, 99, NAN}, 10, 10, {2, 99, 0, 6.5}},
        {{30, 30, 30, 5, 5, 5, NAN, NAN, 0, 0, 0, 0, 0, 0}, 14, 10, {1, 30, 0, 8.5}},
        /* always up and down by as much: six times the usual step is a fall */
        {{0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 24, 0, 4, 0, 4, 0, 4}, 18, 1, {0, 0, 0, 0}},
        {{0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 26, 1, 4, 0, 4, 0, 4}, 18, 1, {1, 26, 0, 14.5}},
        {{5, 4, 3, 2, 1, 0}, 6, 1e9, {0, 0, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pt_curve t;
        struct pt_drops d;
        tell(&t, cases[i].v, cases[i].n);
        pt_drops_of(&t, cases[i].least, &d);
        if (d.count != cases[i].want.count)
            fail_msg("case %zu: %d falls", i, d.count);
        is(d.largest, cases[i].want.largest, "the largest");
        is(d.last_at, cases[i].want.last_at, "where the last one ends");
        pt_curve_release(&t);
    }
}

static void saws_within_cells(void **state)
{
    struct pt_curve t;
    struct pt_drops d;
    (void)state;
    pt_curve_init(&t, 1);
    for (int i = 0; i < 30; i++) {
        assert_true(pt_curve_hold(&t, i, i + 0.5, 10));
        assert_true(pt_curve_hold(&t, i + 0.5, i + 1, i < 10 ? 10 : i < 20 ? 17 : 99));
    }
    pt_drops_of(&t, 5, &d);
    is(d.typical, 7, "the usual range of a cell");
    pt_curve_release(&t);
    pt_curve_init(&t, 1);
    pt_drops_of(&t, 5, &d);
    assert_int_equal(d.count, 0);
    is(d.typical, 0, "of nothing");
}

/* ---- seasons ---- */

/* Work from 8 to 18 by local time, and 10 a day more, in cells of so many hours. */
static void make_cells(struct pt_curve *t, double days, double local, double hours)
{
    pt_curve_init(t, hours * 3600);
    for (int i = 0; i < days * 24 / hours; i++) {
        const double at = i * hours, hour = floor(fmod(at + local, 24));
        assert_true(pt_curve_hold(t, at * 3600, (at + hours) * 3600,
                                  1000 + 10 * at / 24 + (hour >= 8 && hour < 18 ? 200 : 0)));
    }
}
static void make_days(struct pt_curve *t, double days, double local)
{
    make_cells(t, days, local, 0.5);
}

/* The coarsest there may be, and so many days that one point of the trend takes two. */
static void coarse_and_long_ones(void **state)
{
    static const struct {
        double days, hours;
        bool enough;
    } cases[] = {{10, 3, true}, {60, 3, true}, {3, 1, true}, {2.7, 1, false}, {3.8, 1, true}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pt_curve t;
        make_cells(&t, cases[i].days, 0, cases[i].hours);
        const double share = pt_season_remove(&t, 0);
        if (cases[i].enough ? share < 0.9 : share >= 0)
            fail_msg("case %zu: %g", i, share);
        pt_curve_release(&t);
    }
}

/* A night that nobody recorded stays what it was. */
static void days_with_holes(void **state)
{
    struct pt_curve whole, t;
    (void)state;
    make_days(&whole, 6, 0);
    pt_curve_init(&t, 1800);
    for (uint32_t i = 0; i < whole.n; i++)
        if (i < 100 || i >= 120)
            assert_true(
                pt_curve_hold(&t, i * 1800.0, i * 1800.0 + 1800, (double)whole.cell[i].mean));
    assert_true(pt_season_remove(&t, 0) > 0.97);
    for (uint32_t i = 100; i < 120; i++)
        assert_true(t.cell[i].time <= 0 && fabsf(t.cell[i].mean) <= 0);
    near((double)t.cell[130].mean, 1000 + 10 * 130.5 / 48, 6, "behind it");
    pt_curve_release(&whole);
    pt_curve_release(&t);
}

static void hours_of_the_day(void **state)
{
    struct pt_curve t;
    (void)state;
    make_days(&t, 2.7, 0);
    assert_true(pt_season_remove(&t, 0) < 0); /* a day too few */
    pt_curve_release(&t);
    make_days(&t, 3, 0);
    assert_true(pt_season_remove(&t, 0) > 0.95);
    pt_curve_release(&t);
    /* the hours are those of local time: half an hour off they begin within a cell's hour */
    make_days(&t, 6, 5.5);
    const double right = pt_season_remove(&t, 5.5 * 3600);
    pt_curve_release(&t);
    make_days(&t, 6, 5.5);
    const double wrong = pt_season_remove(&t, 0);
    pt_curve_release(&t);
    assert_true(right > 0.97 && wrong < 0.96);
    make_days(&t, 6, 5.5);
    assert_true(pt_season_remove(&t, (5.5 - 24) * 3600) > 0.97);
    /* what is left is the trend, about the middle of the hours */
    for (uint32_t i = 2; i + 2 < t.n; i++) {
        const double day = pt_curve_at(&t, i) / 86400;
        near((double)t.cell[i].mean, 1000 + 10 * day, 6, "what is left");
        near((double)t.cell[i].min, (double)t.cell[i].mean, 1e-3, "and its least");
        near((double)t.cell[i].max, (double)t.cell[i].mean, 1e-3, "and its most");
    }
    pt_curve_release(&t);
    pt_curve_init(&t, 10801); /* cells wider than an eighth of a day see no hours */
    for (int i = 0; i < 100; i++)
        assert_true(pt_curve_hold(&t, i * 10801.0, (i + 1) * 10801.0, i % 8));
    assert_true(pt_season_remove(&t, 0) < 0);
    pt_curve_release(&t);
}

/* ---- models ---- */

static double shape_of(enum pt_model m, double x)
{
    switch (m) {
    case PT_MODEL_LINEAR:
        return x;
    case PT_MODEL_ONSET:
        return x > 0.5 ? x - 0.5 : 0;
    case PT_MODEL_POWER:
        return x * x;
    case PT_MODEL_LINEAR_STEP:
        return x + (x > 0.6 ? 0.5 : 0);
    case PT_MODEL_SATURATING:
        return 1 - exp(-x / 0.25);
    case PT_MODEL_CAP:
        return x < 0.6 ? x : 0.6;
    case PT_MODEL_LOG:
        return log1p(x / 0.02);
    case PT_MODEL_LEVELS:
        return x < 0.3 ? 0 : x < 0.7 ? 1 : 1.5;
    case PT_MODELS:
        break;
    }
    return 0;
}

/* Each shape, a little noise on it, is best described by its own model, and by one of its kind. */
static void shapes_find_their_models(void **state)
{
    (void)state;
    for (int m = 0; m < PT_MODELS; m++) {
        struct pt_env e = {.n = PT_BINS, .from = 100, .to = 580, .width = 10};
        struct pt_contest c;
        for (int i = 0; i < e.n; i++) {
            e.t[i] = 105 + 10 * i;
            e.v[i] = 5e6 + 1e6 * shape_of((enum pt_model)m, i / 47.0) + i * 7919 % 13 * 700;
        }
        pt_contest_of(&e, 1000, &c);
        const bool goes_on = m < PT_MODEL_BOUNDED;
        if ((int)(goes_on ? c.leak : c.bounded) != m)
            fail_msg("%s is called %s", pt_model_name((enum pt_model)m),
                     pt_model_name(goes_on ? c.leak : c.bounded));
        is(c.margin, c.bic[c.bounded] - c.bic[c.leak], "margin");
        if (goes_on ? !(c.margin > 6) : !(c.margin < -6))
            fail_msg("%s by %g", pt_model_name((enum pt_model)m), c.margin);
        for (int k = 0; k < PT_MODELS; k++)
            assert_true(c.bic[k] >= c.bic[k < PT_MODEL_BOUNDED ? c.leak : c.bounded]);
        assert_true(c.rho >= 0 && c.rho <= 0.9);
        is(c.n_eff, fmax(4, PT_BINS * (1 - c.rho) / (1 + c.rho)), "readings that count");
        if (m == PT_MODEL_ONSET)
            near(c.onset, 105 + 0.5 * 470, 11, "where it begins");
        if (m == PT_MODEL_CAP)
            near(c.knot, 105 + 0.6 * 470, 11, "where it ends");
        if (m == PT_MODEL_LEVELS) {
            assert_int_equal(c.levels, 3);
            near(c.step_size, 1e6, 2e4, "the largest step");
            near(c.step_at, 105 + 10 * 14.5, 0.1, "where it is");
        }
    }
}

static double squares_about(const double *v, int from, int to)
{
    double mean = 0, sum = 0;
    for (int i = from; i < to; i++)
        mean += v[i] / (to - from);
    for (int i = from; i < to; i++)
        sum += (v[i] - mean) * (v[i] - mean);
    return sum;
}

/* What is left about a line: all, less what correlates with time. */
static double squares_about_line(const struct pt_env *e)
{
    double t = 0, v = 0, tv = 0;
    for (int i = 0; i < e->n; i++) {
        t += e->t[i] / e->n;
        v += e->v[i] / e->n;
    }
    for (int i = 0; i < e->n; i++)
        tv += (e->t[i] - t) * (e->v[i] - v);
    return squares_about(e->v, 0, e->n) - tv * tv / squares_about(e->t, 0, e->n);
}

/* By hand: n log(squares / n + noise^2) + parameters log n, n being the readings that count. */
static void criteria_by_hand(void **state)
{
    struct pt_env e = {.n = PT_BINS, .from = 100, .to = 580, .width = 10};
    struct pt_contest c;
    double best = INFINITY;
    (void)state;
    for (int i = 0; i < e.n; i++) {
        e.t[i] = 105 + 10 * i;
        e.v[i] = 5e6 + 1e4 * i + 3e4 * sin(i * 0.7);
    }
    pt_contest_of(&e, 5000, &c);
    const double n = c.n_eff, noise = 5000;
    near(c.bic[PT_MODEL_LINEAR],
         n * log(squares_about_line(&e) / PT_BINS + noise * noise) + 2 * log(n), 1e-6, "a line");
    /* a part of the growth is noise in any case */
    const double least = 0.004 * fabs(e.v[PT_BINS - 1] - e.v[0]);
    pt_contest_of(&e, 1, &c);
    near(c.bic[PT_MODEL_LINEAR],
         c.n_eff * log(squares_about_line(&e) / PT_BINS + least * least) + 2 * log(c.n_eff), 1e-6,
         "noise");
    /* two levels, whose residuals last: their autocorrelation is that of the best model */
    for (int i = 0; i < e.n; i++)
        e.v[i] = 5e6 + (i < 20 ? 0 : 1e6) + (i / 2 % 2 ? 2e4 : -2e4);
    pt_contest_of(&e, 1000, &c);
    for (int at = 2; at <= PT_BINS - 2; at++)
        best = fmin(best, squares_about(e.v, 0, at) + squares_about(e.v, at, PT_BINS));
    assert_int_equal(c.bounded, PT_MODEL_LEVELS);
    assert_int_equal(c.levels, 2);
    const double sigma = fmax(1000, 0.004 * fabs(e.v[PT_BINS - 1] - e.v[0]));
    near(c.bic[PT_MODEL_LEVELS], c.n_eff * log(best / PT_BINS + sigma * sigma) + 3 * log(c.n_eff),
         1e-4, "two levels");
    for (int i = 0; i < e.n; i++)
        e.v[i] = 5e6 + (i < 20 ? 0 : 1e6) + 4e4 * sin(i * 0.35);
    pt_contest_of(&e, 1000, &c);
    assert_true(c.bounded == PT_MODEL_LEVELS && c.rho > 0.5 && c.rho <= 0.9);
    e.n = PT_BINS_MIN - 1;
    pt_contest_of(&e, 1000, &c);
    for (int m = 0; m < PT_MODELS; m++)
        assert_true(isinf(c.bic[m]));
    is(c.margin, 0, "of too few");
}

/* Neither falls nor noise have a model of growth; below the noise none is better. */
static void nothing_grows(void **state)
{
    struct pt_env e = {.n = PT_BINS, .to = 480, .width = 10};
    struct pt_contest c;
    (void)state;
    for (int i = 0; i < e.n; i++) {
        e.t[i] = 5 + 10 * i;
        e.v[i] = 5e6 - 1e4 * i;
    }
    pt_contest_of(&e, 1000, &c);
    for (int m = 0; m < PT_MODELS; m++)
        if (m != PT_MODEL_LEVELS && m != PT_MODEL_LINEAR_STEP)
            assert_true(isinf(c.bic[m]));
    for (int i = 0; i < e.n; i++)
        e.v[i] = 5e6 + 100 * i;
    pt_contest_of(&e, 1e6, &c);
    assert_true(fabs(c.margin) < 4);
    is(c.rho, 0, "residuals below the noise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(the_lowest_tenth_of_a_bin),
        cmocka_unit_test(little_is_nothing),
        cmocka_unit_test(slopes),
        cmocka_unit_test(at_one_time),
        cmocka_unit_test(steps_that_add_up),
        cmocka_unit_test(falls),
        cmocka_unit_test(saws_within_cells),
        cmocka_unit_test(hours_of_the_day),
        cmocka_unit_test(coarse_and_long_ones),
        cmocka_unit_test(days_with_holes),
        cmocka_unit_test(shapes_find_their_models),
        cmocka_unit_test(criteria_by_hand),
        cmocka_unit_test(nothing_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
