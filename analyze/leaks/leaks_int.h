/* SPDX-License-Identifier: MIT
 * What the files of findings share. Internal to analyze/leaks*.c. */
#ifndef PT_ANALYZE_LEAKS_LEAKS_INT_H
#define PT_ANALYZE_LEAKS_LEAKS_INT_H

#include "analyze/leaks/leaks.h"

/* Host-wide counters whose tracks findings are made of. */
enum pt_counter {
    PT_COUNTER_AVAILABLE = 0,
    PT_COUNTER_SWAP_FREE,
    PT_COUNTER_SUNRECLAIM,
    PT_COUNTER_SRECLAIMABLE,
    PT_COUNTER_PAGE_TABLES,
    PT_COUNTER_KERNEL_STACK,
    PT_COUNTER_PERCPU,
    PT_COUNTER_VMALLOC,
    PT_COUNTER_SHMEM,
    PT_COUNTER_RESIDUAL, /* MemTotal less all that the kernel tells of */
};
/* NULL: the kernel does not tell it. */
const struct pt_curve *pt_leaks_counter(const struct pt_leaks *l, enum pt_counter which);

struct pt_finding *pt_leaks_add(struct pt_leaks *l, enum pt_subject subject, const char *what);
/* When the finding added last is a quiet one, it goes where those are kept. < 0: no memory. */
int pt_leaks_settle(struct pt_leaks *l);
/* Fills what every case has, and rules. */
void pt_leaks_judge(struct pt_leaks *l, struct pt_case *c, struct pt_finding *f);

int pt_leaks_load_limits(struct pt_db *db, struct pt_leaks *l, struct pt_err *err);
/* Bytes until a process of this group (a path of PID/cgroup; may be NULL) has no memory left, and
 * what runs out: "machine", or the path of the group whose limit is nearer. NAN and NULL: not
 * known. */
double pt_leaks_headroom(const struct pt_leaks *l, const char *cgroup, const char **ret_limit);
/* What is loaded of the host, and of each process's open files (an estimate of their bytes). */
void pt_leaks_kernel_specs(double *page_size, struct pt_series_spec specs[PT_HOSTS]);
void pt_leaks_fds_spec(struct pt_series_spec *spec);
int pt_leaks_of_kernel(struct pt_db *db, struct pt_leaks *l, struct pt_err *err);
int pt_leaks_of_lives(struct pt_db *db, struct pt_leaks *l, struct pt_err *err);
/* An alarm on a process that has not grown beyond what those before it came to: not yet one. Of the
 * first n findings. */
void pt_leaks_beside_earlier(const struct pt_leaks *l, size_t n, struct pt_finding *f);
/* Takes out the findings that another one is the cause of. */
void pt_leaks_one_cause(struct pt_leaks *l);

#endif
