/* SPDX-License-Identifier: MIT
 * pagetrail growth: everything that grew, whatever its shape, adding up to the host's change. */
#include "analyze/diff/growth.h"

#include <inttypes.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/session.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define TOP_DEFAULT 5

static size_t shown(const struct pt_session *s, size_t n)
{
    const int64_t top = s->args->top == PT_UNKNOWN ? TOP_DEFAULT : s->args->top;
    return (uint64_t)top < n ? (size_t)top : n;
}

static void who(const struct pt_grower *g, char *buf, size_t size)
{
    const struct pt_process *p = g->process ? pt_diff_who(g->process) : NULL;
    if (p)
        snprintf(buf, size, "%" PRId64 " %s", p->pid, pt_process_title(p));
    else
        snprintf(buf, size, "%s %s", pt_holder_name(g->holder), g->name);
}

/* ---- text ---- */

static void cell(struct pt_table *t, int64_t bytes, bool sign)
{
    char text[PT_UNITS_BUF];
    pt_table_cell(t, pt_units_bytes(text, sizeof(text), bytes, sign));
}

static void row(struct pt_table *t, const char *name, const struct pt_change *c)
{
    pt_table_cell(t, name);
    cell(t, c->before, false);
    cell(t, c->after, false);
    cell(t, c->delta, true);
}

static void print_class(const struct pt_growth_class *c, const struct pt_session *s,
                        struct pt_table *t)
{
    char text[512], name[540];
    const size_t n = shown(s, c->n);
    int64_t rest = c->rest;
    row(t, c->name, &c->bytes);
    for (size_t i = 0; i < n; i++) {
        who(&c->v[i], text, sizeof(text));
        snprintf(name, sizeof(name), "  %s", text);
        row(t, name, &c->v[i].bytes);
    }
    if (n < c->n) {
        int64_t others = 0;
        for (size_t i = n; i < c->n; i++)
            others += c->v[i].bytes.delta;
        snprintf(name, sizeof(name), "  %zu others", c->n - n);
        pt_table_cell(t, name);
        pt_table_cell(t, "");
        pt_table_cell(t, "");
        cell(t, others, true);
    }
    if (c->attributed && rest != 0) {
        pt_table_cell(t, "  not attributed");
        pt_table_cell(t, "");
        pt_table_cell(t, "");
        cell(t, rest, true);
    }
}

static int print_text(const struct pt_growth *g, const struct pt_diff *d,
                      const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        {"MEMORY", false, 20}, {"BEFORE", true, 0}, {"AFTER", true, 0}, {"CHANGE", true, 0}};
    FILE *out = s->args->out;
    char text[PT_UNITS_BUF];
    fprintf(out, "from %s  @%" PRId64 "\n",
            pt_session_time(s, &d->from->view->snap, text, sizeof(text)), d->from->view->snap.n);
    fprintf(out, "to   %s  @%" PRId64 "\n\n",
            pt_session_time(s, &d->to->view->snap, text, sizeof(text)), d->to->view->snap.n);
    if (g->n == 0) {
        fputs("what the machine's memory was used for was not recorded\n", out);
        return 0;
    }
    struct pt_table t;
    pt_table_init(&t, columns, 4);
    for (size_t i = 0; i < g->n; i++)
        if (g->v[i].bytes.delta != 0)
            print_class(&g->v[i], s, &t);
    const struct pt_change total = pt_change_of(true, d->before.total, true, d->after.total);
    row(&t, "total", &total);
    const int rc = pt_table_print(&t, out, s->args->colour);
    pt_table_release(&t);
    return rc;
}

/* ---- JSON ---- */

static json_t *grower_json(const struct pt_grower *g)
{
    const struct pt_process *p = g->process ? pt_diff_who(g->process) : NULL;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", pt_holder_name(g->holder),
                     "pid", pt_json_int(p ? p->pid : PT_UNKNOWN), "start_time",
                     pt_json_int(p ? p->start_time : PT_UNKNOWN), "comm",
                     pt_json_str(p ? p->comm : NULL), "service", pt_json_str(p ? p->service : NULL),
                     "name", pt_json_str(g->name), "bytes",
                     pt_json_change(g->bytes.before, g->bytes.after, g->bytes.delta));
}

static json_t *class_json(const struct pt_growth_class *c, const struct pt_session *s)
{
    json_t *holders = json_array();
    const size_t n = s->args->top == PT_UNKNOWN ? c->n : shown(s, c->n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(holders, grower_json(&c->v[i]));
    return json_pack("{s:s, s:o, s:o, s:o}", "class", c->name, "bytes",
                     pt_json_change(c->bytes.before, c->bytes.after, c->bytes.delta), "holders",
                     holders, "not_attributed", pt_json_int(c->attributed ? c->rest : PT_UNKNOWN));
}

static json_t *end_json(const struct pt_picture *p)
{
    return json_pack("{s:I, s:o}", "snapshot", (json_int_t)p->view->snap.n, "time",
                     pt_json_time(p->view->snap.real_us));
}

static int print_json(const struct pt_growth *g, const struct pt_diff *d,
                      const struct pt_session *s)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(classes, class_json(&g->v[i], s));
    return pt_json_print(json_pack("{s:o, s:o, s:o, s:o}", "from", end_json(d->from), "to",
                                   end_json(d->to), "classes", classes, "total_change",
                                   pt_json_int(g->total)),
                         s->args->out);
}

/* ---- the command ---- */

static int print(const struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    struct pt_picture before = {0}, after = {0};
    struct pt_diff diff = {0};
    struct pt_growth growth = {0};
    int rc = pt_picture_load(s->db, from, s->smaps, &before, err);
    if (rc >= 0)
        rc = pt_picture_load(s->db, to, s->smaps, &after, err);
    if (rc >= 0)
        rc = pt_diff_make(&before, &after, PT_BY_PROCESS, &diff, err);
    if (rc >= 0)
        rc = pt_growth_make(&diff, &growth, err);
    if (rc >= 0) {
        rc = s->args->json ? print_json(&growth, &diff, s) : print_text(&growth, &diff, s);
        if (rc < 0) /* a failed write is told at the end of the program */
            rc = ferror(s->args->out) ? 0 : pt_err_nomem(err);
    }
    pt_growth_release(&growth);
    pt_diff_release(&diff);
    if (before.view)
        pt_picture_release(&before);
    if (after.view)
        pt_picture_release(&after);
    return rc;
}

static int run(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_err err = {0};
    int64_t from = 0, to = 0;
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    int rc = pt_session_find(&s, args->to, false, &to, &err);
    if (rc >= 0 && args->from)
        rc = pt_session_find(&s, args->from, true, &from, &err);
    else if (rc >= 0)
        from = pt_session_boot_first(&s) <= to ? pt_session_boot_first(&s) : s.span.first;
    if (rc >= 0 && from > to)
        rc = pt_err_set(&err, PT_EUSAGE, 0, NULL, -1, "--from lies after --to");
    if (rc < 0 || print(&s, from, to, &err) < 0)
        status = pt_fail(&err);
    return pt_session_close(&s, status);
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
    .run = run,
};
