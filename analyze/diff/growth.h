/* SPDX-License-Identifier: MIT
 * Everything that grew or shrank between two pictures, by class of memory, adding up to the host's
 * change: each class's holders, and what no holder accounts for as a signed line of its own. Units:
 * bytes. */
#ifndef PT_ANALYZE_DIFF_GROWTH_H
#define PT_ANALYZE_DIFF_GROWTH_H

#include "analyze/diff/diff.h"

enum pt_holder { PT_HOLDER_PROCESS = 0, PT_HOLDER_SLAB, PT_HOLDER_TMPFS, PT_HOLDER_SHM };
const char *pt_holder_name(enum pt_holder h); /* "process", ... */

struct pt_grower {
    enum pt_holder holder;
    const struct pt_diff_process *process; /* PROCESS; else NULL */
    const char *name;                      /* of the others */
    struct pt_change bytes;
};
struct pt_growth_class {
    const char *name;       /* "anonymous", "slab", or the balance sheet's line */
    struct pt_change bytes; /* of the whole class */
    struct pt_grower *v;    /* by change, the largest first; those that did not change left out */
    size_t n;
    int64_t rest;    /* the class's change that no holder accounts for; PT_UNKNOWN */
    bool attributed; /* holders of this class are known at all */
};
struct pt_growth {
    struct pt_growth_class *v; /* by change */
    size_t n;
    int64_t total; /* change of the sum of all classes: that of MemTotal */
    struct pt_arena arena;
};
/* d must outlive it. */
int pt_growth_make(const struct pt_diff *d, struct pt_growth *ret, struct pt_err *err);
void pt_growth_release(struct pt_growth *g);

#endif
