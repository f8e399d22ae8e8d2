/* SPDX-License-Identifier: MIT
 * Findings over a span of a recording: each series ruled on, one finding for one cause. Units:
 * seconds of the timeline, bytes, bytes a second. */
#ifndef PT_ANALYZE_LEAKS_H
#define PT_ANALYZE_LEAKS_H

#include "analyze/lives.h"
#include "analyze/parts.h"

enum pt_subject {
    PT_SUBJECT_PROCESS = 0,
    PT_SUBJECT_SERVICE,
    PT_SUBJECT_SLAB,
    PT_SUBJECT_TMPFS,
    PT_SUBJECT_SHM,
    PT_SUBJECT_KERNEL,
    PT_SUBJECT_SYSTEM,
    PT_SUBJECTS
};
const char *pt_subject_name(enum pt_subject s);

struct pt_finding {
    struct pt_ruling ruling;
    enum pt_subject subject;
    const struct pt_life *life;   /* PROCESS */
    const struct pt_group *group; /* SERVICE; of a process the service beside it; or NULL */
    const char *name;             /* of the others: slab, mount, segment, counter */
    const char *what;             /* class of memory: "heap", "page-tables", ... */
    struct pt_parts_found parts;
    const char *limit; /* what is exhausted: "machine", a cgroup; NULL: nothing is known of it */
    struct pt_lives regional; /* SERVICE */
};

struct pt_leaks {
    struct pt_timeline timeline;
    struct pt_lives_of_span lives;
    struct pt_groups groups;
    struct pt_series meminfo, slabs, tmpfs, shm, residual, scans;
    struct pt_finding *v; /* ranked */
    size_t n, cap;
    size_t series;    /* ruled on */
    double available; /* slope of MemAvailable; NAN: not known */
    double explained; /* share of its decline that alarms explain; NAN: it does not decline */
    double headroom;  /* MemAvailable + SwapFree at the end; NAN: not known */
    bool smaps;       /* any was read */
    struct pt_arena arena;
};

/* Findings of snapshots [from, to]: every verdict, alarms first. */
int pt_leaks_find(struct pt_db *db, int64_t from, int64_t to, struct pt_leaks *ret,
                  struct pt_err *err);
void pt_leaks_release(struct pt_leaks *l);
/* Who it is, as a person would say: "1234 redis-server", "nginx.service", "slab dentry". */
void pt_finding_title(const struct pt_finding *f, char *buf, size_t size);

#endif
