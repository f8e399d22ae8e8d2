/* SPDX-License-Identifier: MIT
 * The frame encoder's sources: names, handles, what was last read of each, what changed in a
 * snapshot. How that becomes bytes is in frame_build.c. Units: as frame.h. */
#include "schema/frame_int.h"

#include <errno.h>
#include <stdlib.h>

/* Small tables: 214 KiB of memory; four times that makes a frame 5% smaller. */
static const struct pt_blob_press press = {
    .level = 3, .window_log = 15, .hash_log = 13, .chain_log = 13, .min_match = 4};

struct pt_enc *pt_enc_new(struct pt_shapes *shapes)
{
    struct pt_enc *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->shapes = shapes;
    e->free_src = PT_NO_ID;
    e->new_chain = true;
    pt_pack_init(&e->pack, shapes);
    pt_buf_init(&e->raw, PT_FRAME_RAW_MAX);
    pt_buf_init(&e->part, PT_FRAME_RAW_MAX);
    return e;
}

static void drop_readings(struct pt_enc *e, struct pt_src *s)
{
    pt_reading_unref(e->shapes, s->base);
    pt_reading_unref(e->shapes, s->cur);
    s->base = s->cur = NULL;
}

void pt_enc_free(struct pt_enc *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->nsrc; i++)
        if (e->src[i].state != PT_SRC_FREE)
            drop_readings(e, &e->src[i]);
    for (uint32_t i = 0; i < e->nfresh; i++)
        pt_shapes_unref(e->shapes, e->fresh[i]);
    pt_pack_release(&e->pack);
    pt_buf_release(&e->raw);
    pt_buf_release(&e->part);
    pt_blob_cctx_free(e->cctx);
    free(e->src);
    free(e->pool);
    free(e->table);
    free(e->now.v);
    free(e->before.v);
    free(e->entries.v);
    free(e->readset);
    free(e->local);
    free(e->fresh);
    pt_changes_release(&e->changes);
    free(e->classes);
    free(e);
}

/* Room for `need` elements; grows by half, so that what is held stays near what is used. */
static bool grow(void *array, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return true;
    const uint64_t want = (uint64_t)need + need / 2 + 16;
    void **p = array;
    void *v = want <= UINT32_MAX ? realloc(*p, want * size) : NULL;
    if (!v)
        return false;
    *p = v;
    *cap = (uint32_t)want;
    return true;
}

int pt_refs_add(struct pt_refs *r, uint32_t id, uint32_t handle)
{
    if (!grow(&r->v, &r->cap, r->n + 1, sizeof *r->v))
        return -PT_ENOMEM;
    r->v[r->n++] = (struct pt_entry_ref){.id = id, .handle = handle};
    return 0;
}

/* ---- names ---- */

const char *pt_src_name(const struct pt_enc *e, const struct pt_src *s)
{
    return e->pool + s->name;
}

/* The name's place in the table, or the empty one where it belongs. */
static uint32_t *find(const struct pt_enc *e, const char *name)
{
    uint32_t at = (uint32_t)pt_hash(name, strlen(name)) & (e->table_cap - 1);
    while (e->table[at] && strcmp(pt_src_name(e, &e->src[e->table[at] - 1]), name) != 0)
        at = (at + 1) & (e->table_cap - 1);
    return &e->table[at];
}

static int rehash(struct pt_enc *e)
{
    uint32_t cap = 64;
    while (cap < e->live * 2 + 2)
        cap *= 2;
    uint32_t *table = calloc(cap, sizeof *table);
    if (!table)
        return -PT_ENOMEM;
    free(e->table);
    e->table = table;
    e->table_cap = cap;
    for (uint32_t i = 0; i < e->nsrc; i++)
        if (e->src[i].state != PT_SRC_FREE)
            *find(e, pt_src_name(e, &e->src[i])) = i + 1;
    return 0;
}

/* Closes the hole at a removed place: what probed past it moves up. */
static void unlink_name(struct pt_enc *e, const char *name)
{
    const uint32_t mask = e->table_cap - 1;
    uint32_t hole = (uint32_t)(find(e, name) - e->table);
    for (uint32_t at = (hole + 1) & mask; e->table[at]; at = (at + 1) & mask) {
        const char *other = pt_src_name(e, &e->src[e->table[at] - 1]);
        const uint32_t home = (uint32_t)pt_hash(other, strlen(other)) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            e->table[hole] = e->table[at];
            hole = at;
        }
    }
    e->table[hole] = 0;
}

/* Drops the names of sources that are gone. Offsets only shrink, so names move down in pool order.
 */
static int pool_compact(struct pt_enc *e)
{
    char *pool = malloc(e->pool_cap);
    if (!pool)
        return -PT_ENOMEM;
    uint32_t len = 0;
    for (uint32_t i = 0; i < e->nsrc; i++) {
        struct pt_src *s = &e->src[i];
        if (s->state == PT_SRC_FREE)
            continue;
        const uint32_t n = (uint32_t)strlen(e->pool + s->name) + 1;
        memcpy(pool + len, e->pool + s->name, n);
        s->name = len;
        len += n;
    }
    free(e->pool);
    e->pool = pool;
    e->pool_len = len;
    e->pool_dead = 0;
    return 0;
}

static int pool_add(struct pt_enc *e, const char *name, uint32_t len, uint32_t *ret)
{
    if (e->pool_len + len > e->pool_cap && e->pool_dead > e->pool_len / 4 && pool_compact(e) < 0)
        return -PT_ENOMEM;
    if (!grow(&e->pool, &e->pool_cap, e->pool_len + len, 1))
        return -PT_ENOMEM;
    memcpy(e->pool + e->pool_len, name, len);
    *ret = e->pool_len;
    e->pool_len += len;
    return 0;
}

/* ---- handles ---- */

static int take_slot(struct pt_enc *e, uint32_t *ret)
{
    if (e->free_src != PT_NO_ID) {
        *ret = e->free_src;
        return 0;
    }
    if (!grow(&e->src, &e->src_cap, e->nsrc + 1, sizeof *e->src))
        return -PT_ENOMEM;
    e->src[e->nsrc] = (struct pt_src){.name = PT_NO_ID};
    *ret = e->nsrc;
    return 0;
}

/* Files of one kind change alike: what stands after the last '/' of a name tells the kind. The last
 * number is shared by all that come when no more are free. */
static int class_of(struct pt_enc *e, const char *name, uint16_t *ret)
{
    enum { MOST = 1000 };
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    const uint64_t hash = pt_hash(base, strlen(base));
    uint32_t i = 0;
    while (i < e->nclasses && e->classes[i] != hash)
        i++;
    *ret = (uint16_t)i;
    if (i < e->nclasses || i == MOST)
        return 0;
    if (!grow(&e->classes, &e->class_cap, i + 1, sizeof *e->classes))
        return -PT_ENOMEM;
    e->classes[e->nclasses++] = hash;
    return 0;
}

int64_t pt_enc_open(struct pt_enc *e, const char *name, const struct pt_grammar *g,
                    struct pt_err *err)
{
    const size_t len = strlen(name) + 1;
    if (len > PT_NAME_MAX)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "a source's name has %zu bytes", len);
    if ((e->live + 1) * 3 / 2 >= e->table_cap && rehash(e) < 0)
        return pt_err_nomem(err);
    if (*find(e, name))
        return *find(e, name) - 1;
    uint32_t h = 0, at = 0;
    uint16_t class_id = 0;
    if (class_of(e, name, &class_id) < 0 || take_slot(e, &h) < 0 ||
        pool_add(e, name, (uint32_t)len, &at) < 0)
        return pt_err_nomem(err);
    if (h == e->nsrc)
        e->nsrc++;
    else
        e->free_src = e->src[h].name;
    e->src[h] = (struct pt_src){.grammar = g,
                                .read_us = PT_UNKNOWN,
                                .id = PT_NO_ID,
                                .name = at,
                                .class_id = class_id,
                                .state = PT_SRC_OPEN};
    *find(e, name) = h + 1;
    e->live++;
    return h;
}

static struct pt_src *source_of(const struct pt_enc *e, uint32_t h)
{
    return h < e->nsrc && e->src[h].state != PT_SRC_FREE ? &e->src[h] : NULL;
}

const char *pt_enc_name(const struct pt_enc *e, uint32_t source)
{
    const struct pt_src *s = source_of(e, source);
    return s ? pt_src_name(e, s) : NULL;
}

const struct pt_grammar *pt_enc_grammar(const struct pt_enc *e, uint32_t source)
{
    const struct pt_src *s = source_of(e, source);
    return s ? s->grammar : NULL;
}

const struct pt_reading *pt_enc_last(const struct pt_enc *e, uint32_t source)
{
    const struct pt_src *s = source_of(e, source);
    return s ? s->cur : NULL;
}

/* ---- a snapshot ---- */

static void start_chain(struct pt_enc *e)
{
    for (uint32_t i = 0; i < e->nsrc; i++) {
        struct pt_src *s = &e->src[i];
        if (s->state == PT_SRC_FREE)
            continue;
        pt_reading_unref(e->shapes, s->base);
        s->base = NULL;
        s->id = PT_NO_ID;
        s->def_told = s->base_told = 0;
    }
    for (uint32_t i = 0; i < e->nfresh; i++)
        pt_shapes_unref(e->shapes, e->fresh[i]);
    e->nfresh = e->fresh_before = 0;
    e->chain++;
    e->next_local = 1;
    e->nids = 0;
    e->now.n = e->before.n = 0;
    e->chain_frames = 0;
    e->chain_bytes = 0;
}

/* Numbers what is known in a chain, so that neighbours of the chain before stay neighbours. */
static void number_all(struct pt_enc *e)
{
    for (uint32_t i = 0; i < e->nsrc; i++)
        if (e->src[i].state == PT_SRC_TEXT || e->src[i].state == PT_SRC_FAIL)
            e->src[i].id = e->nids++;
}

int pt_enc_begin(struct pt_enc *e, const struct pt_snap *snap, struct pt_err *err)
{
    if (e->in_snap)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "a snapshot was begun twice");
    e->key = e->new_chain;
    if (e->key) {
        start_chain(e);
        number_all(e);
        e->key_n = snap->n;
        e->prev_us = PT_UNKNOWN;
    }
    e->snap = *snap;
    e->in_snap = true;
    e->new_chain = false;
    if (e->readset)
        memset(e->readset, 0, e->readset_cap);
    return 0;
}

/* Gives the source its number in the chain and notes that it was read now. */
static int note_read(struct pt_enc *e, struct pt_src *s, int64_t read_us)
{
    const uint32_t id = s->id != PT_NO_ID ? s->id : e->nids, old = e->readset_cap;
    if (!grow(&e->readset, &e->readset_cap, id / 8 + 1, 1))
        return -PT_ENOMEM;
    memset(e->readset + old, 0, e->readset_cap - old);
    if (id == e->nids)
        e->nids++;
    s->id = id;
    e->readset[id / 8] |= (uint8_t)(1u << (id % 8));
    s->read_us = read_us == PT_UNKNOWN ? e->snap.real_us : read_us;
    return 0;
}

/* Puts the source on the list of this snapshot, once. */
static int note_entry(struct pt_enc *e, uint32_t handle, enum pt_src_mark mark)
{
    struct pt_src *s = &e->src[handle];
    if (s->mark == PT_MARK_NONE && pt_refs_add(&e->now, s->id, handle) < 0)
        return -PT_ENOMEM;
    if (s->mark < mark)
        s->mark = (uint8_t)mark;
    return 0;
}

static int no_source(uint32_t h, struct pt_err *err)
{
    return pt_err_set(err, PT_EUSAGE, 0, NULL, h, "source %u is not open, or no snapshot is begun",
                      h);
}

static void take_reading(struct pt_enc *e, struct pt_src *s, struct pt_reading *r)
{
    pt_reading_unref(e->shapes, s->cur);
    s->cur = r;
    if (s->base && s->base != r && pt_reading_equal(s->base, r)) {
        s->cur = pt_reading_ref(s->base);
        pt_reading_unref(e->shapes, r);
    } else if (!s->base && !e->key) {
        s->base = pt_reading_ref(r);
    }
}

int pt_enc_put(struct pt_enc *e, uint32_t source, struct pt_reading *r, int64_t read_us,
               struct pt_err *err)
{
    struct pt_src *s = source_of(e, source);
    if (!s || !e->in_snap) {
        pt_reading_unref(e->shapes, r);
        return no_source(source, err);
    }
    const bool same = s->state == PT_SRC_TEXT && s->id != PT_NO_ID && pt_reading_equal(s->cur, r);
    enum pt_src_mark mark = PT_MARK_CHANGED;
    if (same)
        mark = read_us == PT_UNKNOWN || read_us == e->snap.real_us ? PT_MARK_NONE : PT_MARK_TIME;
    if (note_read(e, s, read_us) < 0 || (mark && note_entry(e, source, mark) < 0)) {
        pt_reading_unref(e->shapes, r);
        return pt_err_nomem(err);
    }
    if (same)
        pt_reading_unref(e->shapes, r);
    else
        take_reading(e, s, r);
    s->state = PT_SRC_TEXT;
    s->why = 0;
    return 0;
}

int pt_enc_text(struct pt_enc *e, uint32_t source, const void *text, size_t len, int64_t read_us,
                struct pt_err *err)
{
    struct pt_src *s = source_of(e, source);
    if (!s || !e->in_snap)
        return no_source(source, err);
    struct pt_reading *r = NULL;
    const int rc = pt_pack_text(&e->pack, s->grammar, s->cur, text, len, &r, err);
    return rc < 0 ? rc : pt_enc_put(e, source, r, read_us, err);
}

int pt_enc_fail(struct pt_enc *e, uint32_t source, int why, int64_t read_us, struct pt_err *err)
{
    struct pt_src *s = source_of(e, source);
    if (!s || !e->in_snap)
        return no_source(source, err);
    const uint16_t code = (uint16_t)(why > 0 && why <= UINT16_MAX ? why : EIO);
    const bool same = s->state == PT_SRC_FAIL && s->why == code && s->id != PT_NO_ID;
    enum pt_src_mark mark = PT_MARK_CHANGED;
    if (same)
        mark = read_us == PT_UNKNOWN || read_us == e->snap.real_us ? PT_MARK_NONE : PT_MARK_TIME;
    if (note_read(e, s, read_us) < 0 || (mark && note_entry(e, source, mark) < 0))
        return pt_err_nomem(err);
    s->state = PT_SRC_FAIL;
    s->why = code;
    return 0;
}

int pt_enc_gone(struct pt_enc *e, uint32_t source, struct pt_err *err)
{
    struct pt_src *s = source_of(e, source);
    if (!s || !e->in_snap)
        return no_source(source, err);
    const bool told = s->id != PT_NO_ID && (s->def_told || e->key);
    if (told && !e->key && pt_refs_add(&e->now, s->id, PT_NO_ID) < 0)
        return pt_err_nomem(err);
    unlink_name(e, pt_src_name(e, s));
    e->pool_dead += (uint32_t)strlen(pt_src_name(e, s)) + 1;
    drop_readings(e, s);
    s->state = PT_SRC_FREE;
    s->name = e->free_src;
    e->free_src = source;
    e->live--;
    return 0;
}

/* What changed now is told again by the next frame; but for a key frame's, without which nothing
 * after it is of use. */
static void end_snapshot(struct pt_enc *e)
{
    uint32_t keep = 0;
    for (uint32_t i = 0; i < e->now.n; i++) {
        const struct pt_entry_ref r = e->now.v[i];
        struct pt_src *s = source_of(e, r.handle);
        const bool mine = s && s->id == r.id;
        if (!e->key && (r.handle == PT_NO_ID || (mine && s->mark == PT_MARK_CHANGED)))
            e->now.v[keep++] = r;
        if (mine)
            s->mark = PT_MARK_NONE;
    }
    const struct pt_refs done = e->before;
    e->before = e->now;
    e->before.n = keep;
    e->now = done;
    e->now.n = 0;
    e->prev_us = e->snap.real_us;
}

int pt_enc_end(struct pt_enc *e, const struct pt_snap *snap, struct pt_buf *out, struct pt_err *err)
{
    if (!e->in_snap || snap->n != e->snap.n || snap->real_us != e->snap.real_us)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, snap->n, "snapshot %lld was not begun",
                          (long long)snap->n);
    e->snap = *snap;
    e->in_snap = false;
    int rc = pt_enc_build(e, err);
    if (rc == 0)
        rc = pt_blob_write(&e->cctx, &press, PT_FRAME_MAGIC, e->key ? PT_FRAME_KEY : 0, e->raw.data,
                           e->raw.len, out, err);
    e->chain_frames++;
    e->chain_bytes += e->raw.len;
    end_snapshot(e);
    if (rc < 0)
        e->new_chain = true; /* what was half told is told anew */
    /* a key frame speaks of all sources, those after it of some */
    enum { KEEP = 128 << 10 };
    if (e->raw.cap > KEEP)
        pt_buf_release(&e->raw);
    if (e->entries.cap * sizeof *e->entries.v > KEEP) {
        free(e->entries.v);
        e->entries = (struct pt_refs){0};
    }
    return rc;
}

void pt_enc_new_chain(struct pt_enc *e)
{
    e->new_chain = true;
}

uint32_t pt_enc_chain_frames(const struct pt_enc *e)
{
    return e->chain_frames;
}

size_t pt_enc_chain_bytes(const struct pt_enc *e)
{
    return e->chain_bytes;
}
