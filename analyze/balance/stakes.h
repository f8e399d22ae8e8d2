/* SPDX-License-Identifier: MIT
 * Who holds what of a picture, before it is known whether there is another picture to compare with.
 * Units: bytes. */
#ifndef PT_ANALYZE_BALANCE_STAKES_H
#define PT_ANALYZE_BALANCE_STAKES_H

#include "analyze/balance/sheet.h"

struct pt_stake {
    enum pt_holder kind;
    const char *key; /* stakes of one kind and key are one holder's; NULL: of those without */
    const struct pt_process *process; /* PROCESS; else NULL */
    bool after;                       /* of the later picture, or of the only one */
    int64_t bytes, unseen;
};
struct pt_stakes {
    struct pt_stake *v;
    size_t n, cap;
    struct pt_arena *arena; /* for keys; borrowed */
    enum pt_by by;          /* of processes */
    bool after;             /* what is added next */
    bool nomem;
};
void pt_stakes_add(struct pt_stakes *s, const struct pt_stake *one);
void pt_stakes_release(struct pt_stakes *s);

/* Anonymous memory of every process of p. */
void pt_stakes_anon(struct pt_stakes *s, const struct pt_picture *p);
/* The same of both pictures of d. What a process shares with others (by fork) is known from its
 * smaps: where only one of the two ends has a reading, it is taken for both, so that no first
 * reading looks like a change. */
void pt_stakes_anon_pair(struct pt_stakes *s, const struct pt_diff *d);
/* Each returns < 0 for want of memory, or when the picture's bytes are not well formed. */
typedef int pt_stakes_fn(struct pt_stakes *s, const struct pt_picture *p, struct pt_err *err);
pt_stakes_fn pt_stakes_slabs, pt_stakes_cache, pt_stakes_hugetlb;
/* tmpfs mounts, System V segments and what is mapped of files without a path: an object once. */
pt_stakes_fn pt_stakes_shmem;

/* Bytes that may be in the unaccounted line, by one counter (which < PT_SHEET_HINTS) or another;
 * PT_UNKNOWN where it is not there. */
int64_t pt_hint_of(const struct pt_picture *p, unsigned which, const char **ret_name);

#endif
