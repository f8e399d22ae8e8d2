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

/* Byte by byte, as FORMAT.md has them. */
static void numbers_are_little_endian(void **state)
{
    static const uint8_t want[] = {0xa5, 0x78, 0x56, 0x34, 0x92, 0xef, 0xcd,
                                   0xab, 0x89, 0x67, 0x45, 0x23, 0x81, 'x'};
    struct pt_buf b;
    (void)state;
    pt_buf_init(&b, 100);
    pt_buf_u8(&b, 0xa5);
    pt_buf_u32le(&b, 0x92345678u);
    pt_buf_u64le(&b, 0x8123456789abcdefu);
    pt_buf_put(&b, "x", 1);
    assert_int_equal(b.len, sizeof(want));
    assert_memory_equal(b.data, want, sizeof(want));
    struct pt_cur c = pt_cur_of(want, sizeof(want));
    assert_int_equal(pt_cur_u8(&c), 0xa5);
    assert_int_equal(pt_cur_u32le(&c), 0x92345678u);
    assert_true(pt_cur_u64le(&c) == 0x8123456789abcdefu);
    assert_int_equal(*pt_cur_bytes(&c, 1), 'x');
    assert_int_equal(pt_cur_left(&c), 0);
    assert_non_null(pt_cur_bytes(&c, 0));
    assert_false(c.failed);
    pt_buf_release(&b);
}

/* Who asks for more than is left gets nothing, then and afterwards. */
static void cursors_stop_at_their_end(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    (void)state;
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        struct pt_cur one = pt_cur_of(bytes, n), four = one, eight = one, some = one;
        assert_int_equal(pt_cur_u8(&one), n >= 1 ? 1 : 0);
        assert_int_equal(one.failed, n < 1);
        assert_int_equal(pt_cur_u32le(&four), n >= 4 ? 0x04030201 : 0);
        assert_int_equal(four.failed, n < 4);
        assert_true(pt_cur_u64le(&eight) == (n >= 8 ? 0x0807060504030201u : 0));
        assert_int_equal(eight.failed, n < 8);
        assert_ptr_equal(pt_cur_bytes(&some, 3), n >= 3 ? bytes : NULL);
        assert_int_equal(some.failed, n < 3);
        assert_ptr_equal(pt_cur_bytes(&some, 0), n >= 3 ? bytes + 3 : NULL);
        assert_int_equal(pt_cur_u8(&some), n >= 4 ? 4 : 0);
    }
}

/* Piece by piece up to the last byte, whatever it holds is kept. */
static void buffers_keep_what_they_hold(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 90; piece++) {
        struct pt_buf b;
        uint8_t bytes[90];
        size_t n = 0;
        pt_buf_init(&b, 1000);
        for (; n + piece <= 1000; n += piece) {
            for (size_t i = 0; i < piece; i++)
                bytes[i] = (uint8_t)((n + i) * 7);
            pt_buf_put(&b, bytes, piece);
            assert_int_equal(b.len, n + piece);
            assert_in_range(b.cap, b.len, 1000);
        }
        assert_false(b.failed);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(b.data[i], (uint8_t)(i * 7));
        if (n < 1000)
            assert_ptr_equal(pt_buf_room(&b, 1000 - n), b.data + n);
        assert_null(pt_buf_room(&b, 1001 - n));
        assert_true(b.failed);
        assert_null(pt_buf_room(&b, 0)); /* that sticks */
        pt_buf_release(&b);
        assert_null(b.data);
        assert_int_equal(b.len + b.cap, 0);
        pt_buf_put(&b, bytes, piece); /* and may be used again */
        assert_int_equal(b.len, piece);
        pt_buf_release(&b);
    }
    struct pt_buf b;
    pt_buf_init(&b, 100);
    assert_non_null(pt_buf_room(&b, 100)); /* all at once */
    pt_buf_release(&b);
    /* it grows by half: not at every put */
    size_t grown = 0, cap = 0;
    pt_buf_init(&b, 1 << 20);
    for (int i = 0; i < 100000; i++) {
        pt_buf_u8(&b, 1);
        grown += b.cap != cap;
        cap = b.cap;
    }
    assert_in_range(grown, 10, 30);
    assert_in_range(cap, 100000, 150000);
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
        assert_int_equal(pt_crc32c_plain(0, bytes, n), ~want);
        assert_int_equal(pt_crc32c_plain(pt_crc32c(0, bytes, n / 2), bytes + n / 2, n - n / 2),
                         ~want);
        assert_int_equal(pt_crc32c(pt_crc32c(0, bytes, n / 3), bytes + n / 3, n - n / 3), ~want);
    }
}

/* In memory only: any will do that tells texts of one length apart. */
static void hashes_tell_apart(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 20; len++) {
        uint8_t text[20] = {0};
        uint64_t seen[161] = {pt_hash(text, len)};
        for (size_t bit = 0; bit < 8 * len; bit++) {
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
            seen[bit + 1] = pt_hash(text, len);
            for (size_t i = 0; i <= bit; i++)
                assert_true(seen[i] != seen[bit + 1]);
            text[bit / 8] = 0;
        }
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
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(cursors_stop_at_their_end),
        cmocka_unit_test(buffers_keep_what_they_hold),
        cmocka_unit_test(checksum_is_crc32c),
        cmocka_unit_test(hashes_tell_apart),
        cmocka_unit_test(first_error_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
