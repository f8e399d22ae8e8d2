/* SPDX-License-Identifier: MIT
 * What speaks for and against a growth besides its shape: load, work done, mappings. */
#include "analyze/leaks/verdict_int.h"

#include <math.h>
#include <string.h>

#include "analyze/print/units.h"

#define CYCLE    0.5  /* autocorrelation after a cycle */
#define REMAIN   0.50 /* of the growth must stay where load is equal */
#define FOLLOWS  0.8  /* correlation of memory and load, both without their trends */
#define WORK     0.3  /* residual about the work done / residual about time */
#define CONSTANT 0.80 /* of the growth within mappings that do not grow */
#define ARENA    0.60
/* What of a leak is in one class at the least; less does not acquit it. */
#define ONE_CLASS 0.80
#define LAZY      0.50 /* of the growth is freed memory: what is left may be noise of two readings */

static const char *size_of(char *buf, size_t size, double bytes)
{
    return pt_units_bytes(buf, size, (int64_t)bytes, false);
}

/* ---- load ---- */

static double correlation(const double *x, const double *y, int n)
{
    double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
    for (int i = 0; i < n; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        syy += (y[i] - my) * (y[i] - my);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : 0;
}

/* Of y on x. */
static double slope_on(const double *x, const double *y, int n)
{
    double mx = 0, my = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < n; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    return sxx > 0 ? sxy / sxx : 0;
}

/* The load's mean over the bins of an envelope. NAN where it is not known. */
static void load_bins(const struct pt_load *load, const struct pt_env *e, double *ret)
{
    for (int i = 0; i < e->n; i++) {
        double sum = 0, time = 0;
        for (uint32_t k = 0; k < load->track->n; k++) {
            const struct pt_cell *c = &load->track->cell[k];
            const double at = pt_curve_at(load->track, k);
            const double half = (e->width > load->track->width ? e->width : load->track->width) / 2;
            if (c->time > 0 && fabs(at - e->t[i]) <= half) {
                sum += c->mean * c->time;
                time += c->time;
            }
        }
        ret[i] = time > 0 ? sum / time : NAN;
    }
}

struct load_test {
    bool known, varies;
    double per_load; /* bytes per unit of load, at equal time */
    double mean, x[PT_BINS];
    double remain;  /* share of the growth that is there at equal load; NAN: never equal */
    double follows; /* correlation of memory and load, both without their trends */
    double work;    /* residual about the work done / residual about time */
    bool trend;     /* the load itself only rises: no load, but another thing that leaks */
};

static double residual_about(const struct pt_env *e, const double *x)
{
    const double r = correlation(x, e->v, e->n);
    return 1 - r * r;
}

static void test_load(const struct pt_load *load, const struct pt_look *l, struct load_test *ret)
{
    const struct pt_env *e = &l->env;
    double work[PT_BINS], dx[PT_BINS] = {0}, dy[PT_BINS] = {0};
    double low = INFINITY, high = -INFINITY, mean = 0, sum = 0;
    *ret = (struct load_test){.remain = NAN, .work = NAN};
    double *const x = ret->x;
    load_bins(load, e, x);
    for (int i = 0; i < e->n; i++) {
        if (isnan(x[i]))
            return;
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
        mean += x[i] / e->n;
        work[i] = sum += x[i];
    }
    ret->known = true;
    ret->varies = high - low > 0.3 * mean && mean > 0;
    if (!ret->varies)
        return;
    struct pt_env of_load = *e;
    memcpy(of_load.v, x, (size_t)e->n * sizeof(*x));
    struct pt_slope s;
    pt_slope_of(&of_load, &s);
    ret->trend = correlation(e->t, x, e->n) > 0.97 && s.b > 0;
    for (int i = 0; i < e->n; i++) {
        dx[i] = x[i] - s.b * e->t[i];
        dy[i] = e->v[i] - l->slope.b * e->t[i];
    }
    ret->follows = correlation(dx, dy, e->n);
    ret->mean = mean;
    ret->per_load = slope_on(dx, dy, e->n);
    if (load->rate)
        ret->work = residual_about(e, work) / fmax(residual_about(e, e->t), 1e-9);
    const int third = e->n / 3;
    double gain = 0, whole = 0;
    int pairs = 0;
    for (int i = 0; i < third; i++) {
        for (int k = e->n - third; k < e->n; k++) {
            whole += (e->v[k] - e->v[i]) / (third * third);
            if (fabs(x[k] - x[i]) <= 0.1 * (high - low)) {
                gain += e->v[k] - e->v[i];
                pairs++;
            }
        }
    }
    if (pairs >= 3 && whole > 0)
        ret->remain = gain / pairs / whole;
}

enum pt_verdict pt_weigh_loads(const struct pt_case *c, const struct pt_look *l,
                               struct pt_ruling *r)
{
    enum pt_verdict verdict = PT_LEAK;
    for (int i = 0; i < c->nload; i++) {
        struct load_test t;
        test_load(&c->load[i], l, &t);
        if (!t.known || !t.varies)
            continue;
        const char *name = c->load[i].name;
        if (t.trend) {
            pt_evidence_add(r, "grows-too", NAN, NAN, true, "%s rises with it and never falls",
                            name);
            continue;
        }
        const bool remains = isnan(t.remain) ? t.follows < FOLLOWS : t.remain >= REMAIN;
        if (isnan(t.remain))
            pt_evidence_add(r, "load", t.follows, FOLLOWS, remains,
                            "%s was never the same at both ends; it explains %.0f%% of the rest",
                            name, 100 * fmax(0, t.follows) * fmax(0, t.follows));
        else
            pt_evidence_add(r, "load", t.remain, REMAIN, remains,
                            "at equal %s %.0f%% of the growth is there", name, 100 * t.remain);
        if (!remains)
            return PT_LOAD_FOLLOWING;
        if (t.work < WORK) {
            verdict = PT_PER_REQUEST;
            pt_evidence_add(r, "work", t.work, WORK, true,
                            "it grows with the work done, not with time (by %s)", name);
        }
    }
    return verdict;
}

bool pt_look_past_load(const struct pt_case *c, const struct pt_look *l, struct pt_look *ret,
                       struct pt_ruling *r)
{
    for (int i = 0; i < c->nload; i++) {
        struct load_test t;
        struct pt_env e = l->env;
        const char *name = c->load[i].name;
        test_load(&c->load[i], l, &t);
        if (!t.known || !t.varies || t.trend)
            continue;
        for (int k = 0; k < e.n; k++)
            e.v[k] -= t.per_load * (t.x[k] - t.mean);
        pt_look_on(c, &e, Z_RETRY, ret);
        if (t.follows >= FOLLOWS && pt_leaks(ret)) {
            pt_evidence_add(r, "past-load", t.follows, FOLLOWS, true,
                            "what goes up and down with %s was taken out", name);
            return true;
        }
        if (!c->load[i].rate || !(t.work < WORK))
            continue;
        e = l->env;
        double done = 0, all = 0;
        for (int k = 0; k < e.n; k++)
            all += t.x[k];
        for (int k = 0; k < e.n; k++) {
            done += t.x[k];
            e.t[k] = e.from + (e.to - e.from) * done / all;
        }
        pt_look_on(c, &e, Z_RETRY, ret);
        if (pt_leaks(ret))
            return true; /* that it is so is told when loads are weighed */
    }
    return false;
}

/* ---- cycles ---- */

/* Autocorrelation at a lag. */
static double likeness(const double *r, int n, int lag)
{
    double num = 0, den = 0;
    for (int i = 0; i < n; i++)
        den += r[i] * r[i] / n;
    for (int i = 0; i + lag < n; i++)
        num += r[i] * r[i + lag] / (n - lag);
    return den > 0 ? num / den : 0;
}

/* The length of the cycle of what is left about the trend, in bins; 0: none. It must come back at
 * least three times, and be its own opposite half a cycle away. */
static int cycle_of(const struct pt_look *l)
{
    double r[PT_BINS], best = CYCLE;
    int cycle = 0;
    for (int i = 0; i < l->env.n; i++)
        r[i] = l->env.v[i] - l->slope.at0 - l->slope.b * l->env.t[i];
    for (int lag = 4; lag <= l->env.n / 3; lag++) {
        const double same = likeness(r, l->env.n, lag);
        if (same > best && likeness(r, l->env.n, lag / 2) < -CYCLE / 2) {
            best = same;
            cycle = lag;
        }
    }
    return cycle;
}

bool pt_look_past_cycle(const struct pt_case *c, const struct pt_look *l, struct pt_look *ret,
                        struct pt_ruling *r)
{
    const int cycle = l->env.n < PT_BINS / 2 ? 0 : cycle_of(l);
    struct pt_env e = {.width = l->env.width, .from = l->env.from, .to = l->env.to};
    if (cycle == 0)
        return false;
    for (int i = 0; i + cycle <= l->env.n; i++) {
        double t = 0, v = 0;
        for (int k = i; k < i + cycle; k++) {
            t += l->env.t[k] / cycle;
            v += l->env.v[k] / cycle;
        }
        e.t[e.n] = t;
        e.v[e.n++] = v;
    }
    pt_look_on(c, &e, Z_RETRY, ret);
    /* neighbours share all but two bins: the contest counts few that are independent */
    if (!pt_gates(ret) || ret->contest.margin < MARGIN / 2)
        return false;
    ret->rescued = true;
    char text[PT_UNITS_BUF];
    pt_evidence_add(r, "cycle", cycle * l->env.width, NAN, true,
                    "what comes and goes every %s was taken out",
                    pt_units_duration(text, sizeof(text), pt_units_us(cycle * l->env.width)));
    return true;
}

/* ---- mappings ---- */

enum pt_verdict pt_weigh_parts(const struct pt_case *c, const struct pt_look *l,
                               enum pt_verdict verdict, struct pt_ruling *r)
{
    const struct pt_parts *p = &c->parts;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    if (c->owner != PT_OWNER_PROCESS)
        return verdict;
    if (p->lazy > 0 && p->lazy >= LAZY * (p->lazy + p->growth)) {
        pt_evidence_add(r, "lazy-free", p->lazy, LAZY * (p->lazy + p->growth), false,
                        "%s of it was freed already (LazyFree): the kernel takes it back at need",
                        size_of(a, sizeof(a), p->lazy));
        return PT_BOUNDED;
    }
    if (!p->known || !(p->growth > 0)) {
        pt_evidence_add(r, "mappings", NAN, NAN, false,
                        "where it grows is not known: its mappings were not read twice");
        return verdict;
    }
    const double constant = p->constant / p->growth, arena = p->arena / p->growth;
    const bool series = p->readings > 0 && !isnan(p->share);
    const double share = series ? p->share : p->largest / p->growth;
    pt_evidence_add(r, "mappings", share, ONE_CLASS, share >= ONE_CLASS,
                    "%.0f%% of the growth is in one class of mappings, over %d readings",
                    100 * fmin(1, share), series ? p->readings : 2);
    if (constant >= CONSTANT) {
        pt_evidence_add(r, "room", constant, CONSTANT, false,
                        "bounded: growth sits in mappings of constant size, %s of room left",
                        size_of(a, sizeof(a), p->room));
        return PT_BOUNDED;
    }
    if (!isnan(p->data))
        pt_evidence_add(r, "data", p->data, p->growth / 2, p->data >= p->growth / 2,
                        "writable mappings grew by %s, memory in them by %s",
                        size_of(a, sizeof(a), p->data), size_of(b, sizeof(b), p->growth));
    if (arena >= ARENA && c->threads >= 4 && l->last_third < 0.8) {
        pt_evidence_add(r, "arenas", arena, ARENA, false,
                        "%.0f%% of it in allocator arenas of %.0f threads, and slowing: may be "
                        "fragments",
                        100 * fmin(1, arena), c->threads);
        return PT_LEAK_OR_RETENTION;
    }
    return verdict;
}
