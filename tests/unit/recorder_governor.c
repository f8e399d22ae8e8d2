/* SPDX-License-Identifier: MIT
 * The governor: what it spends, on machines of all sizes that are made up here, and whom it
 * prefers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "recorder/governor.h"

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
#define STALL  20000
#define GIB_KB (1 << 20)

/* ---- a machine ---- */

struct machine {
    uint32_t processes, busy_percent;
    int64_t interval_us, ppm;
    int64_t fixed_us, process_us; /* of a tick, of one process looked at */
    int64_t start_us;             /* of the start and its snapshot */
    int64_t seal_us;              /* of a seal, every 360 ticks */
    int64_t deep_us;              /* of a deep read, give or take */
    double misjudged;             /* true cost of a deep read by what was predicted */
    bool surprise;                /* nobody knows that a seal will come */
};

struct life {
    int64_t cost_us, was_kb, rss_kb, read_us; /* read_us: time of the last deep read */
};

struct outcome {
    int64_t elapsed_us, spent_us;
    uint64_t reads, overdue_ticks, visits;
    uint32_t ticks, stretch, longest_round;
};

static uint32_t seed = 1;

static uint32_t chance(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Orders what is due, in no order at all: what is spent must not depend on it. */
static int64_t deep_reads(struct pt_gov *g, const struct machine *m, struct life *lives,
                          int64_t now, struct outcome *out)
{
    int64_t spent = 0;
    for (uint32_t i = 0; i < m->processes; i++) {
        struct life *l = &lives[i];
        const struct pt_gov_case c = {.cost_us = l->cost_us,
                                      .was_kb = l->was_kb,
                                      .rss_kb = l->rss_kb,
                                      .age_us = now - l->read_us};
        double score;
        if (pt_gov_weigh(g, &c, PT_GOV_ROUTINE, &score) != PT_GOV_DUE)
            continue;
        assert_true(score > 0);
        if (pt_gov_broke(g)) {
            out->overdue_ticks++;
            break;
        }
        const int64_t predicted = pt_gov_predict(&c);
        const double luck = 0.5 + chance(1000) / 1000.0;
        const int64_t cost = (int64_t)((double)m->deep_us * luck * m->misjudged) + 1;
        pt_gov_order(g, predicted);
        pt_gov_back(g, predicted);
        spent += cost;
        *l = (struct life){cost, l->rss_kb, l->rss_kb, now};
        out->reads++;
    }
    return spent;
}

/* How many processes the quota does for; who was left out longest waits this many ticks. */
static uint32_t look(const struct pt_gov *g, const struct machine *m)
{
    const int64_t quota = pt_gov_quota(g);
    const int64_t can = quota == INT64_MAX ? m->processes : quota / m->process_us;
    return can < m->processes ? (uint32_t)can : m->processes;
}

static struct outcome run(const struct machine *m, int64_t hours_us)
{
    struct outcome out = {0};
    struct pt_gov g;
    struct life *lives = calloc(m->processes, sizeof(*lives));
    assert_non_null(lives);
    for (uint32_t i = 0; i < m->processes; i++)
        lives[i].rss_kb = 1000 + chance(50000);
    pt_gov_init(&g, m->ppm, m->interval_us, STALL);
    int64_t cpu = m->start_us, store = 0, stored = 0, due = 0;
    while (out.elapsed_us < hours_us) {
        const int64_t interval = m->interval_us * pt_gov_stretch(&g);
        pt_gov_pass(&g, out.ticks ? interval : 0, cpu, stored, m->surprise ? 0 : due);
        out.spent_us += cpu;
        const uint32_t visited = look(&g, m);
        out.visits += visited;
        if (out.ticks > 60 && visited && m->processes / visited > out.longest_round)
            out.longest_round = m->processes / visited;
        const struct pt_gov_tick t = {.fixed_us = m->fixed_us,
                                      .process_us = visited * m->process_us,
                                      .store_us = 100 + m->seal_us / 360,
                                      .visited = visited,
                                      .processes = m->processes};
        cpu = t.fixed_us + t.process_us + store;
        stored = store;
        pt_gov_note(&g, &t);
        store = ++out.ticks % 360 == 0 ? m->seal_us : 100;
        due = out.ticks % 360 * m->seal_us / 360;
        for (uint32_t i = 0; i < m->processes; i++) {
            if (chance(100) < m->busy_percent)
                lives[i].rss_kb += chance(4000);
        }
        cpu += deep_reads(&g, m, lives, out.elapsed_us, &out);
        out.elapsed_us += interval;
    }
    out.stretch = pt_gov_stretch(&g);
    free(lives);
    return out;
}

static double used(const struct machine *m, const struct outcome *o)
{
    return (double)o->spent_us / ((double)o->elapsed_us * (double)m->ppm * 1e-6);
}

static const struct machine small = {.processes = 300,
                                     .busy_percent = 33,
                                     .interval_us = 10 * SECOND,
                                     .ppm = 5000,
                                     .fixed_us = 3000,
                                     .process_us = 12,
                                     .seal_us = 300000,
                                     .deep_us = 700,
                                     .misjudged = 1};

/* ---- what is spent ---- */

/* Whatever the machine, the budget holds over hours, and everybody is looked at in turn. */
static void budgets_hold(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 30, 300, 3000, 10000, 30000};
    static const int64_t ppms[] = {1000, 5000, 50000};
    static const double misjudged[] = {0.3, 1, 4};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        for (size_t k = 0; k < 3; k++) {
            struct machine m = small;
            m.processes = counts[i];
            m.ppm = ppms[k];
            m.misjudged = misjudged[(i + k) % 3];
            m.seal_us = 1000 * (int64_t)counts[i] / 3;
            m.surprise = (i + k) % 2;
            const struct outcome o = run(&m, counts[i] > 3000 ? 3 * HOUR : 12 * HOUR);
            assert_true(used(&m, &o) <= 1.05);
            assert_true(o.longest_round <= 10); /* six, and more in debt */
            assert_true(o.reads > 0);
        }
    }
}

/* What a start takes beyond the budget is paid back within minutes: by deep reads that wait, and
 * where the cheap tier leaves too little, by longer intervals until then. */
static void starts_are_paid_back(void **state)
{
    (void)state;
    static const int64_t ppms[] = {1500, 2000, 5000, 20000};
    for (size_t i = 0; i < sizeof(ppms) / sizeof(*ppms); i++) {
        struct machine m = small;
        m.ppm = ppms[i];
        m.fixed_us = 9000;
        m.start_us = 400000;
        const struct outcome o = run(&m, HOUR / 6);
        assert_true(used(&m, &o) <= 1.05);
        assert_true(m.ppm < 5000 ? o.ticks < 55 : o.ticks == 60);
        const struct outcome later = run(&m, 4 * HOUR);
        assert_int_equal(later.stretch, 1);
    }
}

/* With little to do it does little: what is left of the budget is no reason to read. */
static void idle_is_cheap(void **state)
{
    (void)state;
    struct machine m = small;
    m.busy_percent = 0;
    const struct outcome o = run(&m, 12 * HOUR);
    assert_int_equal(o.stretch, 1);
    assert_in_range(o.overdue_ticks, 0, 60);
    assert_in_range(o.reads, 12 * 300, 13 * 300 + 300); /* each hourly, and at its birth */
    assert_true(used(&m, &o) < 0.3);
}

/* Where reads are overdue, it is because the budget is used. */
static void overdue_is_busy(void **state)
{
    (void)state;
    struct machine m = small;
    m.busy_percent = 90;
    m.deep_us = 15000;
    const struct outcome o = run(&m, 12 * HOUR);
    assert_true(o.overdue_ticks > o.ticks / 2);
    assert_in_range((uint64_t)(used(&m, &o) * 1000), 800, 1050);
}

static void idle_time_is_capped(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    for (int day = 0; day < 10; day++)
        pt_gov_pass(&g, 24 * HOUR, 0, 0, 0);
    assert_in_range(g.credit_us, 1, 100000);
}

/* A loan is for one snapshot, whatever the debt, and is paid back. */
static void loans(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    pt_gov_pass(&g, 0, 400000, 0, 0);
    assert_true(pt_gov_broke(&g));
    pt_gov_lend(&g, 100000);
    int64_t spent = 0;
    while (!pt_gov_broke(&g)) {
        pt_gov_order(&g, 1000);
        pt_gov_back(&g, 1000);
        spent += 1000;
    }
    assert_int_equal(spent, 100000);
    int waits = 0;
    for (pt_gov_pass(&g, 10 * SECOND, spent, 0, 0); pt_gov_broke(&g); waits++)
        pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(waits, 10); /* half a second of debt at 5 ms a second */
}

/* What a seal takes is paid back in full, and deep reads go on meanwhile. */
static void seals_hold_up_nothing(void **state)
{
    (void)state;
    enum { SEAL = 5000000, COMMIT = 200, TICK = 10000 }; /* a minute earns 300 ms */
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    pt_gov_note(&g, &(struct pt_gov_tick){.fixed_us = TICK, .visited = 1, .processes = 1});
    int64_t spent = SEAL, reads = 0, longest = 0, waits = 0, earned = 0;
    pt_gov_pass(&g, 0, SEAL, SEAL, 0);
    for (int i = 0; i < 6 * 60; i++) {
        int64_t tick = TICK;
        for (waits++; !pt_gov_broke(&g) && reads < 100000; waits = 0) {
            pt_gov_order(&g, 500);
            pt_gov_back(&g, 500);
            tick += 500;
            reads++;
        }
        longest = waits > longest ? waits : longest;
        pt_gov_pass(&g, 10 * SECOND, tick + COMMIT, COMMIT, 0);
        spent += tick + COMMIT;
        earned += 50000;
    }
    assert_true(spent <= earned + earned / 100);
    assert_true(spent >= earned - earned / 100);
    assert_in_range(longest, 0, 3);
    assert_in_range(reads, 10000, 20000);
}

/* Where it is known that a seal will come, it is paid for before: not even while it is at work has
 * more been spent than was earned. */
static void seals_are_saved_for(void **state)
{
    (void)state;
    enum { SEAL = 1000000, CHAIN = 100, TICK = 10000 }; /* a tick earns 50 ms */
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    pt_gov_note(&g, &(struct pt_gov_tick){.fixed_us = TICK, .visited = 1, .processes = 1});
    int64_t spent = 0, earned = 0;
    for (int i = 1; i <= 5 * CHAIN; i++) {
        const int64_t store = i % CHAIN == 0 ? SEAL : 0;
        int64_t tick = TICK + store;
        for (int k = 0; !pt_gov_broke(&g) && k < 1000; k++) {
            pt_gov_order(&g, 500);
            pt_gov_back(&g, 500);
            tick += 500;
        }
        pt_gov_pass(&g, 10 * SECOND, tick, store, (int64_t)(i % CHAIN) * SEAL / CHAIN);
        spent += tick;
        earned += 50000;
        assert_true(spent <= earned);
    }
    assert_true(spent >= earned - 200000);
}

/* What was saved for seals that never came is there for other things, as far as idle time is. */
static void savings_come_back(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    for (int64_t due = 0; due < 3600; due++)
        pt_gov_pass(&g, 10 * SECOND, 50000, 0, due * SECOND);
    assert_true(g.unpaid_us < -SECOND);
    assert_true(pt_gov_broke(&g));
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.unpaid_us, 0);
    assert_in_range(g.credit_us, 1, 20 * SECOND * 5 / 1000);
}

/* However much is owed, after some minutes deep reads are done again. */
static void debts_end(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    pt_gov_pass(&g, 0, HOUR, 0, 0);
    int minutes = 0;
    for (; pt_gov_broke(&g); minutes++)
        pt_gov_pass(&g, 60 * SECOND, 0, 0, 0);
    assert_in_range(minutes, 14, 16);
}

/* The same beside a cheap tier that takes all it may, and beside storing that has more to be paid
 * for than its half, as the manual says: half an hour, and two hours. */
static void debts_end_beside_the_rest(void **state)
{
    (void)state;
    static const struct {
        int64_t unpaid_us;
        int least, most; /* minutes */
    } cases[] = {{0, 20, 30}, {HOUR, 100, 125}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pt_gov g;
        pt_gov_init(&g, 5000, 10 * SECOND, STALL);
        const struct pt_gov_tick t = {.fixed_us = 37000, .visited = 1, .processes = 1};
        pt_gov_note(&g, &t);
        pt_gov_pass(&g, 0, HOUR + cases[i].unpaid_us, cases[i].unpaid_us, 0);
        int64_t us = 0;
        while (pt_gov_broke(&g) && us < 24 * HOUR) {
            pt_gov_note(&g, &t);
            const int64_t interval = 10 * SECOND * pt_gov_stretch(&g);
            pt_gov_pass(&g, interval, t.fixed_us, 0, 0);
            us += interval;
        }
        assert_in_range(us / (60 * SECOND), cases[i].least, cases[i].most);
        pt_gov_note(&g, &t);
        assert_int_equal(pt_gov_stretch(&g), 1);
    }
}

/* Triggers have a share of their own: a start, a burst and a seal before them are no reason to read
 * little. */
static void triggers_have_a_share(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    const struct pt_gov_tick t = {.fixed_us = 20000, .visited = 1, .processes = 1};
    pt_gov_note(&g, &t); /* leaves three fifths */
    pt_gov_pass(&g, 0, 20 * SECOND, 10 * SECOND, 0);
    assert_false(pt_gov_overdrawn(&g));
    int taken = 0;
    for (; !pt_gov_overdrawn(&g); taken++)
        pt_gov_alarm(&g, 400000);
    assert_int_equal(taken, 2); /* of 750 ms, and one more */
    int64_t seconds = 0;
    for (; pt_gov_overdrawn(&g); seconds += 10)
        pt_gov_pass(&g, 10 * SECOND, 20000, 0, 0);
    assert_in_range(seconds, 10, 30); /* 50 ms at 3 ms a second */
    for (int i = 0; i < 100; i++)     /* kills that do not ask */
        pt_gov_alarm(&g, 400000);
    for (seconds = 0; pt_gov_overdrawn(&g); seconds += 10)
        pt_gov_pass(&g, 10 * SECOND, 20000, 0, 0);
    assert_in_range(seconds, 240, 260);
}

/* --deep all: what was asked for whatever it costs delays nothing and silences nothing. */
static void forgives(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    const struct pt_gov_tick t = {.fixed_us = 5000, .visited = 300, .processes = 300};
    pt_gov_pass(&g, 0, 20 * SECOND, 10 * SECOND, 0);
    pt_gov_alarm(&g, 10 * SECOND);
    pt_gov_note(&g, &t);
    assert_int_equal(pt_gov_stretch(&g), 2);
    assert_true(pt_gov_overdrawn(&g) && pt_gov_broke(&g));
    pt_gov_forgive(&g);
    pt_gov_note(&g, &t);
    assert_int_equal(pt_gov_stretch(&g), 1);
    assert_false(pt_gov_overdrawn(&g));
    pt_gov_pass(&g, 10 * SECOND, 0, 0, 0);
    assert_int_equal(g.credit_us, 50000); /* nothing of the seal is left to pay */
    pt_gov_forgive(&g);
    assert_int_equal(g.credit_us, 50000); /* and what was earned is kept */
}

/* ---- the interval ---- */

/* What it settles at, whatever the start left. */
static void settles(void **state)
{
    (void)state;
    static const struct {
        int64_t fixed_us, process_us;
        double store_us;
        uint32_t processes, stretch;
    } cases[] = {
        {5000, 10, 0, 300, 1},      /* 5.5 ms of 37.5 */
        {5000, 10, 30000, 300, 2},  /* storing is more than half */
        {5000, 10, 20000, 300, 1},  /* 25.5 ms */
        {5000, 30, 1000, 30000, 5}, /* 156 ms */
        {3600 * SECOND, 10, 0, 1, 60},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_gov g;
        pt_gov_init(&g, 5000, 10 * SECOND, STALL);
        pt_gov_pass(&g, 0, 5 * SECOND, 0, 0); /* a start */
        for (int k = 0; k < 6; k++) {
            const struct pt_gov_tick t = {.fixed_us = cases[i].fixed_us,
                                          .process_us = 100 * cases[i].process_us,
                                          .visited = 100,
                                          .processes = cases[i].processes};
            pt_gov_note(&g, &t);
        }
        assert_int_equal(pt_gov_settled(&g, cases[i].store_us, cases[i].processes),
                         cases[i].stretch);
        assert_true(g.owes && pt_gov_stretch(&g) >= cases[i].stretch);
    }
}

static void stretch_comes_and_goes(void **state)
{
    (void)state;
    struct pt_gov g;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    struct pt_gov_tick t = {.fixed_us = 5000, .process_us = 9000, .visited = 300, .processes = 300};
    for (int i = 0; i < 100; i++)
        pt_gov_note(&g, &t);
    assert_int_equal(g.stretch, 1);
    t.processes = 30000; /* 30 us each: 150 ms in six ticks, of 37 there are */
    pt_gov_note(&g, &t);
    const uint32_t high = g.stretch;
    assert_in_range(high, 4, 5);
    int changes = 0;
    for (int i = 0; i < 1000; i++) {
        const uint32_t before = g.stretch;
        t.processes = i % 2 ? 30000 : 29000; /* no reason to change */
        pt_gov_note(&g, &t);
        changes += g.stretch != before;
    }
    assert_in_range(changes, 0, 1);
    t.processes = 300;
    for (int i = 0; i < 10; i++)
        pt_gov_note(&g, &t);
    assert_in_range(g.stretch, high - 1, high); /* not in haste */
    for (int i = 0; i < 200; i++)
        pt_gov_note(&g, &t);
    assert_int_equal(g.stretch, 1);
    t.fixed_us = 3600 * SECOND;
    for (int i = 0; i < 100; i++)
        pt_gov_note(&g, &t);
    assert_int_equal(g.stretch, PT_GOV_STRETCH_MAX);
    assert_true(pt_gov_quota(&g) > 0);
}

/* ---- whom ---- */

static enum pt_gov_say say(const struct pt_gov_case *c, enum pt_gov_mood mood, double *score)
{
    struct pt_gov g;
    *score = -1;
    pt_gov_init(&g, 5000, 10 * SECOND, STALL);
    return pt_gov_weigh(&g, c, mood, score);
}

#define CASE(...) (&(const struct pt_gov_case){__VA_ARGS__})

static void prefers(void **state)
{
    (void)state;
    double newborn, growing, slower, waiting, x;
    assert_int_equal(say(CASE(.rss_kb = 5000), PT_GOV_ROUTINE, &newborn), PT_GOV_DUE);
    assert_int_equal(
        say(CASE(.cost_us = 900, .was_kb = 50000, .rss_kb = 64000, .age_us = 61 * SECOND),
            PT_GOV_ROUTINE, &growing),
        PT_GOV_DUE);
    assert_int_equal(
        say(CASE(.cost_us = 900, .was_kb = 64000, .rss_kb = 56000, .age_us = 61 * SECOND),
            PT_GOV_ROUTINE, &slower),
        PT_GOV_DUE);
    assert_int_equal(
        say(CASE(.cost_us = 900, .was_kb = 500, .rss_kb = 500, .age_us = HOUR + SECOND),
            PT_GOV_ROUTINE, &waiting),
        PT_GOV_DUE);
    assert_true(waiting > newborn && newborn > growing && growing > slower && slower > 0);
    /* read a moment ago; unchanged */
    const struct pt_gov_case *fresh =
        CASE(.cost_us = 900, .was_kb = 50000, .rss_kb = 90000, .age_us = 59 * SECOND);
    assert_int_equal(say(fresh, PT_GOV_ROUTINE, &x), PT_GOV_NO);
    assert_int_equal(say(fresh, PT_GOV_EAGER, &x), PT_GOV_DUE);
    const struct pt_gov_case *same =
        CASE(.cost_us = 900, .was_kb = 50000, .rss_kb = 50000, .age_us = HOUR / 2);
    assert_int_equal(say(same, PT_GOV_ROUTINE, &x), PT_GOV_NO);
    assert_int_equal(say(same, PT_GOV_EAGER, &x), PT_GOV_NO);
}

static void stalls(void **state)
{
    (void)state;
    static const enum pt_gov_mood moods[] = {PT_GOV_ROUTINE, PT_GOV_EAGER, PT_GOV_DENSE,
                                             PT_GOV_ASKED};
    double x;
    struct pt_gov_case big = {.cost_us = 64000,
                              .stall_us = 63000,
                              .was_kb = 8 * GIB_KB,
                              .rss_kb = 8 * GIB_KB + 2048 * 1024};
    for (int i = 0; i < 4; i++) {
        big.age_us = HOUR - SECOND;
        assert_int_equal(say(&big, moods[i], &x),
                         moods[i] == PT_GOV_ASKED ? PT_GOV_DUE : PT_GOV_STALLS);
        big.age_us = HOUR + SECOND;
        assert_int_equal(say(&big, moods[i], &x),
                         moods[i] == PT_GOV_DENSE ? PT_GOV_STALLS : PT_GOV_DUE);
    }
    /* the same memory in many mappings holds no lock for long */
    big.stall_us = 900;
    big.age_us = 100 * SECOND;
    assert_int_equal(say(&big, PT_GOV_ROUTINE, &x), PT_GOV_DUE);
    assert_int_equal(say(&big, PT_GOV_DENSE, &x), PT_GOV_DUE);
    /* never read: by its size, not in the first minutes */
    struct pt_gov_case unknown = {.rss_kb = 8 * GIB_KB, .age_us = 60 * SECOND};
    assert_int_equal(say(&unknown, PT_GOV_ROUTINE, &x), PT_GOV_STALLS);
    assert_int_equal(say(&unknown, PT_GOV_ASKED, &x), PT_GOV_DUE);
    unknown.age_us = 601 * SECOND;
    assert_int_equal(say(&unknown, PT_GOV_ROUTINE, &x), PT_GOV_DUE);
    /* over a quarter of a second: never */
    unknown.rss_kb = 64 * GIB_KB;
    unknown.age_us = 24 * HOUR;
    for (int i = 0; i < 4; i++)
        assert_int_equal(say(&unknown, moods[i], &x), PT_GOV_STALLS);
}

static void predicts(void **state)
{
    (void)state;
    assert_in_range(pt_gov_predict(CASE(.rss_kb = GIB_KB)), 8000, 9000);
    assert_int_equal(pt_gov_predict(CASE(.cost_us = 1234, .was_kb = GIB_KB, .rss_kb = GIB_KB)),
                     1234);
    /* twice the memory: twice what is above the least */
    assert_in_range(pt_gov_predict(CASE(.cost_us = 8300, .was_kb = GIB_KB, .rss_kb = 2 * GIB_KB)),
                    16200, 16300);
    assert_in_range(pt_gov_predict(CASE(.cost_us = 8300, .was_kb = GIB_KB, .rss_kb = GIB_KB / 8)),
                    1200, 1400);
    assert_int_equal(pt_gov_predict(CASE(.cost_us = 100, .was_kb = 10, .rss_kb = GIB_KB)), 100);
}

static void periods(void **state)
{
    (void)state;
    assert_int_equal(pt_gov_period_us(10000, 0), HOUR);
    assert_int_equal(pt_gov_period_us(10000, 1e6), 60 * SECOND);
    assert_in_range(pt_gov_period_us(16384, 2048 / 1200.0), 800 * SECOND, 1000 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(savings_come_back),
        cmocka_unit_test(budgets_hold),
        cmocka_unit_test(starts_are_paid_back),
        cmocka_unit_test(idle_is_cheap),
        cmocka_unit_test(overdue_is_busy),
        cmocka_unit_test(idle_time_is_capped),
        cmocka_unit_test(loans),
        cmocka_unit_test(seals_hold_up_nothing),
        cmocka_unit_test(seals_are_saved_for),
        cmocka_unit_test(debts_end),
        cmocka_unit_test(debts_end_beside_the_rest),
        cmocka_unit_test(triggers_have_a_share),
        cmocka_unit_test(forgives),
        cmocka_unit_test(settles),
        cmocka_unit_test(stretch_comes_and_goes),
        cmocka_unit_test(prefers),
        cmocka_unit_test(stalls),
        cmocka_unit_test(predicts),
        cmocka_unit_test(periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
