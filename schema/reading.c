/* SPDX-License-Identifier: MIT
 * Readings: packing a text row by row, and printing it again. Comparing two is in diff.c. See
 * reading.h. */
#include "schema/reading.h"

struct pt_reading *pt_reading_ref(struct pt_reading *r)
{
    r->refs++;
    return r;
}

bool pt_reading_equal(const struct pt_reading *a, const struct pt_reading *b)
{
    return a == b || (a && b && a->len == b->len && a->nrows == b->nrows &&
                      memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* Skips n varints; false when the bytes end first. */
static bool skip_varints(struct pt_cur *c, uint32_t n)
{
    const uint8_t *p = c->p;
    for (uint64_t w; n >= 8 && c->end - p >= 8; p += 8) {
        memcpy(&w, p, sizeof w);
        n -= pt_varint_ends(w);
    }
    for (; n > 0; n--) {
        while (p < c->end && *p >= 0x80)
            p++;
        if (p++ >= c->end)
            return false;
    }
    c->p = p;
    return true;
}

bool pt_row_next(const struct pt_shapes *t, struct pt_cur *c, struct pt_row *ret)
{
    if (c->failed || c->p == c->end)
        return false;
    ret->start = c->p;
    const uint64_t head = pt_cur_varint(c), body = pt_cur_varint(c);
    ret->head = head <= UINT32_MAX ? pt_shapes_get(t, (uint32_t)head) : NULL;
    ret->body = body && body <= UINT32_MAX ? pt_shapes_get(t, (uint32_t)body) : NULL;
    ret->slots = c->p;
    if (c->failed || !ret->head || (body && !ret->body)) {
        c->failed = true;
        return false;
    }
    ret->nslots = ret->head->nslots + (ret->body ? ret->body->nslots : 0);
    if (!skip_varints(c, ret->nslots)) {
        c->failed = true;
        return false;
    }
    ret->slots_len = (size_t)(c->p - ret->slots);
    return true;
}

void pt_row_slots(const struct pt_row *row, uint64_t *ret)
{
    struct pt_cur c = pt_cur_of(row->slots, row->slots_len);
    for (uint32_t i = 0; i < row->nslots; i++)
        ret[i] = pt_cur_varint(&c);
}

/* Adds or drops one reference to every shape that `nrows` rows name. */
static void rows_refer(struct pt_shapes *t, const uint8_t *bytes, size_t len, bool add)
{
    struct pt_cur c = pt_cur_of(bytes, len);
    struct pt_row row;
    void (*refer)(struct pt_shapes *, uint32_t) = add ? pt_shapes_ref : pt_shapes_unref;
    while (pt_row_next(t, &c, &row)) {
        const struct pt_shape *body = row.body;
        refer(t, row.head->id);
        if (body)
            refer(t, body->id);
    }
}

void pt_reading_unref(struct pt_shapes *t, struct pt_reading *r)
{
    if (!r || --r->refs > 0)
        return;
    rows_refer(t, r->bytes, r->len, false);
    pt_pool_give(pt_shapes_pool(t), r, sizeof *r + r->len);
}

static struct pt_reading *reading_alloc(struct pt_shapes *t, uint32_t nrows, const uint8_t *bytes,
                                        size_t len)
{
    struct pt_reading *r =
        len <= UINT32_MAX ? pt_pool_take(pt_shapes_pool(t), sizeof *r + len) : NULL;
    if (r) {
        *r = (struct pt_reading){.refs = 1, .nrows = nrows, .len = (uint32_t)len};
        if (len)
            memcpy(r->bytes, bytes, len);
    }
    return r;
}

int pt_reading_make(struct pt_shapes *t, uint32_t nrows, const uint8_t *bytes, size_t len,
                    struct pt_reading **ret, struct pt_err *err)
{
    struct pt_cur c = pt_cur_of(bytes, len);
    struct pt_row row;
    uint32_t n = 0;
    while (pt_row_next(t, &c, &row))
        n++;
    if (c.failed || n != nrows)
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "rows of a reading are not well formed");
    struct pt_reading *r = reading_alloc(t, nrows, bytes, len);
    if (!r)
        return pt_err_nomem(err);
    rows_refer(t, r->bytes, r->len, true);
    *ret = r;
    return 0;
}

/* ---- text to reading ---- */

void pt_pack_init(struct pt_pack *p, struct pt_shapes *shapes)
{
    *p = (struct pt_pack){.shapes = shapes};
    pt_buf_init(&p->carry, PT_TEXT_MAX);
    pt_buf_init(&p->out, PT_TEXT_MAX);
    pt_buf_init(&p->wire, PT_TEXT_MAX);
    pt_buf_init(&p->slots, PT_TEXT_MAX);
}

void pt_pack_release(struct pt_pack *p)
{
    pt_buf_release(&p->carry);
    pt_buf_release(&p->out);
    pt_buf_release(&p->wire);
    pt_buf_release(&p->slots);
}

void pt_pack_begin(struct pt_pack *p, const struct pt_grammar *g, const struct pt_reading *prev)
{
    p->grammar = g;
    p->prev = prev;
    p->prev_cur = prev ? pt_cur_of(prev->bytes, prev->len) : pt_cur_of("", 0);
    p->last_head = p->last_body = 0;
    p->nrows = 0;
    p->total = 0;
    pt_buf_reset(&p->carry);
    pt_buf_reset(&p->out);
}

/* Buffers that one huge text has grown are not kept. */
static void shrink(struct pt_buf *b)
{
    enum { KEEP = 256 << 10 };
    if (b->cap > KEEP)
        pt_buf_release(b);
    else
        pt_buf_reset(b);
}

static void pack_done(struct pt_pack *p)
{
    p->prev = NULL;
    p->nrows = 0;
    shrink(&p->carry);
    shrink(&p->out);
    shrink(&p->wire);
    shrink(&p->slots);
}

void pt_pack_abort(struct pt_pack *p)
{
    rows_refer(p->shapes, p->out.data, p->out.len, false);
    pack_done(p);
}

/* A new shape for a text that fits none at hand, widened over the one expected (guess, may be 0)
 * where columns only changed their width. Returns its id with a reference, slot values in p->slots.
 */
static int64_t new_shape(struct pt_pack *p, enum pt_lex lex, uint32_t guess, const char *text,
                         size_t len, struct pt_err *err)
{
    const size_t base = p->slots.len;
    pt_buf_reset(&p->wire);
    pt_lex(lex, p->grammar->width, text, len, &p->wire, &p->slots);
    if (p->wire.failed || p->slots.failed)
        return pt_err_nomem(err);
    int64_t id = pt_shapes_intern(p->shapes, p->wire.data, p->wire.len, err);
    const struct pt_shape *old = guess && id > 0 ? pt_shapes_get(p->shapes, guess) : NULL;
    pt_buf_reset(&p->wire);
    if (old && old->id != id &&
        pt_shape_widen(old, pt_shapes_get(p->shapes, (uint32_t)id), &p->wire) == 0) {
        const int64_t wide = pt_shapes_intern(p->shapes, p->wire.data, p->wire.len, err);
        const size_t narrow_end = p->slots.len;
        if (wide > 0 &&
            pt_shape_match(pt_shapes_get(p->shapes, (uint32_t)wide), text, len, &p->slots) == 0) {
            p->slots.len = narrow_end; /* the same values */
            pt_shapes_unref(p->shapes, (uint32_t)id);
            return wide;
        }
        if (wide > 0)
            pt_shapes_unref(p->shapes, (uint32_t)wide);
    }
    if (id <= 0)
        return id;
    /* The proof. What does not come back exactly is stored as it is. */
    p->slots.len = base;
    if (pt_shape_match(pt_shapes_get(p->shapes, (uint32_t)id), text, len, &p->slots) == 0)
        return id;
    pt_shapes_unref(p->shapes, (uint32_t)id);
    p->slots.len = base;
    pt_buf_reset(&p->wire);
    pt_lex(PT_LEX_NONE, 0, text, len, &p->wire, &p->slots);
    if (p->wire.failed)
        return pt_err_nomem(err);
    return pt_shapes_intern(p->shapes, p->wire.data, p->wire.len, err);
}

/* One piece of a row: its shape id with a reference, values appended to p->slots. */
static int64_t pack_piece(struct pt_pack *p, enum pt_lex lex, uint32_t expected, uint32_t last,
                          const char *text, size_t len, struct pt_err *err)
{
    const uint32_t guesses[2] = {expected, last != expected ? last : 0};
    for (int i = 0; i < 2; i++) {
        if (guesses[i] &&
            pt_shape_match(pt_shapes_get(p->shapes, guesses[i]), text, len, &p->slots) == 0) {
            pt_shapes_ref(p->shapes, guesses[i]);
            return guesses[i];
        }
    }
    return new_shape(p, lex, expected, text, len, err);
}

static int pack_row(struct pt_pack *p, const char *text, size_t len, struct pt_err *err)
{
    struct pt_row was = {0};
    const bool has_prev = pt_row_next(p->shapes, &p->prev_cur, &was);
    const char *feed = p->grammar->rows == PT_ROWS_SMAPS ? memchr(text, '\n', len) : NULL;
    const size_t head_len = feed ? (size_t)(feed + 1 - text) : len;
    pt_buf_reset(&p->slots);
    const int64_t head = pack_piece(p, p->grammar->head, has_prev ? was.head->id : 0, p->last_head,
                                    text, head_len, err);
    if (head <= 0)
        return (int)head;
    int64_t body = 0;
    if (head_len < len) {
        body = pack_piece(p, p->grammar->body, has_prev && was.body ? was.body->id : 0,
                          p->last_body, text + head_len, len - head_len, err);
        if (body <= 0) {
            pt_shapes_unref(p->shapes, (uint32_t)head);
            return (int)body;
        }
        p->last_body = (uint32_t)body;
    }
    p->last_head = (uint32_t)head;
    const size_t row = p->out.len;
    pt_buf_varint(&p->out, (uint64_t)head);
    pt_buf_varint(&p->out, (uint64_t)body);
    pt_buf_put(&p->out, p->slots.data, p->slots.len);
    if (p->out.failed || p->nrows == UINT32_MAX) {
        p->out.len = row;
        pt_shapes_unref(p->shapes, (uint32_t)head);
        if (body)
            pt_shapes_unref(p->shapes, (uint32_t)body);
        return pt_err_nomem(err);
    }
    p->nrows++;
    return 0;
}

/* The length of the first row of text, or 0 when its end is not in sight yet. */
static size_t row_end(enum pt_rows rows, const char *text, size_t len)
{
    for (size_t i = 0; rows != PT_ROWS_WHOLE && i < len;) {
        const char *feed = memchr(text + i, '\n', len - i);
        if (!feed)
            return 0;
        i = (size_t)(feed + 1 - text);
        if (rows == PT_ROWS_LINES)
            return i;
        /* fields of a mapping begin with a capital; the next mapping with its address */
        if (i < len && ((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return i;
    }
    return 0;
}

/* Packs the complete rows of text; *ret_used is where the unfinished one begins. */
static int pack_rows(struct pt_pack *p, const char *text, size_t len, size_t *ret_used,
                     struct pt_err *err)
{
    size_t used = 0, n;
    while ((n = row_end(p->grammar->rows, text + used, len - used)) > 0) {
        const int r = pack_row(p, text + used, n, err);
        if (r < 0)
            return r;
        used += n;
    }
    *ret_used = used;
    return 0;
}

int pt_pack_feed(struct pt_pack *p, const void *bytes, size_t len, struct pt_err *err)
{
    size_t used = 0;
    int r = 0;
    p->total += len;
    if (p->total > PT_TEXT_MAX)
        return pt_err_set(err, PT_ENOMEM, 0, NULL, -1, "a text of more than %u MiB",
                          PT_TEXT_MAX >> 20);
    if (p->carry.len == 0 && p->grammar->rows != PT_ROWS_WHOLE) {
        r = pack_rows(p, bytes, len, &used, err);
        pt_buf_put(&p->carry, (const uint8_t *)bytes + used, len - used);
    } else {
        pt_buf_put(&p->carry, bytes, len);
        if (p->carry.failed)
            return pt_err_nomem(err);
        r = pack_rows(p, (const char *)p->carry.data, p->carry.len, &used, err);
        if (r == 0 && used > 0) {
            memmove(p->carry.data, p->carry.data + used, p->carry.len - used);
            p->carry.len -= used;
        }
    }
    if (r < 0)
        return r;
    return p->carry.failed ? pt_err_nomem(err) : 0;
}

/* The last row and the finished reading; text is what no feed has packed. */
static int pack_finish(struct pt_pack *p, const char *text, size_t len, struct pt_reading **ret,
                       struct pt_err *err)
{
    const struct pt_reading *prev = p->prev;
    int r = len > 0 ? pack_row(p, text, len, err) : 0;
    if (r == 0 && prev && prev->len == p->out.len && prev->nrows == p->nrows &&
        (p->out.len == 0 || memcmp(prev->bytes, p->out.data, p->out.len) == 0)) {
        *ret = pt_reading_ref((struct pt_reading *)prev);
        pt_pack_abort(p);
        return 0;
    }
    struct pt_reading *made =
        r == 0 ? reading_alloc(p->shapes, p->nrows, p->out.data, p->out.len) : NULL;
    if (!made) {
        pt_pack_abort(p);
        return r < 0 ? r : pt_err_nomem(err);
    }
    *ret = made;
    pack_done(p);
    return 0;
}

int pt_pack_end(struct pt_pack *p, struct pt_reading **ret, struct pt_err *err)
{
    return pack_finish(p, (const char *)p->carry.data, p->carry.len, ret, err);
}

int pt_pack_text(struct pt_pack *p, const struct pt_grammar *g, const struct pt_reading *prev,
                 const void *text, size_t len, struct pt_reading **ret, struct pt_err *err)
{
    size_t used = 0;
    pt_pack_begin(p, g, prev);
    if (len > PT_TEXT_MAX)
        return pt_err_set(err, PT_ENOMEM, 0, NULL, -1, "a text of more than %u MiB",
                          PT_TEXT_MAX >> 20);
    const int r = pack_rows(p, text, len, &used, err);
    if (r < 0) {
        pt_pack_abort(p);
        return r;
    }
    return pack_finish(p, (const char *)text + used, len - used, ret, err);
}

/* ---- reading to text ---- */

int pt_reading_text(const struct pt_shapes *t, const struct pt_reading *r, struct pt_buf *out,
                    struct pt_err *err)
{
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    while (pt_row_next(t, &c, &row)) {
        struct pt_cur values = pt_cur_of(row.slots, row.slots_len);
        if (pt_shape_render(row.head, &values, out, NULL) < 0 ||
            (row.body && pt_shape_render(row.body, &values, out, NULL) < 0))
            break;
    }
    if (out->failed)
        return pt_err_nomem(err);
    if (c.failed || c.p != c.end)
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "a reading is not well formed");
    return 0;
}
