/* SPDX-License-Identifier: MIT
 * What can be saved of a copy of a database in any condition, written into a new one. Units: as
 * schema/store.h. */
#ifndef PT_SCHEMA_STORE_SALVAGE_H
#define PT_SCHEMA_STORE_SALVAGE_H

#include "schema/store.h"

struct pt_salvage_ops {
    /* in pages; may be NULL. < 0 ends it (PT_EUSAGE, "interrupted"). */
    int (*progress)(void *ctx, int64_t done, int64_t total);
    pt_damage_fn *lost; /* each thing that is known to be missing */
    void *ctx;
};
struct pt_salvaged {
    int64_t snapshots, segments, frames, events; /* in the new database */
    int64_t lost_snapshots;                      /* numbers that were given, and are not there */
    int64_t lost_blocks;
    int64_t lost; /* things told */
};

/* Looks at every page of the file and of the -wal beside it for rows and blobs with a right
 * checksum, whatever the rest is like, and fills an empty store (pt_new_store) with them. Nothing
 * is made up: what cannot be read stays missing, and readers know it as lost. The file is only
 * read. PT_ELOCKED: it is being written to. */
int pt_salvage(const char *path, struct pt_store *to, const struct pt_salvage_ops *ops,
               struct pt_salvaged *ret, struct pt_err *err);

#endif
