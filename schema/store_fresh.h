/* SPDX-License-Identifier: MIT
 * A segment in the making: its snapshots and blocks wait in memory until what they replace is gone
 * from the file, to take its places. Internal to sealing and thinning. */
#ifndef PT_SCHEMA_STORE_FRESH_H
#define PT_SCHEMA_STORE_FRESH_H

#include "schema/store_write.h"

/* See "Compression" in FORMAT.md for what the levels cost. */
#define PT_SEAL_LEVEL 16

struct pt_fresh_block {
    enum pt_block_kind kind;
    char *what;
    void *blob;
    size_t len;
};

struct pt_fresh {
    struct pt_snap *snaps;
    int64_t count, first, last, boot, min_ms, max_ms;
    struct pt_fresh_block *v;
    size_t cap;
    int64_t blocks, bytes;
};

/* Members of struct pt_seal_ops; ctx is a struct pt_fresh, or begins with one. */
int pt_fresh_snaps(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err);
int pt_fresh_block(void *ctx, enum pt_block_kind kind, const char *what, const void *blob,
                   size_t len, struct pt_err *err);
/* Writes the rows of `segment` and `block`. */
int pt_fresh_write(const struct pt_fresh *f, struct pt_store *s, struct pt_err *err);
void pt_fresh_release(struct pt_fresh *f);

#endif
