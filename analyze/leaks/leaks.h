/* SPDX-License-Identifier: MIT
 * Findings over a span of a recording: each series ruled on, one finding for one cause. Units:
 * seconds of the timeline, bytes, bytes a second. */
#ifndef PT_ANALYZE_LEAKS_LEAKS_H
#define PT_ANALYZE_LEAKS_LEAKS_H

#include "analyze/leaks/parts.h"
#include "analyze/series/lives.h"
#include "analyze/session.h"

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
    bool anon;                    /* private memory of a process, whichever class of it grew most */
    struct pt_parts_found parts;
    double classes[PT_CLASS_COUNT]; /* growth by class, over so many readings of its mappings */
    int readings;                   /* 0: there are too few for a slope */
    const char *limit; /* what is exhausted: "machine", a cgroup; NULL: nothing is known of it */
    struct pt_lives regional;     /* SERVICE */
    struct pt_finding *stood_for; /* the one that tells of it; at work */
};

/* A finding that nothing happened: most are, and they are kept small. */
struct pt_quiet {
    enum pt_subject subject;
    enum pt_verdict verdict; /* PT_STABLE or PT_INSUFFICIENT */
    const struct pt_life *life;
    const struct pt_group *group;
    const char *name, *what;
    double since;
    float more, growth; /* NAN: not known; its slope is not kept */
};

/* Host-wide series. */
enum pt_host_series {
    PT_HOST_MEMINFO = 0,
    PT_HOST_SLABS,
    PT_HOST_TMPFS,
    PT_HOST_SHM,
    PT_HOST_SCANS,
    PT_HOSTS
};

struct pt_limit;
struct pt_leaks {
    struct pt_timeline timeline;
    struct pt_lives_of_span lives;
    struct pt_groups groups;
    struct pt_series of_host[PT_HOSTS];
    struct pt_series fds; /* open files of processes, in bytes */
    struct pt_finding *v; /* ranked; those that moved */
    size_t n, cap;
    struct pt_quiet *quiet;
    size_t nquiet, quiet_cap;
    size_t series;    /* ruled on */
    double available; /* slope of MemAvailable; NAN: not known */
    double explained; /* share of its decline that alarms explain; NAN: it does not decline */
    double headroom;  /* MemAvailable + SwapFree at the end; NAN: not known */
    struct pt_limit *limits; /* of control groups, at the end */
    size_t nlimits;
    bool smaps; /* any was read */
    struct pt_arena arena;
};

/* Findings of snapshots [from, to]: every verdict, alarms first, the quiet ones apart. A long span
 * is read by two readers side by side. */
int pt_leaks_find(struct pt_session *s, int64_t from, int64_t to, struct pt_leaks *ret,
                  struct pt_err *err);
void pt_leaks_release(struct pt_leaks *l);
/* A quiet one as a finding. */
struct pt_finding pt_quiet_finding(const struct pt_quiet *q);
/* Who it is, as a person would say: "1234 redis-server", "nginx.service", "slab dentry". */
void pt_finding_title(const struct pt_finding *f, char *buf, size_t size);

#endif
