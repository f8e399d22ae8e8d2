/* SPDX-License-Identifier: MIT
 * Reading blocks: opening, names, and the state of a source at a tick. Units: as segment.h. */
#include "schema/segment_int.h"

#include <stdlib.h>

/* first n, how many, and which after it. */
static bool get_ticks(struct pt_block *b, struct pt_cur *c)
{
    const uint64_t first = pt_cur_varint(c), n = pt_cur_varint(c), span = pt_cur_varint(c);
    struct pt_set set;
    if (c->failed || first == 0 || first > INT64_MAX - UINT32_MAX || n == 0 || n > PT_TICKS_MAX ||
        span < n || span > UINT32_MAX)
        return false;
    b->first = (int64_t)first;
    b->nticks = (uint32_t)n;
    if (!pt_set_get(c, (uint32_t)span, &set) || set.count != n || !pt_set_has(&set, 0))
        return false;
    b->tick_n = malloc(b->nticks * sizeof *b->tick_n);
    if (b->tick_n)
        pt_set_list(&set, b->tick_n);
    return true;
}

static int parse(struct pt_block *b, struct pt_err *err)
{
    struct pt_cur c = pt_cur_of(b->raw, b->raw_len);
    if (!get_ticks(b, &c))
        return pt_block_bad(err, "its ticks make no sense");
    if (!b->tick_n)
        return pt_err_nomem(err);
    if (b->kind != PT_BLOCK_CLOCK)
        return pt_b_parse(b, &c, err);
    const int rc = pt_clock_get(b, &c);
    if (rc < 0)
        return rc == -PT_ENOMEM ? pt_err_nomem(err) : pt_block_bad(err, "its clocks make no sense");
    return 0;
}

int pt_block_open(const void *blob, size_t len, struct pt_shapes *shapes, struct pt_block **ret,
                  struct pt_err *err)
{
    struct pt_blob raw;
    int rc = pt_blob_read(PT_BLOCK_MAGIC, "block", blob, len, PT_BLOCK_RAW_LIMIT, &raw, err);
    if (rc < 0)
        return rc;
    struct pt_block *b = calloc(1, sizeof *b);
    if (!b) {
        free(raw.raw);
        return pt_err_nomem(err);
    }
    *b = (struct pt_block){.shapes = shapes, .kind = raw.tag, .raw = raw.raw, .raw_len = raw.len};
    rc = raw.tag <= PT_BLOCK_DEEP ? parse(b, err) : pt_block_bad(err, "of an unknown kind");
    if (rc < 0) {
        pt_block_free(b);
        return rc;
    }
    *ret = b;
    return 0;
}

void pt_block_free(struct pt_block *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; i < b->nshapes; i++)
        pt_shapes_unref(b->shapes, b->shape[i]);
    free(b->shape);
    free(b->sources);
    free(b->tracks);
    free(b->series);
    free(b->init);
    free(b->names);
    free(b->tick_n);
    free(b->snaps);
    free(b->raw);
    free(b);
}

size_t pt_block_bytes(const struct pt_block *b)
{
    return sizeof *b + b->raw_len + b->nticks * sizeof *b->tick_n + b->nshapes * sizeof *b->shape +
           b->nsources * sizeof *b->sources + b->ntracks * sizeof *b->tracks +
           b->nseries * sizeof *b->series + b->ninit * sizeof *b->init;
}

enum pt_block_kind pt_block_kind(const struct pt_block *b)
{
    return b->kind;
}

int64_t pt_block_first(const struct pt_block *b)
{
    return b->first;
}

uint32_t pt_block_ticks(const struct pt_block *b)
{
    return b->nticks;
}

int64_t pt_block_n(const struct pt_block *b, uint32_t tick)
{
    return b->first + b->tick_n[tick < b->nticks ? tick : b->nticks - 1];
}

int pt_block_tick_of(const struct pt_block *b, int64_t n, uint32_t *ret)
{
    uint32_t lo = 0, hi = b->nticks;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (pt_block_n(b, mid) < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == b->nticks || pt_block_n(b, lo) != n)
        return -PT_ENOTFOUND;
    *ret = lo;
    return 0;
}

int pt_block_snap(const struct pt_block *b, uint32_t tick, struct pt_snap *ret, struct pt_err *err)
{
    if (!b->snaps || tick >= b->nticks)
        return pt_err_set(err, PT_EUSAGE, 0, "block", tick, "no snapshot at tick %u of this block",
                          tick);
    *ret = b->snaps[tick];
    return 0;
}

uint32_t pt_block_sources(const struct pt_block *b)
{
    return b->nsources;
}

const char *pt_block_name(const struct pt_block *b, uint32_t source)
{
    return source < b->nsources ? b->sources[source].name : NULL;
}

int pt_block_find(const struct pt_block *b, const char *name, uint32_t *ret)
{
    for (uint32_t i = 0; i < b->nsources; i++)
        if (strcmp(b->sources[i].name, name) == 0) {
            *ret = i;
            return 0;
        }
    return -PT_ENOTFOUND;
}

/* ---- one source at one tick ---- */

/* When the event's text was read, or tried. */
static int64_t time_of(const struct pt_block *b, const struct pt_b_source *s,
                       const struct pt_event_at *event, const struct pt_snap *snaps)
{
    if (!snaps || event->state == PT_EV_ABSENT || event->state == PT_EV_LOST)
        return PT_UNKNOWN;
    const int64_t real = snaps[event->tick < b->nticks ? event->tick : 0].real_us;
    if (!pt_set_has(&s->timed, event->index))
        return real;
    struct pt_cur c = s->times;
    for (uint32_t i = pt_set_rank(&s->timed, event->index); i > 0; i--)
        pt_cur_varint(&c);
    const uint64_t off = (uint64_t)pt_unzigzag(pt_cur_varint(&c)) * s->time_gcd;
    return pt_plus(pt_time_origin(real), (int64_t)off);
}

/* The tick of an event. */
static uint32_t tick_of(const struct pt_b_source *s, uint32_t event, uint32_t at_most)
{
    uint32_t lo = 0, hi = at_most; /* the smallest tick with event + 1 events up to it */
    if (pt_set_has(&s->events, at_most) && pt_set_rank(&s->events, at_most) == event)
        return at_most;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (pt_set_rank(&s->events, mid + 1) < event + 1)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool add_deltas(const struct pt_b_series *s, uint32_t born, uint32_t version,
                       uint64_t *value)
{
    struct pt_deltas d;
    pt_deltas_begin(s, born, &d);
    uint64_t sum = 0;
    while (pt_deltas_next(&d) && d.version <= version)
        sum += d.delta;
    *value += sum;
    return !d.failed;
}

/* The row in packed form, appended to out. */
static bool put_row(const struct pt_block *b, const struct pt_live *row, uint32_t version,
                    uint64_t *slots, struct pt_buf *out)
{
    const struct pt_b_track *t = &b->tracks[row->track];
    memcpy(slots, b->init + t->init, t->nslots * sizeof *slots);
    bool good = true;
    for (uint32_t i = 0; good && i < t->nseries; i++) {
        const struct pt_b_series *s = &b->series[t->first_series + i];
        good = add_deltas(s, t->born, version, &slots[s->slot]);
    }
    pt_buf_varint(out, row->head);
    pt_buf_varint(out, row->body);
    for (uint32_t i = 0; i < t->nslots; i++)
        pt_buf_varint(out, slots[i]);
    return good;
}

static int make_reading(const struct pt_block *b, const struct pt_b_source *s, uint32_t version,
                        struct pt_reading **ret, struct pt_err *err)
{
    struct pt_replay r = {0};
    struct pt_buf out;
    pt_buf_init(&out, UINT32_MAX);
    int rc = pt_replay_begin(b, s, &r);
    if (rc >= 0)
        rc = pt_replay_until(b, &r, version);
    uint32_t most = 0;
    for (uint32_t i = 0; rc >= 0 && i < r.n; i++)
        if (b->tracks[r.v[i].track].nslots > most)
            most = b->tracks[r.v[i].track].nslots;
    uint64_t *slots = malloc(((size_t)most + 1) * sizeof *slots);
    if (!slots)
        rc = -PT_ENOMEM;
    for (uint32_t i = 0; rc >= 0 && i < r.n; i++)
        if (!put_row(b, &r.v[i], version, slots, &out))
            rc = -PT_EDAMAGED;
    if (rc == -PT_ENOMEM || out.failed)
        rc = pt_err_nomem(err);
    else if (rc < 0)
        rc = pt_block_bad(err, "a source's rows make no sense");
    else
        rc = pt_reading_make(b->shapes, r.n, out.data, out.len, ret, err);
    free(slots);
    pt_buf_release(&out);
    pt_replay_release(&r);
    return rc;
}

int pt_block_at(const struct pt_block *b, uint32_t source, uint32_t tick,
                const struct pt_snap *snaps, struct pt_source_at *ret, struct pt_err *err)
{
    static const enum pt_presence presence[] = {[PT_EV_TEXT] = PT_CARRIED,
                                                [PT_EV_FAIL] = PT_UNREADABLE,
                                                [PT_EV_ABSENT] = PT_ABSENT,
                                                [PT_EV_LOST] = PT_LOST,
                                                [PT_EV_CARRIED] = PT_CARRIED};
    if (source >= b->nsources || tick >= b->nticks)
        return pt_err_set(err, PT_EUSAGE, 0, "block", tick, "no source %u at tick %u", source,
                          tick);
    const struct pt_b_source *s = &b->sources[source];
    struct pt_event_at event;
    if (pt_event_find(s, tick, &event) < 0)
        return pt_block_bad(err, "a source's states make no sense");
    struct pt_source_at at = {.name = s->name,
                              .id = source,
                              .presence = presence[event.state],
                              .why = event.why,
                              .read_us = PT_UNKNOWN};
    if (event.any) {
        event.tick = tick_of(s, event.index, tick);
        at.read_us = time_of(b, s, &event, snaps);
    }
    if (event.state == PT_EV_TEXT && event.tick == tick)
        at.presence = PT_READ;
    if (event.state == PT_EV_TEXT || event.state == PT_EV_CARRIED) {
        const uint32_t version = pt_set_rank(&s->changed, event.index + 1);
        const int rc = make_reading(b, s, version, &at.reading, err);
        if (rc < 0)
            return rc;
    }
    *ret = at;
    return 0;
}
