/* SPDX-License-Identifier: MIT
 * The governor of deep reads: how much CPU they may take, and which process is worth reading next.
 * A simple CPU share today: this interface is where the full governor goes. Units: microseconds of
 * CPU, KiB, ticks. */
#ifndef PT_RECORDER_GOVERNOR_H
#define PT_RECORDER_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#define PT_GOV_SHARE_PPM 5000 /* 0.5% of one core */

struct pt_gov {
    int64_t share_ppm;
    int64_t credit_us, cap_us;
};

/* What is known of a process when it is weighed. */
struct pt_gov_case {
    int64_t last_cost_us; /* of its last deep read; 0: never read */
    int64_t rss_kb;
    int64_t growth_kb; /* |RSS now - RSS at the last deep read| */
    int64_t age_us;    /* since the last deep read, or since birth */
};

void pt_gov_init(struct pt_gov *g, int64_t share_ppm, int64_t first_credit_us);
void pt_gov_earn(struct pt_gov *g, int64_t elapsed_us);
/* Charged by prediction when a read is ordered; pt_gov_settle corrects it by what the read took. */
void pt_gov_charge(struct pt_gov *g, int64_t predicted_us);
void pt_gov_settle(struct pt_gov *g, int64_t predicted_us, int64_t cost_us);
bool pt_gov_broke(const struct pt_gov *g);

int64_t pt_gov_predict(const struct pt_gov_case *c);
/* Would the read hold up its process for longer than the stall limit? */
bool pt_gov_stalls(const struct pt_gov_case *c);
/* Worth per cost; < 0: not to be read now. */
double pt_gov_score(const struct pt_gov_case *c);

#endif
