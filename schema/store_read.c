/* SPDX-License-Identifier: MIT
 * The reader's lists and clocks: meta, boots, segments and frames in memory (40 bytes each),
 * snapshots by number and by time, the cursor, events, damage. What sources said is in
 * store_view.c.
 *
 * Snapshots of segments are read from their clock blocks; the rows of `sealed` stand in where a
 * clock block is damaged. */
#include "schema/array.h"
#include "schema/store_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- damage ---- */

static void tell(struct pt_db *db, struct pt_place *p)
{
    if (!db->on_damage || p->told)
        return;
    p->told = true;
    db->on_damage(db->damage_ctx, p->place, p->n1, p->n2, p->what);
}

void pt_db_on_damage(struct pt_db *db, pt_damage_fn *fn, void *ctx)
{
    db->on_damage = fn;
    db->damage_ctx = ctx;
    for (uint32_t i = 0; i < db->nplaces; i++)
        tell(db, &db->places[i]);
}

uint32_t pt_db_damaged(const struct pt_db *db)
{
    return db->nplaces;
}

void pt_db_tell(struct pt_db *db, int64_t n1, int64_t n2, const char *what, const char *place, ...)
{
    char text[128];
    va_list ap;
    va_start(ap, place);
    vsnprintf(text, sizeof text, place, ap);
    va_end(ap);
    const uint64_t hash = pt_hash(text, strlen(text));
    for (uint32_t i = 0; i < db->nplaces; i++)
        if (db->places[i].hash == hash && strcmp(db->places[i].place, text) == 0)
            return;
    struct pt_place *places =
        pt_array_room(db->places, db->nplaces, &db->places_cap, sizeof *places);
    if (!places)
        return;
    db->places = places;
    struct pt_place *p = &db->places[db->nplaces];
    *p = (struct pt_place){
        .place = strdup(text), .what = strdup(what), .hash = hash, .n1 = n1, .n2 = n2};
    if (!p->place || !p->what) {
        free(p->place);
        free(p->what);
        return;
    }
    db->nplaces++;
    tell(db, p);
}

bool pt_db_forgive(struct pt_db *db, const struct pt_err *why, int64_t n1, int64_t n2,
                   const char *place, struct pt_err *err)
{
    if (why->code == PT_EDAMAGED || why->code == PT_EFORMAT || why->code == PT_ENEWER) {
        pt_db_tell(db, n1, n2, why->text, "%s", place);
        return true;
    }
    if (err && err->code == PT_OK)
        *err = *why;
    return false;
}

/* ---- meta, boots ---- */

static void set_meta(struct pt_meta *meta, const struct pt_meta_field *f, const struct pt_val *v)
{
    char *at = (char *)meta + f->offset;
    if (f->is_text && v->type == PT_VAL_TEXT) {
        const size_t n = v->len < f->size ? v->len : f->size - 1;
        memcpy(at, v->text, n);
        at[n] = '\0';
    } else if (!f->is_text && v->type == PT_VAL_INT) {
        memcpy(at, &v->i, sizeof v->i);
    }
}

static int each_row(struct pt_db *db, const char *sql, int64_t a, int64_t b,
                    int (*fn)(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err),
                    void *ctx, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(db->db, &st, sql, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, a);
    sqlite3_bind_int64(st, 2, b);
    int rc = SQLITE_DONE;
    while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        r = fn(db, st, ctx, err);
    if (r >= 0 && rc != SQLITE_DONE)
        r = pt_sql_err(db->db, rc, "read a table", err);
    sqlite3_finalize(st);
    return r;
}

static int load_meta_row(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err)
{
    struct pt_val v[2];
    (void)ctx, (void)err;
    const bool good = pt_row_get(st, PT_T_META, v, 2);
    if (v[0].type != PT_VAL_TEXT || !good) {
        pt_db_tell(db, 0, -1, "wrong checksum", "meta '%.40s'",
                   v[0].type == PT_VAL_TEXT ? v[0].text : "?");
        return 0;
    }
    for (size_t i = 0; i < pt_meta_field_count; i++)
        if (strcmp(pt_meta_fields[i].key, v[0].text) == 0)
            set_meta(&db->meta, &pt_meta_fields[i], &v[1]);
    return 0;
}

static struct pt_boot *boot_of(struct pt_db *db, uint32_t id)
{
    for (uint32_t i = 0; i < db->nboots; i++)
        if (db->boots[i].id == id)
            return &db->boots[i];
    struct pt_boot *boots = realloc(db->boots, (db->nboots + 1) * sizeof *boots);
    if (!boots)
        return NULL;
    db->boots = boots;
    boots[db->nboots] = (struct pt_boot){
        .id = id, .btime_us = PT_UNKNOWN, .first_us = PT_UNKNOWN, .last_us = PT_UNKNOWN};
    return &boots[db->nboots++];
}

static int load_boot_row(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err)
{
    struct pt_val v[3];
    (void)ctx;
    if (!pt_row_get(st, PT_T_BOOT, v, 3)) {
        pt_db_tell(db, 0, -1, "wrong checksum", "boot %lld", (long long)pt_val_num(&v[0]));
        return 0;
    }
    struct pt_boot *boot = boot_of(db, (uint32_t)v[0].i);
    if (!boot)
        return pt_err_nomem(err);
    snprintf(boot->boot_id, sizeof boot->boot_id, "%s", v[1].type == PT_VAL_TEXT ? v[1].text : "");
    boot->btime_us = pt_val_num(&v[2]);
    return 0;
}

/* ---- the lists of segments and frames ---- */

static int room(void *array, size_t *cap, size_t need, size_t size, struct pt_err *err)
{
    void **p = array;
    if (need <= *cap)
        return 0;
    const size_t n = *cap ? *cap * 2 : 64;
    void *v = realloc(*p, n * size);
    if (!v)
        return pt_err_nomem(err);
    *p = v;
    *cap = n;
    return 0;
}

static bool seg_plausible(const struct pt_seg *seg)
{
    return seg->first > 0 && seg->last >= seg->first && seg->first < INT64_MAX / PT_BLOCKS_MAX &&
           seg->last < INT64_MAX && seg->count > 0 && seg->count <= PT_TICKS_MAX &&
           seg->count <= seg->last - seg->first + 1 && seg->min_ms <= seg->max_ms &&
           seg->blocks > 0 && seg->blocks <= PT_BLOCKS_MAX && seg->bytes >= 0 &&
           seg->bytes <= PT_BLOCKS_MAX * (int64_t)PT_BLOCK_RAW_LIMIT;
}

static int add_seg(struct pt_db *db, const struct pt_seg *seg, struct pt_err *err)
{
    const int r = room(&db->segs, &db->segs_cap, db->nsegs + 1, sizeof *db->segs, err);
    if (r < 0)
        return r;
    size_t at = db->nsegs++;
    for (; at > 0 && db->segs[at - 1].first > seg->first; at--)
        db->segs[at] = db->segs[at - 1];
    db->segs[at] = *seg;
    return 0;
}

static int load_seg_row(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err)
{
    struct pt_val v[8];
    bool *ret_bad = ctx;
    const bool good = pt_row_get(st, PT_T_SEGMENT, v, 8);
    const struct pt_seg seg = {v[0].i, v[1].i, v[2].i, v[3].i, v[4].i, v[5].i, v[6].i, v[7].i};
    const struct pt_seg *before = db->nsegs ? &db->segs[db->nsegs - 1] : NULL;
    if (good && seg_plausible(&seg) && (!before || before->last < seg.first))
        return add_seg(db, &seg, err);
    *ret_bad = true;
    pt_db_tell(db, v[0].i, v[1].i, "wrong checksum", "row of segment %lld", (long long)v[0].i);
    return 0;
}

/* A segment whose row is damaged, from its clock block: which snapshots, when, how many blocks. */
static int recover_seg(struct pt_db *db, int64_t first, int64_t blocks, struct pt_err *err)
{
    struct pt_seg seg = {.first = first, .last = first, .blocks = blocks};
    const struct pt_clock *clock;
    for (size_t i = 0; i < db->nsegs; i++)
        if (first >= db->segs[i].first && first <= db->segs[i].last)
            return 0;
    struct pt_err why = {0};
    if (pt_db_clock(db, &seg, &clock, &why) < 0)
        return pt_db_forgive(db, &why, first, first, "segment without a clock", err)
                   ? 0
                   : -(int)why.code;
    seg.count = clock->count;
    seg.last = clock->snaps[clock->count - 1].n;
    seg.boot = clock->snaps[0].boot;
    for (uint32_t i = 0; i < clock->count; i++) {
        const int64_t ms = clock->snaps[i].real_us / 1000;
        if (i == 0 || ms < seg.min_ms)
            seg.min_ms = ms;
        if (i == 0 || ms > seg.max_ms)
            seg.max_ms = ms;
    }
    return seg_plausible(&seg) ? add_seg(db, &seg, err) : 0;
}

static int recover_row(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err)
{
    (void)ctx;
    const int64_t first = sqlite3_column_int64(st, 0);
    return first > 0 ? recover_seg(db, first, sqlite3_column_int64(st, 1) + 1, err) : 0;
}

static int load_segs(struct pt_db *db, struct pt_err *err)
{
    bool bad = false;
    struct pt_err why = {0};
    db->nsegs = 0;
    int r = each_row(db,
                     "SELECT first, last, count, boot, min_ms, max_ms, blocks, bytes, crc FROM "
                     "segment ORDER BY first",
                     0, 0, load_seg_row, &bad, &why);
    if (r < 0) {
        if (!pt_db_forgive(db, &why, 0, -1, "table segment", err))
            return r;
        bad = true;
    }
    if (!bad)
        return 0;
    why = (struct pt_err){0};
    r = each_row(db, "SELECT id / 65536, max(id % 65536) FROM block GROUP BY id / 65536", 0, 0,
                 recover_row, NULL, &why);
    return r < 0 && !pt_db_forgive(db, &why, 0, -1, "table block", err) ? r : 0;
}

/* Fills at from the frame itself; false where it is damaged, or another one. */
static bool frame_of_blob(sqlite3_stmt *st, int col, struct pt_frame_at *at)
{
    const void *blob = sqlite3_column_blob(st, col);
    struct pt_frame *f;
    if (pt_frame_open(blob ? blob : "", (size_t)sqlite3_column_bytes(st, col), &f, NULL) < 0)
        return false;
    const struct pt_snap *snap = pt_frame_snap(f);
    const bool same = snap->n == at->n;
    at->key = pt_frame_is_key(f);
    at->boot = snap->boot;
    at->ms = snap->real_us / 1000;
    pt_frame_free(f);
    return same;
}

static int load_frame_row(struct pt_db *db, sqlite3_stmt *st, void *ctx, struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    (void)ctx;
    const bool good = pt_row_get(st, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1);
    struct pt_frame_at at = {
        .n = v[0].i, .ms = pt_val_num(&v[1]), .boot = v[2].i, .key = v[PT_SNAP_NCOLUMNS].i == 1};
    if (!good)
        pt_db_tell(db, at.n, at.n, "wrong checksum", "row of frame %lld", (long long)at.n);
    if (at.n <= 0 || (db->nframes && at.n <= db->frames[db->nframes - 1].n) ||
        (!good && !frame_of_blob(st, PT_SNAP_NCOLUMNS + 2, &at)))
        return 0; /* neither says that there is such a snapshot */
    const int r = room(&db->frames, &db->frames_cap, db->nframes + 1, sizeof *db->frames, err);
    if (r >= 0)
        db->frames[db->nframes++] = at;
    return r;
}

static int load_frames(struct pt_db *db, struct pt_err *err)
{
    struct pt_err why = {0};
    db->nframes = 0;
    const int r = each_row(db, "SELECT " PT_SNAP_COLUMNS ", key, crc, data FROM frame ORDER BY n",
                           0, 0, load_frame_row, NULL, &why);
    return r < 0 && !pt_db_forgive(db, &why, 0, -1, "table frame", err) ? r : 0;
}

static int extend_boot(struct pt_db *db, int64_t id, int64_t first, int64_t last, int64_t first_ms,
                       int64_t last_ms, struct pt_err *err)
{
    struct pt_boot *boot = boot_of(db, (uint32_t)id);
    if (!boot)
        return pt_err_nomem(err);
    if (!boot->first) {
        boot->first = first;
        boot->first_us = pt_ms_to_us(first_ms);
    }
    boot->last = last;
    boot->last_us = pt_ms_to_us(last_ms);
    return 0;
}

static int by_first(const void *a, const void *b)
{
    const struct pt_boot *ba = a, *bb = b;
    if (ba->first != bb->first && ba->first && bb->first)
        return ba->first < bb->first ? -1 : 1;
    return ba->id < bb->id ? -1 : ba->id > bb->id;
}

static int load_boots(struct pt_db *db, struct pt_err *err)
{
    struct pt_err why = {0};
    db->nboots = 0;
    int r = each_row(db, "SELECT id, boot_id, btime_us, crc FROM boot ORDER BY id", 0, 0,
                     load_boot_row, NULL, &why);
    if (r < 0 && !pt_db_forgive(db, &why, 0, -1, "table boot", err))
        return r;
    r = 0;
    for (size_t i = 0; r >= 0 && i < db->nsegs; i++) {
        const struct pt_seg *s = &db->segs[i];
        r = extend_boot(db, s->boot, s->first, s->last, s->min_ms, s->max_ms, err);
    }
    for (size_t i = 0; r >= 0 && i < db->nframes; i++) {
        const struct pt_frame_at *f = &db->frames[i];
        r = extend_boot(db, f->boot, f->n, f->n, f->ms, f->ms, err);
    }
    if (r >= 0 && db->nboots > 1)
        qsort(db->boots, db->nboots, sizeof *db->boots, by_first);
    return r;
}

static int load_lists(struct pt_db *db, struct pt_err *err)
{
    int r = load_segs(db, err);
    if (r >= 0)
        r = load_frames(db, err);
    return r < 0 ? r : load_boots(db, err);
}

static void drop_chain(struct pt_db *db)
{
    pt_chain_free(db->chain);
    db->chain = NULL;
}

/* A page that says it has fewer rows than it has loses them without a word: SQLite's check finds
 * that. Of the tables that say what there is; blocks are counted in their segment's row, and sealed
 * rows stand in clock blocks too. */
int pt_db_check_table(struct pt_db *db, enum pt_table table, struct pt_err *err)
{
    const char *name = pt_schema_sql[table].name;
    char sql[64];
    sqlite3_stmt *st = NULL;
    struct pt_err why = {0};
    snprintf(sql, sizeof sql, "PRAGMA quick_check(%s)", name);
    int rc, r = pt_sql_prepare(db->db, &st, sql, &why);
    if (r >= 0) {
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(st, 0);
            if (!text || strcmp(text, "ok") != 0)
                pt_db_tell(db, 0, -1, text ? text : "?", "table %s", name);
        }
        if (rc != SQLITE_DONE)
            r = pt_sql_err(db->db, rc, "check a table", &why);
    }
    sqlite3_finalize(st);
    return r < 0 && !pt_db_forgive(db, &why, 0, -1, name, err) ? r : 0;
}

static int check_tables(struct pt_db *db, struct pt_err *err)
{
    static const enum pt_table tables[] = {PT_T_META,    PT_T_BOOT,    PT_T_FRAME,
                                           PT_T_SEGMENT, PT_T_DAMAGED, PT_T_THINNED};
    int r = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && r >= 0; i++)
        r = pt_db_check_table(db, tables[i], err);
    return r;
}

int pt_db_load(struct pt_db *db, struct pt_err *err)
{
    struct pt_err why = {0};
    int r = each_row(db, "SELECT key, value, crc FROM meta", 0, 0, load_meta_row, NULL, &why);
    if (r < 0 && !pt_db_forgive(db, &why, 0, -1, "table meta", err))
        return r;
    db->data_version = -1;
    r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    if (db->mode != PT_MODE_LIVE)
        r = load_lists(db, err);
    if (r >= 0)
        r = check_tables(db, err);
    if (r >= 0)
        r = pt_db_check_numbers(db, err);
    pt_db_leave(db);
    return r;
}

void pt_db_unload(struct pt_db *db)
{
    drop_chain(db);
    for (size_t i = 0; i < PT_CLOCKS; i++)
        free(db->clocks[i].snaps);
    for (size_t i = 0; i < PT_BLOCKS; i++)
        pt_block_free(db->blocks[i].block);
    free(db->segs);
    free(db->frames);
    free(db->boots);
}

/* A recorder that thins replaces segments by smaller ones with the same first snapshot. What is
 * cached is good while its segment still has its snapshots. */
static bool stands(const struct pt_db *db, int64_t first, int64_t last, int64_t count)
{
    const struct pt_seg *seg = pt_db_seg_of(db, first);
    return seg && seg->first == first && seg->last == last && seg->count == count;
}

static void drop_replaced(struct pt_db *db)
{
    for (size_t i = 0; i < PT_CLOCKS; i++) {
        struct pt_clock *c = &db->clocks[i];
        if (!c->first || stands(db, c->first, c->snaps[c->count - 1].n, c->count))
            continue;
        free(c->snaps);
        *c = (struct pt_clock){0};
    }
    for (size_t i = 0; i < PT_BLOCKS; i++) {
        const struct pt_block *b = db->blocks[i].block;
        const uint32_t ticks = b ? pt_block_ticks(b) : 0;
        if (b && !stands(db, pt_block_first(b), pt_block_n(b, ticks - 1), ticks))
            pt_db_drop_block(db, &db->blocks[i]);
    }
}

int pt_db_enter(struct pt_db *db, struct pt_err *err)
{
    int64_t version;
    if (db->mode != PT_MODE_LIVE || db->depth > 0) {
        db->depth++;
        return 0;
    }
    int r = pt_sql_exec(db->db, "BEGIN", "begin to read", err);
    if (r < 0)
        return r;
    db->depth = 1;
    r = pt_sql_int(db->db, "PRAGMA data_version", 0, &version, err);
    if (r >= 0 && version != db->data_version) {
        drop_chain(db);
        r = load_lists(db, err);
        if (r >= 0)
            drop_replaced(db);
        db->data_version = version;
    }
    if (r < 0)
        pt_db_leave(db);
    return r;
}

void pt_db_leave(struct pt_db *db)
{
    if (--db->depth == 0 && db->mode == PT_MODE_LIVE)
        sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL);
}

const struct pt_meta *pt_db_meta(const struct pt_db *db)
{
    return &db->meta;
}

const char *pt_db_path(const struct pt_db *db)
{
    return db->path;
}

struct pt_shapes *pt_db_shapes(struct pt_db *db)
{
    return db->shapes;
}

uint32_t pt_db_boots(const struct pt_db *db)
{
    return db->nboots;
}

const struct pt_boot *pt_db_boot(const struct pt_db *db, uint32_t index)
{
    return index < db->nboots ? &db->boots[index] : NULL;
}

const struct pt_seg *pt_db_seg_of(const struct pt_db *db, int64_t n)
{
    size_t lo = 0, hi = db->nsegs;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (db->segs[mid].last < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < db->nsegs && db->segs[lo].first <= n ? &db->segs[lo] : NULL;
}

size_t pt_db_frame_lower(const struct pt_db *db, int64_t n)
{
    size_t lo = 0, hi = db->nframes;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (db->frames[mid].n < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
