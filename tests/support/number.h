/* SPDX-License-Identifier: MIT
 * Numbers given to tests and their programs. */
#ifndef PT_TESTS_SUPPORT_NUMBER_H
#define PT_TESTS_SUPPORT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Of a variable of the environment; `other` where it is not set. */
static inline int64_t number_or(const char *variable, int64_t other)
{
    int64_t v = other;
    const char *said = getenv(variable);
    if (said && !number_of(said, &v)) {
        fprintf(stderr, "%s is not a number: '%s'\n", variable, said);
        abort();
    }
    return v;
}

#endif
