/* SPDX-License-Identifier: MIT
 * The interval of a slope holds what is true as often as it says: for noise about a line, and for a
 * speed that wanders, whose steps add up. Units: seconds, bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyze/leaks/trend.h"

#define RUNS  400
#define SPEED 1000.0
#define BIN   30.0

static uint64_t state = 4711;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform() + 1e-12)) * cos(6.283185307179586 * uniform());
}

/* noise: of each value; walk: of each step. */
static void make(double noise, double walk, struct pt_env *e)
{
    double at = 0;
    *e = (struct pt_env){.n = PT_BINS, .width = BIN};
    for (int i = 0; i < e->n; i++) {
        at += SPEED * BIN + walk * normal();
        e->t[i] = 500 + i * BIN;
        e->v[i] = 1e6 + at + noise * normal();
    }
}

/* How many of RUNS intervals hold the speed; *ret_wider: mean of its width over the plain one's. */
static int covered(double noise, double walk, int *ret_plain, double *ret_wider)
{
    int good = 0;
    *ret_plain = 0;
    *ret_wider = 0;
    for (int i = 0; i < RUNS; i++) {
        struct pt_env e;
        struct pt_slope s;
        make(noise, walk, &e);
        pt_slope_of(&e, &s);
        const double w = pt_wander_of(&e, s.b);
        const double low = s.b - hypot(s.b - s.low, w), high = s.b + hypot(s.high - s.b, w);
        good += low <= SPEED && SPEED <= high;
        *ret_plain += s.low <= SPEED && SPEED <= s.high;
        *ret_wider += (high - low) / (s.high - s.low) / RUNS;
    }
    if (getenv("PT_SHOW"))
        printf("noise %.0f, walk %.0f: %d of %d, plain %d, %.2f times as wide\n", noise, walk, good,
               RUNS, *ret_plain, *ret_wider);
    return good;
}

static void noise_about_a_line(void **unused)
{
    int plain;
    double wider;
    (void)unused;
    assert_true(covered(1000, 0, &plain, &wider) >= RUNS * 92 / 100);
    assert_true(wider < 3);
}

static void a_speed_that_wanders(void **unused)
{
    int plain;
    double wider;
    (void)unused;
    assert_true(covered(0, 1000, &plain, &wider) >= RUNS * 85 / 100);
    assert_true(plain < RUNS * 70 / 100); /* what it is for */
}

static void both(void **unused)
{
    int plain;
    double wider;
    (void)unused;
    assert_true(covered(1000, 1000, &plain, &wider) >= RUNS * 85 / 100);
    assert_true(covered(3000, 300, &plain, &wider) >= RUNS * 85 / 100);
}

static void too_few_to_tell(void **unused)
{
    struct pt_env e;
    (void)unused;
    make(0, 1000, &e);
    e.n = 8;
    assert_true(pt_wander_of(&e, SPEED) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_about_a_line),
        cmocka_unit_test(a_speed_that_wanders),
        cmocka_unit_test(both),
        cmocka_unit_test(too_few_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
