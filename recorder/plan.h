/* SPDX-License-Identifier: MIT
 * What the deep reader is to read next, and putting what it read into the frame. Called by the
 * sampler's thread, which holds the shapes lock. */
#ifndef PT_RECORDER_PLAN_H
#define PT_RECORDER_PLAN_H

#include "recorder/deep.h"
#include "recorder/governor.h"
#include "recorder/mounts.h"
#include "recorder/procs.h"

enum pt_deep_mode { PT_DEEP_AUTO = 0, PT_DEEP_OFF, PT_DEEP_ALL };

struct pt_plan {
    enum pt_deep_mode mode;
    struct pt_deep *deep;
    struct pt_gov gov;
    struct pt_mounts mounts;
    uint32_t mounts_gen; /* numbers of mounts are good for one generation */
    struct pt_plan_pick *picks;
    uint32_t npicks;
    size_t picks_cap;
    enum pt_gov_mood mood; /* of this tick */
    int64_t since_us;      /* monotonic: nobody is read again who was read after this */
    struct pt_coverage {
        uint32_t overdue, stalling, never;
        int64_t oldest_us;        /* age */
    } coverage;                   /* as of the last order */
    uint64_t stuck, reads, smaps; /* so far; smaps: of the reads, those that told something */
    uint32_t last_stuck_pid;
};

struct pt_plan_config {
    enum pt_deep_mode mode;
    int64_t budget_ppm, interval_us, stall_us; /* the governor's */
};
void pt_plan_init(struct pt_plan *p, const struct pt_plan_config *config, struct pt_deep *deep);
void pt_plan_release(struct pt_plan *p);
/* Results there are now: those read before a scan of the processes belong to who was alive in it or
 * before. */
uint32_t pt_plan_ready(const struct pt_plan *p);
/* Puts so many results, oldest first. */
void pt_plan_apply(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs, uint32_t n);
/* Orders names of newcomers and the reads the governor allows. Returns how many jobs it gave. */
uint32_t pt_plan_order(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs);
/* What deep reads will be due of the processes there are, each growing on as it did. */
struct pt_forecast {
    double reads_s, cpu_us_s; /* a second */
    uint32_t read, unread;    /* processes that were read deeply so far, and that were not */
};
void pt_plan_forecast(const struct pt_plan *p, struct pt_procs *procs, struct pt_forecast *ret);
/* Looks for tmpfs mounts (rarely) and orders their usage (in the slower tier). */
void pt_plan_mounts(struct pt_plan *p, struct pt_sink *sink, const struct pt_roots *roots,
                    uint64_t tick, bool full);

#endif
