/* SPDX-License-Identifier: MIT
 * Who grew, and where the machine's memory was over time. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report/print_int.h"

#define SPARK   24
#define HOLDERS 5 /* of a class */

/* ---- growth ---- */

/* A side on which it was not there, which is not unknown: then so were the change. */
static const char *side(const json_t *change, const char *key, char *buf)
{
    return pt_tree_int(change, key) == PT_UNKNOWN && pt_tree_int(change, "delta") != PT_UNKNOWN
               ? "-"
               : pt_print_bytes(change, key, false, buf);
}

static void row(struct pt_table *t, const char *name, const json_t *change)
{
    char buf[PT_UNITS_BUF];
    pt_table_cell(t, name);
    pt_table_cell(t, side(change, "before", buf));
    pt_table_cell(t, side(change, "after", buf));
    pt_table_cell(t, pt_print_bytes(change, "delta", true, buf));
}

/* A line that has no before and after. */
static void rest(struct pt_table *t, const char *name, int64_t bytes)
{
    char buf[PT_UNITS_BUF];
    pt_table_cell(t, name);
    pt_table_cell(t, "");
    pt_table_cell(t, "");
    pt_table_cell(t, pt_units_bytes(buf, sizeof(buf), bytes, true));
}

static void holder_name(const json_t *h, char *buf, size_t size)
{
    if (pt_tree_int(h, "pid") != PT_UNKNOWN)
        snprintf(buf, size, "  %" PRId64 " %s", pt_tree_int(h, "pid"), pt_print_str(h, "comm"));
    else if (pt_tree_is(h, "kind", "part"))
        snprintf(buf, size, "  %s", pt_print_str(h, "name"));
    else
        snprintf(buf, size, "  %s %s", pt_print_str(h, "kind"), pt_print_str(h, "name"));
}

static void add_class(struct pt_table *t, const json_t *class)
{
    char name[512];
    const json_t *h;
    size_t i;
    int64_t others = pt_tree_int(class, "omitted_bytes"), n = pt_tree_int(class, "omitted");
    row(t, pt_print_str(class, "class"), pt_tree_at(class, "bytes"));
    json_array_foreach(pt_tree_at(class, "holders"), i, h)
    {
        const int64_t delta = pt_tree_int(pt_tree_at(h, "bytes"), "delta");
        holder_name(h, name, sizeof(name));
        if (i < HOLDERS) {
            row(t, name, pt_tree_at(h, "bytes"));
            continue;
        }
        n++;
        others += delta == PT_UNKNOWN ? 0 : delta;
    }
    if (n > 0) {
        snprintf(name, sizeof(name), "  and %" PRId64 " more", n);
        rest(t, name, others);
    }
    const int64_t left = pt_tree_int(class, "not_attributed");
    if (left != PT_UNKNOWN && left != 0)
        rest(t, pt_tree_is(class, "class", "page cache") ? "  files" : "  not attributed", left);
}

void pt_print_growth(struct pt_page *p, const json_t *doc)
{
    static const struct pt_column columns[] = {
        {"MEMORY", false, 20}, {"BEFORE", true, 0}, {"AFTER", true, 0}, {"CHANGE", true, 0}};
    const json_t *growth = pt_tree_at(doc, "growth"), *class;
    char from[PT_UNITS_BUF], to[PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    if (!growth)
        return;
    pt_page_heading(p, "Who grew");
    pt_page_para(p, "%s to %s", pt_print_time(p, pt_tree_at(growth, "from"), "time", from),
                 pt_print_time(p, pt_tree_at(growth, "to"), "time", to));
    pt_table_init(&t, columns, 4);
    json_array_foreach(pt_tree_at(growth, "classes"), i, class)
    {
        if (pt_tree_int(pt_tree_at(class, "bytes"), "delta") != 0)
            add_class(&t, class);
    }
    rest(&t, "total", pt_tree_int(growth, "total_change"));
    pt_page_table(p, &t);
}

/* ---- over time ---- */

struct range {
    double last, low, high, mean;
    size_t known;
};

static struct range range_of(const json_t *values, const json_t *lows, const json_t *highs)
{
    struct range r = {.last = NAN, .low = NAN, .high = NAN, .mean = 0};
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i), *low = json_array_get(lows, i),
                     *high = json_array_get(highs, i);
        if (!json_is_number(v))
            continue;
        const double x = json_number_value(v);
        r.last = x;
        r.low = fmin(r.low, json_is_number(low) ? json_number_value(low) : x);
        r.high = fmax(r.high, json_is_number(high) ? json_number_value(high) : x);
        r.mean += x;
        r.known++;
    }
    r.mean = r.known ? r.mean / (double)r.known : (double)NAN;
    return r;
}

static void print_layers(struct pt_page *p, const json_t *memory)
{
    static const struct pt_column columns[] = {{"MEMORY", false, 12},
                                               {"LEAST", true, 0},
                                               {"MOST", true, 0},
                                               {"LAST", true, 0},
                                               {"OVER TIME", false, 0}};
    const json_t *layer;
    struct pt_table t;
    size_t i;
    if (!memory)
        return;
    pt_table_init(&t, columns, 5);
    json_array_foreach(pt_tree_at(memory, "layers"), i, layer)
    {
        const json_t *values = pt_tree_at(layer, "values");
        const struct range r = range_of(values, NULL, NULL);
        const double v[] = {r.low, r.high, r.last};
        char buf[PT_UNITS_BUF], shape[4 * PT_SPARK_MAX + 1];
        if (!r.known || (r.low == 0 && r.high == 0))
            continue;
        pt_table_cell(&t, pt_print_str(layer, "title"));
        for (size_t k = 0; k < 3; k++)
            pt_table_cell(&t, pt_print_amount(v[k], "bytes", buf));
        pt_print_spark(values, SPARK, shape);
        pt_table_cell(&t, shape);
    }
    pt_page_table(p, &t);
}

static void print_lines(struct pt_page *p, const json_t *charts)
{
    static const struct pt_column columns[] = {{"", false, 12},
                                               {"LEAST", true, 0},
                                               {"MEAN", true, 0},
                                               {"MOST", true, 0},
                                               {"OVER TIME", false, 0}};
    const json_t *line;
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 5);
    json_array_foreach(pt_tree_at(charts, "lines"), i, line)
    {
        const json_t *values = pt_tree_at(line, "values");
        const struct range r = range_of(values, pt_tree_at(line, "low"), pt_tree_at(line, "high"));
        const double v[] = {r.low, r.mean, r.high};
        char buf[PT_UNITS_BUF], shape[4 * PT_SPARK_MAX + 1];
        pt_table_cell(&t, pt_print_str(line, "title"));
        for (size_t k = 0; k < 3; k++)
            pt_table_cell(&t, pt_print_amount(v[k], pt_print_str(line, "unit"), buf));
        pt_print_spark(values, SPARK, shape);
        pt_table_cell(&t, shape);
    }
    pt_page_table(p, &t);
}

void pt_print_memory(struct pt_page *p, const json_t *doc)
{
    const json_t *charts = pt_tree_at(doc, "charts");
    if (!charts)
        return;
    pt_page_heading(p, "Memory over time");
    print_layers(p, pt_tree_at(charts, "memory"));
    print_lines(p, charts);
}
