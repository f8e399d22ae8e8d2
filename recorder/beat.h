/* SPDX-License-Identifier: MIT
 * Does a thread get on? It tells when it begins a step and when it rests; another one judges. */
#ifndef PT_RECORDER_BEAT_H
#define PT_RECORDER_BEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pt_beat {
    _Atomic int64_t since_us; /* CLOCK_MONOTONIC: at one step since; 0: it rests */
    _Atomic pid_t tid;
};

void pt_beat_step(struct pt_beat *b);
void pt_beat_rest(struct pt_beat *b);
/* At one step for longer than limit_us, and not because the kernel makes it wait: a disk that hangs
 * is nobody's fault here, and to kill who waits for it mends nothing. */
bool pt_beat_stalled(struct pt_beat *b, int64_t limit_us);

#endif
