/* SPDX-License-Identifier: MIT
 * Processes that have one number one after the other: each has its own memory, names and parents,
 * wherever in a recording the number changes hands. Units: snapshots of 10 s, KiB. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/series/lives.h"
#include "tests/support/recording.h"

#define STEP  10.0
#define TICKS 40
#define HAND  20 /* the snapshot at which the number is another's: 0... */
#define PID   50

struct who {
    const char *comm, *exe; /* NULL: it may not be read */
    int64_t start, ppid;
    int64_t anon, grows; /* a snapshot */
    bool zombie;
};

static struct recording r;
static struct pt_db *db;
static struct pt_timeline line;
static struct pt_lives_of_span lives;

static void tell_stat(const struct who *w)
{
    char text[512];
    snprintf(text, sizeof(text),
             "%d (%s) %c %" PRId64 " %d 1 0 -1 4194304 10 0 3 0 5 5 0 0 20 0 1 0 %" PRId64
             " 1000000 100 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 "
             "0 0 0\n",
             PID, w->comm, w->zombie ? 'Z' : 'S', w->ppid, PID, w->start);
    recording_text(&r, "proc:50/stat", text);
}

static void tell_status(const struct who *w, int64_t anon)
{
    char text[512];
    if (w->zombie)
        snprintf(text, sizeof(text),
                 "Name:\t%s\nState:\tZ (zombie)\nUid:\t7\t7\t7\t7\nThreads:\t1\n", w->comm);
    else
        snprintf(text, sizeof(text),
                 "Name:\t%s\nState:\tS (sleeping)\nUid:\t7\t7\t7\t7\nVmData:\t    5000 kB\n"
                 "VmPTE:\t      50 kB\nVmSwap:\t       0 kB\nRssAnon:\t%8" PRId64
                 " kB\nRssShmem:\t       0 kB\nThreads:\t1\n",
                 w->comm, anon);
    recording_text(&r, "proc:50/status", text);
}

static void tell(const struct who *w, int since)
{
    tell_stat(w);
    tell_status(w, w->anon + since * w->grows);
    if (w->exe && since == 0)
        recording_text(&r, "proc:50/exe", w->exe);
}

static void gone(const struct who *w)
{
    recording_gone(&r, "proc:50/stat");
    recording_gone(&r, "proc:50/status");
    if (w->exe)
        recording_gone(&r, "proc:50/exe");
}

enum where { UNSEALED, WITHIN, BETWEEN, MANY };

/* a, then b, which comes so many snapshots after a went. between: of two segments; many: of many,
 * and within one of them; else within one. */
static void record(const struct who *a, const struct who *b, enum where where, int apart)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10000000};
    struct pt_err err = {0};
    recording_new(&r, &meta, 1000000);
    for (int i = 0; i < TICKS; i++) {
        const struct pt_snap snap = {.real_us = 1700000000000000 + i * INT64_C(10000000),
                                     .boot_us = i * INT64_C(10000000),
                                     .boot = 1};
        const bool key = (where == BETWEEN && i == HAND) || (where == MANY && i % 6 == 0);
        recording_begin(&r, &snap, key);
        if (i == HAND)
            gone(a);
        if (i < HAND)
            tell(a, i);
        else if (i >= HAND + apart)
            tell(b, i - HAND - apart);
        recording_end(&r);
    }
    if (where != UNSEALED)
        assert_int_equal(pt_store_seal(r.store, true, &err), 0);
    recording_close(&r);
}

static void load(void)
{
    struct pt_lives_load w;
    struct pt_series_spec specs[PT_LIVES_SPECS];
    struct pt_series loaded[PT_LIVES_SPECS] = {0};
    struct pt_last_query lasts[PT_NAMES];
    struct pt_db_span span;
    struct pt_err err = {0};
    assert_int_equal(pt_db_open(r.path, &db, &err), 0);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_int_equal(pt_timeline_load(db, span.first, span.last, &line, &err), 0);
    pt_lives_load_begin(&w, db, &line, loaded, specs, lasts);
    const int rc = pt_series_scan(db, &line, specs, loaded, PT_LIVES_SPECS, lasts, PT_NAMES, &err);
    assert_int_equal(pt_lives_load_end(&w, rc, loaded, &lives, &err), 0);
}

static void done(void)
{
    pt_lives_release(&lives);
    pt_timeline_release(&line);
    pt_db_close(db);
    recording_remove(&r);
}

static void is_at(double at, int tick)
{
    if (fabs(at - tick * STEP) > 1e-6)
        fail_msg("at %g, not at snapshot %d", at, tick);
}

static void is_life(size_t i, const struct who *w, int from, int to)
{
    const struct pt_life *l = &lives.v[i];
    assert_int_equal(l->pid, PID);
    assert_int_equal(l->start_time, w->start);
    assert_int_equal(l->ppid, w->ppid);
    assert_int_equal(l->uid, 7);
    is_at(l->from, from);
    is_at(l->to, to);
    const struct pt_curve *anon = pt_life_track(l, PT_LIFE_ANON);
    assert_non_null(anon);
    is_at(anon->start, from);
    is_at(anon->last, to);
    assert_float_equal(anon->first_value, (double)w->anon * 1024, 1);
    assert_float_equal(anon->last_value, (double)(w->anon + (to - from - 1) * w->grows) * 1024, 1);
}

static const struct who grown = {"worker", "/bin/a", 100, 1, 10000, 1000, false};
static const struct who small = {"worker", NULL, 9000, 1, 500, 10, false};
static const struct who big = {"other (x", "/bin/b", 9000, 33, 900000, 0, false};
static const struct who alike = {"worker", "/bin/a", 9000, 1, 10000, 0, false};

static void each_has_its_own(void **state)
{
    static const struct who *const next[] = {&small, &big};
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        for (enum where where = UNSEALED; where <= BETWEEN; where++) {
            record(&grown, next[k], where, 0);
            load();
            assert_int_equal(lives.n, 2);
            assert_int_equal(lives.unreadable, 0);
            is_life(0, &grown, 0, HAND);
            is_life(1, next[k], HAND, TICKS - 1);
            assert_true(lives.v[0].died);
            assert_true(lives.v[1].born);
            done();
        }
    }
}

/* What a process was called is not what the next one is, though its own names may not be read. */
static void names_are_not_inherited(void **state)
{
    (void)state;
    for (enum where where = UNSEALED; where <= BETWEEN; where++) {
        record(&grown, &small, where, 0);
        load();
        assert_int_equal(lives.n, 2);
        assert_string_equal(lives.v[0].exe, "/bin/a");
        assert_null(lives.v[1].exe);
        assert_string_equal(lives.v[1].comm, "worker");
        done();
    }
}

/* In the segment after the last of one, before the time that tells two lives apart by itself. */
static void soon_after_is_another_too(void **state)
{
    (void)state;
    for (enum where where = UNSEALED; where <= BETWEEN; where++) {
        record(&grown, &small, where, 3);
        load();
        assert_int_equal(lives.n, 2);
        is_life(0, &grown, 0, HAND);
        is_life(1, &small, HAND + 3, TICKS - 1);
        done();
    }
}

/* Nothing is told of the second's memory: it is what the first one's was. */
static void alike_to_the_byte(void **state)
{
    struct who same = alike;
    (void)state;
    same.start = 100;
    for (enum where where = UNSEALED; where <= BETWEEN; where++) {
        record(&same, &alike, where, 0);
        load();
        assert_int_equal(lives.n, 2);
        is_life(0, &same, 0, HAND);
        is_life(1, &alike, HAND, TICKS - 1);
        done();
    }
}

/* exec changes what a process is called, not who it is. */
static void exec_is_the_same_life(void **state)
{
    struct who next = big;
    (void)state;
    next.start = grown.start;
    next.ppid = grown.ppid;
    for (enum where where = UNSEALED; where <= BETWEEN; where++) {
        record(&grown, &next, where, 0);
        load();
        assert_int_equal(lives.n, 1);
        assert_string_equal(lives.v[0].comm, next.comm);
        is_at(lives.v[0].to, TICKS - 1);
        const struct pt_curve *anon = pt_life_track(&lives.v[0], PT_LIFE_ANON);
        assert_float_equal(anon->first_value, (double)grown.anon * 1024, 1);
        assert_float_equal(anon->last_value, (double)next.anon * 1024, 1);
        done();
    }
}

/* It has no memory any more, which is not what it had last. */
static void a_zombie_holds_nothing(void **state)
{
    struct who dead = grown;
    (void)state;
    dead.zombie = true;
    for (enum where where = UNSEALED; where <= MANY; where++) {
        record(&grown, &dead, where, 0);
        load();
        assert_int_equal(lives.n, 1);
        is_at(lives.v[0].to, TICKS - 1);
        is_at(pt_life_track(&lives.v[0], PT_LIFE_ANON)->last, HAND);
        is_at(pt_life_track(&lives.v[0], PT_LIFE_THREADS)->last, TICKS - 1);
        done();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own),          cmocka_unit_test(names_are_not_inherited),
        cmocka_unit_test(soon_after_is_another_too), cmocka_unit_test(alike_to_the_byte),
        cmocka_unit_test(exec_is_the_same_life),     cmocka_unit_test(a_zombie_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
