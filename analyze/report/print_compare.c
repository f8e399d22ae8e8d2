/* SPDX-License-Identifier: MIT
 * What became of findings, and spans side by side. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/report/print_int.h"

/* Columns that stand side by side in 80 characters; of more the newest. */
#define COLUMNS 3

void pt_print_against(struct pt_page *p, const json_t *doc)
{
    static const struct {
        const char *status;
        char mark;
    } marks[] = {
        {"new", '!'}, {"worse", '!'}, {"ongoing", '?'}, {"better", '+'}, {"resolved", '+'}};
    const json_t *against = pt_tree_at(doc, "against"), *f;
    char from[PT_UNITS_BUF], to[PT_UNITS_BUF];
    size_t i;
    if (!against)
        return;
    pt_page_heading(p, "Since then");
    pt_page_para(p, "compared with %s: %s to %s", pt_print_str(against, "name"),
                 pt_print_time(p, against, "from", from), pt_print_time(p, against, "to", to));
    for (size_t k = 0; k < sizeof(marks) / sizeof(*marks); k++) {
        json_array_foreach(pt_tree_at(against, "findings"), i, f)
        {
            char text[1024];
            if (!pt_tree_is(f, "status", marks[k].status))
                continue;
            snprintf(text, sizeof(text), p->markdown ? "%.0s%s" : "%s: %s", marks[k].status,
                     pt_print_str(f, "text"));
            pt_page_item(p, marks[k].mark, marks[k].status, text);
        }
    }
    if (pt_tree_count(against, "findings") == 0)
        pt_page_para(p, "no finding then, and none now");
}

/* ---- side by side ---- */

static size_t first_shown(const json_t *columns)
{
    const size_t n = json_array_size(columns);
    return n > COLUMNS ? n - COLUMNS : 0;
}

static void start(struct pt_table *t, struct pt_column *columns, const json_t *heads,
                  const char *title)
{
    const size_t first = first_shown(heads), n = json_array_size(heads);
    columns[0] = (struct pt_column){.title = title, .shrink = 14};
    for (size_t i = first; i < n; i++)
        columns[i - first + 1] = (struct pt_column){
            .title = pt_print_str(json_array_get(heads, i), "title"), .right = true, .shrink = 12};
    pt_table_init(t, columns, (unsigned)(n - first + 1));
}

static void print_columns(struct pt_page *p, const json_t *heads)
{
    const json_t *head;
    char from[PT_UNITS_BUF], to[PT_UNITS_BUF], text[1024];
    size_t i;
    json_array_foreach(heads, i, head)
    {
        const char *file = pt_tree_str(head, "file");
        const int64_t n = pt_tree_int(head, "alarms");
        char leaks[64] = "whether anything leaks cannot be told";
        if (n != PT_UNKNOWN)
            snprintf(leaks, sizeof(leaks), "%" PRId64 " leak%s", n, n == 1 ? "" : "s");
        snprintf(text, sizeof(text), "%s%s%s%s: %s to %s, %s. %s", pt_print_str(head, "title"),
                 file ? " (" : "", file ? file : "", file ? ")" : "",
                 pt_print_time(p, head, "from", from), pt_print_time(p, head, "to", to), leaks,
                 pt_print_str(head, "verdict"));
        pt_page_item(p, '-', "", text);
    }
}

static void print_rows(struct pt_page *p, const json_t *compare, const char *key)
{
    struct pt_column columns[COLUMNS + 1];
    const json_t *heads = pt_tree_at(compare, "columns"), *row;
    char buf[PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    const bool services = strcmp(key, "services") == 0;
    if (pt_tree_count(compare, key) == 0)
        return;
    start(&t, columns, heads, services ? "PRIVATE MEMORY" : "");
    json_array_foreach(pt_tree_at(compare, key), i, row)
    {
        const json_t *values = pt_tree_at(row, "values");
        pt_table_cell(&t, pt_print_str(row, services ? "name" : "title"));
        for (size_t k = first_shown(heads); k < json_array_size(heads); k++) {
            const json_t *v = json_array_get(values, k);
            pt_table_cell(&t,
                          pt_print_amount(json_is_number(v) ? json_number_value(v) : (double)NAN,
                                          services ? "bytes" : pt_print_str(row, "unit"), buf));
        }
    }
    pt_page_table(p, &t);
    if (services)
        pt_print_omitted(p, pt_tree_int(compare, "services_omitted"), "");
}

/* "worse +3.1 MiB"; of what is over no amount. */
static void cell_text(const json_t *cell, char *text, size_t size)
{
    char buf[PT_UNITS_BUF];
    const char *status = pt_tree_str(cell, "status");
    const char *space = status ? " " : "";
    const int64_t count = pt_tree_int(cell, "count");
    const double slope = pt_tree_real(cell, "slope_bytes_per_hour");
    status = status ? status : "";
    if (!json_is_object(cell))
        snprintf(text, size, "-");
    else if (strcmp(status, "resolved") == 0)
        snprintf(text, size, "%s", status);
    else if (count != PT_UNKNOWN)
        snprintf(text, size, "%s%s%" PRId64 "x", status, space, count);
    else
        snprintf(text, size, "%s%s%s", status, space, pt_print_amount(slope, "bytes/h", buf));
}

static bool in_sight(const json_t *finding, size_t first)
{
    const json_t *cells = pt_tree_at(finding, "cells");
    for (size_t k = first; k < json_array_size(cells); k++)
        if (json_is_object(json_array_get(cells, k)))
            return true;
    return false;
}

static void print_findings(struct pt_page *p, const json_t *compare)
{
    struct pt_column columns[COLUMNS + 1];
    const json_t *heads = pt_tree_at(compare, "columns"), *f;
    const size_t first = first_shown(heads);
    char text[2 * PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    int64_t earlier = 0;
    if (pt_tree_count(compare, "findings") == 0) {
        pt_page_para(p, "no finding in any of them");
        return;
    }
    start(&t, columns, heads, "FINDING, AN HOUR");
    json_array_foreach(pt_tree_at(compare, "findings"), i, f)
    {
        if (!in_sight(f, first)) {
            earlier++;
            continue;
        }
        const char *class = pt_print_str(f, "class");
        const bool incident = strcmp(class, "swap") == 0 || strcmp(class, "oom") == 0;
        pt_table_cellf(&t, "%.200s%s%s", pt_print_str(f, "name"), incident ? "" : " ",
                       incident ? "" : class);
        for (size_t k = first; k < json_array_size(heads); k++) {
            cell_text(json_array_get(pt_tree_at(f, "cells"), k), text, sizeof(text));
            pt_table_cell(&t, text);
        }
    }
    pt_page_table(p, &t);
    pt_print_omitted(p, earlier, "in earlier ones only");
    pt_print_omitted(p, pt_tree_int(compare, "findings_omitted"), "");
}

void pt_print_compare(struct pt_page *p, const json_t *doc)
{
    const json_t *compare = pt_tree_at(doc, "compare");
    const size_t n = pt_tree_count(compare, "columns");
    if (!compare)
        return;
    pt_page_heading(p, "Side by side");
    print_columns(p, pt_tree_at(compare, "columns"));
    if (n > COLUMNS)
        pt_page_para(p, "the newest %d of %zu:", COLUMNS, n);
    print_rows(p, compare, "rows");
    print_findings(p, compare);
    print_rows(p, compare, "services");
}
