/* SPDX-License-Identifier: MIT
 * Swap and kernel memory of a report. */
#include "analyze/report/beside.h"

#include <malloc.h>

#include "analyze/kernel/kernel.h"
#include "analyze/report/tree.h"
#include "analyze/swap/swap.h"

/* Snapshots from which on a second reader pays. */
#define WORTH 5000

static void note_cut(struct pt_beside_part *part, const char *list, size_t n, size_t top)
{
    if (!part->cut)
        part->cut = json_object();
    if (n > top)
        json_object_set_new(part->cut, list, json_integer((json_int_t)(n - top)));
}

bool pt_beside_swapped(const json_t *process)
{
    return pt_tree_int(process, "most_bytes") > 0 || pt_tree_int(process, "shmem_swap_bytes") > 0;
}

/* The others have a part in an episode, and come last. */
static size_t in_swap(const struct pt_swap *w)
{
    size_t n = 0;
    while (n < w->nprocesses && (w->processes[n].most > 0 || w->processes[n].shmem_swap > 0))
        n++;
    return n;
}

static void swap(struct pt_beside *d)
{
    struct pt_swap w;
    struct pt_beside_part *part = &d->swap;
    if (pt_swap_make(d->s, d->from, d->to, &w, &part->err) < 0)
        return;
    part->made = pt_swap_json(&w, (int64_t)d->top);
    note_cut(part, "swap.processes", in_swap(&w), d->top);
    pt_swap_release(&w);
    if (!part->made)
        pt_err_nomem(&part->err);
}

static void note_kernel(struct pt_beside_part *part, const struct pt_kernel *k, size_t top)
{
    static const char *const lists[PT_KERNEL_GROUPS] = {
        [PT_KERNEL_SLAB] = "kernel.slabs",         [PT_KERNEL_VMALLOC] = "kernel.vmalloc",
        [PT_KERNEL_SITE] = "kernel.allocations",   [PT_KERNEL_SOCKET] = "kernel.sockets",
        [PT_KERNEL_TMPFS] = "kernel.shared.tmpfs",
    };
    size_t n[PT_KERNEL_GROUPS] = {0};
    for (size_t i = 0; i < k->nitems; i++)
        n[k->items[i].group]++;
    for (int g = 0; g < PT_KERNEL_GROUPS; g++)
        if (lists[g])
            note_cut(part, lists[g], n[g], top);
    note_cut(part, "kernel.shared.objects", k->nobjects, top);
}

static void kernel(struct pt_beside *d)
{
    struct pt_kernel k;
    struct pt_beside_part *part = &d->kernel;
    if (pt_kernel_make(d->s, d->boot, d->to, &k, &part->err) < 0)
        return;
    part->made = pt_kernel_json(&k, (int64_t)d->top);
    note_kernel(part, &k, d->top);
    pt_kernel_release(&k);
    if (!part->made)
        pt_err_nomem(&part->err);
}

/* Each for itself: what damage takes from one says nothing of the other. */
static void work(struct pt_beside *d)
{
    swap(d);
    kernel(d);
}

/* What it took it gives back before the others take most. */
static void *work_apart(void *beside)
{
    struct pt_beside *d = beside;
    work(d);
    pt_session_rest(&d->again);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return NULL;
}

void pt_beside_begin(struct pt_beside *d, const struct pt_session *s, int64_t from, int64_t boot,
                     int64_t to, size_t top)
{
    *d = (struct pt_beside){.s = s, .from = from, .boot = boot, .to = to, .top = top};
    if (to - from < WORTH || pt_session_again(s, &d->again, NULL) < 0)
        return;
    d->s = &d->again;
    d->running = pthread_create(&d->thread, NULL, work_apart, d) == 0;
}

void pt_beside_drop(struct pt_beside *d, struct pt_session *s)
{
    if (d->running)
        pthread_join(d->thread, NULL);
    if (d->again.args)
        pt_session_join(s, &d->again);
}

void pt_beside_end(struct pt_beside *d, struct pt_session *s)
{
    if (!d->running)
        work(d);
    pt_beside_drop(d, s);
}
