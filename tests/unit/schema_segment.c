/* SPDX-License-Identifier: MIT
 * Blocks: random histories come back exactly at every tick, series say the same as texts, no
 * changed byte and no cut goes unseen, hostile content is harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "schema/frame_blob.h"
#include "schema/segment_int.h"
#include "tests/support/history.h"

#define TICKS 70

/* A history, decoded from its frames: what each source was at each tick. */
struct past {
    struct pt_h h;
    struct pt_shapes *shapes;
    struct pt_snap snaps[TICKS];
    struct pt_source_at at[TICKS][PT_H_SOURCES]; /* reading: a reference */
    uint32_t nticks;
    struct pt_buf blob;
    struct pt_err err;
};

static const struct pt_source_at *find(const struct pt_chain *c, const char *name)
{
    const struct pt_source_at *found = NULL;
    for (uint32_t i = 0; i < pt_chain_count(c); i++) {
        const struct pt_source_at *at = pt_chain_get(c, i);
        if (strcmp(at->name, name) == 0 && (!found || found->presence == PT_ABSENT))
            found = at;
    }
    return found;
}

/* losses: of ten frames so many are lost. */
static void live(struct past *p, uint64_t seed, uint32_t losses)
{
    *p = (struct past){.shapes = pt_shapes_new()};
    pt_h_init(&p->h, seed);
    pt_buf_init(&p->blob, 1 << 26);
    struct pt_shapes *own = pt_shapes_new();
    struct pt_enc *e = pt_enc_new(own);
    struct pt_chain *c = pt_chain_new(p->shapes);
    struct pt_buf frame;
    pt_buf_init(&frame, 1 << 26);
    for (uint32_t i = 0; i < TICKS; i++) {
        struct pt_frame *f = NULL;
        pt_buf_reset(&frame);
        assert_return_code(pt_h_tick(&p->h, e, &frame, &p->err), 0);
        if (i > 0 && pt_h_random(&p->h, 10) < losses)
            continue;
        assert_return_code(pt_frame_open(frame.data, frame.len, &f, &p->err), 0);
        assert_return_code(pt_chain_apply(c, f, &p->err), 0);
        pt_frame_free(f);
        p->snaps[p->nticks] = p->h.snap;
        for (unsigned k = 0; k < PT_H_SOURCES; k++) {
            const struct pt_source_at *at = find(c, p->h.sources[k].name);
            struct pt_source_at *keep = &p->at[p->nticks][k];
            *keep = at ? *at : (struct pt_source_at){.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
            keep->name = p->h.sources[k].name;
            if (keep->reading)
                pt_reading_ref(keep->reading);
        }
        p->nticks++;
    }
    pt_enc_free(e);
    pt_chain_free(c);
    pt_shapes_free(own);
    pt_buf_release(&frame);
}

static void forget(struct past *p)
{
    for (uint32_t i = 0; i < p->nticks; i++)
        for (unsigned k = 0; k < PT_H_SOURCES; k++)
            pt_reading_unref(p->shapes, p->at[i][k].reading);
    assert_int_equal(pt_shapes_count(p->shapes), 0);
    pt_shapes_free(p->shapes);
    pt_buf_release(&p->blob);
}

static void write_block(struct past *p, struct pt_block_writer *w, int level)
{
    pt_buf_reset(&p->blob);
    assert_return_code(pt_block_begin(w, PT_BLOCK_PROC, p->snaps, p->nticks, &p->err), 0);
    for (unsigned k = 0; k < PT_H_SOURCES; k++) {
        const struct pt_h_source *s = &p->h.sources[k];
        assert_return_code(pt_block_source(w, s->name, s->grammar->key, &p->err), 0);
        for (uint32_t i = 0; i < p->nticks; i++)
            if (pt_block_add(w, i, &p->at[i][k], &p->err) < 0)
                fail_msg("%s", p->err.text);
    }
    assert_true(pt_block_raw(w) > 0);
    assert_return_code(pt_block_end(w, level, &p->blob, &p->err), 0);
}

static void check_at(struct past *p, const struct pt_block *b, const struct pt_shapes *shapes)
{
    struct pt_buf want, got;
    pt_buf_init(&want, 1 << 24);
    pt_buf_init(&got, 1 << 24);
    for (uint32_t i = 0; i < p->nticks; i++) {
        for (unsigned k = 0; k < PT_H_SOURCES; k++) {
            const struct pt_source_at *was = &p->at[i][k];
            struct pt_source_at at;
            uint32_t source;
            assert_return_code(pt_block_find(b, was->name, &source), 0);
            assert_return_code(pt_block_at(b, source, i, p->snaps, &at, &p->err), 0);
            assert_int_equal(at.presence, was->presence);
            assert_int_equal(at.why, was->why);
            if (was->presence != PT_ABSENT && was->presence != PT_LOST)
                assert_int_equal(at.read_us, was->read_us);
            assert_int_equal(!at.reading, !was->reading);
            if (!at.reading)
                continue;
            pt_buf_reset(&want);
            pt_buf_reset(&got);
            assert_return_code(pt_reading_text(p->shapes, was->reading, &want, &p->err), 0);
            assert_return_code(pt_reading_text(shapes, at.reading, &got, &p->err), 0);
            assert_int_equal(want.len, got.len);
            if (want.len)
                assert_memory_equal(want.data, got.data, want.len);
            pt_reading_unref((struct pt_shapes *)shapes, at.reading);
        }
    }
    pt_buf_release(&want);
    pt_buf_release(&got);
}

/* The walk says at each tick it is asked for what pt_block_at says, whatever it passed over. */
static void check_walk(struct past *p, const struct pt_block *b, struct pt_shapes *shapes)
{
    for (uint32_t source = 0; source < pt_block_sources(b); source++) {
        for (uint32_t step = 1; step <= 9; step += 2) {
            struct pt_walk *w;
            assert_return_code(pt_walk_new(b, source, p->snaps, &w, &p->err), 0);
            for (uint32_t i = step / 2; i < p->nticks; i += step) {
                struct pt_source_at at, was;
                assert_return_code(pt_block_at(b, source, i, p->snaps, &was, &p->err), 0);
                assert_return_code(pt_walk_at(w, i, &at, &p->err), 0);
                assert_int_equal(at.presence, was.presence);
                assert_int_equal(at.why, was.why);
                assert_int_equal(at.read_us, was.read_us);
                assert_int_equal(!at.reading, !was.reading);
                assert_true(!at.reading || pt_reading_equal(at.reading, was.reading));
                pt_reading_unref(shapes, was.reading);
            }
            pt_walk_free(w);
        }
    }
}

static void open_block(struct past *p, struct pt_shapes *shapes, struct pt_block **ret)
{
    if (pt_block_open(p->blob.data, p->blob.len, shapes, ret, &p->err) < 0)
        fail_msg("%s", p->err.text);
}

static void histories(uint64_t seed, uint32_t losses)
{
    for (const uint64_t end = seed + 25; seed < end; seed++) {
        struct past p;
        live(&p, seed, losses);
        struct pt_block_writer *w = pt_block_writer_new(p.shapes);
        struct pt_shapes *shapes = pt_shapes_new();
        struct pt_block *b = NULL;
        for (int again = 0; again < 2; again++) { /* a writer may be used again */
            write_block(&p, w, again ? 19 : 1);
            open_block(&p, shapes, &b);
            assert_int_equal(pt_block_kind(b), PT_BLOCK_PROC);
            assert_int_equal(pt_block_first(b), p.snaps[0].n);
            assert_int_equal(pt_block_ticks(b), p.nticks);
            for (uint32_t i = 0; i < p.nticks; i++) {
                uint32_t tick;
                assert_int_equal(pt_block_n(b, i), p.snaps[i].n);
                assert_return_code(pt_block_tick_of(b, p.snaps[i].n, &tick), 0);
                assert_int_equal(tick, i);
            }
            check_at(&p, b, shapes);
            check_walk(&p, b, shapes);
            pt_block_free(b);
            assert_int_equal(pt_shapes_count(shapes), 0);
        }
        pt_shapes_free(shapes);
        pt_block_writer_free(w);
        forget(&p);
    }
}

static void test_histories(void **state)
{
    (void)state;
    histories(1, 0);
}

static void test_lost_frames(void **state)
{
    (void)state;
    histories(300, 4);
}

/* ---- series ---- */

struct instance {
    const struct pt_shape *head, *body;
    uint32_t born, died;
    uint64_t values[16];
    uint32_t set;
};
struct series {
    struct instance v[2000];
    uint32_t n, tick; /* values as of this tick */
    enum pt_presence presence;
    int why;
};

static int on_instance(void *ctx, struct pt_instance *in)
{
    struct series *s = ctx;
    assert_int_equal(in->id, s->n);
    assert_true(in->born <= in->died);
    s->v[s->n++] =
        (struct instance){.head = in->head, .body = in->body, .born = in->born, .died = in->died};
    return 1;
}

static int on_value(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value)
{
    struct series *s = ctx;
    struct instance *in = &s->v[instance];
    assert_true(tick >= in->born);
    if (slot < 16 && tick <= s->tick) {
        in->values[slot] = value;
        in->set |= 1u << slot;
    }
    return 0;
}

static int on_presence(void *ctx, uint32_t tick, enum pt_presence presence, int why)
{
    struct series *s = ctx;
    if (tick <= s->tick) {
        s->presence = presence;
        s->why = why;
    }
    return 0;
}

/* Rows of the reading and instances alive are the same, values and all. */
static void match_rows(struct series *s, const struct pt_shapes *shapes, const struct pt_reading *r)
{
    uint32_t alive = 0;
    for (uint32_t i = 0; i < s->n; i++)
        alive += s->v[i].born <= s->tick && s->tick < s->v[i].died;
    assert_int_equal(alive, r->nrows);
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    while (pt_row_next(shapes, &c, &row)) {
        uint64_t slots[64];
        uint32_t i = 0;
        assert_true(row.nslots <= 64);
        pt_row_slots(&row, slots);
        const uint32_t n = row.nslots < 16 ? row.nslots : 16;
        for (; i < s->n; i++) {
            struct instance *in = &s->v[i];
            if (in->born <= s->tick && s->tick < in->died && in->head == row.head &&
                in->body == row.body && in->set == (1u << n) - 1 &&
                memcmp(in->values, slots, n * sizeof *slots) == 0)
                break;
        }
        assert_true(i < s->n);
        s->v[i].died = 0; /* taken */
    }
}

static void test_series(void **state)
{
    static const struct pt_series_ops ops = {
        .instance = on_instance, .value = on_value, .presence = on_presence};
    (void)state;
    struct series *s = malloc(sizeof *s);
    for (uint64_t seed = 500; seed < 510; seed++) {
        struct past p;
        live(&p, seed, (uint32_t)(seed % 2) * 3);
        struct pt_block_writer *w = pt_block_writer_new(p.shapes);
        struct pt_shapes *shapes = pt_shapes_new();
        struct pt_block *b = NULL;
        write_block(&p, w, 3);
        open_block(&p, shapes, &b);
        for (unsigned k = 0; k < PT_H_SOURCES; k++) {
            for (uint32_t i = 0; i < p.nticks; i += 3) {
                struct pt_source_at at;
                s->n = 0;
                s->tick = i;
                assert_return_code(pt_block_series(b, k, &ops, s, &p.err), 0);
                assert_return_code(pt_block_at(b, k, i, NULL, &at, &p.err), 0);
                assert_int_equal(s->presence, at.presence == PT_CARRIED ? PT_READ : at.presence);
                assert_int_equal(s->why, at.why);
                if (at.reading)
                    match_rows(s, shapes, at.reading);
                pt_reading_unref(shapes, at.reading);
            }
        }
        pt_block_free(b);
        pt_shapes_free(shapes);
        pt_block_writer_free(w);
        forget(&p);
    }
    free(s);
}

static int want_one(void *ctx, struct pt_instance *in)
{
    in->want[in->nwant++] = 1;
    return on_instance(ctx, in);
}

static int stop_at_once(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value)
{
    (void)ctx, (void)instance, (void)slot, (void)tick, (void)value;
    return -77;
}

static void test_wanted_slots(void **state)
{
    static const struct pt_series_ops one = {.instance = want_one, .value = on_value},
                                      stop = {.instance = want_one, .value = stop_at_once};
    (void)state;
    struct series *s = malloc(sizeof *s);
    struct past p;
    live(&p, 2, 0);
    struct pt_block_writer *w = pt_block_writer_new(p.shapes);
    struct pt_block *b = NULL;
    write_block(&p, w, 3);
    open_block(&p, p.shapes, &b);
    *s = (struct series){.tick = TICKS};
    assert_return_code(pt_block_series(b, 0, &one, s, &p.err), 0);
    assert_true(s->n > 0);
    for (uint32_t i = 0; i < s->n; i++)
        assert_int_equal(s->v[i].set, s->v[i].head->nslots > 1 ? 2 : 0);
    s->n = 0;
    assert_int_equal(pt_block_series(b, 0, &stop, s, NULL), -77);
    pt_block_free(b);
    pt_block_writer_free(w);
    forget(&p);
    free(s);
}

/* ---- sets, clocks ---- */

static void test_sets(void **state)
{
    (void)state;
    struct pt_h h;
    struct pt_buf b;
    pt_h_init(&h, 9);
    pt_buf_init(&b, 1 << 16);
    for (int round = 0; round < 3000; round++) {
        const uint32_t size = 1 + pt_h_random(&h, 400), step = 1 + pt_h_random(&h, 8),
                       odds = 1 + pt_h_random(&h, 12);
        uint32_t v[400], got[400], n = 0;
        for (uint32_t i = pt_h_random(&h, 3); i < size; i += step)
            if (pt_h_random(&h, odds) == 0 || round % 3 == 0)
                v[n++] = i;
        struct pt_set set;
        pt_buf_reset(&b);
        pt_set_put(&b, v, n, size);
        struct pt_cur c = pt_cur_of(b.data, b.len);
        assert_true(pt_set_get(&c, size, &set));
        assert_int_equal(pt_cur_left(&c), 0);
        assert_int_equal(set.count, n);
        assert_true(b.len <= (size + 7) / 8 + 1);
        pt_set_list(&set, got);
        assert_memory_equal(got, v, n * sizeof *v);
        for (uint32_t i = 0, rank = 0; i <= size; i++) {
            assert_int_equal(pt_set_rank(&set, i), rank);
            assert_int_equal(pt_set_has(&set, i), rank < n && v[rank] == i);
            rank += rank < n && v[rank] == i;
        }
    }
    pt_buf_release(&b);
}

static void test_clock(void **state)
{
    (void)state;
    struct past p;
    live(&p, 4, 3);
    struct pt_block_writer *w = pt_block_writer_new(p.shapes);
    struct pt_block *b = NULL;
    p.snaps[3].rss_kb = PT_UNKNOWN;
    p.snaps[4].real_us = INT64_MAX;
    p.snaps[5].boot_us = INT64_MIN + 1;
    assert_return_code(pt_block_begin(w, PT_BLOCK_CLOCK, p.snaps, p.nticks, &p.err), 0);
    assert_int_equal(pt_block_source(w, "proc:stat", PT_KEY_NONE, NULL), -PT_EUSAGE);
    assert_return_code(pt_block_end(w, 9, &p.blob, &p.err), 0);
    open_block(&p, p.shapes, &b);
    for (uint32_t i = 0; i < p.nticks; i++) {
        struct pt_snap snap;
        assert_return_code(pt_block_snap(b, i, &snap, &p.err), 0);
        assert_memory_equal(&snap, &p.snaps[i], sizeof snap);
    }
    assert_int_equal(pt_block_snap(b, p.nticks, &p.snaps[0], NULL), -PT_EUSAGE);
    assert_int_equal(pt_block_sources(b), 0);
    pt_block_free(b);
    pt_block_writer_free(w);
    forget(&p);
}

/* ---- damage ---- */

static void test_damage(void **state)
{
    (void)state;
    struct past p;
    live(&p, 6, 0);
    struct pt_block_writer *w = pt_block_writer_new(p.shapes);
    write_block(&p, w, 9);
    for (size_t k = 0; k < p.blob.len; k++) {
        struct pt_block *b = NULL;
        p.blob.data[k] ^= (uint8_t)(1u << (k % 8));
        const int rc = pt_block_open(p.blob.data, p.blob.len, p.shapes, &b, NULL);
        assert_true(rc == -PT_EDAMAGED || rc == -PT_ENEWER);
        p.blob.data[k] ^= (uint8_t)(1u << (k % 8));
        assert_true(pt_block_open(p.blob.data, k, p.shapes, &b, NULL) < 0);
    }
    pt_block_writer_free(w);
    forget(&p);
}

static void use_up(const struct pt_block *b, struct pt_shapes *shapes, struct series *s)
{
    static const struct pt_series_ops ops = {.presence = on_presence};
    for (uint32_t i = 0; i < pt_block_sources(b); i++) {
        for (uint32_t t = 0; t < pt_block_ticks(b); t += 11) {
            struct pt_source_at at = {0};
            if (pt_block_at(b, i, t, NULL, &at, NULL) == 0)
                pt_reading_unref(shapes, at.reading);
        }
        struct pt_walk *w;
        assert_return_code(pt_walk_new(b, i, NULL, &w, NULL), 0);
        for (uint32_t t = 0; t < pt_block_ticks(b); t += 3) {
            struct pt_source_at at;
            if (pt_walk_at(w, t, &at, NULL) < 0)
                break;
        }
        pt_walk_free(w);
        pt_block_series(b, i, &ops, s, NULL);
    }
}

/* Wrong bytes under a right checksum. Stored, not compressed: so that they reach the parser. */
static void test_hostile(void **state)
{
    (void)state;
    struct past p;
    struct series *s = calloc(1, sizeof *s);
    live(&p, 8, 2);
    struct pt_block_writer *w = pt_block_writer_new(p.shapes);
    write_block(&p, w, 9);
    struct pt_blob raw;
    assert_return_code(pt_blob_read("PTbl", "block", p.blob.data, p.blob.len, 1 << 30, &raw, NULL),
                       0);
    uint8_t *blob = malloc(PT_BLOB_HEAD + raw.len);
    unsigned opened = 0;
    for (int i = 0; i < 6000; i++) {
        memcpy(blob, p.blob.data, PT_BLOB_HEAD);
        memcpy(blob + PT_BLOB_HEAD, raw.raw, raw.len);
        blob[5] = raw.tag;
        for (unsigned k = 0; k < 4; k++) {
            blob[8 + k] = blob[12 + k] = (uint8_t)(raw.len >> (8 * k));
        }
        for (uint32_t k = 0, n = 1 + pt_h_random(&p.h, 3); k < n; k++)
            blob[PT_BLOB_HEAD + pt_h_random(&p.h, (uint32_t)raw.len)] =
                (uint8_t)pt_h_random(&p.h, 256);
        pt_blob_resum(blob, PT_BLOB_HEAD + raw.len);
        struct pt_block *b = NULL;
        if (pt_block_open(blob, PT_BLOB_HEAD + raw.len, p.shapes, &b, NULL) < 0)
            continue;
        opened++;
        use_up(b, p.shapes, s);
        pt_block_free(b);
    }
    assert_true(opened > 100);
    free(blob);
    free(raw.raw);
    free(s);
    pt_block_writer_free(w);
    forget(&p);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(pt_block_kind_of("proc:meminfo"), PT_BLOCK_SYSTEM);
    assert_int_equal(pt_block_kind_of("cgroup:12/memory.current"), PT_BLOCK_SYSTEM);
    assert_int_equal(pt_block_kind_of("proc:12/status"), PT_BLOCK_PROC);
    assert_int_equal(pt_block_kind_of("proc:12/smaps"), PT_BLOCK_DEEP);
    assert_int_equal(pt_block_kind_of("proc:12/cmdline"), PT_BLOCK_NAMES);
    assert_int_equal(pt_block_kind_of("proc:sys/vm/swappiness"), PT_BLOCK_SYSTEM);
    assert_int_equal(pt_block_kind_of("proc:12x/status"), PT_BLOCK_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories), cmocka_unit_test(test_lost_frames),
        cmocka_unit_test(test_series),    cmocka_unit_test(test_wanted_slots),
        cmocka_unit_test(test_sets),      cmocka_unit_test(test_clock),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
