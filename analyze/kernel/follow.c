/* SPDX-License-Identifier: MIT
 * What is followed over the span: loads all series in one pass. */
#include <math.h>

#include "analyze/kernel/kernel_int.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *const zone_fields[] = {"free",    "min",     "low", "high",
                                          "managed", "present", "cma"};
static const char *const slab_fields[] = {"num_slabs", "pagesperslab", "active_objs"};
static const char *const tmpfs_fields[] = {"bsize", "blocks", "bfree", "files", "ffree"};
static const char *const shm_fields[] = {"rss",  "swap", "shmid", "size",  "nattch", "cpid",
                                         "lpid", "uid",  "key",   "perms", "ctime"};
static const char *const socket_fields[] = {"mem", "memory", "inuse", "alloc", "orphan", "tw"};
static const char *const dying_fields[] = {"nr_dying_descendants", "nr_dying_subsys_memory"};

static double measure_field(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx;
    return pt_kernel_has(known, measure) ? (double)v[measure] : NAN;
}

/* 0 free; 1 to 3 below min, low, high. */
static double measure_zone(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx;
    if (!pt_kernel_has(known, 0) || !pt_kernel_has(known, measure))
        return NAN;
    return measure == 0 ? (double)v[0] : v[0] < v[measure];
}

/* More are too dear to follow: they change with every snapshot. */
#define CPUS_MAX 16
static const char *const cpu_fields[CPUS_MAX] = {
    "cpu0.count",  "cpu1.count",  "cpu2.count",  "cpu3.count", "cpu4.count",  "cpu5.count",
    "cpu6.count",  "cpu7.count",  "cpu8.count",  "cpu9.count", "cpu10.count", "cpu11.count",
    "cpu12.count", "cpu13.count", "cpu14.count", "cpu15.count"};

static double measure_sum(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    double sum = known ? 0 : NAN;
    (void)ctx, (void)measure;
    for (unsigned i = 0; i < CPUS_MAX; i++)
        sum += pt_kernel_has(known, i) ? (double)v[i] : 0;
    return sum;
}

static double measure_slab(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return (known & 3) == 3 ? (double)v[0] * (double)v[1] : NAN;
}

static double measure_tmpfs(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return (known & 7) == 7 ? ((double)v[1] - (double)v[2]) * (double)v[0] : NAN;
}

static double measure_shm(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return pt_kernel_has(known, 0) ? (double)v[0] + (pt_kernel_has(known, 1) ? (double)v[1] : 0)
                                   : NAN;
}

/* mem is in pages (ctx), memory of fragments in bytes. */
static double measure_socket(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    const int64_t *page = ctx;
    (void)measure;
    if (pt_kernel_has(known, 1))
        return (double)v[1];
    return pt_kernel_has(known, 0) && *page != PT_UNKNOWN ? (double)v[0] * (double)*page : NAN;
}

static bool another_shm(void *ctx, const int64_t *before, const int64_t *now)
{
    (void)ctx;
    return before[2] != now[2];
}

#define SPEC(pattern, list, n, fn)                                                                 \
    {                                                                                              \
        .glob = (pattern), .fields = (list), .nfields = COUNT(list), .nmeasures = (n),             \
        .measure = (fn)                                                                            \
    }

/* Files of plain fields, named by the tables of levels and counters. */
static void gather(const char *(*names)[PT_FIELDS_MAX], struct pt_series_spec *specs)
{
    for (unsigned i = 0; i < PT_KS_COUNT; i++) {
        struct pt_series_spec *s = &specs[i];
        if (s->glob)
            continue;
        s->fields = names[i];
        s->nfields = pt_kernel_level_fields((enum pt_kernel_series)i, names[i]);
        s->glob = s->nfields ? "proc:meminfo" : "proc:vmstat";
        if (!s->nfields)
            s->nfields = pt_kernel_counter_fields((enum pt_kernel_series)i, names[i]);
        s->nmeasures = s->nfields;
        s->measure = measure_field;
    }
}

bool pt_kernel_pcp_followed(const struct pt_kernel_work *w)
{
    const int64_t cpus = pt_db_meta(w->s->db)->cpus;
    return cpus > 0 && cpus <= CPUS_MAX;
}

int pt_kernel_follow(struct pt_kernel_work *w, struct pt_err *err)
{
    const char *names[PT_KS_COUNT][PT_FIELDS_MAX];
    struct pt_series_spec specs[PT_KS_COUNT] = {
        [PT_KS_VM] = SPEC("proc:vmstat", pt_kernel_vm, PT_VMM_COUNT, pt_kernel_measure_vm),
        [PT_KS_STALLS] = SPEC("proc:vmstat", pt_kernel_stalls, 1, pt_kernel_measure_stalls),
        [PT_KS_ZONES] = SPEC("proc:zoneinfo", zone_fields, 4, measure_zone),
        [PT_KS_PCP] = SPEC("proc:zoneinfo", cpu_fields, 1, measure_sum),
        [PT_KS_SLABS] = SPEC("proc:slabinfo", slab_fields, 1, measure_slab),
        [PT_KS_TMPFS] = SPEC("statfs:**", tmpfs_fields, 1, measure_tmpfs),
        [PT_KS_SHM] = SPEC("proc:**sysvipc/shm", shm_fields, 1, measure_shm),
        [PT_KS_SOCKETS] = SPEC("proc:**net/sockstat*", socket_fields, 1, measure_socket),
        [PT_KS_DYING] = SPEC("cgroup:**cgroup.stat", dying_fields, 2, measure_field),
    };
    gather(names, specs);
    specs[PT_KS_PCP].nfields = pt_kernel_pcp_followed(w) ? CPUS_MAX : 0;
    specs[PT_KS_SHM].other = another_shm;
    specs[PT_KS_SOCKETS].ctx = &w->page;
    return pt_series_load(w->s->db, &w->k->timeline, specs, w->series, PT_KS_COUNT, err);
}

const struct pt_serie *pt_kernel_newest(const struct pt_kernel_work *w, enum pt_kernel_series which)
{
    const struct pt_series *s = &w->series[which];
    const struct pt_serie *last = s->n ? s->v[s->n - 1] : NULL;
    return last && last->boot == w->boot ? last : NULL;
}

double pt_kernel_end(const struct pt_serie *s, unsigned field)
{
    return pt_kernel_has(s->known, field) ? (double)s->v[field] : NAN;
}
