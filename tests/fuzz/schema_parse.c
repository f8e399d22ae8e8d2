/* SPDX-License-Identifier: MIT
 * Any bytes into any parser: the first line names the file. Values are spans of the text, rows too
 * or short made-up names, and a parser stops where it is told. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schema/source.h"
#include "tests/support/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct check {
    const struct pt_file *file;
    const char *text;
    size_t len, items, stop;
};

static int check_item(void *ctx, const struct pt_item *item)
{
    struct check *c = ctx;
    const uintptr_t text = (uintptr_t)c->text, value = (uintptr_t)item->value,
                    row = (uintptr_t)item->row;
    int64_t number, scale;
    char name[64];
    if (value < text || value - text > c->len || item->value_len > c->len - (value - text))
        abort();
    if (row >= text && row - text <= c->len ? item->row_len > c->len - (row - text)
                                            : item->row_len > 16)
        abort();
    if (pt_value(pt_field_of(c->file, item->field, item->field_len), item->value, item->value_len,
                 &number, &scale) &&
        scale < 1)
        abort();
    if (pt_row_name(item->row, item->row_len, name, sizeof name) > item->row_len)
        abort();
    if (c->stop > 0 && c->items >= c->stop)
        abort();
    c->items++;
    return c->items == c->stop ? -5 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at;
    if (size < 1)
        return 0;
    const struct pt_file *file = text_file(data, size, &at);
    const char *text = (const char *)data + at;
    struct check c = {.file = file, .text = text, .len = size - at};
    if (c.file->parse(text, c.len, check_item, &c) != 0)
        abort();
    if (c.items > 0) {
        struct check part = c;
        part.items = 0;
        part.stop = 1 + size % c.items;
        if (c.file->parse(text, c.len, check_item, &part) != -5 || part.items != part.stop)
            abort();
    }
    return 0;
}
