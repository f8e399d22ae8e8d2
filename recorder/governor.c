/* SPDX-License-Identifier: MIT
 * A CPU share for deep reads. */
#include "recorder/governor.h"

/* Measured: smaps of a small process 0.3 to 0.6 ms, then 8 ms a GiB of 4 KiB pages. */
#define BASE_US    300
#define PER_GIB_US 8000
/* A read over the first stalls its process: once an hour at most; over the second, never unless
 * asked. */
#define STALL_US     20000
#define STALL_MAX_US 250000
#define HOUR_US      INT64_C(3600000000)
#define SECOND_US    INT64_C(1000000)
/* Unspent credit beyond this many seconds' worth of share is lost, so that a quiet hour buys no
 * burst. */
#define CAP_SECONDS 15

void pt_gov_init(struct pt_gov *g, int64_t share_ppm, int64_t first_credit_us)
{
    *g = (struct pt_gov){
        .share_ppm = share_ppm,
        .credit_us = first_credit_us,
        .cap_us = share_ppm * CAP_SECONDS,
    };
}

void pt_gov_earn(struct pt_gov *g, int64_t elapsed_us)
{
    const int64_t earned = elapsed_us / 1000 * g->share_ppm / 1000;
    const int64_t room = g->cap_us - g->credit_us;
    if (room > 0)
        g->credit_us += earned < room ? earned : room;
}

void pt_gov_charge(struct pt_gov *g, int64_t predicted_us)
{
    g->credit_us -= predicted_us;
}

void pt_gov_settle(struct pt_gov *g, int64_t predicted_us, int64_t cost_us)
{
    g->credit_us += predicted_us - cost_us;
}

bool pt_gov_broke(const struct pt_gov *g)
{
    return g->credit_us <= 0;
}

int64_t pt_gov_predict(const struct pt_gov_case *c)
{
    if (c->last_cost_us > 0)
        return c->last_cost_us;
    return BASE_US + c->rss_kb * PER_GIB_US / (1 << 20);
}

bool pt_gov_stalls(const struct pt_gov_case *c)
{
    return pt_gov_predict(c) > STALL_US;
}

double pt_gov_score(const struct pt_gov_case *c)
{
    const int64_t cost = pt_gov_predict(c);
    if (cost > STALL_MAX_US || (cost > STALL_US && c->last_cost_us > 0 && c->age_us < HOUR_US))
        return -1;
    const double hours = (double)c->age_us / (double)HOUR_US;
    /* a process never read is worth its whole size; growth counts in full, size by its age; whoever
     * waits over an hour comes before all who grow */
    double worth = 16 + (double)c->growth_kb + (double)c->rss_kb * hours;
    if (c->last_cost_us == 0)
        worth += 1024 + (double)c->rss_kb;
    if (hours >= 1)
        worth += 1e9;
    else if (c->growth_kb == 0 && c->last_cost_us > 0 && c->age_us < 60 * SECOND_US)
        return -1;
    return worth / (double)cost;
}
