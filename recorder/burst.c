/* SPDX-License-Identifier: MIT
 * Bursts and their triggers, without clocks or files. */
#include "recorder/burst.h"

#include "recorder/clock.h"

#define DAY_US (86400 * PT_SECOND)
/* Less of the day's budget than this is no burst. */
#define LEAST_US PT_SECOND
/* How long triggers wait to be told as left out, at first and at most. */
#define WAIT_FIRST_US (60 * PT_SECOND)
#define WAIT_MOST_US  (3600 * PT_SECOND)

void pt_burst_init(struct pt_burst *b, int64_t length_us, int64_t limit)
{
    *b = (struct pt_burst){.length_us = length_us};
    if (__builtin_mul_overflow(length_us, limit, &b->budget_us))
        b->budget_us = INT64_MAX;
}

/* Takes up to `want` of the day's budget. */
static int64_t spend(struct pt_burst *b, int64_t want)
{
    const int64_t left = b->budget_us - b->used_us;
    const int64_t taken = want < left ? want : left;
    b->used_us += taken;
    b->cut = taken < want;
    return taken;
}

static void new_day(struct pt_burst *b, int64_t now)
{
    if (b->used_us && now - b->day_us < DAY_US)
        return;
    b->day_us = now;
    b->used_us = 0;
    b->told = false;
}

/* true once a day. */
static bool tell(struct pt_burst *b)
{
    const bool told = b->told;
    b->told = true;
    return !told;
}

enum pt_burst_answer pt_burst_trigger(struct pt_burst *b, int64_t now)
{
    if (b->budget_us <= 0)
        return PT_BURST_OFF;
    new_day(b, now);
    if (b->on) {
        b->triggers++;
        if (now + b->length_us > b->until_us)
            b->until_us += spend(b, now + b->length_us - b->until_us);
        return PT_BURST_LASTS;
    }
    if (b->budget_us - b->used_us < LEAST_US)
        return tell(b) ? PT_BURST_REFUSED : PT_BURST_SPENT;
    b->on = true;
    b->triggers = 1;
    b->begun_us = now;
    b->until_us = now + spend(b, b->length_us);
    return PT_BURST_BEGINS;
}

bool pt_burst_ends(struct pt_burst *b, int64_t now)
{
    if (!b->on || now < b->until_us)
        return false;
    b->on = false;
    return true;
}

bool pt_burst_cut(struct pt_burst *b, int64_t now)
{
    return b->cut && now - b->day_us < DAY_US && tell(b);
}

void pt_untold_add(struct pt_untold *u, int64_t now)
{
    if (!u->wait_us || now - u->last_us >= WAIT_MOST_US)
        u->wait_us = WAIT_FIRST_US;
    if (!u->count++)
        u->since_us = now;
    u->last_us = now;
}

uint32_t pt_untold_take(struct pt_untold *u, int64_t now, bool end, int64_t *ret_us)
{
    const uint32_t count = u->count;
    if (!count || (!end && now - u->since_us < u->wait_us))
        return 0;
    *ret_us = now - u->since_us;
    u->wait_us = u->wait_us < WAIT_MOST_US / 2 ? u->wait_us * 2 : WAIT_MOST_US;
    u->count = 0;
    return count;
}

int64_t pt_low_limit_kb(int64_t total_kb, int64_t high_kb)
{
    if (total_kb < 0)
        return -1;
    const int64_t share = total_kb / 100 * 3;
    return high_kb > share ? high_kb : share;
}

bool pt_low_falls(struct pt_low *l, int64_t available_kb, int64_t limit_kb)
{
    if (available_kb < 0 || limit_kb < 0)
        return false;
    if (l->low) {
        l->low = available_kb < limit_kb + limit_kb / 2;
        return false;
    }
    l->low = available_kb < limit_kb;
    return l->low;
}

bool pt_psi_over(int64_t was_us, int64_t is_us, int64_t elapsed_us)
{
    if (was_us < 0 || is_us < was_us || elapsed_us <= 0)
        return false;
    const int64_t stall = is_us - was_us;
    return stall >= PT_PSI_STALL_US &&
           (double)stall * PT_PSI_WINDOW_US >= (double)elapsed_us * PT_PSI_STALL_US;
}
