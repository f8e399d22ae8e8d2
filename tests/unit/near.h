/* SPDX-License-Identifier: MIT
 * Numbers that are what they should be, NAN and infinity too. */
#ifndef PT_TESTS_UNIT_NEAR_H
#define PT_TESTS_UNIT_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void near(double got, double want, double by, const char *what)
{
    if (isnan(got) != isnan(want) || (!isnan(want) && !(fabs(got - want) <= by) && !(got == want)))
        fail_msg("%s: %.10g, not %.10g", what, got, want);
}
static inline void is(double got, double want, const char *what)
{
    near(got, want, 1e-9 * fmax(1, fabs(want)), what);
}

#endif
