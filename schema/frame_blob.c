/* SPDX-License-Identifier: MIT
 * The envelope of frames and blocks: header, checksum, zstd. Units: bytes. */
#include "schema/frame_blob.h"

#include <stdlib.h>
#include <zstd.h>

enum { AT_VERSION = 4, AT_TAG = 5, AT_PLACE = 6, AT_RAW = 8, AT_STORED = 12, AT_CRC = 16 };

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t sum(const uint8_t *blob, size_t len)
{
    uint32_t crc = pt_crc32c(0, blob, AT_CRC);
    return pt_crc32c(crc, blob + PT_BLOB_HEAD, len - PT_BLOB_HEAD);
}

static bool within_ratio(uint64_t raw, uint64_t stored)
{
    return raw <= PT_BLOB_RAW_FREE + stored * PT_BLOB_RAW_RATIO;
}

static int set_press(ZSTD_CCtx *cctx, const struct pt_blob_press *press)
{
    const struct {
        ZSTD_cParameter name;
        int value;
    } params[] = {
        {ZSTD_c_compressionLevel, press->level},
        {ZSTD_c_windowLog, press->window_log},
        {ZSTD_c_hashLog, press->hash_log},
        {ZSTD_c_chainLog, press->chain_log},
        {ZSTD_c_minMatch, press->min_match},
        {ZSTD_c_contentSizeFlag, 1},
        {ZSTD_c_checksumFlag, 0},
    };
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        if (ZSTD_isError(ZSTD_CCtx_setParameter(cctx, params[i].name, params[i].value)))
            return -1;
    return 0;
}

/* The payload's length, or 0 when raw is to be stored as it is. */
static size_t squeeze(void **cctx, const struct pt_blob_press *press, const uint8_t *raw,
                      size_t len, uint8_t *dst, size_t room)
{
    if (!*cctx)
        *cctx = ZSTD_createCCtx();
    if (!*cctx || set_press(*cctx, press) < 0)
        return 0;
    const size_t n = ZSTD_compress2(*cctx, dst, room, raw, len);
    if (ZSTD_isError(n) || n >= len || !within_ratio(len, n))
        return 0;
    return n;
}

int pt_blob_write(void **cctx, const struct pt_blob_press *press, const char magic[4], uint8_t tag,
                  const uint8_t *raw, size_t len, struct pt_buf *out, struct pt_err *err)
{
    const size_t bound = ZSTD_compressBound(len);
    uint8_t *blob = len <= UINT32_MAX ? pt_buf_room(out, PT_BLOB_HEAD + bound) : NULL;
    if (!blob)
        return pt_err_nomem(err);
    size_t stored = squeeze(cctx, press, raw, len, blob + PT_BLOB_HEAD, bound);
    if (stored) {
        tag |= PT_BLOB_ZSTD;
    } else {
        stored = len;
        if (len)
            memcpy(blob + PT_BLOB_HEAD, raw, len);
    }
    memcpy(blob, magic, 4);
    blob[AT_VERSION] = PT_BLOB_VERSION;
    blob[AT_TAG] = tag;
    blob[AT_PLACE] = blob[AT_PLACE + 1] = 0;
    put32(blob + AT_RAW, (uint32_t)len);
    put32(blob + AT_STORED, (uint32_t)stored);
    put32(blob + AT_CRC, sum(blob, PT_BLOB_HEAD + stored));
    out->len += PT_BLOB_HEAD + stored;
    return 0;
}

static int inflate(const uint8_t *src, size_t stored, size_t raw, const char *what, uint8_t **ret,
                   struct pt_err *err)
{
    if (ZSTD_getFrameContentSize(src, stored) != raw ||
        ZSTD_findFrameCompressedSize(src, stored) != stored)
        return pt_err_set(err, PT_EDAMAGED, 0, what, 0, "%s: the compressed length is wrong", what);
    uint8_t *dst = malloc(raw ? raw : 1);
    if (!dst)
        return pt_err_nomem(err);
    const size_t n = ZSTD_decompress(dst, raw, src, stored);
    if (ZSTD_isError(n) || n != raw) {
        free(dst);
        return pt_err_set(err, PT_EDAMAGED, 0, what, 0, "%s: cannot decompress: %s", what,
                          ZSTD_isError(n) ? ZSTD_getErrorName(n) : "wrong length");
    }
    *ret = dst;
    return 0;
}

int pt_blob_check(const char magic[4], const char *what, const void *data, size_t len,
                  size_t raw_max, struct pt_err *err)
{
    const uint8_t *blob = data;
    if (len < PT_BLOB_HEAD)
        return pt_err_set(err, PT_EDAMAGED, 0, what, (int64_t)len, "%s: cut short at %zu bytes",
                          what, len);
    if (memcmp(blob, magic, 4) != 0)
        return pt_err_set(err, PT_EDAMAGED, 0, what, 0, "%s: does not start as one", what);
    if (get32(blob + AT_STORED) != len - PT_BLOB_HEAD)
        return pt_err_set(err, PT_EDAMAGED, 0, what, AT_STORED, "%s: is %zu bytes, says %u", what,
                          len - PT_BLOB_HEAD, get32(blob + AT_STORED));
    if (get32(blob + AT_CRC) != sum(blob, len))
        return pt_err_set(err, PT_EDAMAGED, 0, what, AT_CRC, "%s: wrong checksum", what);
    if (blob[AT_VERSION] > PT_BLOB_VERSION)
        return pt_err_set(err, PT_ENEWER, 0, what, AT_VERSION, "%s: format %u is newer than %u",
                          what, blob[AT_VERSION], PT_BLOB_VERSION);
    if (memcmp(magic, "PTbl", 4) != 0 && (blob[AT_PLACE] || blob[AT_PLACE + 1]))
        return pt_err_set(err, PT_EDAMAGED, 0, what, AT_PLACE, "%s: reserved bytes are set", what);
    const uint32_t raw = get32(blob + AT_RAW);
    const bool packed = blob[AT_TAG] & PT_BLOB_ZSTD;
    if (raw > raw_max ||
        (packed ? !within_ratio(raw, len - PT_BLOB_HEAD) : raw != len - PT_BLOB_HEAD))
        return pt_err_set(err, PT_EDAMAGED, 0, what, AT_RAW, "%s: claims %u bytes of content", what,
                          raw);
    return 0;
}

size_t pt_blob_length(const void *head)
{
    const uint8_t *blob = head;
    const bool magic = memcmp(blob, "PTfr", 4) == 0 || memcmp(blob, "PTbl", 4) == 0;
    return magic ? PT_BLOB_HEAD + (size_t)get32(blob + AT_STORED) : 0;
}

int pt_blob_read(const char magic[4], const char *what, const void *data, size_t len,
                 size_t raw_max, struct pt_blob *ret, struct pt_err *err)
{
    const uint8_t *blob = data;
    int rc = pt_blob_check(magic, what, blob, len, raw_max, err);
    if (rc < 0)
        return rc;
    const size_t raw = get32(blob + AT_RAW);
    uint8_t *bytes = NULL;
    if (blob[AT_TAG] & PT_BLOB_ZSTD) {
        rc = inflate(blob + PT_BLOB_HEAD, len - PT_BLOB_HEAD, raw, what, &bytes, err);
        if (rc < 0)
            return rc;
    } else {
        bytes = malloc(raw ? raw : 1);
        if (!bytes)
            return pt_err_nomem(err);
        memcpy(bytes, blob + PT_BLOB_HEAD, raw);
    }
    *ret =
        (struct pt_blob){.tag = (uint8_t)(blob[AT_TAG] & ~PT_BLOB_ZSTD), .raw = bytes, .len = raw};
    return 0;
}

void pt_blob_cctx_free(void *cctx)
{
    ZSTD_freeCCtx(cctx);
}

void pt_blob_resum(uint8_t *blob, size_t len)
{
    if (len >= PT_BLOB_HEAD)
        put32(blob + AT_CRC, sum(blob, len));
}

void pt_blob_stamp(uint8_t *blob, size_t len, unsigned place, bool last)
{
    blob[AT_PLACE] = (uint8_t)place;
    blob[AT_PLACE + 1] = (uint8_t)(place >> 8 | (last ? 0x80u : 0u));
    pt_blob_resum(blob, len);
}

unsigned pt_blob_place(const void *head, bool *ret_last)
{
    const uint8_t *blob = head;
    *ret_last = blob[AT_PLACE + 1] & 0x80;
    return blob[AT_PLACE] | (blob[AT_PLACE + 1] & 0x7fu) << 8;
}
