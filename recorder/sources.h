/* SPDX-License-Identifier: MIT
 * Host-wide files: which are read, and how often. One row of a const table each; patterns are
 * expanded at the start and from time to time. Units of periods: ticks. */
#ifndef PT_RECORDER_SOURCES_H
#define PT_RECORDER_SOURCES_H

#include "recorder/roots.h"
#include "recorder/sink.h"

/* Everything not read every tick is read within this many, spread evenly over them. */
#define PT_SLOW_TICKS 6
#define PT_RARE_TICKS 60

enum pt_tier { PT_TIER_TICK = 0, PT_TIER_SLOW, PT_TIER_RARE, PT_TIERS };

struct pt_source_row {
    enum pt_root_kind root;
    const char *path; /* '*' within a component matches as in a shell */
    enum pt_tier tier;
    const char *ns; /* the file shows the reader's own namespace of this kind: named "self/..."
                       where it is not pid 1's */
    bool pid1; /* the file of pid 1: wanted where procfs is another's, or the own one differs */
};
const struct pt_source_row *pt_source_rows(size_t *ret_count);

/* What a person looks for first and what triggers look at, from the files of this tick; PT_UNKNOWN
 * where it could not be read. */
struct pt_headline {
    int64_t mem_available_kb, swap_used_kb, psi_some_us, psi_full_us;
    int64_t forks; /* processes and threads ever started */
    int64_t mem_total_kb;
    int64_t high_pages; /* sum of the zones' high watermarks */
    int64_t oom_kills;  /* since boot */
    int64_t read_us;    /* of CLOCK_MONOTONIC here; 0: nothing was read yet */
};

struct pt_system;
int pt_system_new(const struct pt_roots *roots, struct pt_system **ret, struct pt_err *err);
void pt_system_free(struct pt_system *s);
/* Reads what of a tier is due at this tick; all of it when `full`. PT_TIER_TICK is the first of a
 * tick, and gives the headline. */
void pt_system_tick(struct pt_system *s, struct pt_sink *sink, enum pt_tier tier, uint64_t tick,
                    bool full, struct pt_headline *ret);
/* Files that may not be read (EACCES, EPERM) as of their last try. */
uint32_t pt_system_denied(const struct pt_system *s);
void pt_system_each_denied(const struct pt_system *s, void (*fn)(void *ctx, const char *name),
                           void *ctx);

#endif
