/* SPDX-License-Identifier: MIT
 * A recorder's life with a database. */
#include "tests/support/drive.h"

#include <stdio.h>
#include <string.h>

int drive_init(struct drive *d, const char *path)
{
    *d = (struct drive){.chain = 5, .tries = 2};
    d->meta = (struct pt_meta){.host = "drive", .program = "drive"};
    d->keep = (struct pt_keep){.path = path, .boot_id = "boot", .btime_us = 1};
    return stream_init(&d->stream);
}

void drive_release(struct drive *d)
{
    pt_store_abandon(d->keep.store);
    stream_release(&d->stream);
}

static void failed(struct drive *d, const struct pt_err *err)
{
    if (!d->errors++)
        d->err = *err;
    if (!err->code || !err->text[0])
        d->wrong = "a failure without a reason";
    pt_keep_failed(&d->keep, err);
}

static bool open_store(struct drive *d)
{
    struct pt_err err = {0};
    d->keep.meta = &d->meta;
    if (pt_keep_open(&d->keep, &err) >= 0)
        return true;
    failed(d, &err);
    return false;
}

static void at_work(const struct drive *d, bool on)
{
    if (d->at_work)
        d->at_work(on);
}

/* One try. */
static bool append(struct drive *d, bool key)
{
    struct pt_err err = {0};
    struct pt_keep *k = &d->keep;
    struct stream *s = &d->stream;
    const int64_t n = d->committed + 1;
    if (!open_store(d))
        return false;
    const int64_t next = pt_store_next(k->store);
    if (next != n) {
        d->wrong = next < n        ? "committed snapshots are gone"
                   : next == n + 1 ? "a snapshot is stored, and it was said that it is not"
                                   : "snapshots nobody took";
        return true;
    }
    key |= k->follows != n;
    at_work(d, false);
    if ((s->made != n || key) && stream_make(s, n, k->boot, key, &err) < 0)
        d->wrong = "the frame cannot be made";
    at_work(d, true);
    if (d->wrong)
        return true;
    if (pt_store_append(k->store, &s->snap, key, s->frame.data, s->frame.len, &err) < 0) {
        failed(d, &err);
        return false;
    }
    k->follows = n + 1;
    return true;
}

static void again(struct drive *d, int tries)
{
    if (tries >= d->tries && d->over)
        d->over();
    if (tries > d->tries + 5)
        d->wrong = "it does not recover";
}

static void beside(struct drive *d, int64_t n, bool key)
{
    struct pt_err err = {0};
    struct pt_store *store = d->keep.store;
    int r = 0;
    if (n % 3 == 0)
        r = pt_store_event(store, n, PT_EVENT_NOTE, n, "1 x", "a note", &err);
    if (r >= 0 && n % 4 == 0)
        r = pt_store_sync(store, &err);
    if (r >= 0 && n % 4 == 0)
        d->durable = n;
    if (r >= 0 && key)
        r = pt_store_seal(store, false, &err);
    if (r < 0)
        failed(d, &err);
}

void drive_record(struct drive *d, int snapshots)
{
    at_work(d, true);
    for (int i = 0; i < snapshots && !d->wrong; i++) {
        const bool key = i % d->chain == 0;
        int tries = 0;
        while (!append(d, key) && !d->wrong)
            again(d, ++tries);
        d->committed++;
        if (!d->wrong && d->keep.store)
            beside(d, d->committed, key);
    }
    at_work(d, false);
}

void drive_close(struct drive *d)
{
    struct pt_err err = {0};
    at_work(d, true);
    const int r = pt_keep_close(&d->keep, &err);
    at_work(d, false);
    if (r < 0) {
        d->errors++;
        d->err = err;
    }
    if (d->keep.store)
        d->wrong = "it does not close";
}

/* ---- what is left ---- */

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)n1, (void)n2;
    char *text = ctx;
    snprintf(text, 512, "%s: %s", place, what);
}

static const char *check_snapshots(const struct drive *d, struct pt_db *db, char text[512])
{
    struct pt_buf buf;
    const char *wrong = NULL;
    pt_buf_init(&buf, 1u << 20);
    for (int64_t n = 1; n <= d->committed && !wrong; n++) {
        wrong = stream_wrong(db, n, &buf);
        if (wrong)
            snprintf(text, 512, "snapshot %lld of %lld", (long long)n, (long long)d->committed);
    }
    pt_buf_release(&buf);
    return wrong;
}

const char *drive_check(const struct drive *d, char text[512])
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    text[0] = '\0';
    if (pt_db_open(d->keep.path, &db, &err) < 0) {
        snprintf(text, 512, "%s", err.text);
        return "it cannot be opened";
    }
    pt_db_on_damage(db, on_damage, text);
    const char *wrong = NULL;
    if (pt_db_span(db, &span, &err) < 0)
        wrong = "no span";
    else if (span.count != span.last || span.last < d->committed)
        wrong = "snapshots are missing";
    if (!wrong)
        wrong = check_snapshots(d, db, text);
    if (!wrong && pt_db_check(db, NULL, NULL, &err) != 0)
        wrong = "the deep verification fails";
    if (err.code)
        snprintf(text, 512, "%s", err.text);
    pt_db_close(db);
    return wrong;
}
