/* SPDX-License-Identifier: MIT
 * The processes of a span, life by life: who each was, and its memory as tracks. Units: seconds of
 * the timeline, bytes; start time in clock ticks. */
#ifndef PT_ANALYZE_SERIES_LIVES_H
#define PT_ANALYZE_SERIES_LIVES_H

#include "analyze/series/names.h"
#include "analyze/series/series.h"

enum pt_life_measure {
    PT_LIFE_ANON = 0, /* RssAnon + VmSwap */
    PT_LIFE_SHMEM,
    PT_LIFE_PTE,
    PT_LIFE_HUGETLB,
    PT_LIFE_DATA, /* VmData: writable and private, resident or not; its ends only */
    PT_LIFE_THREADS,
    PT_LIFE_MEASURES
};

/* What one life adds to the cells of a sum over the span, from one cell on: bytes times seconds. */
struct pt_share {
    uint32_t first, n;
    float *v; /* owned by the arena of struct pt_lives_of_span */
};

struct pt_life {
    int64_t pid, ppid, start_time; /* PT_UNKNOWN where not known */
    uint32_t boot;
    double from, to;
    int64_t last_n;                                     /* last snapshot that told of it */
    bool born, died;                                    /* within the span */
    const char *comm, *exe, *cgroup, *service, *parent; /* parent: its exe; NULL: not known */
    const char *memory_cgroup; /* where its memory is accounted; NULL: not known */
    int64_t uid;
    const struct pt_serie *memory; /* NULL: its status was never read */
    struct pt_share share;         /* of its group's memory */
    uint32_t group;                /* of struct pt_groups */
};
struct pt_lives_of_span {
    struct pt_life *v; /* by pid, then in time */
    size_t n;
    struct pt_series status;
    struct pt_arena arena, shares;
    uint64_t unreadable; /* lives whose status nobody could read */
};
void pt_lives_release(struct pt_lives_of_span *l);

/* In a pass of pt_series_scan with other series: what it is to load, and afterwards (rc: what it
 * returned) the lives. loaded: those of specs, of which nothing is left. Names go with
 * PT_LIVES_STAT; the others, and what has PT_LIVES_STARTS for its lives, may be loaded in another
 * thread. */
enum { PT_LIVES_STAT = 0, PT_LIVES_STARTS, PT_LIVES_STATUS, PT_LIVES_SPECS };
struct pt_lives_load {
    /* Set before the pass; may be NULL. All is known of a life's memory: the cells of tracks that
     * are not wanted any more may be released, and then only the ends of these are told later. */
    void (*ended)(void *ctx, struct pt_serie *memory);
    void *ctx;
    struct pt_names names;
    const struct pt_timeline *timeline;
    const struct pt_series *stat;
    struct pt_curve sum;     /* at work */
    struct pt_share *shares; /* by index of status */
    size_t nshares;
    bool nomem;
    struct pt_lives_of_span lives;
};
void pt_lives_load_begin(struct pt_lives_load *w, struct pt_db *db, const struct pt_timeline *t,
                         const struct pt_series *loaded, struct pt_series_spec *specs,
                         struct pt_last_query lasts[PT_NAMES]);
int pt_lives_load_end(struct pt_lives_load *w, int rc, struct pt_series *loaded,
                      struct pt_lives_of_span *ret, struct pt_err *err);
const struct pt_curve *pt_life_track(const struct pt_life *l, enum pt_life_measure m);

/* Processes that are one service: by systemd unit, container or pod, else by executable, user and
 * the parent's executable. */
struct pt_group {
    const char *name; /* what a person calls it; owned by the lives' arena */
    const char *key;
    bool unit;                 /* by cgroup, not by executable */
    const char *memory_cgroup; /* of the newest process of it that lives */
    size_t lives;
    struct pt_curve sum;   /* PT_LIFE_ANON of all */
    struct pt_curve count; /* of them */
    double from, to;       /* of the first and of the last */
};
struct pt_groups {
    struct pt_group *v;
    size_t n;
};
int pt_groups_make(struct pt_lives_of_span *lives, const struct pt_timeline *t,
                   struct pt_groups *ret, struct pt_err *err);
void pt_groups_release(struct pt_groups *g);

#endif
