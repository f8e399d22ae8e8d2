/* SPDX-License-Identifier: MIT
 * The reader's way to blocks and frames: which blocks a question needs, a small cache of decoded
 * ones, and the state of the chain that is not sealed yet. */
#include "schema/store_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decoded bytes kept. A view of 300 processes needs some 12 blocks of one segment. */
#define CACHE_MAX (32u << 20)

/* ---- cache ---- */

static struct pt_cached *cache_find(struct pt_db *db, int64_t id)
{
    for (size_t i = 0; i < PT_BLOCKS; i++)
        if (db->blocks[i].id == id && db->blocks[i].block)
            return &db->blocks[i];
    return NULL;
}

static struct pt_cached *cache_oldest(struct pt_db *db, bool in_use)
{
    struct pt_cached *oldest = NULL;
    for (size_t i = 0; i < PT_BLOCKS; i++) {
        struct pt_cached *c = &db->blocks[i];
        if (!c->block && !in_use)
            return c;
        if (c->block && (!oldest || c->used < oldest->used))
            oldest = c;
    }
    return oldest;
}

void pt_db_drop_block(struct pt_db *db, struct pt_cached *c)
{
    db->cached -= c->cost;
    pt_block_free(c->block);
    *c = (struct pt_cached){0};
}

void pt_db_drop_segment(struct pt_db *db, const struct pt_seg *seg)
{
    for (size_t i = 0; i < PT_BLOCKS; i++)
        if (db->blocks[i].block && db->blocks[i].id / PT_BLOCKS_MAX == seg->first)
            pt_db_drop_block(db, &db->blocks[i]);
}

static void cache_add(struct pt_db *db, int64_t id, struct pt_block *b)
{
    const size_t cost = pt_block_bytes(b);
    struct pt_cached *c;
    while (db->cached > 0 && db->cached + cost > CACHE_MAX && (c = cache_oldest(db, true)))
        pt_db_drop_block(db, c);
    c = cache_oldest(db, false);
    if (c->block)
        pt_db_drop_block(db, c);
    *c = (struct pt_cached){.id = id, .block = b, .cost = cost, .used = ++db->clock_hand};
    db->cached += cost;
}

/* ---- blocks ---- */

static const char *const kind_names[] = {"clock", "system", "processes", "names", "deep"};

static void place_of(char *place, size_t size, const struct pt_seg *seg, int64_t id, int64_t kind)
{
    const bool known = kind >= 0 && kind < (int64_t)(sizeof kind_names / sizeof *kind_names);
    snprintf(place, size, "segment %lld block %lld (%s)", (long long)seg->first,
             (long long)(id % PT_BLOCKS_MAX), known ? kind_names[kind] : "?");
}

static bool classes_meet(const char *what, const char *glob)
{
    char class[PT_CLASS_MAX + 1];
    while (*what) {
        const size_t n = strcspn(what, "\n");
        if (n >= sizeof class)
            return true;
        memcpy(class, what, n);
        class[n] = '\0';
        if (pt_globs_meet(class, glob))
            return true;
        what += n + (what[n] == '\n');
    }
    return false;
}

/* Rows of blocks are walked without their blobs, which are a thousand times as long: SQLite copies
 * those of all rows that it passes, while few are asked for, or not in the cache already. */
struct walk {
    struct pt_db *db;
    const struct pt_block_query *q;
    sqlite3_stmt *blob;
    int64_t next;
};

/* The block of a row; it may be any but says itself what it is. */
static int decode(const struct walk *w, int64_t id, struct pt_block **ret, struct pt_err *err)
{
    struct pt_db *db = w->db;
    const struct pt_block_query *q = w->q;
    struct pt_block *b;
    sqlite3_reset(w->blob);
    sqlite3_bind_int64(w->blob, 1, id);
    const int rc = sqlite3_step(w->blob);
    if (rc == SQLITE_DONE) /* it stands where no search by its number finds it */
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "it is out of its place");
    if (rc != SQLITE_ROW)
        return pt_sql_err(db->db, rc, "read a block", err);
    const void *blob = sqlite3_column_blob(w->blob, 0);
    const size_t len = (size_t)sqlite3_column_bytes(w->blob, 0);
    if (!blob && sqlite3_errcode(db->db) != SQLITE_ROW)
        return pt_sql_err(db->db, sqlite3_errcode(db->db), "read a block", err);
    const int r = pt_block_open(blob ? blob : "", len, db->shapes, &b, err);
    if (r < 0)
        return r;
    if (!pt_seg_has(q->seg, b) || pt_block_kind(b) == PT_BLOCK_CLOCK) {
        pt_block_free(b);
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "it is a block of another place");
    }
    *ret = b;
    return 0;
}

static int use_block(const struct walk *w, int64_t id, int64_t kind, struct pt_err *err)
{
    struct pt_db *db = w->db;
    const struct pt_block_query *q = w->q;
    struct pt_cached *c = cache_find(db, id);
    struct pt_block *b = c ? c->block : NULL;
    struct pt_err why = {0};
    if (c)
        c->used = ++db->clock_hand;
    if (!b && decode(w, id, &b, &why) < 0) {
        char place[64];
        place_of(place, sizeof place, q->seg, id, kind);
        if (!pt_db_forgive(db, &why, q->seg->first, q->seg->last, place, err))
            return -(int)why.code;
        if (q->lost)
            ++*q->lost;
        return 0;
    }
    const int r = q->groups & PT_GROUP(pt_block_kind(b)) ? q->fn(q->ctx, b, err) : 0;
    if (!c && q->keep)
        cache_add(db, id, b);
    else if (!c)
        pt_block_free(b);
    return r;
}

static void missing(struct pt_db *db, const struct pt_block_query *q, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        char place[64];
        place_of(place, sizeof place, q->seg, i, -1);
        pt_db_tell(db, q->seg->first, q->seg->last, "it is missing", "%s", place);
        if (q->lost)
            ++*q->lost;
    }
}

static int on_row(struct walk *w, sqlite3_stmt *st, struct pt_err *err)
{
    struct pt_db *db = w->db;
    const struct pt_block_query *q = w->q;
    struct pt_val v[3];
    const bool good = pt_row_get(st, PT_T_BLOCK, v, 3);
    const int64_t id = v[0].i, at = id % PT_BLOCKS_MAX;
    if (at >= q->seg->blocks)
        return 0;
    missing(db, q, w->next, at);
    w->next = at + 1;
    if (!good) /* what it is for is not known: look into it */
        pt_db_tell(db, q->seg->first, q->seg->last, "wrong checksum",
                   "row of block %lld of segment %lld", (long long)at, (long long)q->seg->first);
    else if (v[1].i < 0 || v[1].i > 31 || !(q->groups & PT_GROUP(v[1].i)))
        return 0;
    else if (q->glob && v[2].type == PT_VAL_TEXT && !classes_meet(v[2].text, q->glob))
        return 0;
    return use_block(w, id, good ? v[1].i : -1, err);
}

int pt_db_blocks(struct pt_db *db, const struct pt_block_query *q, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct walk w = {.db = db, .q = q, .next = 1};
    struct pt_err why = {0};
    int r = pt_sql_prepare(
        db->db, &st, "SELECT id, kind, what, crc FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        err);
    if (r >= 0)
        r = pt_sql_prepare(db->db, &w.blob, "SELECT data FROM block WHERE id = ?1", err);
    if (r < 0) {
        sqlite3_finalize(st);
        return r;
    }
    sqlite3_bind_int64(st, 1, q->seg->first * PT_BLOCKS_MAX + 1);
    sqlite3_bind_int64(st, 2, q->seg->first * PT_BLOCKS_MAX + PT_BLOCKS_MAX - 1);
    int rc = SQLITE_DONE;
    while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        r = on_row(&w, st, err);
    if (r >= 0 && rc != SQLITE_DONE) {
        char place[64];
        snprintf(place, sizeof place, "blocks of segment %lld", (long long)q->seg->first);
        pt_sql_err(db->db, rc, "read a block", &why);
        r = pt_db_forgive(db, &why, q->seg->first, q->seg->last, place, err) ? 0 : -(int)why.code;
    }
    sqlite3_finalize(st);
    sqlite3_finalize(w.blob);
    if (r >= 0)
        missing(db, q, w.next, q->seg->blocks);
    return r;
}

/* ---- frames ---- */

int pt_db_frame_blob(struct pt_db *db, int64_t n, void **ret, size_t *ret_len, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(db->db, &st, "SELECT data FROM frame WHERE n = ?1", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, n);
    const int rc = sqlite3_step(st);
    const void *blob = rc == SQLITE_ROW ? sqlite3_column_blob(st, 0) : NULL;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        r = pt_sql_err(db->db, rc, "read a frame", err);
    } else if (!blob) {
        r = pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "frame %lld is missing", (long long)n);
    } else {
        *ret_len = (size_t)sqlite3_column_bytes(st, 0);
        *ret = malloc(*ret_len + 1);
        if (*ret)
            memcpy(*ret, blob, *ret_len);
        else
            r = pt_err_nomem(err);
    }
    sqlite3_finalize(st);
    return r;
}

static int apply(struct pt_db *db, int64_t n, struct pt_err *err)
{
    void *blob;
    size_t len;
    struct pt_frame *f;
    int r = pt_db_frame_blob(db, n, &blob, &len, err);
    if (r < 0)
        return r;
    r = pt_frame_open(blob, len, &f, err);
    free(blob);
    if (r < 0)
        return r;
    const struct pt_snap *snap = pt_frame_snap(f);
    if (snap->n != n)
        r = pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "it is the frame of snapshot %lld",
                       (long long)snap->n);
    else
        r = pt_chain_apply(db->chain, f, err);
    if (r >= 0)
        db->chain_snap = *snap;
    pt_frame_free(f);
    return r;
}

/* Where the chain of frame i begins; nframes: nowhere. */
static size_t chain_start(const struct pt_db *db, size_t i)
{
    for (; i < db->nframes; i--)
        if (db->frames[i].key)
            return i;
    return db->nframes;
}

int pt_db_chain(struct pt_db *db, int64_t n, struct pt_chain **ret, struct pt_snap *ret_snap,
                struct pt_err *err)
{
    const size_t last = pt_db_frame_lower(db, n);
    size_t i = chain_start(db, last);
    int r = 0;
    if (i >= db->nframes || db->frames[last].n != n)
        return pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "the key frame of frame %lld is missing",
                          (long long)n);
    if (db->chain && db->chain_key == db->frames[i].n && db->chain_n < n) {
        i = pt_db_frame_lower(db, db->chain_n + 1);
    } else if (!db->chain || db->chain_key != db->frames[i].n || db->chain_n != n) {
        pt_chain_free(db->chain);
        db->chain = pt_chain_new(db->shapes);
        db->chain_key = db->frames[i].n;
        db->chain_n = 0;
    }
    if (!db->chain)
        return pt_err_nomem(err);
    for (; i <= last && db->chain_n < n; i++) {
        struct pt_err why = {0};
        const int64_t at = db->frames[i].n;
        char place[64];
        snprintf(place, sizeof place, "frame %lld", (long long)at);
        r = apply(db, at, &why);
        if (r >= 0) {
            db->chain_n = at;
            continue;
        }
        if (!pt_db_forgive(db, &why, at, at, place, err))
            return r;
        if (at == n || at == db->chain_key)
            return pt_err_set(err, PT_EDAMAGED, 0, place, n, "snapshot %lld is lost: %s",
                              (long long)n, why.text);
    }
    *ret = db->chain;
    *ret_snap = db->chain_snap;
    return 0;
}
