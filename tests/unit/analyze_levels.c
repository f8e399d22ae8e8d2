/* SPDX-License-Identifier: MIT
 * Memory that rises by a part of itself and stands ever longer: what is called growing, what is not
 * known yet, what has ended. Units: seconds, bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/leaks/verdict_int.h"

#define SPAN   1500
#define WIDTH  74 /* of evidence: 80 columns less what is before it */
#define PHASES 20
#define TIGHT  (1024 * MIB) /* what is left to take: hours at the speed of these */
#define PART   1.4          /* as labelled Java heaps do */

/* Height at an age x of 0 to 1, where levels begin at PART^(k - phase). */
typedef double shape_fn(double x, double phase);

static double begun(double x, double phase)
{
    return x < 0.002 ? 0 : pow(PART, floor(log(x) / log(PART) + phase) - phase);
}
static double doubling(double x, double phase)
{
    return begun(x, phase);
}
static double full_at_45(double x, double phase)
{
    return begun(fmin(x, 0.45), phase);
}
static double full_at_80(double x, double phase)
{
    return begun(fmin(x, 0.8), phase);
}
static double slowing(double x, double phase)
{
    return sqrt(begun(x, phase));
}
static double ever_slower(double x, double phase)
{
    return log1p(begun(x, phase) / 0.02) / log1p(50);
}
/* A warm-up in small pieces: only the first of them stand long for their age. */
static double in_pieces(double x, double phase)
{
    return floor(30 * log1p(x / 0.3) / log1p(1 / 0.3) + phase) / 30;
}
/* A pool that keeps what the busiest moment of a morning took. */
static double morning(double x, double phase)
{
    return sin(M_PI / 2 * fmax(0, floor(14 * x + phase) - phase) / 14);
}
/* A cache that fills as the root of time, from a third of the record on. */
static double late_root(double x, double phase)
{
    return x < 0.35 ? 0 : sqrt(begun((x - 0.35) / 0.65, phase));
}
static double few_steps(double x, double phase)
{
    return floor(x * 4 + phase) / 4;
}
static double steady(double x, double phase)
{
    (void)phase;
    return x;
}

static void record(shape_fn *fn, double phase, struct pt_curve *ret)
{
    pt_curve_init(ret, 2);
    for (int i = 0; i < SPAN; i += 2)
        assert_true(pt_curve_hold(ret, i, i + 2, (16 + 200 * fn((double)i / SPAN, phase)) * MIB));
}

static struct pt_case case_of(const struct pt_curve *t)
{
    return (struct pt_case){.track = t,
                            .from = t->start,
                            .to = t->last,
                            .interval = 2,
                            .noise = MIB / 4,
                            .headroom = NAN,
                            .threads = NAN};
}

static void levels(shape_fn *fn, double phase, struct pt_levels *ret)
{
    struct pt_curve t;
    record(fn, phase, &t);
    const struct pt_case c = case_of(&t);
    pt_levels_of(&c, ret);
    pt_curve_release(&t);
}

/* How many phases of it are given each verdict. */
static void rule(shape_fn *fn, double headroom, int count[PT_VERDICTS])
{
    for (int v = 0; v < PT_VERDICTS; v++)
        count[v] = 0;
    for (int i = 0; i < PHASES; i++) {
        struct pt_curve t;
        struct pt_ruling r;
        record(fn, (double)i / PHASES, &t);
        const struct pt_case c = case_of(&t);
        pt_judge(&c, &r);
        if (r.verdict == PT_UNDETERMINED)
            assert_true(r.more > 0);
        for (int k = 0; k < r.nevidence; k++)
            assert_true(strlen(r.evidence[k].text) <= WIDTH);
        pt_judge_headroom(&r, headroom);
        count[r.verdict]++;
        pt_curve_release(&t);
    }
}

static void levels_are_counted_by_age(void **state)
{
    struct pt_levels l;
    (void)state;
    levels(doubling, 0.5, &l);
    assert_in_range(l.n, 7, 9);
    assert_true(fabs(l.longest - log(PART)) < 0.05);
    assert_true(fabs(l.since - SPAN / sqrt(PART)) < 6);
    assert_true(fabs(l.last - log(PART) / 2) < 0.01);
    assert_true(l.off < 0.04);
    /* two waits as long as the longest, from when it last rose */
    assert_true(fabs(pt_levels_more(&l) - (l.since * exp(2 * l.longest) - SPAN)) < 6);
    levels(steady, 0, &l);
    assert_int_equal(l.n, 0);
    assert_true(isnan(pt_levels_more(&l)));
    levels(few_steps, 0, &l);
    assert_in_range(l.n, 2, 4);
    assert_true(isnan(pt_levels_more(&l)));
    levels(full_at_45, 0.5, &l); /* it has stood for more than two waits */
    assert_true(l.n >= 6 && l.last > 2 * l.longest);
    assert_true(isnan(pt_levels_more(&l)));
}

static void what_doubles_is_no_step(void **state)
{
    int count[PT_VERDICTS];
    (void)state;
    rule(doubling, NAN, count);
    assert_int_equal(count[PT_LEAK] + count[PT_UNDETERMINED], PHASES);
    /* its last rise must be in the last 15%: log(1 / 0.85) of log(1.4) */
    assert_in_range(count[PT_LEAK], PHASES / 3, PHASES * 2 / 3);
}

/* As it goes on it is growing or not known yet, never ended and new again. */
static void what_doubles_does_not_end_meanwhile(void **state)
{
    int seen = 0;
    (void)state;
    for (int part = 26; part <= 64; part += 2) {
        bool leak = false;
        for (double to = 1200; to < 15000; to *= 1.08) {
            struct pt_curve t;
            struct pt_ruling r;
            pt_curve_init(&t, 2);
            for (int i = 0; i < (int)to; i += 2) {
                const double level = floor(log(fmax(i, 20)) / log1p(part / 100.0));
                assert_true(
                    pt_curve_hold(&t, i, i + 2, (16 + 0.1 * pow(1 + part / 100.0, level)) * MIB));
            }
            const struct pt_case c = case_of(&t);
            pt_judge(&c, &r);
            pt_curve_release(&t);
            leak |= r.verdict == PT_LEAK;
            assert_true(!leak || r.verdict == PT_LEAK || r.verdict == PT_UNDETERMINED);
        }
        seen += leak;
    }
    assert_true(seen > 15);
}

static void what_ended_is_no_leak(void **state)
{
    static shape_fn *const ended[] = {full_at_45, full_at_80, ever_slower,
                                      few_steps,  in_pieces,  morning};
    int count[PT_VERDICTS];
    (void)state;
    for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
        rule(ended[i], NAN, count);
        for (int v = 0; v < PT_VERDICTS; v++)
            assert_true(count[v] == 0 || !pt_verdict_alarms((enum pt_verdict)v));
    }
    /* nor is there haste: it may stand for good */
    rule(full_at_80, TIGHT, count);
    assert_int_equal(count[PT_FAST_GROWTH], 0);
    rule(full_at_45, TIGHT, count);
    assert_int_equal(count[PT_UNDETERMINED], 0);
    rule(few_steps, TIGHT, count);
    assert_int_equal(count[PT_UNDETERMINED], 0);
}

/* Eight rises of any size, at any time or at any age: of five hundred such none is on a line. */
static uint64_t chance;

static double uniform(void)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (double)(chance >> 11) / 9007199254740992.0;
}

static double by_chance(double x, double by_age)
{
    static double at[8], size[8];
    double v = 0;
    for (int i = 0; i < 8; i++) {
        if (x <= 0) {
            at[i] = by_age > 0 ? pow(16, -uniform()) : uniform();
            size[i] = uniform() * (by_age > 0 ? at[i] : 1) / 4;
        }
        v += x > at[i] ? size[i] : 0;
    }
    return v;
}

static void rises_by_chance_are_no_leak(void **state)
{
    struct pt_levels l;
    int many = 0;
    (void)state;
    chance = 7;
    for (int i = 0; i < 500; i++) {
        levels(by_chance, i % 2, &l);
        many += l.n >= 6;
        assert_false(pt_levels_leak(&l));
    }
    assert_true(many > 25);
}

/* Levels off the line, as of a heap that slows down; the newest of them counts, and how old the
 * first is. */
static void off_the_line_is_no_leak(void **state)
{
    static shape_fn *const slower[] = {ever_slower, in_pieces, morning, late_root};
    struct pt_levels l;
    (void)state;
    for (size_t k = 0; k < sizeof(slower) / sizeof(slower[0]); k++) {
        for (int i = 0; i < PHASES; i++) {
            levels(slower[k], (double)i / PHASES, &l);
            assert_true(l.off > 0.08);
            assert_false(pt_levels_leak(&l));
        }
    }
    for (int i = 0; i < PHASES; i++) {
        levels(doubling, (double)i / PHASES, &l);
        assert_true(l.off < 0.05);
        levels(slowing, (double)i / PHASES, &l);
        assert_true(l.off > 0.15);
        assert_false(pt_levels_leak(&l));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_counted_by_age),
        cmocka_unit_test(what_doubles_is_no_step),
        cmocka_unit_test(what_doubles_does_not_end_meanwhile),
        cmocka_unit_test(what_ended_is_no_leak),
        cmocka_unit_test(rises_by_chance_are_no_leak),
        cmocka_unit_test(off_the_line_is_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
