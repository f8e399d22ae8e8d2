/* SPDX-License-Identifier: MIT
 * Blocks of any content, their checksums made right: refused, or every source at every tick and
 * every series without going out of bounds. Input: a byte for the kind, then content. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/segment_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_instance(void *ctx, struct pt_instance *in)
{
    const struct pt_block *b = ctx;
    if (!in->head || in->born > in->died || in->died > pt_block_ticks(b))
        abort();
    return 1;
}

static int on_value(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value)
{
    const struct pt_block *b = ctx;
    (void)instance, (void)slot, (void)value;
    if (tick >= pt_block_ticks(b))
        abort();
    return 0;
}

static int on_presence(void *ctx, uint32_t tick, enum pt_presence presence, int why)
{
    const struct pt_block *b = ctx;
    if (tick >= pt_block_ticks(b) || (presence == PT_UNREADABLE) != (why != 0))
        abort();
    return 0;
}

static void use(struct pt_block *b, struct pt_shapes *shapes)
{
    static const struct pt_series_ops ops = {
        .instance = on_instance, .value = on_value, .presence = on_presence};
    const uint32_t ticks = pt_block_ticks(b), step = ticks / 8 + 1;
    for (uint32_t i = 0; i < pt_block_sources(b) && i < 64; i++) {
        for (uint32_t t = 0; t < ticks; t += step) {
            struct pt_source_at at = {0};
            if (pt_block_at(b, i, t, NULL, &at, NULL) == 0)
                pt_reading_unref(shapes, at.reading);
        }
        pt_block_series(b, i, &ops, b, NULL);
        struct pt_walk *w;
        if (pt_walk_new(b, i, NULL, &w, NULL) < 0)
            continue;
        struct pt_source_at at;
        for (uint32_t t = 0; t < ticks && pt_walk_at(w, t, &at, NULL) >= 0;)
            t += step;
        pt_walk_free(w);
    }
    for (uint32_t t = 0; t < ticks; t += step) {
        struct pt_snap snap;
        uint32_t tick;
        pt_block_snap(b, t, &snap, NULL);
        if (pt_block_tick_of(b, pt_block_n(b, t), &tick) < 0 || tick != t)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const size_t len = size - 1;
    uint8_t *blob = calloc(1, PT_BLOB_HEAD + len);
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_block *b = NULL;
    memcpy(blob, PT_BLOCK_MAGIC, 4);
    blob[5] = data[0] & 7;
    for (unsigned i = 0; i < 4; i++)
        blob[8 + i] = blob[12 + i] = (uint8_t)(len >> (8 * i));
    memcpy(blob + PT_BLOB_HEAD, data + 1, len);
    pt_blob_resum(blob, PT_BLOB_HEAD + len);
    if (pt_block_open(blob, PT_BLOB_HEAD + len, shapes, &b, NULL) == 0)
        use(b, shapes);
    pt_block_free(b);
    if (pt_shapes_count(shapes) != 0)
        abort();
    pt_shapes_free(shapes);
    free(blob);
    return 0;
}
