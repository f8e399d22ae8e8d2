/* SPDX-License-Identifier: MIT
 * A database as a command uses it: opened, its damage told, its times understood. */
#ifndef PT_ANALYZE_SESSION_H
#define PT_ANALYZE_SESSION_H

#include "analyze/args.h"
#include "schema/timespec.h"
#include "schema/store.h"

struct pt_damage {
    char *place, *what;
    int64_t first, last; /* snapshots */
};
struct pt_session {
    const struct pt_args *args;
    struct pt_db *db;
    struct pt_db_span span;
    struct pt_smaps *smaps;
    struct pt_damage *damage;
    size_t ndamage, damage_cap;
};

/* 0, or the exit status: what went wrong is told on standard error. */
int pt_session_open(const struct pt_args *args, const char *path, struct pt_session *ret);
/* Another reader of the same recording, for another thread; its damage comes to s with the join,
 * which closes it. */
int pt_session_again(const struct pt_session *s, struct pt_session *ret, struct pt_err *err);
/* Closes the reader, and keeps what it met for the join. */
void pt_session_rest(struct pt_session *again);
void pt_session_join(struct pt_session *s, struct pt_session *again);
/* What most commands are: opens args->positional[0], tells of it, closes. tell returns the exit
 * status, or < 0 and what went wrong, which is told on standard error. Returns the exit status. */
int pt_session_run(const struct pt_args *args,
                   int (*tell)(struct pt_session *s, struct pt_err *err));
/* What a renderer returned, as tell() returns it: a failed write is told at the end of the program,
 * everything else is memory. */
int pt_session_printed(const struct pt_session *s, int rc, struct pt_err *err);
/* Tells the damage met, and closes. Returns status, or PT_EXIT_DAMAGED when there was damage and
 * status is 0. */
int pt_session_close(struct pt_session *s, int status);
/* "pagetrail: KIND: PLACE: WHAT" on standard error. */
void pt_tell_damage(const char *kind, const struct pt_damage *d);
/* Prints err, returns the exit status for it. */
int pt_fail(const struct pt_err *err);

/* The snapshot that a time means: the last at or before it. NULL: the last of all. clamp: a time
 * before the first snapshot means the first. A snapshot much older than the time asked for is told
 * on standard error. */
int pt_session_find(const struct pt_session *s, const char *time, bool clamp, int64_t *ret_n,
                    struct pt_err *err);
/* The time itself, whether something was recorded then or not. */
int pt_session_moment(const struct pt_session *s, const char *time, int64_t *ret_us,
                      struct pt_err *err);
/* First snapshot of the newest boot. */
int64_t pt_session_boot_first(const struct pt_session *s);

/* What was asked for, by options or by the arguments behind the database. NULL: not given. */
struct pt_asked {
    const char *at, *from, *to;
};
int pt_session_asked(const struct pt_session *s, struct pt_asked *ret, struct pt_err *err);
/* The snapshots that were asked for: of --at one instant, else a span. Where no beginning was given
 * it is the recording's; with of_boot that of the newest boot, if that lies before the end. */
int pt_session_span(const struct pt_session *s, bool of_boot, int64_t *ret_from, int64_t *ret_to,
                    struct pt_err *err);
/* The interval of recording, microseconds; where meta does not tell, 10 s. */
int64_t pt_session_interval(const struct pt_session *s);
/* A time as people of the recorded host read it (UTC with --utc); writes to buf and returns it. */
char *pt_session_time(const struct pt_session *s, const struct pt_snap *snap, char *buf,
                      size_t size);
/* A line that says what is looked at: the label, then time, number and host of a snapshot. */
void pt_session_print_end(const struct pt_session *s, const char *label,
                          const struct pt_snap *snap);

#endif
