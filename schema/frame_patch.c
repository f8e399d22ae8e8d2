/* SPDX-License-Identifier: MIT
 * Edit scripts and rows back to readings. Everything is checked: what comes out is never longer
 * than the base and ten times the script together. */
#include "schema/frame_int.h"

static int bad(struct pt_err *err, const char *what)
{
    return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "an edit script %s", what);
}

/* Two shape numbers, translated. */
static bool get_shapes(struct pt_script_reader *s, struct pt_cur *c, const struct pt_shape *ret[2])
{
    for (int i = 0; i < 2; i++) {
        const uint64_t local = pt_cur_varint(c);
        const uint32_t id = local ? s->table(s->ctx, local) : 0;
        ret[i] = id ? pt_shapes_get(s->shapes, id) : NULL;
        if (!ret[i] && (local || i == 0)) {
            s->unknown |= local != 0;
            c->failed = true;
        }
        pt_buf_varint(&s->out, id);
    }
    return !c->failed;
}

static uint64_t slots_of(const struct pt_shape *const shape[2])
{
    return (uint64_t)shape[0]->nslots + (shape[1] ? shape[1]->nslots : 0);
}

static bool get_row(struct pt_script_reader *s, struct pt_cur *c)
{
    const struct pt_shape *shape[2];
    if (!get_shapes(s, c, shape))
        return false;
    const uint8_t *slots = c->p;
    const uint64_t n = slots_of(shape);
    if (n > pt_cur_left(c))
        c->failed = true;
    for (uint64_t i = 0; i < n && !c->failed; i++)
        pt_cur_varint(c);
    if (!c->failed)
        pt_buf_put(&s->out, slots, (size_t)(c->p - slots));
    return !c->failed;
}

/* A row after its length. */
static bool get_told_row(struct pt_script_reader *s, struct pt_cur *c)
{
    const uint64_t len = pt_cur_varint(c);
    const uint8_t *start = c->p;
    return get_row(s, c) && (uint64_t)(c->p - start) == len;
}

/* The slots of a row, some of them changed. */
static bool get_changes(struct pt_script_reader *s, const struct pt_row *row, uint64_t changes,
                        struct pt_cur *c)
{
    struct pt_cur was = pt_cur_of(row->slots, row->slots_len);
    uint32_t done = 0;
    for (uint64_t i = 0; i < changes; i++) {
        const uint64_t gap = pt_cur_varint(c);
        if (c->failed || gap >= row->nslots - done || s->next_change >= s->changes->n) {
            c->failed = true;
            return false;
        }
        const uint8_t *same = was.p;
        for (uint64_t k = 0; k < gap; k++)
            pt_cur_varint(&was);
        pt_buf_put(&s->out, same, (size_t)(was.p - same));
        pt_buf_varint(&s->out, pt_cur_varint(&was) + s->changes->v[s->next_change++].delta);
        done += (uint32_t)gap + 1;
    }
    pt_buf_put(&s->out, was.p, pt_cur_left(&was));
    return true;
}

static bool reshape(struct pt_script_reader *s, const struct pt_row *row, uint64_t changes,
                    struct pt_cur *c)
{
    const struct pt_shape *shape[2];
    if (!get_shapes(s, c, shape))
        return false;
    if (slots_of(shape) != row->nslots)
        c->failed = true;
    return !c->failed && get_changes(s, row, changes, c);
}

static bool change(struct pt_script_reader *s, const struct pt_row *row, uint64_t changes,
                   struct pt_cur *c)
{
    pt_buf_put(&s->out, row->start, (size_t)(row->slots - row->start));
    return changes > 0 && get_changes(s, row, changes, c);
}

/* Copies or skips n rows of the base. */
static bool pass_rows(struct pt_script_reader *s, struct pt_cur *base, uint64_t n, bool copy)
{
    struct pt_row row;
    for (uint64_t i = 0; i < n; i++) {
        if (!pt_row_next(s->shapes, base, &row))
            return false;
        if (copy)
            pt_buf_put(&s->out, row.start, (size_t)(base->p - row.start));
    }
    return n > 0;
}

static bool one_op(struct pt_script_reader *s, struct pt_cur *c, struct pt_cur *base,
                   uint32_t base_rows, uint64_t *nrows)
{
    const uint64_t word = pt_cur_varint(c), n = word >> 2;
    struct pt_row row;
    *nrows += 1;
    switch (word & 3) {
    case PT_OP_KEEP:
        *nrows += n - 1;
        return n <= base_rows && pass_rows(s, base, n, true);
    case PT_OP_DEL:
        *nrows -= 1;
        return n <= base_rows && pass_rows(s, base, n, false);
    case PT_OP_CHANGE:
        return pt_row_next(s->shapes, base, &row) && change(s, &row, n, c);
    default:
        if (n == 0)
            return get_told_row(s, c);
        return pt_row_next(s->shapes, base, &row) && reshape(s, &row, n - 1, c);
    }
}

static int finish(struct pt_script_reader *s, uint64_t nrows, struct pt_reading **ret,
                  struct pt_err *err)
{
    if (s->out.failed)
        return pt_err_nomem(err);
    if (nrows > UINT32_MAX)
        return bad(err, "makes too many rows");
    return pt_reading_make(s->shapes, (uint32_t)nrows, s->out.data, s->out.len, ret, err);
}

int pt_script_rows(struct pt_script_reader *s, struct pt_cur *c, struct pt_reading **ret,
                   struct pt_err *err)
{
    pt_buf_reset(&s->out);
    s->unknown = false;
    const uint64_t nrows = pt_cur_varint(c);
    for (uint64_t i = 0; i < nrows; i++)
        if (!get_row(s, c))
            return bad(err, "has a row that makes no sense");
    if (c->failed || pt_cur_left(c))
        return bad(err, "has rows of another length than it says");
    return finish(s, nrows, ret, err);
}

int pt_script_apply(struct pt_script_reader *s, const struct pt_reading *base, struct pt_cur *c,
                    struct pt_reading **ret, struct pt_err *err)
{
    pt_buf_reset(&s->out);
    s->unknown = false;
    struct pt_cur rows = base ? pt_cur_of(base->bytes, base->len) : pt_cur_of("", 0);
    const uint32_t base_rows = base ? base->nrows : 0;
    uint64_t nrows = 0;
    while (pt_cur_left(c))
        if (!one_op(s, c, &rows, base_rows, &nrows) || c->failed)
            return bad(err, "does not fit its base");
    struct pt_row row;
    while (pt_row_next(s->shapes, &rows, &row)) {
        pt_buf_put(&s->out, row.start, (size_t)(rows.p - row.start));
        nrows++;
    }
    return finish(s, nrows, ret, err);
}
