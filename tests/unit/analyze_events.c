/* SPDX-License-Identifier: MIT
 * A small recording with events: how they are told, and what stood before an OOM kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/args.h"
#include "tests/support/recording.h"

#define START  1795000000000000ll /* 2026-11-18 11:06:40 UTC */
#define SECOND 1000000ll
#define MANY   700 /* more than a page of events */

#define STAT(pid, comm, state)                                                                     \
#pid " (" comm ") " state                                                                      \
         " 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define STATUS(rss, swap)                                                                          \
    "Name:\tx\nUid:\t0\t0\t0\t0\nVmRSS:\t" #rss " kB\nRssAnon:\t" #rss                             \
    " kB\nRssFile:\t0 kB\nRssShmem:\t0 kB\nVmSwap:\t" #swap " kB\n"

static const struct source_text machine[] = {
    {"cgroup:memory/site/memory.limit_in_bytes", "9223372036854771712\n"},
    {"cgroup:memory/site/memory.usage_in_bytes", "900000000\n"},
    {"cgroup:memory/site/web/memory.limit_in_bytes", "1048576\n"},
    {"cgroup:memory/site/web/memory.usage_in_bytes", "1000000\n"},
    {"proc:meminfo", "MemTotal: 4096 kB\nMemFree: 100 kB\nMemAvailable: 512 kB\n"
                     "SwapTotal: 2048 kB\nSwapFree: 1024 kB\n"},
    {"proc:pressure/memory", "some avg10=12.50 avg60=0.00 avg300=0.00 total=99\n"
                             "full avg10=3.25 avg60=0.00 avg300=0.00 total=9\n"},
};
static const struct source_text victim[] = {
    {"proc:10/cgroup", "4:memory:/site/web\n1:name=systemd:/system.slice/web.service\n"},
    {"proc:10/stat", STAT(10, "big) one", "S")},
    {"proc:10/status", STATUS(1000, 24)},
};
static const struct source_text others[] = {
    {"proc:11/stat", STAT(11, "small", "S")},
    {"proc:11/status", STATUS(8, 0)},
    {"proc:12/stat", STAT(12, "huge", "R")},
    {"proc:12/status", STATUS(2000, 500)},
};

struct told {
    struct recording r;
    char *out; /* what the command printed */
    size_t len;
};

static void append(struct recording *r, int64_t n, bool alive)
{
    const struct pt_snap snap = {.real_us = START + (n - 1) * 10 * SECOND,
                                 .boot_us = 1,
                                 .boot = n < 4 ? 1 : 2,
                                 .utc_offset_s = n < 4 ? 3600 : 7200};
    recording_begin(r, &snap, n == 4);
    RECORDING_TEXTS(r, machine);
    if (alive) {
        RECORDING_TEXTS(r, victim);
        recording_bytes(r, "proc:10/cmdline", "java\0-jar\0a.jar", sizeof("java\0-jar\0a.jar"));
    }
    RECORDING_TEXTS(r, others);
    recording_end(r);
}

/* 10 s apart: 1 and 2 have the victim, 3 does not; 4 is after a reboot. */
static int set_up(void **state)
{
    struct told *t = calloc(1, sizeof(*t));
    struct recording *r = &t->r;
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * SECOND};
    recording_new(r, &meta, START);
    recording_event(r, START - 1, PT_EVENT_START, 1, "", "recording begins");
    append(r, 1, true);
    append(r, 2, true);
    append(r, 3, false);
    recording_event(
        r, START + 15 * SECOND, PT_EVENT_OOM, 2, "10 big) one",
        "killed, \"the\" kernel says, with a text that is longer than the columns there are");
    recording_event(r, START + 20 * SECOND, PT_EVENT_OOM, 2, "/site/web",
                    "told late: who is not known");
    assert_int_equal(recording_boot(r, "boot-2", START + 28 * SECOND), 2);
    append(r, 4, true);
    recording_event(r, START + 29 * SECOND, PT_EVENT_OOM, PT_UNKNOWN, "99 early",
                    "before its first snapshot");
    recording_event(r, START + 31 * SECOND, (enum pt_event)29, PT_UNKNOWN, "a\xff\033",
                    "of another version");
    for (int i = 0; i < MANY; i++)
        recording_event(r, START + 32 * SECOND + i, PT_EVENT_EXIT, 4, "7 x", "ended");
    recording_close(r);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct told *t = *state;
    recording_remove(&t->r);
    free(t->out);
    free(t);
    return 0;
}

/* What the command prints. */
static const char *tell(struct told *t, int want, struct pt_args args)
{
    free(t->out);
    t->out = NULL;
    args.out = open_memstream(&t->out, &t->len);
    args.positional[0] = t->r.path;
    if (args.npositional == 0)
        args.npositional = 1;
    assert_int_equal(pt_command_run(&pt_cmd_events, &args), want);
    fclose(args.out);
    return t->out;
}
#define ARGS(...)    ((struct pt_args){.top = PT_UNKNOWN, __VA_ARGS__})
#define TOP(n, ...)  ((struct pt_args){.top = n, __VA_ARGS__})
#define TELL(t, ...) tell(t, PT_EXIT_OK, ARGS(.npositional = 1, __VA_ARGS__))

static json_t *document(struct told *t, struct pt_args args)
{
    json_error_t error;
    args.json = true;
    json_t *j = json_loads(tell(t, PT_EXIT_OK, args), 0, &error);
    if (!j)
        print_error("%s\n", error.text);
    assert_true(json_is_array(j));
    return j;
}
#define DOCUMENT(t, ...) document(t, ARGS(.npositional = 1, __VA_ARGS__))

static const char *string_of(const json_t *o, const char *key)
{
    assert_true(json_is_string(json_object_get(o, key)));
    return json_string_value(json_object_get(o, key));
}

static void text_is_told_line_by_line(void **state)
{
    static const char want[] =
        "TIME +01:00          EVENT    WHAT\n"
        "2026-11-18 12:06:39  start    recording begins\n"
        "2026-11-18 12:06:55  oom      10 big) one: killed, \"the\" kernel says, with a\n"
        "                              text that is longer than the columns there are\n"
        "    before it (5.0 s, @2): 512 KiB of 4.0 MiB available, 1.0 MiB of 2.0 MiB swap\n"
        "    used, pressure some 12.50% full 3.25%\n"
        "    /site/web: 976.6 KiB of at most 1.0 MiB\n"
        "    PID      ANON     SWAP       RSS  SERVICE      COMMAND\n"
        "     12   2.0 MiB  500 KiB   2.0 MiB  -            [huge]\n"
        "     10  1000 KiB   24 KiB  1000 KiB  web.service  java -jar a.jar  killed\n"
        "     11     8 KiB      0 B     8 KiB  -            [small]\n"
        "2026-11-18 12:07:00  oom      /site/web: told late: who is not known\n"
        "    before it (10 s, @2): 512 KiB of 4.0 MiB available, 1.0 MiB of 2.0 MiB swap\n"
        "    used, pressure some 12.50% full 3.25%\n"
        "    /site/web: 976.6 KiB of at most 1.0 MiB\n"
        "    PID      ANON     SWAP       RSS  SERVICE      COMMAND\n"
        "     12   2.0 MiB  500 KiB   2.0 MiB  -            [huge]\n"
        "     10  1000 KiB   24 KiB  1000 KiB  web.service  java -jar a.jar\n"
        "     11     8 KiB      0 B     8 KiB  -            [small]\n"
        "TIME +02:00          EVENT    WHAT\n"
        "2026-11-18 13:07:09  oom      99 early: before its first snapshot\n";
    struct told *r = *state;
    assert_string_equal(TELL(r, .kinds = 1u << PT_EVENT_START | 1u << PT_EVENT_OOM), want);
}

/* One that no name is known of has a number, and no byte of a name reaches the terminal as it is.
 */
static void unknown_kinds_and_bytes(void **state)
{
    struct told *r = *state;
    const char *got = TELL(r, .from = "2026-11-18T11:07:11Z", .to = "2026-11-18T11:07:11Z");
    assert_non_null(strstr(got, "kind 29  a\\xff\\x1b: of another version\n"));
    got = tell(r, PT_EXIT_OK, TOP(MANY + 1, .csv = true));
    assert_non_null(strstr(got, "kind 29,a\\xff\\x1b,of another version,\n"));
}

static void csv_is_quoted(void **state)
{
    struct told *r = *state;
    const char *got = TELL(r, .csv = true, .kinds = 1u << PT_EVENT_OOM);
    assert_string_equal(got,
                        "time,kind,subject,detail,snapshot\n"
                        "2026-11-18T11:06:55.000000Z,oom,10 big) one,"
                        "\"killed, \"\"the\"\" kernel says, with a text that is longer than "
                        "the columns there are\",2\n"
                        "2026-11-18T11:07:00.000000Z,oom,/site/web,"
                        "told late: who is not known,2\n"
                        "2026-11-18T11:07:09.000000Z,oom,99 early,before its first snapshot,\n");
}

static void check_before(const json_t *before, int64_t n, double seconds, int64_t killed,
                         size_t limits)
{
    const json_t *p;
    size_t i, found = 0;
    assert_int_equal(json_integer_value(json_object_get(before, "snapshot")), n);
    assert_true(json_real_value(json_object_get(before, "seconds")) == seconds);
    assert_int_equal(json_integer_value(json_object_get(before, "mem_available")), 512 * 1024);
    assert_true(json_real_value(json_object_get(before, "pressure_full")) == 3.25);
    assert_int_equal(json_array_size(json_object_get(before, "limits")), limits);
    json_array_foreach(json_object_get(before, "processes"), i, p)
    {
        const bool is_killed = json_is_true(json_object_get(p, "killed"));
        found += is_killed;
        assert_true(!is_killed || json_integer_value(json_object_get(p, "pid")) == killed);
    }
    assert_int_equal(found, killed > 0);
    assert_int_equal(json_array_size(json_object_get(before, "processes")), n < 3 ? 3 : 2);
    assert_string_equal(string_of(json_array_get(json_object_get(before, "processes"), 0), "comm"),
                        "huge");
}

/* The last snapshot that has the victim; told late, the one before it was told. */
static void oom_kills_have_a_picture(void **state)
{
    struct told *r = *state;
    json_t *all = DOCUMENT(r, .kinds = 1u << PT_EVENT_OOM);
    assert_int_equal(json_array_size(all), 3);
    const json_t *e = json_array_get(all, 0);
    assert_string_equal(string_of(e, "time"), "2026-11-18T11:06:55.000000Z");
    assert_string_equal(string_of(e, "kind"), "oom");
    assert_string_equal(string_of(e, "subject"), "10 big) one");
    assert_true(strstr(string_of(e, "detail"), "killed") != NULL);
    const json_t *before = json_object_get(e, "before");
    check_before(before, 2, 5, 10, 1);
    const json_t *limit = json_array_get(json_object_get(before, "limits"), 0);
    assert_string_equal(string_of(limit, "cgroup"), "/site/web");
    assert_int_equal(json_integer_value(json_object_get(limit, "limit")), 1048576);
    const json_t *p = json_array_get(json_object_get(before, "processes"), 1);
    assert_string_equal(string_of(p, "cmdline"), "java -jar a.jar");
    assert_string_equal(string_of(p, "service"), "web.service");
    assert_int_equal(json_integer_value(json_object_get(p, "anon")), 1000 * 1024);
    check_before(json_object_get(json_array_get(all, 1), "before"), 2, 10, 0, 1);
    /* the snapshots before a reboot are no picture of what was killed after it */
    assert_true(json_is_null(json_object_get(json_array_get(all, 2), "before")));
    json_decref(all);
}

static void more_than_a_page_and_the_newest(void **state)
{
    struct told *r = *state;
    json_t *j = document(r, ARGS(.npositional = 1));
    assert_int_equal(json_array_size(j), MANY + 5);
    json_decref(j);
    j = document(r, TOP(2, .npositional = 1));
    assert_int_equal(json_array_size(j), 2);
    assert_string_equal(string_of(json_array_get(j, 1), "time"), "2026-11-18T11:07:12.000699Z");
    assert_null(json_object_get(json_array_get(j, 1), "before"));
    json_decref(j);
    j = document(r, TOP(0, .npositional = 1));
    assert_int_equal(json_array_size(j), 0);
    json_decref(j);
    j = DOCUMENT(r, .kinds = ~(1u << PT_EVENT_EXIT)); /* the unknown one too */
    assert_int_equal(json_array_size(j), 5);
    json_decref(j);
    j = DOCUMENT(r, .kinds = 1u << PT_EVENT_STOP);
    assert_int_equal(json_array_size(j), 0);
    json_decref(j);
}

static void spans_are_of_events_not_of_snapshots(void **state)
{
    static const struct {
        const char *from, *to;
        size_t want;
    } cases[] = {
        {"first", "@2", 0},
        {NULL, "first", 1},
        {"@2", "@3", 2},
        {"-11s", "last", 2},
        {"12:06:55", "@3", 2},
        {"2026-11-18T11:07:09Z", "2026-11-18 13:07:11", 2},
        {"2026-11-19 00:00", NULL, 0},
    };
    struct told *r = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *j = DOCUMENT(r, .from = cases[i].from, .to = cases[i].to);
        if (json_array_size(j) != cases[i].want)
            print_error("%s to %s: %zu\n", cases[i].from, cases[i].to, json_array_size(j));
        assert_int_equal(json_array_size(j), cases[i].want);
        json_decref(j);
    }
    tell(r, PT_EXIT_USAGE, ARGS(.from = "last", .to = "first"));
    tell(r, PT_EXIT_USAGE, ARGS(.from = "soon"));
    tell(r, PT_EXIT_READ, ARGS(.to = "@77"));
}

/* Kills whose picture is lost are told, those that have one have it, and so is what came after. */
static void damage_takes_a_picture_and_no_event(void **state)
{
    struct told t = {0};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10 * SECOND};
    (void)state;
    recording_new(&t.r, &meta, START);
    t.r.spoil = true;
    append(&t.r, 1, true);
    assert_int_equal(recording_boot(&t.r, "boot-2", START + 28 * SECOND), 2);
    append(&t.r, 4, true);
    recording_event(&t.r, START + 5 * SECOND, PT_EVENT_OOM, 1, "10 big) one", "killed");
    recording_event(&t.r, START + 31 * SECOND, PT_EVENT_OOM, 2, "10 big) one", "killed again");
    recording_event(&t.r, START + 32 * SECOND, PT_EVENT_NOTE, PT_UNKNOWN, "", "the end");
    recording_close(&t.r);
    const char *got = tell(&t, PT_EXIT_DAMAGED, ARGS(.npositional = 1));
    const char *lost =
        "10 big) one: killed\n    what stood before it cannot be read: the recording "
        "is damaged there\n";
    assert_non_null(strstr(got, lost));
    assert_non_null(strstr(got, "killed again\n    before it (1.0 s, @2): 512 KiB of 4.0 MiB"));
    assert_non_null(strstr(got, "the end\n"));
    got = tell(&t, PT_EXIT_DAMAGED, ARGS(.npositional = 1, .verbose = true));
    assert_non_null(strstr(got, "    what stood before it cannot be read"));
    assert_non_null(strstr(got, "the end\n"));
    json_t *j =
        json_loads(tell(&t, PT_EXIT_DAMAGED, ARGS(.npositional = 1, .json = true)), 0, NULL);
    assert_int_equal(json_array_size(j), 3);
    assert_true(json_is_null(json_object_get(json_array_get(j, 0), "before")));
    assert_true(json_is_object(json_object_get(json_array_get(j, 1), "before")));
    json_decref(j);
    recording_remove(&t.r);
    free(t.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_is_told_line_by_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_kinds_and_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(csv_is_quoted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(oom_kills_have_a_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_a_page_and_the_newest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spans_are_of_events_not_of_snapshots, set_up, tear_down),
        cmocka_unit_test(damage_takes_a_picture_and_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
