/* SPDX-License-Identifier: MIT
 * Which mounts may be asked for their usage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "recorder/mounts.h"

static void expect(const char *text, const char *prefix, const char *names, const char *paths)
{
    struct pt_mounts m;
    char got[512] = "", where[512] = "";
    size_t n = 0, k = 0;
    pt_mounts_parse(&m, text, strlen(text), prefix);
    for (uint32_t i = 0; i < m.n; i++) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s,", m.mount[i].name);
        k += (size_t)snprintf(where + k, sizeof(where) - k, "%s,", m.mount[i].path);
    }
    assert_string_equal(got, names);
    assert_string_equal(where, paths);
    pt_mounts_release(&m);
}

static void only_tmpfs(void **state)
{
    (void)state;
    expect("/dev/vda / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\nx /n nfs4 rw 0 0\ntmpfs /dev/shm "
           "tmpfs rw 0 0\n",
           "", "statfs:/run,statfs:/dev/shm,", "/run,/dev/shm,");
    expect("tmpfs /my\\040dir\\134x tmpfs rw 0 0\n", "/host/proc/1/root",
           "statfs:/my\\040dir\\134x,", "/host/proc/1/root/my dir\\x,");
    expect("tmpfs /a tmpfs rw 0 0\ntmpfs /a tmpfs rw 0 0\n", "", "statfs:/a,", "/a,");
}

/* Anything that may wait for a server on the way, before or after, rules a mount out. */
static void nothing_that_waits(void **state)
{
    (void)state;
    expect("s:/x /n nfs rw 0 0\ntmpfs /n/t tmpfs rw 0 0\n", "", "", "");
    expect("tmpfs /t tmpfs rw 0 0\ns:/x /t nfs rw 0 0\n", "", "", "");
    expect("tmpfs /t/u tmpfs rw 0 0\nauto /t autofs rw 0 0\n", "", "", "");
    expect("tmpfs /t/u tmpfs rw 0 0\nf /t fuse.sshfs rw 0 0\n", "", "", "");
    expect("tmpfs /nfs tmpfs rw 0 0\ns:/x /nf nfs rw 0 0\n", "", "statfs:/nfs,", "/nfs,");
}

static void rubbish(void **state)
{
    (void)state;
    expect("", "", "", "");
    expect("tmpfs", "", "", "");
    expect("tmpfs /x", "", "", "");
    expect("tmpfs relative tmpfs rw 0 0\n", "", "", "");
    expect("\n\n \ntmpfs /x\\ tmpfs rw\ntmpfs /y\\04 tmpfs", "", "statfs:/x\\,statfs:/y\\04,",
           "/x\\,/y\\04,");
    char text[PT_MOUNTS_MAX * 64 + 64];
    size_t n = 0;
    struct pt_mounts m;
    for (int i = 0; i < PT_MOUNTS_MAX + 5; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "tmpfs /m%d tmpfs rw 0 0\n", i);
    pt_mounts_parse(&m, text, n, "");
    assert_int_equal(m.n, PT_MOUNTS_MAX);
    pt_mounts_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tmpfs),
        cmocka_unit_test(nothing_that_waits),
        cmocka_unit_test(rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
