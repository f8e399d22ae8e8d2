/* SPDX-License-Identifier: MIT
 * Who is who across snapshots and boots, and what a change is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyze/diff/diff.h"

static struct pt_process process(int64_t pid, int64_t start, const char *exe, const char *service,
                                 int64_t uid)
{
    return (struct pt_process){
        .pid = pid, .start_time = start, .exe = exe, .comm = "c", .service = service, .uid = uid};
}

static void identity_is_pid_and_start(void **state)
{
    (void)state;
    const struct pt_process a[] = {
        process(10, 100, "/bin/a", NULL, 0),
        process(11, 110, "/bin/b", NULL, 0),
        process(12, PT_UNKNOWN, "/bin/c", NULL, 0),
    };
    const struct pt_process b[] = {
        process(11, 999, "/bin/b", NULL, 0), /* a pid used again */
        process(10, 100, "/bin/z", NULL, 0), /* exec does not change who it is */
        process(12, PT_UNKNOWN, "/bin/c", NULL, 0),
    };
    size_t pair[3];
    enum pt_match match[3];
    assert_int_equal(pt_match_processes(a, 3, b, 3, true, pair, match, NULL), 0);
    assert_int_equal(pair[0], 1);
    assert_int_equal(match[0], PT_MATCH_IDENTITY);
    assert_true(pair[1] == SIZE_MAX);
    assert_true(pair[2] == SIZE_MAX); /* a pid alone is nobody */
    assert_int_equal(match[2], PT_MATCH_NONE);
}

static void across_boots(void **state)
{
    (void)state;
    const struct pt_process a[] = {
        process(1, 5, "/sbin/init", "init.scope", 0),
        process(90, 400, "/usr/sbin/nginx", "nginx.service", 33), /* a worker */
        process(80, 300, "/usr/sbin/nginx", "nginx.service", 0),  /* the main process */
        process(95, 500, "/opt/v1/app", "app.service", 7),
        process(96, 600, "/bin/bash", NULL, 1000),
        process(97, 700, "/bin/bash", NULL, 1001),
        process(98, 800, "/bin/gone", NULL, 0),
    };
    const struct pt_process b[] = {
        process(1, 6, "/sbin/init", "init.scope", 0),
        process(40, 200, "/usr/sbin/nginx (deleted)", "nginx.service", 0),
        process(41, 210, "/usr/sbin/nginx", "nginx.service", 33),
        process(50, 300, "/opt/v2/app2", "app.service",
                7),                                /* another program of the same service */
        process(96, 600, "/bin/bash", NULL, 1001), /* not who had this pid and start before */
        process(60, 700, "/bin/new", NULL, 0),
    };
    size_t pair[7];
    enum pt_match match[7];
    assert_int_equal(pt_match_processes(a, 7, b, 6, false, pair, match, NULL), 0);
    assert_int_equal(pair[0], 0);
    assert_int_equal(pair[1], 2);
    assert_int_equal(pair[2], 1);
    assert_int_equal(match[2], PT_MATCH_SERVICE);
    assert_int_equal(pair[3], 3);
    assert_int_equal(match[3], PT_MATCH_SERVICE);
    assert_true(pair[4] == SIZE_MAX); /* another user */
    assert_int_equal(pair[5], 4);
    assert_int_equal(match[5], PT_MATCH_EXE);
    assert_true(pair[6] == SIZE_MAX);
}

static void what_a_change_is(void **state)
{
    (void)state;
    struct pt_change c = pt_change_of(true, 5, true, 12);
    assert_true(c.before == 5 && c.after == 12 && c.delta == 7);
    c = pt_change_of(false, 0, true, 12); /* new: all of it */
    assert_true(c.before == PT_UNKNOWN && c.after == 12 && c.delta == 12);
    c = pt_change_of(true, 5, false, 0); /* gone */
    assert_true(c.before == 5 && c.after == PT_UNKNOWN && c.delta == -5);
    c = pt_change_of(true, PT_UNKNOWN, true, 12); /* there, but not known */
    assert_true(c.before == PT_UNKNOWN && c.delta == PT_UNKNOWN);
    c = pt_change_of(true, -2, true, INT64_MAX);
    assert_true(c.delta == PT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_pid_and_start),
        cmocka_unit_test(across_boots),
        cmocka_unit_test(what_a_change_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
