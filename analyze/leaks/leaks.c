/* SPDX-License-Identifier: MIT
 * From series to findings. A first ruling on everything costs little; what it suspects is looked at
 * again with what stands for load and with the mappings that hold the growth. */
#include "analyze/leaks/leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyze/leaks/leaks_int.h"
#include "analyze/print/units.h"

#define MIB 1048576.0
/* Benjamini-Hochberg's q over all series; a z of 4 passes alone. */
#define FALSE_DISCOVERY 0.01
#define Z_ALONE         4.0

const char *pt_subject_name(enum pt_subject s)
{
    static const char *const names[] = {
        [PT_SUBJECT_PROCESS] = "process", [PT_SUBJECT_SERVICE] = "service",
        [PT_SUBJECT_SLAB] = "slab",       [PT_SUBJECT_TMPFS] = "tmpfs",
        [PT_SUBJECT_SHM] = "shm",         [PT_SUBJECT_KERNEL] = "kernel",
        [PT_SUBJECT_SYSTEM] = "system",
    };
    return names[s];
}

struct pt_finding *pt_leaks_add(struct pt_leaks *l, enum pt_subject subject, const char *what)
{
    if (l->n == l->cap) {
        const size_t cap = l->cap ? l->cap * 2 : 64;
        struct pt_finding *v = realloc(l->v, cap * sizeof(*v));
        if (!v)
            return NULL;
        l->v = v;
        l->cap = cap;
    }
    struct pt_finding *f = &l->v[l->n++];
    *f = (struct pt_finding){.subject = subject, .what = what};
    return f;
}

static int add_quiet(struct pt_leaks *l, const struct pt_quiet *q)
{
    if (l->nquiet == l->quiet_cap) {
        const size_t cap = l->quiet_cap ? l->quiet_cap * 2 : 256;
        struct pt_quiet *quiet = realloc(l->quiet, cap * sizeof(*quiet));
        if (!quiet)
            return -1;
        l->quiet = quiet;
        l->quiet_cap = cap;
    }
    l->quiet[l->nquiet++] = *q;
    return 0;
}

static struct pt_quiet quiet_of(const struct pt_finding *f, const struct pt_first *first)
{
    return (struct pt_quiet){.subject = f->subject,
                             .verdict = first->verdict,
                             .life = f->life,
                             .group = f->group,
                             .name = f->name,
                             .what = f->what,
                             .since = first->since,
                             .more = first->more,
                             .growth = first->growth};
}

struct pt_first pt_first_of(const struct pt_ruling *r)
{
    const bool measured = r->verdict != PT_INSUFFICIENT;
    return (struct pt_first){.any = true,
                             .verdict = r->verdict,
                             .since = r->since,
                             .more = (float)r->more,
                             .growth = measured ? (float)r->growth : NAN};
}

int pt_leaks_settle(struct pt_leaks *l)
{
    const struct pt_finding *f = &l->v[l->n - 1];
    const enum pt_verdict v = f->ruling.verdict;
    if (v != PT_STABLE && v != PT_INSUFFICIENT)
        return 0;
    const struct pt_first first = pt_first_of(&f->ruling);
    const struct pt_quiet q = quiet_of(f, &first);
    l->n--;
    return add_quiet(l, &q);
}

int pt_leaks_take(struct pt_leaks *l, const struct pt_first *first, const struct pt_finding *like,
                  struct pt_finding **ret)
{
    *ret = NULL;
    l->series++;
    if (!first->moved) {
        const struct pt_quiet q = quiet_of(like, first);
        return add_quiet(l, &q);
    }
    struct pt_finding *f = pt_leaks_add(l, like->subject, like->what);
    if (!f)
        return -1;
    *f = *like;
    f->ruling = *first->moved;
    pt_judge_headroom(&f->ruling, pt_leaks_room(l, f));
    *ret = f;
    return 0;
}

struct pt_finding pt_quiet_finding(const struct pt_quiet *q)
{
    struct pt_finding f = {.subject = q->subject,
                           .life = q->life,
                           .group = q->group,
                           .name = q->name,
                           .what = q->what,
                           .ruling = {.verdict = q->verdict,
                                      .confidence = PT_LOW,
                                      .since = q->since,
                                      .more = q->more,
                                      .growth = q->growth,
                                      .b = NAN,
                                      .low = NAN,
                                      .high = NAN,
                                      .exhaustion = NAN,
                                      .exhaustion_low = NAN,
                                      .exhaustion_high = NAN}};
    char text[PT_UNITS_BUF];
    if (q->verdict == PT_INSUFFICIENT)
        pt_evidence_add(&f.ruling, "length", NAN, NAN, false,
                        "known too short for a trend: record %s more",
                        pt_units_duration(text, sizeof(text), pt_units_us(q->more)));
    return f;
}

double pt_leaks_room(struct pt_leaks *l, struct pt_finding *f)
{
    return pt_leaks_headroom(l,
                             f->life    ? f->life->memory_cgroup
                             : f->group ? f->group->memory_cgroup
                                        : NULL,
                             &f->limit);
}

void pt_leaks_judge(struct pt_leaks *l, struct pt_case *c, struct pt_finding *f)
{
    c->interval = l->timeline.interval;
    c->headroom = pt_leaks_room(l, f);
    c->local = (double)l->timeline.first_us / 1e6 + l->timeline.utc_offset_s;
    pt_judge(c, &f->ruling);
    l->series++;
}

/* ---- many series ---- */

/* A rise that one series in thousands shows by chance is not an alarm. Those that never moved are
 * among the thousands. */
void pt_leaks_control(struct pt_leaks *l)
{
    size_t n = l->n;
    for (size_t i = 0; i < l->nquiet; i++)
        n += l->quiet[i].verdict == PT_STABLE;
    double *z = calloc(n ? n : 1, sizeof(*z)); /* 0: of what never moved */
    if (!z)
        return;
    for (size_t i = 0; i < l->n; i++)
        z[i] = l->v[i].ruling.z;
    const double least = fmin(pt_false_discovery(z, (int)n, FALSE_DISCOVERY), Z_ALONE);
    free(z);
    for (size_t i = 0; i < l->n; i++) {
        struct pt_ruling *r = &l->v[i].ruling;
        if (!pt_verdict_alarms(r->verdict) || l->v[i].regional.n || r->z >= least)
            continue;
        pt_evidence_add(r, "multiple", r->z, least, false,
                        "of %zu series one may rise so by chance", n);
        r->verdict = PT_UNDETERMINED;
        r->more = l->timeline.end;
    }
}

/* ---- rank ---- */

static double sooner(const struct pt_finding *f)
{
    return isnan(f->ruling.exhaustion) ? INFINITY : f->ruling.exhaustion;
}

static int tier(const struct pt_finding *f)
{
    const struct pt_ruling *r = &f->ruling;
    return pt_verdict_alarms(r->verdict) ? (int)r->confidence : 3 + (int)r->verdict;
}

static int by_rank(const void *a, const void *b)
{
    const struct pt_finding *x = a, *y = b;
    if (tier(x) != tier(y))
        return tier(x) - tier(y);
    const double sx = sooner(x), sy = sooner(y);
    if (pt_verdict_alarms(x->ruling.verdict) && (sx < sy || sx > sy))
        return sx < sy ? -1 : 1;
    if (x->ruling.growth > y->ruling.growth || x->ruling.growth < y->ruling.growth)
        return x->ruling.growth > y->ruling.growth ? -1 : 1;
    return 0;
}

/* ---- the host ---- */

static void explain_host(struct pt_leaks *l)
{
    const struct pt_curve *t = pt_leaks_counter(l, PT_COUNTER_AVAILABLE);
    struct pt_env e;
    struct pt_slope s;
    double sum = 0;
    l->available = l->explained = NAN;
    if (!t)
        return;
    pt_env_of(t, t->start, t->last, PT_BINS, &e);
    if (e.n < PT_BINS_MIN || t->last - t->start < pt_judge_least(l->timeline.interval))
        return;
    pt_slope_of(&e, &s);
    l->available = s.b;
    for (size_t i = 0; i < l->n; i++)
        if (pt_verdict_alarms(l->v[i].ruling.verdict) && l->v[i].ruling.b > 0)
            sum += l->v[i].ruling.b;
    if (s.b < 0 && s.high < 0)
        l->explained = fmin(sum / -s.b, 1);
}

static double last_of(const struct pt_curve *t)
{
    return t ? t->last_value : NAN;
}

int pt_leaks_find(struct pt_session *s, int64_t from, int64_t to, struct pt_leaks *ret,
                  struct pt_err *err)
{
    struct pt_db *db = s->db;
    struct pt_leaks l = {0};
    struct pt_looks looks = {0};
    int rc = pt_timeline_load(db, from, to, &l.timeline, err);
    if (rc >= 0)
        rc = pt_leaks_load(s, &l, &looks, err);
    if (rc >= 0) {
        const double swap = last_of(pt_leaks_counter(&l, PT_COUNTER_SWAP_FREE));
        l.headroom = last_of(pt_leaks_counter(&l, PT_COUNTER_AVAILABLE)) + (isnan(swap) ? 0 : swap);
        rc = pt_leaks_load_limits(db, &l, err);
    }
    if (rc >= 0)
        rc = pt_groups_make(&l.lives, &l.timeline, &l.groups, err);
    if (rc >= 0)
        rc = pt_leaks_of_lives(db, &l, &looks, err);
    pt_looks_release(&looks);
    if (rc >= 0)
        rc = pt_leaks_of_kernel(db, &l, err);
    if (rc < 0) {
        pt_leaks_release(&l);
        return rc;
    }
    pt_leaks_control(&l);
    pt_leaks_one_cause(&l);
    if (l.n)
        qsort(l.v, l.n, sizeof(*l.v), by_rank);
    explain_host(&l);
    *ret = l;
    return 0;
}

void pt_leaks_release(struct pt_leaks *l)
{
    for (unsigned i = 0; i < PT_HOSTS; i++)
        pt_series_release(&l->of_host[i]);
    pt_series_release(&l->fds);
    pt_groups_release(&l->groups);
    pt_lives_release(&l->lives);
    pt_timeline_release(&l->timeline);
    pt_arena_release(&l->arena);
    free(l->v);
    free(l->quiet);
    free(l->limits);
    *l = (struct pt_leaks){0};
}

void pt_finding_title(const struct pt_finding *f, char *buf, size_t size)
{
    const struct pt_life *p = f->life;
    if (f->subject == PT_SUBJECT_PROCESS && p)
        snprintf(buf, size, "%lld %s", (long long)p->pid, p->comm ? p->comm : "?");
    else if (f->subject == PT_SUBJECT_SERVICE && f->group)
        snprintf(buf, size, "%s", f->group->name);
    else if (f->subject == PT_SUBJECT_KERNEL || f->subject == PT_SUBJECT_SYSTEM)
        snprintf(buf, size, "%s", f->name ? f->name : "?");
    else
        snprintf(buf, size, "%s %s", pt_subject_name(f->subject), f->name ? f->name : "?");
}
