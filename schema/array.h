/* SPDX-License-Identifier: MIT
 * Arrays that grow by doubling, whoever owns them. */
#ifndef PT_SCHEMA_ARRAY_H
#define PT_SCHEMA_ARRAY_H

#include <stdint.h>
#include <stdlib.h>

/* Where an array of n elements of `size` bytes, with room for *cap, has room for one more: v
 * itself, or its new place, and *cap is more. NULL: no memory, and all is as before. */
static inline void *pt_array_room(void *v, size_t n, size_t *cap, size_t size)
{
    enum { FIRST = 16 };
    if (n < *cap)
        return v;
    const size_t more = *cap ? *cap * 2 : FIRST;
    void *grown = *cap <= SIZE_MAX / 2 / size ? realloc(v, more * size) : NULL;
    if (grown)
        *cap = more;
    return grown;
}

#endif
