/* SPDX-License-Identifier: MIT
 * Memory of processes by class, reading after reading, straight from the columns of their smaps.
 * Units: seconds of the timeline, bytes. */
#ifndef PT_ANALYZE_LEAKS_CLASSES_H
#define PT_ANALYZE_LEAKS_CLASSES_H

#include "analyze/leaks/parts.h"
#include "analyze/series/timeline.h"

/* Of one process number. When there are more than so many readings every other one is left out. */
#define PT_CLASS_POINTS 192

struct pt_class_point {
    double t;
    double bytes[PT_CLASS_COUNT]; /* held: resident and swapped out; of files, what was written */
};
struct pt_class_series {
    int64_t pid;
    struct pt_class_point *v; /* in time */
    uint32_t n;
    double apart; /* at the least, two points */
};
struct pt_classes {
    struct pt_class_series *v; /* by pid */
    size_t n;
};
/* Of these processes (sorted). A short recording is read whole, of a long one instants spread over
 * it. */
int pt_classes_load(struct pt_db *db, const struct pt_timeline *t, const int64_t *pids, size_t n,
                    struct pt_classes *ret, struct pt_err *err);
void pt_classes_release(struct pt_classes *c);
/* How much each class grew between two times, by its slope over all readings in between. false:
 * there are too few. */
bool pt_classes_growth(const struct pt_classes *c, int64_t pid, double from, double to,
                       double ret[PT_CLASS_COUNT], int *ret_readings);

#endif
