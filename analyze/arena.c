/* SPDX-License-Identifier: MIT
 * Chunks in a list; a request larger than a chunk gets one of its own. */
#include "analyze/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK (64u << 10)

struct pt_arena_chunk {
    struct pt_arena_chunk *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

void *pt_arena_alloc(struct pt_arena *a, size_t n)
{
    const size_t align = _Alignof(max_align_t);
    if (n > (size_t)1 << 40)
        return NULL;
    n = (n + align - 1) / align * align;
    if (a->cap - a->used < n) {
        const size_t cap = n > CHUNK ? n : CHUNK;
        struct pt_arena_chunk *chunk = calloc(1, sizeof(*chunk) + cap);
        if (!chunk)
            return NULL;
        chunk->next = a->head;
        a->head = chunk;
        a->cap = cap;
        a->used = 0;
    }
    void *p = a->head->bytes + a->used;
    a->used += n;
    return p;
}

char *pt_arena_copy(struct pt_arena *a, const void *bytes, size_t n)
{
    char *p = pt_arena_alloc(a, n + 1);
    if (p && n)
        memcpy(p, bytes, n);
    return p;
}

void pt_arena_release(struct pt_arena *a)
{
    while (a->head) {
        struct pt_arena_chunk *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    *a = (struct pt_arena){0};
}
