/* SPDX-License-Identifier: MIT
 * A recording of stated texts, for tests that read one. */
#ifndef PT_TESTS_RECORDING_H
#define PT_TESTS_RECORDING_H

#include "schema/store.h"

struct recording {
    char dir[64], path[80];
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_store *store; /* NULL when it is closed */
    struct pt_snap snap;    /* being made */
    bool key;
    bool spoil; /* the next frame is stored with a bit turned over */
};

/* In a directory of its own; boot 1 is "boot-1", booted at btime_us. */
void recording_new(struct recording *r, const struct pt_meta *meta, int64_t btime_us);
/* The next snapshot, its number given by the store; key: begins a chain, as the first does. */
void recording_begin(struct recording *r, const struct pt_snap *snap, bool key);
void recording_text(struct recording *r, const char *name, const char *text);
struct source_text {
    const char *name, *text;
};
void recording_texts(struct recording *r, const struct source_text *texts, size_t n);
/* All of an array. */
#define RECORDING_TEXTS(r, texts) recording_texts(r, texts, sizeof(texts) / sizeof(*(texts)))
void recording_bytes(struct recording *r, const char *name, const void *bytes, size_t len);
/* The process ended, or the file is there no more; what is told of the name after it in the same
 * snapshot is another's. */
void recording_gone(struct recording *r, const char *name);
void recording_fail(struct recording *r, const char *name, int why);
void recording_end(struct recording *r);
/* Another boot; what it had is unknown. */
uint32_t recording_boot(struct recording *r, const char *boot_id, int64_t btime_us);
void recording_event(struct recording *r, int64_t us, enum pt_event kind, int64_t n,
                     const char *subject, const char *text);
void recording_close(struct recording *r);
/* Closes and removes it. */
void recording_remove(struct recording *r);

#endif
