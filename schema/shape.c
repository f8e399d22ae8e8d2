/* SPDX-License-Identifier: MIT
 * Shapes: the intern table, matching and rendering. Cutting a text into a new shape is in lex.c.
 * See shape.h. */
#include "schema/shape.h"

#include <stdlib.h>

struct entry {
    struct pt_shape *shape; /* NULL: the id is free */
    uint32_t next;          /* in the bucket, or in the list of free ids; 0 ends both */
};

struct pt_shapes {
    struct entry *entries; /* by id; [0] is not used */
    uint32_t nentries, cap, free_id;
    uint32_t *buckets;
    uint32_t nbuckets; /* a power of two */
    uint32_t live;
    struct pt_pool pool;
    struct pt_buf scratch;
};

struct pt_shapes *pt_shapes_new(void)
{
    struct pt_shapes *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    pt_buf_init(&t->scratch, UINT32_MAX);
    t->nbuckets = 64;
    t->cap = 64;
    t->nentries = 1;
    t->buckets = calloc(t->nbuckets, sizeof *t->buckets);
    t->entries = calloc(t->cap, sizeof *t->entries);
    if (!t->buckets || !t->entries) {
        pt_shapes_free(t);
        return NULL;
    }
    return t;
}

void pt_shapes_free(struct pt_shapes *t)
{
    if (!t)
        return;
    for (uint32_t id = 1; t->entries && id < t->nentries; id++)
        free(t->entries[id].shape);
    free(t->entries);
    free(t->buckets);
    pt_pool_release(&t->pool);
    pt_buf_release(&t->scratch);
    free(t);
}

struct pt_pool *pt_shapes_pool(struct pt_shapes *t)
{
    return &t->pool;
}

struct pt_buf *pt_shapes_scratch(struct pt_shapes *t)
{
    return &t->scratch;
}

/* Every width a renderer would accept, in the only place that decides it. */
static bool slot_valid(uint8_t byte)
{
    const unsigned width = byte & 63;
    switch (byte >> 6) {
    case PT_SLOT_DEC:
        return true;
    case PT_SLOT_FRAC:
        return width >= 1 && width <= 19;
    case PT_SLOT_HEX:
        return width >= 1 && width <= 16;
    default:
        return false;
    }
}

static int wire_validate(const uint8_t *wire, size_t len, uint32_t *ret_nslots)
{
    struct pt_cur c = pt_cur_of(wire, len);
    const uint64_t n = pt_cur_varint(&c);
    if (n > len / 2) /* a slot takes two bytes at least */
        return -1;
    for (uint64_t i = 0; i < n; i++) {
        pt_cur_bytes(&c, pt_cur_varint(&c));
        if (!slot_valid(pt_cur_u8(&c)))
            return -1;
    }
    pt_cur_bytes(&c, pt_cur_varint(&c));
    if (c.failed || c.p != c.end)
        return -1;
    *ret_nslots = (uint32_t)n;
    return 0;
}

static void rehash(struct pt_shapes *t, uint32_t nbuckets)
{
    uint32_t *buckets = calloc(nbuckets, sizeof *buckets);
    if (!buckets)
        return; /* slower, not wrong */
    free(t->buckets);
    t->buckets = buckets;
    t->nbuckets = nbuckets;
    for (uint32_t id = 1; id < t->nentries; id++) {
        if (!t->entries[id].shape)
            continue;
        uint32_t *bucket = &buckets[t->entries[id].shape->hash & (nbuckets - 1)];
        t->entries[id].next = *bucket;
        *bucket = id;
    }
}

static uint32_t new_id(struct pt_shapes *t)
{
    if (t->free_id) {
        const uint32_t id = t->free_id;
        t->free_id = t->entries[id].next;
        return id;
    }
    if (t->nentries == t->cap) {
        const uint32_t cap = t->cap + t->cap / 2;
        struct entry *entries = realloc(t->entries, cap * sizeof *entries);
        if (!entries)
            return 0;
        t->entries = entries;
        t->cap = cap;
    }
    return t->nentries++;
}

static void free_id(struct pt_shapes *t, uint32_t id)
{
    t->entries[id] = (struct entry){.next = t->free_id};
    t->free_id = id;
}

int64_t pt_shapes_intern(struct pt_shapes *t, const uint8_t *wire, size_t len, struct pt_err *err)
{
    const uint64_t hash = pt_hash(wire, len);
    for (uint32_t id = t->buckets[hash & (t->nbuckets - 1)]; id; id = t->entries[id].next) {
        struct pt_shape *s = t->entries[id].shape;
        if (s->hash == hash && s->wire_len == len && memcmp(s->wire, wire, len) == 0) {
            s->refs++;
            return id;
        }
    }
    uint32_t nslots;
    if (len > UINT32_MAX || wire_validate(wire, len, &nslots) < 0)
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "a shape of %zu bytes is not well formed",
                          len);
    const uint32_t id = new_id(t);
    if (!id)
        return pt_err_nomem(err);
    struct pt_shape *s = malloc(sizeof *s + len);
    if (!s) {
        free_id(t, id);
        return pt_err_nomem(err);
    }
    *s = (struct pt_shape){
        .id = id, .refs = 1, .nslots = nslots, .wire_len = (uint32_t)len, .hash = hash};
    memcpy(s->wire, wire, len);
    uint32_t *bucket = &t->buckets[hash & (t->nbuckets - 1)];
    t->entries[id] = (struct entry){.shape = s, .next = *bucket};
    *bucket = id;
    if (++t->live > t->nbuckets)
        rehash(t, t->nbuckets * 2);
    return id;
}

const struct pt_shape *pt_shapes_get(const struct pt_shapes *t, uint32_t id)
{
    return id < t->nentries ? t->entries[id].shape : NULL;
}

void pt_shapes_ref(struct pt_shapes *t, uint32_t id)
{
    t->entries[id].shape->refs++;
}

void pt_shapes_unref(struct pt_shapes *t, uint32_t id)
{
    struct pt_shape *s = t->entries[id].shape;
    if (--s->refs > 0)
        return;
    uint32_t *link = &t->buckets[s->hash & (t->nbuckets - 1)];
    while (*link != id)
        link = &t->entries[*link].next;
    *link = t->entries[id].next;
    t->live--;
    free(s);
    free_id(t, id);
}

uint32_t pt_shapes_count(const struct pt_shapes *t)
{
    return t->live;
}

/* ---- matching: each returns the end of the number, or NULL when it is not spelt as rendering
 * would spell it ---- */

static const char *match_dec(const char *p, const char *end, unsigned width, uint64_t *ret)
{
    const char *start = p;
    while (p < end && *p == ' ')
        p++;
    const char *digits = p;
    uint64_t v = 0;
    unsigned digit;
    /* 19 digits always fit */
    for (const char *safe = end - p > 19 ? p + 19 : end;
         p < safe && (digit = (unsigned)(*p - '0')) < 10; p++)
        v = v * 10 + digit;
    for (; p - digits >= 19 && p < end && (digit = (unsigned)(*p - '0')) < 10; p++) {
        if (v > UINT64_MAX / 10 || (v == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
            return NULL;
        v = v * 10 + digit;
    }
    if (p == digits || (*digits == '0' && p - digits > 1))
        return NULL;
    if (digits > start ? p - start != (ptrdiff_t)width : p - digits < (ptrdiff_t)width)
        return NULL;
    *ret = v;
    return p;
}

static const char *match_frac(const char *p, const char *end, unsigned width, uint64_t *ret)
{
    if (end - p < (ptrdiff_t)width)
        return NULL;
    uint64_t v = 0;
    for (unsigned i = 0; i < width; i++, p++) {
        if ((unsigned char)(*p - '0') >= 10)
            return NULL;
        v = v * 10 + (unsigned)(*p - '0');
    }
    *ret = v;
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *match_hex(const char *p, const char *end, unsigned width, uint64_t *ret)
{
    const char *start = p;
    uint64_t v = 0;
    int digit;
    for (; p < end && (digit = hex_digit(*p)) >= 0; p++)
        v = v << 4 | (unsigned)digit;
    const ptrdiff_t n = p - start;
    if (n < (ptrdiff_t)width || n > 16 || (n > (ptrdiff_t)width && *start == '0'))
        return NULL;
    *ret = v;
    return p;
}

static const char *match_slot(uint8_t slot, const char *p, const char *end, uint64_t *ret)
{
    switch (slot >> 6) {
    case PT_SLOT_DEC:
        return match_dec(p, end, slot & 63, ret);
    case PT_SLOT_FRAC:
        return match_frac(p, end, slot & 63, ret);
    default:
        return match_hex(p, end, slot & 63, ret);
    }
}

int pt_shape_match(const struct pt_shape *s, const char *text, size_t len, struct pt_buf *slots)
{
    const size_t undo = slots->len;
    struct pt_cur c = pt_cur_of(s->wire, s->wire_len);
    const char *p = text, *end = text + len;
    pt_cur_varint(&c);
    for (uint32_t i = 0;; i++) {
        const size_t lit = pt_cur_varint(&c);
        if (lit > (size_t)(end - p) || (lit == 1 ? *p != (char)*c.p : memcmp(p, c.p, lit) != 0))
            break;
        p += lit;
        c.p += lit;
        if (i == s->nslots) {
            if (p != end || slots->failed)
                break;
            return 0;
        }
        uint64_t v;
        p = match_slot(*c.p++, p, end, &v);
        if (!p)
            break;
        pt_buf_varint(slots, v);
    }
    slots->len = undo;
    return -1;
}

/* ---- rendering ---- */

static void render_slot(uint8_t slot, uint64_t v, struct pt_buf *out, struct pt_span *span,
                        size_t base)
{
    const unsigned kind = slot >> 6, width = slot & 63;
    const unsigned radix = kind == PT_SLOT_HEX ? 16 : 10;
    char digits[20];
    unsigned n = 0;
    do {
        digits[sizeof digits - ++n] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    const unsigned pad = width > n ? width - n : 0;
    uint8_t *p = pt_buf_room(out, pad + n);
    if (!p)
        return;
    memset(p, kind == PT_SLOT_DEC ? ' ' : '0', pad);
    memcpy(p + pad, digits + sizeof digits - n, n);
    if (span) {
        const unsigned blank = kind == PT_SLOT_DEC ? pad : 0;
        *span =
            (struct pt_span){.off = (uint32_t)(out->len - base + blank), .len = pad + n - blank};
    }
    out->len += pad + n;
}

int pt_shape_render(const struct pt_shape *s, struct pt_cur *values, struct pt_buf *out,
                    struct pt_span *spans)
{
    const size_t base = out->len;
    struct pt_cur c = pt_cur_of(s->wire, s->wire_len);
    pt_cur_varint(&c);
    for (uint32_t i = 0;; i++) {
        const size_t lit = pt_cur_varint(&c);
        pt_buf_put(out, c.p, lit);
        c.p += lit;
        if (i == s->nslots)
            break;
        const uint8_t slot = *c.p++;
        const uint64_t v = pt_cur_varint(values);
        if (values->failed)
            return -1;
        render_slot(slot, v, out, spans ? &spans[i] : NULL, base);
    }
    return out->failed ? -1 : 0;
}

int pt_shape_walk(const struct pt_shape *s,
                  int (*fn)(void *ctx, uint32_t i, const struct pt_slot *slot), void *ctx)
{
    struct pt_cur c = pt_cur_of(s->wire, s->wire_len);
    pt_cur_varint(&c);
    for (uint32_t i = 0;; i++) {
        struct pt_slot slot = {.literal_len = pt_cur_varint(&c)};
        slot.literal = c.p;
        c.p += slot.literal_len;
        if (i < s->nslots) {
            slot.kind = (enum pt_slot_kind)(*c.p >> 6);
            slot.width = *c.p++ & 63u;
        }
        const int r = fn(ctx, i, &slot);
        if (r < 0)
            return r;
        if (i == s->nslots)
            return 0;
    }
}

int pt_shape_widen(const struct pt_shape *a, const struct pt_shape *b, struct pt_buf *wire)
{
    const size_t undo = wire->len;
    if (a->nslots != b->nslots || a->wire_len != b->wire_len)
        return -1;
    struct pt_cur ca = pt_cur_of(a->wire, a->wire_len), cb = pt_cur_of(b->wire, b->wire_len);
    pt_buf_varint(wire, pt_cur_varint(&ca));
    pt_cur_varint(&cb);
    for (uint32_t i = 0;; i++) {
        const size_t lit = pt_cur_varint(&ca);
        if (pt_cur_varint(&cb) != lit || memcmp(ca.p, cb.p, lit) != 0)
            break;
        pt_buf_varint(wire, lit);
        pt_buf_put(wire, ca.p, lit);
        ca.p += lit;
        cb.p += lit;
        if (i == a->nslots)
            return wire->failed ? -1 : 0;
        const uint8_t sa = *ca.p++, sb = *cb.p++;
        if (sa >> 6 != sb >> 6 || (sa != sb && sa >> 6 == PT_SLOT_FRAC))
            break;
        pt_buf_u8(wire, sa > sb ? sa : sb);
    }
    wire->len = undo;
    return -1;
}
