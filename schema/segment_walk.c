/* SPDX-License-Identifier: MIT
 * One source of a block, tick after tick: every stream is walked once, where pt_block_at begins
 * anew for every tick. What thinning reads segments with. Units: as segment.h. */
#include "schema/segment_int.h"

#include <stdlib.h>

/* A series as far as it has been read. */
struct series_at {
    struct pt_deltas d;
    bool ahead; /* d holds a change that is not due yet */
};

struct pt_walk {
    const struct pt_block *b;
    const struct pt_b_source *s;
    const struct pt_snap *snaps;
    /* events */
    uint32_t *events, *changed, *timed; /* of the source's sets */
    uint32_t next_event, next_changed, next_timed;
    struct pt_cur states, times;
    uint64_t run; /* events to come that are of `state` */
    enum pt_event_state state;
    int why;
    int64_t read_us;
    uint32_t tick; /* of the last event */
    /* text */
    uint32_t version, made; /* made: the version `reading` is of */
    struct pt_reading *reading;
    struct pt_replay rows;
    bool begun;
    uint64_t *values; /* of all tracks of the source, one after the other */
    size_t *at;       /* where each track's values begin */
    struct series_at *series;
    uint32_t first_series;
    struct pt_buf out;
};

static uint32_t *list(const struct pt_set *set)
{
    uint32_t *v = malloc(((size_t)set->count + 1) * sizeof *v);
    if (v)
        pt_set_list(set, v);
    return v;
}

/* Values at birth, and every series at its beginning. */
static bool begin_tracks(struct pt_walk *w)
{
    const struct pt_b_source *s = w->s;
    const struct pt_b_track *t = w->b->tracks + s->first_track;
    size_t slots = 0, nseries = 0;
    for (uint32_t i = 0; i < s->ntracks; i++) {
        slots += t[i].nslots;
        nseries += t[i].nseries;
    }
    w->values = malloc((slots + 1) * sizeof *w->values);
    w->at = malloc(((size_t)s->ntracks + 1) * sizeof *w->at);
    w->series = calloc(nseries + 1, sizeof *w->series);
    if (!w->values || !w->at || !w->series)
        return false;
    w->first_series = s->ntracks ? t[0].first_series : 0;
    slots = 0;
    for (uint32_t i = 0; i < s->ntracks; i++) {
        w->at[i] = slots;
        memcpy(w->values + slots, w->b->init + t[i].init, t[i].nslots * sizeof *w->values);
        slots += t[i].nslots;
        for (uint32_t k = t[i].first_series; k < t[i].first_series + t[i].nseries; k++)
            pt_deltas_begin(&w->b->series[k], t[i].born, &w->series[k - w->first_series].d);
    }
    return true;
}

int pt_walk_new(const struct pt_block *b, uint32_t source, const struct pt_snap *snaps,
                struct pt_walk **ret, struct pt_err *err)
{
    if (source >= b->nsources)
        return pt_err_set(err, PT_EUSAGE, 0, "block", -1, "no source %u", source);
    struct pt_walk *w = calloc(1, sizeof *w);
    if (!w)
        return pt_err_nomem(err);
    const struct pt_b_source *s = &b->sources[source];
    *w = (struct pt_walk){.b = b,
                          .s = s,
                          .snaps = snaps,
                          .events = list(&s->events),
                          .changed = list(&s->changed),
                          .timed = list(&s->timed),
                          .states = s->states,
                          .times = s->times,
                          .state = PT_EV_ABSENT,
                          .read_us = PT_UNKNOWN,
                          .made = UINT32_MAX};
    pt_buf_init(&w->out, UINT32_MAX);
    if (!w->events || !w->changed || !w->timed || !begin_tracks(w)) {
        pt_walk_free(w);
        return pt_err_nomem(err);
    }
    *ret = w;
    return 0;
}

void pt_walk_free(struct pt_walk *w)
{
    if (!w)
        return;
    pt_reading_unref(w->b->shapes, w->reading);
    pt_replay_release(&w->rows);
    pt_buf_release(&w->out);
    free(w->events);
    free(w->changed);
    free(w->timed);
    free(w->values);
    free(w->at);
    free(w->series);
    free(w);
}

/* ---- events ---- */

static int64_t take_time(struct pt_walk *w, uint32_t event, int64_t real)
{
    const struct pt_b_source *s = w->s;
    if (w->next_timed >= s->timed.count || w->timed[w->next_timed] != event)
        return real;
    w->next_timed++;
    const uint64_t off = (uint64_t)pt_unzigzag(pt_cur_varint(&w->times)) * s->time_gcd;
    return pt_plus(pt_time_origin(real), (int64_t)off);
}

static bool take_event(struct pt_walk *w)
{
    const uint32_t event = w->next_event++;
    w->tick = w->events[event];
    if (!w->run) {
        const uint64_t word = pt_cur_varint(&w->states);
        w->state = (enum pt_event_state)(word & 7);
        w->run = word >> 3;
        w->why = w->state == PT_EV_FAIL ? (int)pt_cur_varint(&w->states) : 0;
    }
    if (w->states.failed || !w->run || w->state >= PT_EV_STATES)
        return false;
    w->run--;
    if (w->next_changed < w->s->changed.count && w->changed[w->next_changed] == event) {
        w->next_changed++;
        w->version++;
    }
    const int64_t at = take_time(w, event, w->snaps ? w->snaps[w->tick].real_us : 0);
    const bool known = w->snaps && w->state != PT_EV_ABSENT && w->state != PT_EV_LOST;
    w->read_us = known ? at : PT_UNKNOWN;
    return !w->times.failed;
}

/* ---- the text ---- */

/* The values of a track, as of w->version. */
static const uint64_t *values_of(struct pt_walk *w, uint32_t track)
{
    const struct pt_b_track *t = &w->b->tracks[track];
    uint64_t *values = w->values + w->at[track - w->s->first_track];
    for (uint32_t i = 0; i < t->nseries; i++) {
        struct series_at *a = &w->series[t->first_series + i - w->first_series];
        const uint32_t slot = w->b->series[t->first_series + i].slot;
        while (a->ahead || pt_deltas_next(&a->d)) {
            a->ahead = a->d.version > w->version;
            if (a->ahead)
                break;
            values[slot] += a->d.delta;
        }
        if (a->d.failed)
            return NULL;
    }
    return values;
}

static int put_rows(struct pt_walk *w)
{
    for (uint32_t i = 0; i < w->rows.n; i++) {
        const struct pt_live *row = &w->rows.v[i];
        const uint32_t nslots = w->b->tracks[row->track].nslots;
        const uint64_t *values = values_of(w, row->track);
        if (!values)
            return -PT_EDAMAGED;
        pt_buf_varint(&w->out, row->head);
        pt_buf_varint(&w->out, row->body);
        for (uint32_t k = 0; k < nslots; k++)
            pt_buf_varint(&w->out, values[k]);
    }
    return w->out.failed ? -PT_ENOMEM : 0;
}

static int make(struct pt_walk *w, struct pt_err *err)
{
    struct pt_reading *fresh = NULL;
    int rc = w->begun ? 0 : pt_replay_begin(w->b, w->s, &w->rows);
    w->begun = true;
    pt_buf_reset(&w->out);
    if (rc >= 0)
        rc = pt_replay_until(w->b, &w->rows, w->version);
    if (rc >= 0)
        rc = put_rows(w);
    if (rc == -PT_ENOMEM)
        return pt_err_nomem(err);
    if (rc < 0)
        return pt_block_bad(err, "a source's rows make no sense");
    rc = pt_reading_make(w->b->shapes, w->rows.n, w->out.data, w->out.len, &fresh, err);
    if (rc < 0)
        return rc;
    pt_reading_unref(w->b->shapes, w->reading);
    w->reading = fresh;
    w->made = w->version;
    return 0;
}

int pt_walk_at(struct pt_walk *w, uint32_t tick, struct pt_source_at *ret, struct pt_err *err)
{
    static const enum pt_presence presence[] = {[PT_EV_TEXT] = PT_CARRIED,
                                                [PT_EV_FAIL] = PT_UNREADABLE,
                                                [PT_EV_ABSENT] = PT_ABSENT,
                                                [PT_EV_LOST] = PT_LOST,
                                                [PT_EV_CARRIED] = PT_CARRIED};
    if (tick >= w->b->nticks)
        return pt_err_set(err, PT_EUSAGE, 0, "block", tick, "no tick %u", tick);
    while (w->next_event < w->s->events.count && w->events[w->next_event] <= tick)
        if (!take_event(w))
            return pt_block_bad(err, "a source's states make no sense");
    const bool text = w->state == PT_EV_TEXT || w->state == PT_EV_CARRIED;
    if (text && w->made != w->version) {
        const int rc = make(w, err);
        if (rc < 0)
            return rc;
    }
    *ret = (struct pt_source_at){.name = w->s->name,
                                 .presence = presence[w->state],
                                 .why = w->why,
                                 .read_us = w->read_us,
                                 .reading = text ? w->reading : NULL};
    if (w->state == PT_EV_TEXT && w->tick == tick)
        ret->presence = PT_READ;
    return 0;
}
