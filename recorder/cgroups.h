/* SPDX-License-Identifier: MIT
 * Memory files of the cgroups that hold processes, and of their parents, v2 or v1. Which there are
 * is learnt from the processes' PID/cgroup; one leaves when its directory does. */
#ifndef PT_RECORDER_CGROUPS_H
#define PT_RECORDER_CGROUPS_H

#include "recorder/roots.h"
#include "recorder/sink.h"

#define PT_CGROUPS_MAX 4096

struct pt_cgroups;
int pt_cgroups_new(const struct pt_roots *roots, struct pt_cgroups **ret, struct pt_err *err);
void pt_cgroups_free(struct pt_cgroups *c);
/* The text of a PID/cgroup. */
void pt_cgroups_note(struct pt_cgroups *c, const char *text, size_t len);
void pt_cgroups_tick(struct pt_cgroups *c, struct pt_sink *sink, uint64_t tick, bool full);
uint32_t pt_cgroups_count(const struct pt_cgroups *c);
/* How often one was left out, because there were PT_CGROUPS_MAX. */
uint64_t pt_cgroups_refused(const struct pt_cgroups *c);

/* Where processes were killed for want of memory since this was asked last: of nested groups the
 * innermost. Returns how many. */
struct pt_cgroup_kills {
    char path[256];
    uint32_t kills;
};
uint32_t pt_cgroups_kills(struct pt_cgroups *c, struct pt_cgroup_kills *ret, uint32_t max);

#endif
