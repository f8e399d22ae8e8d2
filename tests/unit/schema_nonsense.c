/* SPDX-License-Identifier: MIT
 * Frames that are whole, with a right checksum, and say what cannot be: each number at its bound is
 * taken, one beyond it is refused. FORMAT.md, "Frames". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "schema/frame_blob.h"
#include "schema/frame_int.h"

/* One entry, of source 2 of 3, unless it is told otherwise. */
struct frame {
    bool key;
    uint64_t n, boot, trigger, back, prev;
    int64_t offset;
    uint64_t nids, nentries, gap;
    unsigned flags;
    uint64_t why, same, name_len, class_id, first_shape, nshapes;
    bool nul;      /* one within the name */
    unsigned more; /* bytes behind the end */
    unsigned tag;  /* besides the key */
    unsigned less; /* bytes that are missing at the end */
};

static void put(const struct frame *f, struct pt_buf *raw)
{
    static const uint8_t zeros[8192];
    pt_buf_varint(raw, f->n);
    pt_buf_varint(raw, f->boot);
    pt_buf_varint(raw, f->trigger);
    for (unsigned i = 0; i < PT_SNAP_NUMBERS; i++)
        pt_buf_varint(raw, pt_opt_wire(i == PT_SNAP_OFFSET ? f->offset : 1000));
    pt_buf_varint(raw, f->back);
    pt_buf_varint(raw, f->prev);
    pt_buf_varint(raw, f->nids);
    pt_buf_put(raw, zeros, (f->nids + 7) / 8 < sizeof(zeros) ? (size_t)(f->nids + 7) / 8 : 0);
    pt_buf_varint(raw, f->nentries);
    if (f->nentries) {
        pt_buf_varint(raw, f->gap);
        pt_buf_u8(raw, (uint8_t)f->flags);
        if ((f->flags >> PT_ENTRY_TIME_SHIFT & 3) == PT_ENTRY_AT)
            pt_buf_varint(raw, 7);
        if ((f->flags & PT_ENTRY_OUTCOME) == PT_ENTRY_FAIL)
            pt_buf_varint(raw, f->why);
        if (f->flags & PT_ENTRY_DEF) {
            pt_buf_varint(raw, f->same);
            pt_buf_varint(raw, f->name_len);
            for (uint64_t i = 0; i < f->name_len; i++)
                pt_buf_u8(raw, f->nul && i == f->name_len - 1 ? 0 : 'x');
        }
        if (f->flags & PT_ENTRY_BASE)
            pt_buf_varint(raw, 0);
        if (f->flags & PT_ENTRY_SCRIPT) {
            pt_buf_varint(raw, f->class_id);
            pt_buf_varint(raw, 0);
        }
    }
    pt_buf_varint(raw, f->first_shape);
    pt_buf_varint(raw, f->nshapes);
    for (uint64_t i = 0; i < f->nshapes && i < 4; i++)
        pt_buf_varint(raw, 0);
    pt_buf_put(raw, zeros, f->more);
    raw->len -= f->less;
}

static bool taken(const struct frame *f)
{
    const struct pt_blob_press press = {.level = 1};
    struct pt_buf raw, blob;
    struct pt_frame *opened = NULL;
    struct pt_err err = {0};
    void *cctx = NULL;
    pt_buf_init(&raw, 1 << 20);
    pt_buf_init(&blob, 1 << 20);
    put(f, &raw);
    assert_int_equal(pt_blob_write(&cctx, &press, PT_FRAME_MAGIC,
                                   (uint8_t)((f->key ? PT_FRAME_KEY : 0) | f->tag), raw.data,
                                   raw.len, &blob, &err),
                     0);
    const int rc = pt_frame_open(blob.data, blob.len, &opened, &err);
    assert_true(rc == 0 || (rc == -PT_EDAMAGED && err.code == PT_EDAMAGED && !opened));
    if (rc == 0 && f->nentries == 1 && f->n <= INT64_MAX) {
        assert_true(pt_frame_snap(opened)->n == (int64_t)f->n);
        assert_int_equal(pt_frame_is_key(opened), f->key);
        assert_int_equal(pt_frame_snap(opened)->utc_offset_s, f->offset);
    }
    pt_frame_free(opened);
    pt_blob_cctx_free(cctx);
    pt_buf_release(&raw);
    pt_buf_release(&blob);
    return rc == 0;
}

enum { GONE = PT_ENTRY_GONE, FAIL = PT_ENTRY_FAIL, TEXT = PT_ENTRY_TEXT, SAME = PT_ENTRY_SAME };
#define BEFORE (PT_ENTRY_BEFORE << PT_ENTRY_TIME_SHIFT)
#define AT     (PT_ENTRY_AT << PT_ENTRY_TIME_SHIFT)
#define NEVER  (3 << PT_ENTRY_TIME_SHIFT)

/* A frame that follows another, and one that begins a chain; then fields that are other. */
#define NEXT                                                                                       \
    .n = 9, .boot = 1, .trigger = 1, .back = 2, .prev = 5, .nids = 3, .nentries = 1, .gap = 2,     \
    .flags = GONE, .first_shape = 1
#define KEY                                                                                        \
    .key = true, .n = 9, .boot = 1, .trigger = 1, .prev = 5, .nids = 3, .nentries = 1, .gap = 2,   \
    .flags = FAIL, .why = 5, .first_shape = 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct {
    struct frame f;
    bool taken;
} cases[] = {
    {{NEXT}, true},
    {{KEY}, true},
    /* numbers of snapshots, boots, triggers, offsets of local time */
    {{KEY, .n = 0}, false},
    {{KEY, .n = INT64_MAX}, true},
    {{KEY, .n = (uint64_t)INT64_MAX + 1}, false},
    {{NEXT, .back = 8}, true},
    {{NEXT, .back = 9}, false},
    {{NEXT, .back = 0}, false}, /* to itself goes back who begins */
    {{KEY, .back = 1}, false},
    {{KEY, .boot = UINT32_MAX}, true},
    {{KEY, .boot = UINT64_C(1) << 32}, false},
    {{KEY, .trigger = UINT32_MAX}, true},
    {{KEY, .trigger = UINT64_C(1) << 32}, false},
    {{KEY, .offset = INT32_MIN}, true},
    {{KEY, .offset = (int64_t)INT32_MIN - 1}, false},
    {{KEY, .offset = INT32_MAX}, true},
    {{KEY, .offset = (int64_t)INT32_MAX + 1}, false},
    {{KEY, .tag = 2}, false}, /* no such bit */
    /* sources */
    {{NEXT, .nids = 2}, false},
    {{NEXT, .nids = 60000}, true},
    {{NEXT, .nids = UINT64_C(1) << 60}, false},
    {{NEXT, .gap = 3}, false},
    {{NEXT, .gap = UINT64_MAX}, false},
    {{NEXT, .nentries = 0}, true},
    {{NEXT, .nentries = 2}, false}, /* there is one */
    /* outcomes with what belongs to them */
    {{NEXT, .flags = GONE | PT_ENTRY_DEF}, false},
    {{NEXT, .flags = GONE | BEFORE}, false},
    {{KEY, .flags = GONE}, false}, /* nothing was there before */
    {{NEXT, .flags = SAME}, true},
    {{NEXT, .flags = SAME | AT}, true},
    {{NEXT, .flags = SAME | BEFORE}, true},
    {{NEXT, .flags = SAME | BEFORE, .prev = 0}, false}, /* nobody knows when that was */
    {{NEXT, .flags = SAME | NEVER}, false},
    {{NEXT, .flags = SAME | PT_ENTRY_DEF}, false},
    {{NEXT, .flags = SAME | PT_ENTRY_SCRIPT}, false},
    {{KEY, .flags = SAME}, false},
    {{NEXT, .flags = TEXT | 0x80}, false},
    {{NEXT, .flags = FAIL, .why = 0}, false},
    {{NEXT, .flags = FAIL, .why = UINT16_MAX}, true},
    {{NEXT, .flags = FAIL, .why = UINT16_MAX + 1}, false},
    {{NEXT, .flags = FAIL | PT_ENTRY_SCRIPT, .why = 5}, false},
    {{NEXT, .flags = FAIL | PT_ENTRY_DEF, .why = 5, .name_len = 4}, true},
    {{NEXT, .flags = TEXT | PT_ENTRY_BASE}, true},
    {{NEXT, .flags = TEXT | PT_ENTRY_SCRIPT, .class_id = UINT16_MAX}, true},
    {{NEXT, .flags = TEXT | PT_ENTRY_SCRIPT, .class_id = UINT16_MAX + 1}, false},
    /* names: 4,095 bytes, 255 of them from the one before, none of them a NUL */
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 4095}, true},
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 4096}, false},
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 3840, .same = 255}, true},
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 3841, .same = 255}, false},
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 4, .same = 256}, false},
    {{NEXT, .flags = TEXT | PT_ENTRY_DEF, .name_len = 4, .nul = true}, false},
    /* shapes */
    {{NEXT, .first_shape = 0}, false},
    {{NEXT, .first_shape = UINT32_MAX}, true},
    {{NEXT, .first_shape = UINT64_C(1) << 32}, false},
    {{NEXT, .nshapes = 4}, true},
    {{NEXT, .nshapes = 5}, false},
    /* neither more nor less */
    {{NEXT, .more = 1}, false},
    {{NEXT, .less = 1}, false},
    {{NEXT, .less = 2}, false},
};
#pragma GCC diagnostic pop

static void bounds_of_each_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (taken(&cases[i].f) != cases[i].taken)
            fail_msg("case %zu is %s", i, cases[i].taken ? "refused" : "taken");
}

/* Scripts: words of two bits and a count, then gaps of slots. */
static void bounds_of_scripts(void **state)
{
    static const struct {
        int64_t values; /* < 0: refused */
        size_t len;
        uint8_t script[16];
    } scripts[] = {
        {0, 0, {0}},
        {2, 3, {2 << 2 | PT_OP_CHANGE, 0, 5}},
        {-1, 2, {2 << 2 | PT_OP_CHANGE, 0}},                               /* one is missing */
        {2, 7, {2 << 2 | PT_OP_CHANGE, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f}},  /* slot 2^32 - 1 */
        {-1, 7, {2 << 2 | PT_OP_CHANGE, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}}, /* one beyond */
        {-1, 7, {1 << 2 | PT_OP_CHANGE, 0x80, 0x80, 0x80, 0x80, 0x10, 0}}, /* a gap of 2^32 */
        {0, 4, {PT_OP_INS, 2, 'a', 'b'}},                                  /* bytes as they are */
        {-1, 4, {PT_OP_INS, 3, 'a', 'b'}},
        {1, 4, {2 << 2 | PT_OP_INS, 7, 7, 3}}, /* a line of a shape, with one number */
        {-1, 3, {2 << 2 | PT_OP_INS, 7, 7}},
        {-1, 1, {0x80}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        const int64_t values =
            pt_script_scan(pt_cur_of(scripts[i].script, scripts[i].len), 1, NULL);
        if (scripts[i].values < 0 ? values >= 0 : values != scripts[i].values)
            fail_msg("case %zu: %lld", i, (long long)values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_of_each_number),
        cmocka_unit_test(bounds_of_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
