/* SPDX-License-Identifier: MIT
 * Everything at one snapshot, and one text at one snapshot. */
#include "schema/store_db.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX (1u << 30)

/* A view in the making: names by offset until their buffer moves no more. */
struct making {
    struct pt_db *db;
    unsigned groups;
    int64_t n;
    const struct pt_clock *clock; /* NULL: from frames */
    struct pt_view *view;
    size_t *offsets;
    struct pt_buf names;
    uint32_t cap;
};

static int add(struct making *m, const char *name, const struct pt_source_at *at,
               struct pt_err *err)
{
    struct pt_view *v = m->view;
    if (v->count == m->cap) {
        const uint32_t cap = m->cap ? m->cap * 2 : 256;
        struct pt_source_at *sources = realloc(v->sources, cap * sizeof *sources);
        if (sources)
            v->sources = sources;
        size_t *offsets = realloc(m->offsets, cap * sizeof *offsets);
        if (offsets)
            m->offsets = offsets;
        if (!sources || !offsets)
            return pt_err_nomem(err);
        m->cap = cap;
    }
    m->offsets[v->count] = m->names.len;
    pt_buf_put(&m->names, name, strlen(name) + 1);
    if (m->names.failed)
        return pt_err_nomem(err);
    v->sources[v->count] = *at;
    v->sources[v->count++].name = NULL;
    return 0;
}

/* A source that cannot be decoded is lost, not absent. */
static int source_at(struct pt_db *db, const struct pt_block *b, uint32_t source, uint32_t tick,
                     const struct pt_clock *clock, struct pt_source_at *ret, struct pt_err *err)
{
    struct pt_err why = {0};
    const struct pt_snap *snaps = clock && clock->count == pt_block_ticks(b) ? clock->snaps : NULL;
    const int r = pt_block_at(b, source, tick, snaps, ret, &why);
    if (r >= 0)
        return 0;
    const int64_t n = pt_block_n(b, tick);
    if (!pt_db_forgive(db, &why, n, n, pt_block_name(b, source), err))
        return r;
    *ret = (struct pt_source_at){.presence = PT_LOST, .read_us = PT_UNKNOWN};
    return 0;
}

static int add_block(void *ctx, const struct pt_block *b, struct pt_err *err)
{
    struct making *m = ctx;
    const uint32_t count = pt_block_sources(b);
    uint32_t tick;
    if (pt_block_tick_of(b, m->n, &tick) < 0) {
        m->view->lost++;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pt_source_at at;
        int r = source_at(m->db, b, i, tick, m->clock, &at, err);
        if (r < 0)
            return r;
        if (at.presence == PT_ABSENT)
            continue;
        r = add(m, pt_block_name(b, i), &at, err);
        if (r < 0) {
            pt_reading_unref(m->db->shapes, at.reading);
            return r;
        }
    }
    return 0;
}

static int add_chain(struct making *m, const struct pt_chain *chain, struct pt_err *err)
{
    const uint32_t count = pt_chain_count(chain);
    for (uint32_t i = 0; i < count; i++) {
        struct pt_source_at at = *pt_chain_get(chain, i);
        if (at.presence == PT_ABSENT || !(m->groups & PT_GROUP(pt_block_kind_of(at.name))))
            continue;
        const int r = add(m, at.name, &at, err);
        if (r < 0)
            return r;
        if (at.reading)
            pt_reading_ref(at.reading);
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct pt_source_at *sa = a, *sb = b;
    return strcmp(sa->name, sb->name);
}

static void settle(struct making *m)
{
    struct pt_view *v = m->view;
    for (uint32_t i = 0; i < v->count; i++)
        v->sources[i].name = (const char *)m->names.data + m->offsets[i];
    if (v->count)
        qsort(v->sources, v->count, sizeof *v->sources, by_name);
    v->names = (char *)m->names.data; /* now the view's */
    m->names.data = NULL;
    for (uint32_t i = 0; i < v->count; i++)
        v->sources[i].id = i;
}

static int fill(struct making *m, struct pt_err *err)
{
    struct pt_db *db = m->db;
    const struct pt_seg *seg = pt_db_seg_of(db, m->n);
    uint32_t tick;
    int r;
    if (seg) {
        if ((r = pt_db_clock(db, seg, &m->clock, err)) < 0)
            return r;
        if (pt_clock_tick(m->clock, m->n, &tick) < 0)
            return pt_db_no_snap(db, m->n, err);
        m->view->snap = m->clock->snaps[tick];
        const struct pt_block_query q = {.seg = seg,
                                         .groups = m->groups,
                                         .keep = true,
                                         .fn = add_block,
                                         .ctx = m,
                                         .lost = &m->view->lost};
        return pt_db_blocks(db, &q, err);
    }
    struct pt_chain *chain;
    const size_t at = pt_db_frame_lower(db, m->n);
    if (at >= db->nframes || db->frames[at].n != m->n)
        return pt_db_no_snap(db, m->n, err);
    if ((r = pt_db_chain(db, m->n, &chain, &m->view->snap, err)) < 0)
        return r;
    return add_chain(m, chain, err);
}

int pt_view_load(struct pt_db *db, int64_t n, unsigned groups, struct pt_view **ret,
                 struct pt_err *err)
{
    struct making m = {.db = db, .groups = groups, .n = n, .view = calloc(1, sizeof *m.view)};
    if (!m.view)
        return pt_err_nomem(err);
    m.view->db = db;
    pt_buf_init(&m.names, NAMES_MAX);
    int r = pt_db_enter(db, err);
    if (r >= 0) {
        r = fill(&m, err);
        pt_db_leave(db);
    }
    if (r >= 0)
        settle(&m);
    pt_buf_release(&m.names);
    free(m.offsets);
    if (r < 0) {
        pt_view_free(m.view);
        return r;
    }
    *ret = m.view;
    return 0;
}

void pt_view_free(struct pt_view *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; i < v->count; i++)
        pt_reading_unref(v->db->shapes, v->sources[i].reading);
    free(v->sources);
    free(v->names);
    free(v);
}

uint32_t pt_view_lower(const struct pt_view *v, const char *prefix)
{
    uint32_t lo = 0, hi = v->count;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (strcmp(v->sources[mid].name, prefix) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct pt_source_at *pt_view_find(const struct pt_view *v, const char *name)
{
    const uint32_t i = pt_view_lower(v, name);
    return i < v->count && strcmp(v->sources[i].name, name) == 0 ? &v->sources[i] : NULL;
}

/* ---- one text ---- */

struct finding {
    struct pt_db *db;
    const char *name;
    int64_t n;
    const struct pt_clock *clock;
    bool found;
    struct pt_source_at at; /* its reading a reference */
};

static int find_in_block(void *ctx, const struct pt_block *b, struct pt_err *err)
{
    struct finding *f = ctx;
    uint32_t source, tick;
    if (f->found || pt_block_find(b, f->name, &source) < 0 || pt_block_tick_of(b, f->n, &tick) < 0)
        return 0;
    f->found = true;
    return source_at(f->db, b, source, tick, f->clock, &f->at, err);
}

static void find_in_chain(struct finding *f, const struct pt_chain *chain)
{
    const uint32_t count = pt_chain_count(chain);
    for (uint32_t i = 0; i < count; i++) {
        const struct pt_source_at *at = pt_chain_get(chain, i);
        if (strcmp(at->name, f->name) != 0 || (f->found && at->presence == PT_ABSENT))
            continue;
        f->found = true;
        f->at = *at;
    }
    if (f->at.reading)
        pt_reading_ref(f->at.reading);
}

static int find(struct finding *f, struct pt_err *err)
{
    struct pt_db *db = f->db;
    const struct pt_seg *seg = pt_db_seg_of(db, f->n);
    const size_t at = pt_db_frame_lower(db, f->n);
    uint32_t lost = 0, tick;
    int r;
    f->at = (struct pt_source_at){.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    if (!seg && at < db->nframes && db->frames[at].n == f->n) {
        struct pt_chain *chain;
        struct pt_snap snap;
        if ((r = pt_db_chain(db, f->n, &chain, &snap, err)) >= 0)
            find_in_chain(f, chain);
        return r;
    }
    if (!seg)
        return pt_db_no_snap(db, f->n, err);
    if ((r = pt_db_clock(db, seg, &f->clock, err)) < 0)
        return r;
    if (pt_clock_tick(f->clock, f->n, &tick) < 0)
        return pt_db_no_snap(db, f->n, err);
    const struct pt_block_query q = {
        .seg = seg,
        .groups = PT_GROUP(pt_block_kind_of(f->name)),
        .glob = f->name,
        .keep = true,
        .fn = find_in_block,
        .ctx = f,
        .lost = &lost,
    };
    r = pt_db_blocks(db, &q, err);
    if (r >= 0 && !f->found && lost > 0)
        f->at.presence = PT_LOST;
    return r;
}

int pt_db_text(struct pt_db *db, int64_t n, const char *name, struct pt_source_at *at,
               struct pt_buf *out, struct pt_err *err)
{
    struct finding f = {.db = db, .name = name, .n = n};
    const size_t undo = out->len;
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    r = find(&f, err);
    pt_db_leave(db);
    if (r >= 0 && f.at.reading) {
        r = pt_reading_text(db->shapes, f.at.reading, out, err);
        if (r < 0)
            out->len = undo;
    }
    pt_reading_unref(db->shapes, f.at.reading);
    if (r >= 0 && at) {
        *at = f.at;
        at->name = name;
        at->reading = NULL;
    }
    return r;
}
