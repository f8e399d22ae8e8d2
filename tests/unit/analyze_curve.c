/* SPDX-License-Identifier: MIT
 * Curves: time is conserved however often cells are joined, means and extremes are right, holes
 * stay holes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyze/leaks/trend.h"

static void holds_long(void **state)
{
    (void)state;
    struct pt_curve t;
    double time = 0, sum = 0;
    pt_curve_init(&t, 1);
    for (int i = 0; i < 100000; i++)
        assert_true(pt_curve_hold(&t, 50 + i, 51 + i, i % 10));
    assert_true(t.n <= PT_CURVE_CELLS && t.n > PT_CURVE_CELLS / 3);
    for (uint32_t i = 0; i < t.n; i++) {
        time += (double)t.cell[i].time;
        sum += (double)t.cell[i].mean * (double)t.cell[i].time;
        assert_true(t.cell[i].min >= 0 && t.cell[i].max <= 9);
    }
    assert_true(fabs(time - 100000) < 5);
    assert_true(fabs(sum / time - 4.5) < 0.01);
    pt_curve_release(&t);
}

static void weighs_by_time(void **state)
{
    (void)state;
    struct pt_curve t;
    struct pt_env e;
    pt_curve_init(&t, 1);
    /* one value for 990 s, then a burst of a hundred others within 10 s */
    assert_true(pt_curve_hold(&t, 0, 990, 5));
    for (int i = 0; i < 100; i++)
        assert_true(pt_curve_hold(&t, 990 + i * 0.1, 990.1 + i * 0.1, 100));
    pt_env_of(&t, 0, 1000, 12, &e);
    assert_int_equal(e.n, 12);
    for (int i = 0; i < 12; i++)
        assert_true(e.v[i] == 5);
    pt_curve_release(&t);
}

static void holes_stay(void **state)
{
    (void)state;
    struct pt_curve t;
    struct pt_env e;
    pt_curve_init(&t, 1);
    assert_true(pt_curve_hold(&t, 0, 100, 1));
    assert_true(pt_curve_hold(&t, 300, 400, 2));
    pt_env_of(&t, 0, 400, 16, &e);
    assert_int_equal(e.n, 8);
    for (int i = 0; i < e.n; i++)
        assert_true(e.t[i] < 100 || e.t[i] > 300);
    /* what is told twice is not counted twice */
    assert_true(pt_curve_hold(&t, 350, 390, 9));
    assert_true(t.last == 400);
    pt_curve_release(&t);
}

static void slopes(void **state)
{
    (void)state;
    struct pt_curve t;
    struct pt_env e;
    struct pt_slope s;
    pt_curve_init(&t, 10);
    for (int i = 0; i < 1000; i++)
        assert_true(
            pt_curve_hold(&t, i * 10.0, i * 10.0 + 10, 1e6 + 300.0 * i + (i * 7919 % 13) * 50));
    pt_env_of(&t, 0, 10000, PT_BINS, &e);
    pt_slope_of(&e, &s);
    assert_true(fabs(s.b - 30) < 0.3);
    assert_true(s.low <= 30 && s.high >= 30 && s.high - s.low < 2);
    assert_true(s.z > 5);
    pt_curve_release(&t);
}

/* 200 MB with a day of 100 MB up and down, for ten days: what is left is the trend. */
/* One value for long has no cells; what comes after it may need them much wider. */
static void widens_without_cells(void **state)
{
    (void)state;
    struct pt_curve t;
    pt_curve_init(&t, 1);
    assert_true(pt_curve_hold(&t, 0, 100000, 7));
    assert_int_equal(t.n, 0);
    assert_true(pt_curve_hold(&t, 100000, 100100, 9));
    assert_true(t.n > 0 && t.n <= PT_CURVE_CELLS && t.n * t.width >= 100100);
    assert_true(t.cell[0].min == 7 && t.cell[t.n - 1].max == 9);
    pt_curve_release(&t);
}

static void seasons(void **state)
{
    (void)state;
    struct pt_curve t;
    struct pt_env e;
    struct pt_slope s;
    pt_curve_init(&t, 60);
    for (int i = 0; i < 10 * 1440; i++) {
        const double hour = i / 60.0;
        assert_true(
            pt_curve_hold(&t, i * 60.0, i * 60.0 + 60,
                          200e6 + 50e6 * sin(hour / 24 * 2 * 3.14159265) + 12e6 * hour / 24));
    }
    assert_true(pt_season_remove(&t, 0) > 0.9);
    pt_env_of(&t, 0, 10 * 86400.0, PT_BINS, &e);
    pt_slope_of(&e, &s);
    assert_true(fabs(s.b * 86400 - 12e6) < 0.6e6);
    pt_curve_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_long), cmocka_unit_test(weighs_by_time),
        cmocka_unit_test(holes_stay), cmocka_unit_test(slopes),
        cmocka_unit_test(seasons),    cmocka_unit_test(widens_without_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
