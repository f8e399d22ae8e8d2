/* SPDX-License-Identifier: MIT
 * The database, kept open whatever happens to it: the lock beside it, opening, and what follows
 * from a failure. A damaged file is set aside under a new name and recording goes on in a new one;
 * so is one whose -wal alone is damaged, unless a copy of that is on the disk before it is written
 * over; what else fails is closed as it is and opened anew with the next try. Used by the writer's
 * thread alone. Units: microseconds. */
#ifndef PT_RECORDER_KEEP_H
#define PT_RECORDER_KEEP_H

#include "recorder/lock.h"
#include "schema/store.h"

struct pt_keep {
    const char *path; /* borrowed, as the next three */
    const struct pt_meta *meta;
    const char *boot_id;
    struct pt_lock *lock; /* NULL: none is taken */
    int64_t btime_us;
    int64_t max_bytes;      /* of copies of damaged -wals; 0: no limit */
    struct pt_store *store; /* NULL: not open */
    uint32_t boot;
    int64_t follows;      /* the snapshot that may follow without a key frame; 0: none */
    int64_t aside_us;     /* CLOCK_MONOTONIC of the last time a file was set aside; 0: never */
    uint64_t asides;      /* how many were */
    char aside_as[256];   /* the end of the last one's name */
    char aside_why[256];  /* what was wrong with it, until the new file says so */
    uint64_t wals;        /* how many -wals were damaged */
    char wal_as[256];     /* the name of the last one's copy, without its end; "": there is none */
    char wal_text[256];   /* what happened to it, until the database says so */
    enum pt_meddled what; /* another program did to its files, until the database says so */
    int64_t expected;     /* the number that was next before */
    uint64_t meddles;     /* how often one did */
    char meddled[256];    /* what, the last time */
    uint64_t dev;         /* of the file system that was recorded to; 0: none was yet */
};

/* Nothing when it is open already. */
int pt_keep_open(struct pt_keep *k, struct pt_err *err);
/* Before the open store is used again: looks what others did to its files meanwhile, saves what can
 * be saved, and closes it where it has to be opened anew. */
void pt_keep_attend(struct pt_keep *k);
/* Makes the directories that path lies in, where they are missing; with dev, only on that file
 * system: where another one was unmounted nothing is begun in its place. */
int pt_keep_dirs(const char *path, uint64_t dev, struct pt_err *err);
/* After a failed call on the open store. */
void pt_keep_failed(struct pt_keep *k, const struct pt_err *why);
/* Seals all and closes. A file that was moved or deleted, or whose -wal was, stays open when
 * that fails. */
int pt_keep_close(struct pt_keep *k, struct pt_err *err);
/* Is it worth waiting for, or wrong from the start? */
bool pt_keep_passing(const struct pt_keep *k, const struct pt_err *why);

#endif
