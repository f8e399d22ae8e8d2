/* SPDX-License-Identifier: MIT
 * See store_points.h. Points come field by field, each in time, and are wanted instant by instant.
 */
#include "schema/store_points.h"

#include <stdlib.h>

#define SORT_FEW 24u /* sorted in place */

static int by_tick(const void *a, const void *b)
{
    const struct pt_made *x = a, *y = b;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    if (x->instance != y->instance)
        return x->instance < y->instance ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1; /* of one field map: the order of its entries */
    return x->field < y->field ? -1 : x->field > y->field;
}

static void sort_few(struct pt_made *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct pt_made p = v[i];
        size_t at = i;
        for (; at > 0 && by_tick(&v[at - 1], &p) > 0; at--)
            v[at] = v[at - 1];
        v[at] = p;
    }
}

/* By tick, each tick's in the order they were in. */
static bool spread(struct pt_made **v, size_t n, uint32_t nticks)
{
    const struct pt_made *from = *v;
    uint32_t *at = calloc((size_t)nticks + 1, sizeof *at);
    struct pt_made *to = malloc(n * sizeof *to);
    const bool ok = at && to;
    for (size_t i = 0; ok && i < n; i++)
        at[from[i].tick + 1]++;
    for (uint32_t t = 0; ok && t < nticks; t++)
        at[t + 1] += at[t];
    for (size_t i = 0; ok && i < n; i++)
        to[at[from[i].tick]++] = from[i];
    free(at);
    free(ok ? *v : to);
    *v = ok ? to : *v;
    return ok;
}

/* Most sources tell of some fields at one tick, or of two or three; those of the host of a dozen at
 * each of some hundred. */
bool pt_made_sort(struct pt_made **points, size_t n, uint32_t nticks)
{
    if (n <= SORT_FEW) {
        sort_few(*points, n);
        return true;
    }
    if (n < nticks / 8) {
        qsort(*points, n, sizeof **points, by_tick);
        return true;
    }
    if (!spread(points, n, nticks))
        return false;
    struct pt_made *v = *points;
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (end < n && v[end].tick == v[i].tick)
            end++;
        if (end - i <= SORT_FEW)
            sort_few(&v[i], end - i);
        else
            qsort(&v[i], end - i, sizeof *v, by_tick);
    }
    return true;
}
