/* SPDX-License-Identifier: MIT
 * The writer's state and its statements. Internal to schema/store*.c. */
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
    PT_S_BLOCK_ROW,
    PT_S_STRETCHES,
    PT_S_THINNINGS,
    PT_S_MARKS,
    PT_S_THINNED,
    PT_S_FORGET_BLOCKS,
    PT_S_FORGET_SEGMENTS,
    PT_S_FORGET_SEALED,
    PT_S_FORGET_THINNED,
    PT_S_FORGET_DAMAGED,
    PT_S_FORGET_BOOTS,
    PT_S_FORGET_EXITS,
    PT_S_FORGET_EVENTS,
    PT_S_FORGET_ANY_EVENTS,
    PT_S_FORGET_OLD_EVENTS,
    PT_S_COUNT,
};

/* A file beside the database, as it was left. ino 0: it was not there. */
struct pt_beside {
    uint64_t ino;
    int64_t size;
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
    struct pt_limits limits;
    int64_t last_us;                   /* real time of the last frame */
    int64_t chain_bytes, chain_frames; /* since the last key frame */
    int64_t longest;                   /* chain, in bytes; 0: none yet */
    int64_t event_rows, event_bytes;   /* about; kept while there is a limit */
    int64_t event_next[3];             /* store_retain.c: ids that forgetting got to */
    bool shared;                       /* it is open, and its shared memory may want room */
    struct pt_beside wal, shm;         /* store_move.c */
    bool blocked;                      /* a reader keeps the WAL from being emptied */
    sqlite3_stmt *st[PT_S_COUNT];
};

/* store_file.c. Creates the file with its mode before SQLite sees it (-wal and -shm get their mode
 * from it), or looks whether what is there is ours: a head that is damaged (PT_EDAMAGED), another
 * program's (PT_EFORMAT), newer (PT_ENEWER). */
int pt_file_prepare(const char *path, struct stat *ret, struct pt_err *err);
/* 1: a regular file that is one; 0: it is not, or not there, or open in this process; < 0. */
int pt_file_is_ours(const char *path, struct pt_err *err);
/* store_aside.c. Renames a -wal that is not its database's, and tells nobody. */
int pt_wal_aside(const char *path, int64_t real_us, struct pt_err *err);
/* "cannot WHAT 'PATH'", by errno. */
int pt_file_cannot(const char *what, const char *path, struct pt_err *err);
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
/* store_shm.c. Once it is open; then, before anything that reads or writes: PT_EFULL instead of
 * SIGBUS. */
void pt_store_shared(struct pt_store *s);
int pt_store_room_to_lock(struct pt_store *s, struct pt_err *err);
/* store_seal.c. Gives all free pages back; nothing while a reader keeps the WAL. */
int pt_store_vacuum(struct pt_store *s, struct pt_err *err);
/* A row of `event` without its texts, about. */
#define PT_EVENT_BYTES 40
/* store_room.c. A frame more in the WAL. */
void pt_store_count_frame(struct pt_store *s, bool key, size_t len);
/* Bytes on the disk: the file alone with its -shm, and with its -wal. */
struct pt_disk {
    int64_t rest, used;
};
void pt_store_disk(struct pt_store *s, struct pt_disk *ret);
/* Bytes that storing, sealing and thinning may take on top of the file at rest. */
int64_t pt_store_reserve(const struct pt_store *s);
/* Is there no room to write more into a WAL that cannot be emptied? */
bool pt_store_wedged(struct pt_store *s);
/* What is written and synced goes from the page cache. */
void pt_store_drop_cache(struct pt_store *s);
/* Was the database deleted, so that it goes when it is closed? */
bool pt_store_nameless(struct pt_store *s);
/* Page size and auto_vacuum of a new file, then its tables, in one transaction; fill (may be NULL)
 * is called in it. */
int pt_store_create(struct pt_store *s,
                    int (*fill)(struct pt_store *s, const void *ctx, struct pt_err *err),
                    const void *ctx, struct pt_err *err);

#endif
