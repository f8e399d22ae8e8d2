/* SPDX-License-Identifier: MIT
 * The sheet as JSON: balance.schema.json. */
#include "analyze/balance/sheet.h"
#include "analyze/print/json.h"

static json_t *change(struct pt_change c)
{
    return pt_json_change(c.before, c.after, c.delta);
}

static json_t *holder_json(const struct pt_sheet_holder *h)
{
    const struct pt_process *p = h->after ? h->after : h->before;
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", pt_holder_name(h->kind),
        "name", pt_json_str(p ? NULL : h->name), "pid", pt_json_int(p ? p->pid : PT_UNKNOWN),
        "start_time", pt_json_int(p ? p->start_time : PT_UNKNOWN), "comm",
        pt_json_str(p ? p->comm : NULL), "cmdline", pt_json_str(p ? p->cmdline : NULL), "service",
        pt_json_str(p ? p->service : NULL), "cgroup", pt_json_str(p ? p->cgroup : NULL),
        "processes", pt_json_int(h->kind == PT_HOLDER_GROUP ? h->processes : PT_UNKNOWN),
        "estimated",
        pt_json_int(h->kind == PT_HOLDER_PROCESS || h->kind == PT_HOLDER_GROUP ? h->unseen
                                                                               : PT_UNKNOWN),
        "bytes", change(h->bytes));
}

static json_t *parts(const struct pt_sheet_part *v, unsigned n)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(
            a, json_pack("{s:s, s:o}", "name", v[i].name, "bytes", change(v[i].bytes)));
    return a;
}

static json_t *line_json(const struct pt_sheet_line *line, int64_t top)
{
    json_t *holders = json_array();
    for (size_t i = 0; i < line->n && (top == PT_UNKNOWN || (int64_t)i < top); i++)
        json_array_append_new(holders, holder_json(&line->v[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:i, s:o}", "line", line->name, "bytes",
                     change(line->bytes), "of_which", parts(line->of_which, line->nof_which),
                     "holders", holders, "holders_total", (int)line->n, "rest",
                     line->attributed ? json_pack("{s:s, s:o}", "name", line->rest_name, "bytes",
                                                  change(line->rest))
                                      : json_null());
}

json_t *pt_sheet_json(const struct pt_sheet *s, int64_t top)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(lines, line_json(&s->v[i], top));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "total", change(s->total), "available",
                     change(s->available), "swap_used", change(s->swap_used), "lines", lines,
                     "hints", parts(s->hints, s->nhints));
}
