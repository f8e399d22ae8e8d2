/* SPDX-License-Identifier: MIT
 * Spending a CPU budget. */
#include "recorder/governor.h"

#include <stdlib.h>

/* Measured: smaps of a small process 0.3 to 0.6 ms, then 8 ms a GiB of 4 KiB pages. */
#define BASE_US    300
#define PER_GIB_US 8000
/* A read over the stall limit: once an hour at most, and not in the first minutes of knowing its
 * process, which a restart would repeat. Over this one it is never read unless all is asked for. */
#define STALL_NEVER_US 250000
#define STALL_FIRST_US (600 * SECOND_US)
#define SECOND_US      INT64_C(1000000)
#define HOUR_US        (3600 * SECOND_US)
/* Who was read within this time is not read again as a matter of routine. */
#define REST_US (60 * SECOND_US)
/* Unspent credit beyond this many seconds' (or two intervals') worth is lost, so that a quiet hour
 * buys no burst. */
#define CAP_US (15 * SECOND_US)
/* Of the budget, what the cheap tier and storing may take. */
#define CHEAP_SHARE 0.75
/* A debt (a start's, a burst's) that the rest does not pay back within this time doubles the
 * interval until it is paid. */
#define REPAY_US (300 * SECOND_US)
/* What is owed beyond what this time earns is forgiven: after many bursts, or a start with very
 * many processes, deep reads would wait for hours. */
#define DEBT_US (900 * SECOND_US)
/* Of what is earned, what storing may take until it is paid. */
#define STORE_SHARE 0.5
/* Triggers may use what this time earns, and one snapshot more; it comes back from what the cheap
 * tier leaves. */
#define ALARM_US (150 * SECOND_US)
/* Every process is looked at within so many ticks, or the interval stretches. It is shortened when
 * less would have done for so many of the intervals asked for. */
#define ROUND_TICKS    6
#define EASY_INTERVALS 30
#define EASY_SHARE     0.8 /* of what the shorter interval allows */

static double clamp(double v, double least, double most)
{
    return v < least ? least : v > most ? most : v;
}

static int64_t share_of(int64_t us, int64_t ppm)
{
    return us / 1000 * ppm / 1000;
}

void pt_gov_init(struct pt_gov *g, int64_t budget_ppm, int64_t interval_us, int64_t stall_us)
{
    *g = (struct pt_gov){
        .budget_ppm = budget_ppm,
        .interval_us = interval_us,
        .stall_us = stall_us,
        .process_us = -1,
        .stretch = 1,
    };
}

/* ---- the account ---- */

static int64_t cap_us(const struct pt_gov *g)
{
    const int64_t span = 2 * g->interval_us * pt_gov_stretch(g);
    return share_of(span > CAP_US ? span : CAP_US, g->budget_ppm);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The budget of an interval as it was asked for. */
static double interval_budget_us(const struct pt_gov *g)
{
    return (double)g->interval_us * (double)g->budget_ppm * 1e-6;
}

/* Of the budget, what the cheap tier and storing leave. */
static double left_share(const struct pt_gov *g)
{
    return 1 - clamp(g->need_us / (interval_budget_us(g) * g->stretch), 0, CHEAP_SHARE);
}

void pt_gov_pass(struct pt_gov *g, int64_t elapsed_us, int64_t cpu_us, int64_t store_us,
                 int64_t due_us)
{
    const int64_t earned = share_of(elapsed_us, g->budget_ppm);
    g->unpaid_us += store_us;
    const int64_t owed = most(g->unpaid_us + due_us, 0);
    const int64_t paid = least(owed, (int64_t)((double)earned * STORE_SHARE));
    g->unpaid_us -= paid;
    /* saved for what was lost, or was less dear than thought */
    const int64_t back = most(-due_us - g->unpaid_us, 0);
    g->unpaid_us += back;
    g->credit_us = least(g->credit_us + earned + back, cap_us(g)) - (cpu_us - store_us) - paid;
    g->credit_us = most(g->credit_us, -share_of(DEBT_US, g->budget_ppm));
    g->alarm_us = most(g->alarm_us - (int64_t)((double)earned * left_share(g)), 0);
    g->loan_us = 0;
}

void pt_gov_forgive(struct pt_gov *g)
{
    g->credit_us = most(g->credit_us, 0);
    g->unpaid_us = least(g->unpaid_us, 0);
    g->alarm_us = 0;
}

void pt_gov_lend(struct pt_gov *g, int64_t us)
{
    if (g->credit_us + g->loan_us < us)
        g->loan_us = us - g->credit_us;
}

void pt_gov_order(struct pt_gov *g, int64_t predicted_us)
{
    g->ordered_us += predicted_us;
}

void pt_gov_back(struct pt_gov *g, int64_t predicted_us)
{
    g->ordered_us -= predicted_us;
    /* its cost is told by the next pass only: until then the loan is less by it */
    g->loan_us -= predicted_us;
}

bool pt_gov_broke(const struct pt_gov *g)
{
    return g->credit_us + g->loan_us - g->ordered_us <= 0;
}

void pt_gov_alarm(struct pt_gov *g, int64_t cpu_us)
{
    g->alarm_us = least(g->alarm_us + cpu_us, share_of(2 * ALARM_US, g->budget_ppm));
}

bool pt_gov_overdrawn(const struct pt_gov *g)
{
    return g->alarm_us > share_of(ALARM_US, g->budget_ppm);
}

/* ---- the cheap tier ---- */

/* What the cheap tier may take of a tick. While a debt is paid, half of it: the interval is twice
 * as long. */
static double cheap_us(const struct pt_gov *g)
{
    return interval_budget_us(g) * g->stretch * CHEAP_SHARE;
}

uint32_t pt_gov_stretch(const struct pt_gov *g)
{
    const uint32_t all = g->stretch * (g->owes ? 2 : 1);
    return all < PT_GOV_STRETCH_MAX ? all : PT_GOV_STRETCH_MAX;
}

/* Storing takes no more than is paid for. */
static double need_of(const struct pt_gov *g, double store_us, uint32_t processes)
{
    const double all = g->fixed_us + store_us + g->process_us * processes / ROUND_TICKS;
    const double store = store_us * CHEAP_SHARE / STORE_SHARE;
    return all > store ? all : store;
}

static double cheap_budget_us(const struct pt_gov *g)
{
    return interval_budget_us(g) * CHEAP_SHARE;
}

static uint32_t stretch_for(const struct pt_gov *g, double need, uint32_t least_stretch)
{
    return (uint32_t)clamp(need / cheap_budget_us(g) + 1, least_stretch, PT_GOV_STRETCH_MAX);
}

uint32_t pt_gov_settled(const struct pt_gov *g, double store_us, uint32_t processes)
{
    return stretch_for(g, need_of(g, store_us, processes), 1);
}

static void smooth(double *average, double value, double weight)
{
    *average += (value - *average) * weight;
}

static void pace(struct pt_gov *g)
{
    const double one = cheap_budget_us(g), need = g->need_us;
    if (need > one * g->stretch) {
        g->stretch = stretch_for(g, need, g->stretch);
        g->easy = 0;
    } else if (g->stretch > 1 && need < EASY_SHARE * one * (g->stretch - 1)) {
        g->easy += g->stretch;
        if (g->easy < EASY_INTERVALS)
            return;
        g->stretch--;
        g->easy = 0;
    } else {
        g->easy = 0;
    }
}

static void owe(struct pt_gov *g)
{
    const double repaid = (double)share_of(REPAY_US, g->budget_ppm) * left_share(g);
    g->owes = g->credit_us < 0 && (g->owes || (double)-g->credit_us > repaid);
}

void pt_gov_note(struct pt_gov *g, const struct pt_gov_tick *t)
{
    const bool first = g->process_us < 0;
    smooth(&g->fixed_us, (double)t->fixed_us, first ? 1 : 0.125);
    smooth(&g->store_us, (double)t->store_us, first ? 1 : 1.0 / 32);
    if (t->visited)
        smooth(&g->process_us, (double)t->process_us / t->visited, first ? 1 : 0.125);
    g->need_us = need_of(g, g->store_us, t->processes);
    pace(g);
    owe(g);
}

int64_t pt_gov_quota(const struct pt_gov *g)
{
    if (g->process_us < 0)
        return INT64_MAX;
    const double all = cheap_us(g);
    return (int64_t)clamp(all - g->fixed_us - g->store_us, all / 8, 1e15);
}

/* ---- deep reads ---- */

static int64_t scaled(int64_t us, int64_t base, const struct pt_gov_case *c)
{
    if (us <= base)
        return us;
    const double factor = clamp((double)(c->rss_kb + 1024) / (double)(c->was_kb + 1024), 0.01, 100);
    return base + (int64_t)((double)(us - base) * factor);
}

static int64_t by_size(const struct pt_gov_case *c)
{
    return c->rss_kb * PER_GIB_US / (1 << 20);
}

int64_t pt_gov_predict(const struct pt_gov_case *c)
{
    return c->cost_us > 0 ? scaled(c->cost_us, BASE_US, c) : BASE_US + by_size(c);
}

/* The longest hold of the lock: that of the largest mapping, which may be all of it. */
static int64_t predict_stall(const struct pt_gov_case *c)
{
    return c->cost_us > 0 ? scaled(c->stall_us, 0, c) : by_size(c);
}

static int64_t growth_of(const struct pt_gov_case *c)
{
    return c->cost_us > 0 ? llabs(c->rss_kb - c->was_kb) : 0;
}

/* How much there is to learn: 1 when it grew by a sixteenth and a MiB, or after an hour. */
static double news(int64_t rss_kb, double growth_kb, double age_us)
{
    return growth_kb / (1024 + (double)rss_kb / 16) + age_us / (double)HOUR_US;
}

int64_t pt_gov_period_us(int64_t rss_kb, double growth_kb_s)
{
    const double a_second = news(rss_kb, growth_kb_s, (double)SECOND_US);
    const int64_t us = (int64_t)((double)SECOND_US / a_second);
    return us < REST_US ? REST_US : us;
}

static bool due(const struct pt_gov_case *c, enum pt_gov_mood mood)
{
    const int64_t growth = growth_of(c);
    if (c->cost_us == 0 || (mood != PT_GOV_ROUTINE && growth))
        return true;
    return c->age_us >= REST_US && news(c->rss_kb, (double)growth, (double)c->age_us) >= 1;
}

static bool stalls(const struct pt_gov *g, const struct pt_gov_case *c, enum pt_gov_mood mood)
{
    const int64_t stall = predict_stall(c);
    if (pt_gov_predict(c) > STALL_NEVER_US) /* CPU time: one long wait is not for ever */
        return true;
    if (stall <= g->stall_us || mood == PT_GOV_ASKED)
        return false;
    return mood == PT_GOV_DENSE || c->age_us < (c->cost_us ? HOUR_US : STALL_FIRST_US);
}

enum pt_gov_say pt_gov_weigh(const struct pt_gov *g, const struct pt_gov_case *c,
                             enum pt_gov_mood mood, double *ret_score)
{
    if (!due(c, mood))
        return PT_GOV_NO;
    if (stalls(g, c, mood))
        return PT_GOV_STALLS;
    const double hours = (double)c->age_us / (double)HOUR_US;
    /* a process never read is worth its whole size; growth counts in full, size by its age; whoever
     * waits over an hour comes before all who grow */
    double worth = 16 + (double)growth_of(c) + (double)c->rss_kb * hours;
    if (c->cost_us == 0)
        worth += 1024 + (double)c->rss_kb;
    if (hours >= 1)
        worth += 1e9;
    *ret_score = worth / (double)pt_gov_predict(c);
    return PT_GOV_DUE;
}
