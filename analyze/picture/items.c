/* SPDX-License-Identifier: MIT
 * Recorded text to fields. */
#include "analyze/picture/items.h"

const char *pt_items_text(const struct pt_shapes *shapes, const struct pt_source_at *at,
                          struct pt_buf *buf)
{
    struct pt_err err = {0};
    pt_buf_reset(buf);
    if (!at || !at->reading || pt_reading_text(shapes, at->reading, buf, &err) < 0)
        return NULL;
    const size_t len = buf->len;
    pt_buf_u8(buf, 0);
    buf->len = len;
    return buf->failed ? NULL : (const char *)buf->data;
}

int pt_items_each(const struct pt_shapes *shapes, const struct pt_file *file,
                  const struct pt_source_at *at, struct pt_buf *buf, pt_emit *emit, void *ctx,
                  struct pt_err *err)
{
    if (!at || !at->reading)
        return 0;
    pt_buf_reset(buf);
    const int rc = pt_reading_text(shapes, at->reading, buf, err);
    if (rc < 0)
        return rc;
    if (!file)
        file = pt_file_of(at->name);
    return file->parse ? file->parse((const char *)buf->data, buf->len, emit, ctx) : 0;
}

int64_t pt_items_number(const struct pt_item *item)
{
    int64_t v, scale;
    return pt_number(item->value, item->value_len, &v, &scale) && scale == 1 ? v : PT_UNKNOWN;
}

int64_t pt_items_times(int64_t n, int64_t unit)
{
    int64_t bytes;
    return n == PT_UNKNOWN || unit == PT_UNKNOWN || __builtin_mul_overflow(n, unit, &bytes)
               ? PT_UNKNOWN
               : bytes;
}

int64_t pt_items_bytes(const struct pt_file *file, const struct pt_item *item)
{
    const struct pt_field *field = pt_field_of(file, item->field, item->field_len);
    const enum pt_unit unit = field ? field->unit : file->unit;
    return pt_items_times(pt_items_number(item), unit == PT_UNIT_KIB ? 1024 : 1);
}
