/* SPDX-License-Identifier: MIT
 * What processes are called and where they belong: from the last readings of each segment, life by
 * life. */
#ifndef PT_ANALYZE_SERIES_NAMES_H
#define PT_ANALYZE_SERIES_NAMES_H

#include "analyze/arena.h"
#include "analyze/series/timeline.h"

/* NULL: not known. */
struct pt_called {
    const char *comm, *exe, *cgroup, *service;
    const char *memory_cgroup; /* where its memory is accounted */
};

enum { PT_NAMES = 3 }; /* files that name */

struct pt_names;
struct pt_naming {
    struct pt_names *names;
    unsigned which;
};
struct pt_names {
    struct pt_db *db;
    const struct pt_timeline *timeline;
    struct pt_arena *arena; /* of the names */
    /* Index of the life that a process number has at a time; SIZE_MAX: it is not known of. */
    size_t (*find)(void *ctx, int64_t pid, uint32_t boot, double at);
    void *ctx;
    struct pt_called *v;         /* by that index */
    uint64_t (*marks)[PT_NAMES]; /* of the texts that named it */
    size_t n;
    struct pt_buf text;
    bool nomem;
    struct pt_naming naming[PT_NAMES];
};
/* find and ctx must be set. *n must stay where it is until it is released. */
void pt_names_begin(struct pt_names *n, struct pt_db *db, const struct pt_timeline *t,
                    struct pt_arena *arena, struct pt_last_query ret[PT_NAMES]);
struct pt_called pt_names_of(const struct pt_names *n, size_t index);
void pt_names_release(struct pt_names *n);

#endif
