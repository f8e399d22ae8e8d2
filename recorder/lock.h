/* SPDX-License-Identifier: MIT
 * The lock against a second recorder: a file beside the database. The database itself must not be
 * opened for this: closing any descriptor of it drops SQLite's own locks. */
#ifndef PT_RECORDER_LOCK_H
#define PT_RECORDER_LOCK_H

#include <limits.h>

#include "schema/err.h"

/* Takes "<path>.lock", symbolic links resolved, and writes our pid into it. Returns a descriptor
 * and the lock's name, or < 0 (PT_ELOCKED names the holder's pid). */
int pt_lock_take(const char *path, char ret_lock[PATH_MAX], struct pt_err *err);
void pt_lock_drop(const char *lock, int fd);

#endif
