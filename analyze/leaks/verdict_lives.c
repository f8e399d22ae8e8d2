/* SPDX-License-Identifier: MIT
 * Many series at once: the lives of one service, and what chance alone does among thousands. */
#include "analyze/leaks/verdict.h"

#include <math.h>
#include <stdlib.h>

/* ---- lives ---- */

#define LIFE_BINS  12
#define LIFE_LEAST 60.0
#define LIFE_END   0.5 /* the second half of a life is so steep at least: else it warmed up */

void pt_rise_of(const struct pt_curve *t, struct pt_rise *ret)
{
    struct pt_env e, half;
    struct pt_slope s, end;
    const double life = t->last - t->start;
    *ret = (struct pt_rise){.lived = life, .known = life >= LIFE_LEAST && t->n == 0};
    if (life < LIFE_LEAST || t->n < 8) /* without cells it never moved */
        return;
    const double start = t->start + 0.1 * life; /* its own start-up */
    pt_env_of(t, start, t->last, LIFE_BINS, &e);
    if (e.n < LIFE_BINS / 2)
        return;
    pt_slope_of(&e, &s);
    pt_env_part(&e, e.n / 2, e.n - e.n / 2, &half);
    pt_slope_of(&half, &end);
    *ret = (struct pt_rise){.known = true,
                            .rising = s.b > 0 && s.z > 1 && end.b >= LIFE_END * s.b,
                            .lived = life,
                            .b = s.b,
                            .z = s.z,
                            .growth = s.b * life};
}

void pt_lives_add(struct pt_lives *l, const struct pt_rise *rise, double *slopes, int cap)
{
    if (l->n >= cap || !rise->known)
        return;
    slopes[l->n++] = rise->b;
    l->rising += rise->rising;
    l->lived += rise->lived;
    l->z += rise->z;
    l->growth += rise->growth;
}

void pt_lives_end(struct pt_lives *l, double *slopes)
{
    if (l->n == 0)
        return;
    l->z /= sqrt(l->n);
    l->b = pt_median(slopes, l->n);
    l->low = slopes[l->n / 4];
    l->high = slopes[(l->n * 3) / 4];
}

/* ---- many series ---- */

static int by_size(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x < y) - (x > y);
}

double pt_false_discovery(double *z, int n, double q)
{
    double least = INFINITY;
    qsort(z, (size_t)n, sizeof(*z), by_size);
    for (int i = 0; i < n; i++) {
        const double p = erfc(fabs(z[i]) / sqrt(2));
        if (p <= q * (i + 1) / n)
            least = fabs(z[i]);
    }
    return least;
}
