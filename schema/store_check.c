/* SPDX-License-Identifier: MIT
 * Deep verification: SQLite's own check, every row's checksum and agreement with the blobs, every
 * blob decoded, every series walked, the first and the last text of every source of a block
 * rendered. */
#include "schema/store_db.h"

#include <stdio.h>
#include <string.h>

struct check {
    struct pt_db *db;
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *ctx;
    int64_t done, total;
    struct pt_buf text;
};

static void advance(struct check *c, int64_t snapshots)
{
    c->done += snapshots;
    if (c->progress)
        c->progress(c->ctx, c->done, c->total);
}

static int check_sqlite(struct check *c, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int n = 0;
    int r = pt_sql_prepare(c->db->db, &st, "PRAGMA integrity_check(50)", err);
    if (r < 0)
        return r;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        if (!text || strcmp(text, "ok") != 0)
            pt_db_tell(c->db, 0, -1, text ? text : "?", "database file (%d)", ++n);
    }
    if (rc != SQLITE_DONE) {
        struct pt_err why = {0};
        pt_sql_err(c->db->db, rc, "check the file", &why);
        r = pt_db_forgive(c->db, &why, 0, -1, "database file", err) ? 0 : -(int)why.code;
    }
    sqlite3_finalize(st);
    return r;
}

/* ---- rows against clocks ---- */

static bool same_row(const struct pt_val *a, const struct pt_val *b)
{
    for (size_t i = 0; i < PT_SNAP_NCOLUMNS; i++)
        if (a[i].type != b[i].type || (a[i].type == PT_VAL_INT && a[i].i != b[i].i))
            return false;
    return true;
}

static void check_row(struct check *c, const struct pt_val *v, bool good)
{
    struct pt_val want[PT_SNAP_NCOLUMNS];
    const struct pt_clock *clock;
    const struct pt_seg *seg = pt_db_seg_of(c->db, v[0].i);
    uint32_t tick;
    const char *what = NULL;
    if (!good)
        what = "wrong checksum";
    else if (!seg || pt_db_clock(c->db, seg, &clock, NULL) < 0 ||
             pt_clock_tick(clock, v[0].i, &tick) < 0)
        what = "no segment holds it";
    else if (pt_snap_to_row(&clock->snaps[tick], want),
             !same_row(v, want) && clock->snaps[tick].mono_us != PT_UNKNOWN)
        what = "it is not what its segment says";
    if (what)
        pt_db_tell(c->db, v[0].i, v[0].i, what, "row of snapshot %lld", (long long)v[0].i);
}

static int check_sealed(struct check *c, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int64_t rows = 0, want = 0;
    int r = pt_sql_prepare(c->db->db, &st, "SELECT " PT_SNAP_COLUMNS ", crc FROM sealed ORDER BY n",
                           err);
    if (r < 0)
        return r;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct pt_val v[PT_SNAP_NCOLUMNS];
        const bool good = pt_row_get(st, PT_T_SEALED, v, PT_SNAP_NCOLUMNS);
        check_row(c, v, good);
        rows++;
    }
    if (rc != SQLITE_DONE) {
        struct pt_err why = {0};
        pt_sql_err(c->db->db, rc, "read the sealed snapshots", &why);
        r = pt_db_forgive(c->db, &why, 0, -1, "table sealed", err) ? 0 : -(int)why.code;
    }
    sqlite3_finalize(st);
    for (size_t i = 0; i < c->db->nsegs; i++)
        want += c->db->segs[i].count;
    if (r >= 0 && rows != want)
        pt_db_tell(c->db, 0, -1, rows < want ? "rows are missing" : "rows of no segment",
                   "table sealed");
    return r;
}

/* ---- blocks ---- */

static int render(struct check *c, const struct pt_reading *reading, struct pt_err *err)
{
    pt_buf_reset(&c->text);
    return pt_reading_text(c->db->shapes, reading, &c->text, err);
}

static int check_tick(struct check *c, const struct pt_block *b, uint32_t source, uint32_t tick,
                      struct pt_err *why)
{
    struct pt_source_at at;
    int r = pt_block_at(b, source, tick, NULL, &at, why);
    if (r >= 0 && at.reading) {
        r = render(c, at.reading, why);
        pt_reading_unref(c->db->shapes, at.reading);
    }
    return r;
}

static int check_block(void *ctx, const struct pt_block *b, struct pt_err *err)
{
    static const struct pt_series_ops nothing = {0};
    struct check *c = ctx;
    const uint32_t nticks = pt_block_ticks(b), count = pt_block_sources(b);
    for (uint32_t i = 0; i < count; i++) {
        struct pt_err why = {0};
        int r = pt_block_series(b, i, &nothing, NULL, &why);
        if (r >= 0)
            r = check_tick(c, b, i, 0, &why);
        if (r >= 0)
            r = check_tick(c, b, i, nticks - 1, &why);
        if (r < 0 && !pt_db_forgive(c->db, &why, pt_block_first(b), pt_block_n(b, nticks - 1),
                                    pt_block_name(b, i), err))
            return r;
    }
    return 0;
}

static int check_segments(struct check *c, struct pt_err *err)
{
    int r = 0;
    for (size_t i = 0; i < c->db->nsegs && r >= 0; i++) {
        const struct pt_seg *seg = &c->db->segs[i];
        const struct pt_clock *clock;
        const struct pt_block_query q = {
            .seg = seg, .groups = PT_GROUP_ALL, .fn = check_block, .ctx = c};
        r = pt_db_clock(c->db, seg, &clock, err);
        if (r >= 0 && clock->count != seg->count)
            pt_db_tell(c->db, seg->first, seg->last,
                       "it has another number of snapshots than its row says", "segment %lld",
                       (long long)seg->first);
        if (r >= 0)
            r = pt_db_blocks(c->db, &q, err);
        advance(c, seg->count);
    }
    return r;
}

/* ---- frames ---- */

static int check_frames(struct check *c, struct pt_err *err)
{
    struct pt_db *db = c->db;
    for (size_t i = 0; i < db->nframes; i++) {
        const int64_t n = db->frames[i].n;
        struct pt_err why = {0};
        struct pt_chain *chain;
        struct pt_snap snap;
        char place[48];
        snprintf(place, sizeof place, "frame %lld", (long long)n);
        int r = pt_db_chain(db, n, &chain, &snap, &why);
        const uint32_t count = r < 0 ? 0 : pt_chain_count(chain);
        for (uint32_t k = 0; k < count && r >= 0; k++) {
            const struct pt_source_at *at = pt_chain_get(chain, k);
            if (at->presence == PT_READ && at->reading)
                r = render(c, at->reading, &why);
        }
        if (r < 0 && !pt_db_forgive(db, &why, n, n, place, err))
            return r;
        advance(c, 1);
    }
    return 0;
}

static int check_aside(struct check *c, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(c->db->db, &st,
                           "SELECT " PT_SNAP_COLUMNS ", why, crc FROM damaged ORDER BY n", err);
    if (r < 0)
        return r;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct pt_val v[PT_SNAP_NCOLUMNS + 1];
        const bool good = pt_row_get(st, PT_T_DAMAGED, v, PT_SNAP_NCOLUMNS + 1);
        const struct pt_val *why = &v[PT_SNAP_NCOLUMNS];
        pt_db_tell(c->db, v[0].i, v[0].i,
                   good && why->type == PT_VAL_TEXT ? why->text : "wrong checksum",
                   "frame %lld, set aside", (long long)v[0].i);
    }
    if (rc != SQLITE_DONE) {
        struct pt_err why = {0};
        pt_sql_err(c->db->db, rc, "read the table of damaged frames", &why);
        r = pt_db_forgive(c->db, &why, 0, -1, "table damaged", err) ? 0 : -(int)why.code;
    }
    sqlite3_finalize(st);
    return r;
}

static void check_wal(struct check *c)
{
    char text[96];
    if (c->db->behind == 0)
        return;
    snprintf(text, sizeof text, "%lld transactions behind a damaged place are not read",
             (long long)c->db->behind);
    pt_db_tell(c->db, 0, -1, text, "the -wal");
}

static int no_event(void *ctx, const struct pt_db_event *e)
{
    (void)ctx, (void)e;
    return 0;
}

int pt_db_check(struct pt_db *db, void (*progress)(void *ctx, int64_t done, int64_t total),
                void *ctx, struct pt_err *err)
{
    struct check c = {.db = db, .progress = progress, .ctx = ctx};
    struct pt_db_span span;
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    pt_buf_init(&c.text, PT_TEXT_MAX);
    r = pt_db_span(db, &span, err);
    if (r >= 0) {
        c.total = span.count;
        advance(&c, 0);
        check_wal(&c);
        r = check_sqlite(&c, err);
    }
    if (r >= 0)
        r = check_sealed(&c, err);
    if (r >= 0)
        r = check_segments(&c, err);
    if (r >= 0)
        r = check_frames(&c, err);
    if (r >= 0)
        r = check_aside(&c, err);
    if (r >= 0)
        r = pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, no_event, NULL, err);
    pt_buf_release(&c.text);
    pt_db_leave(db);
    return r < 0 ? r : pt_db_damaged(db) > 0;
}
