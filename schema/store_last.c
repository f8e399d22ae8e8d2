/* SPDX-License-Identifier: MIT
 * The last reading of every source in each segment: what things are called and where they are,
 * which hardly ever changes, without loading a view of every instant. */
#include "schema/store_db.h"

struct last {
    const struct pt_last_query *q;
    struct pt_shapes *shapes;
    const struct pt_snap *snaps;
    uint32_t nsnaps;
    /* of the source at hand: the last tick of the span at which it had a text */
    uint32_t lo, hi, tick;
    bool there, any, settled;
    uint64_t mark;    /* of the text at that tick */
    uint64_t at, row; /* the slot at hand, and what its value put into the mark */
};

static int no_instance(void *ctx, struct pt_instance *in)
{
    (void)ctx, (void)in;
    return 0;
}

static int on_presence(void *ctx, uint32_t tick, enum pt_presence presence, int why)
{
    struct last *l = ctx;
    (void)why;
    if (tick > l->hi)
        return 0;
    if (l->there && tick > l->lo) { /* it was there up to now */
        l->any = true;
        l->tick = tick - 1;
    }
    l->there = presence == PT_READ || presence == PT_CARRIED;
    return 0;
}

/* Finds the tick once all of presence is told; false: it never had a text. */
static bool settle(struct last *l)
{
    if (!l->settled && l->there)
        l->tick = l->hi;
    l->settled = true;
    return l->there || l->any;
}

/* ---- marks ---- */

static uint64_t mixed(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static int on_row(void *ctx, struct pt_instance *in)
{
    struct last *l = ctx;
    if (!settle(l) || in->born > l->tick || in->died <= l->tick)
        return 0;
    l->mark = mixed(mixed(l->mark, in->head->hash), in->body ? in->body->hash : 0);
    for (; in->nwant < l->q->slots && in->nwant < PT_SERIES_SLOTS; in->nwant++)
        in->want[in->nwant] = in->nwant;
    return in->nwant > 0;
}

/* The last value up to the tick counts: each takes the place of the one before. */
static int on_value(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value)
{
    struct last *l = ctx;
    const uint64_t at = (uint64_t)instance << 32 | slot;
    if (tick > l->tick)
        return 0;
    if (l->at == at)
        l->mark ^= l->row;
    l->at = at;
    l->row = mixed(mixed(at, value), 0);
    l->mark ^= l->row;
    return 0;
}

static int last_of_source(struct last *l, const struct pt_block *b, uint32_t source,
                          struct pt_err *err)
{
    /* presence is told before rows are */
    const struct pt_series_ops ops = {.instance = l->q->wanted ? on_row : no_instance,
                                      .value = on_value,
                                      .presence = on_presence};
    l->there = l->any = l->settled = false;
    l->mark = 0;
    l->at = UINT64_MAX;
    const int rc = pt_block_series(b, source, &ops, l, err);
    if (rc < 0)
        return rc;
    if (!settle(l))
        return 0;
    if (l->q->wanted &&
        !l->q->wanted(l->q->ctx, pt_block_name(b, source), pt_block_n(b, l->tick), l->mark))
        return 0;
    struct pt_source_at at;
    const struct pt_snap *snaps = l->nsnaps == pt_block_ticks(b) ? l->snaps : NULL;
    int r = pt_block_at(b, source, l->tick, snaps, &at, err);
    if (r < 0)
        return r;
    at.name = pt_block_name(b, source);
    if (at.reading)
        r = l->q->fn(l->q->ctx, &at, pt_block_n(b, l->tick));
    pt_reading_unref(l->shapes, at.reading);
    return r;
}

static int last_of_block(void *ctx, const struct pt_block *b, struct pt_err *err)
{
    struct last *l = ctx;
    const uint32_t nticks = pt_block_ticks(b);
    uint32_t lo = 0, hi = nticks;
    while (lo < nticks && pt_block_n(b, lo) < l->q->from)
        lo++;
    while (hi > lo && pt_block_n(b, hi - 1) > l->q->to)
        hi--;
    if (lo >= hi)
        return 0;
    l->lo = lo;
    l->hi = hi - 1;
    for (uint32_t i = 0; i < pt_block_sources(b); i++) {
        if (!pt_source_match(l->q->glob, pt_block_name(b, i)))
            continue;
        const int r = last_of_source(l, b, i, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_last_of_segment(struct pt_db *db, const struct pt_last_query *q, const struct pt_seg *seg,
                       struct pt_err *err)
{
    const struct pt_clock *clock;
    if (seg->last < q->from || seg->first > q->to)
        return 0;
    const int r = pt_db_clock(db, seg, &clock, err);
    if (r < 0)
        return r;
    struct last l = {.q = q, .shapes = db->shapes, .snaps = clock->snaps, .nsnaps = clock->count};
    const struct pt_block_query blocks = {.seg = seg,
                                          .groups = PT_GROUP_ALL,
                                          .glob = q->glob,
                                          .keep = true,
                                          .fn = last_of_block,
                                          .ctx = &l};
    return pt_db_blocks(db, &blocks, err);
}

int pt_last_of_run(struct pt_db *db, const struct pt_last_query *q, const struct pt_block *b,
                   const struct pt_snap *snaps, uint32_t nsnaps, struct pt_err *err)
{
    struct last l = {.q = q, .shapes = db->shapes, .snaps = snaps, .nsnaps = nsnaps};
    return last_of_block(&l, b, err);
}

int pt_db_last(struct pt_db *db, const struct pt_last_query *q, size_t n, struct pt_err *err)
{
    return pt_db_scan(db, NULL, 0, q, n, err);
}
