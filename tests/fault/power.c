/* SPDX-License-Identifier: MIT
 * The power fails before any call that changes the disk, in two lives of a recorder with a
 * database: of what was not synced nothing, all, or any part is found afterwards. What was synced
 * is there, whatever is there says what it must, the file passes the deep verification, and
 * recording goes on in it. And the writer syncs as --sync says: at once, or within its interval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/writer.h"
#include "tests/support/drive.h"
#include "tests/support/number.h"
#include "tests/support/powerfs.h"
#include "tests/support/scratch.h"

enum { FIRST_LIFE = 12, SECOND_LIFE = 8, SLACK_US = 1500000 };

static char dir[256], path[300], after[280], after_path[320];
static struct drive drive;
static int64_t calls, failures, stride, turn;
static unsigned seed;

/* ---- what is found ---- */

/* Goes on in what is left, as the recorder does. */
static const char *record_on(struct drive *d, char text[512])
{
    struct pt_err err = {0};
    d->keep.meta = &d->meta;
    if (pt_keep_open(&d->keep, &err) < 0) {
        snprintf(text, 512, "%s", err.text);
        return "it cannot be opened to record";
    }
    const int64_t last = pt_store_next(d->keep.store) - 1;
    if (last < drive.durable)
        return "what was synced is gone";
    if (last > drive.committed + 1)
        return "snapshots nobody took";
    if (d->keep.asides && drive.durable)
        return "it was taken for damaged";
    d->committed = last;
    drive_close(d);
    const char *wrong = drive_check(d, text);
    if (wrong)
        return wrong;
    drive_record(d, 3);
    drive_close(d);
    return d->wrong ? d->wrong : drive_check(d, text);
}

static void fail_now(enum powerfs_fate fate)
{
    struct drive d;
    char text[512] = "";
    assert_int_equal(powerfs_fail(after, fate, seed++), 0);
    assert_int_equal(drive_init(&d, after_path), 0);
    const char *wrong = record_on(&d, text);
    if (wrong)
        fail_msg("call %lld, fate %d, seed %u: %s (%s; %s)", (long long)calls, (int)fate, seed - 1,
                 wrong, text, d.err.text);
    drive_release(&d);
    scratch_clear(after);
    failures++;
}

static void before(void)
{
    if (++calls % stride != turn)
        return;
    powerfs_before = NULL; /* not in what is recorded afterwards */
    for (int fate = POWERFS_NONE; fate <= POWERFS_SOME; fate++)
        fail_now((enum powerfs_fate)fate);
    fail_now(POWERFS_SOME);
    powerfs_before = before;
}

static void test_power(void **state)
{
    (void)state;
    const char *sanitized = getenv("PT_SANITIZED");
    stride = number_or("PT_STRIDE", sanitized && *sanitized ? 7 : 1);
    turn = time(NULL) / 86400 % stride;
    seed = (unsigned)number_or("PT_SEED", time(NULL));
    print_message("seed %u\n", seed);
    assert_int_equal(drive_init(&drive, path), 0);
    powerfs_before = before;
    drive_record(&drive, FIRST_LIFE);
    drive_close(&drive);
    drive_record(&drive, SECOND_LIFE);
    drive_close(&drive);
    powerfs_before = NULL;
    assert_null(drive.wrong);
    assert_true(drive.durable > 0);
    print_message("%lld calls, the power failed %lld times\n", (long long)calls,
                  (long long)failures);
    drive_release(&drive);
    scratch_clear(dir);
    powerfs_reset();
}

/* ---- the writer ---- */

struct writing {
    struct pt_writer *writer;
    struct stream stream;
    int64_t pushed, pushed_us[200];
};

static void writing_begin(struct writing *w, int64_t sync_us)
{
    struct pt_err err = {0};
    const struct pt_writer_config config = {
        .path = path, .meta.host = "power", .boot_id = "boot", .btime_us = 1, .sync_us = sync_us};
    *w = (struct writing){0};
    assert_int_equal(stream_init(&w->stream), 0);
    if (pt_writer_new(&config, &w->writer, &err) < 0)
        fail_msg("%s", err.text);
}

static void writing_push(struct writing *w)
{
    struct pt_err err = {0};
    struct stream *s = &w->stream;
    struct pt_buf frame;
    const int64_t n = ++w->pushed;
    assert_int_equal(stream_make(s, n, pt_writer_boot(w->writer), n == 1, &err), 0);
    pt_buf_init(&frame, 1u << 20);
    pt_buf_put(&frame, s->frame.data, s->frame.len);
    pt_writer_push(w->writer, &s->snap, n == 1, &frame);
    pt_buf_release(&frame);
    struct pt_writer_stats stats = {0};
    for (int i = 0; i < 5000 && stats.frames < (uint64_t)n; i++) {
        usleep(1000);
        pt_writer_stats(w->writer, &stats);
    }
    assert_int_equal(stats.frames, n);
    w->pushed_us[n] = pt_clock_us(CLOCK_MONOTONIC);
}

static void writing_end(struct writing *w)
{
    struct pt_err err = {0};
    assert_true(pt_writer_free(w->writer, NULL, &err) >= 0);
    stream_release(&w->stream);
    scratch_clear(dir);
    powerfs_reset();
}

/* The last snapshot that is found if the power fails now and nothing more is written. */
static int64_t found(void)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    assert_int_equal(powerfs_fail(after, POWERFS_NONE, 0), 0);
    if (pt_db_open(after_path, &db, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    pt_db_close(db);
    scratch_clear(after);
    return span.last;
}

static void test_sync_at_once(void **state)
{
    (void)state;
    struct writing w;
    writing_begin(&w, 0);
    for (int i = 0; i < 20; i++) {
        writing_push(&w);
        int64_t last = 0;
        for (int k = 0; k < 200 && (last = found()) < w.pushed; k++)
            usleep(5000); /* it syncs just after it counted the frame */
        assert_int_equal(last, w.pushed);
    }
    writing_end(&w);
}

static void test_sync_interval(void **state)
{
    (void)state;
    struct writing w;
    const int64_t sync_us = 400000;
    writing_begin(&w, sync_us);
    for (int i = 0; i < 40; i++) {
        writing_push(&w);
        usleep(25000);
        const int64_t now = pt_clock_us(CLOCK_MONOTONIC), last = found();
        if (last < w.pushed && now - w.pushed_us[last + 1] > sync_us + SLACK_US)
            fail_msg("snapshot %lld is not durable after %lld us", (long long)last + 1,
                     (long long)(now - w.pushed_us[last + 1]));
    }
    /* without another frame too */
    for (int i = 0; i < 100 && found() < w.pushed; i++)
        usleep(50000);
    assert_int_equal(found(), w.pushed);
    writing_end(&w);
}

/* It is not the system that makes the others pass. */
static void test_no_sync(void **state)
{
    (void)state;
    struct writing w;
    writing_begin(&w, INT64_C(3600) * PT_SECOND);
    for (int i = 0; i < 10; i++)
        writing_push(&w);
    usleep(200000);
    assert_true(found() < w.pushed);
    pt_writer_sync(w.writer);
    for (int i = 0; i < 100 && found() < w.pushed; i++)
        usleep(20000);
    assert_int_equal(found(), w.pushed);
    writing_end(&w);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("power", true, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/p.db", dir);
    snprintf(after, sizeof after, "%s/after", dir);
    snprintf(after_path, sizeof after_path, "%s/p.db", after);
    return mkdir(after, 0700) < 0 ? -1 : powerfs_register(dir);
}

static int group_teardown(void **state)
{
    (void)state;
    return rmdir(after) < 0 ? -1 : rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_sync_at_once),
        cmocka_unit_test(test_sync_interval),
        cmocka_unit_test(test_no_sync),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
