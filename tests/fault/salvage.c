/* SPDX-License-Identifier: MIT
 * Salvage of copies in every condition: what is saved is right, byte for byte; what is not is told;
 * and no more is lost than what was damaged held.
 *
 *   salvage          single bytes, pages and lengths, sampled from a place that changes from day to
 *                    day (PT_ROTATE: which), and copies of two moments
 *   salvage --all    every byte, page and length */
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

#include "schema/frame_blob.h"
#include "schema/source.h"
#include "schema/store_int.h"
#include "schema/store_new.h"
#include "schema/store_salvage.h"
#include "tests/support/number.h"
#include "tests/support/scratch.h"

enum { CHAIN = 8, TICKS = 5 * CHAIN + 5, SOURCES = 40, EVENTS = 30, PAGE = 512 };
#define TEXTS ((int64_t)TICKS * SOURCES)

struct file {
    uint8_t *data;
    size_t len;
};

static bool all;
static char dir[256], path[300], copy[300], copy_wal[310], saved[320];
static struct file whole; /* the closed database */

/* ---- the world: 40 files of 10 processes, of which half the numbers change ---- */

static const char *name_of(int source)
{
    static const char *const files[] = {"status", "statm", "oom_score", "cgroup"};
    static char name[64];
    snprintf(name, sizeof name, "proc:%d/%s", 100 + source / 4, files[source % 4]);
    return name;
}

static unsigned noise(int source, int64_t n)
{
    uint32_t x = (uint32_t)source * 2654435761u + (uint32_t)n * 40503u + 12345u;
    x ^= x >> 15;
    x *= 2246822519u;
    return (x ^ x >> 13) & 0xffff;
}

static int text_of(int source, int64_t n, char *ret, size_t size)
{
    const unsigned a = noise(source, n), b = noise(source, n / 3);
    switch (source % 4) {
    case 0:
        return snprintf(ret, size, "Name:\tp%d\nVmRSS:\t%8u kB\nVmSwap:\t%8u kB\n", source, a, b);
    case 1:
        return snprintf(ret, size, "%u %u %u 1 0 %u 0\n", a + b, a, b, a / 2);
    case 2:
        return snprintf(ret, size, "%u\n", b % 1000);
    default:
        return snprintf(ret, size, "0::/system.slice/unit%d.service\n", source / 8);
    }
}

static struct pt_snap snap_of(int64_t n)
{
    return (struct pt_snap){.n = n,
                            .real_us = 1795000000000000 + n * 1000000,
                            .boot_us = n * 1000000,
                            .mono_us = n * 1000000,
                            .boot = 1,
                            .processes = 10,
                            .mem_available_kb = 1000 + n};
}

struct world {
    struct pt_store *store;
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    int64_t handles[SOURCES];
    int64_t n;
};

static void open_world(struct world *w, const char *at)
{
    static const struct pt_meta meta = {.host = "salvage", .page_size = 4096};
    struct pt_err err = {0};
    *w = (struct world){.shapes = pt_shapes_new()};
    w->enc = pt_enc_new(w->shapes);
    if (pt_store_open(at, &meta, &w->store, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pt_store_boot(w->store, "the boot", 5, &err), 1);
    for (int i = 0; i < SOURCES; i++)
        w->handles[i] = pt_enc_open(w->enc, name_of(i), &pt_file_of(name_of(i))->grammar, &err);
}

static void tick(struct world *w)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    const struct pt_snap snap = snap_of(++w->n);
    const bool key = (w->n - 1) % CHAIN == 0;
    char text[256];
    pt_buf_init(&frame, 1u << 20);
    if (key)
        pt_enc_new_chain(w->enc);
    assert_true(pt_enc_begin(w->enc, &snap, &err) >= 0);
    for (int i = 0; i < SOURCES; i++) {
        const int len = text_of(i, w->n, text, sizeof text);
        assert_true(
            pt_enc_text(w->enc, (uint32_t)w->handles[i], text, (size_t)len, PT_UNKNOWN, &err) >= 0);
    }
    assert_true(pt_enc_end(w->enc, &snap, &frame, &err) >= 0);
    if (pt_store_append(w->store, &snap, key, frame.data, frame.len, &err) < 0)
        fail_msg("%s", err.text);
    pt_buf_release(&frame);
}

static void close_world(struct world *w)
{
    struct pt_err err = {0};
    assert_int_equal(pt_store_close(w->store, &err), 0);
    pt_enc_free(w->enc);
    pt_shapes_free(w->shapes);
}

static void event(struct world *w, int i)
{
    struct pt_err err = {0};
    char text[128];
    snprintf(text, sizeof text, "event %d of those that are told, and a longer one than that", i);
    assert_true(pt_store_event(w->store, 1000 + i, PT_EVENT_NOTE, 1, "9 who", text, &err) >= 0);
}

static struct file slurp(const char *name)
{
    struct file f = {0};
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    const off_t len = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    f.data = malloc((size_t)len + 1);
    f.len = (size_t)len;
    if (fd >= 0) {
        assert_int_equal(pread(fd, f.data, f.len, 0), len);
        close(fd);
    }
    return f;
}

static void spill(const char *name, const uint8_t *data, size_t len)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static int group_setup(void **state)
{
    struct world w;
    struct pt_err err = {0};
    (void)state;
    if (scratch_make("salvage", false, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/r.db", dir);
    snprintf(copy, sizeof copy, "%s/copy.db", dir);
    snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    snprintf(saved, sizeof saved, "%s.repaired", copy);
    open_world(&w, path);
    while (w.n < TICKS) {
        tick(&w);
        if (w.n % CHAIN == 1)
            assert_true(pt_store_seal(w.store, false, &err) >= 0);
    }
    for (int i = 0; i < EVENTS; i++)
        event(&w, i);
    close_world(&w);
    whole = slurp(path);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    free(whole.data);
    unlink(path);
    unlink(copy);
    unlink(copy_wal);
    return rmdir(dir);
}

/* ---- salvage and look ---- */

struct seen {
    bool any; /* something was saved */
    struct pt_salvaged sum;
    int64_t snapshots, texts; /* right ones */
    int64_t events, damaged;  /* places that a check of the result tells */
};

static void count_place(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)n1, (void)n2;
    assert_true(place[0] && what[0]);
    ++*(int64_t *)ctx;
}

static int check_event(void *ctx, const struct pt_db_event *e)
{
    char text[32];
    snprintf(text, sizeof text, "event %lld of", (long long)e->real_us - 1000);
    assert_int_equal(strncmp(e->text, text, strlen(text)), 0);
    ++*(int64_t *)ctx;
    return 0;
}

static void check_texts(struct pt_db *db, int64_t n, struct pt_buf *buf, struct seen *seen)
{
    for (int i = 0; i < SOURCES; i++) {
        struct pt_source_at at = {0};
        char text[256];
        pt_buf_reset(buf);
        if (pt_db_text(db, n, name_of(i), &at, buf, NULL) < 0)
            continue;
        if (at.presence != PT_READ && at.presence != PT_CARRIED) {
            assert_int_equal(buf->len, 0);
            assert_true(at.presence == PT_LOST);
            continue;
        }
        const int len = text_of(i, n, text, sizeof text);
        if (buf->len != (size_t)len || memcmp(buf->data, text, buf->len) != 0)
            fail_msg("snapshot %lld, %s: another text", (long long)n, name_of(i));
        seen->texts++;
    }
}

static void look(struct seen *seen)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_buf buf;
    int64_t n = 0;
    if (pt_db_open(saved, &db, &err) < 0)
        fail_msg("%s", err.text);
    pt_db_on_damage(db, count_place, &seen->damaged);
    pt_buf_init(&buf, 1u << 16);
    while (pt_db_step(db, n, 1, &n, NULL) >= 0) {
        struct pt_snap snap;
        assert_true(n >= 1 && n <= TICKS);
        if (pt_db_snap(db, n, &snap, NULL) < 0)
            continue;
        assert_int_equal(snap.real_us, snap_of(n).real_us);
        assert_int_equal(snap.mem_available_kb, snap_of(n).mem_available_kb);
        seen->snapshots++;
        check_texts(db, n, &buf, seen);
    }
    assert_int_equal(
        pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, check_event, &seen->events, &err), 0);
    const int r = pt_db_check(db, NULL, NULL, &err);
    assert_true(r >= 0);
    assert_int_equal(r, seen->damaged > 0);
    pt_buf_release(&buf);
    pt_db_close(db);
}

/* Whatever was done to the copy. */
static struct seen salvage(void)
{
    struct seen seen = {0};
    struct pt_err err = {0};
    struct pt_new *to;
    int64_t told = 0;
    const struct pt_salvage_ops ops = {.lost = count_place, .ctx = &told};
    assert_int_equal(pt_new_create(saved, &to, &err), 0);
    if (pt_salvage(copy, pt_new_store(to), &ops, &seen.sum, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pt_new_finish(to, &err), 0);
    pt_new_free(to);
    assert_int_equal(told, seen.sum.lost);
    seen.any = seen.sum.snapshots > 0;
    look(&seen);
    unlink(saved);
    /* the counts are true, and nothing is missing without a word */
    assert_int_equal(seen.snapshots, seen.sum.snapshots);
    assert_int_equal(seen.events, seen.sum.events);
    if (seen.damaged > 0 || seen.texts < seen.snapshots * SOURCES)
        assert_true(seen.sum.lost > 0);
    return seen;
}

static size_t start_of(size_t step)
{
    const int64_t turn = number_or("PT_ROTATE", time(NULL) / 86400);
    return all ? 0 : (size_t)turn % step;
}

/* ---- tests ---- */

static void test_good(void **state)
{
    (void)state;
    spill(copy, whole.data, whole.len);
    const struct seen seen = salvage();
    assert_int_equal(seen.sum.lost, 0);
    assert_int_equal(seen.damaged, 0);
    assert_int_equal(seen.snapshots, TICKS);
    assert_int_equal(seen.texts, TEXTS);
    assert_int_equal(seen.events, EVENTS);
    assert_int_equal(seen.sum.segments, 5);
}

/* At most what one blob says is lost by one byte. */
static void test_bytes(void **state)
{
    const size_t step = all ? 1 : 331;
    (void)state;
    for (size_t at = start_of(step); at < whole.len; at += step) {
        const uint8_t was = whole.data[at];
        whole.data[at] ^= (uint8_t)(1u << at % 8);
        spill(copy, whole.data, whole.len);
        whole.data[at] = was;
        const struct seen seen = salvage();
        if (seen.texts < TEXTS - CHAIN * SOURCES || seen.snapshots < TICKS - 5 ||
            seen.events < EVENTS - 1)
            fail_msg("byte %zu: %lld texts of %lld snapshots, %lld events are left", at,
                     (long long)seen.texts, (long long)seen.snapshots, (long long)seen.events);
        if (seen.snapshots < TICKS)
            assert_int_equal(seen.sum.lost_snapshots, TICKS - seen.snapshots);
    }
}

/* A page that is gone, as zeros or as something else. It holds some rows, or part of a blob. */
static void test_pages(void **state)
{
    const size_t step = all ? 1 : 3, pages = whole.len / PAGE;
    (void)state;
    for (size_t page = start_of(step); page < pages; page += step) {
        uint8_t was[PAGE], *at = whole.data + page * PAGE;
        memcpy(was, at, PAGE);
        memset(at, page % 2 ? 0 : 0xa5, PAGE);
        spill(copy, whole.data, whole.len);
        memcpy(at, was, PAGE);
        const struct seen seen = salvage();
        if (seen.texts < TEXTS - 2 * CHAIN * SOURCES || seen.events < EVENTS - PAGE / 70)
            fail_msg("page %zu: %lld texts of %lld snapshots, %lld events are left", page + 1,
                     (long long)seen.texts, (long long)seen.snapshots, (long long)seen.events);
    }
}

/* The head of the clock block of the second segment, with its checksum. */
static void head_of_clock(uint8_t ret[PT_BLOB_HEAD])
{
    sqlite3 *db;
    sqlite3_stmt *st;
    spill(copy, whole.data, whole.len);
    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT data FROM block WHERE id = ?", -1, &st, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(st, 1, (CHAIN + 1) * PT_BLOCKS_MAX);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_true(sqlite3_column_bytes(st, 0) > (int)PT_BLOB_HEAD);
    memcpy(ret, sqlite3_column_blob(st, 0), PT_BLOB_HEAD);
    sqlite3_finalize(st);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Changes the last byte wherever these are, alive or deleted. */
static void spoil(struct file *f, const uint8_t *bytes, size_t n)
{
    int times = 0;
    for (uint8_t *at = f->data; (at = memmem(at, (size_t)(f->data + f->len - at), bytes, n));
         times++)
        at[n - 1] ^= 4;
    assert_true(times > 0);
}

/* Where a clock block is lost the rows say when snapshots were. When a row is lost too, that one is
 * undated, and all others of its segment are there. */
static void test_undated(void **state)
{
    const int64_t ms = snap_of(CHAIN + 4).real_us / 1000;
    uint8_t head[PT_BLOB_HEAD], time_ms[6];
    struct file f = {malloc(whole.len), whole.len};
    (void)state;
    head_of_clock(head);
    for (int i = 0; i < 6; i++) /* as SQLite spells it */
        time_ms[i] = (uint8_t)(ms >> 8 * (5 - i));
    memcpy(f.data, whole.data, whole.len);
    spoil(&f, head, sizeof head);
    spoil(&f, time_ms, sizeof time_ms);
    spill(copy, f.data, f.len);
    free(f.data);
    const struct seen seen = salvage();
    assert_int_equal(seen.texts, TEXTS - SOURCES);
    assert_int_equal(seen.snapshots, TICKS - 1);
    assert_int_equal(seen.sum.lost_snapshots, 1);
}

static void test_lengths(void **state)
{
    const size_t step = all ? 64 : 1999;
    (void)state;
    for (size_t len = start_of(step); len < whole.len; len += step) {
        spill(copy, whole.data, len);
        const struct seen seen = salvage();
        if (len > 200)
            assert_true(seen.sum.lost > 0); /* the header tells how long it was */
    }
}

static void test_no_beginning(void **state)
{
    (void)state;
    for (size_t gone = 1; gone <= 16; gone *= 2) {
        uint8_t *data = malloc(whole.len);
        memcpy(data, whole.data, whole.len);
        memset(data, 0, gone * PAGE < whole.len ? gone * PAGE : whole.len);
        spill(copy, data, whole.len);
        free(data);
        const struct seen seen = salvage();
        assert_true(seen.any);
    }
}

/* Copies of the main file and the WAL of two moments, torn ones, and one without the other. */
static void test_moments(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct file mains[8], wals[8];
    char wal[310];
    int taken = 0;
    (void)state;
    unlink(path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    open_world(&w, path);
    while (w.n < TICKS) {
        tick(&w);
        if (w.n % CHAIN == 1)
            assert_true(pt_store_seal(w.store, false, &err) >= 0);
        if (w.n % 6 == 0 && taken < 8) {
            mains[taken] = slurp(path);
            wals[taken++] = slurp(wal);
        }
    }
    close_world(&w);
    for (int i = 0; i < taken; i++) {
        for (int k = 0; k < taken; k++) {
            const int64_t least = 6 * (i < k ? i : k) + 6;
            spill(copy, mains[i].data, mains[i].len);
            spill(copy_wal, wals[k].data, wals[k].len);
            const struct seen seen = salvage();
            if (seen.snapshots < (least - 1) / CHAIN * CHAIN)
                fail_msg("main of %d, -wal of %d: %lld snapshots", i, k, (long long)seen.snapshots);
            if (i == k) {
                assert_int_equal(seen.snapshots, least);
                assert_int_equal(seen.texts, least * SOURCES);
                assert_int_equal(seen.sum.lost, 0);
            }
        }
        unlink(copy_wal);
        salvage(); /* the main file alone */
        /* torn: the first part of one moment, the rest of a later one */
        for (int k = i + 1; k < taken; k++) {
            const size_t cut = mains[i].len / 2 / PAGE * PAGE;
            uint8_t *data = malloc(mains[k].len);
            memcpy(data, mains[k].data, mains[k].len);
            memcpy(data, mains[i].data, cut < mains[k].len ? cut : mains[k].len);
            spill(copy, data, mains[k].len);
            free(data);
            salvage();
        }
        /* a byte of the -wal */
        wals[i].data[wals[i].len / 3] ^= 4;
        spill(copy, mains[i].data, mains[i].len);
        spill(copy_wal, wals[i].data, wals[i].len);
        const struct seen seen = salvage();
        assert_true(seen.texts >= (6 * i + 6 - CHAIN) * SOURCES);
        unlink(copy_wal);
    }
    for (int i = 0; i < taken; i++) {
        free(mains[i].data);
        free(wals[i].data);
    }
}

/* The main file alone, copied page by page while a checkpoint writes to it: each page is of before
 * or of after, and so is the length. Every segment that was there before is in the copy. */
static void torn_copy(const struct file *before, const struct file *after, uint32_t *seed)
{
    uint32_t left = 0;
    bool newer = false;
    const size_t len = noise(1, (*seed)++) & 1 ? before->len : after->len;
    uint8_t *data = calloc(1, len);
    for (size_t at = 0; at < len; at += PAGE) {
        if (left-- == 0) {
            left = noise(2, (*seed)++) % 12;
            newer = noise(3, (*seed)++) & 1;
        }
        const struct file *from = newer ? after : before;
        if (at < from->len)
            memcpy(data + at, from->data + at, PAGE);
    }
    spill(copy, data, len);
    free(data);
}

static void test_torn(void **state)
{
    struct world w;
    struct pt_err err = {0};
    uint32_t seed = 0;
    int sealed = 0;
    (void)state;
    unlink(path);
    open_world(&w, path);
    for (int i = 0; i < EVENTS; i++)
        event(&w, i);
    while (w.n < TICKS) {
        tick(&w);
        if (w.n % CHAIN != 1 || w.n == 1)
            continue;
        struct file before = slurp(path);
        assert_true(pt_store_seal(w.store, false, &err) >= 0);
        struct file after = slurp(path);
        for (int i = 0; i < (all ? 2000 : 25); i++) {
            torn_copy(&before, &after, &seed);
            const struct seen seen = salvage();
            if (seen.snapshots < sealed || seen.texts < (int64_t)sealed * SOURCES)
                fail_msg("copy %u: %lld texts of %lld snapshots, %d were sealed", seed,
                         (long long)seen.texts, (long long)seen.snapshots, sealed);
        }
        sealed = (int)w.n - 1;
        free(before.data);
        free(after.data);
    }
    close_world(&w);
}

static void test_not_one(void **state)
{
    static const char text[] = "PTbl PTfr not a recording at all";
    struct pt_err err = {0};
    struct pt_new *to;
    struct pt_salvaged sum;
    const struct pt_salvage_ops ops = {0};
    (void)state;
    spill(copy, (const uint8_t *)text, sizeof text);
    assert_int_equal(pt_new_create(saved, &to, &err), 0);
    assert_int_equal(pt_salvage(copy, pt_new_store(to), &ops, &sum, &err), 0);
    assert_int_equal(sum.snapshots, 0);
    assert_int_equal(pt_salvage(dir, pt_new_store(to), &ops, &sum, &err), -PT_EFORMAT);
    pt_new_free(to);
    assert_int_equal(access(saved, F_OK), -1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_pages),        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_no_beginning), cmocka_unit_test(test_moments),
        cmocka_unit_test(test_torn),         cmocka_unit_test(test_not_one),
        cmocka_unit_test(test_undated),
    };
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
