/* SPDX-License-Identifier: MIT
 * Frames: random histories come back exactly; one lost frame costs only itself, more are told as
 * lost; no changed byte and no cut goes unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "schema/frame_blob.h"
#include "schema/source.h"
#include "tests/support/history.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

struct run {
    struct pt_h h;
    struct pt_shapes *shapes, *read_shapes;
    struct pt_enc *enc;
    struct pt_chain *chain;
    struct pt_buf frame, text;
    struct pt_err err;
};

static void start(struct run *r, uint64_t seed)
{
    *r = (struct run){.shapes = pt_shapes_new(), .read_shapes = pt_shapes_new()};
    pt_h_init(&r->h, seed);
    r->enc = pt_enc_new(r->shapes);
    r->chain = pt_chain_new(r->read_shapes);
    pt_buf_init(&r->frame, 1 << 24);
    pt_buf_init(&r->text, 1 << 24);
}

static void stop(struct run *r)
{
    pt_enc_free(r->enc);
    pt_chain_free(r->chain);
    assert_int_equal(pt_shapes_count(r->shapes), 0);
    assert_int_equal(pt_shapes_count(r->read_shapes), 0);
    pt_shapes_free(r->shapes);
    pt_shapes_free(r->read_shapes);
    pt_buf_release(&r->frame);
    pt_buf_release(&r->text);
}

static void tick(struct run *r)
{
    pt_buf_reset(&r->frame);
    assert_return_code(pt_h_tick(&r->h, r->enc, &r->frame, &r->err), 0);
}

static void apply(struct run *r)
{
    struct pt_frame *f = NULL;
    if (pt_frame_open(r->frame.data, r->frame.len, &f, &r->err) < 0)
        fail_msg("%s", r->err.text);
    assert_memory_equal(pt_frame_snap(f), &r->h.snap, sizeof r->h.snap);
    if (pt_chain_apply(r->chain, f, &r->err) < 0)
        fail_msg("%s", r->err.text);
    pt_frame_free(f);
}

/* The live source of a name, or one that is gone, or NULL. */
static const struct pt_source_at *find(const struct run *r, const char *name)
{
    const struct pt_source_at *found = NULL;
    for (uint32_t i = 0; i < pt_chain_count(r->chain); i++) {
        const struct pt_source_at *at = pt_chain_get(r->chain, i);
        if (strcmp(at->name, name) == 0 && (!found || found->presence == PT_ABSENT))
            found = at;
    }
    return found;
}

static bool check_source(struct run *r, const struct pt_h_source *s, bool may_be_lost)
{
    const struct pt_source_at *at = find(r, s->name);
    if (!at ||
        at->presence == PT_ABSENT) { /* one that began where frames are lost is not known of */
        assert_true(s->presence == PT_ABSENT || may_be_lost);
        return s->presence == PT_ABSENT;
    }
    if (may_be_lost && at->presence == PT_LOST) {
        assert_null(at->reading);
        return false;
    }
    assert_int_equal(at->presence, s->presence);
    assert_int_equal(at->why, s->why);
    if (!may_be_lost)
        assert_int_equal(at->read_us, s->read_us);
    if (s->presence != PT_READ && s->presence != PT_CARRIED) {
        assert_null(at->reading);
        return true;
    }
    pt_buf_reset(&r->text);
    assert_return_code(pt_reading_text(r->read_shapes, at->reading, &r->text, &r->err), 0);
    assert_int_equal(r->text.len, s->len);
    if (s->len)
        assert_memory_equal(r->text.data, s->text, s->len);
    return true;
}

/* How many sources are known as they must be. */
static unsigned check(struct run *r, bool may_be_lost)
{
    unsigned known = 0;
    for (unsigned i = 0; i < PT_H_SOURCES; i++)
        known += check_source(r, &r->h.sources[i], may_be_lost);
    return known;
}

static void test_histories(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct run r;
        start(&r, seed);
        for (int i = 0; i < 60; i++) {
            if (pt_h_random(&r.h, 25) == 0)
                pt_enc_new_chain(r.enc);
            tick(&r);
            apply(&r);
            assert_int_equal(check(&r, false), PT_H_SOURCES);
        }
        stop(&r);
    }
}

/* Each third frame or so is lost, never two in a row: nothing else is. */
static void test_one_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 140; seed++) {
        struct run r;
        bool lost = false;
        start(&r, seed);
        for (int i = 0; i < 60; i++) {
            tick(&r);
            lost = i > 0 && !lost && pt_h_random(&r.h, 3) == 0;
            if (lost)
                continue;
            apply(&r);
            for (unsigned k = 0; k < PT_H_SOURCES; k++) {
                const struct pt_h_source *s = &r.h.sources[k];
                const struct pt_source_at *at = find(&r, s->name);
                const enum pt_presence presence = at ? at->presence : PT_ABSENT;
                assert_int_equal(presence, s->presence);
                if (presence != PT_READ && presence != PT_CARRIED)
                    continue;
                pt_buf_reset(&r.text);
                assert_return_code(pt_reading_text(r.read_shapes, at->reading, &r.text, &r.err), 0);
                assert_int_equal(r.text.len, s->len);
                if (s->len)
                    assert_memory_equal(r.text.data, s->text, s->len);
            }
        }
        stop(&r);
    }
}

/* After two or more lost in a row a source is right or told as lost, and a key frame puts all
 * right. */
static void test_many_lost(void **state)
{
    (void)state;
    unsigned lost_some = 0;
    for (uint64_t seed = 200; seed < 240; seed++) {
        struct run r;
        start(&r, seed);
        for (int i = 0; i < 80; i++) {
            const bool key = i == 0 || i == 60;
            if (key)
                pt_enc_new_chain(r.enc);
            tick(&r);
            if (!key && pt_h_random(&r.h, 2))
                continue;
            apply(&r);
            const unsigned known = check(&r, !key);
            lost_some += known < PT_H_SOURCES;
            if (key)
                assert_int_equal(known, PT_H_SOURCES);
        }
        stop(&r);
    }
    assert_true(lost_some > 0);
}

static void test_order(void **state)
{
    (void)state;
    struct run r;
    struct pt_frame *key, *second;
    start(&r, 7);
    tick(&r);
    assert_return_code(pt_frame_open(r.frame.data, r.frame.len, &key, &r.err), 0);
    tick(&r);
    assert_return_code(pt_frame_open(r.frame.data, r.frame.len, &second, &r.err), 0);
    assert_true(pt_frame_is_key(key) && !pt_frame_is_key(second));
    struct pt_err err = {0};
    assert_int_equal(pt_chain_apply(r.chain, second, &err), -PT_EDAMAGED);
    assert_string_equal(err.source, "frame 2");
    assert_int_equal(pt_chain_count(r.chain), 0);
    assert_return_code(pt_chain_apply(r.chain, key, &r.err), 0);
    assert_return_code(pt_chain_apply(r.chain, second, &r.err), 0);
    assert_int_equal(pt_chain_apply(r.chain, second, NULL), -PT_EDAMAGED);
    assert_int_equal(check(&r, false), PT_H_SOURCES);
    pt_frame_free(key);
    pt_frame_free(second);
    stop(&r);
}

static bool keep_stat(void *ctx, uint32_t id, const char *name, size_t bytes)
{
    (void)bytes;
    (void)ctx;
    (void)id;
    return strstr(name, "/stat") != NULL;
}

static void test_filter(void **state)
{
    (void)state;
    struct run r;
    start(&r, 11);
    pt_chain_filter(r.chain, keep_stat, NULL);
    for (int i = 0; i < 50; i++) {
        tick(&r);
        apply(&r);
        for (uint32_t k = 0; k < pt_chain_count(r.chain); k++)
            assert_non_null(strstr(pt_chain_get(r.chain, k)->name, "/stat"));
        for (unsigned k = 0; k < PT_H_SOURCES; k++)
            if (strstr(r.h.sources[k].name, "/stat"))
                check_source(&r, &r.h.sources[k], false);
    }
    stop(&r);
}

static size_t allocated(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* Steady state: the same sources, the same shapes, nothing grows. */
static void test_memory(void **state)
{
    (void)state;
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *e = pt_enc_new(shapes);
    static const struct pt_grammar g = {.head = PT_LEX_DEC};
    struct pt_buf out;
    struct pt_err err = {0};
    size_t held = 0;
    pt_buf_init(&out, 1 << 24);
    for (int i = 1; i <= 600; i++) {
        const struct pt_snap snap = {.n = i, .real_us = i * 1000000LL};
        pt_buf_reset(&out);
        assert_return_code(pt_enc_begin(e, &snap, &err), 0);
        for (int k = 0; k < 200; k++) {
            char name[32], text[64];
            snprintf(name, sizeof name, "proc:%d/statm", 1000 + k);
            const int n = snprintf(text, sizeof text, "%d %d 17 0 1\n", 10000 + k, 10000 + i % 100);
            const int64_t h = pt_enc_open(e, name, &g, &err);
            assert_true(h >= 0);
            if (k == i % 50 && i > 1 && i % 3 == 0)
                assert_return_code(pt_enc_gone(e, (uint32_t)h, &err), 0);
            else
                assert_return_code(pt_enc_text(e, (uint32_t)h, text, (size_t)n, PT_UNKNOWN, &err),
                                   0);
        }
        assert_return_code(pt_enc_end(e, &snap, &out, &err), 0);
        if (i % 150 == 0)
            pt_enc_new_chain(e);
        if (i == 300)
            held = allocated();
    }
    assert_true(allocated() <= held + held / 10);
    pt_enc_free(e);
    pt_shapes_free(shapes);
    pt_buf_release(&out);
}

/* Every byte of a blob changed, every cut: refused, but for nothing. */
static void test_damage(void **state)
{
    (void)state;
    struct run r;
    start(&r, 3);
    for (int i = 0; i < 12; i++) {
        tick(&r);
        if (i % 4)
            continue;
        for (size_t k = 0; k < r.frame.len; k++) {
            struct pt_frame *f = NULL;
            r.frame.data[k] ^= (uint8_t)(1u << (k % 8));
            const int rc = pt_frame_open(r.frame.data, r.frame.len, &f, NULL);
            assert_true(rc == -PT_EDAMAGED || rc == -PT_ENEWER);
            assert_null(f);
            r.frame.data[k] ^= (uint8_t)(1u << (k % 8));
            assert_true(pt_frame_open(r.frame.data, k, &f, NULL) < 0);
        }
    }
    stop(&r);
}

/* With a right checksum over wrong bytes: refused or applied, the chain as before or as after,
 * never out of bounds. */
static void test_hostile(void **state)
{
    (void)state;
    struct run r;
    start(&r, 5);
    tick(&r);
    apply(&r);
    for (int i = 0; i < 40; i++) {
        tick(&r);
        struct pt_buf good = r.frame;
        uint8_t *bad = malloc(good.len);
        for (int k = 0; k < 40; k++) {
            struct pt_frame *f = NULL;
            memcpy(bad, good.data, good.len);
            bad[PT_BLOB_HEAD + pt_h_random(&r.h, (uint32_t)good.len - PT_BLOB_HEAD)] ^=
                (uint8_t)(1u + pt_h_random(&r.h, 255));
            pt_blob_resum(bad, good.len);
            if (pt_frame_open(bad, good.len, &f, NULL) < 0)
                continue;
            struct pt_chain *c = pt_chain_new(r.read_shapes);
            const int rc = pt_chain_apply(c, f, NULL);
            assert_true(rc == 0 || rc == -PT_EDAMAGED || rc == -PT_ENOMEM);
            pt_chain_free(c);
            pt_frame_free(f);
        }
        free(bad);
        apply(&r);
        assert_int_equal(check(&r, false), PT_H_SOURCES);
    }
    stop(&r);
}

/* Calls out of their order change nothing; a handle is one while its source is there. */
static void test_misuse(void **state)
{
    static char name[4097];
    struct pt_snap snap = {.n = 1, .real_us = 1000, .boot = 1}, other = snap;
    const struct pt_grammar *g = &pt_file_of("proc:1/stat")->grammar;
    struct run r;
    (void)state;
    start(&r, 1);
    memset(name, 'x', 4096);
    assert_int_equal(pt_enc_open(r.enc, name, g, NULL), -PT_EUSAGE);
    name[4095] = '\0';
    const int64_t longest = pt_enc_open(r.enc, name, g, NULL),
                  one = pt_enc_open(r.enc, "proc:1/stat", g, NULL);
    assert_true(longest >= 0 && one >= 0 && one != longest);
    assert_int_equal(pt_enc_open(r.enc, "proc:1/stat", g, NULL), one);
    assert_string_equal(pt_enc_name(r.enc, (uint32_t)longest), name);
    /* outside of a snapshot */
    assert_true(pt_enc_text(r.enc, (uint32_t)one, "1", 1, 5, NULL) < 0);
    assert_true(pt_enc_fail(r.enc, (uint32_t)one, EIO, 5, NULL) < 0);
    assert_true(pt_enc_gone(r.enc, (uint32_t)one, NULL) < 0);
    assert_int_equal(pt_enc_end(r.enc, &snap, &r.frame, NULL), -PT_EUSAGE);
    assert_return_code(pt_enc_begin(r.enc, &snap, NULL), 0);
    assert_int_equal(pt_enc_begin(r.enc, &snap, NULL), -PT_EUSAGE);
    other.n = 2;
    assert_int_equal(pt_enc_end(r.enc, &other, &r.frame, NULL), -PT_EUSAGE);
    other = snap;
    other.real_us++;
    assert_int_equal(pt_enc_end(r.enc, &other, &r.frame, NULL), -PT_EUSAGE);
    assert_true(pt_enc_fail(r.enc, 99, EIO, 5, NULL) < 0); /* nobody's handle */
    /* reasons that errno does not have are told as EIO */
    static const int why[][2] = {{0, EIO}, {-5, EIO}, {1, 1}, {65535, 65535}, {65536, EIO}};
    char names[5][16];
    for (size_t i = 0; i < 5; i++) {
        snprintf(names[i], sizeof names[i], "proc:%zu/x", i);
        const int64_t h = pt_enc_open(r.enc, names[i], g, NULL);
        assert_return_code(pt_enc_fail(r.enc, (uint32_t)h, why[i][0], 5, NULL), 0);
    }
    assert_return_code(pt_enc_text(r.enc, (uint32_t)one, "1", 1, 5, NULL), 0);
    assert_return_code(pt_enc_gone(r.enc, (uint32_t)longest, NULL), 0);
    assert_null(pt_enc_name(r.enc, (uint32_t)longest));
    assert_null(pt_enc_last(r.enc, (uint32_t)longest));
    assert_true(pt_enc_fail(r.enc, (uint32_t)longest, EIO, 5, NULL) < 0);
    assert_int_equal(pt_enc_open(r.enc, "proc:2/stat", g, NULL), longest); /* it is free */
    assert_return_code(pt_enc_end(r.enc, &snap, &r.frame, NULL), 0);
    struct pt_frame *f = NULL;
    assert_return_code(pt_frame_open(r.frame.data, r.frame.len, &f, NULL), 0);
    assert_return_code(pt_chain_apply(r.chain, f, NULL), 0);
    assert_int_equal(pt_chain_count(r.chain), 6);
    for (uint32_t i = 0; i < 6; i++) {
        const struct pt_source_at *at = pt_chain_get(r.chain, i);
        for (size_t k = 0; k < 5; k++)
            if (strcmp(at->name, names[k]) == 0)
                assert_int_equal(at->why, why[k][1]);
    }
    pt_frame_free(f);
    stop(&r);
}

/* A blob that claims much is refused before anything is allocated for it. */
static void test_bomb(void **state)
{
    (void)state;
    uint8_t blob[64] = "PTfr";
    struct pt_frame *f = NULL;
    struct pt_err err = {0};
    blob[5] = PT_BLOB_ZSTD | 1;
    blob[8 + 3] = 0x1f; /* 496 MiB */
    blob[12] = sizeof blob - PT_BLOB_HEAD;
    pt_blob_resum(blob, sizeof blob);
    assert_int_equal(pt_frame_open(blob, sizeof blob, &f, &err), -PT_EDAMAGED);
    assert_non_null(strstr(err.text, "claims"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories), cmocka_unit_test(test_one_lost),
        cmocka_unit_test(test_many_lost), cmocka_unit_test(test_order),
        cmocka_unit_test(test_filter),    cmocka_unit_test(test_memory),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_misuse),    cmocka_unit_test(test_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
