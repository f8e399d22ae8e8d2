/* SPDX-License-Identifier: MIT
 * Findings that no process owns: slab caches, kernel counters, tmpfs, System V segments, and what
 * no counter tells. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"
#include "analyze/picture/slab.h"

#define MIB 1048576.0
/* A counter's batch: per-CPU counters fold by some dozen pages a CPU. */
#define BATCH_PAGES 64.0
/* Pages scanned, in growths of the cache, from which on it would have been shrunk. */
#define SCANNED 1.0

enum {
    M_TOTAL,
    M_FREE,
    M_AVAILABLE,
    M_BUFFERS,
    M_CACHED,
    M_SWAP_FREE,
    M_ANON,
    M_SLAB_RECLAIMABLE,
    M_SLAB_UNRECLAIM,
    M_STACK,
    M_TABLES,
    M_PERCPU,
    M_VMALLOC,
    M_SHMEM,
    M_HUGETLB,
    M_SWAP_CACHED,
    M_COUNT
};
static const char *const meminfo_fields[M_COUNT] = {
    [M_TOTAL] = "MemTotal",
    [M_FREE] = "MemFree",
    [M_AVAILABLE] = "MemAvailable",
    [M_BUFFERS] = "Buffers",
    [M_CACHED] = "Cached",
    [M_SWAP_FREE] = "SwapFree",
    [M_ANON] = "AnonPages",
    [M_SLAB_RECLAIMABLE] = "SReclaimable",
    [M_SLAB_UNRECLAIM] = "SUnreclaim",
    [M_STACK] = "KernelStack",
    [M_TABLES] = "PageTables",
    [M_PERCPU] = "Percpu",
    [M_VMALLOC] = "VmallocUsed",
    [M_SHMEM] = "Shmem",
    [M_HUGETLB] = "Hugetlb",
    [M_SWAP_CACHED] = "SwapCached",
};

static const enum pt_counter counters[] = {
    PT_COUNTER_AVAILABLE,   PT_COUNTER_SWAP_FREE,    PT_COUNTER_SUNRECLAIM, PT_COUNTER_SRECLAIMABLE,
    PT_COUNTER_PAGE_TABLES, PT_COUNTER_KERNEL_STACK, PT_COUNTER_PERCPU,     PT_COUNTER_VMALLOC,
    PT_COUNTER_SHMEM,       PT_COUNTER_RESIDUAL};

static double kib(const int64_t *v, uint32_t known, unsigned field)
{
    return known >> field & 1 ? (double)v[field] * 1024 : NAN;
}

static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

static double residual(const int64_t *v, uint32_t known)
{
    static const unsigned needed[] = {M_FREE, M_BUFFERS,          M_CACHED,
                                      M_ANON, M_SLAB_RECLAIMABLE, M_SLAB_UNRECLAIM};
    static const unsigned other[] = {M_STACK, M_TABLES, M_PERCPU, M_HUGETLB, M_SWAP_CACHED};
    double rest = kib(v, known, M_TOTAL);
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        rest -= kib(v, known, needed[i]);
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
        rest -= or_zero(kib(v, known, other[i]));
    /* vmalloc holds the kernel's stacks where they are made so */
    const double vmalloc = or_zero(kib(v, known, M_VMALLOC)) - or_zero(kib(v, known, M_STACK));
    return rest - fmax(vmalloc, 0);
}

static double counter_of(const int64_t *v, uint32_t known, enum pt_counter which)
{
    static const unsigned field[] = {
        [PT_COUNTER_AVAILABLE] = M_AVAILABLE,
        [PT_COUNTER_SWAP_FREE] = M_SWAP_FREE,
        [PT_COUNTER_SUNRECLAIM] = M_SLAB_UNRECLAIM,
        [PT_COUNTER_SRECLAIMABLE] = M_SLAB_RECLAIMABLE,
        [PT_COUNTER_PAGE_TABLES] = M_TABLES,
        [PT_COUNTER_KERNEL_STACK] = M_STACK,
        [PT_COUNTER_PERCPU] = M_PERCPU,
        [PT_COUNTER_VMALLOC] = M_VMALLOC,
        [PT_COUNTER_SHMEM] = M_SHMEM,
    };
    return which == PT_COUNTER_RESIDUAL ? residual(v, known) : kib(v, known, field[which]);
}

static double measure_meminfo(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx;
    return counter_of(v, known, counters[measure]);
}

static const struct pt_curve *find_track(const struct pt_series *s, unsigned measure)
{
    /* of the newest boot; a reboot makes all memory anew */
    const struct pt_serie *last = s->n ? s->v[s->n - 1] : NULL;
    return last && last->track[measure].holds ? &last->track[measure] : NULL;
}

const struct pt_curve *pt_leaks_counter(const struct pt_leaks *l, enum pt_counter which)
{
    for (unsigned i = 0; i < sizeof(counters) / sizeof(*counters); i++)
        if (counters[i] == which)
            return find_track(&l->of_host[PT_HOST_MEMINFO], i);
    return NULL;
}

/* ---- tables ---- */

static double measure_slab(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    const double *page = ctx;
    (void)measure;
    return (known & 3) == 3 ? (double)v[0] * (double)v[1] * *page : NAN;
}

static double measure_tmpfs(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return (known & 7) == 7 ? (double)(v[1] - v[2]) * (double)v[0] : NAN;
}

static double measure_shm(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return known & 1 ? (double)v[0] + (known & 2 ? (double)v[1] : 0) : NAN;
}

static double measure_scans(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return (known & 3) == 3 ? (double)v[0] + (double)v[1] : NAN;
}

static bool another_shm(void *ctx, const int64_t *before, const int64_t *now)
{
    (void)ctx;
    return before[2] != now[2];
}

void pt_leaks_kernel_specs(double *page_size, struct pt_series_spec specs[PT_HOSTS])
{
    static const char *const slab[] = {"num_slabs", "pagesperslab"};
    static const char *const tmpfs[] = {"bsize", "blocks", "bfree"};
    static const char *const shm[] = {"rss", "swap", "shmid"};
    static const char *const scans[] = {"pgscan_kswapd", "pgscan_direct"};
    const struct pt_series_spec all[PT_HOSTS] = {
        [PT_HOST_MEMINFO] = {.glob = "proc:meminfo",
                             .fields = meminfo_fields,
                             .nfields = M_COUNT,
                             .nmeasures = sizeof(counters) / sizeof(*counters),
                             .measure = measure_meminfo},
        [PT_HOST_SLABS] = {.glob = "proc:slabinfo",
                           .fields = slab,
                           .nfields = 2,
                           .nmeasures = 1,
                           .measure = measure_slab,
                           .ctx = page_size},
        [PT_HOST_TMPFS] = {.glob = "statfs:**",
                           .fields = tmpfs,
                           .nfields = 3,
                           .nmeasures = 1,
                           .measure = measure_tmpfs},
        [PT_HOST_SHM] = {.glob = "proc:sysvipc/shm",
                         .fields = shm,
                         .nfields = 3,
                         .nmeasures = 1,
                         .measure = measure_shm,
                         .other = another_shm},
        [PT_HOST_SCANS] = {.glob = "proc:vmstat",
                           .fields = scans,
                           .nfields = 2,
                           .nmeasures = 1,
                           .measure = measure_scans},
    };
    memcpy(specs, all, sizeof(all));
}

/* ---- rulings ---- */

static bool reclaimable(enum pt_subject subject, const char *name)
{
    if (subject == PT_SUBJECT_SLAB)
        return pt_slab_reclaim(name) == PT_RECLAIM_YES;
    return subject == PT_SUBJECT_KERNEL && strcmp(name, "SReclaimable") == 0;
}

/* What the kernel can take back is no leak until it was asked to and did not. */
static void weigh_reclaim(const struct pt_leaks *l, struct pt_finding *f)
{
    const struct pt_curve *scans = find_track(&l->of_host[PT_HOST_SCANS], 0);
    const double scanned = scans ? scans->last_value - scans->first_value : 0;
    if (!pt_verdict_alarms(f->ruling.verdict) || !reclaimable(f->subject, f->name))
        return;
    const bool asked = scanned * 4096 >= SCANNED * f->ruling.growth;
    pt_evidence_add(&f->ruling, "reclaim", scanned, SCANNED * f->ruling.growth / 4096, asked,
                    asked ? "it grew although the kernel looked for memory to take back"
                          : "the kernel can take it back, and had no need to");
    if (!asked)
        f->ruling.verdict = PT_BOUNDED;
}

static int rule(struct pt_leaks *l, const struct pt_curve *t, enum pt_subject subject,
                const char *name, const char *what)
{
    if (!t)
        return 0;
    struct pt_finding *f = pt_leaks_add(l, subject, what);
    if (!f)
        return -1;
    f->name = name;
    struct pt_case c = {.track = t,
                        .from = t->start,
                        .to = t->last,
                        .noise = BATCH_PAGES * 4096,
                        .least = 8 * MIB,
                        .owner = PT_OWNER_KERNEL,
                        .threads = NAN};
    pt_leaks_judge(l, &c, f);
    weigh_reclaim(l, f);
    return pt_leaks_settle(l);
}

static int rule_rows(struct pt_leaks *l, const struct pt_series *s, enum pt_subject subject,
                     const char *what, size_t prefix)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct pt_serie *serie = s->v[i];
        const struct pt_curve *t = serie->track[0].holds ? &serie->track[0] : NULL;
        char id[32];
        const char *name =
            *serie->row && subject == PT_SUBJECT_SLAB ? serie->row : serie->source + prefix;
        if (subject == PT_SUBJECT_SHM) {
            snprintf(id, sizeof(id), "shmid %lld", (long long)serie->v[2]);
            name = pt_arena_copy(&l->arena, id, strlen(id));
        }
        if (!name || rule(l, t, subject, name, what) < 0)
            return -1;
    }
    return 0;
}

int pt_leaks_of_kernel(struct pt_db *db, struct pt_leaks *l, struct pt_err *err)
{
    static const struct {
        enum pt_counter counter;
        enum pt_subject subject;
        const char *name, *what;
    } ruled[] = {
        {PT_COUNTER_SUNRECLAIM, PT_SUBJECT_KERNEL, "SUnreclaim", "slab-unreclaimable"},
        {PT_COUNTER_SRECLAIMABLE, PT_SUBJECT_KERNEL, "SReclaimable", "slab-reclaimable"},
        {PT_COUNTER_PAGE_TABLES, PT_SUBJECT_KERNEL, "PageTables", "page-tables"},
        {PT_COUNTER_KERNEL_STACK, PT_SUBJECT_KERNEL, "KernelStack", "kernel-stacks"},
        {PT_COUNTER_PERCPU, PT_SUBJECT_KERNEL, "Percpu", "percpu"},
        {PT_COUNTER_VMALLOC, PT_SUBJECT_KERNEL, "VmallocUsed", "vmalloc"},
        {PT_COUNTER_SHMEM, PT_SUBJECT_SYSTEM, "Shmem", "shmem"},
        {PT_COUNTER_RESIDUAL, PT_SUBJECT_SYSTEM, "unaccounted", "residual"},
    };
    (void)db;
    int rc = 0;
    for (size_t i = 0; i < sizeof(ruled) / sizeof(*ruled) && rc >= 0; i++)
        rc = rule(l, pt_leaks_counter(l, ruled[i].counter), ruled[i].subject, ruled[i].name,
                  ruled[i].what);
    if (rc >= 0)
        rc = rule_rows(l, &l->of_host[PT_HOST_SLABS], PT_SUBJECT_SLAB, "slab", 0);
    if (rc >= 0)
        rc = rule_rows(l, &l->of_host[PT_HOST_TMPFS], PT_SUBJECT_TMPFS, "tmpfs", strlen("statfs:"));
    if (rc >= 0)
        rc = rule_rows(l, &l->of_host[PT_HOST_SHM], PT_SUBJECT_SHM, "shmem", 0);
    return rc < 0 ? pt_err_nomem(err) : 0;
}
