/* SPDX-License-Identifier: MIT
 * Finds the rows and blobs of a recording in pages of any condition, by their checksums. Internal
 * to schema. */
#ifndef PT_SCHEMA_STORE_SIFT_H
#define PT_SCHEMA_STORE_SIFT_H

#include "schema/store_int.h"
#include "schema/store_pages.h"

/* live: it stands where the tree of its table has it, as far as its page is good; else it may be
 * deleted, or of a page that is no more. */
struct pt_sift_row {
    enum pt_table table;
    const struct pt_val *v; /* the columns before the checksum; texts live while the call lasts */
    unsigned n;
    bool live;
};
/* Bytes that pass the envelope's check. */
struct pt_sift_blob {
    const uint8_t *bytes;
    size_t len;
    struct pt_run at; /* where they begin, for pt_run_read */
    bool frame, live;
};
struct pt_sift_ops {
    int (*row)(void *ctx, const struct pt_sift_row *row, struct pt_err *err);
    int (*blob)(void *ctx, const struct pt_sift_blob *blob, struct pt_err *err);
    /* Something of a page is lost: a row, unless it is that of a blob, which is found elsewhere or
     * missed by its segment; or all of it. */
    int (*bad)(void *ctx, uint32_t page, const char *what, struct pt_err *err);
    void *ctx;
};

struct pt_sift;
struct pt_sift *pt_sift_new(const struct pt_pages *p, const struct pt_sift_ops *ops);
void pt_sift_free(struct pt_sift *s);
int pt_sift_page(struct pt_sift *s, uint32_t place, struct pt_err *err);

#endif
