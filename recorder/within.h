/* SPDX-License-Identifier: MIT
 * The database within its limits: after every snapshot, a step of retention where one is due, and
 * what the limits ask of the sampler. Used by the writer's thread alone. */
#ifndef PT_RECORDER_WITHIN_H
#define PT_RECORDER_WITHIN_H

#include "schema/store.h"

struct pt_within {
    struct pt_limits limits;
    struct pt_room room;
    bool due;                 /* another step is, from then on: */
    int64_t again_us;         /* CLOCK_MONOTONIC */
    bool blocked, told_short; /* as told */
    int64_t blocked_us;       /* CLOCK_MONOTONIC: it was so last */
};

/* A database was opened. */
int pt_within_opened(struct pt_within *w, struct pt_store *store, struct pt_err *err);
/* A snapshot was stored (sealed: and chains before it sealed), or some time has passed. One step,
 * if one is due now. 1: it was made; w->room.urgent then says that the next is due at once, before
 * more is stored. */
int pt_within_step(struct pt_within *w, struct pt_store *store, bool sealed, struct pt_err *err);

#endif
