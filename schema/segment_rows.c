/* SPDX-License-Identifier: MIT
 * Writing the rows of a source: which there are, as scripts, and what changed in them. */
#include "schema/segment_int.h"

struct teller {
    struct pt_block_writer *w;
    struct pt_buf *script;
    uint32_t version, nops;
    uint32_t from_next, to_next;
    struct {
        uint32_t code, n, head, body;
    } op;          /* still growing when n > 0 */
    uint32_t dels; /* deletions that wait: the last may turn out to be a new shape */
    struct pt_row deleted;
    bool any; /* but rows that stay */
};

static void flush_op(struct teller *t)
{
    if (!t->op.n)
        return;
    pt_buf_varint(t->script, (uint64_t)t->op.n << 2 | t->op.code);
    if (t->op.code == PT_ROW_INS || t->op.code == PT_ROW_SHAPE) {
        pt_buf_varint(t->script, t->op.head);
        pt_buf_varint(t->script, t->op.body);
    }
    t->any |= t->op.code != PT_ROW_KEEP;
    t->op.n = 0;
    t->nops++;
}

static void add_op(struct teller *t, uint32_t code, uint32_t n, uint32_t head, uint32_t body)
{
    if (t->op.n && (t->op.code != code || t->op.head != head || t->op.body != body))
        flush_op(t);
    t->op.code = code;
    t->op.head = head;
    t->op.body = body;
    t->op.n += n;
}

static void flush_dels(struct teller *t)
{
    if (t->dels)
        add_op(t, PT_ROW_DEL, t->dels, 0, 0);
    t->dels = 0;
}

static int push_live(struct teller *t, uint32_t track)
{
    uint32_t *live = pt_w_add(t->w, &t->w->next_live, sizeof *live);
    if (!live)
        return -PT_ENOMEM;
    *live = track;
    t->to_next++;
    return 0;
}

static uint32_t live_track(const struct teller *t, uint32_t row)
{
    const uint32_t *live = t->w->live.v;
    return row < t->w->live.n ? live[row] : 0;
}

static int keep(struct teller *t, uint32_t n)
{
    if (n)
        flush_dels(t);
    if (n)
        add_op(t, PT_ROW_KEEP, n, 0, 0);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = push_live(t, live_track(t, t->from_next++));
    return rc;
}

static int note_change(struct teller *t, uint32_t track, uint32_t slot, uint64_t was, uint64_t is)
{
    struct pt_w_change *c = pt_w_add(t->w, &t->w->changes, sizeof *c);
    if (!c)
        return -PT_ENOMEM;
    *c = (struct pt_w_change){
        .track = track, .slot = slot, .version = t->version, .delta = is - was};
    return 0;
}

static int on_change(void *ctx, uint32_t from_row, uint32_t to_row, uint32_t slot, uint64_t was,
                     uint64_t is)
{
    struct teller *t = ctx;
    if (from_row >= t->from_next) {
        if (from_row - t->from_next != to_row - t->to_next)
            return -PT_EDAMAGED; /* not in row order */
        const int rc = keep(t, from_row - t->from_next + 1);
        if (rc < 0)
            return rc;
    }
    return note_change(t, live_track(t, from_row), slot, was, is);
}

static int on_del(void *ctx, uint32_t from_row, const struct pt_row *row)
{
    struct teller *t = ctx;
    const int rc = keep(t, from_row - t->from_next);
    t->deleted = *row;
    t->dels++;
    t->from_next++;
    return rc;
}

static int new_track(struct teller *t, const struct pt_row *row)
{
    struct pt_block_writer *w = t->w;
    const uint32_t number = w->tracks.n - w->first_track;
    struct pt_w_track *track = pt_w_add(w, &w->tracks, sizeof *track);
    uint32_t *born = pt_w_add(w, &w->births, sizeof *born);
    if (!track || !born)
        return -PT_ENOMEM;
    *born = t->version;
    *track = (struct pt_w_track){
        .class_id = w->class_id, .nslots = row->nslots, .init = (uint32_t)w->stream[PT_S_INIT].len};
    pt_buf_put(&w->stream[PT_S_INIT], row->slots, row->slots_len);
    return push_live(t, number);
}

static int new_shape(struct teller *t, const struct pt_row *row)
{
    const uint32_t track = live_track(t, t->from_next - 1);
    struct pt_cur was = pt_cur_of(t->deleted.slots, t->deleted.slots_len),
                  is = pt_cur_of(row->slots, row->slots_len);
    int rc = push_live(t, track);
    for (uint32_t i = 0; rc == 0 && i < row->nslots; i++) {
        const uint64_t a = pt_cur_varint(&was), b = pt_cur_varint(&is);
        if (a != b)
            rc = note_change(t, track, i, a, b);
    }
    return rc;
}

static int on_ins(void *ctx, uint32_t to_row, const struct pt_row *row)
{
    struct teller *t = ctx;
    const int rc = keep(t, to_row - t->to_next);
    if (rc < 0)
        return rc;
    const uint32_t head = pt_w_shape(t->w, row->head->id),
                   body = row->body ? pt_w_shape(t->w, row->body->id) : 0;
    const bool same = t->dels && t->deleted.nslots == row->nslots;
    if (same)
        t->dels--;
    flush_dels(t);
    add_op(t, same ? PT_ROW_SHAPE : PT_ROW_INS, 1, head, body);
    return same ? new_shape(t, row) : new_track(t, row);
}

/* All rows of the text before go, all of this one are new. */
static int replace(struct teller *t, const struct pt_reading *to)
{
    t->dels = t->w->live.n;
    t->from_next = t->dels;
    flush_dels(t);
    struct pt_cur c = pt_cur_of(to->bytes, to->len);
    struct pt_row row;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && pt_row_next(t->w->shapes, &c, &row); i++)
        rc = on_ins(t, i, &row);
    return rc == 0 && c.failed ? -PT_EDAMAGED : rc;
}

static int edit(struct teller *t, const struct pt_reading *to)
{
    static const struct pt_diff_ops ops = {.del = on_del, .ins = on_ins, .change = on_change};
    struct pt_block_writer *w = t->w;
    if (!w->cur || w->dead)
        return replace(t, to);
    int rc = pt_reading_diff(w->shapes, w->key, w->cur, to, &ops, t, NULL);
    flush_dels(t);
    while (rc == 0 && t->from_next < w->live.n) /* the rest stays, untold */
        rc = push_live(t, live_track(t, t->from_next++));
    return rc;
}

/* A script: how many ops, the ops. */
static void put_script(struct teller *t, struct pt_buf *out)
{
    flush_dels(t);
    flush_op(t);
    pt_buf_varint(out, t->nops);
    pt_buf_put(out, t->script->data, t->script->len);
}

int pt_w_rows(struct pt_block_writer *w, const struct pt_reading *to, struct pt_err *err)
{
    struct teller t = {.w = w, .script = &w->script, .version = w->nversions};
    pt_buf_reset(&w->script);
    w->next_live.n = 0;
    const int rc = edit(&t, to);
    if (rc < 0 || w->nomem)
        return rc == -PT_ENOMEM || w->nomem
                   ? pt_err_nomem(err)
                   : pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "a reading is not well formed");
    const struct pt_w_list live = w->live;
    w->live = w->next_live;
    w->next_live = live;
    if (w->nversions == 0) {
        put_script(&t, &w->stream[PT_S_ROWS]);
    } else {
        flush_dels(&t);
        flush_op(&t);
        if (t.any) {
            pt_buf_varint(&w->edits, w->nversions - w->last_edit - 1);
            put_script(&t, &w->edits);
            w->last_edit = w->nversions;
            w->nedits++;
            w->rows_work += w->live.n;
        }
    }
    if (w->script.failed) /* before it is used again */
        return pt_err_nomem(err);
    w->nversions++;
    return w->rows_work > PT_ROWS_WORK_MAX
               ? pt_err_set(err, PT_ENOMEM, 0, NULL, -1, "a block's tables change too often")
               : 0;
}
