/* SPDX-License-Identifier: MIT
 * Takes in what pages hold: rows that follow from nothing else go straight into the new database,
 * all others and the places of blobs into temporary tables.
 *
 * A row says that it was written once, not that it was not deleted since. Deleted ones (not live)
 * are only used for what is missing otherwise. */
#include "schema/store_catalog.h"

#include "schema/frame_blob.h"
#include "schema/frame_int.h"

#define FRAME_KIND (-1)
#define BLOB_MAX   (PT_BLOCK_RAW_LIMIT)
#define LOCATION   "place, at, ending, overflow, view, len"

static const char tables[] =
    "PRAGMA temp_store=FILE;"
    "CREATE TEMP TABLE seg(first, last, count, boot, min_ms, max_ms, blocks, bytes, live, "
    "PRIMARY KEY(first, last, count, blocks)) WITHOUT ROWID;"
    "CREATE TEMP TABLE brow(id, kind, what, live, PRIMARY KEY(id, kind, what)) WITHOUT ROWID;"
    "CREATE TEMP TABLE blob(kind, n, crc, len, hash, ticks, last, key_n, at_place, ends, what, "
    "live, "
    "place, at, ending, overflow, view, PRIMARY KEY(kind, n, crc, len)) WITHOUT ROWID;"
    "CREATE INDEX temp.blob_crc ON blob(crc, len);"
    "CREATE TEMP TABLE head(n INTEGER PRIMARY KEY, time_ms, boot, trigger, mem_available_kb, "
    "swap_used_kb, psi_some_us, psi_full_us, processes, cost_us, crc);"
    "CREATE TEMP TABLE spare(id INTEGER PRIMARY KEY, time_us, kind, n, subject, text, crc)";

static const char *const statements[] = {
    [PT_C_SEG] = "INSERT INTO temp.seg VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT DO UPDATE "
                 "SET live = max(live, excluded.live)",
    [PT_C_BROW] = "INSERT INTO temp.brow VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET live = "
                  "max(live, excluded.live)",
    [PT_C_BLOB] = "INSERT OR IGNORE INTO temp.blob VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
                  "?13,?14,?15,?16,?17)",
    [PT_C_BLOB_LIVE] = "UPDATE temp.blob SET live = 1 WHERE crc = ?1 AND len = ?2",
    [PT_C_SEEN] = "SELECT live FROM temp.blob WHERE crc = ?1 AND len = ?2",
    [PT_C_HEAD] = "INSERT OR IGNORE INTO temp.head VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [PT_C_ASIDE] = "INSERT OR IGNORE INTO damaged(" PT_SNAP_COLUMNS
                   ", why, crc) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    [PT_C_BOOT] = "INSERT OR IGNORE INTO boot VALUES(?1,?2,?3,?4)",
    [PT_C_META] = "INSERT OR IGNORE INTO meta VALUES(?1,?2,?3)",
    [PT_C_META_NEW] = "INSERT OR REPLACE INTO meta VALUES(?1,?2,?3)",
    [PT_C_EVENT] = "INSERT OR IGNORE INTO event VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [PT_C_SPARE] = "INSERT OR IGNORE INTO temp.spare VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [PT_C_THINNED] = "INSERT OR IGNORE INTO thinned VALUES(?1,?2,?3,?4,?5)",
    [PT_C_GROUPS] = "SELECT n, hash, max(last), max(ticks), count(DISTINCT at_place), sum(kind = "
                    "0), max(live), max(at_place), max(ends) FROM temp.blob WHERE kind >= 0 GROUP "
                    "BY n, hash",
    [PT_C_EXPECTED] = "SELECT blocks, live FROM temp.seg WHERE first = ?1 AND last = ?2 AND count "
                      "= ?3 ORDER BY live DESC, blocks DESC LIMIT 1",
    [PT_C_DROPPED] = "SELECT 1 FROM thinned WHERE kept = 0 AND first <= ?1 AND last >= ?2 LIMIT 1",
    [PT_C_BLOCKS] = "SELECT kind, what, " LOCATION ", at_place FROM temp.blob WHERE kind >= 0 AND "
                    "n = ?1 AND hash = ?2 ORDER BY at_place, live DESC",
    [PT_C_WHAT] = "SELECT kind, what FROM temp.brow WHERE id = ?1 ORDER BY live DESC LIMIT 1",
    [PT_C_HEAD_OF] = "SELECT " PT_SNAP_COLUMNS ", crc FROM temp.head WHERE n = ?1",
    [PT_C_FRAMES] =
        "SELECT n, key_n, " LOCATION " FROM temp.blob WHERE kind = -1 ORDER BY n, live DESC",
    [PT_C_BOOT_OF] = "SELECT id FROM boot WHERE id = ?1",
};

int pt_catalog_stmt(struct pt_catalog *c, enum pt_catalog_stmt id, sqlite3_stmt **ret,
                    struct pt_err *err)
{
    const int r = pt_sql_prepare(c->to->db, &c->st[id], statements[id], err);
    *ret = c->st[id];
    return r;
}

int pt_catalog_init(struct pt_catalog *c, struct pt_store *to, struct pt_pages *pages,
                    struct pt_err *err)
{
    c->to = to;
    c->pages = pages;
    pt_buf_init(&c->blob, BLOB_MAX);
    pt_buf_init(&c->what, 2 * PT_WHAT_MAX);
    return pt_sql_exec(to->db, tables, "make temporary tables", err);
}

void pt_catalog_release(struct pt_catalog *c)
{
    for (size_t i = 0; i < PT_C_COUNT; i++)
        sqlite3_finalize(c->st[i]);
    pt_buf_release(&c->blob);
    pt_buf_release(&c->what);
}

/* ---- rows ---- */

static int put_row(struct pt_catalog *c, enum pt_catalog_stmt id, const struct pt_sift_row *row,
                   bool with_live, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, id, &st, err);
    if (r < 0)
        return r;
    pt_row_bind(st, row->table, row->v, row->n);
    if (with_live) /* in the checksum's place */
        sqlite3_bind_int(st, (int)row->n + 1, row->live);
    return pt_store_step(c->to, st, "note a row", err);
}

static int on_row(void *ctx, const struct pt_sift_row *row, struct pt_err *err)
{
    struct pt_catalog *c = ctx;
    switch (row->table) {
    case PT_T_META:
        return put_row(c, row->live ? PT_C_META_NEW : PT_C_META, row, false, err);
    case PT_T_BOOT:
        return put_row(c, PT_C_BOOT, row, false, err);
    case PT_T_SEALED:
        return put_row(c, PT_C_HEAD, row, false, err);
    case PT_T_SEGMENT:
        return put_row(c, PT_C_SEG, row, true, err);
    case PT_T_BLOCK:
        return put_row(c, PT_C_BROW, row, true, err);
    case PT_T_DAMAGED:
        return row->live ? put_row(c, PT_C_ASIDE, row, false, err) : 0;
    case PT_T_EVENT:
        return put_row(c, row->live ? PT_C_EVENT : PT_C_SPARE, row, false, err);
    case PT_T_THINNED:
        return row->live ? put_row(c, PT_C_THINNED, row, false, err) : 0;
    case PT_T_FRAME: /* its frame says the same */
        if (row->v[0].i > c->newest)
            c->newest = row->v[0].i;
        break;
    case PT_T_COUNT:
        break;
    }
    return 0;
}

/* ---- blobs ---- */

/* What is said of a blob, for PT_C_BLOB. */
struct said {
    int64_t kind, n, hash, ticks, last, key_n, place, ends;
    const char *what;
};

static int put_blob(struct pt_catalog *c, const struct said *said, const struct pt_sift_blob *b,
                    uint32_t crc, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, PT_C_BLOB, &st, err);
    if (r < 0)
        return r;
    const int64_t numbers[] = {said->kind,  said->n,    crc,         (int64_t)b->len, said->hash,
                               said->ticks, said->last, said->key_n, said->place,     said->ends};
    const int64_t location[] = {b->live,   b->at.place,    b->at.at,
                                b->at.end, b->at.overflow, b->at.view};
    for (int i = 0; i < 10; i++)
        sqlite3_bind_int64(st, i + 1, numbers[i]);
    sqlite3_bind_text(st, 11, said->what, -1, SQLITE_STATIC);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(st, i + 12, location[i]);
    return pt_store_step(c->to, st, "note a blob", err);
}

static int64_t ticks_hash(const struct pt_block *b, int64_t *ret_last)
{
    uint64_t hash = 0;
    const uint32_t count = pt_block_ticks(b);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t pair[2] = {hash, (uint64_t)pt_block_n(b, i)};
        hash = pt_hash(pair, sizeof pair);
    }
    *ret_last = pt_block_n(b, count - 1);
    return (int64_t)hash;
}

static int put_block(struct pt_catalog *c, const struct pt_sift_blob *blob, uint32_t crc,
                     struct pt_err *err)
{
    struct said said = {0};
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_block *b;
    if (!shapes)
        return pt_err_nomem(err);
    int r = 0;
    if (pt_block_open(blob->bytes, blob->len, shapes, &b, NULL) >= 0) {
        bool ends;
        said.kind = (int64_t)pt_block_kind(b);
        said.n = pt_block_first(b);
        said.ticks = pt_block_ticks(b);
        said.hash = ticks_hash(b, &said.last);
        said.place = pt_blob_place(blob->bytes, &ends);
        said.ends = ends;
        pt_buf_reset(&c->what);
        pt_block_what(b, &c->what);
        said.what = (const char *)c->what.data;
        if (said.n > 0 && said.n < INT64_MAX / PT_BLOCKS_MAX)
            r = c->what.failed ? pt_err_nomem(err) : put_blob(c, &said, blob, crc, err);
        pt_block_free(b);
    }
    pt_shapes_free(shapes);
    return r;
}

static int put_frame(struct pt_catalog *c, const struct pt_sift_blob *blob, uint32_t crc,
                     struct pt_err *err)
{
    struct pt_frame *f;
    if (pt_frame_open(blob->bytes, blob->len, &f, NULL) < 0)
        return 0;
    const struct said said = {.kind = FRAME_KIND,
                              .n = f->snap.n,
                              .ticks = 1,
                              .last = f->snap.n,
                              .key_n = f->key ? f->snap.n : f->key_n,
                              .what = ""};
    pt_frame_free(f);
    return said.n > 0 ? put_blob(c, &said, blob, crc, err) : 0;
}

static int on_blob(void *ctx, const struct pt_sift_blob *b, struct pt_err *err)
{
    struct pt_catalog *c = ctx;
    const uint32_t crc = pt_crc32c(0, b->bytes, b->len);
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, PT_C_SEEN, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, crc);
    sqlite3_bind_int64(st, 2, (int64_t)b->len);
    r = pt_store_step(c->to, st, "look for a blob", err);
    if (r < 0)
        return r;
    const bool seen = r > 0, was_live = seen && sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    if (!seen)
        return b->frame ? put_frame(c, b, crc, err) : put_block(c, b, crc, err);
    if (was_live || !b->live)
        return 0;
    r = pt_catalog_stmt(c, PT_C_BLOB_LIVE, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, crc);
    sqlite3_bind_int64(st, 2, (int64_t)b->len);
    return pt_store_step(c->to, st, "note a blob", err);
}

int pt_catalog_blob(struct pt_catalog *c, sqlite3_stmt *st, struct pt_err *err)
{
    struct pt_run run = {.place = (uint32_t)sqlite3_column_int64(st, 2),
                         .at = (uint32_t)sqlite3_column_int64(st, 3),
                         .end = (uint32_t)sqlite3_column_int64(st, 4),
                         .overflow = sqlite3_column_int(st, 5),
                         .view = (enum pt_page_view)sqlite3_column_int(st, 6)};
    const size_t len = (size_t)sqlite3_column_int64(st, 7);
    pt_buf_reset(&c->blob);
    if (!pt_run_read(c->pages, &run, len, &c->blob))
        return pt_err_set(err, PT_EIO, 0, "", -1, "the file changed while it was read");
    return 0;
}

/* ---- all pages ---- */

int pt_catalog_fill(struct pt_catalog *c, int (*progress)(void *ctx, int64_t done, int64_t total),
                    void *ctx, struct pt_err *err)
{
    const struct pt_sift_ops ops = {.row = on_row, .blob = on_blob, .bad = c->bad, .ctx = c};
    struct pt_sift *s = pt_sift_new(c->pages, &ops);
    const uint32_t places = pt_pages_places(c->pages);
    int r = s ? 0 : pt_err_nomem(err);
    for (uint32_t place = 1; place <= places && r >= 0; place++) {
        r = pt_sift_page(s, place, err);
        if (r >= 0 && progress && place % 1024 == 0 && progress(ctx, place, places) < 0)
            r = pt_err_set(err, PT_EUSAGE, 0, "", -1, "interrupted");
    }
    pt_sift_free(s);
    return r;
}
