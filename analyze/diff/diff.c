/* SPDX-License-Identifier: MIT
 * Two pictures compared: processes, their mappings, slab caches. */
#include "analyze/diff/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/array.h"

/* A process is deeply read soon after it is first seen: where there is no reading at `from`, the
 * snapshots 1, 2, 4, ... up to this many after it are looked at. Each costs a view of all deep
 * sources. */
#define BASELINE_SNAPSHOTS 64

const char *pt_side_name(enum pt_side side)
{
    static const char *const names[] = {
        [PT_SIDE_BOTH] = "both", [PT_SIDE_NEW] = "new", [PT_SIDE_GONE] = "gone"};
    return names[side];
}

const char *pt_match_name(enum pt_match match)
{
    static const char *const names[] = {[PT_MATCH_IDENTITY] = "identity",
                                        [PT_MATCH_SERVICE] = "service",
                                        [PT_MATCH_EXE] = "exe+uid"};
    return match == PT_MATCH_NONE ? NULL : names[match];
}

const struct pt_process *pt_diff_who(const struct pt_diff_process *p)
{
    return p->after ? p->after : p->before;
}

struct pt_change pt_change_of(bool has_before, int64_t before, bool has_after, int64_t after)
{
    struct pt_change c = {has_before ? before : PT_UNKNOWN, has_after ? after : PT_UNKNOWN,
                          PT_UNKNOWN};
    const int64_t a = has_before ? before : 0, b = has_after ? after : 0;
    if (a == PT_UNKNOWN || b == PT_UNKNOWN || (!has_before && !has_after) ||
        __builtin_sub_overflow(b, a, &c.delta))
        c.delta = PT_UNKNOWN;
    return c;
}

static uint64_t magnitude(int64_t v)
{
    return v == PT_UNKNOWN ? 0 : v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static int by_magnitude(int64_t a, int64_t b)
{
    const uint64_t x = magnitude(a), y = magnitude(b);
    return x < y ? 1 : x > y ? -1 : 0;
}

/* ---- processes ---- */

static void measure(struct pt_diff_process *p)
{
    const struct pt_process *a = p->before, *b = p->after;
    for (unsigned i = 0; i < PT_MEASURES; i++)
        p->m[i] = pt_change_of(a, a ? a->m[i] : 0, b, b ? b->m[i] : 0);
    p->deep_before_us = a ? a->deep_us : PT_UNKNOWN;
    p->deep_after_us = b ? b->deep_us : PT_UNKNOWN;
    p->smaps_before_us = a ? a->smaps_us : PT_UNKNOWN;
    p->smaps_after_us = b ? b->smaps_us : PT_UNKNOWN;
    const struct pt_change w =
        pt_change_of(a, a ? pt_process_weight(a) : 0, b, b ? pt_process_weight(b) : 0);
    p->weight = w.delta == PT_UNKNOWN ? 0 : w.delta;
    p->smaps_before =
        a && a->smaps ? pt_reading_ref((struct pt_reading *)(uintptr_t)a->smaps) : NULL;
    p->smaps_after =
        b && b->smaps ? pt_reading_ref((struct pt_reading *)(uintptr_t)b->smaps) : NULL;
}

static int process_order(const void *x, const void *y)
{
    const struct pt_diff_process *a = x, *b = y;
    int r = by_magnitude(a->weight, b->weight);
    if (r == 0)
        r = by_magnitude(a->m[PT_RSS].delta, b->m[PT_RSS].delta);
    if (r == 0) {
        const int64_t p = pt_diff_who(a)->pid, q = pt_diff_who(b)->pid;
        r = p < q ? -1 : p > q;
    }
    return r;
}

/* ---- first readings after `from` ---- */

static bool lacks_before(const struct pt_diff_process *p)
{
    return p->side == PT_SIDE_BOTH && !p->smaps_before && p->smaps_after;
}

static int take_baseline(struct pt_diff *d, struct pt_diff_process *p, const struct pt_view *view,
                         size_t *left, struct pt_err *err)
{
    char name[64];
    snprintf(name, sizeof(name), "proc:%" PRId64 "/smaps", p->before->pid);
    const struct pt_source_at *at = pt_view_find(view, name);
    if (!at || !at->reading)
        return 0;
    (*left)--;
    struct pt_smaps_sum sum;
    if (at->read_us >= p->after->smaps_us) { /* the only one there is: nothing to compare */
        pt_reading_unref(pt_db_shapes(d->to->db), p->smaps_after);
        p->smaps_after = NULL;
        p->smaps_after_us = PT_UNKNOWN;
        return 0;
    }
    const int rc = pt_smaps_sum(d->to->smaps, at->reading, &sum, err);
    if (rc < 0)
        return rc;
    p->smaps_before = pt_reading_ref(at->reading);
    p->smaps_before_us = at->read_us;
    p->late = true;
    if (p->before->deep_us == PT_UNKNOWN) {
        const int64_t clean = sum.v[PT_SMAPS_PRIVATE_CLEAN], dirty = sum.v[PT_SMAPS_PRIVATE_DIRTY];
        const int64_t uss = clean == PT_UNKNOWN || dirty == PT_UNKNOWN ? PT_UNKNOWN : clean + dirty;
        p->deep_before_us = at->read_us;
        p->m[PT_PSS] = pt_change_of(true, sum.v[PT_SMAPS_PSS], true, p->after->m[PT_PSS]);
        p->m[PT_USS] = pt_change_of(true, uss, true, p->after->m[PT_USS]);
    }
    return 0;
}

static int baselines(struct pt_diff *d, struct pt_err *err)
{
    size_t left = 0;
    for (size_t i = 0; i < d->nprocesses; i++)
        left += lacks_before(&d->processes[i]);
    int64_t n = d->from->view->snap.n;
    for (int64_t after = 1; left > 0 && after <= BASELINE_SNAPSHOTS; after *= 2) {
        struct pt_err none = {0};
        struct pt_view *view;
        const int64_t before = d->from->view->snap.n + after - 1;
        if (pt_db_step(d->to->db, before > n ? before : n, 1, &n, &none) < 0 ||
            n >= d->to->view->snap.n)
            break;
        if (pt_view_load(d->to->db, n, PT_GROUP(PT_BLOCK_DEEP), &view, &none) < 0)
            continue; /* damaged: told by the database */
        int rc = 0;
        for (size_t i = 0; rc == 0 && i < d->nprocesses; i++) {
            if (lacks_before(&d->processes[i]))
                rc = take_baseline(d, &d->processes[i], view, &left, err);
        }
        pt_view_free(view);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- mappings ---- */

struct mappings {
    struct pt_diff_mapping *v;
    size_t n, cap;
};

static int put_mapping(struct mappings *m, size_t process, const struct pt_mapping *a,
                       const struct pt_mapping *b, struct pt_err *err)
{
    const struct pt_change change = pt_change_of(a, a ? a->bytes : 0, b, b ? b->bytes : 0);
    if (change.delta == 0 || change.delta == PT_UNKNOWN)
        return 0;
    struct pt_diff_mapping *v = pt_array_room(m->v, m->n, &m->cap, sizeof(*v));
    if (!v)
        return pt_err_nomem(err);
    m->v = v;
    const struct pt_mapping *is = b ? b : a;
    m->v[m->n++] = (struct pt_diff_mapping){.process = process,
                                            .name = is->id->name,
                                            .kind = is->id->kind,
                                            .deleted = is->deleted,
                                            .bytes = change};
    return 0;
}

/* Ids of one table are one for a name; those of two databases are compared by it. */
static int mapping_by_name(const void *x, const void *y)
{
    const struct pt_mapping *a = x, *b = y;
    if (a->id == b->id)
        return 0;
    return a->id->kind != b->id->kind ? (a->id->kind < b->id->kind ? -1 : 1)
                                      : strcmp(a->id->name, b->id->name);
}

/* Joins two merged lists by name. */
static int join_mappings(struct mappings *m, size_t process, struct pt_mapping *a, size_t na,
                         struct pt_mapping *b, size_t nb, struct pt_err *err)
{
    size_t i = 0, j = 0;
    int rc = 0;
    if (na > 1)
        qsort(a, na, sizeof(*a), mapping_by_name);
    if (nb > 1)
        qsort(b, nb, sizeof(*b), mapping_by_name);
    while (rc == 0 && (i < na || j < nb)) {
        const int order = j == nb ? -1 : i == na ? 1 : mapping_by_name(&a[i], &b[j]);
        rc = put_mapping(m, process, order <= 0 ? &a[i] : NULL, order >= 0 ? &b[j] : NULL, err);
        i += order <= 0;
        j += order >= 0;
    }
    return rc;
}

static int diff_mappings_of(struct pt_diff *d, size_t process, struct mappings *m,
                            struct pt_err *err)
{
    const struct pt_diff_process *p = &d->processes[process];
    struct pt_mapping *a = NULL, *b = NULL;
    size_t na = 0, nb = 0;
    const bool complete = p->side == PT_SIDE_BOTH ? p->smaps_before && p->smaps_after
                                                  : p->smaps_before || p->smaps_after;
    if (!complete || (!d->other_db && pt_reading_equal(p->smaps_before, p->smaps_after)))
        return 0;
    int rc = p->smaps_before ? pt_smaps_merge(d->from->smaps, p->smaps_before, &a, &na, err) : 0;
    if (rc == 0 && p->smaps_after)
        rc = pt_smaps_merge(d->to->smaps, p->smaps_after, &b, &nb, err);
    if (rc == 0)
        rc = join_mappings(m, process, a, na, b, nb, err);
    free(a);
    free(b);
    return rc;
}

static int mapping_order(const void *x, const void *y)
{
    const struct pt_diff_mapping *a = x, *b = y;
    const int r = by_magnitude(a->bytes.delta, b->bytes.delta);
    return r                          ? r
           : a->process != b->process ? (a->process < b->process ? -1 : 1)
                                      : strcmp(a->name, b->name);
}

static int diff_mappings(struct pt_diff *d, struct pt_err *err)
{
    struct mappings m = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < d->nprocesses; i++)
        rc = diff_mappings_of(d, i, &m, err);
    d->mappings = m.v;
    d->nmappings = m.n;
    if (rc == 0 && m.n > 1)
        qsort(m.v, m.n, sizeof(*m.v), mapping_order);
    return rc;
}

/* ---- slab caches ---- */

static int slab_order(const void *x, const void *y)
{
    const struct pt_diff_slab *a = x, *b = y;
    const int r = by_magnitude(a->bytes.delta, b->bytes.delta);
    return r ? r : strcmp(a->name, b->name);
}

static bool slabs_known(const struct pt_slabs *s)
{
    return s->presence == PT_READ || s->presence == PT_CARRIED;
}

static int diff_slabs(struct pt_diff *d, struct pt_err *err)
{
    const struct pt_slabs *a = &d->from->slabs, *b = &d->to->slabs;
    size_t i = 0, j = 0;
    if (!slabs_known(a) || !slabs_known(b) || a->n + b->n == 0)
        return 0;
    d->slabs = calloc(a->n + b->n, sizeof(*d->slabs));
    if (!d->slabs)
        return pt_err_nomem(err);
    while (i < a->n || j < b->n) {
        const int order = j == b->n ? -1 : i == a->n ? 1 : strcmp(a->v[i].name, b->v[j].name);
        const bool before = order <= 0, after = order >= 0;
        d->slabs[d->nslabs++] =
            (struct pt_diff_slab){.name = before ? a->v[i].name : b->v[j].name,
                                  .bytes = pt_change_of(before, before ? a->v[i].bytes : 0, after,
                                                        after ? b->v[j].bytes : 0)};
        i += before;
        j += after;
    }
    qsort(d->slabs, d->nslabs, sizeof(*d->slabs), slab_order);
    return 0;
}

int pt_diff_make(const struct pt_picture *from, const struct pt_picture *to, enum pt_by by,
                 struct pt_diff *ret, struct pt_err *err)
{
    struct pt_diff d = {.from = from, .to = to, .before = from->balance, .after = to->balance};
    d.other_db = from->db != to->db;
    d.other_boot =
        !from->boot.id || !to->boot.id || strcmp(from->boot.boot_id, to->boot.boot_id) != 0;
    pt_balance_align(&d.before, &d.after);
    int rc = pt_diff_match(&d, err);
    for (size_t i = 0; rc == 0 && i < d.nprocesses; i++)
        measure(&d.processes[i]);
    if (rc == 0 && !d.other_db && !d.other_boot)
        rc = baselines(&d, err);
    if (rc == 0 && d.nprocesses > 1)
        qsort(d.processes, d.nprocesses, sizeof(*d.processes), process_order);
    if (rc == 0)
        rc = diff_mappings(&d, err);
    if (rc == 0)
        rc = diff_slabs(&d, err);
    if (rc == 0)
        rc = pt_diff_group_by(&d, by, err);
    if (rc < 0) {
        pt_diff_release(&d);
        return rc;
    }
    *ret = d;
    return 0;
}

void pt_diff_release(struct pt_diff *d)
{
    for (size_t i = 0; i < d->nprocesses; i++) {
        pt_reading_unref(pt_db_shapes(d->from->db), d->processes[i].smaps_before);
        pt_reading_unref(pt_db_shapes(d->to->db), d->processes[i].smaps_after);
    }
    free(d->processes);
    free(d->mappings);
    free(d->slabs);
    free(d->groups);
    pt_arena_release(&d->arena);
    *d = (struct pt_diff){0};
}
