/* SPDX-License-Identifier: MIT
 * Tables and lists of facts. Tables are most of a report: end tags and quotation marks that HTML
 * does not ask for are left out. */
#include "analyze/report/html/table.h"

#include <inttypes.h>

#include "schema/frame.h"

/* More columns than that are more than a small window shows beside each other. */
#define WIDE 5

static bool is_amount(enum pt_html_kind kind)
{
    return kind >= PT_HTML_BYTES && kind <= PT_HTML_SHARE;
}

static void put_heads(const struct pt_html *h, const struct pt_html_table *t)
{
    pt_html_raw(h, "<thead role=rowgroup><tr role=row>");
    for (unsigned i = 0; i < t->ncolumns; i++) {
        const struct pt_html_column *c = &t->columns[i];
        pt_html_rawf(h, "<th role=columnheader scope=col%s>",
                     is_amount(c->kind) ? " class=num" : "");
        if (c->term)
            pt_html_term(h, c->term, c->title);
        else
            pt_html_str(h, c->title);
    }
    pt_html_raw(h, "</thead>\n<tbody role=rowgroup>\n");
}

/* What a script sorts by, where that is not the text. */
static void put_sort_value(const struct pt_html *h, const struct pt_html_column *c, const json_t *v)
{
    if (c->kind == PT_HTML_TIME && pt_html_us(v) != PT_UNKNOWN)
        pt_html_rawf(h, " data-v=%" PRId64, pt_html_us(v));
    else if (c->kind != PT_HTML_COUNT && json_is_integer(v))
        pt_html_rawf(h, " data-v=%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        pt_html_rawf(h, " data-v=%g", json_real_value(v));
}

static void put_cell(const struct pt_html *h, const struct pt_html_table *t, unsigned i,
                     const json_t *row)
{
    const struct pt_html_column *c = &t->columns[i];
    const json_t *v = c->of ? c->of(row) : c->path ? pt_html_get(row, c->path) : NULL;
    pt_html_raw(h, i == 0 ? "<th role=rowheader scope=row" : "<td role=cell data-l=\"");
    if (i > 0) {
        pt_html_str(h, c->title);
        pt_html_raw(h, "\"");
    }
    if (is_amount(c->kind))
        pt_html_raw(h, " class=num");
    if (t->long_one)
        put_sort_value(h, c, v);
    pt_html_raw(h, ">");
    if (c->put)
        c->put(h, row);
    else
        pt_html_put(h, c->kind, v);
}

static bool is_zero(const struct pt_html_table *t, const json_t *row)
{
    const json_t *v = t->zero ? pt_html_get(row, t->zero) : NULL;
    return json_is_integer(v) && json_integer_value(v) == 0;
}

/* How many of the rows are shown, and how many are left out for being zero. */
static size_t count_shown(const struct pt_html_table *t, const json_t *rows, size_t *ret_zero)
{
    size_t i;
    const json_t *row;
    *ret_zero = 0;
    json_array_foreach(rows, i, row) *ret_zero += is_zero(t, row);
    const size_t n = json_array_size(rows) - *ret_zero;
    return t->first && t->first < n ? t->first : n;
}

static void put_rows(const struct pt_html *h, const struct pt_html_table *t, const json_t *rows,
                     size_t shown)
{
    for (size_t i = 0; shown > 0; i++) {
        const json_t *row = json_array_get(rows, i);
        if (is_zero(t, row))
            continue;
        pt_html_raw(h, "<tr role=row>");
        for (unsigned k = 0; k < t->ncolumns; k++)
            put_cell(h, t, k, row);
        pt_html_raw(h, "</tr>\n");
        shown--;
    }
}

void pt_html_table(const struct pt_html *h, const struct pt_html_table *t, const json_t *rows,
                   const json_t *omitted)
{
    size_t zero;
    const size_t shown = count_shown(t, rows, &zero);
    const size_t left = json_array_size(rows) - zero - shown;
    if (shown > 0) {
        pt_html_raw(h, "<table role=table");
        if (t->id)
            pt_html_rawf(h, " id=\"%s\"", t->id);
        pt_html_raw(h, t->ncolumns > WIDE ? " class=wide" : "");
        pt_html_raw(h, t->long_one ? " data-long><caption>" : "><caption>");
        pt_html_str(h, t->caption);
        pt_html_raw(h, "</caption>\n");
        put_heads(h, t);
        put_rows(h, t, rows, shown);
        pt_html_raw(h, "</table>\n");
    }
    if (zero > 0)
        pt_html_rawf(h, "<p class=\"cut\">%s %zu %s</p>\n", shown > 0 ? "another" : "all", zero,
                     t->zero_says);
    if (left > 0)
        pt_html_rawf(h, "<p class=\"cut\">%zu more are in the JSON of this report</p>\n", left);
    if (json_integer_value(omitted) > 0)
        pt_html_rawf(h,
                     "<p class=\"cut\">%" JSON_INTEGER_FORMAT " more are not listed; a larger "
                     "<code>--top</code> lists them</p>\n",
                     json_integer_value(omitted));
}

void pt_html_facts(const struct pt_html *h, const struct pt_html_column *facts, unsigned n,
                   const json_t *of)
{
    pt_html_raw(h, "<dl class=\"facts\">\n");
    for (unsigned i = 0; i < n; i++) {
        const struct pt_html_column *f = &facts[i];
        pt_html_raw(h, "<div><dt>");
        pt_html_term(h, f->term, f->title);
        pt_html_raw(h, "</dt><dd>");
        if (f->put)
            f->put(h, of);
        else
            pt_html_put(h, f->kind, pt_html_get(of, f->path));
        pt_html_raw(h, "</dd></div>\n");
    }
    pt_html_raw(h, "</dl>\n");
}
