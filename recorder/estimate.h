/* SPDX-License-Identifier: MIT
 * --estimate: what recording this machine would cost a day, found out by taking snapshots into
 * memory. No database is opened. */
#ifndef PT_RECORDER_ESTIMATE_H
#define PT_RECORDER_ESTIMATE_H

#include "recorder/options.h"

/* Prints a table to standard output. Returns the exit status. */
int pt_estimate_run(const struct pt_options *o);

#endif
