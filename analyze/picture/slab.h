/* SPDX-License-Identifier: MIT
 * The kernel's slab caches of a view. Two caches can bear one name: they are summed. Units: bytes.
 */
#ifndef PT_ANALYZE_PICTURE_SLAB_H
#define PT_ANALYZE_PICTURE_SLAB_H

#include "analyze/arena.h"
#include "schema/store.h"

struct pt_slab {
    const char *name; /* owned by the table */
    int64_t bytes;    /* num_slabs * pagesperslab pages */
    int64_t objects;  /* active_objs */
};
struct pt_slabs {
    struct pt_slab *v; /* by name */
    size_t n;
    enum pt_presence presence; /* of slabinfo; with PT_READ and PT_CARRIED v is filled */
    int why;
    int64_t read_us;
    struct pt_arena arena;
};
int pt_slabs_load(const struct pt_view *view, struct pt_slabs *ret, struct pt_err *err);
void pt_slabs_release(struct pt_slabs *s);

/* Does the kernel count a cache as memory it can take back? By its name; most modules' caches are
 * not known. */
enum pt_reclaim { PT_RECLAIM_UNKNOWN = 0, PT_RECLAIM_NO, PT_RECLAIM_YES };
enum pt_reclaim pt_slab_reclaim(const char *name);

#endif
