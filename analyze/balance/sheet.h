/* SPDX-License-Identifier: MIT
 * The balance sheet with its holders: every line of the machine's memory, and of each who holds it;
 * at one instant, or at two with what changed. Lines add up to MemTotal, the holders of a line and
 * its signed rest add up to the line, and so do all changes, exactly. Units: bytes. */
#ifndef PT_ANALYZE_BALANCE_SHEET_H
#define PT_ANALYZE_BALANCE_SHEET_H

#include <jansson.h>

#include "analyze/diff/diff.h"
#include "analyze/session.h"

enum pt_holder {
    PT_HOLDER_PROCESS = 0, /* anonymous memory, each page divided by the processes that map it */
    PT_HOLDER_GROUP,       /* the same of all processes of a service, an executable, ... */
    PT_HOLDER_SLAB,        /* a cache */
    PT_HOLDER_TMPFS,       /* a mount */
    PT_HOLDER_SHM,         /* a System V segment */
    PT_HOLDER_OBJECT,      /* shared memory of no path, known by who maps it: memfd and the like */
    PT_HOLDER_PART,        /* what a counter of the kernel tells of a part */
};
const char *pt_holder_name(enum pt_holder h); /* "process", ... */

/* At one instant: after alone, before and delta are PT_UNKNOWN. */
struct pt_sheet_holder {
    enum pt_holder kind;
    const char *name; /* NULL: a group of those that belong to none */
    /* PROCESS: who on either side, NULL where it was not; else NULL */
    const struct pt_process *before, *after;
    struct pt_change bytes;
    int64_t unseen;    /* of the later amount: not told by smaps, but by the counter of status */
    int64_t processes; /* of a GROUP at the later instant */
};
struct pt_sheet_part {
    const char *name;
    struct pt_change bytes;
};
#define PT_SHEET_PARTS 2
struct pt_sheet_line {
    const char *name; /* "anonymous", "slab", else pt_line_name() */
    enum pt_line line;
    struct pt_change bytes;
    bool attributed;           /* holders of it can be known at all; else there is no rest */
    struct pt_sheet_holder *v; /* the largest first, of two instants by change */
    size_t n;
    const char *rest_name;
    struct pt_change rest; /* bytes less all holders */
    /* beside the holders: what else is known of the line; holds some of the same memory */
    struct pt_sheet_part of_which[PT_SHEET_PARTS];
    unsigned nof_which;
};
#define PT_SHEET_HINTS 3
struct pt_sheet {
    bool pair;
    struct pt_sheet_line v[PT_LINE_COUNT]; /* as pt_line orders them; none: meminfo is not known */
    size_t n;
    struct pt_change total;     /* MemTotal */
    struct pt_change available; /* MemAvailable */
    struct pt_change swap_used;
    /* what may be in the unaccounted line, each an upper bound that other lines overlap */
    struct pt_sheet_part hints[PT_SHEET_HINTS];
    unsigned nhints;
    struct pt_arena arena;
};
/* p must outlive it. */
int pt_sheet_at(const struct pt_picture *p, enum pt_by by, struct pt_sheet *ret,
                struct pt_err *err);
/* d must outlive it. */
int pt_sheet_between(const struct pt_diff *d, enum pt_by by, struct pt_sheet *ret,
                     struct pt_err *err);
void pt_sheet_release(struct pt_sheet *s);
/* Puts the lines that changed most first. */
void pt_sheet_by_change(struct pt_sheet *s);

/* The parts of balance.schema.json that are of the sheet: "total", "available", "swap_used",
 * "lines", "hints". top: holders of a line; PT_UNKNOWN: all. */
json_t *pt_sheet_json(const struct pt_sheet *s, int64_t top);
/* The table alone; < 0: no memory. changed: only lines that changed. */
int pt_sheet_text(const struct pt_sheet *s, FILE *out, bool colour, int64_t top, bool changed);
/* "105 java", "slab dentry": as a person calls it. */
void pt_sheet_who(const struct pt_sheet_holder *h, char *buf, size_t size);

#endif
