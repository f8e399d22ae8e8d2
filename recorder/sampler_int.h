/* SPDX-License-Identifier: MIT
 * The sampler's parts. Internal to it. */
#ifndef PT_RECORDER_SAMPLER_INT_H
#define PT_RECORDER_SAMPLER_INT_H

#include "recorder/cgroups.h"
#include "recorder/own.h"
#include "recorder/sampler.h"
#include "recorder/thin.h"

struct pt_sampler {
    struct pt_sampler_config config;
    struct pt_shapes *shapes;
    pthread_mutex_t lock; /* of shapes and all readings in them */
    struct pt_enc *enc;
    struct pt_sink sink;
    struct pt_access access;
    struct pt_system *system;
    struct pt_procs *procs;
    struct pt_cgroups *cgroups;
    struct pt_deep *deep;
    struct pt_plan plan;
    struct pt_gallery gallery;
    struct pt_account account;
    int64_t account_source; /* < 0: not opened */
    struct pt_buf frame;
    struct pt_snap last; /* the snapshot before; n 0: none */
    struct pt_headline headline;
    int64_t pass_us, pass_cpu_us, pass_store_us; /* as of the governor's last pass */
    int64_t cpu_us, deep_us, cost_us, rss_kb;
    int64_t asked_us; /* CPU of deep reads before the last snapshot ordered its own */
    int64_t part_us[PT_PARTS], clock_us; /* clock: this thread's, when a part was last told */
    struct pt_sealing {
        double
            us_byte; /* CPU time a byte of frames, before compression; all that the writer does */
        double each; /* bytes of a frame that is no key frame */
        size_t waiting; /* bytes of chains that are complete, and not sealed yet */
        uint64_t seals; /* as of the last one, ... */
        int64_t cpu_us; /* ... and the writer's CPU time */
    } sealing;
    struct pt_thin thin;
    int64_t n; /* of the next snapshot */
    uint64_t tick, snapshots, frame_bytes;
    size_t key_bytes; /* of the chain's key frame */
    bool want_key;
    bool spared; /* the last snapshot was a trigger's, and did not read everything */
    struct pt_own own;
};

/* ---- sampler_told.c ---- */

/* What became of what was handed over. */
struct pt_writer_stats pt_sampler_stored(const struct pt_sampler *s);
void pt_sampler_tell(const struct pt_sampler *s, const struct pt_snap *snap, enum pt_event kind,
                     const char *text);
/* Into the frame in the making. */
void pt_sampler_account_put(struct pt_sampler *s, const struct pt_snap *snap);

/* ---- sampler_budget.c ---- */

void pt_sampler_budget_init(struct pt_sampler *s);
/* Before a snapshot: what went by since the last. */
void pt_sampler_budget_pass(struct pt_sampler *s);
/* After a trigger's that read everything; before: what the parts stood at. */
void pt_sampler_budget_alarm(struct pt_sampler *s, const int64_t before[PT_PARTS]);
/* After a snapshot that read what was due. */
void pt_sampler_budget_note(struct pt_sampler *s, const int64_t before[PT_PARTS],
                            const struct pt_snap *snap);

#endif
