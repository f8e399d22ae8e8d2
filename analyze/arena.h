/* SPDX-License-Identifier: MIT
 * Memory that lives and goes together: names and tables of one picture. Units: bytes. */
#ifndef PT_ANALYZE_ARENA_H
#define PT_ANALYZE_ARENA_H

#include <stddef.h>

struct pt_arena_chunk;
/* Zero-initialise before use. */
struct pt_arena {
    struct pt_arena_chunk *head;
    size_t used, cap; /* of the head */
};

/* Aligned for any type and zeroed; NULL: no memory. */
void *pt_arena_alloc(struct pt_arena *a, size_t n);
/* A copy of n bytes with a NUL behind it. */
char *pt_arena_copy(struct pt_arena *a, const void *bytes, size_t n);
void pt_arena_release(struct pt_arena *a);

#endif
