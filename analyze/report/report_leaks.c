/* SPDX-License-Identifier: MIT
 * Leaks in a report: each finding with a sentence and a small picture. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyze/leaks/leaks_print.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/report_int.h"
#include "analyze/report/tree.h"

#define HOUR 3600.0
#define DAY  (24 * HOUR)
/* Alarms are what a report is for; of what only grew the largest are enough. */
#define ALARMS 100
#define OTHERS 40
/* Further than so many times the record nothing is foretold. */
#define FORESIGHT 10.0

static bool alarms(const struct pt_finding *f)
{
    return pt_verdict_alarms(f->ruling.verdict);
}

/* ---- who ---- */

/* "redis-server (pid 1234, redis.service)", "nginx.service", "the slab cache dentry". */
static void who(const struct pt_finding *f, char *buf, size_t size)
{
    const struct pt_life *p = f->life;
    const char *comm = p && p->comm ? p->comm : "?", *name = f->name ? f->name : "?";
    switch (f->subject) {
    case PT_SUBJECT_PROCESS:
        snprintf(buf, size, "%s (pid %" PRId64 "%s%s)", comm, p ? p->pid : 0,
                 p && p->service ? ", " : "", p && p->service ? p->service : "");
        break;
    case PT_SUBJECT_SLAB:
        snprintf(buf, size, "the slab cache %s", name);
        break;
    case PT_SUBJECT_TMPFS:
        snprintf(buf, size, "the tmpfs %s", name);
        break;
    case PT_SUBJECT_SHM:
        snprintf(buf, size, "the shared segment %s", name);
        break;
    case PT_SUBJECT_KERNEL:
        snprintf(buf, size, "the kernel's %s", name);
        break;
    case PT_SUBJECT_SERVICE:
    case PT_SUBJECT_SYSTEM:
    case PT_SUBJECTS:
        pt_finding_title(f, buf, size);
        break;
    }
}

/* ---- the sentence ---- */

/* A verdict in words: what stands before the amount, and after it. */
static const struct {
    const char *does, *rest;
} words[PT_VERDICTS] = {
    [PT_LEAK] = {"leaks", ""},
    [PT_PER_REQUEST] = {"leaks", " with the work it does"},
    [PT_LEAK_OR_RETENTION] = {"leaks, or keeps what it freed,", ""},
    [PT_FAST_GROWTH] = {"grows fast, by", ""},
    [PT_BOUNDED] = {"grew by", " and levels off"},
    [PT_STEP] = {"grew by", " in steps and stays"},
    [PT_LOAD_FOLLOWING] = {"follows its load:", ""},
    [PT_SAWTOOTH] = {"rises and falls:", ""},
    [PT_SHRINKING] = {"shrinks:", ""},
    [PT_STABLE] = {"is stable:", ""},
    [PT_UNDETERMINED] = {"grew by", ", and why cannot be told yet"},
    [PT_INSUFFICIENT] = {"is known too short for a trend:", ""},
};

static const char *memory(const char *class)
{
    static const struct {
        const char *class, *name;
    } names[] = {
        {"anon", "anonymous memory"},
        {"arena", "malloc arenas"},
        {"shmem", "shared memory"},
        {"descriptors", "open files and sockets"},
        {"private-file", "private file pages"},
        {"hugetlb", "huge pages"},
        {"page-tables", "page tables"},
        {"kernel-stacks", "kernel stacks"},
        {"residual", "memory that no counter tells"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i].class, class) == 0)
            return names[i].name;
    return class;
}

/* Slow leaks are told by the day. */
static bool slow(const struct pt_ruling *r)
{
    return fabs(r->b) * HOUR < 1048576.0;
}

/* "since the beginning", where it grew from the first hundredth of the record on. */
static void since(const struct pt_report *r, const struct pt_ruling *v, char *buf, size_t size)
{
    char when[PT_UNITS_BUF];
    if (v->since <= r->leaks.timeline.end / 100)
        snprintf(buf, size, "since the beginning");
    else
        snprintf(buf, size, "since %s",
                 pt_units_time(when, sizeof(when), pt_timeline_real(&r->leaks.timeline, v->since),
                               r->offset_s));
}

/* What lasts beyond ten times the record is not foretold. */
static void until_full(const struct pt_report *r, const struct pt_finding *f, char *buf,
                       size_t size)
{
    const struct pt_ruling *v = &f->ruling;
    char a[PT_UNITS_BUF];
    *buf = '\0';
    if (isnan(v->exhaustion) || !f->limit || v->exhaustion > FORESIGHT * r->leaks.timeline.end)
        return;
    const char *the = strcmp(f->limit, "machine") == 0 ? "the " : "";
    if (v->exhaustion < 1)
        snprintf(buf, size, ", %s%s is full", the, f->limit);
    else
        snprintf(buf, size, ", %s%s full in %s at this rate", the, f->limit,
                 pt_units_duration(a, sizeof(a), pt_units_us(v->exhaustion)));
}

json_t *pt_report_sentence(const struct pt_report *r, const struct pt_finding *f)
{
    const struct pt_ruling *v = &f->ruling;
    const char *does = words[v->verdict].does, *rest = words[v->verdict].rest;
    char subject[512], full[512], growth[PT_UNITS_BUF], speed[PT_UNITS_BUF], when[PT_UNITS_BUF + 8],
        more[PT_UNITS_BUF];
    who(f, subject, sizeof(subject));
    since(r, v, when, sizeof(when));
    pt_units_bytes(growth, sizeof(growth), (int64_t)v->growth, alarms(f));
    if (alarms(f)) {
        until_full(r, f, full, sizeof(full));
        pt_units_bytes(speed, sizeof(speed), pt_units_whole(v->b * (slow(v) ? DAY : HOUR)), false);
        return pt_tree_text("%s %s %s of %s %s%s: %s %s%s (%s confidence)", subject, does, speed,
                            memory(f->what), slow(v) ? "a day" : "an hour", rest, growth, when,
                            full, pt_confidence_name(v->confidence));
    }
    if (v->verdict == PT_UNDETERMINED && v->more > 0)
        return pt_tree_text("%s %s %s of %s %s%s: record %s more", subject, does, growth,
                            memory(f->what), when, rest,
                            pt_units_duration(more, sizeof(more), pt_units_us(v->more)));
    return pt_tree_text("%s %s %s of %s %s%s", subject, does, growth, memory(f->what), when, rest);
}

/* ---- the picture ---- */

/* Its envelope: bins of equal length, those in which nothing is known null. */
static json_t *picture(const struct pt_report *r, const struct pt_finding *f)
{
    const struct pt_env *e = &f->ruling.env;
    const struct pt_timeline *t = &r->leaks.timeline;
    if (e->n < 2 || !(e->width > 0))
        return json_null();
    json_t *values = json_array();
    const double from = e->t[0] - e->width / 2;
    int next = 0;
    for (int bin = 0; bin < PT_BINS && next < e->n; bin++) {
        const bool known = e->t[next] < from + (bin + 1) * e->width;
        json_array_append_new(values, known ? pt_tree_whole(e->v[next]) : json_null());
        next += known;
    }
    return json_pack("{s:o, s:o, s:o}", "from", pt_json_time(pt_timeline_real(t, from)), "to",
                     pt_json_time(pt_timeline_real(t, e->t[e->n - 1] + e->width / 2)), "values",
                     values);
}

static json_t *finding(const struct pt_report *r, const struct pt_finding *f, size_t number)
{
    char title[512];
    json_t *j = pt_finding_json(&r->leaks, f);
    who(f, title, sizeof(title));
    if (json_object_set_new(j, "id", pt_tree_text("f%zu", number)) < 0 ||
        json_object_set_new(j, "title", pt_json_str(title)) < 0 ||
        json_object_set_new(j, "sentence", pt_report_sentence(r, f)) < 0 ||
        json_object_set_new(j, "status", json_null()) < 0 ||
        json_object_set_new(j, "picture", picture(r, f)) < 0) {
        json_decref(j);
        return NULL;
    }
    return j;
}

json_t *pt_report_leaks(struct pt_report *r, struct pt_err *err)
{
    struct pt_leaks *l = &r->leaks;
    size_t shown[2] = {0, 0}, all[2] = {0, 0}, quiet[2] = {0, 0}, open = 0;
    const size_t most[2] = {pt_report_top(r, OTHERS), pt_report_top(r, ALARMS)};
    if (pt_leaks_find(r->s, r->o->from, r->o->to, l, err) < 0) {
        /* what is told of the span and drawn over it needs its axis */
        if (pt_timeline_load(r->s->db, r->o->from, r->o->to, &l->timeline, NULL) < 0)
            l->timeline = (struct pt_timeline){0};
        return NULL;
    }
    r->has_leaks = true;
    json_t *findings = json_array();
    for (size_t i = 0; i < l->n; i++) {
        const bool alarm = alarms(&l->v[i]);
        if (all[alarm]++ < most[alarm])
            shown[alarm] += json_array_append_new(
                                findings, finding(r, &l->v[i], json_array_size(findings) + 1)) == 0;
        else
            open += l->v[i].ruling.verdict == PT_UNDETERMINED;
    }
    for (size_t i = 0; i < l->nquiet; i++)
        quiet[l->quiet[i].verdict == PT_STABLE]++;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:o, s:I, s:I, s:I}", "alarms",
                     (json_int_t)all[1], "others", (json_int_t)all[0], "stable",
                     (json_int_t)quiet[1], "insufficient", (json_int_t)quiet[0], "series",
                     (json_int_t)l->series, "available_slope_bytes_per_hour",
                     pt_tree_number(l->available * HOUR), "explained_fraction",
                     pt_tree_number(l->explained), "smaps", (int)l->smaps, "findings", findings,
                     "omitted_alarms", (json_int_t)(all[1] - shown[1]), "omitted_others",
                     (json_int_t)(all[0] - shown[0]), "omitted_undetermined", (json_int_t)open);
}

const char *pt_report_finding_of(const json_t *leaks, int64_t pid, int64_t start_time,
                                 const char **ret_verdict)
{
    size_t i;
    const json_t *f;
    const json_t *findings = pt_tree_at(leaks, "findings");
    *ret_verdict = NULL;
    json_array_foreach(findings, i, f)
    {
        const json_t *subject = pt_tree_at(f, "subject");
        if (pt_tree_int(subject, "pid") == pid &&
            pt_tree_int(subject, "start_time") == start_time) {
            *ret_verdict = pt_tree_str(f, "verdict");
            return pt_tree_str(f, "id");
        }
    }
    return NULL;
}
