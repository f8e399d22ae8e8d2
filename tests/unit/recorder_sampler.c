/* SPDX-License-Identifier: MIT
 * Chains: when a frame is a key frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/sampler.h"
#include "tests/unit/recorder_tree.h"

struct chain {
    int frames, keys;
};

static void on_frame(void *ctx, const struct pt_snap *snap, bool key, const struct pt_buf *frame)
{
    struct chain *c = ctx;
    (void)snap, (void)frame;
    c->frames++;
    c->keys += key;
}

static void write_slabs(int rows, int objects)
{
    const size_t size = 100 * ((size_t)rows + 2);
    char *text = malloc(size);
    assert_non_null(text);
    size_t n = (size_t)snprintf(text, size,
                                "slabinfo - version: 2.1\n# name            <active_objs> "
                                "<num_objs> <objsize>\n");
    for (int i = 0; i < rows; i++)
        n += (size_t)snprintf(text + n, size - n,
                              "cache-%06d %d %d 64 64 1 : tunables 0 0 0 : slabdata 1 1 0\n", i,
                              objects, objects + i);
    tree_write("slabinfo", text, n);
    free(text);
}

/* A key frame that is longer than a chain should be does not end its chain: every snapshot would be
 * one, sealed at once. What follows it does, when it has grown as long. */
static void long_key_frame(void **state)
{
    (void)state;
    enum { ROWS = 60000, TICKS = 20 };
    struct pt_roots roots;
    struct pt_err err = {0};
    struct pt_sampler *s;
    struct pt_sampler_stats stats;
    struct chain c = {0};
    tree_begin("sampler");
    tree_process(1, "one", 5, 100, 0);
    write_slabs(ROWS, 1);
    assert_true(pt_roots_init(&roots, tree, tree, tree, &err) >= 0);
    const struct pt_sampler_config config = {
        .roots = &roots,
        .frame = on_frame,
        .ctx = &c,
        .plan = {.mode = PT_DEEP_OFF, .budget_ppm = 1000000, .interval_us = 10000000},
        .timestamp_us = PT_UNKNOWN,
    };
    assert_true(pt_sampler_new(&config, &s, &err) >= 0);
    for (int i = 0; i < TICKS; i++)
        assert_true(pt_sampler_tick(s, i ? PT_TRIGGER_TIMER : PT_TRIGGER_START, &err) >= 0);
    pt_sampler_stats(s, &stats);
    assert_true(stats.chain_bytes > PT_CHAIN_BYTES);
    assert_int_equal(c.frames, TICKS);
    assert_int_equal(c.keys, 1);
    for (int i = 2; c.keys == 1 && i < 200; i++) {
        write_slabs(ROWS, i * 1000);
        assert_true(pt_sampler_tick(s, PT_TRIGGER_ONCE, &err) >= 0);
    }
    assert_int_equal(c.keys, 2);
    pt_sampler_free(s);
    pt_roots_release(&roots);
    tree_remove("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_key_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
