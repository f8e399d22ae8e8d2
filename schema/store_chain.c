/* SPDX-License-Identifier: MIT
 * One chain of frames into blocks, in memory bounded whatever the chain holds.
 *
 * A block is series-major: it wants one source over all snapshots, then the next. Frames have it
 * the other way round. So the chain is walked several times, each pass for as many sources as HOLD
 * bytes of first readings and HOLD of changed ones allow; the first source of a pass goes straight
 * into the block and is not held at all. Sources are taken class by class (all status, then all
 * statm ...), so that a field of every process is found in few blocks, and blocks hold one kind of
 * shape. */
#include "schema/store_track.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define HOLD      (192u << 10) /* bytes of first texts, and of changes, held in one pass */
#define GUESS     512u         /* sources of the first pass; those that HOLD has no room for wait */
#define NAMES_MAX (256u << 20)
#define BLOB_MAX  (PT_BLOCK_RAW_LIMIT)
#define MAX_ID    (1u << 24) /* sources of a chain; the decoder's own bound is lower */

struct plan {
    uint32_t name; /* offset in names */
    uint32_t id;   /* in the chain, until sources of one name are made one */
    uint32_t base; /* bytes of its first text, packed */
    enum pt_block_kind kind;
};

/* A source in one pass. */
struct track {
    struct pt_track held; /* of all but the first */
    struct pt_source_at last;
    const struct pt_source_at *now;
};

struct sealer {
    struct pt_shapes *shapes;
    const struct pt_frames *frames;
    const struct pt_seal_ops *ops;
    bool (*keep)(void *ctx, const char *name);
    void *keep_ctx;
    int level;
    /* first pass */
    struct pt_snap *snaps;
    uint32_t nsnaps, snaps_cap;
    struct pt_buf names;
    struct plan *plan;
    uint32_t nplan, plan_cap;
    uint32_t max_id;
    bool nomem;
    /* later passes: sources lo..hi-1 */
    uint32_t lo, hi;
    struct track *tracks;
    uint32_t *by_id; /* plan index + 1, for good; 0: not sealed */
    uint32_t by_id_len;
    size_t held;
    /* the open block */
    struct pt_block_writer *writer;
    bool open;
    enum pt_block_kind kind;
    struct pt_buf what, blob;
    char class[PT_CLASS_MAX];
};

static const char *name_of(const struct sealer *s, uint32_t index)
{
    return (const char *)s->names.data + s->plan[index].name;
}

static int grow(void **array, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    uint32_t n = *cap ? *cap : 16;
    while (n < need)
        n *= 2;
    void *p = realloc(*array, n * size);
    if (!p)
        return -1;
    *array = p;
    *cap = n;
    return 0;
}

/* ---- the order of sources ---- */

/* Names of one length are compared by bytes, so that pids come in numeric order. */
static int order(const char *a, const char *b)
{
    const enum pt_block_kind ka = pt_block_kind_of(a), kb = pt_block_kind_of(b);
    if (ka != kb)
        return ka < kb ? -1 : 1;
    char ca[PT_CLASS_MAX], cb[PT_CLASS_MAX];
    pt_source_class(a, ca, sizeof ca);
    pt_source_class(b, cb, sizeof cb);
    const int c = strcmp(ca, cb);
    if (c)
        return c;
    const size_t la = strlen(a), lb = strlen(b);
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static int order_plan(const void *a, const void *b, void *ctx)
{
    const struct plan *pa = a, *pb = b;
    const char *names = ctx;
    return order(names + pa->name, names + pb->name);
}

/* Sorts the sources and makes those of one name (a pid used again) one, so that the passes know a
 * source by its number and compare no names: they did so for most of a seal's time. */
static int sort_plan(struct sealer *s)
{
    s->by_id = calloc((size_t)s->max_id + 1, sizeof *s->by_id);
    if (!s->by_id)
        return -1;
    s->by_id_len = s->max_id + 1;
    if (s->nplan > 1)
        qsort_r(s->plan, s->nplan, sizeof *s->plan, order_plan, s->names.data);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->nplan; i++) {
        if (n == 0 || strcmp(name_of(s, i), name_of(s, n - 1)) != 0)
            s->plan[n++] = s->plan[i];
        s->by_id[s->plan[i].id] = n;
    }
    s->nplan = n;
    return 0;
}

/* ---- the first pass: snapshots, names, damage ---- */

static bool collect(void *ctx, uint32_t id, const char *name, size_t bytes)
{
    struct sealer *s = ctx;
    if (id >= MAX_ID || (s->keep && !s->keep(s->keep_ctx, name)))
        return false;
    if (id > s->max_id)
        s->max_id = id;
    void *plan = s->plan;
    if (grow(&plan, &s->plan_cap, s->nplan + 1, sizeof *s->plan) < 0) {
        s->nomem = true;
        return false;
    }
    s->plan = plan;
    s->plan[s->nplan++] = (struct plan){.name = (uint32_t)s->names.len,
                                        .id = id,
                                        .base = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
                                        .kind = pt_block_kind_of(name)};
    pt_buf_put(&s->names, name, strlen(name) + 1);
    s->nomem |= s->names.failed;
    return false;
}

static int add_snap(struct sealer *s, const struct pt_snap *snap, struct pt_err *err)
{
    void *snaps = s->snaps;
    if (grow(&snaps, &s->snaps_cap, s->nsnaps + 1, sizeof *s->snaps) < 0)
        return pt_err_nomem(err);
    s->snaps = snaps;
    s->snaps[s->nsnaps++] = *snap;
    return 0;
}

/* One frame onto the chain: 1 applied, 0 damaged (and why), < 0. */
static int apply(struct pt_chain *chain, int64_t n, const void *blob, size_t len, bool want_key,
                 struct pt_snap *ret, struct pt_err *why, struct pt_err *err)
{
    struct pt_frame *f;
    int r = pt_frame_open(blob, len, &f, why);
    if (r >= 0) {
        *ret = *pt_frame_snap(f);
        if (ret->n != n)
            r = pt_err_set(why, PT_EDAMAGED, 0, "frame", n, "it says it is of snapshot %lld",
                           (long long)ret->n);
        else if (pt_frame_is_key(f) != want_key)
            r = pt_err_set(why, PT_EDAMAGED, 0, "frame", n,
                           want_key ? "its chain has no key frame" : "a key frame within a chain");
        else
            r = pt_chain_apply(chain, f, why);
        pt_frame_free(f);
    }
    if (r >= 0)
        return 1;
    if (why->code == PT_EDAMAGED || why->code == PT_EFORMAT || why->code == PT_ENEWER)
        return 0;
    if (err && err->code == PT_OK)
        *err = *why;
    return r;
}

static int survey(struct sealer *s, struct pt_err *err)
{
    struct pt_chain *chain = pt_chain_new(s->shapes);
    if (!chain)
        return pt_err_nomem(err);
    pt_chain_filter(chain, collect, s);
    int64_t n;
    const void *blob;
    size_t len;
    int r = s->frames->rewind(s->frames->ctx, err);
    while (r >= 0 && (r = s->frames->next(s->frames->ctx, &n, &blob, &len, err)) > 0) {
        struct pt_err why = {0};
        struct pt_snap snap;
        r = apply(chain, n, blob, len, s->nsnaps == 0, &snap, &why, err);
        if (r > 0)
            r = add_snap(s, &snap, err);
        else if (r == 0)
            r = s->ops->bad(s->ops->ctx, n, why.text, err);
    }
    pt_chain_free(chain);
    if (r >= 0 && s->nomem)
        r = pt_err_nomem(err);
    return r >= 0 && sort_plan(s) < 0 ? pt_err_nomem(err) : r;
}

/* ---- blocks ---- */

static int block_end(struct sealer *s, struct pt_err *err)
{
    if (!s->open)
        return 0;
    s->open = false;
    pt_buf_reset(&s->blob);
    int r = pt_block_end(s->writer, s->level, &s->blob, err);
    if (r < 0)
        return r;
    pt_buf_u8(&s->what, 0);
    if (s->blob.failed || s->what.failed)
        return pt_err_nomem(err);
    const char *what = s->what.len > PT_WHAT_MAX ? "**" : (const char *)s->what.data;
    r = s->ops->block(s->ops->ctx, s->kind, what, s->blob.data, s->blob.len, err);
    /* The buffer is not kept at the size of the largest block there ever was. */
    pt_buf_release(&s->blob);
    pt_buf_init(&s->blob, BLOB_MAX);
    return r;
}

static int source_begin(struct sealer *s, uint32_t index, struct pt_err *err)
{
    const char *name = name_of(s, index);
    const enum pt_block_kind kind = s->plan[index].kind;
    char class[PT_CLASS_MAX];
    int r;
    if (s->open && (s->kind != kind || pt_block_raw(s->writer) >= PT_BLOCK_RAW) &&
        (r = block_end(s, err)) < 0)
        return r;
    pt_source_class(name, class, sizeof class);
    if (!s->open) {
        if ((r = pt_block_begin(s->writer, kind, s->snaps, s->nsnaps, err)) < 0)
            return r;
        s->open = true;
        s->kind = kind;
        pt_buf_reset(&s->what);
    }
    if (s->what.len == 0 || strcmp(class, s->class) != 0) {
        if (s->what.len)
            pt_buf_u8(&s->what, '\n');
        pt_buf_put(&s->what, class, strlen(class));
        memcpy(s->class, class, sizeof class);
    }
    return pt_block_source(s->writer, name, pt_file_of(name)->grammar.key, err);
}

static int block_add(void *ctx, uint32_t tick, const struct pt_source_at *at, struct pt_err *err)
{
    struct sealer *s = ctx;
    return pt_block_add(s->writer, tick, at, err);
}

/* ---- a pass ---- */

static void track_release(struct sealer *s, struct track *t)
{
    s->held -= t->held.held;
    pt_track_release(&t->held, s->shapes);
}

static bool wanted(void *ctx, uint32_t id, const char *name, size_t bytes)
{
    const struct sealer *s = ctx;
    (void)name;
    (void)bytes;
    const uint32_t index = id < s->by_id_len ? s->by_id[id] : 0;
    return index > s->lo && index <= s->hi;
}

static int hold(struct sealer *s, struct track *t, uint32_t tick, const struct pt_source_at *at,
                struct pt_err *err)
{
    const size_t held = t->held.held;
    const int r = pt_track_add(&t->held, s->shapes, tick, at, s->snaps, err);
    s->held += t->held.held - held;
    return r;
}

/* The state of one source at one tick: told unless it is simply carried. */
static int note(struct sealer *s, uint32_t index, uint32_t tick, struct pt_err *err)
{
    static const struct pt_source_at absent = {.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    struct track *t = &s->tracks[index - s->lo];
    const struct pt_source_at *at = t->now ? t->now : &absent;
    const bool stands = at->read_us == t->last.read_us && at->why == t->last.why;
    const bool had_text = t->last.presence == PT_READ || t->last.presence == PT_CARRIED;
    t->now = NULL;
    if (tick > 0 && stands &&
        (at->presence == PT_CARRIED
             ? had_text
             : at->presence != PT_READ && at->presence == t->last.presence)) {
        t->last.presence = at->presence;
        return 0;
    }
    t->last = *at;
    return index == s->lo ? block_add(s, tick, at, err) : hold(s, t, tick, at, err);
}

static int note_all(struct sealer *s, const struct pt_chain *chain, uint32_t tick,
                    struct pt_err *err)
{
    const uint32_t count = pt_chain_count(chain);
    for (uint32_t i = 0; i < count; i++) {
        const struct pt_source_at *at = pt_chain_get(chain, i);
        const uint32_t index = at->id < s->by_id_len ? s->by_id[at->id] : 0;
        if (!index || index - 1 >= s->hi)
            continue;
        /* Two sources of one name: one is gone, the other has its pid now. */
        struct track *t = &s->tracks[index - 1 - s->lo];
        if (!t->now || t->now->presence == PT_ABSENT)
            t->now = at;
    }
    for (uint32_t index = s->lo; index < s->hi; index++) {
        const int r = note(s, index, tick, err);
        if (r < 0)
            return r;
        while (s->held > HOLD && s->hi > s->lo + 1)
            track_release(s, &s->tracks[--s->hi - s->lo]);
    }
    return 0;
}

static int walk(struct sealer *s, struct pt_chain *chain, struct pt_err *err)
{
    int64_t n;
    const void *blob;
    size_t len;
    uint32_t tick = 0;
    int r = s->frames->rewind(s->frames->ctx, err);
    while (r >= 0 && tick < s->nsnaps &&
           (r = s->frames->next(s->frames->ctx, &n, &blob, &len, err)) > 0) {
        struct pt_err why = {0};
        struct pt_snap snap;
        if (n != s->snaps[tick].n) /* a damaged one */
            continue;
        r = apply(chain, n, blob, len, tick == 0, &snap, &why, err);
        if (r == 0) /* the survey reads names only */
            return pt_err_set(err, PT_EDAMAGED, 0, PT_BAD_FRAME, n, "%s", why.text);
        if (r > 0)
            r = note_all(s, chain, tick++, err);
    }
    return r;
}

static int flush_tracks(struct sealer *s, struct pt_err *err)
{
    for (uint32_t index = s->lo + 1; index < s->hi; index++) {
        struct track *t = &s->tracks[index - s->lo];
        int r = source_begin(s, index, err);
        if (r >= 0)
            r = pt_track_play(&t->held, s->shapes, name_of(s, index), s->snaps, block_add, s, err);
        if (r < 0)
            return r;
        track_release(s, t);
    }
    return 0;
}

/* Sources lo..; returns how many were done. */
static int64_t pass(struct sealer *s, uint32_t lo, uint32_t count, struct pt_err *err)
{
    const uint32_t begun = count;
    s->lo = lo;
    s->hi = lo + count;
    s->held = 0;
    s->tracks = calloc(count, sizeof *s->tracks);
    struct pt_chain *chain = pt_chain_new(s->shapes);
    int r = s->tracks && chain ? 0 : pt_err_nomem(err);
    for (uint32_t i = 0; r >= 0 && i < count; i++)
        pt_track_init(&s->tracks[i].held);
    if (r >= 0) {
        pt_chain_filter(chain, wanted, s);
        r = source_begin(s, lo, err);
    }
    if (r >= 0)
        r = walk(s, chain, err);
    pt_chain_free(chain);
    if (r >= 0)
        r = flush_tracks(s, err);
    const uint32_t done = s->hi - s->lo;
    for (uint32_t i = 0; s->tracks && i < begun; i++)
        track_release(s, &s->tracks[i]);
    free(s->tracks);
    s->tracks = NULL;
    return r < 0 ? r : (int64_t)done;
}

/* So many sources from lo on, at most `most`, that their first texts take HOLD bytes. */
static uint32_t batch(const struct sealer *s, uint32_t lo, uint32_t most)
{
    uint32_t n = 0;
    size_t bytes = 0;
    while (n < most && lo + n < s->nplan && (n == 0 || bytes + s->plan[lo + n].base <= HOLD))
        bytes += s->plan[lo + n++].base;
    return n;
}

static int all_passes(struct sealer *s, struct pt_err *err)
{
    uint32_t guess = GUESS;
    for (uint32_t lo = 0; lo < s->nplan;) {
        const uint32_t count = batch(s, lo, guess);
        const int64_t done = pass(s, lo, count, err);
        if (done < 0)
            return (int)done;
        lo += (uint32_t)done;
        guess = done < count ? (uint32_t)done * 2 + 1 : guess > UINT32_MAX / 4 ? guess : guess * 2;
    }
    return block_end(s, err);
}

static void sealer_release(struct sealer *s)
{
    pt_block_writer_free(s->writer);
    pt_buf_release(&s->names);
    pt_buf_release(&s->what);
    pt_buf_release(&s->blob);
    free(s->snaps);
    free(s->plan);
    free(s->by_id);
}

static int clock_block(struct sealer *s, struct pt_err *err)
{
    const int r = pt_block_begin(s->writer, PT_BLOCK_CLOCK, s->snaps, s->nsnaps, err);
    if (r < 0)
        return r;
    s->open = true;
    s->kind = PT_BLOCK_CLOCK;
    pt_buf_reset(&s->what);
    return block_end(s, err);
}

int pt_seal_chain(struct pt_shapes *shapes, const struct pt_frames *frames,
                  const struct pt_seal_ops *ops, bool (*keep)(void *ctx, const char *name),
                  void *keep_ctx, int level, struct pt_err *err)
{
    struct sealer s = {
        .shapes = shapes,
        .frames = frames,
        .ops = ops,
        .keep = keep,
        .keep_ctx = keep_ctx,
        .level = level,
        .writer = pt_block_writer_new(shapes),
    };
    pt_buf_init(&s.names, NAMES_MAX);
    pt_buf_init(&s.what, NAMES_MAX);
    pt_buf_init(&s.blob, BLOB_MAX);
    int r = s.writer ? survey(&s, err) : pt_err_nomem(err);
    if (r >= 0 && s.nsnaps > 0) {
        r = ops->snaps(ops->ctx, s.snaps, s.nsnaps, err);
        if (r >= 0)
            r = clock_block(&s, err);
        if (r >= 0)
            r = all_passes(&s, err);
    }
    sealer_release(&s);
    return r < 0 ? r : (int)s.nsnaps;
}
