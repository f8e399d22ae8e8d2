/* SPDX-License-Identifier: MIT
 * Keeping the limits. */
#include "recorder/within.h"

#include <inttypes.h>
#include <stdio.h>

#include "recorder/clock.h"

/* A long way to the limits (they were changed) is gone in steps with rests of so many times their
 * length: at a tenth of a CPU. */
#define REST 9
/* Readers that come and go are told as one, unless so many intervals pass without. */
#define CALM 6

static int event(struct pt_store *store, const char *text, struct pt_err *err)
{
    return pt_store_event(store, pt_clock_us(CLOCK_REALTIME), PT_EVENT_RETAIN, PT_UNKNOWN, "", text,
                          err);
}

int pt_within_opened(struct pt_within *w, struct pt_store *store, struct pt_err *err)
{
    w->room = (struct pt_room){.pace = 1};
    w->due = true; /* the limits may be other ones than before */
    w->again_us = 0;
    w->told_short = false;
    return pt_store_limit(store, &w->limits, err);
}

static int tell(struct pt_within *w, struct pt_store *store, struct pt_err *err)
{
    char text[160];
    int r = 0;
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    const bool blocked =
        w->room.blocked || (w->blocked && now - w->blocked_us < CALM * w->limits.interval_us);
    if (w->room.blocked)
        w->blocked_us = now;
    if (blocked != w->blocked)
        r = event(store,
                  blocked
                      ? "a reader keeps the -wal from being emptied and the size limit is reached: "
                        "fewer snapshots are taken"
                      : "the -wal can be emptied again: every snapshot is taken",
                  err);
    if (r >= 0)
        w->blocked = blocked;
    if (r < 0 || !w->room.short_of || w->due || w->told_short)
        return r;
    snprintf(text, sizeof(text),
             "the size limit of %" PRId64 " bytes is too small: %" PRId64
             " are in use, and nothing is left to drop",
             w->limits.max_bytes, w->room.used);
    r = event(store, text, err);
    w->told_short = r >= 0;
    return r;
}

int pt_within_step(struct pt_within *w, struct pt_store *store, bool sealed, struct pt_err *err)
{
    if (!w->limits.max_bytes && !w->limits.max_age_us) {
        w->due = false;
        return 0;
    }
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    int r = 0;
    pt_store_room(store, &w->room);
    if (sealed || w->room.urgent || (w->due && start >= w->again_us)) {
        r = pt_store_retain(store, err);
        w->due = r > 0;
    }
    if (r > 0) {
        const int64_t end = pt_clock_us(CLOCK_MONOTONIC);
        w->again_us = end + REST * (end - start);
        pt_store_room(store, &w->room);
    }
    if (r < 0) /* due as before, but not at once */
        w->again_us = pt_clock_us(CLOCK_MONOTONIC) + PT_SECOND;
    const int told = r < 0 ? 0 : tell(w, store, err);
    return told < 0 ? told : r;
}
