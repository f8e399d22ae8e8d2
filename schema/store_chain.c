/* SPDX-License-Identifier: MIT
 * One chain of frames into blocks, in memory bounded whatever the chain holds: see store_pass.h. */
#include "schema/array.h"
#include "schema/store_pass.h"

#include <stdlib.h>

struct sealer {
    struct pt_shapes *shapes;
    const struct pt_frames *frames;
    const struct pt_seal_ops *ops;
    bool (*keep)(void *ctx, const char *name);
    void *keep_ctx;
    struct pt_layout layout;
    /* first pass */
    struct pt_snap *snaps;
    uint32_t nsnaps;
    size_t snaps_cap;
    bool nomem;
    /* later passes */
    struct pt_pass *pass;
    const struct pt_source_at **now; /* of the pass's sources, at the tick being told */
};

/* ---- the first pass: snapshots, names, damage ---- */

static bool collect(void *ctx, uint32_t id, const char *name, size_t bytes)
{
    struct sealer *s = ctx;
    if (!s->keep || s->keep(s->keep_ctx, name))
        s->nomem |= pt_layout_add(&s->layout, name, id, bytes) < 0;
    return false;
}

static int add_snap(struct sealer *s, const struct pt_snap *snap, struct pt_err *err)
{
    struct pt_snap *snaps = pt_array_room(s->snaps, s->nsnaps, &s->snaps_cap, sizeof *snaps);
    if (!snaps)
        return pt_err_nomem(err);
    s->snaps = snaps;
    s->snaps[s->nsnaps++] = *snap;
    return 0;
}

/* One frame onto the chain: 1 applied, 0 damaged (and why), < 0. */
static int apply(struct pt_chain *chain, int64_t n, const void *blob, size_t len, bool want_key,
                 struct pt_snap *ret, struct pt_err *why, struct pt_err *err)
{
    struct pt_frame *f;
    int r = pt_frame_open(blob, len, &f, why);
    if (r >= 0) {
        *ret = *pt_frame_snap(f);
        if (ret->n != n)
            r = pt_err_set(why, PT_EDAMAGED, 0, "frame", n, "it says it is of snapshot %lld",
                           (long long)ret->n);
        else if (pt_frame_is_key(f) != want_key)
            r = pt_err_set(why, PT_EDAMAGED, 0, "frame", n,
                           want_key ? "its chain has no key frame" : "a key frame within a chain");
        else
            r = pt_chain_apply(chain, f, why);
        pt_frame_free(f);
    }
    if (r >= 0)
        return 1;
    if (why->code == PT_EDAMAGED || why->code == PT_EFORMAT || why->code == PT_ENEWER)
        return 0;
    if (err && err->code == PT_OK)
        *err = *why;
    return r;
}

static int survey(struct sealer *s, struct pt_err *err)
{
    struct pt_chain *chain = pt_chain_new(s->shapes);
    if (!chain)
        return pt_err_nomem(err);
    pt_chain_filter(chain, collect, s);
    int64_t n;
    const void *blob;
    size_t len;
    int r = s->frames->rewind(s->frames->ctx, err);
    while (r >= 0 && (r = s->frames->next(s->frames->ctx, &n, &blob, &len, err)) > 0) {
        struct pt_err why = {0};
        struct pt_snap snap;
        r = apply(chain, n, blob, len, s->nsnaps == 0, &snap, &why, err);
        if (r > 0)
            r = add_snap(s, &snap, err);
        else if (r == 0)
            r = s->ops->bad(s->ops->ctx, n, why.text, err);
    }
    pt_chain_free(chain);
    if (r >= 0 && s->nomem)
        r = pt_err_nomem(err);
    return r >= 0 && pt_layout_sort(&s->layout) < 0 ? pt_err_nomem(err) : r;
}

/* ---- later passes ---- */

static bool wanted(void *ctx, uint32_t id, const char *name, size_t bytes)
{
    const struct sealer *s = ctx;
    (void)name;
    (void)bytes;
    const uint32_t index = id < s->layout.by_id_len ? s->layout.by_id[id] : 0;
    return index > s->pass->lo && index <= s->pass->hi;
}

static int note_all(struct sealer *s, const struct pt_chain *chain, uint32_t tick,
                    struct pt_err *err)
{
    static const struct pt_source_at absent = {.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    struct pt_pass *p = s->pass;
    const uint32_t count = pt_chain_count(chain);
    for (uint32_t i = 0; i < count; i++) {
        const struct pt_source_at *at = pt_chain_get(chain, i);
        const uint32_t index = at->id < s->layout.by_id_len ? s->layout.by_id[at->id] : 0;
        if (!index || index - 1 >= p->hi)
            continue;
        /* Two sources of one name: one is gone, the other has its pid now. */
        const struct pt_source_at **now = &s->now[index - 1 - p->lo];
        if (!*now || (*now)->presence == PT_ABSENT)
            *now = at;
    }
    for (uint32_t index = p->lo; index < p->hi; index++) {
        const struct pt_source_at **now = &s->now[index - p->lo];
        const int r = pt_pass_note(p, index, tick, *now ? *now : &absent, err);
        *now = NULL;
        if (r < 0)
            return r;
        pt_pass_make_room(p);
    }
    return 0;
}

static int walk_frames(struct sealer *s, struct pt_chain *chain, struct pt_err *err)
{
    int64_t n;
    const void *blob;
    size_t len;
    uint32_t tick = 0;
    int r = s->frames->rewind(s->frames->ctx, err);
    while (r >= 0 && tick < s->nsnaps &&
           (r = s->frames->next(s->frames->ctx, &n, &blob, &len, err)) > 0) {
        struct pt_err why = {0};
        struct pt_snap snap;
        if (n != s->snaps[tick].n) /* a damaged one */
            continue;
        r = apply(chain, n, blob, len, tick == 0, &snap, &why, err);
        if (r == 0) /* the survey reads names only */
            return pt_err_set(err, PT_EDAMAGED, 0, PT_BAD_FRAME, n, "%s", why.text);
        if (r > 0)
            r = note_all(s, chain, tick++, err);
    }
    return r;
}

static int walk(void *ctx, struct pt_pass *pass, struct pt_err *err)
{
    struct sealer *s = ctx;
    struct pt_chain *chain = pt_chain_new(s->shapes);
    s->pass = pass;
    s->now = calloc(pass->hi - pass->lo, sizeof(*s->now));
    int r = s->now && chain ? 0 : pt_err_nomem(err);
    if (r >= 0) {
        pt_chain_filter(chain, wanted, s);
        r = walk_frames(s, chain, err);
    }
    pt_chain_free(chain);
    free(s->now);
    return r;
}

int pt_seal_chain(struct pt_shapes *shapes, const struct pt_frames *frames,
                  const struct pt_seal_ops *ops, bool (*keep)(void *ctx, const char *name),
                  void *keep_ctx, int level, struct pt_err *err)
{
    struct sealer s = {
        .shapes = shapes, .frames = frames, .ops = ops, .keep = keep, .keep_ctx = keep_ctx};
    int r = pt_layout_init(&s.layout, shapes, ops, level, err);
    if (r >= 0)
        r = survey(&s, err);
    if (r >= 0 && s.nsnaps > 0) {
        r = pt_layout_clock(&s.layout, s.snaps, s.nsnaps, err);
        if (r >= 0)
            r = pt_pass_all(&s.layout, walk, &s, err);
    }
    pt_layout_release(&s.layout);
    free(s.snaps);
    return r < 0 ? r : (int)s.nsnaps;
}
