/* SPDX-License-Identifier: MIT
 * A young process of a service that was restarted, beside those before it: growth up to where they
 * came to rest is a start that takes its time. Units: seconds, bytes. */
#include <math.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"
#include "analyze/print/units.h"

/* Above this many times the rest of those before, it is growth of its own: rest is known to some
 * per cent, what comes and goes with the day included. */
#define REST 1.02
/* So many times as long as this one they lived at least. Of slow leaks in processes that live
 * alike the one before may be taken for bounded, and the one after stands no higher: of ptgen
 * --history's at 4 GB over two boots of five days one in eight was hidden at 1, none at 2. */
#define LIVED 2.0

static bool same_program(const struct pt_life *a, const struct pt_life *b)
{
    return a != b && a->group == b->group && a->exe && b->exe && strcmp(a->exe, b->exe) == 0;
}

static const struct pt_ruling *ruling_of(const struct pt_leaks *l, size_t n,
                                         const struct pt_life *life)
{
    for (size_t i = 0; i < n; i++)
        if (l->v[i].life == life && l->v[i].anon)
            return &l->v[i].ruling;
    return NULL;
}

static double rest_of(const struct pt_ruling *r)
{
    const struct pt_env *e = &r->env;
    return e->n ? e->v[e->n - 1] : 0;
}

/* How high those came to rest that lived longer; 0: one of them did not rest, or there is
 * none. Programs that run side by side need not do the same. */
static double rest_before(const struct pt_leaks *l, size_t n, const struct pt_life *life,
                          const struct pt_life **ret_which)
{
    double rest = 0;
    for (size_t i = 0; i < l->lives.n; i++) {
        const struct pt_life *e = &l->lives.v[i];
        if (!same_program(life, e))
            continue;
        if (e->to > life->from)
            return 0;
        if (e->to - e->from < LIVED * (life->to - life->from))
            continue;
        const struct pt_ruling *r = ruling_of(l, n, e);
        if (r && r->verdict != PT_BOUNDED)
            return 0;
        if (r && rest_of(r) > rest) {
            rest = rest_of(r);
            *ret_which = e;
        }
    }
    return rest;
}

void pt_leaks_beside_earlier(const struct pt_leaks *l, size_t n, struct pt_finding *f)
{
    struct pt_ruling *r = &f->ruling;
    const struct pt_life *which = NULL;
    const double now = rest_of(r);
    char size[PT_UNITS_BUF];
    if (!f->anon || !pt_verdict_alarms(r->verdict) || f->life->group == UINT32_MAX)
        return;
    const double rest = rest_before(l, n, f->life, &which);
    if (!which || now > REST * rest)
        return;
    r->verdict = PT_UNDETERMINED;
    r->confidence = PT_LOW;
    r->more = r->b > 0 ? fmax(REST * rest - now, 0) / r->b : NAN;
    pt_evidence_add(r, "earlier", now, REST * rest, false,
                    "process %lld of this service, before it, stopped growing at %s",
                    (long long)which->pid,
                    pt_units_bytes(size, sizeof(size), (int64_t)rest, false));
}
