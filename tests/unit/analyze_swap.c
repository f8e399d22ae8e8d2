/* SPDX-License-Identifier: MIT
 * Episodes of swap, from bins made here: each state at its rule and below it, holes, what is not
 * known, and bins coarser than the rules. Units: seconds, MiB a second. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/analyze_bins.h"

static void is_episode(size_t i, enum pt_swap_state state, double from, double to)
{
    assert_true(i < found.n);
    assert_string_equal(pt_swap_state_name(found.v[i].state), pt_swap_state_name(state));
    assert_float_equal(found.v[i].from, from, 1e-6);
    assert_float_equal(found.v[i].to, to, 1e-6);
}

static const struct span quiet = {.n = 6};
static const struct span out = {.n = 4, .out = 5, .some = 0.005f};
static const struct span churn = {.n = 6, .in = 4, .out = 4, .some = 0.03f};
static const struct span thrash = {.n = 6, .in = 20, .out = 20, .some = 0.5f, .full = 0.3f};

static void parked_is_one_episode(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 30});
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_PARKED, 0, 300);
    assert_float_equal(found.v[0].used_most, 1073741824.0, 1);
    assert_float_equal(found.v[0].in, 0, 0);
}

/* A page now and then does not part what is parked. */
static void parked_bears_a_little(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 20});
    add((struct span){.n = 1, .in = 0.3f, .some = 0.002f});
    add((struct span){.n = 20});
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_PARKED, 0, 410);
}

/* Much in a few seconds, out or back, is no state. */
static void bursts_part_nothing(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 10});
    add((struct span){.n = 2, .out = 60});
    add((struct span){.n = 10});
    add((struct span){.n = 1, .in = 6, .some = 0.01f});
    add((struct span){.n = 10});
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_PARKED, 0, 330);
    assert_float_equal(found.v[0].peak_out, 60.0 * 1048576, 1);
}

/* What stalls while nothing comes from swap is not swap's. */
static void stalls_of_others_leave_it_parked(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 20, .some = 0.05f, .full = 0.02f});
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_PARKED, 0, 200);
    begin();
    add((struct span){.n = 20, .in = 0.05f, .some = 0.05f});
    find();
    assert_int_equal(found.n, 0);
}

static void no_swap_is_nothing(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 20});
    for (size_t i = 0; i < nbins; i++)
        bins[i].v[PT_SWAP_TOTAL] = bins[i].v[PT_SWAP_FREE] = 0;
    find();
    assert_int_equal(found.n, 0);
    begin();
    find();
    assert_int_equal(found.n, 0);
}

static void each_state_is_told(void **state)
{
    (void)state;
    begin();
    add(quiet);
    add(out);
    add(quiet);
    add(churn);
    add(quiet);
    add(thrash);
    add(quiet);
    find();
    assert_int_equal(found.n, 7);
    is_episode(0, PT_SWAP_PARKED, 0, 60);
    is_episode(1, PT_SWAP_OUT_PRESSURE, 60, 100);
    is_episode(2, PT_SWAP_PARKED, 100, 160);
    is_episode(3, PT_SWAP_CHURN, 160, 220);
    is_episode(4, PT_SWAP_PARKED, 220, 280);
    is_episode(5, PT_SWAP_THRASH, 280, 340);
    is_episode(6, PT_SWAP_PARKED, 340, 400);
    assert_float_equal(found.v[5].peak_in, 20.0 * 1048576, 1);
    assert_float_equal(found.v[5].in, 60 * 20.0 * 1048576, 1);
    assert_float_equal(found.v[5].some, 30, 1e-4);
    assert_float_equal(found.v[5].full, 18, 1e-4);
    assert_float_equal(found.v[5].refault, 1, 1e-6);
    assert_float_equal(found.v[5].restore, 0.5, 1e-6);
    assert_float_equal(found.v[5].average, 10, 1e-9);
}

static void rules_hold_for_their_time(void **state)
{
    (void)state;
    static const struct span spans[] = {
        {.n = 2, .out = 5},
        {.n = 2, .in = 4, .out = 4, .some = 0.03f},
        {.n = 2, .in = 20, .out = 0.5f, .full = 0.3f, .some = 0.5f}};
    for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
        begin();
        add(quiet);
        add(spans[i]);
        add(quiet);
        find();
        for (size_t k = 0; k < found.n; k++)
            assert_int_equal(found.v[k].state, PT_SWAP_PARKED);
    }
}

/* Below its rates a state is not told. */
static void rules_have_their_rates(void **state)
{
    (void)state;
    static const struct {
        struct span span;
        bool told;
    } cases[] = {
        {{.n = 6, .out = 0.9f}, false},
        {{.n = 6, .out = 1.1f}, true},
        {{.n = 6, .in = 0.9f, .out = 0.9f, .some = 0.05f}, false},
        {{.n = 6, .in = 1.1f, .out = 1.1f, .some = 0.006f}, true},
        {{.n = 6, .in = 0.5f, .full = 0.14f, .some = 0.2f}, false},
        {{.n = 6, .in = 0.5f, .full = 0.16f, .some = 0.2f}, true},
        /* stalls without anything read back are of reclaim alone */
        {{.n = 6, .in = 0, .full = 0.3f, .some = 0.4f}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin();
        add(cases[i].span);
        find();
        assert_int_equal(found.n > 0 && found.v[0].state != PT_SWAP_PARKED, cases[i].told);
    }
}

/* Where other work goes on, no time is lost to all; what some lose tells churn from thrash. */
static void busy_machines_thrash_too(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 6, .in = 4, .out = 4, .some = 0.16f, .full = 0.01f});
    add((struct span){.n = 6});
    add((struct span){.n = 6, .in = 4, .out = 4, .some = 0.18f, .full = 0.01f});
    find();
    assert_int_equal(found.n, 3);
    is_episode(0, PT_SWAP_CHURN, 0, 60);
    is_episode(2, PT_SWAP_THRASH, 120, 180);
}

/* In and out, but what comes back is not what just went: that is no churn. */
static void churn_needs_refaults(void **state)
{
    (void)state;
    begin();
    add(churn);
    for (size_t i = 0; i < nbins; i++)
        bins[i].v[PT_SWAP_REFAULT_ANON] = bins[i].v[PT_SWAP_OUT] * 0.2f;
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_OUT_PRESSURE, 0, 60);
    assert_float_equal(found.v[0].refault, 0.2, 1e-4);
    /* what is touched while it is written goes out again and again */
    begin();
    add((struct span){.n = 6, .in = 2, .out = 80, .some = 0.02f});
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_CHURN, 0, 60);
}

static void kernels_that_tell_less(void **state)
{
    (void)state;
    begin();
    add(churn);
    forget(PT_SWAP_REFAULT_ANON);
    forget(PT_SWAP_RESTORE_ANON);
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_CHURN, 0, 60);
    assert_true(isnan(found.v[0].refault) && isnan(found.v[0].restore));
    forget(PT_SWAP_SOME);
    forget(PT_SWAP_FULL);
    find();
    is_episode(0, PT_SWAP_CHURN, 0, 60);
    assert_true(isnan(found.v[0].some) && isnan(found.v[0].full));
    forget(PT_SWAP_IN);
    forget(PT_SWAP_OUT);
    find();
    assert_int_equal(found.n, 0);
    begin();
    add(quiet);
    forget(PT_SWAP_SOME);
    find();
    is_episode(0, PT_SWAP_PARKED, 0, 60);
}

/* zswap takes it before any swap area does. */
static void zswap_counts(void **state)
{
    (void)state;
    begin();
    add(churn);
    for (size_t i = 0; i < nbins; i++) {
        bins[i].v[PT_SWAP_ZIN] = bins[i].v[PT_SWAP_IN];
        bins[i].v[PT_SWAP_ZOUT] = bins[i].v[PT_SWAP_OUT];
        bins[i].v[PT_SWAP_IN] = bins[i].v[PT_SWAP_OUT] = 0;
    }
    find();
    is_episode(0, PT_SWAP_CHURN, 0, 60);
    assert_float_equal(found.v[0].in, found.v[0].zin, 1);
    assert_float_equal(found.v[0].in, 60 * 4.0 * 1048576, 1);
}

/* Nothing runs on over a gap or a reboot. */
static void holes_part_episodes(void **state)
{
    (void)state;
    begin();
    add(thrash);
    add_hole(15);
    add(thrash);
    add(quiet);
    add_hole(3600);
    add(quiet);
    find();
    assert_int_equal(found.n, 4);
    is_episode(0, PT_SWAP_THRASH, 0, 60);
    is_episode(1, PT_SWAP_THRASH, 75, 135);
    is_episode(2, PT_SWAP_PARKED, 135, 195);
    is_episode(3, PT_SWAP_PARKED, 3795, 3855);
}

static void short_breaks_do_not_part_them(void **state)
{
    (void)state;
    begin();
    add(thrash);
    add((struct span){.n = 1});
    add(thrash);
    add((struct span){.n = 9});
    add(thrash);
    find();
    assert_int_equal(found.n, 3);
    is_episode(0, PT_SWAP_THRASH, 0, 130);
    is_episode(1, PT_SWAP_PARKED, 130, 220);
    is_episode(2, PT_SWAP_THRASH, 220, 280);
}

/* Two bins of quiet are an end, whatever holds of the time on both sides. */
static void rests_of_half_a_minute_part_them(void **state)
{
    (void)state;
    begin();
    add(churn);
    add((struct span){.n = 2});
    add((struct span){.n = 2, .in = 4, .out = 4, .some = 0.03f});
    add(thrash);
    find();
    assert_int_equal(found.n, 3);
    is_episode(0, PT_SWAP_CHURN, 0, 60);
    is_episode(1, PT_SWAP_PARKED, 60, 80);
    is_episode(2, PT_SWAP_THRASH, 80, 160);
}

/* The worst of what holds at a time; no rests of what led to it. */
static void the_worst_is_told(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 2, .out = 5, .some = 0.01f});
    add(thrash);
    add((struct span){.n = 2, .in = 2, .out = 2, .some = 0.05f});
    add(quiet);
    find();
    assert_int_equal(found.n, 2);
    assert_int_equal(found.v[0].state, PT_SWAP_THRASH);
    assert_true(found.v[0].from <= 20 && found.v[0].to >= 80);
    assert_int_equal(found.v[1].state, PT_SWAP_PARKED);
}

static void coarse_bins_are_averages(void **state)
{
    (void)state;
    begin();
    add_wide((struct span){.n = 1}, 600);
    add_wide((struct span){.n = 1, .in = 4, .out = 4, .some = 0.03f}, 600);
    add_wide((struct span){.n = 1}, 600);
    find();
    assert_int_equal(found.n, 3);
    is_episode(1, PT_SWAP_CHURN, 600, 1200);
    assert_float_equal(found.v[1].average, 600, 1e-9);
}

static void nearly_full_is_a_risk(void **state)
{
    (void)state;
    begin();
    add(quiet);
    add(thrash);
    add(quiet);
    for (size_t i = 8; i < 14; i++) {
        bins[i].v[PT_SWAP_FREE] = 0.09f * 2 * GIB_KIB;
        bins[i].v[PT_SWAP_AVAILABLE] = 0.09f * 8 * GIB_KIB;
    }
    find();
    assert_int_equal(found.n, 4);
    is_episode(0, PT_SWAP_PARKED, 0, 60);
    is_episode(1, PT_SWAP_THRASH, 60, 120);
    is_episode(2, PT_SWAP_EXHAUSTION, 80, 140);
    is_episode(3, PT_SWAP_PARKED, 140, 180);
    for (size_t i = 8; i < 14; i++)
        bins[i].v[PT_SWAP_AVAILABLE] = GIB_KIB;
    find();
    assert_int_equal(found.n, 3); /* swap alone */
}

/* The page cache read again as a whole, with direct reclaim. */
static void files_thrash_too(void **state)
{
    (void)state;
    begin();
    add((struct span){.n = 6});
    for (size_t i = 0; i < nbins; i++) {
        bins[i].v[PT_SWAP_REFAULT_FILE] = 2 * 1024 * MIB_PAGES;
        bins[i].v[PT_SWAP_SCAN_DIRECT] = 1000;
    }
    find();
    assert_int_equal(found.n, 1);
    is_episode(0, PT_SWAP_THRASH, 0, 60);
    forget(PT_SWAP_SCAN_DIRECT);
    find();
    is_episode(0, PT_SWAP_PARKED, 0, 60);
}

/* A machine that churned for long: whom the worst of its episodes hurt is looked into. */
static void the_costliest_are_chosen(void **state)
{
    (void)state;
    enum { MANY = 9000, MOST = 250 };
    static struct pt_swap_episode v[MANY];
    static bool worst[MANY];
    struct pt_swap_episodes e = {.v = v, .n = MANY};
    struct pt_windows w;
    struct pt_err err = {0};
    for (size_t i = 0; i < MANY; i++)
        v[i] = (struct pt_swap_episode){.state = i % 3 ? PT_SWAP_CHURN : PT_SWAP_PARKED,
                                        .from = 100.0 * (double)i,
                                        .to = 100.0 * (double)i + 60,
                                        .in = NAN,
                                        .out = NAN,
                                        .some = i % 100 == 1 ? NAN : (double)(i * 7919 % MANY)};
    assert_int_equal(pt_swap_episodes_worst(&e, SIZE_MAX, worst), 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(worst[i], v[i].state != PT_SWAP_PARKED);
    assert_int_equal(pt_swap_episodes_choose(&e, MOST, &err), 0);
    double least = INFINITY, most = 0;
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_false(v[i].blamed && v[i].state == PT_SWAP_PARKED);
        n += v[i].blamed;
        if (v[i].blamed)
            least = fmin(least, v[i].some);
        else if (v[i].state != PT_SWAP_PARKED)
            most = fmax(most, v[i].some);
    }
    assert_int_equal(n, MOST);
    assert_true(least > most);
    assert_int_equal(pt_swap_windows(&e, true, &w, &err), 0);
    assert_int_equal(w.n, MOST);
    pt_windows_release(&w);
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
        cmocka_unit_test(parked_is_one_episode),
        cmocka_unit_test(parked_bears_a_little),
        cmocka_unit_test(stalls_of_others_leave_it_parked),
        cmocka_unit_test(no_swap_is_nothing),
        cmocka_unit_test(each_state_is_told),
        cmocka_unit_test(rules_hold_for_their_time),
        cmocka_unit_test(rules_have_their_rates),
        cmocka_unit_test(busy_machines_thrash_too),
        cmocka_unit_test(bursts_part_nothing),
        cmocka_unit_test(churn_needs_refaults),
        cmocka_unit_test(kernels_that_tell_less),
        cmocka_unit_test(zswap_counts),
        cmocka_unit_test(holes_part_episodes),
        cmocka_unit_test(short_breaks_do_not_part_them),
        cmocka_unit_test(rests_of_half_a_minute_part_them),
        cmocka_unit_test(the_worst_is_told),
        cmocka_unit_test(coarse_bins_are_averages),
        cmocka_unit_test(nearly_full_is_a_risk),
        cmocka_unit_test(files_thrash_too),
        cmocka_unit_test(the_costliest_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
