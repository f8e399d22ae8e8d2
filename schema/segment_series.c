/* SPDX-License-Identifier: MIT
 * Series without text: presence, then each row instance with the values of the slots that are
 * wanted. A track is one row; an instance is a stretch of it in which its shapes stay and the
 * source does not vanish. */
#include "schema/segment_int.h"

#include <stdlib.h>
#include <string.h>

struct stretch {
    uint32_t track, head, body, from, to; /* versions: [from, to) */
};

struct walker {
    const struct pt_block *b;
    const struct pt_b_source *s;
    const struct pt_series_ops *ops;
    void *ctx;
    uint32_t *events; /* ticks of events, then which of them changed the text */
    uint32_t *ticks;  /* of versions; the last one: nticks */
    uint32_t *absent; /* ticks at which the source vanished */
    uint32_t nabsent;
    struct stretch *v;
    uint32_t n, cap;
    uint32_t *open;  /* by track of the source: 1 + its open stretch */
    uint32_t *large; /* all of these, where they do not fit on the stack */
};

/* Numbers on the stack: of most sources, which are asked for by the thousand. */
#define SCRATCH 2048u

static int on_row(void *ctx, const struct pt_live *row, uint32_t version, bool born)
{
    struct walker *w = ctx;
    uint32_t *open = &w->open[row->track - w->s->first_track];
    if (!born) {
        if (*open)
            w->v[*open - 1].to = version;
        *open = 0;
        return 0;
    }
    if (w->n == w->cap) {
        const uint32_t cap = w->cap + w->cap / 2 + 16;
        struct stretch *v = realloc(w->v, cap * sizeof *v);
        if (!v)
            return -PT_ENOMEM;
        w->v = v;
        w->cap = cap;
    }
    w->v[w->n] = (struct stretch){.track = row->track,
                                  .head = row->head,
                                  .body = row->body,
                                  .from = version,
                                  .to = w->s->nversions};
    *open = ++w->n;
    return 0;
}

/* The ticks of versions and of vanishings; tells presence on the way. */
static int walk_events(struct walker *w)
{
    const struct pt_b_source *s = w->s;
    static const enum pt_presence presence[] = {[PT_EV_TEXT] = PT_READ,
                                                [PT_EV_FAIL] = PT_UNREADABLE,
                                                [PT_EV_ABSENT] = PT_ABSENT,
                                                [PT_EV_LOST] = PT_LOST,
                                                [PT_EV_CARRIED] = PT_READ};
    uint32_t *events = w->events, *changed = events + s->nevents + 1;
    pt_set_list(&s->events, events);
    pt_set_list(&s->changed, changed);
    if (s->nversions)
        w->ticks[0] = events[s->first_text];
    for (uint32_t i = 0; i < s->changed.count; i++)
        w->ticks[i + 1] = events[changed[i]];
    w->ticks[s->nversions] = w->b->nticks;
    struct pt_cur c = s->states;
    enum pt_presence last = PT_ABSENT;
    int why = 0, rc = 0;
    if ((s->nevents == 0 || events[0] > 0) && w->ops->presence)
        rc = w->ops->presence(w->ctx, 0, PT_ABSENT, 0);
    for (uint32_t i = 0; rc >= 0 && i < s->nevents;) {
        const uint64_t word = pt_cur_varint(&c);
        const unsigned state = word & 7;
        const int code = state == PT_EV_FAIL ? (int)pt_cur_varint(&c) : 0;
        if (c.failed || state >= PT_EV_STATES || word >> 3 == 0)
            rc = -PT_EDAMAGED;
        else if (w->ops->presence && (i == 0 ? events[0] == 0 || state != PT_EV_ABSENT
                                             : presence[state] != last || code != why))
            rc = w->ops->presence(w->ctx, events[i], presence[state], code);
        if (rc >= 0 && state == PT_EV_ABSENT)
            w->absent[w->nabsent++] = events[i];
        if (rc >= 0) {
            last = presence[state];
            why = code;
            i += (uint32_t)(word >> 3 < s->nevents ? word >> 3 : s->nevents);
        }
    }
    return rc;
}

/* The first vanishing after a tick, or where the segment ends. */
static uint32_t absent_after(const struct walker *w, uint32_t tick)
{
    for (uint32_t i = 0; i < w->nabsent; i++)
        if (w->absent[i] > tick)
            return w->absent[i];
    return w->b->nticks;
}

static const struct pt_b_series *series_of(const struct pt_block *b, const struct pt_b_track *t,
                                           uint32_t slot)
{
    uint32_t lo = 0, hi = t->nseries;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (b->series[t->first_series + mid].slot < slot)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct pt_b_series *s = lo < t->nseries ? &b->series[t->first_series + lo] : NULL;
    return s && s->slot == slot ? s : NULL;
}

static int tell_slot(const struct walker *w, uint32_t instance, uint32_t slot)
{
    const struct stretch *st = &w->v[instance];
    const struct pt_b_track *t = &w->b->tracks[st->track];
    const struct pt_b_series *s = series_of(w->b, t, slot);
    uint64_t value = w->b->init[t->init + slot];
    struct pt_deltas d = {0};
    if (s)
        pt_deltas_begin(s, t->born, &d);
    bool more = s && pt_deltas_next(&d);
    for (; more && d.version <= st->from; more = pt_deltas_next(&d))
        value += d.delta;
    int rc = w->ops->value(w->ctx, instance, slot, w->ticks[st->from], value);
    for (; rc >= 0 && more && d.version < st->to; more = pt_deltas_next(&d)) {
        value += d.delta;
        rc = w->ops->value(w->ctx, instance, slot, w->ticks[d.version], value);
    }
    return rc < 0 ? rc : d.failed ? -PT_EDAMAGED : 0;
}

static int tell_instance(const struct walker *w, uint32_t instance)
{
    const struct stretch *st = &w->v[instance];
    const struct pt_block *b = w->b;
    const uint32_t nslots = b->tracks[st->track].nslots;
    const uint32_t born = w->ticks[st->from], gone = absent_after(w, born);
    struct pt_instance in; /* there are many: its array is not cleared */
    in.id = instance;
    in.head = pt_shapes_get(b->shapes, st->head);
    in.body = st->body ? pt_shapes_get(b->shapes, st->body) : NULL;
    in.born = born;
    in.died = w->ticks[st->to] < gone ? w->ticks[st->to] : gone;
    in.nwant = 0;
    int rc = w->ops->instance(w->ctx, &in);
    if (rc <= 0 || !w->ops->value)
        return rc < 0 ? rc : 0;
    rc = 0;
    const uint32_t n = in.nwant == 0                ? nslots
                       : in.nwant < PT_SERIES_SLOTS ? in.nwant
                                                    : PT_SERIES_SLOTS;
    for (uint32_t i = 0; rc >= 0 && i < n; i++) {
        const uint32_t slot = in.nwant ? in.want[i] : i;
        if (slot < nslots)
            rc = tell_slot(w, instance, slot);
    }
    return rc;
}

static int walk(struct walker *w, uint32_t scratch[static SCRATCH])
{
    const struct pt_b_source *s = w->s;
    const size_t tracks = (size_t)s->ntracks + 1, versions = (size_t)s->nversions + 1;
    const size_t events = (size_t)s->nevents + s->changed.count + 2;
    const size_t need = tracks + versions + events + s->nevents + 1;
    if (need > SCRATCH && !(w->large = malloc(need * sizeof *w->large)))
        return -PT_ENOMEM;
    w->open = w->large ? w->large : scratch;
    w->ticks = w->open + tracks;
    w->events = w->ticks + versions;
    w->absent = w->events + events;
    memset(w->open, 0, tracks * sizeof *w->open);
    int rc = walk_events(w);
    if (rc < 0 || !w->ops->instance)
        return rc;
    struct pt_replay r = {.on = on_row, .ctx = w};
    rc = pt_replay_begin(w->b, s, &r);
    if (rc >= 0)
        rc = pt_replay_until(w->b, &r, UINT32_MAX);
    pt_replay_release(&r);
    for (uint32_t i = 0; rc >= 0 && i < w->n; i++)
        rc = tell_instance(w, i);
    return rc;
}

int pt_block_series(const struct pt_block *b, uint32_t source, const struct pt_series_ops *ops,
                    void *ctx, struct pt_err *err)
{
    if (source >= b->nsources)
        return pt_err_set(err, PT_EUSAGE, 0, "block", source, "no source %u in this block", source);
    struct walker w = {.b = b, .s = &b->sources[source], .ops = ops, .ctx = ctx};
    uint32_t scratch[SCRATCH];
    const int rc = walk(&w, scratch);
    free(w.large);
    free(w.v);
    if (rc == -PT_ENOMEM)
        return pt_err_nomem(err);
    if (rc == -PT_EDAMAGED)
        return pt_block_bad(err, "a source's series make no sense");
    return rc < 0 ? rc : 0; /* the caller's own reason to stop */
}
