/* SPDX-License-Identifier: MIT
 * Bytes on disk: growable bounded buffers, LEB128 varints, zigzag, CRC-32C. Units: bytes.
 * Readers never trust lengths: every get checks the bytes that are left and fails for good. */
#ifndef PT_SCHEMA_WIRE_H
#define PT_SCHEMA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A growable buffer with a ceiling given at init. On overflow or no memory it sets `failed`, which
 * sticks, and further puts do nothing, so a run of puts needs one check at its end. */
struct pt_buf {
    uint8_t *data;
    size_t len, cap, max;
    bool failed;
};

void pt_buf_init(struct pt_buf *b, size_t max);
void pt_buf_release(struct pt_buf *b); /* frees; the struct may be used again after init */
static inline void pt_buf_reset(struct pt_buf *b)
{
    b->len = 0;
    b->failed = false;
}
/* Makes room for n more bytes and returns where they go (len unchanged), or NULL with failed set.
 */
uint8_t *pt_buf_room(struct pt_buf *b, size_t n);
void pt_buf_put(struct pt_buf *b, const void *data, size_t n);
void pt_buf_u8(struct pt_buf *b, uint8_t v);
void pt_buf_varint_slow(struct pt_buf *b, uint64_t v);
void pt_buf_u32le(struct pt_buf *b, uint32_t v);
void pt_buf_u64le(struct pt_buf *b, uint64_t v);

#define PT_VARINT_MAX 10

/* Writes v at p (room for PT_VARINT_MAX); returns the bytes used. */
static inline size_t pt_varint_put(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

static inline void pt_buf_varint(struct pt_buf *b, uint64_t v)
{
    if (b->cap - b->len >= PT_VARINT_MAX && !b->failed)
        b->len += pt_varint_put(b->data + b->len, v);
    else
        pt_buf_varint_slow(b, v);
}

/* How many of the eight bytes in w end a varint. */
static inline uint32_t pt_varint_ends(uint64_t w)
{
    return (uint32_t)(((~w >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0101010101010101)) >>
                      56);
}

static inline uint64_t pt_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t pt_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* A cursor over untrusted bytes. failed sticks; gets after it return 0 or NULL. Varints must be
 * minimal and fit 64 bits, so that one meaning has one spelling. */
struct pt_cur {
    const uint8_t *p, *end;
    bool failed;
};

static inline struct pt_cur pt_cur_of(const void *data, size_t n)
{
    return (struct pt_cur){.p = data, .end = n ? (const uint8_t *)data + n : data};
}
static inline size_t pt_cur_left(const struct pt_cur *c)
{
    return c->failed ? 0 : (size_t)(c->end - c->p);
}
uint64_t pt_cur_varint_slow(struct pt_cur *c);
static inline uint64_t pt_cur_varint(struct pt_cur *c)
{
    if (!c->failed && c->p < c->end && *c->p < 0x80)
        return *c->p++;
    return pt_cur_varint_slow(c);
}
uint8_t pt_cur_u8(struct pt_cur *c);
uint32_t pt_cur_u32le(struct pt_cur *c);
uint64_t pt_cur_u64le(struct pt_cur *c);
const uint8_t *pt_cur_bytes(struct pt_cur *c, size_t n); /* NULL when fewer are left */

/* CRC-32C (Castagnoli), reflected, init and final xor 0xffffffff; `crc` is 0 or the result so far.
 */
uint32_t pt_crc32c(uint32_t crc, const void *data, size_t n);
/* The same on any CPU. */
uint32_t pt_crc32c_plain(uint32_t crc, const void *data, size_t n);
/* 64-bit hash for tables in memory (never on disk). */
uint64_t pt_hash(const void *data, size_t n);

#endif
