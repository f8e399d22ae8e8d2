/* SPDX-License-Identifier: MIT
 * Shapes: what becomes a slot, that every text comes back, that columns widen, that bad wire bytes
 * are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "schema/shape.h"

struct cut {
    enum pt_lex lex;
    unsigned width;
    const char *text;
    int nslots;
};

/* nslots counted by hand from the rules in FORMAT.md */
static const struct cut cuts[] = {
    {PT_LEX_DEC, 0, "", 0},
    {PT_LEX_DEC, 0, "no numbers\n", 0},
    {PT_LEX_DEC, 0, "0", 1},
    {PT_LEX_DEC, 8, "MemFree:        24571004 kB\n", 1},
    {PT_LEX_DEC, 8, "DirectMap4k:       30720 kB\n", 1},
    {PT_LEX_DEC, 8, "VmRSS:\t    1740 kB\nThreads:\t1\n", 2},
    {PT_LEX_DEC, 8, "Uid:\t0\t0\t0\t0\n", 4},
    {PT_LEX_DEC, 8, "SigQ:\t0/96365\nCapEff:\t000001fffeffffff\nSigBlk:\t0000000000010000\n", 2},
    {PT_LEX_DEC, 0, "some avg10=0.05 avg60=12.00 avg300=0.00 total=123456\n", 7},
    {PT_LEX_DEC, 0, "1 (a b) S -1 18446744073709551615 18446744073709551616 007 5", 4},
    {PT_LEX_DEC, 0, "kmalloc-96            64     64     96   42    1 : tunables    0    0    0",
     8},
    {PT_LEX_DEC, 0, "x1 1x 0x12 a.5 a-5 _7 .5 -5 (5) =5", 4},
    {PT_LEX_DEC, 0, "1.2.3", 2},
    {PT_LEX_DEC, 0, "0.00 0.01 0.05 1/76 1931\n", 9},
    {PT_LEX_DEC, 0, "12\r\n34\r\n", 2},
    {PT_LEX_DEC, 0, "1.123456789012345678901", 1}, /* a fraction too long for a slot */
    {PT_LEX_NONE, 0, "1 2 3", 0},
    {PT_LEX_MAPS, 0, "7f12a000-7f12b000 rw-p 00001000 08:01 1234       /usr/lib/libc-2.36.so\n", 6},
    {PT_LEX_MAPS, 0, "00400000-00452000 r-xp 00000000 fd:00 0 \n", 6},
    {PT_LEX_MAPS, 0, "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0      [vsyscall]\n",
     6},
    {PT_LEX_MAPS, 0, "7f12a000-7f12b000 rw", 2},
    {PT_LEX_MAPS, 0, "7F12A000-7F12B000 rw-p 00000000 00:00 0", 1},
    {PT_LEX_RANGE, 0,
     "0x00000000588667de-0x00000000ba13a478   20480 irq_init+0xca/0x100 pages=4 vmap N0=4\n", 5},
};

/* Cuts a text, interns its shape, matches and renders it again. Returns the shape with a reference.
 */
static const struct pt_shape *round_trip(struct pt_shapes *t, enum pt_lex lex, unsigned width,
                                         const char *text, size_t len)
{
    struct pt_buf wire, slots, again, out;
    pt_buf_init(&wire, 1 << 24);
    pt_buf_init(&slots, 1 << 24);
    pt_buf_init(&again, 1 << 24);
    pt_buf_init(&out, 1 << 24);
    pt_lex(lex, width, text, len, &wire, &slots);
    struct pt_err err = {0};
    const int64_t id = pt_shapes_intern(t, wire.data, wire.len, &err);
    assert_true(id > 0);
    const struct pt_shape *s = pt_shapes_get(t, (uint32_t)id);
    assert_int_equal(pt_shape_match(s, text, len, &again), 0);
    assert_int_equal(again.len, slots.len);
    if (slots.len)
        assert_memory_equal(again.data, slots.data, slots.len);
    struct pt_cur c = pt_cur_of(slots.data, slots.len);
    assert_int_equal(pt_shape_render(s, &c, &out, NULL), 0);
    assert_int_equal(out.len, len);
    if (len)
        assert_memory_equal(out.data, text, len);
    assert_ptr_equal(c.p, c.end);
    pt_buf_release(&wire);
    pt_buf_release(&slots);
    pt_buf_release(&again);
    pt_buf_release(&out);
    return s;
}

static void cuts_as_documented(void **state)
{
    struct pt_shapes *t = *state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const struct pt_shape *s =
            round_trip(t, cuts[i].lex, cuts[i].width, cuts[i].text, strlen(cuts[i].text));
        if ((int)s->nslots != cuts[i].nslots)
            fail_msg("'%s': %u slots, not %d", cuts[i].text, s->nslots, cuts[i].nslots);
        pt_shapes_unref(t, s->id);
    }
    assert_int_equal(pt_shapes_count(t), 0);
}

static uint64_t random_state = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* Any bytes, dense with what the lexer looks at. */
static void any_text_round_trips(void **state)
{
    struct pt_shapes *t = *state;
    static const char alphabet[] = "0123456789000  \t\n.-:x_azAf()\xff\x80,=/";
    for (int round = 0; round < 20000; round++) {
        char text[200];
        const size_t len = rnd(sizeof text);
        for (size_t i = 0; i < len; i++)
            text[i] = rnd(50) ? alphabet[rnd(sizeof alphabet)] : (char)rnd(256);
        const struct pt_shape *s =
            round_trip(t, (enum pt_lex)rnd(4), rnd(2) ? 8 : rnd(70), text, len);
        assert_true(s->id < 8); /* numbers are used again */
        pt_shapes_unref(t, s->id);
    }
    assert_int_equal(pt_shapes_count(t), 0);
}

/* A match is a proof: whatever matches a shape renders to itself, also for texts the shape was not
 * made from. */
static void match_means_render(void **state)
{
    struct pt_shapes *t = *state;
    const struct pt_shape *s = round_trip(t, PT_LEX_DEC, 0, "a   12 b 3 0.05\n", 16);
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"a    2 b 3 0.05\n", true},
        {"a  123 b 3 0.05\n", true},
        {"a 1234 b 3 0.05\n", true},
        {"a 12345 b 3 0.05\n", true},
        {"a 12 b 3 0.05\n", false},
        {"a  0012 b 3 0.05\n", false},
        {"a   12 b  3 0.05\n", false},
        {"a   12 b 3 0.5\n", false},
        {"a   12 b 3 0.050\n", false},
        {"a   12 b 3 12345.99\n", true},
        {"a   12 b 3 0.05", false},
        {"a   12 b 3 0.05\nx", false},
        {"a   12 b 18446744073709551616 0.05\n", false},
        {"a   12 b 18446744073709551615 0.05\n", true},
        {"a    - b 3 0.05\n", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_buf slots, out;
        pt_buf_init(&slots, 1000);
        pt_buf_init(&out, 1000);
        const size_t len = strlen(cases[i].text);
        const bool matches = pt_shape_match(s, cases[i].text, len, &slots) == 0;
        if (matches != cases[i].matches)
            fail_msg("'%s' %s", cases[i].text, matches ? "matches" : "does not match");
        struct pt_cur c = pt_cur_of(slots.data, slots.len);
        if (matches) {
            assert_int_equal(pt_shape_render(s, &c, &out, NULL), 0);
            assert_int_equal(out.len, len);
            assert_memory_equal(out.data, cases[i].text, len);
        } else {
            assert_int_equal(slots.len, 0);
        }
        pt_buf_release(&slots);
        pt_buf_release(&out);
    }
    pt_shapes_unref(t, s->id);
}

static void bad_wire_is_refused(void **state)
{
    struct pt_shapes *t = *state;
    static const struct {
        size_t len;
        uint8_t bytes[16];
    } bad[] = {
        {0, {0}},
        {1, {0}},                  /* no last literal */
        {2, {0, 1}},               /* literal cut off */
        {3, {0, 0, 0}},            /* trailing byte */
        {4, {1, 0, 0x40, 0}},      /* fraction of width 0 */
        {4, {1, 0, 0x40 | 20, 0}}, /* fraction of width 20 */
        {4, {1, 0, 0x80, 0}},      /* hexadecimal of width 0 */
        {4, {1, 0, 0x80 | 17, 0}}, /* hexadecimal of width 17 */
        {4, {1, 0, 0xc0, 0}},      /* no such kind */
        {4, {9, 0, 0x00, 0}},      /* more slots than bytes */
        {11, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_err err = {0};
        if (pt_shapes_intern(t, bad[i].bytes, bad[i].len, &err) != -PT_EDAMAGED)
            fail_msg("case %zu was accepted", i);
    }
    assert_int_equal(pt_shapes_count(t), 0);
}

static void columns_widen(void **state)
{
    struct pt_shapes *t = *state;
    const char *narrow = "zone 123456 1", *wide = "zone   1234 1";
    const struct pt_shape *a = round_trip(t, PT_LEX_DEC, 0, narrow, strlen(narrow));
    const struct pt_shape *b = round_trip(t, PT_LEX_DEC, 0, wide, strlen(wide));
    assert_ptr_not_equal(a, b);
    struct pt_buf wire, slots;
    pt_buf_init(&wire, 1000);
    pt_buf_init(&slots, 1000);
    assert_int_equal(pt_shape_widen(a, b, &wire), 0);
    struct pt_err err = {0};
    const int64_t id = pt_shapes_intern(t, wire.data, wire.len, &err);
    assert_true(id > 0);
    const struct pt_shape *w = pt_shapes_get(t, (uint32_t)id);
    assert_int_equal(pt_shape_match(w, narrow, strlen(narrow), &slots), 0);
    assert_int_equal(pt_shape_match(w, wide, strlen(wide), &slots), 0);
    const struct pt_shape *other = round_trip(t, PT_LEX_DEC, 0, "zoom   1234 1", 13);
    pt_buf_reset(&wire);
    assert_true(pt_shape_widen(a, other, &wire) < 0);
    assert_int_equal(wire.len, 0);
    pt_buf_release(&wire);
    pt_buf_release(&slots);
    pt_shapes_unref(t, a->id);
    pt_shapes_unref(t, b->id);
    pt_shapes_unref(t, w->id);
    pt_shapes_unref(t, other->id);
    assert_int_equal(pt_shapes_count(t), 0);
}

static int setup(void **state)
{
    *state = pt_shapes_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    pt_shapes_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cuts_as_documented, setup, teardown),
        cmocka_unit_test_setup_teardown(any_text_round_trips, setup, teardown),
        cmocka_unit_test_setup_teardown(match_means_render, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_wire_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_widen, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
