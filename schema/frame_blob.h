/* SPDX-License-Identifier: MIT
 * The envelope of frames and blocks: a fixed header, a checksum over all, a zstd payload.
 * FORMAT.md, "Blobs". Internal to schema. Units: bytes. */
#ifndef PT_SCHEMA_FRAME_BLOB_H
#define PT_SCHEMA_FRAME_BLOB_H

#include "schema/err.h"
#include "schema/wire.h"

#define PT_BLOB_HEAD    20u
#define PT_BLOB_VERSION 0
#define PT_BLOB_ZSTD                                                                               \
    0x80u /* bit of the tag: the payload is one zstd frame, else it is stored as it is */

/* A payload may not claim to grow beyond this: no small blob makes a large allocation. The writer
 * stores raw what would exceed it. */
#define PT_BLOB_RAW_FREE  (64u << 10)
#define PT_BLOB_RAW_RATIO 4096u

/* How hard to press: what is 0 is the level's own choice. window_log bounds the memory of both
 * ends. */
struct pt_blob_press {
    int level;
    int window_log;
    int hash_log, chain_log;
    int min_match; /* 4: spares the table for matches of 3, half a MiB, for 0.2% */
};

struct pt_blob {
    uint8_t tag;  /* without PT_BLOB_ZSTD */
    uint8_t *raw; /* owned by the caller: free() */
    size_t len;
};

/* Appends a blob. cctx: a ZSTD_CCtx that is made on first use and kept in *cctx (ZSTD_freeCCtx). */
int pt_blob_write(void **cctx, const struct pt_blob_press *press, const char magic[4], uint8_t tag,
                  const uint8_t *raw, size_t len, struct pt_buf *out, struct pt_err *err);
/* Checks magic, version, lengths and checksum; pt_blob_read decompresses too. `what` stands in
 * messages
 * ("frame"). */
int pt_blob_check(const char magic[4], const char *what, const void *blob, size_t len,
                  size_t raw_max, struct pt_err *err);
/* Of a blob's first PT_BLOB_HEAD bytes: how many it has; 0: it is no blob. */
size_t pt_blob_length(const void *head);
int pt_blob_read(const char magic[4], const char *what, const void *blob, size_t len,
                 size_t raw_max, struct pt_blob *ret, struct pt_err *err);
void pt_blob_cctx_free(void *cctx);
/* A block knows its place in its segment, so that a segment is known to be whole by its blocks
 * alone. Stamps a finished blob, and reads it from the head of one. */
#define PT_BLOB_PLACES 32768u
void pt_blob_stamp(uint8_t *blob, size_t len, unsigned place, bool last);
unsigned pt_blob_place(const void *head, bool *ret_last);
/* Writes a fresh checksum into a blob whose bytes were changed on purpose (tests and fuzzing). */
void pt_blob_resum(uint8_t *blob, size_t len);

#endif
