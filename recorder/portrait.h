/* SPDX-License-Identifier: MIT
 * What the recorder knows of a process by its last readings, in words for events: from the readings
 * the encoder keeps anyway. Units: KiB, clock ticks. */
#ifndef PT_RECORDER_PORTRAIT_H
#define PT_RECORDER_PORTRAIT_H

#include "recorder/procs.h"

#define PT_COMM_MAX    64 /* fifteen bytes, each of which may be spelt \xNN */
#define PT_CGROUP_MAX  256
#define PT_CMDLINE_MAX 256

struct pt_portrait {
    uint32_t pid;
    uint64_t start_time; /* since boot; 0: not known */
    int64_t n;           /* the last snapshot it was in */
    int64_t rss_kb, swap_kb;
    char cgroup[PT_CGROUP_MAX], cmdline[PT_CMDLINE_MAX]; /* "": not known */
};

/* Who was there lately: the last to end, large ones with their portraits, because news of a death
 * comes after it. */
#define PT_DEAD_MAX      256
#define PT_PORTRAITS_MAX 32

struct pt_gallery {
    struct pt_dead {
        uint32_t pid;
        uint64_t start_time;
        int64_t n;
    } dead[PT_DEAD_MAX];
    struct pt_portrait portrait[PT_PORTRAITS_MAX];
    uint32_t ndead, nportraits; /* ever */
    struct pt_buf text;         /* room to render in */
    struct pt_portrait living;  /* the one asked for */
};

void pt_gallery_init(struct pt_gallery *g);
void pt_gallery_release(struct pt_gallery *g);
/* It ended. The caller holds the shapes lock. n: the snapshot it was in last. */
void pt_gallery_bury(struct pt_gallery *g, const struct pt_proc *p, const struct pt_sink *sink,
                     int64_t n);
/* Whoever has the number now, or had it lately; NULL: nobody. Good until the next call. last_n: the
 * last snapshot. The caller holds the shapes lock. */
const struct pt_portrait *pt_gallery_find(struct pt_gallery *g, struct pt_procs *procs,
                                          const struct pt_sink *sink, int64_t last_n, uint32_t pid);
bool pt_gallery_life(const struct pt_gallery *g, struct pt_procs *procs, int64_t last_n,
                     uint32_t pid, struct pt_dead *ret);

/* Bytes of anybody's as a part of a line: control characters and backslashes as \xNN. Cut to the
 * size (at least 4), with "..." at the end. Returns its length. */
size_t pt_line_put(char *ret, size_t size, const char *bytes, size_t len);

#endif
