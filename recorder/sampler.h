/* SPDX-License-Identifier: MIT
 * The sampler: one call, one snapshot, from begin to the finished frame in the writer's queue. Runs
 * in the daemon's main thread and never waits for another process's mmap_lock or for the disk. */
#ifndef PT_RECORDER_SAMPLER_H
#define PT_RECORDER_SAMPLER_H

#include "recorder/account.h"
#include "recorder/plan.h"
#include "recorder/portrait.h"
#include "recorder/rawlog.h"
#include "recorder/sources.h"
#include "recorder/writer.h"

/* A chain is sealed after so many frames, or when those after its key frame have so many bytes
 * (before compression), or as many as the key frame where that has more. */
#define PT_CHAIN_FRAMES 360
#define PT_CHAIN_BYTES  (4u << 20)
/* Bytes for the frames after the key frame: with very many processes that alone is longer than a
 * chain should be. */
static inline size_t pt_chain_room(size_t key_bytes)
{
    return key_bytes > PT_CHAIN_BYTES ? key_bytes : PT_CHAIN_BYTES;
}

struct pt_sampler_config {
    const struct pt_roots *roots;
    struct pt_writer *writer; /* NULL: nothing is stored, frames go to frame() */
    void (*frame)(void *ctx, const struct pt_snap *snap, bool key, const struct pt_buf *frame);
    void *ctx;
    struct pt_rawlog *raw; /* or NULL */
    struct pt_plan_config plan;
    enum pt_cmdline cmdline;
    int64_t timestamp_us; /* real time of the next snapshot; PT_UNKNOWN: now */
};

/* What CPU time goes to, in the sampler's thread. */
enum pt_part {
    PT_PART_TICK = 0, /* host-wide files, by tier */
    PT_PART_SLOW,
    PT_PART_RARE,
    PT_PART_PROCS,
    PT_PART_CGROUPS,
    PT_PART_DEEP, /* ordering deep reads and putting what they read */
    PT_PART_FRAME,
    PT_PARTS,
};

struct pt_sampler_stats {
    uint64_t snapshots, refused;
    uint32_t processes, cgroups, kept_fds;
    uint64_t deep_reads, deep_smaps, stuck; /* stuck: reads given up so far */
    uint32_t stuck_now, last_stuck_pid;
    bool deep_paused;
    int64_t last_cost_us, rss_kb;
    int64_t part_us[PT_PARTS]; /* so far */
    size_t chain_bytes;        /* of the frames since the key frame, before compression */
    uint32_t denied_system, denied[PT_PROC_FILES]; /* processes whose file may not be read */
};

struct pt_sampler;
int pt_sampler_new(const struct pt_sampler_config *config, struct pt_sampler **ret,
                   struct pt_err *err);
/* True: everything is freed. False: a deep read hangs, what it needs stays. */
bool pt_sampler_free(struct pt_sampler *s);
/* TIMER and BURST read what is due, all others everything, and wait (at most some seconds) for deep
 * reads too. */
int pt_sampler_tick(struct pt_sampler *s, enum pt_trigger trigger, struct pt_err *err);
/* What is known of a process as of the snapshots before; NULL: nothing. Good until the next call or
 * snapshot. */
const struct pt_portrait *pt_sampler_portrait(struct pt_sampler *s, uint32_t pid);
/* When a process that was in a snapshot lately was started, and the last one it was in. false: it
 * was in none. */
bool pt_sampler_life(struct pt_sampler *s, uint32_t pid, struct pt_dead *ret);
uint32_t pt_sampler_kills(struct pt_sampler *s, struct pt_cgroup_kills *ret, uint32_t max);
/* The snapshot before; n 0: none yet. */
const struct pt_snap *pt_sampler_last(const struct pt_sampler *s);
const struct pt_headline *pt_sampler_headline(const struct pt_sampler *s);
/* The writer has opened a database anew: numbers and chain start there. */
void pt_sampler_reopened(struct pt_sampler *s);
/* The time between snapshots that the budget allows: the interval asked for, or longer. */
int64_t pt_sampler_interval_us(const struct pt_sampler *s);
const struct pt_gov *pt_sampler_governor(const struct pt_sampler *s);
/* The next snapshot starts a chain. */
void pt_sampler_new_chain(struct pt_sampler *s);
/* What deep reads will be due, if all goes on as it did since they were read last. */
void pt_sampler_forecast(struct pt_sampler *s, struct pt_forecast *ret);
/* Files of the host that may not be read. */
void pt_sampler_denied(const struct pt_sampler *s, void (*fn)(void *ctx, const char *name),
                       void *ctx);
/* Looks after a hanging deep read between ticks. Microseconds until it wants to be called again; <
 * 0: at the next tick. */
int64_t pt_sampler_watch(struct pt_sampler *s);
/* What is recorded of the recorder itself: the sampler fills in what it knows. */
struct pt_account *pt_sampler_account(struct pt_sampler *s);
/* What could not be read in the last START or ONCE snapshot for want of permission. */
const struct pt_access *pt_sampler_access(const struct pt_sampler *s);
/* As pt_deep_stalled. */
bool pt_sampler_stalled(struct pt_sampler *s, int64_t limit_us);
void pt_sampler_stats(struct pt_sampler *s, struct pt_sampler_stats *ret);

#endif
