/* SPDX-License-Identifier: MIT
 * Reports side by side: what became of findings from column to column, and in the end. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyze/report/against.h"
#include "analyze/report/compare.h"
#include "analyze/report/match.h"
#include "analyze/report/report.h"
#include "analyze/report/tree.h"

static json_t *leak(const char *comm, const char *verdict)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:{s:s, s:s, s:s, s:s}}", "title", comm,
                     "class", "heap", "verdict", verdict, "slope_bytes_per_hour", 50, "slope_low",
                     40, "slope_high", 60, "growth_bytes", 7, "subject", "kind", "process", "comm",
                     comm, "exe", comm, "service", "x.service");
}

/* Of so many findings; the first is f1. Takes them; NULL: they could not be made. */
static json_t *report(json_t *findings)
{
    char id[32];
    for (size_t i = 0; i < json_array_size(findings); i++) {
        snprintf(id, sizeof(id), "f%zu", i + 1);
        json_object_set_new(json_array_get(findings, i), "id", json_string(id));
    }
    return json_pack("{s:s, s:{s:i}, s:[], s:[], s:[], s:o, s:[], s:[], s:n}", "program", "p",
                     "span", "recorded_seconds", 86400, "verdict", "notes", "incidents", "leaks",
                     findings ? json_pack("{s:i, s:o}", "alarms", 1, "findings", findings)
                              : json_null(),
                     "oom", "events", "swap");
}

/* Takes the reports. */
static json_t *compared(json_t *docs)
{
    json_t *columns = json_array();
    struct pt_err err;
    for (size_t i = 0; i < json_array_size(docs); i++) {
        json_t *doc = json_array_get(docs, i);
        if (i)
            assert_int_equal(
                pt_against_apply(doc, json_array_get(docs, i - 1), "span", "then", &err), 0);
        json_array_append_new(columns, pt_compare_column(doc, "then", NULL));
    }
    json_t *compare = pt_compare_make(columns);
    assert_non_null(compare);
    json_decref(columns);
    json_decref(docs);
    return compare;
}

static const json_t *row(const json_t *compare, size_t i)
{
    return json_array_get(pt_tree_at(compare, "findings"), i);
}

/* "new", ...; "null": nothing is said; "none": no cell. */
static const char *said(const json_t *compare, size_t r, size_t col)
{
    const json_t *c = json_array_get(pt_tree_at(row(compare, r), "cells"), col);
    const char *status = pt_tree_str(c, "status");
    return !json_is_object(c) ? "none" : status ? status : "null";
}

static void nothing_is_before_the_first(void **state)
{
    (void)state;
    json_t *c =
        compared(json_pack("[o, o]", report(json_pack("[o]", leak("a", "leak"))),
                           report(json_pack("[o, o]", leak("a", "leak"), leak("b", "leak")))));
    assert_string_equal(said(c, 0, 0), "null");
    assert_string_equal(said(c, 0, 1), "ongoing");
    assert_string_equal(said(c, 1, 0), "none");
    assert_string_equal(said(c, 1, 1), "new");
    json_decref(c);
}

/* As the report of each column says, which knows of the one before it alone. */
static void each_is_compared_with_the_one_before(void **state)
{
    (void)state;
    json_t *c =
        compared(json_pack("[o, o, o]", report(json_pack("[o]", leak("a", "leak"))),
                           report(json_array()), report(json_pack("[o]", leak("a", "leak")))));
    assert_int_equal(json_array_size(pt_tree_at(c, "findings")), 1);
    assert_string_equal(said(c, 0, 1), "none");
    assert_string_equal(said(c, 0, 2), "new");
    assert_string_equal(pt_tree_str(row(c, 0), "status"), "new");
    json_decref(c);
}

static void what_cannot_tell_says_nothing(void **state)
{
    (void)state;
    json_t *c = compared(json_pack("[o, o, o]", report(json_pack("[o]", leak("a", "leak"))),
                                   report(NULL), report(json_pack("[o]", leak("a", "leak")))));
    assert_string_equal(said(c, 0, 2), "null");
    json_decref(c);
    c = compared(json_pack("[o, o]", report(json_pack("[o]", leak("a", "leak"))), report(NULL)));
    assert_true(json_is_null(pt_tree_at(row(c, 0), "status")) || !pt_tree_at(row(c, 0), "status"));
    json_decref(c);
    c = compared(
        json_pack("[o, o]", report(json_pack("[o]", leak("a", "leak"))), report(json_array())));
    assert_string_equal(pt_tree_str(row(c, 0), "status"), "resolved");
    json_decref(c);
}

/* Grown no more, then quiet. */
static void what_is_over_stays_over(void **state)
{
    (void)state;
    json_t *c =
        compared(json_pack("[o, o, o]", report(json_pack("[o]", leak("a", "leak"))),
                           report(json_pack("[o]", leak("a", "bounded"))), report(json_array())));
    assert_string_equal(said(c, 0, 1), "resolved");
    assert_string_equal(said(c, 0, 2), "none");
    assert_string_equal(pt_tree_str(row(c, 0), "status"), "resolved");
    json_decref(c);
}

/* A thing that comes back goes on in its row, also after columns without it; two alike each in
 * their own. */
static void rows_are_kept(void **state)
{
    (void)state;
    json_t *c = compared(json_pack(
        "[o, o, o, o]", report(json_pack("[o, o]", leak("a", "leak"), leak("b", "leak"))),
        report(json_pack("[o]", leak("b", "leak"))),
        report(json_pack("[o, o]", leak("c", "leak"), leak("d", "bounded"))),
        report(json_pack("[o, o, o]", leak("b", "leak"), leak("c", "leak"), leak("a", "leak")))));
    static const char *const want[][5] = {{"a", "null", "none", "none", "new"},
                                          {"b", "null", "ongoing", "none", "new"},
                                          {"c", "none", "none", "new", "ongoing"}};
    assert_int_equal(json_array_size(pt_tree_at(c, "findings")), 3); /* none for d */
    assert_int_equal(json_array_size(pt_tree_at(c, "columns")), 4);
    for (size_t r = 0; r < 3; r++) {
        assert_string_equal(pt_tree_str(row(c, r), "title"), want[r][0]);
        for (size_t i = 0; i < 4; i++)
            assert_string_equal(said(c, r, i), want[r][i + 1]);
    }
    assert_int_equal(pt_tree_int(c, "findings_omitted"), 0);
    json_decref(c);
}

/* A report of numbers: what is null is not known. */
static json_t *numbers(const char *text)
{
    json_error_t error;
    json_t *doc = json_loads(text, 0, &error);
    assert_non_null(doc);
    return doc;
}

static void numbers_side_by_side(void **state)
{
    static const struct {
        const char *name, *title;
        double want[2]; /* NAN: not known */
    } rows[] = {{"recorded", "recorded", {3600, NAN}},
                {"alarms", "leaks", {2, NAN}},
                {"leak_slope", "leaks in all, an hour", {70, NAN}},
                {"oom", "OOM kills", {5, NAN}},
                {"available_mean", "available memory", {20, 7}},
                {"available_least", "available memory, least", {1, 5}},
                {"swap_used", "swap in use, most", {99, NAN}},
                {"processes", "processes", {NAN, 3}}};
    json_t *columns = json_array(), *docs[2];
    (void)state;
    docs[0] = numbers(
        "{\"span\":{\"recorded_seconds\":3600},\"oom\":[{},{}],\"oom_omitted\":3,\"leaks\":{"
        "\"alarms\":2,"
        "\"findings\":[{\"verdict\":\"leak\",\"slope_bytes_per_hour\":50},{\"verdict\":\"bounded\","
        "\"slope_bytes_per_hour\":900},{\"verdict\":\"leak\",\"slope_bytes_per_hour\":20},"
        "{\"verdict\":\"leak\",\"slope_bytes_per_hour\":-9},{\"verdict\":\"leak\",\"slope_bytes_"
        "per_hour\":null}]},"
        "\"charts\":{\"lines\":[{\"name\":\"other\",\"values\":[8]},{\"name\":\"mem_available\","
        "\"values\":"
        "[10,null,30],\"low\":[5,null,1],\"high\":[11,31]},{\"name\":\"swap_used\",\"high\":[7,99,"
        "null,8]}]}}");
    docs[1] =
        numbers("{\"oom\":null,\"leaks\":null,\"charts\":{\"lines\":[{\"name\":\"mem_available\","
                "\"values\":[7],\"low\":[5]},{\"name\":\"processes\",\"values\":[3]}]}}");
    for (int i = 0; i < 2; i++)
        json_array_append_new(columns, pt_compare_column(docs[i], "t", NULL));
    json_t *c = pt_compare_make(columns);
    const json_t *all = pt_tree_at(c, "rows");
    assert_int_equal(json_array_size(all), sizeof(rows) / sizeof(*rows)); /* none of nothing */
    for (size_t r = 0; r < json_array_size(all); r++) {
        const json_t *one = json_array_get(all, r), *values = pt_tree_at(one, "values");
        assert_string_equal(pt_tree_str(one, "name"), rows[r].name);
        assert_string_equal(pt_tree_str(one, "title"), rows[r].title);
        for (size_t i = 0; i < 2; i++) {
            const json_t *v = json_array_get(values, i);
            if (json_is_number(v) == isnan(rows[r].want[i]) ||
                (json_is_number(v) && fabs(json_number_value(v) - rows[r].want[i]) > 1e-9))
                fail_msg("%s of %zu: %g", rows[r].name, i, json_number_value(v));
        }
    }
    json_decref(c);
    json_decref(columns);
    json_decref(docs[0]);
    json_decref(docs[1]);
}

/* Those that had most at any time, of each what it had; who was not there has not nothing. */
static void services_side_by_side(void **state)
{
    json_t *columns = json_array();
    (void)state;
    for (int i = 0; i < 2; i++) {
        json_t *doc = json_object(), *v = json_array();
        for (int k = 0; k < 24; k++) {
            char name[16];
            snprintf(name, sizeof(name), "s%02d", k);
            /* the first 20 have most in the end; two processes of s05; s23 had most of all */
            if (!(k == 7 && i == 0) && !(k == 23 && i == 1))
                json_array_append_new(v, json_pack("{s:s?, s:s, s:i, s:i}", "service",
                                                   k % 2 ? name : NULL, "comm", name, "anon",
                                                   1000 - 10 * k, "swap", k == 23 ? 5000 : 1));
        }
        json_array_append_new(v, json_pack("{s:s, s:i}", "comm", "s05", "anon", 300));
        json_array_append_new(v, json_pack("{s:s, s:n, s:i}", "comm", "s06", "anon", "swap", 8));
        json_object_set_new(doc, "processes", json_pack("{s:o}", "rows", v));
        json_array_append_new(columns, pt_compare_column(doc, "t", NULL));
        json_decref(doc);
    }
    json_t *c = pt_compare_make(columns);
    const json_t *all = pt_tree_at(c, "services");
    assert_int_equal(json_array_size(all), 20);
    assert_int_equal(pt_tree_int(c, "services_omitted"), 4);
    static const struct {
        size_t at;
        const char *name;
        int64_t v[2];
    } want[] = {{0, "s23", {5770, PT_UNKNOWN}}, {1, "s05", {1251, 1251}},
                {2, "s00", {1001, 1001}},       {7, "s06", {941, 941}},
                {8, "s07", {PT_UNKNOWN, 931}},  {19, "s18", {821, 821}}};
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
        const json_t *one = json_array_get(all, want[i].at);
        assert_string_equal(pt_tree_str(one, "name"), want[i].name);
        for (size_t k = 0; k < 2; k++) {
            const json_t *v = json_array_get(pt_tree_at(one, "values"), k);
            assert_int_equal(json_is_integer(v) ? json_integer_value(v) : PT_UNKNOWN, want[i].v[k]);
        }
    }
    json_decref(c);
    json_decref(columns);
}

static char *text_of(const json_t *compare, int (*print)(const json_t *doc, FILE *out))
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    json_t *doc = json_pack("{s:i, s:s, s:i, s:s, s:[], s:O}", "report", 1, "kind", "index",
                            "utc_offset_seconds", 0, "host", "here", "notes", "compare", compare);
    assert_non_null(out);
    assert_int_equal(print(doc, out), 0);
    fclose(out);
    json_decref(doc);
    return text;
}

static void what_is_over_has_no_speed(void **state)
{
    (void)state;
    json_t *c = compared(json_pack("[o, o]", report(json_pack("[o]", leak("a", "leak"))),
                                   report(json_pack("[o]", leak("a", "bounded")))));
    char *text = text_of(c, pt_report_text);
    assert_string_equal(said(c, 0, 1), "resolved");
    assert_non_null(strstr(text, "Memory of here\n"));
    assert_non_null(strstr(text, " resolved\n"));
    free(text);
    json_decref(c);
}

/* That nothing could be told of leaks is not that there are none. */
static void no_leaks_and_none_that_is_known(void **state)
{
    static const struct {
        const char *leaks, *says;
        int damaged;
    } cases[] = {
        {"{\"alarms\": 0, \"series\": 9, \"insufficient\": 8, \"findings\": []}", ", 0 leaks.", 0},
        {"{\"alarms\": 2, \"series\": 9, \"insufficient\": 9, \"findings\": []}", ", 2 leaks.", 1},
        {"{\"alarms\": 0, \"series\": 9, \"insufficient\": 9, \"findings\": []}", "told.", 0},
        {"{\"alarms\": 0, \"series\": 0, \"insufficient\": 0, \"findings\": []}", "told.", 0},
        {"{\"alarms\": 0, \"series\": 9, \"insufficient\": 0, \"findings\": []}", "told.", 1},
        {"null", "told.", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *doc = report(NULL);
        json_object_set_new(doc, "leaks", json_loads(cases[i].leaks, JSON_DECODE_ANY, NULL));
        json_object_set_new(doc, "damaged", json_integer(cases[i].damaged));
        json_t *c = compared(json_pack("[o]", doc));
        char *text = text_of(c, pt_report_text);
        if (!strstr(text, cases[i].says))
            fail_msg("'%s' is not in:\n%s", cases[i].says, text);
        const json_t *head = json_array_get(pt_tree_at(c, "columns"), 0);
        assert_true((*cases[i].says == 't') == (pt_tree_int(head, "alarms") == PT_UNKNOWN));
        free(text);
        json_decref(c);
    }
}

/* Of more findings than there is room for. */
static void what_goes_on_is_shown(void **state)
{
    (void)state;
    json_t *docs = json_array();
    for (int day = 0; day < 5; day++) {
        json_t *findings = json_array();
        char name[32];
        for (int i = 0; i < 60; i++) {
            snprintf(name, sizeof(name), "day%d-%d", day, i);
            json_array_append_new(findings, leak(name, "leak"));
        }
        json_array_append_new(findings, leak(day % 2 ? "odd" : "even", "leak"));
        json_array_append_new(docs, report(findings));
    }
    json_t *c = compared(docs);
    const json_t *rows = pt_tree_at(c, "findings");
    const size_t shown = json_array_size(rows);
    assert_int_equal(shown + (size_t)pt_tree_int(c, "findings_omitted"), 5 * 60 + 2);
    size_t even = SIZE_MAX, newest = 0, oldest = 0;
    for (size_t i = 0; i < shown; i++) {
        even = pt_tree_is(row(c, i), "title", "even") ? i : even;
        newest += strncmp(pt_tree_str(row(c, i), "title"), "day4", 4) == 0;
        oldest += strncmp(pt_tree_str(row(c, i), "title"), "day0", 4) == 0;
        assert_int_equal(json_array_size(pt_tree_at(row(c, i), "cells")), 5);
    }
    assert_int_equal(newest, 60);
    assert_int_equal(oldest, 0);
    assert_int_equal(even, 0); /* as they came */
    static const char *const said_of_it[] = {"null", "none", "new", "none", "new"};
    for (size_t day = 0; day < 5; day++)
        assert_string_equal(said(c, even, day), said_of_it[day]);
    json_decref(c);
}

/* What lists, strips and badges call an alarm is one thing. */
static void a_strip_shows_every_alarm(void **state)
{
    static const char *const alarms[] = {"leak",     "per-request-leak", "leak-or-retention",
                                         "thrash",   "fast-growth",      "churn",
                                         "oom-kill", "exhaustion-risk",  "swap-out-pressure"};
    (void)state;
    for (size_t i = 0; i < sizeof(alarms) / sizeof(*alarms); i++) {
        json_t *docs = json_array();
        for (int k = 0; k < 6; k++) /* more than stand abreast */
            json_array_append_new(docs, report(json_pack("[o]", leak("a", alarms[i]))));
        json_t *c = compared(docs);
        char *page = text_of(c, pt_report_html);
        assert_non_null(strstr(page, "alarm in 6 of 6"));
        free(page);
        json_decref(c);
    }
    assert_false(pt_match_alarming("bounded"));
    assert_false(pt_match_alarming("stable"));
    assert_false(pt_match_alarming(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_before_the_first),
        cmocka_unit_test(each_is_compared_with_the_one_before),
        cmocka_unit_test(what_cannot_tell_says_nothing),
        cmocka_unit_test(what_is_over_stays_over),
        cmocka_unit_test(rows_are_kept),
        cmocka_unit_test(numbers_side_by_side),
        cmocka_unit_test(services_side_by_side),
        cmocka_unit_test(what_is_over_has_no_speed),
        cmocka_unit_test(what_goes_on_is_shown),
        cmocka_unit_test(no_leaks_and_none_that_is_known),
        cmocka_unit_test(a_strip_shows_every_alarm),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
