/* SPDX-License-Identifier: MIT
 * Reports by period: where each begins and ends, in the time of the recorded host, what it is
 * called, and what the index says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/report/cmd_report.h"
#include "tests/support/recording.h"

#define HOURS 3600
#define DAYS  (24 * HOURS)
/* 2026-11-20T00:00:00Z, a Friday */
#define FRIDAY INT64_C(1795132800)
#define NONE   INT64_MIN
#define MOST   8

static const struct pt_report_format *format;

/* One process that is there at every time, in seconds of the calendar, by a host this far ahead of
 * UTC; the last snapshot by one that is `last` ahead. */
static void record(struct recording *r, const int64_t *times, int32_t offset_s, int32_t last)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 60000000};
    recording_new(r, &meta, (FRIDAY - DAYS) * 1000000);
    for (int i = 0; i < MOST && times[i] != NONE; i++) {
        const struct pt_snap snap = {.real_us = times[i] * 1000000,
                                     .boot_us = (i + 1) * INT64_C(60000000),
                                     .mono_us = (i + 1) * INT64_C(60000000),
                                     .utc_offset_s =
                                         i + 1 == MOST || times[i + 1] == NONE ? last : offset_s,
                                     .boot = 1};
        recording_begin(r, &snap, false);
        recording_text(r, "proc:meminfo", "MemTotal: 100000 kB\nMemFree: 50000 kB\n");
        recording_end(r);
    }
    recording_close(r);
}

static void remove_all(const char *dir)
{
    char path[700];
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static int files_in(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* "NAME FIRST-LAST, ..." of the index. */
static void columns_of(const char *dir, char *ret, size_t size)
{
    char path[400];
    json_error_t error;
    size_t i, n = 0;
    const json_t *column;
    snprintf(path, sizeof(path), "%s/index.json", dir);
    json_t *index = json_load_file(path, 0, &error);
    assert_non_null(index);
    *ret = '\0';
    json_array_foreach(json_object_get(json_object_get(index, "compare"), "columns"), i, column)
    {
        n += (size_t)snprintf(ret + n, size - n, "%s%s %d-%d", n ? ", " : "",
                              json_string_value(json_object_get(column, "title")),
                              (int)json_integer_value(json_object_get(column, "first")),
                              (int)json_integer_value(json_object_get(column, "last")));
        assert_true(n < size);
    }
    assert_int_equal(files_in(dir), i + 1);
    json_decref(index);
}

/* Reports of it with these arguments: how it ended, and where they are. */
static int make(const struct recording *r, const char *every, bool utc, char dir[100],
                struct pt_err *err)
{
    struct pt_session s;
    struct pt_args args;
    struct pt_report_outcome outcome;
    snprintf(dir, 100, "%s/days", r->dir);
    const char *const words[7] = {"report", r->path, "--every", every, "-o", dir, "--utc"};
    char copies[7][100], *argv[8] = {NULL};
    for (int i = 0; i < (utc ? 7 : 6); i++) {
        snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
        argv[i] = copies[i];
    }
    assert_true(pt_args_parse(&pt_cmd_report, utc ? 7 : 6, argv, &args) < 0);
    assert_int_equal(pt_session_open(&args, r->path, &s), 0);
    const struct pt_report_span span = {s.span.first, s.span.last, format};
    const int rc = pt_report_every(&s, &span, &outcome, err);
    pt_session_close(&s, 0);
    return rc;
}

struct expected {
    const char *every, *columns;
    int32_t offset_s, last_s; /* ahead of UTC */
    bool utc;
    int64_t times[MOST];
};

static void periods_of(const struct expected *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct expected *c = &cases[i];
        struct recording r;
        struct pt_err err = {0};
        char dir[100], got[512];
        record(&r, c->times, c->offset_s, c->last_s);
        if (make(&r, c->every, c->utc, dir, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
        columns_of(dir, got, sizeof(got));
        if (strcmp(got, c->columns) != 0)
            fail_msg("%zu: '%s', not '%s'", i, got, c->columns);
        remove_all(dir);
        recording_remove(&r);
    }
}
#define PERIODS(cases) periods_of(cases, sizeof(cases) / sizeof((cases)[0]))

/* A period begins with its first second and ends before the next one's. */
static void bounds_are_of_the_calendar(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {.every = "1d",
         .columns = "2026-11-19 1-1, 2026-11-20 2-3, 2026-11-21 4-4",
         .times = {FRIDAY - 1, FRIDAY, FRIDAY + DAYS - 1, FRIDAY + DAYS, NONE}},
        {.every = "2d", /* from the first Monday there was */
         .columns = "2026-11-17 1-1, 2026-11-19 2-3, 2026-11-21 4-4",
         .times = {FRIDAY - DAYS - 1, FRIDAY - DAYS, FRIDAY + DAYS - 1, FRIDAY + DAYS, NONE}},
        {.every = "1w", /* Mondays */
         .columns = "2026-11-16 1-2, 2026-11-23 3-3",
         .times = {FRIDAY, FRIDAY + 3 * DAYS - 1, FRIDAY + 3 * DAYS, NONE}},
        {.every = "12h",
         .columns = "2026-11-19T12 1-1, 2026-11-20T00 2-3, 2026-11-20T12 4-4",
         .times = {FRIDAY - 1, FRIDAY, FRIDAY + 12 * HOURS - 1, FRIDAY + 12 * HOURS, NONE}},
        {.every = "1d", /* days without any are none, however many */
         .columns = "2026-11-20 1-1, 2027-11-20 2-2",
         .times = {FRIDAY, FRIDAY + 365 * DAYS, NONE}},
        {.every = "1d", /* before there was a calendar */
         .columns = "1969-12-31 1-2, 1970-01-01 3-3",
         .times = {-DAYS, -1, 0, NONE}},
    };
    PERIODS(cases);
}

/* Midnight is the recorded host's, as it was at the end of the recording. */
static void midnight_is_local(void **state)
{
    (void)state;
    static const int32_t india = 5 * HOURS + 1800, chicago = -6 * HOURS, berlin = 1 * HOURS;
    const struct expected cases[] = {
        {.every = "1d",
         .columns = "2026-11-20 1-1, 2026-11-21 2-2",
         .offset_s = india,
         .last_s = india,
         .times = {FRIDAY + DAYS - india - 1, FRIDAY + DAYS - india, NONE}},
        {.every = "1w",
         .columns = "2026-11-16 1-1, 2026-11-23 2-2",
         .offset_s = chicago,
         .last_s = chicago,
         .times = {FRIDAY + 3 * DAYS - chicago - 1, FRIDAY + 3 * DAYS - chicago, NONE}},
        {.every = "6h",
         .columns = "2026-11-20T18 1-1, 2026-11-21T00 2-2",
         .offset_s = india,
         .last_s = india,
         .times = {FRIDAY + DAYS - india - 1, FRIDAY + DAYS - india, NONE}},
        {.every = "1d", /* and UTC where that is asked for */
         .columns = "2026-11-20 1-2",
         .offset_s = india,
         .last_s = india,
         .utc = true,
         .times = {FRIDAY + DAYS - india - 1, FRIDAY + DAYS - india, NONE}},
        {.every = "1d", /* summer time ended meanwhile */
         .columns = "2026-11-19 1-1, 2026-11-20 2-3",
         .offset_s = berlin + HOURS,
         .last_s = berlin,
         .times = {FRIDAY - berlin - 1, FRIDAY - berlin, FRIDAY, NONE}},
    };
    PERIODS(cases);
}

/* A clock that is set. */
static void clocks_that_are_set(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {.every = "1d", /* back by less than half a period: no day begins again */
         .columns = "2026-11-19 1-1, 2026-11-20 2-4",
         .times = {FRIDAY - 1, FRIDAY + 60, FRIDAY - 12 * HOURS + 1, FRIDAY + 120, NONE}},
        {.every = "1d", /* by half of one: the day before once more */
         .columns = "2026-11-19 1-1, 2026-11-20 2-2, 2026-11-19-2 3-3, 2026-11-20-2 4-4",
         .times = {FRIDAY - 1, FRIDAY + 60, FRIDAY - 12 * HOURS, FRIDAY + 120, NONE}},
        {.every = "1d", /* it was years ahead */
         .columns = "2031-11-19 1-1, 2026-11-20 2-2",
         .times = {FRIDAY + 1825 * DAYS, FRIDAY, NONE}},
        {.every = "1h",
         .columns =
             "2026-11-20T00 1-1, 2026-11-20T01 2-2, 2026-11-20T00-2 3-3, 2026-11-20T01-2 4-4",
         .times = {FRIDAY, FRIDAY + HOURS, FRIDAY, FRIDAY + HOURS, NONE}},
        {.every = "1d", /* years that people do not count are one */
         .columns = "2026-11-20 1-1, 287168-08-24 2-3",
         .times = {FRIDAY, INT64_C(9000000000001), INT64_MAX / 1000000, NONE}},
    };
    PERIODS(cases);
}

/* What is refused says why, and leaves nothing. */
static void what_is_no_period(void **state)
{
    static const char *const refused[] = {"1",  "d",   "0d",    "-1d", "1m",
                                          "1s", "1d ", "1d12h", "1 d", "101y"};
    static const int64_t times[] = {FRIDAY, FRIDAY + 60, NONE};
    struct recording r;
    char dir[100];
    (void)state;
    record(&r, times, 0, 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct pt_err err = {0};
        if (make(&r, refused[i], true, dir, &err) >= 0)
            fail_msg("'%s' is taken for a period", refused[i]);
        assert_int_equal(err.code, PT_EUSAGE);
        assert_non_null(strstr(err.text, "is not a period"));
        assert_int_equal(access(dir, F_OK), -1);
    }
    recording_remove(&r);
}

static int set_up(void **state)
{
    struct pt_err err = {0};
    (void)state;
    format = pt_report_format_of("json", &err);
    return format ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_of_the_calendar),
        cmocka_unit_test(midnight_is_local),
        cmocka_unit_test(clocks_that_are_set),
        cmocka_unit_test(what_is_no_period),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
