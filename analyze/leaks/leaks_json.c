/* SPDX-License-Identifier: MIT
 * Findings as JSON: leaks.schema.json. */
#include <math.h>

#include "analyze/print/json.h"
#include "analyze/leaks/leaks_print.h"

#define HOUR 3600.0

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *whole(double v)
{
    return isfinite(v) && fabs(v) < 9e18 ? json_integer((json_int_t)v) : json_null();
}

static json_t *pids_of(const struct pt_leaks *l, const struct pt_finding *f)
{
    json_t *a = json_array();
    int64_t last = -1;
    for (size_t i = 0; i < l->lives.n; i++) {
        const struct pt_life *life = &l->lives.v[i];
        const bool own = f->life ? life == f->life
                                 : f->group && life->group < l->groups.n &&
                                       &l->groups.v[life->group] == f->group;
        if (own && life->pid != last)
            json_array_append_new(a, json_integer((json_int_t)life->pid));
        last = own ? life->pid : last;
    }
    return a;
}

static json_t *subject_of(const struct pt_leaks *l, const struct pt_finding *f)
{
    const struct pt_life *p = f->life;
    const char *service = p && p->service ? p->service : f->group ? f->group->name : NULL;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
                     pt_subject_name(f->subject), "pid", pt_json_int(p ? p->pid : PT_UNKNOWN),
                     "start_time", pt_json_int(p ? p->start_time : PT_UNKNOWN), "comm",
                     pt_json_str(p ? p->comm : NULL), "exe", pt_json_str(p ? p->exe : NULL),
                     "service", pt_json_str(service), "name", pt_json_str(f->name), "pids",
                     pids_of(l, f));
}

static json_t *evidence_of(const struct pt_finding *f)
{
    json_t *a = json_array();
    for (int i = 0; i < f->ruling.nevidence; i++) {
        const struct pt_evidence *e = &f->ruling.evidence[i];
        json_array_append_new(a, json_pack("{s:s, s:o, s:o, s:b, s:o}", "test", e->test, "value",
                                           real(e->value), "threshold", real(e->threshold),
                                           "passed", e->passed, "text", pt_json_str(e->text)));
    }
    return a;
}

static json_t *mappings_of(const struct pt_finding *f)
{
    json_t *a = json_array();
    for (int i = 0; i < f->parts.ntop; i++) {
        const struct pt_grown *g = &f->parts.top[i];
        json_array_append_new(a, json_pack("{s:o, s:s, s:o, s:i}", "name", pt_json_str(g->name),
                                           "class", pt_class_name(g->of), "growth_bytes",
                                           whole(g->growth), "count", (int)g->mappings));
    }
    return a;
}

static json_t *classes_of(const struct pt_finding *f)
{
    json_t *a = json_array();
    for (int c = 0; c < PT_CLASS_COUNT && f->readings; c++)
        json_array_append_new(a, json_pack("{s:s, s:o}", "class", pt_class_name((enum pt_class)c),
                                           "growth_bytes", whole(f->classes[c])));
    return a;
}

static json_t *exhaustion_of(const struct pt_finding *f)
{
    const struct pt_ruling *r = &f->ruling;
    return json_pack("{s:o, s:o, s:o, s:o}", "limit",
                     isnan(r->exhaustion) ? json_null() : pt_json_str(f->limit), "seconds",
                     real(r->exhaustion), "low", real(r->exhaustion_low), "high",
                     real(r->exhaustion_high));
}

json_t *pt_finding_json(const struct pt_leaks *l, const struct pt_finding *f)
{
    const struct pt_ruling *r = &f->ruling;
    json_t *j = json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "verdict", pt_verdict_name(r->verdict),
        "confidence", pt_confidence_name(r->confidence), "subject", subject_of(l, f), "class",
        f->what, "since", pt_json_time(pt_timeline_real(&l->timeline, r->since)), "growth_bytes",
        whole(r->growth), "slope_bytes_per_hour", real(r->b * HOUR), "slope_low",
        real(r->low * HOUR), "slope_high", real(r->high * HOUR));
    json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:o}", "exhaustion", exhaustion_of(f), "classes",
                             classes_of(f), "mappings", mappings_of(f), "evidence", evidence_of(f),
                             "more_seconds", real(r->more));
    if (!j || !rest || json_object_update(j, rest) < 0) {
        json_decref(j);
        j = NULL;
    }
    json_decref(rest);
    return j;
}

json_t *pt_leaks_json(const struct pt_leaks *l, const struct pt_session *s)
{
    const struct pt_timeline *t = &l->timeline;
    json_t *findings = json_array();
    const int64_t top = s->args->top == PT_UNKNOWN ? INT64_MAX : s->args->top;
    for (size_t i = 0; i < l->n && (int64_t)json_array_size(findings) < top; i++)
        if (pt_finding_shown(&l->v[i], s->args))
            json_array_append_new(findings, pt_finding_json(l, &l->v[i]));
    for (size_t i = 0; i < l->nquiet && (int64_t)json_array_size(findings) < top; i++) {
        const struct pt_finding f = pt_quiet_finding(&l->quiet[i]);
        if (pt_finding_shown(&f, s->args))
            json_array_append_new(findings, pt_finding_json(l, &f));
    }
    return json_pack("{s:{s:o, s:o, s:I}, s:o, s:{s:o, s:o}}", "span", "from",
                     pt_json_time(t->first_us), "to", pt_json_time(t->last_us), "snapshots",
                     (json_int_t)t->count, "findings", findings, "host",
                     "available_slope_bytes_per_hour", real(l->available * HOUR),
                     "explained_fraction", real(l->explained));
}
