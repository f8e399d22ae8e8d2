/* SPDX-License-Identifier: MIT
 * Who is who: within one boot by pid and start time; across boots, where those say nothing, by
 * service and program. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diff/diff.h"

struct entry {
    const char *key; /* of name stages */
    int64_t pid, start;
    size_t index;
};

struct side {
    const struct pt_process *v;
    size_t n;
    struct entry *entries;
    size_t nentries;
};

struct job {
    struct side a, b;
    size_t *pair;
    enum pt_match *match;
    bool *taken; /* of b */
    struct pt_arena arena;
};

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_identity(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    const int r = compare(a->pid, b->pid);
    return r ? r : compare(a->start, b->start);
}

static int by_key(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    return strcmp(a->key, b->key);
}

/* Those of one name in the order of their start: the first of a service is its main process. */
static int by_key_and_start(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int r = by_key(x, y);
    if (r == 0)
        r = compare(a->start, b->start);
    return r ? r : compare(a->pid, b->pid);
}

typedef char *key_fn(const struct pt_process *p, struct pt_arena *arena);

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The program, a replaced file's mark left out. */
static size_t program_len(const char *exe)
{
    static const char deleted[] = " (deleted)";
    const size_t n = strlen(exe), m = sizeof(deleted) - 1;
    return n > m && strcmp(exe + n - m, deleted) == 0 ? n - m : n;
}

static char *join(struct pt_arena *arena, const char *a, const char *b, size_t nb)
{
    const size_t na = strlen(a);
    char *key = pt_arena_alloc(arena, na + nb + 2);
    if (key) {
        memcpy(key, a, na);
        key[na] = '\n';
        memcpy(key + na + 1, b, nb);
    }
    return key;
}

static char *key_service_program(const struct pt_process *p, struct pt_arena *arena)
{
    if (!p->service || p->kernel)
        return NULL;
    const char *program = p->exe ? last_part(p->exe) : p->comm ? p->comm : "";
    return join(arena, p->service, program, p->exe ? program_len(program) : strlen(program));
}

static char *key_service(const struct pt_process *p, struct pt_arena *arena)
{
    return p->service && !p->kernel ? join(arena, p->service, "", 0) : NULL;
}

static char *key_exe_uid(const struct pt_process *p, struct pt_arena *arena)
{
    char uid[32];
    snprintf(uid, sizeof(uid), p->kernel ? "kernel" : "%" PRId64, p->uid);
    if (p->exe)
        return join(arena, uid, p->exe, program_len(p->exe));
    return p->comm ? join(arena, uid, p->comm, strlen(p->comm)) : NULL;
}

static void collect(struct side *s, const struct job *j, bool is_a, key_fn *key,
                    struct pt_arena *arena)
{
    s->nentries = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct pt_process *p = &s->v[i];
        if (is_a ? j->pair[i] != SIZE_MAX : j->taken[i])
            continue;
        if (!key && p->start_time == PT_UNKNOWN) /* a pid alone is nobody */
            continue;
        char *k = key ? key(p, arena) : NULL;
        if (key && !k)
            continue;
        s->entries[s->nentries++] =
            (struct entry){.key = k, .pid = p->pid, .start = p->start_time, .index = i};
    }
}

/* Pairs what stands at equal places of equal keys. */
static void stage(struct job *j, key_fn *key, enum pt_match match)
{
    int (*const order)(const void *, const void *) = key ? by_key_and_start : by_identity;
    int (*const equal)(const void *, const void *) = key ? by_key : by_identity;
    collect(&j->a, j, true, key, &j->arena);
    collect(&j->b, j, false, key, &j->arena);
    if (j->a.nentries > 1)
        qsort(j->a.entries, j->a.nentries, sizeof(struct entry), order);
    if (j->b.nentries > 1)
        qsort(j->b.entries, j->b.nentries, sizeof(struct entry), order);
    for (size_t x = 0, y = 0; x < j->a.nentries && y < j->b.nentries;) {
        const int r = equal(&j->a.entries[x], &j->b.entries[y]);
        if (r == 0) {
            j->pair[j->a.entries[x].index] = j->b.entries[y].index;
            j->match[j->a.entries[x].index] = match;
            j->taken[j->b.entries[y].index] = true;
        }
        x += r <= 0;
        y += r >= 0;
    }
}

int pt_match_processes(const struct pt_process *a, size_t na, const struct pt_process *b, size_t nb,
                       bool same_boot, size_t *ret_pair, enum pt_match *ret_match,
                       struct pt_err *err)
{
    struct job j = {
        .a = {.v = a, .n = na}, .b = {.v = b, .n = nb}, .pair = ret_pair, .match = ret_match};
    j.a.entries = calloc(na + 1, sizeof(struct entry));
    j.b.entries = calloc(nb + 1, sizeof(struct entry));
    j.taken = calloc(nb + 1, sizeof(bool));
    const bool ok = j.a.entries && j.b.entries && j.taken;
    for (size_t i = 0; i < na; i++) {
        ret_pair[i] = SIZE_MAX;
        ret_match[i] = PT_MATCH_NONE;
    }
    if (ok && same_boot) {
        stage(&j, NULL, PT_MATCH_IDENTITY);
    } else if (ok) {
        stage(&j, key_service_program, PT_MATCH_SERVICE);
        stage(&j, key_service, PT_MATCH_SERVICE);
        stage(&j, key_exe_uid, PT_MATCH_EXE);
    }
    free(j.a.entries);
    free(j.b.entries);
    free(j.taken);
    pt_arena_release(&j.arena);
    return ok ? 0 : pt_err_nomem(err);
}

static void put(struct pt_diff *d, const struct pt_process *a, const struct pt_process *b,
                enum pt_match match)
{
    d->processes[d->nprocesses++] = (struct pt_diff_process){
        .before = a,
        .after = b,
        .side = a && b ? PT_SIDE_BOTH
                : b    ? PT_SIDE_NEW
                       : PT_SIDE_GONE,
        .match = match,
    };
}

int pt_diff_match(struct pt_diff *d, struct pt_err *err)
{
    const struct pt_processes *a = &d->from->processes, *b = &d->to->processes;
    size_t *pair = calloc(a->n + 1, sizeof(*pair));
    enum pt_match *match = calloc(a->n + 1, sizeof(*match));
    bool *taken = calloc(b->n + 1, sizeof(*taken));
    d->processes = calloc(a->n + b->n + 1, sizeof(*d->processes));
    int rc = pair && match && taken && d->processes ? 0 : pt_err_nomem(err);
    if (rc == 0)
        rc = pt_match_processes(a->v, a->n, b->v, b->n, !d->other_boot, pair, match, err);
    for (size_t i = 0; rc == 0 && i < a->n; i++) {
        const bool paired = pair[i] != SIZE_MAX;
        put(d, &a->v[i], paired ? &b->v[pair[i]] : NULL, match[i]);
        if (paired)
            taken[pair[i]] = true;
    }
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        if (!taken[i])
            put(d, NULL, &b->v[i], PT_MATCH_NONE);
    }
    free(pair);
    free(match);
    free(taken);
    return rc;
}
