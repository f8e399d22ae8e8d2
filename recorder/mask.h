/* SPDX-License-Identifier: MIT
 * Command lines with secret-looking values replaced by "***": the one exception to exactness. */
#ifndef PT_RECORDER_MASK_H
#define PT_RECORDER_MASK_H

#include "schema/wire.h"

enum pt_cmdline { PT_CMDLINE_MASKED = 0, PT_CMDLINE_FULL, PT_CMDLINE_NAME };

/* Appends the command line (arguments ended by NULs, as the kernel gives it) to out as `how` says.
 * Arguments keep their number and order; PT_CMDLINE_NAME keeps only the first one up to its first
 * blank. */
void pt_mask(enum pt_cmdline how, const char *cmdline, size_t len, struct pt_buf *out);

#endif
