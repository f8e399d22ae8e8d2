/* SPDX-License-Identifier: MIT
 * Copies of a database: whole, sliced, of one that is written meanwhile, of a damaged one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/store_copy.h"
#include "schema/store_new.h"
#include "tests/support/store_world.h"

static const struct pt_copy everything = {.since_us = PT_UNKNOWN, .until_us = PT_UNKNOWN};

struct told {
    int places;
    char last[128];
};

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct told *t = ctx;
    (void)n1, (void)n2, (void)what;
    t->places++;
    snprintf(t->last, sizeof t->last, "%s", place);
}

static const char *copy_path(const struct world *w)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/copy.db", w->dir);
    return path;
}

/* Copies w's database to copy_path; what of it was damaged in *told. */
static struct pt_copied copy(const struct world *w, const struct pt_copy *what, struct told *told)
{
    struct pt_err err = {0};
    struct pt_copied copied = {0};
    struct pt_new *n = NULL;
    struct pt_db *db = world_db(w->path);
    pt_db_on_damage(db, on_damage, told);
    unlink(copy_path(w));
    if (pt_new_create(copy_path(w), &n, &err) < 0 ||
        pt_db_copy(db, what, pt_new_store(n), &copied, &err) < 0 || pt_new_finish(n, &err) < 0)
        fail_msg("%s", err.text);
    pt_new_free(n);
    pt_db_close(db);
    return copied;
}

static void is_sound(const char *path)
{
    struct pt_err err = {0};
    struct stat st;
    char wal[320];
    struct pt_db *db = world_db(path);
    if (pt_db_check(db, NULL, NULL, &err) != 0)
        fail_msg("damage in %s: %s", path, err.text);
    pt_db_close(db);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(access(wal, F_OK), -1);
}

static void is_right(const char *path, int from, int to)
{
    struct pt_db *db = world_db(path);
    world_check_span(db, from, to);
    pt_db_close(db);
}

static int one_more(void *ctx, const struct pt_db_event *e)
{
    (void)e;
    ++*(int64_t *)ctx;
    return 0;
}

static int64_t count_events(struct pt_db *db)
{
    struct pt_err err = {0};
    int64_t n = 0;
    assert_int_equal(pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, one_more, &n, &err), 0);
    return n;
}

static void test_whole(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct told told = {0};
    (void)state;
    world_record(&w, TICKS);
    world_seal(&w, false);
    assert_int_equal(pt_store_event(w.store, START, PT_EVENT_NOTE, 1, "", "one", &err), 0);
    assert_int_equal(pt_store_event(w.store, 5, PT_EVENT_NOTE, PT_UNKNOWN, "x", "two", &err), 0);
    const struct pt_copied copied = copy(&w, &everything, &told); /* through the WAL */
    assert_int_equal(told.places, 0);
    assert_int_equal(copied.snapshots, TICKS);
    assert_int_equal(copied.segments, TICKS / CHAIN);
    assert_int_equal(copied.frames, TICKS % CHAIN);
    assert_int_equal(copied.first, 1);
    assert_int_equal(copied.last, TICKS);
    assert_int_equal(copied.events, 2);
    is_sound(copy_path(&w));
    struct pt_db *db = world_db(copy_path(&w));
    world_check_all(db, TICKS);
    world_check_cursor(db, TICKS);
    assert_string_equal(pt_db_meta(db)->host, world_meta.host);
    assert_string_equal(pt_db_boot(db, 0)->boot_id, "4f0c-boot");
    assert_int_equal(count_events(db), 2);
    pt_db_close(db);
    world_close_store(&w); /* and alone */
    copy(&w, &everything, &told);
    assert_int_equal(told.places, 0);
    is_sound(copy_path(&w));
    world_close(&w);
}

static int move_on(void *ctx, int64_t done, int64_t total)
{
    struct world *w = ctx;
    (void)done, (void)total;
    for (int i = 0; i < CHAIN + 3; i++)
        world_tick(w);
    world_seal(w, false);
    return 0;
}

/* After each segment more is recorded and sealed: the copy ends when it has caught up. */
static void test_moving(void **state)
{
    struct world w;
    struct told told = {0};
    struct pt_copy what = everything;
    (void)state;
    world_record(&w, TICKS);
    world_seal(&w, false);
    what.ctx = &w;
    what.progress = move_on;
    what.last = 4 * TICKS;
    const struct pt_copied copied = copy(&w, &what, &told);
    assert_int_equal(told.places, 0);
    assert_int_equal(copied.first, 1);
    assert_int_equal(copied.last, copied.snapshots);
    assert_true(copied.snapshots > 2 * TICKS);
    is_sound(copy_path(&w));
    struct pt_db *db = world_db(copy_path(&w));
    world_check_all(db, (int)copied.snapshots);
    pt_db_close(db);
    world_close(&w);
}

static void test_slice(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct told told = {0};
    (void)state;
    world_record(&w, TICKS);
    world_seal(&w, false);
    for (int i = 0; i < TICKS; i++)
        assert_int_equal(pt_store_event(w.store, world_snap_of(i).real_us + 1, PT_EVENT_NOTE,
                                        PT_UNKNOWN, "", "tick", &err),
                         0);
    struct pt_copy what = everything;
    what.since_us = world_snap_of(22).real_us - 1000;
    what.until_us = world_snap_of(44).real_us + 1000;
    struct pt_copied copied = copy(&w, &what, &told);
    assert_int_equal(copied.first, 23);
    assert_int_equal(copied.last, 45);
    assert_int_equal(copied.snapshots, 23);
    assert_int_equal(copied.events, 23);
    is_sound(copy_path(&w));
    is_right(copy_path(&w), 22, 45);
    what = everything;
    what.first = 45; /* within the chain that is not sealed */
    copied = copy(&w, &what, &told);
    assert_int_equal(copied.first, 45);
    assert_int_equal(copied.last, TICKS);
    assert_int_equal(copied.frames, 0); /* cut, so sealed */
    is_sound(copy_path(&w));
    is_right(copy_path(&w), 44, TICKS);
    what.first = 41; /* where a chain begins */
    copied = copy(&w, &what, &told);
    assert_int_equal(copied.first, 41);
    assert_int_equal(copied.frames, 10);
    is_right(copy_path(&w), 40, TICKS);
    what.first = what.last = 7;
    copied = copy(&w, &what, &told);
    assert_int_equal(copied.snapshots, 1);
    is_sound(copy_path(&w));
    is_right(copy_path(&w), 6, 7);
    assert_int_equal(told.places, 0);
    what = everything;
    what.since_us = world_snap_of(TICKS).real_us;
    struct pt_new *n;
    struct pt_db *db = world_db(w.path);
    unlink(copy_path(&w));
    assert_int_equal(pt_new_create(copy_path(&w), &n, &err), 0);
    assert_int_equal(pt_db_copy(db, &what, pt_new_store(n), &copied, &err), -PT_ENOTFOUND);
    pt_new_free(n);
    pt_db_close(db);
    world_close(&w);
}

static int no_more(void *ctx, int64_t done, int64_t total)
{
    (void)ctx, (void)total;
    return done > 0 ? -1 : 0;
}

static void test_names(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct pt_new *n;
    struct pt_copied copied;
    char link[300];
    (void)state;
    world_record(&w, TICKS);
    world_seal(&w, false);
    const int before = world_entries(w.dir);
    assert_int_equal(pt_new_create(w.path, &n, &err), -PT_EUSAGE);
    assert_int_equal(pt_new_create(w.dir, &n, &err), -PT_EUSAGE);
    snprintf(link, sizeof link, "%s/link", w.dir);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(pt_new_create(link, &n, &err), -PT_EUSAGE);
    unlink(link);
    err = (struct pt_err){0};
    assert_int_equal(pt_new_create("/nonexistent/x.db", &n, &err), -PT_EOPEN);
    /* interrupted: nothing is left */
    struct pt_copy what = everything;
    what.progress = no_more;
    struct pt_db *db = world_db(w.path);
    unlink(copy_path(&w));
    assert_int_equal(pt_new_create(copy_path(&w), &n, NULL), 0);
    assert_true(pt_db_copy(db, &what, pt_new_store(n), &copied, &err) < 0);
    pt_new_free(n);
    pt_db_close(db);
    assert_int_equal(world_entries(w.dir), before);
    /* somebody takes the name meanwhile */
    assert_int_equal(pt_new_create(copy_path(&w), &n, NULL), 0);
    int fd = open(copy_path(&w), O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "mine", 4), 4);
    assert_int_equal(pt_new_finish(n, NULL), -PT_EUSAGE);
    pt_new_free(n);
    assert_int_equal(lseek(fd, 0, SEEK_END), 4);
    assert_int_equal(ftruncate(fd, 0), 0); /* a place kept free is taken */
    close(fd);
    assert_int_equal(pt_new_create(copy_path(&w), &n, NULL), 0);
    assert_int_equal(pt_new_finish(n, NULL), 0);
    pt_new_free(n);
    is_sound(copy_path(&w));
    unlink(copy_path(&w));
    assert_int_equal(world_entries(w.dir), before);
    world_close(&w);
}

/* Changes a byte of the n'th blob with this magic from the end: deleted ones stand before. */
static void hit(const char *path, const char *magic, int nth)
{
    static uint8_t file[4 << 20];
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const ssize_t len = read(fd, file, sizeof file);
    assert_true(len > 0 && (size_t)len < sizeof file);
    for (ssize_t at = len - 40; at > 0; at--) {
        if (memcmp(file + at, magic, 4) != 0 || at % 512 > 480 || nth-- > 0)
            continue;
        const uint8_t byte = file[at + 9] ^ 0x40; /* of its length */
        assert_int_equal(pwrite(fd, &byte, 1, at + 9), 1);
        close(fd);
        return;
    }
    fail_msg("no such blob");
}

static void test_damaged(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct told told = {0};
    (void)state;
    world_record(&w, TICKS);
    world_seal(&w, false);
    world_close_store(&w);
    hit(w.path, "PTbl", 1);
    hit(w.path, "PTfr", 3);
    struct pt_copied copied = copy(&w, &everything, &told);
    assert_int_equal(told.places, 2);
    assert_int_equal(copied.snapshots, TICKS - 1);
    struct pt_db *db = world_db(copy_path(&w));
    struct told again = {0};
    pt_db_on_damage(db, on_damage, &again);
    assert_int_equal(pt_db_check(db, NULL, NULL, &err), 1);
    assert_int_equal(again.places, 2); /* lost is not absent: the copy says so too */
    pt_db_close(db);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_moving),  cmocka_unit_test(test_slice),
        cmocka_unit_test(test_names), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
