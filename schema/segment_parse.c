/* SPDX-License-Identifier: MIT
 * Reading blocks: from content to sources, tracks and series. What is allocated is bounded by bytes
 * that are there: a track has a byte in HEAD, a slot one in INIT, a series four. */
#include "schema/segment_int.h"

#include <stdlib.h>

struct parser {
    struct pt_block *b;
    struct pt_cur stream[PT_S_INIT]; /* DIR .. HEAD */
    struct pt_cur rest;              /* INIT and what follows */
    uint32_t track_cap, series_cap;
    uint64_t head_bytes;
    uint64_t work;
    struct pt_b_source *source;
    bool nomem;
};

static int failed(const struct parser *p, struct pt_err *err, const char *what)
{
    return p->nomem ? pt_err_nomem(err) : pt_block_bad(err, what);
}

/* ---- names and shapes ---- */

/* Names are laid end to end; two passes over DIR, so that they are one allocation. */
static bool get_name(struct pt_cur *c, char *dst, const char *before, size_t *len,
                     uint32_t *class_id)
{
    const uint64_t same = pt_cur_varint(c), n = pt_cur_varint(c);
    const uint8_t *p = n < PT_NAME_MAX ? pt_cur_bytes(c, (size_t)n) : NULL;
    const uint64_t id = pt_cur_varint(c);
    if (!p || c->failed || same > PT_NAME_SAME || same > *len || same + n >= PT_NAME_MAX ||
        id > UINT32_MAX || (n && memchr(p, 0, (size_t)n)))
        return false;
    *len = (size_t)(same + n);
    *class_id = (uint32_t)id;
    if (dst) {
        memmove(dst, before, (size_t)same);
        memcpy(dst + same, p, (size_t)n);
        dst[same + n] = 0;
    }
    return true;
}

static int get_dir(struct parser *p, struct pt_err *err)
{
    struct pt_block *b = p->b;
    struct pt_cur c = p->stream[PT_S_DIR];
    size_t len = 0, total = 0;
    uint32_t class_id;
    for (uint32_t i = 0; i < b->nsources; i++) {
        if (!get_name(&c, NULL, NULL, &len, &class_id))
            return pt_block_bad(err, "a name makes no sense");
        total += len + 1;
    }
    if (pt_cur_left(&c))
        return pt_block_bad(err, "more names than sources");
    b->names = malloc(total + 1);
    if (!b->names)
        return pt_err_nomem(err);
    char *at = b->names, *before = b->names;
    len = 0;
    for (uint32_t i = 0; i < b->nsources; i++) {
        get_name(&p->stream[PT_S_DIR], at, before, &len, &b->sources[i].class_id);
        b->sources[i].name = before = at;
        at += len + 1;
    }
    return 0;
}

static int get_shapes(struct parser *p, uint64_t n, struct pt_err *err)
{
    struct pt_block *b = p->b;
    struct pt_cur *c = &p->stream[PT_S_SHAPES];
    b->shape = malloc((n + 1) * sizeof *b->shape);
    if (!b->shape)
        return pt_err_nomem(err);
    for (; b->nshapes < n; b->nshapes++) {
        const uint64_t len = pt_cur_varint(c);
        const uint8_t *wire = len <= pt_cur_left(c) ? pt_cur_bytes(c, (size_t)len) : NULL;
        if (!wire)
            return pt_block_bad(err, "a shape is cut short");
        const int64_t id = pt_shapes_intern(b->shapes, wire, (size_t)len, err);
        if (id < 0)
            return (int)id;
        b->shape[b->nshapes] = (uint32_t)id;
    }
    return pt_cur_left(c) ? pt_block_bad(err, "more shapes than told") : 0;
}

/* ---- when ---- */

static bool get_states(struct pt_cur *c, struct pt_b_source *s)
{
    uint32_t seen = 0;
    bool text = false;
    s->states = *c;
    while (seen < s->nevents) {
        const uint64_t word = pt_cur_varint(c), n = word >> 3, state = word & 7;
        if (state == PT_EV_FAIL && (pt_cur_varint(c) - 1) >= UINT16_MAX)
            return false;
        if (c->failed || state >= PT_EV_STATES || n == 0 || n > s->nevents - seen)
            return false;
        if (!text && (state == PT_EV_TEXT || state == PT_EV_CARRIED)) {
            text = true;
            s->first_text = seen;
        }
        seen += (uint32_t)n;
    }
    s->states.end = c->p;
    s->nversions = text;
    return true;
}

static bool get_time(struct pt_cur *c, struct pt_b_source *s, uint32_t nticks)
{
    if (!pt_set_get(c, nticks, &s->events))
        return false;
    s->nevents = s->events.count;
    if (!get_states(c, s) || !pt_set_get(c, s->nevents, &s->changed) ||
        !pt_set_get(c, s->nevents, &s->timed))
        return false;
    if (s->changed.count && (!s->nversions || pt_set_rank(&s->changed, s->first_text + 1)))
        return false;
    s->nversions += s->changed.count;
    s->time_gcd = s->timed.count ? pt_cur_varint(c) : 1;
    s->times = *c;
    for (uint32_t i = 0; i < s->timed.count && !c->failed; i++)
        pt_cur_varint(c);
    s->times.end = c->p;
    return !c->failed && s->time_gcd > 0;
}

/* ---- tracks ---- */

static int on_row(void *ctx, const struct pt_live *row, uint32_t version, bool born)
{
    struct parser *p = ctx;
    struct pt_block *b = p->b;
    if (!born || row->track < b->ntracks) /* a known track in a new shape */
        return 0;
    if (b->ntracks == p->track_cap) {
        const uint32_t cap = p->track_cap + p->track_cap / 2 + 64;
        struct pt_b_track *v = realloc(b->tracks, cap * sizeof *v);
        if (!v)
            return -PT_ENOMEM;
        b->tracks = v;
        p->track_cap = cap;
    }
    const struct pt_shape *head = pt_shapes_get(b->shapes, row->head),
                          *body = row->body ? pt_shapes_get(b->shapes, row->body) : NULL;
    const uint64_t nslots = (uint64_t)head->nslots + (body ? body->nslots : 0);
    if (nslots > UINT32_MAX || p->source->ntracks == 0)
        return -PT_EDAMAGED;
    b->tracks[b->ntracks++] = (struct pt_b_track){.nslots = (uint32_t)nslots, .born = version};
    return 0;
}

static int get_rows(struct parser *p, struct pt_b_source *s)
{
    struct pt_block *b = p->b;
    struct pt_cur *c = &p->stream[PT_S_ROWS];
    const uint64_t left = p->head_bytes - b->ntracks;
    s->first_track = b->ntracks;
    s->ntracks = left < UINT32_MAX - b->ntracks ? (uint32_t)left : UINT32_MAX - b->ntracks;
    s->rows = *c;
    p->source = s;
    struct pt_replay r = {.on = on_row, .ctx = p, .work = p->work};
    int rc = pt_replay_begin(b, s, &r);
    if (rc >= 0)
        rc = pt_replay_until(b, &r, UINT32_MAX);
    p->work = r.work;
    if (s->nversions) {
        *c = r.c;
        s->rows.end = r.c.p;
    }
    s->ntracks = b->ntracks - s->first_track;
    pt_replay_release(&r);
    p->nomem |= rc == -PT_ENOMEM;
    return rc;
}

static bool get_series(struct parser *p, struct pt_cur *c, struct pt_b_track *t, uint32_t nversions)
{
    struct pt_block *b = p->b;
    const uint64_t n = pt_cur_varint(c);
    uint64_t slot = 0;
    t->first_series = b->nseries;
    if (n > t->nslots || n > pt_cur_left(c))
        return false;
    for (t->nseries = 0; t->nseries < n; t->nseries++, slot++) {
        if (b->nseries == p->series_cap) {
            const uint32_t cap = p->series_cap + p->series_cap / 2 + 64;
            struct pt_b_series *v = realloc(b->series, cap * sizeof *v);
            if (!v) {
                p->nomem = true;
                return false;
            }
            b->series = v;
            p->series_cap = cap;
        }
        const uint64_t gap = pt_cur_varint(c), count = pt_cur_varint(c), gcd = pt_cur_varint(c);
        const uint32_t room = nversions - 1 - t->born;
        if (c->failed || gap >= t->nslots - slot || count == 0 || count > room || gcd == 0)
            return false;
        slot += gap;
        const bool dense = count == room;
        const uint64_t gaps_len = dense ? 0 : pt_cur_varint(c), more_len = pt_cur_varint(c);
        if (c->failed || gaps_len > UINT32_MAX || more_len > UINT32_MAX)
            return false;
        b->series[b->nseries++] = (struct pt_b_series){.slot = (uint32_t)slot,
                                                       .count = (uint32_t)count,
                                                       .gcd = gcd,
                                                       .dense = dense,
                                                       .gaps_len = (uint32_t)gaps_len,
                                                       .more_len = (uint32_t)more_len};
    }
    return true;
}

/* ---- columns ---- */

struct order {
    uint32_t class_id, nslots, slot, index;
};

static int by_column(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->class_id != y->class_id)
        return x->class_id < y->class_id ? -1 : 1;
    if (x->nslots != y->nslots)
        return x->nslots < y->nslots ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool init_group(struct pt_block *b, struct pt_cur *c, const struct order *o, uint32_t n)
{
    for (uint32_t slot = 0; slot < o->nslots; slot++) {
        uint64_t v = 0;
        for (uint32_t i = 0; i < n; i++) {
            v += (uint64_t)pt_unzigzag(pt_cur_varint(c));
            b->init[b->tracks[o[i].index].init + slot] = v;
        }
    }
    return !c->failed;
}

static bool get_init(struct parser *p, const struct order *o)
{
    struct pt_block *b = p->b;
    uint64_t total = 0;
    for (uint32_t i = 0; i < b->ntracks; i++) {
        b->tracks[i].init = (size_t)total;
        total += b->tracks[i].nslots;
        if (total > pt_cur_left(&p->rest))
            return false;
    }
    b->init = malloc((size_t)(total + 1) * sizeof *b->init);
    p->nomem |= !b->init;
    b->ninit = (size_t)total;
    bool good = b->init;
    for (uint32_t i = 0, end; good && i < b->ntracks; i = end) {
        end = i;
        while (end < b->ntracks && o[end].class_id == o[i].class_id && o[end].nslots == o[i].nslots)
            end++;
        good = init_group(b, &p->rest, o + i, end - i);
    }
    return good;
}

/* Each series its bytes, stream after stream. */
static bool get_columns(struct parser *p, const struct order *o)
{
    struct pt_block *b = p->b;
    struct pt_cur *c = &p->rest;
    for (uint32_t i = 0; i < b->nseries; i++)
        b->series[o[i].index].gaps = pt_cur_bytes(c, b->series[o[i].index].gaps_len);
    for (uint32_t i = 0; i < b->nseries; i++)
        b->series[o[i].index].more = pt_cur_bytes(c, b->series[o[i].index].more_len);
    for (uint32_t i = 0; i < b->nseries; i++)
        b->series[o[i].index].first = pt_cur_bytes(c, b->series[o[i].index].count);
    return !c->failed && !pt_cur_left(c);
}

/* Tracks by group, then series by column, in one array after the other. */
static int lay_out(struct parser *p, struct pt_err *err)
{
    struct pt_block *b = p->b;
    const uint32_t most = b->ntracks > b->nseries ? b->ntracks : b->nseries;
    struct order *o = malloc(((size_t)most + 1) * sizeof *o);
    if (!o)
        return pt_err_nomem(err);
    uint32_t nseries = 0;
    for (uint32_t i = 0; i < b->nsources; i++)
        for (uint32_t t = 0; t < b->sources[i].ntracks; t++) {
            const uint32_t index = b->sources[i].first_track + t;
            o[index] = (struct order){.class_id = b->sources[i].class_id,
                                      .nslots = b->tracks[index].nslots,
                                      .index = index};
        }
    qsort(o, b->ntracks, sizeof *o, by_column);
    bool good = get_init(p, o);
    for (uint32_t i = 0; i < b->nsources; i++)
        for (uint32_t t = 0; t < b->sources[i].ntracks; t++) {
            const struct pt_b_track *track = &b->tracks[b->sources[i].first_track + t];
            for (uint32_t k = 0; k < track->nseries; k++, nseries++)
                o[nseries] = (struct order){.class_id = b->sources[i].class_id,
                                            .nslots = track->nslots,
                                            .slot = b->series[nseries].slot,
                                            .index = nseries};
        }
    qsort(o, b->nseries, sizeof *o, by_column);
    good = good && get_columns(p, o);
    free(o);
    return good ? 0 : failed(p, err, "columns of another length than told");
}

static int get_sources(struct parser *p, struct pt_err *err)
{
    struct pt_block *b = p->b;
    for (uint32_t i = 0; i < b->nsources; i++) {
        struct pt_b_source *s = &b->sources[i];
        if (!get_time(&p->stream[PT_S_TIME], s, b->nticks))
            return pt_block_bad(err, "a source's times make no sense");
        if (get_rows(p, s) < 0)
            return failed(p, err, "a source's rows make no sense");
        for (uint32_t t = 0; t < s->ntracks; t++)
            if (!get_series(p, &p->stream[PT_S_HEAD], &b->tracks[s->first_track + t], s->nversions))
                return failed(p, err, "a source's series make no sense");
    }
    for (int i = PT_S_TIME; i < PT_S_INIT; i++)
        if (p->stream[i].failed || pt_cur_left(&p->stream[i]))
            return pt_block_bad(err, "streams of another length than told");
    return 0;
}

int pt_b_parse(struct pt_block *b, struct pt_cur *c, struct pt_err *err)
{
    struct parser p = {.b = b};
    const uint64_t nsources = pt_cur_varint(c), nshapes = pt_cur_varint(c);
    uint64_t len[PT_S_INIT];
    for (int i = 0; i < PT_S_INIT; i++)
        len[i] = pt_cur_varint(c);
    for (int i = 0; i < PT_S_INIT; i++) {
        const uint8_t *at = len[i] <= pt_cur_left(c) ? pt_cur_bytes(c, (size_t)len[i]) : NULL;
        if (!at)
            return pt_block_bad(err, "a stream is cut short");
        p.stream[i] = pt_cur_of(at, (size_t)len[i]);
    }
    p.rest = *c;
    p.head_bytes = len[PT_S_HEAD];
    if (nsources > len[PT_S_DIR] || nsources > UINT32_MAX / 2 || nshapes > len[PT_S_SHAPES])
        return pt_block_bad(err, "it claims more than it holds");
    b->nsources = (uint32_t)nsources;
    b->sources = calloc((size_t)nsources + 1, sizeof *b->sources);
    if (!b->sources)
        return pt_err_nomem(err);
    int rc = get_dir(&p, err);
    if (rc == 0)
        rc = get_shapes(&p, nshapes, err);
    if (rc == 0)
        rc = get_sources(&p, err);
    return rc == 0 ? lay_out(&p, err) : rc;
}
