/* SPDX-License-Identifier: MIT
 * Rulings on series without noise: the verdict, how sure it is, since when, how fast, until what,
 * and what is said for it. analyze_verdict.c has whole families of noisy ones. Units: seconds,
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/verdict_int.h"
#include "tests/unit/near.h"

#define HOUR 3600.0

typedef double shape_fn(double x);

static double rises(double x)
{
    return x;
}
static double falls(double x)
{
    return -x;
}
static double stands(double x)
{
    (void)x;
    return 0;
}
static double begins_midway(double x)
{
    return x < 0.5 ? 0 : 2 * (x - 0.5);
}
static double begins_early(double x)
{
    return x < 0.2 ? 0 : (x - 0.2) / 0.8;
}
static double steps_once(double x)
{
    return x < 0.6 ? 0 : 1;
}
static double fills_up(double x)
{
    return 1 - exp(-x / 0.2);
}
static double saws(double x)
{
    return fmod(x * 30, 1.0);
}
static double rises_in_days(double x)
{
    return x + 0.3 * sin(2 * 3.14159265358979 * 5 * x); /* five days */
}

/* A series of `seconds`, from 1000 on, grown by `growth` in all; and what is known of it besides.
 */
struct series {
    shape_fn *fn;
    double seconds, interval, growth;
    double hole; /* of the middle: this part of it is not known */
    struct pt_parts parts;
    enum pt_owner owner;
    double headroom; /* 0: not known */
};

static void rule(const struct series *s, struct pt_ruling *ret)
{
    struct pt_curve t;
    const int n = (int)(s->seconds / s->interval);
    pt_curve_init(&t, s->interval);
    for (int i = 0; i < n; i++) {
        const double x = (double)i / n, from = 1000 + i * s->interval;
        if (fabs(x - 0.5) >= s->hole / 2)
            assert_true(
                pt_curve_hold(&t, from, from + s->interval, 300 * MIB + s->growth * s->fn(x)));
    }
    const struct pt_case c = {.track = &t,
                              .from = t.start,
                              .to = t.last,
                              .interval = s->interval,
                              .noise = 64 * 1024,
                              .headroom = s->headroom > 0 ? s->headroom : (double)NAN,
                              .owner = s->owner,
                              .parts = s->parts,
                              .threads = NAN};
    pt_judge(&c, ret);
    pt_curve_release(&t);
}

static const struct pt_evidence *said(const struct pt_ruling *r, const char *test)
{
    for (int i = 0; i < r->nevidence; i++)
        if (strcmp(r->evidence[i].test, test) == 0)
            return &r->evidence[i];
    return NULL;
}

#define HEAP                                                                                       \
    {                                                                                              \
        .known = true, .growth = 40 * MIB, .largest = 40 * MIB, .data = 40 * MIB, .share = NAN     \
    }

/* ---- verdicts ---- */

static const struct {
    const char *name;
    struct series s;
    enum pt_verdict verdict;
    enum pt_confidence confidence;
    const char *test; /* that is among the evidence */
    double value, by;
} shapes[] = {
    {"rises",
     {.fn = rises, HOUR, 10, 40 * MIB, .parts = HEAP},
     PT_LEAK,
     PT_HIGH,
     "last-third",
     1,
     0.02},
    {"of unknown mappings",
     {.fn = rises, HOUR, 10, 40 * MIB},
     PT_LEAK,
     PT_MEDIUM,
     "mappings",
     NAN,
     0},
    {"of the kernel",
     {.fn = rises, HOUR, 10, 40 * MIB, .owner = PT_OWNER_KERNEL},
     PT_LEAK,
     PT_HIGH,
     "quarters",
     1,
     0.1},
    {"falls",
     {.fn = falls, HOUR, 10, 40 * MIB},
     PT_SHRINKING,
     PT_LOW,
     "growth",
     -32.6 * MIB,
     2 * MIB},
    {"stands", {.fn = stands, HOUR, 10, 40 * MIB}, PT_STABLE, PT_LOW, NULL, 0, 0},
    {"moves little", {.fn = rises, HOUR, 10, 0.2 * MIB}, PT_STABLE, PT_LOW, NULL, 0, 0},
    {"steps", {.fn = steps_once, HOUR, 10, 40 * MIB}, PT_STEP, PT_LOW, "step", 40 * MIB, MIB},
    {"fills up", {.fn = fills_up, HOUR, 10, 40 * MIB}, PT_BOUNDED, PT_LOW, "last-third", 0, 0.29},
    {"saws", {.fn = saws, HOUR, 1, 40 * MIB}, PT_SAWTOOTH, PT_LOW, NULL, 0, 0},
    {"too young", {.fn = rises, 200, 1, 40 * MIB}, PT_INSUFFICIENT, PT_LOW, "length", 200, 1},
    {"too few readings",
     {.fn = rises, 600, 60, 40 * MIB},
     PT_INSUFFICIENT,
     PT_LOW,
     "length",
     600,
     1},
    {"hardly known",
     {.fn = rises, HOUR, 10, 40 * MIB, .hole = 0.9},
     PT_INSUFFICIENT,
     PT_LOW,
     "length",
     5,
     2},
    {"rises a little",
     {.fn = rises, HOUR, 10, 1.2 * MIB},
     PT_UNDETERMINED,
     PT_LOW,
     "more",
     800,
     50},
    {"up and down with the day",
     {.fn = rises_in_days, 5 * 86400, 900, 40 * MIB, .parts = HEAP},
     PT_LEAK,
     PT_HIGH,
     "season",
     0.9,
     0.101},
    {"of one size",
     {.fn = rises,
      HOUR,
      10,
      40 * MIB,
      .parts = {.known = true,
                .growth = 40 * MIB,
                .largest = 40 * MIB,
                .constant = 32 * MIB,
                .room = 7 * MIB,
                .data = NAN,
                .share = NAN}},
     PT_BOUNDED,
     PT_HIGH,
     "room",
     0.8,
     1e-9},
    {"nearly of one size",
     {.fn = rises,
      HOUR,
      10,
      40 * MIB,
      .parts = {.known = true,
                .growth = 40 * MIB,
                .largest = 40 * MIB,
                .constant = 31.9 * MIB,
                .data = 10 * MIB,
                .share = 0.7,
                .readings = 9}},
     PT_LEAK,
     PT_HIGH,
     "mappings",
     0.7,
     1e-9},
};

static void each_shape_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct pt_ruling r;
        rule(&shapes[i].s, &r);
        if (r.verdict != shapes[i].verdict || r.confidence != shapes[i].confidence)
            fail_msg("%s: %s, %s", shapes[i].name, pt_verdict_name(r.verdict),
                     pt_confidence_name(r.confidence));
        const struct pt_evidence *e = shapes[i].test ? said(&r, shapes[i].test) : NULL;
        if (shapes[i].test && !e)
            fail_msg("%s: no word of '%s'", shapes[i].name, shapes[i].test);
        if (e)
            near(e->value, shapes[i].value, shapes[i].by, shapes[i].name);
    }
}

/* ---- mappings ---- */

/* What mappings say of a leak that passed: at each threshold and just below it. */
static const struct {
    enum pt_owner owner;
    struct pt_parts parts;
    double threads, last_third;
    enum pt_verdict verdict;
    const char *test; /* the last word; NULL: none */
    bool passed;
} weighed[] = {
    {PT_OWNER_SERVICE, {.known = true, .growth = 9, .lazy = 99}, 9, 0, PT_LEAK, NULL, false},
    {PT_OWNER_PROCESS, {.known = false, .growth = 9}, 9, 0, PT_LEAK, "mappings", false},
    {PT_OWNER_PROCESS, {.known = true, .growth = 0}, 9, 0, PT_LEAK, "mappings", false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 50, .lazy = 50},
     9,
     0,
     PT_BOUNDED,
     "lazy-free",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 51, .lazy = 50, .data = NAN},
     1,
     1,
     PT_LEAK,
     "mappings",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .largest = 8, .data = NAN},
     1,
     1,
     PT_LEAK,
     "mappings",
     true},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .largest = 7.9, .data = NAN},
     1,
     1,
     PT_LEAK,
     "mappings",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .largest = 8, .data = NAN, .share = 0.7, .readings = 3},
     1,
     1,
     PT_LEAK,
     "mappings",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .largest = 2, .data = NAN, .share = 0.8, .readings = 3},
     1,
     1,
     PT_LEAK,
     "mappings",
     true},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .constant = 8, .data = 5},
     1,
     1,
     PT_BOUNDED,
     "room",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .constant = 7.9, .data = 5},
     1,
     1,
     PT_LEAK,
     "data",
     true},
    {PT_OWNER_PROCESS, {.known = true, .growth = 10, .data = 4.9}, 1, 1, PT_LEAK, "data", false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .arena = 6, .data = 5},
     4,
     0.79,
     PT_LEAK_OR_RETENTION,
     "arenas",
     false},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .arena = 5.9, .data = 5},
     4,
     0.79,
     PT_LEAK,
     "data",
     true},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .arena = 6, .data = 5},
     3,
     0.79,
     PT_LEAK,
     "data",
     true},
    {PT_OWNER_PROCESS,
     {.known = true, .growth = 10, .arena = 6, .data = 5},
     4,
     0.8,
     PT_LEAK,
     "data",
     true},
};

static void mappings_weigh(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(weighed); i++) {
        const struct pt_case c = {
            .owner = weighed[i].owner, .parts = weighed[i].parts, .threads = weighed[i].threads};
        const struct pt_look l = {.last_third = weighed[i].last_third};
        struct pt_ruling r = {.verdict = PT_LEAK};
        const enum pt_verdict v = pt_weigh_parts(&c, &l, PT_LEAK, &r);
        const struct pt_evidence *last = r.nevidence ? &r.evidence[r.nevidence - 1] : NULL;
        if (v != weighed[i].verdict || !last != !weighed[i].test ||
            (last &&
             (strcmp(last->test, weighed[i].test) != 0 || last->passed != weighed[i].passed)))
            fail_msg("case %zu: %s by '%s'", i, pt_verdict_name(v), last ? last->test : "nothing");
    }
}

/* ---- numbers ---- */

static void what_a_leak_says(void **state)
{
    const struct series s = {.fn = rises, HOUR, 10, 36 * MIB, .parts = HEAP, .headroom = 360 * MIB};
    static const char *const tests[] = {"growth", "trend",    "quarters", "last-third",
                                        "shape",  "mappings", "data",     "second-look"};
    struct pt_ruling r;
    const double b = 36 * MIB / HOUR;
    (void)state;
    rule(&s, &r);
    assert_int_equal(r.model, PT_MODEL_LINEAR);
    near(r.b, b, b / 100, "slope");
    near(r.growth, 36 * MIB, MIB / 2, "growth");
    is(r.since, 1000, "since");
    assert_true(r.z > 5 && r.rises && isnan(r.more));
    /* the counter may be wrong at both ends */
    assert_true(r.low <= r.b - 64 * 1024 / HOUR && r.high >= r.b + 64 * 1024 / HOUR);
    near(r.high - r.low, 2 * 64 * 1024 / HOUR, b / 20, "interval");
    is(r.exhaustion, 360 * MIB / r.b, "exhaustion");
    is(r.exhaustion_low, 360 * MIB / r.high, "at the earliest");
    is(r.exhaustion_high, 360 * MIB / r.low, "at the latest");
    for (size_t i = 0; i < COUNT(tests); i++) {
        const struct pt_evidence *e = said(&r, tests[i]);
        if (!e || !e->passed)
            fail_msg("'%s' speaks not for it", tests[i]);
    }
    assert_string_equal(said(&r, "quarters")->text, "the floor rose in every quarter");
    assert_string_equal(said(&r, "last-third")->text,
                        "the last third is 100% as steep as the whole");
    assert_string_equal(said(&r, "shape")->text, "fits 'linear' best");
    near(said(&r, "growth")->value, 36 * MIB * 0.83, 2 * MIB, "without its start");
    near(said(&r, "growth")->threshold, 1.25 * MIB, 1, "all trend, no noise");
}

static void since_it_began(void **state)
{
    const struct series s = {.fn = begins_midway, 2 * HOUR, 10, 60 * MIB, .parts = HEAP};
    struct pt_ruling r;
    (void)state;
    rule(&s, &r);
    assert_int_equal(r.verdict, PT_LEAK);
    near(r.since, 1000 + HOUR, 300, "since");
    near(r.b, 60 * MIB / HOUR, 60 * MIB / HOUR / 50, "slope since then");
    near(r.growth, 60 * MIB, 5 * MIB, "growth since then");
}

/* Where one look at all of it is enough, too; and what describes it best. */
static void since_a_knot(void **state)
{
    const struct series late = {.fn = begins_early, 2 * HOUR, 10, 60 * MIB, .parts = HEAP},
                        step = {.fn = steps_once, HOUR, 10, 40 * MIB},
                        full = {.fn = fills_up, HOUR, 10, 40 * MIB};
    struct pt_ruling r;
    (void)state;
    rule(&late, &r);
    assert_int_equal(r.verdict, PT_LEAK);
    assert_int_equal(r.model, PT_MODEL_ONSET);
    near(r.since, 1000 + 0.2 * 2 * HOUR, 200, "since");
    near(r.growth, 60 * MIB, 2 * MIB, "growth since then");
    rule(&step, &r);
    assert_int_equal(r.model, PT_MODEL_LEVELS);
    rule(&full, &r);
    assert_int_equal(r.model, PT_MODEL_SATURATING);
}

static void how_much_more(void **state)
{
    static const struct {
        struct series s;
        double more, by;
    } cases[] = {
        {{.fn = rises, 200, 1, 40 * MIB}, 100, 0},  /* five minutes at least */
        {{.fn = rises, 600, 60, 40 * MIB}, 840, 0}, /* two dozen readings at least */
        {{.fn = rises, HOUR, 10, 40 * MIB, .hole = 0.9}, HOUR, 20}, /* as long once more */
        {{.fn = stands, HOUR, 10, 0}, NAN, 0},
        {{.fn = fills_up, HOUR, 10, 40 * MIB}, NAN, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pt_ruling r;
        rule(&cases[i].s, &r);
        near(r.more, cases[i].more, cases[i].by, "more");
    }
}

static void names_of_all(void **state)
{
    (void)state;
    for (int v = 0; v < PT_VERDICTS; v++) {
        assert_non_null(pt_verdict_name((enum pt_verdict)v));
        assert_int_equal(pt_verdict_alarms((enum pt_verdict)v), v <= PT_FAST_GROWTH);
    }
    assert_string_equal(pt_verdict_name(PT_LEAK_OR_RETENTION), "leak-or-retention");
    assert_string_equal(pt_confidence_name(PT_MEDIUM), "medium");
}

/* As many lines as there is room for. */
static void evidence_is_bounded(void **state)
{
    struct pt_ruling r = {.verdict = PT_LEAK};
    (void)state;
    for (int i = 0; i < PT_EVIDENCE_MAX + 5; i++)
        pt_evidence_add(&r, "x", i, NAN, i % 2, "%0200d", i);
    assert_int_equal(r.nevidence, PT_EVIDENCE_MAX);
    is(r.evidence[PT_EVIDENCE_MAX - 1].value, PT_EVIDENCE_MAX - 1, "the last that had room");
    assert_int_equal(strlen(r.evidence[0].text), sizeof(r.evidence[0].text) - 1);
    assert_false(r.evidence[0].passed);
    assert_true(r.evidence[1].passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_has_its_verdict),
        cmocka_unit_test(mappings_weigh),
        cmocka_unit_test(what_a_leak_says),
        cmocka_unit_test(since_it_began),
        cmocka_unit_test(since_a_knot),
        cmocka_unit_test(how_much_more),
        cmocka_unit_test(names_of_all),
        cmocka_unit_test(evidence_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
