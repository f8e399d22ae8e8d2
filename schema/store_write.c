/* SPDX-License-Identifier: MIT
 * Writing a database: creating it, one snapshot a transaction, events, syncing. Sealing is in
 * store_seal.c.
 *
 * The WAL is written at each commit and synced only by pt_store_sync and by the checkpoint after a
 * seal (synchronous=NORMAL). Frames live in the WAL until they are sealed: a checkpoint before that
 * would write them a second time, to pages that the seal frees again. */
#include "schema/store_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Measured over 350 frames of 4.5 KB on average, bytes written to the WAL a frame: 512: 6.8 KB;
 * 1024: 8.1; 2048: 11.1; 4096: above 16. A view reads as fast from each: blocks are read in file
 * order. */
#define PAGE_SIZE "512"

/* Pages in the WAL at which a commit checkpoints by itself, lest a recorder that never seals fill
 * the disk twice. */
#define WAL_PAGES "32768"

static const char *const statements[] = {
    [PT_S_BEGIN] = "BEGIN IMMEDIATE",
    [PT_S_COMMIT] = "COMMIT",
    [PT_S_ROLLBACK] = "ROLLBACK",
    [PT_S_FRAME] = "INSERT INTO frame(" PT_SNAP_COLUMNS ", key, crc, data) "
                   "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [PT_S_SEALED] =
        "INSERT INTO sealed(" PT_SNAP_COLUMNS ", crc) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [PT_S_SEGMENT] =
        "INSERT INTO segment(first, last, count, boot, min_ms, max_ms, blocks, bytes, crc) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
    [PT_S_BLOCK] = "INSERT INTO block(id, kind, what, crc, data) VALUES(?1,?2,?3,?4,?5)",
    [PT_S_DAMAGED] = "INSERT INTO damaged(" PT_SNAP_COLUMNS ", why, crc, data) "
                     "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [PT_S_DELETE_FRAME] =
        "DELETE FROM frame WHERE n = (SELECT max(n) FROM frame WHERE n BETWEEN ?1 AND ?2)",
    [PT_S_FRAMES] = "SELECT n, data FROM frame WHERE n BETWEEN ?1 AND ?2 ORDER BY n",
    [PT_S_FRAME_ROW] = "SELECT " PT_SNAP_COLUMNS ", key, crc, data FROM frame WHERE n = ?1",
    [PT_S_KEYS] = "SELECT " PT_SNAP_COLUMNS ", key, crc, data FROM frame ORDER BY n",
    [PT_S_BOOT_FIND] = "SELECT id FROM boot WHERE boot_id = ?1",
    [PT_S_BOOT_ADD] = "INSERT INTO boot(id, boot_id, btime_us, crc) VALUES(?1,?2,?3,?4)",
    [PT_S_EVENT] = "INSERT INTO event(id, time_us, kind, n, subject, text, crc) "
                   "VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [PT_S_META] =
        "INSERT INTO meta(key, value, crc) VALUES(?1,?2,?3) ON CONFLICT(key) DO UPDATE SET "
        "value = excluded.value, crc = excluded.crc WHERE value IS NOT excluded.value OR crc IS "
        "NOT excluded.crc",
    [PT_S_VACUUM] = "PRAGMA incremental_vacuum(128)",
    [PT_S_BLOCK_ROW] = "SELECT id, kind, what, crc, data FROM block WHERE id = ?1",
    [PT_S_STRETCHES] = "SELECT first, last, count, boot, min_ms, max_ms, blocks, bytes, crc "
                       "FROM segment ORDER BY first",
    [PT_S_THINNINGS] = "SELECT first, last, level, kept, crc FROM thinned ORDER BY first",
    [PT_S_MARKS] = "SELECT DISTINCT n FROM event WHERE n BETWEEN ?1 AND ?2 AND kind "
                   "IN " PT_EVENT_MARKS " ORDER BY n",
    [PT_S_THINNED] =
        "INSERT OR REPLACE INTO thinned(first, last, level, kept, crc) VALUES(?1,?2,?3,?4,?5)",
    [PT_S_FORGET_BLOCKS] = "DELETE FROM block WHERE id BETWEEN ?1 AND ?2",
    [PT_S_FORGET_SEGMENTS] = "DELETE FROM segment WHERE first BETWEEN ?1 AND ?2",
    [PT_S_FORGET_SEALED] = "DELETE FROM sealed WHERE n BETWEEN ?1 AND ?2",
    [PT_S_FORGET_THINNED] = "DELETE FROM thinned WHERE first BETWEEN ?1 AND ?2",
    [PT_S_FORGET_DAMAGED] = "DELETE FROM damaged WHERE n BETWEEN ?1 AND ?2",
    [PT_S_FORGET_BOOTS] = "DELETE FROM boot WHERE id BETWEEN ?1 AND ?2 AND id NOT IN (SELECT boot "
                          "FROM segment UNION SELECT boot FROM frame)",
    [PT_S_FORGET_EXITS] = "DELETE FROM event WHERE id BETWEEN ?1 AND ?2 AND kind = 10",
    [PT_S_FORGET_EVENTS] =
        "DELETE FROM event WHERE id BETWEEN ?1 AND ?2 AND kind NOT IN " PT_EVENT_MARKS,
    [PT_S_FORGET_ANY_EVENTS] = "DELETE FROM event WHERE id BETWEEN ?1 AND ?2",
    [PT_S_FORGET_OLD_EVENTS] = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time_us "
                               "< ?1 ORDER BY id LIMIT ?2)",
};

int pt_store_stmt(struct pt_store *s, enum pt_stmt_id id, sqlite3_stmt **ret, struct pt_err *err)
{
    const int r = pt_sql_prepare(s->db, &s->st[id], statements[id], err);
    *ret = s->st[id];
    return r;
}

int pt_store_step(struct pt_store *s, sqlite3_stmt *st, const char *what, struct pt_err *err)
{
    if (sqlite3_get_autocommit(s->db) && !sqlite3_stmt_busy(st)) {
        const int room = pt_store_room_to_lock(s, err);
        if (room < 0) {
            sqlite3_clear_bindings(st);
            return room;
        }
    }
    errno = 0;
    const int rc = sqlite3_step(st);
    /* its own account is of the last call only, and undoing makes some */
    const bool full = pt_no_room(errno);
    const int by = (rc & 0xff) == SQLITE_IOERR && full ? errno : 0;
    if (rc == SQLITE_ROW)
        return 1;
    const int r = rc == SQLITE_DONE ? 0 : pt_sql_err_by(s->db, rc, by, what, err);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return r;
}

int pt_store_run(struct pt_store *s, enum pt_stmt_id id, enum pt_table table,
                 const struct pt_val *v, size_t n, const void *blob, size_t len, const char *what,
                 struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_store_stmt(s, id, &st, err);
    if (r < 0)
        return r;
    int rc = pt_row_bind(st, table, v, n);
    if (rc == SQLITE_OK && blob)
        rc = sqlite3_bind_blob64(st, (int)n + 2, blob, len, SQLITE_STATIC);
    if (rc != SQLITE_OK)
        return pt_sql_err(s->db, rc, what, err);
    return pt_store_step(s, st, what, err);
}

int pt_store_begin(struct pt_store *s, struct pt_err *err)
{
    sqlite3_stmt *st;
    const int r = pt_store_stmt(s, PT_S_BEGIN, &st, err);
    return r < 0 ? r : pt_store_step(s, st, "begin a transaction", err);
}

int pt_store_end(struct pt_store *s, int result, const char *what, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = result;
    if (r >= 0 && (r = pt_store_stmt(s, PT_S_COMMIT, &st, err)) >= 0 &&
        (r = pt_store_step(s, st, what, err)) >= 0)
        return 0;
    /* SQLite has rolled back by itself after some errors: that this one fails says nothing new. */
    if (!sqlite3_get_autocommit(s->db) && pt_store_stmt(s, PT_S_ROLLBACK, &st, NULL) >= 0)
        pt_store_step(s, st, "roll back", NULL);
    return r;
}

/* ---- opening ---- */

static int write_meta(struct pt_store *s, const void *ctx, struct pt_err *err)
{
    const struct pt_meta *meta = ctx;
    for (size_t i = 0; i < pt_meta_field_count; i++) {
        const struct pt_meta_field *f = &pt_meta_fields[i];
        const char *at = (const char *)meta + f->offset;
        struct pt_val v[2] = {pt_val_text(f->key)};
        if (f->is_text) {
            v[1] = pt_val_text(at);
        } else {
            int64_t number;
            memcpy(&number, at, sizeof number);
            v[1] = pt_val_int(number);
        }
        const int r =
            pt_store_run(s, PT_S_META, PT_T_META, v, 2, NULL, 0, "write the meta table", err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int create_tables(struct pt_store *s, struct pt_err *err)
{
    char mark[96];
    for (size_t i = 0; i < pt_schema_sql_count; i++) {
        const int r = pt_sql_exec(s->db, pt_schema_sql[i].sql, "create the tables", err);
        if (r < 0)
            return r;
    }
    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d",
             PT_APPLICATION_ID, PT_FORMAT);
    return pt_sql_exec(s->db, mark, "mark the database", err);
}

static int check_format(struct pt_store *s, int64_t tables, bool *ret_new, struct pt_err *err)
{
    int64_t id = 0, version = 0;
    int r = pt_sql_int(s->db, "PRAGMA application_id", 0, &id, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "PRAGMA user_version", 0, &version, err);
    if (r < 0)
        return r;
    *ret_new = id == 0 && tables == 0; /* new, or its creation did not come to an end */
    if (*ret_new)
        return 0;
    if (id != PT_APPLICATION_ID)
        return pt_err_set(err, PT_EFORMAT, 0, s->path, -1, "'%s' is a database of another program",
                          s->path);
    if (version > PT_FORMAT || version < 0)
        return pt_err_set(err, PT_ENEWER, 0, s->path, -1,
                          "'%s' has format %lld, this program knows formats up to %d", s->path,
                          (long long)version, PT_FORMAT);
    return pt_sql_verify(s->db, err);
}

static int read_next(struct pt_store *s, struct pt_err *err)
{
    static const char *const sql[] = {
        "SELECT max(n) FROM sealed",
        "SELECT max(n) FROM frame",
        "SELECT max(n) FROM damaged",
        "SELECT last FROM segment ORDER BY first DESC LIMIT 1",
    };
    s->next = 1;
    s->frame_bytes = -1;
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        int64_t n;
        const int r = pt_sql_int(s->db, sql[i], 0, &n, err);
        if (r < 0)
            return r;
        if (n >= s->next && n < INT64_MAX)
            s->next = n + 1;
    }
    return pt_sql_int(s->db, "SELECT boot FROM frame ORDER BY n DESC LIMIT 1", 0, &s->boot, err);
}

/* In one transaction, so that no end in between leaves a file without our mark: setting auto_vacuum
 * writes the head of the file. */
int pt_store_create(struct pt_store *s,
                    int (*fill)(struct pt_store *s, const void *ctx, struct pt_err *err),
                    const void *ctx, struct pt_err *err)
{
    int r = pt_sql_exec(s->db, "PRAGMA page_size=" PAGE_SIZE "; BEGIN", "create", err);
    if (r < 0)
        return r;
    r = pt_sql_exec(s->db, "PRAGMA auto_vacuum=INCREMENTAL", "create", err);
    if (r >= 0)
        r = create_tables(s, err);
    if (r >= 0 && fill)
        r = fill(s, ctx, err);
    return pt_store_end(s, r, "create the database", err);
}

static int use_wal(struct pt_store *s, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(s->db, &st, "PRAGMA journal_mode=WAL", err);
    if (r < 0)
        return r;
    const int rc = sqlite3_step(st);
    const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (rc != SQLITE_ROW)
        r = pt_sql_err(s->db, rc, "set up the WAL", err);
    else if (!mode || strcmp(mode, "wal") != 0)
        r = pt_err_set(err, PT_EIO, 0, s->path, -1,
                       "cannot keep a WAL beside '%s': the file system has no shared memory",
                       s->path);
    sqlite3_finalize(st);
    return r < 0
               ? r
               : pt_sql_exec(
                     s->db,
                     "PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF; PRAGMA cache_size=-256; "
                     "PRAGMA cache_spill=ON; PRAGMA wal_autocheckpoint=" WAL_PAGES,
                     "set up the database", err);
}

static int prepare_file(struct pt_store *s, const struct pt_meta *meta, struct pt_err *err)
{
    int64_t tables = 0;
    bool fresh = false;
    int r = pt_sql_harden(s->db, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    if (r >= 0)
        r = check_format(s, tables, &fresh, err);
    /* Everything in the main file before there is a WAL, so that the file alone is a database from
     * the first. EXTRA: a rollback journal whose removal a power failure undoes would undo all that
     * came after it. */
    if (r >= 0)
        r = pt_sql_exec(s->db, "PRAGMA synchronous=EXTRA", "set up the database", err);
    if (r >= 0 && fresh)
        r = pt_store_create(s, write_meta, meta, err);
    if (r >= 0)
        r = use_wal(s, err);
    if (r >= 0 && !fresh && (r = pt_store_begin(s, err)) >= 0)
        r = pt_store_end(s, write_meta(s, meta, err), "write the meta table", err);
    return r < 0 ? r : read_next(s, err);
}

static void store_free(struct pt_store *s)
{
    for (size_t i = 0; i < PT_S_COUNT; i++)
        sqlite3_finalize(s->st[i]);
    sqlite3_close(s->db);
    if (s->held)
        pt_unhold(s->dev, s->ino);
    free(s->path);
    free(s);
}

int pt_store_open(const char *path, const struct pt_meta *meta, struct pt_store **ret,
                  struct pt_err *err)
{
    struct stat st;
    struct pt_err why = {0};
    int r = pt_file_prepare(path, &st, err);
    if (r < 0)
        return r;
    struct pt_store *s = calloc(1, sizeof *s);
    if (!s)
        return pt_err_nomem(err);
    s->db_fd = s->wal_fd = -1;
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    s->path = realpath(path, NULL); /* absolute: never taken for a URI or an option */
    if (!s->path || pt_hold(s->dev, s->ino) < 0) {
        store_free(s);
        return pt_err_nomem(err);
    }
    s->held = true;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (rc != SQLITE_OK) {
        r = pt_sql_err(s->db, rc, "open the database", err);
    } else {
        sqlite3_extended_result_codes(s->db, 1);
        sqlite3_busy_timeout(s->db, PT_BUSY_MS);
        /* a connection that fails leaves the -wal as it is: who closes one that does not says so */
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        r = prepare_file(s, meta, &why);
        /* its head is ours: what SQLite then takes for no database is damaged */
        if (r == -PT_EFORMAT && strcmp(why.source, "database") == 0)
            why.code = PT_EDAMAGED;
        if (r < 0)
            r = pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    }
    if (r < 0) {
        store_free(s);
        return r;
    }
    pt_store_shared(s);
    *ret = s;
    return 0;
}

int pt_store_checkpoint(struct pt_store *s, struct pt_err *err)
{
    const int room = pt_store_room_to_lock(s, err);
    if (room < 0)
        return room;
    /* Without waiting: a reader that is there keeps the WAL from being cut, not from being copied.
     */
    sqlite3_busy_timeout(s->db, 0);
    const int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->db, PT_BUSY_MS);
    s->blocked = (rc & 0xff) == SQLITE_BUSY;
    pt_store_drop_cache(s);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? 0
                                                         : pt_sql_err(s->db, rc, "checkpoint", err);
}

int pt_store_close(struct pt_store *s, struct pt_err *err)
{
    if (!s)
        return 0;
    const int r = pt_store_checkpoint(s, err);
    if (r >= 0)
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    store_free(s);
    return r;
}

void pt_store_abandon(struct pt_store *s)
{
    if (s)
        store_free(s);
}

/* ---- rows ---- */

int64_t pt_store_next(const struct pt_store *s)
{
    return s->next;
}

static int64_t boot_find(struct pt_store *s, const char *boot_id, struct pt_err *err)
{
    sqlite3_stmt *st;
    int64_t r = pt_store_stmt(s, PT_S_BOOT_FIND, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_text(st, 1, boot_id, -1, SQLITE_TRANSIENT);
    r = pt_store_step(s, st, "look up a boot", err);
    if (r > 0) {
        r = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return r;
}

int64_t pt_store_boot(struct pt_store *s, const char *boot_id, int64_t btime_us, struct pt_err *err)
{
    int64_t id = boot_find(s, boot_id, err);
    if (id)
        return id;
    int r = pt_sql_int(s->db, "SELECT max(id) FROM boot", 0, &id, err);
    if (r < 0)
        return r;
    if (id < 0 || id >= UINT32_MAX)
        return pt_err_set(err, PT_EDAMAGED, 0, "boot", id,
                          "boot %lld leaves no number for the next", (long long)id);
    const struct pt_val v[] = {pt_val_int(id + 1), pt_val_text(boot_id), pt_val_int(btime_us)};
    r = pt_store_run(s, PT_S_BOOT_ADD, PT_T_BOOT, v, 3, NULL, 0, "add a boot", err);
    return r < 0 ? r : id + 1;
}

/* Numbers that were given but never came (no space, then): told where lost frames are told. */
static int note_missing(struct pt_store *s, int64_t from, int64_t to, struct pt_err *err)
{
    for (int64_t n = from; n < to; n++) {
        struct pt_val v[PT_SNAP_NCOLUMNS + 1] = {pt_val_int(n)};
        v[PT_SNAP_NCOLUMNS] = pt_val_text("it was never stored");
        const int r = pt_store_run(s, PT_S_DAMAGED, PT_T_DAMAGED, v, PT_SNAP_NCOLUMNS + 1, NULL, 0,
                                   "note a missing snapshot", err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A gap of more numbers than this is a mistake of the caller. */
#define MISSING_MAX 10000

int pt_store_append(struct pt_store *s, const struct pt_snap *snap, bool key, const void *frame,
                    size_t len, struct pt_err *err)
{
    const int64_t missing = snap->n - s->next;
    if (missing < 0 || missing > MISSING_MAX)
        return pt_err_set(err, PT_EUSAGE, 0, "frame", snap->n, "snapshot %lld after %lld",
                          (long long)snap->n, (long long)s->next - 1);
    if (!key && snap->boot != s->boot)
        return pt_err_set(err, PT_EUSAGE, 0, "frame", snap->n, "a chain of frames over two boots");
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    pt_snap_to_row(snap, v);
    v[PT_SNAP_NCOLUMNS] = pt_val_int(key);
    /* One statement is a transaction of its own. */
    int r = missing ? pt_store_begin(s, err) : 0;
    if (missing && r >= 0)
        r = note_missing(s, s->next, snap->n, err);
    if (r >= 0)
        r = pt_store_run(s, PT_S_FRAME, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1, frame, len,
                         "append a snapshot", err);
    if (missing)
        r = pt_store_end(s, r, "append a snapshot", err);
    if (r < 0)
        return r;
    s->next = snap->n + 1;
    s->boot = snap->boot;
    s->last_us = snap->real_us;
    pt_store_count_frame(s, key, len);
    if (s->frame_bytes >= 0)
        s->frame_bytes += (int64_t)len;
    return 0;
}

int pt_store_event(struct pt_store *s, int64_t real_us, enum pt_event kind, int64_t n,
                   const char *subject, const char *text, struct pt_err *err)
{
    int64_t id;
    int r = pt_store_room_to_lock(s, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT max(id) FROM event", 0, &id, err);
    if (r < 0)
        return r;
    const struct pt_val v[] = {pt_val_int(id + 1), pt_val_int(real_us),  pt_val_int(kind),
                               pt_val_int(n),      pt_val_text(subject), pt_val_text(text)};
    s->event_rows++;
    s->event_bytes += PT_EVENT_BYTES + (int64_t)(strlen(subject) + strlen(text));
    return pt_store_run(s, PT_S_EVENT, PT_T_EVENT, v, 6, NULL, 0, "write an event", err);
}

const char *pt_event_name(int kind)
{
    static const char *const names[] = {
        [PT_EVENT_START] = "start", [PT_EVENT_STOP] = "stop",     [PT_EVENT_GAP] = "gap",
        [PT_EVENT_CLOCK] = "clock", [PT_EVENT_LOST] = "lost",     [PT_EVENT_NOTE] = "note",
        [PT_EVENT_CRASH] = "crash", [PT_EVENT_REBOOT] = "reboot", [PT_EVENT_SUSPEND] = "suspend",
        [PT_EVENT_OOM] = "oom",     [PT_EVENT_EXIT] = "exit",     [PT_EVENT_TRIGGER] = "trigger",
        [PT_EVENT_BURST] = "burst", [PT_EVENT_SKIP] = "skip",     [PT_EVENT_RETAIN] = "retain",
    };
    return kind >= 0 && (size_t)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

/* ---- durability and size ---- */

int pt_store_sync(struct pt_store *s, struct pt_err *err)
{
    sqlite3_file *wal = NULL;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (!wal || !wal->pMethods)
        return 0; /* nothing was written since the last checkpoint */
    const int rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    pt_store_drop_cache(s);
    return rc == SQLITE_OK ? 0 : pt_sql_err(s->db, rc, "sync", err);
}

static int64_t file_size(sqlite3 *db, int op)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    sqlite3_file_control(db, "main", op, &file);
    if (file && file->pMethods && file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        size = 0;
    return size;
}

int pt_store_size(struct pt_store *s, struct pt_store_size *ret, struct pt_err *err)
{
    /* A recorder asks after every snapshot: the sums are kept, not asked for. */
    if (s->frame_bytes < 0) {
        int r = pt_sql_int(s->db, "SELECT sum(length(data)) FROM frame", 0, &s->frame_bytes, err);
        if (r >= 0)
            r = pt_sql_int(s->db, "SELECT sum(bytes) FROM segment", 0, &s->segment_bytes, err);
        if (r < 0) {
            s->frame_bytes = -1;
            return r;
        }
    }
    *ret = (struct pt_store_size){
        .file = file_size(s->db, SQLITE_FCNTL_FILE_POINTER),
        .wal = file_size(s->db, SQLITE_FCNTL_JOURNAL_POINTER),
        .frames = s->frame_bytes,
        .segments = s->segment_bytes,
    };
    return 0;
}
