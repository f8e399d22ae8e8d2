/* SPDX-License-Identifier: MIT
 * Whom an episode of swapping hurt and who pushed: what counts as harm and as growth, how much is
 * enough, what a fork shares, control groups at their limit, and the windows it is looked for in.
 * Units: seconds, bytes, pages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/swap/whom.h"

#define MIB      (INT64_C(1) << 20)
#define PAGE     4096
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MOST     14

/* ---- windows ---- */

static void windows_of_episodes(void **state)
{
    struct pt_swap_episode v[] = {
        {.state = PT_SWAP_CHURN, .from = 100, .to = 110, .blamed = true},
        {.state = PT_SWAP_PARKED, .from = 111, .to = 200, .blamed = true}, /* nobody's */
        {.state = PT_SWAP_THRASH,
         .from = 125,
         .to = 130,
         .blamed = true},                                                 /* of the first's cause */
        {.state = PT_SWAP_THRASH, .from = 145, .to = 400},                /* not looked into */
        {.state = PT_SWAP_CHURN, .from = 300, .to = 310, .blamed = true}, /* long after */
        {.state = PT_SWAP_CHURN, .from = 416, .to = 420, .blamed = true}, /* too late for it */
    };
    const struct pt_swap_episodes e = {.v = v, .n = COUNT(v)};
    static const struct pt_window during[] = {{100, 110, 0},
                                              {125, 130, 2},
                                              {300, 310, 4},
                                              {416, 420, 5}},
                                  growth[] = {
                                      {90, 110, 0}, {90, 130, 2}, {230, 310, 4}, {406, 420, 5}};
    (void)state;
    for (int before = 0; before < 2; before++) {
        const struct pt_window *want = before ? growth : during;
        struct pt_windows w;
        struct pt_err err = {0};
        double latest = 0;
        assert_int_equal(pt_swap_windows(&e, before, &w, &err), 0);
        assert_int_equal(w.n, 4);
        for (size_t i = 0; i < w.n; i++) {
            latest = fmax(latest, want[i].to);
            if (fabs(w.v[i].from - want[i].from) > 0 || fabs(w.v[i].to - want[i].to) > 0 ||
                w.v[i].episode != want[i].episode || fabs(w.latest[i] - latest) > 0)
                fail_msg("window %zu: %g to %g of %u", i, w.v[i].from, w.v[i].to, w.v[i].episode);
        }
        pt_windows_release(&w);
    }
    /* by beginning, and of each the latest end so far */
    v[0] = (struct pt_swap_episode){PT_SWAP_CHURN, .from = 50, .to = 500, .blamed = true};
    v[1] = (struct pt_swap_episode){PT_SWAP_THRASH, .from = 40, .to = 60, .blamed = true};
    const struct pt_swap_episodes two = {.v = v, .n = 2};
    struct pt_windows w;
    assert_int_equal(pt_swap_windows(&two, false, &w, NULL), 0);
    assert_int_equal(w.v[0].episode, 1);
    assert_true(w.latest[0] < 61 && w.latest[1] > 499);
    assert_int_equal(pt_window_first(w.latest, 2, 60), 0);
    assert_int_equal(pt_window_first(w.latest, 2, 61), 1);
    assert_int_equal(pt_window_first(w.latest, 2, 501), 2);
    pt_windows_release(&w);
}

/* ---- blame ---- */

struct one {
    int64_t majflt, refilled, start, most;
    const char *group; /* where its memory is accounted */
};
struct world {
    struct pt_swap w;
    struct pt_swap_episode episode[2];
    struct pt_track stat[MOST], status[MOST];
    struct pt_track_part faults[MOST][2], memory[MOST][2];
    struct pt_life lives[MOST];
    struct pt_swap_who who[MOST];
    struct pt_swap_whom whom;
    struct pt_squeezes squeezes;
};

/* What each did in episode 1; in episode 0, which is not looked into, much more. */
static struct world *world_of(const struct one *v, size_t n)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    assert_true(n <= MOST);
    w->episode[0] = (struct pt_swap_episode){PT_SWAP_THRASH, .from = 10, .to = 20};
    w->episode[1] = (struct pt_swap_episode){PT_SWAP_CHURN, .from = 100, .to = 200, .blamed = true,
                                             .scan_kswapd = 1000};
    w->w = (struct pt_swap){
        .timeline.interval = 10, .episodes = {.v = w->episode, .n = 2}, .page_size = PAGE};
    for (size_t i = 0; i < n; i++) {
        w->faults[i][0] = (struct pt_track_part){.episode = 0, .majflt = 1000000};
        w->faults[i][1] = (struct pt_track_part){.episode = 1, .majflt = v[i].majflt};
        w->memory[i][0] = (struct pt_track_part){.episode = 0, .refilled = 900 * MIB};
        w->memory[i][1] = (struct pt_track_part){
            .episode = 1, .refilled = v[i].refilled, .start = v[i].start, .most = v[i].most};
        w->stat[i] = (struct pt_track){
            .pid = 10 + (int64_t)i, .boot = 1, .until = 300, .parts = w->faults[i], .nparts = 2};
        w->status[i] = (struct pt_track){.pid = 10 + (int64_t)i,
                                         .boot = 1,
                                         .first_anon = PT_UNKNOWN,
                                         .parts = w->memory[i],
                                         .nparts = 2};
        w->lives[i] = (struct pt_life){.pid = 10 + (int64_t)i, .memory_cgroup = v[i].group};
        w->who[i] = (struct pt_swap_who){
            .stat = &w->stat[i], .status = &w->status[i], .life = &w->lives[i]};
    }
    w->whom = (struct pt_swap_whom){w->who, n};
    return w;
}

static void list(const struct pt_swap_part *v, unsigned n, char buf[64])
{
    size_t len = 0;
    buf[0] = '\0';
    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(buf + len, 64 - len, "%s%u", i ? " " : "", v[i].process);
}

/* Positions of those blamed, the worst first: "VICTIMS; AGGRESSORS". */
static void blamed(struct world *w, const char *want)
{
    char victims[64], aggressors[64], got[132];
    bool told[MOST] = {false};
    assert_int_equal(pt_swap_blame(&w->w, &w->whom, &w->squeezes, NULL), 0);
    const struct pt_swap_blame *b = &w->w.blame[1];
    assert_int_equal(w->w.blame[0].nvictims + w->w.blame[0].naggressors, 0);
    list(b->victims, b->nvictims, victims);
    list(b->aggressors, b->naggressors, aggressors);
    snprintf(got, sizeof(got), "%s; %s", victims, aggressors);
    if (strcmp(got, want) != 0)
        fail_msg("'%s', not '%s'", got, want);
    for (unsigned i = 0; i < b->nvictims; i++)
        told[b->victims[i].process] = true;
    for (unsigned i = 0; i < b->naggressors; i++)
        told[b->aggressors[i].process] = true;
    for (size_t i = 0; i < w->whom.n; i++)
        assert_int_equal(w->whom.v[i].told, told[i]);
}

static void drop(struct world *w)
{
    free(w->w.blame);
    free(w);
}

/* In bytes read back by faults, or in what came back with them, at most 16 pages each. */
static void harm_by_faults(void **state)
{
    static const struct one v[] = {
        {.majflt = 2559, .refilled = 0},                 /* a page less than a tenth of the worst */
        {.majflt = 25600, .refilled = 0},                /* 100 MiB */
        {.majflt = 640, .refilled = 900 * MIB},          /* with 16 pages a fault 40 MiB */
        {.majflt = 10000, .refilled = 35 * MIB},         /* what was read is more: 39 MiB */
        {.majflt = 6400, .refilled = 30 * MIB},          /* what came back is more */
        {.majflt = 0, .refilled = 500 * MIB},            /* freed, not waited for */
        {.majflt = 2560, .refilled = 0},                 /* just a tenth */
        {.majflt = PT_UNKNOWN, .refilled = 50 * MIB},    /* not known */
        {.majflt = 5120, .refilled = PT_UNKNOWN},        /* nor this */
        {.majflt = INT64_MAX / 2, .refilled = 50 * MIB}, /* of a damaged file */
    };
    (void)state;
    struct world *w = world_of(v, COUNT(v));
    blamed(w, "1 2 3 4 8 6; ");
    assert_int_equal(w->w.blame[1].victims[1].majflt, 640);
    assert_int_equal(w->w.blame[1].victims[1].refilled, 900 * MIB);
    drop(w);
}

static void less_is_no_harm(void **state)
{
    static const struct one little[] = {{.majflt = 255}, {.majflt = 256}};
    (void)state;
    struct world *w = world_of(little, 2);
    blamed(w, "1; ");
    drop(w);
    /* while memory is pushed out: of what was pushed out a tenth */
    static const struct one v[] = {{.majflt = 25600 / 10 - 1}, {.majflt = 25600 / 10}, {0}};
    w = world_of(v, 3);
    w->episode[1].state = PT_SWAP_OUT_PRESSURE;
    w->episode[1].out = 100.0 * MIB;
    blamed(w, "1; ");
    free(w->w.blame);
    w->who[0].told = w->who[1].told = false;
    w->episode[1].out = 1.0 * MIB; /* but never less than is harm at all */
    blamed(w, "1 0; ");
    drop(w);
}

static void growth_that_pushes(void **state)
{
    static const struct one v[] = {
        {.start = 10 * MIB, .most = 110 * MIB},    {.start = 10 * MIB, .most = 30 * MIB},
        {.start = 10 * MIB, .most = 30 * MIB - 1}, /* less than a fifth of the most */
        {.start = PT_UNKNOWN, .most = 900 * MIB},  {.start = 50 * MIB, .most = 40 * MIB},
        {.start = 0, .most = 100 * MIB},
    };
    static const struct one little[] = {{.most = 8 * MIB - 1}, {.most = 8 * MIB}};
    static const struct one many[MOST] = {
        {.most = 81 * MIB}, {.most = 82 * MIB}, {.most = 83 * MIB}, {.most = 84 * MIB},
        {.most = 85 * MIB}, {.most = 86 * MIB}, {.most = 87 * MIB}, {.most = 88 * MIB},
        {.most = 89 * MIB}, {.most = 90 * MIB}, {.most = 91 * MIB}, {.most = 92 * MIB}};
    (void)state;
    struct world *w = world_of(v, COUNT(v));
    blamed(w, "; 0 5 1");
    assert_int_equal(w->w.blame[1].aggressors[2].growth, 20 * MIB);
    drop(w);
    w = world_of(little, 2);
    blamed(w, "; 1");
    drop(w);
    w = world_of(many, MOST); /* the ten worst */
    blamed(w, "; 11 10 9 8 7 6 5 4 3 2");
    drop(w);
    w = world_of(v, COUNT(v));
    w->who[0].life = NULL; /* nothing is to be told of it */
    w->who[5].status = NULL;
    w->memory[1][1].episode = 7;
    blamed(w, "; 2");
    drop(w);
}

/* What is not known of somebody is not zero; what is known not to have happened is. */
static void what_is_known_of_them(void **state)
{
    static const struct one v[] = {{.majflt = 2560, .most = 90 * MIB},
                                   {.majflt = 2560},
                                   {.majflt = 9, .most = 90 * MIB},
                                   {.most = 80 * MIB}};
    (void)state;
    struct world *w = world_of(v, COUNT(v));
    w->memory[0][1].episode = w->faults[2][1].episode = w->faults[3][1].episode = 7;
    w->who[1].status = NULL;
    w->stat[3].majflt = PT_UNKNOWN; /* a kernel that does not tell it */
    blamed(w, "0 1; 2 3");          /* at equal weights by pid */
    const struct pt_swap_blame *b = &w->w.blame[1];
    assert_int_equal(b->victims[0].refilled, 0);
    assert_int_equal(b->victims[0].growth, 0);
    assert_int_equal(b->victims[1].refilled, PT_UNKNOWN);
    assert_int_equal(b->victims[1].growth, PT_UNKNOWN);
    assert_int_equal(b->aggressors[0].majflt, 0);
    assert_int_equal(b->aggressors[1].majflt, PT_UNKNOWN);
    drop(w);
}

/* A child that begins with 80% to 105% of what its parent had has that from it. */
static void a_fork_grows_by_what_is_its_own(void **state)
{
    static const struct {
        int64_t first, least, most, ppid;
        bool born, shares;
    } cases[] = {
        {100 * MIB, 100 * MIB, 100 * MIB, 10, true, true},
        {100 * MIB, 100 * MIB, 100 * MIB, 10, false, false}, /* it was there before */
        {100 * MIB, 100 * MIB, 100 * MIB, 99, true, false},  /* nobody's child that is known */
        {80 * MIB, 100 * MIB, 100 * MIB, 10, true, true},
        {79 * MIB, 100 * MIB, 100 * MIB, 10, true, false},
        {105 * MIB, 100 * MIB, 100 * MIB, 10, true, true},
        {106 * MIB, 100 * MIB, 100 * MIB, 10, true, false},
        {16 * MIB, 16 * MIB, 20 * MIB, 10, true, true},
        {16 * MIB - 1, 16 * MIB, 20 * MIB, 10, true, false}, /* little: as good as its own */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct one v[] = {{.start = 5, .most = 5}, {.most = 200 * MIB}};
        struct world *w = world_of(v, 2);
        w->status[0].first_anon = 1;
        w->status[0].least_anon = cases[i].least;
        w->status[0].most_anon = cases[i].most;
        w->status[1].first_anon = cases[i].first;
        w->stat[1].from = 120;
        w->stat[1].known = 1u << PT_TRACK_PPID;
        w->stat[1].v[PT_TRACK_PPID] = cases[i].ppid;
        w->memory[1][1].born = cases[i].born;
        blamed(w, "; 1");
        const int64_t growth = w->w.blame[1].aggressors[0].growth;
        if (growth != 200 * MIB - (cases[i].shares ? cases[i].first : 0))
            fail_msg("case %zu: %lld", i, (long long)growth);
        drop(w);
    }
}

/* Groups reclaim by themselves: who grew outside of those at their limit pushed nobody in them. */
static void outside_of_groups_at_their_limit(void **state)
{
    static const struct one v[] = {{.most = 100 * MIB, .group = "/a"},
                                   {.most = 90 * MIB, .group = "/b"},
                                   {.most = 80 * MIB},
                                   {.most = 70 * MIB, .group = "/b"}};
    struct pt_squeeze at[] = {{(char[]){"/a"}, 1, 5}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world *w = world_of(v, COUNT(v));
        w->episode[1].scan_direct = 1000;
        w->episode[1].scan_kswapd = i == 1 ? 51 : 50; /* kswapd works for the whole machine */
        if (i != 2)
            w->squeezes = (struct pt_squeezes){.v = at, .n = 1};
        at[0].episode = i == 3 ? 0 : 1;
        blamed(w, i == 0 ? "; 0 2" : "; 0 1 2 3");
        drop(w);
    }
}

/* ---- control groups at their limit ---- */

static struct pt_boot_time boots[] = {{1, 0, 0, 1000}};
static const struct pt_timeline timeline = {
    .interval = 10, .end = 1000, .boots = boots, .nboots = 1};
static const struct pt_window windows[] = {{100, 200, 4}, {150, 300, 2}};
static const double latest[] = {200, 300};

static void tell(struct pt_squeezes *s, const char *source, unsigned which, double at, int64_t v)
{
    const struct pt_point p = {.source = source,
                               .which = which,
                               .row = "",
                               .field = "x",
                               .boot = at < 0 ? 9 : 1, /* of no boot that is known */
                               .boot_us = (int64_t)(at * 1e6),
                               .known = v >= 0,
                               .ivalue = v};
    assert_int_equal(pt_squeeze_point(s, &p), 0);
}

static void hits_are(const struct pt_squeezes *s, const char *want)
{
    char got[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < s->n; i++)
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s %u %lld", i ? ", " : "",
                                s->v[i].path, s->v[i].episode, (long long)s->v[i].hits);
    if (strcmp(got, want) != 0)
        fail_msg("'%s', not '%s'", got, want);
}

static void hits_by_episode(void **state)
{
    struct pt_squeezes s = {
        .timeline = &timeline, .windows = windows, .latest = latest, .nwindows = 2};
    (void)state;
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 50, 10); /* where it stood says nothing */
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 100, 11);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 101, 13);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 150, 13);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 151, 20); /* in both */
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 180, 5);  /* began anew */
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 200, 6);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 210, -1); /* not known for a while */
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 220, 90);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, -5, 95);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 290, 99);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 300, 100);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 301, 900);
    /* two counters of one group, each by itself */
    tell(&s, "cgroup:unified/b/c/memory.events.local", 0, 220, 5);
    tell(&s, "cgroup:unified/b/c/memory.events.local", 1, 220, 1000);
    tell(&s, "cgroup:unified/b/c/memory.events.local", 0, 230, 7);
    tell(&s, "cgroup:unified/b/c/memory.events.local", 1, 230, 1003);
    tell(&s, "cgroup:memory.events.local", 0, 220, 0); /* of the root */
    tell(&s, "cgroup:memory.events.local", 0, 230, 1);
    tell(&s, "cgroup:d/memory.events.local", 0, 220, 0);
    tell(&s, "cgroup:d/memory.events.local", 0, 230, INT64_MAX);
    tell(&s, "cgroup:d/memory.events.local", 0, 231, 0);
    tell(&s, "cgroup:d/memory.events.local", 0, 232, 9);
    /* the next segment */
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 250, 200);
    tell(&s, "cgroup:memory/a/memory.failcnt", 0, 260, 201);
    tell(&s, "cgroup:d/memory.events.local", 0, 270, 1);
    tell(&s, "cgroup:d/memory.events.local", 0, 280, 2);
    pt_squeezes_end(&s);
    hits_are(&s, "/ 2 1, /a 2 10, /b/c 2 5, /d 2 9223372036854775807, /a 4 10");
    pt_squeezes_release(&s);
    pt_squeezes_end(&s); /* of none */
    assert_int_equal(s.n, 0);
}

static void who_is_in_a_group_at_its_limit(void **state)
{
    char a[] = "/a", b[] = "/b", c[] = "/c", root[] = "/";
    struct pt_squeeze v[] = {{c, 1, 500}, {a, 3, 1000}, {b, 3, 20},
                             {c, 3, 19},  {root, 5, 1}, {a, 6, INT64_MAX}};
    const struct pt_squeezes s = {.v = v, .n = COUNT(v)};
    static const struct {
        uint32_t episode;
        const char *path;
        bool holds;
    } cases[] = {{3, "/a", true},  {3, "/a/x/y", true}, {3, "/ab", false}, {3, "/", false},
                 {3, "/b", true}, /* a fiftieth of the most */
                 {3, "/c", false}, {3, NULL, false},    {1, "/c/d", true}, {1, "/a", false},
                 {0, "/a", false}, {2, "/a", false},    {4, "/a", false},  {5, "/z", true},
                 {5, "/", true},   {6, "/a", true},     {7, "/a", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (pt_squeeze_holds(&s, cases[i].episode, cases[i].path) != cases[i].holds)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_of_episodes),
        cmocka_unit_test(harm_by_faults),
        cmocka_unit_test(less_is_no_harm),
        cmocka_unit_test(growth_that_pushes),
        cmocka_unit_test(what_is_known_of_them),
        cmocka_unit_test(a_fork_grows_by_what_is_its_own),
        cmocka_unit_test(outside_of_groups_at_their_limit),
        cmocka_unit_test(hits_by_episode),
        cmocka_unit_test(who_is_in_a_group_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
