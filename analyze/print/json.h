/* SPDX-License-Identifier: MIT
 * Values as JSON has them here: sizes integer bytes, times RFC 3339 UTC strings, unknown null,
 * names lossless. A name that is valid UTF-8 stands as it is. One that is not, or that would be
 * taken for such a one, is escaped: \xNN is a byte of 0x80 and over, \\ a backslash; so a string is
 * escaped if and only if it holds \x80 ... \xff. */
#ifndef PT_ANALYZE_PRINT_JSON_H
#define PT_ANALYZE_PRINT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "schema/frame.h"

json_t *pt_json_int(int64_t v);   /* null when PT_UNKNOWN */
json_t *pt_json_time(int64_t us); /* null when PT_UNKNOWN */
json_t *pt_json_name(const char *bytes, size_t n);
json_t *pt_json_str(const char *s); /* of a NUL-terminated name; NULL gives null */
/* {"before":, "after":, "delta":} */
json_t *pt_json_change(int64_t before, int64_t after, int64_t delta);
/* Prints with a line feed and drops the reference; < 0: no memory (j NULL counts as that). */
int pt_json_print(json_t *j, FILE *out);

#endif
