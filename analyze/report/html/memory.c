/* SPDX-License-Identifier: MIT
 * Where memory is and went: who grew, and the balance over time. The pictures are SVG; where
 * scripts run, charts take their place. */
#include <stdint.h>

#include "analyze/report/html/sections.h"
#include "analyze/report/html/svg.h"

/* ---- who grew ---- */

static void put_holder(const struct pt_html *h, const json_t *row)
{
    if (json_is_integer(pt_html_get(row, "pid"))) {
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "pid"));
        pt_html_raw(h, " ");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "comm"));
    } else {
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "name"));
    }
    if (json_is_string(pt_html_get(row, "service"))) {
        pt_html_raw(h, " <span class=\"quiet\">");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "service"));
        pt_html_raw(h, "</span>");
    }
}

static void put_class(const struct pt_html *h, const json_t *row)
{
    const char *name = pt_html_get_str(row, "class");
    pt_html_term(h, name, name);
}

/* Of most kinds nobody is known to hold them: there is nothing to attribute. */
static void put_rest(const struct pt_html *h, const json_t *row)
{
    const json_t *rest = pt_html_get(row, "not_attributed");
    if (json_is_integer(rest))
        pt_html_put(h, PT_HTML_CHANGE, rest);
    else
        pt_html_raw(h, "\xe2\x80\x93");
}

static const struct pt_html_column class_columns[] = {
    {.title = "Kind of memory", .path = "class", .put = put_class},
    {.title = "Before", .path = "bytes.before", .kind = PT_HTML_BYTES},
    {.title = "After", .path = "bytes.after", .kind = PT_HTML_BYTES},
    {.title = "Change", .path = "bytes.delta", .kind = PT_HTML_CHANGE},
    {.title = "Not attributed", .path = "not_attributed", .kind = PT_HTML_CHANGE, .put = put_rest},
};
static const struct pt_html_table classes = {
    .id = "classes",
    .caption = "Kinds of memory by change; the changes add up to that of the machine's memory",
    PT_HTML_COLUMNS(class_columns),
    .zero = "bytes.delta",
    .zero_says = "kinds did not change"};

/* A side on which it was not there, which is not unknown: then so were the change. */
static void put_side(const struct pt_html *h, const json_t *row, const char *path)
{
    const json_t *bytes = pt_html_get(row, path);
    if (json_is_null(bytes) && json_is_integer(pt_html_get(row, "bytes.delta")))
        pt_html_raw(h, "\xe2\x80\x93");
    else
        pt_html_put(h, PT_HTML_BYTES, bytes);
}

static void put_before(const struct pt_html *h, const json_t *row)
{
    put_side(h, row, "bytes.before");
}

static void put_after(const struct pt_html *h, const json_t *row)
{
    put_side(h, row, "bytes.after");
}

static const struct pt_html_column holder_columns[] = {
    {.title = "Who", .path = "name", .put = put_holder},
    {.title = "Kind of memory", .path = "class"},
    {.title = "Before", .path = "bytes.before", .kind = PT_HTML_BYTES, .put = put_before},
    {.title = "After", .path = "bytes.after", .kind = PT_HTML_BYTES, .put = put_after},
    {.title = "Change", .path = "bytes.delta", .kind = PT_HTML_CHANGE},
};
static const struct pt_html_table holders = {.id = "holders",
                                             .caption = "Who grew or shrank, by kind of memory",
                                             PT_HTML_COLUMNS(holder_columns),
                                             .long_one = true};

/* The holders of all classes as rows of one table, each with its class. NULL: no memory. */
static json_t *all_holders(const json_t *list, json_int_t *ret_omitted)
{
    size_t i, k;
    const json_t *c, *holder;
    json_t *rows = json_array();
    *ret_omitted = 0;
    json_array_foreach(list, i, c)
    {
        *ret_omitted += json_integer_value(pt_html_get(c, "omitted"));
        json_array_foreach(pt_html_get(c, "holders"), k, holder)
        {
            json_t *row = json_copy((json_t *)(uintptr_t)holder);
            json_object_set(row, "class", json_object_get(c, "class"));
            json_array_append_new(rows, row);
        }
    }
    return rows;
}

void pt_html_growth(const struct pt_html *h, const json_t *growth, const json_t *doc)
{
    json_int_t omitted;
    const json_t *list = pt_html_get(growth, "classes");
    (void)doc;
    pt_html_table(h, &classes, list, NULL);
    json_t *rows = all_holders(list, &omitted);
    json_t *left = json_integer(omitted);
    pt_html_table(h, &holders, rows, left);
    json_decref(left);
    json_decref(rows);
}

/* ---- memory over time ---- */

static void put_ends(const struct pt_html *h, const json_t *charts)
{
    pt_html_raw(h, "<p class=\"ends\">");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(charts, "from"));
    pt_html_raw(h, " <span>to</span> ");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(charts, "to"));
    pt_html_raw(h, "</p>");
}

static void put_legend(const struct pt_html *h, const json_t *layers)
{
    size_t i;
    const json_t *layer;
    pt_html_raw(h, "<ul class=\"legend\">");
    json_array_foreach(layers, i, layer)
    {
        pt_html_raw(h, "<li><span class=\"swatch layer-");
        pt_html_slug(h, pt_html_get_str(layer, "name"));
        pt_html_raw(h, "\"></span>");
        pt_html_term(h, pt_html_get_str(layer, "name"), pt_html_get_str(layer, "title"));
        pt_html_raw(h, "</li>");
    }
    pt_html_raw(h, "</ul>\n");
}

static void put_most(const struct pt_html *h, const json_t *line)
{
    size_t i;
    const json_t *v, *most = NULL;
    json_array_foreach(pt_html_get(line, "high"), i,
                       v) if (json_is_number(v) &&
                              (!most || json_number_value(v) > json_number_value(most))) most = v;
    pt_html_amount(h, pt_html_get_str(line, "unit"), most);
}

static void put_line(const struct pt_html *h, const json_t *charts, size_t i, const json_t *marks)
{
    const json_t *line = json_array_get(pt_html_get(charts, "lines"), i);
    pt_html_rawf(h, "<figure class=\"over-time\" data-chart=\"%zu\"><figcaption>", i);
    pt_html_term(h, pt_html_get_str(line, "name"), pt_html_get_str(line, "title"));
    pt_html_raw(h, " <span class=\"most\">at most ");
    put_most(h, line);
    pt_html_raw(h, "</span></figcaption><div class=\"still\">");
    pt_svg_line(h, pt_html_get(charts, "seconds"), line, marks);
    pt_html_raw(h, "</div></figure>\n");
}

static const struct pt_html_column mark_columns[] = {
    {.title = "When", .path = "time", .kind = PT_HTML_TIME},
    {.title = "What", .path = "kind"},
    {.title = "Detail", .path = "text"},
};
static const struct pt_html_table mark_list = {.id = "marks",
                                               .caption = "Marked in the charts",
                                               PT_HTML_COLUMNS(mark_columns),
                                               .long_one = true};

static void put_data(const struct pt_html *h, const json_t *charts, const json_t *marks)
{
    json_t *data = json_pack("{s:O, s:O, s:I}", "charts", charts, "marks", marks, "offset",
                             (json_int_t)h->offset_s);
    pt_html_raw(h, "<script type=\"application/json\" id=\"chart-data\">");
    if (data)
        pt_html_json(h, data);
    pt_html_raw(h, "</script>\n");
    json_decref(data);
}

static void put_layers(const struct pt_html *h, const json_t *charts, const json_t *doc)
{
    const json_t *layers = pt_html_get(charts, "memory.layers");
    if (json_array_size(layers) == 0)
        return;
    pt_html_raw(h, "<figure class=\"over-time\" data-chart=\"memory\">"
                   "<figcaption>Where the machine's memory is <span class=\"most\">");
    pt_html_put(h, PT_HTML_BYTES, pt_html_get(doc, "machine.host.mem_total"));
    pt_html_raw(h, " in all</span></figcaption><div class=\"still\">");
    pt_svg_stack(h, pt_html_get(charts, "memory"), pt_html_get(doc, "marks"));
    pt_html_raw(h, "</div>\n");
    put_legend(h, layers);
    pt_html_raw(h, "</figure>\n");
}

void pt_html_memory(const struct pt_html *h, const json_t *charts, const json_t *doc)
{
    const json_t *marks = pt_html_get(doc, "marks");
    pt_html_raw(h, "<div id=\"charts\">\n");
    put_layers(h, charts, doc);
    for (size_t i = 0; i < json_array_size(pt_html_get(charts, "lines")); i++)
        put_line(h, charts, i, marks);
    put_ends(h, charts);
    pt_html_raw(h, "</div>\n");
    pt_html_table(h, &mark_list, marks, pt_html_get(doc, "marks_omitted"));
    put_data(h, charts, marks);
}
