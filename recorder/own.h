/* SPDX-License-Identifier: MIT
 * What the kernel tells of this process itself, by descriptors that are kept. */
#ifndef PT_RECORDER_OWN_H
#define PT_RECORDER_OWN_H

#include <stdint.h>

struct pt_own {
    int statm_fd, io_fd;
};

void pt_own_init(struct pt_own *o);
void pt_own_release(struct pt_own *o);
int64_t pt_own_rss_kb(const struct pt_own *o);  /* PT_UNKNOWN: it is not told */
int64_t pt_own_written(const struct pt_own *o); /* bytes passed to write(); or PT_UNKNOWN */

#endif
