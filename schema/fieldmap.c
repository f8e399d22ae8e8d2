/* SPDX-License-Identifier: MIT
 * Slot to field: the row's shapes are rendered once with sample numbers, the file's own parser is
 * run on that text, and where a value's span is a slot's span, that slot is the field. One parser
 * serves text and columns alike. */
#include "schema/source.h"

#include <stdlib.h>
#include <string.h>

/* A slot, and where it stands in the sample text. */
struct place {
    uint32_t off, len;
    uint8_t kind, width;
};

/* An entry while strings still move. */
struct draft {
    struct pt_fieldmap_entry entry;
    size_t row, field; /* offsets in strings */
    size_t first_mark;
};

struct build {
    const struct pt_file *file;
    struct pt_buf text;
    struct place *places;
    uint32_t nslots;
    struct pt_buf strings, drafts, marks;
    uint32_t n;
    const char *row_at; /* the row of the draft before: neighbours mostly share theirs */
    size_t row_len;
    struct draft last;
    const char *refused; /* the field before, where a slot stood in its name */
    size_t refused_len;
};

/* Strings and entries of one map: the largest text a row can be is far below. */
#define BUILD_MAX (256u << 20)

/* 10^n, or 0 when that is too large. */
static uint64_t power10(unsigned n)
{
    uint64_t v = 1;
    while (n-- > 0) {
        if (v > UINT64_MAX / 10)
            return 0;
        v *= 10;
    }
    return v;
}

struct walk {
    struct place *places;
    uint32_t nslots;
};

static int note_place(void *ctx, uint32_t i, const struct pt_slot *slot)
{
    const struct walk *w = ctx;
    if (i < w->nslots) /* once more for the last literal */
        w->places[i] = (struct place){.kind = (uint8_t)slot->kind, .width = (uint8_t)slot->width};
    return 0;
}

/* Small numbers, so that padding shows: in "Private_Hugetlb:       0 kB" it alone parts key and
 * value. */
static uint64_t sample_value(const struct place *p, uint32_t i)
{
    return p->kind == PT_SLOT_FRAC ? i % power10(p->width) : i;
}

/* Appends the text of a shape whose first slot is number `first` of the row, each slot holding its
 * number. */
static int render_sample(struct build *b, const struct pt_shape *shape, uint32_t first)
{
    struct place *places = b->places + first;
    struct pt_buf values;
    const size_t base = b->text.len;
    struct pt_span *spans = calloc((size_t)shape->nslots + 1, sizeof *spans);
    pt_buf_init(&values, (size_t)(shape->nslots + 1) * PT_VARINT_MAX);
    pt_shape_walk(shape, note_place, &(struct walk){places, shape->nslots});
    for (uint32_t i = 0; i < shape->nslots; i++)
        pt_buf_varint(&values, sample_value(&places[i], first + i));
    struct pt_cur c = pt_cur_of(values.data, values.len);
    int r = spans == NULL || values.failed ? -1 : pt_shape_render(shape, &c, &b->text, spans);
    for (uint32_t i = 0; r >= 0 && i < shape->nslots; i++) {
        places[i].off = (uint32_t)(base + spans[i].off);
        places[i].len = spans[i].len;
    }
    pt_buf_release(&values);
    free(spans);
    return r;
}

/* The first slot that begins at off or after it. */
static uint32_t slot_at(const struct build *b, size_t off)
{
    uint32_t low = 0, high = b->nslots;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        if (b->places[mid].off < off)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Where p stands in the sample text; SIZE_MAX for a name the parser made up. */
static size_t offset_of(const struct build *b, const char *p)
{
    const uintptr_t base = (uintptr_t)b->text.data, at = (uintptr_t)p;
    return at >= base && at - base <= b->text.len ? (size_t)(at - base) : SIZE_MAX;
}

static bool has(const struct build *b, size_t off, size_t end, const char *what)
{
    const size_t n = strlen(what);
    return off + n <= end && memcmp(b->text.data + off, what, n) == 0;
}

/* Is the value [off, end) of the text a slot, or a slot, a '.' and a fraction? */
static bool value_slots(const struct build *b, size_t off, size_t end,
                        struct pt_fieldmap_entry *ret)
{
    const bool negative = has(b, off, end, "-");
    off += negative;
    uint32_t i = slot_at(b, off);
    if (i < b->nslots && b->places[i].kind == PT_SLOT_HEX && has(b, off, end, "0x"))
        off += 2;
    if (i >= b->nslots || b->places[i].off != off || b->places[i].kind == PT_SLOT_FRAC)
        return false;
    const struct place *p = &b->places[i];
    if (negative && p->kind == PT_SLOT_HEX)
        return false;
    *ret = (struct pt_fieldmap_entry){
        .slot = i, .scale_slots = 1, .negative = negative, .hex = p->kind == PT_SLOT_HEX};
    off += p->len;
    if (off == end)
        return true;
    if (!has(b, off, end, ".") || p->kind != PT_SLOT_DEC || i + 1 >= b->nslots ||
        p[1].kind != PT_SLOT_FRAC || p[1].off != off + 1 || p[1].off + p[1].len != end)
        return false;
    ret->scale_slots = 2;
    ret->frac_width = p[1].width;
    return true;
}

static size_t put_string(struct build *b, const char *s, size_t len)
{
    const size_t at = b->strings.len;
    pt_buf_put(&b->strings, s, len);
    pt_buf_u8(&b->strings, 0);
    return at;
}

/* The row's name with its slots as '#' into the strings, and their marks. */
static void put_row(struct build *b, const char *row, size_t len, struct draft *d)
{
    const size_t off = offset_of(b, row);
    const bool zone = len >= 5 && memcmp(row, "Node ", 5) == 0; /* see pt_row_name */
    d->row = b->strings.len;
    d->first_mark = b->marks.len / sizeof(struct pt_fieldmap_mark);
    d->entry.nmarks = 0;
    uint32_t slot = off != SIZE_MAX ? slot_at(b, off) : b->nslots;
    for (size_t i = 0; i < len; i++) {
        const struct place *p = slot < b->nslots ? &b->places[slot] : NULL;
        if (p != NULL && p->off == off + i && p->off + p->len <= off + len) {
            const struct pt_fieldmap_mark mark = {.at = (uint32_t)(b->strings.len - d->row),
                                                  .slot = slot++,
                                                  .kind = p->kind,
                                                  .width = p->width};
            pt_buf_put(&b->marks, &mark, sizeof mark);
            d->entry.nmarks++;
            pt_buf_u8(&b->strings, '#');
            i += p->len - 1;
        } else if (!zone || row[i] != ' ' || i == 0 || row[i - 1] != ' ') {
            pt_buf_u8(&b->strings, (uint8_t)row[i]);
        }
    }
    pt_buf_u8(&b->strings, 0);
}

/* Does a slot stand within the field's name? Then it has another name for every value. The names a
 * parser makes of such a one ("key.1" after "key") go the same way. */
static bool named_by_slot(struct build *b, const struct pt_item *item)
{
    const size_t off = offset_of(b, item->field);
    if (off == SIZE_MAX)
        return b->refused != NULL && item->field_len > b->refused_len &&
               memcmp(item->field, b->refused, b->refused_len) == 0;
    const uint32_t i = slot_at(b, off);
    const bool yes = i < b->nslots && b->places[i].off < off + item->field_len;
    b->refused = yes ? item->field : NULL;
    b->refused_len = item->field_len;
    return yes;
}

static int add_item(void *ctx, const struct pt_item *item)
{
    struct build *b = ctx;
    struct draft d = {0};
    const size_t off = offset_of(b, item->value);
    if (named_by_slot(b, item) || off == SIZE_MAX ||
        !value_slots(b, off, off + item->value_len, &d.entry))
        return 0;
    d.entry.meta = pt_field_of(b->file, item->field, item->field_len);
    if (d.entry.meta != NULL && d.entry.meta->unit == PT_UNIT_HEX && !d.entry.hex)
        return 0; /* hexadecimal digits that happened to be decimal ones */
    if (b->n > 0 && item->row == b->row_at && item->row_len == b->row_len) {
        d.row = b->last.row;
        d.first_mark = b->last.first_mark;
        d.entry.nmarks = b->last.entry.nmarks;
    } else {
        put_row(b, item->row, item->row_len, &d);
    }
    d.field = put_string(b, item->field, item->field_len);
    b->row_at = item->row;
    b->row_len = item->row_len;
    b->last = d;
    b->n++;
    pt_buf_put(&b->drafts, &d, sizeof d);
    return b->drafts.failed || b->strings.failed || b->marks.failed ? -1 : 0;
}

/* The finished map, in one piece of memory: itself, entries, marks, strings. */
static struct pt_fieldmap *assemble(const struct build *b)
{
    const size_t entries = sizeof(struct pt_fieldmap);
    const size_t marks = entries + b->n * sizeof(struct pt_fieldmap_entry);
    const size_t strings = marks + b->marks.len;
    struct pt_fieldmap *m = malloc(strings + b->strings.len);
    if (m == NULL)
        return NULL;
    char *base = (char *)m;
    *m = (struct pt_fieldmap){.file = b->file, .n = b->n, .entries = (void *)(base + entries)};
    if (b->marks.len > 0)
        memcpy(base + marks, b->marks.data, b->marks.len);
    if (b->strings.len > 0)
        memcpy(base + strings, b->strings.data, b->strings.len);
    for (uint32_t i = 0; i < b->n; i++) {
        struct draft d;
        memcpy(&d, b->drafts.data + i * sizeof d, sizeof d);
        d.entry.row = base + strings + d.row;
        d.entry.field = base + strings + d.field;
        d.entry.marks = (const struct pt_fieldmap_mark *)(void *)(base + marks) + d.first_mark;
        m->entries[i] = d.entry;
    }
    return m;
}

int pt_fieldmap_new(const struct pt_file *file, const struct pt_shape *head,
                    const struct pt_shape *body, struct pt_fieldmap **ret, struct pt_err *err)
{
    const uint32_t body_slots = body != NULL ? body->nslots : 0;
    struct build b = {.file = file, .nslots = head->nslots + body_slots};
    pt_buf_init(&b.text, BUILD_MAX);
    pt_buf_init(&b.strings, BUILD_MAX);
    pt_buf_init(&b.drafts, BUILD_MAX);
    pt_buf_init(&b.marks, BUILD_MAX);
    b.places = calloc((size_t)b.nslots + 1, sizeof *b.places);
    int r = b.places == NULL ? -1 : render_sample(&b, head, 0);
    if (r >= 0 && body != NULL)
        r = render_sample(&b, body, head->nslots);
    if (r >= 0 && b.text.len > 0)
        r = file->parse((const char *)b.text.data, b.text.len, add_item, &b);
    struct pt_fieldmap *m = r >= 0 ? assemble(&b) : NULL;
    if (m != NULL)
        *ret = m;
    free(b.places);
    pt_buf_release(&b.text);
    pt_buf_release(&b.strings);
    pt_buf_release(&b.drafts);
    pt_buf_release(&b.marks);
    return m != NULL ? 0 : pt_err_nomem(err);
}

void pt_fieldmap_free(struct pt_fieldmap *m)
{
    free(m);
}

const struct pt_fieldmap_entry *pt_fieldmap_find(const struct pt_fieldmap *m, const char *field,
                                                 uint32_t *i)
{
    while (*i < m->n) {
        const struct pt_fieldmap_entry *e = &m->entries[(*i)++];
        if (strcmp(e->field, field) == 0)
            return e;
    }
    return NULL;
}

/* A slot's digits as rendering spells them, without padding; returns their count. */
static size_t spell(const struct pt_fieldmap_mark *mark, uint64_t v, char digits[static 24])
{
    const unsigned base = mark->kind == PT_SLOT_HEX ? 16 : 10;
    const size_t least = mark->kind == PT_SLOT_DEC ? 1 : mark->width;
    size_t n = 0;
    char reversed[24];
    for (; (v > 0 || n < least) && n < sizeof reversed; v /= base)
        reversed[n++] = "0123456789abcdef"[v % base];
    for (size_t i = 0; i < n; i++)
        digits[i] = reversed[n - 1 - i];
    return n;
}

static void copy_out(const char *s, size_t len, char *ret, size_t size, size_t *n)
{
    for (size_t i = 0; i < len; i++, (*n)++) {
        if (*n + 1 < size)
            ret[*n] = s[i];
    }
}

size_t pt_fieldmap_row(const struct pt_fieldmap_entry *e, const uint64_t *slots, char *ret,
                       size_t size)
{
    size_t n = 0, from = 0;
    for (uint32_t i = 0; i < e->nmarks; i++) {
        char digits[24];
        copy_out(e->row + from, e->marks[i].at - from, ret, size, &n);
        copy_out(digits, spell(&e->marks[i], slots[e->marks[i].slot], digits), ret, size, &n);
        from = (size_t)e->marks[i].at + 1;
    }
    copy_out(e->row + from, strlen(e->row + from), ret, size, &n);
    if (size > 0)
        ret[n < size ? n : size - 1] = '\0';
    return n;
}

bool pt_fieldmap_value(const struct pt_fieldmap_entry *e, const uint64_t *slots, int64_t *ret,
                       int64_t *ret_scale)
{
    const uint64_t whole = slots[e->slot];
    uint64_t v = whole, scale = 1;
    bool fits = true;
    if (e->scale_slots == 2) {
        scale = power10(e->frac_width);
        fits = scale > 0 && scale <= INT64_MAX && !__builtin_mul_overflow(whole, scale, &v) &&
               !__builtin_add_overflow(v, slots[e->slot + 1], &v);
    }
    if (!fits || v > INT64_MAX) {
        *ret = INT64_MAX;
        *ret_scale = 1;
        return false;
    }
    *ret = e->negative ? -(int64_t)v : (int64_t)v;
    *ret_scale = (int64_t)scale;
    return true;
}
