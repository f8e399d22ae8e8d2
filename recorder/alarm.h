/* SPDX-License-Identifier: MIT
 * What calls for a snapshot at once, and for dense ones after it: pressure, OOM kills, little
 * memory, a signal; and the events that tell of it and of processes that ended. Part of the
 * daemon's main thread. */
#ifndef PT_RECORDER_ALARM_H
#define PT_RECORDER_ALARM_H

#include "recorder/loop.h"
#include "recorder/options.h"
#include "recorder/sampler.h"

/* Borrowed: all of it must outlive the alarm. */
struct pt_alarm_config {
    const struct pt_options *options;
    const struct pt_roots *roots;
    struct pt_writer *writer;
    struct pt_sampler *sampler;
    struct pt_loop *loop;
    /* Takes a snapshot now and sets the schedule anew. */
    void (*snapshot)(void *ctx, enum pt_trigger trigger);
    void *ctx;
};

struct pt_alarm;
int pt_alarm_new(const struct pt_alarm_config *config, struct pt_alarm **ret, struct pt_err *err);
void pt_alarm_free(struct pt_alarm *a);
/* Before and after every snapshot. end: it was the last. */
void pt_alarm_before(struct pt_alarm *a);
void pt_alarm_after(struct pt_alarm *a, bool end);
/* A trigger from outside: a signal. */
void pt_alarm_raise(struct pt_alarm *a, enum pt_trigger trigger, const char *text);
/* Time between snapshots while a burst is on; 0: none is. */
int64_t pt_alarm_dense_us(const struct pt_alarm *a);

#endif
