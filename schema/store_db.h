/* SPDX-License-Identifier: MIT
 * The reader's state. Internal to schema/store*.c. */
#ifndef PT_SCHEMA_STORE_DB_H
#define PT_SCHEMA_STORE_DB_H

#include "schema/store_int.h"

enum pt_mode {
    PT_MODE_ALONE = 0, /* no WAL: immutable */
    PT_MODE_COPY,      /* a WAL nobody holds: a copy, unlinked once it is open */
    PT_MODE_LIVE,      /* somebody writes: through the WAL, a transaction a call */
};

struct pt_seg {
    int64_t first, last, count, boot, min_ms, max_ms, blocks, bytes;
};

struct pt_frame_at {
    int64_t n, ms, boot;
    bool key;
};

/* The snapshots of one segment. */
struct pt_clock {
    int64_t first; /* of the segment; 0: free */
    uint64_t used;
    struct pt_snap *snaps;
    uint32_t count;
};

struct pt_cached {
    int64_t id;
    uint64_t used;
    struct pt_block *block; /* NULL: free */
    size_t cost;
};

#define PT_CLOCKS 8
#define PT_BLOCKS 512 /* slots; the bytes are the bound that counts */

/* Damage that is known of. */
struct pt_place {
    char *place, *what;
    uint64_t hash; /* of place */
    int64_t n1, n2;
    bool told; /* it may be found before there is anyone to tell */
};

struct pt_db {
    sqlite3 *db;
    char *path;
    enum pt_mode mode;
    uint64_t dev, ino;
    bool held;
    int64_t size, mtime_ns; /* of the file when it was opened */
    int64_t behind;         /* transactions behind a damaged place of the -wal */
    struct pt_meta meta;
    struct pt_boot *boots;
    uint32_t nboots;
    struct pt_shapes *shapes;
    struct pt_seg *segs;
    size_t nsegs, segs_cap;
    struct pt_frame_at *frames;
    size_t nframes, frames_cap;
    int64_t data_version;
    unsigned depth; /* of calls inside one transaction */
    /* damage */
    pt_damage_fn *on_damage;
    void *damage_ctx;
    struct pt_place *places;
    uint32_t nplaces;
    size_t places_cap;
    /* caches */
    uint64_t clock_hand;
    struct pt_clock clocks[PT_CLOCKS];
    struct pt_cached blocks[PT_BLOCKS];
    size_t cached;
    struct pt_chain *chain; /* the frames' state after chain_n */
    int64_t chain_key, chain_n;
    struct pt_snap chain_snap;
};

/* Around everything that reads: a transaction when live, and the lists of segments and frames made
 * new when the file has changed. Calls nest. */
int pt_db_enter(struct pt_db *db, struct pt_err *err);
void pt_db_leave(struct pt_db *db);
/* Does another process have the database open? */
bool pt_db_in_use(int fd);
/* store_file.c. To a new file, mode 0600; durable: on the disk when this returns, but for its name.
 */
int pt_file_copy(const char *from, const char *to, bool durable, struct pt_err *err);
/* Was a file that nobody held begun to be written since it was opened? What was read may be of two
 * moments. */
bool pt_db_overtaken(const struct pt_db *db);
int pt_db_load(struct pt_db *db,
               struct pt_err *err);  /* store_read.c: meta, boots, segments, frames */
void pt_db_unload(struct pt_db *db); /* frees what pt_db_load and the caches made */

/* store_gap.c. Numbers are given without gaps: what is missing was lost, unless retention says that
 * it took them out. Told as damage. */
int pt_db_check_numbers(struct pt_db *db, struct pt_err *err);

/* SQLite's check of one table; what it finds is told. */
int pt_db_check_table(struct pt_db *db, enum pt_table table, struct pt_err *err);

/* Tells damage of a place once. n2 < n1: not known which snapshots. */
void pt_db_tell(struct pt_db *db, int64_t n1, int64_t n2, const char *what, const char *place, ...)
    __attribute__((format(printf, 5, 6)));
/* A failure of a read: damage is told and true returned, anything else is passed on. */
bool pt_db_forgive(struct pt_db *db, const struct pt_err *why, int64_t n1, int64_t n2,
                   const char *place, struct pt_err *err);

/* Has a block the snapshots that the segment's row tells of? count 0: only the first is known. */
bool pt_seg_has(const struct pt_seg *seg, const struct pt_block *b);
const struct pt_seg *pt_db_seg_of(const struct pt_db *db, int64_t n); /* NULL: none holds it */
/* Index of the first frame with a number >= n. */
size_t pt_db_frame_lower(const struct pt_db *db, int64_t n);
/* The snapshots of a segment, from its clock block, else (damage) from the table. Lives until the
 * next call. */
int pt_db_clock(struct pt_db *db, const struct pt_seg *seg, const struct pt_clock **ret,
                struct pt_err *err);
/* Why there is no snapshot n: its frame was damaged (PT_EDAMAGED), it was thinned out, or there
 * never was one (PT_ENOTFOUND). */
int pt_db_no_snap(struct pt_db *db, int64_t n, struct pt_err *err);
int pt_clock_tick(const struct pt_clock *clock, int64_t n, uint32_t *ret); /* < 0: not in it */

/* Each block of a segment whose kind is in groups and whose classes meet glob (NULL: any). Damaged
 * ones that may be meant are told, counted in *lost (may be NULL) and left out. keep: in the cache.
 * The block lives while fn runs. */
struct pt_block_query {
    const struct pt_seg *seg;
    unsigned groups;
    const char *glob;
    bool keep;
    int (*fn)(void *ctx, const struct pt_block *b, struct pt_err *err);
    void *ctx;
    uint32_t *lost;
};
int pt_db_blocks(struct pt_db *db, const struct pt_block_query *q, struct pt_err *err);
void pt_db_drop_block(struct pt_db *db, struct pt_cached *c);
void pt_db_drop_segment(struct pt_db *db, const struct pt_seg *seg); /* its blocks, of the cache */

/* Blocks of the sources that keep wants, from frames that overlap [from, to] and are not sealed.
 * They are sealed in memory for it, which takes as long as a seal. */
int pt_db_runs(struct pt_db *db, bool (*keep)(void *ctx, const char *name), int64_t from,
               int64_t to,
               int (*fn)(void *ctx, const struct pt_block *b, const struct pt_snap *snaps,
                         uint32_t nsnaps, struct pt_err *err),
               void *ctx, struct pt_err *err);

/* store_last.c: what a query asks of one segment, and of what is not sealed. */
int pt_last_of_segment(struct pt_db *db, const struct pt_last_query *q, const struct pt_seg *seg,
                       struct pt_err *err);
int pt_last_of_run(struct pt_db *db, const struct pt_last_query *q, const struct pt_block *b,
                   const struct pt_snap *snaps, uint32_t nsnaps, struct pt_err *err);

/* The blob of a frame, copied: free(). */
int pt_db_frame_blob(struct pt_db *db, int64_t n, void **ret, size_t *ret_len, struct pt_err *err);
/* The state of the chain at frame n. *ret lives until the next call. */
int pt_db_chain(struct pt_db *db, int64_t n, struct pt_chain **ret, struct pt_snap *ret_snap,
                struct pt_err *err);

#endif
