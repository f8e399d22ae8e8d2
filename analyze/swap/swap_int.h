/* SPDX-License-Identifier: MIT
 * What the files of analyze/swap share. Internal to it. */
#ifndef PT_ANALYZE_SWAP_SWAP_INT_H
#define PT_ANALYZE_SWAP_SWAP_INT_H

#include "analyze/swap/swap.h"

/* ---- bins.c: columns of the host's files into bins ---- */

/* Empty bins over the snapshots of a timeline. */
int pt_swap_bins_make(struct pt_db *db, const struct pt_timeline *t, struct pt_swap_bin **ret,
                      size_t *ret_n, struct pt_err *err);

/* One counter or level on its way into the bins. */
struct pt_swap_fill {
    int64_t v;
    uint32_t boot, instance;
    bool known, ever;
    size_t next;      /* bin that is not told yet */
    double at, until; /* of the last point; as far as v is known to hold */
};
struct pt_swap_fills {
    const struct pt_timeline *timeline;
    struct pt_swap_bin *bins;
    size_t n;
    struct pt_swap_fill of[PT_SWAP_COLUMNS];
};
void pt_swap_fill_point(struct pt_swap_fills *f, enum pt_swap_column column,
                        const struct pt_point *p);
void pt_swap_fill_end(struct pt_swap_fills *f);

/* ---- system.c: one pass over the host's files ---- */

int pt_swap_load_system(struct pt_db *db, struct pt_swap *w, struct pt_err *err);

/* ---- devices.c ---- */

struct pt_swap_devices {
    struct pt_swap *w;
    size_t cap;
    bool nomem;
};
/* Points of proc:swaps (fields Size, Used, Priority), of sys:block/zram*\/mm_stat (orig_data_size,
 * compr_data_size, mem_used_total) and of meminfo (Zswap, Zswapped). */
extern const char *const pt_swap_device_fields[3], *const pt_swap_zram_fields[3],
                                                       *const pt_swap_zswap_fields[2];
int pt_swap_on_device(void *devices, const struct pt_point *p);
int pt_swap_on_zram(void *devices, const struct pt_point *p);
int pt_swap_on_zswap(void *devices, const struct pt_point *p);
/* After all points: whether each is still there, and its type. */
int pt_swap_devices_end(struct pt_db *db, struct pt_swap *w, struct pt_err *err);

/* ---- held.c: what is in swap at the end, and of whom ---- */

/* What the last smaps of a process says of swap. */
struct pt_swap_deep {
    int64_t pid, start_time;
    int64_t swap_pss, shmem_swap; /* PT_UNKNOWN */
    int64_t read_us;
};
struct pt_swap_deeps {
    struct pt_swap_deep *v; /* by pid */
    size_t n;
};
void pt_swap_deeps_release(struct pt_swap_deeps *d);
/* NULL: no smaps of it, or it is not that process's. */
const struct pt_swap_deep *pt_swap_deep_of(const struct pt_swap_deeps *d, int64_t pid,
                                           int64_t start_time);
int pt_swap_load_held(const struct pt_session *s, struct pt_swap *w, struct pt_swap_deeps *ret,
                      struct pt_err *err);

/* ---- processes.c: who had memory in swap, and what each did in the episodes ---- */

int pt_swap_load_processes(struct pt_db *db, struct pt_swap *w, const struct pt_swap_deeps *deeps,
                           struct pt_err *err);

/* ---- share.c ---- */

int pt_swap_load_shares(const struct pt_session *s, struct pt_swap *w, struct pt_err *err);

#endif
