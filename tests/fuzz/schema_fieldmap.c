/* SPDX-License-Identifier: MIT
 * Shapes of any text under the grammar of any file, and shapes that no text ever made: the map
 * names only slots there are, and what it says of the text's own slots is what the parser says of
 * the text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schema/source.h"
#include "tests/support/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct want {
    const struct pt_file *file;
    const struct pt_fieldmap *map;
    const uint64_t *slots;
    uint32_t next;
};

/* Entries come in the parser's order: this item is the next entry's, or is none's. */
static int check_item(void *ctx, const struct pt_item *item)
{
    struct want *w = ctx;
    if (w->next == w->map->n)
        return 0;
    const struct pt_fieldmap_entry *e = &w->map->entries[w->next];
    int64_t a = 0, b = 0, scale_a = 0, scale_b = 0;
    const size_t len = strnlen(item->field, item->field_len); /* a map's names end at a NUL */
    if (strlen(e->field) != len || memcmp(e->field, item->field, len) != 0)
        return 0;
    const bool number = pt_value(pt_field_of(w->file, item->field, item->field_len), item->value,
                                 item->value_len, &a, &scale_a);
    const bool fits = pt_fieldmap_value(e, w->slots, &b, &scale_b);
    if (number == fits && (!fits || e->hex || (a == b && scale_a == scale_b)))
        w->next++;
    return 0;
}

/* A slot whose padding alone parts it from what stands before: a text with a number that fills the
 * width has other words than the map was made of. No kernel prints one. */
static int note_tight(void *ctx, uint32_t i, const struct pt_slot *slot)
{
    bool *tight = ctx;
    const uint8_t last = slot->literal_len > 0 ? slot->literal[slot->literal_len - 1] : 0;
    (void)i;
    if (slot->kind == PT_SLOT_DEC && slot->width > 1 && last != ' ' && last != '\t')
        *tight = true;
    return 0;
}

static void check_map(const struct pt_file *file, const struct pt_row *row)
{
    struct pt_fieldmap *m = NULL;
    struct pt_err err = {0};
    uint64_t *slots = calloc((size_t)row->nslots + 1, sizeof *slots);
    char name[64];
    if (pt_fieldmap_new(file, row->head, row->body, &m, &err) < 0)
        abort();
    if (row->slots != NULL)
        pt_row_slots(row, slots);
    for (uint32_t i = 0; i < m->n; i++) {
        const struct pt_fieldmap_entry *e = &m->entries[i];
        int64_t value, scale;
        if (e->slot + (uint32_t)e->scale_slots > row->nslots)
            abort();
        pt_fieldmap_value(e, slots, &value, &scale);
        if (scale < 1)
            abort();
        pt_fieldmap_row(e, slots, name, sizeof name);
    }
    bool tight = false;
    pt_shape_walk(row->head, note_tight, &tight);
    if (row->body != NULL)
        pt_shape_walk(row->body, note_tight, &tight);
    struct pt_buf text;
    pt_buf_init(&text, 64u << 20);
    struct pt_cur c = pt_cur_of(row->slots, row->slots_len);
    if (row->slots != NULL && pt_shape_render(row->head, &c, &text, NULL) >= 0 &&
        (row->body == NULL || pt_shape_render(row->body, &c, &text, NULL) >= 0) && text.len > 0) {
        struct want w = {.file = file, .map = m, .slots = slots};
        file->parse((const char *)text.data, text.len, check_item, &w);
        if (w.next != m->n && !tight)
            abort();
    }
    pt_buf_release(&text);
    pt_fieldmap_free(m);
    free(slots);
}

static void check_text(const struct pt_file *file, const uint8_t *text, size_t len)
{
    struct pt_shapes *t = pt_shapes_new();
    struct pt_pack p;
    struct pt_reading *r = NULL;
    struct pt_err err = {0};
    struct pt_row row;
    pt_pack_init(&p, t);
    if (pt_pack_text(&p, &file->grammar, NULL, text, len, &r, &err) < 0)
        abort();
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    while (pt_row_next(t, &c, &row))
        check_map(file, &row);
    pt_reading_unref(t, r);
    pt_pack_release(&p);
    pt_shapes_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t at;
    const struct pt_file *file = text_file(data, size, &at);
    check_text(file, data + at, size - at);
    struct pt_shapes *t = pt_shapes_new();
    const int64_t id = pt_shapes_intern(t, data + at, size - at, NULL);
    if (id > 0) {
        const struct pt_shape *s = pt_shapes_get(t, (uint32_t)id);
        check_map(file, &(struct pt_row){.head = s, .nslots = s->nslots});
        check_map(file, &(struct pt_row){.head = s, .body = s, .nslots = 2 * s->nslots});
    }
    pt_shapes_free(t);
    return 0;
}
