/* SPDX-License-Identifier: MIT
 * Swap in use at the end of a span: what processes show of it, what shared memory holds, and a
 * signed rest that nobody shows. */
#include <stdlib.h>

#include "analyze/picture/items.h"
#include "analyze/picture/picture.h"
#include "analyze/swap/swap_int.h"
#include "schema/array.h"

#define TEXT_MAX (64u << 20)

/* A shared object, as far as some mapping covers it. */
struct object {
    uint64_t key;
    int64_t swap;
};
struct load {
    const struct pt_view *view;
    struct pt_smaps *smaps;
    struct pt_swap *w;
    struct pt_swap_deeps *deeps;
    struct pt_buf text;
    struct object *objects;
    size_t nobjects, cap;
    bool nomem;
    /* the mapping at hand */
    uint64_t key;
    bool shared, sysv;
    int64_t shmem; /* of the process */
};

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (a == PT_UNKNOWN || b == PT_UNKNOWN)
        return a == PT_UNKNOWN ? b : a;
    return __builtin_add_overflow(a, b, &sum) ? PT_UNKNOWN : sum;
}

/* ---- shared memory ---- */

/* However many map it, and however much of it each, it is there once. */
static void add_object(struct load *l, uint64_t key, int64_t swap)
{
    for (size_t i = 0; i < l->nobjects; i++) {
        if (l->objects[i].key != key)
            continue;
        l->objects[i].swap = swap > l->objects[i].swap ? swap : l->objects[i].swap;
        return;
    }
    struct object *v = pt_array_room(l->objects, l->nobjects, &l->cap, sizeof(*v));
    l->nomem |= !v;
    if (!v)
        return;
    l->objects = v;
    l->objects[l->nobjects++] = (struct object){key, swap};
}

static int on_mapping(void *ctx, const struct pt_item *item)
{
    static const char sysv[] = "/SYSV";
    struct load *l = ctx;
    if (pt_items_is(item, "start")) {
        l->key = 0;
        l->shared = l->sysv = false;
    } else if (pt_items_is(item, "perms")) {
        l->shared = item->value_len >= 4 && item->value[3] == 's';
    } else if (pt_items_is(item, "dev.major") || pt_items_is(item, "dev.minor") ||
               pt_items_is(item, "inode")) {
        l->key = l->key * 31 + pt_hash(item->value, item->value_len);
    } else if (pt_items_is(item, "Swap") && l->shared) {
        /* only shared memory can be in swap where it is mapped shared */
        const int64_t swap = pt_items_times(pt_items_number(item), 1024);
        l->sysv = item->row_len >= strlen(sysv) && memcmp(item->row, sysv, strlen(sysv)) == 0;
        if (swap <= 0)
            return 0;
        l->shmem = plus(l->shmem, swap);
        if (!l->sysv)
            add_object(l, l->key, swap);
    }
    return l->nomem ? -1 : 0;
}

static int on_shm(void *ctx, const struct pt_item *item)
{
    struct pt_swap_held *held = ctx;
    if (pt_items_is(item, "swap"))
        held->shm = plus(held->shm, pt_items_number(item));
    return 0;
}

/* ---- processes ---- */

static const struct pt_source_at *deep_source(const struct load *l, int64_t pid, const char *file)
{
    char name[64];
    snprintf(name, sizeof(name), "proc:%lld/%s", (long long)pid, file);
    const struct pt_source_at *at = pt_view_find(l->view, name);
    return at && at->reading ? at : NULL;
}

/* smaps of every mapping, or else their sum. */
static int read_deep(struct load *l, const struct pt_process *p, struct pt_err *err)
{
    struct pt_swap_deep *d = &l->deeps->v[l->deeps->n];
    const struct pt_source_at *smaps = deep_source(l, p->pid, "smaps");
    const struct pt_source_at *at = smaps ? smaps : deep_source(l, p->pid, "smaps_rollup");
    struct pt_smaps_sum sum;
    if (!at)
        return 0;
    *d = (struct pt_swap_deep){.pid = p->pid,
                               .start_time = p->start_time,
                               .shmem_swap = PT_UNKNOWN,
                               .read_us = at->read_us};
    const int rc = pt_smaps_sum(l->smaps, at->reading, &sum, err);
    if (rc < 0)
        return rc;
    d->swap_pss = sum.v[PT_SMAPS_SWAP_PSS];
    l->deeps->n++;
    if (!smaps)
        return 0;
    l->shmem = 0;
    if (sum.v[PT_SMAPS_SWAP] > 0)
        pt_items_each(pt_db_shapes(l->view->db), NULL, at, &l->text, on_mapping, l, NULL);
    d->shmem_swap = l->shmem;
    return l->nomem ? pt_err_nomem(err) : 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct pt_swap_deep *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static int read_processes(struct load *l, struct pt_err *err)
{
    struct pt_processes all;
    struct pt_swap_held *held = &l->w->held;
    int rc = pt_processes_load(l->view, l->smaps, &all, err);
    if (rc < 0)
        return rc;
    l->deeps->v = calloc(all.n + 1, sizeof(*l->deeps->v));
    if (!l->deeps->v)
        rc = pt_err_nomem(err);
    for (size_t i = 0; i < all.n && rc >= 0; i++) {
        held->processes = plus(held->processes, all.v[i].m[PT_SWAP]);
        rc = read_deep(l, &all.v[i], err);
    }
    pt_processes_release(&all);
    if (l->deeps->n)
        qsort(l->deeps->v, l->deeps->n, sizeof(*l->deeps->v), by_pid);
    return rc;
}

void pt_swap_deeps_release(struct pt_swap_deeps *d)
{
    free(d->v);
    *d = (struct pt_swap_deeps){0};
}

const struct pt_swap_deep *pt_swap_deep_of(const struct pt_swap_deeps *d, int64_t pid,
                                           int64_t start_time)
{
    const struct pt_swap_deep wanted = {.pid = pid};
    const struct pt_swap_deep *found =
        d->n ? bsearch(&wanted, d->v, d->n, sizeof(*d->v), by_pid) : NULL;
    return found && found->start_time == start_time ? found : NULL;
}

/* ---- the whole ---- */

static void make_rest(struct pt_swap_held *h)
{
    const int64_t parts[] = {h->processes, h->cached, h->shm, h->mapped};
    h->rest = h->processes == PT_UNKNOWN ? PT_UNKNOWN : h->used;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && h->rest != PT_UNKNOWN; i++)
        if (parts[i] != PT_UNKNOWN && __builtin_sub_overflow(h->rest, parts[i], &h->rest))
            h->rest = PT_UNKNOWN;
}

static int load(struct load *l, struct pt_err *err)
{
    struct pt_swap_held *h = &l->w->held;
    struct pt_mem_values mem;
    int rc = pt_mem_load(l->view, &mem, err);
    if (rc < 0)
        return rc;
    const int64_t total = mem.v[PT_MEM_SWAP_TOTAL], left = mem.v[PT_MEM_SWAP_FREE];
    h->total = total;
    h->used = total == PT_UNKNOWN || left == PT_UNKNOWN ? PT_UNKNOWN : total - left;
    h->cached = mem.v[PT_MEM_SWAP_CACHED];
    const struct pt_source_at *shm = pt_view_find(l->view, "proc:sysvipc/shm");
    if (shm && shm->reading) {
        h->shm = 0; /* a table of none is known to hold none */
        pt_items_each(pt_db_shapes(l->view->db), NULL, shm, &l->text, on_shm, h, NULL);
    }
    rc = read_processes(l, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < l->nobjects; i++)
        h->mapped = plus(h->mapped, l->objects[i].swap);
    if (l->deeps->n && h->mapped == PT_UNKNOWN)
        h->mapped = 0;
    if (l->deeps->n == 0)
        l->w->missing |= PT_SWAP_NO_SMAPS;
    make_rest(h);
    return 0;
}

int pt_swap_load_held(const struct pt_session *s, struct pt_swap *w, struct pt_swap_deeps *ret,
                      struct pt_err *err)
{
    struct pt_view *view;
    struct load l = {.smaps = s->smaps, .w = w, .deeps = ret};
    *ret = (struct pt_swap_deeps){0};
    w->held = (struct pt_swap_held){.used = PT_UNKNOWN,
                                    .total = PT_UNKNOWN,
                                    .processes = PT_UNKNOWN,
                                    .cached = PT_UNKNOWN,
                                    .shm = PT_UNKNOWN,
                                    .mapped = PT_UNKNOWN,
                                    .rest = PT_UNKNOWN};
    int rc = pt_view_load(s->db, w->timeline.last, PT_GROUP_ALL, &view, err);
    if (rc < 0)
        return rc;
    l.view = view;
    pt_buf_init(&l.text, TEXT_MAX);
    rc = load(&l, err);
    pt_buf_release(&l.text);
    free(l.objects);
    pt_view_free(view);
    if (rc < 0)
        pt_swap_deeps_release(ret);
    return rc;
}
