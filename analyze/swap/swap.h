/* SPDX-License-Identifier: MIT
 * What swap did in a span: episodes with whom they hurt and who pushed, what each process had in
 * swap, the swap devices, and whether any of it matters. Units: bytes, seconds of the timeline;
 * start time in clock ticks. */
#ifndef PT_ANALYZE_SWAP_SWAP_H
#define PT_ANALYZE_SWAP_SWAP_H

#include <jansson.h>

#include "analyze/series/lives.h"
#include "analyze/session.h"
#include "analyze/swap/episode.h"

/* In one sentence: pt_swap_sentence(). */
enum pt_swap_verdict {
    PT_SWAP_UNKNOWN = 0, /* nothing was recorded that would tell */
    PT_SWAP_NONE,        /* no swap is set up */
    PT_SWAP_UNUSED,
    PT_SWAP_HARMLESS, /* used, and nothing waited for it */
    PT_SWAP_WATCH,    /* pushed out under pressure, or wanted back: no harm seen */
    PT_SWAP_HARMFUL,  /* churn, thrash or exhaustion */
};
const char *pt_swap_verdict_name(enum pt_swap_verdict v); /* "unknown", "none", ... */

/* SwapPss as one reading of smaps had it. */
struct pt_swap_share {
    int64_t read_us; /* real time */
    int64_t bytes;   /* PT_UNKNOWN: kernels before 4.3 */
};
#define PT_SWAP_SHARES 32

/* A process that had memory in swap, or has a part in an episode. Bytes: PT_UNKNOWN where not
 * known. */
struct pt_swap_process {
    const struct pt_life *life; /* who; its memory is NULL */
    int64_t first, most, last;  /* VmSwap: private memory only */
    double most_at;
    int64_t swapped_in, swapped_out; /* what VmSwap fell and rose by while it lived */
    int64_t majflt;                  /* in the span; PT_UNKNOWN */
    /* of the last smaps read of it */
    int64_t swap_pss;   /* private memory, each page shared out among those who have it */
    int64_t shmem_swap; /* of the shared memory it maps; others may map it too */
    int64_t smaps_us;   /* real time when that was read; PT_UNKNOWN: never */
    struct pt_swap_share shares[PT_SWAP_SHARES]; /* in time; at a few instants of the span */
    unsigned nshares;
    struct pt_curve swap; /* VmSwap over time */
};

/* What a process did in an episode. */
struct pt_swap_part {
    uint32_t process;         /* of pt_swap.processes */
    int64_t majflt, refilled; /* of a victim; PT_UNKNOWN */
    int64_t growth;           /* of an aggressor: RssAnon + VmSwap, at its most */
};
#define PT_SWAP_PARTS 10
/* Whom an episode hurt and who grew is looked into for so many, those in which most time was lost:
 * what each process did in each is held meanwhile. A machine that churns for weeks has thousands.
 */
#define PT_SWAP_BLAMED 250
struct pt_swap_blame {
    struct pt_swap_part victims[PT_SWAP_PARTS], aggressors[PT_SWAP_PARTS]; /* worst first */
    unsigned nvictims, naggressors;
};

struct pt_swap_device {
    const char *name, *type; /* as /proc/swaps has them; NULL: not told */
    int64_t size, used, most, priority;
    double from, to; /* seen in the span */
    bool gone;       /* not there at its end */
    bool zram;
    int64_t original, compressed, memory; /* of zram, newest known; PT_UNKNOWN */
    uint32_t instance;                    /* at work */
    int64_t n;                            /* snapshot at which it was there */
};
struct pt_swap_zswap {
    int64_t pool, stored; /* at the end; PT_UNKNOWN: the kernel has none or does not tell */
    int64_t most_pool, most_stored;
};

/* Swap in use at the end, by who holds it; lines add up to used. */
struct pt_swap_held {
    int64_t used, total;
    int64_t processes; /* sum of VmSwap: memory shared since a fork counts in each */
    int64_t cached;    /* in memory too: SwapCached */
    int64_t shm;       /* System V segments */
    int64_t mapped;    /* other shared memory that a process maps, as smaps saw it */
    int64_t rest;      /* signed: tmpfs and shared memory that no process shows, less what counts
                          twice; PT_UNKNOWN */
};

/* What the recording cannot tell: bits. */
enum pt_swap_missing {
    PT_SWAP_NO_VMSTAT = 1 << 0,
    PT_SWAP_NO_PSI = 1 << 1,
    PT_SWAP_NO_REFAULTS = 1 << 2, /* of anonymous memory: kernels before 5.9 */
    PT_SWAP_NO_MEMINFO = 1 << 3,
    PT_SWAP_NO_DEVICES = 1 << 4,
    PT_SWAP_NO_SMAPS = 1 << 5,
    PT_SWAP_NO_VMSWAP = 1 << 6, /* the memory of some or all processes could not be read */
};
const char *pt_swap_missing_text(enum pt_swap_missing one);

struct pt_swap {
    struct pt_timeline timeline;
    enum pt_swap_verdict verdict;
    uint32_t missing;
    struct pt_swap_episode all; /* the whole span, as one */
    struct pt_swap_episodes episodes;
    struct pt_swap_blame *blame;       /* of each episode; of those that are .blamed */
    struct pt_swap_process *processes; /* by the most each had in swap */
    size_t nprocesses;
    struct pt_swap_device *devices;
    size_t ndevices;
    struct pt_swap_zswap zswap;
    struct pt_swap_held held;
    /* of each bin, for charts: bins[i].v as episode.h tells */
    struct pt_swap_bin *bins;
    size_t nbins;
    int64_t page_size;
    struct pt_lives_of_span lives; /* of processes; its v, without series */
};
/* Of snapshots [from, to]. */
int pt_swap_make(const struct pt_session *s, int64_t from, int64_t to, struct pt_swap *ret,
                 struct pt_err *err);
void pt_swap_release(struct pt_swap *w);

/* A number of a file, which may be anything, as an integer; PT_UNKNOWN: not known, or too large. */
static inline int64_t pt_swap_whole(double v)
{
    return v > -9e18 && v < 9e18 ? (int64_t)v : PT_UNKNOWN;
}

/* One sentence of at most size bytes: whether swap did harm. Returns buf. */
char *pt_swap_sentence(const struct pt_swap *w, char *buf, size_t size);
/* swap.schema.json; top PT_UNKNOWN: all processes. NULL: no memory. */
json_t *pt_swap_json(const struct pt_swap *w, int64_t top);
/* < 0: no memory, or a failed write. */
int pt_swap_text(const struct pt_swap *w, const struct pt_session *s);

#endif
