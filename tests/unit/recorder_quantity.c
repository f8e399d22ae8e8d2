/* SPDX-License-Identifier: MIT
 * Times, sizes and shares as people write them: each unit, the largest that are taken, and what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "recorder/quantity.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BAD      (-1) /* is refused */

struct quantity {
    const char *text;
    int64_t is;
};

static void parse(bool (*fn)(const char *text, int64_t *ret), const struct quantity *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t is = 77;
        const bool good = fn(v[i].text, &is);
        if (good != (v[i].is != BAD) || (good && is != v[i].is))
            fail_msg("'%s': %s, %lld", v[i].text, good ? "taken" : "refused", (long long)is);
    }
}
#define PARSE(fn, v) parse(fn, v, COUNT(v))

static void print(void (*fn)(char *ret, size_t size, int64_t v), const struct quantity *v, size_t n)
{
    char text[32];
    for (size_t i = 0; i < n; i++) {
        fn(text, sizeof(text), v[i].is);
        assert_string_equal(text, v[i].text);
    }
}
#define PRINT(fn, v) print(fn, v, COUNT(v))

static void spans(void **state)
{
    static const struct quantity v[] = {
        {"2us", 2},
        {"250ms", 250000},
        {"10", 10000000},
        {"10s", 10000000},
        {"1.5s", 1500000},
        {"1.000001s", 1000001},
        {"1.0000019s", 1000001},
        {"0.25", 250000},
        {"1m", 60000000},
        {"3min", 180000000},
        {"0.5h", 1800000000},
        {"1d", INT64_C(86400000000)},
        {"36600d", INT64_C(36600) * 86400000000},
        {"36601d", BAD},
        {"3162240000", INT64_C(3162240000000000)},
        {"3162240001", BAD},
        {"18446744073709551615us", BAD},
        {"18446744073709551616", BAD},
        {"1.", BAD},
        {"1.s", BAD},
        {".5s", BAD},
        {"1.5.5s", BAD},
        {"1 s", BAD},
        {"1s ", BAD},
        {"-1s", BAD},
        {"s", BAD},
        {"1S", BAD},
        {"", BAD},
    };
    static const struct quantity printed[] = {
        {"0us", 0},         {"1us", 1},          {"999us", 999},      {"1ms", 1000},
        {"1500us", 1500},   {"1s", 1000000},     {"90s", 90000000},   {"1m", 60000000},
        {"2h", 7200000000}, {"90m", 5400000000}, {"1d", 86400000000}, {"36h", 129600000000},
    };
    (void)state;
    PARSE(pt_parse_span, v);
    PRINT(pt_print_span, printed);
}

static void sizes(void **state)
{
    static const struct quantity v[] = {
        {"0", 0},
        {"4096", 4096},
        {"7B", 7},
        {"1k", 1024},
        {"1K", 1024},
        {"2KiB", 2048},
        {"1.5M", 1572864},
        {"1MiB", 1 << 20},
        {"1G", 1 << 30},
        {"2GiB", INT64_C(2) << 30},
        {"1T", INT64_C(1) << 40},
        {"1TiB", INT64_C(1) << 40},
        {"1048576T", INT64_C(1) << 60},
        {"1048577T", BAD},
        {"1152921504606846976", INT64_C(1) << 60},
        {"1152921504606846977", BAD},
        {"1X", BAD},
        {"1KB", BAD},
        {"1kib", BAD},
        {"", BAD},
        {"M", BAD},
    };
    static const struct quantity printed[] = {
        {"0", 0},
        {"1B", 1},
        {"1023B", 1023},
        {"1k", 1024},
        {"1025B", 1025},
        {"1M", 1 << 20},
        {"1536M", INT64_C(1536) << 20},
        {"2G", INT64_C(2) << 30},
        {"1T", INT64_C(1) << 40},
    };
    (void)state;
    PARSE(pt_parse_size, v);
    PRINT(pt_print_size, printed);
}

static void shares(void **state)
{
    static const struct quantity v[] = {
        {"0", 0},        {"0.5%", 5000},  {"0.5", 5000},    {"100", 1000000},
        {"0.0001%", 1},  {"0.00001%", 0}, {"1.25%", 12500}, {"100000%", 1000000000},
        {"100001", BAD}, {"5%%", BAD},    {"%", BAD},       {"", BAD},
    };
    (void)state;
    PARSE(pt_parse_share, v);
}

static void times(void **state)
{
    static const int64_t day = INT64_C(1795478400000000); /* 2026-11-24T00:00:00Z */
    const struct quantity v[] = {
        {"0", 0},
        {"1790000000", INT64_C(1790000000000000)},
        {"1790000000.25", INT64_C(1790000000250000)},
        {"253402300799", INT64_C(253402300799000000)},
        {"253402300800", BAD},
        {"2026-11-24T00:00:00Z", day},
        {"2026-11-24t00:00:00z", day},
        {"2026-11-24T00:00Z", day},
        {"2026-11-24T00:00:00.5Z", day + 500000},
        {"2026-11-24T12:34:56Z", day + INT64_C(45296000000)},
        {"2026-11-24T02:00:00+02:00", day},
        {"2026-11-23 22:30:00-01:30", day},
        {"2026-11-24T23:59:00+23:59", day},
        {"2026-11-24 02:00:00", day}, /* local */
        {"2026-11-24 02:00", day},
        {"2026-12-31T23:59:60Z", INT64_C(1798761600000000)},
        {"2028-02-29T00:00:00Z", INT64_C(1835395200000000)},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T12:00:00Z", BAD},
        {"", BAD},
        {"x", BAD},
        {"-5", BAD},
        {"1.", BAD},
        {"1790000000x", BAD},
        {"1790000000.5x", BAD},
        {"99999999999999", BAD},
        {"2026-11-24", BAD},
        {"2026-11-24x00:00", BAD},
        {"2026-1-4 00:00", BAD},
        {"2026-11-24 00", BAD},
        {"2026-11-24 00:00:", BAD},
        {"2026-11-24 00:00:0", BAD},
        {"2026-11-24T00:00:00.Z", BAD},
        {"2026-00-24 00:00", BAD},
        {"2026-13-24 00:00", BAD},
        {"2026-11-00 00:00", BAD},
        {"2026-11-32 00:00", BAD},
        {"2026-11-24 24:00", BAD},
        {"2026-11-24 00:60", BAD},
        {"2026-11-24 00:00:61", BAD},
        {"2026-11-24T00:00:00+2", BAD},
        {"2026-11-24T00:00:00+02:0", BAD},
        {"2026-11-24T00:00:00+0200", BAD},
        {"2026-11-24T00:00:00+02:000", BAD},
        {"2026-11-24T00:00:00+24:00", BAD},
        {"2026-11-24T00:00:00+00:60", BAD},
        {"2026-11-24T00:00:00*02:00", BAD},
        {"2026-11-24T00:00:00Zx", BAD},
    };
    (void)state;
    setenv("TZ", "UTC-2", 1); /* two hours east */
    tzset();
    PARSE(pt_parse_time, v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans),
        cmocka_unit_test(sizes),
        cmocka_unit_test(shares),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
