/* SPDX-License-Identifier: MIT
 * Reports of several spans of one recording: before and after something, boot by boot, and one a
 * period with an index of all. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/against.h"
#include "analyze/report/cmd_report.h"
#include "analyze/report/compare.h"
#include "analyze/report/tree.h"

#define BOOTS   12  /* the newest */
#define PERIODS 400 /* a day each for more than a year */
#define DAY_US  (86400 * INT64_C(1000000))
/* Weeks begin on Monday, as 1970-01-05 was. */
#define MONDAY_US (4 * DAY_US)

/* ---- one document, spans side by side ---- */

struct part {
    int64_t from, to;
    char title[64];
};

/* The report of the last span, with all of them beside it and compared with the one before. */
static int side_by_side(struct pt_session *s, const struct part *parts, size_t n,
                        const struct pt_report_span *span, bool *ret_alarms, struct pt_err *err)
{
    json_t *columns = json_array(), *old = NULL, *doc = NULL;
    int rc = columns ? 0 : pt_err_nomem(err);
    for (size_t i = 0; i < n && rc >= 0; i++) {
        json_decref(old);
        old = doc;
        doc = pt_report_of(s, parts[i].from, parts[i].to, err);
        if (!doc)
            rc = -1;
        else if (json_array_append_new(columns, pt_compare_column(doc, parts[i].title, NULL)) < 0)
            rc = pt_err_nomem(err);
    }
    if (rc >= 0 && old)
        rc = pt_against_apply(doc, old, "span", parts[n - 2].title, err);
    if (rc >= 0 && json_object_set_new(doc, "compare", pt_compare_make(columns)) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        rc = pt_report_put(doc, span->format, s->args->output, s->args->out, err);
    if (rc >= 0)
        *ret_alarms = pt_report_alarms(doc);
    json_decref(columns);
    json_decref(old);
    json_decref(doc);
    return rc;
}

struct search {
    const char *what;
    int64_t us;
    bool found;
};

static int on_event(void *ctx, const struct pt_db_event *e)
{
    struct search *search = ctx;
    const char *kind = pt_event_name(e->kind);
    if ((kind && strcmp(kind, search->what) == 0) || strstr(e->subject, search->what) ||
        strstr(e->text, search->what)) {
        search->us = e->real_us;
        search->found = true;
    }
    return 0;
}

/* The first snapshot of the later part: at a time, or after the last event of a kind or a text. */
static int split_point(struct pt_session *s, int64_t *ret_n, struct pt_err *err)
{
    struct pt_err why = {0};
    struct search search = {.what = s->args->split_at};
    if (pt_session_moment(s, s->args->split_at, &search.us, &why) < 0) {
        if (why.code != PT_EUSAGE)
            return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
        const int rc = pt_db_events(s->db, INT64_MIN, INT64_MAX, INT64_MIN, on_event, &search, err);
        if (rc < 0)
            return rc;
        if (!search.found)
            return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "'%s' is neither a time nor an event",
                              s->args->split_at);
    }
    return pt_db_find(s->db, search.us, PT_SEEK_FIRST_AFTER, ret_n, err);
}

int pt_report_split(struct pt_session *s, const struct pt_report_span *span, bool *ret_alarms,
                    struct pt_err *err)
{
    struct part parts[2] = {{.from = span->from, .title = "before"},
                            {.to = span->to, .title = "after"}};
    struct pt_err why = {0};
    const int rc = split_point(s, &parts[1].from, &why);
    if (rc < 0 && why.code != PT_ENOTFOUND)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (rc < 0 || parts[1].from > span->to || parts[1].from <= span->from ||
        pt_db_step(s->db, parts[1].from, -1, &parts[0].to, NULL) < 0)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "nothing was recorded on one side of '%s'",
                          s->args->split_at);
    return side_by_side(s, parts, 2, span, ret_alarms, err);
}

int pt_report_boots(struct pt_session *s, const struct pt_report_span *span, bool *ret_alarms,
                    struct pt_err *err)
{
    struct part parts[BOOTS];
    struct pt_snap last;
    size_t n = 0;
    const bool local = !s->args->utc && pt_db_snap(s->db, s->span.last, &last, NULL) >= 0;
    for (uint32_t i = pt_db_boots(s->db); i > 0 && n < BOOTS; i--) {
        const struct pt_boot *b = pt_db_boot(s->db, i - 1);
        char when[PT_UNITS_BUF];
        if (b->first <= 0 || b->last < span->from || b->first > span->to)
            continue;
        struct part *part = &parts[n++];
        part->from = b->first > span->from ? b->first : span->from;
        part->to = b->last < span->to ? b->last : span->to;
        pt_units_time(when, sizeof(when), b->first_us, local ? last.utc_offset_s : 0);
        snprintf(part->title, sizeof(part->title), "boot of %.16s", when);
    }
    if (n < 2)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "the recording has one boot only");
    for (size_t i = 0; i < n / 2; i++) {
        const struct part other = parts[i];
        parts[i] = parts[n - 1 - i];
        parts[n - 1 - i] = other;
    }
    return side_by_side(s, parts, n, span, ret_alarms, err);
}

/* ---- one a period ---- */

struct every {
    struct pt_session *s;
    const struct pt_report_span *span;
    int64_t period_us, offset_us;
    json_t *columns, *old; /* the report before */
    bool alarms;
};

/* "1d", "2w", "12h". */
static int parse_period(const char *text, int64_t *ret_us, struct pt_err *err)
{
    const struct pt_timespec_base base = {.bare = true};
    struct pt_instant instant;
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || !strchr("hdw", text[digits]) || !text[digits] || text[digits + 1] ||
        pt_timespec_parse(text, &base, &instant, NULL) < 0 || instant.value >= 0)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "'%s' is not a period: try 1d, 1w or 12h",
                          text);
    *ret_us = -instant.value;
    return 0;
}

/* Beginning of the period that a time lies in: midnight where it is days, Monday where weeks. */
static int64_t begins(const struct every *e, int64_t us)
{
    const int64_t local = us + e->offset_us - MONDAY_US;
    int64_t into = local % e->period_us;
    into += into < 0 ? e->period_us : 0;
    return us - into;
}

/* "2026-11-23", or with the hour where that does not tell it. */
static void name_of(const struct every *e, int64_t us, char *buf, size_t size)
{
    char when[PT_UNITS_BUF];
    pt_units_time(when, sizeof(when), us, (int32_t)(e->offset_us / 1000000));
    if (e->period_us % DAY_US == 0)
        snprintf(buf, size, "%.10s", when);
    else
        snprintf(buf, size, "%.10sT%.2s", when, when + 11);
}

static char *path_in(const char *dir, const char *name, const char *suffix)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s.%s", dir, name, suffix) < 0 ? NULL : path;
}

static int put_in(const struct every *e, const json_t *doc, const char *name, struct pt_err *err)
{
    char *path = path_in(e->s->args->output, name, e->span->format->suffix);
    const int rc = path ? pt_report_put(doc, e->span->format, path, NULL, err) : pt_err_nomem(err);
    free(path);
    return rc;
}

static int one_period(struct every *e, int64_t from, int64_t to, int64_t begin_us,
                      struct pt_err *err)
{
    char name[32], file[48];
    name_of(e, begin_us, name, sizeof(name));
    snprintf(file, sizeof(file), "%s.%s", name, e->span->format->suffix);
    json_t *doc = pt_report_of(e->s, from, to, err);
    int rc = doc ? 0 : -1;
    if (rc >= 0 && json_array_append_new(e->columns, pt_compare_column(doc, name, file)) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0 && e->old)
        rc = pt_against_apply(doc, e->old, "span", "the period before", err);
    if (rc >= 0)
        rc = put_in(e, doc, name, err);
    if (rc >= 0)
        e->alarms |= pt_report_alarms(doc);
    json_decref(e->old);
    e->old = doc;
    return rc;
}

static int all_periods(struct every *e, struct pt_err *err)
{
    const struct pt_db *db = e->s->db;
    struct pt_snap first, last;
    int rc = pt_db_snap(e->s->db, e->span->from, &first, err);
    if (rc >= 0)
        rc = pt_db_snap(e->s->db, e->span->to, &last, err);
    if (rc < 0)
        return rc;
    const int64_t periods = (last.real_us - begins(e, first.real_us)) / e->period_us + 1;
    (void)db;
    if (periods > PERIODS)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                          "that would be %" PRId64 " reports: choose a longer period, or a "
                          "shorter span by --from and --to",
                          periods);
    for (int64_t i = 0; i < periods && rc >= 0; i++) {
        const int64_t begin = begins(e, first.real_us) + i * e->period_us,
                      end = begin + e->period_us - 1;
        int64_t from, to;
        if (pt_db_find(e->s->db, begin, PT_SEEK_FIRST_AFTER, &from, NULL) < 0 ||
            pt_db_find(e->s->db, end, PT_SEEK_LAST_BEFORE, &to, NULL) < 0)
            continue;
        from = from > e->span->from ? from : e->span->from;
        to = to < e->span->to ? to : e->span->to;
        if (from <= to) /* nothing was recorded in some */
            rc = one_period(e, from, to, begin, err);
    }
    return rc;
}

static int put_index(const struct every *e, struct pt_err *err)
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

int pt_report_every(struct pt_session *s, const struct pt_report_span *span, bool *ret_alarms,
                    struct pt_err *err)
{
    struct every e = {.s = s, .span = span, .columns = json_array()};
    const char *dir = s->args->output;
    struct pt_snap last;
    int rc = e.columns ? parse_period(s->args->every, &e.period_us, err) : pt_err_nomem(err);
    if (rc >= 0 && !dir)
        rc = pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--every needs -o and a directory");
    if (rc >= 0 && s->span.count == 0)
        rc = pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "'%s' holds no snapshots",
                        pt_db_path(s->db));
    if (rc >= 0 && mkdir(dir, 0777) < 0 && errno != EEXIST)
        rc = pt_err_set(err, PT_EIO, errno, NULL, -1, "cannot make '%s': %s", dir, strerror(errno));
    if (rc >= 0 && !s->args->utc && pt_db_snap(s->db, s->span.last, &last, NULL) >= 0)
        e.offset_us = last.utc_offset_s * INT64_C(1000000);
    if (rc >= 0)
        rc = all_periods(&e, err);
    if (rc >= 0 && e.old)
        rc = put_index(&e, err);
    *ret_alarms = e.alarms;
    json_decref(e.old);
    json_decref(e.columns);
    return rc;
}
