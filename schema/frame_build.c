/* SPDX-License-Identifier: MIT
 * From what changed to the content of a frame (FORMAT.md, "Frames"). Units: as frame.h. */
#include "schema/frame_int.h"

#include <stdlib.h>

/* The number of a shape in this chain; a new one is told in this frame and in the next. */
static uint32_t local_shape(void *ctx, uint32_t shape)
{
    struct pt_enc *e = ctx;
    const struct pt_shape *s = pt_shapes_get(e->shapes, shape);
    if (shape >= e->local_cap) {
        const uint32_t cap = shape + shape / 2 + 64;
        struct pt_local_shape *v = realloc(e->local, cap * sizeof *v);
        if (!v) {
            e->nomem = true;
            return 0;
        }
        memset(v + e->local_cap, 0, (cap - e->local_cap) * sizeof *v);
        e->local = v;
        e->local_cap = cap;
    }
    struct pt_local_shape *l = &e->local[shape];
    if (l->local && l->chain == e->chain && l->hash == s->hash)
        return l->local;
    if (e->nfresh == e->fresh_cap) {
        const uint32_t cap = e->fresh_cap * 3 / 2 + 32;
        uint32_t *v = realloc(e->fresh, cap * sizeof *v);
        if (!v) {
            e->nomem = true;
            return 0;
        }
        e->fresh = v;
        e->fresh_cap = cap;
    }
    pt_shapes_ref(e->shapes, shape);
    e->fresh[e->nfresh++] = shape;
    *l = (struct pt_local_shape){.hash = s->hash, .chain = e->chain, .local = e->next_local++};
    return l->local;
}

/* ---- entries ---- */

/* Sorts by number in place: qsort() takes memory. */
static void sift(struct pt_entry_ref *v, uint32_t at, uint32_t n)
{
    const struct pt_entry_ref x = v[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && v[child + 1].id > v[child].id)
            child++;
        if (v[child].id <= x.id)
            break;
        v[at] = v[child];
    }
    v[at] = x;
}

static void sort_entries(struct pt_entry_ref *v, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (uint32_t end = n; end-- > 1;) {
        const struct pt_entry_ref x = v[0];
        v[0] = v[end];
        v[end] = x;
        sift(v, 0, end);
    }
}

static int collect(struct pt_enc *e, const struct pt_refs *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        const struct pt_entry_ref r = from->v[i];
        const struct pt_src *s = r.handle == PT_NO_ID ? NULL : &e->src[r.handle];
        const bool mine = s && s->state != PT_SRC_FREE && s->id == r.id;
        if ((r.handle == PT_NO_ID || mine) && pt_refs_add(&e->entries, r.id, r.handle) < 0)
            return -PT_ENOMEM;
    }
    return 0;
}

/* Which sources this frame speaks of, by number, each once. */
static int list_entries(struct pt_enc *e)
{
    e->entries.n = 0;
    if (e->key) {
        for (uint32_t i = 0; i < e->nsrc; i++)
            if (e->src[i].state != PT_SRC_FREE && e->src[i].id != PT_NO_ID &&
                pt_refs_add(&e->entries, e->src[i].id, i) < 0)
                return -PT_ENOMEM;
    } else {
        /* time alone matters less than what the frame before said: mark the latter */
        for (uint32_t i = 0; i < e->before.n; i++) {
            const struct pt_entry_ref r = e->before.v[i];
            if (r.handle != PT_NO_ID && e->src[r.handle].id == r.id &&
                e->src[r.handle].mark == PT_MARK_TIME)
                e->src[r.handle].mark = PT_MARK_NONE;
        }
        if (collect(e, &e->before) < 0 || collect(e, &e->now) < 0)
            return -PT_ENOMEM;
    }
    sort_entries(e->entries.v, e->entries.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->entries.n; i++)
        if (n == 0 || e->entries.v[n - 1].id != e->entries.v[i].id)
            e->entries.v[n++] = e->entries.v[i];
        else if (e->entries.v[i].handle == PT_NO_ID)
            e->entries.v[n - 1].handle = PT_NO_ID;
    e->entries.n = n;
    return 0;
}

static void put_rows(struct pt_enc *e, const struct pt_reading *r, struct pt_buf *out)
{
    const struct pt_script_ids ids = {.local = local_shape, .ctx = e};
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    pt_buf_varint(out, r->nrows);
    while (pt_row_next(e->shapes, &c, &row))
        pt_script_row(&row, &ids, out);
}

/* Puts a length before what was appended from `start` on. */
static void prefix_length(struct pt_buf *b, size_t start)
{
    uint8_t head[PT_VARINT_MAX];
    const size_t len = b->failed ? 0 : b->len - start, n = pt_varint_put(head, len);
    uint8_t *p = pt_buf_room(b, n);
    if (!p)
        return;
    p = b->data + start;
    memmove(p + n, p, len);
    memcpy(p, head, n);
    b->len += n;
}

static void put_name(struct pt_buf *b, const char *name, const char **before)
{
    size_t same = 0;
    while (same < PT_NAME_SAME && name[same] && name[same] == (*before)[same])
        same++;
    pt_buf_varint(b, same);
    pt_buf_varint(b, strlen(name + same));
    pt_buf_put(b, name + same, strlen(name + same));
    *before = name;
}

static unsigned time_form(const struct pt_enc *e, int64_t read_us)
{
    if (read_us == e->snap.real_us)
        return PT_ENTRY_NOW;
    return read_us == e->prev_us && e->prev_us != PT_UNKNOWN ? PT_ENTRY_BEFORE : PT_ENTRY_AT;
}

static unsigned flags_of(const struct pt_enc *e, const struct pt_src *s)
{
    unsigned f = s->state == PT_SRC_FAIL ? PT_ENTRY_FAIL : PT_ENTRY_TEXT;
    if (s->mark == PT_MARK_TIME && !e->key)
        return PT_ENTRY_SAME | time_form(e, s->read_us) << PT_ENTRY_TIME_SHIFT;
    f |= time_form(e, s->read_us) << PT_ENTRY_TIME_SHIFT;
    if (s->def_told < 2)
        f |= PT_ENTRY_DEF;
    if (s->base && s->base_told < 2)
        f |= PT_ENTRY_BASE;
    if (s->state == PT_SRC_TEXT && s->cur != s->base)
        f |= PT_ENTRY_SCRIPT;
    return f;
}

static int put_entry(struct pt_enc *e, struct pt_src *s, const char **name, struct pt_err *err)
{
    if (e->key && s->state == PT_SRC_TEXT && !s->base)
        s->base = pt_reading_ref(s->cur);
    const unsigned flags = flags_of(e, s);
    struct pt_buf *b = &e->raw;
    pt_buf_u8(b, (uint8_t)flags);
    if ((flags >> PT_ENTRY_TIME_SHIFT & 3) == PT_ENTRY_AT)
        pt_buf_varint(b, pt_zigzag(pt_minus(s->read_us, e->snap.real_us)));
    if ((flags & PT_ENTRY_OUTCOME) == PT_ENTRY_FAIL)
        pt_buf_varint(b, s->why);
    if (flags & PT_ENTRY_DEF) {
        put_name(b, pt_src_name(e, s), name);
        s->def_told = e->key ? 2 : s->def_told + 1;
    }
    if (flags & PT_ENTRY_BASE) {
        const size_t start = b->len;
        put_rows(e, s->base, b);
        prefix_length(b, start);
        s->base_told = e->key ? 2 : s->base_told + 1;
    }
    if (!(flags & PT_ENTRY_SCRIPT))
        return 0;
    pt_buf_varint(b, s->class_id);
    const size_t start = b->len;
    const struct pt_script_ids ids = {.local = local_shape, .ctx = e};
    const int rc = pt_script_put(e->shapes, s->grammar->key, s->base, s->cur, &ids, s->class_id,
                                 &e->changes, &e->part, b, err);
    prefix_length(b, start);
    return rc;
}

static int put_entries(struct pt_enc *e, struct pt_err *err)
{
    int rc = list_entries(e);
    if (rc < 0)
        return pt_err_nomem(err);
    pt_buf_varint(&e->raw, e->entries.n);
    const char *name = "";
    uint32_t next = 0;
    for (uint32_t i = 0; rc == 0 && i < e->entries.n; i++) {
        const struct pt_entry_ref r = e->entries.v[i];
        pt_buf_varint(&e->raw, r.id - next);
        next = r.id + 1;
        if (r.handle == PT_NO_ID)
            pt_buf_u8(&e->raw, PT_ENTRY_GONE);
        else
            rc = put_entry(e, &e->src[r.handle], &name, err);
    }
    return rc;
}

/* ---- the rest of a frame ---- */

static void put_snap(struct pt_enc *e)
{
    struct pt_buf *b = &e->raw;
    int64_t v[PT_SNAP_NUMBERS];
    pt_snap_numbers(&e->snap, v);
    pt_buf_varint(b, (uint64_t)e->snap.n);
    pt_buf_varint(b, e->snap.boot);
    pt_buf_varint(b, e->snap.trigger);
    for (unsigned i = 0; i < PT_SNAP_NUMBERS; i++)
        pt_buf_varint(b, pt_opt_wire(v[i]));
    pt_buf_varint(b, (uint64_t)(e->snap.n - e->key_n));
    pt_buf_varint(b, e->prev_us == PT_UNKNOWN ? 0
                                              : pt_opt_wire(pt_minus(e->prev_us, e->snap.real_us)));
}

static void put_readset(struct pt_enc *e)
{
    pt_buf_varint(&e->raw, e->nids);
    pt_buf_put(&e->raw, e->readset, (e->nids + 7) / 8);
}

static void put_shapes(struct pt_enc *e, struct pt_buf *b)
{
    pt_buf_varint(b, e->next_local - e->nfresh);
    pt_buf_varint(b, e->nfresh);
    for (uint32_t i = 0; i < e->nfresh; i++) {
        const struct pt_shape *s = pt_shapes_get(e->shapes, e->fresh[i]);
        pt_buf_varint(b, s->wire_len);
        pt_buf_put(b, s->wire, s->wire_len);
    }
}

/* Forgets the shapes that were told for the second time (or by a key frame). */
static void age_shapes(struct pt_enc *e)
{
    const uint32_t done = e->key ? e->nfresh : e->fresh_before;
    for (uint32_t i = 0; i < done; i++)
        pt_shapes_unref(e->shapes, e->fresh[i]);
    e->nfresh -= done;
    if (e->nfresh)
        memmove(e->fresh, e->fresh + done, e->nfresh * sizeof *e->fresh);
    e->fresh_before = e->nfresh;
}

int pt_enc_build(struct pt_enc *e, struct pt_err *err)
{
    pt_buf_reset(&e->raw);
    pt_buf_reset(&e->part);
    e->nomem = false;
    e->changes.n = 0;
    e->changes.failed = false;
    put_snap(e);
    put_readset(e);
    const int rc = put_entries(e, err);
    put_shapes(e, &e->raw); /* last: only now are they known */
    age_shapes(e);
    if (rc < 0)
        return rc;
    pt_changes_put(&e->changes, &e->part, &e->raw);
    return e->nomem || e->changes.failed || e->raw.failed || e->part.failed ? pt_err_nomem(err) : 0;
}
