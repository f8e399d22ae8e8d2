/* SPDX-License-Identifier: MIT
 * SwapPss of processes over time: from the readings of smaps that stood at some instants of the
 * span, for to read all of them would take longer than all else: an instant of 300 processes takes
 * some milliseconds, their smaps of a week more than the rest of the command. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/mapping.h"
#include "analyze/print/units.h"
#include "analyze/swap/swap_int.h"
#include "schema/source.h"

#define APART_US 1000000
/* Instants of a span of more snapshots than that: two days at ten seconds. */
#define LONG        20000
#define LONG_SHARES 8

struct load {
    const struct pt_session *s;
    struct pt_swap *w;
    struct pt_swap_process **of; /* of each life; NULL: not told of */
};

/* The process that had a pid at an instant; NULL: none that is told of. */
static struct pt_swap_process *process_at(const struct load *l, int64_t pid, uint32_t boot,
                                          double at)
{
    const struct pt_lives_of_span *lives = &l->w->lives;
    size_t lo = 0, hi = lives->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (lives->v[mid].pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    struct pt_swap_process *last = NULL; /* of two, the one that took the other's number then */
    for (; lo < lives->n && lives->v[lo].pid == pid; lo++)
        if (lives->v[lo].boot == boot && lives->v[lo].from <= at && at <= lives->v[lo].to)
            last = l->of[lo];
    return last;
}

/* smaps and smaps_rollup are read one after the other: one of them counts. A reading that stood
 * before is told once. */
static int add(const struct load *l, struct pt_swap_process *p, const struct pt_source_at *at,
               struct pt_err *err)
{
    struct pt_smaps_sum sum;
    struct pt_swap_share *last = p->nshares ? &p->shares[p->nshares - 1] : NULL;
    if (at->read_us == PT_UNKNOWN ||
        (last && pt_units_minus(at->read_us, last->read_us) < APART_US))
        return 0;
    const int rc = pt_smaps_sum(l->s->smaps, at->reading, &sum, err);
    if (rc >= 0 && p->nshares < PT_SWAP_SHARES)
        p->shares[p->nshares++] = (struct pt_swap_share){at->read_us, sum.v[PT_SMAPS_SWAP_PSS]};
    return rc;
}

static int add_view(const struct load *l, const struct pt_view *view, struct pt_err *err)
{
    const double at = pt_timeline_at(&l->w->timeline, view->snap.boot, view->snap.boot_us);
    for (uint32_t i = pt_view_lower(view, "proc:"); i < view->count && !isnan(at); i++) {
        const struct pt_source_at *source = &view->sources[i];
        const char *file;
        const int64_t pid = pt_source_pid(source->name, &file);
        if (pid < 0 || !source->reading ||
            (strcmp(file, "smaps") != 0 && strcmp(file, "smaps_rollup") != 0))
            continue;
        struct pt_swap_process *p = process_at(l, pid, view->snap.boot, at);
        if (p && add(l, p, source, err) < 0)
            return -1;
    }
    return 0;
}

int pt_swap_load_shares(const struct pt_session *s, struct pt_swap *w, struct pt_err *err)
{
    const struct pt_timeline *t = &w->timeline;
    struct load l = {.s = s, .w = w};
    int rc = 0;
    int64_t before = t->first - 1;
    const unsigned instants = t->count > LONG ? LONG_SHARES : PT_SWAP_SHARES;
    if (w->nprocesses == 0)
        return 0;
    l.of = calloc(w->lives.n + 1, sizeof(struct pt_swap_process *));
    if (!l.of)
        return pt_err_nomem(err);
    for (size_t i = 0; i < w->nprocesses; i++)
        l.of[w->processes[i].life - w->lives.v] = &w->processes[i];
    for (unsigned i = 0; i < instants && rc >= 0; i++) {
        int64_t n = t->first + (int64_t)((double)(t->last - t->first) * i / (instants - 1));
        struct pt_view *view;
        struct pt_err why = {0};
        if (pt_db_step(s->db, n - 1, 1, &n, NULL) < 0 || n <= before || n > t->last)
            continue;
        before = n;
        if (pt_view_load(s->db, n, PT_GROUP(PT_BLOCK_DEEP), &view, &why) < 0)
            continue; /* damage is told where it is met */
        rc = add_view(&l, view, err);
        pt_view_free(view);
    }
    free(l.of);
    return rc;
}
