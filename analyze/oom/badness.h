/* SPDX-License-Identifier: MIT
 * Whom the kernel would kill for want of memory, by its own rule (mm/oom_kill.c, oom_badness):
 * resident and swapped pages and page tables, and for each point of oom_score_adj a thousandth of
 * the memory there is. Pure. Units: bytes. */
#ifndef PT_ANALYZE_OOM_BADNESS_H
#define PT_ANALYZE_OOM_BADNESS_H

#include "analyze/picture/process.h"

struct pt_oom_rule {
    int64_t total;      /* what there is: memory and swap of the host, or of the group's limits;
                           PT_UNKNOWN: adjustments cannot be weighed */
    const char *cgroup; /* only processes in it or below; NULL: any */
};
struct pt_candidate {
    const struct pt_process *process;
    int64_t badness; /* adjusted; may be negative */
    bool exempt;     /* oom_score_adj is -1000: never killed; the badness is not adjusted */
    bool guessed;    /* its oom_score_adj was not read: taken as 0 */
};
/* Is a process of that cgroup in group, or below it? NULL: not known. */
bool pt_oom_within(const char *cgroup, const char *group);
/* *ret (free()): those that may be killed, the worst first, then those exempt. Threads of the
 * kernel, the first process, what has ended and what holds nothing known are left out. < 0: no
 * memory. */
int pt_oom_rank(const struct pt_process *v, size_t n, const struct pt_oom_rule *rule,
                struct pt_candidate **ret, size_t *ret_n, struct pt_err *err);

#endif
