/* SPDX-License-Identifier: MIT
 * The writer's thread. */
#include "recorder/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "recorder/beat.h"
#include "recorder/clock.h"

#define STACK_BYTES (256u << 10)
#define LAST_TRIES                                                                                 \
    5 /* at the end, when another holds the file: so often, a fifth of a second apart */

struct item {
    bool is_event, key;
    struct pt_snap snap; /* of an event: real_us and n */
    enum pt_event kind;
    struct pt_buf bytes; /* the frame, or the event's subject and text, each with its NUL */
};

struct pt_writer {
    struct pt_writer_config config;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below but store */
    pthread_cond_t wake, answer;
    struct item items[PT_WRITER_QUEUE];
    uint32_t first, n;
    size_t queued_bytes;
    bool fresh; /* something was pushed since the last try */
    bool stop, reopen, answered, sync_now, wants_key;
    bool skip;    /* the chain's key frame is lost: frames up to the next key frame are of no use */
    bool busy;    /* the first item is in the thread's hands */
    int64_t next; /* the number the store waits for */
    int64_t synced_us;
    uint32_t boot;
    struct pt_writer_stats stats;
    struct pt_err answer_err;
    int answer_rc;
    struct pt_store *store; /* the thread's own; NULL: could not be opened */
    bool unsynced;
    struct pt_beat beat;
};

/* ---- the thread ---- */

static int open_store(struct pt_writer *w, struct pt_err *err)
{
    struct pt_store *store = NULL;
    if (pt_store_open(w->config.path, &w->config.meta, &store, err) < 0)
        return -1;
    const int64_t boot = pt_store_boot(store, w->config.boot_id, w->config.btime_us, err);
    if (boot < 0) {
        pt_store_close(store, NULL);
        return -1;
    }
    w->store = store;
    pthread_mutex_lock(&w->lock);
    w->boot = (uint32_t)boot;
    w->next = pt_store_next(store);
    w->skip = true; /* a database's first frame is a key frame */
    pthread_mutex_unlock(&w->lock);
    return 0;
}

/* A file that was moved or deleted stays open when that fails. */
static int close_store(struct pt_writer *w, struct pt_err *err)
{
    if (!w->store)
        return 0;
    if (pt_store_moved(w->store)) {
        const int left = pt_store_leave(w->store, err);
        if (left >= 0)
            w->store = NULL;
        return left;
    }
    int rc = pt_store_seal(w->store, true, err);
    if (pt_store_close(w->store, err) < 0)
        rc = -1;
    w->store = NULL;
    return rc;
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

static void note(struct pt_writer *w, int rc, const struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->stats.failing = rc < 0;
    if (rc < 0)
        w->stats.err = *err;
    pthread_mutex_unlock(&w->lock);
}

static int store_frame(struct pt_writer *w, const struct item *item, struct pt_err *err)
{
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    if (pt_store_append(w->store, &item->snap, item->key, item->bytes.data, item->bytes.len, err) <
        0)
        return -1;
    w->unsynced = true;
    struct pt_store_size size = {0};
    const bool sized = pt_store_size(w->store, &size, NULL) >= 0;
    pthread_mutex_lock(&w->lock);
    w->next = pt_store_next(w->store);
    w->stats.frames++;
    w->stats.bytes += item->bytes.len;
    w->stats.store_us = pt_clock_us(CLOCK_MONOTONIC) - start;
    if (sized)
        w->stats.file_bytes = size.file + size.wal;
    pthread_mutex_unlock(&w->lock);
    /* a key frame completes the chain before it */
    return item->key ? pt_store_seal(w->store, false, err) : 0;
}

/* Under lock: can the store take this frame? One that follows lost frames is of no use without its
 * key frame. */
static bool fits(struct pt_writer *w, const struct item *item)
{
    w->next = pt_store_next(w->store);
    if ((w->skip && !item->key) || item->snap.n != w->next || item->snap.boot != w->boot) {
        w->stats.lost++;
        w->skip = w->wants_key = true;
        return false;
    }
    w->skip = false;
    return true;
}

/* One item into the store. < 0: it was not stored, keep it. */
static int store_item(struct pt_writer *w, const struct item *item, struct pt_err *err)
{
    if (!w->store && open_store(w, err) < 0)
        return -1;
    if (item->is_event)
        return pt_store_event(
            w->store, item->snap.real_us, item->kind, item->snap.n, (const char *)item->bytes.data,
            (const char *)item->bytes.data + strlen((const char *)item->bytes.data) + 1, err);
    pthread_mutex_lock(&w->lock);
    const bool fit = fits(w, item);
    pthread_mutex_unlock(&w->lock);
    const int rc = fit ? store_frame(w, item, err) : 0;
    if (rc >= 0 || pt_store_next(w->store) == item->snap.n)
        return rc;
    /* stored, but the seal after it failed: that is tried again with the next chain */
    note(w, rc, err);
    return 0;
}

/* Under lock. */
static void pop(struct pt_writer *w)
{
    struct item *item = &w->items[w->first];
    w->queued_bytes -= item->bytes.len;
    pt_buf_release(&item->bytes);
    w->first = (w->first + 1) % PT_WRITER_QUEUE;
    w->n--;
}

/* Stores what is queued until it is empty or a try fails. */
static int drain(struct pt_writer *w, struct pt_err *err)
{
    int rc = 0;
    pthread_mutex_lock(&w->lock);
    w->fresh = false;
    while (w->n && rc >= 0) {
        /* by value: its place may move, its bytes stay while it is busy */
        const struct item item = w->items[w->first];
        w->busy = true;
        pthread_mutex_unlock(&w->lock);
        pt_beat_step(&w->beat);
        rc = store_item(w, &item, err);
        pthread_mutex_lock(&w->lock);
        w->busy = false;
        if (rc >= 0)
            pop(w);
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* When the file was moved or deleted: leaves it, and begins one where the path says. */
static int follow(struct pt_writer *w, struct pt_err *err)
{
    if (!w->store || !pt_store_moved(w->store))
        return 0;
    int rc = close_store(w, err);
    if (rc >= 0)
        rc = open_store(w, err);
    pthread_mutex_lock(&w->lock);
    w->stats.moved += !w->store || rc >= 0;
    w->wants_key = true;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static void work(struct pt_writer *w)
{
    struct pt_err err = {0};
    int rc = drain(w, &err);
    if (rc >= 0)
        rc = follow(w, &err);
    if (rc < 0 || !err.code)
        note(w, rc, &err);
}

static void sync_store(struct pt_writer *w, bool now)
{
    const int64_t at = pt_clock_us(CLOCK_MONOTONIC);
    if (!w->store || !w->unsynced || (!now && at - w->synced_us < PT_WRITER_SYNC_US))
        return;
    struct pt_err err = {0};
    w->synced_us = at;
    if (pt_store_sync(w->store, &err) < 0)
        note(w, -1, &err);
    else
        w->unsynced = false;
}

static void do_reopen(struct pt_writer *w)
{
    struct pt_err err = {0};
    int rc = drain(w, &err);
    if (close_store(w, &err) < 0)
        rc = -1;
    if (!w->store && open_store(w, &err) < 0)
        rc = -1;
    note(w, w->store ? 0 : -1, &err);
    pthread_mutex_lock(&w->lock);
    w->reopen = false;
    pthread_mutex_unlock(&w->lock);
    answer(w, rc, &err);
}

static int finish(struct pt_writer *w, struct pt_err *err)
{
    int rc = drain(w, err);
    for (int i = 0; rc < 0 && i < LAST_TRIES; i++) {
        const struct timespec fifth = {.tv_nsec = 200000000};
        nanosleep(&fifth, NULL);
        *err = (struct pt_err){0};
        rc = drain(w, err);
    }
    if (close_store(w, err) < 0)
        rc = -1;
    if (w->store)
        pt_store_close(w->store, NULL);
    w->store = NULL;
    return rc;
}

/* Waits for work, at most until the next sync is due. */
static void await(struct pt_writer *w)
{
    pt_beat_rest(&w->beat);
    const struct timespec until = pt_timespec(w->synced_us + PT_WRITER_SYNC_US);
    pthread_mutex_lock(&w->lock);
    while (!w->fresh && !w->stop && !w->reopen && !w->sync_now) {
        if (!w->unsynced)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&w->lock);
    pt_beat_step(&w->beat);
}

static void *writer_main(void *arg)
{
    struct pt_writer *w = arg;
    struct pt_err err = {0};
    int rc = open_store(w, &err);
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
        pthread_mutex_lock(&w->lock);
        w->stats.cpu_us = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
        pthread_mutex_unlock(&w->lock);
    }
    if (rc >= 0) {
        rc = finish(w, &err);
        answer(w, rc, &err);
    }
    return NULL;
}

/* ---- the sampler's side ---- */

static void free_writer(struct pt_writer *w)
{
    while (w->n)
        pop(w);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->answer);
    free(w);
}

static int await_answer(struct pt_writer *w, struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    while (!w->answered)
        pthread_cond_wait(&w->answer, &w->lock);
    w->answered = false;
    const int rc = w->answer_rc;
    if (rc < 0 && err && !err->code)
        *err = w->answer_err;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int pt_writer_new(const struct pt_writer_config *config, struct pt_writer **ret, struct pt_err *err)
{
    struct pt_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return pt_err_nomem(err);
    w->config = *config;
    w->synced_us = pt_clock_us(CLOCK_MONOTONIC);
    w->stats.store_us = PT_UNKNOWN;
    pthread_condattr_t cond;
    pthread_condattr_init(&cond);
    pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, &cond);
    pthread_cond_init(&w->answer, NULL);
    pthread_condattr_destroy(&cond);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int rc = pthread_create(&w->thread, &attr, writer_main, w);
    pthread_attr_destroy(&attr);
    if (rc) {
        free_writer(w);
        return pt_err_set(err, PT_ENOMEM, rc, "", -1, "cannot start the writer: %s", strerror(rc));
    }
    pthread_setname_np(w->thread, "writer");
    rc = await_answer(w, err);
    if (rc < 0) {
        pthread_join(w->thread, NULL);
        free_writer(w);
        return rc;
    }
    *ret = w;
    return 0;
}

int64_t pt_writer_next(struct pt_writer *w)
{
    pthread_mutex_lock(&w->lock);
    const int64_t next = w->next;
    pthread_mutex_unlock(&w->lock);
    return next;
}

uint32_t pt_writer_boot(struct pt_writer *w)
{
    pthread_mutex_lock(&w->lock);
    const uint32_t boot = w->boot;
    pthread_mutex_unlock(&w->lock);
    return boot;
}

/* Under lock. Drops the frames that wait; events stay, and what the thread has in hands. */
static void drop_frames(struct pt_writer *w)
{
    uint32_t kept = w->busy ? 1 : 0;
    for (uint32_t i = kept; i < w->n; i++) {
        struct item *item = &w->items[(w->first + i) % PT_WRITER_QUEUE];
        if (item->is_event) {
            w->items[(w->first + kept++) % PT_WRITER_QUEUE] = *item;
            continue;
        }
        w->stats.lost++;
        w->queued_bytes -= item->bytes.len;
        pt_buf_release(&item->bytes);
    }
    w->n = kept;
}

static void push(struct pt_writer *w, struct item *item)
{
    pthread_mutex_lock(&w->lock);
    if (w->n == PT_WRITER_QUEUE) {
        w->stats.lost += !item->is_event;
        w->wants_key |= !item->is_event;
        pt_buf_release(&item->bytes);
    } else {
        w->items[(w->first + w->n++) % PT_WRITER_QUEUE] = *item;
        w->queued_bytes += item->bytes.len;
    }
    w->fresh = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool pt_writer_behind(struct pt_writer *w)
{
    pthread_mutex_lock(&w->lock);
    const bool behind = w->n >= PT_WRITER_FRAMES || (w->n && w->queued_bytes >= PT_WRITER_BYTES);
    if (behind) {
        w->fresh = true; /* what failed is tried again */
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return behind;
}

void pt_writer_push(struct pt_writer *w, const struct pt_snap *snap, bool key, struct pt_buf *frame)
{
    struct item item = {.key = key, .snap = *snap, .bytes = *frame};
    pt_buf_init(frame, frame->max);
    push(w, &item);
}

void pt_writer_event(struct pt_writer *w, int64_t real_us, enum pt_event kind, int64_t n,
                     const char *subject, const char *text)
{
    struct item item = {.is_event = true, .kind = kind, .snap = {.real_us = real_us, .n = n}};
    pt_buf_init(&item.bytes, 8192);
    pt_buf_put(&item.bytes, subject, strlen(subject) + 1);
    pt_buf_put(&item.bytes, text, strlen(text) + 1);
    if (item.bytes.failed)
        pt_buf_release(&item.bytes);
    else
        push(w, &item);
}

void pt_writer_sync(struct pt_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->sync_now = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool pt_writer_wants_key(struct pt_writer *w, int64_t *ret_next)
{
    pthread_mutex_lock(&w->lock);
    const bool wants = w->wants_key;
    w->wants_key = false;
    if (wants) {
        drop_frames(w);
        const struct item *first = &w->items[w->first];
        *ret_next = w->n && w->busy && !first->is_event ? first->snap.n + 1 : w->next;
    }
    pthread_mutex_unlock(&w->lock);
    return wants;
}

bool pt_writer_stalled(struct pt_writer *w, int64_t limit_us)
{
    return pt_beat_stalled(&w->beat, limit_us);
}

void pt_writer_stats(struct pt_writer *w, struct pt_writer_stats *ret)
{
    pthread_mutex_lock(&w->lock);
    *ret = w->stats;
    pthread_mutex_unlock(&w->lock);
}

int pt_writer_reopen(struct pt_writer *w, struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->reopen = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return await_answer(w, err);
}

int pt_writer_free(struct pt_writer *w, struct pt_writer_stats *ret, struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    const int rc = await_answer(w, err);
    pthread_join(w->thread, NULL);
    drop_frames(w);
    if (ret)
        *ret = w->stats;
    free_writer(w);
    return rc;
}
