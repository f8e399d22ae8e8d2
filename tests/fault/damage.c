/* SPDX-License-Identifier: MIT
 * Prefixes and single-byte changes of a small database: it opens to an error, or to data that is
 * right, or that says what is missing. Every text of every snapshot is compared.
 *
 *   damage         every 16th byte of the file, from a place that changes from day to day
 *                  (PT_ROTATE: which), every byte of the frames and blocks given to their
 *                  decoders, and some prefixes
 *   damage --all   every byte, every prefix (target damage-all) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "schema/source.h"
#include "schema/store.h"
#include "tests/support/number.h"
#include "tests/support/scratch.h"

enum { TICKS = 14, CHAIN = 5, SOURCES = 6 };

static const char *const names[SOURCES] = {
    "proc:meminfo", "proc:pressure/memory", "proc:9/status",
    "proc:9/statm", "proc:9/smaps",         "proc:9/cmdline",
};

static bool all_bytes;
static char path[300], dir[256];
static uint8_t *file; /* undamaged */
static size_t file_len;

/* ---- the world ---- */

static int text_of(int source, int64_t n, char *ret, size_t size)
{
    const long long v = (long long)n;
    switch (source) {
    case 0:
        return snprintf(ret, size, "MemTotal: %12d kB\nMemFree: %13lld kB\n", 800000, 4000 + v * 3);
    case 1:
        return snprintf(ret, size, "some avg10=%lld.%02lld total=%lld\n", v / 9, v * 17 % 100,
                        v * 55);
    case 2:
        return snprintf(ret, size, "Name:\tx\nVmRSS:\t%8lld kB\n", 500 + v / 4);
    case 3:
        return snprintf(ret, size, "9 %lld 1 1 0 2 0\n", 500 + v / 4);
    case 4:
        return snprintf(ret, size, "5000-%llx r--p 00000000 00:00 0 \nRss: %8lld kB\n",
                        0x6000 + v * 4096, v);
    default:
        return snprintf(ret, size, "x --n=%lld", v / 7);
    }
}

static struct pt_snap snap_of(int64_t n)
{
    return (struct pt_snap){.n = n,
                            .real_us = 1795000000000000 + n * 1000000,
                            .boot = 1,
                            .processes = 1,
                            .mem_available_kb = n};
}

static void record(struct pt_store *store, struct pt_enc *enc, const int64_t handles[SOURCES],
                   int64_t n)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    const struct pt_snap snap = snap_of(n);
    char text[256];
    const bool key = (n - 1) % CHAIN == 0;
    pt_buf_init(&frame, 1u << 20);
    if (key)
        pt_enc_new_chain(enc);
    assert_true(pt_enc_begin(enc, &snap, &err) >= 0);
    for (int i = 0; i < SOURCES; i++) {
        const int len = text_of(i, n, text, sizeof text);
        assert_true(pt_enc_text(enc, (uint32_t)handles[i], text, (size_t)len, PT_UNKNOWN, &err) >=
                    0);
    }
    assert_true(pt_enc_end(enc, &snap, &frame, &err) >= 0);
    assert_true(pt_store_append(store, &snap, key, frame.data, frame.len, &err) >= 0);
    pt_buf_release(&frame);
}

static void make_database(void)
{
    static const struct pt_meta meta = {.host = "damage"};
    struct pt_err err = {0};
    struct pt_store *store;
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *enc = pt_enc_new(shapes);
    int64_t handles[SOURCES];
    assert_true(pt_store_open(path, &meta, &store, &err) >= 0);
    assert_int_equal(pt_store_boot(store, "boot", 5, &err), 1);
    for (int i = 0; i < SOURCES; i++) {
        handles[i] = pt_enc_open(enc, names[i], &pt_file_of(names[i])->grammar, &err);
        assert_true(handles[i] >= 0);
    }
    for (int64_t n = 1; n <= TICKS; n++)
        record(store, enc, handles, n);
    assert_true(pt_store_event(store, 77, PT_EVENT_NOTE, 1, "7 who", "a note", &err) >= 0);
    assert_true(pt_store_seal(store, false, &err) >= 0); /* two segments and four frames */
    assert_int_equal(pt_store_close(store, &err), 0);
    pt_enc_free(enc);
    pt_shapes_free(shapes);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("damage", false, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/d.db", dir);
    make_database();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const off_t len = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    file = len < 0 ? NULL : malloc((size_t)len);
    if (!file || pread(fd, file, (size_t)len, 0) != len)
        return -1;
    file_len = (size_t)len;
    close(fd);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    free(file);
    unlink(path);
    return rmdir(dir);
}

/* ---- what may come of a damaged file ---- */

struct seen {
    int right, told; /* texts */
    bool opened;
    const char *what; /* what is wrong, if anything is */
};

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)n1, (void)n2;
    int *count = ctx;
    *count += place[0] != '\0' && what[0] != '\0';
}

static bool text_right(struct pt_db *db, int64_t n, int source, struct pt_buf *buf,
                       struct seen *seen)
{
    struct pt_err err = {0};
    struct pt_source_at at = {.presence = PT_LOST};
    char text[256];
    pt_buf_reset(buf);
    if (pt_db_text(db, n, names[source], &at, buf, &err) < 0) {
        if (!err.text[0])
            seen->what = "an error without a text";
        return false;
    }
    if (at.presence != PT_READ && at.presence != PT_CARRIED) {
        if (buf->len)
            seen->what = "a text that is not there";
        return false;
    }
    if (buf->len != (size_t)text_of(source, n, text, sizeof text) ||
        memcmp(buf->data, text, buf->len) != 0)
        seen->what = "another text";
    return true;
}

static void check_texts(struct pt_db *db, struct seen *seen)
{
    struct pt_buf buf;
    pt_buf_init(&buf, 1u << 20);
    for (int64_t n = 1; n <= TICKS && !seen->what; n++)
        for (int i = 0; i < SOURCES && !seen->what; i++)
            *(text_right(db, n, i, &buf, seen) ? &seen->right : &seen->told) += 1;
    pt_buf_release(&buf);
}

static void check_views(struct pt_db *db, struct seen *seen)
{
    int64_t at = 0, n;
    int count = 0;
    while (pt_db_step(db, at, 1, &n, NULL) >= 0 && count++ <= TICKS) {
        struct pt_snap snap;
        struct pt_view *v;
        if (n <= at)
            seen->what = "a cursor that does not go on";
        at = n;
        if (pt_db_snap(db, n, &snap, NULL) >= 0 &&
            (snap.n != n || snap.real_us != snap_of(n).real_us || snap.mem_available_kb != n))
            seen->what = "another snapshot";
        if (pt_view_load(db, n, PT_GROUP_ALL, &v, NULL) >= 0)
            pt_view_free(v);
    }
    if (count > TICKS)
        seen->what = "more snapshots than there are";
}

static int no_point(void *ctx, const struct pt_point *p)
{
    (void)ctx;
    return p->n < 1 || p->n > TICKS ? -1 : 0;
}

static int no_event(void *ctx, const struct pt_db_event *e)
{
    const char **what = ctx;
    if (strcmp(e->text, "a note") != 0 || e->real_us != 77)
        *what = "another event";
    return 0;
}

static struct seen look(void)
{
    struct seen seen = {0};
    struct pt_err err = {0};
    struct pt_db *db;
    int told = 0;
    if (pt_db_open(path, &db, &err) < 0) {
        seen.what = err.text[0] ? NULL : "an error without a text";
        return seen;
    }
    seen.opened = true;
    pt_db_on_damage(db, on_damage, &told);
    check_texts(db, &seen);
    check_views(db, &seen);
    pt_db_field(db, "proc:**", "VmRSS", 1, TICKS, no_point, NULL, NULL);
    pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, no_event, &seen.what, NULL);
    if (seen.told > 0 && told == 0 && !seen.what)
        seen.what = "something missing without a word";
    pt_db_close(db);
    return seen;
}

/* ---- bytes of the file ---- */

static size_t rotation(size_t step)
{
    const int64_t turn = number_or("PT_ROTATE", time(NULL) / 86400);
    return (size_t)turn % step;
}

static void try_byte(int fd, size_t at, uint8_t change)
{
    const uint8_t byte = file[at] ^ change;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    const struct seen seen = look();
    if (seen.what)
        fail_msg("byte %zu of %zu xor %#x: %s", at, file_len, change, seen.what);
    assert_int_equal(pwrite(fd, &file[at], 1, (off_t)at), 1);
}

static void test_undamaged(void **state)
{
    (void)state;
    const struct seen seen = look();
    assert_null(seen.what);
    assert_int_equal(seen.right, TICKS * SOURCES);
}

static void test_bytes(void **state)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x10};
    const size_t step = all_bytes ? 1 : 16;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    (void)state;
    for (size_t at = all_bytes ? 0 : rotation(step); at < file_len; at += step) {
        try_byte(fd, at, changes[at / step % 4]);
        if (all_bytes)
            try_byte(fd, at, changes[(at + 1) % 4]);
    }
    close(fd);
}

static void test_prefixes(void **state)
{
    (void)state;
    const size_t step = all_bytes ? 1 : 97;
    for (size_t len = all_bytes ? 0 : rotation(step); len < file_len; len += step) {
        assert_int_equal(truncate(path, (off_t)len), 0);
        const struct seen seen = look();
        const int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_int_equal(pwrite(fd, file, file_len, 0), (ssize_t)file_len);
        close(fd);
        if (seen.what)
            fail_msg("the first %zu of %zu bytes: %s", len, file_len, seen.what);
    }
}

/* ---- bytes of the blobs ---- */

static bool frame_refused(const uint8_t *blob, size_t len)
{
    struct pt_frame *f;
    struct pt_err err = {0};
    if (pt_frame_open(blob, len, &f, &err) < 0)
        return err.text[0] != '\0';
    pt_frame_free(f);
    return false;
}

static bool block_refused(const uint8_t *blob, size_t len)
{
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_block *b;
    struct pt_err err = {0};
    const int r = pt_block_open(blob, len, shapes, &b, &err);
    if (r >= 0)
        pt_block_free(b);
    pt_shapes_free(shapes);
    return r < 0 && err.text[0];
}

static void each_blob(const char *sql, bool (*refused)(const uint8_t *blob, size_t len))
{
    sqlite3 *db;
    sqlite3_stmt *st;
    char uri[400];
    int blobs = 0;
    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    assert_int_equal(sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const size_t len = (size_t)sqlite3_column_bytes(st, 0);
        uint8_t *blob = malloc(len + 1);
        memcpy(blob, sqlite3_column_blob(st, 0), len);
        assert_false(refused(blob, len));
        for (size_t i = 0; i < len; i++) {
            for (unsigned bit = 0; bit < 8; bit += all_bytes ? 1 : 3) {
                blob[i] ^= (uint8_t)(1u << bit);
                if (!refused(blob, len))
                    fail_msg("blob %d byte %zu bit %u is taken", blobs, i, bit);
                blob[i] ^= (uint8_t)(1u << bit);
            }
            assert_true(refused(blob, i));
        }
        assert_true(refused(blob, len + 1));
        free(blob);
        blobs++;
    }
    assert_true(blobs > 3);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void test_blobs(void **state)
{
    (void)state;
    each_blob("SELECT data FROM frame", frame_refused);
    each_blob("SELECT data FROM block", block_refused);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undamaged),
        cmocka_unit_test(test_blobs),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_bytes),
    };
    all_bytes = argc > 1 && strcmp(argv[1], "--all") == 0;
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
