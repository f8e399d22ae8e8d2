/* SPDX-License-Identifier: MIT
 * A new database cut to some of its snapshots. Internal to schema. */
#ifndef PT_SCHEMA_STORE_TRIM_H
#define PT_SCHEMA_STORE_TRIM_H

#include "schema/store_write.h"

/* Leaves the snapshots first to last. Segments that reach beyond are made anew without the others,
 * a chain of frames that begins before is sealed for that; what is damaged stays whole. */
int pt_store_trim(struct pt_store *s, int64_t first, int64_t last, struct pt_err *err);

#endif
