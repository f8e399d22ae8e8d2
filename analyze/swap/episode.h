/* SPDX-License-Identifier: MIT
 * What swap did, bin by bin, and the episodes that these make: beginning, end, state, peak and
 * cost. Pure. Units: seconds of the timeline; of a bin: pages, seconds stalled, KiB; of an episode:
 * bytes, bytes a second. */
#ifndef PT_ANALYZE_SWAP_EPISODE_H
#define PT_ANALYZE_SWAP_EPISODE_H

#include "schema/store.h"

enum pt_swap_state {
    PT_SWAP_PARKED = 0,   /* what is in swap stays there: harmless */
    PT_SWAP_OUT_PRESSURE, /* memory is pushed out, and little comes back */
    PT_SWAP_CHURN,        /* what was pushed out is wanted back */
    PT_SWAP_THRASH,       /* work stands still for it */
    PT_SWAP_EXHAUSTION,   /* memory and swap are nearly full; may overlap any other but parked */
    PT_SWAP_STATES
};
/* "parked", "swap-out-pressure", "churn", "thrash", "exhaustion-risk". */
const char *pt_swap_state_name(enum pt_swap_state s);

enum pt_swap_column {
    /* told of the time of the bin */
    PT_SWAP_IN = 0, /* pages from swap areas */
    PT_SWAP_OUT,
    PT_SWAP_ZIN, /* pages from zswap, in no other column */
    PT_SWAP_ZOUT,
    PT_SWAP_SOME, /* PSI, seconds */
    PT_SWAP_FULL,
    PT_SWAP_REFAULT_ANON,
    PT_SWAP_RESTORE_ANON,
    PT_SWAP_REFAULT_FILE, /* of kernels before 5.9: their workingset_refault */
    PT_SWAP_SCAN_DIRECT,
    PT_SWAP_STEAL_DIRECT,
    PT_SWAP_SCAN_KSWAPD,
    PT_SWAP_STEAL_KSWAPD,
    /* levels at its end, KiB */
    PT_SWAP_TOTAL,
    PT_SWAP_FREE,
    PT_SWAP_AVAILABLE,
    PT_SWAP_MEM_TOTAL,
    PT_SWAP_FILE_ACTIVE,
    PT_SWAP_FILE_INACTIVE,
    PT_SWAP_COLUMNS
};
#define PT_SWAP_COUNTERS PT_SWAP_TOTAL /* columns before it are of the time of the bin */

/* Floats: exact to 64 GiB of pages. */
struct pt_swap_bin {
    double from, to;
    bool hole; /* nothing was recorded within: it parts what comes before from what comes after */
    float v[PT_SWAP_COLUMNS]; /* NAN: not known */
};

/* Values are NAN where not known. */
struct pt_swap_episode {
    enum pt_swap_state state;
    double from, to;
    double peak_in, peak_out, peak_in_at, peak_out_at; /* of one bin; zswap included */
    double in, out;                                    /* bytes, zswap included */
    double zin, zout;                                  /* of them by zswap */
    double some, full; /* seconds that some, that all tasks stalled */
    double refault;    /* share of the swapped in that had been evicted lately enough to know */
    double restore;    /* share of these that were in active use when they were evicted */
    double scan_direct, steal_direct, scan_kswapd, steal_kswapd; /* pages */
    double used_from, used_to, used_most;                        /* bytes in swap */
    double average; /* the widest bin: rates and shares are averages over so long */
    bool blamed;    /* whom it hurt and who grew is looked into: pt_swap_episodes_choose() */
};
struct pt_swap_episodes {
    struct pt_swap_episode *v; /* in time; at equal times by state */
    size_t n;
};
/* Bins in time, not overlapping. */
int pt_swap_episodes_find(const struct pt_swap_bin *bins, size_t n, int64_t page_size,
                          struct pt_swap_episodes *ret, struct pt_err *err);
void pt_swap_episodes_release(struct pt_swap_episodes *e);
/* Those in which most time was lost, by position: marked true in ret, of e->n, are at most so many,
 * none of them parked. < 0: no memory. */
int pt_swap_episodes_worst(const struct pt_swap_episodes *e, size_t most, bool *ret);
/* Marks as blamed those of which there will be something to tell. */
int pt_swap_episodes_choose(struct pt_swap_episodes *e, size_t most, struct pt_err *err);
/* What an episode says of its bins, [i, end): all but state. */
void pt_swap_episode_sum(const struct pt_swap_bin *bins, size_t i, size_t end, int64_t page_size,
                         struct pt_swap_episode *ret);

#endif
