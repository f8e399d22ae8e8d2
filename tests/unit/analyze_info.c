/* SPDX-License-Identifier: MIT
 * What is told of a recording as a whole: gaps, the recorder's cost and account of itself, what it
 * could not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/info/info.h"
#include "tests/support/recording.h"

#define START  1795000000000000ll
#define SECOND 1000000ll

/* ---- snapshots one after the other ---- */

struct walked {
    struct pt_info info;
    struct pt_info_walk walk;
};

static void begin(struct walked *w)
{
    *w = (struct walked){.info = {.rss_max = PT_UNKNOWN, .cost_max = -1}};
    w->walk = (struct pt_info_walk){.info = &w->info, .interval_us = 10 * SECOND};
}

static void step(struct walked *w, int64_t n, int64_t seconds, uint32_t boot, int64_t cost_us)
{
    const struct pt_snap snap = {.n = n,
                                 .real_us = START + seconds * SECOND,
                                 .boot = boot,
                                 .cost_us = cost_us,
                                 .rss_kb = PT_UNKNOWN};
    assert_int_equal(pt_info_add(&w->walk, &snap), 0);
}

static void gaps_are_what_nobody_thinned(void **state)
{
    (void)state;
    struct walked w;
    begin(&w);
    step(&w, 1, 0, 1, 0);
    step(&w, 2, 10, 1, 0);
    step(&w, 3, 60, 1, 0); /* 5 intervals are not more than 5 */
    step(&w, 4, 111, 1, 0);
    step(&w, 10, 171, 1, 0);  /* 5 of 6 thinned out */
    step(&w, 16, 1000, 1, 0); /* and here something was wrong, too */
    step(&w, 17, 5000, 2, 0); /* a reboot is none */
    assert_int_equal(w.info.gaps_in_all, 2);
    assert_int_equal(w.info.gaps[0].from, 10);
    assert_int_equal(w.info.gaps[0].us, 829 * SECOND);
    assert_int_equal(w.info.gaps[1].to, 4);
    assert_int_equal(w.info.covered_us, (60 + 60) * SECOND);
}

/* A snapshot's cost is that since the one before it, whatever was thinned out between. */
static void cost_is_of_known_steps(void **state)
{
    (void)state;
    struct walked w;
    begin(&w);
    step(&w, 1, 0, 1, 999 * SECOND); /* since when? */
    for (int i = 1; i <= 6; i++)
        step(&w, 1 + i, i * 10, 1, i == 3 ? 4 * SECOND : SECOND / 10);
    assert_true(pt_info_cpu(&w.info) == 7.5);
    assert_true(w.info.cost_max == 7.5);
    step(&w, 13, 120, 1, 50 * SECOND); /* thinned: not known what it was used in */
    step(&w, 14, 130, 1, PT_UNKNOWN);
    for (int i = 1; i <= 11; i++)
        step(&w, 14 + i, 130 + i * 10, 1, SECOND);
    assert_true(w.info.cost_max == 10); /* of the first 6 steps; 5 are no minute */
    assert_int_equal(w.info.cost_span_us, 170 * SECOND);
}

/* ---- the account ---- */

static void tell(struct pt_own *own, const char *field, int64_t n, int64_t value)
{
    const struct pt_point p = {
        .field = field, .n = n, .known = value != PT_UNKNOWN, .ivalue = value};
    assert_int_equal(pt_own_add(own, &p), 0);
}

static void account_adds_up(void **state)
{
    (void)state;
    struct pt_own own = {.n = 0};
    tell(&own, "lost", 1, 3); /* the recording begins with the recorder */
    tell(&own, "gauge", 1, 10);
    tell(&own, "late", 5, 100); /* had it before */
    tell(&own, "lost", 5, 7);
    tell(&own, "gauge", 8, 30);
    tell(&own, "", 10, PT_UNKNOWN); /* damaged from here... */
    tell(&own, "lost", 15, 9);      /* ...to here */
    tell(&own, "gauge", 15, 2);
    tell(&own, "late", 15, 150);
    tell(&own, "lost", 20, 1); /* another run */
    tell(&own, "never", 20, PT_UNKNOWN);
    pt_own_end(&own, 24);
    assert_int_equal(pt_own_total(&own, "lost"), 10);
    assert_int_equal(pt_own_last(&own, "lost"), 1);
    assert_int_equal(pt_own_max(&own, "lost"), 9);
    assert_int_equal(pt_own_total(&own, "late"), 50);
    assert_int_equal(pt_own_max(&own, "gauge"), 30);
    assert_true(pt_own_mean(&own, "gauge") == (10.0 * 7 + 30 * 2 + 2 * 10) / 19);
    assert_true(pt_own_last(&own, "never") == PT_UNKNOWN);
    assert_true(pt_own_last(&own, "absent") == PT_UNKNOWN);
    assert_true(pt_own_total(&own, "absent") == PT_UNKNOWN);
    assert_true(pt_own_mean(&own, "absent") < 0);
}

/* ---- a recording ---- */

static void record(struct recording *r)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * SECOND};
    recording_new(r, &meta, START);
    recording_event(r, START, PT_EVENT_START, 1, "", "begins");
    for (int i = 0; i < 10; i++) {
        char account[256];
        const struct pt_snap snap = {.real_us = START + i * 10 * SECOND,
                                     .boot = 1,
                                     .cost_us = SECOND / 10,
                                     .rss_kb = 4096 + i};
        recording_begin(r, &snap, i % 4 == 0);
        snprintf(account, sizeof(account),
                 "cpu_us %d\ncpu_deep_us %d\nread_us %d\nwritten_bytes %d\nbudget_ppm 5000\n"
                 "processes 3\nprocesses_read 2\ndeep_overdue %d\nexits_lost %d\ncgroups 1\n",
                 100000 * (i + 1), 25000 * (i + 1), 1000 + i * 100, 4096 * (i + 1), i, i / 5);
        recording_text(r, "self:account", account);
        recording_text(r, "proc:7/stat",
                       "7 (x) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 5 4 9 1\n");
        recording_fail(r, "proc:7/smaps", EACCES);
        recording_fail(r, "proc:8/smaps", EACCES);
        recording_fail(r, "proc:9/smaps", ETIMEDOUT);
        recording_fail(r, "proc:slabinfo", EACCES);
        recording_end(r);
    }
    recording_event(r, START + 95 * SECOND, PT_EVENT_OOM, 10, "7 x", "killed");
    recording_event(r, START + 96 * SECOND, PT_EVENT_OOM, 10, "8 x", "killed");
    recording_close(r);
}

static void check_info(const struct pt_info *info)
{
    assert_int_equal(info->events[PT_EVENT_OOM], 2);
    assert_int_equal(info->events[PT_EVENT_START], 1);
    assert_int_equal(info->nunread, 3);
    assert_string_equal(info->unread[0].files, "proc:*/smaps");
    assert_int_equal(info->unread[0].count, 2);
    assert_int_equal(info->unread[0].why, EACCES);
    assert_int_equal(info->unread[1].why, ETIMEDOUT);
    assert_string_equal(info->unread[2].files, "proc:slabinfo");
    assert_int_equal(pt_own_last(&info->own, "deep_overdue"), 9);
    assert_int_equal(pt_own_total(&info->own, "exits_lost"), 1);
    assert_true(pt_own_mean(&info->own, "read_us") == 1450);
    assert_int_equal(pt_info_written_per_day(info), 40960 * INT64_C(86400) / 90);
    assert_true(info->cost_max == 1);
}

static void what_the_account_says_is_told(void **state)
{
    (void)state;
    struct recording r;
    struct pt_session s;
    struct pt_info info;
    struct pt_err err = {0};
    char *text = NULL;
    size_t size;
    struct pt_args args = {.top = PT_UNKNOWN, .out = open_memstream(&text, &size)};
    record(&r);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    if (pt_info_make(&s, &info, &err) < 0)
        fail_msg("%s", err.text);
    check_info(&info);
    pt_info_text(&s, &info);
    assert_int_equal(pt_session_close(&s, 0), 0);
    fclose(args.out);
    static const char *const lines[] = {
        "events       1 start, 2 oom\n",
        "coverage     1 processes at the end, 0 of them kernel threads, 2 looked at each\n"
        "             time, 1 control group\n",
        "             9 deep reads overdue\n",
        "unreadable   2 proc:*/smaps: Permission denied\n"
        "             1 proc:*/smaps: the read hung\n"
        "             1 proc:slabinfo: Permission denied\n",
        "missed       1 end of a process\n",
        "cost         1.00% of a CPU, at most 1.00% over a minute, it may take 0.50%, at\n"
        "             most 4.0 MiB resident\n"
        "             25% of it deep reads\n"
        "             reading takes 1.4 ms, at most 1.9\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr(text, lines[i]))
            fail_msg("%sis not in:\n%s", lines[i], text);
    }
    free(text);
    recording_remove(&r);
}

/* Old snapshots are thinned for want of room: what is missing then is told as such, and is no gap.
 */
static void thinned_is_no_gap(void **state)
{
    (void)state;
    enum { SNAPSHOTS = 3000 };
    struct recording r;
    struct pt_session s;
    struct pt_info info;
    struct pt_err err = {0};
    struct pt_store_size size;
    const struct pt_args args = {.top = PT_UNKNOWN};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * SECOND};
    recording_new(&r, &meta, START);
    srand(1);
    for (int i = 0; i < SNAPSHOTS; i++) {
        char text[2048];
        size_t n = 0;
        const struct pt_snap snap = {.real_us = START + i * 10 * SECOND, .boot = 1};
        recording_begin(&r, &snap, i % 100 == 0);
        for (int k = 0; k < 60; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "key%d %d\n", k, rand());
        recording_text(&r, "proc:vmstat", text);
        recording_end(&r);
    }
    assert_int_equal(pt_store_seal(r.store, true, &err), 0);
    assert_int_equal(pt_store_size(r.store, &size, &err), 0);
    const struct pt_limits limits = {.max_bytes = size.file * 3 / 4, .interval_us = 10 * SECOND};
    assert_int_equal(pt_store_limit(r.store, &limits, &err), 0);
    int more;
    while ((more = pt_store_retain(r.store, &err)) > 0) {
    }
    assert_int_equal(more, 0);
    recording_close(&r);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    assert_int_equal(pt_info_make(&s, &info, &err), 0);
    assert_true(s.span.removed > 0);
    assert_int_equal(s.span.removed, SNAPSHOTS - s.span.count);
    assert_int_equal(info.gaps_in_all, 0);
    assert_in_range(info.thin_n, s.span.first + 1, s.span.last);
    assert_int_equal(info.thin_us, START + (info.thin_n - 1) * 10 * SECOND);
    assert_int_equal(pt_session_close(&s, 0), 0);
    recording_remove(&r);
}

/* Of a recording whose end cannot be read all but that is told. */
static void damage_at_the_end_is_not_known(void **state)
{
    struct recording r;
    char *text = NULL;
    size_t size;
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * SECOND};
    (void)state;
    recording_new(&r, &meta, START);
    for (int i = 0; i < 3; i++) {
        const struct pt_snap snap = {.real_us = START + i * 10 * SECOND, .boot = 1};
        r.spoil = i == 2;
        recording_begin(&r, &snap, false);
        recording_text(&r, "proc:meminfo", "MemTotal: 1000 kB\n");
        recording_end(&r);
    }
    recording_close(&r);
    for (int json = 0; json < 2; json++) {
        const struct pt_args args = {.top = PT_UNKNOWN,
                                     .positional = {r.path},
                                     .npositional = 1,
                                     .json = json,
                                     .out = open_memstream(&text, &size)};
        assert_int_equal(pt_command_run(&pt_cmd_info, &args), PT_EXIT_DAMAGED);
        fclose(args.out);
        const char *want = json ? "\"processes\": null" : "not known: the last snapshot is damaged";
        if (!strstr(text, want) || !strstr(text, json ? "\"snapshots\": 3" : "snapshots    3 over"))
            fail_msg("'%s' is not in:\n%s", want, text);
        free(text);
    }
    recording_remove(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_what_nobody_thinned),
        cmocka_unit_test(cost_is_of_known_steps),
        cmocka_unit_test(account_adds_up),
        cmocka_unit_test(thinned_is_no_gap),
        cmocka_unit_test(damage_at_the_end_is_not_known),
        cmocka_unit_test(what_the_account_says_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
