/* SPDX-License-Identifier: MIT
 * Last readings: of each segment and of frames that are not sealed, and only where what a text is
 * asked for has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "schema/store.h"
#include "tests/support/store_world.h"

/* What a query for last readings told of one source. */
struct told {
    const char *name;
    uint64_t mark[TICKS];
    int marks, texts;
};

static bool note_mark(void *ctx, const char *source, int64_t n, uint64_t mark)
{
    struct told *t = ctx;
    assert_in_range(n, 1, TICKS);
    if (strcmp(source, t->name) != 0)
        return false;
    t->mark[t->marks++] = mark;
    return t->marks % 2;
}

static int note_text(void *ctx, const struct pt_source_at *at, int64_t n)
{
    struct told *t = ctx;
    (void)n;
    assert_string_equal(at->name, t->name);
    assert_non_null(at->reading);
    t->texts++;
    return 0;
}

/* Marks are the same as long as shapes and so many numbers are, and only what is wanted is told. */
static void check_marks(struct pt_db *db, const char *name, unsigned slots, bool changes)
{
    struct told t = {.name = name};
    const struct pt_last_query q = {.glob = "proc:**",
                                    .from = 1,
                                    .to = TICKS,
                                    .wanted = note_mark,
                                    .slots = slots,
                                    .fn = note_text,
                                    .ctx = &t};
    assert_int_equal(pt_db_last(db, &q, 1, NULL), 0);
    assert_true(t.marks >= 2);
    assert_int_equal(t.texts, (t.marks + 1) / 2);
    for (int i = 1; i < t.marks; i++)
        assert_int_equal(t.mark[i] != t.mark[i - 1], changes);
}

static void test_marks(void **state)
{
    (void)state;
    struct world w;
    world_record(&w, TICKS);
    world_seal(&w, false);
    struct pt_db *db = world_db(w.path); /* segments and frames */
    check_marks(db, "proc:meminfo", PT_SERIES_SLOTS, true);
    check_marks(db, "proc:10/statm", 2, true); /* the second grows */
    check_marks(db, "proc:10/statm", 1, false);
    pt_db_close(db);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
