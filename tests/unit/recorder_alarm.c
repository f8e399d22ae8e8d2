/* SPDX-License-Identifier: MIT
 * Triggers over a tree of files: pressure over ticks that are left out, and what is told of
 * snapshots and bursts that triggers did not get. What a seal will take is saved for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/alarm.h"
#include "recorder/clock.h"
#include "recorder/sampler_int.h"
#include "tests/unit/recorder_tree.h"

#define PROCESSES 100

struct rig {
    struct pt_options options;
    struct pt_roots roots;
    struct pt_writer *writer;
    struct pt_sampler *sampler;
    struct pt_alarm *alarm;
    struct pt_loop loop;
    char db[1024];
    int taken[PT_TRIGGER_BURST + 1];
    int64_t read; /* processes looked at in the last one */
};

static void snapshot(void *ctx, enum pt_trigger trigger)
{
    struct rig *r = ctx;
    struct pt_err err = {0};
    pt_alarm_before(r->alarm);
    assert_true(pt_sampler_tick(r->sampler, trigger, &err) >= 0);
    r->taken[trigger]++;
    r->read = pt_sampler_account(r->sampler)->value[PT_ACCOUNT_PROCESSES_READ];
    pt_alarm_after(r->alarm, false);
}

static void set_pressure(int64_t total_us)
{
    char text[200];
    snprintf(text, sizeof text,
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=%" PRId64
             "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=%" PRId64 "\n",
             total_us, total_us);
    tree_print("pressure/memory", text);
}

static void begin(struct rig *r, const char *name, int64_t budget_ppm, int64_t burst_us)
{
    struct pt_err err = {0};
    *r = (struct rig){.options = {.interval_us = 10 * PT_SECOND,
                                  .burst_interval_us = PT_SECOND,
                                  .burst_length_us = burst_us,
                                  .burst_limit = 1}};
    tree_begin(name);
    for (unsigned pid = 1; pid <= PROCESSES; pid++)
        tree_process(pid, "many", 5, 1000, 0);
    set_pressure(0);
    tree_path(r->db, "alarm.db");
    const struct pt_writer_config writer = {.path = r->db, .boot_id = "boot", .btime_us = 1};
    assert_true(pt_roots_init(&r->roots, tree, tree, tree, &err) >= 0);
    assert_true(pt_writer_new(&writer, &r->writer, &err) >= 0);
    const struct pt_sampler_config sampler = {
        .roots = &r->roots,
        .writer = r->writer,
        .plan = {.mode = PT_DEEP_OFF, .budget_ppm = budget_ppm, .interval_us = 10 * PT_SECOND},
        .timestamp_us = PT_UNKNOWN,
    };
    assert_true(pt_sampler_new(&sampler, &r->sampler, &err) >= 0);
    const struct pt_alarm_config alarm = {
        .options = &r->options,
        .roots = &r->roots,
        .writer = r->writer,
        .sampler = r->sampler,
        .loop = &r->loop,
        .snapshot = snapshot,
        .ctx = r,
    };
    assert_true(pt_alarm_new(&alarm, &r->alarm, &err) >= 0);
    snapshot(r, PT_TRIGGER_START);
    snapshot(r, PT_TRIGGER_TIMER); /* what one costs is known then */
}

struct told {
    const char *begin;
    int count;
};

static int count_event(void *ctx, const struct pt_db_event *e)
{
    struct told *t = ctx;
    t->count += strncmp(e->text, t->begin, strlen(t->begin)) == 0;
    return 0;
}

/* Events that begin so, of a recording that ended. */
static int told(const struct rig *r, const char *text)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    struct told t = {.begin = text};
    assert_int_equal(pt_db_open(r->db, &db, &err), 0);
    assert_true(pt_db_events(db, INT64_MIN, INT64_MAX, 0, count_event, &t, &err) >= 0);
    pt_db_close(db);
    return t.count;
}

static void end(struct rig *r)
{
    struct pt_err err = {0};
    pt_alarm_after(r->alarm, true);
    pt_alarm_free(r->alarm);
    assert_true(pt_writer_free(r->writer, NULL, &err) >= 0);
    assert_true(pt_sampler_free(r->sampler));
    pt_roots_release(&r->roots);
}

/* Ticks that are left out, while the disk is full, have no totals of their own. The stall of all of
 * them, divided by the last of them, would be pressure that there was not. */
static void ticks_left_out(void **state)
{
    (void)state;
    /* of the time that went by: six hundredths, and as much as is pressure in any case */
    static const double shares[] = {0.06, 0.6};
    struct rig r;
    int64_t total = 0;
    begin(&r, "left-out", 1000000, 0);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        const int64_t begin_us = pt_clock_us(CLOCK_MONOTONIC);
        for (int k = 0; k < 10; k++) {
            pt_alarm_before(r.alarm);
            pt_alarm_after(r.alarm, false);
            usleep(100000);
        }
        total += (int64_t)((double)(pt_clock_us(CLOCK_MONOTONIC) - begin_us) * shares[i]);
        set_pressure(total);
        snapshot(&r, PT_TRIGGER_TIMER);
        assert_int_equal(r.taken[PT_TRIGGER_PSI], i);
    }
    end(&r);
    assert_int_equal(told(&r, "memory pressure: tasks stalled for "), 1);
    tree_remove("");
}

/* Of triggers that come again and again the first reads everything, then they do as the others do,
 * and it is told, once. Kills always read everything, and so do people. */
static void triggers_are_spared(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, "spared", 1, 0); /* 0.15 ms of CPU in all */
    snapshot(&r, PT_TRIGGER_PSI);
    assert_int_equal(r.read, PROCESSES);
    for (int i = 0; i < 3; i++) {
        snapshot(&r, PT_TRIGGER_PSI);
        assert_true(r.read < PROCESSES);
        snapshot(&r, PT_TRIGGER_LOW);
        assert_true(r.read < PROCESSES);
        snapshot(&r, PT_TRIGGER_OOM);
        assert_int_equal(r.read, PROCESSES);
        snapshot(&r, PT_TRIGGER_SIGNAL);
        assert_int_equal(r.read, PROCESSES);
    }
    end(&r);
    assert_int_equal(told(&r, "snapshots of triggers read what is due, not everything: more"), 1);
    assert_int_equal(told(&r, "snapshots of triggers read everything again"), 0);
    tree_remove("");
}

/* Where there are no bursts, a trigger that comes within a minute of one of its kind takes no
 * snapshot: that is told when the minute is over, or at the end. */
static void triggers_left_out(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, "quiet", 1000000, 0);
    for (int i = 0; i < 3; i++)
        pt_alarm_raise(r.alarm, PT_TRIGGER_PSI, "memory pressure");
    assert_int_equal(r.taken[PT_TRIGGER_PSI], 1);
    pt_alarm_raise(r.alarm, PT_TRIGGER_LOW, "little memory");
    assert_int_equal(r.taken[PT_TRIGGER_LOW], 1);
    end(&r);
    assert_int_equal(told(&r, "memory pressure"), 1);
    assert_int_equal(told(&r, "little memory"), 1);
    assert_int_equal(
        told(&r, "2 triggers took no snapshot: outside of bursts there is one a minute"), 1);
    tree_remove("");
}

/* The day's dense snapshots are used up while a trigger calls for more. */
static void burst_cut(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct rig r;
        begin(&r, "cut", 1000000, 3 * PT_SECOND);
        pt_alarm_raise(r.alarm, PT_TRIGGER_SIGNAL, "signal");
        assert_true(pt_alarm_dense_us(r.alarm) > 0);
        usleep(300000);
        if (again)
            pt_alarm_raise(r.alarm, PT_TRIGGER_SIGNAL, "signal");
        for (int i = 0; i < 100 && pt_alarm_dense_us(r.alarm); i++) {
            usleep(50000);
            pt_alarm_after(r.alarm, false);
        }
        end(&r);
        assert_int_equal(told(&r, "begins: a snapshot every 1 s for 3 s"), 1);
        assert_int_equal(told(&r, "ends: "), 1);
        assert_int_equal(told(&r, "no dense snapshots: those of the day are used up"), again);
        tree_remove("");
    }
}

/* A chain's seal is paid for while it grows, and tells what the next one will take. */
static void seals_are_saved_for(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, "seals", 1000000, 0);
    const struct pt_gov *gov = pt_sampler_governor(r.sampler);
    const struct pt_sealing *z = &r.sampler->sealing;
    const double guess = z->us_byte;
    for (int i = 0; i < 200 && gov->unpaid_us >= 0; i++) {
        usleep(50000);
        snapshot(&r, PT_TRIGGER_TIMER);
    }
    assert_true(gov->unpaid_us < 0);
    assert_true(gov->store_us > 0);
    pt_sampler_new_chain(r.sampler);
    snapshot(&r, PT_TRIGGER_TIMER);
    assert_true(z->waiting > 0);
    for (int i = 0; i < 200 && z->waiting; i++) {
        usleep(50000);
        snapshot(&r, PT_TRIGGER_TIMER);
    }
    assert_int_equal(z->waiting, 0);
    assert_true(z->us_byte > 0 && (z->us_byte < guess || z->us_byte > guess));
    end(&r);
    tree_remove("");
}

int main(void)
{
    /* a disk that is busy makes storing cost more than there is to save */
    if (access("/dev/shm", W_OK) == 0)
        setenv("PT_TMP", "/dev/shm", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_left_out),      cmocka_unit_test(triggers_are_spared),
        cmocka_unit_test(triggers_left_out),   cmocka_unit_test(burst_cut),
        cmocka_unit_test(seals_are_saved_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
