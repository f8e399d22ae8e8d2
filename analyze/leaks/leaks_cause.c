/* SPDX-License-Identifier: MIT
 * One root cause is one finding: what another finding explains is taken out of the alarms. */
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"

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

/* Of the findings about one process the largest stands. */
static bool lesser(const struct pt_leaks *l, const struct pt_finding *f)
{
    if (f->subject != PT_SUBJECT_PROCESS)
        return false;
    for (size_t i = 0; i < l->n; i++) {
        const struct pt_finding *o = &l->v[i];
        if (o != f && o->subject == PT_SUBJECT_PROCESS && o->life == f->life && alarms(o) &&
            (o->ruling.growth > f->ruling.growth ||
             (!(o->ruling.growth < f->ruling.growth) && o < f)))
            return true;
    }
    return false;
}

void pt_leaks_one_cause(struct pt_leaks *l)
{
    size_t kept = 0;
    /* all by what was there before any was taken out; without memory for it all stay */
    bool *gone = calloc(l->n ? l->n : 1, sizeof(*gone));
    for (size_t i = 0; gone && i < l->n; i++)
        gone[i] = alarms(&l->v[i]) &&
                  (lesser(l, &l->v[i]) || explained(l, &l->v[i]) >= SHARE * l->v[i].ruling.growth);
    for (size_t i = 0; i < l->n; i++) {
        if (!gone || !gone[i])
            l->v[kept++] = l->v[i];
    }
    l->n = kept;
    free(gone);
}
