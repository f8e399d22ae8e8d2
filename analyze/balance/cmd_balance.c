/* SPDX-License-Identifier: MIT
 * pagetrail balance: where the machine's memory is: at an instant, between two, or over time. */
#include <string.h>

#include "analyze/balance/over.h"
#include "analyze/balance/sheet.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"

/* ---- ends ---- */

static json_t *end_json(const struct pt_picture *p)
{
    return p ? json_pack("{s:I, s:o, s:o}", "snapshot", (json_int_t)p->view->snap.n, "time",
                         pt_json_time(p->view->snap.real_us), "boot_id",
                         pt_json_str(p->boot.id ? p->boot.boot_id : NULL))
             : json_null();
}

/* ---- a sheet ---- */

static void print_amount(FILE *out, bool pair, const char *name, const struct pt_change *c)
{
    char after[PT_UNITS_BUF], delta[PT_UNITS_BUF];
    if (c->after == PT_UNKNOWN)
        return;
    fprintf(out, "%s %s", name, pt_units_bytes(after, sizeof(after), c->after, false));
    if (pair)
        fprintf(out, " (%s)", pt_units_bytes(delta, sizeof(delta), c->delta, true));
    fputc('\n', out);
}

static bool is_estimated(const struct pt_sheet *sheet)
{
    for (size_t i = 0; i < sheet->n; i++)
        for (size_t k = 0; k < sheet->v[i].n; k++)
            if (sheet->v[i].v[k].unseen > 0)
                return true;
    return false;
}

static void print_notes(const struct pt_sheet *sheet, const struct pt_picture *p, FILE *out)
{
    if (is_estimated(sheet))
        fputs("estimated: not read in smaps (since it grew), but by the process's own counter,\n"
              "which counts pages shared by fork in every process\n",
              out);
    for (unsigned i = 0; i < sheet->nhints; i++) {
        char bytes[PT_UNITS_BUF], delta[PT_UNITS_BUF], change[PT_UNITS_BUF + 4] = "";
        const struct pt_change *c = &sheet->hints[i].bytes;
        if (sheet->pair)
            snprintf(change, sizeof(change), " (%s)",
                     pt_units_bytes(delta, sizeof(delta), c->delta, true));
        fprintf(out, "unaccounted memory may hold up to %s%s of\n  %s\n",
                pt_units_bytes(bytes, sizeof(bytes), c->after, false), change,
                sheet->hints[i].name);
    }
    if (p->slabs.presence == PT_UNREADABLE)
        fprintf(out, "slab caches are not known: slabinfo: %s\n", strerror(p->slabs.why));
    else if (p->slabs.presence == PT_ABSENT)
        fputs("slab caches are not known: slabinfo was not recorded\n", out);
    if (p->view->lost)
        fputs("damaged parts of the recording are left out\n", out);
}

static int64_t top_of(const struct pt_args *args)
{
    enum { TOP_LONG = 20 };
    return args->top == PT_UNKNOWN && args->verbose ? TOP_LONG : args->top;
}

static int print_sheet(const struct pt_sheet *sheet, const struct pt_picture *from,
                       const struct pt_picture *to, const struct pt_session *s)
{
    FILE *out = s->args->out;
    if (s->args->json) {
        json_t *o = pt_sheet_json(sheet, s->args->top);
        if (!o || json_object_set_new(o, "from", end_json(from)) < 0 ||
            json_object_set_new(o, "to", end_json(to)) < 0) {
            json_decref(o);
            return -1;
        }
        return pt_json_print(o, out);
    }
    if (from)
        pt_session_print_end(s, "from ", &from->view->snap);
    pt_session_print_end(s, from ? "to   " : "", &to->view->snap);
    fputc('\n', out);
    const int rc = pt_sheet_text(sheet, out, s->args->colour, top_of(s->args), false);
    fputc('\n', out);
    print_amount(out, sheet->pair, "available", &sheet->available);
    print_amount(out, sheet->pair, "swap used", &sheet->swap_used);
    print_notes(sheet, to, out);
    return rc;
}

static int tell_one(const struct pt_session *s, int64_t at, struct pt_err *err)
{
    struct pt_picture p = {0};
    struct pt_sheet sheet = {0};
    int rc = pt_picture_load(s->db, at, s->smaps, &p, err);
    if (rc < 0)
        return rc;
    rc = pt_sheet_at(&p, s->args->by, &sheet, err);
    if (rc >= 0)
        rc = pt_session_printed(s, print_sheet(&sheet, NULL, &p, s), err);
    pt_sheet_release(&sheet);
    pt_picture_release(&p);
    return rc;
}

static int tell_two(const struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    struct pt_picture before = {0}, after = {0};
    struct pt_diff diff = {0};
    struct pt_sheet sheet = {0};
    int rc = pt_picture_load(s->db, from, s->smaps, &before, err);
    if (rc >= 0)
        rc = pt_picture_load(s->db, to, s->smaps, &after, err);
    if (rc >= 0)
        rc = pt_diff_make(&before, &after, PT_BY_PROCESS, &diff, err);
    if (rc >= 0)
        rc = pt_sheet_between(&diff, s->args->by, &sheet, err);
    if (rc >= 0)
        rc = pt_session_printed(s, print_sheet(&sheet, &before, &after, s), err);
    pt_sheet_release(&sheet);
    pt_diff_release(&diff);
    pt_picture_release(&before);
    pt_picture_release(&after);
    return rc;
}

/* ---- over time ---- */

static int tell_over(const struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    struct pt_over over = {0};
    int rc = args->json ? pt_over_make(s->db, from, to, (size_t)args->over, &over, err)
                        : pt_over_steps(s->db, from, to, (size_t)args->over, &over, err);
    if (rc < 0)
        return rc;
    rc = args->json ? pt_json_print(pt_over_json(&over), args->out)
                    : pt_over_text(&over, args->out, args->colour, args->utc);
    pt_over_release(&over);
    return pt_session_printed(s, rc, err);
}

/* ---- the command ---- */

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_asked asked;
    int64_t from, to;
    const bool over = s->args->over != PT_UNKNOWN;
    int rc = pt_session_asked(s, &asked, err);
    if (rc >= 0)
        rc = pt_session_span(s, true, &from, &to, err);
    if (rc >= 0 && asked.at && over)
        rc = pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--at is one instant, not a span");
    if (rc < 0)
        return rc;
    if (over)
        return tell_over(s, from, to, err);
    return asked.from || asked.to ? tell_two(s, from, to, err) : tell_one(s, to, err);
}

const struct pt_command pt_cmd_balance = {
    .name = "balance",
    .usage = "DB [FROM [TO]] [--at T] [--over N] [--by WHAT]",
    .summary = "where the machine's memory is",
    .detail = "At one instant, or with FROM or TO between two, or with --over at N instants of\n"
              "that span. Lines add up to MemTotal, and those who hold a line and its rest to\n"
              "the line.\n",
    .options = PT_OPT_AT | PT_OPT_FROM_TO | PT_OPT_BY | PT_OPT_TOP | PT_OPT_UTC | PT_OPT_OVER,
    .min = 1,
    .max = 3,
    .tell = tell,
};
