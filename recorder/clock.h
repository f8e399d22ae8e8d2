/* SPDX-License-Identifier: MIT
 * Clocks in microseconds. */
#ifndef PT_RECORDER_CLOCK_H
#define PT_RECORDER_CLOCK_H

#include <stdint.h>
#include <time.h>

#define PT_SECOND INT64_C(1000000)

static inline int64_t pt_clock_us(clockid_t clock)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts) < 0)
        return 0;
    return (int64_t)ts.tv_sec * PT_SECOND + ts.tv_nsec / 1000;
}

static inline struct timespec pt_timespec(int64_t us)
{
    return (struct timespec){.tv_sec = us / PT_SECOND, .tv_nsec = us % PT_SECOND * 1000};
}

#endif
