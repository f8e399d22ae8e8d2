/* SPDX-License-Identifier: MIT
 * The balance sheet over time: sheets of chosen snapshots, each adding up to MemTotal by itself.
 * Chosen are, of every slice of the span, the snapshot with the least and the one with the most
 * MemAvailable, and for each of the larger lines where it was least and most in the whole span: no
 * peak and no trough is lost. Units: bytes, microseconds. */
#ifndef PT_ANALYZE_BALANCE_OVER_H
#define PT_ANALYZE_BALANCE_OVER_H

#include <jansson.h>

#include "analyze/picture/balance.h"
#include "analyze/session.h"

struct pt_over_point {
    int64_t n, real_us;
    int32_t utc_offset_s;
    bool gap; /* nothing was recorded for a while before it, or it is another boot's */
    struct pt_balance sheet;
    int64_t available, swap_used; /* PT_UNKNOWN */
};
struct pt_over_extreme {
    int64_t min, max; /* PT_UNKNOWN: the line is in no sheet */
    int64_t min_us, max_us;
};
struct pt_over {
    struct pt_over_point *v; /* in time */
    size_t n;
    struct pt_over_extreme extreme[PT_LINE_COUNT]; /* of the points */
};
/* At most about `slices` times two points and those of the lines' extremes; slices 0: one. */
int pt_over_make(struct pt_db *db, int64_t from, int64_t to, size_t slices, struct pt_over *ret,
                 struct pt_err *err);
/* So many snapshots, evenly spaced in time, the last among them and, of several, the first: for a
 * table. Fewer where there are no more. */
int pt_over_steps(struct pt_db *db, int64_t from, int64_t to, size_t instants, struct pt_over *ret,
                  struct pt_err *err);
void pt_over_release(struct pt_over *o);

/* "points" and "extremes" of balance-over.schema.json. */
json_t *pt_over_json(const struct pt_over *o);
/* A table of at most 80 columns; < 0: no memory. */
int pt_over_text(const struct pt_over *o, FILE *out, bool colour, bool utc);

#endif
