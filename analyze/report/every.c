/* SPDX-License-Identifier: MIT
 * A report for each period of a recording, and an index of all. A period is made of snapshots, in
 * the order they were taken: where the clock was wrong and then set right, what lies between on the
 * calendar is none. All files get their names at the end, so that no part of them is left behind
 * when one cannot be made; where one cannot be named, those before it stay, for they took the place
 * of older ones. Units: microseconds. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/against.h"
#include "analyze/report/cmd_report.h"
#include "analyze/report/compare.h"
#include "analyze/report/tree.h"

#define PERIODS 400 /* a day each for more than a year */
#define DAY_US  (86400 * INT64_C(1000000))
/* Weeks begin on Monday, as 1970-01-05 was. */
#define MONDAY_US (4 * DAY_US)
/* Times of a file may be anything: those of no year that people know are this one. */
#define FAR_US     INT64_C(9000000000000000000)
#define LONGEST_US (100 * 366 * DAY_US)

struct period {
    int64_t from, to; /* snapshots */
    int64_t begin_us;
};
struct every {
    struct pt_session *s;
    const struct pt_report_span *span;
    int64_t period_us, offset_us;
    struct period v[PERIODS], now;         /* now: the one snapshots go into */
    int64_t n;                             /* may be more than are kept */
    struct pt_output outputs[PERIODS + 1]; /* whole, and without a name as yet */
    size_t noutputs;
    bool made;             /* the directory: it was not there */
    json_t *columns, *old; /* the report before */
    struct pt_report_outcome outcome;
};

/* ---- which there are ---- */

/* "1d", "2w", "12h". */
static int parse_period(const char *text, int64_t *ret_us, struct pt_err *err)
{
    const struct pt_timespec_base base = {.bare = true};
    struct pt_instant instant;
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || !strchr("hdw", text[digits]) || !text[digits] || text[digits + 1] ||
        pt_timespec_parse(text, &base, &instant, NULL) < 0 || instant.value >= 0 ||
        instant.value < -LONGEST_US)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "'%s' is not a period: try 1d, 1w or 12h",
                          text);
    *ret_us = -instant.value;
    return 0;
}

/* Beginning of the period that a time lies in: midnight where it is days, Monday where weeks. */
static int64_t begins(const struct every *e, int64_t us)
{
    us = us < -FAR_US ? -FAR_US : us > FAR_US ? FAR_US : us;
    const int64_t local = us + e->offset_us - MONDAY_US;
    int64_t into = local % e->period_us;
    into += into < 0 ? e->period_us : 0;
    return us - into;
}

/* A clock that is set back a little does not begin the period before once more; one that was far
 * ahead was wrong. */
static bool goes_on(const struct every *e, int64_t us, int64_t begin_us)
{
    const double before = (double)e->now.begin_us - (double)us;
    return e->n > 0 &&
           (begin_us == e->now.begin_us || (before > 0 && before < 0.5 * (double)e->period_us));
}

static int on_snap(void *ctx, const struct pt_snap *snap)
{
    struct every *e = ctx;
    const int64_t begin_us = begins(e, snap->real_us);
    if (!goes_on(e, snap->real_us, begin_us)) {
        e->now = (struct period){.from = snap->n, .begin_us = begin_us};
        e->n++;
    }
    e->now.to = snap->n;
    if (e->n <= PERIODS)
        e->v[e->n - 1] = e->now;
    return 0;
}

static int find_periods(struct every *e, struct pt_err *err)
{
    const int rc = pt_db_each(e->s->db, e->span->from, e->span->to, on_snap, e, err);
    if (rc >= 0 && e->n > PERIODS)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                          "that would be %" PRId64 " reports: choose a longer period, or a "
                          "shorter span by --from and --to",
                          e->n);
    if (rc >= 0 && e->n == 0)
        return pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "no snapshots in this span");
    return rc;
}

#define NAME 64

static int plain_name(const struct every *e, int64_t i, char buf[NAME])
{
    char when[PT_UNITS_BUF] = "";
    pt_units_time(when, sizeof(when), e->v[i].begin_us, (int32_t)(e->offset_us / 1000000));
    const int day = (int)strcspn(when, " ");
    return e->period_us % DAY_US == 0 || !when[day]
               ? snprintf(buf, NAME, "%.*s", day, when)
               : snprintf(buf, NAME, "%.*sT%.2s", day, when, when + day + 1);
}

/* "2026-11-23", or with the hour where that does not tell it; where a clock came to the same period
 * again, or its years are none that have names, with which time it was. */
static void name_of(const struct every *e, int64_t i, char buf[NAME])
{
    char other[NAME];
    int again = 1;
    const int n = plain_name(e, i, buf);
    for (int64_t k = 0; k < i; k++) {
        plain_name(e, k, other);
        again += strcmp(other, buf) == 0;
    }
    if (again > 1 && n > 0 && n < NAME)
        snprintf(buf + n, NAME - (size_t)n, "-%d", again);
}

/* ---- making them ---- */

static int put_in(struct every *e, const json_t *doc, const char *name, struct pt_err *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s.%s", e->s->args->output, name, e->span->format->suffix) < 0)
        return pt_err_nomem(err);
    sigset_t was;
    pt_output_hold(&was);
    const int rc = pt_report_write(doc, e->span->format, path, &e->outputs[e->noutputs], err);
    e->noutputs += rc >= 0;
    pt_output_let(&was);
    free(path);
    return rc;
}

static int one_period(struct every *e, int64_t i, struct pt_err *err)
{
    char name[NAME], file[NAME + 16];
    name_of(e, i, name);
    snprintf(file, sizeof(file), "%s.%s", name, e->span->format->suffix);
    json_t *doc = pt_report_of(e->s, e->v[i].from, e->v[i].to, err);
    int rc = doc ? 0 : -1;
    if (rc >= 0 && e->old)
        rc = pt_against_apply(doc, e->old, "span", "the period before", err);
    if (rc >= 0 && json_array_append_new(e->columns, pt_compare_column(doc, name, file)) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        rc = put_in(e, doc, name, err);
    if (rc >= 0)
        pt_report_judge(doc, &e->outcome);
    json_decref(e->old);
    e->old = doc;
    return rc;
}

static int put_index(struct every *e, struct pt_err *err)
{
    json_t *index = json_pack(
        "{s:i, s:s, s:s, s:O, s:i, s:[], s:O, s:s, s:o}", "report", PT_REPORT_VERSION, "kind",
        "index", "program", "pagetrail " PT_VERSION, "database",
        json_object_get(e->old, "database"), "utc_offset_seconds", (int)(e->offset_us / 1000000),
        "notes", "host",
        json_object_get(json_object_get(json_object_get(e->old, "machine"), "host"), "name"),
        "every", e->s->args->every, "compare", pt_compare_make(e->columns));
    const int rc = index ? put_in(e, index, "index", err) : pt_err_nomem(err);
    json_decref(index);
    return rc;
}

static int make_all(struct every *e, struct pt_err *err)
{
    int rc = 0;
    for (int64_t i = 0; i < e->n && rc >= 0; i++)
        rc = one_period(e, i, err);
    return rc >= 0 ? put_index(e, err) : rc;
}

/* Gives all their names up to one that cannot have its own; when rc tells of a failure, to none. */
static int name_all(struct every *e, int rc, struct pt_err *err)
{
    for (size_t i = 0; i < e->noutputs; i++) {
        const int end = pt_output_end(&e->outputs[i], rc >= 0, rc >= 0 ? err : NULL);
        rc = rc < 0 ? rc : end;
    }
    return rc;
}

/* What goes with a program that is ended. It changes only while that has to wait. */
static const struct every *volatile making;

/* Whoever interrupts it is left nothing that is half done. */
static void on_end(int number)
{
    const struct every *e = making;
    for (size_t i = 0; e && i < e->noutputs; i++)
        if (e->outputs[i].name)
            unlink(e->outputs[i].name);
    if (e && e->made)
        rmdir(e->s->args->output);
    raise(number);
}

static void catch_ends(void)
{
    static const int ends[] = PT_OUTPUT_ENDS;
    struct sigaction was, action = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (sigaction(ends[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
            sigaction(ends[i], &action, NULL);
}

static int make_dir(struct every *e, const char *dir, struct pt_err *err)
{
    sigset_t was;
    pt_output_hold(&was);
    e->made = mkdir(dir, 0777) == 0;
    const int why = e->made || errno == EEXIST ? 0 : errno;
    making = e;
    pt_output_let(&was);
    return why ? pt_err_set(err, PT_EIO, why, NULL, -1, "cannot make '%s': %s", dir, strerror(why))
               : 0;
}

/* In a directory, which is made, and goes again where nothing comes into it. */
static int make_in(struct every *e, const char *dir, struct pt_err *err)
{
    sigset_t was;
    catch_ends();
    int rc = make_dir(e, dir, err);
    rc = rc < 0 ? rc : make_all(e, err);
    pt_output_hold(&was);
    rc = name_all(e, rc, err);
    making = NULL;
    if (rc < 0 && e->made)
        rmdir(dir);
    pt_output_let(&was);
    return rc;
}

int pt_report_every(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err)
{
    struct every *e = calloc(1, sizeof(*e));
    const char *dir = s->args->output;
    struct pt_snap last;
    if (!e)
        return pt_err_nomem(err);
    *e = (struct every){.s = s, .span = span, .columns = json_array()};
    int rc = e->columns ? parse_period(s->args->every, &e->period_us, err) : pt_err_nomem(err);
    if (rc >= 0 && !dir)
        rc = pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--every needs -o and a directory");
    if (rc >= 0 && s->span.count == 0)
        rc = pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "'%s' holds no snapshots",
                        pt_db_path(s->db));
    if (rc >= 0 && !s->args->utc && pt_db_snap(s->db, s->span.last, &last, NULL) >= 0)
        e->offset_us = last.utc_offset_s * INT64_C(1000000);
    if (rc >= 0)
        rc = find_periods(e, err);
    if (rc >= 0)
        rc = make_in(e, dir, err);
    *ret = e->outcome;
    json_decref(e->old);
    json_decref(e->columns);
    free(e);
    return rc;
}
