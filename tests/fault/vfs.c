/* SPDX-License-Identifier: MIT
 * Every call that reaches the disk, in a recorder's life with a database from its creation to its
 * last close, fails with each class of error: once, and from then on until the recorder has tried
 * again. What the store called committed is there afterwards, the file passes the deep
 * verification, no failure goes without a reason (a full disk is called that), and no good file is
 * taken for a damaged one.
 *
 *   vfs          every call; under sanitizers every PT_STRIDE-th (7), from another one each day */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/support/drive.h"
#include "tests/support/faultfs.h"
#include "tests/support/number.h"
#include "tests/support/scratch.h"

enum { FIRST_LIFE = 12, SECOND_LIFE = 8 };

static char dir[256], path[300];

static const struct class
{
    const char *name;
    unsigned ops;
    int sys;
    bool half;
} classes[] = {
    {"no space", FAULTFS_WRITE | FAULTFS_OPEN | FAULTFS_SHM, ENOSPC, false},
    {"no space, half written", FAULTFS_WRITE, ENOSPC, true},
    {"quota", FAULTFS_WRITE | FAULTFS_OPEN | FAULTFS_SHM, EDQUOT, false},
    {"error", FAULTFS_ALL, EIO, false},
    {"error, half written", FAULTFS_WRITE, EIO, true},
    {"locked", FAULTFS_LOCK, EBUSY, false},
    {"read-only", FAULTFS_WRITE | FAULTFS_OPEN | FAULTFS_TRUNCATE | FAULTFS_DELETE, EROFS, false},
};

static void over(void)
{
    faultfs.at = 0;
}

/* As where no page is written in place: the shared memory is asked for room before it is used. */
int statfs(const char *name, struct statfs *ret)
{
    (void)name;
    *ret = (struct statfs){.f_type = BTRFS_SUPER_MAGIC};
    return 0;
}

/* Two lives of a recorder. Returns how many calls were counted. */
static int64_t live(const struct class *c, int64_t at, bool forever)
{
    struct drive d;
    char text[512];
    assert_int_equal(drive_init(&d, path), 0);
    d.over = over;
    faultfs = (struct faultfs){
        .ops = c->ops, .sys = c->sys, .half = c->half, .forever = forever, .at = at};
    drive_record(&d, FIRST_LIFE);
    if (!d.wrong)
        drive_close(&d);
    if (!d.wrong)
        drive_record(&d, SECOND_LIFE);
    if (!d.wrong)
        drive_close(&d);
    const struct faultfs was = faultfs;
    faultfs = (struct faultfs){0};
    const char *wrong = d.wrong ? d.wrong : drive_check(&d, text);
    if (!wrong && d.keep.asides)
        wrong = "a good database was set aside";
    if (!wrong && was.at && !forever && was.failed != 1)
        wrong = "no call failed";
    if (!wrong && (c->sys == ENOSPC || c->sys == EDQUOT) && d.errors && d.err.code != PT_EFULL)
        wrong = "the disk is full, and it says something else";
    if (wrong)
        fail_msg("%s, call %lld%s: %s (%s; the store said: %s)", c->name, (long long)at,
                 forever ? " and all after it" : "", wrong, text, d.err.text);
    drive_release(&d);
    scratch_clear(dir);
    return was.calls;
}

static void test_class(void **state)
{
    const struct class *c = *state;
    const char *sanitized = getenv("PT_SANITIZED");
    const int64_t stride = number_or("PT_STRIDE", sanitized && *sanitized ? 7 : 1);
    const int64_t calls = live(c, 0, false);
    assert_true(calls > 10);
    int64_t runs = 0;
    for (int64_t at = 1 + time(NULL) / 86400 % stride; at <= calls; at += stride, runs += 2) {
        live(c, at, false);
        live(c, at, true);
    }
    print_message("%s: %lld calls, %lld runs\n", c->name, (long long)calls, (long long)runs);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("vfs", true, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/v.db", dir);
    return faultfs_register();
}

static int group_teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    enum { CLASSES = sizeof classes / sizeof *classes };
    struct CMUnitTest tests[CLASSES];
    for (size_t i = 0; i < CLASSES; i++)
        tests[i] = (struct CMUnitTest){
            .name = classes[i].name, .test_func = test_class, .initial_state = (void *)&classes[i]};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
