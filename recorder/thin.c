/* SPDX-License-Identifier: MIT
 * Telling of thinned reading. */
#include "recorder/thin.h"

#include <inttypes.h>
#include <stdio.h>

#include "recorder/quantity.h"

bool pt_thin_processes(struct pt_thin *t, uint32_t looked_at, uint32_t processes,
                       char ret[PT_THIN_TEXT])
{
    if (t->in_turn == (looked_at < processes)) {
        t->streak = 0;
        return false;
    }
    if (++t->streak < (t->in_turn ? PT_THIN_END : PT_THIN_BEGIN))
        return false;
    t->in_turn = !t->in_turn;
    t->streak = 0;
    if (t->in_turn)
        snprintf(ret, PT_THIN_TEXT,
                 "processes are looked at in turn, %" PRIu32 " of %" PRIu32
                 " in a snapshot: more would exceed the CPU budget",
                 looked_at, processes);
    else
        snprintf(ret, PT_THIN_TEXT, "all processes are looked at in each snapshot again");
    return true;
}

bool pt_thin_interval(struct pt_thin *t, uint32_t stretch, int64_t interval_us,
                      char ret[PT_THIN_TEXT])
{
    const uint32_t told = t->stretch ? t->stretch : 1;
    const bool longer = stretch >= 2 * told, shorter = 2 * stretch <= told;
    t->shorter = shorter ? t->shorter + 1 : 0;
    if (!longer && t->shorter < PT_THIN_END)
        return false;
    char now[32], asked[32];
    pt_print_span(now, sizeof(now), interval_us * stretch);
    pt_print_span(asked, sizeof(asked), interval_us);
    if (stretch == 1)
        snprintf(ret, PT_THIN_TEXT, "a snapshot every %s again", now);
    else
        snprintf(ret, PT_THIN_TEXT,
                 "a snapshot every %s, not every %s: more would exceed the CPU budget", now, asked);
    t->stretch = stretch;
    t->shorter = 0;
    return true;
}

bool pt_thin_triggers(struct pt_thin *t, bool spared, bool next, char ret[PT_THIN_TEXT])
{
    if (t->spared ? next : !spared)
        return false;
    t->spared = !t->spared;
    if (t->spared)
        snprintf(
            ret, PT_THIN_TEXT,
            "snapshots of triggers read what is due, not everything: more would exceed the CPU "
            "budget");
    else
        snprintf(ret, PT_THIN_TEXT, "snapshots of triggers read everything again");
    return true;
}
