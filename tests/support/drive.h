/* SPDX-License-Identifier: MIT
 * A recorder's whole life with a database, as its writer does it: it opens, appends, seals, syncs,
 * closes and opens again, and after a failure tries again. For tests that make every step of it
 * fail. */
#ifndef PT_TESTS_SUPPORT_DRIVE_H
#define PT_TESTS_SUPPORT_DRIVE_H

#include "recorder/keep.h"
#include "tests/support/stream.h"

struct drive {
    struct pt_keep keep;
    struct pt_meta meta;
    struct stream stream;
    int chain;             /* snapshots in one */
    int tries;             /* of one snapshot, before the fault is taken to be over */
    void (*at_work)(bool); /* the store begins and ends to work; may be NULL */
    void (*over)(void);    /* ends the fault; may be NULL */
    /* told */
    int64_t committed; /* the last snapshot the store said it has */
    int64_t durable;   /* and the last one of a sync that succeeded */
    int64_t errors;    /* failures that were reported */
    struct pt_err err; /* the first of them */
    const char *wrong; /* what should never be, if anything was */
};

/* path is borrowed. */
int drive_init(struct drive *d, const char *path);
void drive_release(struct drive *d);
/* Takes snapshots, each a key frame or one that follows, with events, seals and syncs between. */
void drive_record(struct drive *d, int snapshots);
/* Seals all and closes. */
void drive_close(struct drive *d);
/* Opens the database as an analyst would: every snapshot to the last committed one is there and
 * says what it must, and the deep verification finds nothing. NULL, or what is wrong (in text). */
const char *drive_check(const struct drive *d, char text[512]);

#endif
