/* SPDX-License-Identifier: MIT
 * The recorder's account of itself: every line has its meaning in the dictionary, and what is not
 * known is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "recorder/account.h"
#include "schema/source.h"

static void keys_are_explained(void **state)
{
    (void)state;
    const struct pt_file *file = pt_file_of("self:account");
    assert_string_equal(file->pattern, "self:account");
    for (int i = 0; i < PT_ACCOUNT_KEYS; i++) {
        const char *name = pt_account_name((enum pt_account_key)i);
        assert_non_null(name);
        assert_non_null(pt_field_of(file, name, strlen(name)));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, pt_account_name((enum pt_account_key)k));
    }
}

static void unknown_is_left_out(void **state)
{
    (void)state;
    struct pt_account a;
    char text[PT_ACCOUNT_TEXT];
    pt_account_init(&a);
    assert_int_equal(pt_account_text(&a, text), 0);
    a.value[PT_ACCOUNT_CPU_US] = 0;
    a.value[PT_ACCOUNT_DENIED + PT_PROC_SMAPS] = 7;
    static const char expected[] = "cpu_us 0\ndenied_smaps 7\n";
    assert_int_equal(pt_account_text(&a, text), strlen(expected));
    assert_memory_equal(text, expected, strlen(expected));
    for (int i = 0; i < PT_ACCOUNT_KEYS; i++)
        a.value[i] = INT64_MAX;
    assert_in_range(pt_account_text(&a, text), 1, PT_ACCOUNT_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_explained),
        cmocka_unit_test(unknown_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
