/* SPDX-License-Identifier: MIT
 * A small recording, looked at: what a process held, and where a recording that broke off begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "analyze/diff/diff.h"
#include "analyze/session.h"
#include "tests/support/recording.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll

#define STAT(pid, state)                                                                           \
#pid " (worker) " state                                                                        \
         " 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define SMAPS                                                                                      \
    "7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n"                                           \
    "Size:               1024 kB\nRss:                 512 kB\nPss:                 512 kB\n"      \
    "Private_Clean:         0 kB\nPrivate_Dirty:       512 kB\nSwap:                  0 kB\n"

/* Both processes are deeply read once; then 10 ends and waits for its parent, 11 goes on. */
#define ID64 "c8b38413c88eefe063b8cd3f01c16be5e3bda9693a19a68a88807baca9feb937"
static const struct source_text alive[] = {
    {"proc:10/cgroup", "12:memory:/docker/" ID64 "\n1:name=systemd:/docker/" ID64
                       "\n0::/system.slice/containerd.service\n"},
    {"proc:10/smaps", SMAPS},
    {"proc:10/stat", STAT(10, "S")},
    {"proc:10/status", "Name:\tworker\nUid:\t0\t0\t0\t0\nVmRSS:\t     512 kB\n"},
    {"proc:11/cgroup",
     "4:memory:/user.slice/user-7.slice/user@7.service\n1:name=systemd:/user.slice/"
     "user-7.slice/user@7.service/app.slice/web.service\n0::/\n"},
    {"proc:11/smaps", SMAPS},
    {"proc:11/stat", STAT(11, "S")},
    {"proc:11/status", "Name:\tworker\nUid:\t0\t0\t0\t0\nVmRSS:\t     512 kB\n"},
};
static const struct source_text ended[] = {
    {"proc:10/stat", STAT(10, "Z")},
    {"proc:10/status", "Name:\tworker\nUid:\t0\t0\t0\t0\n"},
};

struct fixture {
    struct recording r;
    struct pt_session session;
};
static const struct pt_args args;

static void append(struct recording *r, int64_t real_us, const struct source_text *texts,
                   size_t ntexts)
{
    const struct pt_snap snap = {.real_us = real_us, .boot_us = 1, .boot = 1};
    recording_begin(r, &snap, false);
    recording_texts(r, texts, ntexts);
    recording_end(r);
}
#define APPEND(r, us, texts) append(r, us, texts, sizeof(texts) / sizeof((texts)[0]))

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    recording_new(&f->r, &meta, START);
    APPEND(&f->r, START, alive);
    APPEND(&f->r, START + INTERVAL, ended);
    /* the next boot's recorder is killed before its first snapshot */
    assert_int_equal(recording_boot(&f->r, "boot-2", START + 9 * INTERVAL), 2);
    recording_close(&f->r);
    assert_int_equal(pt_session_open(&args, f->r.path, &f->session), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pt_session_close(&f->session, 0);
    recording_remove(&f->r);
    free(f);
    return 0;
}

/* A zombie's memory is gone, though the last reading of its smaps is still carried. */
static void zombie_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct pt_view *view;
    struct pt_processes p;
    struct pt_err err = {0};
    assert_int_equal(pt_view_load(f->session.db, 2, PT_GROUP_ALL, &view, &err), 0);
    assert_int_equal(pt_processes_load(view, f->session.smaps, &p, &err), 0);
    assert_int_equal(p.n, 2);
    assert_int_equal(p.v[0].pid, 10);
    assert_int_equal(p.v[0].state, 'Z');
    assert_true(p.v[0].m[PT_PSS] == PT_UNKNOWN);
    assert_null(p.v[0].smaps);
    assert_int_equal(p.v[1].m[PT_PSS], 512 * 1024);
    assert_non_null(p.v[1].smaps);
    pt_processes_release(&p);
    pt_view_free(view);
}

/* The hierarchy that accounts memory may know less of a process than systemd's own, and what one
 * names a container another may name the daemon that made it. */
static void services_of_any_hierarchy(void **state)
{
    struct fixture *f = *state;
    struct pt_view *view;
    struct pt_processes p;
    struct pt_err err = {0};
    assert_int_equal(pt_view_load(f->session.db, 1, PT_GROUP_ALL, &view, &err), 0);
    assert_int_equal(pt_processes_load(view, f->session.smaps, &p, &err), 0);
    assert_string_equal(p.v[0].service, "docker-c8b38413c88e");
    assert_string_equal(p.v[0].container, ID64);
    assert_string_equal(p.v[0].cgroup, "/docker/" ID64);
    assert_string_equal(p.v[1].service, "user@7/web.service");
    assert_string_equal(p.v[1].cgroup, "/user.slice/user-7.slice/user@7.service");
    assert_null(p.v[1].container);
    pt_processes_release(&p);
    pt_view_free(view);
}

static void boot_without_snapshots_is_passed_over(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(pt_db_boots(f->session.db), 2);
    assert_int_equal(pt_session_boot_first(&f->session), 1);
}

/* What is kept of a recording that grows meanwhile: its tables are read anew with each question
 * (ASan looks on). */
static void diff_of_a_live_recording(void **state)
{
    (void)state;
    struct recording r;
    struct pt_session s;
    struct pt_picture from, to;
    struct pt_diff d;
    struct pt_err err = {0};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    recording_new(&r, &meta, START);
    APPEND(&r, START, alive);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    assert_int_equal(pt_picture_load(s.db, 1, s.smaps, &from, &err), 0);
    APPEND(&r, START + INTERVAL, ended);
    assert_int_equal(pt_picture_load(s.db, 2, s.smaps, &to, &err), 0);
    assert_string_equal(from.boot.boot_id, "boot-1");
    assert_int_equal(pt_diff_make(&from, &to, PT_BY_PROCESS, &d, &err), 0);
    assert_false(d.other_boot);
    pt_diff_release(&d);
    pt_picture_release(&from);
    pt_picture_release(&to);
    assert_int_equal(pt_session_close(&s, 0), 0);
    recording_remove(&r);
}

/* The clock of a broken or forged recording: no arithmetic may go astray (UBSan looks on). */
static void any_clock_is_borne(void **state)
{
    static const int64_t ends[][2] = {{INT64_MIN + 1000, INT64_MAX}, {INT64_MAX, INT64_MIN + 1000}};
    static const char *const times[] = {"-30m", "yesterday", "14:05", "2h ago"};
    (void)state;
    struct pt_args quiet = {.out = fopen("/dev/null", "w"), .top = PT_UNKNOWN, .npositional = 1};
    assert_non_null(quiet.out);
    for (unsigned i = 0; i < 2; i++) {
        const struct pt_meta meta = {.page_size = 4096, .clk_tck = 100, .interval_us = INT64_MAX};
        struct recording r;
        recording_new(&r, &meta, START);
        APPEND(&r, ends[i][0], alive);
        APPEND(&r, ends[i][1], alive);
        for (unsigned k = 0; k < 2; k++)
            recording_event(&r, ends[i][k], PT_EVENT_OOM, 2, "10 worker", "killed");
        recording_close(&r);
        quiet.positional[0] = r.path;
        assert_int_equal(pt_command_run(&pt_cmd_info, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_diff, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_events, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_growth, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_leaks, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_swap, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_kernel, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_balance, &quiet), 0);
        assert_int_equal(pt_command_run(&pt_cmd_oom, &quiet), 0);
        quiet.positional[1] = "ps";
        quiet.npositional = 2;
        for (unsigned k = 0; k < sizeof(times) / sizeof(times[0]); k++) {
            quiet.at = times[k];
            assert_true(pt_command_run(&pt_cmd_show, &quiet) >= 0);
        }
        quiet.at = NULL;
        quiet.npositional = 1;
        recording_remove(&r);
    }
    fclose(quiet.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(zombie_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(services_of_any_hierarchy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(boot_without_snapshots_is_passed_over, set_up, tear_down),
        cmocka_unit_test(diff_of_a_live_recording),
        cmocka_unit_test_setup_teardown(any_clock_is_borne, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
