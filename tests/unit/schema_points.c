/* SPDX-License-Identifier: MIT
 * Points are in order whichever way they are sorted, and a few of them take no table of all
 * instants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>

#include "schema/store_points.h"

enum { MOST = 3000 };
static const char rows[8], fields[8];

static struct pt_made random_point(uint32_t nticks)
{
    return (struct pt_made){.tick = (uint32_t)rand() % nticks,
                            .instance = (uint32_t)rand() % 3,
                            .row = rows + rand() % 8,
                            .field = fields + rand() % 8};
}

/* Of two by the first that is not the same. */
static int order(const struct pt_made *a, const struct pt_made *b)
{
    const int64_t by[] = {(int64_t)a->tick - b->tick, (int64_t)a->instance - b->instance,
                          a->row - b->row, a->field - b->field};
    for (int i = 0; i < 4; i++)
        if (by[i])
            return by[i] < 0 ? -1 : 1;
    return 0;
}

/* A mark of the whole that no order changes. */
static uint64_t mark_of(const struct pt_made *v, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)(v[i].value * v[i].value + 31 * v[i].value);
    return sum;
}

static void all_ways_of_sorting(void **state)
{
    /* in place; all at once; by tick, few of each; by tick, many of each; all at the last one */
    static const struct {
        size_t n;
        uint32_t nticks;
    } cases[] = {{0, 1},    {1, 1},      {2, 5},      {24, 3},    {24, 900},  {25, 1000},
                 {25, 200}, {25, 201},   {100, 5000}, {900, 100}, {3000, 40}, {3000, 1},
                 {25, 1},   {400, 3200}, {400, 3210}, {48, 2}};
    (void)state;
    srand(1);
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
        const size_t n = cases[c].n;
        struct pt_made *v = malloc(MOST * sizeof(*v));
        assert_non_null(v);
        for (size_t i = 0; i < n; i++) {
            v[i] = random_point(cases[c].nticks);
            v[i].value = (int64_t)i + 1;
        }
        const uint64_t mark = mark_of(v, n);
        assert_true(pt_made_sort(&v, n, cases[c].nticks));
        for (size_t i = 1; i < n; i++)
            if (order(&v[i - 1], &v[i]) > 0)
                fail_msg("case %zu: %zu is out of order", c, i);
        assert_true(mark_of(v, n) == mark);
        free(v);
    }
}

static long most_kb(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

/* A block may be of many instants, and hold many sources that tell of few of them. */
static void a_few_take_no_table(void **state)
{
    enum { FEW = 40, INSTANTS = 1 << 25 };
    struct pt_made *v = malloc(FEW * sizeof(*v));
    (void)state;
    assert_non_null(v);
    for (int i = 0; i < FEW; i++)
        v[i] = random_point(INSTANTS);
    const long before = most_kb();
    assert_true(pt_made_sort(&v, FEW, INSTANTS));
    assert_in_range(most_kb() - before, 0, 32 << 10); /* such a table is 128 MiB */
    for (int i = 1; i < FEW; i++)
        assert_true(order(&v[i - 1], &v[i]) <= 0);
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_of_sorting),
        cmocka_unit_test(a_few_take_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
