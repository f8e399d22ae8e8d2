/* SPDX-License-Identifier: MIT
 * Copying a database that may be written meanwhile. Sealed segments never change, but a recorder
 * that runs short of space makes few of many, or drops them, while the copy is under way: what the
 * source says last is what is kept. */
#include "schema/store_copy.h"

#include <stdio.h>

#include "schema/frame_int.h"
#include "schema/segment_int.h"
#include "schema/store_db.h"
#include "schema/store_rows.h"
#include "schema/store_trim.h"
#include "schema/store_write.h"

struct copy {
    struct pt_db *db;
    const struct pt_copy *what;
    struct pt_store *to;
    int64_t first, last; /* what is asked for, by number */
    int64_t next;        /* segments below are done */
    int64_t done, total; /* snapshots */
};

static int step(struct copy *c, int64_t snapshots, struct pt_err *err)
{
    c->done += snapshots;
    if (c->what->progress && c->what->progress(c->what->ctx, c->done, c->total) < 0)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "interrupted");
    return 0;
}

/* ---- the range ---- */

static int64_t ms_of(int64_t us)
{
    return us / 1000 - (us % 1000 < 0);
}

/* The clock may have been set back: the first by number that is late enough, so that nothing asked
 * for is left out. */
static int64_t first_since(struct pt_db *db, int64_t ms)
{
    const struct pt_clock *clock;
    for (size_t i = 0; i < db->nsegs; i++) {
        if (db->segs[i].max_ms < ms || pt_db_clock(db, &db->segs[i], &clock, NULL) < 0)
            continue;
        for (uint32_t t = 0; t < clock->count; t++)
            if (clock->snaps[t].real_us != PT_UNKNOWN && ms_of(clock->snaps[t].real_us) >= ms)
                return clock->snaps[t].n;
    }
    for (size_t i = 0; i < db->nframes; i++)
        if (db->frames[i].ms >= ms)
            return db->frames[i].n;
    return 0;
}

static int64_t last_until(struct pt_db *db, int64_t ms)
{
    const struct pt_clock *clock;
    for (size_t i = db->nframes; i > 0; i--)
        if (db->frames[i - 1].ms != PT_UNKNOWN && db->frames[i - 1].ms <= ms)
            return db->frames[i - 1].n;
    for (size_t i = db->nsegs; i > 0; i--) {
        if (db->segs[i - 1].min_ms > ms || pt_db_clock(db, &db->segs[i - 1], &clock, NULL) < 0)
            continue;
        for (uint32_t t = clock->count; t > 0; t--)
            if (clock->snaps[t - 1].real_us != PT_UNKNOWN &&
                ms_of(clock->snaps[t - 1].real_us) <= ms)
                return clock->snaps[t - 1].n;
    }
    return 0;
}

static int find_range(struct copy *c, struct pt_err *err)
{
    const struct pt_copy *w = c->what;
    int r = pt_db_enter(c->db, err);
    if (r < 0)
        return r;
    c->first = w->first ? w->first : 1;
    c->last = w->last ? w->last : INT64_MAX;
    if (w->since_us != PT_UNKNOWN)
        c->first = first_since(c->db, ms_of(w->since_us));
    if (w->until_us != PT_UNKNOWN)
        c->last = last_until(c->db, ms_of(w->until_us));
    for (size_t i = 0; i < c->db->nsegs; i++)
        if (c->db->segs[i].last >= c->first && c->db->segs[i].first <= c->last)
            c->total += c->db->segs[i].count;
    for (size_t i = 0; i < c->db->nframes; i++)
        c->total += c->db->frames[i].n >= c->first && c->db->frames[i].n <= c->last;
    pt_db_leave(c->db);
    if (!c->first || !c->last || c->first > c->last ||
        (c->total == 0 && (c->first > 1 || c->last < INT64_MAX)))
        return pt_err_set(err, PT_ENOTFOUND, 0, "", -1, "nothing was recorded in that time");
    return 0;
}

/* ---- segments ---- */

/* The rows say what a block is; where they are damaged it says so itself. */
static int copy_block(struct copy *c, const struct pt_seg *seg, sqlite3_stmt *st, int64_t *bytes,
                      struct pt_err *err)
{
    struct pt_val v[3];
    struct pt_err why = {0};
    const bool good = pt_row_get(st, PT_T_BLOCK, v, 3);
    const void *blob = sqlite3_column_blob(st, 4);
    const size_t len = (size_t)sqlite3_column_bytes(st, 4);
    const int64_t at = v[0].i % PT_BLOCKS_MAX;
    struct pt_buf what;
    int kind = (int)v[1].i;
    int r = pt_blob_check(PT_BLOCK_MAGIC, "block", blob ? blob : "", len, PT_BLOCK_RAW_LIMIT, &why);
    pt_buf_init(&what, PT_WHAT_MAX * 2);
    if (r >= 0 && !good) {
        r = pt_row_of_block(blob, len, seg->first, c->db->shapes, &kind, &what, &why);
        v[1] = pt_val_int(kind);
        v[2] = pt_val_text((const char *)what.data);
    }
    if (r >= 0) {
        *bytes += (int64_t)len;
        r = pt_store_run(c->to, PT_S_BLOCK, PT_T_BLOCK, v, 3, blob, len, "copy a block", err);
    } else {
        char place[64];
        snprintf(place, sizeof place, "segment %lld block %lld", (long long)seg->first,
                 (long long)at);
        r = pt_db_forgive(c->db, &why, seg->first, seg->last, place, err) ? 0 : -(int)why.code;
    }
    pt_buf_release(&what);
    return r;
}

static int copy_blocks(struct copy *c, const struct pt_seg *seg, int64_t *bytes, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int64_t next = 0;
    int rc = SQLITE_DONE;
    int r = pt_sql_prepare(
        c->db->db, &st,
        "SELECT id, kind, what, crc, data FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, seg->first * PT_BLOCKS_MAX);
    sqlite3_bind_int64(st, 2, seg->first * PT_BLOCKS_MAX + seg->blocks - 1);
    while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        next++;
        r = copy_block(c, seg, st, bytes, err);
    }
    char place[64];
    snprintf(place, sizeof place, "blocks of segment %lld", (long long)seg->first);
    if (r >= 0 && rc != SQLITE_DONE) {
        struct pt_err why = {0};
        pt_sql_err(c->db->db, rc, "read a block", &why);
        r = pt_db_forgive(c->db, &why, seg->first, seg->last, place, err) ? 0 : -(int)why.code;
    } else if (r >= 0 && next < seg->blocks) {
        pt_db_tell(c->db, seg->first, seg->last, "some are missing", "%s", place);
    }
    sqlite3_finalize(st);
    return r;
}

/* What was copied of segments that the source has since made one of, or dropped. */
static int forget(struct copy *c, int64_t first, struct pt_err *err)
{
    char sql[320];
    snprintf(sql, sizeof sql,
             "DELETE FROM block WHERE id >= (SELECT min(first) FROM segment WHERE last >= %lld) * "
             "65536; DELETE FROM sealed WHERE n >= (SELECT min(first) FROM segment WHERE last >= "
             "%lld); DELETE FROM segment WHERE last >= %lld",
             (long long)first, (long long)first, (long long)first);
    return pt_sql_exec(c->to->db, sql, "forget a segment", err);
}

static int copy_segment(struct copy *c, const struct pt_seg *seg, struct pt_err *err)
{
    const struct pt_clock *clock;
    struct pt_seg made = *seg;
    int r = seg->first < c->next ? forget(c, seg->first, err) : 0;
    made.bytes = 0;
    if (r >= 0)
        r = copy_blocks(c, seg, &made.bytes, err);
    if (r >= 0)
        r = pt_db_clock(c->db, seg, &clock, err);
    if (r >= 0)
        r = pt_store_sealed(c->to, clock->snaps, clock->count, err);
    if (r >= 0)
        r = pt_store_segment(c->to, &made, err);
    if (r < 0)
        return r;
    c->next = seg->last + 1;
    return step(c, seg->count, err);
}

/* The next segment that is asked for; NULL: no more. */
static const struct pt_seg *next_segment(const struct copy *c)
{
    const int64_t from = c->next > c->first ? c->next : c->first;
    for (size_t i = 0; i < c->db->nsegs; i++)
        if (c->db->segs[i].last >= from)
            return c->db->segs[i].first <= c->last ? &c->db->segs[i] : NULL;
    return NULL;
}

/* ---- frames ---- */

static int set_aside(struct copy *c, struct pt_val v[PT_SNAP_NCOLUMNS + 1], const char *why,
                     const void *blob, size_t len, struct pt_err *err)
{
    pt_db_tell(c->db, v[0].i, v[0].i, why, "frame %lld", (long long)v[0].i);
    v[PT_SNAP_NCOLUMNS] = pt_val_text(why);
    return pt_store_run(c->to, PT_S_DAMAGED, PT_T_DAMAGED, v, PT_SNAP_NCOLUMNS + 1, blob, len,
                        "set a damaged frame aside", err);
}

static int copy_frame(struct copy *c, sqlite3_stmt *st, struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    struct pt_err why = {0};
    const bool good = pt_row_get(st, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1);
    const void *data = sqlite3_column_blob(st, PT_SNAP_NCOLUMNS + 2);
    const void *blob = data ? data : "";
    const size_t len = (size_t)sqlite3_column_bytes(st, PT_SNAP_NCOLUMNS + 2);
    int r = pt_blob_check(PT_FRAME_MAGIC, "frame", blob, len, PT_FRAME_RAW_MAX, &why);
    if (r >= 0 && !good)
        r = pt_row_of_frame(blob, len, v, &why);
    if (r >= 0)
        return pt_store_run(c->to, PT_S_FRAME, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1, blob, len,
                            "copy a frame", err);
    if (good)
        return set_aside(c, v, why.text, blob, len, err);
    pt_db_tell(c->db, v[0].i, v[0].i, why.text, "frame %lld", (long long)v[0].i);
    return 0;
}

/* From the key frame on that the first one needs. */
static int64_t chain_of(const struct pt_db *db, int64_t n)
{
    size_t i = pt_db_frame_lower(db, n);
    while (i < db->nframes && i > 0 && !db->frames[i].key)
        i--;
    return i < db->nframes ? db->frames[i].n : n;
}

static int frames_done(struct copy *c, sqlite3_stmt *st, struct pt_err *err)
{
    const int r = copy_frame(c, st, err);
    return r < 0 ? r : step(c, 1, err);
}

/* ---- the other tables: rows as they are ---- */

static const struct plain {
    enum pt_table table;
    enum pt_stmt_id insert;
    unsigned columns;
    bool blob;
    const char *name, *sql; /* ?1, ?2: snapshots; ?3, ?4: microseconds */
} plain_tables[] = {
    {PT_T_META, PT_S_META, 2, false, "table meta", "SELECT key, value, crc FROM meta"},
    {PT_T_BOOT, PT_S_BOOT_ADD, 3, false, "table boot",
     "SELECT id, boot_id, btime_us, crc FROM boot"},
    {PT_T_DAMAGED, PT_S_DAMAGED, PT_SNAP_NCOLUMNS + 1, true, "table damaged",
     "SELECT " PT_SNAP_COLUMNS
     ", why, crc, data FROM damaged WHERE n BETWEEN ?1 AND ?2 ORDER BY n"},
    {PT_T_EVENT, PT_S_EVENT, 6, false, "table event",
     "SELECT id, time_us, kind, n, subject, text, crc FROM event WHERE n BETWEEN ?1 AND ?2 OR "
     "time_us BETWEEN ?3 AND ?4 ORDER BY id"},
    /* with the segments they are of: what is not copied is not missing */
    {PT_T_THINNED, PT_S_THINNED, 4, false, "table thinned",
     "SELECT first, last, level, kept, crc FROM thinned WHERE last >= ?1 AND first <= ?2 AND (kept "
     "= 0 OR EXISTS (SELECT 1 FROM segment AS s WHERE s.first BETWEEN thinned.first AND "
     "thinned.last AND s.last >= ?1 AND s.first <= ?2))"},
};

static int copy_plain(struct copy *c, const struct plain *p, sqlite3_stmt *st, struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    const void *blob = p->blob ? sqlite3_column_blob(st, (int)p->columns + 1) : NULL;
    const size_t len = blob ? (size_t)sqlite3_column_bytes(st, (int)p->columns + 1) : 0;
    if (pt_row_get(st, p->table, v, p->columns))
        return pt_store_run(c->to, p->insert, p->table, v, p->columns, blob, len, "copy a row",
                            err);
    pt_db_tell(c->db, 0, -1, "wrong checksum", "a row of %s", p->name);
    return 0;
}

/* Rows of a statement, each to fn. Damage of the table ends it and is told. */
static int each_row(struct copy *c, const char *sql, const int64_t bounds[4], const char *name,
                    const struct plain *p, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct pt_err why = {0};
    int rc = SQLITE_DONE;
    int r = pt_sql_prepare(c->db->db, &st, sql, &why);
    for (int i = 0; i < 4 && r >= 0; i++)
        sqlite3_bind_int64(st, i + 1, bounds[i]);
    if (r >= 0) {
        while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
            r = p ? copy_plain(c, p, st, err) : frames_done(c, st, err);
        if (r < 0) {
            sqlite3_finalize(st);
            return r;
        }
        if (rc != SQLITE_DONE)
            r = pt_sql_err(c->db->db, rc, "read a table", &why);
    }
    sqlite3_finalize(st);
    return r < 0 && !pt_db_forgive(c->db, &why, 0, -1, name, err) ? r : 0;
}

static int64_t time_of(struct pt_db *db, int64_t n, int64_t none)
{
    struct pt_snap snap;
    return pt_db_snap(db, n, &snap, NULL) < 0 || snap.real_us == PT_UNKNOWN ? none : snap.real_us;
}

/* Everything but segments. */
static int copy_rest(struct copy *c, struct pt_err *err)
{
    const struct pt_copy *w = c->what;
    const bool from_start = c->first <= 1, to_end = c->last == INT64_MAX;
    int64_t since = from_start ? INT64_MIN : time_of(c->db, c->first, INT64_MAX);
    int64_t until = to_end ? INT64_MAX : time_of(c->db, c->last, INT64_MIN);
    if (w->since_us != PT_UNKNOWN && w->since_us < since)
        since = w->since_us;
    if (w->until_us != PT_UNKNOWN && w->until_us > until)
        until = w->until_us;
    const int64_t bounds[4] = {c->first, c->last, since, until};
    const int64_t from = c->next > c->first ? c->next : chain_of(c->db, c->first);
    const int64_t frames[4] = {from, c->last, 0, 0};
    int r = each_row(c,
                     "SELECT " PT_SNAP_COLUMNS
                     ", key, crc, data FROM frame WHERE n BETWEEN ?1 AND ?2 ORDER BY n",
                     frames, "table frame", NULL, err);
    for (size_t i = 0; i < sizeof plain_tables / sizeof *plain_tables && r >= 0; i++) {
        const struct plain *p = &plain_tables[i];
        r = each_row(c, p->sql, bounds, p->name, p, err);
    }
    if (r >= 0 && !(from_start && to_end))
        r = pt_sql_exec(c->to->db,
                        "DELETE FROM boot WHERE id NOT IN (SELECT boot FROM segment UNION SELECT "
                        "boot FROM frame UNION SELECT boot FROM damaged WHERE boot NOTNULL)",
                        "leave out other boots", err);
    return r;
}

/* ---- all of it ---- */

/* One segment, or, when there is no further one, the rest. 1: more to come. */
static int copy_some(struct copy *c, struct pt_err *err)
{
    int r = pt_db_enter(c->db, err);
    if (r < 0)
        return r;
    const struct pt_seg *seg = next_segment(c);
    r = pt_store_begin(c->to, err);
    if (r >= 0) {
        r = seg ? copy_segment(c, seg, err) : copy_rest(c, err);
        r = pt_store_end(c->to, r, "copy", err);
    }
    pt_db_leave(c->db);
    return r < 0 ? r : seg != NULL;
}

static int count(struct copy *c, struct pt_copied *ret, struct pt_err *err)
{
    sqlite3 *db = c->to->db;
    int r = pt_sql_int(db, "SELECT (SELECT count(*) FROM sealed) + (SELECT count(*) FROM frame)", 0,
                       &ret->snapshots, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT count(*) FROM segment", 0, &ret->segments, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT count(*) FROM frame", 0, &ret->frames, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT count(*) FROM event", 0, &ret->events, err);
    if (r >= 0)
        r = pt_sql_int(db,
                       "SELECT min(n) FROM (SELECT min(n) AS n FROM sealed UNION ALL SELECT min(n) "
                       "FROM frame)",
                       0, &ret->first, err);
    if (r >= 0)
        r = pt_sql_int(db,
                       "SELECT max(n) FROM (SELECT max(n) AS n FROM sealed UNION ALL SELECT max(n) "
                       "FROM frame)",
                       0, &ret->last, err);
    return r;
}

int pt_db_copy(struct pt_db *db, const struct pt_copy *what, struct pt_store *to,
               struct pt_copied *ret, struct pt_err *err)
{
    struct copy c = {.db = db, .what = what, .to = to};
    struct pt_copied copied = {0};
    int r = find_range(&c, err);
    if (r >= 0)
        r = step(&c, 0, err);
    if (r >= 0)
        while ((r = copy_some(&c, err)) > 0)
            ;
    if (r >= 0 && (c.first > 1 || c.last < INT64_MAX))
        r = pt_store_trim(to, c.first, c.last, err);
    if (r >= 0)
        r = pt_store_vacuum(to, err);
    if (r >= 0)
        r = count(&c, &copied, err);
    if (r >= 0 && copied.snapshots == 0 && c.total > 0)
        r = pt_err_set(err, PT_ENOTFOUND, 0, "", -1, "nothing was recorded in that time");
    if (r >= 0 && pt_db_overtaken(db))
        r = pt_err_set(err, PT_ELOCKED, 0, db->path, -1, "'%s' was written to meanwhile", db->path);
    if (r >= 0)
        *ret = copied;
    return r;
}
