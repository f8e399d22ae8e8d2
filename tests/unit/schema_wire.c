/* SPDX-License-Identifier: MIT
 * Buffers, varints and the checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/err.h"
#include "schema/wire.h"

static void varint_round_trip(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int d = -1; d <= 1; d++) {
            const uint64_t v = (UINT64_C(1) << bit) + (uint64_t)(int64_t)d;
            struct pt_buf b;
            pt_buf_init(&b, 64);
            pt_buf_varint(&b, v);
            struct pt_cur c = pt_cur_of(b.data, b.len);
            assert_true(pt_cur_varint(&c) == v);
            assert_false(c.failed);
            assert_ptr_equal(c.p, c.end);
            for (size_t cut = 0; cut < b.len; cut++) {
                c = pt_cur_of(b.data, cut);
                pt_cur_varint(&c);
                assert_true(c.failed);
            }
            assert_true(pt_unzigzag(pt_zigzag((int64_t)v)) == (int64_t)v);
            pt_buf_release(&b);
        }
    }
}

static void varint_has_one_spelling(void **state)
{
    (void)state;
    static const uint8_t bad[][11] = {
        {0x80, 0x00},
        {0xff, 0x80, 0x00},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_cur c = pt_cur_of(bad[i], sizeof bad[i]);
        pt_cur_varint(&c);
        assert_true(c.failed);
        assert_int_equal(pt_cur_left(&c), 0);
    }
}

static void buffer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct pt_buf b;
    pt_buf_init(&b, 100);
    char block[60] = {0};
    pt_buf_put(&b, block, sizeof block);
    assert_false(b.failed);
    pt_buf_put(&b, block, sizeof block);
    assert_true(b.failed);
    assert_int_equal(b.len, 60);
    pt_buf_u8(&b, 1); /* sticks */
    assert_int_equal(b.len, 60);
    pt_buf_reset(&b);
    pt_buf_put(&b, block, 40);
    assert_false(b.failed);
    pt_buf_release(&b);
}

static void checksum_is_crc32c(void **state)
{
    (void)state;
    assert_int_equal(pt_crc32c(0, "123456789", 9), 0xe3069283u);
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t n = 0; n <= sizeof bytes; n += 13) {
        uint32_t want = ~0u;
        for (size_t i = 0; i < n; i++) {
            want ^= bytes[i];
            for (int k = 0; k < 8; k++)
                want = want & 1 ? want >> 1 ^ 0x82f63b78u : want >> 1;
        }
        assert_int_equal(pt_crc32c(0, bytes, n), ~want);
        assert_int_equal(pt_crc32c(pt_crc32c(0, bytes, n / 3), bytes + n / 3, n - n / 3), ~want);
    }
}

static void first_error_wins(void **state)
{
    (void)state;
    struct pt_err err = {0};
    assert_int_equal(pt_err_set(&err, PT_EDAMAGED, 0, "frame 7", 12, "bad %d", 1), -PT_EDAMAGED);
    assert_int_equal(pt_err_set(&err, PT_EIO, 5, "x", 1, "later"), -PT_EIO);
    assert_int_equal(err.code, PT_EDAMAGED);
    assert_int_equal(err.position, 12);
    assert_string_equal(err.source, "frame 7");
    assert_string_equal(err.text, "bad 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varint_round_trip),
        cmocka_unit_test(varint_has_one_spelling),
        cmocka_unit_test(buffer_stops_at_its_maximum),
        cmocka_unit_test(checksum_is_crc32c),
        cmocka_unit_test(first_error_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
