/* SPDX-License-Identifier: MIT
 * Reading blocks: rows as scripts go by, what a source was at a tick, deltas one by one. Everything
 * is checked on every pass: a block that opens is not thereby trusted. */
#include "schema/segment_int.h"

#include <stdlib.h>

/* ---- rows ---- */

static bool push(struct pt_replay *r, const struct pt_live *row)
{
    if (r->n == r->cap) {
        const uint32_t cap = r->cap + r->cap / 2 + 4;
        struct pt_live *v = realloc(r->v, cap * sizeof *v);
        if (!v)
            return false;
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = *row;
    return true;
}

static int tell(const struct pt_replay *r, const struct pt_live *row, uint32_t version, bool born)
{
    return r->on ? r->on(r->ctx, row, version, born) : 0;
}

static uint64_t slots_of(const struct pt_block *b, uint32_t head, uint32_t body)
{
    const struct pt_shape *h = pt_shapes_get(b->shapes, head),
                          *o = body ? pt_shapes_get(b->shapes, body) : NULL;
    return (uint64_t)h->nslots + (o ? o->nslots : 0);
}

/* Table ids of the two shapes that follow an op; 0 for no body. */
static bool get_shapes(const struct pt_block *b, struct pt_cur *c, struct pt_live *ret)
{
    const uint64_t head = pt_cur_varint(c), body = pt_cur_varint(c);
    if (c->failed || head == 0 || head > b->nshapes || body > b->nshapes)
        return false;
    ret->head = b->shape[head - 1];
    ret->body = body ? b->shape[body - 1] : 0;
    return true;
}

/* n rows of the text before, from old[*at] on, by op. */
static int pass_rows(const struct pt_block *b, struct pt_replay *r, uint32_t op, uint64_t n,
                     uint32_t *at, uint32_t old, const struct pt_live *shapes, uint32_t version)
{
    if (n > old - *at)
        return -PT_EDAMAGED;
    int rc = 0;
    for (uint64_t i = 0; rc >= 0 && i < n; i++) {
        struct pt_live row = r->spare[(*at)++];
        if (op != PT_ROW_KEEP)
            rc = tell(r, &row, version, false);
        if (op == PT_ROW_SHAPE) {
            if (slots_of(b, row.head, row.body) != slots_of(b, shapes->head, shapes->body))
                return -PT_EDAMAGED;
            row.head = shapes->head;
            row.body = shapes->body;
            rc = rc < 0 ? rc : tell(r, &row, version, true);
        }
        if (rc >= 0 && op != PT_ROW_DEL && !push(r, &row))
            rc = -PT_ENOMEM;
    }
    return rc;
}

static int insert_rows(struct pt_replay *r, uint64_t n, struct pt_live row, uint32_t version)
{
    const uint64_t left = (uint64_t)r->source->first_track + r->source->ntracks - r->next_track;
    if (n > left)
        return -PT_EDAMAGED;
    int rc = 0;
    for (uint64_t i = 0; rc >= 0 && i < n; i++) {
        row.track = r->next_track++;
        rc = push(r, &row) ? tell(r, &row, version, true) : -PT_ENOMEM;
    }
    return rc;
}

static int one_op(const struct pt_block *b, struct pt_replay *r, uint32_t *at, uint32_t old,
                  uint32_t version)
{
    const uint64_t word = pt_cur_varint(&r->c), n = word >> 2;
    const uint32_t op = word & 3;
    struct pt_live shapes = {0};
    if (r->c.failed || n == 0)
        return -PT_EDAMAGED;
    if ((op == PT_ROW_INS || op == PT_ROW_SHAPE) && !get_shapes(b, &r->c, &shapes))
        return -PT_EDAMAGED;
    if (op == PT_ROW_INS)
        return insert_rows(r, n, shapes, version);
    return pass_rows(b, r, op, n, at, old, &shapes, version);
}

/* Applies one script to the rows. */
static int run_script(const struct pt_block *b, struct pt_replay *r, uint32_t version)
{
    const uint64_t nops = pt_cur_varint(&r->c);
    const uint32_t old = r->n;
    struct pt_live *v = r->v;
    const uint32_t cap = r->cap;
    r->v = r->spare; /* the rows of the text before stand in `spare` meanwhile */
    r->cap = r->spare_cap;
    r->spare = v;
    r->spare_cap = cap;
    r->n = 0;
    r->work += old;
    uint32_t at = 0;
    int rc = r->c.failed || r->work > PT_ROWS_WORK_MAX ? -PT_EDAMAGED : 0;
    for (uint64_t i = 0; rc >= 0 && i < nops; i++)
        rc = one_op(b, r, &at, old, version);
    while (rc >= 0 && at < old)
        if (!push(r, &r->spare[at++]))
            rc = -PT_ENOMEM;
    return rc < 0 ? rc : 0;
}

static int next_edit(struct pt_replay *r)
{
    if (!r->edits)
        return 0;
    const uint64_t gap = pt_cur_varint(&r->c);
    if (r->c.failed || gap >= r->source->nversions - r->version - 1)
        return -PT_EDAMAGED;
    r->version += (uint32_t)gap + 1;
    return 0;
}

int pt_replay_begin(const struct pt_block *b, const struct pt_b_source *s, struct pt_replay *r)
{
    r->c = s->rows;
    r->source = s;
    r->next_track = s->first_track;
    if (s->nversions == 0)
        return 0;
    const int rc = run_script(b, r, 0);
    if (rc < 0)
        return rc;
    r->edits = pt_cur_varint(&r->c);
    return r->c.failed ? -PT_EDAMAGED : next_edit(r);
}

int pt_replay_until(const struct pt_block *b, struct pt_replay *r, uint32_t version)
{
    int rc = 0;
    while (rc >= 0 && r->edits && r->version <= version) {
        rc = run_script(b, r, r->version);
        r->edits--;
        if (rc >= 0)
            rc = next_edit(r);
    }
    return rc;
}

void pt_replay_release(struct pt_replay *r)
{
    free(r->v);
    free(r->spare);
}

/* ---- events ---- */

int pt_event_find(const struct pt_b_source *s, uint32_t tick, struct pt_event_at *ret)
{
    *ret = (struct pt_event_at){.state = PT_EV_ABSENT};
    const uint32_t rank = pt_set_rank(&s->events, tick + 1);
    if (rank == 0)
        return 0;
    ret->any = true;
    ret->index = rank - 1;
    struct pt_cur c = s->states;
    for (uint64_t seen = 0; seen < rank;) {
        const uint64_t word = pt_cur_varint(&c);
        ret->state = (enum pt_event_state)(word & 7);
        ret->why = ret->state == PT_EV_FAIL ? (int)pt_cur_varint(&c) : 0;
        seen += word >> 3;
        if (c.failed)
            return -PT_EDAMAGED;
    }
    return 0;
}

/* ---- deltas ---- */

void pt_deltas_begin(const struct pt_b_series *s, uint32_t born, struct pt_deltas *d)
{
    *d = (struct pt_deltas){.gaps = pt_cur_of(s->gaps, s->gaps_len),
                            .more = pt_cur_of(s->more, s->more_len),
                            .first = s->first,
                            .left = s->count,
                            .version = born,
                            .gcd = s->gcd,
                            .dense = s->dense};
}

bool pt_deltas_next(struct pt_deltas *d)
{
    if (!d->left || d->failed)
        return false;
    d->left--;
    const uint64_t gap = d->dense ? 0 : pt_cur_varint(&d->gaps);
    const int64_t q = pt_unzigzag(pt_split_varint(*d->first++, &d->more));
    d->failed = d->gaps.failed || d->more.failed || gap > UINT32_MAX - 1 - d->version;
    d->version += (uint32_t)gap + 1;
    d->delta = (uint64_t)q * d->gcd;
    return !d->failed;
}
