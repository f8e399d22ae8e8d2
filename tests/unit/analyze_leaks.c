/* SPDX-License-Identifier: MIT
 * Findings beside one another: a restarted service's young process and those before it; what is one
 * cause and what is two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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

/* Alarms, of a process each. */
static struct pt_finding alarm_of(const struct pt_life *life, const char *what, double growth)
{
    return (struct pt_finding){.subject = PT_SUBJECT_PROCESS,
                               .life = life,
                               .what = what,
                               .anon = strcmp(what, "heap") == 0,
                               .ruling = {.verdict = PT_LEAK, .growth = growth}};
}

static const struct pt_evidence *beside(const struct pt_finding *f)
{
    for (int i = 0; i < f->ruling.nevidence; i++)
        if (strcmp(f->ruling.evidence[i].test, "beside") == 0)
            return &f->ruling.evidence[i];
    return NULL;
}

static void what_comes_with_memory_is_told_beside_it(void **state)
{
    const struct pt_life life = {.pid = 10};
    struct pt_finding v[] = {alarm_of(&life, "descriptors", 2 * MIB),
                             alarm_of(&life, "heap", 20 * MIB),
                             alarm_of(&life, "page-tables", 3 * MIB)};
    struct pt_leaks l = {.v = v, .n = 3};
    (void)state;
    pt_leaks_one_cause(&l);
    assert_int_equal(l.n, 1);
    assert_string_equal(v[0].what, "heap");
    assert_non_null(beside(&v[0]));
    assert_string_equal(beside(&v[0])->text, "its descriptors grew too, by 2.0 MiB: leak");
    assert_int_equal(v[0].ruling.nevidence, 2);
}

static void memory_of_another_kind_is_another_cause(void **state)
{
    const struct pt_life life = {.pid = 10};
    struct pt_finding v[] = {alarm_of(&life, "heap", 20 * MIB), alarm_of(&life, "shmem", 3 * MIB)};
    struct pt_leaks l = {.v = v, .n = 2};
    (void)state;
    pt_leaks_one_cause(&l);
    assert_int_equal(l.n, 2);
    assert_null(beside(&v[0]));
}

static struct pt_finding shared_by(const struct pt_life *life, int64_t inode, double growth)
{
    struct pt_finding f = alarm_of(life, "shmem", growth);
    f.parts.top[0] =
        (struct pt_grown){.of = PT_CLASS_SHMEM, .growth = growth, .inode = inode, .mappings = 1};
    snprintf(f.parts.top[0].name, sizeof(f.parts.top[0].name), "/memfd:x");
    f.parts.ntop = 1;
    return f;
}

static void shared_memory_is_one_whoever_maps_it(void **state)
{
    const struct pt_life a = {.pid = 10}, b = {.pid = 11}, c = {.pid = 12};
    struct pt_finding v[] = {shared_by(&a, 77, 20 * MIB), shared_by(&b, 77, 21 * MIB),
                             shared_by(&c, 78, 20 * MIB), shared_by(&c, 0, 20 * MIB)};
    struct pt_leaks l = {.v = v, .n = 3};
    (void)state;
    pt_leaks_one_cause(&l);
    assert_int_equal(l.n, 2);
    assert_int_equal(v[0].life->pid, 11);
    assert_string_equal(beside(&v[0])->text, "process 10 maps the same memory");
    assert_int_equal(v[1].life->pid, 12); /* another object of that name */
    v[0] = shared_by(&a, 0, 20 * MIB);    /* of many objects */
    v[1] = shared_by(&b, 0, 21 * MIB);
    l.n = 2;
    pt_leaks_one_cause(&l);
    assert_int_equal(l.n, 2);
}

/* What stands for a finding must stay itself, in whatever order they come. */
static void what_is_stood_for_hides_nothing(void **state)
{
    const struct pt_life a = {.pid = 10}, b = {.pid = 11};
    const struct pt_finding all[] = {alarm_of(&a, "descriptors", 2 * MIB),
                                     shared_by(&a, 77, 20 * MIB), shared_by(&b, 77, 21 * MIB)};
    static const int order[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        struct pt_finding v[3];
        struct pt_leaks l = {.v = v, .n = 3};
        for (int k = 0; k < 3; k++)
            v[k] = all[order[i][k]];
        pt_leaks_one_cause(&l);
        assert_int_equal(l.n, 2); /* a's shared memory is b's; its open files are not */
        for (size_t k = 0; k < l.n; k++) {
            const bool files = strcmp(v[k].what, "descriptors") == 0;
            assert_int_equal(v[k].life->pid, files ? 10 : 11);
            assert_int_equal(beside(&v[k]) != NULL, !files);
        }
    }
}

/* Page tables grow more than a segment does, but come with the heap: the segment is a cause of its
 * own. */
static void a_lesser_cause_is_not_lost_behind_what_comes_with_a_greater(void **state)
{
    const struct pt_life life = {.pid = 10};
    struct pt_finding v[] = {alarm_of(&life, "shmem", 3 * MIB),
                             alarm_of(&life, "page-tables", 5 * MIB),
                             alarm_of(&life, "heap", 20 * MIB)};
    struct pt_leaks l = {.v = v, .n = 3};
    (void)state;
    pt_leaks_one_cause(&l);
    assert_int_equal(l.n, 2);
    assert_string_equal(v[0].what, "shmem");
    assert_string_equal(v[1].what, "heap");
    assert_non_null(beside(&v[1]));
}

/* One rise in a thousand series is by chance, also where the others never moved. */
static void those_that_never_moved_count_as_tested(void **state)
{
    static struct pt_quiet quiet[1000];
    struct pt_finding f = {.ruling = {.verdict = PT_LEAK, .z = 3.5}};
    struct pt_leaks l = {.v = &f, .n = 1, .quiet = quiet, .timeline = {.end = 600}};
    (void)state;
    pt_leaks_control(&l);
    assert_int_equal(f.ruling.verdict, PT_LEAK);
    l.nquiet = sizeof(quiet) / sizeof(quiet[0]);
    for (size_t i = 0; i < l.nquiet; i++)
        quiet[i].verdict = PT_INSUFFICIENT; /* none was tested */
    pt_leaks_control(&l);
    assert_int_equal(f.ruling.verdict, PT_LEAK);
    for (size_t i = 0; i < l.nquiet; i++)
        quiet[i].verdict = PT_STABLE;
    pt_leaks_control(&l);
    assert_int_equal(f.ruling.verdict, PT_UNDETERMINED);
    assert_string_equal(f.ruling.evidence[0].text, "of 1001 series one may rise so by chance");
    f.ruling = (struct pt_ruling){.verdict = PT_LEAK, .z = 4.1};
    pt_leaks_control(&l);
    assert_int_equal(f.ruling.verdict, PT_LEAK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_the_rest_of_earlier_ones_is_not_known_yet),
        cmocka_unit_test(above_it_is_a_leak),
        cmocka_unit_test(earlier_ones_that_say_nothing),
        cmocka_unit_test(what_comes_with_memory_is_told_beside_it),
        cmocka_unit_test(memory_of_another_kind_is_another_cause),
        cmocka_unit_test(shared_memory_is_one_whoever_maps_it),
        cmocka_unit_test(what_is_stood_for_hides_nothing),
        cmocka_unit_test(a_lesser_cause_is_not_lost_behind_what_comes_with_a_greater),
        cmocka_unit_test(those_that_never_moved_count_as_tested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
