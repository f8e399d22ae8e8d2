/* SPDX-License-Identifier: MIT
 * A report's JSON tree as whoever prints or compares it reads it: a value of another type than
 * asked for is one that is not known, so that a report of anybody's can be read. Times are
 * microseconds since the epoch. */
#ifndef PT_ANALYZE_REPORT_TREE_H
#define PT_ANALYZE_REPORT_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

int64_t pt_tree_int(const json_t *object, const char *key);     /* PT_UNKNOWN */
double pt_tree_real(const json_t *object, const char *key);     /* NAN */
const char *pt_tree_str(const json_t *object, const char *key); /* NULL */
int64_t pt_tree_time(const json_t *object, const char *key);    /* PT_UNKNOWN */
bool pt_tree_is(const json_t *object, const char *key, const char *text);
/* NULL: there is none; sizes and members of NULL are none. */
const json_t *pt_tree_at(const json_t *object, const char *key);
size_t pt_tree_count(const json_t *object, const char *key); /* of an array */

/* A string of a format; bytes that are not UTF-8 are escaped as names are. NULL: no memory. */
json_t *pt_tree_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
json_t *pt_tree_number(double v); /* null where it is not finite */
json_t *pt_tree_whole(double v);  /* an integer; null where it is not finite */

#endif
