/* SPDX-License-Identifier: MIT
 * Weighing a chain by sealing it into nothing. */
#include "schema/weigh.h"

#include "schema/store_fresh.h"

struct scales {
    const struct pt_weigh_frame *frames;
    uint32_t count, at;
    struct pt_weight weight;
};

static int rewind_frames(void *ctx, struct pt_err *err)
{
    struct scales *s = ctx;
    (void)err;
    s->at = 0;
    return 0;
}

static int next_frame(void *ctx, int64_t *ret_n, const void **ret_blob, size_t *ret_len,
                      struct pt_err *err)
{
    struct scales *s = ctx;
    (void)err;
    if (s->at == s->count)
        return 0;
    const struct pt_weigh_frame *f = &s->frames[s->at++];
    *ret_n = f->n;
    *ret_blob = f->blob;
    *ret_len = f->len;
    return 1;
}

static int on_bad(void *ctx, int64_t n, const char *what, struct pt_err *err)
{
    (void)ctx;
    return pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "%s", what);
}

static int on_snaps(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err)
{
    (void)ctx;
    (void)snaps;
    (void)count;
    (void)err;
    return 0;
}

static int on_block(void *ctx, enum pt_block_kind kind, const char *what, const void *blob,
                    size_t len, struct pt_err *err)
{
    struct scales *s = ctx;
    (void)what;
    (void)blob;
    (void)err;
    *(kind == PT_BLOCK_CLOCK ? &s->weight.clock : &s->weight.blocks) += (int64_t)len;
    return 0;
}

int pt_weigh(const struct pt_weigh_frame *frames, uint32_t count,
             bool (*keep)(void *ctx, const char *name), void *ctx, struct pt_weight *ret,
             struct pt_err *err)
{
    struct scales s = {.frames = frames, .count = count};
    const struct pt_frames source = {.rewind = rewind_frames, .next = next_frame, .ctx = &s};
    const struct pt_seal_ops ops = {.bad = on_bad, .snaps = on_snaps, .block = on_block, .ctx = &s};
    struct pt_shapes *shapes = pt_shapes_new();
    if (!shapes)
        return pt_err_nomem(err);
    const int rc = pt_seal_chain(shapes, &source, &ops, keep, ctx, PT_SEAL_LEVEL, err);
    pt_shapes_free(shapes);
    if (rc < 0)
        return rc;
    *ret = s.weight;
    return 0;
}
