/* SPDX-License-Identifier: MIT
 * Processes summed by what they belong to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diff/diff.h"

struct member {
    const char *key; /* NULL: none */
    const struct pt_process *p;
    bool after; /* which side */
};

static const char *user_key(struct pt_arena *arena, const struct pt_process *p)
{
    char uid[32];
    if (p->uid == PT_UNKNOWN)
        return NULL;
    snprintf(uid, sizeof(uid), "%" PRId64, p->uid);
    return pt_arena_copy(arena, uid, strlen(uid));
}

const char *pt_group_key(struct pt_arena *arena, const struct pt_process *p, enum pt_by by)
{
    switch (by) {
    case PT_BY_EXE:
        return p->exe ? p->exe : p->kernel ? "[kernel threads]" : NULL;
    case PT_BY_SERVICE:
        return p->service;
    case PT_BY_CGROUP:
        return p->cgroup;
    case PT_BY_USER:
        return user_key(arena, p);
    case PT_BY_PROCESS:
        break;
    }
    return NULL;
}

static int member_order(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    if (!a->key || !b->key)
        return (a->key != NULL) - (b->key != NULL);
    return strcmp(a->key, b->key);
}

/* Sums of one side. A measure is known when it is known of every member that has memory of its own.
 */
struct sum {
    int64_t count, v[PT_MEASURES];
    bool unknown[PT_MEASURES];
};

static void add(struct sum *s, const struct pt_process *p)
{
    s->count++;
    for (unsigned i = 0; i < PT_MEASURES; i++) {
        if (p->m[i] == PT_UNKNOWN)
            s->unknown[i] |= !p->kernel && p->state != 'Z';
        else if (__builtin_add_overflow(s->v[i], p->m[i], &s->v[i]))
            s->unknown[i] = true;
    }
}

static int64_t value(const struct sum *s, unsigned measure)
{
    return s->unknown[measure] ? PT_UNKNOWN : s->v[measure];
}

static void put(struct pt_diff *d, const char *name, const struct sum *a, const struct sum *b)
{
    struct pt_diff_group *g = &d->groups[d->ngroups++];
    g->name = name;
    g->count = pt_change_of(true, a->count, true, b->count);
    for (unsigned i = 0; i < PT_MEASURES; i++)
        g->m[i] = pt_change_of(a->count > 0, value(a, i), b->count > 0, value(b, i));
    const int64_t anon = g->m[PT_ANON].delta, swap = g->m[PT_SWAP].delta;
    g->weight = anon == PT_UNKNOWN ? g->m[PT_RSS].delta : anon + (swap == PT_UNKNOWN ? 0 : swap);
}

static uint64_t magnitude(int64_t v)
{
    return v == PT_UNKNOWN ? 0 : v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static int group_order(const void *x, const void *y)
{
    const struct pt_diff_group *a = x, *b = y;
    const uint64_t p = magnitude(a->weight), q = magnitude(b->weight);
    if (p != q)
        return p < q ? 1 : -1;
    return strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

/* A process counts on each side for what it was there: one that moved to another cgroup left the
 * first. */
static size_t list_members(struct pt_diff *d, enum pt_by by, struct member *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < d->nprocesses; i++) {
        const struct pt_diff_process *p = &d->processes[i];
        if (p->before)
            ret[n++] = (struct member){pt_group_key(&d->arena, p->before, by), p->before, false};
        if (p->after)
            ret[n++] = (struct member){pt_group_key(&d->arena, p->after, by), p->after, true};
    }
    return n;
}

int pt_diff_group_by(struct pt_diff *d, enum pt_by by, struct pt_err *err)
{
    if (by == PT_BY_PROCESS || d->nprocesses == 0)
        return 0;
    struct member *members = calloc(d->nprocesses * 2, sizeof(*members));
    d->groups = calloc(d->nprocesses * 2, sizeof(*d->groups));
    if (!members || !d->groups) {
        free(members);
        return pt_err_nomem(err);
    }
    const size_t n = list_members(d, by, members);
    qsort(members, n, sizeof(*members), member_order);
    for (size_t i = 0; i < n;) {
        struct sum sums[2] = {0};
        const size_t first = i;
        while (i < n && member_order(&members[first], &members[i]) == 0) {
            add(&sums[members[i].after], members[i].p);
            i++;
        }
        put(d, members[first].key, &sums[0], &sums[1]);
    }
    free(members);
    qsort(d->groups, d->ngroups, sizeof(*d->groups), group_order);
    return 0;
}
