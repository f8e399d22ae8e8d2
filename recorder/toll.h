/* SPDX-License-Identifier: MIT
 * Processes that ended, collected into few events: the largest one by one, at a bounded rate, all
 * others by name in a summary. Pure: fixed room, times are given. Units: microseconds, KiB. */
#ifndef PT_RECORDER_TOLL_H
#define PT_RECORDER_TOLL_H

#include <stdbool.h>
#include <stdint.h>

#define PT_TOLL_ONES    32 /* told one by one at once, at most */
#define PT_TOLL_NAMES   64
#define PT_TOLL_TOLD    8 /* names in a summary */
#define PT_TOLL_PEAK_KB (16 << 10)
/* Over time one in so long is told by itself; so many may be saved up. */
#define PT_TOLL_ONE_US     INT64_C(5000000)
#define PT_TOLL_SUMMARY_US INT64_C(60000000)

struct pt_toll_one {
    uint32_t pid;
    char comm[32];
    int64_t real_us;
    int64_t n; /* the last snapshot it was in; 0: in none */
    int64_t peak_kb, lived_us;
    int64_t status; /* as wait() tells it; < 0: not known */
};

struct pt_toll {
    struct pt_toll_one ones[PT_TOLL_ONES];
    struct pt_toll_name {
        char comm[32];
        uint64_t count;
        int64_t peak_kb;
    } names[PT_TOLL_NAMES + 1]; /* the last: all that have no place */
    uint32_t nones, nnames;
    uint64_t others, unseen; /* not told one by one; of these, in no snapshot */
    int64_t credit_us, earned_us, summed_us;
};

/* A piece of news: an event's subject and text. n and real_us: PT_UNKNOWN where it has none. */
typedef void pt_toll_fn(void *ctx, int64_t real_us, int64_t n, const char *subject,
                        const char *text);
#define PT_TOLL_TEXT 1024

void pt_toll_init(struct pt_toll *t, int64_t now_us);
/* tasks: it may be a thread that ended, and is never told by itself unless it was in a snapshot. */
void pt_toll_add(struct pt_toll *t, const struct pt_toll_one *one, bool task);
/* With every snapshot; end: nothing is held back. */
void pt_toll_tell(struct pt_toll *t, int64_t now_us, bool end, pt_toll_fn *fn, void *ctx);

#endif
