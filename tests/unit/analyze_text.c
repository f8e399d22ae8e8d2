/* SPDX-License-Identifier: MIT
 * Names on terminals and in JSON, sizes, durations, tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyze/print/json.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"
#include "schema/timespec.h"

static void check_escape(const char *s, size_t n, const char *want)
{
    struct pt_buf out;
    pt_buf_init(&out, 4096);
    pt_text_escape(s, n, &out);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.data, want, out.len);
    assert_int_equal(pt_text_width(s, n) <= out.len, 1);
    pt_buf_release(&out);
}
#define ESCAPE(s, want) check_escape(s, sizeof(s) - 1, want)

static void hostile_bytes_are_shown(void **state)
{
    (void)state;
    ESCAPE("plain", "plain");
    ESCAPE("a\nb\033[31m", "a\\x0ab\\x1b[31m");
    ESCAPE("\xff\xfe", "\\xff\\xfe");
    ESCAPE("caf\xc3\xa9", "caf\xc3\xa9");
    ESCAPE("\xc3", "\\xc3");                   /* cut short */
    ESCAPE("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
    ESCAPE("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    ESCAPE("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right-to-left override */
    ESCAPE("\xc2\x9b", "\\xc2\\x9b");          /* CSI in 8 bits */
    ESCAPE("\x7f\t", "\\x7f\\x09");
}

static void check_amounts(const char *s, const char *want)
{
    struct pt_buf out;
    pt_buf_init(&out, 4096);
    pt_text_amounts(s, strlen(s), &out);
    pt_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    pt_buf_release(&out);
}

static void amounts_are_told_in_units(void **state)
{
    (void)state;
    check_amounts("", "");
    check_amounts("peak RSS 30464 kB, lived 3 s", "peak RSS 29.8 MiB, lived 3 s");
    check_amounts("MemAvailable 12 kB is under 0 kB", "MemAvailable 12 KiB is under 0 B");
    check_amounts("1 a (peak RSS 2048 kB)", "1 a (peak RSS 2.0 MiB)");
    check_amounts("4 kBits, x4 kB, -4 kB, 4 k", "4 kBits, x4 kB, -4 kB, 4 k");
    check_amounts("99999999999999999999 kB, 9007199254740992 kB",
                  "99999999999999999999 kB, 9007199254740992 kB"); /* too large */
    check_amounts("uid 0; command line: dd 4 kB", "uid 0; command line: dd 4 kB");
}

static void check_fit(const char *s, size_t width, const char *want)
{
    struct pt_buf out;
    pt_buf_init(&out, 4096);
    pt_text_fit(s, strlen(s), width, &out);
    pt_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    pt_buf_release(&out);
}

static void long_names_lose_their_middle(void **state)
{
    (void)state;
    check_fit("short", 8, "short");
    check_fit("abcdefghijklmnop", 11, "abcd...mnop");
    check_fit("abcdefghijklmnop", 10, "abcd...nop");
    check_fit("abcdefghijklmnop", 4, "abcd");
    check_fit("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 9,
              "\xe6\xbc\xa2...\xe6\xbc\xa2"); /* two columns each: none is cut in half */
}

static void check_wrap(const char *s, size_t indent, size_t width, const char *want)
{
    struct pt_buf out;
    pt_buf_init(&out, 4096);
    pt_text_wrap(s, strlen(s), indent, width, &out);
    pt_buf_u8(&out, 0);
    assert_string_equal((const char *)out.data, want);
    pt_buf_release(&out);
}

static void texts_wrap_at_blanks(void **state)
{
    (void)state;
    check_wrap("", 2, 10, "");
    check_wrap("one two", 2, 10, "one two");
    check_wrap("one two 3", 2, 10, "one two\n  3");
    check_wrap("one two3 four", 2, 10, "one two3\n  four"); /* exactly full */
    check_wrap("one   two3  four ", 0, 8, "one\ntwo3\nfour");
    check_wrap("abcdefghijk l", 2, 8, "abcdef\n  ghijk\n  l"); /* a word longer than a line */
    check_wrap("a\nb c", 0, 6, "a\\x0ab\nc");                  /* controls break no lines */
    check_wrap("\xe6\xbc\xa2\xe5\xad\x97", 0, 3, "\xe6\xbc\xa2\n\xe5\xad\x97");
    check_wrap("\xe6\xbc\xa2", 0, 1, "\xe6\xbc\xa2"); /* wider than the line: goes on */
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        bool sign;
        const char *want;
    } cases[] = {
        {0, true, "0 B"},
        {1023, false, "1023 B"},
        {4096, true, "+4 KiB"},
        {-4096, true, "-4 KiB"},
        {1536, false, "1.5 KiB"},
        {INT64_C(1024) * 1024 - 1, false, "1.0 MiB"},
        {INT64_C(300) << 20, true, "+300.0 MiB"},
        {INT64_C(23) << 30, false, "23.0 GiB"},
        {INT64_MAX, false, "8.0 EiB"},
        {PT_UNKNOWN, false, "?"},
        {PT_UNKNOWN + 1, false, "-8.0 EiB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buf[PT_UNITS_BUF];
        assert_string_equal(pt_units_bytes(buf, sizeof(buf), cases[i].bytes, cases[i].sign),
                            cases[i].want);
    }
}

/* Of seconds that are none, or more than there are microseconds of. */
static void numbers_that_do_not_fit(void **state)
{
    (void)state;
    assert_int_equal(pt_units_us(-1.5), -1500000);
    assert_int_equal(pt_units_whole(1e18), INT64_C(1000000000000000000));
    assert_int_equal(pt_units_us(1e13), PT_UNKNOWN);
    assert_int_equal(pt_units_whole(-1e19), PT_UNKNOWN);
    assert_int_equal(pt_units_whole((double)INFINITY), PT_UNKNOWN);
    assert_int_equal(pt_units_us((double)NAN), PT_UNKNOWN);
}

static void durations_and_times(void **state)
{
    (void)state;
    char buf[PT_UNITS_BUF];
    assert_string_equal(pt_units_duration(buf, sizeof(buf), 1500000), "1.5 s");
    assert_string_equal(pt_units_duration(buf, sizeof(buf), -12000000), "-12 s");
    assert_string_equal(pt_units_duration(buf, sizeof(buf), 20000), "20 ms");
    assert_string_equal(pt_units_duration(buf, sizeof(buf), INT64_C(200000000)), "3 min 20 s");
    assert_string_equal(pt_units_duration(buf, sizeof(buf), INT64_C(7 * 86400000000)), "7 d");
    assert_string_equal(pt_units_duration(buf, sizeof(buf), PT_UNKNOWN), "?");
    const int64_t us = INT64_C(1795447800123456);
    assert_string_equal(pt_units_rfc3339(buf, sizeof(buf), us), "2026-11-23T15:30:00.123456Z");
    assert_string_equal(pt_units_time(buf, sizeof(buf), us, 5400), "2026-11-23 17:00:00 +01:30");
    assert_string_equal(pt_units_time(buf, sizeof(buf), us, -5400), "2026-11-23 14:00:00 -01:30");
    assert_string_equal(pt_units_rfc3339(buf, sizeof(buf), -1), "1969-12-31T23:59:59.999999Z");
    for (int64_t day = -800000; day < 800000; day += 13) { /* both ways, for 4,000 years */
        int64_t y;
        unsigned m, d;
        pt_civil_from_days(day, &y, &m, &d);
        assert_true(pt_days_from_civil(y, m, d) == day);
    }
}

static void check_name(const char *s, size_t n, const char *want)
{
    json_t *j = pt_json_name(s, n);
    assert_non_null(j);
    assert_int_equal(json_string_length(j), strlen(want));
    assert_string_equal(json_string_value(j), want);
    json_decref(j);
}
#define NAME(s, want) check_name(s, sizeof(s) - 1, want)

/* What json.h says an escaped name means. */
static size_t unescape(const char *s, char *ret)
{
    size_t n = 0;
    for (; *s; s++) {
        static const char hex[] = "0123456789abcdef";
        if (*s == '\\' && s[1] == '\\') {
            ret[n++] = *++s;
        } else if (*s == '\\' && s[1] == 'x') {
            ret[n++] = (char)((strchr(hex, s[2]) - hex) << 4 | (strchr(hex, s[3]) - hex));
            s += 3;
        } else {
            ret[n++] = *s;
        }
    }
    return n;
}

static void names_in_json_are_lossless(void **state)
{
    (void)state;
    NAME("plain", "plain");
    NAME("dev-disk\\x2duuid", "dev-disk\\x2duuid"); /* systemd's own escapes stay */
    NAME("a\\b", "a\\b");
    NAME("\xff", "\\xff");
    NAME("a\\b\xff", "a\\\\b\\xff");
    NAME("a\\xff", "a\\\\xff"); /* would be taken for a byte */
    NAME("\xc3\xa9\\\xff", "\xc3\xa9\\\\\\xff");
    NAME("a\nb", "a\nb"); /* JSON itself escapes controls */
    srand(1);
    for (int round = 0; round < 20000; round++) {
        static const char set[] = "\\x8ffa9\xc3\xa9\xff\\";
        char name[12], back[64];
        const size_t n = (size_t)rand() % sizeof(name);
        for (size_t i = 0; i < n; i++)
            name[i] = set[(size_t)rand() % (sizeof(set) - 1)];
        json_t *j = pt_json_name(name, n);
        const char *s = json_string_value(j);
        bool escaped = false;
        for (const char *p = s; (p = strstr(p, "\\x")); p++)
            escaped |= p[2] && strchr("89abcdef", p[2]) && p[3] && strchr("0123456789abcdef", p[3]);
        const size_t m = escaped ? unescape(s, back) : strlen(s);
        assert_int_equal(m, n);
        assert_memory_equal(escaped ? back : s, name, n);
        json_decref(j);
    }
}

static void tables_fit(void **state)
{
    (void)state;
    static const struct pt_column columns[] = {{.title = "PID", .right = true},
                                               {.title = "NAME", .shrink = 8},
                                               {.title = "N", .right = true}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct pt_table t;
    pt_table_init(&t, columns, 3);
    pt_table_cell(&t, "1");
    pt_table_cell(&t, "a");
    pt_table_cell(&t, "12");
    pt_table_cell(&t, "4194304");
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            pt_table_cellf(&t, "%0200d\n", 0);
        else
            pt_table_cell(&t, "-3");
    }
    assert_int_equal(pt_table_end(&t, out, false), 0);
    fclose(out);
    size_t longest = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        longest = (size_t)(end - line) > longest ? (size_t)(end - line) : longest;
    assert_int_equal(longest, PT_TEXT_WIDTH);
    assert_memory_equal(text, "    PID  NAME", 13);
    assert_non_null(strstr(text, "000...000"));
    assert_non_null(strstr(text, "\\x0a  -3\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_told_in_units),
        cmocka_unit_test(hostile_bytes_are_shown),
        cmocka_unit_test(long_names_lose_their_middle),
        cmocka_unit_test(texts_wrap_at_blanks),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations_and_times),
        cmocka_unit_test(numbers_that_do_not_fit),
        cmocka_unit_test(names_in_json_are_lossless),
        cmocka_unit_test(tables_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
