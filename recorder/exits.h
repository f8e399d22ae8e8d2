/* SPDX-License-Identifier: MIT
 * Ends of processes, those too that no snapshot saw: with their peak RSS, as events. Part of the
 * daemon's main thread. */
#ifndef PT_RECORDER_EXITS_H
#define PT_RECORDER_EXITS_H

#include "recorder/loop.h"
#include "recorder/sampler.h"
#include "recorder/taskstats.h"

/* NULL: they cannot be had, and an event says why; or no memory; or procfs is a copied tree. All
 * arguments are borrowed. */
struct pt_exits *pt_exits_new(const struct pt_roots *roots, struct pt_writer *writer,
                              struct pt_sampler *sampler, struct pt_loop *loop);
void pt_exits_free(struct pt_exits *x);
/* Before every snapshot: takes in what waits. Nothing is written. */
void pt_exits_drain(struct pt_exits *x);
/* With every snapshot: tells. end: the last one. */
void pt_exits_tell(struct pt_exits *x, bool end);

/* Is a process of the table, started at start_ticks, the one that ended? Clocks as of now;
 * hz: ticks a second. Pure. */
bool pt_exit_matches(uint64_t start_ticks, int64_t hz, const struct pt_task_end *e, int64_t real_us,
                     int64_t boot_us, int64_t mono_us);

#endif
