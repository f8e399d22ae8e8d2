/* SPDX-License-Identifier: MIT
 * Where a process grew: two readings of its smaps compared, mapping by mapping, and summed by class
 * of memory. Pure. Units: bytes. */
#ifndef PT_ANALYZE_LEAKS_PARTS_H
#define PT_ANALYZE_LEAKS_PARTS_H

#include "analyze/leaks/verdict.h"
#include "schema/wire.h"

enum pt_class {
    PT_CLASS_HEAP = 0, /* [heap] */
    PT_CLASS_ARENA,    /* anonymous, aligned as glibc's arenas of threads are */
    PT_CLASS_ANON,     /* other anonymous, [anon:name] */
    PT_CLASS_STACK,
    PT_CLASS_PRIVATE_FILE, /* written pages of private mappings of files */
    PT_CLASS_SHMEM,
    PT_CLASS_HUGETLB,
    PT_CLASS_COUNT
};
const char *pt_class_name(enum pt_class c); /* "heap", "private-file" */
/* Of a mapping by its name; arenas are other anonymous ones by that. */
enum pt_class pt_class_of(const char *row, size_t len);
/* HEAP_MAX_SIZE of glibc on 64 bits: arenas of threads are so aligned, and no larger. */
#define PT_ARENA (UINT64_C(64) << 20)

#define PT_TOP_MAPPINGS 5
struct pt_grown {
    char name[128]; /* as smaps has it, what changes from run to run taken out */
    enum pt_class of;
    double growth;
    uint32_t mappings; /* merged under this name */
    int64_t inode;     /* of shared memory, whose mappings are all of one object; else 0 */
};
struct pt_parts_found {
    struct pt_parts parts; /* of private memory: what a ruling on anon + swap needs */
    double growth[PT_CLASS_COUNT];
    enum pt_class largest;                /* of private memory */
    struct pt_grown top[PT_TOP_MAPPINGS]; /* by growth, of all classes */
    int ntop;
    double lazy_free; /* growth of LazyFree: freed, not yet taken back */
};
/* < 0: no memory. */
int pt_parts_of(const char *before, size_t before_len, const char *after, size_t after_len,
                struct pt_parts_found *ret);

#endif
