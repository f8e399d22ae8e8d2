/* SPDX-License-Identifier: MIT
 * OOM kills looked into: what the recorder's words say, the kernel's rule, and a small recording.
 * Units: bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/report/report.h"
#include "tests/support/recording.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll
#define MIB      (INT64_C(1) << 20)

static void words(void **state)
{
    static const struct {
        const char *subject, *text;
        enum pt_constraint constraint;
        bool counted;
        const char *cgroup;
    } cases[] = {
        {"7 a", "killed: the host is out of memory; in no snapshot", PT_CONSTRAINT_HOST, false,
         NULL},
        {"7 a", "killed: out of memory in cgroup /a/b; snapshot 3: RSS 1 kB", PT_CONSTRAINT_CGROUP,
         false, "/a/b"},
        {"7 a", "killed: out of memory in cgroup /a; b; in no snapshot; kernel: uid 0",
         PT_CONSTRAINT_CGROUP, false, "/a; b"},
        {"7 a", "killed: out of memory in cgroup ?; in no snapshot", PT_CONSTRAINT_CGROUP, false,
         NULL},
        {"7 a", "killed: out of memory in the nodes of its cpuset; in no snapshot",
         PT_CONSTRAINT_CPUSET, false, NULL},
        {"7 a", "killed: out of memory in the nodes of its memory policy; in no snapshot",
         PT_CONSTRAINT_POLICY, false, NULL},
        {"/a", "2 killed: the kernel log, which says whom, cannot be read", PT_CONSTRAINT_CGROUP,
         true, "/a"},
        {"", "1 killed: the kernel log, which says whom, does not tell", PT_CONSTRAINT_HOST, true,
         NULL},
        {"", "", PT_CONSTRAINT_NONE, false, NULL},
        {"7 a", "something else", PT_CONSTRAINT_NONE, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct pt_oom_told told = pt_oom_told(cases[i].subject, cases[i].text);
        assert_int_equal(told.constraint, cases[i].constraint);
        assert_int_equal(told.counted, cases[i].counted);
        assert_int_equal(told.cgroup != NULL, cases[i].cgroup != NULL);
        if (told.cgroup) {
            assert_int_equal(told.cgroup_len, strlen(cases[i].cgroup));
            assert_memory_equal(told.cgroup, cases[i].cgroup, told.cgroup_len);
        }
    }
}

static void groups(void **state)
{
    (void)state;
    assert_true(pt_oom_within("/a/b", "/a"));
    assert_true(pt_oom_within("/a", "/a"));
    assert_false(pt_oom_within("/ab", "/a"));
    assert_false(pt_oom_within(NULL, "/a"));
    assert_true(pt_oom_within(NULL, "/"));
}

static struct pt_process process(int64_t pid, int64_t rss, int64_t swap, int64_t tables,
                                 int64_t adj)
{
    struct pt_process p = {.pid = pid, .state = 'S', .pgtables = tables, .oom_adj = adj};
    for (unsigned i = 0; i < PT_MEASURES; i++)
        p.m[i] = PT_UNKNOWN;
    p.m[PT_RSS] = rss;
    p.m[PT_SWAP] = swap;
    return p;
}

static void the_kernels_rule(void **state)
{
    struct pt_process v[] = {
        process(1, 900 * MIB, 0, 0, 0),                      /* the first process */
        process(2, 100 * MIB, 50 * MIB, 2 * MIB, 0),         /* 152 */
        process(3, 10 * MIB, 0, 0, 200),                     /* 10 + 200 */
        process(4, 500 * MIB, 0, 0, -1000),                  /* never */
        process(5, 300 * MIB, PT_UNKNOWN, PT_UNKNOWN, -250), /* 300 - 250 */
        process(6, 160 * MIB, 0, 0, PT_UNKNOWN),             /* not read: as 0 */
        process(7, PT_UNKNOWN, 0, 0, 1000),                  /* nothing known */
        process(8, 800 * MIB, 0, 0, 0),                      /* a zombie */
        process(9, INT64_MAX - 5, 100, 100, 0),              /* of a damaged file */
        process(10, 1 * MIB, 0, 0, -500),                    /* negative */
    };
    const size_t n = sizeof(v) / sizeof(*v);
    const struct pt_oom_rule rule = {.total = 1000 * MIB};
    static const int64_t order[] = {9, 3, 6, 2, 5, 10, 4};
    struct pt_candidate *c;
    size_t found;
    struct pt_err err = {0};
    (void)state;
    v[7].state = 'Z';
    assert_int_equal(pt_oom_rank(v, n, &rule, &c, &found, &err), 0);
    assert_int_equal(found, 7);
    for (size_t i = 0; i < found; i++)
        assert_int_equal(c[i].process->pid, order[i]);
    assert_true(c[0].badness == INT64_MAX);
    assert_true(c[1].badness == 210 * MIB && c[3].badness == 152 * MIB);
    assert_true(c[2].guessed && c[5].badness == -499 * MIB && c[6].exempt);
    free(c);
    v[1].cgroup = "/a/b";
    v[2].cgroup = "/ab";
    const struct pt_oom_rule of_group = {.total = PT_UNKNOWN, .cgroup = "/a"};
    assert_int_equal(pt_oom_rank(v, n, &of_group, &c, &found, &err), 0);
    assert_int_equal(found, 1);
    assert_int_equal(c[0].process->pid, 2);
    free(c);
}

/* ---- a recording ---- */

#define STAT(pid, comm)                                                                            \
#pid " (" comm ") S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define STATUS(rss)                                                                                \
    "Name:\tx\nUid:\t0\t0\t0\t0\nVmRSS:\t " rss " kB\nRssAnon:\t " rss                             \
    " kB\nVmPTE:\t 64 kB\nVmSwap:\t 0 kB\n"
#define MEMINFO(available)                                                                         \
    "MemTotal:       1000000 kB\nMemFree:        " available " kB\nMemAvailable:   " available     \
    " kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
#define ZONEINFO                                                                                   \
    "Node 0, zone   Normal\n  pages free     100\n        min      200\n        low      250\n"    \
    "        high     300\n        managed  4000\n"

static const struct source_text calm[] = {
    {"proc:10/stat", STAT(10, "hog")},
    {"proc:10/status", STATUS("1000")},
    {"proc:10/oom_score_adj", "0\n"},
    {"proc:10/cgroup", "4:memory:/g\n"},
    {"proc:11/stat", STAT(11, "other")},
    {"proc:11/status", STATUS("5000")},
    {"proc:11/oom_score_adj", "100\n"},
    {"proc:11/cgroup", "4:memory:/g/h\n"},
    {"proc:12/stat", STAT(12, "outside")},
    {"proc:12/status", STATUS("90000")},
    {"proc:12/cgroup", "4:memory:/\n"},
    {"proc:meminfo", MEMINFO("800000")},
    {"proc:zoneinfo", ZONEINFO},
    {"cgroup:memory/g/memory.limit_in_bytes", "67108864\n"},
    {"cgroup:memory/g/memory.usage_in_bytes", "6000000\n"},
    {"proc:pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
                             "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
};
static const struct source_text tight[] = {
    {"proc:10/status", STATUS("60000")},
    {"proc:meminfo", MEMINFO("700000")},
    {"cgroup:memory/g/memory.usage_in_bytes", "67000000\n"},
    {"proc:pressure/memory", "some avg10=12.50 avg60=0.00 avg300=0.00 total=9\n"
                             "full avg10=3.25 avg60=0.00 avg300=0.00 total=9\n"},
};

struct fixture {
    struct recording r;
    struct pt_session session;
};
static const struct pt_args args;

static void append(struct recording *r, int64_t real_us, const struct source_text *texts, size_t n)
{
    const struct pt_snap snap = {
        .real_us = real_us, .boot_us = real_us - START + 1, .mono_us = 1, .boot = 1};
    recording_begin(r, &snap, false);
    recording_texts(r, texts, n);
    recording_end(r);
}
#define APPEND(r, us, texts) append(r, us, texts, sizeof(texts) / sizeof((texts)[0]))

static void record(struct fixture *f, bool kill)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    memset(f, 0, sizeof(*f));
    recording_new(&f->r, &meta, START);
    APPEND(&f->r, START, calm);
    APPEND(&f->r, START + INTERVAL, tight);
    if (kill)
        recording_event(&f->r, START + INTERVAL + 500000, PT_EVENT_OOM, 2, "10 hog",
                        "killed: out of memory in cgroup /g; snapshot 2: RSS 60000 kB");
    recording_close(&f->r);
    assert_int_equal(pt_session_open(&args, f->r.path, &f->session), 0);
}

static void drop(struct fixture *f)
{
    pt_session_close(&f->session, 0);
    recording_remove(&f->r);
}

static void a_kill(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record(&f, true);
    /* told at whole seconds, it is found by them */
    assert_int_equal(pt_oom_find(&f.session, START + INTERVAL, &c, &err), 0);
    assert_true(c.killed && c.found && c.kills == 1 && c.rank == 1);
    assert_int_equal(c.constraint, PT_CONSTRAINT_CGROUP);
    assert_string_equal(c.cgroup, "/g");
    assert_true(c.limit == 64 * MIB && c.total == 64 * MIB);
    assert_int_equal(c.nminutes, 2);
    assert_true(c.minutes[0].usage == 6000000 && c.minutes[1].usage == 67000000);
    assert_true(c.minutes[1].some > 12.4 && c.minutes[1].full < 3.3);
    assert_int_equal(c.ngrowers, 1);
    assert_int_equal(c.growers[0].after->pid, 10);
    assert_true(c.growers[0].delta == 59000 * 1024);
    assert_int_equal(c.ncandidates, 2); /* not the one outside */
    assert_int_equal(c.candidates[0].process->pid, 10);
    assert_non_null(c.next);
    assert_int_equal(c.next->process->pid, 11);
    assert_true(c.next->badness == (5000 + 64) * 1024 + 64 * MIB / 1000 * 100);
    assert_int_equal(c.zones.n, 1);
    assert_string_equal(pt_zone_state(&c.zones.v[0]), "below min");
    json_t *o = pt_oom_json(&c, PT_UNKNOWN);
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "kill"), "cgroup")),
                        "/g");
    json_decref(o);
    pt_oom_release(&c);
    /* before the kill: what would be, of the whole machine */
    assert_int_equal(pt_oom_find(&f.session, START + 1000000, &c, &err), 0);
    assert_true(!c.killed && c.kills == 1 && c.ncandidates == 3);
    assert_int_equal(c.next->process->pid, 11); /* an adjustment of 100 is 100 MB here */
    pt_oom_release(&c);
    drop(&f);
}

static void no_kill(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record(&f, false);
    assert_int_equal(pt_oom_find(&f.session, INT64_MAX, &c, &err), 0);
    assert_true(!c.killed && c.found && c.kills == 0);
    assert_true(c.before.view->snap.n == 2);
    assert_int_equal(c.ncandidates, 3);
    pt_oom_release(&c);
    assert_true(pt_oom_find(&f.session, START - 5000000, &c, &err) < 0);
    drop(&f);
}

/* Snapshots of a kill, '!' where its frame is damaged: calm, then tight; 'k' begins a chain. */
static void record_damaged(struct fixture *f, const char *how, int64_t last)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    int64_t at = START;
    memset(f, 0, sizeof(*f));
    recording_new(&f->r, &meta, START);
    for (const char *c = how; *c; c++) {
        const struct pt_snap snap = {
            .real_us = at, .boot_us = at - START + 1, .mono_us = 1, .boot = 1};
        const bool begins = *c == 'k' || *c == 'K';
        f->r.spoil = *c == '!' || *c == 'K';
        recording_begin(&f->r, &snap, begins);
        if (c == how || begins)
            RECORDING_TEXTS(&f->r, calm);
        if (c > how)
            RECORDING_TEXTS(&f->r, tight);
        recording_end(&f->r);
        at += INTERVAL;
    }
    recording_event(&f->r, at - INTERVAL + 500000, PT_EVENT_OOM, last, "10 hog",
                    "killed: out of memory in cgroup /g; snapshot 2: RSS 60000 kB");
    recording_close(&f->r);
    assert_int_equal(pt_session_open(&args, f->r.path, &f->session), 0);
}

static void is_said(const struct fixture *f, const char *words)
{
    char *text = NULL;
    size_t len = 0;
    const struct pt_args whole = {.positional = {f->r.path},
                                  .npositional = 1,
                                  .top = PT_UNKNOWN,
                                  .out = open_memstream(&text, &len)};
    assert_int_equal(pt_command_run(&pt_cmd_oom, &whole), PT_EXIT_DAMAGED);
    fclose(whole.out);
    if (!strstr(text, words))
        fail_msg("'%s' is not said: %s", words, text);
    free(text);
}

/* All of a report is made, this kill too. */
static void is_reported(struct fixture *f, bool before)
{
    const struct pt_report_options o = {
        .from = f->session.span.first, .to = f->session.span.last, .top = PT_UNKNOWN};
    struct pt_err err = {0};
    json_t *doc = pt_report_make(&f->session, &o, &err);
    if (!doc)
        fail_msg("no report: %s", err.text);
    const json_t *kill = json_array_get(json_object_get(doc, "oom"), 0);
    assert_true(json_is_object(json_object_get(kill, "kill")));
    assert_true(json_is_true(json_object_get(kill, "damaged")));
    assert_int_equal(json_is_object(json_object_get(kill, "before")), before);
    assert_true(json_array_size(json_object_get(doc, "notes")) > 0);
    json_decref(doc);
}

/* The picture is then that of an earlier snapshot, which says how old it is. */
static void a_damaged_snapshot_is_passed_over(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record_damaged(&f, "k.!", 3);
    assert_int_equal(pt_oom_find(&f.session, INT64_MAX, &c, &err), 0);
    assert_true(c.killed && c.found && c.damaged);
    assert_int_equal(c.before.view->snap.n, 2);
    assert_true(c.before.age_us == INTERVAL + 500000);
    assert_int_equal(c.ngrowers, 1);
    assert_int_equal(c.next->process->pid, 11);
    pt_oom_release(&c);
    is_said(&f, "the recording is damaged there: what is missing is left out");
    is_reported(&f, true);
    drop(&f);
}

/* One minute less, and nothing that went wrong. */
static void a_minute_may_be_damaged(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record_damaged(&f, "k.!.", 4);
    assert_int_equal(pt_oom_find(&f.session, INT64_MAX, &c, &err), 0);
    assert_int_equal(err.code, PT_OK);
    assert_true(c.found);
    assert_int_equal(c.nminutes, 3);
    assert_int_equal(c.minutes[2].n, 4);
    assert_int_equal(c.ngrowers, 1);
    pt_oom_release(&c);
    drop(&f);
}

/* Where the window begins with damage, who grew since is not known, rather than nobody. */
static void growth_since_damage_is_not_known(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record_damaged(&f, "K.k", 3);
    assert_int_equal(pt_oom_find(&f.session, INT64_MAX, &c, &err), 0);
    assert_true(c.found && c.damaged);
    assert_int_equal(c.before.view->snap.n, 3);
    assert_int_equal(c.ngrowers, 0);
    assert_int_equal(c.ncandidates, 2);
    pt_oom_release(&c);
    is_said(&f, "    not known: the recording is damaged there");
    is_reported(&f, true);
    drop(&f);
}

static void nothing_can_be_read(void **state)
{
    struct fixture f;
    struct pt_oom_case c;
    struct pt_err err = {0};
    (void)state;
    record_damaged(&f, "K.", 2);
    assert_int_equal(pt_oom_find(&f.session, INT64_MAX, &c, &err), 0);
    assert_true(c.killed && !c.found && c.damaged);
    json_t *o = pt_oom_json(&c, PT_UNKNOWN);
    assert_true(json_is_null(json_object_get(o, "before")));
    assert_true(json_is_true(json_object_get(o, "damaged")));
    json_decref(o);
    pt_oom_release(&c);
    is_said(&f, "what stood before it cannot be read: the recording is damaged there");
    is_reported(&f, false);
    /* an instant without a kill, of which nothing can be told */
    assert_int_equal(pt_oom_find(&f.session, START, &c, &err), -PT_EDAMAGED);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(groups),
        cmocka_unit_test(the_kernels_rule),
        cmocka_unit_test(a_kill),
        cmocka_unit_test(no_kill),
        cmocka_unit_test(a_damaged_snapshot_is_passed_over),
        cmocka_unit_test(a_minute_may_be_damaged),
        cmocka_unit_test(growth_since_damage_is_not_known),
        cmocka_unit_test(nothing_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
