/* SPDX-License-Identifier: MIT
 * From a descriptor into the frame that is being built: reads a kernel file whole and gives its
 * text, while it is hot in the cache, to the encoder. Used by the sampler thread only, which holds
 * the shapes lock. */
#ifndef PT_RECORDER_SINK_H
#define PT_RECORDER_SINK_H

#include <sys/types.h>

#include "schema/frame.h"
#include "recorder/access.h"
#include "recorder/rawlog.h"

/* The read buffer: longer texts are packed piece by piece. */
#define PT_SINK_BUFFER (64u << 10)

struct pt_sink {
    struct pt_enc *enc;
    struct pt_shapes *shapes;
    struct pt_pack pack; /* for texts longer than buf */
    struct pt_rawlog *raw;
    char *buf;                /* after pt_sink_fd: the text, when it fitted */
    int64_t n;                /* snapshot being built */
    int64_t shift_us;         /* added to real times (--timestamp) */
    struct pt_access *access; /* gathers what may not be read; NULL: not now */
    uint64_t refused;         /* texts the encoder would not take */
};

int pt_sink_init(struct pt_sink *s, struct pt_enc *enc, struct pt_shapes *shapes,
                 struct pt_rawlog *raw, struct pt_err *err);
void pt_sink_release(struct pt_sink *s);
/* A handle for a source by name, its grammar from the table of known files; < 0: no memory. */
int64_t pt_sink_open(struct pt_sink *s, const char *name);
int64_t pt_sink_open_as(struct pt_sink *s, const char *name, const struct pt_grammar *grammar);

enum pt_read_how {
    PT_READ_ALL = 0, /* until read() gives 0 */
    PT_READ_RECORD, /* the file is one record (statm, stat, status): the kernel never splits it, one
                       read is all */
};
/* Reads from offset 0 to the end and puts the text. Returns its length (when that is less than
 * PT_SINK_BUFFER the text stands in s->buf), or -errno with nothing put. */
ssize_t pt_sink_fd(struct pt_sink *s, uint32_t source, int fd, enum pt_read_how how);
/* A text made here (counts, statfs). */
void pt_sink_text(struct pt_sink *s, uint32_t source, const char *text, size_t len);
void pt_sink_fail(struct pt_sink *s, uint32_t source, int why, int64_t read_us);
void pt_sink_gone(struct pt_sink *s, uint32_t source);
/* A reading made elsewhere; takes the reference. text for the raw log may be NULL. */
void pt_sink_put(struct pt_sink *s, uint32_t source, struct pt_reading *r, int64_t read_us,
                 const char *text, size_t len);

#endif
