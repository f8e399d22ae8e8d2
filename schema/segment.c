/* SPDX-License-Identifier: MIT
 * Which block a source belongs to, by its name. */
#include "schema/segment.h"

#include <string.h>

/* What is read of a process, but for its memory numbers. */
static const struct {
    const char *file;
    enum pt_block_kind kind;
} files[] = {
    {"smaps", PT_BLOCK_DEEP},     {"maps", PT_BLOCK_DEEP},       {"smaps_rollup", PT_BLOCK_DEEP},
    {"numa_maps", PT_BLOCK_DEEP}, {"exe", PT_BLOCK_NAMES},       {"cmdline", PT_BLOCK_NAMES},
    {"cgroup", PT_BLOCK_NAMES},   {"comm", PT_BLOCK_NAMES},      {"loginuid", PT_BLOCK_NAMES},
    {"mounts", PT_BLOCK_NAMES},   {"mountinfo", PT_BLOCK_NAMES},
};

enum pt_block_kind pt_block_kind_of(const char *source)
{
    static const char prefix[] = "proc:";
    if (strncmp(source, prefix, sizeof prefix - 1) != 0)
        return PT_BLOCK_SYSTEM;
    const char *p = source + sizeof prefix - 1;
    const size_t digits = strspn(p, "0123456789");
    if (digits == 0 || p[digits] != '/')
        return PT_BLOCK_SYSTEM;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(p + digits + 1, files[i].file) == 0)
            return files[i].kind;
    return PT_BLOCK_PROC;
}
