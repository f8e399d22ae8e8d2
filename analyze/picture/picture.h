/* SPDX-License-Identifier: MIT
 * Everything a diff wants to know of one instant: the view, its memory numbers, processes and slab
 * caches. Units: bytes. */
#ifndef PT_ANALYZE_PICTURE_PICTURE_H
#define PT_ANALYZE_PICTURE_PICTURE_H

#include "analyze/picture/balance.h"
#include "analyze/picture/process.h"
#include "analyze/picture/slab.h"

struct pt_picture {
    struct pt_db *db;
    struct pt_view *view;
    struct pt_smaps *smaps; /* borrowed */
    struct pt_boot boot;    /* id 0: not in the table */
    struct pt_mem_values mem;
    struct pt_balance balance;
    struct pt_processes processes;
    struct pt_slabs slabs;
};
/* smaps must be of db's shapes. */
int pt_picture_load(struct pt_db *db, int64_t n, struct pt_smaps *smaps, struct pt_picture *ret,
                    struct pt_err *err);
void pt_picture_release(struct pt_picture *p); /* also of one that is all zero */

/* The memory numbers alone. */
int pt_mem_load(const struct pt_view *view, struct pt_mem_values *ret, struct pt_err *err);
#endif
