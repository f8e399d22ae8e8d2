/* SPDX-License-Identifier: MIT
 * The state of a chain, frame after frame. A frame is applied in two steps: all that can fail is
 * done beside the state, then the state is changed. Units: as frame.h. */
#include "schema/frame_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT, FAIL, GONE, LOST };

struct csrc {
    struct pt_source_at at; /* reading: NULL unless state is TEXT */
    struct pt_reading *base;
    uint8_t state;
    bool told; /* by the frame being applied */
};

struct cshape {
    uint32_t local, table;
};

struct state {
    struct cshape *shapes; /* ascending; a reference each */
    struct csrc *src;      /* ascending by id */
    uint32_t nshapes, shape_cap, nsrc, src_cap;
};

/* What an entry does, before it is done. */
struct pending {
    uint32_t index;
    uint8_t state;
    bool time_only;
    int why;
    int64_t read_us;
    struct pt_reading *base, *cur; /* a reference each, or NULL */
};

struct pt_chain {
    struct pt_shapes *shapes;
    bool (*keep)(void *ctx, uint32_t id, const char *name, size_t bytes);
    void *keep_ctx;
    struct state s;
    bool begun;
    bool holes; /* two frames in a row were lost: what is not known may be right */
    int64_t key_n, last_n;
    struct pending *pending;
    uint32_t npending, pending_cap;
    struct pt_script_reader reader;
    struct state *work; /* being built */
    char name[PT_NAME_MAX];
};

/* ---- state ---- */

static void drop_source(struct pt_chain *c, struct csrc *s)
{
    pt_reading_unref(c->shapes, s->base);
    pt_reading_unref(c->shapes, s->at.reading);
    free((char *)s->at.name);
}

static void truncate_state(struct pt_chain *c, struct state *s, uint32_t nsrc, uint32_t nshapes)
{
    while (s->nsrc > nsrc)
        drop_source(c, &s->src[--s->nsrc]);
    while (s->nshapes > nshapes)
        pt_shapes_unref(c->shapes, s->shapes[--s->nshapes].table);
}

static void release_state(struct pt_chain *c, struct state *s)
{
    truncate_state(c, s, 0, 0);
    free(s->src);
    free(s->shapes);
    *s = (struct state){0};
}

static uint32_t table_of(void *ctx, uint64_t local)
{
    const struct pt_chain *c = ctx;
    const struct state *s = c->work;
    if (local - 1 < s->nshapes && s->shapes[local - 1].local == local)
        return s->shapes[local - 1].table; /* nothing was ever lost: the common case */
    uint32_t lo = 0, hi = s->nshapes;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (s->shapes[mid].local < local)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->nshapes && s->shapes[lo].local == local ? s->shapes[lo].table : 0;
}

struct pt_chain *pt_chain_new(struct pt_shapes *shapes)
{
    struct pt_chain *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->shapes = shapes;
    c->reader = (struct pt_script_reader){.shapes = shapes, .table = table_of, .ctx = c};
    pt_buf_init(&c->reader.out, UINT32_MAX);
    return c;
}

void pt_chain_free(struct pt_chain *c)
{
    if (!c)
        return;
    release_state(c, &c->s);
    pt_buf_release(&c->reader.out);
    free(c->pending);
    free(c);
}

void pt_chain_filter(struct pt_chain *c,
                     bool (*keep)(void *ctx, uint32_t id, const char *name, size_t bytes),
                     void *ctx)
{
    c->keep = keep;
    c->keep_ctx = ctx;
}

/* Room for one more element. */
static bool room(void *array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    const size_t want = (size_t)*cap + *cap / 2 + 16;
    void **p = array;
    void *v = want <= UINT32_MAX ? realloc(*p, want * size) : NULL;
    if (!v)
        return false;
    *p = v;
    *cap = (uint32_t)want;
    return true;
}

/* ---- shapes ---- */

static int damaged(struct pt_err *err, const char *what)
{
    return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "%s", what);
}

static int add_shape(struct pt_chain *c, struct state *s, uint64_t local, const uint8_t *wire,
                     size_t len, struct pt_err *err)
{
    const uint32_t known = table_of(c, local);
    if (!known && s->nshapes && s->shapes[s->nshapes - 1].local >= local)
        return damaged(err, "shapes are not in order");
    if (local > UINT32_MAX || !room(&s->shapes, s->nshapes, &s->shape_cap, sizeof *s->shapes))
        return pt_err_nomem(err);
    const int64_t id = pt_shapes_intern(c->shapes, wire, len, err);
    if (id < 0)
        return (int)id;
    if (!known) {
        s->shapes[s->nshapes++] = (struct cshape){.local = (uint32_t)local, .table = (uint32_t)id};
        return 0;
    }
    pt_shapes_unref(c->shapes, (uint32_t)id);
    return known == id ? 0 : damaged(err, "a shape is told twice, differently");
}

static int add_shapes(struct pt_chain *c, struct state *s, const struct pt_frame *f,
                      struct pt_err *err)
{
    struct pt_cur cur = f->shapes;
    for (uint64_t i = 0; i < f->nshapes; i++) {
        const uint64_t len = pt_cur_varint(&cur);
        const uint8_t *wire = pt_cur_bytes(&cur, (size_t)len);
        const int rc = add_shape(c, s, f->first_shape + i, wire, (size_t)len, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- entries ---- */

/* The source of an entry, from *at on; s->nsrc: not known. */
static uint32_t find_source(const struct state *s, uint32_t at, uint64_t id)
{
    uint32_t hi = s->nsrc;
    while (at < hi) {
        const uint32_t mid = at + (hi - at) / 2;
        if (s->src[mid].at.id < id)
            at = mid + 1;
        else
            hi = mid;
    }
    return at < s->nsrc && s->src[at].at.id == id ? at : s->nsrc;
}

static int take_name(struct pt_chain *c, const struct pt_entry *e, struct pt_err *err)
{
    if (e->name_same > strlen(c->name))
        return damaged(err, "a source's name makes no sense");
    memcpy(c->name + e->name_same, e->name, e->name_len);
    c->name[e->name_same + e->name_len] = 0;
    return 0;
}

/* 1: index is set; 0: not a source of ours. */
static int define(struct pt_chain *c, struct state *s, const struct pt_entry *e, uint32_t *index,
                  struct pt_err *err)
{
    if (take_name(c, e, err) < 0)
        return -PT_EDAMAGED;
    if (*index < s->nsrc)
        return strcmp(s->src[*index].at.name, c->name) == 0
                   ? 1
                   : damaged(err, "a source is told twice, differently");
    if (c->keep && !c->keep(c->keep_ctx, (uint32_t)e->id, c->name, pt_cur_left(&e->base)))
        return 0;
    if (s->nsrc && s->src[s->nsrc - 1].at.id >= e->id)
        return damaged(err, "sources are not in order");
    char *name = strdup(c->name);
    if (!name || !room(&s->src, s->nsrc, &s->src_cap, sizeof *s->src)) {
        free(name);
        return pt_err_nomem(err);
    }
    *index = s->nsrc;
    s->src[s->nsrc++] = (struct csrc){
        .at = {.name = name, .id = (uint32_t)e->id, .read_us = PT_UNKNOWN}, .state = LOST};
    return 1;
}

/* Makes the readings of an entry. Where frames were lost, what they told may be missing: the source
 * is lost then. */
static int make_readings(struct pt_chain *c, const struct pt_reading *base,
                         const struct pt_entry *e, struct pending *p, struct pt_err *err)
{
    struct pt_err why = {0};
    struct pt_cur base_cur = e->base, script = e->script;
    int rc = 0;
    c->reader.unknown = false;
    if ((e->flags & PT_ENTRY_BASE) && !base) {
        rc = pt_script_rows(&c->reader, &base_cur, &p->base, &why);
        base = p->base;
    }
    if (rc == 0 && p->state == TEXT && !base) {
        c->reader.unknown = true;
        rc = damaged(&why, "a source has no base");
    }
    if (rc == 0 && (e->flags & PT_ENTRY_SCRIPT))
        rc = pt_script_apply(&c->reader, base, &script, &p->cur, &why);
    else if (rc == 0 && p->state == TEXT)
        p->cur = pt_reading_ref((struct pt_reading *)base);
    if (rc == -PT_EDAMAGED && c->reader.unknown && c->holes) {
        p->state = LOST;
        return 0;
    }
    return rc < 0 ? pt_err_set(err, why.code, why.sys, NULL, -1, "%s", why.text) : 0;
}

static int add_pending(struct pt_chain *c, const struct state *s, const struct pt_entry *e,
                       uint32_t index, struct pt_err *err)
{
    static const uint8_t states[] = {[PT_ENTRY_SAME] = TEXT,
                                     [PT_ENTRY_TEXT] = TEXT,
                                     [PT_ENTRY_FAIL] = FAIL,
                                     [PT_ENTRY_GONE] = GONE};
    const unsigned outcome = e->flags & PT_ENTRY_OUTCOME;
    if (!room(&c->pending, c->npending, &c->pending_cap, sizeof *c->pending))
        return pt_err_nomem(err);
    struct pending *p = &c->pending[c->npending++];
    *p = (struct pending){.index = index,
                          .state = states[outcome],
                          .time_only = outcome == PT_ENTRY_SAME,
                          .why = e->why,
                          .read_us = e->read_us};
    if (outcome == PT_ENTRY_SAME || outcome == PT_ENTRY_GONE)
        return 0;
    return make_readings(c, s->src[index].base, e, p, err);
}

/* ---- commit ---- */

static void set_reading(struct pt_chain *c, struct csrc *s, struct pt_reading *r)
{
    if (r && r != s->at.reading && pt_reading_equal(s->at.reading, r)) {
        pt_reading_unref(c->shapes,
                         r); /* the same object for the same text, for those who compare */
        return;
    }
    pt_reading_unref(c->shapes, s->at.reading);
    s->at.reading = r;
}

static void do_pending(struct pt_chain *c, struct state *s)
{
    for (uint32_t i = 0; i < c->npending; i++) {
        struct pending *p = &c->pending[i];
        struct csrc *src = &s->src[p->index];
        src->told = true;
        src->at.read_us = p->read_us;
        if (p->time_only) /* does not tell a text */
            continue;
        src->state = p->state;
        src->at.why = p->why;
        if (p->base)
            src->base = p->base;
        set_reading(c, src, p->cur);
    }
    c->npending = 0;
}

static int add_entries(struct pt_chain *c, struct state *s, const struct pt_frame *f,
                       struct pt_err *err)
{
    struct pt_cur cur = f->entries;
    struct pt_entry e;
    uint64_t next = 0;
    uint32_t at = 0;
    c->name[0] = 0;
    c->reader.changes = &f->changes;
    int64_t change = 0;
    for (uint64_t i = 0; i < f->nentries && pt_entry_next(f, &cur, &next, &e); i++) {
        c->reader.next_change =
            (uint32_t)change; /* those of entries passed over are passed over too */
        change += e.flags & PT_ENTRY_SCRIPT ? pt_script_scan(e.script, 0, NULL) : 0;
        uint32_t index = find_source(s, at, e.id);
        int rc = index < s->nsrc;
        if (e.flags & PT_ENTRY_DEF)
            rc = define(c, s, &e, &index, err);
        if (rc > 0) {
            at = index + 1;
            rc = add_pending(c, s, &e, index, err);
        }
        if (rc < 0)
            return rc;
        if (f->key) /* of all sources there are; its state is not the chain's yet */
            do_pending(c, s);
    }
    return 0;
}

static void set_presence(struct csrc *src, bool read)
{
    static const enum pt_presence presence[] = {
        [TEXT] = PT_CARRIED, [FAIL] = PT_UNREADABLE, [GONE] = PT_ABSENT, [LOST] = PT_LOST};
    src->at.presence = presence[src->state];
    if (src->state == TEXT && read)
        src->at.presence = PT_READ;
    if (src->state != FAIL)
        src->at.why = 0;
}

static void finish(struct pt_chain *c, struct state *s, const struct pt_frame *f)
{
    for (uint32_t i = 0; i < s->nsrc; i++) {
        struct csrc *src = &s->src[i];
        const uint32_t id = src->at.id;
        const bool read = id < f->nids && (f->readset[id / 8] >> (id % 8) & 1);
        if (src->state == LOST || src->state == GONE)
            set_reading(c, src, NULL);
        if (read && !src->told && (src->state == TEXT || src->state == FAIL))
            src->at.read_us = f->snap.real_us;
        if (src->state == LOST)
            src->at.read_us = PT_UNKNOWN;
        set_presence(src, read);
        src->told = false;
    }
}

static void drop_pending(struct pt_chain *c)
{
    for (uint32_t i = 0; i < c->npending; i++) {
        pt_reading_unref(c->shapes, c->pending[i].base);
        pt_reading_unref(c->shapes, c->pending[i].cur);
    }
    c->npending = 0;
}

static int check_order(const struct pt_chain *c, const struct pt_frame *f, struct pt_err *err)
{
    if (f->key)
        return 0;
    if (!c->begun || f->key_n != c->key_n)
        return damaged(err, "its key frame is missing");
    return f->snap.n > c->last_n ? 0 : damaged(err, "it is not later than the one before");
}

static int build(struct pt_chain *c, struct state *s, const struct pt_frame *f, struct pt_err *err)
{
    int rc = check_order(c, f, err);
    if (rc == 0)
        rc = add_shapes(c, s, f, err);
    return rc < 0 ? rc : add_entries(c, s, f, err);
}

int pt_chain_apply(struct pt_chain *c, const struct pt_frame *f, struct pt_err *err)
{
    struct state fresh = {0};
    struct state *s = f->key ? &fresh : &c->s;
    const uint32_t nsrc = s->nsrc, nshapes = s->nshapes;
    const bool lost = !f->key && f->snap.n - c->last_n > 2, holes = c->holes;
    struct pt_err why = {0};
    c->work = s;
    c->holes = f->key ? false : c->holes || lost;
    const int rc = build(c, s, f, &why);
    if (rc < 0) {
        drop_pending(c);
        truncate_state(c, s, nsrc, nshapes);
        if (f->key)
            release_state(c, s);
        c->holes = holes;
        char source[32];
        snprintf(source, sizeof source, "frame %lld", (long long)f->snap.n);
        return pt_err_set(err, why.code, why.sys, source, f->snap.n, "%s: %s", source, why.text);
    }
    for (uint32_t i = 0; lost && i < s->nsrc; i++)
        if (s->src[i].state != GONE)
            s->src[i].state = LOST;
    do_pending(c, s);
    finish(c, s, f);
    if (f->key) {
        release_state(c, &c->s);
        c->s = fresh;
        c->key_n = f->snap.n;
    }
    c->last_n = f->snap.n;
    c->begun = true;
    return 0;
}

uint32_t pt_chain_count(const struct pt_chain *c)
{
    return c->s.nsrc;
}

const struct pt_source_at *pt_chain_get(const struct pt_chain *c, uint32_t index)
{
    return index < c->s.nsrc ? &c->s.src[index].at : NULL;
}
