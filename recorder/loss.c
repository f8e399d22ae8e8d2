/* SPDX-License-Identifier: MIT
 * Telling losses. */
#include "recorder/loss.h"

#include <inttypes.h>
#include <stdio.h>

#include "recorder/clock.h"

bool pt_loss_any(const struct pt_loss *l)
{
    return l->snapshots + l->events > 0 || l->failed_us > 0;
}

static void widen(struct pt_loss *l, int64_t first_us, int64_t last_us)
{
    const bool first = l->snapshots + l->events == 0;
    if (first || first_us < l->first_us)
        l->first_us = first_us;
    if (first || last_us > l->last_us)
        l->last_us = last_us;
}

void pt_loss_add(struct pt_loss *l, bool is_event, int64_t real_us)
{
    widen(l, real_us, real_us);
    l->events += is_event;
    l->snapshots += !is_event;
}

void pt_loss_merge(struct pt_loss *l, const struct pt_loss *later)
{
    if (later->snapshots + later->events > 0)
        widen(l, later->first_us, later->last_us);
    l->snapshots += later->snapshots;
    l->events += later->events;
    l->failed_us += later->failed_us;
    if (!l->why[0])
        snprintf(l->why, sizeof(l->why), "%s", later->why);
}

static void print_utc(int64_t real_us, char ret[32])
{
    struct tm tm;
    const time_t t = (time_t)(real_us / PT_SECOND);
    if (!gmtime_r(&t, &tm) || !strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(ret, 32, "?");
}

int pt_loss_store(const struct pt_loss *l, struct pt_store *store, struct pt_err *err)
{
    char text[512], from[32], to[32];
    const bool lost = l->snapshots + l->events > 0;
    print_utc(l->first_us, from);
    print_utc(l->last_us, to);
    if (lost)
        snprintf(text, sizeof(text),
                 "%" PRIu64 " snapshots and %" PRIu64 " events lost from %s to %s: %s",
                 l->snapshots, l->events, from, to, l->why[0] ? l->why : "storing did not keep up");
    else
        snprintf(text, sizeof(text), "storing failed for %.1f s, nothing is lost: %s",
                 (double)l->failed_us / (double)PT_SECOND, l->why);
    return pt_store_event(store, pt_clock_us(CLOCK_REALTIME), lost ? PT_EVENT_LOST : PT_EVENT_NOTE,
                          PT_UNKNOWN, "", text, err);
}
