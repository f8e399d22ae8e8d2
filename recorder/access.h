/* SPDX-License-Identifier: MIT
 * What the recorder may not read or see, gathered from one snapshot that reads everything, and told
 * in a line each. */
#ifndef PT_RECORDER_ACCESS_H
#define PT_RECORDER_ACCESS_H

#include "recorder/roots.h"

#define PT_ACCESS_ROWS 48
#define PT_ACCESS_TEXT 2048

enum pt_of { PT_OF_HOST, PT_OF_PROCESSES, PT_OF_CGROUPS };

struct pt_access {
    struct {
        char what[64]; /* "smaps" of processes, "memory.stat" of cgroups, else the source's name */
        enum pt_of of;
        uint32_t n;
    } row[PT_ACCESS_ROWS];
    uint32_t rows, more; /* more: sources there was no row left for */
};

/* A source that could not be read, and why (errno). Only a want of permission counts. */
void pt_access_add(struct pt_access *a, const char *source, int why);
/* "not permitted to read: smaps of 12 processes, proc:slabinfo". false: it may read everything. */
bool pt_access_denied(const struct pt_access *a, char ret[PT_ACCESS_TEXT]);
/* Why processes or cgroups of the host are not seen at all; NULL: they are. */
const char *pt_access_empty(const struct pt_roots *roots); /* as where nothing was mounted */
const char *pt_access_hidden(const struct pt_roots *roots);
const char *pt_access_cgroups(const struct pt_roots *roots);

#endif
