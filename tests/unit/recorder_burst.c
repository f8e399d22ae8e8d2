/* SPDX-License-Identifier: MIT
 * Bursts: begin, last, end, the day's budget; low memory with its hysteresis; pressure by totals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/burst.h"

#define S   INT64_C(1000000)
#define DAY (86400 * S)

static void begins_and_ends(void **state)
{
    (void)state;
    struct pt_burst b;
    pt_burst_init(&b, 60 * S, 24);
    assert_false(pt_burst_ends(&b, 5 * S));
    assert_int_equal(pt_burst_trigger(&b, 10 * S), PT_BURST_BEGINS);
    assert_true(b.on);
    assert_int_equal(b.until_us, 70 * S);
    assert_false(pt_burst_ends(&b, 70 * S - 1));
    assert_true(pt_burst_ends(&b, 70 * S));
    assert_false(pt_burst_ends(&b, 71 * S)); /* told once */
    assert_int_equal(pt_burst_trigger(&b, 80 * S), PT_BURST_BEGINS);
}

/* A trigger prolongs the burst from its own time on; it does not add a whole one. */
static void prolongs(void **state)
{
    (void)state;
    struct pt_burst b;
    pt_burst_init(&b, 60 * S, 24);
    pt_burst_trigger(&b, 10 * S);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pt_burst_trigger(&b, 30 * S), PT_BURST_LASTS);
    assert_int_equal(b.until_us, 90 * S);
    assert_int_equal(b.triggers, 101);
    assert_int_equal(b.used_us, 80 * S);
    assert_true(pt_burst_ends(&b, 90 * S));
}

/* Pressure without end: no day has more dense time than its budget, whenever triggers come. */
static void budget(void **state)
{
    (void)state;
    for (int64_t every = 1; every < 200; every = every * 3 + 1) {
        struct pt_burst b;
        pt_burst_init(&b, 60 * S, 5);
        int64_t dense = 0;
        int refused = 0;
        for (int64_t second = every; second < 86400; second++) {
            dense += b.on;
            pt_burst_ends(&b, second * S);
            if (second % every == 0)
                refused += pt_burst_trigger(&b, second * S) == PT_BURST_REFUSED;
        }
        assert_int_equal(b.used_us, 300 * S);
        assert_int_equal(dense, 300);
        assert_int_equal(refused, 1);
        assert_int_equal(pt_burst_trigger(&b, 2 * DAY), PT_BURST_BEGINS); /* the next day */
    }
}

/* A burst that ends sooner than its last trigger called for, because the day's budget is spent. */
static void cut(void **state)
{
    (void)state;
    struct pt_burst b;
    pt_burst_init(&b, 60 * S, 2);
    pt_burst_trigger(&b, 10 * S);
    pt_burst_trigger(&b, 60 * S); /* all there is, and no more wanted */
    pt_burst_trigger(&b, 70 * S);
    pt_burst_ends(&b, 130 * S);
    assert_false(pt_burst_cut(&b, 130 * S));
    pt_burst_init(&b, 60 * S, 2);
    for (int64_t second = 10; second <= 100; second += 45)
        pt_burst_trigger(&b, second * S);
    assert_int_equal(b.until_us, 130 * S);
    assert_true(pt_burst_ends(&b, 130 * S));
    assert_true(pt_burst_cut(&b, 130 * S));
    assert_false(pt_burst_cut(&b, 130 * S)); /* told once a day */
    assert_int_equal(pt_burst_trigger(&b, 140 * S), PT_BURST_SPENT);
    assert_int_equal(pt_burst_trigger(&b, DAY + 10 * S), PT_BURST_BEGINS);
    assert_true(pt_burst_ends(&b, DAY + 70 * S));
    assert_false(pt_burst_cut(&b, DAY + 70 * S));
}

static void never(void **state)
{
    (void)state;
    struct pt_burst b;
    pt_burst_init(&b, 0, 24);
    assert_int_equal(pt_burst_trigger(&b, S), PT_BURST_OFF);
    pt_burst_init(&b, 60 * S, 0);
    assert_int_equal(pt_burst_trigger(&b, S), PT_BURST_OFF);
    pt_burst_init(&b, 3600 * S, INT64_MAX);
    assert_int_equal(pt_burst_trigger(&b, S), PT_BURST_BEGINS);
    assert_int_equal(b.until_us, 3601 * S);
}

static void low(void **state)
{
    (void)state;
    struct pt_low l = {0};
    assert_int_equal(pt_low_limit_kb(1000000, 0), 30000);
    assert_int_equal(pt_low_limit_kb(1000000, 50000), 50000);
    assert_true(pt_low_limit_kb(-1, 50000) < 0);
    assert_true(pt_low_limit_kb(INT64_MIN, 0) < 0);
    assert_false(pt_low_falls(&l, 30000, 30000));
    assert_true(pt_low_falls(&l, 29999, 30000));
    assert_false(pt_low_falls(&l, 29000, 30000));
    assert_false(pt_low_falls(&l, 44999, 30000)); /* not over 1.5 times: still the same fall */
    assert_false(pt_low_falls(&l, 29000, 30000));
    assert_false(pt_low_falls(&l, 45000, 30000));
    assert_true(pt_low_falls(&l, 29000, 30000));
    assert_false(pt_low_falls(&l, INT64_MIN, 30000)); /* unknown is not low */
    l.low = false;
    assert_false(pt_low_falls(&l, 1, -1));
}

static void psi(void **state)
{
    (void)state;
    assert_true(pt_psi_over(0, 150000, 2 * S));
    assert_false(pt_psi_over(0, 149999, 1 * S));
    assert_false(pt_psi_over(0, 150000, 2 * S + 1000));
    assert_true(pt_psi_over(1000000, 1000000 + 750000, 10 * S));
    assert_false(pt_psi_over(1000000, 1000000 + 749000, 10 * S));
    assert_false(pt_psi_over(-1, 750000, 10 * S));
    assert_false(pt_psi_over(750000, 0, 10 * S)); /* it was reset */
    assert_false(pt_psi_over(0, INT64_MAX, 0));
    assert_true(pt_psi_over(0, INT64_MAX, INT64_MAX));
}

/* A storm of days: triggers that took no snapshot are all counted, and told ever more rarely, until
 * there is an hour without one. */
static void untold(void **state)
{
    (void)state;
    static const int64_t waits[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    struct pt_untold u = {0};
    int64_t now = 1000 * S, in;
    assert_int_equal(pt_untold_take(&u, now, true, &in), 0);
    for (int storm = 0; storm < 2; storm++) {
        uint32_t added = 0, taken = 0;
        for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
            uint32_t got = 0;
            for (int64_t second = 0; second <= waits[i]; second += 2, added++, now += 2 * S) {
                assert_int_equal(got, 0); /* not before its time */
                pt_untold_add(&u, now);
                got = pt_untold_take(&u, now, false, &in);
            }
            assert_int_equal(got, waits[i] / 2 + 1);
            assert_int_equal(in, waits[i] * S);
            taken += got;
        }
        assert_int_equal(taken, added);
        assert_int_equal(pt_untold_take(&u, now + DAY, false, &in), 0);
        now += 3600 * S;
    }
    /* few and far between they are told as rarely */
    struct pt_untold rare = {0};
    int told = 0;
    for (int64_t second = 300; second < 86400; second += 300) {
        pt_untold_add(&rare, second * S);
        for (int64_t k = 0; k < 300; k += 10)
            told += pt_untold_take(&rare, (second + k) * S, false, &in) > 0;
    }
    assert_in_range(told, 24, 30);
    /* what waits when the recording ends is told then */
    pt_untold_add(&rare, 86400 * S);
    pt_untold_add(&rare, 86401 * S);
    assert_true(pt_untold_take(&rare, 86403 * S, true, &in) >= 2);
    assert_int_equal(pt_untold_take(&rare, 86403 * S, true, &in), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_and_ends),
        cmocka_unit_test(prolongs),
        cmocka_unit_test(budget),
        cmocka_unit_test(never),
        cmocka_unit_test(cut),
        cmocka_unit_test(low),
        cmocka_unit_test(psi),
        cmocka_unit_test(untold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
