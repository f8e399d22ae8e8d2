/* SPDX-License-Identifier: MIT
 * The difference of two readings of one source, row by row. Rows at the front that obviously
 * correspond are walked as they stand; from the first one that does not, both rests are laid out in
 * arrays, anchored where their keys agree, and the gaps between anchors are filled in order. See
 * reading.h for what makes rows the same. */
#include "schema/reading.h"

/* Scratch that a huge table has grown is not kept. */
#define KEEP (256u << 10)

struct differ {
    struct pt_shapes *shapes;
    enum pt_key key;
    const struct pt_diff_ops *ops;
    void *ctx;
};

/* A row laid out: key is what rows are told apart by, [start, end) only for PT_KEY_RANGE. */
struct flat {
    struct pt_row row;
    uint64_t key, end;
};

static struct flat flatten(const struct differ *d, const struct pt_row *row)
{
    struct flat f = {.row = *row};
    struct pt_cur c = pt_cur_of(row->slots, row->slots_len);
    const uint32_t slots = row->head->nslots;
    switch (d->key) {
    case PT_KEY_SHAPE:
        f.key = row->head->id;
        break;
    case PT_KEY_RANGE:
    case PT_KEY_SLOT0:
        f.key = slots > 0 ? pt_cur_varint(&c) : UINT64_MAX;
        f.end = slots > 1 ? pt_cur_varint(&c) : UINT64_MAX;
        break;
    case PT_KEY_SLOT1:
        pt_cur_varint(&c);
        f.key = slots > 1 ? pt_cur_varint(&c) : UINT64_MAX;
        break;
    case PT_KEY_NONE:
        break;
    }
    return f;
}

static bool same_shape(const struct pt_row *a, const struct pt_row *b)
{
    return a->head == b->head && a->body == b->body;
}

/* May a kept row connect these two? They have one key, or for ranges one end or an overlap, and one
 * shape. */
static bool same_key(const struct differ *d, const struct flat *a, const struct flat *b)
{
    return a->key == b->key || (d->key == PT_KEY_RANGE && a->end == b->end);
}

static bool overlap(const struct differ *d, const struct flat *a, const struct flat *b)
{
    return d->key == PT_KEY_RANGE && a->key < b->end && b->key < a->end;
}

static int kept(const struct differ *d, uint32_t i, const struct pt_row *a, uint32_t j,
                const struct pt_row *b)
{
    if (a->slots_len == b->slots_len && memcmp(a->slots, b->slots, a->slots_len) == 0)
        return 0;
    struct pt_cur ca = pt_cur_of(a->slots, a->slots_len), cb = pt_cur_of(b->slots, b->slots_len);
    for (uint32_t slot = 0; slot < a->nslots; slot++) {
        const uint64_t was = pt_cur_varint(&ca), is = pt_cur_varint(&cb);
        const int r = was != is && d->ops->change ? d->ops->change(d->ctx, i, j, slot, was, is) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int tell(int (*fn)(void *ctx, uint32_t number, const struct pt_row *row), void *ctx,
                uint32_t number, const struct pt_row *row)
{
    return fn ? fn(ctx, number, row) : 0;
}

/* Two rows that stand for the same thing: kept, or, of another shape, replaced. */
static int matched(const struct differ *d, uint32_t i, const struct pt_row *a, uint32_t j,
                   const struct pt_row *b)
{
    if (same_shape(a, b))
        return kept(d, i, a, j, b);
    const int r = tell(d->ops->del, d->ctx, i, a);
    return r < 0 ? r : tell(d->ops->ins, d->ctx, j, b);
}

/* ---- rests that do not obviously correspond ---- */

struct rest {
    struct flat *rows;
    uint32_t n, first; /* number of rows[0] in its reading */
};

/* Both rests and what anchors them, in the table's scratch. */
struct layout {
    struct rest from, to;
    uint32_t *anchor;       /* by row of `to`: 1 + the row of `from` it is kept from, 0: none */
    uint32_t *heads, *next; /* rows of `from` by hash of key: 1 + the row */
    uint32_t mask;
};

static void rest_load(const struct differ *d, struct pt_cur c, uint32_t n, struct rest *ret)
{
    struct pt_row row;
    while (ret->n < n && pt_row_next(d->shapes, &c, &row))
        ret->rows[ret->n++] = flatten(d, &row);
}

static int lay_out(const struct differ *d, uint32_t first, const struct pt_cur *from,
                   uint32_t nfrom, const struct pt_cur *to, uint32_t nto, struct layout *ret)
{
    struct pt_buf *scratch = pt_shapes_scratch(d->shapes);
    size_t size = 16;
    while (size < (size_t)nfrom * 2)
        size *= 2;
    const size_t rows = (size_t)nfrom + nto, numbers = rows + size;
    pt_buf_reset(scratch);
    uint8_t *p = pt_buf_room(scratch, rows * sizeof(struct flat) + numbers * sizeof(uint32_t));
    if (!p)
        return -PT_ENOMEM;
    struct flat *flat = (struct flat *)(void *)p;
    uint32_t *number = (uint32_t *)(void *)(flat + rows);
    memset(number, 0, numbers * sizeof *number);
    *ret = (struct layout){.from = {.rows = flat, .first = first},
                           .to = {.rows = flat + nfrom, .first = first},
                           .anchor = number,
                           .next = number + nto,
                           .heads = number + rows,
                           .mask = (uint32_t)size - 1};
    rest_load(d, *from, nfrom, &ret->from);
    rest_load(d, *to, nto, &ret->to);
    return 0;
}

static uint32_t bucket_of(uint64_t key, uint32_t mask)
{
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & mask;
}

/* Anchors ascend, so that kept rows keep their order. The k-th of several rows of one key goes with
 * the k-th. */
static void set_anchors(struct layout *l)
{
    for (uint32_t i = l->from.n; i-- > 0;) { /* backwards, so that chains run forwards */
        uint32_t *head = &l->heads[bucket_of(l->from.rows[i].key, l->mask)];
        l->next[i] = *head;
        *head = i + 1;
    }
    uint32_t last = 0;
    for (uint32_t j = 0; j < l->to.n; j++) {
        const uint64_t key = l->to.rows[j].key;
        uint32_t *link = &l->heads[bucket_of(key, l->mask)];
        while (*link && (*link <= last || l->from.rows[*link - 1].key != key)) {
            if (*link <= last)
                *link = l->next[*link - 1]; /* behind the last anchor: of no use to anybody */
            else
                link = &l->next[*link - 1];
        }
        l->anchor[j] = *link;
        if (*link) {
            last = *link;
            *link = l->next[*link - 1];
        }
    }
}

/* Rows i..i_end of `from` and j..j_end of `to`, none of which has a key in common: by end or
 * overlap, in order. */
static int fill_gap(const struct differ *d, const struct rest *from, uint32_t i, uint32_t i_end,
                    const struct rest *to, uint32_t j, uint32_t j_end)
{
    int r = 0;
    while (r >= 0 && (i < i_end || j < j_end)) {
        const struct flat *a = i < i_end ? &from->rows[i] : NULL,
                          *b = j < j_end ? &to->rows[j] : NULL;
        const bool pair = a && b && d->key == PT_KEY_RANGE;
        const bool a_later = pair && j + 1 < j_end && same_key(d, a, b + 1);
        const bool b_later = pair && i + 1 < i_end && same_key(d, a + 1, b);
        const bool match =
            (pair && (same_key(d, a, b) || (overlap(d, a, b) && !a_later && !b_later))) ||
            (a && b && d->key == PT_KEY_NONE);
        if (match) {
            r = matched(d, from->first + i, &a->row, to->first + j, &b->row);
            i++;
            j++;
        } else if (a && (!b || b_later || (pair && !a_later && a->end <= b->key) || !pair)) {
            r = tell(d->ops->del, d->ctx, from->first + i++, &a->row);
        } else {
            r = tell(d->ops->ins, d->ctx, to->first + j++, &b->row);
        }
    }
    return r;
}

static int diff_rests(const struct differ *d, const struct layout *l)
{
    const struct rest *from = &l->from, *to = &l->to;
    uint32_t i = 0, j = 0;
    int r = 0;
    for (uint32_t k = 0; r >= 0 && k < to->n; k++) {
        if (!l->anchor[k])
            continue;
        r = fill_gap(d, from, i, l->anchor[k] - 1, to, j, k);
        i = l->anchor[k];
        j = k + 1;
        if (r >= 0)
            r = matched(d, from->first + i - 1, &from->rows[i - 1].row, to->first + k,
                        &to->rows[k].row);
    }
    return r < 0 ? r : fill_gap(d, from, i, from->n, to, j, to->n);
}

/* Does the row of `to` at the front stand for the row of `from` at the front, without a look
 * further? */
static bool obvious(const struct differ *d, const struct pt_row *a, const struct pt_row *b)
{
    if (d->key == PT_KEY_NONE)
        return true;
    const struct flat fa = flatten(d, a), fb = flatten(d, b);
    return fa.key == fb.key;
}

int pt_reading_diff(struct pt_shapes *t, enum pt_key key, const struct pt_reading *from,
                    const struct pt_reading *to, const struct pt_diff_ops *ops, void *ctx,
                    struct pt_err *err)
{
    const struct differ d = {.shapes = t, .key = key, .ops = ops, .ctx = ctx};
    const uint32_t nfrom = from ? from->nrows : 0;
    struct pt_cur ca = from ? pt_cur_of(from->bytes, from->len) : pt_cur_of("", 0);
    struct pt_cur cb = pt_cur_of(to->bytes, to->len);
    uint32_t n = 0;
    int r = 0;
    for (; r >= 0 && n < nfrom && n < to->nrows; n++) {
        struct pt_cur pa = ca, pb = cb;
        struct pt_row a, b;
        if (!pt_row_next(t, &pa, &a) || !pt_row_next(t, &pb, &b) || !obvious(&d, &a, &b))
            break;
        r = matched(&d, n, &a, n, &b);
        ca = pa;
        cb = pb;
    }
    if (r < 0 || (n == nfrom && n == to->nrows))
        return r;
    struct layout l;
    r = lay_out(&d, n, &ca, nfrom - n, &cb, to->nrows - n, &l);
    if (r >= 0 && key != PT_KEY_NONE)
        set_anchors(&l);
    if (r >= 0)
        r = diff_rests(&d, &l);
    struct pt_buf *scratch = pt_shapes_scratch(t);
    if (scratch->cap > KEEP || scratch->failed)
        pt_buf_release(scratch);
    return r == -PT_ENOMEM ? pt_err_nomem(err) : r;
}
