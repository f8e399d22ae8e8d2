/* SPDX-License-Identifier: MIT
 * What is done with a recording that was thinned, or is being thinned: copies of it, slices of it,
 * salvage. What was taken out is not taken for lost, and what is there says what it said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/store_copy.h"
#include "schema/store_new.h"
#include "schema/store_salvage.h"
#include "tests/support/store_world.h"

enum { LONG = 2000, STEPS = 200 };

static const char *copy_path(const struct world *w)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/copy.db", w->dir);
    return path;
}

/* A step of thinning, as with a cap that the file is over. */
static void thin(struct world *w)
{
    struct pt_err err = {0};
    struct stat st;
    assert_return_code(stat(w->path, &st), 0);
    const struct pt_limits limits = {.max_bytes = st.st_size * 8 / 5, .interval_us = INTERVAL};
    assert_return_code(pt_store_limit(w->store, &limits, &err), 0);
    if (pt_store_retain(w->store, &err) < 0)
        fail_msg("%s", err.text);
}

static void on_loss(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)ctx;
    fail_msg("%s (%lld to %lld): %s", place, (long long)n1, (long long)n2, what);
}

static int64_t next_of(struct pt_db *db, int64_t n)
{
    struct pt_err err = {0};
    const int r = pt_db_step(db, n, 1, &n, &err);
    assert_true(r >= 0 || r == -PT_ENOTFOUND);
    return r < 0 ? 0 : n;
}

/* Sound, and every snapshot says what it said: between first and last all that are in `of` (NULL:
 * nothing to compare with). Returns how many there are. */
static int64_t is_right(const char *path, struct pt_db *of, int64_t first, int64_t last)
{
    struct pt_err err = {0};
    struct pt_db *db = world_db(path);
    int64_t count = 0, want = first - 1;
    pt_db_on_damage(db, on_loss, NULL);
    for (int64_t n = 0; (n = next_of(db, n)) > 0; count++) {
        world_check_span(db, (int)n - 1, (int)n);
        assert_in_range(n, first, last);
        if (of)
            assert_int_equal(n, want = next_of(of, want));
    }
    if (of) {
        want = next_of(of, want);
        assert_true(want == 0 || want > last);
    }
    assert_int_equal(pt_db_check(db, NULL, NULL, &err), 0);
    pt_db_close(db);
    return count;
}

static int64_t removed(const char *path)
{
    struct pt_err err = {0};
    struct pt_db_span span;
    struct pt_db *db = world_db(path);
    assert_return_code(pt_db_span(db, &span, &err), 0);
    pt_db_close(db);
    return span.removed;
}

static void record_thinned(struct world *w)
{
    world_record(w, LONG);
    world_seal(w, false);
    for (int i = 0; i < STEPS && removed(w->path) < LONG / 3; i++)
        thin(w);
    assert_true(removed(w->path) >= LONG / 3);
}

static struct pt_copied copy(struct world *w, const struct pt_copy *what)
{
    struct pt_err err = {0};
    struct pt_copied copied = {0};
    struct pt_new *to = NULL;
    struct pt_db *db = world_db(w->path);
    pt_db_on_damage(db, on_loss, NULL);
    unlink(copy_path(w));
    if (pt_new_create(copy_path(w), &to, &err) < 0 ||
        pt_db_copy(db, what, pt_new_store(to), &copied, &err) < 0 || pt_new_finish(to, &err) < 0)
        fail_msg("%s", err.text);
    pt_new_free(to);
    pt_db_close(db);
    return copied;
}

/* ---- tests ---- */

/* Slices that begin and end anywhere in what was thinned, also at snapshots that are not there. */
static void test_slices(void **state)
{
    struct world w;
    (void)state;
    record_thinned(&w);
    struct pt_db *db = world_db(w.path);
    int gaps = 0;
    for (int64_t first = 1; first < LONG; first += 97) {
        const int64_t last = first + 30 + first % 400;
        const int64_t end = last < LONG ? last : LONG;
        const struct pt_copy what = {
            .since_us = PT_UNKNOWN, .until_us = PT_UNKNOWN, .first = first, .last = end};
        const int64_t begin = next_of(db, first - 1);
        if (begin == 0 || begin > end)
            continue;
        const struct pt_copied copied = copy(&w, &what);
        assert_int_equal(is_right(copy_path(&w), db, first, end), copied.snapshots);
        assert_int_equal(copied.snapshots + removed(copy_path(&w)), end - first + 1);
        gaps += copied.snapshots < end - first + 1;
    }
    assert_true(gaps > 2);
    pt_db_close(db);
    world_close(&w);
}

static int thin_more(void *ctx, int64_t done, int64_t total)
{
    (void)done, (void)total;
    thin(ctx);
    return 0;
}

/* A recorder that makes few segments of many, and drops some, while they are copied. */
static void test_meanwhile(void **state)
{
    struct world w;
    const struct pt_copy what = {
        .since_us = PT_UNKNOWN, .until_us = PT_UNKNOWN, .progress = thin_more, .ctx = &w};
    (void)state;
    world_record(&w, LONG);
    world_seal(&w, false);
    int64_t before = LONG;
    for (int i = 0; i < 3; i++) {
        const struct pt_copied copied = copy(&w, &what);
        const int64_t count = is_right(copy_path(&w), NULL, 1, LONG);
        assert_int_equal(count, copied.snapshots);
        assert_in_range(count, 1, before);
        struct pt_db *db = world_db(w.path);
        const int64_t after = next_of(db, 0);
        pt_db_close(db);
        assert_true(copied.first <= after);
        before = count;
    }
    assert_true(before < LONG / 2);
    world_close(&w);
}

static void test_salvage(void **state)
{
    struct world w;
    struct pt_err err = {0};
    struct pt_salvaged sum;
    struct pt_new *to;
    const struct pt_salvage_ops ops = {.lost = on_loss};
    (void)state;
    record_thinned(&w);
    const int64_t gone = removed(w.path);
    world_close_store(&w);
    assert_int_equal(pt_new_create(copy_path(&w), &to, &err), 0);
    if (pt_salvage(w.path, pt_new_store(to), &ops, &sum, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pt_new_finish(to, &err), 0);
    pt_new_free(to);
    struct pt_db *db = world_db(w.path);
    assert_int_equal(is_right(copy_path(&w), db, 1, LONG), sum.snapshots);
    pt_db_close(db);
    assert_int_equal(sum.snapshots + gone, LONG);
    assert_int_equal(sum.lost, 0);
    assert_int_equal(removed(copy_path(&w)), gone);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_meanwhile),
        cmocka_unit_test(test_salvage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
