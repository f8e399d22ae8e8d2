/* SPDX-License-Identifier: MIT
 * Values and row names: spans of a text to numbers and to what is shown. */
#include "schema/source.h"

#include <string.h>

/* Appends a digit to *v. false: it would not fit. */
static bool push_digit(int64_t *v, unsigned base, unsigned digit)
{
    return !__builtin_mul_overflow(*v, (int64_t)base, v) &&
           !__builtin_add_overflow(*v, (int64_t)digit, v);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse_hex(const char *s, size_t len, int64_t *ret, int64_t *ret_scale)
{
    int64_t v = 0;
    if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        s += 2;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++) {
        int digit = hex_digit(s[i]);
        if (digit < 0 || !push_digit(&v, 16, (unsigned)digit))
            return false;
    }
    if (len == 0)
        return false;
    *ret = v;
    *ret_scale = 1;
    return true;
}

bool pt_number(const char *s, size_t len, int64_t *ret, int64_t *ret_scale)
{
    int64_t v = 0, scale = 1;
    bool negative = false, fraction = false, digits = false;
    size_t i = 0;
    if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        return parse_hex(s, len, ret, ret_scale);
    if (len > 0 && s[0] == '-') {
        negative = true;
        i++;
    }
    for (; i < len; i++) {
        if (s[i] == '.' && digits && !fraction) {
            fraction = true;
            digits = false; /* some must follow */
            continue;
        }
        if (s[i] < '0' || s[i] > '9' || !push_digit(&v, 10, (unsigned)(s[i] - '0')))
            return false;
        if (fraction && __builtin_mul_overflow(scale, (int64_t)10, &scale))
            return false;
        digits = true;
    }
    if (!digits)
        return false;
    *ret = negative ? -v : v;
    *ret_scale = scale;
    return true;
}

bool pt_value(const struct pt_field *field, const char *s, size_t len, int64_t *ret,
              int64_t *ret_scale)
{
    if (field != NULL && field->unit == PT_UNIT_HEX)
        return parse_hex(s, len, ret, ret_scale);
    return pt_number(s, len, ret, ret_scale);
}

size_t pt_row_name(const char *row, size_t len, char *ret, size_t size)
{
    bool zone = len >= 5 && memcmp(row, "Node ", 5) == 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (zone && row[i] == ' ' && i > 0 && row[i - 1] == ' ')
            continue;
        if (n + 1 < size)
            ret[n] = row[i];
        n++;
    }
    if (size > 0)
        ret[n < size ? n : size - 1] = '\0';
    return n;
}
