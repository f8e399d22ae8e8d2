/* SPDX-License-Identifier: MIT
 * A diff as JSON: diff.schema.json. */
#include "analyze/diff/diff_print.h"

#include "analyze/balance/sheet.h"
#include "analyze/print/json.h"

static json_t *change(struct pt_change c)
{
    return pt_json_change(c.before, c.after, c.delta);
}

static size_t at_most(const struct pt_session *s, size_t n)
{
    return s->args->top != PT_UNKNOWN && (uint64_t)s->args->top < n ? (size_t)s->args->top : n;
}

static json_t *end(const struct pt_picture *p, const struct pt_session *s)
{
    const struct pt_snap *snap = &p->view->snap;
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o}", "snapshot", (json_int_t)snap->n, "time",
        pt_json_time(snap->real_us), "boot_id", pt_json_str(p->boot.id ? p->boot.boot_id : NULL),
        "host", pt_json_str(pt_db_meta(s->db)->host), "database", pt_json_str(pt_db_path(s->db)));
}

static json_t *named(const char *name, struct pt_change c)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "name", pt_json_str(name), "before",
                     pt_json_int(c.before), "after", pt_json_int(c.after), "delta",
                     pt_json_int(c.delta));
}

static json_t *system_lines(const struct pt_diff *d)
{
    json_t *a = json_array();
    for (unsigned i = 0;
         i < PT_LINE_COUNT && d->before.total != PT_UNKNOWN && d->after.total != PT_UNKNOWN; i++) {
        if (d->before.known[i])
            json_array_append_new(
                a, named(pt_line_name((enum pt_line)i),
                         pt_change_of(true, d->before.bytes[i], true, d->after.bytes[i])));
    }
    return a;
}

static json_t *mem_change(const struct pt_diff *d, enum pt_mem which)
{
    return change(pt_change_of(true, d->from->mem.v[which], true, d->to->mem.v[which]));
}

static json_t *swap_used(const struct pt_diff *d)
{
    int64_t used[2];
    for (unsigned i = 0; i < 2; i++) {
        const int64_t *v = (i ? d->to : d->from)->mem.v;
        const int64_t total = v[PT_MEM_SWAP_TOTAL], left = v[PT_MEM_SWAP_FREE];
        used[i] = total == PT_UNKNOWN || left == PT_UNKNOWN ? PT_UNKNOWN : total - left;
    }
    return change(pt_change_of(true, used[0], true, used[1]));
}

static void put_measures(json_t *o, const struct pt_change *m)
{
    for (unsigned i = 0; i < PT_MEASURES; i++)
        json_object_set_new(o, pt_measure_name((enum pt_measure)i), change(m[i]));
}

static json_t *process(const struct pt_diff_process *p)
{
    const struct pt_process *who = pt_diff_who(p);
    json_t *o = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "pid",
                          (json_int_t)who->pid, "start_time", pt_json_int(who->start_time), "comm",
                          pt_json_str(who->comm), "exe", pt_json_str(who->exe), "cmdline",
                          pt_json_str(who->cmdline), "uid", pt_json_int(who->uid), "service",
                          pt_json_str(who->service), "container", pt_json_str(who->container),
                          "pod", pt_json_str(who->pod), "state", pt_side_name(p->side),
                          "matched_by", pt_json_str(pt_match_name(p->match)), "deep_read",
                          json_pack("{s:o, s:o}", "before", pt_json_time(p->deep_before_us),
                                    "after", pt_json_time(p->deep_after_us)));
    if (o && p->before && p->after && p->match != PT_MATCH_IDENTITY)
        json_object_set_new(o, "before_pid", pt_json_int(p->before->pid));
    put_measures(o, p->m);
    return o;
}

static json_t *mapping(const struct pt_diff *d, const struct pt_diff_mapping *m)
{
    const struct pt_diff_process *p = &d->processes[m->process];
    const struct pt_process *who = pt_diff_who(p);
    return json_pack("{s:I, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "pid", (json_int_t)who->pid,
                     "start_time", pt_json_int(who->start_time), "name", pt_json_str(m->name),
                     "kind", pt_mapping_kind_name(m->kind), "deleted", m->deleted, "before",
                     pt_json_int(m->bytes.before), "after", pt_json_int(m->bytes.after), "delta",
                     pt_json_int(m->bytes.delta), "read",
                     json_pack("{s:o, s:o}", "before", pt_json_time(p->smaps_before_us), "after",
                               pt_json_time(p->smaps_after_us)));
}

static json_t *group(const struct pt_diff_group *g)
{
    json_t *o =
        json_pack("{s:o, s:o}", "name", pt_json_str(g->name), "processes", change(g->count));
    put_measures(o, g->m);
    return o;
}

static json_t *by_name(enum pt_by by)
{
    static const char *const names[] = {"process", "exe", "service", "cgroup", "user"};
    return json_string(names[by]);
}

/* NULL: no memory, or a reading is damaged. */
static json_t *balance(const struct pt_diff *d, const struct pt_session *s)
{
    enum { TOP_DEFAULT = 20 };
    struct pt_sheet sheet;
    struct pt_err err = {0};
    if (pt_sheet_between(d, PT_BY_PROCESS, &sheet, &err) < 0)
        return NULL;
    json_t *o = pt_sheet_json(&sheet, s->args->top == PT_UNKNOWN ? TOP_DEFAULT : s->args->top);
    json_t *lines = json_incref(json_object_get(o, "lines"));
    json_decref(o);
    pt_sheet_release(&sheet);
    return lines;
}

int pt_diff_json(const struct pt_diff *d, const struct pt_session *a, const struct pt_session *b)
{
    json_t *processes = json_array(), *mappings = json_array(), *slabs = json_array(),
           *groups = json_array();
    for (size_t i = 0; i < at_most(b, d->nprocesses); i++)
        json_array_append_new(processes, process(&d->processes[i]));
    for (size_t i = 0; i < at_most(b, d->nmappings); i++)
        json_array_append_new(mappings, mapping(d, &d->mappings[i]));
    for (size_t i = 0; i < at_most(b, d->nslabs); i++)
        json_array_append_new(slabs, named(d->slabs[i].name, d->slabs[i].bytes));
    for (size_t i = 0; i < at_most(b, d->ngroups); i++)
        json_array_append_new(groups, group(&d->groups[i]));
    json_t *o = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "from", end(d->from, a), "to",
        end(d->to, b), "reboots", pt_json_int(pt_diff_reboots(d)), "total",
        change(pt_change_of(true, d->before.total, true, d->after.total)), "system",
        system_lines(d), "available", mem_change(d, PT_MEM_AVAILABLE), "swap_used", swap_used(d),
        "processes", processes, "mappings", mappings, "slabs", slabs, "balance", balance(d, b));
    if (b->args->by != PT_BY_PROCESS) {
        json_object_set_new(o, "by", by_name(b->args->by));
        json_object_set_new(o, "groups", groups);
    } else {
        json_decref(groups);
    }
    return pt_json_print(o, b->args->out);
}
