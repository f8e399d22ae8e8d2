/* SPDX-License-Identifier: MIT
 * Arguments of test programs that link nothing of ours. */
#ifndef PT_TESTS_SUPPORT_NUMBER_H
#define PT_TESTS_SUPPORT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only, at most 18 of them. */
static inline bool number_of(const char *s, int64_t *ret)
{
    int64_t v = 0;
    int n = 0;
    for (; *s >= '0' && *s <= '9' && n < 18; s++, n++)
        v = v * 10 + (*s - '0');
    if (n == 0 || *s)
        return false;
    *ret = v;
    return true;
}

#endif
