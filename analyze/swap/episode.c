/* SPDX-License-Identifier: MIT
 * Bins to episodes. Each state has a rule on one bin and a time it must hold; the worst state that
 * holds is the bin's; what is left over, with swap in use and nothing moving, is parked. */
#include "analyze/swap/episode.h"

#include <math.h>
#include <stdlib.h>

#include "schema/array.h"

#define MIB 1048576.0

/* Bytes a second. */
#define OUT_RATE    (1 * MIB)
#define CHURN_RATE  (1 * MIB)
#define PARKED_RATE (0.1 * MIB)
/* A few pages out are no use of swap: a new swap file had 24 KiB in use before anything was put
 * out, tests/episodes. KiB. */
#define USED_LEAST 1024.0
/* Below it no stall can be swap's: two pages a second. */
#define IDLE_RATE 8192.0
/* Of the pages that came back, those that had just gone. Not of those that went out: where memory
 * is touched while it is being written it need not be read, and is written again: 90 MiB a second
 * out and 2.5 in, in tests/episodes. */
#define CHURN_REFAULT 0.3
/* Shares of time by PSI. In tests/episodes (those that thresholds may be chosen on) programs that
 * are kept to 30% of their time in faults gave up to 11.6% full and 11.9% some: one task alone that
 * waits so long is full as well as some. Programs that lose all of their time gave 19.4% and 25.7%
 * at least. Between these, by their geometric mean. PSI sees less of a thrash than is lost: a page
 * that is read back counts as waiting for memory only if it was in active use, else as waiting for
 * the disk, and time spent waiting for a CPU does not count at all. */
#define CHURN_SOME  0.005
#define THRASH_FULL 0.15
/* Of churn, where other work goes on meanwhile and PSI full is low for it. */
#define THRASH_SOME 0.17
#define PARKED_SOME 0.001
/* The page cache read again as a whole in so many seconds. */
#define FILE_TURN_S 10.0
#define LOW         0.10 /* of swap and of memory */
/* A hole in an episode no longer than this does not end it; what is left of a state next to a worse
 * one and shorter than it takes to see one belongs to that. */
#define JOIN_S        15.0
#define JOIN_PARKED_S 60.0
#define LEAST_S       27.0
/* Nothing is alarmed by it, so one bin is enough: half a minute of rest between two episodes of
 * tests/episodes has two whole bins. */
#define LEAST_PARKED_S 9.0
/* Less than it takes to see any state is a burst, however high: what is parked goes on after it. */
#define BURST_S 22.0

const char *pt_swap_state_name(enum pt_swap_state s)
{
    static const char *const names[] = {
        [PT_SWAP_PARKED] = "parked",
        [PT_SWAP_OUT_PRESSURE] = "swap-out-pressure",
        [PT_SWAP_CHURN] = "churn",
        [PT_SWAP_THRASH] = "thrash",
        [PT_SWAP_EXHAUSTION] = "exhaustion-risk",
    };
    return names[s];
}

static double width(const struct pt_swap_bin *b)
{
    return b->to - b->from;
}

/* Of two columns that are counted apart; NAN only where neither is known. */
static double both(const struct pt_swap_bin *b, enum pt_swap_column x, enum pt_swap_column y)
{
    const double p = (double)b->v[x], q = (double)b->v[y];
    return isnan(p) ? q : isnan(q) ? p : p + q;
}

static double in_of(const struct pt_swap_bin *b)
{
    return both(b, PT_SWAP_IN, PT_SWAP_ZIN);
}

static double out_of(const struct pt_swap_bin *b)
{
    return both(b, PT_SWAP_OUT, PT_SWAP_ZOUT);
}

static double share(const struct pt_swap_bin *b, enum pt_swap_column c)
{
    return (double)b->v[c] / width(b);
}

/* ---- rules on one bin: comparisons with what is not known are false ---- */

static bool is_out(const struct pt_swap_bin *b, double page)
{
    return out_of(b) * page >= OUT_RATE * width(b);
}

static bool is_churn(const struct pt_swap_bin *b, double page)
{
    const double least = fmin(in_of(b), out_of(b)) * page / width(b);
    return least >= CHURN_RATE && !isnan(in_of(b)) && !isnan(out_of(b)) &&
           !((double)b->v[PT_SWAP_REFAULT_ANON] < CHURN_REFAULT * in_of(b)) &&
           !(share(b, PT_SWAP_SOME) < CHURN_SOME);
}

static bool low_on(const struct pt_swap_bin *b, enum pt_swap_column left, enum pt_swap_column all)
{
    return b->v[all] > 0 && (double)b->v[left] < LOW * (double)b->v[all];
}

/* The page cache read again and again, and no memory for it to be had. */
static bool rereads(const struct pt_swap_bin *b, double page)
{
    const double cache =
        ((double)b->v[PT_SWAP_FILE_ACTIVE] + (double)b->v[PT_SWAP_FILE_INACTIVE]) * 1024 / page;
    return cache > 0 && (double)b->v[PT_SWAP_REFAULT_FILE] >= cache * width(b) / FILE_TURN_S &&
           (b->v[PT_SWAP_SCAN_DIRECT] > 0 || low_on(b, PT_SWAP_FREE, PT_SWAP_TOTAL));
}

static bool is_thrash(const struct pt_swap_bin *b, double page)
{
    const double again =
        in_of(b) +
        ((double)b->v[PT_SWAP_REFAULT_FILE] > 0 ? (double)b->v[PT_SWAP_REFAULT_FILE] : 0);
    /* stalls without anything read back are those of reclaim alone */
    return (share(b, PT_SWAP_FULL) >= THRASH_FULL && !(again * page < PARKED_RATE * width(b))) ||
           (is_churn(b, page) && share(b, PT_SWAP_SOME) >= THRASH_SOME) || rereads(b, page);
}

static bool is_exhausted(const struct pt_swap_bin *b, double page)
{
    (void)page;
    return low_on(b, PT_SWAP_FREE, PT_SWAP_TOTAL) &&
           low_on(b, PT_SWAP_AVAILABLE, PT_SWAP_MEM_TOTAL);
}

static bool uses_swap(const struct pt_swap_bin *b)
{
    return (double)b->v[PT_SWAP_TOTAL] - (double)b->v[PT_SWAP_FREE] >= USED_LEAST;
}

static bool is_parked(const struct pt_swap_bin *b, double page)
{
    const double in = in_of(b) * page / width(b);
    return uses_swap(b) && in < PARKED_RATE && !is_out(b, page) &&
           (in < IDLE_RATE || !(share(b, PT_SWAP_SOME) >= PARKED_SOME));
}

/* ---- states over time ---- */

struct work {
    const struct pt_swap_bin *bins;
    size_t n;
    double page;
    uint8_t *state; /* of each bin, 0: none, else 1 + enum pt_swap_state */
    bool *low;      /* exhaustion */
};

/* Bins that hold the rule for `need` seconds of `within`, but for breaks that are no end. */
static void mark(struct work *w, bool (*rule)(const struct pt_swap_bin *b, double page),
                 double need, double within, uint8_t state)
{
    for (size_t i = 0; i < w->n; i++) {
        double held = 0;
        size_t last = i;
        if (w->bins[i].hole || !rule(&w->bins[i], w->page))
            continue;
        for (size_t k = i; k < w->n && !w->bins[k].hole; k++) {
            if (k > i && (w->bins[k].to - w->bins[i].from > within ||
                          w->bins[k].from - w->bins[last].to > JOIN_S))
                break;
            if (!rule(&w->bins[k], w->page))
                continue;
            held += width(&w->bins[k]);
            last = k;
        }
        for (size_t k = i; held >= need && k <= last; k++)
            w->state[k] = state;
    }
}

/* The end of the run of equal states that begins at i. */
static size_t run_end(const struct work *w, size_t i)
{
    size_t end = i + 1;
    while (end < w->n && w->state[end] == w->state[i] && !w->bins[end].hole)
        end++;
    return end;
}

static double seconds(const struct work *w, size_t i, size_t end)
{
    return end > i ? w->bins[end - 1].to - w->bins[i].from : 0;
}

/* Between two runs of one state, no longer than `longest`, nothing worse and no hole. */
static void join(struct work *w, uint8_t state, double longest)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->state[i] != state)
            continue;
        const size_t end = run_end(w, i);
        size_t next = end;
        while (next < w->n && w->state[next] < state && !w->bins[next].hole &&
               seconds(w, end, next + 1) <= longest)
            next++;
        if (next < w->n && next > end && w->state[next] == state && !w->bins[next].hole)
            for (size_t k = end; k < next; k++)
                w->state[k] = state;
        i = end - 1;
    }
}

static void absorb_rests(struct work *w)
{
    for (size_t i = 0, end; i < w->n; i = end) {
        end = run_end(w, i);
        const uint8_t before = i > 0 && !w->bins[i].hole ? w->state[i - 1] : 0;
        const uint8_t after = end < w->n && !w->bins[end].hole ? w->state[end] : 0;
        const uint8_t worse = before > after ? before : after;
        if (w->state[i] && worse > w->state[i] && seconds(w, i, end) < LEAST_S)
            for (size_t k = i; k < end; k++)
                w->state[k] = worse;
    }
}

/* The end of what is parked from bin i on: with bursts, and with what little moved between where
 * that does not count over the whole. */
static size_t parked_end(const struct work *w, size_t i)
{
    double in = 0;
    size_t end = i;
    for (size_t k = i; k < w->n && !w->state[k] && !w->low[k] && !w->bins[k].hole; k++) {
        const struct pt_swap_bin *b = &w->bins[k];
        const double between = seconds(w, end, k);
        in += isnan(in_of(b)) ? 0 : in_of(b) * w->page;
        if (!uses_swap(b) || between > JOIN_PARKED_S)
            break;
        if (is_parked(b, w->page) &&
            (between <= BURST_S || in < PARKED_RATE * seconds(w, i, k + 1)))
            end = k + 1;
    }
    return end;
}

static void park(struct work *w)
{
    for (size_t i = 0, end; i < w->n; i = end) {
        end = i + 1;
        if (w->state[i] || w->low[i] || w->bins[i].hole || !is_parked(&w->bins[i], w->page))
            continue;
        end = parked_end(w, i);
        for (size_t k = i; k < end && seconds(w, i, end) >= LEAST_PARKED_S; k++)
            w->state[k] = 1 + PT_SWAP_PARKED;
    }
}

/* ---- sums ---- */

static double add(double sum, double v)
{
    return isnan(v) ? sum : isnan(sum) ? v : sum + v;
}

static void peak(double *most, double *most_at, double rate, double at)
{
    if (rate > *most || (isnan(*most) && !isnan(rate))) {
        *most = rate;
        *most_at = at;
    }
}

static double used_of(const struct pt_swap_bin *b)
{
    return ((double)b->v[PT_SWAP_TOTAL] - (double)b->v[PT_SWAP_FREE]) * 1024;
}

void pt_swap_episode_sum(const struct pt_swap_bin *bins, size_t i, size_t end, int64_t page_size,
                         struct pt_swap_episode *ret)
{
    const double page = (double)page_size;
    double sum[PT_SWAP_COUNTERS];
    const enum pt_swap_state state = ret->state;
    *ret = (struct pt_swap_episode){.state = state,
                                    .peak_in = NAN,
                                    .peak_out = NAN,
                                    .peak_in_at = NAN,
                                    .peak_out_at = NAN,
                                    .used_from = NAN,
                                    .used_to = NAN,
                                    .used_most = NAN};
    for (unsigned c = 0; c < PT_SWAP_COUNTERS; c++)
        sum[c] = NAN;
    for (size_t k = i; k < end; k++) {
        const struct pt_swap_bin *b = &bins[k];
        for (unsigned c = 0; c < PT_SWAP_COUNTERS; c++)
            sum[c] = add(sum[c], (double)b->v[c]);
        peak(&ret->peak_in, &ret->peak_in_at, in_of(b) * page / width(b), b->from);
        peak(&ret->peak_out, &ret->peak_out_at, out_of(b) * page / width(b), b->from);
        ret->used_from = isnan(ret->used_from) ? used_of(b) : ret->used_from;
        ret->used_to = isnan(used_of(b)) ? ret->used_to : used_of(b);
        ret->used_most = fmax(ret->used_most, used_of(b));
        ret->average = b->hole ? ret->average : fmax(ret->average, width(b));
    }
    ret->from = end > i ? bins[i].from : 0;
    ret->to = end > i ? bins[end - 1].to : 0;
    ret->in = add(sum[PT_SWAP_IN], sum[PT_SWAP_ZIN]) * page;
    ret->out = add(sum[PT_SWAP_OUT], sum[PT_SWAP_ZOUT]) * page;
    ret->zin = sum[PT_SWAP_ZIN] * page;
    ret->zout = sum[PT_SWAP_ZOUT] * page;
    ret->some = sum[PT_SWAP_SOME];
    ret->full = sum[PT_SWAP_FULL];
    ret->refault = ret->in > 0 ? fmin(sum[PT_SWAP_REFAULT_ANON] * page / ret->in, 1) : NAN;
    ret->restore = sum[PT_SWAP_REFAULT_ANON] > 0
                       ? fmin(sum[PT_SWAP_RESTORE_ANON] / sum[PT_SWAP_REFAULT_ANON], 1)
                       : NAN;
    if (isnan(sum[PT_SWAP_REFAULT_ANON]))
        ret->refault = NAN; /* fmin leaves NAN out */
    if (isnan(sum[PT_SWAP_RESTORE_ANON]))
        ret->restore = NAN;
    ret->scan_direct = sum[PT_SWAP_SCAN_DIRECT];
    ret->steal_direct = sum[PT_SWAP_STEAL_DIRECT];
    ret->scan_kswapd = sum[PT_SWAP_SCAN_KSWAPD];
    ret->steal_kswapd = sum[PT_SWAP_STEAL_KSWAPD];
}

/* ---- episodes ---- */

static int put(struct pt_swap_episodes *e, size_t *cap, const struct work *w, size_t i, size_t end,
               enum pt_swap_state state)
{
    struct pt_swap_episode *v = pt_array_room(e->v, e->n, cap, sizeof(*v));
    if (!v)
        return -1;
    e->v = v;
    struct pt_swap_episode *one = &e->v[e->n++];
    one->state = state;
    pt_swap_episode_sum(w->bins, i, end, (int64_t)w->page, one);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct pt_swap_episode *x = a, *y = b;
    if (x->from < y->from || x->from > y->from)
        return x->from < y->from ? -1 : 1;
    return (x->state > y->state) - (x->state < y->state);
}

static int collect(const struct work *w, struct pt_swap_episodes *e)
{
    size_t cap = 0;
    int rc = 0;
    for (size_t i = 0, end; i < w->n && rc >= 0; i = end) {
        end = run_end(w, i);
        if (w->state[i])
            rc = put(e, &cap, w, i, end, (enum pt_swap_state)(w->state[i] - 1));
    }
    for (size_t i = 0; i < w->n && rc >= 0; i++) {
        size_t end = i;
        while (end < w->n && w->low[end] && (end == i || !w->bins[end].hole))
            end++;
        if (end == i)
            continue;
        rc = put(e, &cap, w, i, end, PT_SWAP_EXHAUSTION);
        i = end - 1;
    }
    if (e->n)
        qsort(e->v, e->n, sizeof(*e->v), by_time);
    return rc;
}

int pt_swap_episodes_find(const struct pt_swap_bin *bins, size_t n, int64_t page_size,
                          struct pt_swap_episodes *ret, struct pt_err *err)
{
    /* a rule holds for some bins of ten seconds, the last of which may be cut short */
    static const struct {
        enum pt_swap_state state;
        bool (*rule)(const struct pt_swap_bin *b, double page);
        double need, within;
    } rules[] = {
        {PT_SWAP_OUT_PRESSURE, is_out, LEAST_S, 40},
        {PT_SWAP_CHURN, is_churn, LEAST_S, 50},
        {PT_SWAP_THRASH, is_thrash, LEAST_S, 40},
    };
    struct pt_swap_episodes e = {0};
    struct work w = {.bins = bins, .n = n, .page = page_size > 0 ? (double)page_size : 4096};
    w.state = calloc(n ? n : 1, sizeof(*w.state));
    w.low = calloc(n ? n : 1, sizeof(*w.low));
    int rc = w.state && w.low ? 0 : -1;
    for (size_t k = 0; k < sizeof(rules) / sizeof(*rules) && rc >= 0; k++)
        mark(&w, rules[k].rule, rules[k].need, rules[k].within, (uint8_t)(1 + rules[k].state));
    for (uint8_t state = 1 + PT_SWAP_THRASH; rc >= 0 && state > 1 + PT_SWAP_PARKED; state--)
        join(&w, state, JOIN_S);
    if (rc >= 0) {
        absorb_rests(&w);
        for (size_t i = 0; i < n; i++)
            w.low[i] = !bins[i].hole && is_exhausted(&bins[i], w.page);
        park(&w);
        rc = collect(&w, &e);
    }
    free(w.state);
    free(w.low);
    if (rc < 0) {
        pt_swap_episodes_release(&e);
        return pt_err_nomem(err);
    }
    *ret = e;
    return 0;
}

/* ---- choice ---- */

/* Less first: time lost, else what was moved, else how long it took. */
static int by_cost(const void *a, const void *b, void *episodes)
{
    const struct pt_swap_episode *v = episodes;
    const struct pt_swap_episode *x = &v[*(const size_t *)a], *y = &v[*(const size_t *)b];
    const double cost[][2] = {
        {x->some, y->some}, {x->in + x->out, y->in + y->out}, {x->to - x->from, y->to - y->from}};
    for (size_t i = 0; i < sizeof(cost) / sizeof(*cost); i++) {
        const double p = isnan(cost[i][0]) ? -1 : cost[i][0];
        const double q = isnan(cost[i][1]) ? -1 : cost[i][1];
        if (p < q || p > q)
            return p < q ? -1 : 1;
    }
    return x > y ? -1 : x < y;
}

int pt_swap_episodes_worst(const struct pt_swap_episodes *e, size_t most, bool *ret)
{
    size_t n = 0, *order = malloc((e->n ? e->n : 1) * sizeof(*order));
    if (!order)
        return -1;
    for (size_t i = 0; i < e->n; i++) {
        ret[i] = false;
        if (e->v[i].state != PT_SWAP_PARKED)
            order[n++] = i;
    }
    if (n > most)
        qsort_r(order, n, sizeof(*order), by_cost, e->v);
    for (size_t i = n > most ? n - most : 0; i < n; i++)
        ret[order[i]] = true;
    free(order);
    return 0;
}

int pt_swap_episodes_choose(struct pt_swap_episodes *e, size_t most, struct pt_err *err)
{
    bool *chosen = malloc(e->n ? e->n : 1);
    const int rc = chosen ? pt_swap_episodes_worst(e, most, chosen) : -1;
    for (size_t i = 0; i < e->n && rc >= 0; i++)
        e->v[i].blamed = chosen[i];
    free(chosen);
    return rc < 0 ? pt_err_nomem(err) : 0;
}

void pt_swap_episodes_release(struct pt_swap_episodes *e)
{
    free(e->v);
    *e = (struct pt_swap_episodes){0};
}
