/* SPDX-License-Identifier: MIT
 * The writer's queue: what is pushed arrives, what cannot be stored is tried again or counted as
 * lost and a key frame asked for, and the file is clean at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "recorder/clock.h"
#include "recorder/writer.h"
#include "schema/source.h"
#include "tests/support/faultfs.h"
#include "tests/unit/recorder_tree.h"

struct fixture {
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_writer *writer;
    char path[1024];
    int64_t n;
};

static void begin(struct fixture *f, const char *name)
{
    struct pt_err err = {0};
    tree_begin(name);
    *f = (struct fixture){.shapes = pt_shapes_new()};
    f->enc = pt_enc_new(f->shapes);
    tree_path(f->path, "w.db");
    const struct pt_writer_config config = {.path = f->path, .boot_id = "boot", .btime_us = 1};
    assert_true(pt_writer_new(&config, &f->writer, &err) >= 0);
    f->n = pt_writer_next(f->writer);
    assert_int_equal(f->n, 1);
}

static void end(struct fixture *f)
{
    struct pt_err err = {0};
    if (pt_writer_free(f->writer, NULL, &err) < 0)
        fail_msg("%s", err.text);
    pt_enc_free(f->enc);
    pt_shapes_free(f->shapes);
}

static void push(struct fixture *f, bool key)
{
    struct pt_err err = {0};
    const struct pt_snap snap = {.n = f->n++,
                                 .real_us = 1790000000000000 + f->n * 1000000,
                                 .boot = pt_writer_boot(f->writer),
                                 .processes = 5};
    struct pt_buf frame;
    char text[64];
    pt_buf_init(&frame, 1 << 20);
    if (key)
        pt_enc_new_chain(f->enc);
    const int64_t source =
        pt_enc_open(f->enc, "proc:loadavg", &pt_file_of("proc:loadavg")->grammar, &err);
    assert_true(source >= 0);
    assert_true(pt_enc_begin(f->enc, &snap, &err) >= 0);
    const int len = snprintf(text, sizeof(text), "0.%02d\n", (int)(f->n % 100));
    assert_true(pt_enc_text(f->enc, (uint32_t)source, text, (size_t)len, PT_UNKNOWN, &err) >= 0);
    assert_true(pt_enc_end(f->enc, &snap, &frame, &err) >= 0);
    pt_writer_push(f->writer, &snap, key, &frame);
    assert_int_equal(frame.len, 0);
    pt_buf_release(&frame);
}

static struct pt_writer_stats settle(struct fixture *f, uint64_t want)
{
    struct pt_writer_stats s;
    for (int i = 0; i < 500; i++) {
        pt_writer_stats(f->writer, &s);
        if (s.frames + s.lost >= want)
            break;
        usleep(10000);
    }
    return s;
}

static int64_t stored(const struct fixture *f)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    struct pt_db_span span;
    assert_int_equal(pt_db_open(f->path, &db, &err), 0);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    pt_db_close(db);
    return span.count;
}

static bool exists(const struct fixture *f, const char *suffix)
{
    char path[1100];
    snprintf(path, sizeof(path), "%s%s", f->path, suffix);
    return access(path, F_OK) == 0;
}

static void stores(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "stores");
    for (int i = 0; i < 30; i++) {
        push(&f, i % 10 == 0);
        if (i % 10 == 5)
            pt_writer_event(f.writer, 1, PT_EVENT_NOTE, i, "", "note");
    }
    assert_int_equal(settle(&f, 30).frames, 30);
    assert_false(pt_writer_wants_key(f.writer, &f.n));
    end(&f);
    assert_false(exists(&f, "-wal"));
    assert_int_equal(stored(&f), 30);
    tree_remove("");
}

/* A frame whose key frame is not in the file is of no use: it is not stored, and a key frame is
 * asked for, once. */
static void asks_for_a_key(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "key");
    push(&f, true);
    settle(&f, 1);
    char away[1100];
    struct pt_err err = {0};
    snprintf(away, sizeof(away), "%s.away", f.path);
    assert_int_equal(rename(f.path, away), 0);
    assert_int_equal(pt_writer_reopen(f.writer, NULL, NULL, &err), 0);
    assert_int_equal(pt_writer_next(f.writer), 1);
    push(&f, false);
    const struct pt_writer_stats s = settle(&f, 2);
    assert_int_equal(s.lost, 1);
    assert_true(pt_writer_wants_key(f.writer, &f.n));
    assert_int_equal(f.n, 1);
    assert_false(pt_writer_wants_key(f.writer, &f.n));
    push(&f, true);
    push(&f, false);
    settle(&f, 4);
    end(&f);
    assert_int_equal(stored(&f), 2);
    snprintf(f.path, sizeof(f.path), "%.1000s", away);
    assert_int_equal(stored(&f), 1);
    assert_false(exists(&f, "-wal"));
    tree_remove("");
}

static void reopen_fails(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_err err = {0};
    begin(&f, "gone");
    push(&f, true);
    settle(&f, 1);
    char away[1100], dir[600];
    snprintf(dir, sizeof(dir), "%s", tree);
    snprintf(away, sizeof(away), "%s.moved", tree);
    assert_int_equal(rename(dir, away), 0);
    FILE *other = fopen(dir, "w"); /* its place is taken */
    assert_non_null(other);
    fclose(other);
    assert_true(pt_writer_reopen(f.writer, NULL, NULL, &err) < 0);
    assert_true(strlen(err.text) > 0);
    /* it goes on trying and says that it is behind; who pushes all the same loses, and that is
     * counted */
    for (int i = 0; i < 2 * PT_WRITER_QUEUE; i++)
        push(&f, i == 0);
    struct pt_writer_stats s = {0};
    for (int i = 0; i < 500 && !s.failing; i++) {
        usleep(10000);
        pt_writer_stats(f.writer, &s);
    }
    assert_true(s.failing);
    assert_true(s.lost > 0);
    assert_int_equal(pt_writer_pace(f.writer), 0);
    /* the directory is back: it records again from the next key frame on */
    assert_int_equal(unlink(dir), 0);
    assert_int_equal(rename(away, dir), 0);
    assert_true(pt_writer_wants_key(f.writer, &f.n));
    push(&f, true);
    for (int i = 0; i < 500 && s.failing; i++) {
        usleep(10000);
        pt_writer_stats(f.writer, &s);
    }
    if (s.failing)
        fail_msg("%s", s.err.text);
    const int64_t last = f.n - 1;
    end(&f);
    struct pt_db *db = NULL;
    struct pt_db_span span;
    assert_int_equal(pt_db_open(f.path, &db, &err), 0);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_int_equal(span.last, last);
    pt_db_close(db);
    tree_remove("");
}

/* Until the writer has left a moved file. */
static struct pt_writer_stats await_move(struct fixture *f)
{
    struct pt_writer_stats s = {0};
    for (int i = 0; i < 500 && !s.moved; i++) {
        usleep(10000);
        pt_writer_stats(f->writer, &s);
    }
    return s;
}

/* What is deleted or moved without a word is left with the next frame. */
static void follows_its_path(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "deleted");
    push(&f, true);
    settle(&f, 1);
    assert_int_equal(unlink(f.path), 0);
    push(&f, false);
    assert_int_equal(await_move(&f).moved, 1);
    assert_true(pt_writer_wants_key(f.writer, &f.n));
    assert_int_equal(f.n, 1);
    push(&f, true);
    push(&f, false);
    settle(&f, 4);
    end(&f);
    assert_int_equal(stored(&f), 2);
    assert_false(exists(&f, "-wal"));
    tree_remove("");
}

/* Another process that, given a path, reads the database there in one transaction until the end of
 * its orders. Started before anything is open here: SQLite must not be used across a fork. */
struct reader {
    pid_t pid;
    int orders, ready;
};

static void reader_main(int orders, int ready)
{
    char path[1100] = "", c;
    sqlite3 *db;
    const bool reads =
        read(orders, path, sizeof(path) - 1) > 0 &&
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_exec(db, "BEGIN; SELECT count(*) FROM frame", NULL, NULL, NULL) == SQLITE_OK &&
        write(ready, "r", 1) == 1;
    if (reads && read(orders, &c, 1) == 0)
        sqlite3_close(db);
    _exit(!reads);
}

static struct reader reader_start(void)
{
    int orders[2], ready[2];
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(orders[1]);
        reader_main(orders[0], ready[1]);
    }
    close(orders[0]);
    close(ready[1]);
    return (struct reader){.pid = pid, .orders = orders[1], .ready = ready[0]};
}

static void reader_reads(const struct reader *r, const char *path)
{
    char c;
    assert_true(write(r->orders, path, strlen(path)) > 0);
    assert_int_equal(read(r->ready, &c, 1), 1);
}

static void reader_end(const struct reader *r)
{
    int status;
    close(r->orders);
    close(r->ready);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    assert_int_equal(status, 0);
}

/* A reader keeps the WAL in use: the moved file is not left before that is emptied into it. */
static void moved_under_a_reader(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_err err = {0};
    char away[1100];
    const struct reader reader = reader_start();
    begin(&f, "reader");
    push(&f, true);
    settle(&f, 1);
    reader_reads(&reader, f.path);
    push(&f, false);
    settle(&f, 2);
    snprintf(away, sizeof(away), "%s.away", f.path);
    assert_int_equal(rename(f.path, away), 0);
    assert_true(pt_writer_reopen(f.writer, NULL, NULL, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    assert_int_equal(pt_writer_next(f.writer), 3);
    push(&f, false);
    settle(&f, 3);
    reader_end(&reader);
    err = (struct pt_err){0};
    if (pt_writer_reopen(f.writer, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
    end(&f);
    snprintf(f.path, sizeof(f.path), "%.1000s", away);
    assert_int_equal(stored(&f), 3);
    tree_remove("");
}

/* What SQLite keeps beside the database is deleted: nothing is lost, not even with the -wal. */
static void files_beside_deleted(void **state)
{
    static const char *const deleted[][2] = {{"-wal"}, {"-shm"}, {"-wal", "-shm"}};
    (void)state;
    for (size_t i = 0; i < sizeof(deleted) / sizeof(*deleted); i++) {
        struct fixture f;
        struct pt_writer_stats s;
        char path[1100];
        begin(&f, "beside");
        push(&f, true);
        push(&f, false);
        settle(&f, 2);
        for (int side = 0; side < 2 && deleted[i][side]; side++) {
            snprintf(path, sizeof(path), "%s%s", f.path, deleted[i][side]);
            assert_int_equal(unlink(path), 0);
        }
        push(&f, false);
        s = settle(&f, 3);
        push(&f, false);
        s = settle(&f, 4);
        assert_int_equal(s.lost, 0);
        assert_int_equal(s.meddles, 1);
        assert_non_null(strstr(s.meddled, deleted[i][0]));
        assert_true(exists(&f, "-wal") && exists(&f, "-shm"));
        end(&f);
        assert_int_equal(stored(&f), 4);
        assert_false(exists(&f, "-wal"));
        tree_remove("");
    }
}

static void cannot_open(void **state)
{
    (void)state;
    struct pt_err err = {0};
    struct pt_writer *w;
    const struct pt_writer_config config = {.path = "/nonexistent/x.db", .boot_id = "boot"};
    assert_true(pt_writer_new(&config, &w, &err) < 0);
    assert_int_equal(err.code, PT_EOPEN);
}

/* Without limits, and without a time between syncs, there is nothing to do between frames. */
static void rests(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_writer_stats before, after;
    begin(&f, "rests");
    push(&f, true);
    push(&f, false);
    usleep(300000);
    pt_writer_stats(f.writer, &before);
    usleep(500000);
    pt_writer_stats(f.writer, &after);
    assert_true(before.cpu_us > 0);
    assert_in_range(after.cpu_us - before.cpu_us, 0, 50000);
    end(&f);
    tree_remove("");
}

/* How often it was tried and did not fail. */
static int64_t synced(void)
{
    const volatile struct faultfs *f = &faultfs;
    return f->calls - f->failed;
}

static int64_t failed_syncs(void)
{
    const volatile struct faultfs *f = &faultfs;
    return f->failed;
}

static int64_t await_syncs(int64_t (*count)(void), int64_t want)
{
    for (int i = 0; i < 1000 && count() < want; i++)
        usleep(10000);
    return count();
}

/* A disk that cannot sync is told, and tried again each second, not without a pause: also where
 * nothing is to wait, and no frame comes meanwhile. When it can, that is the end of it. */
static void failing_syncs_rest(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_writer_stats before, after;
    begin(&f, "sync");
    push(&f, true);
    settle(&f, 1);
    faultfs = (struct faultfs){.ops = FAULTFS_SYNC, .sys = EIO, .forever = true, .at = 1};
    const int64_t begun = pt_clock_us(CLOCK_MONOTONIC);
    push(&f, false);
    assert_true(await_syncs(failed_syncs, 1) >= 1);
    usleep(100000);
    pt_writer_stats(f.writer, &before);
    assert_true(before.failing);
    assert_non_null(strstr(before.err.text, "sync"));
    usleep(500000);
    pt_writer_stats(f.writer, &after);
    const int64_t failed = failed_syncs();
    assert_in_range(failed, 1, 2 + (pt_clock_us(CLOCK_MONOTONIC) - begun) / PT_SECOND);
    assert_in_range(after.cpu_us - before.cpu_us, 0, 50000);
    assert_true(await_syncs(failed_syncs, 3) >= 3);
    faultfs.at = 0;
    assert_int_equal(await_syncs(synced, 1), 1);
    usleep(1200000);
    assert_int_equal(synced(), 1);
    faultfs = (struct faultfs){0};
    end(&f);
    assert_int_equal(stored(&f), 2);
    tree_remove("");
}

int main(void)
{
    if (faultfs_register() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores),
        cmocka_unit_test(asks_for_a_key),
        cmocka_unit_test(reopen_fails),
        cmocka_unit_test(follows_its_path),
        cmocka_unit_test(moved_under_a_reader),
        cmocka_unit_test(files_beside_deleted),
        cmocka_unit_test(cannot_open),
        cmocka_unit_test(rests),
        cmocka_unit_test(failing_syncs_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
