/* SPDX-License-Identifier: MIT
 * Threads that get on, and those that do not. */
#include "recorder/beat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"

void pt_beat_step(struct pt_beat *b)
{
    b->tid = gettid();
    b->since_us = pt_clock_us(CLOCK_MONOTONIC);
}

void pt_beat_rest(struct pt_beat *b)
{
    b->since_us = 0;
}

/* Uninterruptible sleep. */
static bool waits_for_kernel(pid_t tid)
{
    char text[128];
    snprintf(text, sizeof(text), "/proc/self/task/%d/stat", (int)tid);
    const int fd = open(text, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return false;
    text[n] = 0;
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[1] == ' ' && name_end[2] == 'D';
}

bool pt_beat_stalled(struct pt_beat *b, int64_t limit_us)
{
    const int64_t since = b->since_us;
    return since && pt_clock_us(CLOCK_MONOTONIC) - since > limit_us && !waits_for_kernel(b->tid);
}
