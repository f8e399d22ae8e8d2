/* SPDX-License-Identifier: MIT
 * Weighing a chain: by sources, and with a damaged frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "schema/source.h"
#include "schema/weigh.h"

#define FRAMES 20

static const char *const sources[] = {"proc:meminfo", "proc:vmstat", "proc:7/statm"};
#define SOURCES (sizeof(sources) / sizeof(*sources))

struct chain {
    struct pt_buf bytes[FRAMES];
    struct pt_weigh_frame frames[FRAMES];
};

static void begin(struct chain *c)
{
    struct pt_err err = {0};
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *enc = pt_enc_new(shapes);
    uint32_t handle[SOURCES];
    for (size_t i = 0; i < SOURCES; i++)
        handle[i] = (uint32_t)pt_enc_open(enc, sources[i], &pt_file_of(sources[i])->grammar, &err);
    for (int64_t n = 1; n <= FRAMES; n++) {
        const struct pt_snap snap = {.n = n, .real_us = n * 1000000, .boot = 1};
        struct pt_buf *out = &c->bytes[n - 1];
        pt_buf_init(out, 1 << 20);
        assert_true(pt_enc_begin(enc, &snap, &err) >= 0);
        for (size_t i = 0; i < SOURCES; i++) {
            char text[128];
            const int len = snprintf(text, sizeof(text), "a %d\nb %d\nc %d\n", (int)(n * n * 7919),
                                     (int)(n * 104729 % 1000), (int)i);
            assert_true(pt_enc_text(enc, handle[i], text, (size_t)len, PT_UNKNOWN, &err) >= 0);
        }
        assert_true(pt_enc_end(enc, &snap, out, &err) >= 0);
        c->frames[n - 1] = (struct pt_weigh_frame){n, out->data, out->len};
    }
    pt_enc_free(enc);
    pt_shapes_free(shapes);
}

static void end(struct chain *c)
{
    for (int i = 0; i < FRAMES; i++)
        pt_buf_release(&c->bytes[i]);
}

static bool named(void *ctx, const char *name)
{
    return strcmp(ctx, name) == 0;
}

static bool nobody(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return false;
}

static void by_source(void **state)
{
    (void)state;
    struct chain c;
    struct pt_err err = {0};
    struct pt_weight all, one, none, key;
    int64_t sum = 0;
    begin(&c);
    assert_int_equal(pt_weigh(c.frames, FRAMES, NULL, NULL, &all, &err), 0);
    assert_int_equal(pt_weigh(c.frames, 1, NULL, NULL, &key, &err), 0);
    assert_true(key.blocks > 0 && key.blocks < all.blocks && key.clock < all.clock);
    for (size_t i = 0; i < SOURCES; i++) {
        assert_int_equal(
            pt_weigh(c.frames, FRAMES, named, (void *)(uintptr_t)sources[i], &one, &err), 0);
        assert_true(one.blocks > 0 && one.blocks < all.blocks);
        assert_int_equal(one.clock, all.clock);
        sum += one.blocks;
    }
    assert_true(sum >= all.blocks); /* what is alike is told once */
    assert_int_equal(pt_weigh(c.frames, FRAMES, nobody, NULL, &none, &err), 0);
    assert_int_equal(none.blocks, 0);
    end(&c);
}

static void damaged(void **state)
{
    (void)state;
    struct chain c;
    struct pt_err err = {0};
    struct pt_weight w = {.blocks = 42};
    begin(&c);
    c.bytes[5].data[c.bytes[5].len / 2] ^= 1;
    assert_true(pt_weigh(c.frames, FRAMES, NULL, NULL, &w, &err) < 0);
    assert_int_equal(err.code, PT_EDAMAGED);
    assert_int_equal(w.blocks, 42);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_source),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
