/* SPDX-License-Identifier: MIT
 * The size cap between two steps of retention: what is on the disk, and how much of the cap has to
 * stay free for what comes before the next step.
 *
 * Frames stand in the WAL until their chain is sealed; the seal writes its blocks to the WAL too,
 * and the checkpoint that follows to the file, while the WAL is still there. So the file at rest
 * must stay below the cap by a reserve of some chains. Chains are kept short where the cap is
 * small. */
#include "schema/store_write.h"

#include <limits.h>
#include <stdio.h>

#define KIB INT64_C(1024)
/* Frames in the WAL take half as much again (pages that are in part empty, and written twice),
 * their blocks at most as much as they, once in the WAL and once in the file. */
#define RESERVE_CHAINS 4
#define RESERVE_MORE   (128 * KIB)
/* Chains are ended at these parts of the cap: the first for a chain that is worth a key frame. */
#define CHAIN_PART     20
#define CHAIN_PART_MAX 8
#define CHAIN_FRAMES   8
#define SEGMENT_MIN    (64 * KIB)
#define FULL_BYTES     (8 * KIB)
/* Of the WAL a commit checkpoints by itself: bytes of a page in it; pages. */
#define WAL_PAGE      536
#define WAL_PART      16
#define WAL_PAGES_MIN 128
#define WAL_PAGES_MAX 32768

static int64_t size_of(const char *path, const char *suffix, uint64_t ino)
{
    char name[PATH_MAX + 8];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    if (stat(name, &st) < 0 || (ino && st.st_ino != ino))
        return 0;
    const int64_t blocks = (int64_t)st.st_blocks * 512;
    return blocks > st.st_size ? blocks : st.st_size;
}

void pt_store_disk(struct pt_store *s, struct pt_disk *ret)
{
    ret->rest = size_of(s->path, "", s->ino) + size_of(s->path, "-shm", 0);
    ret->used = ret->rest + size_of(s->path, "-wal", 0);
}

void pt_store_count_frame(struct pt_store *s, bool key, size_t len)
{
    if (key)
        s->chain_bytes = s->chain_frames = 0;
    s->chain_bytes += (int64_t)len;
    s->chain_frames++;
    if (s->chain_bytes > s->longest)
        s->longest = s->chain_bytes;
}

static int64_t wal_pages(const struct pt_store *s)
{
    const int64_t pages = s->limits.max_bytes / WAL_PART / WAL_PAGE;
    return pages < WAL_PAGES_MIN ? WAL_PAGES_MIN : pages < WAL_PAGES_MAX ? pages : WAL_PAGES_MAX;
}

int64_t pt_store_reserve(const struct pt_store *s)
{
    const int64_t max = s->limits.max_bytes / 2;
    const int64_t want = RESERVE_CHAINS * s->longest + RESERVE_MORE + wal_pages(s) * WAL_PAGE;
    return want < max ? want : max;
}

/* What is on the disk when the reader has gone and the WAL is copied, before it is cut. */
static int64_t to_be(const struct pt_disk *disk)
{
    return disk->used + (disk->used - disk->rest);
}

bool pt_store_wedged(struct pt_store *s)
{
    struct pt_disk disk;
    if (!s->limits.max_bytes || !s->blocked)
        return false;
    pt_store_checkpoint(s, NULL);
    pt_store_disk(s, &disk);
    return s->blocked && to_be(&disk) + 2 * s->longest > s->limits.max_bytes;
}

/* While a reader keeps the WAL, every snapshot stays on top of the others. What may be exceeded is
 * used up by halves, with half the snapshots each time. */
static unsigned pace_of(const struct pt_store *s, const struct pt_disk *disk)
{
    const int64_t most = s->limits.max_bytes / CHAIN_PART;
    const int64_t segment = s->longest < SEGMENT_MIN ? SEGMENT_MIN : s->longest;
    const int64_t more = segment < most ? segment : most;
    const int64_t left = s->limits.max_bytes + more - to_be(disk);
    return left <= FULL_BYTES ? 0 : left >= 2 * more ? 1 : (unsigned)(2 * more / left);
}

void pt_store_room(struct pt_store *s, struct pt_room *ret)
{
    struct pt_disk disk;
    const int64_t max = s->limits.max_bytes;
    pt_store_disk(s, &disk);
    *ret = (struct pt_room){.used = disk.used, .pace = 1};
    if (!max)
        return;
    ret->end_chain = s->chain_bytes > max / CHAIN_PART_MAX ||
                     (s->chain_bytes > max / CHAIN_PART && s->chain_frames >= CHAIN_FRAMES);
    /* above the limit already (it was lowered), hurry does not hold it */
    ret->urgent = disk.rest > max - pt_store_reserve(s) / 2 && disk.rest <= max;
    if (disk.used <= max - pt_store_reserve(s))
        return;
    if (s->blocked) {
        pt_store_checkpoint(s, NULL);
        pt_store_disk(s, &disk);
        ret->used = disk.used;
    }
    if (s->blocked) {
        ret->pace = pace_of(s, &disk);
        ret->end_chain = false; /* it would not be sealed */
    }
    ret->blocked = ret->pace != 1;
    ret->short_of = !s->blocked && disk.used > max;
}

int pt_store_limit(struct pt_store *s, const struct pt_limits *limits, struct pt_err *err)
{
    char sql[64];
    int64_t segment = 0;
    s->limits = *limits;
    if (!limits->max_bytes)
        return 0;
    snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint=%lld", (long long)wal_pages(s));
    int r = pt_sql_exec(s->db, sql, "set up the WAL", err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT max(bytes) FROM segment", 0, &segment, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT count(*) FROM event", 0, &s->event_rows, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT sum(length(subject) + length(text)) FROM event", 0,
                       &s->event_bytes, err);
    s->event_bytes += s->event_rows * PT_EVENT_BYTES;
    const int64_t chain = segment * RESERVE_CHAINS; /* its frames took some times as much */
    const int64_t most = limits->max_bytes / CHAIN_PART_MAX;
    if (r >= 0 && chain > s->longest)
        s->longest = chain < most ? chain : most;
    return r;
}
