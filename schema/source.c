/* SPDX-License-Identifier: MIT
 * The table of known files. The first row whose pattern matches a name is its file: the special
 * stands before the general, and the last row catches everything. */
#include "schema/source.h"

#include <string.h>

/* Grammars: how texts are cut into rows and slots. */
#define WHOLE                                                                                      \
    {                                                                                              \
        .rows = PT_ROWS_WHOLE, .key = PT_KEY_NONE, .head = PT_LEX_DEC, .body = PT_LEX_NONE         \
    }
/* A file whose numbers the kernel prints with "%8lu". */
#define WHOLE8                                                                                     \
    {                                                                                              \
        .rows = PT_ROWS_WHOLE, .key = PT_KEY_NONE, .head = PT_LEX_DEC, .body = PT_LEX_NONE,        \
        .width = 8                                                                                 \
    }
#define NAME                                                                                       \
    {                                                                                              \
        .rows = PT_ROWS_WHOLE, .key = PT_KEY_NONE, .head = PT_LEX_NONE, .body = PT_LEX_NONE        \
    }
#define NAMES                                                                                      \
    {                                                                                              \
        .rows = PT_ROWS_LINES, .key = PT_KEY_SHAPE, .head = PT_LEX_NONE, .body = PT_LEX_NONE       \
    }
#define TABLE                                                                                      \
    {                                                                                              \
        .rows = PT_ROWS_LINES, .key = PT_KEY_SHAPE, .head = PT_LEX_DEC, .body = PT_LEX_NONE        \
    }
#define IPC                                                                                        \
    {                                                                                              \
        .rows = PT_ROWS_LINES, .key = PT_KEY_SLOT1, .head = PT_LEX_DEC, .body = PT_LEX_NONE        \
    }
#define RANGES                                                                                     \
    {                                                                                              \
        .rows = PT_ROWS_LINES, .key = PT_KEY_RANGE, .head = PT_LEX_RANGE, .body = PT_LEX_NONE      \
    }
#define MAPS                                                                                       \
    {                                                                                              \
        .rows = PT_ROWS_LINES, .key = PT_KEY_RANGE, .head = PT_LEX_MAPS, .body = PT_LEX_NONE       \
    }
#define SMAPS                                                                                      \
    {                                                                                              \
        .rows = PT_ROWS_SMAPS, .key = PT_KEY_RANGE, .head = PT_LEX_MAPS, .body = PT_LEX_DEC,       \
        .width = 8                                                                                 \
    }

static const struct pt_file files[] = {
    {.pattern = "proc:meminfo", .grammar = WHOLE8},
    {.pattern = "proc:swaps", .grammar = TABLE},
    {.pattern = "proc:slabinfo", .grammar = TABLE},
    {.pattern = "proc:allocinfo", .grammar = TABLE},
    {.pattern = "proc:vmallocinfo", .grammar = RANGES},
    {.pattern = "proc:sysvipc/*", .grammar = IPC},
    {.pattern = "proc:version", .grammar = NAME},
    {.pattern = "proc:cmdline", .grammar = NAME},
    {.pattern = "proc:mounts", .grammar = NAMES},
    {.pattern = "proc:*/mounts", .grammar = NAMES},
    {.pattern = "proc:*/status", .grammar = WHOLE8},
    {.pattern = "proc:*/smaps", .grammar = SMAPS},
    {.pattern = "proc:*/smaps_rollup", .grammar = SMAPS},
    {.pattern = "proc:*/maps", .grammar = MAPS},
    {.pattern = "proc:*/numa_maps", .grammar = TABLE},
    {.pattern = "proc:*/cgroup", .grammar = NAME},
    {.pattern = "proc:*/exe", .grammar = NAME},
    {.pattern = "proc:*/cmdline", .grammar = NAME},
    {.pattern = "proc:*/comm", .grammar = NAME},
    {.pattern = "sys:devices/system/node/node*/meminfo", .grammar = WHOLE8},
    {.pattern = "**", .grammar = WHOLE},
};

const struct pt_file *pt_files(size_t *ret_count)
{
    *ret_count = sizeof(files) / sizeof(files[0]);
    return files;
}

const struct pt_file *pt_file_of(const char *source)
{
    size_t last = sizeof(files) / sizeof(files[0]) - 1;
    for (size_t i = 0; i < last; i++) {
        if (pt_source_match(files[i].pattern, source))
            return &files[i];
    }
    return &files[last];
}

/* A mismatch goes back to the last '*', which takes one byte more while that is no '/', else to the
 * last '**', which may take any: no recursion, at most length squared steps. */
bool pt_source_match(const char *pattern, const char *name)
{
    const char *star = NULL, *star_at = NULL;     /* after the last '*', and what it ends before */
    const char *globstar = NULL, *glob_at = NULL; /* the same for '**' */
    while (*name != '\0' || *pattern != '\0') {
        if (pattern[0] == '*' && pattern[1] == '*') {
            pattern += 2;
            globstar = pattern;
            glob_at = name;
            star = NULL;
        } else if (*pattern == '*') {
            star = ++pattern;
            star_at = name;
        } else if (*name != '\0' && *pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL && *star_at != '\0' && *star_at != '/') {
            pattern = star;
            name = ++star_at;
        } else if (globstar != NULL && *glob_at != '\0') {
            pattern = globstar;
            name = ++glob_at;
            star = NULL;
        } else {
            return false;
        }
    }
    return true;
}

const struct pt_field *pt_field_of(const struct pt_file *file, const char *name, size_t len)
{
    for (size_t i = 0; i < file->nfields; i++) {
        const struct pt_field *f = &file->fields[i];
        if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
            return f;
    }
    return NULL;
}

const char *pt_unit_name(enum pt_unit unit)
{
    static const char *const names[] = {
        [PT_UNIT_NONE] = "",       [PT_UNIT_BYTES] = "bytes", [PT_UNIT_KIB] = "KiB",
        [PT_UNIT_PAGES] = "pages", [PT_UNIT_US] = "us",       [PT_UNIT_MS] = "ms",
        [PT_UNIT_SECONDS] = "s",   [PT_UNIT_TICKS] = "ticks", [PT_UNIT_PERCENT] = "%",
        [PT_UNIT_COUNT] = "count", [PT_UNIT_ID] = "id",       [PT_UNIT_TEXT] = "text",
    };
    return (size_t)unit < sizeof(names) / sizeof(names[0]) ? names[unit] : "";
}

const char *pt_field_kind_name(enum pt_field_kind kind)
{
    static const char *const names[] = {
        [PT_GAUGE] = "gauge", [PT_COUNTER] = "counter", [PT_STATE] = "state"};
    return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}
