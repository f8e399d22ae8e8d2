/* SPDX-License-Identifier: MIT
 * The daemon: from options to a finished recording. */
#ifndef PT_RECORDER_DAEMON_H
#define PT_RECORDER_DAEMON_H

#include <limits.h>

#include "recorder/options.h"

/* Exit statuses, as the manual tells them. */
enum {
    PT_EXIT_OK = 0,
    PT_EXIT_FAILED = 1,
    PT_EXIT_USAGE = 2,
    PT_EXIT_OPEN = 3,
    PT_EXIT_DAMAGED = 4, /* dump */
};

int pt_daemon_run(const struct pt_options *o);
/* Where it records to. */
int pt_daemon_path(const struct pt_options *o, char path[PATH_MAX], struct pt_err *err);

#endif
