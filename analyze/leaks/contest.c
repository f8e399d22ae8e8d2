/* SPDX-License-Identifier: MIT
 * Models, fitted by least squares over grids of their one curved parameter. */
#include "analyze/leaks/contest.h"

#include <math.h>
#include <string.h>

#define LEVELS_MAX 4
/* Knots leave so many bins on each side: fewer are an end effect of any model. At the right end two
 * bins that are flat after a line are evidence of a cap. */
#define KNOT_LEFT  3
#define KNOT_RIGHT 6
#define CAP_RIGHT  2
/* Noise is taken to be this part of the growth at least: a leak's own speed wanders by as much, and
 * a model must not win by what is finer. */
#define NOISE_SHARE 0.004

const char *pt_model_name(enum pt_model m)
{
    static const char *const names[PT_MODELS] = {
        [PT_MODEL_LINEAR] = "linear",         [PT_MODEL_ONSET] = "flat, then linear",
        [PT_MODEL_POWER] = "accelerating",    [PT_MODEL_LINEAR_STEP] = "linear with a step",
        [PT_MODEL_SATURATING] = "saturating", [PT_MODEL_CAP] = "linear, then flat",
        [PT_MODEL_LOG] = "ever slower",       [PT_MODEL_LEVELS] = "constant levels",
    };
    return names[m];
}

struct fit {
    double sse;
    double residual[PT_BINS];
    double at; /* the curved parameter */
};

/* y = a + b g, b > 0. */
static void fit_line(const struct pt_env *e, const double *g, struct fit *ret)
{
    double mg = 0, my = 0, sgg = 0, sgy = 0;
    for (int i = 0; i < e->n; i++) {
        mg += g[i] / e->n;
        my += e->v[i] / e->n;
    }
    for (int i = 0; i < e->n; i++) {
        sgg += (g[i] - mg) * (g[i] - mg);
        sgy += (g[i] - mg) * (e->v[i] - my);
    }
    const double b = sgg > 0 ? sgy / sgg : 0;
    ret->sse = 0;
    for (int i = 0; i < e->n; i++) {
        ret->residual[i] = e->v[i] - my - b * (g[i] - mg);
        ret->sse += ret->residual[i] * ret->residual[i];
    }
    if (!(b > 0))
        ret->sse = INFINITY;
}

static double basis(enum pt_model m, double t, double p)
{
    switch (m) {
    case PT_MODEL_ONSET:
        return t > p ? t - p : 0;
    case PT_MODEL_POWER:
        return pow(t, p);
    case PT_MODEL_SATURATING:
        return 1 - exp(-t / p);
    case PT_MODEL_CAP:
        return t < p ? t : p;
    case PT_MODEL_LOG:
        return log1p(t / p);
    case PT_MODEL_LINEAR:
    case PT_MODEL_LINEAR_STEP:
    case PT_MODEL_LEVELS:
    case PT_MODELS:
        break;
    }
    return t;
}

/* Times between 0 and 1. */
static void unit_times(const struct pt_env *e, double *ret)
{
    const double t0 = e->t[0], length = e->t[e->n - 1] - t0;
    for (int i = 0; i < e->n; i++)
        ret[i] = length > 0 ? (e->t[i] - t0) / length : 0;
}

static void fit_best(const struct pt_env *e, const double *t, enum pt_model m, const double *p,
                     int np, struct fit *ret)
{
    double g[PT_BINS];
    ret->sse = INFINITY;
    for (int k = 0; k < np; k++) {
        struct fit f = {.at = p[k]};
        for (int i = 0; i < e->n; i++)
            g[i] = basis(m, t[i], p[k]);
        fit_line(e, g, &f);
        if (f.sse < ret->sse)
            *ret = f;
    }
}

/* A line and one step anywhere, both upward: the step is taken out at its best size. */
static void fit_line_step(const struct pt_env *e, const double *t, struct fit *ret)
{
    ret->sse = INFINITY;
    for (int k = KNOT_LEFT; k <= e->n - KNOT_LEFT; k++) {
        /* within the halves one common slope, then the step between them */
        double mt[2] = {0}, my[2] = {0}, n[2] = {k, e->n - k}, stt = 0, sty = 0;
        for (int i = 0; i < e->n; i++) {
            mt[i >= k] += t[i] / n[i >= k];
            my[i >= k] += e->v[i] / n[i >= k];
        }
        for (int i = 0; i < e->n; i++) {
            stt += (t[i] - mt[i >= k]) * (t[i] - mt[i >= k]);
            sty += (t[i] - mt[i >= k]) * (e->v[i] - my[i >= k]);
        }
        const double b = stt > 0 ? sty / stt : 0;
        struct fit f = {.at = k};
        for (int i = 0; i < e->n; i++) {
            f.residual[i] = e->v[i] - my[i >= k] - b * (t[i] - mt[i >= k]);
            f.sse += f.residual[i] * f.residual[i];
        }
        if (b > 0 && my[1] > my[0] && f.sse < ret->sse)
            *ret = f;
    }
}

/* The best split into so many constant levels, by dynamic programming over sums. */
static void fit_levels(const struct pt_env *e, int levels, struct fit *ret, int *starts)
{
    double sum[PT_BINS + 1] = {0}, sq[PT_BINS + 1] = {0}, cost[LEVELS_MAX][PT_BINS + 1];
    int from[LEVELS_MAX][PT_BINS + 1] = {0};
    const double base = e->v[0];
    for (int i = 0; i < e->n; i++) {
        sum[i + 1] = sum[i] + (e->v[i] - base);
        sq[i + 1] = sq[i] + (e->v[i] - base) * (e->v[i] - base);
    }
    for (int m = 0; m < levels; m++) {
        for (int end = 0; end <= e->n; end++) {
            cost[m][end] = m == 0 && end == 0 ? 0 : INFINITY;
            for (int at = m == 0 ? 0 : m * 2; at + 2 <= end; at++) {
                const double s = sum[end] - sum[at];
                const double c = (m    ? cost[m - 1][at]
                                  : at ? INFINITY
                                       : 0) +
                                 (sq[end] - sq[at]) - s * s / (end - at);
                if (c < cost[m][end]) {
                    cost[m][end] = c;
                    from[m][end] = at;
                }
            }
        }
    }
    ret->sse = cost[levels - 1][e->n];
    for (int m = levels - 1, end = e->n; m >= 0; m--) {
        const int at = from[m][end];
        starts[m] = at;
        for (int i = at; i < end; i++)
            ret->residual[i] = e->v[i] - base - (sum[end] - sum[at]) / (end - at);
        end = at;
    }
}

static double lag_one(const double *r, int n)
{
    double num = 0, den = 0;
    for (int i = 0; i < n; i++)
        den += r[i] * r[i];
    for (int i = 0; i + 1 < n; i++)
        num += r[i] * r[i + 1];
    const double rho = den > 0 ? num / den : 0;
    return rho < 0 ? 0 : rho > 0.9 ? 0.9 : rho;
}

static void note_steps(const struct pt_env *e, const int *starts, int levels,
                       struct pt_contest *ret)
{
    double mean[LEVELS_MAX];
    ret->levels = levels;
    ret->step_size = 0;
    for (int m = 0; m < levels; m++) {
        const int end = m + 1 < levels ? starts[m + 1] : e->n;
        mean[m] = 0;
        for (int i = starts[m]; i < end; i++)
            mean[m] += e->v[i] / (end - starts[m]);
        if (m && mean[m] - mean[m - 1] > ret->step_size) {
            ret->step_size = mean[m] - mean[m - 1];
            ret->step_at = (e->t[starts[m] - 1] + e->t[starts[m]]) / 2;
        }
    }
}

static double bic_of(double sse, double noise, int n, double n_eff, int parameters)
{
    return isinf(sse) ? INFINITY : n_eff * log(sse / n + noise * noise) + parameters * log(n_eff);
}

/* All single-parameter families: their grids and how many parameters they have. */
static const struct family {
    enum pt_model model;
    int parameters, n;
    double grid[10];
} families[] = {
    {PT_MODEL_LINEAR, 2, 1, {0}},
    {PT_MODEL_POWER, 3, 8, {1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3}},
    {PT_MODEL_SATURATING, 3, 9, {0.04, 0.06, 0.09, 0.13, 0.18, 0.25, 0.33, 0.42, 0.5}},
    {PT_MODEL_LOG, 3, 9, {0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.8}},
};

static void choose(struct pt_contest *ret)
{
    ret->leak = PT_MODEL_LINEAR;
    ret->bounded = PT_MODEL_BOUNDED;
    for (int m = 0; m < PT_MODELS; m++) {
        enum pt_model *best = m < (int)PT_MODEL_BOUNDED ? &ret->leak : &ret->bounded;
        if (ret->bic[m] < ret->bic[*best])
            *best = (enum pt_model)m;
    }
}

void pt_contest_of(const struct pt_env *e, double noise, struct pt_contest *ret)
{
    double t[PT_BINS], knots[PT_BINS];
    struct fit fit[PT_MODELS], levels[LEVELS_MAX + 1];
    int parameters[PT_MODELS] = {
        [PT_MODEL_ONSET] = 3, [PT_MODEL_CAP] = 3, [PT_MODEL_LINEAR_STEP] = 4};
    int starts[LEVELS_MAX + 1][LEVELS_MAX];
    *ret = (struct pt_contest){.n_eff = e->n};
    for (int m = 0; m < PT_MODELS; m++) {
        fit[m].sse = INFINITY;
        ret->bic[m] = INFINITY;
    }
    if (e->n < PT_BINS_MIN)
        return;
    unit_times(e, t);
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        fit_best(e, t, families[f].model, families[f].grid, families[f].n, &fit[families[f].model]);
        parameters[families[f].model] = families[f].parameters;
    }
    int n = 0;
    for (int i = KNOT_LEFT; i < e->n - KNOT_RIGHT; i++)
        knots[n++] = t[i];
    fit_best(e, t, PT_MODEL_ONSET, knots, n, &fit[PT_MODEL_ONSET]);
    n = 0;
    for (int i = KNOT_LEFT; i < e->n - CAP_RIGHT; i++) {
        knots[n++] = t[i];
    }
    fit_best(e, t, PT_MODEL_CAP, knots, n, &fit[PT_MODEL_CAP]);
    fit_line_step(e, t, &fit[PT_MODEL_LINEAR_STEP]);

    const double length = e->t[e->n - 1] - e->t[0];
    const double growth = fabs(e->v[e->n - 1] - e->v[0]) * NOISE_SHARE;
    noise = noise > growth ? noise : growth;
    noise = noise > 1 ? noise : 1;
    const struct fit *best = &fit[0];
    for (int m = 0; m < PT_MODELS; m++)
        best = fit[m].sse < best->sse ? &fit[m] : best;
    for (int m = 2; m <= LEVELS_MAX; m++) {
        fit_levels(e, m, &levels[m], starts[m]);
        best = levels[m].sse < best->sse ? &levels[m] : best;
    }
    ret->rho =
        isinf(best->sse) || best->sse / e->n < noise * noise ? 0 : lag_one(best->residual, e->n);
    ret->n_eff = fmax(4, e->n * (1 - ret->rho) / (1 + ret->rho));
    for (int m = 0; m < PT_MODEL_LEVELS; m++)
        ret->bic[m] = bic_of(fit[m].sse, noise, e->n, ret->n_eff, parameters[m]);
    for (int m = 2; m <= LEVELS_MAX; m++) {
        const double bic = bic_of(levels[m].sse, noise, e->n, ret->n_eff, 2 * m - 1);
        if (bic < ret->bic[PT_MODEL_LEVELS]) {
            ret->bic[PT_MODEL_LEVELS] = bic;
            note_steps(e, starts[m], m, ret);
        }
    }
    ret->onset = e->t[0] + fit[PT_MODEL_ONSET].at * length;
    ret->knot = e->t[0] + fit[PT_MODEL_CAP].at * length;
    choose(ret);
    ret->margin = ret->bic[ret->bounded] - ret->bic[ret->leak];
    if (isnan(ret->margin))
        ret->margin = 0;
}
