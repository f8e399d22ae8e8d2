/* SPDX-License-Identifier: MIT
 * The writer's thread: what waits in the queue goes into the database. */
#include "recorder/writer_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "recorder/clock.h"
#include "recorder/endure.h"

#define TELL_US (60 * PT_SECOND)
/* At the end, when another holds the file: so often, a fifth of a second apart. */
#define LAST_TRIES 5

/* ---- what is lost ---- */

static void note(struct pt_writer *w, int rc, const struct pt_err *err)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    pthread_mutex_lock(&w->lock);
    w->stats.failing = rc < 0;
    if (rc < 0) {
        w->stats.err = *err;
        if (!w->loss.why[0])
            snprintf(w->loss.why, sizeof(w->loss.why), "%s", err->text);
        if (!w->failed_us)
            w->failed_us = now;
    } else if (w->failed_us) {
        w->loss.failed_us += now - w->failed_us;
        w->failed_us = 0;
    }
    pthread_mutex_unlock(&w->lock);
}

/* Once all is stored again. A disk that fails now and then is told of once in a while. */
static int tell_loss(struct pt_writer *w, bool now, struct pt_err *err)
{
    const int64_t at = pt_clock_us(CLOCK_MONOTONIC);
    if (!w->keep.store || (!now && w->told_us && at - w->told_us < TELL_US))
        return 0;
    pthread_mutex_lock(&w->lock);
    struct pt_loss loss = w->loss;
    w->loss = (struct pt_loss){0};
    pthread_mutex_unlock(&w->lock);
    if (!pt_loss_any(&loss))
        return 0;
    const int rc = pt_loss_store(&loss, w->keep.store, err);
    if (rc >= 0) {
        w->told_us = at;
        return rc;
    }
    pthread_mutex_lock(&w->lock);
    pt_loss_merge(&loss, &w->loss);
    w->loss = loss;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* ---- the thread ---- */

static void note_keep(struct pt_writer *w)
{
    const struct pt_keep *k = &w->keep;
    pthread_mutex_lock(&w->lock);
    w->open = k->store != NULL;
    w->stats.asides = k->asides;
    memcpy(w->stats.aside_as, k->aside_as, sizeof(k->aside_as));
    w->stats.wals = k->wals;
    memcpy(w->stats.wal_as, k->wal_as, sizeof(k->wal_as));
    w->stats.meddles = k->meddles;
    memcpy(w->stats.meddled, k->meddled, sizeof(k->meddled));
    pthread_mutex_unlock(&w->lock);
}

static int open_store(struct pt_writer *w, struct pt_err *err)
{
    struct pt_keep *k = &w->keep;
    if (k->store)
        return 0;
    const int rc = pt_keep_open(k, err);
    note_keep(w);
    if (rc < 0)
        return rc;
    struct pt_err limit = {0};
    if (pt_within_opened(&w->within, k->store, &limit) < 0)
        note(w, -1, &limit);
    pthread_mutex_lock(&w->lock);
    w->boot = k->boot;
    w->next = pt_store_next(k->store);
    w->skip = !k->follows; /* a database's first frame is a key frame */
    w->wants_key |= w->skip && w->started;
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static int close_store(struct pt_writer *w, struct pt_err *err)
{
    const int rc = pt_keep_close(&w->keep, err);
    note_keep(w);
    return rc;
}

static void failed(struct pt_writer *w, const struct pt_err *err)
{
    pt_keep_failed(&w->keep, err);
    note_keep(w);
    note(w, -1, err);
}

static void answer(struct pt_writer *w, int rc, const struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->answer_rc = rc;
    w->answer_err = *err;
    w->answered = true;
    pthread_cond_broadcast(&w->answer);
    pthread_mutex_unlock(&w->lock);
}

static void note_frame(struct pt_writer *w, const struct pt_item *item, int64_t start)
{
    struct pt_store_size size = {0};
    const bool sized = pt_store_size(w->keep.store, &size, NULL) >= 0;
    w->keep.follows = pt_store_next(w->keep.store);
    w->unsynced = true;
    pthread_mutex_lock(&w->lock);
    w->next = w->keep.follows;
    w->stats.frames++;
    w->stats.bytes += item->bytes.len;
    w->stats.store_us = pt_clock_us(CLOCK_MONOTONIC) - start;
    if (sized)
        w->stats.file_bytes = size.file + size.wal;
    pthread_mutex_unlock(&w->lock);
}

/* A chain that cannot be sealed stays as frames and is tried again with the next; each new reason
 * is told. */
static void seal(struct pt_writer *w)
{
    struct pt_err err = {0};
    if (pt_store_seal(w->keep.store, false, &err) >= 0) {
        pthread_mutex_lock(&w->lock);
        w->stats.seals++;
        pthread_mutex_unlock(&w->lock);
        return;
    }
    failed(w, &err);
    if (!w->keep.store || strcmp(w->unsealed, err.text) == 0)
        return;
    char text[320];
    snprintf(text, sizeof(text), "snapshots could not be packed: %s", err.text);
    snprintf(w->unsealed, sizeof(w->unsealed), "%s", err.text);
    pt_store_event(w->keep.store, pt_clock_us(CLOCK_REALTIME), PT_EVENT_NOTE, PT_UNKNOWN, "", text,
                   NULL);
}

/* A step of retention, and more while there is no room to store anything. What fails is tried again
 * with the next chain. */
static void keep_within(struct pt_writer *w, bool sealed)
{
    struct pt_within *in = &w->within;
    struct pt_err err = {0};
    int r = w->keep.store ? 1 : 0;
    while (r > 0) {
        pt_beat_step(&w->beat);
        r = pt_within_step(in, w->keep.store, sealed, &err);
        sealed = false;
        pthread_mutex_lock(&w->lock);
        w->end_chain = in->room.end_chain;
        w->pace = in->room.pace;
        pthread_mutex_unlock(&w->lock);
        if (r > 0 && !in->room.urgent)
            break;
    }
    if (r < 0)
        failed(w, &err);
}

static int store_frame(struct pt_writer *w, const struct pt_item *item, struct pt_err *err)
{
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    const int rc = pt_store_append(w->keep.store, &item->snap, item->key, item->bytes.data,
                                   item->bytes.len, err);
    if (rc < 0)
        return rc;
    note_frame(w, item, start);
    if (item->key) /* it completes the chain before it */
        seal(w);
    keep_within(w, item->key);
    return 0;
}

/* Can the store take this frame? One that follows lost frames is of no use without its key frame.
 */
static bool fits(struct pt_writer *w, const struct pt_item *item)
{
    pthread_mutex_lock(&w->lock);
    w->next = pt_store_next(w->keep.store);
    const bool fit =
        (!w->skip || item->key) && item->snap.n == w->next && item->snap.boot == w->boot;
    if (!fit)
        pt_writer_lose(w, false, item->snap.real_us);
    w->wants_key |= !fit;
    w->skip = !fit;
    pthread_mutex_unlock(&w->lock);
    return fit;
}

/* One item into the store. < 0: it was not stored, keep it. */
static int store_item(struct pt_writer *w, const struct pt_item *item, struct pt_err *err)
{
    const int rc = open_store(w, err);
    if (rc < 0)
        return rc;
    if (!item->is_event)
        return fits(w, item) ? store_frame(w, item, err) : 0;
    const char *subject = (const char *)item->bytes.data;
    return pt_store_event(w->keep.store, item->snap.real_us, item->kind, item->snap.n, subject,
                          subject + strlen(subject) + 1, err);
}

/* Stores what is queued until it is empty or a try fails. */
static int drain(struct pt_writer *w, struct pt_err *err)
{
    int rc = open_store(w, err);
    pthread_mutex_lock(&w->lock);
    w->fresh = false;
    while (w->n && rc >= 0) {
        /* by value: its place may move, its bytes stay while it is busy */
        const struct pt_item item = w->items[w->first];
        w->busy = true;
        pthread_mutex_unlock(&w->lock);
        pt_beat_step(&w->beat);
        rc = store_item(w, &item, err);
        pthread_mutex_lock(&w->lock);
        w->busy = false;
        if (rc >= 0)
            pt_writer_pop(w);
    }
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        failed(w, err);
    return rc;
}

/* When the file was moved or deleted: leaves it, and begins one where the path says. Else so_far.
 */
static int follow(struct pt_writer *w, int so_far, struct pt_err *err)
{
    if (!w->keep.store || !pt_store_moved(w->keep.store))
        return so_far;
    *err = (struct pt_err){0};
    int rc = close_store(w, err);
    if (rc >= 0)
        rc = open_store(w, err);
    pthread_mutex_lock(&w->lock);
    w->stats.moved += !w->open || rc >= 0;
    w->wants_key = true;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static void work(struct pt_writer *w)
{
    struct pt_err err = {0};
    pt_keep_attend(&w->keep);
    int rc = drain(w, &err);
    if (rc < 0 && !w->keep.store) { /* it was closed for that: at once with a new one */
        err = (struct pt_err){0};
        rc = drain(w, &err);
    }
    if (rc >= 0 || err.code == PT_EFULL) /* it may have been deleted to make room */
        rc = follow(w, rc, &err);
    if (rc >= 0 && (w->within.due || w->within.room.pace != 1))
        keep_within(w, false);
    note(w, rc, &err);
    if (rc >= 0 && tell_loss(w, false, &err) < 0)
        failed(w, &err);
    if (w->keep.store)
        pt_store_rest(w->keep.store);
}

static void sync_store(struct pt_writer *w, bool now)
{
    const int64_t at = pt_clock_us(CLOCK_MONOTONIC);
    if (!w->keep.store || !w->unsynced || (!now && at - w->synced_us < w->config.sync_us))
        return;
    struct pt_err err = {0};
    w->synced_us = at;
    if (pt_store_sync(w->keep.store, &err) < 0) {
        note(w, -1, &err);
        w->synced_us = at + PT_SECOND; /* not at once again, whatever --sync says */
    } else {
        w->unsynced = false;
    }
}

static void do_reopen(struct pt_writer *w)
{
    struct pt_err err = {0};
    pt_keep_attend(&w->keep);
    int rc = drain(w, &err);
    if (close_store(w, &err) < 0)
        rc = -1;
    if (open_store(w, &err) < 0)
        rc = -1;
    note(w, w->keep.store ? 0 : -1, &err);
    pthread_mutex_lock(&w->lock);
    w->reopen = false;
    pthread_mutex_unlock(&w->lock);
    answer(w, rc, &err);
}

static int finish(struct pt_writer *w, struct pt_err *err)
{
    pt_keep_attend(&w->keep);
    int rc = drain(w, err);
    for (int i = 0; rc < 0 && i < LAST_TRIES; i++) {
        const struct timespec fifth = {.tv_nsec = 200000000};
        nanosleep(&fifth, NULL);
        *err = (struct pt_err){0};
        rc = drain(w, err);
    }
    note(w, rc, err);
    if (rc >= 0)
        rc = tell_loss(w, true, err);
    if (close_store(w, err) < 0)
        rc = -1;
    if (w->keep.store)
        pt_store_close(w->keep.store, NULL);
    w->keep.store = NULL;
    return rc;
}

/* Waits for work, at most until the next sync or step of retention is due. */
static void await(struct pt_writer *w)
{
    pt_beat_rest(&w->beat);
    const int64_t sync = w->unsynced ? w->synced_us + w->config.sync_us : INT64_MAX;
    const int64_t retain = w->keep.store && w->within.due ? w->within.again_us : INT64_MAX;
    const int64_t first = sync < retain ? sync : retain;
    const struct timespec until = pt_timespec(first);
    pthread_mutex_lock(&w->lock);
    while (!w->fresh && !w->stop && !w->reopen && !w->sync_now) {
        if (first == INT64_MAX)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&w->lock);
    pt_beat_step(&w->beat);
}

void *pt_writer_main(void *arg)
{
    struct pt_writer *w = arg;
    struct pt_err err = {0};
    pt_endure_stack();
    int rc = open_store(w, &err);
    if (rc < 0 && w->config.patient && pt_keep_passing(&w->keep, &err)) {
        note(w, rc, &err);
        rc = 0;
    }
    if (w->keep.store) {
        struct pt_err ignored = {0}; /* a file that cannot tell is recorded to all the same */
        pt_store_past(w->keep.store, &w->past, &ignored);
    }
    w->started = true;
    answer(w, rc, &err);
    while (rc >= 0) {
        await(w);
        pthread_mutex_lock(&w->lock);
        const bool stop = w->stop, reopen = w->reopen, sync_now = w->sync_now;
        w->sync_now = false;
        pthread_mutex_unlock(&w->lock);
        if (stop)
            break;
        if (reopen)
            do_reopen(w);
        else
            work(w);
        sync_store(w, sync_now);
    }
    if (rc >= 0) {
        rc = finish(w, &err);
        answer(w, rc, &err);
    }
    return NULL;
}
