/* SPDX-License-Identifier: MIT
 * A segment whose row, its checksum made right, tells of other snapshots than its blocks have: what
 * they are is not known, so they are damage, and none of them is told of. A row that cannot be is
 * passed over, and its segment found by its blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "schema/store_int.h"
#include "tests/support/recording.h"

#define TICKS 12

struct claim {
    int64_t last, count;
    bool right, found; /* it is right; its snapshots are told of */
};

static void make(struct recording *r)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10000000};
    struct pt_err err = {0};
    recording_new(r, &meta, 1000000);
    for (int64_t n = 1; n <= 2 * TICKS; n++) {
        const struct pt_snap snap = {
            .real_us = n * 10000000, .boot_us = n * 10000000, .mono_us = n, .boot = 1};
        char text[32];
        recording_begin(r, &snap, n == TICKS + 1);
        snprintf(text, sizeof(text), "%lld\n", (long long)n);
        recording_text(r, "proc:1/oom_score", text);
        recording_end(r);
    }
    assert_int_equal(pt_store_seal(r->store, true, &err), 0);
    recording_close(r);
}

static void claim(const struct recording *r, const struct claim *c)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    struct pt_val v[8];
    assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT first, last, count, boot, min_ms, max_ms, blocks, "
                                        "bytes FROM segment WHERE first = 1",
                                        -1, &st, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    for (int i = 0; i < 8; i++)
        v[i] = pt_val_int(sqlite3_column_int64(st, i));
    sqlite3_finalize(st);
    v[1] = pt_val_int(c->last);
    v[2] = pt_val_int(c->count);
    assert_int_equal(
        sqlite3_prepare_v2(db, "UPDATE segment SET last = ?, count = ?, crc = ? WHERE first = 1",
                           -1, &st, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(st, 1, c->last);
    sqlite3_bind_int64(st, 2, c->count);
    sqlite3_bind_int64(st, 3, pt_row_crc(PT_T_SEGMENT, v, 8));
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_finalize(st);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

struct told {
    int64_t points, most; /* the latest end of a segment */
    int64_t last;
};

static int on_point(void *ctx, const struct pt_point *p)
{
    struct told *t = ctx;
    t->points++;
    t->most = p->end_n > t->most ? p->end_n : t->most;
    assert_true(p->n > t->last);
    t->last = p->n;
    return 0;
}

static void is_not_believed(void **state)
{
    static const struct claim claims[] = {{TICKS, TICKS, true, true},
                                          {TICKS - 1, TICKS - 1, false, false},
                                          {TICKS - 1, TICKS - 3, false, false},
                                          {TICKS, TICKS - 1, false, false},
                                          {1, 1, false, false},
                                          {TICKS, -1, false, true},
                                          {TICKS, TICKS + 1, false, true},
                                          {INT64_MAX - 1, INT64_MAX - 1, false, true},
                                          {INT64_MAX, 1, false, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
        struct recording r;
        struct pt_db *db;
        struct pt_err err = {0};
        struct told told = {0};
        make(&r);
        claim(&r, &claims[i]);
        assert_int_equal(pt_db_open(r.path, &db, &err), 0);
        assert_int_equal(
            pt_db_field(db, "proc:*/oom_score", "*", 1, 2 * TICKS, on_point, &told, &err), 0);
        assert_int_equal(told.points, claims[i].found ? 2 * TICKS : TICKS);
        assert_int_equal(told.most, 2 * TICKS);
        assert_int_equal(pt_db_damaged(db) == 0, claims[i].right);
        int64_t n = 0, steps = 0;
        while (pt_db_step(db, n, 1, &n, NULL) >= 0)
            steps++;
        assert_int_equal(n, 2 * TICKS);
        assert_true(steps <= 2 * TICKS);
        pt_db_close(db);
        recording_remove(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_not_believed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
