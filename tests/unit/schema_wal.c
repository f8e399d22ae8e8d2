/* SPDX-License-Identifier: MIT
 * What stands behind a damaged place of a write-ahead log, as SQLite itself writes it: one that is
 * written from its beginning again, over frames of an older one, and cut short by a kill at any
 * byte, is not damaged; one with a wrong byte is, and behind it there are so many transactions as
 * were committed there. */
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
#include <unistd.h>

#include "schema/store_pages.h"
#include "tests/support/scratch.h"

enum { PAGE = 512, SLOT = 24 + PAGE, HEAD = 32, WAL_MAX = 400 * SLOT, OLD = 40, NEW = 12 };

static char dir[256], path[300], wal_path[320], copy_path[320];

struct wal {
    size_t len;
    uint8_t data[WAL_MAX];
};

/* Before the last transaction, and after. */
static struct wal before, after;

static void load(struct wal *ret)
{
    FILE *f = fopen(wal_path, "rb");
    assert_non_null(f);
    ret->len = fread(ret->data, 1, sizeof ret->data, f);
    assert_true(ret->len > HEAD && ret->len < sizeof ret->data);
    fclose(f);
}

static int64_t behind(const uint8_t *data, size_t len)
{
    struct pt_err err = {0};
    int64_t n = -1;
    const int fd = open(copy_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    assert_int_equal(pt_wal_behind(fd, &n, &err), 0);
    close(fd);
    return n;
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
}

/* Each a transaction that changes one page, or for `large` many. */
static void transactions(sqlite3 *db, int n)
{
    for (int i = 0; i < n; i++)
        sql(db, "UPDATE small SET x = x + 1");
}

static void large(sqlite3 *db)
{
    sql(db, "INSERT INTO large VALUES(randomblob(4000))");
}

static size_t slots_of(const struct wal *w)
{
    return (w->len - HEAD) / SLOT;
}

/* The last slot of the log's newest part: those behind have another salt. */
static size_t newest(const struct wal *w)
{
    size_t n = 0;
    while (n < slots_of(w) && memcmp(w->data + HEAD + n * SLOT + 8, w->data + 16, 8) == 0)
        n++;
    return n;
}

static sqlite3 *begin(void)
{
    sqlite3 *db;
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sql(db, "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
            "CREATE TABLE small(x); INSERT INTO small VALUES(1); CREATE TABLE large(x)");
    return db;
}

/* The log goes on from its beginning, and is not cut. */
static void reuse(sqlite3 *db)
{
    sql(db, "PRAGMA wal_checkpoint(RESTART)");
}

/* A process is killed while it writes its last transaction: what it wrote to the file in this order
 * is there to some byte, and behind that what was there before. */
static void kill_everywhere(int64_t stride)
{
    static uint8_t torn[WAL_MAX];
    const size_t from = HEAD + newest(&before) * SLOT, to = HEAD + newest(&after) * SLOT;
    assert_int_equal(before.len, after.len); /* over an older one, not at the end */
    assert_true(from < to && to < after.len);
    assert_memory_equal(before.data, after.data, from);
    for (size_t cut = from; cut <= to; cut += (size_t)stride) {
        memcpy(torn, after.data, cut);
        memcpy(torn + cut, before.data + cut, before.len - cut);
        const int64_t n = behind(torn, before.len);
        if (n != 0)
            fail_msg("cut at byte %zu of %zu to %zu: %lld", cut, from, to, (long long)n);
    }
}

static void test_kill_small(void **state)
{
    (void)state;
    sqlite3 *db = begin();
    transactions(db, OLD);
    reuse(db);
    transactions(db, NEW);
    load(&before);
    transactions(db, 1);
    load(&after);
    assert_int_equal(newest(&after), newest(&before) + 1);
    assert_true(slots_of(&after) > newest(&after) + 10);
    kill_everywhere(1);
    sqlite3_close(db);
}

static void test_kill_large(void **state)
{
    (void)state;
    sqlite3 *db = begin();
    for (int i = 0; i < 5; i++)
        large(db);
    transactions(db, OLD);
    reuse(db);
    transactions(db, NEW);
    load(&before);
    large(db);
    load(&after);
    assert_true(newest(&after) > newest(&before) + 5);
    kill_everywhere(7);
    sqlite3_close(db);
}

/* The first transaction of a reused log: its head is written over the older one's. */
static void test_kill_head(void **state)
{
    (void)state;
    sqlite3 *db = begin();
    transactions(db, OLD);
    load(&before);
    reuse(db);
    transactions(db, 1);
    load(&after);
    assert_int_equal(newest(&after), 1);
    assert_int_equal(behind(after.data, after.len), 0);
    /* the head alone, and the head with the slot in part */
    static uint8_t torn[WAL_MAX];
    for (size_t cut = HEAD; cut <= HEAD + SLOT; cut++) {
        memcpy(torn, after.data, cut);
        memcpy(torn + cut, before.data + cut, before.len - cut);
        assert_int_equal(behind(torn, before.len), 0);
    }
    sqlite3_close(db);
}

/* One wrong byte in any transaction of the newest part: all behind are counted, none of the older
 * log, and not itself. */
static void test_damage(void **state)
{
    (void)state;
    static const size_t places[] = {0, 4, 8, 16, 24, 24 + PAGE - 1};
    sqlite3 *db = begin();
    transactions(db, OLD);
    reuse(db);
    transactions(db, NEW);
    load(&after);
    const size_t n = newest(&after);
    assert_int_equal(n, NEW);
    assert_int_equal(behind(after.data, after.len), 0);
    for (size_t slot = 0; slot < n; slot++)
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            uint8_t *byte = &after.data[HEAD + slot * SLOT + places[i]];
            *byte ^= 0x11;
            assert_int_equal(behind(after.data, after.len), n - slot - 1);
            *byte ^= 0x11;
        }
    /* without a head the first slot says of which log it is */
    memset(after.data, 0, HEAD);
    assert_int_equal(behind(after.data, after.len), n);
    sqlite3_close(db);
}

static void test_nothing(void **state)
{
    (void)state;
    static const uint8_t zeros[3 * SLOT];
    assert_int_equal(behind(zeros, 0), 0);
    assert_int_equal(behind(zeros, HEAD - 1), 0);
    assert_int_equal(behind(zeros, HEAD), 0);
    assert_int_equal(behind(zeros, sizeof zeros), 0);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("wal", false, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/w.db", dir);
    snprintf(wal_path, sizeof wal_path, "%s-wal", path);
    snprintf(copy_path, sizeof copy_path, "%s/copy", dir);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(copy_path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_small), cmocka_unit_test(test_kill_large),
        cmocka_unit_test(test_kill_head),  cmocka_unit_test(test_damage),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
