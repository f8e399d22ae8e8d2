/* SPDX-License-Identifier: MIT
 * Reports of several spans of one recording beside each other: before and after something, and boot
 * by boot. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/against.h"
#include "analyze/report/cmd_report.h"
#include "analyze/report/compare.h"
#include "analyze/report/tree.h"

#define BOOTS 12 /* the newest */

struct part {
    int64_t from, to;
    char title[64];
};

/* Of boots that there was no room for. */
static int note_omitted(json_t *doc, size_t n, size_t omitted)
{
    if (omitted == 0)
        return 0;
    return json_array_append_new(
        json_object_get(doc, "notes"),
        pt_tree_text("the newest %zu of %zu boots are side by side; --to reaches earlier ones", n,
                     n + omitted));
}

/* The report of the last span, with all of them beside it and compared with the one before. */
static int side_by_side(struct pt_session *s, const struct part *parts, size_t n, size_t omitted,
                        const struct pt_report_span *span, struct pt_report_outcome *ret,
                        struct pt_err *err)
{
    json_t *columns = json_array(), *old = NULL, *doc = NULL;
    int rc = columns ? 0 : pt_err_nomem(err);
    for (size_t i = 0; i < n && rc >= 0; i++) {
        json_decref(old);
        old = doc;
        doc = pt_report_of(s, parts[i].from, parts[i].to, err);
        ret->alarms = false; /* of the newest */
        if (doc)
            pt_report_judge(doc, ret);
        rc = !doc ? -1 : old ? pt_against_apply(doc, old, "span", parts[i - 1].title, err) : 0;
        if (rc >= 0 &&
            json_array_append_new(columns, pt_compare_column(doc, parts[i].title, NULL)) < 0)
            rc = pt_err_nomem(err);
    }
    if (rc >= 0 && (note_omitted(doc, n, omitted) < 0 ||
                    json_object_set_new(doc, "compare", pt_compare_make(columns)) < 0))
        rc = pt_err_nomem(err);
    if (rc >= 0)
        rc = pt_report_put(doc, span->format, s->args->output, s->args->out, err);
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

int pt_report_split(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err)
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
    return side_by_side(s, parts, 2, 0, span, ret, err);
}

int pt_report_boots(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err)
{
    struct part parts[BOOTS];
    struct pt_snap last;
    size_t n = 0, omitted = 0;
    const bool local = !s->args->utc && pt_db_snap(s->db, s->span.last, &last, NULL) >= 0;
    for (uint32_t i = pt_db_boots(s->db); i > 0; i--) {
        const struct pt_boot *b = pt_db_boot(s->db, i - 1);
        char when[PT_UNITS_BUF];
        if (b->first <= 0 || b->last < span->from || b->first > span->to)
            continue;
        if (n == BOOTS) {
            omitted++;
            continue;
        }
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
    return side_by_side(s, parts, n, omitted, span, ret, err);
}
