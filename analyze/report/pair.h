/* SPDX-License-Identifier: MIT
 * Findings of two lists that are of one thing, found by their keys (match.h): a year of days has
 * too many to hold each against all others. Pure. */
#ifndef PT_ANALYZE_REPORT_PAIR_H
#define PT_ANALYZE_REPORT_PAIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Findings of a list, by their keys. Begins as zeroes. */
struct pt_keyed {
    struct pt_keyed_entry *v;
    size_t n, cap;
    size_t *heads; /* of each bucket; SIZE_MAX: empty */
    size_t nheads;
};
/* number: where in the list it stands. One that is another now is added again: what it was stays
 * its key too. < 0: no memory. */
int pt_keyed_add(struct pt_keyed *k, const json_t *finding, size_t number);
void pt_keyed_release(struct pt_keyed *k);

/* ret_pair[i]: the index in b (an array of findings) of the partner of a's i-th, SIZE_MAX: none. At
 * most one partner each, the likest first, then as both are ordered. < 0: no memory. */
int pt_match_findings(const json_t *a, const json_t *b, size_t *ret_pair);
/* The same where b is keyed already; taken: those of b that get none, and in the end those that
 * have one. */
int pt_match_keyed(const json_t *a, const json_t *b, const struct pt_keyed *k, bool *taken,
                   size_t *ret_pair);

#endif
