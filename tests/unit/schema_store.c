/* SPDX-License-Identifier: MIT
 * The database: what is appended comes back byte for byte, as frames, sealed, live, from a copy;
 * what is damaged is said and costs only itself. The world recorded here is small and knows its own
 * texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/store.h"
#include "tests/support/store_world.h"
/* ---- tests ---- */

static void test_frames(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    struct pt_db *db = world_db(w.path); /* live: the store is open in this process */
    world_check_all(db, TICKS);
    world_check_cursor(db, TICKS);
    pt_db_close(db);
    world_close(&w);
}

static void test_sealed(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    world_seal(&w, false);
    struct pt_db *db = world_db(w.path);
    world_check_all(db, TICKS); /* two segments, ten frames */
    world_check_cursor(db, TICKS);
    struct pt_db_span span;
    assert_int_equal(pt_db_span(db, &span, NULL), 0);
    assert_int_equal(span.segments, 2);
    assert_int_equal(span.frames, 10);
    world_seal(&w, true); /* while the reader is there */
    world_check_all(db, TICKS);
    world_check_cursor(db, TICKS);
    assert_int_equal(pt_db_damaged(db), 0);
    pt_db_close(db);
    world_close_store(&w);

    assert_int_equal(world_entries(w.dir), 1); /* no -wal, no -shm */
    db = world_db(w.path);
    world_check_all(db, TICKS);
    world_check_cursor(db, TICKS);
    assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 0);
    assert_int_equal(world_entries(w.dir), 1);
    pt_db_close(db);
    world_close(&w);
}

static void test_live(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, 3);
    struct pt_db *db = world_db(w.path);
    for (int i = 0; i < 30; i++) {
        world_tick(&w);
        if (i % 9 == 0)
            world_seal(&w, false);
        world_check_cursor(db, w.tick);
    }
    world_check_all(db, w.tick);
    pt_db_close(db);
    world_tick(&w);
    world_close(&w);
}

static void copy(const char *from, const char *to)
{
    char buf[4096];
    const int in = open(from, O_RDONLY | O_CLOEXEC),
              out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n;
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, buf, sizeof buf)) > 0)
        assert_int_equal(write(out, buf, (size_t)n), n);
    close(in);
    close(out);
}

/* A database copied with its -wal opens where it was copied to, and nothing is left there. */
static void test_copy(void **state)
{
    (void)state;
    struct world w, to;
    char wal[400], to_wal[400];
    world_record(&w, TICKS);
    world_seal(&w, false);
    world_tick(&w);
    world_open(&to);
    world_close_store(&to);
    snprintf(wal, sizeof wal, "%s-wal", w.path);
    snprintf(to_wal, sizeof to_wal, "%s-wal", to.path);
    /* A process of its own: closing a descriptor of an open database drops its locks. */
    const pid_t pid = fork();
    if (pid == 0) {
        copy(w.path, to.path);
        copy(wal, to_wal);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct pt_db *db = world_db(to.path);
    assert_int_equal(world_entries(to.dir), 2);
    world_check_all(db, TICKS + 1);
    world_check_cursor(db, TICKS + 1);
    pt_db_close(db);
    assert_int_equal(world_entries(to.dir), 2);
    world_close(&to);
    world_close(&w);
}

static void test_reopen(void **state)
{
    (void)state;
    struct world w;
    struct stat st;
    world_record(&w, 25);
    world_close_store(&w);
    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    world_open_store(&w);
    assert_int_equal(pt_store_next(w.store), 26);
    struct pt_store *second;
    assert_int_equal(pt_store_open(w.path, &world_meta, &second, NULL), -PT_ELOCKED);
    while (w.tick < TICKS)
        world_tick(&w);
    world_seal(&w, true);
    world_close_store(&w);
    world_open_store(&w);
    assert_int_equal(pt_store_next(w.store), TICKS + 1);
    world_close_store(&w);
    struct pt_db *db = world_db(w.path);
    world_check_all(db, TICKS);
    assert_string_equal(pt_db_meta(db)->host, "unit");
    assert_int_equal(pt_db_meta(db)->cpus, 3);
    assert_int_equal(pt_db_boots(db), 1);
    assert_string_equal(pt_db_boot(db, 0)->boot_id, "4f0c-boot");
    assert_int_equal(pt_db_boot(db, 0)->first, 1);
    assert_int_equal(pt_db_boot(db, 0)->last, TICKS);
    pt_db_close(db);
    world_close(&w);
}

static void write_at(const char *path, long at, const void *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static void refused(const char *path, enum pt_code code)
{
    struct pt_db *db;
    struct pt_store *store;
    struct pt_err err = {0}, werr = {0};
    assert_int_equal(pt_db_open(path, &db, &err), -(int)code);
    assert_true(err.text[0] != '\0');
    assert_int_equal(pt_store_open(path, &world_meta, &store, &werr), -(int)code);
    assert_true(werr.text[0] != '\0');
}

/* Made beforehand, by touch: it is ours from then on. */
static void test_empty_file(void **state)
{
    (void)state;
    struct world w;
    struct stat st;
    struct pt_store *store;
    char path[320];
    world_record(&w, 2);
    snprintf(path, sizeof path, "%s/touched.db", w.dir);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    close(fd);
    assert_int_equal(pt_store_open(path, &world_meta, &store, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(pt_store_close(store, NULL), 0);
    world_close(&w);
}

static void test_refused(void **state)
{
    (void)state;
    struct world w;
    char text[300];
    world_record(&w, 2);
    world_close_store(&w);
    write_at(w.path, 60, "\0\0\0\1", 4);
    refused(w.path, PT_ENEWER);
    write_at(w.path, 60, "\0\0\0\0", 4);
    write_at(w.path, 68, "abcd", 4);
    refused(w.path, PT_EFORMAT);
    refused(w.dir, PT_EFORMAT);
    snprintf(text, sizeof text, "%s/text", w.dir);
    write_at(text, 0,
             "a text of more than a hundred bytes, which is no database at all, however long one "
             "looks at it, "
             "and that is that",
             110);
    refused(text, PT_EFORMAT);
    snprintf(text, sizeof text, "%s/none", w.dir);
    struct pt_db *db;
    assert_int_equal(pt_db_open(text, &db, NULL), -PT_EOPEN);
    world_close(&w);
}

/* ---- damage ---- */

struct told {
    unsigned count;
    char places[8][64];
    int64_t n1[8], n2[8];
};

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct told *t = ctx;
    assert_true(what[0] != '\0');
    if (t->count < 8) {
        snprintf(t->places[t->count], sizeof t->places[0], "%s", place);
        t->n1[t->count] = n1;
        t->n2[t->count] = n2;
    }
    t->count++;
}

enum { BLOB_HEAD = 20 };

/* The head of the index-th different blob; the bytes of a page that are not in use may hold heads a
 * second time. */
static void blob_head(const char *all, size_t size, const char *magic, int index,
                      char ret[BLOB_HEAD])
{
    for (const char *at = all; (at = memmem(at, (size_t)(all + size - at), magic, 4)); at++) {
        if (memmem(all, (size_t)(at - all) + BLOB_HEAD - 1, at, BLOB_HEAD))
            continue;
        memcpy(ret, at, BLOB_HEAD);
        if (index-- == 0)
            return;
    }
    fail_msg("no such blob");
}

/* Flips a bit in the head of the index-th blob, wherever it stands. */
static void damage(const char *path, const char *magic, int index)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    char head[BLOB_HEAD];
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    const size_t size = (size_t)st.st_size;
    char *all = malloc(size);
    assert_int_equal(pread(fd, all, size, 0), st.st_size);
    blob_head(all, size, magic, index, head);
    for (char *at = all; (at = memmem(at, (size_t)(all + size - at), head, BLOB_HEAD)); at++)
        at[10] ^= 0x10;
    assert_int_equal(pwrite(fd, all, size, 0), st.st_size);
    free(all);
    close(fd);
}

/* Every text is right, or its presence or an error says that it is not known. Returns how many are
 * not. */
static int count_lost(struct pt_db *db, int ticks)
{
    struct pt_buf buf;
    int lost = 0;
    pt_buf_init(&buf, 1u << 20);
    for (int tick = 0; tick < ticks; tick++) {
        for (int i = 0; i < SOURCES; i++) {
            char text[1024];
            struct pt_source_at at;
            pt_buf_reset(&buf);
            if (pt_db_text(db, tick + 1, world_names[i], &at, &buf, NULL) < 0 ||
                at.presence == PT_LOST) {
                lost++;
                continue;
            }
            const enum pt_presence want = world_presence_of(i, tick);
            const bool has = want == PT_READ || want == PT_CARRIED;
            assert_int_equal(at.presence == PT_READ || at.presence == PT_CARRIED, has);
            world_same_text(&buf, text, has ? world_text_of(i, tick, text, sizeof text) : 0);
        }
    }
    pt_buf_release(&buf);
    return lost;
}

static void test_damaged_frame(void **state)
{
    (void)state;
    struct world w;
    struct told told = {0};
    struct pt_snap snap;
    struct pt_err err = {0};
    int64_t n;
    world_record(&w, CHAIN + 2);
    world_close_store(&w);
    damage(w.path, "PTfr", 7);
    struct pt_db *db = world_db(w.path);
    pt_db_on_damage(db, on_damage, &told);
    assert_int_equal(count_lost(db, CHAIN + 2), SOURCES); /* one snapshot */
    assert_int_equal(told.count, 1);
    assert_int_equal(told.n1[0], told.n2[0]);
    const int64_t lost = told.n1[0];
    assert_int_equal(pt_db_snap(db, lost, &snap, NULL), 0); /* the row still says when it was */
    assert_int_equal(snap.mem_available_kb, world_snap_of((int)lost - 1).mem_available_kb);
    assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
    pt_db_close(db);

    world_open_store(&w);
    world_seal(&w, true);
    world_close_store(&w);
    db = world_db(w.path);
    assert_int_equal(count_lost(db, CHAIN + 2), SOURCES);
    assert_int_equal(pt_db_snap(db, lost, &snap, &err), -PT_EDAMAGED);
    assert_int_equal(pt_db_step(db, lost - 1, 1, &n, NULL), 0);
    assert_int_equal(n, lost + 1);
    told.count = 0;
    pt_db_on_damage(db, on_damage, &told);
    assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.n1[0], lost);
    pt_db_close(db);
    world_close(&w);
}

/* Whichever frame it is, the key too: it costs itself, or its chain, and is told; the next chain
 * stands. */
static void test_each_damaged_frame(void **state)
{
    (void)state;
    for (int k = 0; k < CHAIN + 3; k++) {
        struct world w;
        struct told told = {0};
        world_record(&w, CHAIN + 3);
        world_close_store(&w);
        damage(w.path, "PTfr", k);
        for (int sealed = 0; sealed < 2; sealed++) {
            struct pt_db *db = world_db(w.path);
            const int lost = count_lost(db, CHAIN + 3);
            assert_true(lost == SOURCES || lost == CHAIN * SOURCES || lost == 3 * SOURCES);
            pt_db_on_damage(db, on_damage, &told);
            assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
            assert_true(told.count > 0);
            pt_db_close(db);
            world_open_store(&w);
            world_seal(&w, true);
            world_close_store(&w);
        }
        world_close(&w);
    }
}

static void test_each_damaged_block(void **state)
{
    (void)state;
    for (int k = 0;; k++) {
        struct world w;
        struct told told = {0};
        struct pt_db_span span;
        world_record(&w, TICKS);
        world_seal(&w, true);
        world_close_store(&w);
        struct pt_db *db = world_db(w.path);
        assert_int_equal(pt_db_span(db, &span, NULL), 0);
        pt_db_close(db);
        if (k == 3 * 4) { /* clock, system, processes, deep of three segments */
            world_close(&w);
            break;
        }
        damage(w.path, "PTbl", k);
        db = world_db(w.path);
        const int lost = count_lost(db, TICKS);
        assert_true(lost <= CHAIN * 3);
        pt_db_on_damage(db, on_damage, &told);
        assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
        assert_int_equal(told.count, 1);
        assert_non_null(strstr(told.places[0], "segment"));
        if (strstr(told.places[0], "clock"))
            assert_int_equal(lost, 0);
        else
            assert_true(lost > 0);
        pt_db_close(db);
        world_close(&w);
    }
}

/* ---- fields, events ---- */

struct series {
    double value[TICKS];
    bool known[TICKS];
    int points, last;
};

static int on_point(void *ctx, const struct pt_point *p)
{
    struct series *s = ctx;
    assert_in_range(p->n, 1, TICKS);
    assert_int_equal(p->real_us, world_snap_of((int)p->n - 1).real_us);
    assert_true(p->n >= s->last);
    s->last = (int)p->n;
    s->points++;
    for (int i = (int)p->n - 1; i < TICKS; i++) {
        s->known[i] = p->known;
        s->value[i] = p->value;
    }
    return 0;
}

/* Of any field, those of avg10. */
static int on_any_point(void *ctx, const struct pt_point *p)
{
    struct series *s = ctx;
    s->points++;
    return strcmp(p->field, "avg10") == 0 ? on_point(ctx, p) : 0;
}

static void check_fields(struct pt_db *db)
{
    struct pt_err err = {0};
    struct series s = {0};
    if (pt_db_field(db, "proc:meminfo", "MemFree", 1, TICKS, on_point, &s, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < TICKS; i++)
        assert_true(s.known[i] && (int)s.value[i] == 9000 + i * 7);
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:*/status", "VmRSS", 1, TICKS, on_point, &s, &err), 0);
    for (int i = 0; i < TICKS; i++)
        assert_true(s.known[i] && (int)s.value[i] == 1000 + i / 3 * 64);
    assert_true(s.points < TICKS / 2); /* changes, and one a segment */
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:pressure/memory", "avg10", 1, TICKS, on_point, &s, &err),
                     0);
    for (int i = 0; i < TICKS; i++)
        assert_true(s.known[i] && (int)(s.value[i] * 100 + 0.5) == i / 10 * 100 + i * 13 % 100);
    const int one = s.points;
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:pressure/memory", "*", 1, TICKS, on_any_point, &s, &err),
                     0);
    assert_true(s.points > 2 * one); /* the others too */
    for (int i = 0; i < TICKS; i++)
        assert_true(s.known[i] && (int)(s.value[i] * 100 + 0.5) == i / 10 * 100 + i * 13 % 100);
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:33/statm", "size", 1, TICKS, on_point, &s, &err), 0);
    for (int i = 0; i < TICKS; i++)
        if (world_presence_of(REUSED, i) == PT_READ)
            assert_true(s.known[i] && (int)s.value[i] == (i < 12 ? 77 : 1000 + i));
        else
            assert_false(s.known[i]);
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:meminfo", "MemFree", 23, 31, on_point, &s, &err), 0);
    assert_false(s.known[21]);
    for (int i = 22; i < 31; i++)
        assert_true(s.known[i] && (int)s.value[i] == 9000 + i * 7);
}

static void test_fields(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    struct pt_db *db = world_db(w.path);
    check_fields(db); /* from frames */
    world_seal(&w, false);
    check_fields(db); /* from both */
    world_seal(&w, true);
    check_fields(db);
    pt_db_close(db);
    world_close(&w);
}

static int count_snaps(void *ctx, const struct pt_snap *snap)
{
    int *n = ctx;
    assert_int_equal(snap->n, 5 + *n);
    assert_int_equal(snap->mem_available_kb, world_snap_of((int)snap->n - 1).mem_available_kb);
    ++*n;
    return 0;
}

static int count_events(void *ctx, const struct pt_db_event *e)
{
    int *n = ctx;
    assert_string_equal(e->text, *n ? "second" : "first\nline");
    assert_string_equal(e->subject, *n ? "9 a b" : "");
    assert_int_equal(e->kind, *n ? PT_EVENT_LOST : PT_EVENT_START);
    ++*n;
    return 0;
}

static int third_event(void *ctx, const struct pt_db_event *e)
{
    assert_string_equal(e->text, "third");
    ++*(int *)ctx;
    return 0;
}

static int first_event(void *ctx, const struct pt_db_event *e)
{
    assert_string_equal(e->text, "first\nline");
    ++*(int *)ctx;
    return 7;
}

static void test_events(void **state)
{
    (void)state;
    struct world w;
    int n = 0;
    world_record(&w, TICKS);
    assert_int_equal(pt_store_event(w.store, START, PT_EVENT_START, 1, "", "first\nline", NULL), 0);
    assert_int_equal(pt_store_event(w.store, START + 5, PT_EVENT_LOST, 2, "9 a b", "second", NULL),
                     0);
    assert_int_equal(pt_store_event(w.store, START + 900, PT_EVENT_LOST, 2, "", "third", NULL), 0);
    world_seal(&w, false);
    assert_int_equal(pt_store_sync(w.store, NULL), 0);
    struct pt_db *db = world_db(w.path);
    assert_int_equal(pt_db_events(db, START, START + 10, INT64_MIN, count_events, &n, NULL), 0);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(pt_db_events(db, START, START + 900, 2, third_event, &n, NULL), 0);
    assert_int_equal(n, 1);
    n = 0;
    assert_int_equal(pt_db_events(db, START, START + 900, INT64_MIN, first_event, &n, NULL), 7);
    assert_int_equal(n, 1);
    n = 0;
    assert_int_equal(pt_db_each(db, 5, 45, count_snaps, &n, NULL), 0);
    assert_int_equal(n, 41);
    pt_db_close(db);
    struct pt_store_size size;
    assert_int_equal(pt_store_size(w.store, &size, NULL), 0);
    assert_true(size.file > 0 && size.frames > 0 && size.segments > 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_sealed),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged_frame),
        cmocka_unit_test(test_each_damaged_frame),
        cmocka_unit_test(test_each_damaged_block),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
