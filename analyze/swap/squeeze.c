/* SPDX-License-Identifier: MIT
 * Which control groups ran into their own limit while an episode lasted: who grows elsewhere, with
 * all the memory it wants, pushes nobody in there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/swap/whom.h"
#include "schema/array.h"

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

/* What was told of this source in this segment stands at the end, the newest episode last. */
static void add(struct pt_squeezes *s, uint32_t episode, int64_t hits)
{
    for (size_t i = s->n; i-- > s->begun;) {
        struct pt_squeeze *one = &s->v[i];
        if (one->episode != episode)
            continue;
        if (__builtin_add_overflow(one->hits, hits, &one->hits))
            one->hits = INT64_MAX;
        return;
    }
    struct pt_squeeze *v = pt_array_room(s->v, s->n, &s->cap, sizeof(*v));
    s->nomem |= !v;
    if (!v)
        return;
    s->v = v;
    char path[4096];
    const char *told = path_of(s->source, path, sizeof(path));
    if (!told)
        return;
    s->v[s->n] = (struct pt_squeeze){strdup(told), episode, hits};
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
        s->begun = s->n;
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
    for (size_t i = risen ? pt_window_first(s->latest, s->nwindows, at) : s->nwindows;
         i < s->nwindows && s->windows[i].from < at; i++)
        if (at <= s->windows[i].to)
            add(s, s->windows[i].episode, rise);
    return s->nomem ? -1 : 0;
}

static int by_episode(const void *a, const void *b)
{
    const struct pt_squeeze *x = a, *y = b;
    if (x->episode != y->episode)
        return x->episode < y->episode ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* What one group was told of segment after segment, by several counters, is one. */
void pt_squeezes_end(struct pt_squeezes *s)
{
    size_t n = 0;
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), by_episode);
    for (size_t i = 0; i < s->n; i++) {
        struct pt_squeeze *last = n ? &s->v[n - 1] : NULL;
        if (!last || by_episode(last, &s->v[i]) != 0) {
            s->v[n++] = s->v[i];
            continue;
        }
        if (__builtin_add_overflow(last->hits, s->v[i].hits, &last->hits))
            last->hits = INT64_MAX;
        free(s->v[i].path);
    }
    s->n = n;
}

static bool above(const char *group, const char *path)
{
    const size_t len = strlen(group);
    return strcmp(group, "/") == 0 ||
           (strncmp(group, path, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

bool pt_squeeze_holds(const struct pt_squeezes *s, uint32_t episode, const char *path)
{
    size_t lo = 0, hi = s->n;
    int64_t most = 0;
    bool holds = false;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (s->v[mid].episode < episode)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (size_t i = lo; i < s->n && s->v[i].episode == episode; i++)
        most = s->v[i].hits > most ? s->v[i].hits : most;
    for (size_t i = lo; i < s->n && path && s->v[i].episode == episode && !holds; i++)
        holds = above(s->v[i].path, path) && (double)s->v[i].hits >= LEAST_SHARE * (double)most;
    return holds;
}

void pt_squeezes_release(struct pt_squeezes *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].path);
    free(s->v);
    *s = (struct pt_squeezes){0};
}
