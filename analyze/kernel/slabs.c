/* SPDX-License-Identifier: MIT
 * What has rows of its own over the span: slab caches, tmpfs mounts, protocols of sockets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/print/units.h"

#define MIB 1048576.0
/* A tmpfs is looked at by a thread of its own: those there from the start come a little later. */
#define LATE_INTERVALS 12

/* Another series of the same name: two caches, or a cache that went and came back. */
static void join(struct pt_kernel_item *into, const struct pt_kernel_item *one)
{
    struct pt_course *a = &into->bytes;
    a->first = pt_units_plus(a->first, one->bytes.first);
    a->last = pt_units_plus(a->last, one->bytes.last);
    a->least = a->most = a->most_us = PT_UNKNOWN; /* not at the same time */
    into->count = pt_units_plus(into->count, one->count);
    into->shrank = pt_units_plus(into->shrank, one->shrank);
}

/* Items of one group from `begin` on: those of one name become one. */
static int by_name(const void *a, const void *b)
{
    const struct pt_kernel_item *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void merge(struct pt_kernel *k, size_t begin)
{
    size_t n = begin;
    if (k->nitems - begin < 2)
        return;
    qsort(k->items + begin, k->nitems - begin, sizeof(*k->items), by_name);
    for (size_t i = begin; i < k->nitems; i++) {
        if (n > begin && strcmp(k->items[n - 1].name, k->items[i].name) == 0)
            join(&k->items[n - 1], &k->items[i]);
        else
            k->items[n++] = k->items[i];
    }
    k->nitems = n;
}

/* When the first of them was read: what appears later was made later. */
static double first_seen(const struct pt_kernel_work *w, const struct pt_series *all)
{
    double first = INFINITY;
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i]->boot == w->boot)
            first = fmin(first, all->v[i]->from);
    return first;
}

static void course_of_row(const struct pt_kernel_work *w, const struct pt_serie *s, double scale,
                          double now, double first, struct pt_course *ret)
{
    pt_course_of(&s->track[0], &w->k->timeline, scale, s->over ? 0 : now, ret);
    if (s->from > first)
        ret->first = ret->least = 0;
    if (s->over)
        ret->least = 0;
}

static struct pt_kernel_item *add(struct pt_kernel_work *w, enum pt_kernel_group group,
                                  const char *name)
{
    return pt_kernel_add(w, group, pt_kernel_copy(w, name, strlen(name)));
}

/* ---- slab caches ---- */

static const struct pt_slab *find(const struct pt_slabs *t, const char *name)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int order = strcmp(t->v[mid].name, name);
        if (order == 0)
            return &t->v[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* A cache that no rule knows, and that is larger than what is left of SReclaimable when the known
 * ones are taken off it, is not of those. */
static void exclude(struct pt_kernel *k, size_t begin)
{
    const int64_t all = k->end.mem.v[PT_MEM_SRECLAIMABLE];
    double rest = (double)all;
    if (all == PT_UNKNOWN)
        return;
    for (size_t i = begin; i < k->nitems; i++)
        if (k->items[i].reclaim == PT_RECLAIM_YES && k->items[i].bytes.last != PT_UNKNOWN)
            rest -= (double)k->items[i].bytes.last;
    rest = fmax(rest, 0) + fmax(MIB, (double)all / 50); /* slabinfo is read less often */
    for (size_t i = begin; i < k->nitems; i++)
        if (k->items[i].reclaim == PT_RECLAIM_UNKNOWN && (double)k->items[i].bytes.last > rest)
            k->items[i].reclaim = PT_RECLAIM_NO;
}

static int slabs(struct pt_kernel_work *w, struct pt_err *err)
{
    const struct pt_series *all = &w->series[PT_KS_SLABS];
    const double first = first_seen(w, all), page = w->page == PT_UNKNOWN ? NAN : (double)w->page;
    const size_t begin = w->k->nitems;
    struct pt_slabs before;
    struct pt_spell spells[PT_SPELLS];
    const size_t nspells = pt_kernel_shrinks(w, spells, PT_SPELLS);
    int rc = pt_slabs_load(w->first, &before, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        if (s->boot != w->boot)
            continue;
        struct pt_kernel_item *item = add(w, PT_KERNEL_SLAB, s->row);
        if (!item) {
            pt_slabs_release(&before);
            return pt_err_nomem(err);
        }
        const struct pt_slab *was = find(&before, s->row);
        const double now = pt_kernel_has(s->known, 0) && pt_kernel_has(s->known, 1)
                               ? (double)s->v[0] * (double)s->v[1]
                               : NAN;
        course_of_row(w, s, page, now, first, &item->bytes);
        item->count = s->over ? 0 : pt_kernel_has(s->known, 2) ? s->v[2] : PT_UNKNOWN;
        item->count_first = was ? was->objects : s->from > first ? 0 : PT_UNKNOWN;
        item->reclaim = pt_slab_reclaim(s->row);
        if (nspells && w->page != PT_UNKNOWN)
            item->shrank = pt_kernel_whole(pt_course_lost(&s->track[0], spells, nspells) * page);
    }
    pt_slabs_release(&before);
    merge(w->k, begin);
    exclude(w->k, begin);
    return 0;
}

/* ---- tmpfs, sockets ---- */

/* One file system under two mount points: as large and as full to the block and the inode. */
static bool same_tmpfs(const struct pt_serie *a, const struct pt_serie *b)
{
    enum { BLOCKS = 1, FREE, FIELDS = 5 };
    const uint32_t all = (1u << FIELDS) - 1;
    if ((a->known & all) != all || (b->known & all) != all || a->v[BLOCKS] == a->v[FREE])
        return false;
    return memcmp(a->v, b->v, FIELDS * sizeof(*a->v)) == 0;
}

static bool met_before(const struct pt_series *all, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (all->v[k]->boot == all->v[i]->boot && !all->v[k]->over &&
            same_tmpfs(all->v[k], all->v[i]))
            return true;
    return false;
}

static int tmpfs(struct pt_kernel_work *w, struct pt_err *err)
{
    const struct pt_series *all = &w->series[PT_KS_TMPFS];
    const double first = first_seen(w, all) + LATE_INTERVALS * w->k->timeline.interval;
    const size_t begin = w->k->nitems;
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        const double now =
            (s->known & 7) == 7 ? ((double)s->v[1] - (double)s->v[2]) * (double)s->v[0] : NAN;
        if (s->boot != w->boot)
            continue;
        struct pt_kernel_item *item = add(w, PT_KERNEL_TMPFS, s->source + strlen("statfs:"));
        if (!item)
            return pt_err_nomem(err);
        course_of_row(w, s, 1, now, first, &item->bytes);
        item->within = met_before(all, i);
    }
    merge(w->k, begin);
    return 0;
}

/* The host's own network namespace, where that was recorded besides the recorder's. */
static bool of_pid1(const struct pt_series *all, uint32_t boot)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i]->boot == boot && strncmp(all->v[i]->source, "proc:1/", 7) == 0)
            return true;
    return false;
}

static int sockets(struct pt_kernel_work *w, struct pt_err *err)
{
    const struct pt_series *all = &w->series[PT_KS_SOCKETS];
    const bool host = of_pid1(all, w->boot);
    const double first = first_seen(w, all);
    const size_t begin = w->k->nitems;
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        const bool bytes = pt_kernel_has(s->known, 1) || pt_kernel_has(s->known, 0);
        if (s->boot != w->boot || !bytes || host != (strncmp(s->source, "proc:1/", 7) == 0))
            continue;
        struct pt_kernel_item *item = add(w, PT_KERNEL_SOCKET, s->row);
        if (!item)
            return pt_err_nomem(err);
        const double now = pt_kernel_has(s->known, 1) ? (double)s->v[1]
                           : w->page == PT_UNKNOWN    ? NAN
                                                      : (double)s->v[0] * (double)w->page;
        course_of_row(w, s, 1, now, first, &item->bytes);
        item->count = pt_kernel_has(s->known, 2) ? s->v[2] : PT_UNKNOWN;
        item->within = true; /* it stands in slab and in pages of the unaccounted rest */
    }
    merge(w->k, begin);
    return 0;
}

/* ---- all ---- */

static int tell(struct pt_kernel_work *w)
{
    const struct pt_kernel *k = w->k;
    bool socket = false, mount = false;
    int rc = 0;
    for (size_t i = 0; i < k->nitems; i++) {
        socket |= k->items[i].group == PT_KERNEL_SOCKET;
        mount |= k->items[i].group == PT_KERNEL_TMPFS;
    }
    if (k->end.slabs.presence == PT_UNREADABLE)
        rc = pt_kernel_unknown(w, "slab caches", "slabinfo could not be read");
    else if (k->end.slabs.n == 0)
        rc = pt_kernel_unknown(w, "slab caches", "slabinfo was not recorded");
    if (rc >= 0 && !socket)
        rc = pt_kernel_unknown(w, "socket buffers", "net/sockstat was not recorded");
    if (rc >= 0 && !mount)
        rc = pt_kernel_unknown(w, "tmpfs by mount", "no tmpfs was looked at");
    if (rc >= 0 && w->page == PT_UNKNOWN)
        rc = pt_kernel_unknown(w, "all that the kernel counts in pages",
                               "the page size was not recorded");
    return rc;
}

int pt_kernel_slabs(struct pt_kernel_work *w, struct pt_err *err)
{
    int rc = slabs(w, err);
    if (rc >= 0)
        rc = tmpfs(w, err);
    if (rc >= 0)
        rc = sockets(w, err);
    if (rc >= 0 && tell(w) < 0)
        rc = pt_err_nomem(err);
    return rc;
}
