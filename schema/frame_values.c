/* SPDX-License-Identifier: MIT
 * The deltas of a frame, column by column. What statm, stat and status of a process say of its
 * memory are the same numbers but for a factor, and in a column they stand in the same order:
 * divided by what a column has in common they are the same bytes. That and apart first bytes of
 * varints make a frame a third smaller. */
#include "schema/frame_int.h"

#include <stdlib.h>

void pt_changes_add(struct pt_changes *c, uint32_t class_id, uint32_t slot, uint64_t delta)
{
    if (c->n == c->cap) {
        const uint64_t cap = (uint64_t)c->cap + c->cap / 2 + 64;
        struct pt_change *v = cap <= UINT32_MAX ? realloc(c->v, cap * sizeof *v) : NULL;
        if (!v) {
            c->failed = true;
            return;
        }
        c->v = v;
        c->cap = (uint32_t)cap;
    }
    c->v[c->n] = (struct pt_change){
        .column = (uint64_t)class_id << 32 | slot, .delta = delta, .order = c->n};
    c->n++;
}

static bool make_spare(struct pt_changes *c)
{
    if (c->spare_cap >= c->n)
        return true;
    free(c->spare);
    c->spare = malloc(c->cap * sizeof *c->spare);
    c->spare_cap = c->spare ? c->cap : 0;
    c->failed |= !c->spare;
    return c->spare;
}

static void swap_spare(struct pt_changes *c)
{
    struct pt_change *v = c->v;
    const uint32_t cap = c->cap;
    c->v = c->spare;
    c->cap = c->spare_cap;
    c->spare = v;
    c->spare_cap = cap;
}

/* By column, the order within it kept: byte by byte, of which most are the same in all and are
 * passed over. */
static bool sort_columns(struct pt_changes *c)
{
    uint64_t any = 0, all = UINT64_MAX;
    if (!make_spare(c))
        return false;
    for (uint32_t i = 0; i < c->n; i++) {
        any |= c->v[i].column;
        all &= c->v[i].column;
    }
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint32_t start[257] = {0};
        if (((any ^ all) >> shift & 0xff) == 0)
            continue;
        for (uint32_t i = 0; i < c->n; i++)
            start[(c->v[i].column >> shift & 0xff) + 1]++;
        for (unsigned k = 1; k < 256; k++)
            start[k] += start[k - 1];
        for (uint32_t i = 0; i < c->n; i++)
            c->spare[start[c->v[i].column >> shift & 0xff]++] = c->v[i];
        swap_spare(c);
    }
    return true;
}

static void restore_order(struct pt_changes *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        c->spare[c->v[i].order] = c->v[i];
    swap_spare(c);
}

void pt_changes_release(struct pt_changes *c)
{
    free(c->v);
    free(c->spare);
    *c = (struct pt_changes){0};
}

/* One past the last change of the column that starts at i. */
static uint32_t column_end(const struct pt_changes *c, uint32_t i)
{
    uint32_t end = i + 1;
    while (end < c->n && c->v[end].column == c->v[i].column)
        end++;
    return end;
}

void pt_changes_put(struct pt_changes *c, struct pt_buf *part, struct pt_buf *out)
{
    if (c->n == 0 || !sort_columns(c))
        return;
    for (uint32_t i = 0, end; i < c->n; i = end) {
        uint64_t gcd = 0;
        end = column_end(c, i);
        for (uint32_t k = i; k < end; k++)
            gcd = pt_gcd(gcd, pt_magnitude((int64_t)c->v[k].delta));
        if (end - i > 1) /* of one alone it would only be the number again */
            pt_buf_varint(out, gcd);
        for (uint32_t k = i; end - i > 1 && k < end; k++)
            c->v[k].delta = (uint64_t)pt_divide((int64_t)c->v[k].delta, gcd);
    }
    pt_buf_reset(part);
    for (uint32_t i = 0; i < c->n; i++) {
        uint8_t bytes[PT_VARINT_MAX];
        const size_t n = pt_varint_put(bytes, pt_zigzag((int64_t)c->v[i].delta));
        pt_buf_u8(out, bytes[0]);
        pt_buf_put(part, bytes + 1, n - 1);
    }
    pt_buf_put(out, part->data, part->len);
}

/* The common divisor of each column, in the deltas of its changes. */
static bool get_divisors(struct pt_changes *c, struct pt_cur *cur)
{
    for (uint32_t i = 0, end; i < c->n; i = end) {
        end = column_end(c, i);
        const uint64_t gcd = end - i > 1 ? pt_cur_varint(cur) : 1;
        if (gcd == 0)
            return false;
        for (uint32_t k = i; k < end; k++)
            c->v[k].delta = gcd;
    }
    return !cur->failed;
}

int pt_changes_get(struct pt_changes *c, struct pt_cur *cur)
{
    if (c->n == 0)
        return cur->failed || pt_cur_left(cur) ? -PT_EDAMAGED : 0;
    if (!sort_columns(c))
        return -PT_ENOMEM;
    if (!get_divisors(c, cur))
        return -PT_EDAMAGED;
    const uint8_t *first = pt_cur_bytes(cur, c->n);
    for (uint32_t i = 0; first && i < c->n; i++)
        c->v[i].delta *= (uint64_t)pt_unzigzag(pt_split_varint(first[i], cur));
    if (!first || cur->failed || pt_cur_left(cur))
        return -PT_EDAMAGED;
    restore_order(c);
    return 0;
}

/* n slots: gaps between them. */
static bool scan_slots(struct pt_cur *c, uint64_t n, uint32_t class_id, struct pt_changes *changes)
{
    uint64_t slot = 0;
    for (uint64_t i = 0; i < n; i++, slot++) {
        const uint64_t gap = pt_cur_varint(c);
        if (c->failed || gap > UINT32_MAX || slot + gap > UINT32_MAX)
            return false;
        slot += gap;
        if (changes)
            pt_changes_add(changes, class_id, (uint32_t)slot, 0);
    }
    return true;
}

int64_t pt_script_scan(struct pt_cur script, uint32_t class_id, struct pt_changes *changes)
{
    struct pt_cur *c = &script;
    int64_t total = 0;
    while (pt_cur_left(c)) {
        const uint64_t word = pt_cur_varint(c), n = word >> 2;
        uint64_t slots = 0;
        if ((word & 3) == PT_OP_CHANGE)
            slots = n;
        if ((word & 3) == PT_OP_INS && n == 0) {
            const uint64_t len = pt_cur_varint(c);
            if (len > pt_cur_left(c) || !pt_cur_bytes(c, (size_t)len))
                return -PT_EDAMAGED;
        } else if ((word & 3) == PT_OP_INS) {
            pt_cur_varint(c);
            pt_cur_varint(c);
            slots = n - 1;
        }
        if (!scan_slots(c, slots, class_id, changes))
            return -PT_EDAMAGED;
        total += (int64_t)slots;
    }
    return c->failed ? -PT_EDAMAGED : total;
}
