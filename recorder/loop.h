/* SPDX-License-Identifier: MIT
 * The descriptors the main thread waits for: one table, and for each what is called when it is
 * ready. Units: microseconds of CLOCK_MONOTONIC. */
#ifndef PT_RECORDER_LOOP_H
#define PT_RECORDER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define PT_LOOP_MAX 8

/* revents: as poll() told. false: the descriptor is of no use any more and not watched again. */
typedef bool pt_loop_fn(void *ctx, int revents);

struct pt_loop {
    struct pt_loop_row {
        int fd; /* borrowed */
        short events;
        int64_t pause_us; /* after a call it is left alone so long: what comes often is taken in
                             heaps */
        int64_t until_us;
        pt_loop_fn *fn;
        void *ctx;
    } row[PT_LOOP_MAX];
    uint32_t n;
};

/* Earlier ones are called first. An fd < 0 is passed over. */
void pt_loop_add(struct pt_loop *l, int fd, short events, int64_t pause_us, pt_loop_fn *fn,
                 void *ctx);
/* Waits once, at most so long (< 0: for ever), and calls whoever is ready. */
void pt_loop_wait(struct pt_loop *l, int64_t timeout_us);

#endif
