/* SPDX-License-Identifier: MIT
 * What happened between two snapshots: how the recording before ended, a reboot, a gap, sleep, a
 * clock that was set. */
#ifndef PT_RECORDER_PAST_H
#define PT_RECORDER_PAST_H

#include "recorder/writer.h"

/* Clocks that drift apart by more between two snapshots were set, or the machine slept. */
#define PT_STEP_US INT64_C(500000)

/* How long the machine slept, and by how much its clock was set; 0: not. A clock that is slewed
 * gains at most 500 ppm, which is no step however long the interval. */
void pt_past_clocks(const struct pt_snap *was, const struct pt_snap *is, int64_t *ret_slept_us,
                    int64_t *ret_stepped_us);

/* Tells at the start of a recording, in events, how it goes on with what the file holds. */
void pt_past_tell(struct pt_writer *w, int64_t btime_us, int64_t interval_us, int64_t now_us);

#endif
