/* SPDX-License-Identifier: MIT
 * Writing blocks: what happened to each source, tick by tick. Rows are in segment_rows.c, the
 * layout of the whole in segment_end.c. Units: as segment.h. */
#include "schema/segment_int.h"

#include <stdlib.h>

struct pt_block_writer *pt_block_writer_new(struct pt_shapes *shapes)
{
    struct pt_block_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->shapes = shapes;
    struct pt_buf *const bufs[] = {&w->head,   &w->class_names, &w->states,
                                   &w->script, &w->edits,       &w->raw};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        pt_buf_init(bufs[i], PT_BLOCK_RAW_LIMIT);
    for (int i = 0; i < PT_STREAMS; i++)
        pt_buf_init(&w->stream[i], PT_BLOCK_RAW_LIMIT);
    return w;
}

static void reset_source(struct pt_block_writer *w)
{
    pt_reading_unref(w->shapes, w->cur);
    w->cur = NULL;
    struct pt_w_list *const lists[] = {&w->live,  &w->next_live, &w->events, &w->changed,
                                       &w->timed, &w->times,     &w->births, &w->changes};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        lists[i]->n = 0;
    pt_buf_reset(&w->states);
    pt_buf_reset(&w->edits);
    w->in_source = w->dead = false;
    w->nversions = w->nedits = w->last_edit = w->state_run = 0;
}

static void reset_block(struct pt_block_writer *w)
{
    reset_source(w);
    const uint32_t *ids = w->shape_ids.v;
    for (uint32_t i = 0; i < w->shape_ids.n; i++)
        pt_shapes_unref(w->shapes, ids[i]);
    w->shape_ids.n = w->classes.n = w->tracks.n = w->series.n = 0;
    for (int i = 0; i < PT_STREAMS; i++)
        pt_buf_reset(&w->stream[i]);
    pt_buf_reset(&w->head);
    pt_buf_reset(&w->class_names);
    w->nsources = w->nshapes = 0;
    w->rows_work = 0;
    w->generation++;
    w->last_name[0] = 0;
    w->nomem = w->begun = false;
}

void pt_block_writer_free(struct pt_block_writer *w)
{
    if (!w)
        return;
    reset_block(w);
    struct pt_buf *const bufs[] = {&w->head,   &w->class_names, &w->states,
                                   &w->script, &w->edits,       &w->raw};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        pt_buf_release(bufs[i]);
    for (int i = 0; i < PT_STREAMS; i++)
        pt_buf_release(&w->stream[i]);
    struct pt_w_list *const lists[] = {&w->shape_ids, &w->classes,   &w->tracks, &w->series,
                                       &w->live,      &w->next_live, &w->events, &w->changed,
                                       &w->timed,     &w->times,     &w->births, &w->changes};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->v);
    free(w->local);
    free(w->real);
    pt_blob_cctx_free(w->cctx);
    free(w);
}

void *pt_w_add(struct pt_block_writer *w, struct pt_w_list *l, size_t size)
{
    if (l->n == l->cap) {
        const uint64_t cap = (uint64_t)l->cap + l->cap / 2 + 32;
        void *v = cap <= UINT32_MAX ? realloc(l->v, cap * size) : NULL;
        if (!v) {
            w->nomem = true;
            return NULL;
        }
        l->v = v;
        l->cap = (uint32_t)cap;
    }
    void *p = (char *)l->v + l->n++ * size;
    memset(p, 0, size);
    return p;
}

static bool room_for_shape(struct pt_block_writer *w, uint32_t shape)
{
    if (shape < w->local_cap)
        return true;
    const uint32_t cap = shape + shape / 2 + 64;
    struct pt_local_shape *v = realloc(w->local, cap * sizeof *v);
    if (!v) {
        w->nomem = true;
        return false;
    }
    memset(v + w->local_cap, 0, (cap - w->local_cap) * sizeof *v);
    w->local = v;
    w->local_cap = cap;
    return true;
}

uint32_t pt_w_shape(struct pt_block_writer *w, uint32_t shape)
{
    if (!room_for_shape(w, shape))
        return 0;
    struct pt_local_shape *l = &w->local[shape];
    if (l->local && l->chain == w->generation)
        return l->local; /* the reference held keeps the number from being used again */
    uint32_t *id = pt_w_add(w, &w->shape_ids, sizeof *id);
    if (!id)
        return 0;
    const struct pt_shape *s = pt_shapes_get(w->shapes, shape);
    pt_shapes_ref(w->shapes, shape);
    *id = shape;
    *l = (struct pt_local_shape){.chain = w->generation, .local = ++w->nshapes};
    pt_buf_varint(&w->stream[PT_S_SHAPES], s->wire_len);
    pt_buf_put(&w->stream[PT_S_SHAPES], s->wire, s->wire_len);
    return l->local;
}

/* ---- a block ---- */

static int put_ticks(struct pt_block_writer *w, const struct pt_snap *snaps, struct pt_err *err)
{
    uint32_t *n = malloc(w->nticks * sizeof *n);
    free(w->real);
    w->real = malloc(w->nticks * sizeof *w->real);
    if (!n || !w->real) {
        free(n);
        return pt_err_nomem(err);
    }
    bool good = snaps[0].n > 0;
    for (uint32_t i = 0; i < w->nticks; i++) {
        const uint64_t off = (uint64_t)snaps[i].n - (uint64_t)snaps[0].n;
        good &= off < UINT32_MAX && (i == 0 || snaps[i].n > snaps[i - 1].n);
        n[i] = (uint32_t)off;
        w->real[i] = snaps[i].real_us;
    }
    pt_buf_varint(&w->head, (uint64_t)snaps[0].n);
    pt_buf_varint(&w->head, w->nticks);
    if (good) {
        pt_buf_varint(&w->head, n[w->nticks - 1] + 1);
        pt_set_put(&w->head, n, w->nticks, n[w->nticks - 1] + 1);
    }
    free(n);
    return good ? 0 : pt_err_set(err, PT_EUSAGE, 0, NULL, snaps[0].n, "snapshots are not in order");
}

int pt_block_begin(struct pt_block_writer *w, enum pt_block_kind kind, const struct pt_snap *snaps,
                   uint32_t nticks, struct pt_err *err)
{
    reset_block(w);
    if (nticks == 0 || nticks > PT_TICKS_MAX)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, nticks, "a block of %u ticks", nticks);
    w->kind = kind;
    w->nticks = nticks;
    int rc = put_ticks(w, snaps, err);
    if (rc == 0 && kind == PT_BLOCK_CLOCK)
        rc = pt_clock_put(w, snaps, err);
    w->begun = rc == 0;
    return rc;
}

/* Sources of one kind of file share a class: the name after its last '/'. */
static uint32_t class_of(struct pt_block_writer *w, const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    const uint32_t len = (uint32_t)strlen(base);
    const struct pt_w_name *v = w->classes.v;
    for (uint32_t i = w->classes.n; i-- > 0;)
        if (v[i].len == len && memcmp(w->class_names.data + v[i].at, base, len) == 0)
            return i;
    struct pt_w_name *c = pt_w_add(w, &w->classes, sizeof *c);
    if (!c)
        return 0;
    *c = (struct pt_w_name){.len = len, .at = w->class_names.len};
    pt_buf_put(&w->class_names, base, len + 1);
    return w->classes.n - 1;
}

static int end_source(struct pt_block_writer *w, struct pt_err *err)
{
    const int rc = w->in_source ? pt_w_flush_source(w, err) : 0;
    reset_source(w);
    return rc;
}

int pt_block_source(struct pt_block_writer *w, const char *name, enum pt_key key,
                    struct pt_err *err)
{
    const size_t len = strlen(name);
    if (!w->begun || w->kind == PT_BLOCK_CLOCK || len >= PT_NAME_MAX)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "source '%.100s' does not fit here", name);
    const int rc = end_source(w, err);
    if (rc < 0)
        return rc;
    w->in_source = true;
    w->key = key;
    w->first_track = w->tracks.n;
    w->class_id = class_of(w, name);
    w->nsources++;
    struct pt_buf *dir = &w->stream[PT_S_DIR];
    size_t same = 0;
    while (same < PT_NAME_SAME && name[same] && name[same] == w->last_name[same])
        same++;
    pt_buf_varint(dir, same);
    pt_buf_varint(dir, len - same);
    pt_buf_put(dir, name + same, len - same);
    pt_buf_varint(dir, w->class_id);
    memcpy(w->last_name, name, len + 1);
    return w->nomem || dir->failed ? pt_err_nomem(err) : 0;
}

/* ---- events ---- */

static void flush_states(struct pt_block_writer *w)
{
    if (!w->state_run)
        return;
    pt_buf_varint(&w->states, (uint64_t)w->state_run << 3 | w->state);
    if (w->state == PT_EV_FAIL)
        pt_buf_varint(&w->states, (uint64_t)w->why);
    w->state_run = 0;
}

static int64_t timed_or_clock(const struct pt_block_writer *w, uint32_t tick, int64_t read_us)
{
    return read_us == PT_UNKNOWN ? w->real[tick] : read_us;
}

static int add_event(struct pt_block_writer *w, uint32_t tick, enum pt_event_state state,
                     const struct pt_source_at *at)
{
    uint32_t *event = pt_w_add(w, &w->events, sizeof *event);
    if (!event)
        return -PT_ENOMEM;
    *event = tick;
    if (w->state_run && (w->state != state || (state == PT_EV_FAIL && w->why != at->why)))
        flush_states(w);
    w->state = (uint8_t)state;
    w->why = at->why;
    w->state_run++;
    if (state == PT_EV_ABSENT || state == PT_EV_LOST)
        return 0;
    w->read_us = timed_or_clock(w, tick, at->read_us);
    if (w->read_us == w->real[tick])
        return 0;
    uint32_t *timed = pt_w_add(w, &w->timed, sizeof *timed);
    int64_t *time = pt_w_add(w, &w->times, sizeof *time);
    if (!timed || !time)
        return -PT_ENOMEM;
    *timed = w->events.n - 1;
    *time = pt_minus(w->read_us, pt_time_origin(w->real[tick]));
    return 0;
}

static int add_text(struct pt_block_writer *w, const struct pt_source_at *at, struct pt_err *err)
{
    if (w->cur && !w->dead && pt_reading_equal(w->cur, at->reading))
        return 0;
    if (w->nversions) {
        uint32_t *changed = pt_w_add(w, &w->changed, sizeof *changed);
        if (!changed)
            return pt_err_nomem(err);
        *changed = w->events.n - 1;
    }
    const int rc = pt_w_rows(w, at->reading, err);
    if (rc < 0)
        return rc;
    pt_reading_unref(w->shapes, w->cur);
    w->cur = pt_reading_ref(at->reading);
    w->dead = false;
    return 0;
}

/* Does this say nothing that the event before did not? */
static bool stands(const struct pt_block_writer *w, enum pt_event_state state, uint32_t tick,
                   const struct pt_source_at *at)
{
    if (!w->events.n)
        return state == PT_EV_ABSENT;
    if (state == PT_EV_FAIL)
        return w->state == state && w->why == at->why &&
               w->read_us == timed_or_clock(w, tick, at->read_us);
    if (state == PT_EV_CARRIED) /* what a lost snapshot read is told by the next, as carried */
        return (w->state == PT_EV_TEXT || w->state == PT_EV_CARRIED) && w->read_us == at->read_us &&
               pt_reading_equal(w->cur, at->reading);
    return w->state == state && (state == PT_EV_ABSENT || state == PT_EV_LOST);
}

int pt_block_add(struct pt_block_writer *w, uint32_t tick, const struct pt_source_at *at,
                 struct pt_err *err)
{
    static const enum pt_event_state states[] = {[PT_READ] = PT_EV_TEXT,
                                                 [PT_CARRIED] = PT_EV_CARRIED,
                                                 [PT_UNREADABLE] = PT_EV_FAIL,
                                                 [PT_ABSENT] = PT_EV_ABSENT,
                                                 [PT_LOST] = PT_EV_LOST};
    const uint32_t *events = w->events.v;
    const enum pt_event_state state = states[at->presence];
    const bool text = state == PT_EV_TEXT || state == PT_EV_CARRIED;
    if (!w->in_source || tick >= w->nticks || (w->events.n && tick <= events[w->events.n - 1]) ||
        (text && !at->reading) || (state == PT_EV_FAIL && (at->why <= 0 || at->why > UINT16_MAX)))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, tick, "a state at tick %u makes no sense", tick);
    if (stands(w, state, tick, at))
        return 0;
    if (add_event(w, tick, state, at) < 0)
        return pt_err_nomem(err);
    if (state == PT_EV_ABSENT)
        w->dead = true;
    return text ? add_text(w, at, err) : 0;
}

size_t pt_block_raw(const struct pt_block_writer *w)
{
    size_t n = w->head.len;
    for (int i = 0; i < PT_STREAMS; i++)
        n += w->stream[i].len;
    return n;
}

/* Small tables and a long window: a match far away is found through a table of 2^16 as well as
 * through larger ones (hardly worse), and the tables are what takes memory (1.2 MiB at level
 * 16, 0.9 at 9). */
static struct pt_blob_press press_of(int level)
{
    return (struct pt_blob_press){
        .level = level, .window_log = 20, .hash_log = 16, .chain_log = 16, .min_match = 4};
}

enum { KEEP = 64 << 10 };

/* Once the streams stand, the lists they were made of make room for the compressor. */
static void drop_big_lists(struct pt_block_writer *w)
{
    struct pt_w_list *const lists[] = {&w->tracks, &w->series, &w->changes, &w->events};
    const size_t sizes[] = {sizeof(struct pt_w_track), sizeof(struct pt_w_series),
                            sizeof(struct pt_w_change), sizeof(uint32_t)};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (lists[i]->cap * sizes[i] <= KEEP)
            continue;
        free(lists[i]->v);
        *lists[i] = (struct pt_w_list){0};
    }
}

int pt_block_end(struct pt_block_writer *w, int level, struct pt_buf *out, struct pt_err *err)
{
    if (!w->begun)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "no block was begun");
    int rc = end_source(w, err);
    if (rc == 0)
        rc = pt_w_assemble(w, err);
    const struct pt_blob_press press = press_of(level);
    drop_big_lists(w);
    if (rc == 0)
        rc = pt_blob_write(&w->cctx, &press, PT_BLOCK_MAGIC, (uint8_t)w->kind, w->raw.data,
                           w->raw.len, out, err);
    if (w->raw.cap > KEEP)
        pt_buf_release(&w->raw);
    /* The context takes more than all else of a seal: not held beside what the next block needs. */
    pt_blob_cctx_free(w->cctx);
    w->cctx = NULL;
    reset_block(w);
    return rc;
}
