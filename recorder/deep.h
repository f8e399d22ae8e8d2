/* SPDX-License-Identifier: MIT
 * The deep reader: a thread for what takes another process's mmap_lock (cmdline, smaps,
 * smaps_rollup) or may wait otherwise (exe, statfs). Such a read hangs for as long as its target
 * holds the lock; no signal and no O_NONBLOCK ends it. One over PT_DEEP_STUCK_US is abandoned with
 * its thread, and another thread goes on; the abandoned one ends when its read does.
 *
 * The sampler's thread calls these functions. Readings are packed under shapes_lock, a piece at a
 * time. */
#ifndef PT_RECORDER_DEEP_H
#define PT_RECORDER_DEEP_H

#include <pthread.h>
#include <stdbool.h>

#include "recorder/mask.h"
#include "recorder/roots.h"
#include "schema/reading.h"

#define PT_DEEP_STUCK_US  INT64_C(2000000)
#define PT_DEEP_STUCK_MAX 4          /* threads given up; with more than that deep reading pauses */
#define PT_DEEP_QUEUE     256        /* jobs and results there is room for */
#define PT_DEEP_TEXT_MAX  (8u << 20) /* of a command line */

enum pt_deep_kind {
    PT_DEEP_CMDLINE = 0,
    PT_DEEP_EXE,
    PT_DEEP_SMAPS,
    PT_DEEP_ROLLUP,
    PT_DEEP_STATFS
};

struct pt_deep_job {
    enum pt_deep_kind kind;
    uint32_t pid; /* of a mount: its number */
    uint32_t gen; /* tells lives of a pid apart */
    int64_t predicted_us;
    char *path;              /* PT_DEEP_STATFS: owned by the job; else NULL */
    struct pt_reading *prev; /* one reference of the job's, or NULL */
    const struct pt_grammar *grammar;
};

struct pt_deep_result {
    enum pt_deep_kind kind;
    uint32_t pid, gen;
    int64_t predicted_us;
    struct pt_reading *reading; /* one reference; NULL: failed */
    struct pt_reading *prev;    /* of a job that was not run: one reference */
    int why;                    /* errno; ETIMEDOUT: stuck */
    int64_t read_us;            /* real time when it was read, or given up */
    int64_t cpu_us;
    int64_t stall_us; /* its longest read(): so long the target's lock was held at most */
    char *text;       /* what was read, when texts are kept; owned by the result */
    size_t len;
};

struct pt_deep_config {
    const struct pt_roots *roots;
    struct pt_shapes *shapes;
    pthread_mutex_t *shapes_lock;
    enum pt_cmdline cmdline;
    int64_t shift_us; /* added to real times */
    bool keep_text;
};

struct pt_deep;
int pt_deep_new(const struct pt_deep_config *config, struct pt_deep **ret, struct pt_err *err);
/* Ends the threads that are not stuck. True: none is left, the shapes may be freed. */
bool pt_deep_free(struct pt_deep *d);
/* false: no room, the job stays the caller's. */
bool pt_deep_push(struct pt_deep *d, const struct pt_deep_job *job);
uint32_t pt_deep_room(struct pt_deep *d);
uint32_t pt_deep_results(struct pt_deep *d);
/* Results so far, oldest first; the stuck are among them. */
bool pt_deep_take(struct pt_deep *d, struct pt_deep_result *ret);
void pt_deep_drop(struct pt_deep *d,
                  struct pt_deep_result *result); /* the caller holds shapes_lock */
/* Gives up a read that is over time. Returns microseconds until the running read would be, -1 when
 * none runs. */
int64_t pt_deep_watch(struct pt_deep *d);
/* Waits until all jobs are done or given up, at most so long. */
void pt_deep_wait(struct pt_deep *d, int64_t timeout_us);
/* Threads given up that have not come back; *ret_paused: too many, no jobs run. */
uint32_t pt_deep_stuck(struct pt_deep *d, bool *ret_paused);
/* Is there something to do of which nothing was begun, done or given up for so long? Not while
 * paused: then the targets hang. */
bool pt_deep_stalled(struct pt_deep *d, int64_t limit_us);
int64_t pt_deep_cpu_us(struct pt_deep *d); /* CPU of all deep reads so far */

#endif
