/* SPDX-License-Identifier: MIT
 * The writer's state and its statements. Internal to schema/store_write.c and store_seal.c. */
#ifndef PT_SCHEMA_STORE_WRITE_H
#define PT_SCHEMA_STORE_WRITE_H

#include <sys/stat.h>

#include "schema/store_int.h"

/* A reader that recovers the WAL holds the lock for a moment; nobody else does. */
#define PT_BUSY_MS 2000

enum pt_stmt_id {
    PT_S_BEGIN = 0,
    PT_S_COMMIT,
    PT_S_ROLLBACK,
    PT_S_FRAME,
    PT_S_SEALED,
    PT_S_SEGMENT,
    PT_S_BLOCK,
    PT_S_DAMAGED,
    PT_S_DELETE_FRAME,
    PT_S_FRAMES,
    PT_S_FRAME_ROW,
    PT_S_KEYS,
    PT_S_BOOT_FIND,
    PT_S_BOOT_ADD,
    PT_S_EVENT,
    PT_S_META,
    PT_S_VACUUM,
    PT_S_COUNT,
};

struct pt_store {
    sqlite3 *db;
    char *path;
    uint64_t dev, ino;
    bool held;
    int64_t next;
    int64_t boot;                       /* of the last frame */
    int64_t frame_bytes, segment_bytes; /* frame_bytes < 0: not known */
    int db_fd, wal_fd;                  /* store_cache.c */
    sqlite3_stmt *st[PT_S_COUNT];
};

/* store_file.c. Creates the file with its mode before SQLite sees it (-wal and -shm get their mode
 * from it), or looks whether what is there is ours: a head that is damaged (PT_EDAMAGED), another
 * program's (PT_EFORMAT), newer (PT_ENEWER). */
int pt_file_prepare(const char *path, struct stat *ret, struct pt_err *err);
int pt_store_stmt(struct pt_store *s, enum pt_stmt_id id, sqlite3_stmt **ret, struct pt_err *err);
/* 1: a row; 0: done, and reset; < 0. */
int pt_store_step(struct pt_store *s, sqlite3_stmt *st, const char *what, struct pt_err *err);
/* One row in: n values, their checksum, and a blob unless it is NULL. */
int pt_store_run(struct pt_store *s, enum pt_stmt_id id, enum pt_table table,
                 const struct pt_val *v, size_t n, const void *blob, size_t len, const char *what,
                 struct pt_err *err);
int pt_store_begin(struct pt_store *s, struct pt_err *err);
/* Commits when result >= 0, else rolls back and returns it. */
int pt_store_end(struct pt_store *s, int result, const char *what, struct pt_err *err);
int pt_store_checkpoint(struct pt_store *s, struct pt_err *err);
/* What is written and synced goes from the page cache. */
void pt_store_drop_cache(struct pt_store *s);
/* Gives free pages back to the file system. */
int pt_store_vacuum(struct pt_store *s, struct pt_err *err);
/* Page size and auto_vacuum of a new file, then its tables, in one transaction; fill (may be NULL)
 * is called in it. */
int pt_store_create(struct pt_store *s,
                    int (*fill)(struct pt_store *s, const void *ctx, struct pt_err *err),
                    const void *ctx, struct pt_err *err);

#endif
