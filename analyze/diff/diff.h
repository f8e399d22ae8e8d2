/* SPDX-License-Identifier: MIT
 * What changed between two pictures. One rule for all that is compared: what is on one side only
 * has null on the other, and its whole amount as its delta; a delta is unknown only where a side
 * that is there is unknown. Units: bytes. */
#ifndef PT_ANALYZE_DIFF_DIFF_H
#define PT_ANALYZE_DIFF_DIFF_H

#include "analyze/picture/picture.h"

struct pt_change {
    int64_t before, after, delta; /* PT_UNKNOWN */
};

enum pt_side { PT_SIDE_BOTH = 0, PT_SIDE_NEW, PT_SIDE_GONE };
const char *pt_side_name(enum pt_side side); /* "both", "new", "gone" */
enum pt_match { PT_MATCH_NONE = 0, PT_MATCH_IDENTITY, PT_MATCH_SERVICE, PT_MATCH_EXE };
const char *pt_match_name(enum pt_match match); /* "identity", "service", "exe+uid"; NULL: none */
enum pt_by { PT_BY_PROCESS = 0, PT_BY_EXE, PT_BY_SERVICE, PT_BY_CGROUP, PT_BY_USER };

struct pt_diff_process {
    const struct pt_process *before, *after; /* NULL on the side it is missing from */
    enum pt_side side;
    enum pt_match match;
    struct pt_change m[PT_MEASURES];
    int64_t weight; /* change of anon + swap, else of rss; 0 where not known */
    /* the smaps readings compared, and when they were read; before may be read after `from`, where
     * there is none earlier */
    struct pt_reading *smaps_before, *smaps_after; /* references */
    bool late; /* smaps_before was read after `from`: there is none earlier */
    int64_t smaps_before_us, smaps_after_us;
    int64_t deep_before_us, deep_after_us; /* the same of what PSS and USS come from */
};
/* The one of the two that is there, the later first. */
const struct pt_process *pt_diff_who(const struct pt_diff_process *p);

struct pt_diff_mapping {
    size_t process; /* index */
    const char *name;
    enum pt_mapping_kind kind;
    bool deleted;
    struct pt_change bytes; /* Rss + Swap */
};
struct pt_diff_slab {
    const char *name;
    struct pt_change bytes;
};
struct pt_diff_group {
    const char *name; /* NULL: none (no service, exe not known) */
    struct pt_change count;
    struct pt_change m[PT_MEASURES];
    int64_t weight;
};
struct pt_diff {
    const struct pt_picture *from, *to;
    bool other_boot, other_db;
    struct pt_balance before, after;   /* aligned */
    struct pt_diff_process *processes; /* by weight */
    size_t nprocesses;
    struct pt_diff_mapping *mappings; /* by change */
    size_t nmappings;
    struct pt_diff_slab *slabs; /* by change */
    size_t nslabs;
    struct pt_diff_group *groups; /* by weight; none for PT_BY_PROCESS */
    size_t ngroups;
    struct pt_arena arena;
};
/* from and to must outlive it. */
int pt_diff_make(const struct pt_picture *from, const struct pt_picture *to, enum pt_by by,
                 struct pt_diff *ret, struct pt_err *err);
void pt_diff_release(struct pt_diff *d);

/* Parts of it, for pt_diff_make and tests. */
struct pt_change pt_change_of(bool has_before, int64_t before, bool has_after, int64_t after);
/* Fills processes with sides and matches. */
int pt_diff_match(struct pt_diff *d, struct pt_err *err);
/* The pairs of two process tables: identity within a boot; else service, else exe + uid.
 * ret_pair[i] is the index in b of a[i]'s partner or SIZE_MAX, ret_match[i] by what. */
int pt_match_processes(const struct pt_process *a, size_t na, const struct pt_process *b, size_t nb,
                       bool same_boot, size_t *ret_pair, enum pt_match *ret_match,
                       struct pt_err *err);
int pt_diff_group_by(struct pt_diff *d, enum pt_by by, struct pt_err *err);
/* What a process is summed under; NULL: it belongs to none. Borrowed from p or arena. */
const char *pt_group_key(struct pt_arena *arena, const struct pt_process *p, enum pt_by by);

#endif
