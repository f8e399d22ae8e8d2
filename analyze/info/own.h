/* SPDX-License-Identifier: MIT
 * The recorder's account of itself (self:account) over a recording: for each of its lines what it
 * was at the end, at most, on average and in all. Units: as the field dictionary says. */
#ifndef PT_ANALYZE_INFO_OWN_H
#define PT_ANALYZE_INFO_OWN_H

#include "schema/store.h"

#define PT_OWN_FIELDS 64

struct pt_own_field {
    char name[32];
    int64_t last, max; /* last: PT_UNKNOWN where the end does not tell */
    int64_t total;     /* of a counter: its increases, over restarts of the recorder too */
    int64_t counted;   /* its value, as last known */
    double sum;        /* of the values, by the snapshots they held for... */
    int64_t snapshots; /* ...of which there are so many */
    int64_t from;      /* the snapshot from which on `last` holds */
};
struct pt_own {
    struct pt_own_field v[PT_OWN_FIELDS];
    unsigned n;
};
/* Of snapshots [from, to]. A recording without an account has no fields. */
int pt_own_load(struct pt_db *db, int64_t from, int64_t to, struct pt_own *ret, struct pt_err *err);
/* A point after the other; pure. */
int pt_own_add(void *own, const struct pt_point *p);
void pt_own_end(struct pt_own *own, int64_t to);

/* PT_UNKNOWN, or below 0 for the mean, where the account does not have it. */
int64_t pt_own_last(const struct pt_own *own, const char *name);
int64_t pt_own_max(const struct pt_own *own, const char *name);
int64_t pt_own_total(const struct pt_own *own, const char *name);
double pt_own_mean(const struct pt_own *own, const char *name);

#endif
