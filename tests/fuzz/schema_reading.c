/* SPDX-License-Identifier: MIT
 * Any bytes, under any grammar: two texts pack, come back byte for byte, and their difference is
 * well formed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schema/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int row_seen(void *ctx, uint32_t number, const struct pt_row *row)
{
    uint32_t *rows = ctx;
    (void)number;
    if (!row->head)
        abort();
    rows[0]++;
    return 0;
}

static struct pt_reading *pack(struct pt_pack *p, const struct pt_grammar *g,
                               const struct pt_reading *prev, const uint8_t *text, size_t len)
{
    struct pt_reading *r = NULL;
    struct pt_err err = {0};
    if (pt_pack_text(p, g, prev, text, len, &r, &err) < 0)
        abort();
    struct pt_buf out;
    pt_buf_init(&out, PT_TEXT_MAX);
    if (pt_reading_text(p->shapes, r, &out, &err) < 0 || out.len != len ||
        (len && memcmp(out.data, text, len) != 0))
        abort();
    pt_buf_release(&out);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct pt_grammar g = {.rows = data[0] % 3,
                                 .key = data[0] / 3 % 5,
                                 .head = data[0] / 15 % 4,
                                 .body = data[1] % 4,
                                 .width = data[1] / 4};
    data += 2;
    size -= 2;
    const uint8_t *cut = size ? memchr(data, 0xfe, size) : NULL;
    const size_t first = cut ? (size_t)(cut - data) : size / 2;
    struct pt_shapes *t = pt_shapes_new();
    struct pt_pack p;
    pt_pack_init(&p, t);
    struct pt_reading *a = pack(&p, &g, NULL, data, first),
                      *b = pack(&p, &g, a, data + first, size - first);
    uint32_t rows = 0;
    const struct pt_diff_ops ops = {.ins = row_seen, .del = row_seen};
    struct pt_err err = {0};
    if (pt_reading_diff(t, g.key, a, b, &ops, &rows, &err) < 0 || rows > a->nrows + b->nrows)
        abort();
    pt_reading_unref(t, a);
    pt_reading_unref(t, b);
    if (pt_shapes_count(t) != 0)
        abort();
    pt_pack_release(&p);
    pt_shapes_free(t);
    return 0;
}
