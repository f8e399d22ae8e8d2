/* SPDX-License-Identifier: MIT
 * A kill looked into, as JSON: oom.schema.json. */
#include "analyze/oom/oom.h"
#include "analyze/print/json.h"

static json_t *percent(double v)
{
    return v < 0 ? json_null() : json_real(v);
}

static bool within(size_t i, int64_t top)
{
    return top == PT_UNKNOWN || (int64_t)i < top;
}

static json_t *kill_json(const struct pt_oom_case *c)
{
    if (!c->killed)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "time", pt_json_time(c->real_us),
                     "subject", pt_json_str(c->subject), "detail", pt_json_str(c->text),
                     "constraint", pt_json_str(pt_constraint_name(c->constraint)),
                     "constraint_from", c->counted ? "counters" : "kernel log", "cgroup",
                     pt_json_str(c->cgroup), "limit", pt_json_int(c->limit));
}

static json_t *minutes_json(const struct pt_oom_case *c)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < c->nminutes; i++) {
        const struct pt_oom_minute *m = &c->minutes[i];
        json_array_append_new(
            a, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "snapshot", (json_int_t)m->n,
                         "time", pt_json_time(m->real_us), "available", pt_json_int(m->available),
                         "swap_used", pt_json_int(m->swap_used), "pressure_some", percent(m->some),
                         "pressure_full", percent(m->full), "group_usage", pt_json_int(m->usage)));
    }
    return a;
}

static json_t *who(const struct pt_process *p)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "pid", (json_int_t)p->pid, "start_time",
                     pt_json_int(p->start_time), "comm", pt_json_str(p->comm), "cmdline",
                     pt_json_str(p->cmdline), "service", pt_json_str(p->service), "cgroup",
                     pt_json_str(p->cgroup));
}

static json_t *growers_json(const struct pt_oom_case *c, int64_t top)
{
    json_t *a = json_array();
    for (size_t i = 0; i < c->ngrowers && within(i, top); i++) {
        json_t *o = who(c->growers[i].after);
        json_object_set_new(
            o, "bytes", pt_json_change(c->growers[i].was, c->growers[i].is, c->growers[i].delta));
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *candidate_json(const struct pt_oom_case *c, const struct pt_candidate *one)
{
    json_t *o = who(one->process);
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "rss", pt_json_int(one->process->m[PT_RSS]),
        "swap", pt_json_int(one->process->m[PT_SWAP]), "page_tables",
        pt_json_int(one->process->pgtables), "oom_score_adj",
        pt_json_int(one->guessed ? PT_UNKNOWN : one->process->oom_adj), "oom_score",
        pt_json_int(one->process->oom_score), "badness", pt_json_int(one->badness), "exempt",
        one->exempt, "killed", c->killed && one->process == c->before.subject);
    json_object_update(o, more);
    json_decref(more);
    return o;
}

static json_t *zones_json(const struct pt_zones *z)
{
    json_t *a = json_array();
    for (size_t i = 0; i < z->n; i++)
        json_array_append_new(
            a, json_pack("{s:o, s:o, s:o, s:o, s:o}", "zone", pt_json_str(z->v[i].name), "free",
                         pt_json_int(z->v[i].free), "min", pt_json_int(z->v[i].min), "low",
                         pt_json_int(z->v[i].low), "high", pt_json_int(z->v[i].high)));
    return a;
}

json_t *pt_oom_json(const struct pt_oom_case *c, int64_t top)
{
    enum { TOP_BEFORE = 20 };
    json_t *candidates = json_array();
    for (size_t i = 0; i < c->ncandidates && within(i, top); i++)
        json_array_append_new(candidates, candidate_json(c, &c->candidates[i]));
    return json_pack("{s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "kills",
                     (json_int_t)c->kills, "kill", kill_json(c), "damaged", c->damaged, "before",
                     c->found ? pt_before_json(&c->before, TOP_BEFORE) : json_null(), "minutes",
                     minutes_json(c), "grown", growers_json(c, top), "candidates", candidates,
                     "next", c->next ? candidate_json(c, c->next) : json_null(), "memory_and_swap",
                     pt_json_int(c->total), "kills_asker", c->kills_asker, "zones",
                     zones_json(&c->zones));
}
