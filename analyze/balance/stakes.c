/* SPDX-License-Identifier: MIT
 * Stakes of processes, slab caches and the kernel's own counters. */
#include "analyze/balance/stakes.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/picture/items.h"
#include "schema/array.h"

void pt_stakes_add(struct pt_stakes *s, const struct pt_stake *one)
{
    if (one->bytes == PT_UNKNOWN || one->bytes == 0 || s->nomem)
        return;
    struct pt_stake *v = pt_array_room(s->v, s->n, &s->cap, sizeof(*v));
    s->nomem |= !v;
    if (!v)
        return;
    s->v = v;
    s->v[s->n] = *one;
    s->v[s->n++].after = s->after;
}

void pt_stakes_release(struct pt_stakes *s)
{
    free(s->v);
    s->v = NULL;
    s->n = s->cap = 0;
}

/* ---- anonymous memory ---- */

/* How much of a process's anonymous memory is others' share of it, by its last smaps. */
static int64_t shared_of(const struct pt_process *p)
{
    int64_t shared;
    if (!p || p->deep_anon == PT_UNKNOWN || p->deep_anon_pss == PT_UNKNOWN ||
        __builtin_sub_overflow(p->deep_anon, p->deep_anon_pss, &shared))
        return PT_UNKNOWN;
    return shared > 0 ? shared : 0;
}

/* What it has now less what it shared when smaps was read; unseen is what has come since. */
static void add_process(struct pt_stakes *s, const struct pt_process *p, int64_t shared,
                        const char *key)
{
    const int64_t now = p->m[PT_ANON], seen = p->deep_anon;
    struct pt_stake one = {.kind = s->by == PT_BY_PROCESS ? PT_HOLDER_PROCESS : PT_HOLDER_GROUP,
                           .key = key,
                           .process = s->by == PT_BY_PROCESS ? p : NULL};
    if (now == PT_UNKNOWN) {
        one.bytes = p->deep_anon_pss;
    } else {
        one.bytes = shared == PT_UNKNOWN ? now : now > shared ? now - shared : 0;
        one.unseen = seen == PT_UNKNOWN ? one.bytes : now > seen ? now - seen : 0;
        if (one.unseen > one.bytes)
            one.unseen = one.bytes;
    }
    pt_stakes_add(s, &one);
}

/* By number: a process may be in one picture alone, and bear another pid in the other. */
static const char *number_key(struct pt_stakes *s, size_t i)
{
    char key[24];
    const int n = snprintf(key, sizeof(key), "%zu", i);
    const char *copy = pt_arena_copy(s->arena, key, (size_t)n);
    s->nomem |= !copy;
    return copy;
}

static const char *key_of(struct pt_stakes *s, const struct pt_process *p, size_t i)
{
    return s->by == PT_BY_PROCESS ? number_key(s, i) : pt_group_key(s->arena, p, s->by);
}

void pt_stakes_anon(struct pt_stakes *s, const struct pt_picture *p)
{
    for (size_t i = 0; i < p->processes.n; i++)
        add_process(s, &p->processes.v[i], shared_of(&p->processes.v[i]),
                    key_of(s, &p->processes.v[i], i));
}

void pt_stakes_anon_pair(struct pt_stakes *s, const struct pt_diff *d)
{
    for (size_t i = 0; i < d->nprocesses; i++) {
        const struct pt_process *const ends[2] = {d->processes[i].before, d->processes[i].after};
        int64_t shared[2] = {shared_of(ends[0]), shared_of(ends[1])};
        for (unsigned k = 0; k < 2; k++) {
            s->after = k == 1;
            if (ends[k])
                add_process(s, ends[k], shared[k] == PT_UNKNOWN ? shared[!k] : shared[k],
                            key_of(s, ends[k], i));
        }
    }
}

/* ---- counters of the kernel ---- */

int pt_stakes_slabs(struct pt_stakes *s, const struct pt_picture *p, struct pt_err *err)
{
    (void)err;
    for (size_t i = 0; i < p->slabs.n; i++)
        pt_stakes_add(s, &(struct pt_stake){.kind = PT_HOLDER_SLAB,
                                            .key = p->slabs.v[i].name,
                                            .bytes = p->slabs.v[i].bytes});
    return 0;
}

int pt_stakes_cache(struct pt_stakes *s, const struct pt_picture *p, struct pt_err *err)
{
    (void)err;
    pt_stakes_add(s, &(struct pt_stake){.kind = PT_HOLDER_PART,
                                        .key = "block devices",
                                        .bytes = p->mem.v[PT_MEM_BUFFERS]});
    return 0;
}

int pt_stakes_hugetlb(struct pt_stakes *s, const struct pt_picture *p, struct pt_err *err)
{
    (void)err;
    pt_stakes_add(s, &(struct pt_stake){.kind = PT_HOLDER_PART,
                                        .key = "free in the pool",
                                        .bytes = pt_items_times(p->mem.v[PT_MEM_HUGE_FREE],
                                                                p->mem.v[PT_MEM_HUGE_SIZE])});
    return 0;
}
