/* SPDX-License-Identifier: MIT
 * Slot to field: what the columns say is what the text says, for every known file of the fixtures
 * and of the running machine, and no number of the files that matter is left without a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "schema/source.h"
#include "tests/support/texts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An item of the text, by what it says. */
struct said {
    char row[96], field[96];
    int64_t value, scale;
    bool number;
    bool plain; /* spelt as a slot can be: no leading zeros, no hexadecimal */
};

struct check {
    const char *source, *text;
    size_t len;
    const struct pt_file *file;
    struct said *said;
    size_t count, cap, next;
    uint8_t *covered;    /* a byte a byte of text: part of a row or a value */
    size_t values, maps; /* in all */
    bool sane;           /* a kernel wrote it */
};

static bool spelt_plainly(const char *s, size_t len)
{
    if (len > 0 && *s == '-') {
        s++;
        len--;
    }
    const char *dot = memchr(s, '.', len);
    const size_t whole = dot != NULL ? (size_t)(dot - s) : len;
    for (size_t i = 0; i < len; i++) {
        if ((s[i] < '0' || s[i] > '9') && s[i] != '.')
            return false;
    }
    return whole == 1 || (whole > 1 && s[0] != '0');
}

static void cover(struct check *c, const char *s, size_t len)
{
    const uintptr_t base = (uintptr_t)c->text, at = (uintptr_t)s;
    if (at >= base && at - base <= c->len)
        memset(c->covered + (at - base), 1, len);
}

static int note(void *ctx, const struct pt_item *item)
{
    struct check *c = ctx;
    if (c->count == c->cap) {
        c->cap = c->cap > 0 ? c->cap * 2 : 64;
        c->said = realloc(c->said, c->cap * sizeof *c->said);
        assert_non_null(c->said);
    }
    struct said *s = &c->said[c->count++];
    *s = (struct said){0};
    const struct pt_field *meta = pt_field_of(c->file, item->field, item->field_len);
    pt_row_name(item->row, item->row_len, s->row, sizeof s->row);
    pt_row_name(item->field, item->field_len, s->field, sizeof s->field);
    s->number = pt_value(meta, item->value, item->value_len, &s->value, &s->scale);
    s->plain =
        spelt_plainly(item->value, item->value_len) && (meta == NULL || meta->unit != PT_UNIT_HEX);
    cover(c, item->row, item->row_len);
    cover(c, item->value, item->value_len);
    return 0;
}

/* The next item of the text that this entry can be: those passed over are not plain numbers. */
static void expect(struct check *c, const struct pt_fieldmap_entry *e, const uint64_t *slots)
{
    char row[96];
    int64_t value, scale;
    pt_fieldmap_row(e, slots, row, sizeof row);
    const bool fits = pt_fieldmap_value(e, slots, &value, &scale);
    for (; c->next < c->count; c->next++) {
        const struct said *s = &c->said[c->next];
        if (strcmp(s->row, row) == 0 && strcmp(s->field, e->field) == 0 && s->number == fits &&
            (!fits || (s->value == value && s->scale == scale))) {
            c->next++;
            c->maps++;
            return;
        }
        if (s->plain && s->number && c->file->grammar.head != PT_LEX_NONE)
            fail_msg("%s: text says [%s] %s = %lld, columns go on with [%s] %s = %lld", c->source,
                     s->row, s->field, (long long)s->value, row, e->field, (long long)value);
    }
    fail_msg("%s: columns say [%s] %s = %lld, the text does not", c->source, row, e->field,
             (long long)value);
}

/* Slots of the rows of these files all have a name, or are part of a name. */
static bool complete(const char *source)
{
    static const char *const patterns[] = {
        "proc:*/stat", "proc:*/statm",     "proc:*/status",   "proc:*/smaps*",  "proc:meminfo",
        "proc:vmstat", "proc:zoneinfo",    "proc:*/maps",     "proc:buddyinfo", "proc:slabinfo",
        "proc:swaps",  "proc:sysvipc/shm", "proc:pressure/*", "proc:loadavg"};
    for (size_t i = 0; i < COUNT(patterns); i++) {
        if (pt_source_match(patterns[i], source))
            return true;
    }
    return false;
}

/* Is a slot of this piece of a row outside of all items? Header lines of tables are. */
static void check_covered(struct check *c, const struct pt_shape *shape,
                          const struct pt_span *spans, size_t at)
{
    for (uint32_t i = 0; i < shape->nslots; i++) {
        for (uint32_t j = 0; j < spans[i].len; j++) {
            if (!c->covered[at + spans[i].off + j])
                fail_msg("%s: '%.*s' at %zu has no name", c->source, (int)spans[i].len,
                         c->text + at + spans[i].off, at + spans[i].off);
        }
    }
}

static void check_row(struct check *c, const struct pt_row *row, struct pt_buf *text)
{
    uint64_t *slots = calloc(row->nslots + 1, sizeof *slots);
    struct pt_span *spans = calloc(row->nslots + 1, sizeof *spans);
    struct pt_fieldmap *map = NULL;
    struct pt_err err = {0};
    pt_row_slots(row, slots);
    assert_int_equal(pt_fieldmap_new(c->file, row->head, row->body, &map, &err), 0);
    struct pt_cur values = pt_cur_of(row->slots, row->slots_len);
    size_t at = text->len;
    assert_int_equal(pt_shape_render(row->head, &values, text, spans), 0);
    const bool header = pt_source_match("proc:slabinfo", c->source) && at < 60;
    if (c->sane && complete(c->source) && !header)
        check_covered(c, row->head, spans, at);
    if (row->body != NULL) {
        at = text->len;
        assert_int_equal(pt_shape_render(row->body, &values, text, spans), 0);
        if (c->sane && complete(c->source))
            check_covered(c, row->body, spans, at);
    }
    for (uint32_t i = 0; i < map->n; i++) {
        assert_in_range(map->entries[i].slot, 0, row->nslots - 1);
        expect(c, &map->entries[i], slots);
    }
    pt_fieldmap_free(map);
    free(slots);
    free(spans);
}

static void check_text(void *ctx, const char *source, const char *text, size_t len)
{
    struct check *total = ctx;
    struct check c = {.source = source,
                      .text = text,
                      .len = len,
                      .file = pt_file_of(source),
                      .sane = total->sane};
    struct pt_shapes *t = pt_shapes_new();
    struct pt_pack p;
    struct pt_buf again;
    struct pt_reading *r = NULL;
    struct pt_err err = {0};
    struct pt_row row;
    pt_pack_init(&p, t);
    pt_buf_init(&again, PT_TEXT_MAX);
    c.covered = calloc(len + 1, 1);
    assert_int_equal(c.file->parse(text, len, note, &c), 0);
    assert_int_equal(pt_pack_text(&p, &c.file->grammar, NULL, text, len, &r, &err), 0);
    struct pt_cur cur = pt_cur_of(r->bytes, r->len);
    while (pt_row_next(t, &cur, &row))
        check_row(&c, &row, &again);
    assert_false(cur.failed);
    assert_int_equal(again.len, len);
    for (; c.next < c.count; c.next++) {
        const struct said *s = &c.said[c.next];
        if (s->plain && s->number && c.file->grammar.head != PT_LEX_NONE)
            fail_msg("%s: [%s] %s is in no column", source, s->row, s->field);
    }
    total->values += c.count;
    total->maps += c.maps;
    pt_reading_unref(t, r);
    pt_buf_release(&again);
    pt_pack_release(&p);
    pt_shapes_free(t);
    free(c.covered);
    free(c.said);
}

static void columns_say_what_fixtures_say(void **state)
{
    static const char *const trees[] = {"linux-6.18-x86_64", "linux-4.18-x86_64",
                                        "linux-5.10-arm64-64k", "cgroup-v2-numa"};
    struct check total = {.sane = true};
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        char root[512];
        snprintf(root, sizeof root, "%s/%s", PT_FIXTURES, trees[i]);
        assert_true(texts_of_tree(root, check_text, &total) > 0);
    }
    assert_true(total.maps > 2000);
}

static void columns_say_what_this_machine_says(void **state)
{
    struct check total = {.sane = true};
    (void)state;
    if (access("/proc/meminfo", R_OK) != 0) {
        print_message("skipped: no /proc here\n");
        skip();
    }
    assert_true(texts_of_machine(check_text, &total) > 10);
    assert_true(total.maps > 500);
    print_message("%zu values, %zu of them columns\n", total.values, total.maps);
}

/* One row of a text, mapped. */
struct mapped {
    struct pt_shapes *t;
    struct pt_pack p;
    struct pt_reading *r;
    struct pt_row row;
    uint64_t slots[64];
    struct pt_fieldmap *map;
};

static void map_text(struct mapped *m, const char *source, const char *text)
{
    struct pt_err err = {0};
    const struct pt_file *file = pt_file_of(source);
    *m = (struct mapped){.t = pt_shapes_new()};
    pt_pack_init(&m->p, m->t);
    assert_int_equal(pt_pack_text(&m->p, &file->grammar, NULL, text, strlen(text), &m->r, &err), 0);
    struct pt_cur c = pt_cur_of(m->r->bytes, m->r->len);
    assert_true(pt_row_next(m->t, &c, &m->row));
    assert_in_range(m->row.nslots, 0, COUNT(m->slots));
    pt_row_slots(&m->row, m->slots);
    assert_int_equal(pt_fieldmap_new(file, m->row.head, m->row.body, &m->map, &err), 0);
}

static void unmap(struct mapped *m)
{
    pt_fieldmap_free(m->map);
    pt_reading_unref(m->t, m->r);
    pt_pack_release(&m->p);
    pt_shapes_free(m->t);
}

/* The value of a field, as "value/scale", "none" or "too large". */
static const char *value_of(const struct mapped *m, const char *field)
{
    static char text[64];
    uint32_t i = 0;
    int64_t value, scale;
    const struct pt_fieldmap_entry *e = pt_fieldmap_find(m->map, field, &i);
    if (e == NULL)
        return "none";
    if (!pt_fieldmap_value(e, m->slots, &value, &scale)) {
        assert_int_equal(value, INT64_MAX);
        assert_int_equal(scale, 1);
        return "too large";
    }
    snprintf(text, sizeof text, "%lld/%lld", (long long)value, (long long)scale);
    return text;
}

static void values_by_kind(void **state)
{
    struct mapped m;
    (void)state;
    map_text(&m, "proc:meminfo",
             "A: 5 kB\nB:        18446744073709551615 kB\nC: 18446744073709551616 kB\n"
             "D:      007 kB\nE: -12 kB\nF: 0.05\nG: -3.50\nH: 9223372036854775807.5\n"
             "I: 9223372036854775808\nJ: 1-2\nK: 5x\n");
    assert_string_equal(value_of(&m, "A"), "5/1");
    assert_string_equal(value_of(&m, "B"), "too large");
    assert_string_equal(value_of(&m, "C"), "none");
    assert_string_equal(value_of(&m, "D"), "none");
    assert_string_equal(value_of(&m, "E"), "-12/1");
    assert_string_equal(value_of(&m, "F"), "5/100");
    assert_string_equal(value_of(&m, "G"), "-350/100");
    assert_string_equal(value_of(&m, "H"), "too large");
    assert_string_equal(value_of(&m, "I"), "too large");
    assert_string_equal(value_of(&m, "J"), "none");
    assert_string_equal(value_of(&m, "K"), "none");
    assert_string_equal(value_of(&m, "L"), "none");
    unmap(&m);
}

/* A map is of the shapes: it holds for all values of their slots. */
static void a_map_holds_for_other_values(void **state)
{
    struct mapped m;
    (void)state;
    map_text(&m, "proc:pressure/memory", "some avg10=0.00 avg60=1.20 avg300=0.05 total=0\n");
    m.slots[0] = 12;
    m.slots[1] = 7;
    assert_string_equal(value_of(&m, "avg10"), "1207/100");
    m.slots[6] = 4711;
    assert_string_equal(value_of(&m, "total"), "4711/1");
    uint32_t i = 0;
    const struct pt_fieldmap_entry *e = pt_fieldmap_find(m.map, "avg10", &i);
    assert_string_equal(e->row, "some");
    assert_non_null(e->meta);
    assert_int_equal(e->meta->unit, PT_UNIT_PERCENT);
    assert_null(pt_fieldmap_find(m.map, "avg10", &i)); /* only one row */
    unmap(&m);
}

static void rows_of_mappings(void **state)
{
    struct mapped m;
    uint32_t i = 0;
    char name[64];
    (void)state;
    map_text(&m, "proc:7/smaps",
             "7f0000400000-7f0000500000 rw-p 00001000 fe:00 42                     /opt/a b 7\n"
             "Rss:                   8 kB\nSwap:                  0 kB\n");
    assert_string_equal(value_of(&m, "start"), "139637980921856/1");
    assert_string_equal(value_of(&m, "offset"), "4096/1");
    assert_string_equal(value_of(&m, "inode"), "42/1");
    assert_string_equal(value_of(&m, "dev.major"), "254/1");
    assert_string_equal(value_of(&m, "Rss"), "8/1");
    const struct pt_fieldmap_entry *e = pt_fieldmap_find(m.map, "Rss", &i);
    pt_fieldmap_row(e, m.slots, name, sizeof name);
    assert_string_equal(name, "/opt/a b 7");
    assert_true(e->slot >= m.row.head->nslots);
    unmap(&m);
}

static void rows_named_by_slots(void **state)
{
    struct mapped m;
    uint32_t i = 0;
    char name[64];
    (void)state;
    map_text(&m, "proc:buddyinfo",
             "Node 0, zone      DMA      1      2 \nNode 12, zone   Normal      3      4 \n");
    const struct pt_fieldmap_entry *e = pt_fieldmap_find(m.map, "order1", &i);
    assert_string_equal(e->row, "Node #, zone DMA");
    assert_int_equal(pt_fieldmap_row(e, m.slots, name, sizeof name), 16);
    assert_string_equal(name, "Node 0, zone DMA");
    e = pt_fieldmap_find(m.map, "order1", &i);
    assert_int_equal(pt_fieldmap_row(e, m.slots, name, 8), 20);
    assert_string_equal(name, "Node 12");
    assert_null(pt_fieldmap_find(m.map, "order1", &i));
    unmap(&m);

    i = 0;
    map_text(&m, "proc:sysvipc/shm", "-559038737      32769  1600  1048576   500     0      2\n");
    e = pt_fieldmap_find(m.map, "size", &i);
    pt_fieldmap_row(e, m.slots, name, sizeof name);
    assert_string_equal(name, "32769");
    assert_string_equal(value_of(&m, "key"), "-559038737/1");
    unmap(&m);
}

/* A number in a field's name would give the field another name for every value. */
static void fields_named_by_slots(void **state)
{
    struct mapped m;
    (void)state;
    map_text(&m, "proc:of/a/new/kernel", "cpu 3: 1 2\ncpu4: 5 6\n");
    assert_string_equal(value_of(&m, "cpu 3"), "none");
    assert_string_equal(value_of(&m, "cpu 3.1"), "none");
    assert_string_equal(value_of(&m, "cpu4"), "5/1");
    assert_string_equal(value_of(&m, "cpu4.1"), "6/1");
    assert_int_equal(m.map->n, 2);
    unmap(&m);
}

static void no_negative_addresses(void **state)
{
    struct mapped m;
    (void)state;
    map_text(&m, "proc:7/maps", "10-20 rwp -30 0:0 1\n");
    assert_string_equal(value_of(&m, "start"), "16/1");
    assert_string_equal(value_of(&m, "offset"), "none");
    unmap(&m);
}

/* Nothing that can stand in a shape breaks the map: it may only map less. */
static void odd_shapes(void **state)
{
    static const char *const texts[] = {"",      "\n",        "1",           "1 2 3",
                                        "(",     "7 (1 2) S", "7 (a) S 5 6", "-1",
                                        "0.5.5", "1-2 3",     "a=1 b=2",     "Node 1, zone 2 3"};
    size_t count;
    const struct pt_file *files = pt_files(&count);
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct mapped m;
        map_text(&m, "**", texts[i][0] != '\0' ? texts[i] : " ");
        for (size_t j = 0; j < count; j++) {
            struct pt_fieldmap *map = NULL;
            struct pt_err err = {0};
            assert_int_equal(pt_fieldmap_new(&files[j], m.row.head, NULL, &map, &err), 0);
            for (uint32_t k = 0; k < map->n; k++)
                assert_in_range(map->entries[k].slot + (uint32_t)map->entries[k].scale_slots, 1,
                                m.row.nslots);
            pt_fieldmap_free(map);
        }
        unmap(&m);
    }
    pt_fieldmap_free(NULL);
}

static void hostile_texts(void **state)
{
    struct check total = {0};
    char root[512];
    (void)state;
    snprintf(root, sizeof root, "%s/hostile", PT_FIXTURES);
    assert_true(texts_of_tree(root, check_text, &total) > 0);
    assert_true(total.maps > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_say_what_fixtures_say),
        cmocka_unit_test(columns_say_what_this_machine_says),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(values_by_kind),
        cmocka_unit_test(a_map_holds_for_other_values),
        cmocka_unit_test(rows_of_mappings),
        cmocka_unit_test(rows_named_by_slots),
        cmocka_unit_test(fields_named_by_slots),
        cmocka_unit_test(no_negative_addresses),
        cmocka_unit_test(odd_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
