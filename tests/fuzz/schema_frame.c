/* SPDX-License-Identifier: MIT
 * Chains of frames of any content, their checksums made right: refused or applied, never out of
 * bounds, and what a chain holds can be printed. Input: frames, each two bytes of length (low
 * first) and content; the first a key frame. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/frame_blob.h"
#include "schema/frame_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_content(const uint8_t *content, size_t len, bool key, struct pt_frame **ret)
{
    uint8_t *blob = calloc(1, PT_BLOB_HEAD + len);
    if (!blob)
        return -1;
    memcpy(blob, PT_FRAME_MAGIC, 4);
    blob[5] = key ? PT_FRAME_KEY : 0;
    for (unsigned i = 0; i < 4; i++)
        blob[8 + i] = blob[12 + i] = (uint8_t)(len >> (8 * i));
    memcpy(blob + PT_BLOB_HEAD, content, len);
    pt_blob_resum(blob, PT_BLOB_HEAD + len);
    const int rc = pt_frame_open(blob, PT_BLOB_HEAD + len, ret, NULL);
    free(blob);
    return rc;
}

static void print_all(const struct pt_chain *c, const struct pt_shapes *shapes)
{
    struct pt_buf text;
    pt_buf_init(&text, 1 << 20);
    for (uint32_t i = 0; i < pt_chain_count(c); i++) {
        const struct pt_source_at *at = pt_chain_get(c, i);
        const bool has = at->presence == PT_READ || at->presence == PT_CARRIED;
        if (has != (at->reading != NULL) || strlen(at->name) >= PT_NAME_MAX)
            abort();
        pt_buf_reset(&text);
        if (at->reading && pt_reading_text(shapes, at->reading, &text, NULL) < 0 && !text.failed)
            abort();
    }
    pt_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_chain *c = pt_chain_new(shapes);
    struct pt_cur in = pt_cur_of(data, size);
    for (bool key = true; pt_cur_left(&in) >= 2; key = false) {
        const size_t low = pt_cur_u8(&in), want = low | (size_t)pt_cur_u8(&in) << 8;
        const size_t len = want < pt_cur_left(&in) ? want : pt_cur_left(&in);
        struct pt_frame *f = NULL;
        if (open_content(pt_cur_bytes(&in, len), len, key, &f) < 0)
            continue;
        pt_chain_apply(c, f, NULL);
        print_all(c, shapes);
        pt_frame_free(f);
    }
    pt_chain_free(c);
    if (pt_shapes_count(shapes) != 0)
        abort();
    pt_shapes_free(shapes);
    return 0;
}
