/* SPDX-License-Identifier: MIT
 * What commands have in common: the span that options and arguments ask for, and the exit status of
 * what becomes of it. Two boots of three snapshots each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyze/session.h"
#include "tests/support/recording.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll

static struct recording recorded;

static void append(int64_t at, uint32_t boot, bool spoil)
{
    const struct pt_snap snap = {.real_us = START + at * INTERVAL, .boot_us = 1, .boot = boot};
    recorded.spoil = spoil;
    recording_begin(&recorded, &snap, at == 10);
    recording_text(&recorded, "proc:meminfo", "MemTotal: 1000 kB\n");
    recording_end(&recorded);
}

static int set_up(void **state)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    (void)state;
    recording_new(&recorded, &meta, START);
    for (int i = 0; i < 3; i++)
        append(i, 1, false);
    recording_boot(&recorded, "boot-2", START + 9 * INTERVAL);
    for (int i = 10; i < 13; i++)
        append(i, 2, i == 11);
    recording_close(&recorded);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    recording_remove(&recorded);
    return 0;
}

struct ask {
    const char *from, *to, *at, *first, *second; /* first, second: arguments */
    bool of_boot;
    int64_t want_from, want_to;
    const char *error; /* its beginning */
};

static void spans_that_are_asked_for(void **state)
{
    static const struct ask asks[] = {
        {.want_from = 1, .want_to = 6},
        {.of_boot = true, .want_from = 4, .want_to = 6},
        {.of_boot = true, .to = "@2", .want_from = 1, .want_to = 2},
        {.from = "@2", .of_boot = true, .want_from = 2, .want_to = 6},
        {.from = "first", .to = "last", .want_from = 1, .want_to = 6},
        {.from = "@3", .to = "@3", .want_from = 3, .want_to = 3},
        {.from = "2020-01-01 00:00", .to = "@3", .want_from = 1, .want_to = 3},
        {.at = "@5", .of_boot = true, .want_from = 5, .want_to = 5},
        {.first = "@2", .want_from = 2, .want_to = 6},
        {.first = "@2", .second = "@5", .of_boot = true, .want_from = 2, .want_to = 5},
        {.first = "@2", .to = "@5", .want_from = 2, .want_to = 5},
        {.from = "@5", .to = "@2", .error = "'@5' lies after '@2'"},
        {.first = "@6", .second = "first", .error = "'@6' lies after 'first'"},
        {.at = "@5", .from = "@2", .error = "--at is one instant"},
        {.at = "@5", .first = "@2", .error = "--at is one instant"},
        {.from = "@5", .first = "@2", .error = "an instant is given twice"},
        {.to = "@5", .first = "@2", .second = "@4", .error = "an instant is given twice"},
        {.from = "@77", .error = "there is no snapshot @77"},
        {.to = "soon", .error = "'soon' is not a time"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        const struct ask *a = &asks[i];
        const struct pt_args args = {.from = a->from,
                                     .to = a->to,
                                     .at = a->at,
                                     .positional = {recorded.path, a->first, a->second},
                                     .npositional = a->second  ? 3
                                                    : a->first ? 2
                                                               : 1};
        struct pt_session s;
        struct pt_err err = {0};
        int64_t from = -7, to = -7;
        assert_int_equal(pt_session_open(&args, recorded.path, &s), 0);
        const int rc = pt_session_span(&s, a->of_boot, &from, &to, &err);
        if ((rc < 0) != !!a->error ||
            (a->error && strncmp(err.text, a->error, strlen(a->error)) != 0))
            fail_msg("case %zu: %s", i, rc < 0 ? err.text : "not refused");
        assert_int_equal(from, a->error ? -7 : a->want_from);
        assert_int_equal(to, a->error ? -7 : a->want_to);
        pt_session_close(&s, 0);
    }
}

/* ---- what becomes of it ---- */

static int done(struct pt_session *s, struct pt_err *err)
{
    (void)err;
    return s->span.count == 6 ? 0 : -1;
}

static int found(struct pt_session *s, struct pt_err *err)
{
    (void)s, (void)err;
    return PT_EXIT_FINDINGS;
}

static int misused(struct pt_session *s, struct pt_err *err)
{
    (void)s;
    return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "misused");
}

static int unreadable(struct pt_session *s, struct pt_err *err)
{
    (void)s;
    return pt_err_set(err, PT_EIO, 0, NULL, -1, "unreadable");
}

/* Damage that is met is told, and changes what else would be a good end. */
static int damaged(struct pt_session *s, struct pt_err *err)
{
    struct pt_view *view;
    (void)err;
    assert_true(pt_view_load(s->db, 5, PT_GROUP_ALL, &view, NULL) < 0);
    return 0;
}

static int unwritten(struct pt_session *s, struct pt_err *err)
{
    fputs("much", s->args->out);
    fflush(s->args->out);
    return pt_session_printed(s, -1, err); /* which is told when the program ends */
}

static int without_memory(struct pt_session *s, struct pt_err *err)
{
    return pt_session_printed(s, -1, err);
}

static void exit_statuses(void **state)
{
    static const struct {
        int (*tell)(struct pt_session *s, struct pt_err *err);
        int want;
    } ends[] = {{done, PT_EXIT_OK},
                {found, PT_EXIT_FINDINGS},
                {misused, PT_EXIT_USAGE},
                {unreadable, PT_EXIT_READ},
                {damaged, PT_EXIT_DAMAGED},
                {unwritten, PT_EXIT_OK},
                {without_memory, PT_EXIT_READ}};
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        const bool full = ends[i].tell == unwritten;
        const struct pt_args args = {.positional = {recorded.path},
                                     .npositional = 1,
                                     .out = fopen(full ? "/dev/full" : "/dev/null", "w")};
        assert_non_null(args.out);
        assert_int_equal(pt_session_run(&args, ends[i].tell), ends[i].want);
        fclose(args.out);
    }
    const struct pt_args args = {.positional = {"/dev/null/none"}, .npositional = 1};
    assert_int_equal(pt_session_run(&args, done), PT_EXIT_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_that_are_asked_for),
        cmocka_unit_test(exit_statuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
