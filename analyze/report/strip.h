/* SPDX-License-Identifier: MIT
 * A line of a chart: what was held over time, in buckets that keep the mean, the least and the
 * most, so that a peak of one snapshot in a year is still seen. Pure. Units: seconds; values as the
 * caller likes. */
#ifndef PT_ANALYZE_REPORT_STRIP_H
#define PT_ANALYZE_REPORT_STRIP_H

#include <stdbool.h>
#include <stddef.h>

struct pt_bucket {
    double time; /* so much of it is known; 0: nothing */
    double sum;  /* value times time */
    double low, high;
};
struct pt_strip {
    double from, width; /* of the first bucket; of each */
    size_t n;
    struct pt_bucket *v;
};
/* false: no memory. n > 0 buckets over [from, to]. */
bool pt_strip_init(struct pt_strip *s, double from, double to, size_t n);
void pt_strip_release(struct pt_strip *s);
/* value held over [from, to]; one that is not finite is not known. What lies outside is left out.
 */
void pt_strip_hold(struct pt_strip *s, double from, double to, double value);
/* NAN: nothing is known. */
double pt_strip_mean(const struct pt_strip *s, size_t bucket);

#endif
