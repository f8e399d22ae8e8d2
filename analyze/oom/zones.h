/* SPDX-License-Identifier: MIT
 * Free memory of each zone against its watermarks. Units: bytes. */
#ifndef PT_ANALYZE_OOM_ZONES_H
#define PT_ANALYZE_OOM_ZONES_H

#include "analyze/arena.h"
#include "schema/store.h"

struct pt_zone {
    const char *name;                      /* "Node 0, zone Normal"; owned by the table */
    int64_t free, min, low, high, managed; /* PT_UNKNOWN */
};
struct pt_zones {
    struct pt_zone *v; /* as the kernel lists them; empty ones are left out */
    size_t n;
    struct pt_arena arena;
};
int pt_zones_load(const struct pt_view *view, struct pt_zones *ret, struct pt_err *err);
void pt_zones_release(struct pt_zones *z);
/* "below min", "below low", "below high", "" above; "?" not known. */
const char *pt_zone_state(const struct pt_zone *z);

#endif
