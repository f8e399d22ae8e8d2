/* SPDX-License-Identifier: MIT
 * The lock against a second recorder: a file beside the database. The database itself must not be
 * opened for this: closing any descriptor of it drops SQLite's own locks. */
#ifndef PT_RECORDER_LOCK_H
#define PT_RECORDER_LOCK_H

#include "schema/err.h"

/* Takes "<path>.lock" and writes our pid into it. Returns a descriptor, or < 0 (PT_ELOCKED names
 * the holder's pid). */
int pt_lock_take(const char *path, struct pt_err *err);
void pt_lock_drop(const char *path, int fd);

#endif
