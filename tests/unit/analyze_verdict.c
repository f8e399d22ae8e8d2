/* SPDX-License-Identifier: MIT
 * Rulings on families of synthetic series: what must be called a leak, what must not, over many
 * seeds. PT_SHOW=1 prints the verdicts of each family. Units: seconds, bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyze/leaks/verdict.h"

#define MIB   (1024.0 * 1024.0)
#define SEEDS 100
#define PI    3.14159265358979

struct shape {
    double span, interval, level, grow, noise;
};

static uint64_t state;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform() + 1e-12)) * cos(2 * PI * uniform());
}

typedef double family_fn(const struct shape *s, double x, int i);

static double flat(const struct shape *s, double x, int i)
{
    (void)s, (void)x, (void)i;
    return 0;
}
static double linear(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * x;
}
static double onset(const struct shape *s, double x, int i)
{
    (void)i;
    return x < 0.45 ? 0 : s->grow * (x - 0.45) / 0.55;
}
static double accelerating(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * x * x;
}
static double staircase(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * floor(x * 12) / 12;
}
static double leak_step(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * x + (x > 0.6 ? s->grow / 2 : 0);
}
static double diurnal_leak(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * x + 0.5 * s->grow * sin(2 * PI * 6 * x);
}
static double wave(const struct shape *s, double x, int i)
{
    (void)s, (void)i;
    return 1 + 0.9 * sin(2 * PI * 6 * x);
}
static double rising_load(const struct shape *s, double x, int i)
{
    (void)s, (void)i;
    return 1 + 3 * x + 0.5 * sin(2 * PI * 4.3 * x);
}
/* Memory as the load is. */
static double follows(const struct shape *s, double x, int i)
{
    return s->grow * rising_load(s, x, i) / 4;
}
/* Each unit of work leaks: what is gone of the integral of the load. */
static double per_request(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * (x - 0.95 * (cos(2 * PI * 2 * x) - 1) / (2 * PI * 2));
}
static double request_load(const struct shape *s, double x, int i)
{
    (void)s, (void)i;
    return 1 + 0.95 * sin(2 * PI * 2 * x);
}
/* Load of a day, and of the week's end; noise that lasts. */
static double days(const struct shape *s, double x, int i)
{
    static double noise;
    const double day = x * s->span / 86400;
    noise = i == 0 ? 0 : 0.99 * noise + 0.7e6 * normal();
    return 0.15 * s->level * sin(2 * PI * day) + 0.05 * s->level * sin(4 * PI * day) + noise;
}
static double days_leak(const struct shape *s, double x, int i)
{
    return s->grow * x + days(s, x, i);
}
static double saw_leak(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * x + s->grow * fmod(x * 37, 1.0);
}
static double saw(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * fmod(x * 37, 1.0);
}
static double growing_saw(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * (0.2 + x) * fmod(x * 37, 1.0);
}
static double saturating(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * (1 - exp(-x / 0.2));
}
static double cap30(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * fmin(x / 0.3, 1);
}
static double cap60(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * fmin(x / 0.6, 1);
}
static double cap80(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * fmin(x / 0.8, 1);
}
static double cap95(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * fmin(x / 0.95, 1);
}
static double steps(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * floor(x * 3.5) / 3;
}
static double one_step(const struct shape *s, double x, int i)
{
    (void)i;
    return x > 0.7 ? s->grow : 0;
}
static double diurnal(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * sin(2 * PI * 3 * x);
}
static double batch(const struct shape *s, double x, int i)
{
    (void)i;
    return fmod(x * 10, 1.0) < 0.15 ? s->grow : 0;
}
static double decline(const struct shape *s, double x, int i)
{
    (void)i;
    return -s->grow * x;
}
static double wander(const struct shape *s, double x, int i)
{
    static double at;
    (void)x;
    at = i == 0 ? 0 : 0.97 * at + 0.25 * s->grow * normal();
    return at;
}
static double logarithm(const struct shape *s, double x, int i)
{
    (void)i;
    return s->grow * log1p(x / 0.02) / log1p(50);
}

static const struct shape quick = {1800, 1, 60 * MIB, 40 * MIB, 0.02 * MIB};
static const struct shape noisy = {1800, 1, 60 * MIB, 60 * MIB, 2 * MIB};
static const struct shape day = {86400, 60, 300 * MIB, 120 * MIB, 4 * MIB};
static const struct shape slow = {1800, 2, 12 * MIB, 3 * MIB, 0};

/* 12 MB a day for ten days. */
static const struct shape small = {864000, 60, 200e6, 120e6, 1e6};
static const struct shape large = {864000, 60, 4e9, 120e6, 1e6};

static const struct family {
    const char *name;
    family_fn *fn;
    const struct shape *shape;
    double drift; /* of speed, as a leak's own */
    bool leaks;
    int least, most;         /* of SEEDS that alarm */
    family_fn *load;         /* or NULL */
    enum pt_verdict verdict; /* that most have; 0 (leak): not asked */
} families[] = {
    {"linear", linear, &quick, 0.03, true, 99, 100, NULL, 0},
    {"linear, noisy", linear, &noisy, 0.03, true, 97, 100, NULL, 0},
    {"linear, a day", linear, &day, 0.03, true, 97, 100, NULL, 0},
    {"linear, slow", linear, &slow, 0.02, true, 97, 100, NULL, 0},
    {"onset midway", onset, &quick, 0.03, true, 97, 100, NULL, 0},
    {"onset midway, a day", onset, &day, 0.03, true, 95, 100, NULL, 0},
    {"accelerating", accelerating, &quick, 0.03, true, 97, 100, NULL, 0},
    {"staircase", staircase, &quick, 0, true, 95, 100, NULL, 0},
    {"leak and step", leak_step, &quick, 0.03, true, 95, 100, NULL, 0},
    {"leak under waves", diurnal_leak, &quick, 0, true, 95, 100, wave, 0},
    {"leak under waves, load unknown", diurnal_leak, &quick, 0, true, 95, 100, NULL, 0},
    {"leak, load waves", linear, &quick, 0.03, true, 95, 100, wave, 0},
    {"leak by request", per_request, &quick, 0, true, 95, 100, request_load, PT_PER_REQUEST},
    {"follows load", follows, &quick, 0, false, 0, 0, rising_load, PT_LOAD_FOLLOWING},
    {"leak under a saw", saw_leak, &quick, 0, true, 95, 100, NULL, 0},
    {"12 MB a day of 200 MB", days_leak, &small, 0, true, 95, 100, NULL, 0},
    {"12 MB a day of 4 GB", days_leak, &large, 0, true, 90, 100, NULL, 0},
    {"days of 200 MB", days, &small, 0, false, 0, 0, NULL, 0},
    {"days of 4 GB", days, &large, 0, false, 0, 0, NULL, 0},
    {"flat", flat, &quick, 0, false, 0, 0, NULL, 0},
    {"flat, noisy", flat, &noisy, 0, false, 0, 0, NULL, 0},
    {"saw", saw, &quick, 0, false, 0, 0, NULL, 0},
    {"growing saw", growing_saw, &quick, 0, false, 0, 1, NULL, 0},
    {"saturating", saturating, &quick, 0, false, 0, 0, NULL, 0},
    {"saturating, noisy", saturating, &noisy, 0, false, 0, 0, NULL, 0},
    {"cap at 30%", cap30, &quick, 0.03, false, 0, 0, NULL, 0},
    {"cap at 60%", cap60, &quick, 0.03, false, 0, 0, NULL, 0},
    {"cap at 80%", cap80, &quick, 0.03, false, 0, 0, NULL, 0},
    {"cap at 80%, noisy", cap80, &noisy, 0.03, false, 0, 1, NULL, 0},
    {"cap at 95%", cap95, &quick, 0.01, false, 0, 2, NULL, 0},
    {"steps", steps, &quick, 0, false, 0, 0, NULL, 0},
    {"one step", one_step, &quick, 0, false, 0, 0, NULL, 0},
    {"waves", diurnal, &quick, 0, false, 0, 0, NULL, 0},
    {"hourly batch", batch, &day, 0, false, 0, 0, NULL, 0},
    {"decline", decline, &quick, 0, false, 0, 0, NULL, 0},
    {"wander", wander, &day, 0, false, 0, 4, NULL, 0},
    {"logarithm", logarithm, &quick, 0, false, 0, 0, NULL, 0},
};

static void record(const struct family *f, struct pt_curve *t, struct pt_curve *load)
{
    const struct shape *s = f->shape;
    const int n = (int)(s->span / s->interval);
    double speed = 1, at = 0;
    pt_curve_init(t, s->interval);
    pt_curve_init(load, s->interval);
    for (int i = 0; i < n; i++) {
        /* speed wanders: x is the time as the program lives it */
        speed += f->drift * normal() - 0.05 * (speed - 1);
        at += fmax(speed, 0.1) / n;
        const double from = 1000 + i * s->interval;
        if (f->load)
            assert_true(pt_curve_hold(load, from, from + s->interval, f->load(s, at, i)));
        const double v = s->level + f->fn(s, at, i) + s->noise * normal();
        assert_true(pt_curve_hold(t, from, from + s->interval, fmax(v, 0)));
    }
}

static void judge(const struct family *f, uint64_t seed, struct pt_ruling *ret)
{
    struct pt_curve t, load;
    state = seed * 7919 + 17;
    record(f, &t, &load);
    const struct pt_case c = {.track = &t,
                              .from = t.start,
                              .to = t.last,
                              .local = 3600,
                              .interval = f->shape->interval,
                              .noise = 256 * 1024,
                              .headroom = 64e9,
                              .load = {{"CPU", &load, true}},
                              .nload = f->load ? 1 : 0,
                              .threads = NAN};
    pt_judge(&c, ret);
    pt_curve_release(&t);
    pt_curve_release(&load);
}

/* The same rise, by what its mappings say of it: memory of its own, freed already by two readings,
 * freed already by the only one. */
static void freed_is_no_leak(void **unused)
{
    (void)unused;
    const struct family f = {.name = "linear", .fn = linear, .shape = &quick};
    for (int lazily = 0; lazily < 3; lazily++) {
        struct pt_curve t, load;
        struct pt_ruling r;
        record(&f, &t, &load);
        struct pt_case c = {.track = &t,
                            .from = t.start,
                            .to = t.last,
                            .interval = quick.interval,
                            .noise = 256 * 1024,
                            .headroom = NAN,
                            .threads = 1};
        c.parts = (struct pt_parts){
            .known = lazily < 2, .growth = 40 * MIB, .largest = 40 * MIB, .data = 40 * MIB};
        if (lazily) {
            c.parts.lazy = 40 * MIB;
            c.parts.growth = 0;
        }
        pt_judge(&c, &r);
        assert_int_equal(r.verdict, lazily ? PT_BOUNDED : PT_LEAK);
        pt_curve_release(&t);
        pt_curve_release(&load);
    }
}

/* What never moved has no cells, however long it is known. */
static void never_moved(void **unused)
{
    (void)unused;
    struct pt_curve t;
    struct pt_ruling r;
    pt_curve_init(&t, 10);
    for (int i = 0; i < 5 * 8640; i++)
        assert_true(pt_curve_hold(&t, i * 10.0, i * 10.0 + 10, 40 * MIB));
    assert_int_equal(t.n, 0);
    const struct pt_case c = {.track = &t, .from = t.start, .to = t.last, .interval = 10};
    pt_judge(&c, &r);
    assert_int_equal(r.verdict, PT_STABLE);
    pt_curve_release(&t);
}

static void families_hold(void **unused)
{
    (void)unused;
    bool good = true;
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
        const struct family *f = &families[i];
        int alarms = 0, count[PT_VERDICTS] = {0};
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct pt_ruling r;
            judge(f, seed, &r);
            count[r.verdict]++;
            alarms += pt_verdict_alarms(r.verdict);
            if (getenv("PT_SHOW") && pt_verdict_alarms(r.verdict) != f->leaks &&
                count[r.verdict] == 1)
                for (int k = 0; k < r.nevidence; k++)
                    printf("    %-12s %g / %g %s %s\n", r.evidence[k].test, r.evidence[k].value,
                           r.evidence[k].threshold, r.evidence[k].passed ? "+" : "-",
                           r.evidence[k].text);
        }
        const bool held = alarms >= f->least && alarms <= f->most &&
                          (!f->verdict || count[f->verdict] > SEEDS * 3 / 4);
        good = good && held;
        if (getenv("PT_SHOW") || !held) {
            printf("%s %-22s %3d alarms (%d to %d):", held ? "  " : "NO", f->name, alarms, f->least,
                   f->most);
            for (int v = 0; v < PT_VERDICTS; v++)
                if (count[v])
                    printf(" %s %d", pt_verdict_name((enum pt_verdict)v), count[v]);
            printf("\n");
        }
    }
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_hold),
        cmocka_unit_test(freed_is_no_leak),
        cmocka_unit_test(never_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
