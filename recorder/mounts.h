/* SPDX-License-Identifier: MIT
 * Which tmpfs mounts there are that can be asked for their usage without any chance of meeting
 * another filesystem on the way: a statfs that runs into a dead network mount hangs for good. */
#ifndef PT_RECORDER_MOUNTS_H
#define PT_RECORDER_MOUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/roots.h"

#define PT_MOUNTS_MAX 64

struct pt_mount {
    char *name;     /* source: "statfs:" and the mount point as /proc/mounts spells it */
    char *path;     /* to call statfs on */
    int32_t source; /* handle; < 0: not opened */
};
struct pt_mounts {
    struct pt_mount mount[PT_MOUNTS_MAX];
    uint32_t n;
};

/* Reads the mounts of pid 1 (another's procfs) or our own. Mounts known before keep their place
 * until they are gone; sources of gone mounts are told through gone(). */
void pt_mounts_update(struct pt_mounts *m, const struct pt_roots *roots,
                      void (*gone)(void *ctx, int32_t source), void *ctx);
void pt_mounts_release(struct pt_mounts *m);
/* The text alone; `prefix` stands before the paths. */
void pt_mounts_parse(struct pt_mounts *ret, const char *text, size_t len, const char *prefix);

#endif
