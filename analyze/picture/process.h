/* SPDX-License-Identifier: MIT
 * The processes of a view: who they are and what they held. Units: bytes; start time and CPU in
 * clock ticks. */
#ifndef PT_ANALYZE_PICTURE_PROCESS_H
#define PT_ANALYZE_PICTURE_PROCESS_H

#include "analyze/arena.h"
#include "analyze/picture/mapping.h"
#include "schema/store.h"

enum pt_measure {
    PT_RSS = 0, /* status, else statm */
    PT_ANON,
    PT_FILE,
    PT_SHMEM,
    PT_SWAP,
    PT_PSS, /* the newer of smaps and smaps_rollup */
    PT_USS,
    PT_MEASURES
};
const char *pt_measure_name(enum pt_measure m); /* "rss", ... */

struct pt_process {
    int64_t pid, ppid, uid, start_time, threads, cpu; /* PT_UNKNOWN where not known */
    /* NULL where not known, or there is none; any bytes; owned by the table */
    const char *comm, *exe, *cmdline, *cgroup, *service, *container, *pod;
    const char *qos; /* class of service of the pod */
    char state;      /* 'R', 'S', ...; 0: not known */
    bool kernel;
    int64_t vsize, pgtables, oom_adj, oom_score;
    int64_t m[PT_MEASURES];
    int64_t read_us; /* when m but PSS and USS were read */
    /* the deep reading PSS and USS come from */
    int64_t deep_us;
    int64_t deep_anon, deep_anon_pss; /* of it: anonymous memory, and its share of that */
    enum pt_presence deep;            /* of smaps: PT_ABSENT: never read */
    const struct pt_reading *smaps;   /* borrowed from the view; NULL: none */
    int64_t smaps_us;
};
struct pt_processes {
    struct pt_process *v; /* by pid as text */
    size_t n;
    uint32_t lost; /* processes whose numbers are damaged */
    struct pt_arena arena;
};
/* The view must outlive it. */
int pt_processes_load(const struct pt_view *view, struct pt_smaps *smaps, struct pt_processes *ret,
                      struct pt_err *err);
void pt_processes_release(struct pt_processes *p);

/* The name a person knows it by: comm, else exe's last part, else "?". Borrowed. */
const char *pt_process_title(const struct pt_process *p);
/* The command line, else "[comm]" put into buf, else "?". */
const char *pt_process_command(const struct pt_process *p, char *buf, size_t size);
/* anon + swap where known, else rss, else PT_UNKNOWN: what it would give back. */
int64_t pt_process_weight(const struct pt_process *p);

#endif
