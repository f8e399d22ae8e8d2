/* SPDX-License-Identifier: MIT
 * Sealing: the chains of frames that are complete become segments, one transaction each; then a
 * checkpoint. */
#include "schema/array.h"
#include "schema/store_fresh.h"
#include "schema/store_rows.h"

#include <stdlib.h>
#include <string.h>

struct seal {
    struct pt_fresh fresh; /* first: the ops' ctx */
    struct pt_store *store;
    int64_t first, last; /* of the frames */
    sqlite3_stmt *frames;
    int64_t next; /* where to begin anew, or 0 */
};

/* What a key frame of thousands of processes took would be held for all frames after it. */
#define FRAME_KEEP (64u << 10)

static int frames_from(struct seal *seal, int64_t n, struct pt_err *err)
{
    const int r = pt_store_stmt(seal->store, PT_S_FRAMES, &seal->frames, err);
    if (r < 0)
        return r;
    sqlite3_reset(seal->frames);
    sqlite3_bind_int64(seal->frames, 1, n);
    sqlite3_bind_int64(seal->frames, 2, seal->last);
    seal->next = 0;
    return 0;
}

static int frames_rewind(void *ctx, struct pt_err *err)
{
    struct seal *seal = ctx;
    return frames_from(seal, seal->first, err);
}

static int frames_next(void *ctx, int64_t *ret_n, const void **ret_blob, size_t *ret_len,
                       struct pt_err *err)
{
    struct seal *seal = ctx;
    int r = seal->next ? frames_from(seal, seal->next, err) : 0;
    if (r >= 0)
        r = pt_store_step(seal->store, seal->frames, "read the frames", err);
    if (r > 0) {
        *ret_n = sqlite3_column_int64(seal->frames, 0);
        *ret_blob = sqlite3_column_blob(seal->frames, 1);
        *ret_len = (size_t)sqlite3_column_bytes(seal->frames, 1);
        seal->next = *ret_len > FRAME_KEEP ? *ret_n + 1 : 0;
    }
    return r;
}

/* Set aside with its headline, which may be right still: its own checksum says. */
static int on_bad(void *ctx, int64_t n, const char *why, struct pt_err *err)
{
    struct seal *seal = ctx;
    struct pt_store *s = seal->store;
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    sqlite3_stmt *st;
    int r = pt_store_stmt(s, PT_S_FRAME_ROW, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, n);
    r = pt_store_step(s, st, "read a frame", err);
    if (r <= 0)
        return r < 0 ? r
                     : pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "frame %lld is gone",
                                  (long long)n);
    if (!pt_row_get(st, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1))
        for (size_t i = 1; i < PT_SNAP_NCOLUMNS; i++)
            v[i] = pt_val_int(PT_UNKNOWN);
    v[0] = pt_val_int(n);
    v[PT_SNAP_NCOLUMNS] = pt_val_text(why);
    const int col = PT_SNAP_NCOLUMNS + 2;
    const void *blob = sqlite3_column_blob(st, col);
    r = pt_store_run(s, PT_S_DAMAGED, PT_T_DAMAGED, v, PT_SNAP_NCOLUMNS + 1, blob ? blob : "",
                     (size_t)sqlite3_column_bytes(st, col), "set a damaged frame aside", err);
    sqlite3_reset(st);
    return r;
}

/* Last to first: SQLite gives the pages freed last to what comes next, so blocks take the places of
 * the first frames and the pages that are left to give back are at the end of the file. */
static int delete_frames(struct seal *seal, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_store_stmt(seal->store, PT_S_DELETE_FRAME, &st, err);
    do {
        if (r < 0)
            return r;
        sqlite3_bind_int64(st, 1, seal->first);
        sqlite3_bind_int64(st, 2, seal->last);
        r = pt_store_step(seal->store, st, "delete sealed frames", err);
    } while (r < 0 || sqlite3_changes(seal->store->db) > 0);
    return 0;
}

/* Pages written to the WAL at which giving back pauses for a checkpoint. */
#define VACUUM_PAGES 1024

/* A few a transaction: a page that is cut off in the transaction that touched it is never written,
 * unless the cache has spilled it before. */
int pt_store_vacuum(struct pt_store *s, struct pt_err *err)
{
    int64_t before, left = INT64_MAX, moved = 0;
    int r = 0;
    do {
        sqlite3_stmt *st;
        before = left;
        if (moved >= VACUUM_PAGES) {
            r = pt_store_checkpoint(s, err);
            moved = 0;
        }
        if (r < 0 || s->blocked) /* moving pages would only fill the WAL */
            return r;
        r = pt_store_stmt(s, PT_S_VACUUM, &st, err);
        while (r >= 0 && (r = pt_store_step(s, st, "give pages back", err)) > 0)
            ;
        if (r >= 0)
            r = pt_sql_int(s->db, "PRAGMA freelist_count", 0, &left, err);
        moved += before == INT64_MAX ? 0 : before - left;
    } while (r >= 0 && left > 0 && left < before);
    return r;
}

static int seal_transaction(struct seal *seal, const struct pt_frames *frames,
                            const struct pt_seal_ops *ops, struct pt_shapes *shapes,
                            struct pt_err *err)
{
    struct pt_store *s = seal->store;
    int r = pt_store_begin(s, err);
    if (r < 0)
        return r;
    r = pt_seal_chain(shapes, frames, ops, NULL, NULL, PT_SEAL_LEVEL, err);
    if (seal->frames)
        sqlite3_reset(seal->frames);
    if (r >= 0)
        r = delete_frames(seal, err);
    if (r >= 0)
        r = pt_store_sealed(s, seal->fresh.snaps, (size_t)seal->fresh.count, err);
    if (r >= 0 && seal->fresh.count > 0)
        r = pt_fresh_write(&seal->fresh, s, err);
    return pt_store_end(s, r, "seal a segment", err);
}

/* A frame that passes its checksum and cannot be applied: it goes where damaged frames go, and the
 * chain is sealed without it. */
static int set_aside(struct pt_store *s, int64_t n, const char *why, struct pt_err *err)
{
    struct seal seal = {.store = s, .first = n, .last = n};
    int r = pt_store_begin(s, err);
    if (r < 0)
        return r;
    r = on_bad(&seal, n, why, err);
    if (r >= 0)
        r = delete_frames(&seal, err);
    return pt_store_end(s, r, "set a frame aside", err);
}

static int seal_one(struct pt_store *s, int64_t first, int64_t last, struct pt_err *err)
{
    int r = 1;
    while (r > 0) {
        struct seal seal = {.store = s, .first = first, .last = last};
        const struct pt_frames frames = {
            .rewind = frames_rewind, .next = frames_next, .ctx = &seal};
        const struct pt_seal_ops ops = {
            .bad = on_bad, .snaps = pt_fresh_snaps, .block = pt_fresh_block, .ctx = &seal};
        struct pt_err why = {0};
        struct pt_shapes *shapes = pt_shapes_new();
        r = shapes ? seal_transaction(&seal, &frames, &ops, shapes, &why) : pt_err_nomem(&why);
        pt_shapes_free(shapes);
        pt_fresh_release(&seal.fresh);
        if (r < 0 && why.code == PT_EDAMAGED && strcmp(why.source, PT_BAD_FRAME) == 0)
            r = set_aside(s, why.position, why.text, err) < 0 ? -1 : 1;
        else if (r < 0)
            return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    }
    return r;
}

/* Does a frame start a chain? Its row says; where the row's checksum is wrong the frame itself
 * does. */
static bool starts_chain(sqlite3_stmt *st)
{
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    if (pt_row_get(st, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1))
        return pt_val_num(&v[PT_SNAP_NCOLUMNS]) == 1;
    const int col = PT_SNAP_NCOLUMNS + 2;
    const void *blob = sqlite3_column_blob(st, col);
    struct pt_frame *f;
    if (pt_frame_open(blob ? blob : "", (size_t)sqlite3_column_bytes(st, col), &f, NULL) < 0)
        return false;
    const bool key = pt_frame_is_key(f);
    pt_frame_free(f);
    return key;
}

struct keys {
    int64_t *n;
    size_t count, cap;
    int64_t first, last; /* of all frames */
};

static int add_key(struct keys *keys, int64_t n, struct pt_err *err)
{
    int64_t *more = pt_array_room(keys->n, keys->count, &keys->cap, sizeof *more);
    if (!more)
        return pt_err_nomem(err);
    keys->n = more;
    keys->n[keys->count++] = n;
    return 0;
}

static int read_keys(struct pt_store *s, struct keys *ret, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_store_stmt(s, PT_S_KEYS, &st, err);
    while (r >= 0 && (r = pt_store_step(s, st, "find the chains", err)) > 0) {
        const int64_t n = sqlite3_column_int64(st, 0);
        if (!ret->first)
            ret->first = n;
        ret->last = n;
        if (starts_chain(st) && (r = add_key(ret, n, err)) < 0)
            sqlite3_reset(st);
    }
    return r;
}

int pt_store_seal(struct pt_store *s, bool all, struct pt_err *err)
{
    struct keys keys = {0};
    struct pt_err why = {0};
    bool any = false;
    if (!all && pt_store_wedged(s)) /* the blocks would come on top of frames that stay */
        return 0;
    s->frame_bytes = -1; /* to be counted anew */
    int r = read_keys(s, &keys, err);
    int64_t first = keys.first;
    for (size_t i = 0; r >= 0 && first > 0 && i < keys.count + all; i++) {
        const int64_t next =
            i < keys.count ? keys.n[i] : keys.last + 1; /* where the next chain begins */
        if (next <= first)
            continue;
        r = seal_one(s, first, next - 1, &why);
        first = next;
        any = true;
        /* a chain that is to blame itself does not keep the next from being sealed */
        if (r < 0 && strcmp(why.source, "database") != 0)
            r = 0;
    }
    free(keys.n);
    if (why.code)
        pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (r >= 0 && any)
        r = pt_store_vacuum(s, err);
    if (r >= 0 && any)
        r = pt_store_checkpoint(s, err);
    return r < 0 || !why.code ? r : -(int)why.code;
}
