/* SPDX-License-Identifier: MIT
 * Looking files and fields up in the table (source_table.c) by name patterns, and what a name
 * says. */
#include "schema/source.h"

#include <string.h>

#include "schema/parse.h"

const struct pt_file *pt_file_of(const char *source)
{
    size_t count;
    const struct pt_file *files = pt_files(&count);
    size_t i = 0;
    while (i + 1 < count && !pt_source_match(files[i].pattern, source))
        i++;
    return &files[i]; /* the last row matches all */
}

/* A mismatch goes back to the last '*', which takes one byte more while that is no '/', else to the
 * last '**', which may take any: no recursion, at most length squared steps. */
static bool match(const char *pattern, const char *name, size_t len)
{
    const char *const end = name + len;
    const char *star = NULL, *star_at = NULL;     /* after the last '*', and what it ends before */
    const char *globstar = NULL, *glob_at = NULL; /* the same for '**' */
    while (name < end || *pattern != '\0') {
        if (pattern[0] == '*' && pattern[1] == '*') {
            pattern += 2;
            globstar = pattern;
            glob_at = name;
            star = NULL;
        } else if (*pattern == '*') {
            star = ++pattern;
            star_at = name;
        } else if (name < end && *pattern != '\0' && *pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL && star_at < end && *star_at != '/') {
            pattern = star;
            name = ++star_at;
        } else if (globstar != NULL && glob_at < end) {
            pattern = globstar;
            name = ++glob_at;
            star = NULL;
        } else {
            return false;
        }
    }
    return true;
}

bool pt_source_match(const char *pattern, const char *name)
{
    return match(pattern, name, strlen(name));
}

int64_t pt_source_pid(const char *source, const char **ret_file)
{
    struct pt_str rest = {source, strlen(source)}, digits;
    int64_t pid, scale;
    if (!pt_str_starts(rest, "proc:"))
        return -1;
    rest.p += 5;
    rest.n -= 5;
    if (!pt_take_digits(&rest, &digits) || rest.n < 2 || *rest.p != '/' ||
        !pt_number(digits.p, digits.n, &pid, &scale))
        return -1;
    if (ret_file != NULL)
        *ret_file = rest.p + 1;
    return pid;
}

const struct pt_field *pt_field_of(const struct pt_file *file, const char *name, size_t len)
{
    for (size_t i = 0; i < file->nfields; i++) {
        if (match(file->fields[i].name, name, len))
            return &file->fields[i];
    }
    return NULL;
}

const char *pt_unit_name(enum pt_unit unit)
{
    static const char *const names[] = {
        [PT_UNIT_HEX] = "hex",   [PT_UNIT_NONE] = "",       [PT_UNIT_BYTES] = "bytes",
        [PT_UNIT_KIB] = "KiB",   [PT_UNIT_PAGES] = "pages", [PT_UNIT_US] = "us",
        [PT_UNIT_MS] = "ms",     [PT_UNIT_SECONDS] = "s",   [PT_UNIT_TICKS] = "ticks",
        [PT_UNIT_PERCENT] = "%", [PT_UNIT_COUNT] = "count", [PT_UNIT_ID] = "id",
        [PT_UNIT_TEXT] = "text",
    };
    return (size_t)unit < sizeof(names) / sizeof(names[0]) ? names[unit] : "";
}

const char *pt_field_kind_name(enum pt_field_kind kind)
{
    static const char *const names[] = {
        [PT_GAUGE] = "gauge", [PT_COUNTER] = "counter", [PT_STATE] = "state"};
    return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}
