/* SPDX-License-Identifier: MIT
 * The writer: a thread that owns the database. It gets finished frames and events through a bounded
 * queue, stores each in a transaction, seals chains that are complete and syncs. A frame that
 * cannot be stored stays in the queue and is tried again with the next; the fuller the queue, the
 * fewer snapshots should be taken. What is lost is counted, and told in the file (an event) once it
 * can be written again. Frames that do not fit the file (it was replaced) are lost too, and the
 * sampler is asked for a key frame. */
#ifndef PT_RECORDER_WRITER_H
#define PT_RECORDER_WRITER_H

#include "recorder/keep.h"

#define PT_WRITER_QUEUE  64 /* frames and events waiting */
#define PT_WRITER_FRAMES 48 /* with so many, or so many bytes, the writer is behind */
#define PT_WRITER_BYTES  (2u << 20)

struct pt_writer_config {
    const char *path; /* borrowed */
    struct pt_meta meta;
    char boot_id[40];
    int64_t btime_us;
    struct pt_limits limits;
    int64_t sync_us;      /* frames are durable so long after they were stored */
    struct pt_lock *lock; /* borrowed, used by the thread until the end; NULL: none is taken */
    bool patient; /* a database that cannot be opened just now (full, locked) is waited for */
};

struct pt_writer_stats {
    uint64_t frames, bytes; /* stored so far */
    uint64_t lost;          /* frames that never were, and ticks left out */
    uint64_t seals;
    uint64_t moved;     /* files that were moved or deleted under us, and left */
    uint64_t asides;    /* damaged files that were set aside */
    char aside_as[256]; /* the last one's name, in the database's directory */
    uint64_t wals;      /* -wals that were damaged */
    char wal_as[256];   /* the name of the last one's copy, without its end; "": there is none */
    uint64_t meddles;   /* what others did to the database's files */
    char meddled[256];  /* the last of it */
    int64_t file_bytes; /* database and WAL, as of the last frame */
    int64_t cpu_us;     /* of the thread so far */
    int64_t store_us;   /* what the last frame took; PT_UNKNOWN before the first */
    bool failing;       /* the last try failed: why is in err */
    struct pt_err err;
};

struct pt_writer;
/* Starts the thread and waits until the database is open, or is to be waited for. */
int pt_writer_new(const struct pt_writer_config *config, struct pt_writer **ret,
                  struct pt_err *err);
/* How the recording before ended. */
void pt_writer_past(struct pt_writer *w, struct pt_store_past *ret);
/* The number the next snapshot must have, and the boot's id. */
int64_t pt_writer_next(struct pt_writer *w);
uint32_t pt_writer_boot(struct pt_writer *w);
/* A snapshot should be taken every so many ticks: 1 while the disk keeps up, more the more waits
 * for it, 0 for none. Has the writer try again. */
unsigned pt_writer_pace(struct pt_writer *w);
/* The next frame should be a key frame, so that the chain can be sealed: the database is to stay
 * small. */
bool pt_writer_ends_chain(struct pt_writer *w);
/* The tick of this time is left out on account of that. */
void pt_writer_skip(struct pt_writer *w, int64_t real_us);
/* Takes the buffer's bytes and leaves it empty, with room it may have had from a frame before. */
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
/* Seals all and closes; opens the path again. Waits, and calls waiting (unless NULL) every second
 * meanwhile. On failure the thread goes on trying with each frame. */
int pt_writer_reopen(struct pt_writer *w, void (*waiting)(void *ctx), void *ctx,
                     struct pt_err *err);
/* Stores what is queued, seals all, closes, ends the thread, frees. *ret (may be NULL): how it came
 * out. */
int pt_writer_free(struct pt_writer *w, struct pt_writer_stats *ret, struct pt_err *err);

#endif
