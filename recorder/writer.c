/* SPDX-License-Identifier: MIT
 * The writer's queue, as the sampler sees it. */
#include "recorder/writer_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/clock.h"

#define STACK_BYTES (256u << 10)
#define SPARE_MAX   (64u << 10) /* a key frame's buffer is not kept */

/* Under lock. */
void pt_writer_lose(struct pt_writer *w, bool is_event, int64_t real_us)
{
    pt_loss_add(&w->loss, is_event, real_us);
    w->stats.lost += !is_event;
}

/* Under lock. */
void pt_writer_pop(struct pt_writer *w)
{
    struct pt_item *item = &w->items[w->first];
    w->queued_bytes -= item->bytes.len;
    if (item->bytes.cap > w->spare.cap && item->bytes.cap <= SPARE_MAX) {
        const struct pt_buf spare = w->spare;
        w->spare = item->bytes;
        item->bytes = spare;
    }
    pt_buf_release(&item->bytes);
    w->first = (w->first + 1) % PT_WRITER_QUEUE;
    w->n--;
}

static void free_writer(struct pt_writer *w)
{
    while (w->n)
        pt_writer_pop(w);
    pt_buf_release(&w->spare);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->answer);
    free(w);
}

/* Calls waiting (unless NULL) every second until the answer is there. */
static int await_answer(struct pt_writer *w, void (*waiting)(void *ctx), void *ctx,
                        struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    while (!w->answered) {
        const struct timespec until = pt_timespec(pt_clock_us(CLOCK_MONOTONIC) + PT_SECOND);
        if (pthread_cond_timedwait(&w->answer, &w->lock, &until) != ETIMEDOUT || !waiting)
            continue;
        pthread_mutex_unlock(&w->lock);
        waiting(ctx);
        pthread_mutex_lock(&w->lock);
    }
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
    w->keep = (struct pt_keep){
        .path = config->path,
        .meta = &w->config.meta,
        .boot_id = w->config.boot_id,
        .btime_us = config->btime_us,
        .lock = config->lock,
        .max_bytes = config->limits.max_bytes,
    };
    w->within.limits = config->limits;
    w->pace = 1;
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
    int rc = pthread_create(&w->thread, &attr, pt_writer_main, w);
    pthread_attr_destroy(&attr);
    if (rc) {
        free_writer(w);
        return pt_err_set(err, PT_ENOMEM, rc, "", -1, "cannot start the writer: %s", strerror(rc));
    }
    pthread_setname_np(w->thread, "writer");
    rc = await_answer(w, NULL, NULL, err);
    if (rc < 0) {
        pthread_join(w->thread, NULL);
        free_writer(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void pt_writer_past(struct pt_writer *w, struct pt_store_past *ret)
{
    *ret = w->past;
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
        struct pt_item *item = &w->items[(w->first + i) % PT_WRITER_QUEUE];
        if (item->is_event) {
            w->items[(w->first + kept++) % PT_WRITER_QUEUE] = *item;
            continue;
        }
        pt_writer_lose(w, false, item->snap.real_us);
        w->queued_bytes -= item->bytes.len;
        pt_buf_release(&item->bytes);
    }
    w->n = kept;
}

static void push(struct pt_writer *w, struct pt_item *item)
{
    pthread_mutex_lock(&w->lock);
    if (w->n == PT_WRITER_QUEUE || (w->n && w->queued_bytes >= 2 * PT_WRITER_BYTES)) {
        pt_writer_lose(w, item->is_event, item->snap.real_us);
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

/* While storing fails, what the queue has room for is stretched: at ten seconds a snapshot, the
 * first four minutes are kept as they are, then an hour and a half at one and at six minutes. */
unsigned pt_writer_pace(struct pt_writer *w)
{
    static const unsigned thin[] = {1, 1, 6, 36}; /* by quarters of the queue */
    pthread_mutex_lock(&w->lock);
    const size_t frames = 4u * w->n / PT_WRITER_FRAMES;
    const size_t bytes = w->n ? 4 * w->queued_bytes / PT_WRITER_BYTES : 0;
    const size_t full = frames > bytes ? frames : bytes;
    const unsigned pace = !w->open || full >= 4 ? 0 : w->stats.failing ? thin[full] : w->pace;
    if (pace != 1) {
        w->fresh = true; /* what failed is tried again */
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return pace;
}

bool pt_writer_ends_chain(struct pt_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool ends = w->end_chain;
    for (uint32_t i = 0; i < w->n; i++) /* one that does is on its way */
        ends &= !w->items[(w->first + i) % PT_WRITER_QUEUE].key;
    pthread_mutex_unlock(&w->lock);
    return ends;
}

void pt_writer_skip(struct pt_writer *w, int64_t real_us)
{
    pthread_mutex_lock(&w->lock);
    pt_writer_lose(w, false, real_us);
    if (w->pace != 1 && !w->loss.why[0])
        snprintf(w->loss.why, sizeof(w->loss.why), "a reader keeps the -wal in use");
    pthread_mutex_unlock(&w->lock);
}

void pt_writer_push(struct pt_writer *w, const struct pt_snap *snap, bool key, struct pt_buf *frame)
{
    struct pt_item item = {.key = key, .snap = *snap, .bytes = *frame};
    const size_t max = frame->max;
    pthread_mutex_lock(&w->lock);
    *frame = w->spare;
    w->spare = (struct pt_buf){0};
    pthread_mutex_unlock(&w->lock);
    frame->max = max;
    pt_buf_reset(frame);
    push(w, &item);
}

void pt_writer_event(struct pt_writer *w, int64_t real_us, enum pt_event kind, int64_t n,
                     const char *subject, const char *text)
{
    struct pt_item item = {.is_event = true, .kind = kind, .snap = {.real_us = real_us, .n = n}};
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
        const struct pt_item *first = &w->items[w->first];
        *ret_next = w->n && w->busy && !first->is_event ? first->snap.n + 1 : w->next;
    }
    pthread_mutex_unlock(&w->lock);
    return wants;
}

bool pt_writer_stalled(struct pt_writer *w, int64_t limit_us)
{
    return pt_beat_stalled(&w->beat, limit_us);
}

/* The thread's own clock: what it is at may take minutes. */
static int64_t cpu_us(const struct pt_writer *w)
{
    clockid_t clock;
    return pthread_getcpuclockid(w->thread, &clock) == 0 ? pt_clock_us(clock) : 0;
}

void pt_writer_stats(struct pt_writer *w, struct pt_writer_stats *ret)
{
    const int64_t cpu = cpu_us(w);
    pthread_mutex_lock(&w->lock);
    *ret = w->stats;
    pthread_mutex_unlock(&w->lock);
    ret->cpu_us = cpu;
}

int pt_writer_reopen(struct pt_writer *w, void (*waiting)(void *ctx), void *ctx, struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->reopen = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return await_answer(w, waiting, ctx, err);
}

int pt_writer_free(struct pt_writer *w, struct pt_writer_stats *ret, struct pt_err *err)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    const int rc = await_answer(w, NULL, NULL, err);
    pthread_join(w->thread, NULL);
    drop_frames(w);
    if (ret)
        *ret = w->stats;
    free_writer(w);
    return rc;
}
