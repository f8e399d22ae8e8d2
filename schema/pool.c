/* SPDX-License-Identifier: MIT
 * A free list for each size. */
#include "schema/pool.h"

#include <stdlib.h>

/* A key frame gives back more than the snapshots after it take. */
#define KEEP (64u << 10)

static size_t class_of(size_t size)
{
    return (size + 7) / PT_POOL_STEP;
}

/* The largest of its class: malloc's header of 8 bytes makes it a multiple of 16. */
static size_t room_of(size_t class_id)
{
    return class_id * PT_POOL_STEP + 8;
}

void *pt_pool_take(struct pt_pool *p, size_t size)
{
    const size_t c = class_of(size);
    if (c >= PT_POOL_CLASSES)
        return malloc(size);
    struct pt_spare *s = p->spare[c];
    if (!s)
        return malloc(room_of(c));
    p->spare[c] = s->next;
    p->bytes -= room_of(c);
    return s;
}

void pt_pool_give(struct pt_pool *p, void *block, size_t size)
{
    const size_t c = class_of(size);
    struct pt_spare *s = block;
    if (!s)
        return;
    if (c >= PT_POOL_CLASSES || p->bytes + room_of(c) > KEEP) {
        free(s);
        return;
    }
    s->next = p->spare[c];
    p->spare[c] = s;
    p->bytes += room_of(c);
}

void pt_pool_release(struct pt_pool *p)
{
    for (size_t c = 0; c < PT_POOL_CLASSES; c++) {
        while (p->spare[c]) {
            struct pt_spare *s = p->spare[c];
            p->spare[c] = s->next;
            free(s);
        }
    }
    p->bytes = 0;
}
