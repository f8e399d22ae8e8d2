/* SPDX-License-Identifier: MIT
 * Sections that need nothing of the others, made beside them: with a reader of its own in a thread
 * of its own, where the recording is long enough to be worth it. */
#ifndef PT_ANALYZE_REPORT_BESIDE_H
#define PT_ANALYZE_REPORT_BESIDE_H

#include <jansson.h>
#include <pthread.h>

#include "analyze/session.h"

struct pt_beside_part {
    json_t *made; /* NULL: it could not be, err says why */
    json_t *cut;  /* of lists: "swap.processes": how many did not come into it */
    struct pt_err err;
};
struct pt_beside {
    struct pt_session again;
    pthread_t thread;
    bool running;
    const struct pt_session *s; /* whose reader is used */
    int64_t from, boot, to;     /* snapshots; the kernel's memory is of the newest boot */
    size_t top;
    struct pt_beside_part swap, kernel;
};
void pt_beside_begin(struct pt_beside *d, const struct pt_session *s, int64_t from, int64_t boot,
                     int64_t to, size_t top);
/* Waits for it, or makes them now. The damage it met comes to s. */
void pt_beside_end(struct pt_beside *d, struct pt_session *s);
/* Instead, when nobody wants them any more. */
void pt_beside_drop(struct pt_beside *d, struct pt_session *s);
/* Of a process of swap.processes: it, or shared memory that it maps, was in swap. */
bool pt_beside_swapped(const json_t *process);

#endif
