/* SPDX-License-Identifier: MIT
 * Random histories of sources for the tests of frames and blocks: a handful of files with tables,
 * single rows and odd bytes that change, fail, vanish and come back. Deterministic by seed. Units:
 * as schema/frame.h. */
#ifndef PT_TESTS_SUPPORT_HISTORY_H
#define PT_TESTS_SUPPORT_HISTORY_H

#include "schema/frame.h"

#define PT_H_SOURCES 12
#define PT_H_TEXT    2048

struct pt_h_source {
    char name[48];
    const struct pt_grammar *grammar;
    enum pt_presence presence; /* what must be true after the snapshot */
    int why;
    int64_t read_us;
    char text[PT_H_TEXT];
    size_t len;
    uint32_t rows[24]; /* of tables: row numbers alive, ascending */
    uint64_t values[24][4];
    uint32_t nrows, next_row;
    bool flip;      /* a letter in the shape */
    int64_t handle; /* of the encoder; < 0: not open */
};

struct pt_h {
    uint64_t rng;
    struct pt_h_source sources[PT_H_SOURCES];
    struct pt_snap snap;
    uint32_t quiet; /* one snapshot in so many is not the timer's; 0: most are not */
};

void pt_h_init(struct pt_h *h, uint64_t seed);
uint32_t pt_h_random(struct pt_h *h, uint32_t below);
/* The next snapshot: moves the world on and tells it to the encoder (NULL: nobody). */
int pt_h_tick(struct pt_h *h, struct pt_enc *e, struct pt_buf *frame, struct pt_err *err);

#endif
