/* SPDX-License-Identifier: MIT
 * The governor: what it spends, and whom it prefers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/governor.h"

#define SECOND INT64_C(1000000)

static void spends_its_share(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, PT_GOV_SHARE_PPM, 0);
    assert_true(pt_gov_broke(&g));
    int64_t spent = 0;
    for (int tick = 0; tick < 360; tick++) {
        pt_gov_earn(&g, 10 * SECOND);
        while (!pt_gov_broke(&g)) {
            pt_gov_charge(&g, 3000); /* predicted too low */
            pt_gov_settle(&g, 3000, 7000);
            spent += 7000;
        }
    }
    /* 0.5% of an hour is 18 s; one read may overdraw */
    assert_in_range(spent, 17900000, 18010000);
}

static void idle_time_is_capped(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, PT_GOV_SHARE_PPM, 0);
    for (int day = 0; day < 10; day++)
        pt_gov_earn(&g, 86400 * SECOND);
    assert_in_range(g.credit_us, 1, 300000);
}

static void prefers(void **state)
{
    (void)state;
    const struct pt_gov_case newborn = {.rss_kb = 5000};
    const struct pt_gov_case growing = {
        .last_cost_us = 900, .rss_kb = 50000, .growth_kb = 4096, .age_us = 10 * SECOND};
    const struct pt_gov_case slower = {
        .last_cost_us = 900, .rss_kb = 50000, .growth_kb = 64, .age_us = 10 * SECOND};
    const struct pt_gov_case idle = {.last_cost_us = 900, .rss_kb = 50000, .age_us = 10 * SECOND};
    const struct pt_gov_case stale = {
        .last_cost_us = 900, .rss_kb = 50000, .age_us = 1800 * SECOND};
    const struct pt_gov_case waiting = {
        .last_cost_us = 900, .rss_kb = 500, .age_us = 3601 * SECOND};
    const struct pt_gov_case dear = {
        .last_cost_us = 90000, .rss_kb = 5 << 20, .growth_kb = 1 << 20, .age_us = 60 * SECOND};
    const struct pt_gov_case dear_stale = {
        .last_cost_us = 90000, .rss_kb = 5 << 20, .age_us = 3700 * SECOND};
    const struct pt_gov_case huge = {
        .last_cost_us = 900000, .rss_kb = 64 << 20, .age_us = 86400 * SECOND};
    assert_true(pt_gov_score(&newborn) > pt_gov_score(&growing));
    assert_true(pt_gov_score(&growing) > pt_gov_score(&slower));
    assert_true(pt_gov_score(&slower) > 0);
    assert_true(pt_gov_score(&idle) < 0);
    assert_true(pt_gov_score(&stale) > 0);
    assert_true(pt_gov_score(&waiting) > pt_gov_score(&newborn));
    assert_true(pt_gov_score(&dear) < 0);
    assert_true(pt_gov_score(&dear_stale) > 0);
    assert_true(pt_gov_score(&huge) < 0);
}

static void predicts(void **state)
{
    (void)state;
    assert_int_equal(pt_gov_predict(&(struct pt_gov_case){.last_cost_us = 1234, .rss_kb = 1 << 20}),
                     1234);
    assert_in_range(pt_gov_predict(&(struct pt_gov_case){.rss_kb = 1 << 20}), 8000, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spends_its_share),
        cmocka_unit_test(idle_time_is_capped),
        cmocka_unit_test(prefers),
        cmocka_unit_test(predicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
