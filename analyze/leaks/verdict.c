/* SPDX-License-Identifier: MIT
 * Ruling on one series. The constants are those of tests/labelled, where each was chosen. */
#include "analyze/leaks/verdict_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/units.h"

#define QUIET       (CLEAN_FLOOR / 4) /* whoever moves less is not looked at */
#define LIFE_MIN    300.0
#define CELLS_MIN   24
#define TRIM_LEAST  600.0
#define TRIM_SHARE  0.05
#define TRIM_MOST   0.25
#define LOOK        0.85
#define LATEST      0.7 /* a later beginning leaves too little to tell a leak from a step */
#define SEASON_DAYS 3.0
#define SEASON      0.2 /* of the variance about the trend; less is not worth it */
#define FAST        (12 * 3600.0)

static const char *const verdict_names[PT_VERDICTS] = {
    [PT_LEAK] = "leak",
    [PT_PER_REQUEST] = "per-request-leak",
    [PT_LEAK_OR_RETENTION] = "leak-or-retention",
    [PT_FAST_GROWTH] = "fast-growth",
    [PT_BOUNDED] = "bounded",
    [PT_STEP] = "step",
    [PT_LOAD_FOLLOWING] = "load-following",
    [PT_SAWTOOTH] = "sawtooth",
    [PT_SHRINKING] = "shrinking",
    [PT_STABLE] = "stable",
    [PT_UNDETERMINED] = "undetermined",
    [PT_INSUFFICIENT] = "insufficient",
};

const char *pt_verdict_name(enum pt_verdict v)
{
    return verdict_names[v];
}

const char *pt_confidence_name(enum pt_confidence c)
{
    static const char *const names[] = {
        [PT_HIGH] = "high", [PT_MEDIUM] = "medium", [PT_LOW] = "low"};
    return names[c];
}

void pt_evidence_add(struct pt_ruling *r, const char *test, double value, double threshold,
                     bool passed, const char *fmt, ...)
{
    if (r->nevidence == PT_EVIDENCE_MAX)
        return;
    struct pt_evidence *e = &r->evidence[r->nevidence++];
    *e = (struct pt_evidence){
        .test = test, .value = value, .threshold = threshold, .passed = passed};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
}

static const char *size_of(char *buf, size_t size, double bytes)
{
    return pt_units_bytes(buf, size, (int64_t)bytes, false);
}

static const char *time_of(char *buf, size_t size, double seconds)
{
    return pt_units_duration(buf, size, pt_units_us(seconds));
}

/* ---- the ruling ---- */

static void describe(const struct pt_look *l, struct pt_ruling *r)
{
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], length[PT_UNITS_BUF];
    const double seen = l->env.t[l->env.n - 1] - l->env.t[0];
    /* less than the growth since it began: a start-up is not looked at */
    pt_evidence_add(r, "growth", l->growth, l->floor, l->a,
                    "grew by %s in the %s looked at; %s would be noise",
                    size_of(a, sizeof(a), l->growth), time_of(length, sizeof(length), seen),
                    size_of(b, sizeof(b), l->floor));
    pt_evidence_add(r, "trend", l->slope.z, Z_GATE, l->b,
                    "a trend of %.1f standard deviations, its noise's memory counted", l->slope.z);
    pt_evidence_add(r, "quarters", l->quarters, QUARTERS, l->c,
                    l->c ? "the floor rose in every quarter"
                         : "the floor did not rise in every quarter");
    pt_evidence_add(r, "last-third", l->last_third, LAST_THIRD, l->d,
                    "the last third is %.0f%% as steep as the whole", 100 * l->last_third);
    pt_evidence_add(
        r, "shape", l->contest.margin, MARGIN, l->contest.margin >= MARGIN, "fits '%s' best%s",
        pt_model_name(l->contest.margin >= 0 ? l->contest.leak : l->contest.bounded),
        fabs(l->contest.margin) < MARGIN ? ", but hardly better than growth that ends" : "");
    r->model = l->contest.margin >= 0 ? l->contest.leak : l->contest.bounded;
}

/* Slope and growth of what is still going on: since the onset, where there is one. */
static void measure(const struct pt_case *c, const struct pt_look *l, double from,
                    struct pt_ruling *r)
{
    struct pt_env e = l->env;
    struct pt_slope s = l->slope;
    r->since = from;
    if (l->contest.leak == PT_MODEL_ONSET && l->contest.margin >= 0) {
        r->since = l->contest.onset;
        pt_env_of(c->track, r->since, c->to, PT_BINS / 2, &e);
        if (e.n >= PT_BINS_MIN / 2)
            pt_slope_of(&e, &s);
    }
    /* the counter may be wrong by as much at both ends, and no bin tells */
    const double error = c->noise / (e.to > e.from ? e.to - e.from : 1);
    r->b = s.b;
    const double wander = pt_wander_of(&e, s.b);
    r->low = s.b - hypot(s.b - s.low, wander) - error;
    r->high = s.b + hypot(s.high - s.b, wander) + error;
    r->z = l->slope.z;
    r->growth = l->slope.b > 0 || l->growth > 0 ? s.b * (c->to - r->since) : l->growth;
}

void pt_judge_headroom(struct pt_ruling *r, double headroom)
{
    r->exhaustion = r->exhaustion_low = r->exhaustion_high = NAN;
    if (isnan(headroom) || !(r->b > 0))
        return;
    r->exhaustion = headroom / r->b;
    r->exhaustion_low = headroom / r->high;
    r->exhaustion_high = r->low > 0 ? headroom / r->low : INFINITY;
    if (r->verdict == PT_UNDETERMINED && r->rises && r->exhaustion < FAST)
        r->verdict = PT_FAST_GROWTH;
}

double pt_judge_least(double interval)
{
    return fmax(LIFE_MIN, CELLS_MIN * interval);
}

static void not_enough(const struct pt_case *c, struct pt_ruling *r)
{
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    const double life = c->to - c->from, need = pt_judge_least(c->interval);
    r->verdict = PT_INSUFFICIENT;
    r->more = life < need ? need - life : life;
    if (life < need)
        pt_evidence_add(r, "length", life, need, false, "known for %s; a trend takes %s at least",
                        time_of(a, sizeof(a), life), time_of(b, sizeof(b), need));
    else /* long, but with holes */
        pt_evidence_add(r, "length", r->env.n, PT_BINS_MIN, false,
                        "of %s only %d parts in %d are known: too few for a trend",
                        time_of(a, sizeof(a), life), r->env.n, PT_BINS);
}

/* Growth that did not pass: which kind is it? */
static void rule_out(const struct pt_case *c, const struct pt_look *l, const struct pt_drops *drops,
                     const struct pt_levels *held, struct pt_ruling *r)
{
    char a[PT_UNITS_BUF];
    const struct pt_env *e = &l->env;
    const double net = e->v[e->n - 1] - e->v[0];
    const bool saw = drops->count >= 3 || drops->typical > 0.15 * fmax(e->v[e->n - 1], 1);
    if (l->slope.b < 0 && -l->growth >= l->floor && l->slope.z <= -Z_GATE) {
        r->verdict = PT_SHRINKING;
        return;
    }
    if (fmax(l->growth, net) < l->floor) {
        const bool rising = l->b && l->c && l->d && l->growth >= l->floor / 4;
        r->verdict = rising                        ? PT_UNDETERMINED
                     : saw && l->growth < l->floor ? PT_SAWTOOTH
                                                   : PT_STABLE;
        if (rising) {
            r->more = (l->floor - l->growth) / l->slope.b;
            pt_evidence_add(r, "more", r->more, NAN, false,
                            "rises steadily, too little yet: record %s more",
                            time_of(a, sizeof(a), r->more));
        }
        return;
    }
    const double more = pt_levels_more(held);
    const bool ended =
        l->contest.margin < -MARGIN || !l->d || (!l->c && l->contest.margin < MARGIN);
    const bool uneven = saw && !(l->b && (ended || l->c));
    if (!isnan(more)) {
        r->verdict = PT_UNDETERMINED;
        r->rises = r->rises && !ended && !uneven; /* what may have ended exhausts nothing */
        r->more = more;
        pt_evidence_add(r, "levels", held->n, NAN, false,
                        "stands at ever higher levels, ever longer: record %s more",
                        time_of(a, sizeof(a), more));
        return;
    }
    if (ended || uneven) {
        const bool levels = l->contest.bounded == PT_MODEL_LEVELS;
        r->verdict = uneven ? PT_SAWTOOTH : levels ? PT_STEP : PT_BOUNDED;
        if (r->verdict == PT_STEP)
            pt_evidence_add(r, "step", l->contest.step_size, l->floor, false, "one step of %s",
                            size_of(a, sizeof(a), l->contest.step_size));
        return;
    }
    r->verdict = PT_UNDETERMINED;
    r->more = c->to - c->from;
    pt_evidence_add(r, "more", r->more, NAN, false,
                    "the record is too short to tell: record %s more",
                    time_of(a, sizeof(a), r->more));
}

/* of_load: the look that loads are to be compared with, nothing taken out. */
static void alarm(const struct pt_case *c, const struct pt_look *l, const struct pt_look *of_load,
                  double start, int bins, struct pt_ruling *r)
{
    struct pt_look before;
    r->verdict = pt_weigh_loads(c, of_load, r);
    if (r->verdict != PT_LOAD_FOLLOWING)
        r->verdict = pt_weigh_parts(c, l, r->verdict, r);
    pt_look_at(c, start, start + LOOK * (c->to - start), bins, Z_GATE, &before);
    const bool both = pt_leaks(&before);
    pt_evidence_add(r, "second-look", before.contest.margin, MARGIN, both,
                    both ? "the first 85%% of the record says the same"
                         : "the first 85%% of the record does not say so yet");
    r->confidence = both && (c->parts.known || c->owner != PT_OWNER_PROCESS) ? PT_HIGH : PT_MEDIUM;
    if (r->verdict == PT_LEAK_OR_RETENTION)
        r->confidence = PT_MEDIUM;
}

static double range_of(const struct pt_curve *t)
{
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->cell[i].time <= 0)
            continue;
        low = fmin(low, t->cell[i].min);
        high = fmax(high, t->cell[i].max);
    }
    return high > low ? high - low : 0;
}

static void judge(const struct pt_case *c, struct pt_ruling *ret)
{
    struct pt_look l, half, of_load = {0};
    struct pt_drops drops;
    struct pt_levels levels = {0};
    const double life = c->to - c->from;
    *ret = (struct pt_ruling){.confidence = PT_LOW,
                              .more = NAN,
                              .since = c->from,
                              .exhaustion = NAN,
                              .exhaustion_low = NAN,
                              .exhaustion_high = NAN};
    pt_env_of(c->track, c->from, c->to, PT_BINS, &ret->env);
    const double start = c->from + fmin(fmax(TRIM_LEAST, TRIM_SHARE * life), TRIM_MOST * life);
    double from = c->from;
    int bins = PT_BINS;
    /* bins finer than what is known are empty, or alike */
    while (bins > PT_BINS_MIN && (c->to - start) / bins < 2 * c->interval)
        bins--;
    if (life < LIFE_MIN || life < CELLS_MIN * c->interval) {
        not_enough(c, ret);
        return;
    }
    if (range_of(c->track) < QUIET) {
        ret->verdict = PT_STABLE;
        return;
    }
    pt_look_at(c, start, c->to, bins, Z_GATE, &l);
    if (!l.enough) {
        not_enough(c, ret);
        return;
    }
    pt_drops_of(c->track, fmax(FLOOR / 2, 0.05 * l.env.v[l.env.n - 1]), &drops);
    if (drops.count >= 6) {
        bins = drops.count / 2 < PT_BINS_MIN ? PT_BINS_MIN
               : drops.count / 2 < bins      ? drops.count / 2
                                             : bins;
        pt_look_at(c, start, c->to, bins, Z_GATE, &l);
    }
    /* it may have begun midway */
    const double begin[] = {l.contest.leak == PT_MODEL_ONSET ? l.contest.onset : start,
                            (start + c->to) / 2};
    for (int i = 0; i < 2 && !pt_leaks(&l) && l.contest.margin > -MARGIN; i++) {
        if (!(begin[i] > start) || begin[i] > start + LATEST * (c->to - start))
            continue;
        pt_look_at(c, begin[i], c->to, bins, Z_RETRY, &half);
        if (pt_leaks(&half)) {
            l = half;
            from = begin[i];
        }
    }
    struct pt_look past, fine;
    if (!pt_leaks(&l) && l.contest.margin > -MARGIN) {
        pt_look_at(c, start, c->to, PT_BINS, Z_GATE, &fine);
        if (fine.enough &&
            (pt_look_past_load(c, &fine, &past, ret) || pt_look_past_cycle(c, &fine, &past, ret))) {
            l = past;
            of_load = fine;
        }
    }
    if (!pt_leaks(&l) && l.a) {
        pt_levels_of(c, &levels);
        if (l.b && pt_levels_leak(&levels)) {
            l.rescued = true;
            pt_evidence_add(ret, "levels", levels.off, NAN, true,
                            "it rose %d times, each time to one line with its age (within %.0f%%)",
                            levels.n, 100 * levels.off);
        }
    }
    if (!of_load.enough)
        of_load = l;
    measure(c, &l, from, ret);
    describe(&l, ret);
    ret->rises = l.a && l.slope.z > 0;
    if (pt_leaks(&l))
        alarm(c, &l, &of_load, start, bins, ret);
    else
        rule_out(c, &l, &drops, &levels, ret);
    pt_judge_headroom(ret, c->headroom);
}

/* With days enough the hours of the day are taken out of a copy. */
static bool without_season(const struct pt_case *c, struct pt_curve *copy, double *ret_share)
{
    if (c->track->n == 0 || c->to - c->from < SEASON_DAYS * 86400)
        return false;
    *copy = *c->track;
    copy->cap = copy->n;
    copy->cell = malloc(copy->n * sizeof(*copy->cell));
    if (!copy->cell)
        return false;
    memcpy(copy->cell, c->track->cell, copy->n * sizeof(*copy->cell));
    *ret_share = pt_season_remove(copy, c->local);
    if (*ret_share >= SEASON)
        return true;
    pt_curve_release(copy);
    return false;
}

void pt_judge(const struct pt_case *c, struct pt_ruling *ret)
{
    struct pt_curve copy;
    double share;
    if (!without_season(c, &copy, &share)) {
        judge(c, ret);
        return;
    }
    struct pt_case plain = *c;
    plain.track = &copy;
    judge(&plain, ret);
    pt_evidence_add(ret, "season", share, SEASON, true,
                    "%.0f%% of its ups and downs are the time of day, and were taken out",
                    100 * share);
    pt_curve_release(&copy);
}
