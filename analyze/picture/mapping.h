/* SPDX-License-Identifier: MIT
 * The mappings of a process, from smaps and without rendering its text: sums over all, and merged
 * by name and kind, with what changes from run to run (inodes, addresses, pids, random parts of
 * names) taken out. Units: bytes. */
#ifndef PT_ANALYZE_PICTURE_MAPPING_H
#define PT_ANALYZE_PICTURE_MAPPING_H

#include "schema/reading.h"

enum pt_mapping_kind {
    PT_MAPPING_ANON = 0, /* "[anon]", "[anon:name]" */
    PT_MAPPING_HEAP,
    PT_MAPPING_STACK,
    PT_MAPPING_FILE,
    PT_MAPPING_SHMEM, /* tmpfs, memfd, System V, shared anonymous */
    PT_MAPPING_HUGETLB,
    PT_MAPPING_DEVICE,
    PT_MAPPING_KERNEL, /* [vdso], [vvar], [vsyscall], [uprobes] */
};
const char *pt_mapping_kind_name(enum pt_mapping_kind kind);

/* Writes the normalised name of a path of smaps ("" is "[anon]") to ret, at most size bytes with
 * the NUL, without " (deleted)", which *ret_deleted tells. */
enum pt_mapping_kind pt_mapping_name(const char *path, size_t len, char *ret, size_t size,
                                     bool *ret_deleted);

enum pt_smaps_field {
    PT_SMAPS_RSS = 0,
    PT_SMAPS_PSS,
    PT_SMAPS_PRIVATE_CLEAN,
    PT_SMAPS_PRIVATE_DIRTY,
    PT_SMAPS_SWAP,
    PT_SMAPS_SWAP_PSS,
    PT_SMAPS_ANONYMOUS,
    PT_SMAPS_PSS_ANON, /* of smaps_rollup */
    PT_SMAPS_FIELDS
};
/* v: PT_UNKNOWN where no mapping has the field. */
struct pt_smaps_sum {
    int64_t v[PT_SMAPS_FIELDS];
    /* anonymous memory, each page divided by those that map it: Pss_Anon; where the kernel does not
     * tell it, the lesser of Pss and Anonymous of each mapping, which is never too little */
    int64_t anon_pss;
};

struct pt_mapping_id {
    const char *name;
    enum pt_mapping_kind kind;
    uint64_t stamp; /* which merge met it last, and at which index */
    size_t index;
};
struct pt_mapping {
    const struct pt_mapping_id *id; /* one for one name and kind: equal pointers are equal names */
    int64_t bytes;                  /* Rss + Swap */
    uint32_t count;                 /* mappings merged */
    bool deleted;                   /* one of them at least */
};

/* What is known of row shapes and names; shapes is borrowed. Lives as long as the names it gave
 * out. */
struct pt_smaps;
struct pt_smaps *pt_smaps_new(const struct pt_shapes *shapes);
void pt_smaps_free(struct pt_smaps *s);
/* Of smaps or smaps_rollup. */
int pt_smaps_sum(struct pt_smaps *s, const struct pt_reading *r, struct pt_smaps_sum *ret,
                 struct pt_err *err);
/* A mapping as it stands in smaps. */
struct pt_smaps_row {
    const struct pt_mapping_id *id;
    bool deleted;
    uint64_t major, minor, inode; /* 0: of no file, or not known */
    uint64_t size;                /* of its range; 0: not known */
    const struct pt_shape *head;  /* for pt_smaps_path */
    const int64_t *v;             /* PT_SMAPS_FIELDS of them, PT_UNKNOWN where it has none */
};
/* Every mapping in order; fn < 0 ends it. */
int pt_smaps_each(struct pt_smaps *s, const struct pt_reading *r,
                  int (*fn)(void *ctx, const struct pt_smaps_row *row), void *ctx,
                  struct pt_err *err);
/* Its path as it stands, without " (deleted)"; not NUL-terminated. */
const char *pt_smaps_path(const struct pt_smaps_row *row, size_t *ret_len);
/* *ret is malloc'ed: free(). */
int pt_smaps_merge(struct pt_smaps *s, const struct pt_reading *r, struct pt_mapping **ret,
                   size_t *ret_n, struct pt_err *err);

#endif
