/* SPDX-License-Identifier: MIT
 * Two smaps compared: classes, merging mappings, constant mappings, arenas, what came and went. */
#include <math.h>
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
    unsigned rss, swap, anonymous, lazy, inode, huge;
};

static size_t text_of(const struct row *rows, size_t n, char *buf, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(
            buf + len, size - len,
            "%lx-%lx %s 00000000 00:00 %u %s%s\nSize: %8lu kB\nRss: %8u kB\nAnonymous: %8u kB\n"
            "LazyFree: %8u kB\nAnonHugePages: %u kB\nSwap: %8u kB\nVmFlags: rd wr\n",
            rows[i].start, rows[i].end, rows[i].perms, rows[i].inode,
            *rows[i].path ? "                  " : "", rows[i].path,
            (rows[i].end - rows[i].start) / 1024, rows[i].rss, rows[i].anonymous, rows[i].lazy,
            rows[i].huge, rows[i].swap);
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
        {0x555500000000, 0x555500100000, "rw-p", "[heap]", 1024, 0, 1024, 0, 0, 0},
        {0x7f0000000000, 0x7f0000010000, "r-xp", "/usr/lib/x.so", 64, 0, 0, 0, 0, 0}};
    static const struct row b[] = {
        {0x555500000000, 0x555500500000, "rw-p", "[heap]", 4096, 512, 4096, 0, 0, 0},
        {0x7f0000000000, 0x7f0000010000, "r-xp", "/usr/lib/x.so", 60, 0, 0, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.known);
    assert_int_equal(f.largest, PT_CLASS_HEAP);
    assert_true(f.parts.growth == 3584 * KIB); /* swap counts, clean pages of files do not */
    assert_true(f.growth[PT_CLASS_HEAP] == 3584 * KIB);
    assert_true(f.parts.largest == 3584 * KIB);
    assert_true(f.parts.constant == 0);
    assert_int_equal(f.ntop, 1);
    assert_string_equal(f.top[0].name, "[heap]");
}

/* A mapping that grows downward: the start moves, the end stays. Its growth is its own. */
static void merging_is_one(void **state)
{
    (void)state;
    static const struct row a[] = {
        {0x7f0000800000, 0x7f0000900000, "rw-p", "", 1000, 0, 1000, 0, 0, 0},
        {0x7f0000a00000, 0x7f0000b00000, "rw-p", "", 300, 0, 300, 0, 0, 0}};
    static const struct row b[] = {
        {0x7f0000100000, 0x7f0000900000, "rw-p", "", 8000, 0, 8000, 0, 0, 0},
        {0x7f0000a00000, 0x7f0000b00000, "rw-p", "", 300, 0, 300, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.growth == 7000 * KIB);
    assert_true(f.parts.mapped == 0x700000);
    assert_true(f.parts.constant == 0);
}

/* One that ends where it ended is the same, whatever else it now overlaps. */
static void end_before_overlap(void **state)
{
    (void)state;
    static const struct row a[] = {{0x080000, 0x200000, "rw-p", "", 1000, 0, 1000, 0, 0, 0},
                                   {0x200000, 0x300000, "rw-p", "", 1000, 0, 1000, 0, 0, 0}};
    static const struct row b[] = {{0x180000, 0x300000, "rw-p", "", 1500, 0, 1500, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.constant == 0);
    assert_true(f.parts.growth == -500 * KIB);
}

static void room_is_left(void **state)
{
    (void)state;
    static const struct row a[] = {
        {0x7f0000000000, 0x7f0001000000, "rw-p", "", 1024, 0, 1024, 0, 0, 0}};
    static const struct row b[] = {
        {0x7f0000000000, 0x7f0001000000, "rw-p", "", 9216, 0, 9216, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.constant == 8192 * KIB);
    assert_true(f.parts.room == 7168 * KIB);
}

/* One aligned region of 64 MiB, of which the rest is barred; the same without the rest is none. */
static void arenas_are_told(void **state)
{
    (void)state;
    static const struct row a[] = {
        {0x7f0008000000, 0x7f0008100000, "rw-p", "", 900, 0, 900, 0, 0, 0},
        {0x7f0008100000, 0x7f000c000000, "---p", "", 0, 0, 0, 0, 0, 0},
        {0x7f0010000000, 0x7f0010100000, "rw-p", "", 100, 0, 100, 0, 0, 0}};
    static const struct row b[] = {
        {0x7f0008000000, 0x7f0008900000, "rw-p", "", 9000, 0, 9000, 0, 0, 0},
        {0x7f0008900000, 0x7f000c000000, "---p", "", 0, 0, 0, 0, 0, 0},
        {0x7f0010000000, 0x7f0010100000, "rw-p", "", 100, 0, 100, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_int_equal(f.largest, PT_CLASS_ARENA);
    assert_true(f.growth[PT_CLASS_ARENA] == 8100 * KIB);
    assert_true(f.parts.arena == 8100 * KIB);
    assert_true(f.growth[PT_CLASS_ANON] == 0);
}

/* Of Go's heap, far from the stack. */
static void aligned_elsewhere_is_no_arena(void **state)
{
    (void)state;
    static const struct row a[] = {
        {0xc000000000, 0xc000400000, "rw-p", "", 900, 0, 900, 0, 0, 0},
        {0xc000400000, 0xc004000000, "---p", "", 0, 0, 0, 0, 0, 0},
        {0x7ffc00000000, 0x7ffc00100000, "rw-p", "[stack]", 9, 0, 9, 0, 0, 0}};
    static const struct row b[] = {
        {0xc000000000, 0xc000800000, "rw-p", "", 8000, 0, 8000, 0, 0, 0},
        {0xc000800000, 0xc004000000, "---p", "", 0, 0, 0, 0, 0, 0},
        {0x7ffc00000000, 0x7ffc00100000, "rw-p", "[stack]", 9, 0, 9, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_int_equal(f.largest, PT_CLASS_ANON);
    assert_true(f.growth[PT_CLASS_ARENA] == 0);
}

/* What is only on one side counts whole; shared memory is no private growth; what was lazily freed
 * is taken off. */
static void sides_and_shares(void **state)
{
    (void)state;
    static const struct row a[] = {{0x100000, 0x200000, "rw-p", "", 500, 0, 500, 0, 0, 0}};
    static const struct row b[] = {
        {0x300000, 0x900000, "rw-p", "", 2000, 0, 2000, 400, 0, 0},
        {0x7f0000000000, 0x7f0001000000, "rw-s", "/memfd:x (deleted)", 7000, 0, 0, 0, 0, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_true(f.parts.growth == 1100 * KIB);
    assert_true(f.parts.lazy == 400 * KIB);
    assert_true(f.growth[PT_CLASS_SHMEM] == 7000 * KIB);
    assert_int_equal(f.largest, PT_CLASS_ANON);
    assert_string_equal(f.top[0].name, "/memfd:x");
}

/* Whichever end it kept, and where it kept none what it overlaps: memory in a mapping that did not
 * grow is room that was there. Not of another class, and each mapping only once. */
static void which_is_which(void **state)
{
    (void)state;
    static const struct {
        struct row a[2], b[2];
        unsigned constant, growth; /* KiB */
    } cases[] = {
        {{{0x200000, 0x400000, "rw-p", "", 500, 0, 500, 0, 0, 0}},
         {{0x200000, 0x300000, "rw-p", "", 900, 0, 900, 0, 0, 0}},
         400,
         400},
        {{{0x200000, 0x400000, "rw-p", "", 500, 0, 500, 0, 0, 0}},
         {{0x300000, 0x400000, "rw-p", "", 900, 0, 900, 0, 0, 0}},
         400,
         400},
        {{{0x200000, 0x400000, "rw-p", "", 500, 0, 500, 0, 0, 0}},
         {{0x280000, 0x380000, "rw-p", "", 900, 0, 900, 0, 0, 0}},
         400,
         400},
        {{{0x200000, 0x300000, "rw-p", "", 500, 0, 500, 0, 0, 0}},
         {{0x300000, 0x400000, "rw-p", "", 900, 0, 900, 0, 0, 0}}, /* side by side */
         0,
         400},
        {{{0x200000, 0x400000, "rw-p", "[heap]", 500, 0, 500, 0, 0, 0}},
         {{0x200000, 0x400000, "rw-p", "", 900, 0, 900, 0, 0, 0}},
         0,
         400},
        /* split in two: the first half goes on, the second is new */
        {{{0x200000, 0x400000, "rw-p", "", 500, 0, 500, 0, 0, 0}},
         {{0x200000, 0x300000, "rw-p", "", 600, 0, 600, 0, 0, 0},
          {0x300000, 0x400000, "rw-p", "", 300, 0, 300, 0, 0, 0}},
         100,
         400},
        /* the one that begins there before the one that ends there, and that before any other */
        {{{0x100000, 0x300000, "rw-p", "", 100, 0, 100, 0, 0, 0},
          {0x300000, 0x400000, "rw-p", "", 700, 0, 700, 0, 0, 0}},
         {{0x200000, 0x400000, "rw-p", "", 800, 0, 800, 0, 0, 0}},
         0,
         0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct pt_parts_found f =
            compare(cases[i].a, cases[i].a[1].end ? 2 : 1, cases[i].b, cases[i].b[1].end ? 2 : 1);
        if (fabs(f.parts.constant - cases[i].constant * KIB) > 0 ||
            fabs(f.parts.growth - cases[i].growth * KIB) > 0)
            fail_msg("case %zu: %g KiB of %g", i, f.parts.constant / KIB, f.parts.growth / KIB);
    }
}

/* What grew most is first, what shrank is not there; one name is one line, and one object where all
 * of it is of one. */
static void names_by_growth(void **state)
{
    (void)state;
    static const struct row a[] = {{0x100000, 0x200000, "rw-p", "/opt/a.so", 10, 0, 10, 0, 3, 0},
                                   {0x300000, 0x400000, "rw-p", "/opt/b.so", 90, 0, 90, 0, 4, 0}},
                            b[] = {{0x100000, 0x200000, "rw-p", "/opt/a.so", 110, 0, 110, 0, 3, 0},
                                   {0x300000, 0x400000, "rw-p", "/opt/b.so", 50, 0, 50, 0, 4, 0},
                                   {0x500000, 0x600000, "rw-s", "/memfd:x", 100, 0, 0, 0, 77, 0},
                                   {0x700000, 0x800000, "rw-s", "/memfd:x", 150, 0, 0, 0, 77, 0},
                                   {0x900000, 0xa00000, "rw-s", "/memfd:y", 60, 0, 0, 0, 78, 0},
                                   {0xb00000, 0xc00000, "rw-s", "/memfd:y", 140, 0, 0, 0, 79, 0},
                                   {0xd00000, 0xe00000, "rw-p", "[heap]", 20, 0, 20, 0, 0, 0}};
    static const struct {
        const char *name;
        enum pt_class of;
        unsigned growth, mappings, inode;
    } want[] = {{"/memfd:x", PT_CLASS_SHMEM, 250, 2, 77},
                {"/memfd:y", PT_CLASS_SHMEM, 200, 2, 0},
                {"/opt/a.so", PT_CLASS_PRIVATE_FILE, 100, 1, 0},
                {"[heap]", PT_CLASS_HEAP, 20, 1, 0}};
    const struct pt_parts_found f = COMPARE(a, b);
    assert_int_equal(f.ntop, 4);
    for (int i = 0; i < f.ntop; i++) {
        assert_string_equal(f.top[i].name, want[i].name);
        assert_int_equal(f.top[i].of, want[i].of);
        assert_true(fabs(f.top[i].growth - want[i].growth * KIB) <= 0);
        assert_int_equal(f.top[i].mappings, want[i].mappings);
        assert_int_equal(f.top[i].inode, want[i].inode);
    }
    assert_true(fabs(f.parts.growth - 80 * KIB) <= 0);
    for (int c = 0; c < PT_CLASS_COUNT; c++)
        assert_non_null(pt_class_name((enum pt_class)c));
    assert_string_equal(pt_class_name(PT_CLASS_ARENA), "arena");
    assert_int_equal(pt_class_of("[anon]", 6), PT_CLASS_ANON);
    assert_int_equal(pt_class_of("[heap]", 6), PT_CLASS_HEAP);
    assert_int_equal(pt_class_of("/opt/a.so", 9), PT_CLASS_PRIVATE_FILE);
}

/* More than one table holds of names and of mappings; the five that grew most. */
static void very_many(void **state)
{
    enum { MANY = 700 };
    static struct row rows[MANY];
    static char paths[MANY][24], text[MANY * 256];
    struct pt_parts_found f;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/opt/lib-x%c%c%c.so", 'a' + i % 26, 'a' + i / 26 % 26,
                 'a' + i / 676);
        rows[i] = (struct row){0x100000UL * (unsigned)(i + 1),
                               0x100000UL * (unsigned)(i + 1) + 0x80000,
                               "rw-p",
                               paths[i],
                               (unsigned)i + 1,
                               0,
                               (unsigned)i + 1,
                               0,
                               0,
                               2};
    }
    const size_t len = text_of(rows, MANY, text, sizeof(text));
    assert_true(len < sizeof(text));
    assert_int_equal(pt_parts_of("", 0, text, len, &f), 0);
    assert_int_equal(f.ntop, PT_TOP_MAPPINGS);
    for (int i = 0; i < f.ntop; i++) {
        assert_string_equal(f.top[i].name, paths[MANY - 1 - i]);
        assert_true(fabs(f.top[i].growth - (MANY - i) * KIB) <= 0);
    }
    assert_true(fabs(f.parts.growth - MANY * (MANY + 1) / 2 * KIB) <= 0);
    assert_true(fabs(f.parts.huge - 2 * MANY * KIB) <= 0);
    assert_true(fabs(f.parts.mapped - MANY * 512 * KIB) <= 0);
    assert_int_equal(pt_parts_of(text, len, text, len, &f), 0); /* each is found again */
    assert_true(f.ntop == 0 && fabs(f.parts.growth) <= 0 && fabs(f.parts.mapped) <= 0);
    assert_int_equal(pt_parts_of(text, len, "", 0, &f), 0); /* all are gone */
    assert_true(fabs(f.parts.huge + 2 * MANY * KIB) <= 0);
    assert_true(fabs(f.parts.growth + MANY * (MANY + 1) / 2 * KIB) <= 0);
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
        cmocka_unit_test(which_is_which),
        cmocka_unit_test(names_by_growth),
        cmocka_unit_test(very_many),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
