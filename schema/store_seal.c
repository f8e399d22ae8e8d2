/* SPDX-License-Identifier: MIT
 * Sealing: the chains of frames that are complete become segments, one transaction each; then a
 * checkpoint. */
#include "schema/store_rows.h"

#include <stdlib.h>
#include <string.h>

/* See "Compression" in FORMAT.md for what the levels cost. */
#define LEVEL 16

/* Blocks wait until the frames are gone, to take their places. */
struct pending {
    enum pt_block_kind kind;
    char *what;
    void *blob;
    size_t len;
};

struct seal {
    struct pt_store *store;
    struct pt_snap *snaps;
    struct pending *pending;
    size_t pending_cap;
    int64_t first, last;                                  /* of the frames */
    int64_t first_n, last_n, min_ms, max_ms, count, boot; /* of the segment */
    int64_t blocks, bytes;
    sqlite3_stmt *frames;
};

static int frames_rewind(void *ctx, struct pt_err *err)
{
    struct seal *seal = ctx;
    const int r = pt_store_stmt(seal->store, PT_S_FRAMES, &seal->frames, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(seal->frames, 1, seal->first);
    sqlite3_bind_int64(seal->frames, 2, seal->last);
    return 0;
}

static int frames_next(void *ctx, int64_t *ret_n, const void **ret_blob, size_t *ret_len,
                       struct pt_err *err)
{
    struct seal *seal = ctx;
    const int r = pt_store_step(seal->store, seal->frames, "read the frames", err);
    if (r > 0) {
        *ret_n = sqlite3_column_int64(seal->frames, 0);
        *ret_blob = sqlite3_column_blob(seal->frames, 1);
        *ret_len = (size_t)sqlite3_column_bytes(seal->frames, 1);
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

static int on_snaps(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err)
{
    struct seal *seal = ctx;
    seal->snaps = malloc(count * sizeof *snaps);
    if (!seal->snaps)
        return pt_err_nomem(err);
    memcpy(seal->snaps, snaps, count * sizeof *snaps);
    seal->first_n = snaps[0].n;
    seal->last_n = snaps[count - 1].n;
    seal->boot = snaps[0].boot;
    seal->count = count;
    return 0;
}

static int on_block(void *ctx, enum pt_block_kind kind, const char *what, const void *blob,
                    size_t len, struct pt_err *err)
{
    struct seal *seal = ctx;
    if (seal->blocks >= PT_BLOCKS_MAX)
        return pt_err_set(err, PT_ENOMEM, 0, "segment", seal->first_n,
                          "more than %d blocks in a segment", PT_BLOCKS_MAX);
    if ((size_t)seal->blocks == seal->pending_cap) {
        const size_t cap = seal->pending_cap ? seal->pending_cap * 2 : 16;
        struct pending *more = realloc(seal->pending, cap * sizeof *more);
        if (!more)
            return pt_err_nomem(err);
        seal->pending = more;
        seal->pending_cap = cap;
    }
    struct pending *p = &seal->pending[seal->blocks];
    *p = (struct pending){.kind = kind, .what = strdup(what), .blob = malloc(len), .len = len};
    seal->blocks++;
    seal->bytes += (int64_t)len;
    if (!p->what || !p->blob)
        return pt_err_nomem(err);
    memcpy(p->blob, blob, len);
    return 0;
}

static void seal_release(struct seal *seal)
{
    for (int64_t i = 0; i < seal->blocks; i++) {
        free(seal->pending[i].what);
        free(seal->pending[i].blob);
    }
    free(seal->pending);
    free(seal->snaps);
}

static int write_rows(struct seal *seal, struct pt_err *err)
{
    for (int64_t i = 0; i < seal->count; i++) {
        struct pt_val v[PT_SNAP_NCOLUMNS];
        pt_snap_to_row(&seal->snaps[i], v);
        const int64_t ms = v[1].i;
        if (i == 0 || ms < seal->min_ms)
            seal->min_ms = ms;
        if (i == 0 || ms > seal->max_ms)
            seal->max_ms = ms;
    }
    return pt_store_sealed(seal->store, seal->snaps, (size_t)seal->count, err);
}

static int write_blocks(struct seal *seal, struct pt_err *err)
{
    for (int64_t i = 0; i < seal->blocks; i++) {
        const struct pending *p = &seal->pending[i];
        const struct pt_val v[] = {
            pt_val_int(seal->first_n * PT_BLOCKS_MAX + i),
            pt_val_int(p->kind),
            pt_val_text(p->what),
        };
        const int r = pt_store_run(seal->store, PT_S_BLOCK, PT_T_BLOCK, v, 3, p->blob, p->len,
                                   "write a block", err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_segment(struct seal *seal, struct pt_err *err)
{
    const struct pt_seg seg = {seal->first_n, seal->last_n, seal->count,  seal->boot,
                               seal->min_ms,  seal->max_ms, seal->blocks, seal->bytes};
    return pt_store_segment(seal->store, &seg, err);
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

/* A few pages a transaction: a page that is cut off in the transaction that touched it is never
 * written, unless the cache has spilled it before. */
int pt_store_vacuum(struct pt_store *s, struct pt_err *err)
{
    int64_t before, left = INT64_MAX;
    int r;
    do {
        sqlite3_stmt *st;
        before = left;
        r = pt_store_stmt(s, PT_S_VACUUM, &st, err);
        while (r >= 0 && (r = pt_store_step(s, st, "give pages back", err)) > 0)
            ;
        if (r >= 0)
            r = pt_sql_int(s->db, "PRAGMA freelist_count", 0, &left, err);
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
    r = pt_seal_chain(shapes, frames, ops, NULL, NULL, LEVEL, err);
    if (seal->frames)
        sqlite3_reset(seal->frames);
    if (r >= 0)
        r = delete_frames(seal, err);
    if (r >= 0)
        r = write_rows(seal, err);
    if (r >= 0)
        r = write_blocks(seal, err);
    if (r >= 0 && seal->count > 0)
        r = write_segment(seal, err);
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
            .bad = on_bad, .snaps = on_snaps, .block = on_block, .ctx = &seal};
        struct pt_err why = {0};
        struct pt_shapes *shapes = pt_shapes_new();
        r = shapes ? seal_transaction(&seal, &frames, &ops, shapes, &why) : pt_err_nomem(&why);
        pt_shapes_free(shapes);
        seal_release(&seal);
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
    if (keys->count == keys->cap) {
        const size_t cap = keys->cap ? keys->cap * 2 : 16;
        int64_t *more = realloc(keys->n, cap * sizeof *more);
        if (!more)
            return pt_err_nomem(err);
        keys->n = more;
        keys->cap = cap;
    }
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
