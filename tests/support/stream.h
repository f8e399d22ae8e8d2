/* SPDX-License-Identifier: MIT
 * Snapshots that follow from their number alone, for tests that break the store and look what is
 * left: a few files of which two are the host's and the others those of processes that come and go.
 */
#ifndef PT_TESTS_SUPPORT_STREAM_H
#define PT_TESTS_SUPPORT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/store.h"

enum { STREAM_SOURCES = 12 };

struct stream {
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_buf frame; /* the last one made */
    struct pt_snap snap;
    int64_t handles[STREAM_SOURCES];
    int64_t made; /* the number of the last one; 0: none */
};

int stream_init(struct stream *s);
void stream_release(struct stream *s);
/* Makes the frame of snapshot n; made again it may differ, and says the same. */
int stream_make(struct stream *s, int64_t n, uint32_t boot, bool key, struct pt_err *err);
/* Are all texts of snapshot n as they must be? NULL, or what is wrong. */
const char *stream_wrong(struct pt_db *db, int64_t n, struct pt_buf *buf);

#endif
