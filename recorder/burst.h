/* SPDX-License-Identifier: MIT
 * When snapshots are dense: for a while after a trigger. A trigger during a burst prolongs it; a
 * day's bursts together last no longer than so many of their length, so that pressure without end
 * does not make recording dear without end. Pure: times are given. Units: microseconds. */
#ifndef PT_RECORDER_BURST_H
#define PT_RECORDER_BURST_H

#include <stdbool.h>
#include <stdint.h>

struct pt_burst {
    int64_t length_us, budget_us; /* budget: of a day */
    int64_t begun_us, until_us;
    int64_t day_us, used_us; /* when the day began; of its budget */
    uint32_t triggers;       /* of this burst, the first among them */
    bool on, cut, told;      /* cut: the last trigger called for more than the day had left; told:
                                that its budget is spent */
};

enum pt_burst_answer {
    PT_BURST_OFF = 0, /* none is wanted */
    PT_BURST_BEGINS,
    PT_BURST_LASTS,   /* there is one already */
    PT_BURST_REFUSED, /* the day's budget is spent: told once a day */
    PT_BURST_SPENT,   /* the same, told already */
};

/* limit: bursts a day. No length or no limit: never. */
void pt_burst_init(struct pt_burst *b, int64_t length_us, int64_t limit);
enum pt_burst_answer pt_burst_trigger(struct pt_burst *b, int64_t now_us);
/* true once, when it is over. */
bool pt_burst_ends(struct pt_burst *b, int64_t now_us);
/* Of a burst that ended: it was cut short, and that the day's budget is spent was not told yet. */
bool pt_burst_cut(struct pt_burst *b, int64_t now_us);

/* Triggers that took no snapshot, as events tell of them: after a minute, then ever more rarely up
 * to once an hour, for as long as no hour is without one; pressure can last for days. */
struct pt_untold {
    uint32_t count;
    int64_t since_us, last_us; /* of the first and the last of those */
    int64_t wait_us;           /* how long the next are to wait; 0: as the first ever */
};
void pt_untold_add(struct pt_untold *u, int64_t now_us);
/* How many to tell of now, in the time *ret_us; 0: none, or not yet. end: all there are. */
uint32_t pt_untold_take(struct pt_untold *u, int64_t now_us, bool end, int64_t *ret_us);

/* MemAvailable under a limit, told once until it is well over it again. */
struct pt_low {
    bool low;
};
/* max(3% of all memory, the zones' high watermarks); total < 0: not known, and neither is this. */
int64_t pt_low_limit_kb(int64_t total_kb, int64_t high_kb);
bool pt_low_falls(struct pt_low *l, int64_t available_kb, int64_t limit_kb);

/* The pressure trigger of the kernel, by its totals: was the stall since the reading before as much
 * as 150 ms in 2 s? Unknown numbers are < 0. */
#define PT_PSI_STALL_US  150000
#define PT_PSI_WINDOW_US 2000000
bool pt_psi_over(int64_t was_us, int64_t is_us, int64_t elapsed_us);

#endif
