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
    char db[1024], link[1024];
    struct pt_lock lock = {.fd = -1}, other = {.fd = -1};
    struct pt_err err = {0};
    tree_begin("lock");
    tree_print("x.db", "x");
    tree_path(db, "x.db");
    tree_path(link, "link.db");
    assert_int_equal(symlink("x.db", link), 0);
    assert_true(pt_lock_take(&lock, db, &err) >= 0);
    assert_true(pt_lock_take(&other, db, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    err = (struct pt_err){0};
    assert_true(pt_lock_take(&other, link, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    pt_lock_drop(&lock);
    assert_int_equal(access(lock.name, F_OK), -1);
    assert_true(pt_lock_take(&other, link, &err) >= 0);
    pt_lock_drop(&other);
    assert_int_equal(unlink(db), 0); /* by a link to a file that is still to come, too */
    assert_true(pt_lock_take(&lock, link, &err) >= 0);
    assert_true(pt_lock_take(&other, db, NULL) < 0);
    pt_lock_drop(&lock);
    tree_remove("");
}

/* A lock whose name is gone is taken anew; one that another took meanwhile is not, and dropping
 * ours leaves theirs alone. */
static void lost_name(void **state)
{
    (void)state;
    char db[1024];
    struct pt_lock lock = {.fd = -1}, other = {.fd = -1};
    struct pt_err err = {0};
    tree_begin("name");
    tree_path(db, "x.db");
    assert_true(pt_lock_take(&lock, db, &err) >= 0);
    const int fd = lock.fd;
    assert_true(pt_lock_take(&lock, db, &err) >= 0);
    assert_int_equal(lock.fd, fd);
    assert_int_equal(unlink(lock.name), 0);
    assert_true(pt_lock_take(&lock, db, &err) >= 0);
    assert_int_equal(access(lock.name, F_OK), 0);
    assert_true(pt_lock_take(&other, db, NULL) < 0);
    assert_int_equal(unlink(lock.name), 0);
    assert_true(pt_lock_take(&other, db, &err) >= 0);
    assert_true(pt_lock_take(&lock, db, &err) < 0);
    assert_int_equal(err.code, PT_ELOCKED);
    pt_lock_drop(&lock);
    assert_int_equal(access(other.name, F_OK), 0);
    pt_lock_drop(&other);
    assert_int_equal(access(other.name, F_OK), -1);
    tree_remove("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_holder),
        cmocka_unit_test(lost_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
