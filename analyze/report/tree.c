/* SPDX-License-Identifier: MIT
 * Reading and making values of a report's tree. */
#include "analyze/report/tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "schema/source.h"
#include "schema/timespec.h"

const json_t *pt_tree_at(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_null(v) ? NULL : v;
}

size_t pt_tree_count(const json_t *object, const char *key)
{
    return json_array_size(pt_tree_at(object, key));
}

int64_t pt_tree_int(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : PT_UNKNOWN;
}

double pt_tree_real(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

const char *pt_tree_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bool pt_tree_is(const json_t *object, const char *key, const char *text)
{
    const char *v = pt_tree_str(object, key);
    return v && strcmp(v, text) == 0;
}

int64_t pt_tree_time(const json_t *object, const char *key)
{
    const char *text = pt_tree_str(object, key);
    const struct pt_timespec_base base = {0};
    struct pt_instant instant;
    return text && pt_timespec_parse(text, &base, &instant, NULL) >= 0 &&
                   instant.kind == PT_INSTANT_TIME
               ? instant.value
               : PT_UNKNOWN;
}

json_t *pt_tree_text(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    const int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    json_t *j = pt_json_name(text, (size_t)n);
    free(text);
    return j;
}

json_t *pt_tree_number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

json_t *pt_tree_whole(double v)
{
    return isfinite(v) && fabs(v) < 9e18 ? json_integer((json_int_t)v) : json_null();
}
