/* SPDX-License-Identifier: MIT
 * A database, or a slice of it, copied into a new one row by row, also while it is written.
 * Units: as schema/store.h. */
#ifndef PT_SCHEMA_STORE_COPY_H
#define PT_SCHEMA_STORE_COPY_H

#include "schema/store.h"

/* What to copy: the snapshots between the first at or after since_us (or number first) and the last
 * at or before until_us (or number last), events of that time, and what is known of the host. */
struct pt_copy {
    int64_t since_us, until_us; /* PT_UNKNOWN: no bound */
    int64_t first, last;        /* 0: no bound */
    /* After each step, in snapshots; < 0 ends the copy (PT_EUSAGE, "interrupted"). May be NULL. */
    int (*progress)(void *ctx, int64_t done, int64_t total);
    void *ctx;
};
struct pt_copied {
    int64_t snapshots, segments, frames, events; /* in the copy */
    int64_t first, last;                         /* snapshot numbers; 0: none */
};

/* Copies into an empty store (pt_new_store). One transaction of db a segment, so that a recorder is
 * not held up; frames, events and the rest in one, the last. Every row and blob is checked: what is
 * damaged is told through pt_db_on_damage and left out. PT_ENOTFOUND: nothing was recorded in that
 * time. PT_ELOCKED: the file was begun to be written meanwhile: open it anew and copy again. */
int pt_db_copy(struct pt_db *db, const struct pt_copy *what, struct pt_store *to,
               struct pt_copied *ret, struct pt_err *err);

#endif
