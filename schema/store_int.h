/* SPDX-License-Identifier: MIT
 * What the files of the store share: the tables, rows with their checksum, statements, errors.
 * Internal to schema/store*.c. FORMAT.md, "The database", is the specification of what stands here
 * as SQL. */
#ifndef PT_SCHEMA_STORE_INT_H
#define PT_SCHEMA_STORE_INT_H

#include <errno.h>
#include <sqlite3.h>

#include "schema/source.h"
#include "schema/store.h"

/* ---- tables (store_sql.c) ---- */

enum pt_table {
    PT_T_META = 0,
    PT_T_BOOT,
    PT_T_SEALED,
    PT_T_FRAME,
    PT_T_SEGMENT,
    PT_T_BLOCK,
    PT_T_DAMAGED,
    PT_T_EVENT,
    PT_T_THINNED,
    PT_T_COUNT,
};

/* One statement of the schema. Tables come first, in the order of enum pt_table. */
struct pt_table_def {
    const char *name;
    const char *sql; /* as it stands in sqlite_schema */
};
extern const struct pt_table_def pt_schema_sql[];
extern const size_t pt_schema_sql_count;

/* ---- rows ---- */

enum pt_val_type { PT_VAL_NULL = 0, PT_VAL_INT = 1, PT_VAL_TEXT = 2, PT_VAL_OTHER = 3 };

/* A column's value. PT_UNKNOWN as a number is NULL. */
struct pt_val {
    enum pt_val_type type;
    int64_t i;
    const char *text;
    size_t len;
};
struct pt_val pt_val_int(int64_t i);
struct pt_val pt_val_text(const char *text);
/* NULL as PT_UNKNOWN; what is no number as PT_UNKNOWN too. */
int64_t pt_val_num(const struct pt_val *v);
/* Milliseconds of a row; PT_UNKNOWN where it has none, or none that can be. */
int64_t pt_ms_to_us(int64_t ms);

/* The checksum of a row of a table: of its columns before `crc`, in order. */
int32_t pt_row_crc(enum pt_table table, const struct pt_val *v, size_t n);
/* Binds n values to ?1.. and their checksum to ?n+1. */
int pt_row_bind(sqlite3_stmt *st, enum pt_table table, const struct pt_val *v, size_t n);
/* Columns 0..n-1 and the checksum in column n. Texts live until the next step. true: the checksum
 * is right. */
bool pt_row_get(sqlite3_stmt *st, enum pt_table table, struct pt_val *v, size_t n);

/* The headline columns that sealed, frame and damaged have in common, in their order. */
#define PT_SNAP_COLUMNS                                                                            \
    "n, time_ms, boot, trigger, mem_available_kb, swap_used_kb, psi_some_us, psi_full_us, "        \
    "processes, cost_us"
enum { PT_SNAP_NCOLUMNS = 10 };
void pt_snap_to_row(const struct pt_snap *snap, struct pt_val v[PT_SNAP_NCOLUMNS]);
/* What the row does not hold (clocks, spans) is PT_UNKNOWN, and real_us has milliseconds only. */
void pt_snap_from_row(const struct pt_val v[PT_SNAP_NCOLUMNS], struct pt_snap *ret);

/* ---- statements and errors ---- */

/* Fills err from the connection's last error; what: "append a snapshot". */
int pt_sql_err(sqlite3 *db, int rc, const char *what, struct pt_err *err);
/* by: errno of it, where SQLite does not hold on to that (in COMMIT); 0: as SQLite has it. */
int pt_sql_err_by(sqlite3 *db, int rc, int by, const char *what, struct pt_err *err);
int pt_sql_exec(sqlite3 *db, const char *sql, const char *what, struct pt_err *err);
/* Prepares into *st unless it is prepared, else resets it. */
int pt_sql_prepare(sqlite3 *db, sqlite3_stmt **st, const char *sql, struct pt_err *err);
/* One whole number; *ret is `none` where the result is empty or NULL. */
int pt_sql_int(sqlite3 *db, const char *sql, int64_t none, int64_t *ret, struct pt_err *err);
/* Limits and settings every connection has, so that no file can make one run code or take memory.
 */
int pt_sql_harden(sqlite3 *db, struct pt_err *err);
/* Are the tables there, exactly as ours? Other tables are left alone; triggers are damage. */
int pt_sql_verify(sqlite3 *db, struct pt_err *err);

/* ---- the meta table ---- */

struct pt_meta_field {
    const char *key;
    bool is_text;
    size_t offset, size;
};
extern const struct pt_meta_field pt_meta_fields[];
extern const size_t pt_meta_field_count;

/* Is that errno of a disk, a quota or a limit to the size of files that is used up? */
static inline bool pt_no_room(int sys)
{
    return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

/* ---- files open in this process (store_held.c) ----
 * Closing any descriptor of a file drops all of the process's POSIX locks on it, SQLite's too, and
 * the next reader would then take the WAL for abandoned. So what this process has open is known by
 * inode and never opened by hand. */
bool pt_held(uint64_t dev, uint64_t ino);
int pt_hold(uint64_t dev, uint64_t ino);
void pt_unhold(uint64_t dev, uint64_t ino);

/* Kinds of events that keep the snapshot they go with: the machine's, not its processes'. */
#define PT_EVENT_MARKS "(3,6,7,8,9,11,12)"

/* A block's id is the first snapshot of its segment times this, plus its place in the segment. */
#define PT_BLOCKS_MAX 65536

/* ---- sealing (store_chain.c), shared with reading one field of unsealed frames ---- */

/* Gives the blobs of a run of frames again and again. next(): 1 a frame, 0 the end, < 0 an error.
 * The blob lives until the next call. */
struct pt_frames {
    int (*rewind)(void *ctx, struct pt_err *err);
    int (*next)(void *ctx, int64_t *ret_n, const void **ret_blob, size_t *ret_len,
                struct pt_err *err);
    void *ctx;
};

struct pt_sealer;
struct pt_seal_ops {
    /* A frame that cannot be decoded, told once. */
    int (*bad)(void *ctx, int64_t n, const char *what, struct pt_err *err);
    /* The snapshots of the segment, once, before the first block. */
    int (*snaps)(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err);
    /* A finished block; what: the classes of its sources, one a line. */
    int (*block)(void *ctx, enum pt_block_kind kind, const char *what, const void *blob, size_t len,
                 struct pt_err *err);
    void *ctx;
};
/* The source of an error that one frame alone is to blame for; its position is the frame's number.
 */
#define PT_BAD_FRAME "frame that does not apply"
/* Turns one chain (a key frame and the frames up to the next) into blocks. keep (may be NULL)
 * limits the sources. Returns the number of snapshots sealed, 0 when the key frame itself is
 * damaged (all frames told as bad). */
int pt_seal_chain(struct pt_shapes *shapes, const struct pt_frames *frames,
                  const struct pt_seal_ops *ops, bool (*keep)(void *ctx, const char *name),
                  void *keep_ctx, int level, struct pt_err *err);

#define PT_CLASS_MAX 128
/* Bytes of a block's list of classes; longer: "**". */
#define PT_WHAT_MAX 2048u
/* Could one name match both patterns ('*': no '/', '**': anything)? */
bool pt_globs_meet(const char *a, const char *b);

#endif
