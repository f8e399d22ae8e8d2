/* SPDX-License-Identifier: MIT
 * Texts into the frame that is being built. */
#include "recorder/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "schema/source.h"

int pt_sink_init(struct pt_sink *s, struct pt_enc *enc, struct pt_shapes *shapes,
                 struct pt_rawlog *raw, struct pt_err *err)
{
    *s = (struct pt_sink){.enc = enc, .shapes = shapes, .raw = raw, .buf = malloc(PT_SINK_BUFFER)};
    if (!s->buf)
        return pt_err_nomem(err);
    pt_pack_init(&s->pack, shapes);
    return 0;
}

void pt_sink_release(struct pt_sink *s)
{
    if (!s->buf)
        return;
    pt_pack_release(&s->pack);
    free(s->buf);
    s->buf = NULL;
}

int64_t pt_sink_open(struct pt_sink *s, const char *name)
{
    return pt_sink_open_as(s, name, &pt_file_of(name)->grammar);
}

int64_t pt_sink_open_as(struct pt_sink *s, const char *name, const struct pt_grammar *grammar)
{
    struct pt_err err = {0};
    const int64_t source = pt_enc_open(s->enc, name, grammar, &err);
    if (source >= 0)
        pt_rawlog_name(s->raw, (uint32_t)source, name);
    return source;
}

static int64_t real_now(const struct pt_sink *s)
{
    return pt_clock_us(CLOCK_REALTIME) + s->shift_us;
}

static void log_read(const struct pt_sink *s, uint32_t source, const void *text, size_t len)
{
    if (s->raw)
        pt_rawlog_put(s->raw, s->n, source, real_now(s), PT_OUTCOME_READ, 0, text, len);
}

void pt_sink_text(struct pt_sink *s, uint32_t source, const char *text, size_t len)
{
    struct pt_err err = {0};
    if (pt_enc_text(s->enc, source, text, len, PT_UNKNOWN, &err) < 0) {
        s->refused++;
        pt_sink_fail(s, source, ENOMEM, PT_UNKNOWN);
        return;
    }
    log_read(s, source, text, len);
}

void pt_sink_fail(struct pt_sink *s, uint32_t source, int why, int64_t read_us)
{
    struct pt_err err = {0};
    if (s->access)
        pt_access_add(s->access, pt_enc_name(s->enc, source), why);
    if (pt_enc_fail(s->enc, source, why, read_us, &err) < 0)
        s->refused++;
    else if (s->raw)
        pt_rawlog_put(s->raw, s->n, source, read_us == PT_UNKNOWN ? real_now(s) : read_us,
                      PT_OUTCOME_UNREADABLE, why, NULL, 0);
}

void pt_sink_gone(struct pt_sink *s, uint32_t source)
{
    struct pt_err err = {0};
    if (pt_enc_gone(s->enc, source, &err) < 0)
        s->refused++;
    else if (s->raw)
        pt_rawlog_put(s->raw, s->n, source, real_now(s), PT_OUTCOME_GONE, 0, NULL, 0);
}

void pt_sink_put(struct pt_sink *s, uint32_t source, struct pt_reading *r, int64_t read_us,
                 const char *text, size_t len)
{
    struct pt_err err = {0};
    if (pt_enc_put(s->enc, source, r, read_us, &err) < 0) {
        s->refused++;
        pt_sink_fail(s, source, ENOMEM, read_us);
    } else if (s->raw) {
        pt_rawlog_put(s->raw, s->n, source, read_us, PT_OUTCOME_READ, 0, text, len);
    }
}

/* Fills the buffer from offset on. Returns what came, less than PT_SINK_BUFFER at the end of the
 * file, or -errno. */
static ssize_t fill(const struct pt_sink *s, int fd, off_t offset, enum pt_read_how how)
{
    size_t got = 0;
    while (got < PT_SINK_BUFFER) {
        const ssize_t n = pread(fd, s->buf + got, PT_SINK_BUFFER - got, offset + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
        if (how == PT_READ_RECORD && got < PT_SINK_BUFFER / 2)
            break;
    }
    return (ssize_t)got;
}

/* A text longer than the buffer, whose first piece is in it. Under --raw-log it is kept whole
 * besides. */
static ssize_t stream(struct pt_sink *s, uint32_t source, int fd)
{
    struct pt_err err = {0};
    struct pt_buf whole;
    pt_buf_init(&whole, PT_TEXT_MAX);
    pt_pack_begin(&s->pack, pt_enc_grammar(s->enc, source), pt_enc_last(s->enc, source));
    size_t total = 0;
    ssize_t n = PT_SINK_BUFFER;
    int rc = 0;
    while (n > 0 && rc >= 0) {
        rc = pt_pack_feed(&s->pack, s->buf, (size_t)n, &err);
        if (s->raw)
            pt_buf_put(&whole, s->buf, (size_t)n);
        total += (size_t)n;
        if (n < (ssize_t)PT_SINK_BUFFER)
            break;
        n = fill(s, fd, (off_t)total, PT_READ_ALL);
    }
    struct pt_reading *r = NULL;
    if (n < 0 || rc < 0)
        pt_pack_abort(&s->pack);
    else
        rc = pt_pack_end(&s->pack, &r, &err);
    if (n >= 0 && rc >= 0)
        pt_sink_put(s, source, r, real_now(s), (const char *)whole.data, whole.len);
    else if (n >= 0)
        pt_sink_fail(s, source, err.code == PT_ENOMEM ? EFBIG : EIO, PT_UNKNOWN);
    pt_buf_release(&whole);
    return n < 0 ? n : (ssize_t)total;
}

ssize_t pt_sink_fd(struct pt_sink *s, uint32_t source, int fd, enum pt_read_how how)
{
    const ssize_t n = fill(s, fd, 0, how);
    if (n == (ssize_t)PT_SINK_BUFFER)
        return stream(s, source, fd);
    if (n >= 0)
        pt_sink_text(s, source, s->buf, (size_t)n);
    return n;
}
