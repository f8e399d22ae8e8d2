/* SPDX-License-Identifier: MIT
 * A recording of stated texts. */
#include "tests/support/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/source.h"

void recording_new(struct recording *r, const struct pt_meta *meta, int64_t btime_us)
{
    struct pt_err err = {0};
    *r = (struct recording){.shapes = pt_shapes_new()};
    r->enc = pt_enc_new(r->shapes);
    snprintf(r->dir, sizeof(r->dir), "/tmp/pt-recording-XXXXXX"); /* of a known length */
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->path, sizeof(r->path), "%s/a.db", r->dir);
    assert_int_equal(pt_store_open(r->path, meta, &r->store, &err), 0);
    assert_int_equal(pt_store_boot(r->store, "boot-1", btime_us, &err), 1);
}

uint32_t recording_boot(struct recording *r, const char *boot_id, int64_t btime_us)
{
    struct pt_err err = {0};
    const int64_t boot = pt_store_boot(r->store, boot_id, btime_us, &err);
    assert_true(boot > 0);
    pt_enc_free(r->enc);
    r->enc = pt_enc_new(r->shapes);
    return (uint32_t)boot;
}

void recording_begin(struct recording *r, const struct pt_snap *snap, bool key)
{
    struct pt_err err = {0};
    r->snap = *snap;
    r->snap.n = pt_store_next(r->store);
    r->key = key || r->snap.n == 1;
    if (r->key)
        pt_enc_new_chain(r->enc);
    assert_int_equal(pt_enc_begin(r->enc, &r->snap, &err), 0);
}

static uint32_t open_source(struct recording *r, const char *name)
{
    const int64_t source = pt_enc_open(r->enc, name, &pt_file_of(name)->grammar, NULL);
    assert_in_range(source, 0, INT32_MAX);
    return (uint32_t)source;
}

void recording_bytes(struct recording *r, const char *name, const void *bytes, size_t len)
{
    struct pt_err err = {0};
    assert_true(pt_enc_text(r->enc, open_source(r, name), bytes, len, PT_UNKNOWN, &err) >= 0);
}

void recording_text(struct recording *r, const char *name, const char *text)
{
    recording_bytes(r, name, text, strlen(text));
}

void recording_texts(struct recording *r, const struct source_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        recording_text(r, texts[i].name, texts[i].text);
}

void recording_fail(struct recording *r, const char *name, int why)
{
    struct pt_err err = {0};
    assert_true(pt_enc_fail(r->enc, open_source(r, name), why, PT_UNKNOWN, &err) >= 0);
}

void recording_gone(struct recording *r, const char *name)
{
    struct pt_err err = {0};
    assert_int_equal(pt_enc_gone(r->enc, open_source(r, name), &err), 0);
}

void recording_end(struct recording *r)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    pt_buf_init(&frame, 16u << 20);
    assert_true(pt_enc_end(r->enc, &r->snap, &frame, &err) >= 0);
    if (r->spoil)
        frame.data[frame.len / 2] ^= 1;
    r->spoil = false;
    if (pt_store_append(r->store, &r->snap, r->key, frame.data, frame.len, &err) < 0)
        fail_msg("%s", err.text);
    pt_buf_release(&frame);
}

void recording_event(struct recording *r, int64_t us, enum pt_event kind, int64_t n,
                     const char *subject, const char *text)
{
    assert_true(pt_store_event(r->store, us, kind, n, subject, text, NULL) >= 0);
}

void recording_close(struct recording *r)
{
    struct pt_err err = {0};
    if (!r->store)
        return;
    assert_int_equal(pt_store_close(r->store, &err), 0);
    r->store = NULL;
    pt_enc_free(r->enc);
    pt_shapes_free(r->shapes);
}

void recording_remove(struct recording *r)
{
    recording_close(r);
    unlink(r->path);
    rmdir(r->dir);
}
