/* SPDX-License-Identifier: MIT
 * What procs.c (the table) and proc_files.c (reading the files of one process) share. */
#ifndef PT_RECORDER_PROCS_INT_H
#define PT_RECORDER_PROCS_INT_H

#include "recorder/procs.h"

#define PT_PROCS_NAMES (32u << 10) /* the getdents buffer */
#define PT_HEAT_MAX    12

struct pt_procs {
    const struct pt_roots *roots;
    struct pt_proc **list; /* by pid */
    uint32_t n, cap;
    uint32_t scan, births, gens;
    uint32_t kept, kept_max, visited;
    uint32_t denied[PT_PROC_FILES];
    uint32_t ticks;       /* so far: numbers tours */
    uint32_t next_pid[2]; /* where the tours of those that change, and of all, go on */
    int64_t quota_us;
    int64_t forks, forks_scanned; /* now, and before the last scan; PT_UNKNOWN */
    char *names;                  /* getdents buffer */
    void (*on_death)(void *ctx, const struct pt_proc *p);
    void *on_death_ctx;
};

/* What a tick is. */
struct pt_tour {
    struct pt_sink *sink;
    struct pt_cgroups *cgroups;
    uint64_t tick;
    bool full;
    int64_t until_us; /* CPU time of this thread; INT64_MAX: no limit */
};

/* Reads what is due of a process. < 0: it ended, or its pid is another's now. */
int pt_proc_read(struct pt_procs *t, struct pt_proc *p, const struct pt_tour *v);
/* To whoever asked for it. */
void pt_proc_tell_death(const struct pt_procs *t, const struct pt_proc *p);
/* Closes a descriptor that is kept. */
void pt_proc_close(struct pt_procs *t, struct pt_proc *p, int file);

#endif
