/* SPDX-License-Identifier: MIT
 * Incidents of a report: OOM kills by whom they hit, swap by what it did, and what became of both
 * from one report to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report/against.h"
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
    int64_t omitted;
    json_t *all = pt_incidents_oom(&v, 2, 0, &omitted);
    assert_int_equal(omitted, 0);
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
    /* who is hit again and again is told of, however many were before */
    for (int i = 0; i < 4; i++)
        kill(&v, "1 often", "killed: the host is out of memory", 5 * S);
    all = pt_incidents_oom(&v, 2, 0, &omitted);
    assert_int_equal(json_array_size(all), PT_VICTIMS_LISTED);
    assert_true(pt_tree_is(json_array_get(all, 0), "title", "often"));
    /* they may be some that had given way before */
    assert_true(json_is_true(pt_tree_at(json_array_get(all, 0), "at_least")));
    assert_non_null(strstr(pt_tree_str(json_array_get(all, 0), "sentence"),
                           "often was killed for want of memory at least 4 times"));
    assert_true(pt_tree_is(json_array_get(all, 1), "title", "a process in /box"));
    assert_true(json_is_false(pt_tree_at(json_array_get(all, 1), "at_least")));
    assert_null(strstr(pt_tree_str(json_array_get(all, 1), "sentence"), "at least"));
    int64_t told = 0;
    for (size_t i = 0; i < PT_VICTIMS_LISTED; i++)
        told += pt_tree_int(json_array_get(all, i), "count");
    assert_int_equal(told + omitted, 3 + 3 + 1000 + 4);
    json_decref(all);
    pt_victims_release(&v);
}

/* Each of its starts is another group. */
static void a_container_is_one_victim(void **state)
{
    struct pt_victims v = {.n = 0};
    int64_t omitted;
    (void)state;
    kill(&v, "12 web",
         "killed: out of memory in cgroup /docker/a1" KERNEL
         "/docker/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         S);
    kill(&v, "13 web",
         "killed: out of memory in cgroup /docker/b2" KERNEL
         "/docker/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
         2 * S);
    assert_int_equal(v.n, 1);
    json_t *all = pt_incidents_oom(&v, 2, 0, &omitted);
    const char *sentence = pt_tree_str(json_array_get(all, 0), "sentence");
    assert_int_equal(pt_tree_int(json_array_get(all, 0), "count"), 2);
    assert_non_null(strstr(sentence, "web (docker-bbbbbbbbbbbb) was killed for want of memory 2"));
    assert_non_null(strstr(sentence, ", at the limit of the control group /docker/b2"));
    json_decref(all);
    pt_victims_release(&v);
}

/* The count of a group tells of kills in it, whosever limit it was. */
static void whose_limit_it_was(void **state)
{
    static const struct {
        const char *subject, *text, *says;
    } cases[] = {
        {"1 x", "killed: the host is out of memory", ", when the host was out of memory"},
        {"1 x", "killed: out of memory in the nodes of its cpuset", ", when the nodes of its cpus"},
        {"1 x", "killed", NULL},
        {"/box", "3 killed: the kernel log, which says whom, cannot be read", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pt_victims v = {.n = 0};
        int64_t omitted;
        kill(&v, cases[i].subject, cases[i].text, S);
        json_t *all = pt_incidents_oom(&v, 2, 0, &omitted);
        const char *sentence = pt_tree_str(json_array_get(all, 0), "sentence");
        if (cases[i].says)
            assert_non_null(strstr(sentence, cases[i].says));
        else
            assert_null(strstr(sentence, ", when"));
        json_decref(all);
        pt_victims_release(&v);
    }
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

/* Whether it did harm is said as the verdict has it; being full is no harm that swap did. */
static void swap_in_words(void **state)
{
    static const struct {
        const char *state, *verdict, *text, *says;
    } cases[] = {
        {"swap-out-pressure", "watch", "memory ran short, no harm seen: x",
         "memory ran short, no harm seen: swapping out under pressure for 40 s"},
        {"swap-out-pressure", "harmful", "swap did harm: x",
         "memory ran short: swapping out under pressure for 40 s"},
        {"exhaustion-risk", "harmful", "swap did harm: x",
         "memory and swap were nearly full for 40 s"},
        {"exhaustion-risk", "harmful", "memory ran short, and no swap is set up: x",
         "memory, with no swap set up, was nearly full for 40 s"},
        {"thrash", "harmful", "memory ran short, and no swap is set up: x",
         "memory ran short, and no swap is set up: thrash for 40 s, worst for postgres"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *swap = swap_of(40, cases[i].state, cases[i].verdict);
        json_object_set_new(swap, "text", json_string(cases[i].text));
        json_t *all = pt_incidents_swap(swap, 1);
        assert_string_equal(pt_tree_str(json_array_get(all, 0), "sentence"), cases[i].says);
        json_decref(all);
        json_decref(swap);
    }
}

static enum pt_status kills_then_and_now(int then, double hours_then, int now, double hours_now)
{
    struct pt_victims a = {.n = 0}, b = {.n = 0};
    for (int i = 0; i < then; i++)
        kill(&a, "1 x", "killed: the host is out of memory", S);
    for (int i = 0; i < now; i++)
        kill(&b, "2 x", "killed: the host is out of memory", S);
    int64_t omitted;
    json_t *before = pt_incidents_oom(&a, hours_then, 0, &omitted),
           *after = pt_incidents_oom(&b, hours_now, 0, &omitted);
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

/* ---- what is not there any more, or was not there before ---- */

static json_t *leaks_of(const char *comm, double seconds)
{
    json_t *doc = json_pack("{s:{s:f}, s:[], s:[], s:[], s:[], s:{s:s}, s:{s:[]}}", "span",
                            "recorded_seconds", seconds, "notes", "verdict", "incidents", "oom",
                            "swap", "verdict", "unused", "leaks", "findings");
    if (comm)
        json_array_append_new(json_object_get(json_object_get(doc, "leaks"), "findings"),
                              json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "id", "f1",
                                        "verdict", "leak", "class", "heap", "title", comm,
                                        "subject", "kind", "process", "comm", comm, "exe", comm));
    return doc;
}

static json_t *kills_of(int n, double seconds)
{
    json_t *doc = leaks_of(NULL, seconds);
    json_t *one =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:{s:s, s:s, s:n}}", "id", "i1", "section", "oom",
                  "verdict", "oom-kill", "class", "oom", "title", "x", "per_hour",
                  n / (seconds / 3600), "subject", "kind", "oom", "name", "x", "service");
    if (n)
        json_array_append(json_object_get(doc, "incidents"), one);
    json_decref(one);
    return doc;
}

/* Takes both. */
static void becomes(json_t *old, json_t *doc, const char *status, const char *says)
{
    struct pt_err err = {0};
    assert_int_equal(pt_against_apply(doc, old, "report", "old", &err), 0);
    const json_t *row = json_array_get(pt_tree_at(pt_tree_at(doc, "against"), "findings"), 0);
    char *notes = json_dumps(pt_tree_at(doc, "notes"), 0);
    if (status)
        assert_true(pt_tree_is(row, "status", status));
    else
        assert_null(row);
    assert_non_null(strstr(row ? pt_tree_str(row, "text") : notes, says));
    free(notes);
    json_decref(old);
    json_decref(doc);
}

static json_t *with(json_t *doc, const char *part, const char *key, int value)
{
    json_object_set_new(part ? json_object_get(doc, part) : doc, key, json_integer(value));
    return doc;
}

static void ended_where_that_can_be_told(void **state)
{
    (void)state;
    becomes(leaks_of("a", 7200), leaks_of(NULL, 3600), "resolved", "not among the findings");
    becomes(leaks_of("a", 7200), leaks_of(NULL, 3500), "ongoing", "cannot be told yet");
    becomes(leaks_of(NULL, 7200), leaks_of("a", 3500), "new", "a:");
    becomes(leaks_of("a", 7200), with(leaks_of(NULL, 7200), NULL, "damaged", 1), NULL, "damaged");
    becomes(with(leaks_of(NULL, 7200), NULL, "damaged", 1), leaks_of("a", 7200), NULL,
            "'old' is damaged in part");
    becomes(leaks_of("a", 7200), with(leaks_of(NULL, 7200), NULL, "damaged", 0), "resolved", "a:");
    static const struct {
        const char *key;
        bool now, then; /* hides what is not there any more, or was not there */
    } cuts[] = {
        {"omitted_alarms", true, true},
        {"omitted_undetermined", true, false},
        {"omitted_others", false, false},
    };
    for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
        becomes(leaks_of("a", 7200), with(leaks_of(NULL, 7200), "leaks", cuts[i].key, 1),
                cuts[i].now ? NULL : "resolved", cuts[i].now ? "is cut" : "a:");
        becomes(with(leaks_of(NULL, 7200), "leaks", cuts[i].key, 1), leaks_of("a", 7200),
                cuts[i].then ? NULL : "new", cuts[i].then ? "is cut" : "a:");
    }
}

/* Of what comes twice a day nothing in ten hours tells little. */
static void kills_that_came_no_more(void **state)
{
    (void)state;
    becomes(kills_of(3, 36000), kills_of(0, 36000), "resolved", "x: was ? times in 10 h, not once");
    becomes(kills_of(3, 36000), kills_of(0, 35000), "ongoing", "cannot be told yet");
    becomes(kills_of(1, 36000), kills_of(0, 72000), "ongoing", "cannot be told yet");
    becomes(kills_of(9, 36000), kills_of(0, 12000), "resolved", "not once");
    becomes(kills_of(9, 36000), with(kills_of(0, 36000), NULL, "incidents_omitted", 2), NULL,
            "is cut");
    /* the kernel told of them, whatever is damaged */
    becomes(kills_of(9, 36000), with(kills_of(0, 36000), NULL, "damaged", 2), "resolved", "x:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_by_whom_they_were),
        cmocka_unit_test(swap_by_what_it_did),
        cmocka_unit_test(kills_are_chance),
        cmocka_unit_test(a_container_is_one_victim),
        cmocka_unit_test(whose_limit_it_was),
        cmocka_unit_test(swap_in_words),
        cmocka_unit_test(ended_where_that_can_be_told),
        cmocka_unit_test(kills_that_came_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
