/* SPDX-License-Identifier: MIT
 * What was lost while the database could not be written, for the event that tells it afterwards.
 * Units: microseconds. */
#ifndef PT_RECORDER_LOSS_H
#define PT_RECORDER_LOSS_H

#include "schema/store.h"

/* Zero: nothing. */
struct pt_loss {
    uint64_t snapshots, events;
    int64_t first_us, last_us; /* real times of what was lost */
    int64_t failed_us;         /* how long storing failed */
    char why[256];             /* "": the disk was slow */
};

bool pt_loss_any(const struct pt_loss *l);
void pt_loss_add(struct pt_loss *l, bool is_event, int64_t real_us);
/* Adds what was lost later. */
void pt_loss_merge(struct pt_loss *l, const struct pt_loss *later);
/* One event: PT_EVENT_LOST with counts and span, or PT_EVENT_NOTE where storing failed for a while
 * and nothing is lost. */
int pt_loss_store(const struct pt_loss *l, struct pt_store *store, struct pt_err *err);

#endif
