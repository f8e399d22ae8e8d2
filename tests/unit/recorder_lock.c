/* SPDX-License-Identifier: MIT
 * The lock: one holder a file, by whatever name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/lock.h"
#include "tests/unit/recorder_tree.h"

static void one_holder(void **state)
{
    (void)state;
    char db[1024], link[1024], lock[PATH_MAX], other[PATH_MAX];
    struct pt_err err = {0};
    tree_begin("lock");
    tree_print("x.db", "x");
    tree_path(db, "x.db");
    tree_path(link, "link.db");
    assert_int_equal(symlink("x.db", link), 0);
    const int fd = pt_lock_take(db, lock, &err);
    assert_true(fd >= 0);
    assert_true(pt_lock_take(db, other, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    err = (struct pt_err){0};
    assert_true(pt_lock_take(link, other, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    pt_lock_drop(lock, fd);
    assert_int_equal(access(lock, F_OK), -1);
    const int again = pt_lock_take(link, other, &err);
    assert_true(again >= 0);
    pt_lock_drop(other, again);
    tree_remove("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
