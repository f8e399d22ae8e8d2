/* SPDX-License-Identifier: MIT
 * What the programs of the benchmark share: leaving with a message, a strict number, clocks.
 * Units: nanoseconds. */
#ifndef PT_TESTS_BENCH_BENCH_H
#define PT_TESTS_BENCH_BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_NS 1000000000ll

__attribute__((noreturn)) static inline void bench_die(const char *what, const char *name)
{
    fprintf(stderr, "%s '%s': %s\n", what, name, strerror(errno));
    exit(3);
}

/* Decimal digits only, the whole string, at most max. */
static inline bool bench_number(const char *s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > max / 10)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
        if (v > max)
            return false;
    }
    *ret = v;
    return true;
}

static inline uint64_t bench_option(const char *name, const char *value, uint64_t max)
{
    uint64_t v = 0;
    if (!value || !bench_number(value, max, &v)) {
        fprintf(stderr, "option '%s' wants a number up to %llu\n", name, (unsigned long long)max);
        exit(2);
    }
    return v;
}

static inline int64_t bench_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * BENCH_NS + ts.tv_nsec;
}

static inline void bench_sleep_until(int64_t mono_ns)
{
    const struct timespec ts = {.tv_sec = mono_ns / BENCH_NS, .tv_nsec = mono_ns % BENCH_NS};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

#endif
