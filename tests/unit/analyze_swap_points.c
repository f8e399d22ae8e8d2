/* SPDX-License-Identifier: MIT
 * From points of columns to bins and tracks of processes: counters that begin anew, reboots, holes,
 * lost segments, rows that take another form, pids used again. Units: seconds; KiB as recorded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyze/swap/whom.h"

#define MIB (INT64_C(1) << 20)

/* Two boots of 100 s, 50 s apart. */
static struct pt_boot_time boots[] = {{1, 0, 0, 100}, {2, 150, 150, 250}};
static struct pt_hole holes[] = {{100, 150, false}};
static const struct pt_timeline timeline = {
    .interval = 10, .end = 250, .boots = boots, .nboots = 2, .holes = holes, .nholes = 1};

static struct pt_point point_of(uint32_t boot, double at, double end)
{
    return (struct pt_point){.source = "proc:7/status",
                             .row = "",
                             .field = "x",
                             .n = (int64_t)at,
                             .boot = boot,
                             .boot_us = (int64_t)(at * 1e6),
                             .end_n = (int64_t)end,
                             .end_boot_us = (int64_t)(end * 1e6),
                             .presence = PT_ABSENT};
}

/* ---- bins ---- */

enum { BINS = 21 };
static struct pt_swap_bin bins[BINS];
static struct pt_swap_fills fills;

static void begin_bins(void)
{
    size_t n = 0;
    for (int i = 0; i < 10; i++)
        bins[n++] = (struct pt_swap_bin){.from = 10 * i, .to = 10 * i + 10};
    bins[n++] = (struct pt_swap_bin){.from = 100, .to = 150, .hole = true};
    for (int i = 0; i < 10; i++)
        bins[n++] = (struct pt_swap_bin){.from = 150 + 10 * i, .to = 160 + 10 * i};
    for (size_t i = 0; i < n; i++)
        for (unsigned c = 0; c < PT_SWAP_COLUMNS; c++)
            bins[i].v[c] = NAN;
    fills = (struct pt_swap_fills){.timeline = &timeline, .bins = bins, .n = n};
}

static void tell(enum pt_swap_column c, uint32_t boot, double at, double end, int64_t value)
{
    struct pt_point p = point_of(boot, at, end);
    p.known = true;
    p.ivalue = value;
    pt_swap_fill_point(&fills, c, &p);
}

static void untell(enum pt_swap_column c, uint32_t boot, double at, double end, uint32_t instance)
{
    struct pt_point p = point_of(boot, at, end);
    p.instance = instance;
    pt_swap_fill_point(&fills, c, &p);
}

static void is_bin(size_t i, enum pt_swap_column c, double value)
{
    if (isnan(value) != isnan((double)bins[i].v[c]) || fabs(value - (double)bins[i].v[c]) > 1e-3)
        fail_msg("bin %zu: %g, not %g", i, (double)bins[i].v[c], value);
}

static void counters_rise_in_their_bin(void **state)
{
    (void)state;
    begin_bins();
    tell(PT_SWAP_IN, 1, 0, 50, 1000);
    tell(PT_SWAP_IN, 1, 13, 50, 1003);
    tell(PT_SWAP_IN, 1, 20, 50, 1010);
    tell(PT_SWAP_IN, 1, 50, 50, 1015);
    /* the next segment begins with a value that rose since */
    tell(PT_SWAP_IN, 1, 60, 100, 1100);
    pt_swap_fill_end(&fills);
    static const double wanted[] = {0, 10, 0, 0, 5, 85, 0, 0, 0, 0, NAN};
    for (size_t i = 0; i < 11; i++)
        is_bin(i, PT_SWAP_IN, wanted[i]);
}

static void counters_that_fall_tell_nothing(void **state)
{
    (void)state;
    begin_bins();
    tell(PT_SWAP_OUT, 1, 0, 100, 1000);
    tell(PT_SWAP_OUT, 1, 25, 100, 7);
    tell(PT_SWAP_OUT, 1, 28, 100, 9);
    tell(PT_SWAP_OUT, 1, 40, 100, 19);
    pt_swap_fill_end(&fills);
    is_bin(1, PT_SWAP_OUT, 0);
    is_bin(2, PT_SWAP_OUT, NAN);
    is_bin(3, PT_SWAP_OUT, 10);
}

/* What a counter stood at before a boot says nothing of what it rose by after it. */
static void nothing_rises_over_a_boot(void **state)
{
    (void)state;
    begin_bins();
    tell(PT_SWAP_SOME, 1, 0, 100, 1000000);
    tell(PT_SWAP_SOME, 2, 0, 100, 5000000);
    tell(PT_SWAP_SOME, 2, 10, 100, 7500000);
    pt_swap_fill_end(&fills);
    is_bin(9, PT_SWAP_SOME, 0);
    is_bin(10, PT_SWAP_SOME, NAN);
    is_bin(11, PT_SWAP_SOME, 2.5);
    is_bin(12, PT_SWAP_SOME, 0);
}

/* Nor does a segment that cannot be read: all of it would stand in one bin. */
static void nothing_rises_over_lost_segments(void **state)
{
    (void)state;
    begin_bins();
    tell(PT_SWAP_IN, 1, 0, 20, 1000);
    tell(PT_SWAP_IN, 1, 70, 100, 900000);
    tell(PT_SWAP_IN, 1, 80, 100, 900001);
    pt_swap_fill_end(&fills);
    static const double wanted[] = {0, 0, NAN, NAN, NAN, NAN, NAN, 1, 0, 0};
    for (size_t i = 0; i < 10; i++)
        is_bin(i, PT_SWAP_IN, wanted[i]);
}

static void levels_hold_until_they_change(void **state)
{
    (void)state;
    begin_bins();
    tell(PT_SWAP_FREE, 1, 0, 100, 500);
    tell(PT_SWAP_FREE, 1, 45, 100, 400);
    untell(PT_SWAP_FREE, 1, 75, 100, 0);
    pt_swap_fill_end(&fills);
    is_bin(3, PT_SWAP_FREE, 500);
    is_bin(4, PT_SWAP_FREE, 400);
    is_bin(6, PT_SWAP_FREE, 400);
    is_bin(8, PT_SWAP_FREE, NAN);
}

/* A text that takes another form is told as one row that ends and one that begins, in any order. */
static void another_form_is_the_same(void **state)
{
    for (int first = 0; first < 2; first++) {
        (void)state;
        begin_bins();
        tell(PT_SWAP_FULL, 1, 0, 100, 1000000);
        struct pt_point p = point_of(1, 30, 100);
        p.known = true;
        p.instance = 1;
        p.ivalue = 3000000;
        if (first)
            untell(PT_SWAP_FULL, 1, 30, 100, 0);
        pt_swap_fill_point(&fills, PT_SWAP_FULL, &p);
        if (!first)
            untell(PT_SWAP_FULL, 1, 30, 100, 0);
        pt_swap_fill_end(&fills);
        is_bin(1, PT_SWAP_FULL, 0);
        is_bin(2, PT_SWAP_FULL, 2);
        is_bin(3, PT_SWAP_FULL, 0);
    }
}

/* ---- tracks ---- */

static const struct pt_window windows[] = {{20, 60, 0}, {40, 90, 1}};
static const double latest[] = {60, 90};
static struct pt_tracks tracks;

static void begin_tracks(pt_track_change *change)
{
    pt_tracks_release(&tracks);
    tracks = (struct pt_tracks){.timeline = &timeline,
                                .windows = windows,
                                .latest = latest,
                                .nwindows = 2,
                                .change = change,
                                .same = change == pt_track_stat ? 1u << PT_TRACK_START : 0,
                                .unit = change == pt_track_stat ? 1 : 1024};
}

static void track(double at, unsigned which, int64_t value)
{
    struct pt_point p = point_of(1, at, 100);
    p.known = true;
    p.which = which;
    p.ivalue = value;
    assert_int_equal(pt_track_point(&tracks, &p), 0);
}

static void vanish(double at)
{
    struct pt_point p = point_of(1, at, 100);
    assert_int_equal(pt_track_point(&tracks, &p), 0);
}

static const struct pt_track_part *part(size_t i, uint32_t episode)
{
    for (uint32_t k = 0; k < tracks.v[i].nparts; k++)
        if (tracks.v[i].parts[k].episode == episode)
            return &tracks.v[i].parts[k];
    return NULL;
}

/* What goes to swap has not shrunk, what comes back has not grown. */
static void swapping_is_no_growth(void **state)
{
    (void)state;
    begin_tracks(pt_track_status);
    track(0, PT_TRACK_ANON, 100 << 10);
    track(0, PT_TRACK_SWAP, 0);
    track(30, PT_TRACK_SWAP, 60 << 10); /* before the other is told */
    track(30, PT_TRACK_ANON, 40 << 10);
    track(50, PT_TRACK_ANON, 90 << 10);
    track(50, PT_TRACK_SWAP, 10 << 10);
    pt_tracks_end(&tracks);
    assert_int_equal(tracks.n, 1);
    assert_int_equal(tracks.v[0].most, 60 * MIB);
    assert_int_equal(tracks.v[0].last, 10 * MIB);
    assert_int_equal(tracks.v[0].in, 50 * MIB);
    assert_int_equal(tracks.v[0].out, 60 * MIB);
    assert_int_equal(part(0, 0)->most - part(0, 0)->start, 0);
    assert_int_equal(part(0, 0)->refilled, 50 * MIB);
    assert_int_equal(part(0, 1)->refilled, 50 * MIB);
}

static void growth_counts_in_its_windows(void **state)
{
    (void)state;
    begin_tracks(pt_track_status);
    track(0, PT_TRACK_ANON, 10 << 10);
    track(10, PT_TRACK_ANON, 20 << 10);
    track(30, PT_TRACK_ANON, 50 << 10);
    track(70, PT_TRACK_ANON, 80 << 10);
    track(80, PT_TRACK_ANON, 60 << 10);
    pt_tracks_end(&tracks);
    assert_int_equal(part(0, 0)->most - part(0, 0)->start, 30 * MIB);
    assert_int_equal(part(0, 1)->most - part(0, 1)->start, 30 * MIB);
    assert_int_equal(part(0, 1)->start, 50 * MIB);
}

/* Born within: all it has; there when the recording began: only what came since. */
static void births_count_as_growth(void **state)
{
    (void)state;
    begin_tracks(pt_track_status);
    track(50, PT_TRACK_ANON, 30 << 10);
    pt_tracks_end(&tracks);
    assert_true(part(0, 0)->born);
    assert_int_equal(part(0, 0)->most - part(0, 0)->start, 30 * MIB);
    begin_tracks(pt_track_status);
    track(0, PT_TRACK_ANON, 30 << 10);
    pt_tracks_end(&tracks);
    assert_false(tracks.v[0].born);
    assert_int_equal(tracks.v[0].nparts, 0);
}

static void faults_of_one_life_are_its_own(void **state)
{
    (void)state;
    begin_tracks(pt_track_stat);
    track(0, PT_TRACK_START, 100);
    track(0, PT_TRACK_MAJFLT, 5);
    track(30, PT_TRACK_MAJFLT, 25);
    /* its pid is another's at the next reading: faults are told before the start is */
    track(50, PT_TRACK_MAJFLT, 1);
    track(50, PT_TRACK_START, 5000);
    track(60, PT_TRACK_MAJFLT, 4);
    pt_tracks_end(&tracks);
    assert_int_equal(tracks.n, 2);
    assert_int_equal(tracks.v[0].majflt, 20);
    assert_int_equal(part(0, 0)->majflt, 20);
    assert_null(part(0, 1));
    assert_true(tracks.v[0].over);
    assert_int_equal(tracks.v[1].majflt, 3);
    assert_int_equal(part(1, 1)->majflt, 3);
    assert_int_equal(tracks.v[1].v[PT_TRACK_START], 5000);
}

/* What a process had in swap is not filled again by the one that has its pid next. form: the text
 * takes another one. */
static void swap_of_one_life_is_its_own(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++) {
        begin_tracks(pt_track_stat);
        track(0, PT_TRACK_START, 100);
        track(50, PT_TRACK_START, 5000);
        pt_tracks_end(&tracks);
        struct pt_tracks lives = tracks;
        tracks = (struct pt_tracks){0};
        begin_tracks(pt_track_status);
        tracks.lives = &lives;
        track(0, PT_TRACK_ANON, 10 << 10);
        track(0, PT_TRACK_SWAP, 90 << 10);
        track(20, PT_TRACK_SWAP, 95 << 10);
        if (form)
            vanish(50);
        track(50, PT_TRACK_SWAP, 10 << 10);
        track(60, PT_TRACK_SWAP, 5 << 10);
        pt_tracks_end(&tracks);
        assert_int_equal(tracks.n, 2);
        assert_true(tracks.v[0].over);
        assert_float_equal(tracks.v[0].lost, 50, 1e-9);
        assert_int_equal(tracks.v[0].in, 0);
        assert_int_equal(tracks.v[0].last, 95 * MIB);
        assert_int_equal(tracks.v[1].first, 10 * MIB);
        assert_int_equal(tracks.v[1].in, 5 * MIB);
        assert_int_equal(tracks.v[1].out, 0);
        assert_true(tracks.v[1].born);
        /* what is not told anew is as it was */
        assert_int_equal(tracks.v[1].first_anon, form ? PT_UNKNOWN : 20 * MIB);
        pt_tracks_release(&lives);
    }
}

static void who_vanishes_is_another_after(void **state)
{
    (void)state;
    begin_tracks(pt_track_status);
    track(0, PT_TRACK_SWAP, 10);
    vanish(30);
    track(50, PT_TRACK_SWAP, 90);
    vanish(70);
    track(70, PT_TRACK_SWAP, 95); /* at that very moment: it took another form */
    pt_tracks_end(&tracks);
    assert_int_equal(tracks.n, 2);
    assert_true(tracks.v[0].over);
    assert_float_equal(tracks.v[0].lost, 30, 1e-9);
    assert_false(tracks.v[1].over);
    assert_int_equal(tracks.v[1].last, 95 * 1024);
}

/* ---- control groups ---- */

static void squeezed(struct pt_squeezes *s, const char *source, double at, int64_t value)
{
    struct pt_point p = point_of(1, at, 100);
    p.source = source;
    p.known = true;
    p.ivalue = value;
    assert_int_equal(pt_squeeze_point(s, &p), 0);
}

static void groups_at_their_limit_are_known(void **state)
{
    struct pt_squeezes s = {
        .timeline = &timeline, .windows = windows, .latest = latest, .nwindows = 2};
    (void)state;
    squeezed(&s, "cgroup:memory/a/b/memory.failcnt", 0, 5);
    squeezed(&s, "cgroup:memory/a/b/memory.failcnt", 30, 1005);
    squeezed(&s, "cgroup:memory/c/memory.failcnt", 0, 0);
    squeezed(&s, "cgroup:memory/c/memory.failcnt", 30, 3);
    squeezed(&s, "cgroup:memory/d/memory.failcnt", 10, 0);
    squeezed(&s, "cgroup:memory/d/memory.failcnt", 95, 300);
    squeezed(&s, "cgroup:memory/a/b/memory.failcnt", 22, 1005); /* another segment's */
    squeezed(&s, "cgroup:memory/a/b/memory.failcnt", 28, 1010);
    pt_squeezes_end(&s);
    assert_int_equal(s.v[0].hits, 1005); /* of "/a/b", in both */
    assert_true(pt_squeeze_holds(&s, 0, "/a/b"));
    assert_true(pt_squeeze_holds(&s, 0, "/a/b/c"));
    assert_false(pt_squeeze_holds(&s, 0, "/a/bc"));
    assert_false(pt_squeeze_holds(&s, 0, "/a"));
    assert_false(pt_squeeze_holds(&s, 0, "/c")); /* next to nothing beside the other */
    assert_false(pt_squeeze_holds(&s, 0, "/d"));
    assert_false(pt_squeeze_holds(&s, 1, "/a/b"));
    pt_squeezes_release(&s);
}

static int done(void **state)
{
    (void)state;
    pt_tracks_release(&tracks);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_rise_in_their_bin),
        cmocka_unit_test(counters_that_fall_tell_nothing),
        cmocka_unit_test(nothing_rises_over_a_boot),
        cmocka_unit_test(nothing_rises_over_lost_segments),
        cmocka_unit_test(levels_hold_until_they_change),
        cmocka_unit_test(another_form_is_the_same),
        cmocka_unit_test(swapping_is_no_growth),
        cmocka_unit_test(growth_counts_in_its_windows),
        cmocka_unit_test(births_count_as_growth),
        cmocka_unit_test(faults_of_one_life_are_its_own),
        cmocka_unit_test(swap_of_one_life_is_its_own),
        cmocka_unit_test(who_vanishes_is_another_after),
        cmocka_unit_test(groups_at_their_limit_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
