/* SPDX-License-Identifier: MIT
 * Finding the snapshot before an event, and what it holds. */
#include "analyze/picture/before.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/print/units.h"

#define TEXT_MAX   (1u << 20)
#define PATH_BYTES 4200
#define UNLIMITED  (INT64_C(1) << 60) /* v1 writes "none" as the largest number of whole pages */
#define STEPS_BACK 2

/* ---- who it is about ---- */

/* "1234 comm": the pid, and what stands behind it. PT_UNKNOWN: not a process. */
static int64_t subject_pid(const char *subject, const char **ret_comm)
{
    const size_t digits = strspn(subject, "0123456789");
    int64_t pid, scale;
    if (digits == 0 || subject[digits] != ' ' || !pt_number(subject, digits, &pid, &scale))
        return PT_UNKNOWN;
    *ret_comm = subject + digits + 1;
    return pid;
}

/* A pid alone may be another namespace's. */
static const struct pt_process *find_subject(const struct pt_processes *t, const char *subject)
{
    const char *comm;
    const int64_t pid = subject_pid(subject, &comm);
    for (size_t i = 0; pid != PT_UNKNOWN && i < t->n; i++) {
        const struct pt_process *p = &t->v[i];
        if (p->pid == pid && p->comm && strcmp(p->comm, comm) == 0 && p->state != 'Z' &&
            p->state != 'X')
            return p;
    }
    return NULL;
}

/* ---- what limited it ---- */

static int emit_value(void *ctx, const struct pt_item *item)
{
    *(int64_t *)ctx = pt_items_number(item);
    return 0;
}

static int64_t value_of(const struct pt_view *view, struct pt_buf *text, const char *source)
{
    int64_t v = PT_UNKNOWN;
    pt_items_each(pt_db_shapes(view->db), NULL, pt_view_find(view, source), text, emit_value, &v,
                  NULL);
    return v;
}

/* The files of a control group in the hierarchy that accounts memory. */
static const struct hierarchy {
    const char *prefix, *limit, *usage, *swap;
    bool with_memory; /* swap is a limit of both */
} hierarchies[] = {
    {"cgroup:", "memory.max", "memory.current", "memory.swap.max", false},
    {"cgroup:memory/", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "memory.memsw.limit_in_bytes", true},
    {"cgroup:unified/", "memory.max", "memory.current", "memory.swap.max", false},
};

static int64_t file_of(const struct pt_view *view, struct pt_buf *text, const char *prefix,
                       const char *path, size_t n, const char *file)
{
    char source[PATH_BYTES];
    snprintf(source, sizeof(source), "%s%.*s/%s", prefix, (int)n, path, file);
    return value_of(view, text, source);
}

bool pt_limit_load(const struct pt_view *view, const char *path, size_t n, struct pt_limit *ret)
{
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    ret->limit = PT_UNKNOWN;
    for (unsigned i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
        const struct hierarchy *h = &hierarchies[i];
        ret->limit = file_of(view, &text, h->prefix, path, n, h->limit);
        if (ret->limit == PT_UNKNOWN)
            continue;
        ret->usage = file_of(view, &text, h->prefix, path, n, h->usage);
        ret->swap_limit = file_of(view, &text, h->prefix, path, n, h->swap);
        if (h->with_memory)
            ret->swap_limit = pt_units_minus(ret->swap_limit, ret->limit);
        break;
    }
    pt_buf_release(&text);
    return ret->limit != PT_UNKNOWN && ret->limit < UNLIMITED;
}

static int load_limits(struct pt_before *b, const char *path, struct pt_err *err)
{
    const size_t root = strspn(path, "/");
    size_t n = strlen(path);
    int rc = 0;
    while (rc == 0 && n > root && n < PATH_BYTES / 2 && b->nlimits < PT_BEFORE_LIMITS) {
        struct pt_limit *limit = &b->limits[b->nlimits];
        if (pt_limit_load(b->view, path + root, n - root, limit)) {
            limit->path = strndup(path, n);
            rc = limit->path ? 0 : pt_err_nomem(err);
            b->nlimits++;
        }
        const char *slash = memrchr(path, '/', n);
        n = slash ? (size_t)(slash - path) : 0;
    }
    return rc;
}

/* ---- the rest of the machine ---- */

static int emit_pressure(void *ctx, const struct pt_item *item)
{
    struct pt_before *b = ctx;
    int64_t v, scale;
    if (!pt_items_is(item, "avg10") || !pt_number(item->value, item->value_len, &v, &scale))
        return 0;
    if (item->row_len == 4 && memcmp(item->row, "some", 4) == 0)
        b->some = (double)v / (double)scale;
    else if (item->row_len == 4 && memcmp(item->row, "full", 4) == 0)
        b->full = (double)v / (double)scale;
    return 0;
}

static int load_pressure(struct pt_before *b, struct pt_err *err)
{
    struct pt_buf text;
    b->some = b->full = -1;
    pt_buf_init(&text, TEXT_MAX);
    const int rc =
        pt_items_each(pt_db_shapes(b->view->db), NULL,
                      pt_view_find(b->view, "proc:pressure/memory"), &text, emit_pressure, b, err);
    pt_buf_release(&text);
    return rc < 0 ? rc : 0;
}

static int by_weight(const void *x, const void *y)
{
    const struct pt_process *const *a = x, *const *b = y;
    const int64_t p = pt_process_weight(*a), q = pt_process_weight(*b); /* PT_UNKNOWN is least */
    if (p != q)
        return p < q ? 1 : -1;
    return (*a)->pid < (*b)->pid ? -1 : (*a)->pid > (*b)->pid;
}

static int sort(struct pt_before *b, struct pt_err *err)
{
    b->order = calloc(b->processes.n + 1, sizeof(const struct pt_process *));
    if (!b->order)
        return pt_err_nomem(err);
    for (size_t i = 0; i < b->processes.n; i++)
        b->order[i] = &b->processes.v[i];
    qsort(b->order, b->processes.n, sizeof(*b->order), by_weight);
    return 0;
}

/* ---- which snapshot ---- */

static int load_processes(const struct pt_session *s, int64_t n, const char *subject,
                          struct pt_before *ret, struct pt_err *err)
{
    const unsigned groups =
        PT_GROUP(PT_BLOCK_SYSTEM) | PT_GROUP(PT_BLOCK_PROC) | PT_GROUP(PT_BLOCK_NAMES);
    pt_before_release(ret);
    int rc = pt_view_load(s->db, n, groups, &ret->view, err);
    if (rc >= 0)
        rc = pt_processes_load(ret->view, s->smaps, &ret->processes, err);
    if (rc >= 0)
        ret->subject = find_subject(&ret->processes, subject);
    return rc;
}

/* The boot it happened in, by the clock; 0: not known. */
static uint32_t boot_at(const struct pt_db *db, int64_t real_us)
{
    uint32_t boot = 0;
    for (uint32_t i = 0; i < pt_db_boots(db) && pt_db_boot(db, i)->btime_us <= real_us; i++)
        boot = pt_db_boot(db, i)->id;
    return boot;
}

/* The snapshot an OOM kill goes with is the last before it. */
static int last_before(const struct pt_session *s, const struct pt_db_event *e, int64_t *ret_n,
                       struct pt_err *err)
{
    struct pt_snap snap;
    const uint32_t boot = boot_at(s->db, e->real_us);
    *ret_n = e->n;
    if (e->n != PT_UNKNOWN && pt_db_snap(s->db, e->n, &snap, NULL) >= 0)
        return 0;
    int rc = pt_db_find(s->db, e->real_us, PT_SEEK_LAST_BEFORE, ret_n, err);
    if (rc >= 0)
        rc = pt_db_snap(s->db, *ret_n, &snap, err);
    if (rc >= 0 && boot && snap.boot != boot)
        rc = pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "no snapshot of that boot before it");
    return rc;
}

/* The one before n, of the same boot. */
static bool step_back(const struct pt_session *s, int64_t *n)
{
    struct pt_snap here, there;
    int64_t to;
    if (pt_db_step(s->db, *n, -1, &to, NULL) < 0 || pt_db_snap(s->db, *n, &here, NULL) < 0 ||
        pt_db_snap(s->db, to, &there, NULL) < 0 || here.boot != there.boot)
        return false;
    *n = to;
    return true;
}

/* The last that has its process, within a few; else the last that can be read. */
static int load_last(const struct pt_session *s, const struct pt_db_event *e, struct pt_before *ret,
                     struct pt_err *err)
{
    struct pt_err why = {0};
    int64_t n, last = PT_UNKNOWN;
    bool damaged = false;
    int rc = last_before(s, e, &n, err);
    if (rc < 0)
        return rc;
    for (int step = 0; step <= STEPS_BACK; step++) {
        struct pt_err now = {0};
        rc = load_processes(s, n, e->subject, ret, &now);
        if (rc >= 0 && last == PT_UNKNOWN)
            last = n;
        if (rc < 0)
            pt_err_set(&why, now.code, now.sys, now.source, now.position, "%s", now.text);
        if (rc < 0 && now.code != PT_EDAMAGED)
            break;
        damaged |= rc < 0;
        if ((rc >= 0 && ret->subject) || !step_back(s, &n))
            break;
    }
    if (last == PT_UNKNOWN)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (!ret->view || !ret->subject)
        rc = load_processes(s, last, e->subject, ret, err);
    if (rc >= 0)
        ret->damaged = damaged || ret->view->lost > 0;
    return rc;
}

int pt_before_load(const struct pt_session *s, const struct pt_db_event *e, struct pt_before *ret,
                   struct pt_err *err)
{
    struct pt_before b = {0};
    int rc = load_last(s, e, &b, err);
    if (rc >= 0)
        rc = pt_mem_load(b.view, &b.mem, err);
    if (rc >= 0)
        rc = load_pressure(&b, err);
    if (rc >= 0)
        rc = sort(&b, err);
    const char *group = b.subject ? b.subject->cgroup : *e->subject == '/' ? e->subject : NULL;
    if (rc >= 0 && group)
        rc = load_limits(&b, group, err);
    if (rc < 0) {
        pt_before_release(&b);
        return rc;
    }
    b.age_us = pt_units_minus(e->real_us, b.view->snap.real_us);
    *ret = b;
    return 0;
}

void pt_before_release(struct pt_before *b)
{
    for (unsigned i = 0; i < b->nlimits; i++)
        free(b->limits[i].path);
    free(b->order);
    if (b->view) {
        pt_processes_release(&b->processes);
        pt_view_free(b->view);
    }
    *b = (struct pt_before){0};
}
