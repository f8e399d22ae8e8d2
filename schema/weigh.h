/* SPDX-License-Identifier: MIT
 * What snapshots take once they are sealed, without a database: for estimates. Units: bytes. */
#ifndef PT_SCHEMA_WEIGH_H
#define PT_SCHEMA_WEIGH_H

#include "schema/frame.h"

struct pt_weigh_frame {
    int64_t n;
    const void *blob;
    size_t len;
};
struct pt_weight {
    int64_t blocks; /* of the sources that are kept */
    int64_t clock;  /* the block of the snapshots themselves */
};
/* Seals one chain (a key frame and frames after it) into nothing. keep: which sources count; NULL:
 * all. A frame that does not decode is an error. */
int pt_weigh(const struct pt_weigh_frame *frames, uint32_t count,
             bool (*keep)(void *ctx, const char *name), void *ctx, struct pt_weight *ret,
             struct pt_err *err);

#endif
