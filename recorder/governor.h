/* SPDX-License-Identifier: MIT
 * The governor: what the recorder may spend, and on what. It is told what everything cost (the CPU
 * time of the whole process, so nothing is forgotten) and says which deep reads are worth it, how
 * long the processes may be looked at in a tick, and when the interval must stretch. Pure: no
 * clocks, no files. Units: microseconds of CPU, KiB. */
#ifndef PT_RECORDER_GOVERNOR_H
#define PT_RECORDER_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#define PT_GOV_STRETCH_MAX 60 /* intervals in one, at most */

struct pt_gov {
    int64_t budget_ppm;  /* of one core */
    int64_t interval_us; /* as asked for; in force is pt_gov_stretch times as much */
    int64_t stall_us;    /* a single read may hold up its process so long */
    int64_t credit_us;   /* earned and not spent; < 0: debt */
    int64_t unpaid_us;   /* spent on storing, not taken from the credit yet; < 0: taken before */
    int64_t alarm_us;    /* spent on triggers, not earned again since */
    int64_t loan_us;     /* deep reads may take credit below 0 by so much */
    int64_t ordered_us;  /* predicted, of deep reads that have not come back */
    double fixed_us; /* of a tick, smoothed: what does not depend on how many processes are read */
    double store_us; /* of a tick, smoothed: storing and sealing it */
    double process_us;      /* of one process in a tick, smoothed; < 0: not known yet */
    double need_us;         /* of a tick, when everybody is looked at in turn */
    uint32_t stretch, easy; /* easy: intervals in a row that a shorter one would have done for */
    bool owes;              /* the interval is twice as long, until a debt is paid */
};

void pt_gov_init(struct pt_gov *g, int64_t budget_ppm, int64_t interval_us, int64_t stall_us);

/* ---- the account ---- */

/* Time went by, and this CPU time was used by the whole process, store_us of it for storing. That
 * is paid for by half of what is earned, at most: a seal serves hours, and all else goes on.
 * due_us: what sealing all that is not sealed yet will take; it is paid for before. No debt is more
 * than a quarter of an hour earns. */
void pt_gov_pass(struct pt_gov *g, int64_t elapsed_us, int64_t cpu_us, int64_t store_us,
                 int64_t due_us);
/* What was spent on what was asked for at any cost is no debt. */
void pt_gov_forgive(struct pt_gov *g);
/* Deep reads may spend at least so much now, whatever the debt: it is paid back later. Until the
 * next pt_gov_pass. */
void pt_gov_lend(struct pt_gov *g, int64_t us);
/* A deep read is ordered; it came back (its true cost is part of pt_gov_pass). */
void pt_gov_order(struct pt_gov *g, int64_t predicted_us);
void pt_gov_back(struct pt_gov *g, int64_t predicted_us);
bool pt_gov_broke(const struct pt_gov *g);

/* A trigger's snapshot read everything. */
void pt_gov_alarm(struct pt_gov *g, int64_t cpu_us);
/* Such snapshots used more than some minutes earn: the next should not. What else is owed is no
 * reason. */
bool pt_gov_overdrawn(const struct pt_gov *g);

/* ---- the cheap tier ---- */

/* What a tick cost that was not asked to read everything. */
struct pt_gov_tick {
    int64_t fixed_us, process_us; /* process_us: of those visited together */
    int64_t store_us;             /* what storing and sealing it takes in the end */
    uint32_t visited, processes;
};
/* May change the stretch. */
void pt_gov_note(struct pt_gov *g, const struct pt_gov_tick *tick);
uint32_t pt_gov_stretch(const struct pt_gov *g);
/* What it comes to when all goes on so, debts are paid and storing takes so much of a tick. */
uint32_t pt_gov_settled(const struct pt_gov *g, double store_us, uint32_t processes);
/* CPU time that looking at processes may take in the next tick; INT64_MAX while nothing is known.
 */
int64_t pt_gov_quota(const struct pt_gov *g);

/* ---- deep reads ---- */

/* What is known of a process when it is weighed. */
struct pt_gov_case {
    int64_t cost_us;  /* of its last deep read; 0: never read */
    int64_t stall_us; /* longest single hold of its lock in that */
    int64_t was_kb;   /* RSS at that time */
    int64_t rss_kb;   /* RSS now */
    int64_t age_us;   /* since the last deep read, or since it was seen first */
};
enum pt_gov_mood {
    PT_GOV_ROUTINE = 0, /* what is due */
    PT_GOV_EAGER,       /* whoever changed at all */
    PT_GOV_DENSE,       /* the same, but nothing that stalls its process */
    PT_GOV_ASKED,       /* the same, and what stalls too: somebody asked for it */
};
enum pt_gov_say {
    PT_GOV_NO = 0, /* nothing new to expect */
    PT_GOV_DUE,
    PT_GOV_STALLS, /* it would hold up its process: later, or never */
};
/* *ret_score: worth for its cost, when due. */
enum pt_gov_say pt_gov_weigh(const struct pt_gov *g, const struct pt_gov_case *c,
                             enum pt_gov_mood mood, double *ret_score);
int64_t pt_gov_predict(const struct pt_gov_case *c);
/* Time after which a process that grows so fast is due again. */
int64_t pt_gov_period_us(int64_t rss_kb, double growth_kb_s);

#endif
