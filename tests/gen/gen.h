/* SPDX-License-Identifier: MIT
 * Long synthetic recordings, written through the encoder and the store as the recorder writes them:
 * a machine of one to some thousand processes with labelled growth, restarts, pid reuse, gaps and
 * reboots. The same options give the same recording. Units: microseconds, KiB. */
#ifndef PT_TESTS_GEN_GEN_H
#define PT_TESTS_GEN_GEN_H

#include "schema/store.h"

struct pt_gen_options {
    uint32_t snapshots;
    int64_t interval_us;
    uint32_t processes;
    double changing; /* share of the processes that run between two snapshots */
    uint64_t seed;
    int64_t start_us;   /* real time of the first snapshot */
    uint32_t chain;     /* snapshots a segment */
    uint32_t gap_every; /* snapshots between gaps of the recorder (0: none) */
    int64_t gap_us;
    uint32_t reboot_every; /* every so many gaps one is a reboot (0: none) */
    uint32_t deep_every;   /* snapshots between two smaps (0: none) */
    uint32_t coarse;       /* the first so many snapshots are 60 times as far apart: thinned */
    uint32_t clock_at;     /* before this snapshot the clock is set an hour ahead (0: never) */
    uint32_t churn_every;  /* snapshots of churn, and as many without, in turn (0: none) */
    bool unsealed;         /* the last chain stays frames */
    bool history; /* families that are known to leak or not, and labels beside the recording */
};
void pt_gen_defaults(struct pt_gen_options *o);

/* What a process does, told by its name: "leak-3", "cap-7" ... */
enum pt_gen_kind {
    PT_GEN_STEADY = 0, /* wanders about a level */
    PT_GEN_LEAK,       /* grows by the same amount an hour, in its heap */
    PT_GEN_CAP,        /* grows fast, then less and less towards a level */
    PT_GEN_SAW,        /* grows and drops */
    PT_GEN_SWAPPED,    /* its pages go out and come back */
    PT_GEN_KINDS,
};
const char *pt_gen_kind_name(enum pt_gen_kind kind);

/* Told after every snapshot, if given. done < 0 stops it. */
typedef int pt_gen_progress(void *ctx, uint32_t done, uint32_t total);
int pt_gen_write(const char *path, const struct pt_gen_options *o, pt_gen_progress *progress,
                 void *ctx, struct pt_err *err);

#endif
