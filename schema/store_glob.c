/* SPDX-License-Identifier: MIT
 * Classes of sources and whether two patterns have a name in common: what lets a reader skip
 * blocks. Patterns as in schema/source.h: '*' is any run of bytes but '/', '**' any run. */
#include "schema/store_int.h"

#include <string.h>

/* Path parts that are all digits are pids and thread ids. */
static size_t put_proc(const char *path, char *ret, size_t size)
{
    size_t n = 0;
    while (*path && n + 1 < size) {
        const size_t part = strcspn(path, "/");
        const size_t take = part < size - n - 1 ? part : size - n - 1;
        if (part > 0 && strspn(path, "0123456789") == part) {
            ret[n++] = '*';
        } else {
            memcpy(ret + n, path, take);
            n += take;
        }
        path += part;
        if (*path == '/' && n + 1 < size) {
            ret[n++] = '/';
            path++;
        }
    }
    return n;
}

void pt_source_class(const char *name, char *ret, size_t size)
{
    size_t n = 0;
    if (strlen(name) < size && !strchr(name, '\n')) {
        const char *slash = strrchr(name, '/');
        if (strncmp(name, "proc:", 5) == 0) {
            memcpy(ret, "proc:", 5);
            n = 5 + put_proc(name + 5, ret + 5, size - 5);
        } else if (strncmp(name, "cgroup:", 7) == 0 && slash && strlen(slash + 1) + 10 < size) {
            memcpy(ret, "cgroup:**", 9);
            n = 9 + strlen(slash + 1);
            memcpy(ret + 9, slash + 1, n - 9);
        } else if (strncmp(name, "cgroup:", 7) == 0 && strlen(name) + 3 < size) {
            memcpy(ret, "cgroup:**", 9);
            n = 9 + strlen(name + 7);
            memcpy(ret + 9, name + 7, n - 9);
        } else {
            n = strlen(name);
            memcpy(ret, name, n);
        }
    } else {
        memcpy(ret, "**", 2);
        n = 2;
    }
    ret[n] = '\0';
}

/* Both patterns are walked side by side; a star either ends here or takes what the other side has
 * next. Exponential in the number of stars only, so patterns with many are taken to meet. */
static bool meet(const char *a, const char *b, unsigned *steps)
{
    for (;;) {
        if (++*steps > 20000)
            return true;
        if (*a == '*' || *b == '*') {
            const char *star = *a == '*' ? a : b, *other = *a == '*' ? b : a;
            const bool any = star[1] == '*';
            const char *after = star + (any ? 2 : 1);
            if (meet(after, other, steps))
                return true;
            if (!*other)
                return false;
            if (*other == '*') { /* what the other star takes, this one may take too */
                other += other[1] == '*' ? 2 : 1;
            } else {
                if (*other == '/' && !any)
                    return false;
                other++;
            }
            a = star;
            b = other;
            continue;
        }
        if (*a != *b)
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

bool pt_globs_meet(const char *a, const char *b)
{
    unsigned steps = 0;
    return meet(a, b, &steps);
}
