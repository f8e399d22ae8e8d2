/* SPDX-License-Identifier: MIT
 * The lock against a second recorder: a file beside the database. The database itself must not be
 * opened for this: closing any descriptor of it drops SQLite's own locks. */
#ifndef PT_RECORDER_LOCK_H
#define PT_RECORDER_LOCK_H

#include <limits.h>

#include "schema/err.h"

struct pt_lock {
    char name[PATH_MAX];
    int fd; /* < 0: not held */
};

/* Takes "<path>.lock", symbolic links resolved, and writes our pid into it. < 0: PT_ELOCKED names
 * the holder's pid. One that is held already is kept, and taken anew where its name is gone (the
 * directory was removed and made again). */
int pt_lock_take(struct pt_lock *l, const char *path, struct pt_err *err);
void pt_lock_drop(struct pt_lock *l);

#endif
