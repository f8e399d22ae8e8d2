/* SPDX-License-Identifier: MIT
 * pagetrail growth: everything that grew, whatever its shape, adding up to the host's change. */
#include "analyze/diff/growth_print.h"

#include <inttypes.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"

static int print_text(const struct pt_sheet *sheet, const struct pt_diff *d,
                      const struct pt_session *s)
{
    FILE *out = s->args->out;
    char text[PT_UNITS_BUF];
    fprintf(out, "from %s  @%" PRId64 "\n",
            pt_session_time(s, &d->from->view->snap, text, sizeof(text)), d->from->view->snap.n);
    fprintf(out, "to   %s  @%" PRId64 "\n\n",
            pt_session_time(s, &d->to->view->snap, text, sizeof(text)), d->to->view->snap.n);
    return pt_sheet_text(sheet, out, s->args->colour, s->args->top, true);
}

/* ---- JSON ---- */

static json_t *grower_json(const struct pt_sheet_holder *h)
{
    const struct pt_process *p = h->after ? h->after : h->before;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", pt_holder_name(h->kind), "pid",
                     pt_json_int(p ? p->pid : PT_UNKNOWN), "start_time",
                     pt_json_int(p ? p->start_time : PT_UNKNOWN), "comm",
                     pt_json_str(p ? p->comm : NULL), "service", pt_json_str(p ? p->service : NULL),
                     "name", pt_json_str(p ? NULL : h->name), "bytes",
                     pt_json_change(h->bytes.before, h->bytes.after, h->bytes.delta));
}

static json_t *class_json(const struct pt_sheet_line *line, int64_t top)
{
    json_t *holders = json_array();
    for (size_t i = 0; i < line->n && (top == PT_UNKNOWN || (int64_t)i < top); i++)
        if (line->v[i].bytes.delta != 0)
            json_array_append_new(holders, grower_json(&line->v[i]));
    return json_pack("{s:s, s:o, s:o, s:o}", "class", line->name, "bytes",
                     pt_json_change(line->bytes.before, line->bytes.after, line->bytes.delta),
                     "holders", holders, "not_attributed",
                     pt_json_int(line->attributed ? line->rest.delta : PT_UNKNOWN));
}

static json_t *end_json(const struct pt_picture *p)
{
    return json_pack("{s:I, s:o}", "snapshot", (json_int_t)p->view->snap.n, "time",
                     pt_json_time(p->view->snap.real_us));
}

json_t *pt_growth_json(const struct pt_sheet *sheet, const struct pt_diff *d, int64_t top)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < sheet->n; i++)
        json_array_append_new(classes, class_json(&sheet->v[i], top));
    return json_pack("{s:o, s:o, s:o, s:o}", "from", end_json(d->from), "to", end_json(d->to),
                     "classes", classes, "total_change",
                     pt_json_int(sheet->n ? sheet->total.delta : PT_UNKNOWN));
}

/* ---- the command ---- */

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_picture before = {0}, after = {0};
    struct pt_diff diff = {0};
    struct pt_sheet sheet = {0};
    int64_t from, to;
    int rc = pt_session_span(s, true, &from, &to, err);
    if (rc >= 0)
        rc = pt_picture_load(s->db, from, s->smaps, &before, err);
    if (rc >= 0)
        rc = pt_picture_load(s->db, to, s->smaps, &after, err);
    if (rc >= 0)
        rc = pt_diff_make(&before, &after, PT_BY_PROCESS, &diff, err);
    if (rc >= 0)
        rc = pt_sheet_between(&diff, PT_BY_PROCESS, &sheet, err);
    if (rc >= 0) {
        pt_sheet_by_change(&sheet);
        rc = s->args->json
                 ? pt_json_print(pt_growth_json(&sheet, &diff, s->args->top), s->args->out)
                 : print_text(&sheet, &diff, s);
        rc = pt_session_printed(s, rc, err);
    }
    pt_sheet_release(&sheet);
    pt_diff_release(&diff);
    pt_picture_release(&before);
    pt_picture_release(&after);
    return rc;
}

const struct pt_command pt_cmd_growth = {
    .name = "growth",
    .usage = "DB [--from T] [--to T]",
    .summary = "what grew, by class of memory",
    .detail = "Adds up to the change of the machine's memory; what no process, cache or file\n"
              "system accounts for has lines of its own.\n",
    .options = PT_OPT_FROM_TO | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .tell = tell,
};
