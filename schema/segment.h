/* SPDX-License-Identifier: MIT
 * Sealed segments: some hundred snapshots, series-major, as independent blocks. A block holds some
 * sources whole: their names, shapes, readings at the first snapshot, and then for each source and
 * slot its changes, gaps and deltas. A block decodes without any other; block kind PT_BLOCK_CLOCK
 * has the snapshots themselves (struct pt_snap). Units: as schema/frame.h; a "tick" is the index of
 * a snapshot in its segment, 0... */
#ifndef PT_SCHEMA_SEGMENT_H
#define PT_SCHEMA_SEGMENT_H

#include "schema/frame.h"

enum pt_block_kind {
    PT_BLOCK_CLOCK = 0,
    PT_BLOCK_SYSTEM = 1, /* host-wide files and cgroups */
    PT_BLOCK_PROC = 2,   /* PID/stat, statm, status, oom_score ... */
    PT_BLOCK_NAMES = 3,  /* PID/exe, cmdline, cgroup: what processes are called */
    PT_BLOCK_DEEP = 4,   /* PID/smaps, maps, smaps_rollup, numa_maps */
};
/* Which kind of block a source belongs to, by its name. */
enum pt_block_kind pt_block_kind_of(const char *source);
#define PT_GROUP(kind) (1u << (kind)) /* sets of block kinds */
#define PT_GROUP_ALL   0x1eu

/* Raw bytes a block aims at, and never exceeds by more than one source: the files of some 400
 * processes over 370 snapshots. What one file says of a process another says too: with blocks of
 * 256 KiB, each of one kind of file, what a process does took half as much again.
 */
#define PT_BLOCK_RAW       (1u << 20)
#define PT_TICKS_MAX       (1u << 16) /* snapshots of a segment */
#define PT_BLOCK_RAW_LIMIT (1u << 30) /* a blob that claims more is damaged */

/* ---- building (memory: one block) ---- */

struct pt_block_writer;
struct pt_block_writer *pt_block_writer_new(struct pt_shapes *shapes);
void pt_block_writer_free(struct pt_block_writer *w);
/* first_n: snapshot number of tick 0. Numbers are consecutive but for lost frames; ns lists them
 * (nticks). */
int pt_block_begin(struct pt_block_writer *w, enum pt_block_kind kind, const struct pt_snap *snaps,
                   uint32_t nticks, struct pt_err *err);
/* One source: its state at every tick at which it was not simply carried, ticks ascending. */
int pt_block_source(struct pt_block_writer *w, const char *name, enum pt_key key,
                    struct pt_err *err);
/* presence PT_READ (reading may equal the one before), PT_UNREADABLE, PT_ABSENT, PT_LOST;
 * PT_CARRIED at tick 0 (read before the segment) and where a lost snapshot read it. What says
 * nothing new is let pass. Takes no reference that outlives the call to pt_block_end. */
int pt_block_add(struct pt_block_writer *w, uint32_t tick, const struct pt_source_at *at,
                 struct pt_err *err);
size_t pt_block_raw(const struct pt_block_writer *w); /* raw bytes so far */
/* Appends the blob (compressed at level, checksummed) to out; the writer is ready for the next
 * begin. */
int pt_block_end(struct pt_block_writer *w, int level, struct pt_buf *out, struct pt_err *err);

/* ---- reading ---- */

struct pt_block;
/* Validates header, checksum and every length. shapes is borrowed and must outlive the block. */
int pt_block_open(const void *blob, size_t len, struct pt_shapes *shapes, struct pt_block **ret,
                  struct pt_err *err);
void pt_block_free(struct pt_block *b);
enum pt_block_kind pt_block_kind(const struct pt_block *b);
size_t pt_block_bytes(const struct pt_block *b);  /* of memory */
int64_t pt_block_first(const struct pt_block *b); /* snapshot number of tick 0 */
uint32_t pt_block_ticks(const struct pt_block *b);
int64_t pt_block_n(const struct pt_block *b, uint32_t tick);
int pt_block_tick_of(const struct pt_block *b, int64_t n, uint32_t *ret); /* < 0: not in it */
/* PT_BLOCK_CLOCK only. */
int pt_block_snap(const struct pt_block *b, uint32_t tick, struct pt_snap *ret, struct pt_err *err);
uint32_t pt_block_sources(const struct pt_block *b);
const char *pt_block_name(const struct pt_block *b, uint32_t source);
int pt_block_find(const struct pt_block *b, const char *name, uint32_t *ret); /* < 0: not in it */
/* The state of a source at a tick; ret->reading holds a reference the caller must drop
 * (pt_reading_unref). ret->read_us is filled from snaps (the segment's clocks) or, snaps NULL, left
 * PT_UNKNOWN for timer readings. */
int pt_block_at(const struct pt_block *b, uint32_t source, uint32_t tick,
                const struct pt_snap *snaps, struct pt_source_at *ret, struct pt_err *err);

/* A source tick after tick, ticks ascending: what pt_block_at tells, at the cost of what changed
 * between two. reading is borrowed, lives until the next call, and is the same one while the text
 * stays the same. */
struct pt_walk;
int pt_walk_new(const struct pt_block *b, uint32_t source, const struct pt_snap *snaps,
                struct pt_walk **ret, struct pt_err *err);
void pt_walk_free(struct pt_walk *w);
int pt_walk_at(struct pt_walk *w, uint32_t tick, struct pt_source_at *ret, struct pt_err *err);

/* Series without text. An instance is one row of a source while it lives: ticks [born, died). */
#define PT_SERIES_SLOTS 64
struct pt_instance {
    uint32_t id;                        /* within the source */
    const struct pt_shape *head, *body; /* body NULL: none */
    uint32_t born, died;
    /* set by who is told of it: the slots wanted, ascending; nwant 0: all */
    uint32_t want[PT_SERIES_SLOTS], nwant;
};
struct pt_series_ops {
    /* each once; return 1 to have its slots, 0 to skip it, < 0 to stop */
    int (*instance)(void *ctx, struct pt_instance *in);
    /* value of a slot from tick on, at birth and at each change; ticks ascending within a slot */
    int (*value)(void *ctx, uint32_t instance, uint32_t slot, uint32_t tick, uint64_t value);
    /* presence from tick on: at 0 and at each change between read, unreadable, absent, lost
     * (carried is not told) */
    int (*presence)(void *ctx, uint32_t tick, enum pt_presence presence, int why);
};
int pt_block_series(const struct pt_block *b, uint32_t source, const struct pt_series_ops *ops,
                    void *ctx, struct pt_err *err);

#endif
