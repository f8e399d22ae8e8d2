/* SPDX-License-Identifier: MIT
 * The kernel log, read as it grows. */
#ifndef PT_RECORDER_KMSG_H
#define PT_RECORDER_KMSG_H

#include "recorder/oom.h"

/* A descriptor at the log's end, or -errno. */
int pt_kmsg_open(void);
/* Every record that is there now, the kernel's own only. Returns how many records were overwritten
 * before they could be read. */
uint64_t pt_kmsg_drain(int fd, uint64_t *seq, void (*fn)(void *ctx, const struct pt_kmsg *k),
                       void *ctx);

#endif
