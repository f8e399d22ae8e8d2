/* SPDX-License-Identifier: MIT
 * Bytes on disk: see wire.h. */
#include "schema/wire.h"

#include <stdlib.h>

void pt_buf_init(struct pt_buf *b, size_t max)
{
    *b = (struct pt_buf){.max = max};
}

void pt_buf_release(struct pt_buf *b)
{
    free(b->data);
    *b = (struct pt_buf){.max = b->max};
}

uint8_t *pt_buf_room(struct pt_buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (b->data && n <= b->cap - b->len)
        return b->data + b->len;
    if (n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->len < n)
        cap += cap / 2;
    if (cap > b->max)
        cap = b->max;
    uint8_t *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return data + b->len;
}

void pt_buf_put(struct pt_buf *b, const void *data, size_t n)
{
    uint8_t *p = pt_buf_room(b, n);
    if (p && n) {
        memcpy(p, data, n);
        b->len += n;
    }
}

void pt_buf_u8(struct pt_buf *b, uint8_t v)
{
    pt_buf_put(b, &v, 1);
}

void pt_buf_varint_slow(struct pt_buf *b, uint64_t v)
{
    uint8_t bytes[PT_VARINT_MAX];
    pt_buf_put(b, bytes, pt_varint_put(bytes, v));
}

void pt_buf_u32le(struct pt_buf *b, uint32_t v)
{
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
    pt_buf_put(b, bytes, sizeof bytes);
}

void pt_buf_u64le(struct pt_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
    pt_buf_put(b, bytes, sizeof bytes);
}

uint64_t pt_cur_varint_slow(struct pt_cur *c)
{
    uint64_t v = 0;
    unsigned shift = 0;
    const uint8_t *p = c->p;
    while (!c->failed && p < c->end && shift < 64) {
        const uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                break; /* not minimal */
            c->p = p;
            return v;
        }
        shift += 7;
    }
    c->failed = true;
    return 0;
}

const uint8_t *pt_cur_bytes(struct pt_cur *c, size_t n)
{
    if (c->failed || n > (size_t)(c->end - c->p)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    return p;
}

uint8_t pt_cur_u8(struct pt_cur *c)
{
    const uint8_t *p = pt_cur_bytes(c, 1);
    return p ? *p : 0;
}

static uint64_t little_endian(struct pt_cur *c, size_t n)
{
    const uint8_t *p = pt_cur_bytes(c, n);
    uint64_t v = 0;
    while (p && n-- > 0)
        v = v << 8 | p[n];
    return v;
}

uint32_t pt_cur_u32le(struct pt_cur *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t pt_cur_u64le(struct pt_cur *c)
{
    return little_endian(c, 8);
}

/* Nibble-wise: 64 bytes of table instead of 8 KiB; frames are a few KiB, so speed is not what
 * matters here. */
static const uint32_t crc_nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *p,
                                                            size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        c = __builtin_ia32_crc32di(c, v);
    }
    uint32_t c32 = (uint32_t)c;
    for (; n > 0; p++, n--)
        c32 = __builtin_ia32_crc32qi(c32, *p);
    return c32;
}
#endif

uint32_t pt_crc32c_plain(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    crc = ~crc;
    for (; n > 0; p++, n--) {
        crc ^= *p;
        crc = crc_nibble[crc & 15] ^ crc >> 4;
        crc = crc_nibble[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

uint32_t pt_crc32c(uint32_t crc, const void *data, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_sse42(~crc, data, n);
#endif
    return pt_crc32c_plain(crc, data, n);
}

uint64_t pt_hash(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        h = (h ^ v) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    memcpy(&tail, p, n);
    h = (h ^ tail) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}
