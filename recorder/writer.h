/* SPDX-License-Identifier: MIT
 * The writer: a thread that owns the database. It gets finished frames and events through a bounded
 * queue, stores each in a transaction, seals chains that are complete and syncs. A frame that
 * cannot be stored stays in the queue and is tried again with the next; while the queue is full no
 * snapshots are taken. A frame that does not fit the file (it was replaced) is lost, counted, and
 * the sampler is asked for a key frame. */
#ifndef PT_RECORDER_WRITER_H
#define PT_RECORDER_WRITER_H

#include "schema/store.h"

#define PT_WRITER_QUEUE   64 /* frames and events waiting */
#define PT_WRITER_FRAMES  48 /* with so many, or so many bytes, the writer is behind */
#define PT_WRITER_BYTES   (2u << 20)
#define PT_WRITER_SYNC_US INT64_C(30000000)

struct pt_writer_config {
    const char *path; /* borrowed */
    struct pt_meta meta;
    char boot_id[40];
    int64_t btime_us;
};

struct pt_writer_stats {
    uint64_t frames, bytes; /* stored so far */
    uint64_t lost;          /* frames that never were */
    uint64_t moved;         /* files that were moved or deleted under us, and left */
    int64_t file_bytes;     /* database and WAL, as of the last frame */
    int64_t cpu_us;         /* of the thread so far, but for the work it is at */
    int64_t store_us;       /* what the last frame took; PT_UNKNOWN before the first */
    bool failing;           /* the last try failed: why is in err */
    struct pt_err err;
};

struct pt_writer;
/* Starts the thread and waits until the database is open. */
int pt_writer_new(const struct pt_writer_config *config, struct pt_writer **ret,
                  struct pt_err *err);
/* The number the next snapshot must have, and the boot's id. */
int64_t pt_writer_next(struct pt_writer *w);
uint32_t pt_writer_boot(struct pt_writer *w);
/* The disk is too slow or refuses: no snapshot should be taken now. Has the writer try again. */
bool pt_writer_behind(struct pt_writer *w);
/* Takes the buffer's bytes and leaves it empty. */
void pt_writer_push(struct pt_writer *w, const struct pt_snap *snap, bool key,
                    struct pt_buf *frame);
/* As pt_store_event. */
void pt_writer_event(struct pt_writer *w, int64_t real_us, enum pt_event kind, int64_t n,
                     const char *subject, const char *text);
/* Makes what is stored durable soon (a trigger). */
void pt_writer_sync(struct pt_writer *w);
/* True once after frames were lost: the next frame must be a key frame with this number. */
bool pt_writer_wants_key(struct pt_writer *w, int64_t *ret_next);
/* At work on one thing for longer than limit_us, the disk's own waiting left out. */
bool pt_writer_stalled(struct pt_writer *w, int64_t limit_us);
void pt_writer_stats(struct pt_writer *w, struct pt_writer_stats *ret);
/* Seals all and closes; opens the path again. Waits. On failure the thread goes on trying with each
 * frame. */
int pt_writer_reopen(struct pt_writer *w, struct pt_err *err);
/* Stores what is queued, seals all, closes, ends the thread, frees. *ret (may be NULL): how it came
 * out. */
int pt_writer_free(struct pt_writer *w, struct pt_writer_stats *ret, struct pt_err *err);

#endif
