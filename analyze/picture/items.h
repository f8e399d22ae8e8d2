/* SPDX-License-Identifier: MIT
 * The fields of one recorded text: rendered, then read by the file's own parser. */
#ifndef PT_ANALYZE_PICTURE_ITEMS_H
#define PT_ANALYZE_PICTURE_ITEMS_H

#include <string.h>

#include "schema/source.h"
#include "schema/store.h"

/* Calls emit for each item of at's text; spans live until the next call with the same buf. file
 * NULL: looked up. Nothing is told of a source without a text. < 0: emit's, or damaged or no
 * memory. */
int pt_items_each(const struct pt_shapes *shapes, const struct pt_file *file,
                  const struct pt_source_at *at, struct pt_buf *buf, pt_emit *emit, void *ctx,
                  struct pt_err *err);
/* at's text, borrowed from buf, NUL-terminated (the NUL is not counted in buf->len); NULL when
 * there is none. */
const char *pt_items_text(const struct pt_shapes *shapes, const struct pt_source_at *at,
                          struct pt_buf *buf);
/* Asked some thousand times a process. */
static inline bool pt_items_is(const struct pt_item *item, const char *field)
{
    return item->field_len > 0 && *field == *item->field && strlen(field) == item->field_len &&
           memcmp(field, item->field, item->field_len) == 0;
}
/* A whole number of the item, by its field's unit in bytes where it is KiB; PT_UNKNOWN when it is
 * none. */
int64_t pt_items_bytes(const struct pt_file *file, const struct pt_item *item);
int64_t pt_items_number(const struct pt_item *item);
/* n * unit, PT_UNKNOWN when either is or it overflows. */
int64_t pt_items_times(int64_t n, int64_t unit);

#endif
