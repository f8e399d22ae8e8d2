/* SPDX-License-Identifier: MIT
 * See store_track.h. Of a busy process's stat some 10 of 50 slots change: 30 bytes instead of a
 * reading of 150; and a statm that stays the same for an hour is two bytes. That is what makes
 * passes few.
 *
 * The log: varint ticks << 1 for a run of readings by the clock of their snapshots that say the
 * same as before; or varint (ticks skipped << 1 | 1), u8 flags, [varint why], [varint zigzag
 * read_us - clock], [changes]. Changes: varint count, then { varint slots skipped, varint zigzag
 * delta } with slots counted over all rows. Never on disk. */
#include "schema/store_track.h"

#include <stdlib.h>

enum {
    PRESENCE = 7,
    HAS_WHY = 8,
    HAS_TIME = 16, /* other than the snapshot's clock */
    NO_TIME = 32,
    READING_SHIFT = 6,
};
enum { NONE = 0, SAME, CHANGED, FULL };

#define LOG_MAX (256u << 20)

void pt_track_release(struct pt_track *t, struct pt_shapes *shapes)
{
    for (uint32_t i = 0; i < t->nmore; i++)
        pt_reading_unref(shapes, t->more[i]);
    free(t->more);
    pt_reading_unref(shapes, t->first);
    pt_reading_unref(shapes, t->cur);
    free(t->log);
    *t = (struct pt_track){0};
}

/* ---- adding ---- */

/* As much as malloc gives for its least: its header of 8 bytes makes it a multiple of 16. */
#define LOG_LEAST 24u

static int append(struct pt_track *t, const uint8_t *bytes, size_t n)
{
    if (n > LOG_MAX - t->len)
        return -1;
    if (n > t->cap - t->len) {
        const uint32_t want = t->len + t->len / 2 + (uint32_t)n;
        const uint32_t cap = want < LOG_LEAST ? LOG_LEAST : (want + 7) / 16 * 16 + 8;
        uint8_t *log = realloc(t->log, cap);
        if (!log)
            return -1;
        t->held += cap - t->cap;
        t->log = log;
        t->cap = cap;
    }
    memcpy(t->log + t->len, bytes, n);
    t->len += (uint32_t)n;
    return 0;
}

static int end_run(struct pt_track *t)
{
    uint8_t bytes[PT_VARINT_MAX];
    if (!t->run)
        return 0;
    const size_t n = pt_varint_put(bytes, (uint64_t)t->run << 1);
    t->run = 0;
    return append(t, bytes, n);
}

/* The slots of b that differ from a; false when the rows are not the same. */
static bool put_changes(const struct pt_shapes *shapes, const struct pt_reading *a,
                        const struct pt_reading *b, struct pt_buf *out)
{
    struct pt_cur ca = pt_cur_of(a->bytes, a->len), cb = pt_cur_of(b->bytes, b->len);
    struct pt_row ra, rb;
    uint64_t skipped = 0;
    if (a->nrows != b->nrows)
        return false;
    while (pt_row_next(shapes, &ca, &ra) && pt_row_next(shapes, &cb, &rb)) {
        if (ra.head != rb.head || ra.body != rb.body)
            return false;
        if (ra.slots_len == rb.slots_len && memcmp(ra.slots, rb.slots, ra.slots_len) == 0) {
            skipped += ra.nslots;
            continue;
        }
        struct pt_cur sa = pt_cur_of(ra.slots, ra.slots_len),
                      sb = pt_cur_of(rb.slots, rb.slots_len);
        for (uint32_t i = 0; i < ra.nslots; i++, skipped++) {
            const uint64_t was = pt_cur_varint(&sa), is = pt_cur_varint(&sb);
            if (was == is)
                continue;
            pt_buf_varint(out, skipped + 1);
            pt_buf_varint(out, pt_zigzag((int64_t)(is - was)));
            skipped = UINT64_MAX; /* 0 at the next slot */
        }
    }
    pt_buf_varint(out, 0);
    return !ca.failed && !cb.failed;
}

static int put_full(struct pt_track *t, struct pt_reading *r)
{
    t->held += r->len + sizeof *r;
    if (!t->first) {
        t->first = pt_reading_ref(r);
        return 0;
    }
    if (t->nmore == t->more_cap) {
        const uint32_t cap = t->more_cap ? t->more_cap * 2 : 2;
        struct pt_reading **more = realloc(t->more, cap * sizeof *more);
        if (!more)
            return -1;
        t->held += (cap - t->more_cap) * sizeof *more;
        t->more = more;
        t->more_cap = cap;
    }
    t->more[t->nmore++] = pt_reading_ref(r);
    return 0;
}

static int put_event(struct pt_track *t, struct pt_shapes *shapes, uint32_t tick,
                     const struct pt_source_at *at, int64_t clock)
{
    struct pt_buf *out = pt_shapes_scratch(shapes);
    struct pt_reading *r = at->reading;
    const bool timed = at->read_us != clock && at->read_us != PT_UNKNOWN;
    unsigned flags = (unsigned)at->presence | (at->why ? HAS_WHY : 0u) | (timed ? HAS_TIME : 0u) |
                     (at->read_us == PT_UNKNOWN ? NO_TIME : 0u);
    pt_buf_reset(out);
    pt_buf_varint(out, (uint64_t)(tick - t->tick) << 1 | 1);
    const size_t at_flags = out->len;
    pt_buf_u8(out, 0);
    if (at->why)
        pt_buf_varint(out, (uint64_t)at->why);
    if (timed)
        pt_buf_varint(out, pt_zigzag((int64_t)((uint64_t)at->read_us - (uint64_t)clock)));
    const size_t undo = out->len;
    unsigned how = r ? FULL : NONE;
    if (r && r == t->cur)
        how = SAME;
    else if (r && t->cur && put_changes(shapes, t->cur, r, out))
        how = CHANGED;
    else
        out->len = undo;
    if (out->failed || (how == FULL && put_full(t, r) < 0))
        return -1;
    out->data[at_flags] = (uint8_t)(flags | how << READING_SHIFT);
    return append(t, out->data, out->len);
}

int pt_track_add(struct pt_track *t, struct pt_shapes *shapes, uint32_t tick,
                 const struct pt_source_at *at, const struct pt_snap *snaps, struct pt_err *err)
{
    if (at->presence == PT_READ && at->reading && at->reading == t->cur && tick == t->tick &&
        at->read_us == snaps[tick].real_us) {
        t->run++;
        t->tick++;
        return 0;
    }
    if (end_run(t) < 0 || put_event(t, shapes, tick, at, snaps[tick].real_us) < 0)
        return pt_err_nomem(err);
    t->tick = tick + 1;
    if (at->reading && at->reading != t->cur) {
        pt_reading_unref(shapes, t->cur);
        t->cur = pt_reading_ref(at->reading);
    }
    return 0;
}

/* ---- playing ---- */

struct play {
    struct pt_shapes *shapes;
    struct pt_cur c;
    struct pt_reading *cur;
    uint32_t nfull;
    struct pt_buf bytes;
};

/* The next reading: cur with the changes that c tells. */
static int get_changes(struct play *p, struct pt_err *err)
{
    struct pt_cur from = pt_cur_of(p->cur->bytes, p->cur->len);
    struct pt_row row;
    uint64_t left = pt_cur_varint(&p->c); /* slots to the next change, plus 1; 0: none */
    pt_buf_reset(&p->bytes);
    while (pt_row_next(p->shapes, &from, &row)) {
        if (left == 0 || left > row.nslots) {
            pt_buf_put(&p->bytes, row.start, (size_t)(row.slots - row.start) + row.slots_len);
            left -= left ? row.nslots : 0;
            continue;
        }
        struct pt_cur slots = pt_cur_of(row.slots, row.slots_len);
        pt_buf_put(&p->bytes, row.start, (size_t)(row.slots - row.start));
        for (uint32_t i = 0; i < row.nslots; i++) {
            uint64_t v = pt_cur_varint(&slots);
            if (left > 0 && --left == 0) {
                v += (uint64_t)pt_unzigzag(pt_cur_varint(&p->c));
                left = pt_cur_varint(&p->c);
            }
            pt_buf_varint(&p->bytes, v);
        }
    }
    struct pt_reading *r;
    if (p->bytes.failed)
        return pt_err_nomem(err);
    const int rc = pt_reading_make(p->shapes, p->cur->nrows, p->bytes.data, p->bytes.len, &r, err);
    if (rc < 0)
        return rc;
    pt_reading_unref(p->shapes, p->cur);
    p->cur = r;
    return 0;
}

static int get_event(struct pt_track *t, struct play *p, struct pt_source_at *at, int64_t clock,
                     struct pt_err *err)
{
    const unsigned flags = pt_cur_u8(&p->c), how = flags >> READING_SHIFT;
    int rc = 0;
    at->presence = (enum pt_presence)(flags & PRESENCE);
    at->why = flags & HAS_WHY ? (int)pt_cur_varint(&p->c) : 0;
    at->read_us = flags & NO_TIME ? PT_UNKNOWN : clock;
    if (flags & HAS_TIME)
        at->read_us = (int64_t)((uint64_t)clock + (uint64_t)pt_unzigzag(pt_cur_varint(&p->c)));
    if (how == CHANGED) {
        rc = get_changes(p, err);
    } else if (how == FULL) {
        pt_reading_unref(p->shapes, p->cur);
        p->cur = pt_reading_ref(p->nfull ? t->more[p->nfull - 1] : t->first);
        p->nfull++;
    }
    at->reading = how == NONE ? NULL : p->cur;
    return rc;
}

int pt_track_play(struct pt_track *t, struct pt_shapes *shapes, const struct pt_snap *snaps,
                  int (*fn)(void *ctx, uint32_t tick, const struct pt_source_at *at,
                            struct pt_err *err),
                  void *ctx, struct pt_err *err)
{
    if (end_run(t) < 0)
        return pt_err_nomem(err);
    struct play p = {.shapes = shapes, .c = pt_cur_of(t->log, t->len)};
    uint32_t tick = 0;
    int rc = 0;
    pt_buf_init(&p.bytes, LOG_MAX);
    while (rc >= 0 && pt_cur_left(&p.c) > 0) {
        const uint64_t op = pt_cur_varint(&p.c);
        struct pt_source_at at = {.presence = PT_READ, .reading = p.cur};
        if (op & 1) {
            tick += (uint32_t)(op >> 1);
            rc = get_event(t, &p, &at, snaps[tick].real_us, err);
            rc = rc < 0 ? rc : fn(ctx, tick++, &at, err);
            continue;
        }
        for (uint64_t i = 0; i < op >> 1 && rc >= 0; i++, tick++) {
            at.read_us = snaps[tick].real_us;
            rc = fn(ctx, tick, &at, err);
        }
    }
    pt_reading_unref(shapes, p.cur);
    pt_buf_release(&p.bytes);
    return rc;
}
