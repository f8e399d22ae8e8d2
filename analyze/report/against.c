/* SPDX-License-Identifier: MIT
 * Telling what became of the findings of an earlier report. */
#include "analyze/report/against.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/incidents.h"
#include "analyze/report/match.h"
#include "analyze/report/pair.h"
#include "analyze/report/tree.h"

/* Of an earlier report, which may be any, at most so many of a list are looked at. */
#define FINDINGS_MAX 4096

/* Where findings are, and of which sections. */
static const struct {
    const char *part, *list; /* doc[part][list], or doc[part] */
} lists[] = {{"leaks", "findings"}, {"incidents", NULL}};

static json_t *list_of(const json_t *doc, size_t i)
{
    json_t *part = json_object_get(doc, lists[i].part);
    return lists[i].list ? json_object_get(part, lists[i].list) : part;
}

/* Whatever a document of anybody's says. */
static const char *section_of(const json_t *finding)
{
    return pt_tree_is(finding, "section", "swap")  ? "swap"
           : pt_tree_is(finding, "section", "oom") ? "oom"
                                                   : "leaks";
}

/* ---- in words ---- */

static json_t *cell(const json_t *finding)
{
    if (!finding)
        return json_null();
    return json_pack(
        "{s:s, s:o, s:o, s:o}", "verdict",
        pt_tree_str(finding, "verdict") ? pt_tree_str(finding, "verdict") : "undetermined",
        "slope_bytes_per_hour", pt_tree_number(pt_tree_real(finding, "slope_bytes_per_hour")),
        "growth_bytes", pt_json_int(pt_tree_int(finding, "growth_bytes")), "count",
        pt_json_int(pt_tree_int(finding, "count")));
}

static char *seconds(double s, char *buf)
{
    return pt_units_duration(buf, PT_UNITS_BUF, s >= 0 ? pt_units_us(s) : PT_UNKNOWN);
}

/* "+3.0 MiB an hour", "4 times in 2 d", "40 s of 2 d". doc: of that finding. */
static void amount(const json_t *finding, const json_t *doc, char *buf, size_t size)
{
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    const int64_t count = pt_tree_int(finding, "count");
    const double slope = pt_tree_real(finding, "slope_bytes_per_hour");
    seconds(pt_tree_real(pt_tree_at(doc, "span"), "recorded_seconds"), b);
    if (strcmp(section_of(finding), "oom") == 0)
        snprintf(buf, size, "%s%s time%s in %s",
                 json_is_true(pt_tree_at(finding, "at_least")) ? "at least " : "",
                 pt_units_count(a, sizeof(a), count, false), count == 1 ? "" : "s", b);
    else if (strcmp(section_of(finding), "swap") == 0)
        snprintf(buf, size, "%s of %s", seconds(pt_tree_real(finding, "seconds"), a), b);
    else if (isfinite(slope) && fabs(slope) < 9e18)
        snprintf(buf, size, "%s an hour", pt_units_bytes(a, sizeof(a), (int64_t)slope, true));
    else
        snprintf(buf, size, "?");
}

static json_t *told(enum pt_status status, const json_t *before, const json_t *old,
                    const json_t *after, const json_t *doc)
{
    const json_t *who = after ? after : before;
    const char *title = pt_tree_str(who, "title"), *verdict = pt_tree_str(after, "verdict");
    char was[3 * PT_UNITS_BUF], is[3 * PT_UNITS_BUF];
    amount(before, old, was, sizeof(was));
    amount(after, doc, is, sizeof(is));
    title = title ? title : "?";
    if (status == PT_NEW)
        return pt_tree_text("%s: %s", title, is);
    if (status != PT_RESOLVED && after && pt_match_alarms(after))
        return pt_tree_text("%s: %s, was %s", title, is, was);
    if (status != PT_RESOLVED)
        return pt_tree_text("%s: was %s; whether it goes on cannot be told yet", title, was);
    if (strcmp(section_of(who), "leaks") != 0)
        return pt_tree_text("%s: was %s, not once in %s now", title, was,
                            seconds(pt_tree_real(pt_tree_at(doc, "span"), "recorded_seconds"), is));
    return pt_tree_text("%s: was %s, %s", title, was,
                        verdict ? verdict : "is not among the findings any more");
}

/* ---- comparing ---- */

struct compare {
    json_t *doc;
    const json_t *old;
    json_t *rows;
    size_t cut, damaged; /* findings of which nothing is told, for these */
};

static double recorded(const json_t *doc)
{
    return pt_tree_real(pt_tree_at(doc, "span"), "recorded_seconds");
}

static int add(struct compare *c, enum pt_status status, const json_t *before, json_t *after)
{
    const json_t *who = after ? after : before;
    const char *class = pt_tree_str(who, "class"), *title = pt_tree_str(who, "title");
    if (after && pt_match_alarms(after) &&
        json_object_set_new(after, "status", json_string(pt_status_name(status))) < 0)
        return -1;
    return json_array_append_new(
        c->rows, json_pack("{s:s?, s:s, s:s, s:s?, s:s, s:o, s:o, s:o}", "finding",
                           pt_tree_str(after, "id"), "section", section_of(who), "title",
                           title ? title : "?", "class", class, "status", pt_status_name(status),
                           "text", told(status, before, c->old, after, c->doc), "before",
                           cell(before), "after", cell(after)));
}

/* What only one of the two tells of became nothing that is known. */
static bool known(const struct compare *c, const json_t *finding)
{
    return pt_incidents_told(c->doc, section_of(finding)) &&
           pt_incidents_told(c->old, section_of(finding));
}

static bool damage_hides(const json_t *doc, const char *section)
{
    return pt_tree_int(doc, "damaged") > 0 && strcmp(section, "oom") != 0;
}

/* open: one that is no alarm, but that may go on, counts too. */
static bool cut_hides(const json_t *doc, const char *section, bool open)
{
    const json_t *leaks = pt_tree_at(doc, "leaks");
    if (strcmp(section, "leaks") != 0)
        return strcmp(section, "oom") == 0 && pt_tree_int(doc, "incidents_omitted") > 0;
    return pt_tree_int(leaks, "omitted_alarms") > 0 ||
           (open && pt_tree_int(leaks, "omitted_undetermined") > 0) ||
           (!open && pt_tree_count(leaks, "findings") > FINDINGS_MAX);
}

/* That one of the two does not tell of it says something only where that one tells of all. */
static int judge(struct compare *c, const json_t *before, json_t *after)
{
    const char *section = section_of(after ? after : before);
    enum pt_status status = pt_match_status(before, after);
    const json_t *silent = status == PT_NEW ? c->old : status == PT_RESOLVED ? c->doc : NULL;
    if (silent && damage_hides(silent, section)) {
        c->damaged++;
        return 0;
    }
    if (silent && !(before && after) && cut_hides(silent, section, status == PT_RESOLVED)) {
        c->cut++;
        return 0;
    }
    if (status == PT_RESOLVED && !pt_match_ended(before, recorded(c->old), recorded(c->doc)))
        status = PT_ONGOING;
    return add(c, status, before, after);
}

/* Those of the new report in their order, then what was resolved. */
static int compare_lists(struct compare *c, json_t *now, const json_t *then)
{
    const size_t n = json_array_size(then), nnow = json_array_size(now);
    size_t *pair = calloc(n + 1, sizeof(*pair)), *back = calloc(nnow + 1, sizeof(*back));
    bool ok = pair && back && pt_match_findings(then, now, pair) == 0;
    for (size_t k = 0; ok && k < nnow; k++)
        back[k] = SIZE_MAX;
    for (size_t i = 0; ok && i < n; i++)
        if (pair[i] != SIZE_MAX)
            back[pair[i]] = i;
    for (size_t k = 0; ok && k < nnow; k++) {
        json_t *after = json_array_get(now, k);
        const json_t *before = back[k] == SIZE_MAX ? NULL : json_array_get(then, back[k]);
        if (known(c, after) && (pt_match_alarms(after) || (before && pt_match_alarms(before))))
            ok = judge(c, before, after) == 0;
    }
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *before = json_array_get(then, i);
        if (pair[i] == SIZE_MAX && pt_match_alarms(before) && known(c, before))
            ok = judge(c, before, NULL) == 0;
    }
    free(pair);
    free(back);
    return ok ? 0 : -1;
}

static json_t *first_of(const json_t *list)
{
    json_t *some = json_array();
    for (size_t i = 0; i < json_array_size(list) && i < FINDINGS_MAX; i++)
        json_array_append(some, json_array_get(list, i));
    return some;
}

/* < 0: no memory. */
static int compare(struct compare *c)
{
    int rc = c->rows ? 0 : -1;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && rc == 0; i++) {
        json_t *then = first_of(list_of(c->old, i));
        rc = then ? compare_lists(c, list_of(c->doc, i), then) : -1;
        json_decref(then);
    }
    return rc;
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
                                                     "good", "section", section_of(one), "text",
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

/* Of what no status is told, and why. */
static int note_untold(const struct compare *c, const char *name)
{
    const int64_t places = pt_tree_int(c->old, "damaged");
    int rc = 0;
    if (places > 0)
        rc |= note(c->doc, pt_tree_text("'%s' is damaged in part, in %" PRId64
                                        " place%s: what is missing there is not compared",
                                        name, places, places == 1 ? "" : "s"));
    if (c->damaged)
        rc |= note(c->doc, pt_tree_text("of %zu finding%s it cannot be told whether they are new "
                                        "or ended: what is damaged may hold them",
                                        c->damaged, c->damaged == 1 ? "" : "s"));
    if (c->cut)
        rc |= note(c->doc, pt_tree_text("of %zu finding%s it cannot be told whether they are new "
                                        "or ended: a report is cut (--top makes it longer)",
                                        c->cut, c->cut == 1 ? "" : "s"));
    return rc;
}

/* What speaks against comparing the two. */
static int note_differences(json_t *doc, const json_t *old, const char *name)
{
    static const char *const what[] = {"name", "kernel", "mem_total"};
    static const char *const told_of[] = {"leaks", "swap", "oom"};
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
    for (size_t i = 0; i < sizeof(told_of) / sizeof(*told_of); i++)
        if (!pt_incidents_told(old, told_of[i]) && pt_incidents_told(doc, told_of[i]))
            rc |= note(doc, pt_tree_text("'%s' does not tell of %s: what of it is new is not known",
                                         name, told_of[i]));
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
    struct compare c = {.doc = doc, .old = old, .rows = json_array()};
    json_t *list = c.rows;
    if (compare(&c) < 0 || mark_verdict(doc, list) < 0 || note_differences(doc, old, name) < 0 ||
        note_untold(&c, name) < 0) {
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
