/* SPDX-License-Identifier: MIT
 * e2e_leak SECONDS heap|map LOG: leaks 1 MiB a second in steps of 16 KiB and says so: a line
 * "REAL_US BYTES" in LOG for each step, written after the pages were touched. heap: by malloc of
 * small pieces ([heap]); map: by anonymous mappings that the kernel merges. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/support/number.h"

#define STEP    (16u << 10)
#define STEPS_S 64 /* a second */
#define STEP_NS (1000000000 / STEPS_S)

static int64_t real_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *take(int map)
{
    void *p = map ? mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                  : malloc(STEP - 16);
    if (!p || p == MAP_FAILED) {
        perror("e2e_leak");
        exit(1);
    }
    memset(p, 0x55, STEP - 16);
    return p;
}

int main(int argc, char **argv)
{
    int64_t seconds;
    if (argc != 4 || !number_of(argv[1], &seconds)) {
        fputs("usage: e2e_leak SECONDS heap|map LOG\n", stderr);
        return 2;
    }
    FILE *log = fopen(argv[3], "we");
    if (!log) {
        perror(argv[3]);
        return 1;
    }
    setvbuf(log, NULL, _IOLBF, 0);
    const int map = strcmp(argv[2], "map") == 0;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    void *volatile last = NULL;
    for (int64_t step = 0; step <= seconds * STEPS_S; step++) {
        fprintf(log, "%" PRId64 " %" PRId64 "\n", real_us(), step * STEP);
        last = take(map);
        next.tv_nsec += STEP_NS;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL))
            ;
    }
    (void)last;
    return fclose(log) ? 1 : 0;
}
