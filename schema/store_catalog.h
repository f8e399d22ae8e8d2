/* SPDX-License-Identifier: MIT
 * What a salvage has found, in temporary tables of the new database, so that its memory does not
 * grow with the file. Internal to schema/store_salvage.c and store_catalog.c. */
#ifndef PT_SCHEMA_STORE_CATALOG_H
#define PT_SCHEMA_STORE_CATALOG_H

#include "schema/store_rows.h"
#include "schema/store_sift.h"

/* Statements that a salvage prepares once. */
enum pt_catalog_stmt {
    PT_C_SEG = 0, /* what was found, in */
    PT_C_BROW,
    PT_C_BLOB,
    PT_C_BLOB_LIVE,
    PT_C_SEEN,
    PT_C_HEAD,
    PT_C_ASIDE,
    PT_C_BOOT,
    PT_C_META,
    PT_C_META_NEW,
    PT_C_EVENT,
    PT_C_SPARE,
    PT_C_THINNED,
    PT_C_GROUPS, /* and out */
    PT_C_EXPECTED,
    PT_C_DROPPED,
    PT_C_BLOCKS,
    PT_C_WHAT,
    PT_C_HEAD_OF,
    PT_C_FRAMES,
    PT_C_BOOT_OF,
    PT_C_COUNT,
};

struct pt_catalog {
    struct pt_store *to;
    struct pt_pages *pages;
    sqlite3_stmt *st[PT_C_COUNT];
    struct pt_buf blob, what;
    int64_t newest; /* number of a snapshot, as rows of frames tell */
    int (*bad)(void *ctx, uint32_t page, const char *what, struct pt_err *err);
    void *ctx;
};

int pt_catalog_init(struct pt_catalog *c, struct pt_store *to, struct pt_pages *pages,
                    struct pt_err *err);
void pt_catalog_release(struct pt_catalog *c);
/* Reset and ready to bind. */
int pt_catalog_stmt(struct pt_catalog *c, enum pt_catalog_stmt id, sqlite3_stmt **ret,
                    struct pt_err *err);
/* Takes in every page. */
int pt_catalog_fill(struct pt_catalog *c, int (*progress)(void *ctx, int64_t done, int64_t total),
                    void *ctx, struct pt_err *err);

/* Columns of PT_C_BLOCKS and PT_C_FRAMES from the third on say where a blob is; reads it into
 * c->blob. */
int pt_catalog_blob(struct pt_catalog *c, sqlite3_stmt *st, struct pt_err *err);

#endif
