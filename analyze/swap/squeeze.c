/* SPDX-License-Identifier: MIT
 * Which control groups ran into their own limit while an episode lasted: who grows elsewhere, with
 * all the memory it wants, pushes nobody in there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/swap/whom.h"

/* A group that hit its limit so much more rarely than another is not what it is about. */
#define LEAST_SHARE 0.02

/* "cgroup:memory/a/b/memory.failcnt" is of "/a/b". */
static const char *path_of(const char *source, char *buf, size_t size)
{
    static const char *const roots[] = {"cgroup:memory/", "cgroup:unified/", "cgroup:"};
    size_t skip = 0;
    for (size_t i = 0; i < sizeof(roots) / sizeof(*roots) && !skip; i++)
        skip = strncmp(source, roots[i], strlen(roots[i])) == 0 ? strlen(roots[i]) : 0;
    const char *file = strrchr(source + skip, '/');
    const size_t len = file ? (size_t)(file - source) - skip : 0;
    if (len + 2 > size)
        return NULL;
    buf[0] = '/';
    memcpy(buf + 1, source + skip, len);
    buf[len + 1] = '\0';
    return buf;
}

static void add(struct pt_squeezes *s, uint32_t episode, int64_t hits)
{
    char path[4096];
    if (!path_of(s->source, path, sizeof(path)))
        return;
    for (size_t i = s->n; i-- > 0;) {
        struct pt_squeeze *one = &s->v[i];
        if (one->episode != episode || strcmp(one->path, path) != 0)
            continue;
        if (__builtin_add_overflow(one->hits, hits, &one->hits))
            one->hits = INT64_MAX;
        return;
    }
    if (s->n == s->cap) {
        const size_t cap = s->cap ? s->cap * 2 : 16;
        struct pt_squeeze *v = realloc(s->v, cap * sizeof(*v));
        s->nomem |= !v;
        if (!v)
            return;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n] = (struct pt_squeeze){strdup(path), episode, hits};
    s->nomem |= !s->v[s->n].path;
    s->n += s->v[s->n].path != NULL;
}

int pt_squeeze_point(void *ctx, const struct pt_point *p)
{
    struct pt_squeezes *s = ctx;
    const double at = pt_timeline_at(s->timeline, p->boot, p->boot_us);
    int64_t rise;
    if (strcmp(s->source, p->source) != 0) {
        const size_t n = strnlen(p->source, sizeof(s->source) - 1);
        memcpy(s->source, p->source, n);
        s->source[n] = '\0';
        s->known = 0;
    }
    if (!p->known || isnan(at)) {
        s->known = 0;
        return 0;
    }
    const uint32_t bit = 1u << p->which;
    const bool risen =
        (s->known & bit) && !__builtin_sub_overflow(p->ivalue, s->was[p->which], &rise) && rise > 0;
    s->was[p->which] = p->ivalue;
    s->known |= bit;
    for (size_t i = 0; risen && i < s->nwindows && s->windows[i].from < at; i++)
        if (at <= s->windows[i].to)
            add(s, s->windows[i].episode, rise);
    return s->nomem ? -1 : 0;
}

static bool above(const char *group, const char *path)
{
    const size_t len = strlen(group);
    return strcmp(group, "/") == 0 ||
           (strncmp(group, path, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

bool pt_squeeze_holds(const struct pt_squeezes *s, uint32_t episode, const char *path,
                      bool *ret_any)
{
    int64_t most = 0;
    bool holds = false;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].episode == episode && s->v[i].hits > most)
            most = s->v[i].hits;
    for (size_t i = 0; i < s->n && path; i++)
        holds |= s->v[i].episode == episode && above(s->v[i].path, path) &&
                 (double)s->v[i].hits >= LEAST_SHARE * (double)most;
    *ret_any = most > 0;
    return holds;
}

void pt_squeezes_release(struct pt_squeezes *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].path);
    free(s->v);
    *s = (struct pt_squeezes){0};
}
