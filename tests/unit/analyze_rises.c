/* SPDX-License-Identifier: MIT
 * Lives one by one and beside one another, what chance alone does among many, what is left until
 * exhaustion. Units: seconds, bytes. */
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/verdict.h"
#include "tests/unit/near.h"

/* ---- lives ---- */

/* A life that begins at 1000; NAN: not known. */
static struct pt_rise rise_of(double seconds, double (*at)(double x))
{
    struct pt_curve t;
    struct pt_rise r;
    pt_curve_init(&t, 1);
    for (int i = 0; i < seconds; i++)
        if (!isnan(at(i / seconds)))
            assert_true(pt_curve_hold(&t, 1000 + i, 1001 + i, at(i / seconds)));
    pt_rise_of(&t, &r);
    pt_curve_release(&t);
    return r;
}
static double grows(double x)
{
    return 1e6 + 1e6 * x;
}
static double shrinks(double x)
{
    return 2e6 - 1e6 * x;
}
static double warms_up(double x)
{
    return 1e6 + (x < 0.55 ? 2e6 * x : 1.1e6 + 1e5 * x);
}
static double stands(double x)
{
    (void)x;
    return 1e6;
}
/* A start-up, and then nothing; or the same rise from then on. */
static double starts(double x)
{
    return x < 0.09 ? 1e7 * x : 9e5;
}
static double goes_on(double x)
{
    return starts(x) + 1e4 * x;
}
/* The slope of all is the median of pairs: about 1; that of the second half is 0.6, 0.4. */
static double slows(double x)
{
    return 1e6 * (x < 0.55 ? x : 0.55 + 0.45 * (x - 0.55));
}
static double slows_more(double x)
{
    return 1e6 * (x < 0.55 ? x : 0.55 + 0.3 * (x - 0.55));
}
static double noise(double x)
{
    return 1e6 + (int)(x * 997) * 7919 % 101 * 1e3 + 1e3 * x;
}
static double hardly_known(double x)
{
    return x < 0.25 || x > 0.97 ? 1e6 + 1e6 * x : NAN;
}
static double known_enough(double x)
{
    return x < 0.5 || x > 0.97 ? 1e6 + 1e6 * x : NAN;
}

static void rises(void **state)
{
    static const struct {
        double (*at)(double x);
        double seconds;
        bool known, rising;
        double least, most; /* bytes a second */
    } cases[] = {{grows, 200, true, true, 4950, 5050},
                 {shrinks, 200, true, false, -5050, -4950},
                 {warms_up, 200, true, false, 1, 10000},
                 {stands, 200, true, false, 0, 0},
                 {starts, 200, true, false, 0, 0},
                 {goes_on, 200, true, true, 40, 60},
                 {slows, 200, true, true, 2500, 5000},
                 {slows_more, 200, true, false, 2500, 5000},
                 {noise, 200, true, false, -500, 500},
                 {grows, 59, false, false, 0, 0},
                 {grows, 60, true, true, 16000, 17000},
                 {stands, 59, false, false, 0, 0},
                 {stands, 60, true, false, 0, 0},
                 {hardly_known, 200, false, false, 0, 0},
                 {known_enough, 200, true, true, 4900, 5100}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pt_rise r = rise_of(cases[i].seconds, cases[i].at);
        if (r.known != cases[i].known || r.rising != cases[i].rising || r.b < cases[i].least ||
            r.b > cases[i].most)
            fail_msg("case %zu: %s, %s, %g a second", i, r.known ? "known" : "not known",
                     r.rising ? "rising" : "not rising", r.b);
        is(r.lived, cases[i].seconds, "seconds");
        is(r.growth, r.b * r.lived, "growth");
    }
}

static void lives_side_by_side(void **state)
{
    static const double b[] = {5, 1, 9, 3, 7, 2, 8, 4, 6};
    struct pt_lives l = {0};
    double slopes[8];
    (void)state;
    pt_lives_end(&l, slopes);
    is(l.b, 0, "of none");
    for (size_t i = 0; i < COUNT(b); i++) {
        const struct pt_rise young = {.lived = 5, .b = 100}, r = {.known = true,
                                                                  .rising = i % 2,
                                                                  .lived = 10,
                                                                  .b = b[i],
                                                                  .z = 2,
                                                                  .growth = 100};
        pt_lives_add(&l, &young, slopes, 8);
        pt_lives_add(&l, &r, slopes, 8);
    }
    assert_int_equal(l.n, 8); /* as many as there is room for */
    assert_int_equal(l.rising, 4);
    is(l.lived, 80, "seconds");
    is(l.growth, 800, "growth");
    pt_lives_end(&l, slopes);
    is(l.z, 16 / sqrt(8), "z");
    is(l.b, 4.5, "the median");
    is(l.low, 3, "a quarter");
    is(l.high, 8, "three quarters");
}

/* ---- many ---- */

/* p of 3.29, 2.58, 2.0 and 0.5: 0.001, 0.0099, 0.0455, 0.617. */
static void by_chance_alone(void **state)
{
    static const struct {
        double z[4], q, least;
    } cases[] = {
        {{0.5, -2.58, 2.0, 3.29}, 0.05, 2.58}, /* 0.0455 is more than 3/4 of 0.05 */
        {{0.5, -2.58, 2.0, 3.29}, 0.0607, 2.0},    {{0.5, -2.58, 2.0, 3.29}, 0.0606, 2.58},
        {{2.0, 2.0, -2.0, 2.0}, 0.0456, 2.0}, /* none alone, all together */
        {{2.0, 2.0, -2.0, 2.0}, 0.0454, INFINITY}, {{0.1, 0.2, 0.3, -0.4}, 0.05, INFINITY},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double z[4];
        memcpy(z, cases[i].z, sizeof(z));
        near(pt_false_discovery(z, 4, cases[i].q), cases[i].least, 1e-12, "the least");
    }
}

static void until_exhaustion(void **state)
{
    struct pt_ruling r = {.verdict = PT_UNDETERMINED, .b = 2, .low = 1, .high = 4, .rises = true};
    (void)state;
    pt_judge_headroom(&r, 100000);
    is(r.exhaustion, 50000, "at its speed");
    is(r.exhaustion_low, 25000, "at the most");
    is(r.exhaustion_high, 100000, "at the least");
    assert_int_equal(r.verdict, PT_UNDETERMINED); /* more than twelve hours */
    r.low = 0;
    pt_judge_headroom(&r, 2 * 12 * 3600 - 2);
    assert_true(isinf(r.exhaustion_high));
    assert_int_equal(r.verdict, PT_FAST_GROWTH);
    r = (struct pt_ruling){.verdict = PT_BOUNDED, .b = 2, .low = 1, .high = 4, .rises = true};
    pt_judge_headroom(&r, 100);
    assert_int_equal(r.verdict, PT_BOUNDED);
    r = (struct pt_ruling){.verdict = PT_UNDETERMINED, .b = 2, .low = 1, .high = 4};
    pt_judge_headroom(&r, 100);
    assert_int_equal(r.verdict, PT_UNDETERMINED);
    pt_judge_headroom(&r, NAN);
    assert_true(isnan(r.exhaustion) && isnan(r.exhaustion_low) && isnan(r.exhaustion_high));
    r.b = 0;
    pt_judge_headroom(&r, 100);
    assert_true(isnan(r.exhaustion));
    is(pt_judge_least(1), 300, "five minutes");
    is(pt_judge_least(60), 24 * 60, "or as many readings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rises),
        cmocka_unit_test(lives_side_by_side),
        cmocka_unit_test(by_chance_alone),
        cmocka_unit_test(until_exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
