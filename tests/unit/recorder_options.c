/* SPDX-License-Identifier: MIT
 * The command line: every option, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "recorder/options.h"

static int parse(struct pt_options *o, struct pt_err *err, const char *words)
{
    static char text[512]; /* the options point into it until the next call */
    char *argv[32] = {NULL}, *at = text;
    int argc = 0;
    *err = (struct pt_err){0};
    snprintf(text, sizeof(text), "pagetraild %s", words);
    for (char *word = strsep(&at, " "); word; word = strsep(&at, " "))
        argv[argc++] = word;
    return pt_options_parse(o, argc, argv, err);
}

static void accepts(void **state)
{
    (void)state;
    struct pt_options o;
    struct pt_err err;
    assert_int_equal(parse(&o, &err, "-q"), 0);
    assert_int_equal(o.interval_us, PT_INTERVAL_US);
    assert_true(o.quiet && !o.once && o.timestamp_us == PT_UNKNOWN && !o.output);
    assert_int_equal(
        parse(&o, &err, "-o /x/y.db --interval=500ms -d 5m --deep off --cmdline name -vv"), 0);
    assert_string_equal(o.output, "/x/y.db");
    assert_int_equal(o.interval_us, 500000);
    assert_int_equal(o.duration_us, 300000000);
    assert_int_equal(o.deep, PT_DEEP_OFF);
    assert_int_equal(o.cmdline, PT_CMDLINE_NAME);
    assert_int_equal(o.verbose, 2);
    assert_int_equal(
        parse(&o, &err,
              "--once --timestamp 1790000000.25 --procfs /p --sysfs /s --cgroupfs /c --raw-log /r"),
        0);
    assert_true(o.once);
    assert_int_equal(o.timestamp_us, INT64_C(1790000000250000));
    assert_string_equal(o.procfs, "/p");
    assert_string_equal(o.sysfs, "/s");
    assert_string_equal(o.cgroupfs, "/c");
    assert_string_equal(o.raw_log, "/r");
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "--nonsense",
        "-x",
        "-i",
        "-i 0",
        "-i 1ms",
        "-i 10x",
        "-i -5s",
        "-i 99999999999999999999s",
        "-i 1.s",
        "-d 0s",
        "-d x",
        "--deep some",
        "--cmdline all",
        "--timestamp 5",
        "--once --timestamp yesterday",
        "--once -d 5s",
        "stray",
        "-o",
        "--output=",
    };
    struct pt_options o;
    struct pt_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (parse(&o, &err, bad[i]) >= 0)
            fail_msg("'%s' was accepted", bad[i]);
        assert_int_equal(err.code, PT_EUSAGE);
        assert_true(strlen(err.text) > 0);
    }
}

static void spans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {
        {"10", 10000000}, {"10s", 10000000}, {"1.5s", 1500000},    {"250ms", 250000},
        {"2us", 2},       {"1m", 60000000},  {"0.5h", 1800000000}, {"1d", INT64_C(86400000000)},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int64_t us = -1;
        assert_true(pt_parse_span(good[i].text, &us));
        assert_true(us == good[i].us);
    }
}

static void times(void **state)
{
    (void)state;
    setenv("TZ", "UTC-2", 1); /* two hours east */
    tzset();
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {
        {"0", 0},
        {"1790000000", INT64_C(1790000000000000)},
        {"2026-11-24T00:00:00Z", INT64_C(1795478400000000)},
        {"2026-11-24T00:00:00.5Z", INT64_C(1795478400500000)},
        {"2026-11-24T02:00:00+02:00", INT64_C(1795478400000000)},
        {"2026-11-23 22:30:00-01:30", INT64_C(1795478400000000)},
        {"2026-11-24 02:00:00", INT64_C(1795478400000000)},
        {"2026-11-24 02:00", INT64_C(1795478400000000)},
    };
    static const char *const bad[] = {
        "",
        "x",
        "-5",
        "1.",
        "1790000000x",
        "2026-11-24",
        "2026-13-24 00:00",
        "2026-11-24 25:00",
        "2026-11-24T00:00:00+2",
        "2026-11-24T00:00:00Zx",
        "99999999999999",
        "2026-1-4 00:00",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int64_t us = -1;
        if (!pt_parse_time(good[i].text, &us) || us != good[i].us)
            fail_msg("'%s': %lld", good[i].text, (long long)us);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int64_t us;
        if (pt_parse_time(bad[i], &us))
            fail_msg("'%s' was accepted", bad[i]);
    }
}

static void help_tells_options(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--output",  "--interval", "--duration", "--once", "--timestamp",
        "--procfs",  "--sysfs",    "--cgroupfs", "--deep", "--cmdline",
        "--raw-log", "--quiet",    "--verbose",  "--help", "--version",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_non_null(strstr(pt_options_help(), names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(spans),
        cmocka_unit_test(times),
        cmocka_unit_test(help_tells_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
