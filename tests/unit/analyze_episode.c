/* SPDX-License-Identifier: MIT
 * Episodes of swap at the edges of their rules: what joins and what parts them, with bins finer
 * than usual, what an episode says of its bins, and which of many are looked into. */
#include "tests/unit/analyze_bins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct wide {
    double width;
    struct span span;
};

/* "STATE FROM-TO, ..." */
static void episodes_are(size_t which, const char *want)
{
    char got[512] = "";
    size_t n = 0;
    find();
    for (size_t i = 0; i < found.n; i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s %g-%g", i ? ", " : "",
                              pt_swap_state_name(found.v[i].state), found.v[i].from, found.v[i].to);
    if (strcmp(got, want) != 0)
        fail_msg("case %zu: '%s', not '%s'", which, got, want);
}

static void what_joins_and_what_parts(void **state)
{
    static const struct {
        struct wide v[6];
        const char *want;
    } cases[] = {
        /* a quarter of a minute of rest within churn; more is an end */
        {{{5, {.n = 12, .in = 4, .out = 4, .some = 0.03f}},
          {5, {.n = 3}},
          {5, {.n = 12, .in = 4, .out = 4, .some = 0.03f}}},
         "churn 0-135"},
        {{{5, {.n = 12, .in = 4, .out = 4, .some = 0.03f}},
          {5, {.n = 4}},
          {5, {.n = 12, .in = 4, .out = 4, .some = 0.03f}}},
         "churn 0-60, parked 60-80, churn 80-140"},
        {{{5, {.n = 12, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f}},
          {5, {.n = 3}},
          {5, {.n = 12, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f}}},
         "thrash 0-135"},
        {{{5, {.n = 12, .out = 5, .some = 0.005f}},
          {5, {.n = 3}},
          {5, {.n = 12, .out = 5, .some = 0.005f}}},
         "swap-out-pressure 0-135"},
        /* what is worse lies between: it stays itself */
        {{{5, {.n = 12, .out = 5, .some = 0.005f}},
          {5, {.n = 12, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f}},
          {5, {.n = 12, .out = 5, .some = 0.005f}}},
         "swap-out-pressure 0-60, thrash 60-120, swap-out-pressure 120-180"},
        /* 25 seconds next to worse belong to that; 30 are their own */
        {{{5, {.n = 5, .out = 5, .some = 0.005f}},
          {5, {.n = 12, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f}}},
         "thrash 0-85"},
        {{{5, {.n = 6, .out = 5, .some = 0.005f}},
          {5, {.n = 12, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f}}},
         "swap-out-pressure 0-30, thrash 30-90"},
        /* a burst of 20 seconds parts nothing, one of 25 does where it moved enough */
        {{{5, {.n = 20}}, {5, {.n = 4, .in = 6}}, {5, {.n = 20}}}, "parked 0-220"},
        {{{5, {.n = 20}}, {5, {.n = 5, .in = 6}}, {5, {.n = 20}}}, "parked 0-100, parked 125-225"},
        /* a little for a minute neither, where it is little beside the whole */
        {{{10, {.n = 60}}, {10, {.n = 6, .in = 0.12f}}, {10, {.n = 60}}}, "parked 0-1260"},
        {{{10, {.n = 60}}, {10, {.n = 7, .in = 0.12f}}, {10, {.n = 60}}},
         "parked 0-600, parked 670-1270"},
        {{{10, {.n = 6}}, {10, {.n = 6, .in = 0.4f}}, {10, {.n = 6}}},
         "parked 0-60, parked 120-180"},
        /* rates and stalls of what is parked */
        {{{10, {.n = 6, .in = 0.09f}}}, "parked 0-60"},
        {{{10, {.n = 6, .in = 0.11f}}}, ""},
        {{{10, {.n = 6, .in = 0.05f, .some = 0.0009f}}}, "parked 0-60"},
        {{{10, {.n = 6, .in = 0.05f, .some = 0.0011f}}}, ""},
        {{{10, {.n = 6, .in = 0.007f, .some = 0.05f}}}, "parked 0-60"},
        {{{10, {.n = 6, .in = 0.009f, .some = 0.05f}}}, ""},
        /* one bin is enough, if it is not cut short */
        {{{9, {.n = 1}}}, "parked 0-9"},
        {{{8, {.n = 1}}}, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        for (size_t k = 0; k < COUNT(cases[i].v); k++)
            add_wide(cases[i].v[k].span, cases[i].v[k].width);
        episodes_are(i, cases[i].want);
    }
}

static void set(enum pt_swap_column column, float value)
{
    for (size_t i = 0; i < nbins; i++)
        bins[i].v[column] = value;
}

/* Swap counts as used from a MiB on. */
static void little_in_swap_is_none(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 6});
    set(PT_SWAP_FREE, 2 * GIB_KIB - 1024);
    episodes_are(0, "parked 0-60");
    set(PT_SWAP_FREE, 2 * GIB_KIB - 1023);
    episodes_are(1, "");
    /* nor does it go on where it was emptied for a while */
    set(PT_SWAP_FREE, GIB_KIB);
    bins[3].v[PT_SWAP_FREE] = 2 * GIB_KIB;
    episodes_are(2, "parked 0-30, parked 40-60");
}

/* The page cache, 2 GiB, once in ten seconds, half of it in five; and no memory for it: somebody
 * reclaims by himself, or swap is nearly full. */
static void files_read_again(void **state)
{
    enum { HALF = 1 << 18 }; /* of its pages */
    (void)state;
    begin();
    add_wide((struct span){.n = 12}, 5);
    set(PT_SWAP_REFAULT_FILE, HALF);
    set(PT_SWAP_SCAN_DIRECT, 1);
    episodes_are(0, "thrash 0-60");
    set(PT_SWAP_REFAULT_FILE, HALF - 16);
    episodes_are(1, "parked 0-60");
    set(PT_SWAP_REFAULT_FILE, HALF);
    set(PT_SWAP_SCAN_DIRECT, 0);
    episodes_are(2, "parked 0-60");
    set(PT_SWAP_FREE, 0.09f * 2 * GIB_KIB);
    episodes_are(3, "thrash 0-60");
    set(PT_SWAP_FILE_ACTIVE, 0);
    set(PT_SWAP_FILE_INACTIVE, 0);
    set(PT_SWAP_REFAULT_FILE, 0);
    episodes_are(4, "parked 0-60"); /* nothing, of nothing */
    /* stalls in which files alone are read again */
    begin();
    add((struct span){.n = 6, .some = 0.4f, .full = 0.3f});
    episodes_are(5, "parked 0-60");
    set(PT_SWAP_REFAULT_FILE, 0.2f * MIB_PAGES * 10);
    episodes_are(6, "thrash 0-60");
    set(PT_SWAP_REFAULT_FILE, NAN);
    episodes_are(7, "parked 0-60");
}

static void exhaustion_beside_thrash(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 6, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f});
    set(PT_SWAP_FREE, 0.09f * 2 * GIB_KIB);
    set(PT_SWAP_AVAILABLE, 0.09f * 8 * GIB_KIB);
    episodes_are(0, "thrash 0-60, exhaustion-risk 0-60"); /* side by side, the worst last */
    add_hole(30);
    add((struct span){.n = 2});
    set(PT_SWAP_FREE, 0);
    set(PT_SWAP_AVAILABLE, 0);
    episodes_are(1, "thrash 0-60, exhaustion-risk 0-60, exhaustion-risk 90-110");
    set(PT_SWAP_TOTAL, 0); /* no swap: it cannot run out */
    episodes_are(2, "thrash 0-60");
}

/* ---- what an episode says ---- */

static void sums_of_what_is_known(void **state)
{
    struct pt_swap_episode e = {.state = PT_SWAP_CHURN};
    (void)state;
    begin();
    add((struct span){.n = 3, .in = 4, .out = 2, .some = 0.1f, .full = 0.05f});
    add_wide((struct span){.n = 1, .in = 6, .out = 8}, 20);
    for (size_t i = 0; i < nbins; i++) {
        const float k = (float)i + 1;
        bins[i].v[PT_SWAP_SCAN_DIRECT] = k;
        bins[i].v[PT_SWAP_STEAL_DIRECT] = 10 * k;
        bins[i].v[PT_SWAP_SCAN_KSWAPD] = 100 * k;
        bins[i].v[PT_SWAP_STEAL_KSWAPD] = 1000 * k;
        bins[i].v[PT_SWAP_FREE] = GIB_KIB - 1024 * (i == 2 ? 50 : k);
    }
    bins[0].v[PT_SWAP_IN] = bins[0].v[PT_SWAP_OUT] = NAN;
    bins[3].v[PT_SWAP_FREE] = NAN;
    pt_swap_episode_sum(bins, 0, nbins, PAGE, &e);
    assert_int_equal(e.state, PT_SWAP_CHURN);
    const double mib = 1048576;
    const struct {
        const char *what;
        double got, want;
    } sums[] = {{"from", e.from, 0},
                {"to", e.to, 50},
                {"in", e.in, 200 * mib},
                {"out", e.out, 200 * mib},
                {"peak in", e.peak_in, 6 * mib},
                {"its time", e.peak_in_at, 30},
                {"peak out", e.peak_out, 8 * mib},
                {"some", e.some, 3},
                {"full", e.full, 1.5},
                {"refault", e.refault, 1},
                {"restore", e.restore, 0.5},
                {"scan direct", e.scan_direct, 10},
                {"steal direct", e.steal_direct, 100},
                {"scan kswapd", e.scan_kswapd, 1000},
                {"steal kswapd", e.steal_kswapd, 10000},
                {"used from", e.used_from, 1025 * mib},
                {"used to", e.used_to, 1074 * mib},
                {"used most", e.used_most, 1074 * mib},
                {"average", e.average, 20}};
    for (size_t i = 0; i < COUNT(sums); i++)
        if (!(fabs(sums[i].got - sums[i].want) <= 1e-5 * fabs(sums[i].want)))
            fail_msg("%s: %g, not %g", sums[i].what, sums[i].got, sums[i].want);
    pt_swap_episode_sum(bins, 0, 1, PAGE, &e); /* the first of a peak may not be known */
    assert_true(isnan(e.peak_in) && isnan(e.peak_in_at) && isnan(e.in) && isnan(e.refault));
    pt_swap_episode_sum(bins, 2, 2, PAGE, &e);
    assert_true(e.from <= 0 && e.to <= 0 && isnan(e.some) && isnan(e.used_most));
    forget(PT_SWAP_RESTORE_ANON);
    pt_swap_episode_sum(bins, 0, nbins, PAGE, &e);
    assert_true(isnan(e.restore) && !isnan(e.refault));
    set(PT_SWAP_REFAULT_ANON, 0); /* nothing had been evicted lately */
    set(PT_SWAP_RESTORE_ANON, 0);
    pt_swap_episode_sum(bins, 0, nbins, PAGE, &e);
    assert_true(isnan(e.restore) && e.refault <= 0);
}

/* By the time lost, else by what was moved, else by how long it took, else the first. */
static void the_worst_of_two(void **state)
{
    static const struct {
        struct pt_swap_episode v[2];
        int worst;
    } cases[] = {
        {{{.some = 5, .in = 1, .out = 1, .to = 9}, {.some = 6, .to = 1}}, 1},
        {{{.some = 5, .in = 10, .out = 0}, {.some = 5, .in = 5, .out = 6}}, 1},
        {{{.some = 5, .in = 6, .out = 6}, {.some = 5, .in = 5, .out = 6}}, 0},
        {{{.some = NAN, .in = 9}, {.some = 0}}, 1}, /* not known is less than none */
        {{{.some = 5, .in = NAN, .to = 8}, {.some = 5, .in = NAN, .from = 5, .to = 14}}, 1},
        {{{.some = 5, .from = 1, .to = 9}, {.some = 5, .from = 20, .to = 28}}, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pt_swap_episode v[2] = {cases[i].v[0], cases[i].v[1]};
        const struct pt_swap_episodes e = {.v = v, .n = 2};
        bool worst[2];
        v[0].state = v[1].state = PT_SWAP_CHURN;
        assert_int_equal(pt_swap_episodes_worst(&e, 1, worst), 0);
        if (worst[0] == worst[1] || !worst[cases[i].worst])
            fail_msg("case %zu", i);
        assert_int_equal(pt_swap_episodes_worst(&e, 2, worst), 0);
        assert_true(worst[0] && worst[1]);
        assert_int_equal(pt_swap_episodes_worst(&e, 0, worst), 0);
        assert_false(worst[0] || worst[1]);
    }
}

static int done(void **state)
{
    (void)state;
    pt_swap_episodes_release(&found);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_joins_and_what_parts), cmocka_unit_test(little_in_swap_is_none),
        cmocka_unit_test(files_read_again),          cmocka_unit_test(exhaustion_beside_thrash),
        cmocka_unit_test(sums_of_what_is_known),     cmocka_unit_test(the_worst_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
