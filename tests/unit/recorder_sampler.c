/* SPDX-License-Identifier: MIT
 * Chains: when a frame is a key frame. How a process of very many mappings is read. What triggers
 * read when the budget is overdrawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/sampler.h"
#include "tests/support/rawlog.h"
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

/* ---- many mappings ---- */

static void write_maps(uint32_t mappings, uint64_t rss_kb)
{
    enum { ENTRY = 128 };
    char *text = malloc((size_t)mappings * ENTRY), rollup[ENTRY];
    assert_non_null(text);
    size_t n = 0;
    for (uint32_t i = 0; i < mappings; i++)
        n += (size_t)snprintf(text + n, ENTRY,
                              "7f%08x000-7f%08x000 rw-p 00000000 00:00 0 \n"
                              "Size:                  4 kB\nRss:                   4 kB\n",
                              2 * i, 2 * i + 1);
    tree_write("77/smaps", text, n);
    free(text);
    snprintf(rollup, sizeof rollup,
             "00400000-7ffff0000000 ---p 00000000 00:00 0                          [rollup]\n"
             "Rss:      %12" PRIu64 " kB\n",
             rss_kb);
    tree_print("77/smaps_rollup", rollup);
}

/* Texts of smaps and of smaps_rollup that were read. */
static void count_reads(const char *log, int *ret_smaps, int *ret_rollups)
{
    struct rawlog l;
    *ret_smaps = *ret_rollups = 0;
    assert_int_equal(rawlog_open(&l, log), 0);
    while (rawlog_next(&l) > 0) {
        *ret_smaps += l.outcome == RAWLOG_READ && strcmp(l.name, "proc:77/smaps") == 0;
        *ret_rollups += l.outcome == RAWLOG_READ && strcmp(l.name, "proc:77/smaps_rollup") == 0;
    }
    rawlog_close(&l);
}

/* Takes so many snapshots of a process that grows. */
static void read_growing(enum pt_trigger trigger, int64_t budget_ppm, uint32_t mappings, int ticks,
                         int *ret_smaps, int *ret_rollups)
{
    struct pt_roots roots;
    struct pt_err err = {0};
    struct pt_sampler *s;
    struct chain c = {0};
    struct pt_rawlog *raw;
    char log[600];
    tree_begin("mappings");
    snprintf(log, sizeof log, "%s.log", tree);
    write_maps(mappings, 4 * mappings);
    tree_process(77, "mapper", 5, 1000, 0);
    assert_true(pt_rawlog_open(log, &raw, &err) >= 0);
    assert_true(pt_roots_init(&roots, tree, tree, tree, &err) >= 0);
    const struct pt_sampler_config config = {
        .roots = &roots,
        .frame = on_frame,
        .ctx = &c,
        .raw = raw,
        .plan = {.budget_ppm = budget_ppm, .interval_us = 10000000, .stall_us = 20000},
        .timestamp_us = PT_UNKNOWN,
    };
    assert_true(pt_sampler_new(&config, &s, &err) >= 0);
    for (int i = 0; i < ticks; i++) {
        tree_process(77, "mapper", 5, 1000 + 10 * (unsigned)i, 0);
        assert_true(pt_sampler_tick(s, trigger, &err) >= 0);
    }
    assert_true(pt_sampler_free(s));
    assert_true(pt_rawlog_close(raw, &err) >= 0);
    pt_roots_release(&roots);
    count_reads(log, ret_smaps, ret_rollups);
    unlink(log);
    tree_remove("");
}

/* Where smaps is mostly text, smaps_rollup stands in for it fifteen times of sixteen. */
static void many_mappings(void **state)
{
    (void)state;
    enum { TICKS = 34 };
    int smaps, rollups;
    read_growing(PT_TRIGGER_ONCE, 1000000, 6000, TICKS, &smaps, &rollups);
    assert_int_equal(smaps, (TICKS + 15) / 16);
    assert_int_equal(rollups, TICKS);
    read_growing(PT_TRIGGER_ONCE, 1000000, 60, TICKS, &smaps, &rollups);
    assert_int_equal(smaps, TICKS);
    assert_in_range(rollups, 1, TICKS / 4);
}

/* Kills that come again and again read everything, but are not lent deep reads beyond what triggers
 * may use. */
static void kills(void **state)
{
    (void)state;
    enum { TICKS = 12 };
    int smaps, rollups;
    read_growing(PT_TRIGGER_OOM, 1000000, 60, TICKS, &smaps, &rollups);
    assert_in_range(smaps, TICKS - 3, TICKS); /* one that is late is there with the next */
    read_growing(PT_TRIGGER_OOM, 1, 60, TICKS, &smaps, &rollups);
    assert_in_range(smaps, 1, TICKS / 2);
}

/* ---- names ---- */

/* The command line as it is known after so many snapshots more, with a deep reading each, of a
 * process whose name stays: "" at first, then one, and after a while another; not while memory is
 * short. */
static void names(void **state)
{
    (void)state;
    static const struct {
        const char *written, *known;
        enum pt_trigger trigger;
        int snapshots;
    } steps[] = {
        {"", "", PT_TRIGGER_ONCE, 1},
        {"a program", "a program", PT_TRIGGER_ONCE, 1},
        {"its title", "a program", PT_TRIGGER_PSI, 20},
        {"its title", "its title", PT_TRIGGER_ONCE, 20},
    };
    unsigned rss = 1000;
    struct pt_roots roots;
    struct pt_err err = {0};
    struct pt_sampler *s;
    struct chain c = {0};
    tree_begin("names");
    write_maps(10, 40);
    tree_process(77, "named", 5, 1000, 0);
    tree_print("77/cmdline", "");
    assert_true(pt_roots_init(&roots, tree, tree, tree, &err) >= 0);
    const struct pt_sampler_config config = {
        .roots = &roots,
        .frame = on_frame,
        .ctx = &c,
        .plan = {.budget_ppm = 1000000, .interval_us = 10000000, .stall_us = 20000},
        .timestamp_us = PT_UNKNOWN,
    };
    assert_true(pt_sampler_new(&config, &s, &err) >= 0);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        tree_print("77/cmdline", steps[i].written);
        for (int k = 0; k < steps[i].snapshots; k++) {
            tree_process(77, "named", 5, rss += 1000, 0);
            assert_true(pt_sampler_tick(s, steps[i].trigger, &err) >= 0);
        }
        const struct pt_portrait *p = pt_sampler_portrait(s, 77);
        assert_non_null(p);
        assert_string_equal(p->cmdline, steps[i].known);
    }
    assert_true(pt_sampler_free(s));
    pt_roots_release(&roots);
    tree_remove("");
}

/* ---- triggers and the budget ---- */

static int64_t processes_read(struct pt_sampler *s, enum pt_trigger trigger)
{
    struct pt_err err = {0};
    assert_true(pt_sampler_tick(s, trigger, &err) >= 0);
    return pt_sampler_account(s)->value[PT_ACCOUNT_PROCESSES_READ];
}

/* A trigger reads everything, unless triggers before it have used what minutes earn. Kills are
 * always worth it, who asks by a signal gets all of it, and with --deep all nothing counts as
 * spent. */
static void overdrawn(void **state)
{
    (void)state;
    enum { PROCESSES = 300 };
    static const struct {
        int64_t ppm;
        enum pt_deep_mode deep;
        bool spared;
    } runs[] = {
        {1000000, PT_DEEP_OFF, false},
        {10, PT_DEEP_OFF, true},
        {10, PT_DEEP_ALL, false},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct pt_roots roots;
        struct pt_err err = {0};
        struct pt_sampler *s;
        struct chain c = {0};
        tree_begin("overdrawn");
        for (unsigned pid = 1; pid <= PROCESSES; pid++)
            tree_process(pid, "many", 5, 1000, 0);
        assert_true(pt_roots_init(&roots, tree, tree, tree, &err) >= 0);
        const struct pt_sampler_config config = {
            .roots = &roots,
            .frame = on_frame,
            .ctx = &c,
            .plan = {.mode = runs[i].deep, .budget_ppm = runs[i].ppm, .interval_us = 10000000},
            .timestamp_us = PT_UNKNOWN,
        };
        assert_true(pt_sampler_new(&config, &s, &err) >= 0);
        assert_int_equal(processes_read(s, PT_TRIGGER_START), PROCESSES);
        processes_read(s, PT_TRIGGER_TIMER);
        assert_int_equal(processes_read(s, PT_TRIGGER_PSI), PROCESSES);
        for (enum pt_trigger t = PT_TRIGGER_PSI; t <= PT_TRIGGER_LOW; t++) {
            if (runs[i].spared && t != PT_TRIGGER_OOM)
                assert_true(processes_read(s, t) < PROCESSES);
            else
                assert_int_equal(processes_read(s, t), PROCESSES);
        }
        assert_int_equal(processes_read(s, PT_TRIGGER_SIGNAL), PROCESSES);
        pt_sampler_free(s);
        pt_roots_release(&roots);
        tree_remove("");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overdrawn),     cmocka_unit_test(long_key_frame),
        cmocka_unit_test(many_mappings), cmocka_unit_test(kills),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
