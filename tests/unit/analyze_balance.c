/* SPDX-License-Identifier: MIT
 * The balance sheet adds up, whatever the kernel tells. Units: bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyze/picture/balance.h"
#include "schema/frame.h"

#define K INT64_C(1024)

static int64_t sum(const struct pt_balance *b)
{
    int64_t total = 0;
    for (unsigned i = 0; i < PT_LINE_COUNT; i++)
        total += b->bytes[i];
    return total;
}

static struct pt_mem_values sample(void)
{
    struct pt_mem_values m;
    pt_mem_init(&m);
    m.v[PT_MEM_TOTAL] = 100000 * K;
    m.v[PT_MEM_FREE] = 40000 * K;
    m.v[PT_MEM_PCP] = 500 * K;
    m.v[PT_MEM_BUFFERS] = 1000 * K;
    m.v[PT_MEM_CACHED] = 20000 * K;
    m.v[PT_MEM_SHMEM] = 3000 * K;
    m.v[PT_MEM_ANON] = 25000 * K;
    m.v[PT_MEM_SWAP_CACHED] = 700 * K;
    m.v[PT_MEM_ACTIVE] = 30000 * K;
    m.v[PT_MEM_INACTIVE] = 16000 * K;
    m.v[PT_MEM_UNEVICTABLE] = 200 * K;
    m.v[PT_MEM_SRECLAIMABLE] = 4000 * K;
    m.v[PT_MEM_KRECLAIMABLE] = 4100 * K;
    m.v[PT_MEM_SUNRECLAIM] = 2000 * K;
    m.v[PT_MEM_KERNEL_STACK] = 600 * K;
    m.v[PT_MEM_VMALLOC] = 900 * K;
    m.v[PT_MEM_PAGE_TABLES] = 800 * K;
    m.v[PT_MEM_HUGE_COUNT] = 2;
    m.v[PT_MEM_HUGE_SIZE] = 2048 * K;
    return m;
}

static void overlaps_are_taken_out(void **state)
{
    (void)state;
    const struct pt_mem_values m = sample();
    struct pt_balance b;
    pt_balance_of(&m, &b);
    assert_true(b.total == 100000 * K);
    assert_true(b.bytes[PT_LINE_CACHE] == 18000 * K);
    assert_true(b.bytes[PT_LINE_SHMEM] == 3000 * K);
    assert_true(b.bytes[PT_LINE_SWAP_CACHE] ==
                200 * K); /* 46200 on the lists, 46000 told by others */
    assert_true(b.bytes[PT_LINE_KERNEL_RECLAIMABLE] == 100 * K);
    assert_true(b.bytes[PT_LINE_KERNEL_STACKS] == 600 * K);
    assert_true(b.bytes[PT_LINE_VMALLOC] == 300 * K);
    assert_true(b.bytes[PT_LINE_HUGETLB] == 4096 * K);
    assert_true(sum(&b) == b.total);
    assert_true(b.bytes[PT_LINE_UNACCOUNTED] == 1404 * K);
}

/* One line by what the kernel tells of it; -1: not told, or not known. */
static void lines_by_what_is_told(void **state)
{
    enum { NONE = -1 };
    static const int64_t most = INT64_C(1) << 56;
    const struct {
        enum pt_line line;
        int64_t want;
        enum pt_mem key[3];
        int64_t told[3];
    } cases[] = {
        /* all sizes of huge pages, where the kernel tells of all; else the default one */
        {PT_LINE_HUGETLB, 7, {PT_MEM_HUGETLB, PT_MEM_HUGE_COUNT, PT_MEM_HUGE_SIZE}, {7, 2, 2}},
        {PT_LINE_HUGETLB, 6, {PT_MEM_HUGETLB, PT_MEM_HUGE_COUNT, PT_MEM_HUGE_SIZE}, {NONE, 3, 2}},
        {PT_LINE_HUGETLB, NONE, {PT_MEM_HUGETLB, PT_MEM_HUGE_COUNT}, {NONE, 3}},
        {PT_LINE_HUGETLB, NONE, {PT_MEM_HUGETLB, PT_MEM_HUGE_SIZE}, {NONE, 3}},
        {PT_LINE_HUGETLB, most, {PT_MEM_HUGE_COUNT, PT_MEM_HUGE_SIZE}, {most / 4, 4}},
        {PT_LINE_HUGETLB, NONE, {PT_MEM_HUGE_COUNT, PT_MEM_HUGE_SIZE}, {most / 4 + 1, 4}},
        {PT_LINE_HUGETLB, NONE, {PT_MEM_HUGE_COUNT, PT_MEM_HUGE_SIZE}, {most, most}},
        /* the pages of a pool, or what those who use it told */
        {PT_LINE_ZSPAGES, 9, {PT_MEM_ZSPAGES, PT_MEM_ZSWAP}, {9, 4}},
        {PT_LINE_ZSPAGES, 9, {PT_MEM_ZSPAGES, PT_MEM_ZSWAP}, {4, 9}},
        {PT_LINE_ZSPAGES, 4, {PT_MEM_ZSPAGES}, {4}},
        {PT_LINE_ZSPAGES, 4, {PT_MEM_ZSWAP}, {4}},
        {PT_LINE_ZSPAGES, NONE, {PT_MEM_ANON}, {4}},
        {PT_LINE_KERNEL_RECLAIMABLE, 5, {PT_MEM_KRECLAIMABLE, PT_MEM_SRECLAIMABLE}, {9, 4}},
        {PT_LINE_KERNEL_RECLAIMABLE, 0, {PT_MEM_KRECLAIMABLE, PT_MEM_SRECLAIMABLE}, {4, 4}},
        {PT_LINE_KERNEL_RECLAIMABLE, 0, {PT_MEM_KRECLAIMABLE, PT_MEM_SRECLAIMABLE}, {4, 9}},
        {PT_LINE_KERNEL_RECLAIMABLE, NONE, {PT_MEM_KRECLAIMABLE}, {9}},
        {PT_LINE_KERNEL_RECLAIMABLE, NONE, {PT_MEM_SRECLAIMABLE}, {9}},
        {PT_LINE_KERNEL_STACKS, 9, {PT_MEM_KERNEL_STACK, PT_MEM_SHADOW_STACK}, {4, 5}},
        {PT_LINE_KERNEL_STACKS, NONE, {PT_MEM_SHADOW_STACK}, {5}},
        {PT_LINE_VMALLOC, 3, {PT_MEM_VMALLOC, PT_MEM_KERNEL_STACK, PT_MEM_SHADOW_STACK}, {9, 4, 2}},
        {PT_LINE_VMALLOC, 0, {PT_MEM_VMALLOC, PT_MEM_KERNEL_STACK}, {2, 4}},
        {PT_LINE_VMALLOC, NONE, {PT_MEM_KERNEL_STACK}, {4}},
        {PT_LINE_CACHE, 10, {PT_MEM_CACHED, PT_MEM_BUFFERS, PT_MEM_SHMEM}, {9, 5, 4}},
        {PT_LINE_CACHE, -3, {PT_MEM_CACHED, PT_MEM_SHMEM}, {1, 4}}, /* read while it changed */
        {PT_LINE_CACHE, NONE, {PT_MEM_BUFFERS}, {5}},
        /* those on the lists that no other line holds */
        {PT_LINE_SWAP_CACHE, 3, {PT_MEM_SWAP_CACHED, PT_MEM_ACTIVE, PT_MEM_ANON}, {9, 7, 4}},
        {PT_LINE_SWAP_CACHE, 2, {PT_MEM_SWAP_CACHED, PT_MEM_INACTIVE, PT_MEM_ANON}, {2, 7, 4}},
        {PT_LINE_SWAP_CACHE, 1, {PT_MEM_SWAP_CACHED, PT_MEM_UNEVICTABLE, PT_MEM_CACHED}, {2, 7, 6}},
        {PT_LINE_SWAP_CACHE, 0, {PT_MEM_SWAP_CACHED, PT_MEM_ACTIVE, PT_MEM_BUFFERS}, {2, 7, 8}},
        {PT_LINE_SWAP_CACHE, NONE, {PT_MEM_ACTIVE}, {7}},
        /* what no machine has is not known */
        {PT_LINE_FREE, most, {PT_MEM_FREE}, {most}},
        {PT_LINE_FREE, NONE, {PT_MEM_FREE}, {most + 1}},
        {PT_LINE_FREE, 0, {PT_MEM_FREE}, {0}},
        {PT_LINE_FREE, NONE, {PT_MEM_FREE}, {-2}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pt_mem_values m;
        struct pt_balance b;
        pt_mem_init(&m);
        m.v[PT_MEM_TOTAL] = most;
        for (int k = 0; k < 3; k++)
            if (cases[i].key[k] != PT_MEM_TOTAL)
                m.v[cases[i].key[k]] = cases[i].told[k] == NONE ? PT_UNKNOWN : cases[i].told[k];
        pt_balance_of(&m, &b);
        const int64_t got = b.known[cases[i].line] ? b.bytes[cases[i].line] : NONE;
        if (got != cases[i].want)
            fail_msg("case %zu, %s: %lld, not %lld", i, pt_line_name(cases[i].line), (long long)got,
                     (long long)cases[i].want);
    }
}

/* What is known of both stays; what is known of one goes into what is not accounted for. */
static void two_are_made_alike(void **state)
{
    struct pt_mem_values m[2];
    struct pt_balance b[2];
    (void)state;
    for (int k = 0; k < 2; k++) {
        pt_mem_init(&m[k]);
        m[k].v[PT_MEM_TOTAL] = 1000;
        m[k].v[PT_MEM_FREE] = 100 + k;
        m[k].v[k ? PT_MEM_ANON : PT_MEM_PERCPU] = 50;
        pt_balance_of(&m[k], &b[k]);
    }
    pt_balance_align(&b[0], &b[1]);
    for (int k = 0; k < 2; k++) {
        assert_true(b[k].known[PT_LINE_FREE] && b[k].bytes[PT_LINE_FREE] == 100 + k);
        assert_false(b[k].known[PT_LINE_ANON] || b[k].known[PT_LINE_PERCPU]);
        assert_true(b[k].bytes[PT_LINE_UNACCOUNTED] == 900 - k);
    }
}

static void absent_is_not_zero(void **state)
{
    (void)state;
    struct pt_mem_values m;
    struct pt_balance b;
    pt_mem_init(&m);
    pt_balance_of(&m, &b);
    assert_true(b.total == PT_UNKNOWN);
    assert_false(b.known[PT_LINE_UNACCOUNTED]);
    m.v[PT_MEM_TOTAL] = 1000 * K;
    m.v[PT_MEM_FREE] = 1200 * K; /* a torn reading: the rest is negative, and says so */
    pt_balance_of(&m, &b);
    assert_true(b.known[PT_LINE_FREE]);
    assert_false(b.known[PT_LINE_PERCPU]);
    assert_true(b.bytes[PT_LINE_UNACCOUNTED] == -200 * K);
    assert_true(sum(&b) == b.total);
}

static void any_numbers_add_up(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct pt_mem_values m[2];
        struct pt_balance b[2];
        for (int k = 0; k < 2; k++) {
            pt_mem_init(&m[k]);
            for (unsigned i = 0; i < PT_MEM_COUNT; i++) {
                if (i == PT_MEM_TOTAL || rand() % 4)
                    m[k].v[i] = rand() % 100000 * K;
            }
            pt_balance_of(&m[k], &b[k]);
            assert_true(sum(&b[k]) == b[k].total);
        }
        pt_balance_align(&b[0], &b[1]);
        int64_t change = 0;
        for (unsigned i = 0; i < PT_LINE_COUNT; i++) {
            assert_int_equal(b[0].known[i], b[1].known[i]);
            assert_true(b[0].known[i] || (b[0].bytes[i] == 0 && b[1].bytes[i] == 0));
            change += b[1].bytes[i] - b[0].bytes[i];
        }
        assert_true(sum(&b[0]) == b[0].total && sum(&b[1]) == b[1].total);
        assert_true(change == b[1].total - b[0].total);
    }
}

/* What a damaged file says of a machine is not believed, and nothing overflows. */
static void absurd_numbers_add_up(void **state)
{
    static const int64_t absurd[] = {INT64_MAX, INT64_MAX - 1023, -1, PT_UNKNOWN + 1, 0, 1};
    (void)state;
    srand(8);
    for (int round = 0; round < 2000; round++) {
        struct pt_mem_values m;
        struct pt_balance b;
        pt_mem_init(&m);
        for (unsigned i = 0; i < PT_MEM_COUNT; i++)
            m.v[i] = rand() % 3 ? absurd[rand() % 6] : rand() % 100000 * K;
        pt_balance_of(&m, &b);
        assert_true(b.total == PT_UNKNOWN || sum(&b) == b.total);
        for (unsigned i = 0; i < PT_LINE_UNACCOUNTED; i++)
            assert_true(b.bytes[i] >= 0 || i == PT_LINE_CACHE);
    }
}

static void lines_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PT_LINE_COUNT; i++) {
        assert_non_null(pt_line_name((enum pt_line)i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(pt_line_name((enum pt_line)i), pt_line_name((enum pt_line)k));
    }
    assert_string_equal(pt_mem_key(PT_MEM_TOTAL), "MemTotal");
    assert_string_equal(pt_mem_key(PT_MEM_HUGE_SIZE), "Hugepagesize");
    assert_null(pt_mem_key(PT_MEM_PCP)); /* of zoneinfo */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps_are_taken_out), cmocka_unit_test(lines_by_what_is_told),
        cmocka_unit_test(two_are_made_alike),     cmocka_unit_test(absent_is_not_zero),
        cmocka_unit_test(any_numbers_add_up),     cmocka_unit_test(absurd_numbers_add_up),
        cmocka_unit_test(lines_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
