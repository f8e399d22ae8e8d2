/* SPDX-License-Identifier: MIT
 * Envelopes, slopes, drops, seasons. */
#include "analyze/leaks/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z95      1.959964
#define DAY      86400.0
#define HOURS    24
#define T95      2.18 /* Student's, of some twelve pieces a walk's step is known by */
#define RESTLESS 6.0  /* of white noise one in a thousand differences is so large */
#define PAIRS    (PT_BINS * (PT_BINS - 1) / 2)

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double pt_median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The value that sorting would put at k; v is only partly sorted by it: nothing before k is larger,
 * nothing after it smaller. Of a thousand slopes three are asked for: sorting all takes longer. */
static double select_at(double *v, int n, int k)
{
    int lo = 0, hi = n - 1;
    while (lo < hi) {
        const double pivot = v[lo + (hi - lo) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                const double x = v[i];
                v[i++] = v[j];
                v[j--] = x;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
    return v[k];
}

/* The same as pt_median, which sorts. */
static double middle_of(double *v, int n)
{
    const double high = select_at(v, n, n / 2);
    return n % 2 ? high : (select_at(v, n / 2, n / 2 - 1) + high) / 2;
}

/* ---- envelope ---- */

struct held {
    double value, time;
};

static int by_held(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* The value below which a tenth of the time lies; between the two around it, so that it does not
 * jump from cell to cell. */
static double tenth(struct held *h, int n)
{
    double all = 0, sum = 0;
    qsort(h, (size_t)n, sizeof(*h), by_held);
    for (int i = 0; i < n; i++)
        all += h[i].time;
    for (int i = 0; i < n; i++) {
        if (sum + h[i].time >= all / 10)
            return h[i].value;
        sum += h[i].time;
    }
    return h[n - 1].value;
}

void pt_env_of(const struct pt_curve *t, double from, double to, int bins, struct pt_env *ret)
{
    struct held h[PT_CURVE_CELLS + 1];
    *ret = (struct pt_env){.width = (to - from) / bins, .from = from, .to = to};
    for (int b = 0; b < bins && ret->width > 0; b++) {
        const double start = from + b * ret->width, end = start + ret->width;
        double i = floor((start - t->start) / t->width);
        int n = 0;
        double time = 0, weighed = 0;
        for (i = i < 0 ? 0 : i; i < t->n && n <= PT_CURVE_CELLS; i++) {
            const struct pt_cell *c = &t->cell[(uint32_t)i];
            const double a = t->start + i * t->width, z = a + t->width;
            if (a >= end)
                break;
            const double share = (fmin(z, end) - fmax(a, start)) / t->width;
            if (c->time <= 0 || share <= 0)
                continue;
            h[n++] = (struct held){c->min, c->time * share};
            time += c->time * share;
            weighed += c->time * share * (fmax(a, start) + fmin(z, end)) / 2;
        }
        if (n == 0 || time < ret->width / 100)
            continue;
        ret->t[ret->n] = weighed / time;
        ret->v[ret->n++] = tenth(h, n);
    }
}

void pt_env_part(const struct pt_env *e, int first, int n, struct pt_env *ret)
{
    struct pt_env part = {.n = n, .width = e->width};
    memcpy(part.t, e->t + first, (size_t)n * sizeof(*e->t));
    memcpy(part.v, e->v + first, (size_t)n * sizeof(*e->v));
    part.from = n ? part.t[0] - e->width / 2 : 0;
    part.to = n ? part.t[n - 1] + e->width / 2 : 0;
    *ret = part;
}

/* ---- slope ---- */

/* Kendall's S of v against its order, and the variance under independence with ties. */
static void kendall(const double *v, int n, double *ret_s, double *ret_var)
{
    double s = 0, sorted[PT_BINS];
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            s += (v[k] > v[i]) - (v[k] < v[i]);
    memcpy(sorted, v, (size_t)n * sizeof(*v));
    qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
    double var = (double)n * (n - 1) * (2.0 * n + 5);
    for (int i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && !(sorted[k] > sorted[i]);)
            k++;
        const double ties = k - i;
        var -= ties * (ties - 1) * (2 * ties + 5);
    }
    *ret_s = s;
    *ret_var = var / 18;
}

static void ranks(const double *v, int n, double *ret)
{
    for (int i = 0; i < n; i++) {
        double below = 0, same = 0;
        for (int k = 0; k < n; k++) {
            below += v[k] < v[i];
            same += !(v[k] < v[i]) && !(v[k] > v[i]);
        }
        ret[i] = below + (same + 1) / 2;
    }
}

/* Hamed and Rao: by the autocorrelation of the ranks of the residuals, where it is significant. */
static double variance_factor(const double *residual, int n)
{
    double r[PT_BINS], mean = (n + 1) / 2.0, var = 0, sum = 0;
    ranks(residual, n, r);
    for (int i = 0; i < n; i++)
        var += (r[i] - mean) * (r[i] - mean);
    if (n < 4 || var <= 0)
        return 1;
    for (int lag = 1; lag < n - 2; lag++) {
        double rho = 0;
        for (int i = 0; i + lag < n; i++)
            rho += (r[i] - mean) * (r[i + lag] - mean);
        rho /= var;
        if (fabs(rho) * sqrt(n) > Z95)
            sum += (double)(n - lag) * (n - lag - 1) * (n - lag - 2) * rho;
    }
    const double factor = 1 + 2 * sum / ((double)n * (n - 1) * (n - 2));
    return factor > 1 ? factor : 1;
}

void pt_slope_of(const struct pt_env *e, struct pt_slope *ret)
{
    double slopes[PAIRS], at[PT_BINS], residual[PT_BINS], s, var;
    int pairs = 0;
    *ret = (struct pt_slope){.factor = 1};
    if (e->n < 3)
        return;
    for (int i = 0; i < e->n; i++)
        for (int k = i + 1; k < e->n; k++)
            if (e->t[k] > e->t[i])
                slopes[pairs++] = (e->v[k] - e->v[i]) / (e->t[k] - e->t[i]);
    ret->b = middle_of(slopes, pairs);
    for (int i = 0; i < e->n; i++)
        at[i] = residual[i] = e->v[i] - ret->b * e->t[i];
    ret->at0 = middle_of(at, e->n);
    for (int i = 0; i < e->n; i++)
        at[i] = fabs(residual[i] - ret->at0);
    ret->mad = middle_of(at, e->n);
    ret->factor = variance_factor(residual, e->n);
    kendall(e->v, e->n, &s, &var);
    const double sd = sqrt(var * ret->factor);
    ret->z = sd > 0 ? (s > 0 ? s - 1 : s < 0 ? s + 1 : 0) / sd : 0;
    /* those that many ranks from the middle bound the interval */
    const double c = Z95 * sd, lo = (pairs - c) / 2, hi = (pairs + c) / 2;
    ret->low = select_at(slopes, pairs, lo < 0 ? 0 : (int)lo);
    ret->high = select_at(slopes, pairs, hi > pairs - 1 ? pairs - 1 : (int)ceil(hi));
}

/* Differences over q bins of noise about a line are as large for every q; of steps that add up they
 * grow with q (a random walk beside noise, by its structure function). A slope fitted to the walk
 * is off by sqrt(6/5 s^2 / n) a bin, where s is the walk's step; that it was fitted to the same
 * bins makes the differences smaller, by 0.8 q/n. */
double pt_wander_of(const struct pt_env *e, double b)
{
    const int most = e->n / 4;
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    if (most < 3)
        return 0;
    for (int q = 1; q <= most; q++) {
        const double x = q * (1 - 0.8 * q / e->n);
        double y = 0;
        for (int i = 0; i + q < e->n; i++) {
            const double d = e->v[i + q] - e->v[i] - b * (e->t[i + q] - e->t[i]);
            y += d * d / (e->n - q);
        }
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    const double slope = (most * sxy - sx * sy) / (most * sxx - sx * sx);
    const double noise = (sy - slope * sx) / most;
    const double step2 = noise < 0 ? sxy / sxx : slope;
    const double bin = (e->t[e->n - 1] - e->t[0]) / (e->n - 1);
    return step2 > 0 && bin > 0 ? T95 * sqrt(1.2 * step2 / e->n) / bin : 0;
}

/* ---- drops ---- */

/* The median of how much the mean changes from cell to cell: a fall is more than that. */
static double restless(const struct pt_curve *t)
{
    double v[PT_CURVE_CELLS];
    int n = 0;
    for (uint32_t i = 0; i + 1 < t->n; i++)
        if (t->cell[i].time > 0 && t->cell[i + 1].time > 0)
            v[n++] = fabs((double)(t->cell[i + 1].mean - t->cell[i].mean));
    return n ? pt_median(v, n) : 0;
}

void pt_drops_of(const struct pt_curve *t, double least, struct pt_drops *ret)
{
    double high = -INFINITY, low = INFINITY, range[PT_CURVE_CELLS];
    int n = 0;
    bool falling = false;
    *ret = (struct pt_drops){0};
    least = fmax(least, RESTLESS * restless(t));
    for (uint32_t i = 0; i < t->n; i++) {
        const double v = t->cell[i].mean;
        if (t->cell[i].time <= 0)
            continue;
        range[n++] = t->cell[i].max - t->cell[i].min;
        if (falling && v > low + least) {
            falling = false;
            high = v;
        }
        if (falling && v < low) {
            low = v;
            ret->last_at = pt_curve_at(t, i);
        }
        high = !falling && v > high ? v : high;
        if (!falling && v < high - least) {
            falling = true;
            low = v;
            ret->count++;
            ret->last_at = pt_curve_at(t, i);
        }
        if (falling && high - low > ret->largest)
            ret->largest = high - low;
    }
    ret->typical = n ? pt_median(range, n) : 0;
}

/* ---- seasons ---- */

/* The line through the medians of whole days: a day's shape cannot lean on it. */
static bool daily_line(const struct pt_curve *t, double offset_s, struct pt_slope *ret)
{
    struct pt_env e = {0};
    double v[PT_CURVE_CELLS], days = 0;
    const double end = t->start + t->n * t->width;
    double length = DAY;
    while ((end - t->start) / length > PT_BINS)
        length += DAY;
    (void)offset_s;
    for (double day = t->start; day + length * 0.75 <= end; day += length) {
        int n = 0;
        for (uint32_t i = 0; i < t->n; i++) {
            const double at = pt_curve_at(t, i);
            if (t->cell[i].time > 0 && at >= day && at < day + length)
                v[n++] = t->cell[i].mean;
        }
        if (n >= 8 && e.n < PT_BINS) {
            e.t[e.n] = day + length / 2;
            e.v[e.n++] = pt_median(v, n);
            days += length / DAY;
        }
    }
    pt_slope_of(&e, ret);
    return e.n >= 3 && days >= 3;
}

static int hour_of(const struct pt_curve *t, uint32_t i, double offset_s)
{
    const double day = fmod(pt_curve_at(t, i) + offset_s, DAY);
    return (int)((day < 0 ? day + DAY : day) / DAY * HOURS) % HOURS;
}

double pt_season_remove(struct pt_curve *t, double offset_s)
{
    struct pt_slope line;
    double v[PT_CURVE_CELLS], season[HOURS] = {0}, all[HOURS], before = 0, after = 0;
    bool known[HOURS] = {0};
    int nall = 0;
    if (t->width > DAY / 8 || !daily_line(t, offset_s, &line))
        return -1;
    for (int h = 0; h < HOURS; h++) {
        int n = 0;
        for (uint32_t i = 0; i < t->n; i++)
            if (t->cell[i].time > 0 && hour_of(t, i, offset_s) == h)
                v[n++] = t->cell[i].mean - line.b * pt_curve_at(t, i);
        known[h] = n >= 3;
        if (known[h])
            all[nall++] = season[h] = pt_median(v, n);
    }
    if (nall < 6)
        return -1;
    const double middle = pt_median(all, nall);
    for (uint32_t i = 0; i < t->n; i++) {
        struct pt_cell *c = &t->cell[i];
        const int h = hour_of(t, i, offset_s);
        if (c->time <= 0 || !known[h])
            continue;
        const double off = season[h] - middle, rest = c->mean - line.b * pt_curve_at(t, i) - middle;
        before += rest * rest;
        after += (rest - off) * (rest - off);
        c->mean -= (float)off;
        c->min -= (float)off;
        c->max -= (float)off;
    }
    return before > 0 ? 1 - after / before : 0;
}
