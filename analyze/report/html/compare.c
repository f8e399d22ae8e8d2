/* SPDX-License-Identifier: MIT
 * Reports side by side: what became of the findings of an earlier one, and several spans beside
 * each other. */
#include "analyze/report/html/sections.h"

/* ---- against an earlier report ---- */

static void put_then(const struct pt_html *h, const json_t *then)
{
    char buf[PT_HTML_VALUE];
    if (!json_is_object(then)) {
        pt_html_raw(h, "\xe2\x80\x93");
        return;
    }
    pt_html_verdict_badge(h, pt_html_get(then, "verdict"));
    if (json_is_number(pt_html_get(then, "slope_bytes_per_hour")))
        pt_html_rawf(
            h, " %s/h",
            pt_html_value(h, PT_HTML_CHANGE, pt_html_get(then, "slope_bytes_per_hour"), buf));
    if (json_is_integer(pt_html_get(then, "count")))
        pt_html_rawf(h, " %" JSON_INTEGER_FORMAT "\xc3\x97",
                     json_integer_value(pt_html_get(then, "count")));
}

static void put_before(const struct pt_html *h, const json_t *row)
{
    put_then(h, pt_html_get(row, "before"));
}

static void put_after(const struct pt_html *h, const json_t *row)
{
    put_then(h, pt_html_get(row, "after"));
}

static void put_row_status(const struct pt_html *h, const json_t *row)
{
    pt_html_status(h, pt_html_get(row, "status"));
}

static const struct pt_html_column against_columns[] = {
    {.title = "What", .path = "title"},
    {.title = "Kind", .path = "class"},
    {.title = "Became", .path = "status", .put = put_row_status},
    {.title = "Before", .path = "before", .put = put_before},
    {.title = "Now", .path = "after", .put = put_after},
    {.title = "Why", .path = "text"},
};
static const struct pt_html_table against_table = {.id = "against-list",
                                                   .caption = "What became of each finding",
                                                   PT_HTML_COLUMNS(against_columns)};

static const struct pt_html_column against_facts[] = {
    {.title = "compared to", .path = "name"},
    {.title = "host", .path = "host"},
    {.title = "kernel", .path = "kernel"},
    {.title = "from", .path = "from", .kind = PT_HTML_TIME},
    {.title = "to", .path = "to", .kind = PT_HTML_TIME},
};

void pt_html_against(const struct pt_html *h, const json_t *part, const json_t *doc)
{
    (void)doc;
    pt_html_facts(h, against_facts, sizeof(against_facts) / sizeof(against_facts[0]), part);
    pt_html_table(h, &against_table, pt_html_get(part, "findings"), NULL);
}

/* ---- side by side: tables whose columns are spans ---- */

/* So many fit beside each other. */
#define ABREAST 4

static void open_table(const struct pt_html *h, const char *caption, const char *first,
                       const json_t *columns)
{
    size_t i;
    const json_t *c;
    pt_html_rawf(h,
                 "<table role=table><caption>%s</caption>\n<thead role=rowgroup>"
                 "<tr role=row><th role=columnheader scope=col>%s</th>",
                 caption, first);
    json_array_foreach(columns, i, c)
    {
        pt_html_raw(h, "<th role=columnheader scope=col class=num>");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(c, "title"));
        pt_html_raw(h, "</th>");
    }
    pt_html_raw(h, "</tr></thead>\n<tbody role=rowgroup>\n");
}

static void open_row(const struct pt_html *h, const json_t *title)
{
    pt_html_raw(h, "<tr role=row><th role=rowheader scope=row>");
    pt_html_put(h, PT_HTML_TEXT, title);
    pt_html_raw(h, "</th>");
}

static void open_cell(const struct pt_html *h, const json_t *columns, size_t i)
{
    pt_html_raw(h, "<td role=cell class=num data-l=\"");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(json_array_get(columns, i), "title"));
    pt_html_raw(h, "\">");
}

static const char table_end[] = "</tbody></table>\n";

/* Rows of a name and a value a span. unit: of the rows; NULL: each tells its own. */
static void put_amounts(const struct pt_html *h, const char *caption, const json_t *columns,
                        const json_t *rows, const char *title, const char *unit)
{
    size_t i, k;
    const json_t *row, *v;
    if (json_array_size(rows) == 0)
        return;
    open_table(h, caption, "What", columns);
    json_array_foreach(rows, i, row)
    {
        open_row(h, pt_html_get(row, title));
        json_array_foreach(pt_html_get(row, "values"), k, v)
        {
            open_cell(h, columns, k);
            pt_html_amount(h, unit ? unit : pt_html_get_str(row, "unit"), v);
            pt_html_raw(h, "</td>");
        }
        pt_html_raw(h, "</tr>\n");
    }
    pt_html_raw(h, table_end);
}

static void put_findings(const struct pt_html *h, const json_t *columns, const json_t *rows)
{
    size_t i, k;
    const json_t *row, *cell;
    if (json_array_size(rows) == 0)
        return;
    open_table(h, "Findings", "Who", columns);
    json_array_foreach(rows, i, row)
    {
        open_row(h, pt_html_get(row, "title"));
        json_array_foreach(pt_html_get(row, "cells"), k, cell)
        {
            open_cell(h, columns, k);
            put_then(h, cell);
            pt_html_status(h, pt_html_get(cell, "status"));
            pt_html_raw(h, "</td>");
        }
        pt_html_raw(h, "</tr>\n");
    }
    pt_html_raw(h, table_end);
}

/* A link stays beside the document, whatever its name is. */
static void put_title(const struct pt_html *h, const json_t *row)
{
    const json_t *file = pt_html_get(row, "file");
    if (json_is_string(file)) {
        pt_html_raw(h, "<a href=\"./");
        pt_html_put(h, PT_HTML_TEXT, file);
        pt_html_raw(h, "\">");
    }
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "title"));
    pt_html_raw(h, json_is_string(file) ? "</a>" : "");
}

static const struct pt_html_column span_columns[] = {
    {.title = "Span", .path = "title", .put = put_title},
    {.title = "Verdict", .path = "verdict"},
    {.title = "From", .path = "from", .kind = PT_HTML_TIME},
    {.title = "To", .path = "to", .kind = PT_HTML_TIME},
    {.title = "Snapshots", .path = "snapshots", .kind = PT_HTML_COUNT},
    {.title = "Alarms", .path = "alarms", .kind = PT_HTML_COUNT},
};
static const struct pt_html_table spans = {
    .id = "spans", .caption = "Spans", PT_HTML_COLUMNS(span_columns)};

static void put_cut(const struct pt_html *h, const json_t *n)
{
    if (json_integer_value(n) > 0)
        pt_html_rawf(h, "<p class=\"cut\">%" JSON_INTEGER_FORMAT " more are not listed</p>\n",
                     json_integer_value(n));
}

void pt_html_compare(const struct pt_html *h, const json_t *part, const json_t *doc)
{
    const json_t *columns = pt_html_get(part, "columns");
    pt_html_table(h, &spans, columns, NULL);
    if (json_array_size(columns) > ABREAST) {
        pt_html_history(h, part, doc);
        return;
    }
    put_findings(h, columns, pt_html_get(part, "findings"));
    put_cut(h, pt_html_get(part, "findings_omitted"));
    put_amounts(h, "The machine", columns, pt_html_get(part, "rows"), "title", NULL);
    put_amounts(h, "Private memory of services at the end of each span", columns,
                pt_html_get(part, "services"), "name", "bytes");
    put_cut(h, pt_html_get(part, "services_omitted"));
}
