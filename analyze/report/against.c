/* SPDX-License-Identifier: MIT
 * Reading an earlier report, and telling what became of its findings. */
#include "analyze/report/against.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/match.h"
#include "analyze/report/report.h"
#include "analyze/report/tree.h"

/* A report takes under a megabyte: what is larger is none, and is not read into memory. */
#define REPORT_MAX (8 << 20)

/* ---- reading it ---- */

static json_t *from_database(const struct pt_args *args, const char *path, struct pt_err *err)
{
    struct pt_session s;
    const struct pt_args quiet = {.utc = args->utc, .top = PT_UNKNOWN, .out = args->out};
    if (pt_session_open(&quiet, path, &s)) { /* told already */
        pt_err_set(err, PT_EOPEN, 0, NULL, -1, "cannot compare with '%s'", path);
        return NULL;
    }
    const struct pt_report_options o = {.from = s.span.first, .to = s.span.last, .top = PT_UNKNOWN};
    json_t *doc = pt_report_make(&s, &o, err);
    pt_session_close(&s, 0);
    return doc;
}

static json_t *from_text(FILE *file, const char *path, struct pt_err *err)
{
    json_error_t why;
    json_t *doc = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    if (!doc) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, why.position,
                   "'%s' is neither a recording nor a report in JSON: line %d: %s", path, why.line,
                   why.text);
        return NULL;
    }
    const int64_t version = pt_tree_int(doc, "report");
    if (version == PT_UNKNOWN || !pt_tree_is(doc, "kind", "report"))
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1,
                   "'%s' is not a report: make one with 'report DB --format json'", path);
    else if (version != PT_REPORT_VERSION)
        pt_err_set(err, version > PT_REPORT_VERSION ? PT_ENEWER : PT_EFORMAT, 0, NULL, -1,
                   "'%s' is a report of version %" PRId64 ", this program reads version %d: "
                   "compare with the database it was made of",
                   path, version, PT_REPORT_VERSION);
    else
        return doc;
    json_decref(doc);
    return NULL;
}

json_t *pt_against_load(const struct pt_args *args, const char *path, const char **ret_kind,
                        struct pt_err *err)
{
    char magic[16] = "";
    struct stat st;
    json_t *doc = NULL;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &st) < 0) {
        pt_err_set(err, PT_EOPEN, errno, NULL, -1, "cannot open '%s': %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1, "'%s' is not a regular file", path);
    } else if (fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
               memcmp(magic, "SQLite format 3", sizeof(magic)) == 0) {
        *ret_kind = "database";
        doc = from_database(args, path, err);
    } else if (st.st_size > REPORT_MAX) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1, "'%s' is too large for a report", path);
    } else {
        *ret_kind = "report";
        rewind(file);
        doc = from_text(file, path, err);
    }
    if (file)
        fclose(file);
    return doc;
}

/* ---- comparing ---- */

static json_t *cell(const json_t *finding)
{
    if (!finding)
        return json_null();
    return json_pack(
        "{s:s, s:o, s:o}", "verdict",
        pt_tree_str(finding, "verdict") ? pt_tree_str(finding, "verdict") : "undetermined",
        "slope_bytes_per_hour", pt_tree_number(pt_tree_real(finding, "slope_bytes_per_hour")),
        "growth_bytes", pt_json_int(pt_tree_int(finding, "growth_bytes")));
}

static json_t *speed(double bytes_per_hour)
{
    char text[PT_UNITS_BUF];
    return isfinite(bytes_per_hour) && fabs(bytes_per_hour) < 9e18
               ? pt_tree_text("%s an hour",
                              pt_units_bytes(text, sizeof(text), (int64_t)bytes_per_hour, true))
               : pt_tree_text("?");
}

/* In words. */
static json_t *told(enum pt_status status, const json_t *before, const json_t *after)
{
    const json_t *who = after ? after : before;
    const char *title = pt_tree_str(who, "title"), *verdict = pt_tree_str(after, "verdict");
    json_t *was = speed(pt_tree_real(before, "slope_bytes_per_hour")),
           *is = speed(pt_tree_real(after, "slope_bytes_per_hour")), *text = NULL;
    title = title ? title : "?";
    if (!was || !is)
        goto done;
    if (status == PT_NEW)
        text = pt_tree_text("%s: %s", title, json_string_value(is));
    else if (status != PT_RESOLVED && after && pt_match_alarms(after))
        text = pt_tree_text("%s: %s, was %s", title, json_string_value(is), json_string_value(was));
    else if (status != PT_RESOLVED)
        text = pt_tree_text("%s: was %s; whether it goes on cannot be told yet", title,
                            json_string_value(was));
    else
        text = pt_tree_text("%s: was %s, %s", title, json_string_value(was),
                            verdict ? verdict : "is not among the findings any more");
done:
    json_decref(was);
    json_decref(is);
    return text;
}

static int add(json_t *list, enum pt_status status, const json_t *before, json_t *after)
{
    const json_t *who = after ? after : before;
    const char *class = pt_tree_str(who, "class"), *title = pt_tree_str(who, "title");
    if (after && pt_match_alarms(after) &&
        json_object_set_new(after, "status", json_string(pt_status_name(status))) < 0)
        return -1;
    return json_array_append_new(
        list, json_pack("{s:s?, s:s, s:s, s:s?, s:s, s:o, s:o, s:o}", "finding",
                        pt_tree_str(after, "id"), "section", "leaks", "title", title ? title : "?",
                        "class", class, "status", pt_status_name(status), "text",
                        told(status, before, after), "before", cell(before), "after", cell(after)));
}

/* Those of the new report in their order, then what was resolved. */
static json_t *compare(json_t *doc, const json_t *old)
{
    json_t *now = json_object_get(json_object_get(doc, "leaks"), "findings");
    const json_t *then = pt_tree_at(pt_tree_at(old, "leaks"), "findings");
    const size_t n = json_array_size(then), nnow = json_array_size(now);
    size_t *pair = calloc(n + 1, sizeof(*pair)), *back = calloc(nnow + 1, sizeof(*back));
    json_t *list = json_array();
    bool ok = pair && back && list && pt_match_findings(then, now, pair) == 0;
    for (size_t k = 0; ok && k < nnow; k++)
        back[k] = SIZE_MAX;
    for (size_t i = 0; ok && i < n; i++)
        if (pair[i] != SIZE_MAX)
            back[pair[i]] = i;
    for (size_t k = 0; ok && k < nnow; k++) {
        json_t *after = json_array_get(now, k);
        const json_t *before = back[k] == SIZE_MAX ? NULL : json_array_get(then, back[k]);
        if (pt_match_alarms(after) || (before && pt_match_alarms(before)))
            ok = add(list, pt_match_status(before, after), before, after) == 0;
    }
    for (size_t i = 0; ok && i < n; i++)
        if (pair[i] == SIZE_MAX && pt_match_alarms(json_array_get(then, i)))
            ok = add(list, PT_RESOLVED, json_array_get(then, i), NULL) == 0;
    free(pair);
    free(back);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *counts_of(const json_t *list)
{
    json_int_t n[PT_STATUSES] = {0};
    const json_t *one;
    size_t i;
    json_t *o = json_object();
    json_array_foreach(list, i, one)
    {
        for (int s = 0; s < PT_STATUSES; s++)
            n[s] += pt_tree_is(one, "status", pt_status_name((enum pt_status)s));
    }
    for (int s = 0; s < PT_STATUSES; s++)
        json_object_set_new(o, pt_status_name((enum pt_status)s), json_integer(n[s]));
    return o;
}

/* ---- into the document ---- */

/* Sentences bear the status of their finding; what was resolved gets one of its own. */
static int mark_verdict(json_t *doc, const json_t *list)
{
    json_t *verdict = json_object_get(doc, "verdict"), *sentence;
    const json_t *one;
    size_t i, k;
    json_array_foreach(list, i, one)
    {
        const char *id = pt_tree_str(one, "finding"), *status = pt_tree_str(one, "status");
        json_array_foreach(verdict, k, sentence)
        {
            if (id && pt_tree_is(sentence, "finding", id) &&
                json_object_set_new(sentence, "status", json_string(status)) < 0)
                return -1;
        }
        if (pt_tree_is(one, "status", pt_status_name(PT_RESOLVED)) &&
            json_array_append_new(verdict, json_pack("{s:s, s:s, s:O, s:n, s:s}", "severity",
                                                     "good", "section", "leaks", "text",
                                                     json_object_get(one, "text"), "finding",
                                                     "status", status)) < 0)
            return -1;
    }
    return 0;
}

static int note(json_t *doc, json_t *text)
{
    return json_array_append_new(json_object_get(doc, "notes"), text);
}

/* What speaks against comparing the two. */
static int note_differences(json_t *doc, const json_t *old, const char *name)
{
    static const char *const what[] = {"name", "kernel", "mem_total"};
    const json_t *was = pt_tree_at(pt_tree_at(old, "machine"), "host"),
                 *is = pt_tree_at(pt_tree_at(doc, "machine"), "host");
    const char *id = pt_tree_str(was, "machine_id"), *id_now = pt_tree_str(is, "machine_id");
    const bool same_name = json_equal(json_object_get(was, what[0]), json_object_get(is, what[0]));
    const bool other = !same_name || (id && id_now && strcmp(id, id_now) != 0);
    int rc = 0;
    if (other)
        rc |= note(doc,
                   pt_tree_text("'%s' is of another host, %s: findings are matched by what "
                                "they are called",
                                name, pt_tree_str(was, "name") ? pt_tree_str(was, "name") : "?"));
    if (!json_equal(json_object_get(was, what[1]), json_object_get(is, what[1])))
        rc |=
            note(doc, pt_tree_text("'%s' is of another kernel, %s", name,
                                   pt_tree_str(was, "kernel") ? pt_tree_str(was, "kernel") : "?"));
    if (!json_equal(json_object_get(was, what[2]), json_object_get(is, what[2])))
        rc |= note(doc, pt_tree_text("'%s' is of a machine with another amount of memory", name));
    const int64_t end = pt_tree_time(pt_tree_at(old, "span"), "to"),
                  begin = pt_tree_time(pt_tree_at(doc, "span"), "from");
    if (end != PT_UNKNOWN && begin != PT_UNKNOWN && end > begin)
        rc |= note(doc, pt_tree_text("'%s' does not end before this begins: what is told of before "
                                     "and after may be of one time",
                                     name));
    if (!pt_tree_is(old, "program", pt_tree_str(doc, "program") ? pt_tree_str(doc, "program") : ""))
        rc |= note(doc,
                   pt_tree_text("'%s' was made by another version, %s", name,
                                pt_tree_str(old, "program") ? pt_tree_str(old, "program") : "?"));
    return rc;
}

int pt_against_apply(json_t *doc, const json_t *old, const char *kind, const char *name,
                     struct pt_err *err)
{
    const json_t *host = pt_tree_at(pt_tree_at(old, "machine"), "host"),
                 *span = pt_tree_at(old, "span");
    json_t *list = compare(doc, old);
    if (!list || mark_verdict(doc, list) < 0 || note_differences(doc, old, name) < 0) {
        json_decref(list);
        return pt_err_nomem(err);
    }
    json_t *counts = counts_of(list);
    json_t *against = json_pack("{s:s, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o}", "kind", kind,
                                "name", pt_json_str(name), "host", pt_tree_str(host, "name"),
                                "kernel", pt_tree_str(host, "kernel"), "from",
                                pt_tree_str(span, "from"), "to", pt_tree_str(span, "to"), "program",
                                pt_tree_str(old, "program"), "counts", counts, "findings", list);
    return json_object_set_new(doc, "against", against) < 0 ? pt_err_nomem(err) : 0;
}
