/* SPDX-License-Identifier: MIT
 * The axis of time: boots, holes, clocks that are set; and what series, lives and bins make of
 * holes and of sums below nothing. Units: seconds of the axis; KiB as recorded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/series/lives.h"
#include "analyze/swap/swap_int.h"
#include "tests/support/recording.h"

#define S     INT64_C(1000000) /* microseconds */
#define START (1795132800 * S)

static void is(double got, double want)
{
    if (isnan(got) != isnan(want) || fabs(got - want) > 1e-6)
        fail_msg("%.9g, not %.9g", got, want);
}

/* ---- of a timeline ---- */

static struct pt_boot_time boots[] = {{1, -5, 0, 100}, {2, 150, 155, 250}};
static struct pt_hole holes[] = {{20, 40, false}, {60, 70, false}, {100, 155, true}};
static struct pt_clock clocks[] = {{0, 0}, {50, 3600}, {155, 3500}};
static const struct pt_timeline timeline = {.first_us = START,
                                            .boots = boots,
                                            .nboots = 2,
                                            .holes = holes,
                                            .nholes = 3,
                                            .clocks = clocks,
                                            .nclocks = 3};

static void holes_are_found(void **state)
{
    static const struct {
        double at;
        size_t hole;
    } after[] = {{-1, 0}, {20, 0},  {39, 0},  {40, 1}, {50, 1},
                 {70, 2}, {154, 2}, {155, 3}, {900, 3}};
    static const double known[][3] = {
        {0, 20, 20},  {0, 30, 20},   {20, 40, 0},   {25, 35, 0},       {30, 50, 10},   {40, 60, 20},
        {0, 100, 70}, {0, 250, 165}, {65, 120, 30}, {155, 9, 9 - 155}, {300, 400, 100}};
    const struct pt_timeline none = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++)
        assert_int_equal(pt_timeline_hole_after(&timeline, after[i].at), after[i].hole);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        is(pt_timeline_known(&timeline, known[i][0], known[i][1]), known[i][2]);
    assert_int_equal(pt_timeline_hole_after(&none, 5), 0);
    is(pt_timeline_known(&none, 5, 7), 2);
}

static void times_of_both_kinds(void **state)
{
    (void)state;
    is(pt_timeline_at(&timeline, 1, 5 * S), 0);
    is(pt_timeline_at(&timeline, 2, 5 * S), 155);
    is(pt_timeline_at(&timeline, 3, 5 * S), NAN);
    is(pt_timeline_at(&timeline, 2, PT_UNKNOWN), NAN);
    static const double real[][2] = {{0, 0},      {49, 49},    {50, 3650},
                                     {154, 3754}, {155, 3655}, {-1, -1}};
    for (size_t i = 0; i < sizeof(real) / sizeof(*real); i++)
        assert_true(pt_timeline_real(&timeline, real[i][0]) == START + (int64_t)(real[i][1] * 1e6));
}

/* The time around a reboot is no gap. */
static void gaps_and_reboots_apart(void **state)
{
    size_t n;
    (void)state;
    is(pt_timeline_unrecorded(&timeline, false, &n), 30);
    assert_int_equal(n, 2);
    is(pt_timeline_unrecorded(&timeline, true, &n), 55);
    assert_int_equal(n, 1);
}

/* ---- of a recording ---- */

struct instant {
    uint32_t boot;
    double boot_s, real_s;
    int64_t anon; /* of pid 7; < 0: it is not there */
};

static void record(struct recording *r, const struct instant *v, size_t n)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * S};
    uint32_t boot = 1;
    recording_new(r, &meta, START - 5 * S);
    for (size_t i = 0; i < n; i++) {
        char text[200];
        if (v[i].boot != boot)
            boot = recording_boot(r, "boot-2", START + (int64_t)v[i].real_s * S);
        const struct pt_snap snap = {.real_us = START + (int64_t)(v[i].real_s * 1e6),
                                     .boot_us = (int64_t)(v[i].boot_s * 1e6),
                                     .mono_us = (int64_t)(v[i].boot_s * 1e6),
                                     .boot = boot};
        recording_begin(r, &snap, i && v[i].boot != v[i - 1].boot);
        if (v[i].anon >= 0) {
            recording_text(r, "proc:7/stat",
                           "7 (worker) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 1844\n");
            snprintf(text, sizeof(text), "Name:\tworker\nUid:\t0\t0\t0\t0\nRssAnon:\t%8lld kB\n",
                     (long long)v[i].anon);
            recording_text(r, "proc:7/status", text);
        }
        recording_end(r);
    }
    recording_close(r);
}

struct loaded {
    struct recording r;
    struct pt_db *db;
    struct pt_timeline t;
};

static void load(struct loaded *l, const struct instant *v, size_t n)
{
    struct pt_err err = {0};
    record(&l->r, v, n);
    assert_int_equal(pt_db_open(l->r.path, &l->db, &err), 0);
    assert_int_equal(pt_timeline_load(l->db, 1, (int64_t)n, &l->t, &err), 0);
    assert_int_equal(l->t.count, n);
}
#define LOAD(l, v) load(l, v, sizeof(v) / sizeof((v)[0]))

static void drop(struct loaded *l)
{
    pt_timeline_release(&l->t);
    pt_db_close(l->db);
    recording_remove(&l->r);
}

static void holes_are(const struct pt_timeline *t, const struct pt_hole *v, size_t n)
{
    assert_int_equal(t->nholes, n);
    for (size_t i = 0; i < n; i++) {
        is(t->holes[i].from, v[i].from);
        is(t->holes[i].to, v[i].to);
        assert_true(t->holes[i].reboot == v[i].reboot);
    }
}

/* Five intervals are none yet; where all is slow one is as wide as it is slow. */
static void gaps_are_holes(void **state)
{
    static const struct instant steps[] = {{1, 5, 0, 9},     {1, 15, 10, 9},   {1, 25, 20, 9},
                                           {1, 75, 70, 9},   {1, 85, 80, 9},   {1, 135.5, 130.5, 9},
                                           {1, 140, 135, 9}, {1, 150, 145, 9}, {1, 160, 155, 9}};
    static const struct pt_hole wanted[] = {{80, 130.5, false}};
    struct loaded l;
    (void)state;
    LOAD(&l, steps);
    holes_are(&l.t, wanted, 1);
    is(l.t.end, 155);
    is(l.t.interval, 10);
    assert_int_equal(l.t.clock_steps, 0);
    assert_int_equal(l.t.nclocks, 1);
    drop(&l);
    struct instant slow[20];
    for (int i = 0; i < 20; i++)
        slow[i] = (struct instant){1, 5 + 60 * i, 60 * i, 9};
    LOAD(&l, slow);
    is(l.t.interval, 60);
    /* the very first step has none to be held against */
    holes_are(&l.t, NULL, 0);
    drop(&l);
}

/* After a burst the interval that was asked for is the usual one still. */
static void bursts_make_no_holes(void **state)
{
    struct instant v[40];
    struct pt_timeline none;
    struct loaded l;
    struct pt_err err = {0};
    static const struct pt_hole wanted[] = {{84, 136, false}};
    (void)state;
    for (int i = 0; i < 40; i++)
        v[i] = (struct instant){1, 5 + i, i, 9};
    v[38] = (struct instant){1, 5 + 84, 84, 9};
    v[39] = (struct instant){1, 5 + 136, 136, 9};
    LOAD(&l, v); /* 47 s, and 52 */
    holes_are(&l.t, wanted, 1);
    is(l.t.interval, 1);
    assert_true(l.t.first_us == START && l.t.last_us == START + 136 * S);
    assert_int_equal(l.t.first, 1);
    assert_int_equal(l.t.last, 40);
    assert_int_equal(pt_timeline_load(l.db, 41, 50, &none, &err), -PT_ENOTFOUND);
    assert_int_equal(pt_timeline_load(l.db, 3, 3, &none, &err), 0);
    is(none.interval, 10); /* of one nothing but what was asked for */
    is(none.end, 0);
    pt_timeline_release(&none);
    drop(&l);
}

static void a_boot_is_a_hole(void **state)
{
    static const struct instant two[] = {
        {1, 5, 0, 9}, {1, 15, 10, 9}, {2, 3, 110, 9}, {2, 13, 120, 9}};
    /* and the clock was set back meanwhile: in order at least */
    static const struct instant back[] = {
        {1, 5, 0, 9}, {1, 15, 10, 9}, {2, 3, -500, 9}, {2, 13, -490, 9}};
    static const struct pt_hole wanted[] = {{10, 110, true}};
    struct loaded l;
    (void)state;
    LOAD(&l, two);
    holes_are(&l.t, wanted, 1);
    assert_int_equal(l.t.nboots, 2);
    is(l.t.boots[1].base, 107);
    is(l.t.boots[0].to, 10);
    is(l.t.boots[1].from, 110);
    is(l.t.boots[1].to, 120);
    is(l.t.end, 120);
    drop(&l);
    LOAD(&l, back);
    holes_are(&l.t, NULL, 0);
    is(l.t.end, 20);
    assert_true(pt_timeline_real(&l.t, 20) == START - 490 * S);
    drop(&l);
}

static void set_clocks_move_nothing(void **state)
{
    static const struct instant set[] = {{1, 5, 0, 9},
                                         {1, 15, 10.4, 9}, /* drift */
                                         {1, 25, 3620, 9},
                                         {1, 35, 3630, 9},
                                         {1, 45, 40, 9}};
    struct loaded l;
    (void)state;
    LOAD(&l, set);
    holes_are(&l.t, NULL, 0);
    is(l.t.end, 40);
    assert_int_equal(l.t.clock_steps, 2);
    assert_int_equal(l.t.nclocks, 3);
    assert_true(pt_timeline_real(&l.t, 10) == START + 10 * S);
    assert_true(pt_timeline_real(&l.t, 25) == START + 3625 * S);
    assert_true(pt_timeline_real(&l.t, 40) == START + 40 * S);
    drop(&l);
}

/* ---- what is made of it ---- */

static double anon(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return known & 1 ? (double)v[0] : NAN;
}

static double time_of(const struct pt_curve *c, double from, double to)
{
    double sum = 0;
    for (uint32_t i = 0; i < c->n; i++)
        if (pt_curve_at(c, i) > from && pt_curve_at(c, i) < to)
            sum += (double)c->cell[i].time;
    return sum;
}

static const struct pt_series_spec spec = {.glob = "proc:*/status",
                                           .fields = (const char *const[]){"RssAnon"},
                                           .nfields = 1,
                                           .nmeasures = 1,
                                           .measure = anon};

/* A value holds up to a hole and behind it, not in it; however many there are. */
static void nothing_holds_in_a_hole(void **state)
{
    struct instant v[60];
    struct loaded l;
    struct pt_series s;
    struct pt_err err = {0};
    (void)state;
    /* each value stands for one step of ten; every third step is a hole of 100 */
    double at = 0;
    for (int i = 0; i < 60; i++) {
        v[i] = (struct instant){1, 5 + at, at, i < 30 ? 1000 + i / 7 : 2000};
        at += i > 5 && i % 3 == 0 ? 100 : 10;
    }
    LOAD(&l, v);
    assert_int_equal(l.t.nholes, 18);
    assert_int_equal(pt_series_load(l.db, &l.t, &spec, &s, 1, &err), 0);
    assert_int_equal(s.n, 1);
    const struct pt_curve *c = &s.v[0]->track[0];
    is(time_of(c, 0, l.t.end), pt_timeline_known(&l.t, 0, l.t.end));
    for (size_t i = 0; i < l.t.nholes; i++) {
        const double a = l.t.holes[i].from, z = l.t.holes[i].to;
        is(time_of(c, a, z), 0);
        is(time_of(c, z, z + 20), fmin(20, l.t.end - z));
    }
    is(s.v[0]->from, 0);
    is(s.v[0]->to, l.t.end);
    pt_series_release(&s);
    drop(&l);
}

/* "FROM-TO", "|" before a hole's. */
static void bins_are(const struct loaded *l, const char *want)
{
    struct pt_swap_bin *v;
    struct pt_err err = {0};
    char got[512] = "";
    size_t n, len = 0;
    assert_int_equal(pt_swap_bins_make(l->db, &l->t, &v, &n, &err), 0);
    for (size_t i = 0; i < n && len < sizeof(got); i++) {
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s%g-%g", i ? " " : "",
                                v[i].hole ? "|" : "", v[i].from, v[i].to);
        for (unsigned c = 0; c < PT_SWAP_COLUMNS; c++)
            assert_true(isnan(v[i].v[c]));
    }
    free(v);
    if (strcmp(got, want) != 0)
        fail_msg("'%s', not '%s'", got, want);
}

/* Bins of swap: ten seconds, give or take half a one, from snapshot to snapshot; holes are their
 * own. */
static void bins_end_at_snapshots(void **state)
{
    static const struct instant dense[] = {{1, 5, 0, 9},   {1, 9, 4, 9},       {1, 14.4, 9.4, 9},
                                           {1, 15, 10, 9}, {1, 24.5, 19.5, 9}, {1, 33.9, 28.9, 9},
                                           {1, 43, 38, 9}, {1, 50, 45, 9}};
    static const struct instant holed[] = {{1, 5, 0, 9},     {1, 15, 10, 9},   {1, 20, 15, 9},
                                           {1, 200, 195, 9}, {1, 210, 205, 9}, {2, 3, 300, 9},
                                           {2, 13, 310, 9},  {2, 16, 313, 9}};
    static struct instant many[600];
    struct loaded l;
    struct pt_swap_bin *v;
    size_t n;
    (void)state;
    LOAD(&l, dense);
    bins_are(&l, "0-10 10-19.5 19.5-38 38-45");
    drop(&l);
    LOAD(&l, holed);
    bins_are(&l, "0-10 10-15 |15-195 195-205 |205-300 300-310 310-313");
    drop(&l);
    load(&l, holed, 1); /* one instant has no width */
    bins_are(&l, "");
    drop(&l);
    for (int i = 0; i < 600; i++)
        many[i] = (struct instant){1, 5 + 10 * i, 10 * i, 9};
    LOAD(&l, many);
    assert_int_equal(pt_swap_bins_make(l.db, &l.t, &v, &n, NULL), 0);
    assert_int_equal(n, 599);
    for (size_t i = 0; i < n; i++) {
        is(v[i].from, 10 * (double)i);
        is(v[i].to, 10 * (double)i + 10);
    }
    free(v);
    l.t.end = 30e6; /* of a year, as it were: a million bins at most */
    assert_int_equal(pt_swap_bins_make(l.db, &l.t, &v, &n, NULL), 0);
    assert_int_equal(n, 200);
    free(v);
    drop(&l);
}

static void status_of(struct recording *r, int pid, long long anon_kb)
{
    char name[32], text[200];
    snprintf(name, sizeof(name), "proc:%d/stat", pid);
    snprintf(text, sizeof(text),
             "%d (worker) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 1844\n", pid);
    recording_text(r, name, text);
    snprintf(name, sizeof(name), "proc:%d/status", pid);
    snprintf(text, sizeof(text), "Name:\tworker\nRssAnon:\t%8lld kB\n", anon_kb);
    recording_text(r, name, text);
}

/* A number of a damaged file that is below nothing takes nothing from the lives told after it. */
static void less_than_nothing_is_nobodys(void **state)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * S};
    struct loaded l;
    struct pt_lives_load w;
    struct pt_lives_of_span lives;
    struct pt_series loaded[PT_LIVES_SPECS];
    struct pt_series_spec specs[PT_LIVES_SPECS];
    struct pt_last_query lasts[PT_NAMES];
    struct pt_err err = {0};
    (void)state;
    recording_new(&l.r, &meta, START);
    for (int i = 0; i < 20; i++) {
        const struct pt_snap snap = {
            .real_us = START + 10 * S * i, .boot_us = 10 * S * i, .mono_us = 10 * S * i, .boot = 1};
        recording_begin(&l.r, &snap, false);
        status_of(&l.r, 7, -100000);
        status_of(&l.r, 8, 1000);
        recording_end(&l.r);
    }
    recording_close(&l.r);
    assert_int_equal(pt_db_open(l.r.path, &l.db, &err), 0);
    assert_int_equal(pt_timeline_load(l.db, 1, 20, &l.t, &err), 0);
    pt_lives_load_begin(&w, l.db, &l.t, loaded, specs, lasts);
    const int rc = pt_series_scan(l.db, &l.t, specs, loaded, PT_LIVES_SPECS, lasts, PT_NAMES, &err);
    assert_int_equal(pt_lives_load_end(&w, rc, loaded, &lives, &err), 0);
    assert_int_equal(lives.n, 2);
    assert_true(lives.v[0].memory->track[PT_LIFE_ANON].first_value < 0);
    double sums[2] = {0};
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < lives.v[i].share.n; k++)
            sums[i] += (double)lives.v[i].share.v[k];
    is(sums[0], 0);
    assert_true(fabs(sums[1] / (1000 * 1024.0 * 190) - 1) < 1e-4);
    pt_lives_release(&lives);
    drop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_are_found),         cmocka_unit_test(times_of_both_kinds),
        cmocka_unit_test(gaps_and_reboots_apart),  cmocka_unit_test(gaps_are_holes),
        cmocka_unit_test(bursts_make_no_holes),    cmocka_unit_test(a_boot_is_a_hole),
        cmocka_unit_test(set_clocks_move_nothing), cmocka_unit_test(nothing_holds_in_a_hole),
        cmocka_unit_test(bins_end_at_snapshots),   cmocka_unit_test(less_than_nothing_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
