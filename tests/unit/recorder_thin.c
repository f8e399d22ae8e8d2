/* SPDX-License-Identifier: MIT
 * Telling of thinned reading: once each way, not with every change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/thin.h"

static void processes(void **state)
{
    (void)state;
    struct pt_thin t = {0};
    char text[PT_THIN_TEXT];
    int told = 0;
    for (int i = 0; i <= 1000; i++) /* a tick in three is short of time: not worth a word */
        told += pt_thin_processes(&t, i % 3 ? 100 : 99, 100, text);
    assert_int_equal(told, 0);
    for (int i = 1; i < PT_THIN_BEGIN; i++)
        assert_false(pt_thin_processes(&t, 3200, 10000, text));
    assert_true(pt_thin_processes(&t, 3200, 10000, text));
    assert_string_equal(text, "processes are looked at in turn, 3200 of 10000 in a snapshot: more "
                              "would exceed the CPU budget");
    for (int i = 0; i < 1000; i++)
        told += pt_thin_processes(&t, i % 20 ? 10000 : 9000, 10000, text);
    assert_int_equal(told, 0);
    for (int i = 1; i < PT_THIN_END; i++)
        told += pt_thin_processes(&t, 10000, 10000, text);
    assert_int_equal(told, 1);
    assert_string_equal(text, "all processes are looked at in each snapshot again");
}

static void interval(void **state)
{
    (void)state;
    struct pt_thin t = {0};
    char text[PT_THIN_TEXT];
    assert_false(pt_thin_interval(&t, 1, 10000000, text));
    assert_true(pt_thin_interval(&t, 3, 10000000, text));
    assert_string_equal(text,
                        "a snapshot every 30s, not every 10s: more would exceed the CPU budget");
    int told = 0;
    for (uint32_t i = 0; i < 1000; i++) /* about as long */
        told += pt_thin_interval(&t, 2 + i % 4, 10000000, text);
    for (uint32_t i = 0; i < 1000; i++) /* shorter now and then */
        told += pt_thin_interval(&t, i % PT_THIN_END ? 1 : 3, 10000000, text);
    assert_int_equal(told, 0);
    assert_true(pt_thin_interval(&t, 6, 10000000, text));
    assert_string_equal(text,
                        "a snapshot every 1m, not every 10s: more would exceed the CPU budget");
    for (int i = 1; i < PT_THIN_END; i++)
        assert_false(pt_thin_interval(&t, 2, 10000000, text));
    assert_true(pt_thin_interval(&t, 2, 10000000, text));
    for (int i = 1; i < PT_THIN_END; i++)
        assert_false(pt_thin_interval(&t, 1, 10000000, text));
    assert_true(pt_thin_interval(&t, 1, 10000000, text));
    assert_string_equal(text, "a snapshot every 10s again");
    assert_false(pt_thin_interval(&t, 1, 10000000, text));
}

static void triggers(void **state)
{
    (void)state;
    struct pt_thin t = {0};
    char text[PT_THIN_TEXT];
    assert_false(pt_thin_triggers(&t, false, false, text));
    assert_false(pt_thin_triggers(&t, false, true, text)); /* nobody was spared yet */
    assert_true(pt_thin_triggers(&t, true, true, text));
    assert_string_equal(text, "snapshots of triggers read what is due, not everything: more would "
                              "exceed the CPU budget");
    for (int i = 0; i < 100; i++)
        assert_false(pt_thin_triggers(&t, i % 2, true, text));
    assert_true(pt_thin_triggers(&t, false, false, text));
    assert_string_equal(text, "snapshots of triggers read everything again");
    assert_false(pt_thin_triggers(&t, false, false, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes),
        cmocka_unit_test(interval),
        cmocka_unit_test(triggers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
