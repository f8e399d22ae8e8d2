/* SPDX-License-Identifier: MIT
 * The sheet as a table in which every column adds up. */
#include <inttypes.h>
#include <stdio.h>

#include "analyze/balance/sheet.h"
#include "analyze/print/table.h"

/* What smaps has not told is marked from this share of an amount on. */
#define UNSEEN_SHARE 16

void pt_sheet_who(const struct pt_sheet_holder *h, char *buf, size_t size)
{
    const struct pt_process *p = h->after ? h->after : h->before;
    if (p)
        snprintf(buf, size, "%" PRId64 " %s", p->pid, h->name);
    else if (h->kind == PT_HOLDER_GROUP && h->processes > 1)
        snprintf(buf, size, "%s (%" PRId64 ")", h->name ? h->name : "(none)", h->processes);
    else if (h->kind == PT_HOLDER_GROUP || h->kind == PT_HOLDER_PART || h->kind == PT_HOLDER_OBJECT)
        snprintf(buf, size, "%s", h->name ? h->name : "(none)");
    else
        snprintf(buf, size, "%s %s", pt_holder_name(h->kind), h->name);
}

struct print {
    const struct pt_sheet *sheet;
    struct pt_table *table;
    size_t top;
};

/* "-" where it was not there. */
static void cell_there(struct pt_table *t, int64_t bytes)
{
    if (bytes == PT_UNKNOWN)
        pt_table_cell(t, "-");
    else
        pt_table_bytes(t, bytes, false);
}

static void cell_share(const struct print *p, int64_t bytes)
{
    const int64_t total = p->sheet->total.after;
    if (total > 0 && bytes != PT_UNKNOWN)
        pt_table_cellf(p->table, "%.1f%%", 100.0 * (double)bytes / (double)total);
    else
        pt_table_cell(p->table, "?");
}

static void row(const struct print *p, const char *name, const struct pt_change *c,
                const char *note)
{
    struct pt_table *t = p->table;
    pt_table_cell(t, name);
    if (p->sheet->pair) {
        cell_there(t, c->before);
        cell_there(t, c->after);
        pt_table_bytes(t, c->delta, true);
    } else {
        pt_table_bytes(t, c->after, false);
        cell_share(p, c->after);
    }
    pt_table_cell(t, note);
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t r;
    return b == PT_UNKNOWN ? a : __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

static void others(const struct print *p, const struct pt_sheet_line *line, size_t from)
{
    struct pt_change sum = {0, 0, 0};
    char name[40];
    if (from >= line->n)
        return;
    for (size_t i = from; i < line->n; i++) {
        sum.before = plus(sum.before, line->v[i].bytes.before);
        sum.after = plus(sum.after, line->v[i].bytes.after);
        sum.delta = plus(sum.delta, line->v[i].bytes.delta);
    }
    snprintf(name, sizeof(name), "  and %zu more", line->n - from);
    row(p, name, &sum, "");
}

static const char *note_of(const struct pt_sheet_holder *h)
{
    const int64_t bytes = h->bytes.after == PT_UNKNOWN ? h->bytes.before : h->bytes.after;
    return bytes != PT_UNKNOWN && h->unseen > bytes / UNSEEN_SHARE ? "estimated" : "";
}

static void print_line(const struct print *p, const struct pt_sheet_line *line, bool changed)
{
    char who[512], name[540];
    size_t n = p->top < line->n ? p->top : line->n;
    row(p, line->name, &line->bytes, "");
    for (unsigned i = 0; i < line->nof_which && !changed; i++) {
        snprintf(name, sizeof(name), "  of which %s", line->of_which[i].name);
        row(p, name, &line->of_which[i].bytes, "");
    }
    while (p->sheet->pair && n > 0 && line->v[n - 1].bytes.delta == 0)
        n--;
    n += n + 1 == line->n; /* the name of one takes no more room than to say that there is one */
    for (size_t i = 0; i < n; i++) {
        pt_sheet_who(&line->v[i], who, sizeof(who));
        snprintf(name, sizeof(name), "  %s", who);
        row(p, name, &line->v[i].bytes, note_of(&line->v[i]));
    }
    others(p, line, n);
    if (line->attributed && (line->rest.after != 0 || line->rest.delta != 0)) {
        snprintf(name, sizeof(name), "  %s", line->rest_name);
        row(p, name, &line->rest, "");
    }
}

static bool is_shown(const struct pt_sheet *s, const struct pt_sheet_line *line, bool changed)
{
    if (changed)
        return line->bytes.delta != 0;
    return line->bytes.after != 0 || (s->pair && line->bytes.before != 0);
}

int pt_sheet_text(const struct pt_sheet *s, FILE *out, bool colour, int64_t top, bool changed)
{
    enum { TOP_DEFAULT = 5 };
    static const struct pt_column pair[] = {{"MEMORY", false, 20},
                                            {"BEFORE", true, 0},
                                            {"AFTER", true, 0},
                                            {"CHANGE", true, 0},
                                            {"", false, 0}};
    static const struct pt_column one[] = {
        {"MEMORY", false, 20}, {"NOW", true, 0}, {"SHARE", true, 0}, {"", false, 0}};
    struct pt_table t;
    struct print p = {
        .sheet = s, .table = &t, .top = top == PT_UNKNOWN ? TOP_DEFAULT : (size_t)top};
    if (s->n == 0) {
        fputs("what the machine's memory was used for was not recorded\n", out);
        return 0;
    }
    pt_table_init(&t, s->pair ? pair : one, s->pair ? 5 : 4);
    for (size_t i = 0; i < s->n; i++)
        if (is_shown(s, &s->v[i], changed))
            print_line(&p, &s->v[i], changed);
    row(&p, "total", &s->total, "");
    return pt_table_end(&t, out, colour);
}
