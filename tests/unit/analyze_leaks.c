/* SPDX-License-Identifier: MIT
 * Findings beside one another: a restarted service's young process and those before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analyze/leaks/leaks_int.h"

#define MIB 1048576.0

/* Two bounded lives of ten hours, and one of two hours that is called a leak. */
struct world {
    struct pt_life lives[3];
    struct pt_finding found[3];
    struct pt_leaks leaks;
};

static void set_up(struct world *w)
{
    static const double begin[] = {0, 36000, 72000}, end[] = {36000, 72000, 79200};
    static const double rest[] = {100 * MIB, 120 * MIB, 90 * MIB};
    *w = (struct world){.leaks = {.v = w->found, .n = 3, .lives = {.v = w->lives, .n = 3}}};
    for (int i = 0; i < 3; i++) {
        w->lives[i] = (struct pt_life){
            .pid = 10 + i, .from = begin[i], .to = end[i], .exe = "/usr/bin/x", .group = 0};
        w->found[i] = (struct pt_finding){.life = &w->lives[i], .anon = true};
        w->found[i].ruling = (struct pt_ruling){
            .verdict = i < 2 ? PT_BOUNDED : PT_LEAK, .b = MIB / 3600, .env = {.n = 1}};
        w->found[i].ruling.env.v[0] = rest[i];
    }
}

static enum pt_verdict ruled(struct world *w)
{
    pt_leaks_beside_earlier(&w->leaks, w->leaks.n, &w->found[2]);
    return w->found[2].ruling.verdict;
}

static void below_the_rest_of_earlier_ones_is_not_known_yet(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    assert_int_equal(ruled(&w), PT_UNDETERMINED);
    assert_true(w.found[2].ruling.more > 30 * 3600); /* 30 MiB and more at 1 MiB an hour */
    assert_int_equal(w.found[2].ruling.nevidence, 1);
}

static void above_it_is_a_leak(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    w.found[2].ruling.env.v[0] = 130 * MIB;
    assert_int_equal(ruled(&w), PT_LEAK);
}

static void earlier_ones_that_say_nothing(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    w.found[0].ruling.verdict = PT_LEAK; /* it hides no leak of its service */
    assert_int_equal(ruled(&w), PT_LEAK);
    set_up(&w);
    w.lives[0].from = 30000; /* as young themselves */
    w.lives[1].from = 69000;
    assert_int_equal(ruled(&w), PT_LEAK);
    set_up(&w);
    w.lives[1].to = 79200; /* side by side: sessions differ */
    assert_int_equal(ruled(&w), PT_LEAK);
    set_up(&w);
    w.lives[0].exe = w.lives[1].exe = "/usr/bin/y";
    assert_int_equal(ruled(&w), PT_LEAK);
    set_up(&w);
    w.found[2].anon = false; /* its page tables */
    assert_int_equal(ruled(&w), PT_LEAK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_the_rest_of_earlier_ones_is_not_known_yet),
        cmocka_unit_test(above_it_is_a_leak),
        cmocka_unit_test(earlier_ones_that_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
