/* SPDX-License-Identifier: MIT
 * One strict cursor over the text, one function a form; the first form that takes the whole text
 * wins. */
#include "schema/timespec.h"

#include <string.h>

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)
#define LIMIT  INT64_C(253402300800) /* the year 10000, seconds */

struct cursor {
    const char *p;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct cursor *c)
{
    while (*c->p == ' ')
        c->p++;
}

static bool take(struct cursor *c, char what)
{
    if (*c->p != what)
        return false;
    c->p++;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    const size_t n = strlen(word);
    const char after = strncmp(c->p, word, n) == 0 ? c->p[n] : 'a';
    if ((after >= 'a' && after <= 'z') || is_digit(after))
        return false;
    c->p += n;
    return true;
}

static size_t digits(const struct cursor *c)
{
    size_t n = 0;
    while (is_digit(c->p[n]))
        n++;
    return n;
}

/* Exactly n digits (n <= 18), between low and high. */
static bool take_number(struct cursor *c, size_t n, int64_t low, int64_t high, int64_t *ret)
{
    int64_t v = 0;
    if (n == 0 || n > 18 || digits(c) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (c->p[i] - '0');
    if (v < low || v > high)
        return false;
    c->p += n;
    *ret = v;
    return true;
}

/* ".25" -> microseconds; nothing there: 0. */
static bool take_fraction(struct cursor *c, int64_t *ret_us)
{
    *ret_us = 0;
    if (!take(c, '.'))
        return true;
    int64_t unit = SECOND;
    if (!is_digit(*c->p))
        return false;
    for (; is_digit(*c->p); c->p++) {
        unit /= 10;
        *ret_us += unit * (*c->p - '0');
    }
    return true;
}

/* "14:05", "14:05:30", "14:05:30.5" */
static bool take_clock(struct cursor *c, int64_t *ret_us)
{
    int64_t h, m, s = 0, fraction = 0;
    const size_t n = digits(c);
    if ((n != 1 && n != 2) || !take_number(c, n, 0, 23, &h) || !take(c, ':') || digits(c) != 2 ||
        !take_number(c, 2, 0, 59, &m))
        return false;
    if (take(c, ':') &&
        (digits(c) != 2 || !take_number(c, 2, 0, 60, &s) || !take_fraction(c, &fraction)))
        return false;
    *ret_us = ((h * 60 + m) * 60 + s) * SECOND + fraction;
    return true;
}

/* Howard Hinnant's algorithm: years begin in March, so that the leap day is the last. */
int64_t pt_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t yoe = year - era * 400;
    const int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static unsigned month_days(int64_t year, int64_t month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "2026-11-23" or "20261123": microseconds of its midnight, zone left out. */
static bool take_date(struct cursor *c, int64_t *ret_us)
{
    int64_t year, month, day;
    if (!take_number(c, 4, 1970, 9999, &year))
        return false;
    const bool dashes = take(c, '-');
    if (!take_number(c, 2, 1, 12, &month) || (dashes && !take(c, '-')) ||
        !take_number(c, 2, 1, 31, &day) || day > (int64_t)month_days(year, month))
        return false;
    *ret_us = pt_days_from_civil(year, (unsigned)month, (unsigned)day) * DAY;
    return true;
}

/* "Z", "+01:00", "-0530", " UTC": offset east; false: none there. */
static bool take_zone(struct cursor *c, int64_t *ret_s)
{
    int64_t h, m = 0;
    struct cursor at = *c;
    skip_blanks(&at);
    *ret_s = 0;
    if (take(&at, 'Z') || take(&at, 'z') || take_word(&at, "UTC") || take_word(&at, "utc")) {
        *c = at;
        return true;
    }
    const int64_t sign = *at.p == '-' ? -1 : 1;
    if ((!take(&at, '+') && !take(&at, '-')) || !take_number(&at, 2, 0, 15, &h))
        return false;
    take(&at, ':');
    if (is_digit(*at.p) && !take_number(&at, 2, 0, 59, &m))
        return false;
    *ret_s = sign * (h * 3600 + m * 60);
    *c = at;
    return true;
}

static int64_t offset_us(const struct pt_timespec_base *base)
{
    return (int64_t)base->utc_offset_s * SECOND;
}

/* Midnight of the recording's last day on the host's clock, plus the host's offset. */
static int64_t last_midnight(const struct pt_timespec_base *base)
{
    const int64_t local = base->last_us + offset_us(base);
    const int64_t into = local % DAY;
    return local - (into < 0 ? into + DAY : into);
}

static struct pt_instant at_local(int64_t local_us, const struct pt_timespec_base *base)
{
    return (struct pt_instant){
        .kind = PT_INSTANT_TIME, .value = local_us - offset_us(base), .local = true};
}

/* ---- the forms ---- */

typedef bool form_fn(struct cursor *c, const struct pt_timespec_base *base, struct pt_instant *ret);

static bool form_name(struct cursor *c, const struct pt_timespec_base *base, struct pt_instant *ret)
{
    (void)base;
    if (take_word(c, "first"))
        *ret = (struct pt_instant){.kind = PT_INSTANT_FIRST};
    else if (take_word(c, "last") || take_word(c, "now"))
        *ret = (struct pt_instant){.kind = PT_INSTANT_LAST};
    else
        return false;
    return true;
}

static bool form_snapshot(struct cursor *c, const struct pt_timespec_base *base,
                          struct pt_instant *ret)
{
    (void)base;
    int64_t n;
    if (!take(c, '@') || !take_number(c, digits(c), 1, INT64_MAX, &n))
        return false;
    *ret = (struct pt_instant){.kind = PT_INSTANT_SNAPSHOT, .value = n};
    return true;
}

static bool take_unit(struct cursor *c, int64_t *ret_us)
{
    static const struct {
        const char *names[5];
        int64_t s;
    } units[] = {
        {{"s", "sec", "secs", "second", "seconds"}, 1},
        {{"m", "min", "mins", "minute", "minutes"}, 60},
        {{"h", "hr", "hrs", "hour", "hours"}, 3600},
        {{"d", "day", "days", "d", "d"}, 86400},
        {{"w", "week", "weeks", "w", "w"}, 7 * 86400},
    };
    skip_blanks(c);
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        for (unsigned k = 0; k < 5; k++) {
            const size_t n = strlen(units[i].names[k]);
            const char after = strncmp(c->p, units[i].names[k], n) == 0 ? c->p[n] : 'a';
            if (after >= 'a' && after <= 'z')
                continue;
            c->p += n;
            *ret_us = units[i].s * SECOND;
            return true;
        }
    }
    return false;
}

/* "-30m", "-1h30m", "2h ago", "1 day 3 hours ago" */
static bool form_relative(struct cursor *c, const struct pt_timespec_base *base,
                          struct pt_instant *ret)
{
    const bool minus = take(c, '-');
    int64_t total = 0;
    bool ago = false;
    do {
        int64_t n, unit, fraction;
        if (!take_number(c, digits(c), 0, 1000000000, &n) || !take_fraction(c, &fraction) ||
            !take_unit(c, &unit))
            return false;
        if (n >= LIMIT * SECOND / unit)
            return false;
        total += n * unit + fraction * (unit / SECOND);
        skip_blanks(c);
        ago = take_word(c, "ago");
    } while (!ago && is_digit(*c->p) && total < LIMIT * SECOND);
    if (minus ? ago : !ago && !base->bare)
        return false;
    *ret = (struct pt_instant){.kind = PT_INSTANT_TIME, .value = base->last_us - total};
    return true;
}

static bool form_day(struct cursor *c, const struct pt_timespec_base *base, struct pt_instant *ret)
{
    int64_t local = last_midnight(base), clock = 0;
    if (take_word(c, "yesterday"))
        local -= DAY;
    else if (!take_word(c, "today"))
        return false;
    skip_blanks(c);
    if (*c->p && !take_clock(c, &clock))
        return false;
    *ret = at_local(local + clock, base);
    return true;
}

static bool form_clock(struct cursor *c, const struct pt_timespec_base *base,
                       struct pt_instant *ret)
{
    int64_t clock, h, m;
    if (digits(c) == 4 && take_number(c, 2, 0, 23, &h) && take_number(c, 2, 0, 59, &m))
        clock = (h * 60 + m) * 60 * SECOND;
    else if (!take_clock(c, &clock))
        return false;
    int64_t local = last_midnight(base) + clock;
    if (local - offset_us(base) > base->last_us)
        local -= DAY;
    *ret = at_local(local, base);
    return true;
}

static bool form_date(struct cursor *c, const struct pt_timespec_base *base, struct pt_instant *ret)
{
    int64_t date, clock = 0, zone;
    if (!take_date(c, &date))
        return false;
    if (!take(c, 'T'))
        skip_blanks(c);
    if (is_digit(*c->p) && !take_clock(c, &clock))
        return false;
    if (take_zone(c, &zone))
        *ret = (struct pt_instant){.kind = PT_INSTANT_TIME, .value = date + clock - zone * SECOND};
    else
        *ret = at_local(date + clock, base);
    return true;
}

/* "202611231405" and "20261123140530" */
static bool form_atop(struct cursor *c, const struct pt_timespec_base *base, struct pt_instant *ret)
{
    const size_t n = digits(c);
    int64_t date, h, m, s = 0;
    if ((n != 12 && n != 14) || !take_date(c, &date) || !take_number(c, 2, 0, 23, &h) ||
        !take_number(c, 2, 0, 59, &m) || (n == 14 && !take_number(c, 2, 0, 60, &s)))
        return false;
    *ret = at_local(date + ((h * 60 + m) * 60 + s) * SECOND, base);
    return true;
}

static bool form_epoch(struct cursor *c, const struct pt_timespec_base *base,
                       struct pt_instant *ret)
{
    (void)base;
    int64_t s, fraction;
    const size_t n = digits(c);
    if (n < 9 || n > 11 || !take_number(c, n, 0, LIMIT, &s) || !take_fraction(c, &fraction))
        return false;
    *ret = (struct pt_instant){.kind = PT_INSTANT_TIME, .value = s * SECOND + fraction};
    return true;
}

/* Times of a file are anything; these are computed with. */
static int64_t plausible(int64_t us)
{
    return us > LIMIT * SECOND ? LIMIT * SECOND : us < -LIMIT * SECOND ? -LIMIT * SECOND : us;
}

int pt_timespec_parse(const char *text, const struct pt_timespec_base *of, struct pt_instant *ret,
                      struct pt_err *err)
{
    static form_fn *const forms[] = {form_name,  form_snapshot, form_relative, form_day,
                                     form_clock, form_date,     form_atop,     form_epoch};
    struct pt_timespec_base base = *of;
    base.first_us = plausible(of->first_us);
    base.last_us = plausible(of->last_us);
    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct cursor c = {text};
        struct pt_instant instant;
        skip_blanks(&c);
        if (!forms[i](&c, &base, &instant))
            continue;
        skip_blanks(&c);
        if (*c.p)
            continue;
        *ret = instant;
        return 0;
    }
    return pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                      "'%s' is not a time: try '14:05', '2026-11-23 14:05', '-30m', '2h ago', "
                      "'@123', 'first' or 'last'",
                      text);
}
