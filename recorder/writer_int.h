/* SPDX-License-Identifier: MIT
 * What the two sides of the writer share: its queue, under its lock. Internal to
 * recorder/writer*.c.
 */
#ifndef PT_RECORDER_WRITER_INT_H
#define PT_RECORDER_WRITER_INT_H

#include <pthread.h>

#include "recorder/beat.h"
#include "recorder/loss.h"
#include "recorder/within.h"
#include "recorder/writer.h"

struct pt_item {
    bool is_event, key;
    struct pt_snap snap; /* of an event: real_us and n */
    enum pt_event kind;
    struct pt_buf bytes; /* the frame, or the event's subject and text, each with its NUL */
};

struct pt_writer {
    struct pt_writer_config config;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below but what is the thread's own */
    pthread_cond_t wake, answer;
    struct pt_item items[PT_WRITER_QUEUE];
    uint32_t first, n;
    size_t queued_bytes;
    struct pt_buf spare; /* of an item that was stored: room for the next */
    bool fresh;          /* something was pushed since the last try */
    bool stop, reopen, answered, sync_now, wants_key;
    bool skip;    /* the chain's key frame is lost: frames up to the next key frame are of no use */
    bool busy;    /* the first item is in the thread's hands */
    int64_t next; /* the number the store waits for */
    uint32_t boot;
    struct pt_writer_stats stats;
    struct pt_store_past past; /* of the file it began with; set before the first answer */
    struct pt_err answer_err;
    int answer_rc;
    struct pt_loss loss; /* not told yet */
    int64_t failed_us;   /* CLOCK_MONOTONIC since which storing fails; 0: it does not */
    bool open;           /* the database is */
    bool end_chain;      /* as struct pt_room */
    unsigned pace;       /* as struct pt_room */
    struct pt_beat beat;
    /* the thread's own */
    struct pt_keep keep;
    struct pt_within within;
    bool started, unsynced;
    int64_t synced_us, told_us; /* CLOCK_MONOTONIC of the last sync, the last telling of losses */
    char unsealed[256];         /* why a chain could not be sealed, as told */
};

/* The thread; arg: a struct pt_writer. */
void *pt_writer_main(void *arg);
/* Under lock: one frame or event is lost. */
void pt_writer_lose(struct pt_writer *w, bool is_event, int64_t real_us);
/* Under lock: the first item leaves the queue. */
void pt_writer_pop(struct pt_writer *w);

#endif
