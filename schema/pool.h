/* SPDX-License-Identifier: MIT
 * Small blocks of memory that come and go with every snapshot: kept by size when they are given
 * back, so that the next snapshot need not ask for them. Units: bytes. Not thread-safe: its owner
 * locks. */
#ifndef PT_SCHEMA_POOL_H
#define PT_SCHEMA_POOL_H

#include <stddef.h>

/* Steps as malloc's, so that rounding up costs nothing. */
#define PT_POOL_STEP    16u
#define PT_POOL_CLASSES 256u

struct pt_pool {
    struct pt_spare {
        struct pt_spare *next;
    } * spare[PT_POOL_CLASSES];
    size_t bytes; /* kept */
};

/* Room for size bytes; NULL: no memory. */
void *pt_pool_take(struct pt_pool *p, size_t size);
/* size: as when it was taken. NULL allowed. */
void pt_pool_give(struct pt_pool *p, void *block, size_t size);
void pt_pool_release(struct pt_pool *p);

#endif
