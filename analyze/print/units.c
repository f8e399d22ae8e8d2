/* SPDX-License-Identifier: MIT
 * Amounts and times to text. */
#include "analyze/print/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "schema/frame.h"

static char *unknown(char *buf, size_t size)
{
    snprintf(buf, size, "?");
    return buf;
}

int64_t pt_units_minus(int64_t a, int64_t b)
{
    int64_t r;
    return a == PT_UNKNOWN || b == PT_UNKNOWN || __builtin_sub_overflow(a, b, &r) ? PT_UNKNOWN : r;
}

int64_t pt_units_plus(int64_t a, int64_t b)
{
    int64_t r;
    return a == PT_UNKNOWN || b == PT_UNKNOWN || __builtin_add_overflow(a, b, &r) ? PT_UNKNOWN : r;
}

char *pt_units_bytes(char *buf, size_t size, int64_t bytes, bool sign)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes == PT_UNKNOWN)
        return unknown(buf, size);
    const char *mark = bytes < 0 ? "-" : sign && bytes > 0 ? "+" : "";
    const uint64_t n = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;
    double v = (double)n;
    unsigned unit = 0;
    /* 1023.95 and more would be printed as 1024.0 */
    while (v >= (unit ? 1023.95 : 1024) && unit + 1 < sizeof(units) / sizeof(units[0])) {
        v /= 1024;
        unit++;
    }
    const bool whole = unit == 0 || (unit == 1 && n % 1024 == 0);
    snprintf(buf, size, "%s%.*f %s", mark, whole ? 0 : 1, v, units[unit]);
    return buf;
}

char *pt_units_count(char *buf, size_t size, int64_t n, bool sign)
{
    if (n == PT_UNKNOWN)
        return unknown(buf, size);
    snprintf(buf, size, sign && n > 0 ? "+%" PRId64 : "%" PRId64, n);
    return buf;
}

int64_t pt_units_whole(double v)
{
    return fabs(v) < 9e18 ? (int64_t)v : PT_UNKNOWN;
}

int64_t pt_units_us(double seconds)
{
    return pt_units_whole(seconds * 1e6);
}

char *pt_units_duration(char *buf, size_t size, int64_t us)
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    if (us == PT_UNKNOWN)
        return unknown(buf, size);
    const char *mark = us < 0 ? "-" : "";
    const uint64_t abs_us = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    if (abs_us >= 1000 && abs_us < 100 * 1000u) {
        snprintf(buf, size, "%s%.0f ms", mark, (double)abs_us / 1e3);
        return buf;
    }
    if (abs_us < 10 * 1000000u) {
        snprintf(buf, size, "%s%.1f s", mark, (double)abs_us / 1e6);
        return buf;
    }
    const int64_t s = (int64_t)((abs_us + 500000) / 1000000);
    for (unsigned i = 0; i < 4; i++) {
        if (s < units[i].s)
            continue;
        const int64_t n = s / units[i].s;
        const int64_t rest = i < 3 ? s % units[i].s / units[i + 1].s : 0;
        if (rest)
            snprintf(buf, size, "%s%" PRId64 " %s %" PRId64 " %s", mark, n, units[i].name, rest,
                     units[i + 1].name);
        else
            snprintf(buf, size, "%s%" PRId64 " %s", mark, n, units[i].name);
        break;
    }
    return buf;
}

/* Howard Hinnant's algorithm, the way back of pt_days_from_civil. */
void pt_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t doe = days - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = yoe + era * 400 + (*ret_month <= 2);
}

struct clock {
    int64_t year, us; /* us: within the second */
    unsigned month, day, hour, minute, second;
};

static struct clock clock_of(int64_t real_us)
{
    int64_t s = real_us / 1000000, us = real_us % 1000000;
    if (us < 0) {
        us += 1000000;
        s--;
    }
    int64_t days = s / 86400, rest = s % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    struct clock c = {.us = us,
                      .hour = (unsigned)(rest / 3600),
                      .minute = (unsigned)(rest / 60 % 60),
                      .second = (unsigned)(rest % 60)};
    pt_civil_from_days(days, &c.year, &c.month, &c.day);
    return c;
}

char *pt_units_time(char *buf, size_t size, int64_t real_us, int32_t utc_offset_s)
{
    int64_t local;
    if (real_us == PT_UNKNOWN ||
        __builtin_add_overflow(real_us, (int64_t)utc_offset_s * 1000000, &local))
        return unknown(buf, size);
    const struct clock c = clock_of(local);
    const unsigned east = utc_offset_s < 0 ? 0u - (unsigned)utc_offset_s : (unsigned)utc_offset_s;
    snprintf(buf, size, "%04" PRId64 "-%02u-%02u %02u:%02u:%02u %c%02u:%02u", c.year, c.month,
             c.day, c.hour, c.minute, c.second, utc_offset_s < 0 ? '-' : '+', east / 3600,
             east / 60 % 60);
    return buf;
}

char *pt_units_rfc3339(char *buf, size_t size, int64_t real_us)
{
    if (real_us == PT_UNKNOWN)
        return unknown(buf, size);
    const struct clock c = clock_of(real_us);
    snprintf(buf, size, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%06" PRId64 "Z", c.year, c.month,
             c.day, c.hour, c.minute, c.second, c.us);
    return buf;
}
