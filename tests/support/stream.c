/* SPDX-License-Identifier: MIT
 * Snapshots that follow from their number. */
#include "tests/support/stream.h"

#include <stdio.h>
#include <string.h>

#include "schema/source.h"

enum { LIFE = 40 }; /* snapshots that a process lives */

static int name_of(int64_t n, int source, char *ret, size_t size)
{
    if (source < 2)
        return snprintf(ret, size, "%s", source ? "proc:vmstat" : "proc:meminfo");
    return snprintf(ret, size, "proc:%lld/status", (long long)(100 * source + n / LIFE));
}

static int text_of(int64_t n, int source, char *ret, size_t size)
{
    const long long v = (long long)(n * 2654435761 % 100000 / (source + 1));
    return snprintf(ret, size, "Name:\tx%d\nVmRSS:\t%8lld kB\nVmSwap:\t%8lld kB\nThreads:\t%lld\n",
                    source, v, v / 7, (long long)n);
}

int stream_init(struct stream *s)
{
    *s = (struct stream){.shapes = pt_shapes_new()};
    s->enc = s->shapes ? pt_enc_new(s->shapes) : NULL;
    memset(s->handles, -1, sizeof s->handles);
    pt_buf_init(&s->frame, 1u << 20);
    return s->enc ? 0 : -1;
}

void stream_release(struct stream *s)
{
    pt_buf_release(&s->frame);
    pt_enc_free(s->enc);
    pt_shapes_free(s->shapes);
}

static int tell(struct stream *s, int64_t n, int source, struct pt_err *err)
{
    char name[64], text[256];
    int64_t *h = &s->handles[source];
    if (source >= 2 && n / LIFE != s->made / LIFE && *h >= 0) {
        const int r = pt_enc_gone(s->enc, (uint32_t)*h, err);
        *h = -1;
        if (r < 0)
            return r;
    }
    name_of(n, source, name, sizeof name);
    if (*h < 0)
        *h = pt_enc_open(s->enc, name, &pt_file_of(name)->grammar, err);
    if (*h < 0)
        return -1;
    const int len = text_of(n, source, text, sizeof text);
    return pt_enc_text(s->enc, (uint32_t)*h, text, (size_t)len, PT_UNKNOWN, err);
}

int stream_make(struct stream *s, int64_t n, uint32_t boot, bool key, struct pt_err *err)
{
    s->snap = (struct pt_snap){.n = n,
                               .real_us = 1795000000000000 + n * 1000000,
                               .boot = boot,
                               .processes = STREAM_SOURCES - 2};
    pt_buf_reset(&s->frame);
    if (key)
        pt_enc_new_chain(s->enc);
    int r = pt_enc_begin(s->enc, &s->snap, err);
    for (int i = 0; i < STREAM_SOURCES && r >= 0; i++)
        r = tell(s, n, i, err);
    if (r >= 0)
        r = pt_enc_end(s->enc, &s->snap, &s->frame, err);
    s->made = n;
    return r;
}

const char *stream_wrong(struct pt_db *db, int64_t n, struct pt_buf *buf)
{
    struct pt_err err = {0};
    char name[64], text[256];
    for (int i = 0; i < STREAM_SOURCES; i++) {
        struct pt_source_at at;
        name_of(n, i, name, sizeof name);
        const int len = text_of(n, i, text, sizeof text);
        pt_buf_reset(buf);
        if (pt_db_text(db, n, name, &at, buf, &err) < 0)
            return "a text cannot be read";
        if (at.presence != PT_READ)
            return at.presence == PT_LOST ? "a text is lost" : "a text is missing";
        if (buf->len != (size_t)len || memcmp(buf->data, text, buf->len) != 0)
            return "another text";
    }
    return NULL;
}
