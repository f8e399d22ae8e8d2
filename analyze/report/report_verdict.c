/* SPDX-License-Identifier: MIT
 * The verdict of a report: a sentence for each thing that a person must know, worst first. Made
 * from the finished sections of the document. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/match.h"
#include "analyze/report/report_int.h"
#include "analyze/report/tree.h"

/* Sentences of leaks: more are counted in one. */
#define LEAKS 20
/* Of a record no longer than this, which is twice what a verdict takes, nothing is called good. */
#define SHORT_S 600
/* Of OOM kills. */
#define VICTIMS 5

enum severity { ALARM = 0, WARNING, NOTE, GOOD };
static const char *const severities[] = {"alarm", "warning", "note", "good"};

static void add(json_t *verdict, enum severity severity, const char *section, const char *finding,
                json_t *text)
{
    json_array_append_new(verdict, json_pack("{s:s, s:s, s:o, s:s?, s:n}", "severity",
                                             severities[severity], "section", section, "text", text,
                                             "finding", finding, "status"));
}

static void add_leaks(json_t *verdict, const json_t *leaks, int level)
{
    const json_t *f;
    size_t i;
    int64_t n = 0;
    json_array_foreach(pt_tree_at(leaks, "findings"), i, f)
    {
        const bool medium = !pt_tree_is(f, "confidence", "high");
        if (!pt_match_alarms(f) || medium != (level == WARNING))
            continue;
        if (n++ < LEAKS)
            add(verdict, level == WARNING ? WARNING : ALARM, "leaks", pt_tree_str(f, "id"),
                json_incref(json_object_get(f, "sentence")));
    }
    if (n > LEAKS)
        add(verdict, level == WARNING ? WARNING : ALARM, "leaks", NULL,
            pt_tree_text("and %" PRId64 " more leak%s", n - LEAKS, n - LEAKS == 1 ? "" : "s"));
}

static void add_omitted(json_t *verdict, const json_t *leaks)
{
    const int64_t n = pt_tree_int(leaks, "omitted_alarms");
    if (n > 0)
        add(verdict, WARNING, "leaks", NULL,
            pt_tree_text("%" PRId64 " more that leak are left out of this report", n));
}

static void add_oom(json_t *verdict, const json_t *doc)
{
    const json_t *one;
    size_t i;
    int64_t told = 0, more = pt_tree_int(doc, "incidents_omitted");
    more = more > 0 ? more : 0;
    json_array_foreach(pt_tree_at(doc, "incidents"), i, one)
    {
        if (!pt_tree_is(one, "section", "oom"))
            continue;
        if (told++ < VICTIMS)
            add(verdict, ALARM, "oom", pt_tree_str(one, "id"),
                json_incref(json_object_get(one, "sentence")));
        else
            more += pt_tree_int(one, "count");
    }
    if (more > 0)
        add(verdict, ALARM, "oom", NULL,
            pt_tree_text("and %" PRId64 " more kills for want of memory", more));
}

/* Whether swap does harm, where it was used at all: a sentence for each way in which it does. */
static void add_swap(json_t *verdict, const json_t *doc)
{
    const json_t *swap = pt_tree_at(doc, "swap"), *one;
    const bool harm = pt_tree_is(swap, "verdict", "harmful");
    size_t i;
    json_array_foreach(pt_tree_at(doc, "incidents"), i, one)
    {
        /* where something was wrong, that memory had run short goes without saying */
        if (pt_tree_is(one, "section", "swap") &&
            !(harm && pt_tree_is(one, "verdict", "swap-out-pressure")))
            add(verdict, harm ? ALARM : WARNING, "swap", pt_tree_str(one, "id"),
                json_incref(json_object_get(one, "sentence")));
    }
    if (pt_tree_is(swap, "verdict", "harmless") || pt_tree_is(swap, "verdict", "unknown"))
        add(verdict, pt_tree_is(swap, "verdict", "harmless") ? GOOD : NOTE, "swap", NULL,
            json_incref(json_object_get(swap, "text")));
}

/* "nothing leaks", as far as anybody can know. */
static void add_good(json_t *verdict, const struct pt_report *r, const json_t *leaks)
{
    char span[PT_UNITS_BUF];
    const int64_t series = pt_tree_int(leaks, "series"), young = pt_tree_int(leaks, "insufficient");
    if (!leaks && r->s->span.count > 0)
        add(verdict, NOTE, "leaks", NULL, pt_tree_text("whether anything leaks cannot be told"));
    if (!leaks || pt_tree_int(leaks, "alarms") != 0)
        return;
    pt_units_duration(span, sizeof(span), pt_units_us(r->leaks.timeline.end));
    if (pt_tree_int(r->doc, "damaged") > 0)
        add(verdict, NOTE, "leaks", NULL,
            pt_tree_text("whether anything leaks cannot be told: the recording is damaged"));
    else if (series <= 0)
        add(verdict, NOTE, "leaks", NULL, pt_tree_text("nothing was recorded that could leak"));
    else if (young >= series)
        add(verdict, NOTE, "leaks", NULL,
            pt_tree_text("whether anything leaks cannot be told from %s: record for longer", span));
    else if (young > 0 && r->leaks.timeline.end < SHORT_S)
        add(verdict, NOTE, "leaks", NULL,
            pt_tree_text("no leak was found, but %" PRId64 " of %" PRId64
                         " series are too short to tell: record for longer than %s",
                         young, series, span));
    else if (young > 0)
        add(verdict, GOOD, "leaks", NULL,
            pt_tree_text("nothing leaks: %" PRId64 " series over %s, %" PRId64
                         " of them too short to tell",
                         series, span, young));
    else
        add(verdict, GOOD, "leaks", NULL,
            pt_tree_text("nothing leaks: %" PRId64 " series over %s", series, span));
}

static void add_machine(json_t *verdict, const struct pt_report *r)
{
    char text[PT_UNITS_BUF];
    size_t n;
    const double gaps = pt_timeline_unrecorded(&r->leaks.timeline, false, &n);
    if (n)
        add(verdict, NOTE, "machine", NULL,
            pt_tree_text("nothing was recorded for %s of it (%zu gap%s)",
                         pt_units_duration(text, sizeof(text), pt_units_us(gaps)), n,
                         n == 1 ? "" : "s"));
    const double off = pt_timeline_unrecorded(&r->leaks.timeline, true, &n);
    if (n)
        add(verdict, NOTE, "machine", NULL,
            pt_tree_text("nothing was recorded for %s around %zu reboot%s: the machine may have "
                         "been off",
                         pt_units_duration(text, sizeof(text), pt_units_us(off)), n,
                         n == 1 ? "" : "s"));
    if (r->has_leaks && r->leaks.lives.unreadable)
        add(verdict, NOTE, "machine", NULL,
            pt_tree_text("the memory of %" PRIu64 " processes could not be read",
                         r->leaks.lives.unreadable));
    if (r->has_leaks && !r->leaks.smaps)
        add(verdict, NOTE, "machine", NULL,
            pt_tree_text(
                "no mappings were read: in which kind of memory growth sits is not known"));
}

/* Worst first, else as they are. */
static json_t *ranked(json_t *verdict)
{
    static const enum severity order[] = {ALARM, WARNING, GOOD, NOTE};
    json_t *all = json_array(), *one;
    size_t i;
    for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++) {
        json_array_foreach(verdict, i, one)
        {
            if (pt_tree_is(one, "severity", severities[order[k]]))
                json_array_append(all, one);
        }
    }
    json_decref(verdict);
    return all;
}

json_t *pt_report_verdict(struct pt_report *r, struct pt_err *err)
{
    const json_t *leaks = pt_tree_at(r->doc, "leaks");
    json_t *verdict = json_array();
    if (!verdict) {
        pt_err_nomem(err);
        return NULL;
    }
    add_oom(verdict, r->doc);
    add_leaks(verdict, leaks, ALARM);
    add_leaks(verdict, leaks, WARNING);
    add_omitted(verdict, leaks);
    add_good(verdict, r, leaks);
    add_swap(verdict, r->doc);
    add_machine(verdict, r);
    return ranked(verdict);
}
