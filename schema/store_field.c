/* SPDX-License-Identifier: MIT
 * One field over a span, without text: from the series of blocks, mapped by field maps. Frames that
 * are not sealed are sealed in memory first, so that there is one way to read both. */
#include "schema/store_db.h"

#include "schema/array.h"
#include "schema/store_maps.h"
#include "schema/store_points.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX (64u << 20)
#define ROW_MARKS 4u /* numbers in the name of a row: "Node 0, zone Normal" has one */

struct instance {
    uint32_t id, born, died;
    const struct pt_map *map;
};

struct sample {
    uint32_t instance, slot, tick;
    uint64_t value;
};

struct presence {
    uint32_t tick;
    enum pt_presence presence;
};

struct list {
    void *v;
    size_t n, cap;
};

struct field {
    struct pt_db *db;
    const struct pt_field_query *q;
    const struct pt_snap *snaps; /* of the segment; NULL where its clock does not fit its blocks */
    uint32_t nsnaps;
    struct pt_maps maps;
    /* the source at hand */
    const struct pt_file *file;
    uint32_t first_tick, last_tick; /* of the span, in the block */
    struct list instances, samples, presences, points;
    struct pt_buf names; /* of rows that have numbers in them */
    bool nomem;
    struct pt_err *err;
};

static void *push(struct field *f, struct list *l, size_t size)
{
    void *v = pt_array_room(l->v, l->n, &l->cap, size);
    if (!v) {
        f->nomem = true;
        return NULL;
    }
    l->v = v;
    return (char *)l->v + size * l->n++;
}

/* ---- series of one source ---- */

static bool add_want(struct pt_instance *in, uint32_t slot)
{
    uint32_t at = in->nwant;
    for (uint32_t i = 0; i < in->nwant; i++)
        if (in->want[i] == slot)
            return true;
    if (in->nwant == PT_SERIES_SLOTS)
        return false;
    for (; at > 0 && in->want[at - 1] > slot; at--)
        in->want[at] = in->want[at - 1];
    in->want[at] = slot;
    in->nwant++;
    return true;
}

static int on_instance(void *ctx, struct pt_instance *in)
{
    struct field *f = ctx;
    bool fits = true;
    if (in->born > f->last_tick || in->died <= f->first_tick)
        return 0;
    const struct pt_map *map = pt_maps_get(&f->maps, f->file, in->head, in->body, f->err);
    if (!map) {
        f->nomem = f->err->code == PT_ENOMEM;
        return -PT_ENOMEM;
    }
    for (uint32_t k = 0; k < map->nasked; k++) {
        const struct pt_fieldmap_entry *e = map->asked[k].entry;
        for (int i = 0; i < e->scale_slots; i++)
            fits = fits && add_want(in, e->slot + (uint32_t)i);
        for (uint32_t i = 0; i < e->nmarks && e->nmarks <= ROW_MARKS; i++)
            fits = fits && add_want(in, e->marks[i].slot);
    }
    if (in->nwant == 0)
        return 0;
    if (!fits)
        in->nwant = 0; /* all */
    struct instance *mine = push(f, &f->instances, sizeof *mine);
    if (!mine)
        return -PT_ENOMEM;
    *mine = (struct instance){.id = in->id, .born = in->born, .died = in->died, .map = map};
    return 1;
}

static int on_value(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value)
{
    struct field *f = ctx;
    struct sample *s = push(f, &f->samples, sizeof *s);
    if (!s)
        return -PT_ENOMEM;
    *s = (struct sample){instance, slot, tick, value};
    return 0;
}

static int on_presence(void *ctx, uint32_t tick, enum pt_presence presence, int why)
{
    struct field *f = ctx;
    (void)why;
    struct presence *p = push(f, &f->presences, sizeof *p);
    if (!p)
        return -PT_ENOMEM;
    *p = (struct presence){tick, presence};
    return 0;
}

static const struct pt_series_ops series_ops = {on_instance, on_value, on_presence};

/* ---- samples to points ---- */

static int by_slot(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->instance != y->instance)
        return x->instance < y->instance ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->tick < y->tick ? -1 : x->tick > y->tick;
}

static void sort_list(struct list *l, size_t size, int (*cmp)(const void *, const void *))
{
    for (size_t i = 1; i < l->n; i++) {
        if (cmp((char *)l->v + (i - 1) * size, (char *)l->v + i * size) > 0) {
            qsort(l->v, l->n, size, cmp);
            return;
        }
    }
}

static bool sort_points(struct field *f)
{
    struct pt_made *v = f->points.v;
    const bool ok = pt_made_sort(&v, f->points.n, f->last_tick + 1);
    f->points.cap = v == f->points.v ? f->points.cap : f->points.n;
    f->points.v = v;
    return ok;
}

/* The run of samples of one slot of one instance. */
static const struct sample *slot_run(const struct field *f, uint32_t instance, uint32_t slot,
                                     size_t *ret_n)
{
    const struct sample *v = f->samples.v, want = {.instance = instance, .slot = slot};
    size_t lo = 0, hi = f->samples.n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (by_slot(&v[mid], &want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t n = 0;
    while (lo + n < f->samples.n && v[lo + n].instance == instance && v[lo + n].slot == slot)
        n++;
    *ret_n = n;
    return n ? &v[lo] : NULL;
}

/* A row's name with the numbers it was born with: those of zones and segments stay. */
static size_t name_row(struct field *f, const struct instance *in,
                       const struct pt_fieldmap_entry *e)
{
    struct pt_fieldmap_mark marks[ROW_MARKS];
    uint64_t slots[ROW_MARKS];
    struct pt_fieldmap_entry named = *e;
    const size_t at = f->names.len;
    char row[256];
    if (e->nmarks == 0 || e->nmarks > ROW_MARKS)
        return 0;
    for (uint32_t i = 0; i < e->nmarks; i++) {
        size_t n;
        const struct sample *s = slot_run(f, in->id, e->marks[i].slot, &n);
        if (!s)
            return 0;
        marks[i] = e->marks[i];
        marks[i].slot = i;
        slots[i] = s->value;
    }
    named.marks = marks;
    pt_fieldmap_row(&named, slots, row, sizeof row);
    pt_buf_put(&f->names, row, strlen(row) + 1);
    f->nomem |= f->names.failed;
    return at + 1;
}

static void add_point(struct field *f, const struct pt_made *p, const struct pt_made *before)
{
    if (p->tick > f->last_tick)
        return;
    struct pt_made *last = f->points.n ? (struct pt_made *)f->points.v + f->points.n - 1 : NULL;
    if (last && before == last && last->tick <= f->first_tick && p->tick <= f->first_tick) {
        *last = *p; /* only the last before the span counts */
        return;
    }
    struct pt_made *q = push(f, &f->points, sizeof *q);
    if (q)
        *q = *p;
}

static bool is_known(enum pt_presence presence)
{
    return presence == PT_READ || presence == PT_CARRIED;
}

/* What is known of the source from a tick on. */
static enum pt_presence presence_at(const struct field *f, uint32_t tick)
{
    enum pt_presence presence = PT_READ;
    const struct presence *v = f->presences.v;
    for (size_t i = 0; i < f->presences.n && v[i].tick <= tick; i++)
        presence = v[i].presence;
    return presence;
}

/* One value of one row while it lives: the changes of its one or two slots, and when the source
 * could not be read. */
struct walk {
    const struct sample *whole, *frac;
    const struct presence *pres;
    size_t nwhole, nfrac, npres;
    uint64_t slots[2];
    enum pt_presence presence;
};

static bool walk_next(struct walk *w, uint32_t died, uint32_t *ret_tick)
{
    uint32_t tick = UINT32_MAX;
    if (w->nwhole)
        tick = w->whole->tick;
    if (w->nfrac && w->frac->tick < tick)
        tick = w->frac->tick;
    if (w->npres && w->pres->tick < tick)
        tick = w->pres->tick;
    if (tick == UINT32_MAX || tick >= died)
        return false;
    for (; w->nwhole && w->whole->tick == tick; w->nwhole--)
        w->slots[0] = w->whole++->value;
    for (; w->nfrac && w->frac->tick == tick; w->nfrac--)
        w->slots[1] = w->frac++->value;
    for (; w->npres && w->pres->tick == tick; w->npres--)
        w->presence = w->pres++->presence;
    *ret_tick = tick;
    return true;
}

static void add_entry(struct field *f, const struct instance *in, unsigned which,
                      const struct pt_fieldmap_entry *e)
{
    struct walk w = {
        .pres = f->presences.v, .npres = f->presences.n, .presence = presence_at(f, in->born)};
    struct pt_fieldmap_entry at0 = *e;
    const size_t begun = f->points.n, name = name_row(f, in, e);
    uint32_t tick;
    at0.slot = 0;
    w.whole = slot_run(f, in->id, e->slot, &w.nwhole);
    if (e->scale_slots == 2)
        w.frac = slot_run(f, in->id, e->slot + 1, &w.nfrac);
    for (; w.npres && w.pres->tick <= in->born; w.npres--)
        w.pres++;
    while (walk_next(&w, in->died, &tick)) {
        struct pt_made p = {.tick = tick,
                            .instance = in->id,
                            .which = which,
                            .row = e->row,
                            .name = name,
                            .field = e->field,
                            .presence = w.presence};
        if (is_known(w.presence))
            pt_fieldmap_value(&at0, w.slots, &p.value, &p.scale);
        add_point(f, &p,
                  f->points.n > begun ? (struct pt_made *)f->points.v + f->points.n - 1 : NULL);
    }
}

/* Where rows end. */
static void add_ends(struct field *f, uint32_t nticks)
{
    const struct instance *in = f->instances.v;
    for (size_t i = 0; i < f->instances.n; i++) {
        const struct pt_map *map = in[i].map;
        const enum pt_presence presence = presence_at(f, in[i].died);
        const struct pt_made p = {.tick = in[i].died,
                                  .instance = in[i].id,
                                  .presence = is_known(presence) ? PT_ABSENT : presence};
        for (uint32_t k = 0; in[i].died < nticks && k < map->nasked; k++) {
            const struct pt_fieldmap_entry *e = map->asked[k].entry;
            struct pt_made q = p;
            q.row = e->row;
            q.name = name_row(f, &in[i], e);
            q.field = e->field;
            q.which = map->asked[k].which;
            add_point(f, &q, NULL);
        }
    }
}

/* Where the source is not known and no row of it says so. */
static void add_gaps(struct field *f)
{
    const struct instance *in = f->instances.v;
    const struct presence *v = f->presences.v;
    for (size_t i = 0; i < f->presences.n; i++) {
        /* another state stands at the span's start */
        bool told =
            is_known(v[i].presence) || (i + 1 < f->presences.n && v[i + 1].tick <= f->first_tick);
        for (size_t k = 0; k < f->instances.n && !told; k++)
            told = v[i].tick >= in[k].born && v[i].tick <= in[k].died;
        if (!told)
            add_point(f,
                      &(struct pt_made){
                          .tick = v[i].tick, .row = "", .field = "", .presence = v[i].presence},
                      NULL);
    }
}

static int emit(struct field *f, const struct pt_block *b, uint32_t source)
{
    const char *name = pt_block_name(b, source);
    const struct pt_made *v = f->points.v;
    for (size_t i = 0; i < f->points.n; i++) {
        const struct pt_made *p = &v[i];
        const uint32_t tick = p->tick < f->first_tick ? f->first_tick : p->tick;
        const bool known = p->scale != 0;
        const struct pt_point out = {
            .source = name,
            .first = i == 0,
            .row = p->name ? (const char *)f->names.data + p->name - 1 : p->row,
            .field = p->field,
            .instance = p->instance,
            .n = pt_block_n(b, tick),
            .which = p->which,
            .real_us = tick < f->nsnaps ? f->snaps[tick].real_us : PT_UNKNOWN,
            .boot = tick < f->nsnaps ? f->snaps[tick].boot : 0,
            .boot_us = tick < f->nsnaps ? f->snaps[tick].boot_us : PT_UNKNOWN,
            .end_n = pt_block_n(b, f->last_tick),
            .end_boot_us = f->last_tick < f->nsnaps ? f->snaps[f->last_tick].boot_us : PT_UNKNOWN,
            .known = known,
            .presence = p->presence,
            .value = known ? (double)p->value / (double)p->scale : 0,
            .ivalue = known ? p->value / p->scale : 0,
        };
        const int r = f->q->fn(f->q->ctx, &out);
        if (r < 0)
            return r;
    }
    return 0;
}

static int field_source(struct field *f, const struct pt_block *b, uint32_t source,
                        struct pt_err *err)
{
    struct pt_err why = {0};
    f->file = pt_file_of(pt_block_name(b, source));
    f->instances.n = f->samples.n = f->presences.n = f->points.n = 0;
    pt_buf_reset(&f->names);
    f->err = &why;
    pt_maps_tidy(&f->maps);
    const int r = pt_block_series(b, source, &series_ops, f, &why);
    if (f->nomem)
        return why.code ? pt_err_set(err, why.code, why.sys, NULL, -1, "%s", why.text)
                        : pt_err_nomem(err);
    if (r < 0)
        return pt_db_forgive(f->db, &why, f->q->from, f->q->to, pt_block_name(b, source), err) ? 0
                                                                                               : r;
    sort_list(&f->samples, sizeof(struct sample), by_slot);
    const struct instance *in = f->instances.v;
    for (size_t i = 0; i < f->instances.n; i++)
        for (uint32_t k = 0; k < in[i].map->nasked; k++)
            add_entry(f, &in[i], in[i].map->asked[k].which, in[i].map->asked[k].entry);
    add_ends(f, pt_block_ticks(b));
    add_gaps(f);
    f->nomem |= !sort_points(f);
    return f->nomem ? pt_err_nomem(err) : emit(f, b, source);
}

static int field_block(void *ctx, const struct pt_block *b, struct pt_err *err)
{
    struct field *f = ctx;
    const uint32_t nticks = pt_block_ticks(b), count = pt_block_sources(b);
    uint32_t lo = 0, hi = nticks;
    while (lo < nticks && pt_block_n(b, lo) < f->q->from)
        lo++;
    while (hi > lo && pt_block_n(b, hi - 1) > f->q->to)
        hi--;
    if (lo >= hi)
        return 0;
    if (f->nsnaps != nticks)
        f->nsnaps = 0;
    f->first_tick = lo;
    f->last_tick = hi - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!pt_source_match(f->q->glob, pt_block_name(b, i)) ||
            (f->q->keep && !f->q->keep(f->q->ctx, pt_block_name(b, i))))
            continue;
        const int r = field_source(f, b, i, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* keep: others will ask for the same blocks. */
static int field_segment(struct field *f, const struct pt_seg *seg, bool keep, struct pt_err *err)
{
    const struct pt_clock *clock;
    const int r = pt_db_clock(f->db, seg, &clock, err);
    if (r < 0)
        return r;
    f->snaps = clock->snaps;
    f->nsnaps = clock->count;
    const struct pt_block_query q = {.seg = seg,
                                     .groups = PT_GROUP_ALL,
                                     .glob = f->q->glob,
                                     .keep = keep,
                                     .fn = field_block,
                                     .ctx = f};
    return pt_db_blocks(f->db, &q, err);
}

static void field_release(struct field *f)
{
    pt_maps_release(&f->maps);
    free(f->instances.v);
    free(f->samples.v);
    free(f->presences.v);
    free(f->points.v);
    pt_buf_release(&f->names);
}

/* What all queries ask of frames that are not sealed, so that these are sealed once. */
struct unsealed {
    struct pt_db *db;
    struct field *f; /* or */
    const struct pt_last_query *lasts;
    size_t n;
};

static bool unsealed_keep(void *ctx, const char *name)
{
    const struct unsealed *u = ctx;
    for (size_t k = 0; k < u->n; k++)
        if (pt_source_match(u->f ? u->f[k].q->glob : u->lasts[k].glob, name))
            return true;
    return false;
}

static int unsealed_block(void *ctx, const struct pt_block *b, const struct pt_snap *snaps,
                          uint32_t nsnaps, struct pt_err *err)
{
    const struct unsealed *u = ctx;
    int r = 0;
    for (size_t k = 0; k < u->n && r >= 0; k++) {
        if (u->lasts) {
            r = pt_last_of_run(u->db, &u->lasts[k], b, snaps, nsnaps, err);
            continue;
        }
        u->f[k].snaps = snaps;
        u->f[k].nsnaps = nsnaps;
        r = field_block(&u->f[k], b, err);
    }
    return r;
}

static int scan_unsealed(struct unsealed *u, struct pt_err *err)
{
    int64_t from = INT64_MAX, to = INT64_MIN;
    for (size_t k = 0; k < u->n; k++) {
        const int64_t a = u->f ? u->f[k].q->from : u->lasts[k].from;
        const int64_t z = u->f ? u->f[k].q->to : u->lasts[k].to;
        from = a < from ? a : from;
        to = z > to ? z : to;
    }
    return u->n ? pt_db_runs(u->db, unsealed_keep, from, to, unsealed_block, u, err) : 0;
}

static int scan(struct pt_db *db, struct field *f, size_t n, const struct pt_last_query *lasts,
                size_t nlasts, struct pt_err *err)
{
    int r = 0;
    for (size_t i = 0; i < db->nsegs && r >= 0; i++) {
        if (i > 0) /* what was decoded for one query and the next has served */
            pt_db_drop_segment(db, &db->segs[i - 1]);
        for (size_t k = 0; k < n && r >= 0; k++)
            if (db->segs[i].last >= f[k].q->from && db->segs[i].first <= f[k].q->to)
                r = field_segment(&f[k], &db->segs[i], n + nlasts > 1, err);
        for (size_t k = 0; k < nlasts && r >= 0; k++)
            r = pt_last_of_segment(db, &lasts[k], &db->segs[i], err);
    }
    if (r >= 0)
        r = scan_unsealed(&(struct unsealed){.db = db, .f = f, .n = n}, err);
    if (r >= 0)
        r = scan_unsealed(&(struct unsealed){.db = db, .lasts = lasts, .n = nlasts}, err);
    return r;
}

int pt_db_scan(struct pt_db *db, const struct pt_field_query *fields, size_t nfields,
               const struct pt_last_query *lasts, size_t nlasts, struct pt_err *err)
{
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    struct field *f = calloc(nfields ? nfields : 1, sizeof *f);
    for (size_t k = 0; k < nfields && f; k++) {
        const struct pt_field_query *q = &fields[k];
        f[k] = (struct field){
            .db = db,
            .q = q,
            .maps = {.shapes = db->shapes, .fields = q->fields, .nfields = q->nfields}};
        pt_buf_init(&f[k].names, NAMES_MAX);
    }
    if (!f)
        r = pt_err_nomem(err);
    if (r >= 0)
        r = scan(db, f, nfields, lasts, nlasts, err);
    for (size_t k = 0; k < nfields && f; k++)
        field_release(&f[k]);
    free(f);
    pt_db_leave(db);
    return r;
}

int pt_db_fields(struct pt_db *db, const struct pt_field_query *q, size_t n, struct pt_err *err)
{
    return pt_db_scan(db, q, n, NULL, 0, err);
}

int pt_db_field(struct pt_db *db, const char *glob, const char *field, int64_t from, int64_t to,
                int (*fn)(void *ctx, const struct pt_point *p), void *ctx, struct pt_err *err)
{
    const struct pt_field_query q = {
        .glob = glob, .fields = &field, .nfields = 1, .from = from, .to = to, .fn = fn, .ctx = ctx};
    return pt_db_fields(db, &q, 1, err);
}
