/* SPDX-License-Identifier: MIT
 * The governor, call by call: what averages, loans, orders, triggers and intervals come to in
 * numbers. recorder_governor.c has whole machines. Units: microseconds, KiB. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/governor.h"

#define SECOND INT64_C(1000000)
#define PPM    10000 /* one percent: of ten seconds 100 ms, of which the cheap tier may take 75 */

static struct pt_gov fresh(void)
{
    struct pt_gov g;
    pt_gov_init(&g, PPM, 10 * SECOND, 20000);
    return g;
}

static struct pt_gov_tick tick_of(int64_t fixed, int64_t store, int64_t process, uint32_t visited)
{
    return (struct pt_gov_tick){.fixed_us = fixed,
                                .store_us = store,
                                .process_us = process,
                                .visited = visited,
                                .processes = 600};
}

static void is(double got, double want)
{
    if (!(fabs(got - want) < 1e-6 * fmax(1, fabs(want))))
        fail_msg("%.9g, not %.9g", got, want);
}

/* The first tick counts as it is, the next ones by an eighth, storing by a thirty-second. */
static void averages(void **state)
{
    struct pt_gov g = fresh();
    const struct pt_gov_tick first = tick_of(800, 3200, 1000, 100),
                             next = tick_of(1600, 6400, 3600, 200),
                             nobody = tick_of(900, 3300, 5000, 0);
    (void)state;
    pt_gov_note(&g, &first);
    is(g.fixed_us, 800);
    is(g.store_us, 3200);
    is(g.process_us, 10);
    is(g.need_us, 800 + 3200 + 10 * 600 / 6.0); /* a sixth of all in a tick */
    pt_gov_note(&g, &next);
    is(g.fixed_us, 900);
    is(g.store_us, 3300);
    is(g.process_us, 11);
    pt_gov_note(&g, &nobody);
    is(g.fixed_us, 900);
    is(g.process_us, 11);
    is(g.need_us, 900 + 3300 + 1100);
    /* where storing is nearly all, it takes no more than half of what is earned */
    struct pt_gov dear = fresh();
    const struct pt_gov_tick seal = tick_of(100, 40000, 100, 100);
    pt_gov_note(&dear, &seal);
    is(dear.need_us, 40000 * 0.75 / 0.5);
}

static void what_a_tick_may_look_at(void **state)
{
    struct pt_gov g = fresh();
    (void)state;
    assert_true(pt_gov_quota(&g) == INT64_MAX);
    const struct pt_gov_tick cheap = tick_of(5000, 20000, 100, 100),
                             dear = tick_of(60000, 10000, 100, 100);
    pt_gov_note(&g, &cheap);
    assert_int_equal(g.stretch, 1);
    assert_int_equal(pt_gov_quota(&g), 75000 - 5000 - 20000);
    g.stretch = 2;
    assert_int_equal(pt_gov_quota(&g), 150000 - 5000 - 20000);
    g = fresh();
    pt_gov_note(&g, &dear); /* an eighth in any case */
    assert_int_equal(pt_gov_quota(&g), 75000 / 8);
}

/* What is lent and what is ordered, until the next pass. */
static void loans_and_orders(void **state)
{
    struct pt_gov g = fresh();
    (void)state;
    assert_true(pt_gov_broke(&g));
    g.credit_us = 10;
    assert_false(pt_gov_broke(&g));
    pt_gov_order(&g, 9);
    assert_false(pt_gov_broke(&g));
    pt_gov_order(&g, 1);
    assert_true(pt_gov_broke(&g));
    pt_gov_lend(&g, 11);
    assert_int_equal(g.loan_us, 1);
    assert_false(pt_gov_broke(&g));
    pt_gov_lend(&g, 5); /* there is as much already */
    assert_int_equal(g.loan_us, 1);
    pt_gov_back(&g, 10);
    assert_int_equal(g.ordered_us, 0);
    assert_int_equal(g.loan_us, -9);
    assert_false(pt_gov_broke(&g));
    pt_gov_pass(&g, 0, 5, 0, 0);
    assert_int_equal(g.loan_us, 0);
    assert_int_equal(g.credit_us, 5);
}

/* Triggers' use comes back by what the cheap tier leaves; never more than twice what is too much.
 */
static void triggers(void **state)
{
    struct pt_gov g = fresh();
    (void)state;
    g.need_us = 25000; /* a quarter of the budget */
    pt_gov_alarm(&g, 1500000);
    assert_false(pt_gov_overdrawn(&g));
    pt_gov_alarm(&g, 1);
    assert_true(pt_gov_overdrawn(&g));
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.alarm_us, 1500001 - 75000);
    g.stretch = 2; /* an eighth */
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.alarm_us, 1500001 - 75000 - 87500);
    g.need_us = 1e9; /* three quarters at most */
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.alarm_us, 1500001 - 75000 - 87500 - 25000);
    for (int i = 0; i < 10; i++)
        pt_gov_alarm(&g, 1000000);
    assert_int_equal(g.alarm_us, 3000000);
    pt_gov_forgive(&g);
    assert_int_equal(g.alarm_us, 0);
}

/* Storing is paid for by half of what is earned, before and after; the rest of a tick at once. */
static void storing_is_paid_by_half(void **state)
{
    struct pt_gov g = fresh();
    (void)state;
    pt_gov_pass(&g, 10 * SECOND, 30000, 20000, 0); /* 100 ms earned */
    assert_int_equal(g.credit_us, 100000 - 10000 - 20000);
    assert_int_equal(g.unpaid_us, 0);
    g = fresh();
    pt_gov_pass(&g, 10 * SECOND, 90000, 80000, 0);
    assert_int_equal(g.credit_us, 100000 - 10000 - 50000);
    assert_int_equal(g.unpaid_us, 30000);
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.unpaid_us, 0);
    assert_int_equal(g.credit_us, 40000 + 100000 - 30000);
    /* saved for what will come, and given back when it does not */
    g = fresh();
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 70000);
    assert_int_equal(g.unpaid_us, -50000);
    assert_int_equal(g.credit_us, 50000);
    pt_gov_pass(&g, 0, 0, 0, 20000);
    assert_int_equal(g.unpaid_us, -20000);
    assert_int_equal(g.credit_us, 80000);
}

/* The interval grows at once by as much as it takes, and shrinks by one after thirty of the
 * intervals asked for in a row that a shorter one would have done for. */
static void intervals(void **state)
{
    struct pt_gov g = fresh();
    const struct pt_gov_tick dear = tick_of(74000 + 75000, 0, 600, 600),
                             even = tick_of(130000, 0, 600, 600),
                             easy = tick_of(40000, 0, 600, 600);
    (void)state;
    pt_gov_note(&g, &dear);
    assert_int_equal(pt_gov_stretch(&g), 2);
    for (int i = 0; i < 12; i++) {
        g.fixed_us = 40000;
        pt_gov_note(&g, &easy);
        assert_int_equal(pt_gov_stretch(&g), 2);
    }
    g.fixed_us = 130000;
    pt_gov_note(&g, &even); /* one that needs them: the count begins anew */
    for (int i = 0; i < 14; i++) {
        g.fixed_us = 40000;
        pt_gov_note(&g, &easy);
        assert_int_equal(pt_gov_stretch(&g), 2);
    }
    pt_gov_note(&g, &easy);
    assert_int_equal(pt_gov_stretch(&g), 1);
    g.owes = true;
    assert_int_equal(pt_gov_stretch(&g), 2);
    g.stretch = PT_GOV_STRETCH_MAX;
    assert_int_equal(pt_gov_stretch(&g), PT_GOV_STRETCH_MAX);
}

/* Predictions go by size, and from what it took by what it was. */
static void predictions(void **state)
{
    static const struct {
        struct pt_gov_case c;
        int64_t us;
    } cases[] = {
        {{.rss_kb = 0}, 300},
        {{.rss_kb = 1 << 20}, 8300},
        {{.cost_us = 200, .was_kb = 1024, .rss_kb = 1 << 20}, 200}, /* all of it base */
        {{.cost_us = 2300, .was_kb = 1024, .rss_kb = 3072}, 300 + 4000},
        {{.cost_us = 2300, .was_kb = 3072, .rss_kb = 1024}, 300 + 1000},
        {{.cost_us = 1, .was_kb = 0, .rss_kb = 1 << 30}, 1},
        {{.cost_us = 1300, .was_kb = 0, .rss_kb = 1 << 30}, 300 + 100000}, /* a hundredfold */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (pt_gov_predict(&cases[i].c) != cases[i].us)
            fail_msg("case %zu: %lld", i, (long long)pt_gov_predict(&cases[i].c));
}

/* Due is who grew by a sixteenth and a MiB, or is an hour old, and was not read this minute. */
static void who_is_due(void **state)
{
    enum { HOUR = 3600 };
    static const struct {
        struct pt_gov_case c;
        enum pt_gov_mood mood;
        enum pt_gov_say say;
    } cases[] = {
        {{.rss_kb = 1024}, PT_GOV_ROUTINE, PT_GOV_DUE}, /* never read */
        {{1000, 1, 16384, 16384, HOUR * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE},
        {{1000, 1, 16384, 16384, HOUR * SECOND - SECOND}, PT_GOV_ROUTINE, PT_GOV_NO},
        {{1000, 1, 16384, 16384 + 2300, 60 * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE},
        {{1000, 1, 16384, 16384 + 2300, 60 * SECOND - 1}, PT_GOV_ROUTINE, PT_GOV_NO},
        {{1000, 1, 16384, 16384 + 2100, 60 * SECOND}, PT_GOV_ROUTINE, PT_GOV_NO},
        {{1000, 1, 16384 + 2300, 16384, 60 * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE}, /* shrank */
        {{1000, 1, 16384, 16385, SECOND}, PT_GOV_EAGER, PT_GOV_DUE},
        {{1000, 1, 16384, 16384, SECOND}, PT_GOV_EAGER, PT_GOV_NO},
        /* who would be held up waits an hour, or ten minutes where it was never tried */
        {{30000, 20000, 1024, 1024, HOUR * SECOND}, PT_GOV_DENSE, PT_GOV_DUE},
        {{30000, 20001, 1024, 1024, HOUR * SECOND}, PT_GOV_DENSE, PT_GOV_STALLS},
        {{30000, 20001, 1024, 1024, HOUR * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE},
        {{30000, 20001, 1024, 9024, HOUR * SECOND - 1}, PT_GOV_ROUTINE, PT_GOV_STALLS},
        {{30000, 20001, 1024, 1025, SECOND}, PT_GOV_ASKED, PT_GOV_DUE},
        {{.rss_kb = 4 << 20, .age_us = 600 * SECOND - 1}, PT_GOV_ROUTINE, PT_GOV_STALLS},
        {{.rss_kb = 4 << 20, .age_us = 600 * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE},
        /* and a quarter of a second is never taken but by who asks for all */
        {{250000, 1, 1024, 1024, HOUR * SECOND}, PT_GOV_ROUTINE, PT_GOV_DUE},
        {{250001, 1, 1024, 1024, HOUR * SECOND}, PT_GOV_ROUTINE, PT_GOV_STALLS},
    };
    const struct pt_gov g = fresh();
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double score = 0;
        const enum pt_gov_say say = pt_gov_weigh(&g, &cases[i].c, cases[i].mood, &score);
        if (say != cases[i].say || (say == PT_GOV_DUE) != (score > 0))
            fail_msg("case %zu: %d, %g", i, (int)say, score);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages),
        cmocka_unit_test(what_a_tick_may_look_at),
        cmocka_unit_test(loans_and_orders),
        cmocka_unit_test(triggers),
        cmocka_unit_test(storing_is_paid_by_half),
        cmocka_unit_test(intervals),
        cmocka_unit_test(predictions),
        cmocka_unit_test(who_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
