/* SPDX-License-Identifier: MIT
 * A report, section by section, in the order in which it is read. */
#include "analyze/report/report_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diff/growth_print.h"
#include "analyze/info/info.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/incidents.h"
#include "analyze/report/tree.h"

/* Holders of a class of memory. */
#define HOLDERS 20
/* Of swap. */
#define EPISODES 60

size_t pt_report_top(const struct pt_report *r, size_t usual)
{
    return r->o->top == PT_UNKNOWN ? usual : (size_t)r->o->top;
}

double pt_report_hours(const struct pt_report *r)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    return t->count > 0 ? pt_timeline_known(t, 0, t->end) / 3600 : 0;
}

/* ---- sections that others have ---- */

/* info, of the span alone. */
static json_t *machine(struct pt_report *r, struct pt_err *err)
{
    struct pt_session part = *r->s;
    struct pt_snap first, last;
    struct pt_info *info = calloc(1, sizeof(*info));
    json_t *j = NULL;
    if (!info) {
        pt_err_nomem(err);
        return NULL;
    }
    if (r->o->from != part.span.first || r->o->to != part.span.last) {
        if (pt_db_snap(r->s->db, r->o->from, &first, err) < 0 ||
            pt_db_snap(r->s->db, r->o->to, &last, err) < 0) {
            free(info);
            return NULL;
        }
        part.span.first = first.n;
        part.span.first_us = first.real_us;
        part.span.last = last.n;
        part.span.last_us = last.real_us;
    }
    if (pt_info_make(&part, info, err) >= 0) {
        part.ndamage = r->s->ndamage;
        j = pt_info_json(&part, info); /* the file's size is that of all its snapshots */
        if (!j || json_object_set_new(j, "snapshots", json_integer((json_int_t)info->count)) < 0) {
            json_decref(j);
            j = NULL;
            pt_err_nomem(err);
        }
    }
    free(info);
    return j;
}

/* The first snapshot of the newest boot of the span. */
static int64_t newest_boot(const struct pt_report *r)
{
    for (uint32_t n = pt_db_boots(r->s->db); n > 0; n--) {
        const int64_t first = pt_db_boot(r->s->db, n - 1)->first;
        if (first > 0 && first <= r->o->to)
            return first > r->o->from ? first : r->o->from;
    }
    return r->o->from;
}

/* Growth is told within one boot: memory begins anew with each. */
static int load_ends(struct pt_report *r, struct pt_err *err)
{
    int rc = pt_picture_load(r->s->db, newest_boot(r), r->s->smaps, &r->before, err);
    if (rc >= 0)
        rc = pt_picture_load(r->s->db, r->o->to, r->s->smaps, &r->after, err);
    return rc < 0 ? rc : pt_diff_make(&r->before, &r->after, PT_BY_PROCESS, &r->diff, err);
}

/* Of each class the holders that are not listed, and what they changed by together. */
static int omit_holders(json_t *growth, const struct pt_sheet *sheet)
{
    for (size_t i = 0; i < sheet->n; i++) {
        json_t *class = json_array_get(json_object_get(growth, "classes"), i);
        size_t skip = json_array_size(json_object_get(class, "holders"));
        json_int_t n = 0, rest = 0;
        for (size_t k = 0; k < sheet->v[i].n; k++) {
            const int64_t delta = sheet->v[i].v[k].bytes.delta;
            if (delta == 0 || (skip > 0 && skip--))
                continue;
            n++;
            rest += delta == PT_UNKNOWN ? 0 : delta;
        }
        if (json_object_set_new(class, "omitted", json_integer(n)) < 0 ||
            json_object_set_new(class, "omitted_bytes", json_integer(rest)) < 0)
            return -1;
    }
    return 0;
}

static json_t *growth(struct pt_report *r, struct pt_err *err)
{
    struct pt_sheet sheet;
    if (load_ends(r, err) < 0 || pt_sheet_between(&r->diff, PT_BY_PROCESS, &sheet, err) < 0)
        return NULL;
    pt_sheet_by_change(&sheet);
    json_t *j = sheet.n ? pt_growth_json(&sheet, &r->diff, (int64_t)pt_report_top(r, HOLDERS))
                        : json_null();
    if (j && sheet.n && omit_holders(j, &sheet) < 0) {
        json_decref(j);
        j = NULL;
    }
    if (!j)
        pt_err_nomem(err);
    pt_sheet_release(&sheet);
    return j;
}

static json_t *of_beside(struct pt_report *r, struct pt_beside_part *part, struct pt_err *err)
{
    json_t *j = part->made;
    const struct pt_err *why = &part->err;
    part->made = NULL;
    if (j)
        json_object_update(json_object_get(r->doc, "cut"), part->cut);
    else
        pt_err_set(err, why->code, why->sys, why->source, why->position, "%s", why->text);
    return j;
}

static int largest_first(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static double stall_of(const json_t *episode)
{
    return fmax(pt_tree_real(episode, "stall_seconds"), 0);
}

/* Those episodes in which most time was lost, in their order. NULL: no memory. */
static json_t *worst_of(const json_t *episodes, size_t most)
{
    const size_t n = json_array_size(episodes);
    double *order = calloc(n + 1, sizeof(*order));
    json_t *kept = json_array();
    size_t equals = most; /* room for those that lost just as much as the last one kept */
    for (size_t i = 0; i < n && order; i++)
        order[i] = stall_of(json_array_get(episodes, i));
    if (order)
        qsort(order, n, sizeof(*order), largest_first);
    const double least = order && most > 0 ? order[most - 1] : INFINITY;
    for (size_t i = 0; i < most && order; i++)
        equals -= order[i] > least;
    for (size_t i = 0; i < n && order; i++) {
        json_t *e = json_array_get(episodes, i);
        if (stall_of(e) > least || (!(stall_of(e) < least) && equals > 0 && equals--))
            json_array_append(kept, e);
    }
    const bool ok = order && json_array_size(kept) == most;
    free(order);
    if (ok)
        return kept;
    json_decref(kept);
    return NULL;
}

static int cut_episodes(struct pt_report *r, json_t *swap)
{
    const json_t *episodes = pt_tree_at(swap, "episodes");
    const size_t n = json_array_size(episodes), most = pt_report_top(r, EPISODES);
    if (n > most && json_object_set_new(swap, "episodes", worst_of(episodes, most)) < 0)
        return -1;
    return json_object_set_new(r->doc, "swap_omitted",
                               json_integer(n > most ? (json_int_t)(n - most) : 0));
}

/* Takes `more`; < 0: no memory. */
static int extend(json_t *list, json_t *more)
{
    const int rc = more ? json_array_extend(list, more) : -1;
    json_decref(more);
    return rc;
}

static json_t *swap(struct pt_report *r, struct pt_err *err)
{
    pt_beside_end(&r->beside, r->s);
    r->has_beside = false;
    json_t *j = of_beside(r, &r->beside.swap, err);
    const bool full = j && extend(json_object_get(r->doc, "incidents"),
                                  pt_incidents_swap(j, pt_report_hours(r))) == 0;
    if (j && (!full || cut_episodes(r, j) < 0)) {
        json_decref(j);
        j = NULL;
        pt_err_nomem(err);
    }
    return j;
}

static json_t *kernel(struct pt_report *r, struct pt_err *err)
{
    return of_beside(r, &r->beside.kernel, err);
}

/* ---- the whole ---- */

struct ends {
    int64_t count, first_us, last_us;
};

static int on_snap(void *ctx, const struct pt_snap *snap)
{
    struct ends *e = ctx;
    if (e->count++ == 0)
        e->first_us = snap->real_us;
    e->last_us = snap->real_us;
    return 0;
}

/* What the list of snapshots tells, where their own clocks are lost. */
static void span_without_axis(const struct pt_report *r, json_t *span)
{
    struct ends e = {.count = 0};
    if (pt_db_each(r->s->db, r->o->from, r->o->to, on_snap, &e, NULL) < 0 || e.count == 0)
        return;
    json_object_set_new(span, "from", pt_json_time(e.first_us));
    json_object_set_new(span, "to", pt_json_time(e.last_us));
    json_object_set_new(span, "first", pt_json_int(r->o->from));
    json_object_set_new(span, "last", pt_json_int(r->o->to));
    json_object_set_new(span, "snapshots", json_integer((json_int_t)e.count));
}

/* As the machine's section counts them: the time between boots is none. */
static int64_t gaps(const struct pt_report *r)
{
    const int64_t n = pt_tree_int(pt_tree_at(r->doc, "machine"), "gap_count");
    size_t seen;
    pt_timeline_unrecorded(&r->leaks.timeline, false, &seen);
    return n == PT_UNKNOWN ? (int64_t)seen : n;
}

static json_t *span(const struct pt_report *r)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    const bool whole = r->o->from == r->s->span.first && r->o->to == r->s->span.last;
    const bool any = t->count > 0;
    json_t *j = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:I, s:b}", "from",
        pt_json_time(any ? t->first_us : PT_UNKNOWN), "to",
        pt_json_time(any ? t->last_us : PT_UNKNOWN), "first",
        pt_json_int(any ? t->first : PT_UNKNOWN), "last", pt_json_int(any ? t->last : PT_UNKNOWN),
        "snapshots", (json_int_t)t->count, "seconds", any ? json_real(t->end) : json_null(),
        "recorded_seconds", any ? json_real(pt_timeline_known(t, 0, t->end)) : json_null(), "gaps",
        (json_int_t)gaps(r), "boots", (json_int_t)t->nboots, "whole", (int)whole);
    if (!any && r->s->span.count > 0)
        span_without_axis(r, j);
    return j;
}

/* What is to be known before the rest is believed. */
static json_t *notes(const struct pt_report *r)
{
    json_t *a = json_array();
    const json_t *left;
    size_t i;
    if (r->s->span.count == 0)
        json_array_append_new(a, json_string("the recording holds no snapshots"));
    if (r->s->ndamage > 0)
        json_array_append_new(
            a, pt_tree_text("the recording is damaged in %zu place%s: what is missing there is "
                            "missing here ('pagetrail check' reads everything)",
                            r->s->ndamage, r->s->ndamage == 1 ? "" : "s"));
    json_array_foreach(pt_tree_at(r->doc, "left_out"), i, left)
    {
        json_array_append(a, json_object_get(left, "text"));
    }
    const struct pt_timeline *t = &r->leaks.timeline;
    if (t->clock_steps)
        json_array_append_new(
            a, pt_tree_text("the clock was set %" PRIu32
                            " time%s: times are by the clock as it was then%s",
                            t->clock_steps, t->clock_steps == 1 ? "" : "s",
                            t->end > 0 ? ", charts by the clock as it is at the end" : ""));
    return a;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Sections, in the order they are made; each may use those above. */
static const struct {
    const char *key, *doing;
    json_t *(*make)(struct pt_report *r, struct pt_err *err);
    bool empty; /* made for a recording without snapshots too */
} sections[] = {
    {"machine", "the machine", machine, true},
    {"leaks", "leaks", pt_report_leaks, false},
    {"growth", "growth", growth, false},
    {"charts", "charts", pt_report_charts, false},
    {"swap", "swap", swap, false},
    {"kernel", "kernel memory", kernel, false},
    {"processes", "processes", pt_report_processes, false},
    {"glossary", "words", pt_report_glossary, true},
};

int pt_report_left_out(struct pt_report *r, const char *section, const char *doing,
                       const struct pt_err *why, struct pt_err *err)
{
    if (why->code == PT_OK || why->code == PT_ENOMEM)
        return pt_err_nomem(err);
    json_t *one = json_pack("{s:s, s:o}", "section", section, "text",
                            pt_tree_text("%s: could not be made: %s", doing, why->text));
    return json_array_append_new(json_object_get(r->doc, "left_out"), one) < 0 ? pt_err_nomem(err)
                                                                               : 0;
}

static int make_section(struct pt_report *r, size_t i, struct pt_err *err)
{
    struct pt_err why = {0};
    json_t *j =
        r->s->span.count == 0 && !sections[i].empty ? json_null() : sections[i].make(r, &why);
    if (!j && pt_report_left_out(r, sections[i].key, sections[i].doing, &why, err) < 0)
        return -PT_ENOMEM;
    return json_object_set_new(r->doc, sections[i].key, j ? j : json_null()) < 0 ? pt_err_nomem(err)
                                                                                 : 0;
}

static int make_sections(struct pt_report *r, struct pt_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections) && rc >= 0; i++) {
        if (r->o->progress)
            r->o->progress(r->o->ctx, sections[i].doing);
        rc = make_section(r, i, err);
    }
    return rc;
}

/* Places in which this span is damaged, or it is not known where. */
static json_int_t damaged(const struct pt_report *r)
{
    json_int_t n = 0;
    for (size_t i = 0; i < r->s->ndamage; i++) {
        const struct pt_damage *d = &r->s->damage[i];
        n += d->first <= 0 || (d->first <= r->o->to && d->last >= r->o->from);
    }
    return n;
}

static int make(struct pt_report *r, struct pt_err *err)
{
    static const char *const order[] = {"span",
                                        "damaged",
                                        "notes",
                                        "left_out",
                                        "verdict",
                                        "incidents",
                                        "incidents_omitted",
                                        "cut",
                                        "against",
                                        "compare",
                                        "machine",
                                        "leaks",
                                        "growth",
                                        "charts",
                                        "marks",
                                        "marks_omitted",
                                        "swap",
                                        "swap_omitted",
                                        "kernel",
                                        "oom",
                                        "oom_omitted",
                                        "events",
                                        "processes",
                                        "glossary"};
    struct pt_snap last;
    if (r->s->span.count > 0 && !r->s->args->utc &&
        pt_db_snap(r->s->db, r->o->to, &last, NULL) >= 0)
        r->offset_s = last.utc_offset_s;
    r->doc = json_pack("{s:i, s:s, s:s, s:o, s:i}", "report", PT_REPORT_VERSION, "kind", "report",
                       "program", "pagetrail " PT_VERSION, "database",
                       pt_json_str(base_name(pt_db_path(r->s->db))), "utc_offset_seconds",
                       (int)r->offset_s);
    /* in the order in which it is read */
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        json_object_set_new(r->doc, order[i], json_null());
    if (json_object_set_new(r->doc, "left_out", json_array()) < 0 ||
        json_object_set_new(r->doc, "cut", json_object()) < 0 ||
        json_object_set_new(r->doc, "incidents", json_array()) < 0)
        return pt_err_nomem(err);
    int rc = make_sections(r, err);
    if (rc >= 0)
        rc = pt_report_events(r, err);
    json_t *counts = json_object_get(json_object_get(r->doc, "events"), "counts");
    if (counts && json_is_object(json_object_get(r->doc, "machine")))
        json_object_set(json_object_get(r->doc, "machine"), "events", counts); /* of the span */
    json_object_set_new(r->doc, "damaged", json_integer(damaged(r)));
    json_t *verdict = rc >= 0 ? pt_report_verdict(r, err) : NULL;
    if (rc < 0 || !verdict)
        return rc < 0 ? rc : -PT_ENOMEM;
    if (json_object_set_new(r->doc, "verdict", verdict) < 0 ||
        json_object_set_new(r->doc, "span", span(r)) < 0 ||
        json_object_set_new(r->doc, "notes", notes(r)) < 0 ||
        json_object_set_new(r->doc, "against", json_null()) < 0 ||
        json_object_set_new(r->doc, "compare", json_null()) < 0)
        return pt_err_nomem(err);
    return 0;
}

json_t *pt_report_make(struct pt_session *s, const struct pt_report_options *o, struct pt_err *err)
{
    struct pt_report r = {.s = s, .o = o};
    if (s->span.count > 0) {
        pt_beside_begin(&r.beside, s, o->from, newest_boot(&r), o->to, pt_report_top(&r, HOLDERS));
        r.has_beside = true;
    }
    const int rc = make(&r, err);
    if (r.has_beside)
        pt_beside_drop(&r.beside, s);
    json_decref(r.beside.swap.made);
    json_decref(r.beside.kernel.made);
    json_decref(r.beside.swap.cut);
    json_decref(r.beside.kernel.cut);
    pt_diff_release(&r.diff);
    pt_picture_release(&r.before);
    pt_picture_release(&r.after);
    if (r.has_leaks)
        pt_leaks_release(&r.leaks);
    else
        pt_timeline_release(&r.leaks.timeline);
    if (rc < 0) {
        json_decref(r.doc);
        return NULL;
    }
    return r.doc;
}

int pt_report_json(const json_t *doc, FILE *out)
{
    if (json_dumpf(doc, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) < 0)
        return -1;
    return fputc('\n', out) == EOF ? -1 : 0;
}
