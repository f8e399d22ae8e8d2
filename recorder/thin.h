/* SPDX-License-Identifier: MIT
 * Telling that the budget does not allow everything: when processes are looked at in turn, or
 * snapshots come at longer intervals, or those of triggers read no more than others, and when no
 * longer. Once each, not with every change: how many processes were looked at and the interval in
 * force stand in each snapshot's account. */
#ifndef PT_RECORDER_THIN_H
#define PT_RECORDER_THIN_H

#include <stdbool.h>
#include <stdint.h>

/* It is so, or no longer, when so many snapshots in a row were. */
#define PT_THIN_BEGIN 6
#define PT_THIN_END   30

struct pt_thin {
    bool in_turn;
    uint32_t streak;  /* snapshots in a row that were otherwise */
    uint32_t stretch; /* as told; 0: as asked for */
    uint32_t shorter; /* snapshots in a row that came at half of that or less */
    bool spared;      /* triggers' snapshots are */
};

#define PT_THIN_TEXT 160
/* After a snapshot; interval_us as asked for. Each returns true when ret is a text to tell: of
 * intervals, the first longer one and those twice or half as long as told. */
bool pt_thin_processes(struct pt_thin *t, uint32_t looked_at, uint32_t processes,
                       char ret[PT_THIN_TEXT]);
bool pt_thin_interval(struct pt_thin *t, uint32_t stretch, int64_t interval_us,
                      char ret[PT_THIN_TEXT]);
/* spared: a trigger's snapshot, that did not read everything; the next would not either. */
bool pt_thin_triggers(struct pt_thin *t, bool spared, bool next, char ret[PT_THIN_TEXT]);

#endif
