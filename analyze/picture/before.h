/* SPDX-License-Identifier: MIT
 * The picture before an event: the machine at the last snapshot in which whoever it is about was
 * still there. Units: bytes, percent. */
#ifndef PT_ANALYZE_PICTURE_BEFORE_H
#define PT_ANALYZE_PICTURE_BEFORE_H

#include <jansson.h>

#include "analyze/picture/picture.h"
#include "analyze/session.h"

#define PT_BEFORE_LIMITS 8

/* A control group that the process was limited by: its own, or one above. */
struct pt_limit {
    char *path;
    int64_t usage, limit; /* usage: PT_UNKNOWN where it was not read */
    int64_t swap_limit;   /* of swap alone; PT_UNKNOWN: none, or it was not read */
};
/* The control group path[0..n-1], which begins with no slash, but for its path. false: it has no
 * limit, or none was recorded. */
bool pt_limit_load(const struct pt_view *view, const char *path, size_t n, struct pt_limit *ret);
struct pt_before {
    struct pt_view *view;
    int64_t age_us; /* of the picture, at the event */
    struct pt_mem_values mem;
    double some, full; /* share of the last 10 s that tasks waited for memory; < 0: not known */
    struct pt_processes processes;
    const struct pt_process **order;          /* all of them, the heaviest first */
    const struct pt_process *subject;         /* NULL: not among them */
    struct pt_limit limits[PT_BEFORE_LIMITS]; /* innermost first */
    unsigned nlimits;
    bool damaged; /* a later one, or part of this, cannot be read */
};
/* PT_ENOTFOUND: no snapshot of that boot before it; PT_EDAMAGED: none that can be read. */
int pt_before_load(const struct pt_session *s, const struct pt_db_event *e, struct pt_before *ret,
                   struct pt_err *err);
void pt_before_release(struct pt_before *b);

/* The heaviest `top` processes and the subject. */
int pt_before_print(const struct pt_session *s, const struct pt_before *b, size_t top);
json_t *pt_before_json(const struct pt_before *b, size_t top);

#endif
