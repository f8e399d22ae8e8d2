/* SPDX-License-Identifier: MIT
 * First looks at processes. Thousands of lives come and go in a long recording, and most do
 * nothing: of those the cells are given back as soon as they have been ruled on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"
#include "schema/source.h"

const struct pt_suspect pt_suspects[PT_SUSPECTS] = {
    {PT_LIFE_ANON, "anon"},
    {PT_LIFE_SHMEM, "shmem"},
    {PT_LIFE_PTE, "page-tables"},
    {PT_LIFE_HUGETLB, "hugetlb"},
};

bool pt_leaks_suspicious(const struct pt_ruling *r)
{
    return pt_verdict_alarms(r->verdict) || r->verdict == PT_UNDETERMINED ||
           (r->growth > 0 && r->verdict != PT_STABLE && r->verdict != PT_INSUFFICIENT);
}

/* Before Linux 6.2 each thread keeps up to 64 pages back. */
static double noise_of(double threads)
{
    return PT_BATCH * fmax(1, (isnan(threads) ? 1 : fmin(threads, 16)) / 4);
}

struct pt_case pt_leaks_case(const struct pt_serie *memory, const struct pt_curve *t)
{
    const struct pt_curve *k = &memory->track[PT_LIFE_THREADS];
    const double threads = k->holds ? k->last_value : NAN;
    return (struct pt_case){.track = t,
                            .from = t->start,
                            .to = t->last,
                            .noise = noise_of(threads),
                            .threads = threads};
}

/* ---- what is kept ---- */

static bool first_of(const struct pt_looks *w, struct pt_case *c, struct pt_first *ret)
{
    struct pt_ruling r;
    c->interval = w->l->timeline.interval;
    c->headroom = NAN;
    c->local = (double)w->l->timeline.first_us / 1e6 + w->l->timeline.utc_offset_s;
    pt_judge(c, &r);
    *ret = pt_first_of(&r);
    if (r.verdict == PT_STABLE || r.verdict == PT_INSUFFICIENT)
        return true;
    ret->moved = malloc(sizeof(*ret->moved));
    if (ret->moved)
        *ret->moved = r;
    return ret->moved != NULL;
}

static bool room_for(void *array, size_t *n, size_t size, uint32_t index)
{
    char **p = array;
    size_t want = *n ? *n : 256;
    while (want <= index)
        want *= 2;
    if (want == *n)
        return true;
    char *v = realloc(*p, want * size);
    if (!v)
        return false;
    memset(v + *n * size, 0, (want - *n) * size);
    *p = v;
    *n = want;
    return true;
}

static int64_t pid_of(const struct pt_serie *s)
{
    const char *leaf;
    return pt_source_pid(s->source, &leaf);
}

size_t pt_leaks_lower(const int64_t *pids, size_t n, int64_t pid)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (pids[mid] < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool is_suspect(const struct pt_looks *w, int64_t pid)
{
    const size_t at = pt_leaks_lower(w->pids, w->npids, pid);
    return at < w->npids && w->pids[at] == pid;
}

static bool note_suspect(struct pt_looks *w, int64_t pid)
{
    const size_t at = pt_leaks_lower(w->pids, w->npids, pid);
    if (is_suspect(w, pid))
        return true;
    if (w->npids == w->pids_cap) {
        const size_t cap = w->pids_cap ? w->pids_cap * 2 : 64;
        int64_t *v = realloc(w->pids, cap * sizeof(*v));
        if (!v)
            return false;
        w->pids = v;
        w->pids_cap = cap;
    }
    memmove(&w->pids[at + 1], &w->pids[at], (w->npids++ - at) * sizeof(*w->pids));
    w->pids[at] = pid;
    return true;
}

/* ---- looking ---- */

void pt_looks_memory(void *looks, struct pt_serie *s)
{
    struct pt_looks *w = looks;
    bool keep[PT_LIFE_MEASURES] = {false};
    if (!room_for(&w->past, &w->npast, sizeof(*w->past), s->index)) {
        w->nomem = true;
        return;
    }
    struct pt_past *past = &w->past[s->index];
    past->judged = true;
    for (unsigned i = 0; i < PT_SUSPECTS; i++) {
        const struct pt_curve *t = &s->track[pt_suspects[i].measure];
        if (!t->holds)
            continue;
        struct pt_case c = pt_leaks_case(s, t);
        w->nomem |= !first_of(w, &c, &past->first[i]);
        const bool suspicious = past->first[i].moved && pt_leaks_suspicious(past->first[i].moved);
        keep[pt_suspects[i].measure] = suspicious;
        past->suspicious |= suspicious;
    }
    if (s->track[PT_LIFE_ANON].holds)
        pt_rise_of(&s->track[PT_LIFE_ANON], &past->rise);
    keep[PT_LIFE_THREADS] = past->suspicious; /* its load */
    if (past->suspicious)
        w->nomem |= !note_suspect(w, pid_of(s));
    for (unsigned m = 0; m < PT_LIFE_MEASURES; m++)
        if (!keep[m])
            pt_curve_release(&s->track[m]);
}

/* May the memory of its process be suspected yet, whose load it then stands for? */
static bool is_load(const struct pt_looks *w, const struct pt_serie *s)
{
    char name[48];
    const int64_t pid = pid_of(s);
    snprintf(name, sizeof(name), "proc:%lld/status", (long long)pid);
    const struct pt_serie *memory = pt_series_newest(w->status, name);
    const bool open = memory && memory->from <= s->to &&
                      (memory->index >= w->npast || !w->past[memory->index].judged);
    return open || is_suspect(w, pid);
}

void pt_looks_fds(void *looks, struct pt_serie *s)
{
    struct pt_looks *w = looks;
    struct pt_curve *t = &s->track[0];
    if (!room_for(&w->fds, &w->nfds, sizeof(*w->fds), s->index)) {
        w->nomem = true;
        return;
    }
    struct pt_case c = {.track = t,
                        .from = t->start,
                        .to = t->last,
                        .noise = 16 * PT_FD_BYTES,
                        .owner = PT_OWNER_KERNEL,
                        .threads = NAN};
    if (t->holds)
        w->nomem |= !first_of(w, &c, &w->fds[s->index]);
    if (!is_load(w, s))
        pt_curve_release(t);
}

/* ---- afterwards ---- */

static const struct pt_past *past_of(const struct pt_looks *w, const struct pt_life *life)
{
    return life->memory && life->memory->index < w->npast ? &w->past[life->memory->index] : NULL;
}

const struct pt_first *pt_looks_first(const struct pt_looks *w, const struct pt_life *life,
                                      unsigned suspect)
{
    const struct pt_past *past = past_of(w, life);
    return past && past->first[suspect].any ? &past->first[suspect] : NULL;
}

const struct pt_rise *pt_looks_rise(const struct pt_looks *w, const struct pt_life *life)
{
    const struct pt_past *past = past_of(w, life);
    return past ? &past->rise : NULL;
}

void pt_looks_release(struct pt_looks *w)
{
    for (size_t i = 0; i < w->npast; i++)
        for (unsigned k = 0; k < PT_SUSPECTS; k++)
            free(w->past[i].first[k].moved);
    for (size_t i = 0; i < w->nfds; i++)
        free(w->fds[i].moved);
    free(w->past);
    free(w->fds);
    free(w->pids);
    *w = (struct pt_looks){0};
}
