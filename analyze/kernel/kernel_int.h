/* SPDX-License-Identifier: MIT
 * Between the parts that make a struct pt_kernel. Units: as kernel.h; axis times in seconds of the
 * timeline. */
#ifndef PT_ANALYZE_KERNEL_KERNEL_INT_H
#define PT_ANALYZE_KERNEL_KERNEL_INT_H

#include "analyze/kernel/kernel.h"
#include "analyze/series/series.h"

/* What is followed over the span, each a pt_series_spec. */
enum pt_kernel_series {
    PT_KS_FAST = 0, /* meminfo, what changes with every snapshot */
    PT_KS_SLOW,     /* meminfo, what the balance sheet needs besides */
    PT_KS_MORE,     /* meminfo, what it does not need */
    PT_KS_VM,       /* levels of vmstat */
    PT_KS_RECLAIM,  /* counters of vmstat, by topic */
    PT_KS_STALLS,
    PT_KS_COMPACTION,
    PT_KS_HUGE,
    PT_KS_NUMA,
    PT_KS_WRITE,
    PT_KS_ZONES,
    PT_KS_PCP, /* free pages that CPUs keep, of each zone */
    PT_KS_SLABS,
    PT_KS_TMPFS,
    PT_KS_SHM,
    PT_KS_SOCKETS,
    PT_KS_DYING,
    PT_KS_COUNT
};

/* Fields and measures of PT_KS_VM. */
enum {
    PT_VM_DIRTY = 0,
    PT_VM_WRITEBACK,
    PT_VM_LIMIT,
    PT_VM_BACKGROUND,
    PT_VM_ZSPAGES,
    PT_VM_MEMMAP,
    PT_VM_COUNT
};
enum {
    PT_VMM_DIRTY = 0,
    PT_VMM_OVER_BACKGROUND,
    PT_VMM_OVER_LIMIT,
    PT_VMM_ZSPAGES,
    PT_VMM_MEMMAP,
    PT_VMM_COUNT
};
extern const char *const pt_kernel_vm[PT_VM_COUNT];
double pt_kernel_measure_vm(void *ctx, const int64_t *v, uint32_t known, unsigned measure);
/* Fields of PT_KS_STALLS, summed. */
#define PT_STALLS 7
extern const char *const pt_kernel_stalls[PT_STALLS];
double pt_kernel_measure_stalls(void *ctx, const int64_t *v, uint32_t known, unsigned measure);
/* The fields of a plain series; 0: it is not of meminfo, not of vmstat. ret: PT_FIELDS_MAX. */
unsigned pt_kernel_level_fields(enum pt_kernel_series which, const char **ret);
unsigned pt_kernel_counter_fields(enum pt_kernel_series which, const char **ret);
/* Is PT_KS_PCP followed? Not on machines of many CPUs. */
struct pt_kernel_work;
bool pt_kernel_pcp_followed(const struct pt_kernel_work *w);
/* Of PT_KS_ZONES: the fields, and the measures: free, and whether it is below these. */
enum { PT_ZONE_FREE = 0, PT_ZONE_MIN, PT_ZONE_LOW, PT_ZONE_HIGH, PT_ZONE_MEASURES };

static inline bool pt_kernel_has(uint32_t known, unsigned field)
{
    return known >> field & 1;
}

struct pt_kernel_work {
    const struct pt_session *s;
    struct pt_kernel *k;
    struct pt_view *first;           /* system files at the start of the newest boot of the span */
    struct pt_mem_values mem;        /* of it */
    struct pt_balance before, after; /* aligned */
    double base, end;                /* where that boot's part of the span begins and ends */
    uint32_t boot;
    int64_t page; /* PT_UNKNOWN */
    struct pt_series series[PT_KS_COUNT];
};

/* Room for one more at the end, zeroed; NULL: no memory. array: of a pointer to malloc'ed
 * elements. */
void *pt_kernel_push(void *array, size_t *n, size_t size);
/* An item of which only group and name are known yet; NULL: no memory, or name is NULL. */
struct pt_kernel_item *pt_kernel_add(struct pt_kernel_work *w, enum pt_kernel_group group,
                                     const char *name);
char *pt_kernel_copy(struct pt_kernel_work *w, const char *name, size_t len);
int pt_kernel_unknown(struct pt_kernel_work *w, const char *what, const char *why);
/* The value of a source that holds one number at the end; PT_UNKNOWN. */
int64_t pt_kernel_value(const struct pt_view *view, const char *source);

/* The series of the newest boot of a file that is one row; NULL: it was not read. */
const struct pt_serie *pt_kernel_newest(const struct pt_kernel_work *w,
                                        enum pt_kernel_series which);
/* A field as it was last; NAN: not known. */
double pt_kernel_end(const struct pt_serie *s, unsigned field);

/* A whole number; PT_UNKNOWN where it is none, or more than a machine can have (2^56). */
int64_t pt_kernel_whole(double v);

/* ---- courses (pure) ---- */

void pt_course_init(struct pt_course *c);
/* Of a track whose values are multiplied by scale; last: what the series' end says, NAN: unknown.
 */
void pt_course_of(const struct pt_curve *track, const struct pt_timeline *t, double scale,
                  double last, struct pt_course *ret);
/* A curve's mean about an instant; NAN where it was not known. */
double pt_course_at(const struct pt_curve *track, double at);
/* How much of what is known the indicator (0 or 1) stood at 1, seconds. */
double pt_course_time(const struct pt_curve *track, double *ret_known);
/* The time spans in which a counter rose: at most max of them, neighbours joined. */
struct pt_spell {
    double from, to;
};
size_t pt_course_rises(const struct pt_curve *track, struct pt_spell *ret, size_t max);
/* What a level lost over these spells: from before each to the least in it or shortly after. */
double pt_course_lost(const struct pt_curve *track, const struct pt_spell *spells, size_t n);

/* When shrinkers looked at slab objects. */
#define PT_SPELLS 64
size_t pt_kernel_shrinks(const struct pt_kernel_work *w, struct pt_spell *ret, size_t max);

/* ---- fragmentation (pure) ---- */

/* Share of the free pages that lie in blocks below each order: 0 all can be had in one piece of
 * that order, 1 none. NAN where nothing is free. */
void pt_unusable(const int64_t *blocks, unsigned n, double *ret);

/* ---- parts, in this order ---- */

int pt_kernel_follow(struct pt_kernel_work *w, struct pt_err *err); /* loads the series */
int pt_kernel_lines(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_levels(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_huge(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_counters(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_slabs(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_callers(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_zones(struct pt_kernel_work *w, struct pt_err *err);
int pt_kernel_shared(struct pt_kernel_work *w, struct pt_err *err);

#endif
