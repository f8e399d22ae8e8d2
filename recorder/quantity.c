/* SPDX-License-Identifier: MIT
 * Times, sizes and shares as people write them. */
#include "recorder/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "recorder/clock.h"
#include "recorder/scan.h"

#define SPAN_MAX_US (INT64_C(36600) * 86400 * PT_SECOND)
#define EPOCH_MAX_S UINT64_C(253402300799) /* the year 9999 */
#define SIZE_MAX_B  (INT64_C(1) << 60)

struct unit {
    const char *name;
    int64_t is;
};

/* Largest last; the ones that are printed carry the shortest name. */
static const struct unit spans[] = {
    {"us", 1},
    {"ms", 1000},
    {"", PT_SECOND},
    {"s", PT_SECOND},
    {"m", 60 * PT_SECOND},
    {"min", 60 * PT_SECOND},
    {"h", 3600 * PT_SECOND},
    {"d", 86400 * PT_SECOND},
};
static const struct unit sizes[] = {
    {"", 1},
    {"B", 1},
    {"k", INT64_C(1) << 10},
    {"K", INT64_C(1) << 10},
    {"KiB", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20},
    {"MiB", INT64_C(1) << 20},
    {"G", INT64_C(1) << 30},
    {"GiB", INT64_C(1) << 30},
    {"T", INT64_C(1) << 40},
    {"TiB", INT64_C(1) << 40},
};

/* Digits after a point as millionths. */
static bool fraction(struct pt_scan *s, int64_t *ret)
{
    int64_t v = 0, unit = 100000;
    const char *start = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, unit /= 10)
        v += (*s->p - '0') * unit;
    *ret = v;
    return s->p > start;
}

/* "1.5m": a number and one of the units. */
static bool parse_units(const char *text, const struct unit *units, size_t n, int64_t max,
                        int64_t *ret)
{
    struct pt_scan s = pt_scan_of(text, strlen(text));
    uint64_t whole;
    int64_t part = 0;
    if (!pt_scan_u64(&s, &whole))
        return false;
    if (s.p < s.end && *s.p == '.') {
        s.p++;
        if (!fraction(&s, &part))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(s.p, units[i].name) != 0)
            continue;
        if (whole > (uint64_t)(max / units[i].is))
            return false;
        *ret = (int64_t)whole * units[i].is + (int64_t)((double)part * (double)units[i].is / 1e6);
        return true;
    }
    return false;
}

/* In the largest unit that leaves a whole number. */
static void print_units(char *ret, size_t size, const struct unit *units, size_t n, int64_t v)
{
    const struct unit *best = &units[0];
    for (size_t i = 0; i < n; i++) {
        if (*units[i].name && v % units[i].is == 0 && v >= units[i].is &&
            (units[i].is > best->is || !*best->name))
            best = &units[i];
    }
    snprintf(ret, size, "%" PRId64 "%s", v / best->is, best->name);
}

bool pt_parse_span(const char *text, int64_t *ret_us)
{
    return parse_units(text, spans, sizeof(spans) / sizeof(*spans), SPAN_MAX_US, ret_us);
}

bool pt_parse_size(const char *text, int64_t *ret_bytes)
{
    return parse_units(text, sizes, sizeof(sizes) / sizeof(*sizes), SIZE_MAX_B, ret_bytes);
}

bool pt_parse_share(const char *text, int64_t *ret_ppm)
{
    static const struct unit percent[] = {{"%", 10000}, {"", 10000}};
    return parse_units(text, percent, 2, INT64_C(1000000000), ret_ppm);
}

void pt_print_span(char *ret, size_t size, int64_t us)
{
    print_units(ret, size, spans, sizeof(spans) / sizeof(*spans), us);
}

void pt_print_size(char *ret, size_t size, int64_t bytes)
{
    print_units(ret, size, sizes, sizeof(sizes) / sizeof(*sizes), bytes);
}

/* Exactly n digits and then `after` (0: nothing asked). */
static bool digits(struct pt_scan *s, int n, char after, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++, s->p++) {
        if (s->p >= s->end || *s->p < '0' || *s->p > '9')
            return false;
        v = v * 10 + (*s->p - '0');
    }
    *ret = v;
    if (!after)
        return true;
    return s->p < s->end && *s->p++ == after;
}

/* "Z", "+01:00" or nothing. *ret_local: nothing. */
static bool zone(struct pt_scan *s, int64_t *ret_offset_s, bool *ret_local)
{
    int h, m;
    *ret_offset_s = 0;
    *ret_local = s->p == s->end;
    if (*ret_local)
        return true;
    const char c = *s->p++;
    if (c == 'Z' || c == 'z')
        return s->p == s->end;
    if ((c != '+' && c != '-') || !digits(s, 2, ':', &h) || !digits(s, 2, 0, &m) ||
        s->p != s->end || h > 23 || m > 59)
        return false;
    *ret_offset_s = (h * 3600 + m * 60) * (c == '-' ? -1 : 1);
    return true;
}

static bool in_range(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60 && tm->tm_year >= 70;
}

static bool parse_date(struct pt_scan s, int64_t *ret_us)
{
    struct tm tm = {.tm_isdst = -1};
    int64_t part = 0, offset;
    bool local;
    if (!digits(&s, 4, '-', &tm.tm_year) || !digits(&s, 2, '-', &tm.tm_mon) ||
        !digits(&s, 2, 0, &tm.tm_mday) || s.p >= s.end || !memchr("Tt ", *s.p, 3))
        return false;
    s.p++;
    if (!digits(&s, 2, ':', &tm.tm_hour) || !digits(&s, 2, 0, &tm.tm_min))
        return false;
    if (s.p < s.end && *s.p == ':') {
        s.p++;
        if (!digits(&s, 2, 0, &tm.tm_sec))
            return false;
        if (s.p < s.end && *s.p == '.') {
            s.p++;
            if (!fraction(&s, &part))
                return false;
        }
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (!in_range(&tm) || !zone(&s, &offset, &local))
        return false;
    const time_t t = local ? mktime(&tm) : timegm(&tm);
    *ret_us = ((int64_t)t - offset) * PT_SECOND + part;
    return t != (time_t)-1;
}

bool pt_parse_time(const char *text, int64_t *ret_us)
{
    struct pt_scan s = pt_scan_of(text, strlen(text));
    const struct pt_scan start = s;
    uint64_t seconds;
    int64_t part = 0;
    if (pt_scan_u64(&s, &seconds) && (s.p == s.end || *s.p == '.')) {
        const bool plain = s.p == s.end;
        s.p += !plain;
        if ((!plain && !fraction(&s, &part)) || s.p != s.end || seconds > EPOCH_MAX_S)
            return false;
        *ret_us = (int64_t)seconds * PT_SECOND + part;
        return true;
    }
    return parse_date(start, ret_us);
}
