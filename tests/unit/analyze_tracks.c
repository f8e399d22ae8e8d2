/* SPDX-License-Identifier: MIT
 * Tracks of processes' files: which points are of one life, what each had at first, at last and at
 * most, what came back in which window; curves stop at holes; thousands of processes. Units:
 * seconds; KiB as recorded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/swap/tracks.h"

#define KIB      INT64_C(1024)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Two boots, a hole within the first and one between them. */
static struct pt_boot_time boots[] = {{1, 0, 0, 400}, {2, 500, 500, 900}};
static struct pt_hole holes[] = {{140, 260, false}, {400, 500, true}};
static const struct pt_timeline timeline = {
    .interval = 10, .end = 900, .boots = boots, .nboots = 2, .holes = holes, .nholes = 2};
/* By beginning; episodes are numbered otherwise. */
static const struct pt_window windows[] = {{20, 60, 7}, {30, 90, 3}, {30, 90, 5},
                                           {31, 90, 4}, {32, 90, 1}, {33, 90, 2}};
static const double latest[] = {60, 90, 90, 90, 90, 90};
static struct pt_tracks tracks;

static void begin(pt_track_change *change)
{
    pt_tracks_release(&tracks);
    tracks = (struct pt_tracks){.timeline = &timeline,
                                .windows = windows,
                                .latest = latest,
                                .nwindows = COUNT(windows),
                                .change = change,
                                .same = change == pt_track_stat ? 1u << PT_TRACK_START : 0,
                                .unit = change == pt_track_stat ? 1 : KIB};
}

/* Of one process, at a time of the axis; known up to `end`. */
static void tell(int pid, double at, double end, unsigned which, int64_t value)
{
    char source[32];
    const uint32_t boot = at < 500 ? 1 : 2;
    const double base = boot == 1 ? 0 : 500;
    snprintf(source, sizeof(source), "proc:%d/status", pid);
    const struct pt_point p = {.source = source,
                               .row = "",
                               .field = "x",
                               .which = which,
                               .n = (int64_t)at,
                               .boot = boot,
                               .boot_us = (int64_t)((at - base) * 1e6),
                               .end_n = (int64_t)end,
                               .end_boot_us = (int64_t)((end - base) * 1e6),
                               .known = true,
                               .ivalue = value};
    assert_int_equal(pt_track_point(&tracks, &p), 0);
}

/* The newest life of a pid; NULL: none. */
static const struct pt_track *newest(int64_t pid)
{
    for (size_t i = tracks.n; i-- > 0;)
        if (tracks.v[i].pid == pid)
            return &tracks.v[i];
    return NULL;
}

static void untell(int pid, double at, enum pt_presence presence, uint32_t instance,
                   const char *field)
{
    char source[32];
    snprintf(source, sizeof(source), "proc:%d/status", pid);
    const struct pt_point p = {.source = source,
                               .row = "",
                               .field = field,
                               .boot = 1,
                               .instance = instance,
                               .boot_us = (int64_t)(at * 1e6),
                               .end_boot_us = (int64_t)(at * 1e6),
                               .presence = presence};
    assert_int_equal(pt_track_point(&tracks, &p), 0);
}

static void thousands_of_processes(void **state)
{
    enum { MANY = 3000 };
    (void)state;
    begin(pt_track_status);
    for (int again = 0; again < 2; again++)
        for (int pid = 1; pid <= MANY; pid++) {
            tell(pid, 10 * again, 100, PT_TRACK_ANON, pid);
            tell(pid, 10 * again, 100, PT_TRACK_SWAP, 7 * pid + again);
        }
    pt_tracks_end(&tracks);
    assert_int_equal(tracks.n, MANY);
    for (int pid = 1; pid <= MANY; pid++) {
        const struct pt_track *k = newest(pid);
        assert_non_null(k);
        assert_int_equal(k->pid, pid);
        assert_int_equal(k->first, 7 * pid * KIB);
        assert_int_equal(k->last, (7 * pid + 1) * KIB);
        assert_int_equal(k->out, KIB);
        assert_int_equal(k->in, 0);
    }
    assert_null(newest(MANY + 1));
    begin(pt_track_status);
    assert_null(newest(1));
}

static void what_it_had(void **state)
{
    static const struct {
        double at;
        int64_t swap, anon; /* < 0: not told at that time */
    } v[] = {{0, 50, 900}, {10, 80, -1}, {40, 30, 950}, {50, -1, 700}, {70, 80, -1}, {80, 60, 710}};
    (void)state;
    begin(pt_track_status);
    for (size_t i = 0; i < COUNT(v); i++) {
        if (v[i].anon >= 0)
            tell(7, v[i].at, 100, PT_TRACK_ANON, v[i].anon);
        if (v[i].swap >= 0)
            tell(7, v[i].at, 100, PT_TRACK_SWAP, v[i].swap);
    }
    pt_tracks_end(&tracks);
    const struct pt_track *k = newest(7);
    assert_int_equal(tracks.n, 1);
    assert_int_equal(k->first, 50 * KIB);
    assert_int_equal(k->last, 60 * KIB);
    assert_int_equal(k->most, 80 * KIB);
    assert_float_equal(k->most_at, 10, 1e-9); /* the first time it was so much */
    assert_int_equal(k->in, (50 + 20) * KIB);
    assert_int_equal(k->out, (30 + 50) * KIB);
    assert_int_equal(k->first_anon, 950 * KIB); /* with what is in swap */
    assert_int_equal(k->least_anon, 730 * KIB);
    assert_int_equal(k->most_anon, 980 * KIB);
    assert_false(k->over || k->born);
    assert_float_equal(k->until, 100, 1e-9);
}

/* By episode, whichever window began first; from behind its beginning to its end. */
static void windows_have_parts_of_their_own(void **state)
{
    static const struct {
        uint32_t episode;
        int64_t refilled, start, most;
    } want[] = {{1, 3, 990, 999}, {2, 3, 990, 999}, {3, 3, 990, 999},
                {4, 3, 990, 999}, {5, 3, 990, 999}, {7, 13, 1000, 1000}};
    (void)state;
    begin(pt_track_status);
    tell(7, 0, 100, PT_TRACK_ANON, 900);
    tell(7, 0, 100, PT_TRACK_SWAP, 100);
    tell(7, 20, 100, PT_TRACK_SWAP, 110); /* just before the first begins */
    tell(7, 20, 100, PT_TRACK_ANON, 890);
    tell(7, 30, 100, PT_TRACK_SWAP, 100); /* 10 back, in the first alone */
    tell(7, 60, 100, PT_TRACK_SWAP, 97);  /* 3 back, at the end of it, in all */
    tell(7, 90, 100, PT_TRACK_ANON, 902); /* at the end of the others */
    tell(7, 91, 100, PT_TRACK_ANON, 2000);
    pt_tracks_end(&tracks);
    const struct pt_track *k = newest(7);
    assert_int_equal(k->nparts, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        const struct pt_track_part *p = &k->parts[i];
        if (p->episode != want[i].episode || p->refilled != want[i].refilled * KIB ||
            p->start != want[i].start * KIB || p->most != want[i].most * KIB || p->born)
            fail_msg("%u: %lld back, %lld to %lld", p->episode, (long long)(p->refilled / KIB),
                     (long long)(p->start / KIB), (long long)(p->most / KIB));
    }
}

static void faults_in_their_windows(void **state)
{
    (void)state;
    begin(pt_track_stat);
    tell(7, 0, 100, PT_TRACK_MAJFLT, 1000); /* of before */
    assert_int_equal(newest(7)->majflt, PT_UNKNOWN);
    tell(7, 25, 100, PT_TRACK_MAJFLT, 1004);
    tell(7, 60, 100, PT_TRACK_MAJFLT, 1005);
    tell(7, 61, 100, PT_TRACK_MAJFLT, 3); /* a counter that fell says nothing */
    tell(7, 90, 100, PT_TRACK_MAJFLT, 10);
    pt_tracks_end(&tracks);
    const struct pt_track *k = newest(7);
    assert_int_equal(k->majflt, 12);
    assert_int_equal(k->nparts, 6);
    assert_int_equal(k->parts[0].majflt, 1 + 7);
    assert_int_equal(k->parts[5].majflt, 4 + 1); /* of episode 7 */
}

/* Fifty seconds that were recorded without a word are the end of a life; holes do not count.
 * Whoever is there at the first snapshot, or at the first behind a hole, was not born then. */
static void lives_of_a_pid(void **state)
{
    static const struct {
        double first, end, next;
        bool another, born; /* born: the one of `next`, where it is another */
    } cases[] = {
        {0, 30, 80, false, false},   {0, 30, 81, true, false},    {0, 100, 290, true, false},
        {0, 100, 270, false, false}, {50, 100, 271, true, false}, {0, 90, 260, false, false},
        {0, 30, 260, true, false},   {0, 30, 300, true, false},   {0, 400, 500, true, false},
        {0, 400, 510, true, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(pt_track_status);
        tell(7, cases[i].first, cases[i].end, PT_TRACK_SWAP, 10);
        const bool born = cases[i].first > 0;
        assert_int_equal(tracks.v[0].born, born);
        tell(8, cases[i].first, cases[i].end, PT_TRACK_SWAP, 10);
        tell(7, cases[i].next, cases[i].next, PT_TRACK_SWAP, 20);
        pt_tracks_end(&tracks);
        if ((tracks.n == 3) != cases[i].another)
            fail_msg("case %zu: %zu tracks", i, tracks.n);
        const struct pt_track *k = newest(7);
        if (cases[i].another && k->born != cases[i].born)
            fail_msg("case %zu: %sborn", i, k->born ? "" : "not ");
        assert_int_equal(k->last, 20 * KIB);
    }
}

/* A field of another row of the file, and what somebody could not read, is no end. */
static void what_is_no_end(void **state)
{
    (void)state;
    begin(pt_track_status);
    tell(7, 0, 100, PT_TRACK_SWAP, 10);
    untell(7, 20, PT_ABSENT, 9, "x");
    assert_false(tracks.v[0].over);
    tell(7, 30, 100, PT_TRACK_SWAP, 11);
    untell(7, 40, PT_UNREADABLE, 0, "");
    assert_true(tracks.unreadable);
    assert_false(tracks.v[0].over);
    tell(7, 50, 100, PT_TRACK_SWAP, 12);
    tell(7, 55, 100, PT_TRACK_SWAP, INT64_MAX / 1000); /* too much to be bytes */
    untell(7, 60, PT_ABSENT, 9, "");                   /* but the file being gone is one */
    assert_true(tracks.v[0].over);
    untell(5, 60, PT_ABSENT, 0, ""); /* of nobody who was there */
    pt_tracks_end(&tracks);
    assert_int_equal(tracks.n, 1);
    assert_int_equal(tracks.v[0].last, 12 * KIB);
    assert_float_equal(tracks.v[0].lost, 60, 1e-9);
}

/* Values hold up to a hole and behind it, as long as they are known. */
static void curves_stop_at_holes(void **state)
{
    static const double want[][2] = {/* from, KiB of cells of ten seconds */
                                     {0, 10},   {90, 10},  {100, 20}, {130, 20},
                                     {260, 20}, {290, 20}, {300, 30}, {310, 30}};
    double time = 0;
    (void)state;
    begin(pt_track_status);
    tell(7, 0, 320, PT_TRACK_SWAP, 10);
    tell(7, 100, 320, PT_TRACK_SWAP, 20);
    tell(7, 300, 320, PT_TRACK_SWAP, 30);
    pt_tracks_end(&tracks);
    const struct pt_curve *c = &newest(7)->swap;
    for (uint32_t i = 0; i < c->n; i++)
        time += (double)c->cell[i].time;
    assert_float_equal(time, 140 + 60, 1e-3);
    for (size_t i = 0; i < COUNT(want); i++) {
        const struct pt_cell *cell = &c->cell[(uint32_t)(want[i][0] / 10)];
        assert_float_equal(cell->time, 10, 1e-4);
        assert_float_equal(cell->mean, want[i][1] * 1024, 1e-2);
    }
    assert_true(c->cell[14].time <= 0 && c->cell[25].time <= 0);
    begin(pt_track_stat); /* of faults there is none */
    tell(7, 0, 300, PT_TRACK_PPID, 10);
    tell(7, 100, 300, PT_TRACK_PPID, 20);
    pt_tracks_end(&tracks);
    assert_int_equal(newest(7)->swap.holds, 0);
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
        cmocka_unit_test(thousands_of_processes),
        cmocka_unit_test(what_it_had),
        cmocka_unit_test(windows_have_parts_of_their_own),
        cmocka_unit_test(faults_in_their_windows),
        cmocka_unit_test(lives_of_a_pid),
        cmocka_unit_test(what_is_no_end),
        cmocka_unit_test(curves_stop_at_holes),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
