/* SPDX-License-Identifier: MIT
 * Two smaps compared: classes, merging mappings, constant mappings, arenas, what came and went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "analyze/leaks/parts.h"

#define KIB 1024.0

struct row {
    unsigned long start, end;
    const char *perms, *path;
    unsigned rss, swap, anonymous, lazy;
};

static size_t text_of(const struct row *rows, size_t n, char *buf, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(
            buf + len, size - len,
            "%lx-%lx %s 00000000 00:00 0 %s%s\nSize: %8lu kB\nRss: %8u kB\nAnonymous: %8u kB\n"
            "LazyFree: %8u kB\nAnonHugePages: 0 kB\nSwap: %8u kB\nVmFlags: rd wr\n",
            rows[i].start, rows[i].end, rows[i].perms, *rows[i].path ? "                  " : "",
            rows[i].path, (rows[i].end - rows[i].start) / 1024, rows[i].rss, rows[i].anonymous,
            rows[i].lazy, rows[i].swap);
    return len;
}

static struct pt_parts_found compare(const struct row *a, size_t na, const struct row *b, size_t nb)
{
    static char before[1 << 16], after[1 << 16];
    struct pt_parts_found found;
    const size_t la = text_of(a, na, before, sizeof(before));
    const size_t lb = text_of(b, nb, after, sizeof(after));
    assert_int_equal(pt_parts_of(before, la, after, lb, &found), 0);
    return found;
}
#define COMPARE(a, b) compare(a, sizeof(a) / sizeof(*a), b, sizeof(b) / sizeof(*b))

static void heap_grows(void **state)
{
    (void)state;
    static const struct row a[] = {
        {0x555500000000, 0x555500100000, "rw-p", "[heap]", 1024, 0, 1024, 0},
        {0x7f0000000000, 0x7f0000010000, "r-xp", "/usr/lib/x.so", 64, 0, 0, 0}};
    static const struct row b[] = {
        {0x555500000000, 0x555500500000, "rw-p", "[heap]", 4096, 512, 4096, 0},
        {0x7f0000000000, 0x7f0000010000, "r-xp", "/usr/lib/x.so", 60, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.known);
    assert_int_equal(f.largest, PT_CLASS_HEAP);
    assert_true(f.parts.growth == 3584 * KIB); /* swap counts, clean pages of files do not */
    assert_true(f.growth[PT_CLASS_HEAP] == 3584 * KIB);
    assert_true(f.parts.constant == 0);
    assert_int_equal(f.ntop, 1);
    assert_string_equal(f.top[0].name, "[heap]");
}

/* A mapping that grows downward: the start moves, the end stays. Its growth is its own. */
static void merging_is_one(void **state)
{
    (void)state;
    static const struct row a[] = {{0x7f0000800000, 0x7f0000900000, "rw-p", "", 1000, 0, 1000, 0},
                                   {0x7f0000a00000, 0x7f0000b00000, "rw-p", "", 300, 0, 300, 0}};
    static const struct row b[] = {{0x7f0000100000, 0x7f0000900000, "rw-p", "", 8000, 0, 8000, 0},
                                   {0x7f0000a00000, 0x7f0000b00000, "rw-p", "", 300, 0, 300, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.growth == 7000 * KIB);
    assert_true(f.parts.mapped == 0x700000);
    assert_true(f.parts.constant == 0);
}

/* One that ends where it ended is the same, whatever else it now overlaps. */
static void end_before_overlap(void **state)
{
    (void)state;
    static const struct row a[] = {{0x080000, 0x200000, "rw-p", "", 1000, 0, 1000, 0},
                                   {0x200000, 0x300000, "rw-p", "", 1000, 0, 1000, 0}};
    static const struct row b[] = {{0x180000, 0x300000, "rw-p", "", 1500, 0, 1500, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.constant == 0);
    assert_true(f.parts.growth == -500 * KIB);
}

static void room_is_left(void **state)
{
    (void)state;
    static const struct row a[] = {{0x7f0000000000, 0x7f0001000000, "rw-p", "", 1024, 0, 1024, 0}};
    static const struct row b[] = {{0x7f0000000000, 0x7f0001000000, "rw-p", "", 9216, 0, 9216, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.constant == 8192 * KIB);
    assert_true(f.parts.room == 7168 * KIB);
}

/* One aligned region of 64 MiB, of which the rest is barred; the same without the rest is none. */
static void arenas_are_told(void **state)
{
    (void)state;
    static const struct row a[] = {{0x7f0008000000, 0x7f0008100000, "rw-p", "", 900, 0, 900, 0},
                                   {0x7f0008100000, 0x7f000c000000, "---p", "", 0, 0, 0, 0},
                                   {0x7f0010000000, 0x7f0010100000, "rw-p", "", 100, 0, 100, 0}};
    static const struct row b[] = {{0x7f0008000000, 0x7f0008900000, "rw-p", "", 9000, 0, 9000, 0},
                                   {0x7f0008900000, 0x7f000c000000, "---p", "", 0, 0, 0, 0},
                                   {0x7f0010000000, 0x7f0010100000, "rw-p", "", 100, 0, 100, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_int_equal(f.largest, PT_CLASS_ARENA);
    assert_true(f.growth[PT_CLASS_ARENA] == 8100 * KIB);
    assert_true(f.growth[PT_CLASS_ANON] == 0);
}

/* Of Go's heap, far from the stack. */
static void aligned_elsewhere_is_no_arena(void **state)
{
    (void)state;
    static const struct row a[] = {{0xc000000000, 0xc000400000, "rw-p", "", 900, 0, 900, 0},
                                   {0xc000400000, 0xc004000000, "---p", "", 0, 0, 0, 0},
                                   {0x7ffc00000000, 0x7ffc00100000, "rw-p", "[stack]", 9, 0, 9, 0}};
    static const struct row b[] = {{0xc000000000, 0xc000800000, "rw-p", "", 8000, 0, 8000, 0},
                                   {0xc000800000, 0xc004000000, "---p", "", 0, 0, 0, 0},
                                   {0x7ffc00000000, 0x7ffc00100000, "rw-p", "[stack]", 9, 0, 9, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_int_equal(f.largest, PT_CLASS_ANON);
    assert_true(f.growth[PT_CLASS_ARENA] == 0);
}

/* What is only on one side counts whole; shared memory is no private growth; what was lazily freed
 * is taken off. */
static void sides_and_shares(void **state)
{
    (void)state;
    static const struct row a[] = {{0x100000, 0x200000, "rw-p", "", 500, 0, 500, 0}};
    static const struct row b[] = {
        {0x300000, 0x900000, "rw-p", "", 2000, 0, 2000, 400},
        {0x7f0000000000, 0x7f0001000000, "rw-s", "/memfd:x (deleted)", 7000, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.growth == 1100 * KIB);
    assert_true(f.parts.lazy == 400 * KIB);
    assert_true(f.growth[PT_CLASS_SHMEM] == 7000 * KIB);
    assert_int_equal(f.largest, PT_CLASS_ANON);
    assert_string_equal(f.top[0].name, "/memfd:x");
}

static void any_bytes(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\n", "Rss: 5 kB\n", "zz-yy rw-p 0 0:0 0\nRss: x kB\n",
                                      "100000-200000 rw-p 00000000 00:00 0"};
    struct pt_parts_found f;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
            assert_int_equal(pt_parts_of(bad[i], strlen(bad[i]), bad[k], strlen(bad[k]), &f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_grows),
        cmocka_unit_test(merging_is_one),
        cmocka_unit_test(end_before_overlap),
        cmocka_unit_test(room_is_left),
        cmocka_unit_test(arenas_are_told),
        cmocka_unit_test(sides_and_shares),
        cmocka_unit_test(aligned_elsewhere_is_no_arena),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
