/* SPDX-License-Identifier: MIT
 * Writing blocks: a finished source goes to the streams, and at the end the columns are laid side
 * by side: what one slot did in all sources of a class is alike, and compresses better
 * than source by source. */
#include "schema/segment_int.h"

#include <stdlib.h>

static int by_series(const void *a, const void *b)
{
    const struct pt_w_change *x = a, *y = b;
    if (x->track != y->track)
        return x->track < y->track ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->version < y->version ? -1 : x->version > y->version;
}

static void put_delta(struct pt_block_writer *w, int64_t delta, uint64_t gcd)
{
    uint8_t bytes[PT_VARINT_MAX];
    const size_t n = pt_varint_put(bytes, pt_zigzag(pt_divide(delta, gcd)));
    pt_buf_put(&w->stream[PT_S_FIRST], bytes, 1);
    pt_buf_put(&w->stream[PT_S_MORE], bytes + 1, n - 1);
}

/* One series: its head, and its bytes in three streams. */
static int put_series(struct pt_block_writer *w, const struct pt_w_change *c, uint32_t n,
                      uint32_t slot_gap, uint32_t born)
{
    struct pt_buf *gaps = &w->stream[PT_S_GAPS], *first = &w->stream[PT_S_FIRST],
                  *more = &w->stream[PT_S_MORE], *head = &w->stream[PT_S_HEAD];
    const struct pt_w_track *tracks = w->tracks.v;
    struct pt_w_series *s = pt_w_add(w, &w->series, sizeof *s);
    if (!s)
        return -PT_ENOMEM;
    *s = (struct pt_w_series){.class_id = w->class_id,
                              .nslots = tracks[w->first_track + c->track].nslots,
                              .slot = c->slot,
                              .gaps = (uint32_t)gaps->len,
                              .first = (uint32_t)first->len,
                              .more = (uint32_t)more->len,
                              .first_len = n};
    uint64_t gcd = 0;
    for (uint32_t i = 0; i < n; i++)
        gcd = pt_gcd(gcd, pt_magnitude((int64_t)c[i].delta));
    const bool dense = n == w->nversions - 1 - born;
    for (uint32_t i = 0, next = born + 1; i < n; next = c[i].version + 1, i++) {
        if (!dense)
            pt_buf_varint(gaps, c[i].version - next);
        put_delta(w, (int64_t)c[i].delta, gcd);
    }
    s->gaps_len = (uint32_t)(gaps->len - s->gaps);
    s->more_len = (uint32_t)(more->len - s->more);
    pt_buf_varint(head, slot_gap);
    pt_buf_varint(head, n);
    pt_buf_varint(head, gcd);
    if (!dense)
        pt_buf_varint(head, s->gaps_len);
    pt_buf_varint(head, s->more_len);
    return 0;
}

/* The series of one track: changes [*at, ...) of it. */
static int put_track(struct pt_block_writer *w, uint32_t track, uint32_t *at)
{
    const struct pt_w_change *c = w->changes.v;
    const uint32_t *births = w->births.v, n = w->changes.n;
    uint32_t nseries = 0;
    for (uint32_t i = *at; i < n && c[i].track == track; i++)
        nseries += i == *at || c[i].slot != c[i - 1].slot;
    pt_buf_varint(&w->stream[PT_S_HEAD], nseries);
    int rc = 0;
    for (uint32_t slot = 0; rc == 0 && nseries > 0; nseries--) {
        uint32_t end = *at;
        while (end < n && c[end].track == track && c[end].slot == c[*at].slot)
            end++;
        rc = put_series(w, c + *at, end - *at, c[*at].slot - slot, births[track]);
        slot = c[*at].slot + 1;
        *at = end;
    }
    return rc;
}

static void put_times(struct pt_block_writer *w, struct pt_buf *out)
{
    const int64_t *times = w->times.v;
    pt_set_put(out, w->timed.v, w->timed.n, w->events.n);
    uint64_t gcd = 0;
    for (uint32_t i = 0; i < w->times.n; i++)
        gcd = pt_gcd(gcd, pt_magnitude(times[i]));
    gcd = gcd ? gcd : 1;
    if (w->times.n)
        pt_buf_varint(out, gcd);
    for (uint32_t i = 0; i < w->times.n; i++)
        pt_buf_varint(out, pt_zigzag(pt_divide(times[i], gcd)));
}

int pt_w_flush_source(struct pt_block_writer *w, struct pt_err *err)
{
    struct pt_buf *time = &w->stream[PT_S_TIME];
    if (w->state_run) {
        pt_buf_varint(&w->states, (uint64_t)w->state_run << 3 | w->state);
        if (w->state == PT_EV_FAIL)
            pt_buf_varint(&w->states, (uint64_t)w->why);
    }
    pt_set_put(time, w->events.v, w->events.n, w->nticks);
    pt_buf_put(time, w->states.data, w->states.len);
    pt_set_put(time, w->changed.v, w->changed.n, w->events.n);
    put_times(w, time);
    if (w->nversions) {
        pt_buf_varint(&w->stream[PT_S_ROWS], w->nedits);
        pt_buf_put(&w->stream[PT_S_ROWS], w->edits.data, w->edits.len);
    }
    if (w->changes.n > 1)
        qsort(w->changes.v, w->changes.n, sizeof(struct pt_w_change), by_series);
    uint32_t at = 0;
    int rc = 0;
    for (uint32_t t = 0; rc == 0 && t < w->tracks.n - w->first_track; t++)
        rc = put_track(w, t, &at);
    bool failed = rc < 0 || w->nomem || w->states.failed || w->edits.failed || w->script.failed;
    for (int i = 0; i < PT_STREAMS; i++)
        failed |= w->stream[i].failed;
    return failed ? pt_err_nomem(err) : 0;
}

/* ---- columns ---- */

static int by_column(const void *a, const void *b)
{
    const struct pt_w_series *x = a, *y = b;
    if (x->class_id != y->class_id)
        return x->class_id < y->class_id ? -1 : 1;
    if (x->nslots != y->nslots)
        return x->nslots < y->nslots ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Tracks keep their order within a group: their bytes in INIT stand in it. */
static int by_group(const void *a, const void *b)
{
    const struct pt_w_track *x = a, *y = b;
    if (x->class_id != y->class_id)
        return x->class_id < y->class_id ? -1 : 1;
    if (x->nslots != y->nslots)
        return x->nslots < y->nslots ? -1 : 1;
    return x->init < y->init ? -1 : x->init > y->init;
}

/* The first values of a group of tracks, slot by slot, each against the track before. */
static void put_group(struct pt_block_writer *w, struct pt_w_track *t, uint32_t n)
{
    const struct pt_buf *init = &w->stream[PT_S_INIT];
    for (uint32_t slot = 0; slot < t->nslots; slot++) {
        uint64_t before = 0;
        for (uint32_t i = 0; i < n; i++) {
            struct pt_cur c = pt_cur_of(init->data + t[i].init, init->len - t[i].init);
            const uint64_t v = pt_cur_varint(&c);
            t[i].init = (uint32_t)(c.p - init->data);
            pt_buf_varint(&w->raw, pt_zigzag((int64_t)(v - before)));
            before = v;
        }
    }
}

static void put_init(struct pt_block_writer *w)
{
    struct pt_w_track *t = w->tracks.v;
    if (w->tracks.n > 1)
        qsort(t, w->tracks.n, sizeof *t, by_group);
    for (uint32_t i = 0, end; i < w->tracks.n; i = end) {
        end = i;
        while (end < w->tracks.n && t[end].class_id == t[i].class_id &&
               t[end].nslots == t[i].nslots)
            end++;
        put_group(w, t + i, end - i);
    }
}

static void put_column(struct pt_block_writer *w, enum pt_stream stream)
{
    const struct pt_w_series *s = w->series.v;
    const uint8_t *data = w->stream[stream].data;
    for (uint32_t i = 0; i < w->series.n; i++) {
        if (stream == PT_S_GAPS && s[i].gaps_len)
            pt_buf_put(&w->raw, data + s[i].gaps, s[i].gaps_len);
        else if (stream == PT_S_MORE && s[i].more_len)
            pt_buf_put(&w->raw, data + s[i].more, s[i].more_len);
        else if (stream == PT_S_FIRST)
            pt_buf_put(&w->raw, data + s[i].first, s[i].first_len);
    }
}

/* The stream has been laid out: its room is needed for the next. */
static void drop_stream(struct pt_block_writer *w, int stream)
{
    enum { KEEP = 16 << 10 };
    if (w->stream[stream].cap > KEEP)
        pt_buf_release(&w->stream[stream]);
}

int pt_w_assemble(struct pt_block_writer *w, struct pt_err *err)
{
    pt_buf_reset(&w->raw);
    pt_buf_room(&w->raw, pt_block_raw(w) + (PT_S_INIT + 2) * PT_VARINT_MAX);
    pt_buf_put(&w->raw, w->head.data, w->head.len);
    if (w->kind != PT_BLOCK_CLOCK) {
        pt_buf_varint(&w->raw, w->nsources);
        pt_buf_varint(&w->raw, w->nshapes);
        for (int i = 0; i < PT_S_INIT; i++)
            pt_buf_varint(&w->raw, w->stream[i].len);
        for (int i = 0; i < PT_S_INIT; i++) {
            pt_buf_put(&w->raw, w->stream[i].data, w->stream[i].len);
            drop_stream(w, i);
        }
        if (w->series.n > 1)
            qsort(w->series.v, w->series.n, sizeof(struct pt_w_series), by_column);
        put_init(w);
        drop_stream(w, PT_S_INIT);
        for (int i = PT_S_GAPS; i < PT_STREAMS; i++) {
            put_column(w, (enum pt_stream)i);
            drop_stream(w, i);
        }
    }
    return w->raw.failed || w->head.failed || w->nomem ? pt_err_nomem(err) : 0;
}
