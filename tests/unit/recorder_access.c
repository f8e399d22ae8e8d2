/* SPDX-License-Identifier: MIT
 * What may not be read, in one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "recorder/access.h"

static void gathers(void **state)
{
    (void)state;
    struct pt_access a = {.rows = 0};
    char text[PT_ACCESS_TEXT];
    pt_access_add(&a, "proc:12/smaps", ENOENT); /* gone, not forbidden */
    pt_access_add(&a, NULL, EACCES);
    assert_true(!pt_access_denied(&a, text));
    pt_access_add(&a, "proc:slabinfo", EACCES);
    pt_access_add(&a, "proc:12/smaps", EACCES);
    pt_access_add(&a, "proc:13/smaps", EPERM);
    pt_access_add(&a, "proc:13/ns/x", EPERM);
    pt_access_add(&a, "cgroup:a/b/memory.stat", EACCES);
    pt_access_add(&a, "proc:sys/vm/x", EACCES);
    pt_access_add(&a, "proc:1x/smaps", EACCES);
    pt_access_add(&a, "sys:kernel/debug/zswap/*", EACCES);
    assert_true(pt_access_denied(&a, text));
    assert_string_equal(text, "not permitted to read: proc:slabinfo, smaps of 2 processes, "
                              "ns/x of 1 process, memory.stat of 1 cgroup, proc:sys/vm/x, "
                              "proc:1x/smaps, sys:kernel/debug/zswap/*");
}

/* More kinds than there is room for are counted, and the line is whole. */
static void overflows(void **state)
{
    (void)state;
    struct pt_access a = {.rows = 0};
    char text[PT_ACCESS_TEXT], name[128];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "proc:%d%.*d", i, i % 50, 0);
        pt_access_add(&a, name, EACCES);
    }
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    pt_access_add(&a, name, EACCES);
    assert_true(pt_access_denied(&a, text));
    const size_t n = strlen(text);
    assert_true(n < sizeof(text) && n > 5 && strcmp(text + n - 5, " more") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers),
        cmocka_unit_test(overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
