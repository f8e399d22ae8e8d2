/* SPDX-License-Identifier: MIT
 * Edit scripts: one reading told as the changes of another (FORMAT.md, "Edit scripts"). */
#include "schema/frame_int.h"

struct writer {
    const struct pt_script_ids *ids;
    struct pt_buf *out;
    uint32_t class_id;
    struct pt_changes *told;     /* slots and deltas */
    struct pt_buf changes;       /* gaps of the row being changed */
    uint32_t nchanges, slot;     /* so far; the slot after the last one */
    uint32_t row;                /* of `from`, being changed */
    uint32_t from_next, to_next; /* rows told so far, deletions that wait included */
    uint32_t dels;               /* deletions that wait: the last may turn out to be a new shape */
    struct pt_row deleted;
};

static void op(struct writer *w, unsigned code, uint32_t n)
{
    pt_buf_varint(w->out, (uint64_t)n << 2 | code);
}

/* Into the script, and empty: with what failed in it, which being emptied would forget. */
static void take_changes(struct writer *w)
{
    pt_buf_put(w->out, w->changes.data, w->changes.len);
    w->out->failed |= w->changes.failed;
    pt_buf_reset(&w->changes);
}

static void flush_change(struct writer *w)
{
    if (!w->nchanges)
        return;
    op(w, PT_OP_CHANGE, w->nchanges);
    take_changes(w);
    w->nchanges = 0;
}

static void flush(struct writer *w)
{
    flush_change(w);
    if (w->dels)
        op(w, PT_OP_DEL, w->dels);
    w->dels = 0;
}

static void keep(struct writer *w, uint32_t n)
{
    if (!n)
        return;
    flush(w);
    op(w, PT_OP_KEEP, n);
    w->from_next += n;
    w->to_next += n;
}

static void put_change(struct writer *w, uint32_t slot, uint64_t was, uint64_t is)
{
    pt_buf_varint(&w->changes, slot - w->slot);
    pt_changes_add(w->told, w->class_id, slot, is - was);
    w->slot = slot + 1;
    w->nchanges++;
}

static int on_del(void *ctx, uint32_t from_row, const struct pt_row *row)
{
    struct writer *w = ctx;
    keep(w, from_row - w->from_next);
    flush_change(w);
    w->deleted = *row;
    w->dels++;
    w->from_next++;
    return 0;
}

static uint32_t local_of(const struct writer *w, const struct pt_shape *shape)
{
    return shape ? w->ids->local(w->ids->ctx, shape->id) : 0;
}

static void reshape(struct writer *w, const struct pt_row *row)
{
    struct pt_cur was = pt_cur_of(w->deleted.slots, w->deleted.slots_len),
                  is = pt_cur_of(row->slots, row->slots_len);
    w->slot = 0;
    for (uint32_t i = 0; i < row->nslots; i++) {
        const uint64_t a = pt_cur_varint(&was), b = pt_cur_varint(&is);
        if (a != b)
            put_change(w, i, a, b);
    }
    op(w, PT_OP_INS, w->nchanges + 1);
    pt_buf_varint(w->out, local_of(w, row->head));
    pt_buf_varint(w->out, local_of(w, row->body));
    take_changes(w);
    w->nchanges = 0;
}

void pt_script_row(const struct pt_row *row, const struct pt_script_ids *ids, struct pt_buf *out)
{
    pt_buf_varint(out, ids->local(ids->ctx, row->head->id));
    pt_buf_varint(out, row->body ? ids->local(ids->ctx, row->body->id) : 0);
    pt_buf_put(out, row->slots, row->slots_len);
}

/* A row in full, with its length: so that a script can be walked without its shapes. */
static void put_row(struct writer *w, const struct pt_row *row)
{
    pt_buf_reset(&w->changes);
    pt_script_row(row, w->ids, &w->changes);
    op(w, PT_OP_INS, 0);
    pt_buf_varint(w->out, w->changes.len);
    take_changes(w);
}

static int on_ins(void *ctx, uint32_t to_row, const struct pt_row *row)
{
    struct writer *w = ctx;
    keep(w, to_row - w->to_next);
    flush_change(w);
    w->to_next++;
    if (w->dels && w->deleted.nslots == row->nslots) {
        w->dels--;
        flush(w);
        reshape(w, row);
    } else {
        flush(w);
        put_row(w, row);
    }
    return 0;
}

static int on_change(void *ctx, uint32_t from_row, uint32_t to_row, uint32_t slot, uint64_t was,
                     uint64_t is)
{
    struct writer *w = ctx;
    if (!w->nchanges || w->row != from_row) {
        flush_change(w);
        if (from_row - w->from_next != to_row - w->to_next)
            return -PT_EUSAGE; /* not in row order: pt_script_put falls back to a full one */
        keep(w, from_row - w->from_next);
        flush(w);
        w->row = from_row;
        w->slot = 0;
        w->from_next++;
        w->to_next++;
    }
    put_change(w, slot, was, is);
    return 0;
}

static int put_full(const struct pt_shapes *t, const struct pt_reading *from,
                    const struct pt_reading *to, struct writer *w, struct pt_err *err)
{
    if (from->nrows)
        op(w, PT_OP_DEL, from->nrows);
    struct pt_cur c = pt_cur_of(to->bytes, to->len);
    struct pt_row row;
    while (pt_row_next(t, &c, &row)) {
        put_row(w, &row);
    }
    return c.failed ? pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "a reading is not well formed") : 0;
}

/* Passes over the varints both begin with; returns their number. */
static uint32_t skip_equal(struct pt_cur *a, struct pt_cur *b)
{
    const uint8_t *p = a->p, *q = b->p;
    uint32_t n = 0;
    for (uint64_t x, y; a->end - p >= 8 && b->end - q >= 8; p += 8, q += 8) {
        memcpy(&x, p, sizeof x);
        memcpy(&y, q, sizeof y);
        if (x != y)
            break;
        n += pt_varint_ends(x);
    }
    for (; p > a->p && p[-1] >= 0x80; p--, q--)
        ; /* back to the start of one that goes on */
    a->p = p;
    b->p = q;
    return n;
}

/* Most readings are one row of one shape that stays: walked here without a detour. */
static bool put_single(const struct pt_shapes *t, const struct pt_reading *from,
                       const struct pt_reading *to, struct writer *w)
{
    if (from->nrows != 1 || to->nrows != 1)
        return false;
    struct pt_cur ca = pt_cur_of(from->bytes, from->len), cb = pt_cur_of(to->bytes, to->len);
    struct pt_row a, b;
    if (!pt_row_next(t, &ca, &a) || !pt_row_next(t, &cb, &b) || a.nslots != b.nslots)
        return false;
    if (a.head != b.head || a.body != b.body) {
        w->deleted = a;
        reshape(w, &b);
        return true;
    }
    struct pt_cur was = pt_cur_of(a.slots, a.slots_len), is = pt_cur_of(b.slots, b.slots_len);
    for (uint32_t i = skip_equal(&was, &is); i < a.nslots; i += 1 + skip_equal(&was, &is)) {
        const uint64_t x = pt_cur_varint(&was), y = pt_cur_varint(&is);
        if (x != y)
            put_change(w, i, x, y);
    }
    flush_change(w);
    return true;
}

int pt_script_put(struct pt_shapes *t, enum pt_key key, const struct pt_reading *from,
                  const struct pt_reading *to, const struct pt_script_ids *ids, uint32_t class_id,
                  struct pt_changes *changes, struct pt_buf *part, struct pt_buf *out,
                  struct pt_err *err)
{
    static const struct pt_diff_ops ops = {.del = on_del, .ins = on_ins, .change = on_change};
    struct writer w = {
        .ids = ids, .out = out, .class_id = class_id, .told = changes, .changes = *part};
    const uint32_t first = changes->n;
    const size_t start = out->len;
    pt_buf_reset(&w.changes);
    int rc = 0;
    if (!put_single(t, from, to, &w)) {
        rc = pt_reading_diff(t, key, from, to, &ops, &w, NULL);
        flush(&w);
        if (rc < 0) {
            out->len = start;
            changes->n = first;
            pt_buf_reset(&w.changes);
            w.nchanges = 0;
            rc = put_full(t, from, to, &w, err);
        }
    }
    *part = w.changes;
    return rc < 0 ? rc : out->failed || part->failed || changes->failed ? pt_err_nomem(err) : 0;
}
