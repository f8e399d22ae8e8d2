/* SPDX-License-Identifier: MIT
 * Between two snapshots. */
#include "recorder/past.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "recorder/clock.h"

#define SLEW_PPM 1000

void pt_past_clocks(const struct pt_snap *was, const struct pt_snap *is, int64_t *ret_slept_us,
                    int64_t *ret_stepped_us)
{
    const int64_t elapsed = is->boot_us - was->boot_us;
    const int64_t slept = elapsed - (is->mono_us - was->mono_us);
    const int64_t stepped = is->real_us - was->real_us - elapsed;
    const int64_t slew = llabs(elapsed) / (PT_SECOND / SLEW_PPM);
    *ret_slept_us = slept > PT_STEP_US ? slept : 0;
    *ret_stepped_us = llabs(stepped) > PT_STEP_US + slew ? stepped : 0;
}

static void tell(struct pt_writer *w, int64_t now_us, enum pt_event kind, const char *text)
{
    pt_writer_event(w, now_us, kind, pt_writer_next(w), "", text);
}

void pt_past_tell(struct pt_writer *w, int64_t btime_us, int64_t interval_us, int64_t now_us)
{
    struct pt_store_past past;
    char text[160], at[32];
    pt_writer_past(w, &past);
    if (past.crashed) {
        snprintf(text, sizeof(text),
                 "the recorder before did not stop by itself: its last snapshot is %" PRId64
                 ", %" PRId64 " were not sealed yet",
                 past.last_n, past.frames);
        tell(w, now_us, PT_EVENT_CRASH, text);
    }
    if (past.last_n <= 0)
        return;
    if (past.boot != pt_writer_boot(w)) {
        const time_t t = (time_t)(btime_us / PT_SECOND);
        struct tm tm;
        if (!gmtime_r(&t, &tm) || !strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S UTC", &tm))
            snprintf(at, sizeof(at), "an unknown time");
        snprintf(text, sizeof(text), "the machine was booted at %s, after snapshot %" PRId64, at,
                 past.last_n);
        tell(w, now_us, PT_EVENT_REBOOT, text);
    }
    if (past.last_us == PT_UNKNOWN)
        return;
    const int64_t gap = now_us - past.last_us;
    snprintf(text, sizeof(text),
             gap < 0 ? "the clock is %.1f s behind snapshot %" PRId64
                     : "nothing was recorded for %.1f s after snapshot %" PRId64,
             (double)llabs(gap) / (double)PT_SECOND, past.last_n);
    if (gap < 0 || gap > 2 * interval_us)
        tell(w, now_us, gap < 0 ? PT_EVENT_CLOCK : PT_EVENT_GAP, text);
}
