/* SPDX-License-Identifier: MIT
 * Incidents of a report: OOM kills by whom they hit, swap by what it did, and what became of both
 * from one report to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "analyze/report/incidents.h"
#include "analyze/report/match.h"
#include "analyze/report/tree.h"

#define S 1000000ll /* microseconds */

static void kill(struct pt_victims *v, const char *subject, const char *text, int64_t at)
{
    const struct pt_db_event e = {
        .real_us = at, .kind = PT_EVENT_OOM, .subject = subject, .text = text};
    pt_victims_add(v, &e);
}

#define KERNEL "; in no snapshot; kernel: anon-rss 4 kB, uid 0; cgroup "

static void killed_by_whom_they_were(void **state)
{
    struct pt_victims v = {.n = 0};
    (void)state;
    kill(&v, "12 postgres", "killed: the host is out of memory" KERNEL "/system.slice/db.service",
         S);
    kill(&v, "99 postgres",
         "killed: out of memory in cgroup /; cgroup /evil.service" KERNEL
         "/system.slice/db.service; started 7 ticks after boot; command line: x; cgroup /y",
         2 * S);
    kill(&v, "13 postgres", "killed: the host is out of memory" KERNEL "/", 3 * S);
    kill(&v, "/box", "3 killed: the kernel log, which says whom, cannot be read", 4 * S);
    assert_int_equal(v.n, 3);
    assert_string_equal(v.v[0].service, "db.service");
    json_t *all = pt_incidents_oom(&v, 2, 0);
    assert_int_equal(json_array_size(all), 3);
    const json_t *most = json_array_get(all, 0), *next = json_array_get(all, 1);
    assert_int_equal(pt_tree_int(most, "count"), 3);
    assert_true(pt_tree_is(most, "title", "a process in /box"));
    assert_float_equal(pt_tree_real(most, "per_hour"), 1.5, 1e-9);
    assert_non_null(strstr(pt_tree_str(next, "sentence"),
                           "postgres (db.service) was killed for want of memory 2 times"));
    assert_non_null(
        strstr(pt_tree_str(json_array_get(all, 2), "sentence"), "postgres (pid 13) was killed"));
    json_decref(all);
    /* a file may hold any number of them */
    for (int i = 0; i < 1000; i++) {
        char subject[32];
        snprintf(subject, sizeof(subject), "1 p%d", i);
        kill(&v, subject, "killed: the host is out of memory", S);
    }
    assert_int_equal(v.n, PT_VICTIMS);
    assert_int_equal(v.others, 1000 - (PT_VICTIMS - 3));
    assert_false(v.nomem);
    pt_victims_release(&v);
}

static json_t *swap_of(double seconds, const char *state, const char *verdict)
{
    return json_pack("{s:s, s:s, s:[{s:s, s:f, s:f, s:s, s:[{s:s}], s:[]}]}", "verdict", verdict,
                     "text", "swap did harm: so much", "episodes", "state", state, "seconds",
                     seconds, "stall_seconds", 5.0, "from", "2026-11-20T10:00:00Z", "victims",
                     "comm", "postgres", "aggressors");
}

static void swap_by_what_it_did(void **state)
{
    (void)state;
    json_t *swap = swap_of(40, "thrash", "harmful");
    json_t *all = pt_incidents_swap(swap, 1), *old = pt_incidents_swap(swap, 10);
    const json_t *one = json_array_get(all, 0), *less = json_array_get(old, 0);
    assert_int_equal(json_array_size(all), 1);
    assert_true(pt_tree_is(one, "sentence", "swap did harm: thrash for 40 s, worst for postgres"));
    assert_true(pt_match_likeness(one, less) > 0);
    assert_int_equal(pt_match_status(less, one), PT_WORSE);
    assert_int_equal(pt_match_status(one, less), PT_BETTER);
    assert_int_equal(pt_match_status(one, one), PT_ONGOING);
    assert_int_equal(pt_match_status(NULL, one), PT_NEW);
    assert_int_equal(pt_match_status(one, NULL), PT_RESOLVED);
    json_t *other = swap_of(40, "churn", "harmful"), *churn = pt_incidents_swap(other, 1);
    assert_int_equal(pt_match_likeness(one, json_array_get(churn, 0)), 0);
    json_t *parked = swap_of(40, "parked", "harmless"), *none = pt_incidents_swap(parked, 1);
    assert_int_equal(json_array_size(none), 0);
    json_decref(swap);
    json_decref(all);
    json_decref(old);
    json_decref(other);
    json_decref(churn);
    json_decref(parked);
    json_decref(none);
}

static enum pt_status kills_then_and_now(int then, double hours_then, int now, double hours_now)
{
    struct pt_victims a = {.n = 0}, b = {.n = 0};
    for (int i = 0; i < then; i++)
        kill(&a, "1 x", "killed: the host is out of memory", S);
    for (int i = 0; i < now; i++)
        kill(&b, "2 x", "killed: the host is out of memory", S);
    json_t *before = pt_incidents_oom(&a, hours_then, 0),
           *after = pt_incidents_oom(&b, hours_now, 0);
    assert_true(pt_match_likeness(json_array_get(before, 0), json_array_get(after, 0)) > 0);
    const enum pt_status status =
        pt_match_status(json_array_get(before, 0), json_array_get(after, 0));
    json_decref(before);
    json_decref(after);
    pt_victims_release(&a);
    pt_victims_release(&b);
    return status;
}

static void kills_are_chance(void **state)
{
    (void)state;
    assert_int_equal(kills_then_and_now(1, 10, 1, 2), PT_ONGOING);
    assert_int_equal(kills_then_and_now(3, 10, 5, 10), PT_ONGOING);
    assert_int_equal(kills_then_and_now(3, 10, 40, 10), PT_WORSE);
    assert_int_equal(kills_then_and_now(40, 10, 3, 10), PT_BETTER);
    assert_int_equal(kills_then_and_now(1, 0, 1, 0), PT_ONGOING); /* how long is not known */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_by_whom_they_were),
        cmocka_unit_test(swap_by_what_it_did),
        cmocka_unit_test(kills_are_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
