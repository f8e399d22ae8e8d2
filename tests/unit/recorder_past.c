/* SPDX-License-Identifier: MIT
 * Between two snapshots: sleep, a clock that was set, slewing that is neither; and what a recording
 * tells of the one before in its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/past.h"
#include "tests/unit/recorder_tree.h"

#define S   INT64_C(1000000)
#define NOW (INT64_C(1790000000) * S)

static void clocks(void **state)
{
    (void)state;
    static const struct {
        int64_t real, boot, mono, slept, stepped;
    } cases[] = {
        {10 * S, 10 * S, 10 * S, 0, 0},
        {10 * S + 400000, 10 * S, 10 * S, 0, 0},
        {7210 * S, 10 * S, 10 * S, 0, 7200 * S},
        {-7190 * S, 10 * S, 10 * S, 0, -7200 * S},
        {3610 * S, 3610 * S, 10 * S, 3600 * S, 0},
        {3610 * S - 60 * S, 3610 * S, 10 * S, 3600 * S, -60 * S},
        {86400 * S + 43 * S, 86400 * S, 86400 * S, 0, 0}, /* slewed by 500 ppm for a day */
        {86400 * S + 100 * S, 86400 * S, 86400 * S, 0, 100 * S},
    };
    const struct pt_snap was = {.n = 1, .real_us = NOW, .boot_us = 500 * S, .mono_us = 400 * S};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct pt_snap is = {.n = 2,
                                   .real_us = was.real_us + cases[i].real,
                                   .boot_us = was.boot_us + cases[i].boot,
                                   .mono_us = was.mono_us + cases[i].mono};
        int64_t slept = -1, stepped = -1;
        pt_past_clocks(&was, &is, &slept, &stepped);
        assert_int_equal(slept, cases[i].slept);
        assert_int_equal(stepped, cases[i].stepped);
    }
}

/* ---- runs in one file ---- */

static char path[1024];

static void snapshot(struct pt_writer *w, int64_t real_us)
{
    struct pt_err err = {0};
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *enc = pt_enc_new(shapes);
    const struct pt_snap snap = {
        .n = pt_writer_next(w), .real_us = real_us, .boot = pt_writer_boot(w)};
    struct pt_buf frame;
    pt_buf_init(&frame, 1 << 20);
    assert_true(pt_enc_begin(enc, &snap, &err) >= 0);
    assert_true(pt_enc_end(enc, &snap, &frame, &err) >= 0);
    pt_writer_push(w, &snap, true, &frame);
    pt_buf_release(&frame);
    pt_enc_free(enc);
    pt_shapes_free(shapes);
}

/* One run: what it tells of the past, a start, two snapshots, and perhaps a stop. */
static void run(const char *boot_id, int64_t at, bool stop)
{
    struct pt_err err = {0};
    struct pt_writer *w;
    struct pt_writer_stats stats;
    struct pt_writer_config config = {.path = path, .btime_us = NOW - 100 * S};
    snprintf(config.boot_id, sizeof(config.boot_id), "%s", boot_id);
    assert_true(pt_writer_new(&config, &w, &err) >= 0);
    pt_past_tell(w, config.btime_us, 10 * S, at);
    pt_writer_event(w, at, PT_EVENT_START, PT_UNKNOWN, "", "start");
    snapshot(w, at);
    for (int i = 0; i < 500 && pt_writer_next(w) % 2; i++)
        usleep(10000);
    pt_writer_stats(w, &stats);
    if (stop)
        pt_writer_event(w, at, PT_EVENT_STOP, PT_UNKNOWN, "", "stop");
    assert_true(pt_writer_free(w, NULL, &err) >= 0);
}

struct told {
    int count[PT_EVENT_RETAIN + 1];
    char last[PT_EVENT_RETAIN + 1][200];
    int order[64], n;
};

static int take(void *ctx, const struct pt_db_event *e)
{
    struct told *t = ctx;
    assert_in_range(e->kind, 0, PT_EVENT_RETAIN);
    t->count[e->kind]++;
    snprintf(t->last[e->kind], sizeof(t->last[0]), "%s", e->text);
    t->order[t->n++ % 64] = e->kind;
    return 0;
}

static struct told told(void)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct told t = {0};
    assert_true(pt_db_open(path, &db, &err) >= 0);
    assert_true(pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, take, &t, &err) >= 0);
    pt_db_close(db);
    return t;
}

static void runs(void **state)
{
    (void)state;
    tree_begin("past");
    tree_path(path, "p.db");
    run("one", NOW, true);
    struct told t = told();
    assert_int_equal(t.n, 2); /* nothing to tell of a new file */

    run("one", NOW + 15 * S, false);
    t = told();
    assert_int_equal(t.n, 3); /* a clean stop, no gap */

    run("one", NOW + 100 * S, true);
    t = told();
    assert_int_equal(t.count[PT_EVENT_CRASH], 1);
    assert_string_equal(t.last[PT_EVENT_CRASH],
                        "the recorder before did not stop by itself: its last snapshot is 2, 0 "
                        "were not sealed yet");
    assert_int_equal(t.count[PT_EVENT_GAP], 1);
    assert_string_equal(t.last[PT_EVENT_GAP], "nothing was recorded for 85.0 s after snapshot 2");
    assert_int_equal(t.count[PT_EVENT_REBOOT], 0);

    run("two", NOW + 110 * S, true);
    t = told();
    assert_int_equal(t.count[PT_EVENT_CRASH], 1);
    assert_int_equal(t.count[PT_EVENT_GAP], 1);
    assert_int_equal(t.count[PT_EVENT_REBOOT], 1);
    assert_string_equal(t.last[PT_EVENT_REBOOT],
                        "the machine was booted at 2026-09-21 14:11:40 UTC, after snapshot 3");

    run("two", NOW - 3600 * S, true);
    t = told();
    assert_int_equal(t.count[PT_EVENT_CLOCK], 1);
    assert_string_equal(t.last[PT_EVENT_CLOCK], "the clock is 3710.0 s behind snapshot 4");
    assert_int_equal(t.count[PT_EVENT_GAP], 1);
    tree_remove("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clocks), cmocka_unit_test(runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
