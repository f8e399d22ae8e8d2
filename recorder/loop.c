/* SPDX-License-Identifier: MIT
 * Waiting for descriptors. */
#include "recorder/loop.h"

#include <poll.h>

#include "recorder/clock.h"

/* poll() counts in int milliseconds: longer waits are begun again. */
#define WAIT_MAX_US (60 * PT_SECOND)

void pt_loop_add(struct pt_loop *l, int fd, short events, int64_t pause_us, pt_loop_fn *fn,
                 void *ctx)
{
    if (fd < 0 || l->n == PT_LOOP_MAX)
        return;
    l->row[l->n++] = (struct pt_loop_row){
        .fd = fd, .events = events, .pause_us = pause_us, .fn = fn, .ctx = ctx};
}

/* Fills fds; returns how long to wait: paused rows want to be looked at again. */
static int64_t prepare(const struct pt_loop *l, struct pollfd *fds, int64_t timeout_us)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    int64_t wait = timeout_us < 0 || timeout_us > WAIT_MAX_US ? WAIT_MAX_US : timeout_us;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct pt_loop_row *row = &l->row[i];
        const int64_t paused = row->until_us - now;
        fds[i] = (struct pollfd){.fd = paused > 0 ? -1 : row->fd, .events = row->events};
        if (row->fd >= 0 && paused > 0 && paused < wait)
            wait = paused;
    }
    return wait;
}

void pt_loop_wait(struct pt_loop *l, int64_t timeout_us)
{
    struct pollfd fds[PT_LOOP_MAX];
    const uint32_t n = l->n;
    const int64_t wait = prepare(l, fds, timeout_us);
    if (poll(fds, n, (int)((wait + 999) / 1000)) <= 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct pt_loop_row *row = &l->row[i];
        if (!fds[i].revents)
            continue;
        if (!row->fn(row->ctx, fds[i].revents))
            row->fd = -1;
        else if (row->pause_us)
            row->until_us = pt_clock_us(CLOCK_MONOTONIC) + row->pause_us;
    }
}
