/* SPDX-License-Identifier: MIT
 * The database: what is appended comes back byte for byte, as frames, sealed, live, from a copy;
 * what is damaged is said and costs only itself. The world recorded here is small and knows its own
 * texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/source.h"
#include "schema/store.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll
#define TICKS    50
#define CHAIN    20

enum { MEMINFO, PRESSURE, STATUS, STATM, REUSED, SMAPS, SOURCES };
static const char *const names[SOURCES] = {
    "proc:meminfo",  "proc:pressure/memory", "proc:10/status",
    "proc:10/statm", "proc:33/statm",        "proc:10/smaps",
};

/* ---- the world: every text follows from (source, tick) ---- */

static enum pt_presence presence_of(int source, int tick)
{
    switch (source) {
    case REUSED: /* 33 ends at 12 and is somebody else from 25 on */
        return tick < 12 || tick >= 25 ? PT_READ : PT_ABSENT;
    case SMAPS:
        if (tick < 5)
            return PT_ABSENT;
        return tick >= 30 && tick < 35 ? PT_UNREADABLE : tick % 5 == 0 ? PT_READ : PT_CARRIED;
    default:
        return PT_READ;
    }
}

static int text_of(int source, int tick, char *ret, size_t size)
{
    switch (source) {
    case MEMINFO:
        return snprintf(ret, size, "MemTotal:       %8d kB\nMemFree:        %8d kB\n", 16000000,
                        9000 + tick * 7);
    case PRESSURE:
        return snprintf(ret, size, "some avg10=%d.%02d avg60=0.00 avg300=0.00 total=%d\n",
                        tick / 10, tick * 13 % 100, tick * 999);
    case STATUS:
        return snprintf(ret, size, "Name:\ta)\\nb\nVmRSS:\t%8d kB\nVmSwap:\t%8d kB\n",
                        1000 + tick / 3 * 64, 0);
    case STATM:
        return snprintf(ret, size, "%d %d 0 0 0 5 0\n", 500, 250 + tick / 3 * 16);
    case REUSED:
        return snprintf(ret, size, "%d 1 1 1 0 1 0\n", tick < 12 ? 77 : 1000 + tick);
    default:
        tick -= tick % 5;
        return snprintf(
            ret, size,
            "55d000000000-55d000%06x r--p 00000000 fe:00 99                     /bin/x\nSize: %18d "
            "kB\nRss: %19d kB\n"
            "7f%010x-7fff00000000 rw-p 00000000 00:00 0 \nSize: %18d kB\nRss: %19d kB\n",
            0x10000, 64, tick, 0x1000000 - tick * 4096, 100 + tick * 4, tick * 4);
    }
}

struct world {
    char path[300], dir[256];
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_store *store;
    int64_t handles[SOURCES];
    int tick;
};

static const struct pt_meta meta = {.host = "unit",
                                    .kernel = "6.18",
                                    .page_size = 4096,
                                    .clk_tck = 100,
                                    .cpus = 3,
                                    .interval_us = INTERVAL};

static struct pt_snap snap_of(int tick)
{
    return (struct pt_snap){
        .n = tick + 1,
        .real_us = START + tick * INTERVAL + tick,
        .boot_us = 1000 + tick * INTERVAL,
        .mono_us = 900 + tick * INTERVAL,
        .span_us = 2000,
        .boot = 1,
        .trigger = tick ? PT_TRIGGER_TIMER : PT_TRIGGER_START,
        .cost_us = 500 + tick,
        .deep_us = PT_UNKNOWN,
        .rss_kb = 6000,
        .mem_available_kb = 9000 + tick * 7,
        .swap_used_kb = 0,
        .psi_some_us = PT_UNKNOWN,
        .psi_full_us = PT_UNKNOWN,
        .processes = 2,
    };
}

static void tell(struct world *w, int source, int tick)
{
    char text[1024];
    struct pt_err err = {0};
    const enum pt_presence presence = presence_of(source, tick);
    int64_t *h = &w->handles[source];
    if (presence == PT_ABSENT) {
        if (*h >= 0)
            assert_true(pt_enc_gone(w->enc, (uint32_t)*h, &err) >= 0);
        *h = -1;
        return;
    }
    if (*h < 0)
        *h = pt_enc_open(w->enc, names[source], &pt_file_of(names[source])->grammar, &err);
    assert_true(*h >= 0);
    if (presence == PT_UNREADABLE && presence_of(source, tick - 1) != PT_UNREADABLE)
        assert_true(pt_enc_fail(w->enc, (uint32_t)*h, EACCES, PT_UNKNOWN, &err) >= 0);
    if (presence != PT_READ)
        return;
    const int len = text_of(source, tick, text, sizeof text);
    assert_true(pt_enc_text(w->enc, (uint32_t)*h, text, (size_t)len, PT_UNKNOWN, &err) >= 0);
}

static void record(struct world *w)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    const struct pt_snap snap = snap_of(w->tick);
    pt_buf_init(&frame, 1u << 20);
    if (w->tick % CHAIN == 0)
        pt_enc_new_chain(w->enc);
    assert_true(pt_enc_begin(w->enc, &snap, &err) >= 0);
    for (int i = 0; i < SOURCES; i++)
        tell(w, i, w->tick);
    assert_true(pt_enc_end(w->enc, &snap, &frame, &err) >= 0);
    assert_int_equal(pt_store_next(w->store), snap.n);
    if (pt_store_append(w->store, &snap, w->tick % CHAIN == 0, frame.data, frame.len, &err) < 0)
        fail_msg("%s", err.text);
    pt_buf_release(&frame);
    w->tick++;
}

static void seal(struct world *w, bool all)
{
    struct pt_err err = {0};
    if (pt_store_seal(w->store, all, &err) < 0)
        fail_msg("%s", err.text);
}

static void open_store(struct world *w)
{
    struct pt_err err = {0};
    if (pt_store_open(w->path, &meta, &w->store, &err) < 0)
        fail_msg("%s", err.text);
}

static void close_store(struct world *w)
{
    struct pt_err err = {0};
    assert_int_equal(pt_store_close(w->store, &err), 0);
    w->store = NULL;
}

static void world_open(struct world *w)
{
    struct pt_err err = {0};
    *w = (struct world){0};
    snprintf(w->dir, sizeof w->dir, "%s/store-XXXXXX",
             getenv("PT_TMP") ? getenv("PT_TMP") : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/a?b#c%%20 d.db", w->dir);
    w->shapes = pt_shapes_new();
    w->enc = pt_enc_new(w->shapes);
    for (int i = 0; i < SOURCES; i++)
        w->handles[i] = -1;
    open_store(w);
    assert_int_equal(pt_store_boot(w->store, "4f0c-boot", START - 5, &err), 1);
    assert_int_equal(pt_store_boot(w->store, "4f0c-boot", START - 5, &err), 1);
}

static void world_record(struct world *w, int ticks)
{
    world_open(w);
    while (w->tick < ticks)
        record(w);
}

static int entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    for (const struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void world_close(struct world *w)
{
    char name[700];
    if (w->store)
        close_store(w);
    pt_enc_free(w->enc);
    pt_shapes_free(w->shapes);
    DIR *d = opendir(w->dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        snprintf(name, sizeof name, "%s/%s", w->dir, e->d_name);
        unlink(name);
    }
    closedir(d);
    rmdir(w->dir);
}

/* ---- what must hold of any database of this world ---- */

static struct pt_db *open_db(const char *path)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    if (pt_db_open(path, &db, &err) < 0)
        fail_msg("%s", err.text);
    return db;
}

static void same_text(const struct pt_buf *buf, const char *text, int len)
{
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, text, (size_t)len);
}

static void check_text(struct pt_db *db, int source, int tick, struct pt_buf *buf)
{
    char text[1024];
    struct pt_source_at at;
    struct pt_err err = {0};
    const enum pt_presence want = presence_of(source, tick);
    pt_buf_reset(buf);
    if (pt_db_text(db, tick + 1, names[source], &at, buf, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(at.presence, want);
    if (want == PT_READ || want == PT_CARRIED)
        same_text(buf, text, text_of(source, tick, text, sizeof text));
    else
        assert_int_equal(buf->len, 0);
    if (want == PT_UNREADABLE)
        assert_int_equal(at.why, EACCES);
    if (want == PT_READ)
        assert_int_equal(at.read_us, snap_of(tick).real_us);
    if (want == PT_CARRIED)
        assert_int_equal(at.read_us, snap_of(tick - tick % 5).real_us);
}

static void check_view(struct pt_db *db, int tick, struct pt_buf *buf)
{
    char text[1024];
    struct pt_view *v;
    struct pt_err err = {0};
    const struct pt_snap want = snap_of(tick);
    if (pt_view_load(db, tick + 1, PT_GROUP_ALL, &v, &err) < 0)
        fail_msg("%s", err.text);
    assert_memory_equal(&v->snap, &want, sizeof want);
    assert_int_equal(v->lost, 0);
    uint32_t there = 0;
    for (int i = 0; i < SOURCES; i++) {
        const struct pt_source_at *at = pt_view_find(v, names[i]);
        const enum pt_presence presence = presence_of(i, tick);
        if (presence == PT_ABSENT) {
            assert_null(at);
            continue;
        }
        there++;
        assert_non_null(at);
        assert_int_equal(at->presence, presence);
        if (!at->reading) {
            assert_int_equal(presence, PT_UNREADABLE);
            continue;
        }
        pt_buf_reset(buf);
        assert_int_equal(pt_reading_text(pt_db_shapes(db), at->reading, buf, &err), 0);
        same_text(buf, text, text_of(i, tick, text, sizeof text));
    }
    assert_int_equal(v->count, there);
    pt_view_free(v);
}

static void check_all(struct pt_db *db, int ticks)
{
    struct pt_buf buf;
    pt_buf_init(&buf, 1u << 20);
    for (int tick = 0; tick < ticks; tick++) {
        check_view(db, tick, &buf);
        for (int i = 0; i < SOURCES; i++)
            check_text(db, i, tick, &buf);
    }
    for (int tick = ticks - 1; tick >= 0; tick -= 7)
        check_text(db, SMAPS, tick, &buf);
    pt_buf_release(&buf);
}

static void check_cursor(struct pt_db *db, int ticks)
{
    struct pt_err err = {0};
    struct pt_db_span span;
    struct pt_snap snap;
    int64_t n = 0;
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_int_equal(span.first, 1);
    assert_int_equal(span.last, ticks);
    assert_int_equal(span.count, ticks);
    assert_int_equal(span.first_us, snap_of(0).real_us);
    assert_int_equal(span.last_us, snap_of(ticks - 1).real_us);
    for (int tick = 0; tick < ticks; tick++) {
        const int64_t us = snap_of(tick).real_us;
        assert_int_equal(pt_db_step(db, n, 1, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        assert_int_equal(pt_db_snap(db, n, &snap, &err), 0);
        assert_int_equal(snap.mono_us, snap_of(tick).mono_us);
        for (int how = 0; how <= PT_SEEK_NEAREST; how++) {
            assert_int_equal(pt_db_find(db, us, (enum pt_seek)how, &n, &err), 0);
            assert_int_equal(n, tick + 1);
        }
        assert_int_equal(pt_db_find(db, us + 3000000, PT_SEEK_NEAREST, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        assert_int_equal(pt_db_find(db, us + 9000000, PT_SEEK_LAST_BEFORE, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        if (tick > 0) {
            assert_int_equal(pt_db_find(db, us - 3000000, PT_SEEK_FIRST_AFTER, &n, &err), 0);
            assert_int_equal(n, tick + 1);
        }
        n = tick + 1;
    }
    assert_int_equal(pt_db_step(db, ticks, 1, &n, &err), -PT_ENOTFOUND);
    assert_int_equal(pt_db_step(db, 1, -1, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_step(db, ticks, -1, &n, NULL), 0);
    assert_int_equal(n, ticks - 1);
    assert_int_equal(pt_db_find(db, START - 1000, PT_SEEK_LAST_BEFORE, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_find(db, INT64_MAX, PT_SEEK_FIRST_AFTER, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_find(db, INT64_MIN + 1, PT_SEEK_NEAREST, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(pt_db_snap(db, ticks + 1, &snap, NULL), -PT_ENOTFOUND);
}

/* ---- tests ---- */

static void test_frames(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    struct pt_db *db = open_db(w.path); /* live: the store is open in this process */
    check_all(db, TICKS);
    check_cursor(db, TICKS);
    pt_db_close(db);
    world_close(&w);
}

static void test_sealed(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    seal(&w, false);
    struct pt_db *db = open_db(w.path);
    check_all(db, TICKS); /* two segments, ten frames */
    check_cursor(db, TICKS);
    struct pt_db_span span;
    assert_int_equal(pt_db_span(db, &span, NULL), 0);
    assert_int_equal(span.segments, 2);
    assert_int_equal(span.frames, 10);
    seal(&w, true); /* while the reader is there */
    check_all(db, TICKS);
    check_cursor(db, TICKS);
    assert_int_equal(pt_db_damaged(db), 0);
    pt_db_close(db);
    close_store(&w);

    assert_int_equal(entries(w.dir), 1); /* no -wal, no -shm */
    db = open_db(w.path);
    check_all(db, TICKS);
    check_cursor(db, TICKS);
    assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 0);
    assert_int_equal(entries(w.dir), 1);
    pt_db_close(db);
    world_close(&w);
}

static void test_live(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, 3);
    struct pt_db *db = open_db(w.path);
    for (int i = 0; i < 30; i++) {
        record(&w);
        if (i % 9 == 0)
            seal(&w, false);
        check_cursor(db, w.tick);
    }
    check_all(db, w.tick);
    pt_db_close(db);
    record(&w);
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
    seal(&w, false);
    record(&w);
    world_open(&to);
    close_store(&to);
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
    struct pt_db *db = open_db(to.path);
    assert_int_equal(entries(to.dir), 2);
    check_all(db, TICKS + 1);
    check_cursor(db, TICKS + 1);
    pt_db_close(db);
    assert_int_equal(entries(to.dir), 2);
    world_close(&to);
    world_close(&w);
}

static void test_reopen(void **state)
{
    (void)state;
    struct world w;
    struct stat st;
    world_record(&w, 25);
    close_store(&w);
    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    open_store(&w);
    assert_int_equal(pt_store_next(w.store), 26);
    struct pt_store *second;
    assert_int_equal(pt_store_open(w.path, &meta, &second, NULL), -PT_ELOCKED);
    while (w.tick < TICKS)
        record(&w);
    seal(&w, true);
    close_store(&w);
    open_store(&w);
    assert_int_equal(pt_store_next(w.store), TICKS + 1);
    close_store(&w);
    struct pt_db *db = open_db(w.path);
    check_all(db, TICKS);
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
    assert_int_equal(pt_store_open(path, &meta, &store, &werr), -(int)code);
    assert_true(werr.text[0] != '\0');
}

static void test_refused(void **state)
{
    (void)state;
    struct world w;
    char text[300];
    world_record(&w, 2);
    close_store(&w);
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
            if (pt_db_text(db, tick + 1, names[i], &at, &buf, NULL) < 0 || at.presence == PT_LOST) {
                lost++;
                continue;
            }
            const enum pt_presence want = presence_of(i, tick);
            const bool has = want == PT_READ || want == PT_CARRIED;
            assert_int_equal(at.presence == PT_READ || at.presence == PT_CARRIED, has);
            same_text(&buf, text, has ? text_of(i, tick, text, sizeof text) : 0);
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
    close_store(&w);
    damage(w.path, "PTfr", 7);
    struct pt_db *db = open_db(w.path);
    pt_db_on_damage(db, on_damage, &told);
    assert_int_equal(count_lost(db, CHAIN + 2), SOURCES); /* one snapshot */
    assert_int_equal(told.count, 1);
    assert_int_equal(told.n1[0], told.n2[0]);
    const int64_t lost = told.n1[0];
    assert_int_equal(pt_db_snap(db, lost, &snap, NULL), 0); /* the row still says when it was */
    assert_int_equal(snap.mem_available_kb, snap_of((int)lost - 1).mem_available_kb);
    assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
    pt_db_close(db);

    open_store(&w);
    seal(&w, true);
    close_store(&w);
    db = open_db(w.path);
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
        close_store(&w);
        damage(w.path, "PTfr", k);
        for (int sealed = 0; sealed < 2; sealed++) {
            struct pt_db *db = open_db(w.path);
            const int lost = count_lost(db, CHAIN + 3);
            assert_true(lost == SOURCES || lost == CHAIN * SOURCES || lost == 3 * SOURCES);
            pt_db_on_damage(db, on_damage, &told);
            assert_int_equal(pt_db_check(db, NULL, NULL, NULL), 1);
            assert_true(told.count > 0);
            pt_db_close(db);
            open_store(&w);
            seal(&w, true);
            close_store(&w);
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
        seal(&w, true);
        close_store(&w);
        struct pt_db *db = open_db(w.path);
        assert_int_equal(pt_db_span(db, &span, NULL), 0);
        pt_db_close(db);
        if (k == 3 * 4) { /* clock, system, processes, deep of three segments */
            world_close(&w);
            break;
        }
        damage(w.path, "PTbl", k);
        db = open_db(w.path);
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
    assert_int_equal(p->real_us, snap_of((int)p->n - 1).real_us);
    assert_true(p->n >= s->last);
    s->last = (int)p->n;
    s->points++;
    for (int i = (int)p->n - 1; i < TICKS; i++) {
        s->known[i] = p->known;
        s->value[i] = p->value;
    }
    return 0;
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
    s = (struct series){0};
    assert_int_equal(pt_db_field(db, "proc:33/statm", "size", 1, TICKS, on_point, &s, &err), 0);
    for (int i = 0; i < TICKS; i++)
        if (presence_of(REUSED, i) == PT_READ)
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
    struct pt_db *db = open_db(w.path);
    check_fields(db); /* from frames */
    seal(&w, false);
    check_fields(db); /* from both */
    seal(&w, true);
    check_fields(db);
    pt_db_close(db);
    world_close(&w);
}

static int count_snaps(void *ctx, const struct pt_snap *snap)
{
    int *n = ctx;
    assert_int_equal(snap->n, 5 + *n);
    assert_int_equal(snap->mem_available_kb, snap_of((int)snap->n - 1).mem_available_kb);
    ++*n;
    return 0;
}

static int count_events(void *ctx, const struct pt_db_event *e)
{
    int *n = ctx;
    assert_string_equal(e->text, *n ? "second" : "first\nline");
    assert_int_equal(e->kind, *n ? PT_EVENT_LOST : PT_EVENT_START);
    ++*n;
    return 0;
}

static void test_events(void **state)
{
    (void)state;
    struct world w;
    int n = 0;
    world_record(&w, TICKS);
    assert_int_equal(pt_store_event(w.store, START, PT_EVENT_START, 1, "first\nline", NULL), 0);
    assert_int_equal(pt_store_event(w.store, START + 5, PT_EVENT_LOST, 2, "second", NULL), 0);
    assert_int_equal(pt_store_event(w.store, START + 900, PT_EVENT_LOST, 2, "third", NULL), 0);
    seal(&w, false);
    assert_int_equal(pt_store_sync(w.store, NULL), 0);
    struct pt_db *db = open_db(w.path);
    assert_int_equal(pt_db_events(db, START, START + 10, count_events, &n, NULL), 0);
    assert_int_equal(n, 2);
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
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged_frame),
        cmocka_unit_test(test_each_damaged_frame),
        cmocka_unit_test(test_each_damaged_block),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
