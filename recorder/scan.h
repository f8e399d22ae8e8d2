/* SPDX-License-Identifier: MIT
 * The recorder's strict cursor over text: numbers and words of the few lines the recorder itself
 * has to understand. */
#ifndef PT_RECORDER_SCAN_H
#define PT_RECORDER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pt_scan {
    const char *p, *end;
};

static inline struct pt_scan pt_scan_of(const char *text, size_t len)
{
    return (struct pt_scan){.p = text, .end = len ? text + len : text};
}

static inline void pt_scan_blanks(struct pt_scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
        s->p++;
}

/* At least one digit and no overflow; the cursor stands still otherwise. */
static inline bool pt_scan_u64(struct pt_scan *s, uint64_t *ret)
{
    const char *p = s->p;
    uint64_t v = 0;
    for (; p < s->end && *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (unsigned)(*p - '0'), &v))
            return false;
    }
    if (p == s->p)
        return false;
    s->p = p;
    *ret = v;
    return true;
}

/* The text up to `stop` (not included, skipped over) or the end. false: nothing is left. */
static inline bool pt_scan_until(struct pt_scan *s, char stop, const char **ret, size_t *ret_len)
{
    if (s->p >= s->end)
        return false;
    const char *at = memchr(s->p, stop, (size_t)(s->end - s->p));
    const char *end = at ? at : s->end;
    *ret = s->p;
    *ret_len = (size_t)(end - s->p);
    s->p = at ? at + 1 : s->end;
    return true;
}

/* The number after the first occurrence of `key` ("MemAvailable:", "total="), blanks between them
 * skipped. */
static inline bool pt_scan_after(const char *text, size_t len, const char *key, uint64_t *ret)
{
    const char *at = memmem(text, len, key, strlen(key));
    if (!at)
        return false;
    at += strlen(key);
    struct pt_scan s = pt_scan_of(at, (size_t)(text + len - at));
    pt_scan_blanks(&s);
    return pt_scan_u64(&s, ret);
}

/* Decimal digits of v at p (room for 20); returns how many. */
static inline size_t pt_digits(char *p, uint64_t v)
{
    char tmp[20];
    size_t n = 0;
    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (size_t i = 0; i < n; i++)
        p[i] = tmp[n - 1 - i];
    return n;
}

#endif
