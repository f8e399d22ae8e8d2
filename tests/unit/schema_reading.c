/* SPDX-License-Identifier: MIT
 * Readings: texts come back from packed rows however they are fed; a difference, applied, gives the
 * other reading; rows are matched by the documented rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "schema/reading.h"

static const struct pt_grammar plain = {.head = PT_LEX_DEC};
static const struct pt_grammar smaps = {.rows = PT_ROWS_SMAPS,
                                        .key = PT_KEY_RANGE,
                                        .head = PT_LEX_MAPS,
                                        .body = PT_LEX_DEC,
                                        .width = 8};
static const struct pt_grammar maps = {
    .rows = PT_ROWS_LINES, .key = PT_KEY_RANGE, .head = PT_LEX_MAPS};
static const struct pt_grammar slabs = {
    .rows = PT_ROWS_LINES, .key = PT_KEY_SHAPE, .head = PT_LEX_DEC};
static const struct pt_grammar shm = {
    .rows = PT_ROWS_LINES, .key = PT_KEY_SLOT1, .head = PT_LEX_DEC};
static const struct pt_grammar none = {
    .rows = PT_ROWS_LINES, .key = PT_KEY_NONE, .head = PT_LEX_DEC};
static const struct pt_grammar *const grammars[] = {&plain, &smaps, &maps, &slabs, &shm, &none};

struct world {
    struct pt_shapes *shapes;
    struct pt_pack pack;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->shapes = pt_shapes_new();
    pt_pack_init(&w->pack, w->shapes);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(pt_shapes_count(w->shapes), 0); /* every reading gave its shapes back */
    pt_pack_release(&w->pack);
    pt_shapes_free(w->shapes);
    free(w);
    return 0;
}

static uint64_t random_state = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

static struct pt_reading *pack(struct world *w, const struct pt_grammar *g,
                               const struct pt_reading *prev, const char *text, size_t len)
{
    struct pt_reading *r = NULL;
    struct pt_err err = {0};
    if (rnd(2)) {
        assert_int_equal(pt_pack_text(&w->pack, g, prev, text, len, &r, &err), 0);
    } else { /* in pieces */
        pt_pack_begin(&w->pack, g, prev);
        for (size_t i = 0, n; i < len; i += n) {
            n = 1 + rnd(rnd(4) ? 20 : 5000);
            n = n < len - i ? n : len - i;
            assert_int_equal(pt_pack_feed(&w->pack, text + i, n, &err), 0);
        }
        assert_int_equal(pt_pack_end(&w->pack, &r, &err), 0);
    }
    struct pt_buf out;
    pt_buf_init(&out, PT_TEXT_MAX);
    assert_int_equal(pt_reading_text(w->shapes, r, &out, &err), 0);
    assert_int_equal(out.len, len);
    if (len)
        assert_memory_equal(out.data, text, len);
    pt_buf_release(&out);
    return r;
}

/* ---- a difference, applied ---- */

struct applied {
    struct world *w;
    const struct pt_reading *from;
    uint64_t *slots; /* of the kept row being built */
    struct pt_buf out;
    uint32_t from_at, to_at;
    uint32_t kept, deleted, inserted, changed;
    int64_t change_row;
};

static struct pt_row row_at(const struct world *w, const struct pt_reading *r, uint32_t n)
{
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    for (uint32_t i = 0; i <= n; i++)
        assert_true(pt_row_next(w->shapes, &c, &row));
    return row;
}

static void put_row(struct applied *a, const struct pt_row *row, const uint64_t *slots)
{
    pt_buf_varint(&a->out, row->head->id);
    pt_buf_varint(&a->out, row->body ? row->body->id : 0);
    for (uint32_t i = 0; i < row->nslots; i++)
        pt_buf_varint(&a->out, slots[i]);
    a->to_at++;
}

/* Copies kept rows of `from` until the next row of `to` is number `to` (or of `from`, for a
 * delete). */
static void copy_kept(struct applied *a, uint32_t to)
{
    while (a->to_at < to) {
        const struct pt_row row = row_at(a->w, a->from, a->from_at++);
        if (a->change_row != a->to_at) {
            a->slots = realloc(a->slots, (row.nslots + 1) * sizeof *a->slots);
            pt_row_slots(&row, a->slots);
        }
        a->change_row = -1;
        put_row(a, &row, a->slots);
        a->kept++;
    }
}

static int on_del(void *ctx, uint32_t from_row, const struct pt_row *row)
{
    struct applied *a = ctx;
    assert_non_null(row->head);
    assert_true(from_row >= a->from_at);
    copy_kept(a, a->to_at + (from_row - a->from_at));
    a->from_at++;
    a->deleted++;
    return 0;
}

static int on_ins(void *ctx, uint32_t to_row, const struct pt_row *row)
{
    struct applied *a = ctx;
    assert_true(to_row >= a->to_at);
    copy_kept(a, to_row);
    uint64_t *slots = malloc((row->nslots + 1) * sizeof *slots);
    pt_row_slots(row, slots);
    put_row(a, row, slots);
    free(slots);
    a->inserted++;
    return 0;
}

static int on_change(void *ctx, uint32_t from_row, uint32_t to_row, uint32_t slot, uint64_t was,
                     uint64_t is)
{
    struct applied *a = ctx;
    copy_kept(a, to_row);
    assert_int_equal(from_row, a->from_at);
    if (a->change_row != to_row) {
        const struct pt_row row = row_at(a->w, a->from, from_row);
        a->slots = realloc(a->slots, (row.nslots + 1) * sizeof *a->slots);
        pt_row_slots(&row, a->slots);
        a->change_row = to_row;
    }
    assert_true(a->slots[slot] == was);
    assert_true(was != is);
    a->slots[slot] = is;
    a->changed++;
    return 0;
}

static struct applied diff(struct world *w, const struct pt_grammar *g,
                           const struct pt_reading *from, const struct pt_reading *to)
{
    static const struct pt_diff_ops ops = {.del = on_del, .ins = on_ins, .change = on_change};
    struct applied a = {.w = w, .from = from, .change_row = -1};
    struct pt_err err = {0};
    pt_buf_init(&a.out, PT_TEXT_MAX);
    assert_int_equal(pt_reading_diff(w->shapes, g->key, from, to, &ops, &a, &err), 0);
    copy_kept(&a, to->nrows);
    assert_int_equal(a.from_at, from ? from->nrows : 0);
    assert_int_equal(a.out.len, to->len);
    if (to->len)
        assert_memory_equal(a.out.data, to->bytes, to->len);
    pt_buf_release(&a.out);
    free(a.slots);
    return a;
}

/* ---- tests ---- */

static const char body[] =
    "Size:                  4 kB\nRss:                   4 kB\nVmFlags: rd mr mw me ac \n";

static size_t mapping(char *out, size_t room, unsigned long start, unsigned long end,
                      unsigned long rss, const char *name)
{
    return (size_t)snprintf(
        out, room,
        "%08lx-%08lx rw-p 00000000 00:00 0 %s\nSize:           %8lu kB\nRss:            %8lu kB\n",
        start, end, name, (end - start) / 1024, rss);
}

struct region {
    unsigned long start, end, rss;
};

static struct pt_reading *regions(struct world *w, const struct pt_reading *prev,
                                  const struct region *r, size_t n)
{
    char text[4096];
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += mapping(text + len, sizeof text - len, r[i].start, r[i].end, r[i].rss, "");
    return pack(w, &smaps, prev, text, len);
}

struct match_case {
    const char *what;
    struct region from[5], to[5];
    uint32_t kept, deleted, inserted;
};

static const struct match_case match_cases[] = {
    {"unchanged",
     {{0x1000, 0x2000, 1}, {0x3000, 0x4000, 1}},
     {{0x1000, 0x2000, 1}, {0x3000, 0x4000, 1}},
     2,
     0,
     0},
    {"grown at its end",
     {{0x1000, 0x2000, 1}, {0x9000, 0xa000, 1}},
     {{0x1000, 0x5000, 4}, {0x9000, 0xa000, 1}},
     2,
     0,
     0},
    {"grown downward",
     {{0x1000, 0x2000, 1}, {0x9000, 0xa000, 1}},
     {{0x1000, 0x2000, 1}, {0x6000, 0xa000, 1}},
     2,
     0,
     0},
    {"grown at both ends", {{0x5000, 0x6000, 1}}, {{0x4000, 0x7000, 1}}, 1, 0, 0},
    {"a new one between",
     {{0x1000, 0x2000, 1}, {0x9000, 0xa000, 1}},
     {{0x1000, 0x2000, 1}, {0x4000, 0x5000, 1}, {0x9000, 0xa000, 1}},
     2,
     0,
     1},
    {"one gone",
     {{0x1000, 0x2000, 1}, {0x4000, 0x5000, 1}, {0x9000, 0xa000, 1}},
     {{0x1000, 0x2000, 1}, {0x9000, 0xa000, 1}},
     2,
     1,
     0},
    {"one gone at the front",
     {{0x1000, 0x2000, 1}, {0x9000, 0xa000, 1}},
     {{0x9000, 0xa000, 1}},
     1,
     1,
     0},
    {"merged with a new one below", {{0x3000, 0x4000, 1}}, {{0x2000, 0x4000, 1}}, 1, 0, 0},
    {"two merged", {{0x2000, 0x3000, 1}, {0x3000, 0x4000, 1}}, {{0x2000, 0x4000, 1}}, 1, 1, 0},
    {"split", {{0x2000, 0x4000, 1}}, {{0x2000, 0x3000, 1}, {0x3000, 0x4000, 1}}, 1, 0, 1},
    {"hole punched, end kept",
     {{0x1000, 0x9000, 1}},
     {{0x2000, 0x3000, 1}, {0x4000, 0x9000, 1}},
     1,
     0,
     1},
    {"moved", {{0x1000, 0x2000, 1}}, {{0x7000, 0x8000, 1}}, 0, 1, 1},
};

static size_t regions_in(const struct region *r)
{
    size_t n = 0;
    while (n < 5 && r[n].end)
        n++;
    return n;
}

static void mappings_match_by_start_end_overlap(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof match_cases / sizeof *match_cases; i++) {
        const struct match_case *m = &match_cases[i];
        struct pt_reading *a = regions(w, NULL, m->from, regions_in(m->from));
        struct pt_reading *b = regions(w, a, m->to, regions_in(m->to));
        const struct applied d = diff(w, &smaps, a, b);
        if (d.kept != m->kept || d.deleted != m->deleted || d.inserted != m->inserted)
            fail_msg("%s: kept %u deleted %u inserted %u", m->what, d.kept, d.deleted, d.inserted);
        pt_reading_unref(w->shapes, a);
        pt_reading_unref(w->shapes, b);
    }
}

/* A leak through merging mmaps is one mapping over 100 readings, and makes no shapes. */
static void a_growing_heap_makes_a_handful_of_shapes(void **state)
{
    struct world *w = *state;
    struct pt_reading *last = NULL;
    for (unsigned long i = 0; i < 10000; i++) {
        char text[1024];
        size_t len =
            mapping(text, sizeof text, 0x55d000, 0x55d000 + (i + 1) * 0x1000, i * 4, "[heap]");
        len += mapping(text + len, sizeof text - len, 0x7f0000000 - i * 0x2000, 0x7f0001000, i * 8,
                       "");
        struct pt_reading *r = pack(w, &smaps, last, text, len);
        if (last) {
            const struct applied d = diff(w, &smaps, last, r);
            assert_int_equal(d.kept, 2);
        }
        pt_reading_unref(w->shapes, last);
        last = r;
    }
    assert_true(pt_shapes_count(w->shapes) <= 4);
    pt_reading_unref(w->shapes, last);
}

static void varying_pressure_makes_a_handful_of_shapes(void **state)
{
    struct world *w = *state;
    struct pt_reading *last = NULL;
    uint32_t most = 0;
    for (unsigned i = 0; i < 10000; i++) {
        char text[256];
        const int len = snprintf(text, sizeof text,
                                 "some avg10=%u.%02u avg60=%u.%02u avg300=%u.%02u total=%u\n",
                                 rnd(100), rnd(100), rnd(100), rnd(100), rnd(3), rnd(100), i * 977);
        struct pt_reading *r = pack(w, &plain, last, text, (size_t)len);
        pt_reading_unref(w->shapes, last);
        last = r;
        most = pt_shapes_count(w->shapes) > most ? pt_shapes_count(w->shapes) : most;
    }
    assert_int_equal(most, 1);
    pt_reading_unref(w->shapes, last);
}

static void slab_rows_of_one_name_go_by_ordinal(void **state)
{
    struct world *w = *state;
    static const char one[] = "a 1 2\nb 1 2\na 3 4\nc 5 6\n",
                      two[] = "a 1 3\na 3 5\nc 5 6\nd 1 1\n";
    struct pt_reading *a = pack(w, &slabs, NULL, one, strlen(one));
    struct pt_reading *b = pack(w, &slabs, a, two, strlen(two));
    const struct applied d = diff(w, &slabs, a, b);
    assert_int_equal(d.kept, 3);
    assert_int_equal(d.deleted, 1);
    assert_int_equal(d.inserted, 1);
    assert_int_equal(d.changed, 2);
    pt_reading_unref(w->shapes, a);
    pt_reading_unref(w->shapes, b);
}

static void equal_text_gives_the_same_reading(void **state)
{
    struct world *w = *state;
    struct pt_reading *a = pack(w, &smaps, NULL, body, strlen(body)),
                      *b = pack(w, &smaps, a, body, strlen(body));
    assert_ptr_equal(a, b);
    assert_int_equal(a->refs, 2);
    pt_reading_unref(w->shapes, a);
    pt_reading_unref(w->shapes, b);
    struct pt_reading *empty = pack(w, &plain, NULL, "", 0);
    assert_int_equal(empty->nrows, 0);
    pt_reading_unref(w->shapes, empty);
}

/* Random tables, edited at random, under every grammar. */
static size_t random_table(char *out, size_t room, uint32_t rows)
{
    static const char *const names[] = {"", "[heap]", "/lib/x.so.6", "kmalloc-64", "a", "b"};
    size_t len = 0;
    unsigned long at = 0x10000;
    for (uint32_t i = 0; i < rows && len + 400 < room; i++) {
        at += 0x1000ul * rnd(3);
        const unsigned long end = at + 0x1000ul * (1 + rnd(3));
        if (rnd(40) == 0)
            len += (size_t)snprintf(out + len, room - len, "odd %u\n", rnd(5));
        else if (rnd(3))
            len += mapping(out + len, room - len, at, end, rnd(9), names[rnd(6)]);
        else
            len += (size_t)snprintf(out + len, room - len, "%s %u %*u\n", names[rnd(6)], rnd(4),
                                    (int)rnd(9), rnd(99999));
        at = end;
    }
    if (len && rnd(8) == 0)
        len--;
    return len;
}

static void any_difference_applies(void **state)
{
    struct world *w = *state;
    static char text[20000];
    for (int round = 0; round < 3000; round++) {
        const struct pt_grammar *g = grammars[rnd(6)];
        struct pt_reading *a = NULL;
        for (int k = 0; k < 4; k++) {
            const size_t len = random_table(text, sizeof text, rnd(40));
            struct pt_reading *b = pack(w, g, a, text, len);
            diff(w, g, a, b);
            pt_reading_unref(w->shapes, a);
            a = b;
        }
        pt_reading_unref(w->shapes, a);
    }
}

static void fifty_thousand_mappings(void **state)
{
    struct world *w = *state;
    const size_t room = 50000 * 200;
    char *text = malloc(room);
    size_t len = 0;
    for (unsigned long i = 0; i < 50000; i++)
        len += mapping(text + len, room - len, 0x10000 + i * 0x3000, 0x11000 + i * 0x3000, i, "");
    struct pt_reading *a = pack(w, &smaps, NULL, text, len);
    assert_int_equal(a->nrows, 50000);
    assert_true(a->len < 50000 * 24);
    const size_t first =
        (size_t)(strchr(strchr(text, '\n') + 1, '-') - text) - 8; /* the second mapping is gone */
    struct pt_reading *b = pack(w, &smaps, a, text + first, len - first);
    const struct applied d = diff(w, &smaps, NULL, b);
    assert_int_equal(d.inserted, 49999);
    static const struct pt_diff_ops count = {0};
    struct pt_err err = {0};
    assert_int_equal(pt_reading_diff(w->shapes, smaps.key, a, b, &count, NULL, &err), 0);
    pt_reading_unref(w->shapes, a);
    pt_reading_unref(w->shapes, b);
    free(text);
}

static void bad_rows_are_refused(void **state)
{
    struct world *w = *state;
    static const char text[] = "a 1 b 300\n";
    struct pt_reading *good = pack(w, &plain, NULL, text, strlen(text)), *r = NULL;
    for (size_t cut = 0; cut <= good->len; cut++) {
        struct pt_err err = {0};
        const int made = pt_reading_make(w->shapes, 1, good->bytes, cut, &r, &err);
        assert_int_equal(made, cut == good->len ? 0 : -PT_EDAMAGED);
    }
    struct pt_err err = {0};
    assert_true(pt_reading_make(w->shapes, 2, good->bytes, good->len, &good, &err) < 0);
    static const uint8_t unknown[] = {0x7f, 0, 0};
    assert_true(pt_reading_make(w->shapes, 1, unknown, sizeof unknown, &good, &err) < 0);
    pt_reading_unref(w->shapes, good);
    pt_reading_unref(w->shapes, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mappings_match_by_start_end_overlap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_growing_heap_makes_a_handful_of_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(varying_pressure_makes_a_handful_of_shapes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(slab_rows_of_one_name_go_by_ordinal, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_text_gives_the_same_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(any_difference_applies, setup, teardown),
        cmocka_unit_test_setup_teardown(fifty_thousand_mappings, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_rows_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
