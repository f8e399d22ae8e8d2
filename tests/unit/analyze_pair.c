/* SPDX-License-Identifier: MIT
 * Findings of two lists are paired by their keys as they would be by holding each against all
 * others, and a year of days is compared in a moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "analyze/report/compare.h"
#include "analyze/report/match.h"
#include "analyze/report/pair.h"

static unsigned random_below(unsigned n)
{
    static uint64_t state = 7;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static json_t *one_of(const char *const *names, unsigned n)
{
    const char *name = names[random_below(n)];
    return name ? json_string(name) : json_null();
}
#define ONE_OF(a) one_of(a, sizeof(a) / sizeof(*(a)))

static json_t *any_finding(void)
{
    static const char *const kinds[] = {"process", "process", "process", "service", "service",
                                        "slab",    "tmpfs",   "oom",     "swap",    NULL};
    static const char *const classes[] = {"heap", "arena", "shmem", "oom", NULL};
    static const char *const comms[] = {"a", "b", "", NULL};
    static const char *const exes[] = {"/a", "/a (deleted)", "/b", "", NULL};
    static const char *const services[] = {"x.service", "docker-1", "docker-2", "run-1", "", NULL};
    return json_pack("{s:s, s:o, s:{s:o, s:o, s:o, s:o, s:o}}", "verdict", "leak", "class",
                     ONE_OF(classes), "subject", "kind", ONE_OF(kinds), "comm", ONE_OF(comms),
                     "exe", ONE_OF(exes), "service", ONE_OF(services), "name", ONE_OF(comms));
}

static json_t *any_list(void)
{
    json_t *list = json_array();
    for (unsigned i = random_below(30); i > 0; i--)
        json_array_append_new(list, any_finding());
    return list;
}

/* The likest of all that are left, then as both are ordered. */
static void pair_slowly(const json_t *a, const json_t *b, size_t *ret)
{
    const size_t na = json_array_size(a), nb = json_array_size(b);
    bool taken[32] = {false};
    for (size_t i = 0; i < na; i++)
        ret[i] = SIZE_MAX;
    for (;;) {
        size_t x = 0, y = 0;
        int most = 0;
        for (size_t i = 0; i < na; i++) {
            for (size_t k = 0; k < nb; k++) {
                const int like =
                    ret[i] != SIZE_MAX || taken[k]
                        ? 0
                        : pt_match_likeness(json_array_get(a, i), json_array_get(b, k));
                if (like > most) {
                    most = like;
                    x = i;
                    y = k;
                }
            }
        }
        if (!most)
            return;
        ret[x] = y;
        taken[y] = true;
    }
}

static void keys_find_all_that_are_alike(void **state)
{
    size_t pair[32], slow[32], pairs = 0;
    (void)state;
    for (int round = 0; round < 300; round++) {
        json_t *a = any_list(), *b = any_list();
        assert_int_equal(pt_match_findings(a, b, pair), 0);
        pair_slowly(a, b, slow);
        for (size_t i = 0; i < json_array_size(a); i++) {
            assert_int_equal(pair[i], slow[i]);
            pairs += pair[i] != SIZE_MAX;
        }
        json_decref(a);
        json_decref(b);
    }
    assert_true(pairs > 300);
}

/* Each against all would be some 800 million comparisons. */
static void a_year_of_alarms_of_other_names(void **state)
{
    enum { DAYS = 400, ALARMS = 100 };
    json_t *columns = json_array();
    (void)state;
    for (int day = 0; day < DAYS; day++) {
        json_t *findings = json_array();
        for (int i = 0; i < ALARMS; i++) {
            char name[32];
            snprintf(name, sizeof(name), "p%d-%d", day, i);
            json_array_append_new(findings,
                                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}",
                                            "id", "f1", "title", name, "name", name, "class",
                                            "heap", "verdict", "leak", "subject", "kind", "process",
                                            "comm", name, "exe", name, "service", name));
        }
        json_array_append_new(columns, json_pack("{s:{}, s:[], s:{}, s:o, s:[]}", "head", "values",
                                                 "services", "findings", findings, "became"));
    }
    const clock_t begin = clock();
    json_t *c = pt_compare_make(columns);
    assert_non_null(c);
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 30);
    assert_int_equal(json_integer_value(json_object_get(c, "findings_omitted")) +
                         (json_int_t)json_array_size(json_object_get(c, "findings")),
                     DAYS * ALARMS);
    json_decref(c);
    json_decref(columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_find_all_that_are_alike),
        cmocka_unit_test(a_year_of_alarms_of_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
