/* SPDX-License-Identifier: MIT
 * What a mapping is, by its path in smaps. */
#include <stdio.h>
#include <string.h>

#include "analyze/picture/mapping.h"

const char *pt_mapping_kind_name(enum pt_mapping_kind kind)
{
    static const char *const names[] = {
        [PT_MAPPING_ANON] = "anon",     [PT_MAPPING_HEAP] = "heap",
        [PT_MAPPING_STACK] = "stack",   [PT_MAPPING_FILE] = "file",
        [PT_MAPPING_SHMEM] = "shmem",   [PT_MAPPING_HUGETLB] = "hugetlb",
        [PT_MAPPING_DEVICE] = "device", [PT_MAPPING_KERNEL] = "kernel",
    };
    return names[kind];
}

static const struct rule {
    const char *prefix;
    bool whole;    /* the path is the prefix, not only begins with it */
    bool unlinked; /* only when marked "(deleted)": a file of the kernel's own tmpfs */
    enum pt_mapping_kind kind;
    const char *name; /* instead of the path's */
} rules[] = {
    {"", true, false, PT_MAPPING_ANON, "[anon]"},
    {"[heap]", true, false, PT_MAPPING_HEAP, NULL},
    {"[stack]", true, false, PT_MAPPING_STACK, NULL},
    {"[stack:", false, false, PT_MAPPING_STACK, "[stack]"},
    {"[anon:", false, false, PT_MAPPING_ANON, NULL},
    {"[anon_shmem:", false, false, PT_MAPPING_SHMEM, NULL},
    {"[", false, false, PT_MAPPING_KERNEL, NULL},
    {"/SYSV", false, false, PT_MAPPING_SHMEM, NULL},
    {"/dev/zero", true, true, PT_MAPPING_SHMEM, "[shared anon]"},
    {"/memfd:", false, false, PT_MAPPING_SHMEM, NULL},
    {"/dev/shm/", false, false, PT_MAPPING_SHMEM, NULL},
    {"/run/", false, false, PT_MAPPING_SHMEM, NULL},
    {"/anon_hugepage", true, true, PT_MAPPING_HUGETLB, NULL},
    {"/dev/hugepages/", false, false, PT_MAPPING_HUGETLB, NULL},
    {"/i915", true, true, PT_MAPPING_SHMEM, NULL},
    {"/drm mm object", true, true, PT_MAPPING_SHMEM, NULL},
    {"/dmabuf", false, false, PT_MAPPING_DEVICE, NULL},
    {"/dev/", false, false, PT_MAPPING_DEVICE, NULL},
    {"anon_inode:", false, false, PT_MAPPING_DEVICE, NULL},
    {"socket:", false, false, PT_MAPPING_DEVICE, "socket"},
};

static const struct rule *rule_of(const char *path, size_t len, bool deleted)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const size_t n = strlen(rules[i].prefix);
        if (len >= n && memcmp(path, rules[i].prefix, n) == 0 && (!rules[i].whole || len == n) &&
            (!rules[i].unlinked || deleted))
            return &rules[i];
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Names of this kind of place are made for one process or run. */
static bool passing(const char *path, size_t len)
{
    static const char *const places[] = {"/tmp/",   "/var/tmp/", "/run/",       "/dev/shm/",
                                         "/memfd:", "[anon:",    "[anon_shmem:"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const size_t n = strlen(places[i]);
        if (len >= n && memcmp(path, places[i], n) == 0)
            return true;
    }
    return false;
}

/* How many bytes at s are a run that stands for a number or a random id: digits (3 in passing
 * places, 6 elsewhere) or hexadecimal with both digits and letters (8, 16). Versions and sonames
 * stay. */
static size_t random_run(const char *s, size_t n, bool in_passing)
{
    size_t hex = 0, ndigits = 0;
    while (hex < n && is_hex(s[hex])) {
        ndigits += is_digit(s[hex]);
        hex++;
    }
    if (hex < n && is_alnum(s[hex]) && !(ndigits > 0 && ndigits == hex))
        return 0;
    if (ndigits == hex)
        return ndigits >= (in_passing ? 3u : 6u) ? hex : 0;
    return ndigits > 0 && hex >= (in_passing ? 8u : 16u) ? hex : 0;
}

static void normalise(const char *path, size_t len, char *ret, size_t size)
{
    const bool in_passing = passing(path, len);
    size_t n = 0;
    for (size_t i = 0; i < len && n + 1 < size;) {
        const bool start = i == 0 || !is_alnum(path[i - 1]);
        size_t run = start || (is_digit(path[i]) && !is_digit(path[i - 1]) && in_passing)
                         ? random_run(path + i, len - i, in_passing)
                         : 0;
        ret[n++] = run ? '*' : path[i];
        i += run ? run : 1;
    }
    ret[n] = '\0';
}

enum pt_mapping_kind pt_mapping_name(const char *path, size_t len, char *ret, size_t size,
                                     bool *ret_deleted)
{
    static const char deleted[] = " (deleted)";
    const size_t n = sizeof(deleted) - 1;
    *ret_deleted = len > n && memcmp(path + len - n, deleted, n) == 0;
    if (*ret_deleted)
        len -= n;
    const struct rule *rule = rule_of(path, len, *ret_deleted);
    if (rule && rule->name)
        snprintf(ret, size, "%s", rule->name);
    else if (rule && strcmp(rule->prefix, "/SYSV") == 0) /* the key is the name */
        snprintf(ret, size, "%.*s", (int)(len < size ? len : size), path);
    else
        normalise(path, len, ret, size);
    return rule ? rule->kind : PT_MAPPING_FILE;
}
