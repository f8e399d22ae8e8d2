/* SPDX-License-Identifier: MIT
 * Findings about processes and services. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/classes.h"
#include "analyze/leaks/leaks_int.h"
#include "schema/source.h"

#define MIB 1048576.0
/* Lives of a service that are looked at; more say nothing more. */
#define LIVES_MAX     4096
#define LIVES_LEAST   3
#define LIVES_RISING  0.8
#define LIVES_Z       4.0
#define LIFE_GROWTH   MIB
#define LIVES_SPAN    300.0 /* seconds; a shorter record tells a start from a leak in no service */
#define LIVES_PRESENT 0.7   /* of the span, lives added up */
#define LIVES_ALIKE   2.5   /* third quartile of their slopes / first */
/* Readings of smaps: instants that are asked for the first and the last one. */
#define PROBES     9
#define LAST_STEPS 8 /* back from the end of a life, which is known to half a second */

/* ---- load ---- */

struct indexed {
    int64_t pid;
    const struct pt_serie *serie;
};
/* Series by pid. */
struct index {
    struct indexed *v;
    size_t n;
};

/* What a process did, beside its memory. */
struct deeds {
    struct pt_series cpu;
    struct index by_fds, by_cpu;
    struct pt_classes classes;
    const struct pt_life **whom; /* those that are suspected, by pid */
    int64_t *pids;               /* theirs */
    size_t n;
};

static double measure_fds(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return known & 1 ? (double)v[0] * PT_FD_BYTES : NAN;
}

static double measure_cpu(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return (known & 3) == 3 ? (double)v[0] + (double)v[1] : NAN;
}

static bool another_start(void *ctx, const int64_t *before, const int64_t *now)
{
    (void)ctx;
    return before[2] != now[2];
}

static int by_number(const void *a, const void *b)
{
    const struct pt_life *x = *(const struct pt_life *const *)a;
    const struct pt_life *y = *(const struct pt_life *const *)b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool wanted(void *ctx, const char *source)
{
    const struct deeds *d = ctx;
    const char *leaf;
    const int64_t pid = pt_source_pid(source, &leaf);
    const size_t at = pt_leaks_lower(d->pids, d->n, pid);
    return at < d->n && d->pids[at] == pid;
}

/* Of a process number that comes back, most lives are another's. */
static void drop_others(void *ctx, struct pt_serie *s)
{
    const struct deeds *d = ctx;
    const char *leaf;
    const int64_t pid = pt_source_pid(s->source, &leaf);
    bool any = false;
    for (size_t i = pt_leaks_lower(d->pids, d->n, pid); i < d->n && d->pids[i] == pid && !any; i++)
        any = d->whom[i]->boot == s->boot && d->whom[i]->from < s->to && d->whom[i]->to > s->from;
    if (!any)
        pt_curve_release(&s->track[0]);
}

static int by_pid(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static int index_series(const struct pt_series *s, struct index *ret)
{
    ret->v = calloc(s->n ? s->n : 1, sizeof(*ret->v));
    if (!ret->v)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        const char *leaf;
        ret->v[ret->n++] = (struct indexed){pt_source_pid(s->v[i]->source, &leaf), s->v[i]};
    }
    if (ret->n)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_pid);
    return 0;
}

/* The serie of a life: the one of its pid that shares most time with it. */
static const struct pt_serie *serie_of(const struct index *index, const struct pt_life *l)
{
    const struct pt_serie *best = NULL;
    double most = 0;
    size_t lo = 0, hi = index->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (index->v[mid].pid < l->pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < index->n && index->v[lo].pid == l->pid; lo++) {
        const struct pt_serie *s = index->v[lo].serie;
        const double shared = fmin(s->to, l->to) - fmax(s->from, l->from);
        if (s->boot == l->boot && shared > most) {
            most = shared;
            best = s;
        }
    }
    return best;
}

/* A counter's track as one of its rate. */
static bool rate_of(const struct pt_curve *counter, struct pt_curve *ret)
{
    pt_curve_init(ret, counter->width);
    for (uint32_t i = 0; i + 1 < counter->n; i++) {
        const struct pt_cell *a = &counter->cell[i], *b = &counter->cell[i + 1];
        const double at = counter->start + (i + 0.5) * counter->width;
        if (a->time > 0 && b->time > 0 && b->mean >= a->mean &&
            !pt_curve_hold(ret, at, at + counter->width,
                           (double)(b->mean - a->mean) / counter->width))
            return false;
    }
    return true;
}

/* ---- mappings ---- */

struct texts {
    struct pt_buf text[2];
    int64_t read_us[2];
};

static bool read_smaps(struct pt_db *db, int64_t n, const char *name, struct pt_buf *out,
                       int64_t *ret_us)
{
    struct pt_source_at at;
    pt_buf_reset(out);
    if (pt_db_text(db, n, name, &at, out, NULL) < 0 || out->len == 0 || out->failed)
        return false;
    *ret_us = at.read_us;
    return true;
}

/* Does a life have its number at a snapshot? */
static bool has_then(struct pt_db *db, const struct pt_leaks *l, const struct pt_life *life,
                     int64_t n)
{
    struct pt_snap snap;
    if (pt_db_snap(db, n, &snap, NULL) < 0 || snap.boot != life->boot)
        return false;
    const double at = pt_timeline_at(&l->timeline, snap.boot, snap.boot_us);
    return at >= life->from && (at < life->to || !life->died);
}

/* The first and the last reading within a life, by asking at instants spread over it. */
static void find_parts(struct pt_db *db, const struct pt_leaks *l, const struct pt_life *life,
                       double since, struct pt_parts_found *ret)
{
    struct texts t = {0};
    char name[64];
    const int64_t life_from_us = pt_timeline_real(&l->timeline, life->from);
    const double begin = fmax(since, life->from);
    int got = 0;
    *ret = (struct pt_parts_found){.parts = {.data = NAN}};
    snprintf(name, sizeof(name), "proc:%lld/smaps", (long long)life->pid);
    for (int i = 0; i < 2; i++)
        pt_buf_init(&t.text[i], 256u << 20);
    for (int i = 0; i < PROBES && got == 0; i++) {
        const double at = begin + (life->to - begin) * i / PROBES;
        int64_t n;
        if (pt_db_find(db, pt_timeline_real(&l->timeline, at), PT_SEEK_NEAREST, &n, NULL) >= 0 &&
            has_then(db, l, life, n) && read_smaps(db, n, name, &t.text[0], &t.read_us[0]) &&
            t.read_us[0] >= life_from_us - 1000000)
            got = 1;
    }
    int64_t last;
    if (got && pt_db_find(db, pt_timeline_real(&l->timeline, life->to), PT_SEEK_LAST_BEFORE, &last,
                          NULL) >= 0) {
        /* the last instants of a process may be told as gone already */
        for (int i = 0; i < LAST_STEPS && got == 1; i++) {
            if (has_then(db, l, life, last) &&
                read_smaps(db, last, name, &t.text[1], &t.read_us[1]))
                got = 2;
            else if (pt_db_step(db, last, -1, &last, NULL) < 0)
                break;
        }
    }
    const bool two = got == 2 && t.read_us[1] > t.read_us[0];
    if (two && pt_parts_of((const char *)t.text[0].data, t.text[0].len,
                           (const char *)t.text[1].data, t.text[1].len, ret) < 0)
        ret->parts.known = false;
    /* one reading does not tell what grew, but whether it was freed */
    struct pt_parts_found one;
    if (got && !two && pt_parts_of("", 0, (const char *)t.text[0].data, t.text[0].len, &one) >= 0) {
        ret->parts.lazy = one.parts.lazy;
        ret->parts.growth = one.parts.growth;
    }
    for (int i = 0; i < 2; i++)
        pt_buf_release(&t.text[i]);
}

static int note_smaps(void *ctx, const struct pt_source_at *at, int64_t n)
{
    struct pt_leaks *l = ctx;
    (void)n;
    l->smaps = at->presence <= PT_CARRIED;
    return l->smaps ? -1 : 0; /* one is enough */
}

/* Where nothing was suspected no mappings were looked at: were there any? */
static void find_smaps(struct pt_db *db, struct pt_leaks *l)
{
    const struct pt_last_query q = {.glob = "proc:*/smaps",
                                    .from = l->timeline.first,
                                    .to = l->timeline.last,
                                    .fn = note_smaps,
                                    .ctx = l};
    if (!l->smaps)
        pt_db_last(db, &q, 1, NULL);
}

/* ---- processes ---- */

static const struct pt_group *group_of(const struct pt_leaks *l, const struct pt_life *life)
{
    return life->group == UINT32_MAX ? NULL : &l->groups.v[life->group];
}

static double change_of(const struct pt_curve *t)
{
    return t ? t->last_value - t->first_value : NAN;
}

static int first_look(struct pt_leaks *l, const struct pt_looks *looks, const struct pt_life *life,
                      unsigned suspect)
{
    const struct pt_first *first = pt_looks_first(looks, life, suspect);
    const struct pt_finding like = {.subject = PT_SUBJECT_PROCESS,
                                    .what = pt_suspects[suspect].what,
                                    .life = life,
                                    .anon = pt_suspects[suspect].measure == PT_LIFE_ANON,
                                    .group = group_of(l, life)};
    struct pt_finding *f;
    return first ? pt_leaks_take(l, first, &like, &f) : 0;
}

/* In which class of memory it grew, by all readings of its mappings; by two where there are few. */
static void weigh_classes(const struct deeds *d, struct pt_finding *f)
{
    const struct pt_life *life = f->life;
    struct pt_parts *p = &f->parts.parts;
    double all = 0;
    p->share = NAN;
    if (!pt_classes_growth(&d->classes, life->pid, fmax(f->ruling.since, life->from),
                           life->died ? nextafter(life->to, life->from) : life->to, f->classes,
                           &f->readings)) {
        f->readings = 0;
        return;
    }
    enum pt_class largest = PT_CLASS_ANON;
    for (int c = 0; c < PT_CLASS_COUNT; c++) {
        if (c == PT_CLASS_SHMEM || c == PT_CLASS_HUGETLB)
            continue;
        all += f->classes[c];
        if (f->classes[c] > f->classes[largest])
            largest = (enum pt_class)c;
    }
    if (!(f->classes[largest] > 0))
        return;
    f->parts.largest = largest;
    p->readings = f->readings;
    p->share = all > 0 ? f->classes[largest] / all : NAN;
}

/* What the first look suspects, with all that is known of the process. */
static int second_look(struct pt_db *db, struct pt_leaks *l, struct pt_finding *f,
                       const struct deeds *d)
{
    const struct pt_life *life = f->life;
    const bool anon = strcmp(f->what, "anon") == 0;
    const struct pt_curve *t = NULL;
    for (unsigned i = 0; i < PT_SUSPECTS; i++)
        if (strcmp(pt_suspects[i].what, f->what) == 0)
            t = pt_life_track(life, pt_suspects[i].measure);
    if (!t)
        return 0;
    struct pt_case c = pt_leaks_case(life->memory, t);
    struct pt_curve rate = {0};
    const struct pt_curve *threads = pt_life_track(life, PT_LIFE_THREADS);
    const struct pt_serie *fds = serie_of(&d->by_fds, life), *cpu = serie_of(&d->by_cpu, life);
    if (threads)
        c.load[c.nload++] = (struct pt_load){"threads", threads, false};
    if (fds && fds->track[0].holds)
        c.load[c.nload++] = (struct pt_load){"open files", &fds->track[0], false};
    if (cpu && cpu->track[0].holds) {
        if (!rate_of(&cpu->track[0], &rate))
            return -1;
        if (rate.holds)
            c.load[c.nload++] = (struct pt_load){"CPU", &rate, true};
    }
    find_parts(db, l, life, f->ruling.since, &f->parts);
    weigh_classes(d, f);
    l->smaps = l->smaps || f->parts.parts.known;
    if (anon)
        c.parts = f->parts.parts;
    else
        c.owner = PT_OWNER_KERNEL; /* private mappings say nothing of it */
    c.parts.data = change_of(pt_life_track(life, PT_LIFE_DATA));
    l->series--; /* the same one */
    pt_leaks_judge(l, &c, f);
    if (anon && f->parts.parts.known)
        f->what = pt_class_name(f->parts.largest);
    pt_curve_release(&rate);
    return 0;
}

static int rule_fds(struct pt_leaks *l, const struct pt_looks *looks, const struct deeds *d,
                    const struct pt_life *life)
{
    const struct pt_serie *fds = serie_of(&d->by_fds, life);
    const struct pt_finding like = {.subject = PT_SUBJECT_PROCESS,
                                    .what = "descriptors",
                                    .life = life,
                                    .group = group_of(l, life)};
    struct pt_finding *f = NULL;
    if (!fds || fds->index >= looks->nfds || !looks->fds[fds->index].any)
        return 0;
    if (pt_leaks_take(l, &looks->fds[fds->index], &like, &f) < 0)
        return -1;
    if (f && f->ruling.growth > 0)
        pt_evidence_add(&f->ruling, "descriptors", f->ruling.growth / PT_FD_BYTES, NAN, true,
                        "%.0f more open files, taken as 2 KiB each",
                        f->ruling.growth / PT_FD_BYTES);
    return 0;
}

void pt_leaks_fds_spec(struct pt_looks *looks, struct pt_series_spec *spec)
{
    static const char *const value[] = {"value"};
    *spec = (struct pt_series_spec){.glob = "proc:*/fd",
                                    .fields = value,
                                    .nfields = 1,
                                    .nmeasures = 1,
                                    .measure = measure_fds,
                                    .ended = pt_looks_fds,
                                    .ctx = looks};
}

static int load_deeds(struct pt_db *db, struct pt_leaks *l, struct deeds *d, struct pt_err *err)
{
    static const char *const times[] = {"utime", "stime", "starttime"};
    d->pids = calloc(l->n + 1, sizeof(*d->pids));
    d->whom = calloc(l->n + 1, sizeof(struct pt_life *));
    if (!d->pids || !d->whom)
        return pt_err_nomem(err);
    for (size_t i = 0; i < l->n; i++)
        if (pt_leaks_suspicious(&l->v[i].ruling))
            d->whom[d->n++] = l->v[i].life;
    if (d->n)
        qsort(d->whom, d->n, sizeof(struct pt_life *), by_number);
    for (size_t i = 0; i < d->n; i++)
        d->pids[i] = d->whom[i]->pid;
    const struct pt_series_spec spec = {.glob = "proc:*/stat",
                                        .fields = times,
                                        .nfields = 3,
                                        .nmeasures = 1,
                                        .measure = measure_cpu,
                                        .other = another_start,
                                        .keep = wanted,
                                        .ended = drop_others,
                                        .ctx = d};
    int rc = d->n ? pt_series_load(db, &l->timeline, &spec, &d->cpu, 1, err) : 0;
    if (rc >= 0)
        rc = pt_classes_load(db, &l->timeline, d->pids, d->n, &d->classes, err);
    if (rc >= 0 && (index_series(&l->fds, &d->by_fds) < 0 || index_series(&d->cpu, &d->by_cpu) < 0))
        rc = pt_err_nomem(err);
    return rc;
}

/* ---- services ---- */

static bool alarmed(const struct pt_leaks *l, const struct pt_group *g)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].group == g && pt_verdict_alarms(l->v[i].ruling.verdict))
            return true;
    return false;
}

static void regional(const struct pt_leaks *l, const struct pt_looks *looks, uint32_t group,
                     struct pt_lives *ret)
{
    static double slopes[LIVES_MAX];
    *ret = (struct pt_lives){0};
    for (size_t i = 0; i < l->lives.n; i++) {
        const struct pt_rise *rise = pt_looks_rise(looks, &l->lives.v[i]);
        if (l->lives.v[i].group == group && rise)
            pt_lives_add(ret, rise, slopes, LIVES_MAX);
    }
    pt_lives_end(ret, slopes);
}

/* Each life of a service rises to its end: whoever restarts or recycles it hides a leak. */
static void rule_lives(const struct pt_leaks *l, const struct pt_lives *r, struct pt_finding *f)
{
    const double share = r->n ? (double)r->rising / r->n : 0;
    const double each = r->n ? r->growth / r->n : 0;
    /* a batch job, too, grows until it ends: a service is there most of the time, and its lives
     * are alike */
    const bool serves =
        l->timeline.end >= LIVES_SPAN && r->lived >= LIVES_PRESENT * l->timeline.end;
    const bool alike = r->low > 0 && r->high <= LIVES_ALIKE * r->low;
    const bool rises = r->n >= LIVES_LEAST && share >= LIVES_RISING && r->z >= LIVES_Z &&
                       each >= LIFE_GROWTH && serves && alike;
    if (r->n < LIVES_LEAST)
        return;
    pt_evidence_add(&f->ruling, "lives", share, LIVES_RISING, rises,
                    "%d of %d processes of it rose to their end, by %.1f MiB each", r->rising, r->n,
                    each / MIB);
    if (!rises || pt_verdict_alarms(f->ruling.verdict))
        return;
    f->regional = *r;
    f->ruling.verdict = PT_LEAK;
    f->ruling.confidence = PT_MEDIUM;
    f->ruling.b = r->b;
    f->ruling.low = r->low;
    f->ruling.high = r->high;
    f->ruling.growth = r->growth;
    f->ruling.z = r->z;
    f->ruling.since = 0;
    /* each restart gives all back: nothing is foretold by how one life grows */
    f->ruling.more = f->ruling.exhaustion = NAN;
    f->ruling.exhaustion_low = f->ruling.exhaustion_high = NAN;
}

static int rule_groups(struct pt_leaks *l, const struct pt_looks *looks)
{
    for (size_t i = 0; i < l->groups.n; i++) {
        const struct pt_group *g = &l->groups.v[i];
        if (g->lives < 2 || alarmed(l, g))
            continue;
        struct pt_finding *f = pt_leaks_add(l, PT_SUBJECT_SERVICE, "anon");
        if (!f)
            return -1;
        struct pt_lives lives;
        f->group = g;
        struct pt_case c = {.track = &g->sum,
                            .from = g->from,
                            .to = g->to,
                            .load = {{"processes", &g->count, false}},
                            .nload = 1,
                            .noise = PT_BATCH * fmin((double)g->lives, 64),
                            .least = 8 * MIB,
                            .owner = PT_OWNER_SERVICE,
                            .threads = NAN};
        pt_leaks_judge(l, &c, f);
        regional(l, looks, (uint32_t)i, &lives);
        rule_lives(l, &lives, f);
        if (pt_leaks_settle(l) < 0)
            return -1;
    }
    return 0;
}

int pt_leaks_of_lives(struct pt_db *db, struct pt_leaks *l, const struct pt_looks *looks,
                      struct pt_err *err)
{
    struct deeds d = {0};
    int rc = 0;
    for (size_t i = 0; i < l->lives.n; i++)
        for (unsigned k = 0; k < PT_SUSPECTS; k++)
            if (rc >= 0 && first_look(l, looks, &l->lives.v[i], k) < 0)
                rc = pt_err_nomem(err);
    const size_t n = l->n;
    if (rc >= 0)
        rc = load_deeds(db, l, &d, err);
    for (size_t i = 0; i < n && rc >= 0; i++)
        if (pt_leaks_suspicious(&l->v[i].ruling) && second_look(db, l, &l->v[i], &d) < 0)
            rc = pt_err_nomem(err);
    for (size_t i = 0; i < n && rc >= 0; i++)
        pt_leaks_beside_earlier(l, n, &l->v[i]);
    for (size_t i = 0; i < l->lives.n && rc >= 0; i++)
        if (rule_fds(l, looks, &d, &l->lives.v[i]) < 0)
            rc = pt_err_nomem(err);
    if (rc >= 0 && rule_groups(l, looks) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        find_smaps(db, l);
    pt_series_release(&d.cpu);
    pt_classes_release(&d.classes);
    free(d.by_fds.v);
    free(d.by_cpu.v);
    free(d.pids);
    free(d.whom);
    pt_series_release(&l->fds);
    for (size_t i = 0; i < l->lives.status.n; i++)
        for (unsigned m = 0; m < PT_LIFE_MEASURES; m++)
            pt_curve_release(&l->lives.status.v[i]->track[m]);
    return rc;
}
