/* SPDX-License-Identifier: MIT
 * One root cause is one finding: what another finding explains is taken out of the alarms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"
#include "analyze/print/units.h"

/* So much of the growth must be explained. */
#define SHARE 0.5
/* Kernel memory an open file may take at the most: a socket with its buffers. */
#define FD_MOST 8.0 /* times what a descriptor is taken as */

static bool alarms(const struct pt_finding *f)
{
    return pt_verdict_alarms(f->ruling.verdict);
}

static bool is(const struct pt_finding *f, enum pt_subject subject, const char *what)
{
    return f->subject == subject && strcmp(f->what, what) == 0;
}

static double change(const struct pt_curve *t)
{
    return t ? t->last_value - t->first_value : 0;
}

/* Growth of the alarms of one kind. */
static double grown(const struct pt_leaks *l, enum pt_subject subject, const char *what)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        if (is(&l->v[i], subject, what) && alarms(&l->v[i]))
            sum += l->v[i].ruling.growth;
    return sum;
}

static double lives_grown(const struct pt_leaks *l, enum pt_life_measure m)
{
    double sum = 0;
    for (size_t i = 0; i < l->lives.n; i++)
        if (!l->lives.v[i].died)
            sum += change(pt_life_track(&l->lives.v[i], m));
    return sum;
}

/* Shared memory that a process maps belongs to what it is named by: a System V segment, a file of a
 * tmpfs. memfd and anonymous shared memory is the process's own. */
static double owned_elsewhere(const struct pt_leaks *l, const struct pt_finding *f)
{
    double sum = 0;
    for (int i = 0; i < f->parts.ntop; i++) {
        const struct pt_grown *g = &f->parts.top[i];
        if (g->of != PT_CLASS_SHMEM)
            continue;
        if (strncmp(g->name, "/SYSV", 5) == 0 && grown(l, PT_SUBJECT_SHM, "shmem") > 0)
            sum += g->growth;
        for (size_t k = 0; k < l->n; k++) {
            const struct pt_finding *o = &l->v[k];
            if (is(o, PT_SUBJECT_TMPFS, "tmpfs") && alarms(o) &&
                strncmp(g->name, o->name, strlen(o->name)) == 0)
                sum += g->growth;
        }
    }
    return sum;
}

static double explained(const struct pt_leaks *l, const struct pt_finding *f)
{
    const double fds = grown(l, PT_SUBJECT_PROCESS, "descriptors");
    if (f->subject == PT_SUBJECT_SLAB)
        return fds > 0 && f->ruling.growth <= fds * FD_MOST ? f->ruling.growth : 0;
    if (strncmp(f->what, "slab-", 5) == 0)
        return fds * FD_MOST + grown(l, PT_SUBJECT_SLAB, "slab");
    if (is(f, PT_SUBJECT_KERNEL, "page-tables"))
        return lives_grown(l, PT_LIFE_PTE);
    if (strcmp(f->what, "kernel-stacks") == 0 || strcmp(f->what, "vmalloc") == 0)
        return lives_grown(l, PT_LIFE_THREADS) * 16384;
    if (is(f, PT_SUBJECT_SYSTEM, "shmem"))
        return grown(l, PT_SUBJECT_TMPFS, "tmpfs") + grown(l, PT_SUBJECT_SHM, "shmem") +
               grown(l, PT_SUBJECT_PROCESS, "shmem");
    if (is(f, PT_SUBJECT_PROCESS, "shmem"))
        return owned_elsewhere(l, f);
    return 0;
}

/* What a process takes of the kernel besides comes of the memory that it takes, or with it. Private
 * memory, shared memory and huge pages are taken each by a call of its own. */
static bool takes(const struct pt_finding *f)
{
    return f->anon || strcmp(f->what, "shmem") == 0 || strcmp(f->what, "hugetlb") == 0;
}

static bool greater(const struct pt_finding *o, const struct pt_finding *f)
{
    return o->ruling.growth > f->ruling.growth || (!(o->ruling.growth < f->ruling.growth) && o < f);
}

/* The one object of shared memory that a finding is about; NULL: private memory, or many. */
static const struct pt_grown *object_of(const struct pt_finding *f)
{
    if (!is(f, PT_SUBJECT_PROCESS, "shmem"))
        return NULL;
    for (int i = 0; i < f->parts.ntop; i++)
        if (f->parts.top[i].of == PT_CLASS_SHMEM && f->parts.top[i].inode &&
            f->parts.top[i].growth >= SHARE * f->ruling.growth)
            return &f->parts.top[i];
    return NULL;
}

static bool same_object(const struct pt_finding *a, const struct pt_finding *b)
{
    const struct pt_grown *x = object_of(a), *y = object_of(b);
    return x && y && x->inode == y->inode && strcmp(x->name, y->name) == 0;
}

/* The finding that stands for this one too: about the same shared memory, or the same process.
 * Those before it in left are greater, and it is settled who stands for them. */
static struct pt_finding *stands_for(struct pt_finding *const *left, const struct pt_finding *f,
                                     bool objects)
{
    for (size_t i = 0; left[i] != f; i++) {
        struct pt_finding *o = left[i];
        const bool same = objects ? o->life != f->life && same_object(o, f)
                                  : o->life == f->life && !(takes(o) && takes(f));
        if (same && !o->stood_for && f->subject == PT_SUBJECT_PROCESS &&
            o->subject == PT_SUBJECT_PROCESS)
            return o;
    }
    return NULL;
}

static void tell_beside(struct pt_finding *o, const struct pt_finding *f)
{
    char size[PT_UNITS_BUF];
    pt_units_bytes(size, sizeof(size), (int64_t)f->ruling.growth, false);
    if (o->life == f->life) {
        pt_evidence_add(&o->ruling, "beside", f->ruling.growth, NAN, true,
                        "its %s grew too, by %s: %s", f->what, size,
                        pt_verdict_name(f->ruling.verdict));
        return;
    }
    pt_evidence_add(&o->ruling, "beside", f->ruling.growth, NAN, true,
                    "process %lld maps the same memory", (long long)f->life->pid);
}

static int greatest_first(const void *a, const void *b)
{
    const struct pt_finding *x = *(struct pt_finding *const *)a,
                            *y = *(struct pt_finding *const *)b;
    return x == y ? 0 : greater(x, y) ? -1 : 1;
}

void pt_leaks_one_cause(struct pt_leaks *l)
{
    size_t kept = 0, n = 0;
    bool *gone = calloc(l->n + 1, sizeof(*gone));
    struct pt_finding **left = calloc(l->n + 1, sizeof(struct pt_finding *));
    /* all by what was there before any was taken out; without memory for it all stay */
    for (size_t i = 0; gone && left && i < l->n; i++) {
        struct pt_finding *f = &l->v[i];
        gone[i] = alarms(f) && explained(l, f) >= SHARE * f->ruling.growth;
        f->stood_for = NULL;
        if (alarms(f) && !gone[i])
            left[n++] = f;
    }
    if (n)
        qsort(left, n, sizeof(struct pt_finding *), greatest_first);
    /* objects first: what a process shows beside is told of a finding that stays */
    for (size_t k = 0; k < 2 * n; k++) {
        struct pt_finding *f = left[k % n];
        f->stood_for = f->stood_for ? f->stood_for : stands_for(left, f, k < n);
    }
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].stood_for)
            tell_beside(l->v[i].stood_for, &l->v[i]);
    for (size_t i = 0; i < l->n; i++) {
        if (!gone || !(gone[i] || l->v[i].stood_for))
            l->v[kept++] = l->v[i];
    }
    l->n = kept;
    free(gone);
    free(left);
}
