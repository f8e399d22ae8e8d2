/* SPDX-License-Identifier: MIT
 * Finding a kill, and what stood before it. */
#include "analyze/oom/oom.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/diff/diff.h"
#include "analyze/picture/items.h"
#include "analyze/print/units.h"

#define WINDOW_US INT64_C(600000000)
#define SECOND_US INT64_C(1000000)
#define TEXT_MAX  (1u << 20)

/* ---- the minutes before ---- */

static int emit_pressure(void *ctx, const struct pt_item *item)
{
    struct pt_oom_minute *m = ctx;
    int64_t v, scale;
    if (!pt_items_is(item, "avg10") || !pt_number(item->value, item->value_len, &v, &scale))
        return 0;
    if (item->row_len == 4 && memcmp(item->row, "some", 4) == 0)
        m->some = (double)v / (double)scale;
    else if (item->row_len == 4 && memcmp(item->row, "full", 4) == 0)
        m->full = (double)v / (double)scale;
    return 0;
}

static int64_t usage_of(const struct pt_view *view, const char *cgroup)
{
    struct pt_limit limit;
    const size_t root = cgroup ? strspn(cgroup, "/") : 0;
    if (!cgroup || !cgroup[root])
        return PT_UNKNOWN;
    pt_limit_load(view, cgroup + root, strlen(cgroup) - root, &limit);
    return limit.limit == PT_UNKNOWN ? PT_UNKNOWN : limit.usage;
}

static int look_at(const struct pt_view *view, const char *cgroup, struct pt_oom_minute *ret,
                   struct pt_err *err)
{
    struct pt_mem_values mem;
    struct pt_buf text;
    int rc = pt_mem_load(view, &mem, err);
    if (rc < 0)
        return rc;
    *ret = (struct pt_oom_minute){
        .n = view->snap.n,
        .real_us = view->snap.real_us,
        .utc_offset_s = view->snap.utc_offset_s,
        .available = mem.v[PT_MEM_AVAILABLE],
        .swap_used = pt_units_minus(mem.v[PT_MEM_SWAP_TOTAL], mem.v[PT_MEM_SWAP_FREE]),
        .some = -1,
        .full = -1,
        .usage = usage_of(view, cgroup)};
    pt_buf_init(&text, TEXT_MAX);
    rc = pt_items_each(pt_db_shapes(view->db), NULL, pt_view_find(view, "proc:pressure/memory"),
                       &text, emit_pressure, ret, err);
    pt_buf_release(&text);
    return rc < 0 ? rc : 0;
}

/* The first snapshot of the same boot within the window. */
static int64_t window_begin(const struct pt_session *s, const struct pt_snap *last)
{
    int64_t n = last->n;
    struct pt_snap snap;
    if (last->real_us < INT64_MIN + WINDOW_US ||
        pt_db_find(s->db, last->real_us - WINDOW_US, PT_SEEK_FIRST_AFTER, &n, NULL) < 0 ||
        n > last->n)
        return last->n;
    while (n < last->n && pt_db_snap(s->db, n, &snap, NULL) >= 0 && snap.boot != last->boot)
        if (pt_db_step(s->db, n, 1, &n, NULL) < 0)
            return last->n;
    return n;
}

/* From snapshot n on the first that can be read: the last can. */
static int load_then(const struct pt_session *s, int64_t n, struct pt_oom_case *c,
                     struct pt_err *err)
{
    enum { TRIES = 8 };
    const unsigned groups =
        PT_GROUP(PT_BLOCK_SYSTEM) | PT_GROUP(PT_BLOCK_PROC) | PT_GROUP(PT_BLOCK_NAMES);
    const int64_t last = c->before.view->snap.n;
    for (int i = 1; n < last; i++) {
        struct pt_err why = {0};
        if (pt_view_load(s->db, n, groups, &c->view_then, &why) >= 0)
            break;
        if (why.code != PT_EDAMAGED)
            return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
        c->damaged = true;
        if (i == TRIES || pt_db_step(s->db, n, 1, &n, NULL) < 0)
            n = last;
    }
    int rc = c->view_then ? 0 : pt_view_load(s->db, last, groups, &c->view_then, err);
    if (rc >= 0)
        rc = pt_processes_load(c->view_then, s->smaps, &c->then, err);
    if (rc >= 0)
        c->damaged |= c->view_then->lost > 0;
    return rc;
}

/* Evenly spaced in time, the first and the last among them. */
static int load_minutes(const struct pt_session *s, struct pt_oom_case *c, struct pt_err *err)
{
    const struct pt_snap *last = &c->before.view->snap, *first = &c->view_then->snap;
    const int64_t span = pt_units_minus(last->real_us, first->real_us);
    int64_t done = 0;
    int rc = 0;
    for (int i = 0; i < PT_OOM_MINUTES && rc >= 0; i++) {
        int64_t n = last->n;
        struct pt_view *view;
        if (i < PT_OOM_MINUTES - 1 && span > 0 &&
            pt_db_find(s->db, first->real_us + span / (PT_OOM_MINUTES - 1) * i, PT_SEEK_LAST_BEFORE,
                       &n, NULL) < 0)
            continue;
        n = n < first->n ? first->n : n > last->n ? last->n : n;
        if (n == done || pt_view_load(s->db, n, PT_GROUP(PT_BLOCK_SYSTEM), &view, NULL) < 0)
            continue; /* damage is told by the database */
        rc = look_at(view, c->cgroup, &c->minutes[c->nminutes], err);
        c->nminutes += rc >= 0;
        pt_view_free(view);
        done = n;
    }
    return rc;
}

/* ---- who had grown ---- */

static int most_grown(const void *a, const void *b)
{
    const struct pt_oom_grower *x = a, *y = b;
    if (x->delta != y->delta)
        return x->delta < y->delta ? 1 : -1;
    return x->after->pid < y->after->pid ? -1 : x->after->pid > y->after->pid;
}

static int load_growers(struct pt_oom_case *c, struct pt_err *err)
{
    const struct pt_processes *b = &c->before.processes, *a = &c->then;
    size_t *pair = calloc(a->n + 1, sizeof(*pair)), n = 0;
    enum pt_match *match = calloc(a->n + 1, sizeof(*match));
    const struct pt_process **was = calloc(b->n + 1, sizeof(const struct pt_process *));
    c->growers = calloc(b->n + 1, sizeof(*c->growers));
    int rc = pair && match && was && c->growers ? 0 : pt_err_nomem(err);
    if (rc >= 0)
        rc = pt_match_processes(a->v, a->n, b->v, b->n, true, pair, match, err);
    for (size_t i = 0; i < a->n && rc >= 0; i++)
        if (pair[i] != SIZE_MAX)
            was[pair[i]] = &a->v[i];
    for (size_t i = 0; i < b->n && rc >= 0; i++) {
        struct pt_oom_grower g = {.before = was[i],
                                  .after = &b->v[i],
                                  .was = was[i] ? pt_process_weight(was[i]) : PT_UNKNOWN,
                                  .is = pt_process_weight(&b->v[i])};
        g.delta = was[i] ? pt_units_minus(g.is, g.was) : g.is;
        if (g.delta != PT_UNKNOWN && g.delta > 0)
            c->growers[n++] = g;
    }
    c->ngrowers = n;
    if (n > 1)
        qsort(c->growers, n, sizeof(*c->growers), most_grown);
    free(pair);
    free(match);
    free(was);
    return rc;
}

/* ---- whom the kernel would choose ---- */

/* mem_cgroup_get_max, totalram_pages + total_swap_pages */
static int64_t there_is(const struct pt_oom_case *c)
{
    const int64_t swap = c->before.mem.v[PT_MEM_SWAP_TOTAL];
    if (c->constraint != PT_CONSTRAINT_CGROUP)
        return pt_units_plus(c->before.mem.v[PT_MEM_TOTAL], swap == PT_UNKNOWN ? 0 : swap);
    if (c->swap_limit == PT_UNKNOWN || (swap != PT_UNKNOWN && swap < c->swap_limit))
        return pt_units_plus(c->limit, swap == PT_UNKNOWN ? 0 : swap);
    return pt_units_plus(c->limit, c->swap_limit);
}

static int emit_value(void *ctx, const struct pt_item *item)
{
    *(int64_t *)ctx = pt_items_number(item);
    return 0;
}

static bool kills_asker(const struct pt_view *view)
{
    int64_t v = 0;
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    pt_items_each(pt_db_shapes(view->db), NULL,
                  pt_view_find(view, "proc:sys/vm/oom_kill_allocating_task"), &text, emit_value, &v,
                  NULL);
    pt_buf_release(&text);
    return v != 0 && v != PT_UNKNOWN;
}

static int load_candidates(struct pt_oom_case *c, struct pt_err *err)
{
    const struct pt_oom_rule rule = {.total = c->total = there_is(c),
                                     .cgroup =
                                         c->constraint == PT_CONSTRAINT_CGROUP ? c->cgroup : NULL};
    const int rc = pt_oom_rank(c->before.processes.v, c->before.processes.n, &rule, &c->candidates,
                               &c->ncandidates, err);
    for (size_t i = 0; i < c->ncandidates && !c->next && rc >= 0; i++)
        if (c->candidates[i].process != c->before.subject && !c->candidates[i].exempt)
            c->next = &c->candidates[i];
    return rc;
}

/* ---- a case ---- */

static void find_limit(struct pt_oom_case *c)
{
    struct pt_limit limit;
    const size_t root = c->cgroup ? strspn(c->cgroup, "/") : 0;
    c->limit = c->swap_limit = PT_UNKNOWN;
    if (!c->cgroup || !c->cgroup[root] ||
        !pt_limit_load(c->before.view, c->cgroup + root, strlen(c->cgroup) - root, &limit))
        return;
    c->limit = limit.limit;
    c->swap_limit = limit.swap_limit;
}

/* Of an event, or of an instant that is put as one. */
static int look_into(const struct pt_session *s, const struct pt_db_event *e, struct pt_oom_case *c,
                     struct pt_err *err)
{
    struct pt_err why = {0};
    int rc = pt_before_load(s, e, &c->before, &why);
    c->damaged = rc < 0 ? why.code == PT_EDAMAGED : c->before.damaged;
    if (rc < 0 && (c->damaged || why.code == PT_ENOTFOUND) && c->killed)
        return 0; /* the kill is known, the picture before it is not */
    if (rc < 0)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    c->found = true;
    find_limit(c);
    /* the counter of a group counts those killed for the host's sake too */
    if (c->counted && c->limit == PT_UNKNOWN)
        c->constraint = PT_CONSTRAINT_HOST;
    c->kills_asker = kills_asker(c->before.view);
    rc = load_then(s, window_begin(s, &c->before.view->snap), c, err);
    if (rc >= 0)
        rc = load_minutes(s, c, err);
    if (rc >= 0)
        rc = load_growers(c, err);
    if (rc >= 0)
        rc = load_candidates(c, err);
    if (rc >= 0)
        rc = pt_zones_load(c->before.view, &c->zones, err);
    return rc;
}

int pt_oom_of(const struct pt_session *s, const struct pt_db_event *e, struct pt_oom_case *ret,
              struct pt_err *err)
{
    const struct pt_oom_told told = pt_oom_told(e->subject, e->text);
    struct pt_oom_case c = {.killed = true,
                            .real_us = e->real_us,
                            .id = e->id,
                            .subject = strdup(e->subject),
                            .text = strdup(e->text),
                            .constraint = told.constraint,
                            .counted = told.counted,
                            .limit = PT_UNKNOWN,
                            .swap_limit = PT_UNKNOWN,
                            .total = PT_UNKNOWN};
    if (told.cgroup)
        c.cgroup = strndup(told.cgroup, told.cgroup_len);
    int rc = c.subject && c.text && (!told.cgroup || c.cgroup) ? 0 : pt_err_nomem(err);
    if (rc >= 0)
        rc = look_into(s, e, &c, err);
    if (rc < 0) {
        pt_oom_release(&c);
        return rc;
    }
    *ret = c;
    return 0;
}

struct search {
    int64_t until_us;
    int64_t kills, rank; /* of all; of the one found */
    struct pt_db_event found;
    char *subject, *text;
    bool nomem;
};

static int on_event(void *ctx, const struct pt_db_event *e)
{
    struct search *f = ctx;
    if (e->kind != PT_EVENT_OOM)
        return 0;
    f->kills++;
    if (e->real_us > f->until_us || (f->rank && e->real_us < f->found.real_us))
        return 0;
    free(f->subject);
    free(f->text);
    f->found = *e;
    f->found.subject = f->subject = strdup(e->subject);
    f->found.text = f->text = strdup(e->text);
    f->rank = f->kills;
    f->nomem |= !f->subject || !f->text;
    return f->nomem ? -PT_ENOMEM : 0;
}

/* No kill: what would be. */
static int at_instant(const struct pt_session *s, int64_t moment_us, struct pt_oom_case *ret,
                      struct pt_err *err)
{
    struct pt_oom_case c = {.constraint = PT_CONSTRAINT_HOST,
                            .limit = PT_UNKNOWN,
                            .swap_limit = PT_UNKNOWN,
                            .total = PT_UNKNOWN};
    struct pt_snap snap;
    int64_t n = s->span.last;
    int rc =
        moment_us == INT64_MAX ? 0 : pt_db_find(s->db, moment_us, PT_SEEK_LAST_BEFORE, &n, err);
    if (rc >= 0)
        rc = pt_db_snap(s->db, n, &snap, err);
    if (rc < 0)
        return rc;
    const struct pt_db_event e = {
        .real_us = snap.real_us, .n = n, .kind = PT_EVENT_OOM, .subject = "", .text = ""};
    c.real_us = snap.real_us;
    rc = look_into(s, &e, &c, err);
    if (rc < 0) {
        pt_oom_release(&c);
        return rc;
    }
    *ret = c;
    return 0;
}

int pt_oom_find(const struct pt_session *s, int64_t moment_us, struct pt_oom_case *ret,
                struct pt_err *err)
{
    struct search f = {.until_us = moment_us};
    if (moment_us < INT64_MAX - SECOND_US) /* times are told in whole seconds */
        f.until_us = moment_us - (moment_us % SECOND_US) + SECOND_US - 1;
    int rc = pt_db_events(s->db, INT64_MIN, INT64_MAX, INT64_MIN, on_event, &f, err);
    if (rc < 0 && f.nomem)
        pt_err_nomem(err);
    if (rc >= 0)
        rc = f.rank ? pt_oom_of(s, &f.found, ret, err) : at_instant(s, moment_us, ret, err);
    if (rc >= 0) {
        ret->kills = f.kills;
        ret->rank = f.rank;
    }
    free(f.subject);
    free(f.text);
    return rc;
}

void pt_oom_release(struct pt_oom_case *c)
{
    free(c->subject);
    free(c->text);
    free(c->cgroup);
    free(c->growers);
    free(c->candidates);
    pt_zones_release(&c->zones);
    pt_processes_release(&c->then);
    pt_view_free(c->view_then);
    pt_before_release(&c->before);
    *c = (struct pt_oom_case){0};
}
