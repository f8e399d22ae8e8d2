/* SPDX-License-Identifier: MIT
 * Swap and kernel memory of a report: where one of them cannot be made, the other is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "analyze/report/beside.h"

static void release(struct pt_beside *d)
{
    json_decref(d->swap.made);
    json_decref(d->swap.cut);
    json_decref(d->kernel.made);
    json_decref(d->kernel.cut);
}

static void each_for_itself(void **state)
{
    const struct pt_args args = {.top = PT_UNKNOWN, .out = stdout};
    struct pt_session s;
    struct pt_beside d;
    (void)state;
    assert_int_equal(pt_session_open(&args, PT_FIXTURES "/labelled/chosen/s2.db", &s), 0);
    /* a span that holds nothing for the one, and everything for the other */
    pt_beside_begin(&d, &s, s.span.last + 1, s.span.first, s.span.last, 5);
    pt_beside_end(&d, &s);
    assert_null(d.swap.made);
    assert_true(json_is_object(d.kernel.made));
    assert_non_null(strstr(d.swap.err.text, "no snapshots"));
    assert_int_equal(d.kernel.err.code, PT_OK);
    release(&d);
    pt_beside_begin(&d, &s, s.span.first, s.span.last + 1, s.span.last, 5);
    pt_beside_end(&d, &s);
    assert_true(json_is_object(d.swap.made));
    assert_null(d.kernel.made);
    assert_int_equal(d.swap.err.code, PT_OK);
    release(&d);
    assert_int_equal(pt_session_close(&s, 0), 0);
}

/* Whoever was never in swap is not missing from the list of those that were. */
static void cut_of_those_in_swap(void **state)
{
    enum { ALL = 100000, SOME = 2 };
    const struct pt_args args = {.top = PT_UNKNOWN, .out = stdout};
    struct pt_session s;
    struct pt_beside d;
    const json_t *one;
    size_t i, all, swapped = 0;
    (void)state;
    assert_int_equal(pt_session_open(&args, PT_FIXTURES "/episodes/chosen/s2.db", &s), 0);
    pt_beside_begin(&d, &s, s.span.first, s.span.first, s.span.last, ALL);
    pt_beside_end(&d, &s);
    json_array_foreach(json_object_get(d.swap.made, "processes"), i, one)
    {
        swapped += pt_beside_swapped(one);
    }
    all = i;
    assert_true(swapped > SOME && swapped < all);
    assert_null(json_object_get(d.swap.cut, "swap.processes"));
    release(&d);
    pt_beside_begin(&d, &s, s.span.first, s.span.first, s.span.last, SOME);
    pt_beside_end(&d, &s);
    assert_int_equal(json_integer_value(json_object_get(d.swap.cut, "swap.processes")),
                     swapped - SOME);
    release(&d);
    assert_int_equal(pt_session_close(&s, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_for_itself),
                                       cmocka_unit_test(cut_of_those_in_swap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
