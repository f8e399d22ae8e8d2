/* SPDX-License-Identifier: MIT
 * See store_thin.h. Whatever was read between two kept snapshots is, at the later one, a text that
 * is carried: with the time it was read at, so that what the later one says stays what it was. */
#include "schema/store_thin.h"

#include <stdlib.h>

#include "schema/array.h"
#include "schema/store_pass.h"

/* A block of an old segment. */
struct piece {
    uint32_t old;       /* which */
    int64_t id;         /* of its row */
    uint32_t first_id;  /* its sources' ids in the layout are consecutive */
    uint32_t low, high; /* the least and greatest index in the layout */
};

struct work {
    struct pt_store *store;
    struct pt_thinning *t;
    struct pt_shapes *shapes;
    struct pt_layout layout;
    struct pt_snap *kept;
    struct piece *pieces;
    uint32_t npieces, next_id;
    size_t cap;
};

/* ---- reading ---- */

static int bad(const struct pt_stretch *old, const char *what, struct pt_err *err)
{
    return pt_err_set(err, PT_EDAMAGED, 0, "segment", old->first, "segment %lld: %s",
                      (long long)old->first, what);
}

/* The block of a row, decoded. Nothing that fails a check is ever rewritten. */
static int open_block(struct pt_store *s, struct pt_shapes *shapes, const struct pt_stretch *old,
                      int64_t id, struct pt_block **ret, struct pt_err *err)
{
    sqlite3_stmt *st;
    struct pt_val v[3];
    struct pt_block *b = NULL;
    int r = pt_store_stmt(s, PT_S_BLOCK_ROW, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, id);
    r = pt_store_step(s, st, "read a block", err);
    if (r <= 0)
        return r < 0 ? r : bad(old, "a block is missing", err);
    const void *blob = sqlite3_column_blob(st, 4);
    if (!pt_row_get(st, PT_T_BLOCK, v, 3))
        r = bad(old, "the row of a block has a wrong checksum", err);
    else
        r = pt_block_open(blob ? blob : "", (size_t)sqlite3_column_bytes(st, 4), shapes, &b, err);
    if (r >= 0 && (pt_block_first(b) != old->first || (int64_t)pt_block_kind(b) != v[1].i ||
                   pt_block_ticks(b) != old->count ||
                   (id % PT_BLOCKS_MAX == 0) != (pt_block_kind(b) == PT_BLOCK_CLOCK)))
        r = bad(old, "a block is of another place", err);
    sqlite3_reset(st);
    if (r < 0)
        pt_block_free(b);
    else
        *ret = b;
    return r < 0 ? r : 0;
}

static int read_clock(struct pt_store *s, struct pt_thinning *t, struct pt_shapes *shapes,
                      uint32_t i, struct pt_err *err)
{
    struct pt_block *b;
    int r = open_block(s, shapes, &t->old[i], t->old[i].first * PT_BLOCKS_MAX, &b, err);
    for (uint32_t k = 0; r >= 0 && k < (uint32_t)t->old[i].count; k++)
        r = pt_block_snap(b, k, &t->snaps[t->begin[i] + k], err);
    if (r >= 0)
        pt_block_free(b);
    return r;
}

int pt_thin_choose(struct pt_store *s, const struct pt_stretch *old, uint32_t nold,
                   const struct pt_pick *how, struct pt_thinning *t, struct pt_err *err)
{
    *t = (struct pt_thinning){.old = old, .nold = nold};
    t->begin = malloc(((size_t)nold + 1) * sizeof *t->begin);
    for (uint32_t i = 0; t->begin && i < nold; i++) {
        if (old[i].count > UINT16_MAX || old[i].boot != old[0].boot)
            return bad(&old[i], "it is not to be thinned with these", err);
        t->begin[i] = t->nsnaps;
        t->nsnaps += (uint32_t)old[i].count;
    }
    t->snaps = malloc(((size_t)t->nsnaps + 1) * sizeof *t->snaps);
    t->keep = malloc(t->nsnaps + 1);
    struct pt_shapes *shapes = pt_shapes_new();
    int r = t->begin && t->snaps && t->keep && shapes ? 0 : pt_err_nomem(err);
    for (uint32_t i = 0; r >= 0 && i < nold; i++)
        r = read_clock(s, t, shapes, i, err);
    if (r >= 0) {
        t->begin[nold] = t->nsnaps;
        t->kept = pt_pick_kept(t->snaps, t->nsnaps, how, t->keep);
    }
    pt_shapes_free(shapes);
    return r;
}

void pt_thin_release(struct pt_thinning *t)
{
    pt_fresh_release(&t->fresh);
    free(t->snaps);
    free(t->begin);
    free(t->keep);
}

/* ---- the first pass: names ---- */

static int add_piece(struct work *w, uint32_t old, int64_t id, struct pt_err *err)
{
    struct pt_block *b;
    struct piece *more = pt_array_room(w->pieces, w->npieces, &w->cap, sizeof *more);
    if (!more)
        return pt_err_nomem(err);
    w->pieces = more;
    int r = open_block(w->store, w->shapes, &w->t->old[old], id, &b, err);
    if (r < 0)
        return r;
    w->pieces[w->npieces++] = (struct piece){.old = old, .id = id, .first_id = w->next_id};
    for (uint32_t i = 0; r >= 0 && i < pt_block_sources(b); i++)
        if (pt_layout_add(&w->layout, pt_block_name(b, i), w->next_id++, 0) < 0)
            r = pt_err_nomem(err);
    pt_block_free(b);
    return r;
}

static bool any_kept(const struct pt_thinning *t, uint32_t old)
{
    for (uint32_t i = t->begin[old]; i < t->begin[old + 1]; i++)
        if (t->keep[i])
            return true;
    return false;
}

static uint32_t index_of(const struct work *w, const struct piece *p, uint32_t source)
{
    return w->layout.by_id[p->first_id + source] - 1;
}

static int survey(struct work *w, struct pt_err *err)
{
    for (uint32_t i = 0; i < w->t->nold; i++) {
        const struct pt_stretch *old = &w->t->old[i];
        for (int64_t k = 1; k < old->blocks && any_kept(w->t, i); k++) {
            const int r = add_piece(w, i, old->first * PT_BLOCKS_MAX + k, err);
            if (r < 0)
                return r;
        }
    }
    if (pt_layout_sort(&w->layout) < 0)
        return pt_err_nomem(err);
    for (uint32_t i = 0; i < w->npieces; i++) {
        struct piece *p = &w->pieces[i];
        const uint32_t end = i + 1 < w->npieces ? p[1].first_id : w->next_id;
        p->low = UINT32_MAX;
        for (uint32_t k = 0; k < end - p->first_id; k++) {
            const uint32_t index = index_of(w, p, k);
            p->low = index < p->low ? index : p->low;
            p->high = index > p->high ? index : p->high;
        }
    }
    return 0;
}

/* ---- later passes ---- */

/* One source of a block at the kept snapshots of its segment. */
static int note_source(const struct work *w, struct pt_pass *pass, const struct piece *p,
                       const struct pt_block *b, uint32_t source, uint32_t tick, struct pt_err *err)
{
    const struct pt_thinning *t = w->t;
    const uint32_t index = index_of(w, p, source), begin = t->begin[p->old];
    struct pt_walk *walk;
    int r = pt_walk_new(b, source, t->snaps + begin, &walk, err);
    if (r < 0)
        return r;
    for (uint32_t i = begin; r >= 0 && i < t->begin[p->old + 1]; i++) {
        struct pt_source_at at;
        if (!t->keep[i])
            continue;
        r = pt_walk_at(walk, i - begin, &at, err);
        if (r >= 0)
            r = pt_pass_note(pass, index, tick++, &at, err);
    }
    pt_walk_free(walk);
    return r;
}

static int note_piece(const struct work *w, struct pt_pass *pass, const struct piece *p,
                      uint32_t tick, bool *seen, struct pt_err *err)
{
    struct pt_block *b;
    int r = open_block(w->store, w->shapes, &w->t->old[p->old], p->id, &b, err);
    if (r < 0)
        return r;
    for (uint32_t i = 0; r >= 0 && i < pt_block_sources(b); i++) {
        const uint32_t index = index_of(w, p, i);
        if (index < pass->lo || index >= pass->hi || seen[index - pass->lo])
            continue;
        seen[index - pass->lo] = true;
        r = note_source(w, pass, p, b, i, tick, err);
        pt_pass_make_room(pass);
    }
    pt_block_free(b);
    return r;
}

/* What an old segment says of the pass's sources; those it does not know are not there. tick: of
 * its first kept snapshot. */
static int note_old(const struct work *w, struct pt_pass *pass, uint32_t old, uint32_t tick,
                    struct pt_err *err)
{
    static const struct pt_source_at absent = {.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    bool *seen = calloc(pass->hi - pass->lo, sizeof *seen);
    int r = seen ? 0 : pt_err_nomem(err);
    for (uint32_t i = 0; r >= 0 && i < w->npieces; i++) {
        const struct piece *p = &w->pieces[i];
        if (p->old == old && p->low < pass->hi && p->high >= pass->lo)
            r = note_piece(w, pass, p, tick, seen, err);
    }
    for (uint32_t i = pass->lo; r >= 0 && i < pass->hi; i++)
        if (!seen[i - pass->lo])
            r = pt_pass_note(pass, i, tick, &absent, err);
    free(seen);
    return r;
}

static int walk(void *ctx, struct pt_pass *pass, struct pt_err *err)
{
    const struct work *w = ctx;
    uint32_t tick = 0;
    int r = 0;
    for (uint32_t old = 0; r >= 0 && old < w->t->nold; old++) {
        if (!any_kept(w->t, old))
            continue;
        r = note_old(w, pass, old, tick, err);
        for (uint32_t i = w->t->begin[old]; i < w->t->begin[old + 1]; i++)
            tick += w->t->keep[i];
    }
    return r;
}

int pt_thin_make(struct pt_store *s, struct pt_thinning *t, struct pt_err *err)
{
    const struct pt_seal_ops ops = {
        .snaps = pt_fresh_snaps, .block = pt_fresh_block, .ctx = &t->fresh};
    struct work w = {.store = s, .t = t, .shapes = pt_shapes_new()};
    w.kept = malloc(((size_t)t->kept + 1) * sizeof *w.kept);
    int r = w.kept && w.shapes ? pt_layout_init(&w.layout, w.shapes, &ops, PT_SEAL_LEVEL, err)
                               : pt_err_nomem(err);
    for (uint32_t i = 0, n = 0; r >= 0 && i < t->nsnaps; i++)
        if (t->keep[i])
            w.kept[n++] = t->snaps[i];
    if (r >= 0)
        r = survey(&w, err);
    if (r >= 0)
        r = pt_layout_clock(&w.layout, w.kept, t->kept, err);
    if (r >= 0)
        r = pt_pass_all(&w.layout, walk, &w, err);
    pt_layout_release(&w.layout);
    pt_shapes_free(w.shapes);
    free(w.kept);
    free(w.pieces);
    return r;
}
