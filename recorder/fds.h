/* SPDX-License-Identifier: MIT
 * Descriptors: the limit, and how many of them may be kept open to save opening a file again. */
#ifndef PT_RECORDER_FDS_H
#define PT_RECORDER_FDS_H

#include <stdint.h>

/* Raises our limit as far as it may and helps; returns it. */
uint64_t pt_fds_raise(void);
/* With fewer than these, files are opened anew that would be kept. */
#define PT_FDS_POOR 512
/* How many may be kept for one purpose: so many eighths of what the limit leaves beside those that
 * the recorder cannot do without, and at most `most`. */
uint32_t pt_fds_share(uint32_t most, unsigned eighths);

#endif
