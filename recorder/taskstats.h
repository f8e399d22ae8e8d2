/* SPDX-License-Identifier: MIT
 * Ends of tasks as the kernel tells them: taskstats over generic netlink. Three requests and one
 * kind of message, read many at a time without allocating, as a library for netlink would not; so
 * this speaks the protocol itself, with the kernel's own headers. Units: microseconds, KiB. */
#ifndef PT_RECORDER_TASKSTATS_H
#define PT_RECORDER_TASKSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/roots.h"

/* One task's end. Numbers are of the first pid namespace. */
struct pt_task_end {
    uint32_t pid, tgid; /* tgid: the pid's own where only_pid */
    bool last;          /* the process ended with it */
    bool only_pid;      /* Linux before 5.19: a task's end, perhaps a whole process's */
    int64_t end_s;      /* real time, rounded down to the second */
    int64_t lived_us;   /* monotonic; of the process, or of the task where only_pid */
    int64_t peak_kb;    /* of the memory the task used, so of its process; 0: kernel thread */
    uint32_t status;    /* as wait() would tell; of the first thread only, else 0 */
    char comm[32];
};

/* One netlink message out of n bytes at p. Returns its length, 0 at the end (or where what follows
 * is not a message). *ret_is: it was a task's end, in *ret. */
size_t pt_taskstats_parse(const void *p, size_t n, uint16_t family, bool *ret_is,
                          struct pt_task_end *ret);

struct pt_taskstats {
    int fd;
    uint16_t family;
};
/* < 0: it does not work; why in words in *ret_why. */
int pt_taskstats_open(struct pt_taskstats *t, const struct pt_roots *roots, const char **ret_why);
void pt_taskstats_close(struct pt_taskstats *t);
/* All that waits. */
void pt_taskstats_drain(struct pt_taskstats *t, void (*fn)(void *ctx, const struct pt_task_end *e),
                        void *ctx);
/* Messages the kernel had no room for, ever. */
uint32_t pt_taskstats_lost(const struct pt_taskstats *t);

#endif
