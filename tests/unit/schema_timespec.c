/* SPDX-License-Identifier: MIT
 * Instants as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/timespec.h"

#define S INT64_C(1000000)
/* 2026-11-23 15:30:00 UTC, which is 16:30 on the host's clock */
#define LAST (INT64_C(1795447800) * S)

static const struct pt_timespec_base base = {
    .first_us = LAST - 7 * 86400 * S, .last_us = LAST, .utc_offset_s = 3600};

struct good {
    const char *text;
    enum pt_instant_kind kind;
    int64_t value;
};

static void times_people_know(void **state)
{
    (void)state;
    static const struct good good[] = {
        {"first", PT_INSTANT_FIRST, 0},
        {"last", PT_INSTANT_LAST, 0},
        {"now", PT_INSTANT_LAST, 0},
        {"@12", PT_INSTANT_SNAPSHOT, 12},
        {"-30m", PT_INSTANT_TIME, LAST - 1800 * S},
        {"-1h30m", PT_INSTANT_TIME, LAST - 5400 * S},
        {"2h ago", PT_INSTANT_TIME, LAST - 7200 * S},
        {"1 day 3 hours ago", PT_INSTANT_TIME, LAST - 27 * 3600 * S},
        {"1.5h ago", PT_INSTANT_TIME, LAST - 5400 * S},
        {"14:05", PT_INSTANT_TIME, LAST - (2 * 3600 + 25 * 60) * S},
        {"1405", PT_INSTANT_TIME, LAST - (2 * 3600 + 25 * 60) * S},
        {"16:30:00", PT_INSTANT_TIME, LAST},
        /* later than the end: the day before */
        {"16:31", PT_INSTANT_TIME, LAST + 60 * S - 86400 * S},
        {"yesterday", PT_INSTANT_TIME, LAST - (16 * 3600 + 1800) * S - 86400 * S},
        {"yesterday 16:30", PT_INSTANT_TIME, LAST - 86400 * S},
        {"today 16:30", PT_INSTANT_TIME, LAST},
        {"2026-11-23 16:30", PT_INSTANT_TIME, LAST},
        {"2026-11-23 16:30:00", PT_INSTANT_TIME, LAST},
        {"20261123 16:30", PT_INSTANT_TIME, LAST},
        {"2026-11-23T15:30:00Z", PT_INSTANT_TIME, LAST},
        {"2026-11-23T15:30:00.25Z", PT_INSTANT_TIME, LAST + S / 4},
        {"2026-11-23 17:30 +02:00", PT_INSTANT_TIME, LAST},
        {"2026-11-23 15:30 UTC", PT_INSTANT_TIME, LAST},
        {"2026-11-23", PT_INSTANT_TIME, LAST - (16 * 3600 + 1800) * S},
        {"202611231630", PT_INSTANT_TIME, LAST},
        {"20261123163000", PT_INSTANT_TIME, LAST},
        {"1795447800", PT_INSTANT_TIME, LAST},
        {"1795447800.5", PT_INSTANT_TIME, LAST + S / 2},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct pt_instant got = {0};
        struct pt_err err = {0};
        const int rc = pt_timespec_parse(good[i].text, &base, &got, &err);
        if (rc < 0 || got.kind != good[i].kind || got.value != good[i].value)
            print_error("'%s': kind %d value %lld\n", good[i].text, (int)got.kind,
                        (long long)got.value);
        assert_int_equal(rc, 0);
        assert_int_equal(got.kind, good[i].kind);
        assert_true(got.value == good[i].value);
    }
}

static void what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "@",
                                      "@0",
                                      "@-1",
                                      "@12x",
                                      "30m",
                                      "-30m ago",
                                      "-",
                                      "-m",
                                      "2h",
                                      "24:00",
                                      "12:60",
                                      "1:5",
                                      "2026-13-01",
                                      "2026-02-29",
                                      "2026-11-23x",
                                      "2026-11-23 25:00",
                                      "yesterdays",
                                      "12345",
                                      "17954478001x",
                                      "-9999999999999999999s",
                                      "99999999999999999999",
                                      "-999999999w",
                                      "last 3",
                                      "2026-11-23 16:30 +9",
                                      "-1e9s",
                                      "-90"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pt_instant got = {.kind = PT_INSTANT_LAST, .value = 77};
        struct pt_err err = {0};
        if (pt_timespec_parse(bad[i], &base, &got, &err) >= 0)
            print_error("'%s' was taken for a time\n", bad[i]);
        assert_int_equal(err.code, PT_EUSAGE);
        assert_true(got.value == 77); /* untouched */
    }
}

static void spans_alone(void **state)
{
    (void)state;
    struct pt_timespec_base bare = base;
    struct pt_instant got;
    bare.bare = true;
    assert_int_equal(pt_timespec_parse("2d", &bare, &got, NULL), 0);
    assert_true(got.kind == PT_INSTANT_TIME && got.value == LAST - 2 * 86400 * S);
    assert_int_equal(pt_timespec_parse("-1h30m", &bare, &got, NULL), 0);
    assert_true(got.value == LAST - 5400 * S);
    assert_true(pt_timespec_parse("-30m ago", &bare, &got, NULL) < 0);
    assert_true(pt_timespec_parse("90", &bare, &got, NULL) < 0);
}

static void leap_days(void **state)
{
    (void)state;
    struct pt_instant got;
    assert_int_equal(pt_timespec_parse("2028-02-29 00:00 UTC", &base, &got, NULL), 0);
    assert_true(got.value == INT64_C(1835395200) * S);
    assert_true(pt_timespec_parse("2100-02-29", &base, &got, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_people_know),
        cmocka_unit_test(what_is_no_time),
        cmocka_unit_test(spans_alone),
        cmocka_unit_test(leap_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
