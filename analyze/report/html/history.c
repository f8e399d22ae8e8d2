/* SPDX-License-Identifier: MIT
 * Many spans: one row a finding or an amount, its course over the spans as a strip or a picture. */
#include "analyze/report/html/sections.h"
#include "analyze/report/match.h"

/* Boxes of a strip that say on hover what they stand for; of more it would be too much. */
#define TOLD 60

static void put_box(const struct pt_html *h, const json_t *cell, bool told)
{
    char rate[PT_HTML_VALUE];
    const char *verdict = pt_html_get_str(cell, "verdict");
    pt_html_raw(h, !*verdict                    ? "<i"
                   : pt_match_alarming(verdict) ? "<i class=alarm"
                                                : "<i class=calm");
    if (told && *verdict) {
        pt_html_raw(h, " title=\"");
        pt_html_str(h, verdict);
        if (json_is_integer(pt_html_get(cell, "count")))
            pt_html_rawf(h, " %" JSON_INTEGER_FORMAT "\xc3\x97\"",
                         json_integer_value(pt_html_get(cell, "count")));
        else
            pt_html_rawf(
                h, " %s/h\"",
                pt_html_value(h, PT_HTML_CHANGE, pt_html_get(cell, "slope_bytes_per_hour"), rate));
    }
    pt_html_raw(h, "></i>");
}

static void put_strip(const struct pt_html *h, const json_t *row)
{
    size_t i, bad = 0;
    const json_t *cell, *cells = pt_html_get(row, "cells");
    json_array_foreach(cells, i, cell) bad += pt_match_alarming(pt_html_get_str(cell, "verdict"));
    pt_html_rawf(h, "<span class=strip><span class=unseen>alarm in %zu of %zu</span>", bad,
                 json_array_size(cells));
    json_array_foreach(cells, i, cell) put_box(h, cell, json_array_size(cells) <= TOLD);
    pt_html_raw(h, "</span>");
}

/* The newest that is known of it. */
static const json_t *newest(const json_t *row)
{
    const json_t *cells = pt_html_get(row, "cells");
    for (size_t i = json_array_size(cells); i > 0; i--)
        if (json_is_object(json_array_get(cells, i - 1)))
            return json_array_get(cells, i - 1);
    return NULL;
}

static void put_verdict(const struct pt_html *h, const json_t *row)
{
    pt_html_verdict_badge(h, pt_html_get(newest(row), "verdict"));
}

static const json_t *rate_of(const json_t *row)
{
    return pt_html_get(newest(row), "slope_bytes_per_hour");
}

static void put_status(const struct pt_html *h, const json_t *row)
{
    pt_html_status(h, pt_html_get(row, "status"));
}

static const struct pt_html_column finding_columns[] = {
    {.title = "Who", .path = "title"},
    {.title = "Kind", .path = "class"},
    {.title = "Span by span", .put = put_strip},
    {.title = "Became", .path = "status", .put = put_status},
    {.title = "Newest verdict", .put = put_verdict},
    {.title = "An hour", .kind = PT_HTML_CHANGE, .of = rate_of},
};
static const struct pt_html_table findings = {.id = "history",
                                              .caption = "Findings: filled where it was an alarm",
                                              PT_HTML_COLUMNS(finding_columns),
                                              .long_one = true};

/* The amount of a row: its unit is its own, or that of services. */
static void put_one(const struct pt_html *h, const json_t *row, const json_t *v)
{
    const char *unit = pt_html_get_str(row, "unit");
    pt_html_amount(h, *unit ? unit : "bytes", v);
}

static void put_first(const struct pt_html *h, const json_t *row)
{
    put_one(h, row, json_array_get(pt_html_get(row, "values"), 0));
}

static void put_last(const struct pt_html *h, const json_t *row)
{
    const json_t *values = pt_html_get(row, "values");
    const size_t n = json_array_size(values);
    put_one(h, row, n ? json_array_get(values, n - 1) : NULL);
}

/* sign 1: the most, -1: the least. */
static const json_t *extreme(const json_t *row, double sign)
{
    size_t i;
    const json_t *v, *best = NULL;
    json_array_foreach(pt_html_get(row, "values"), i,
                       v) if (json_is_number(v) && (!best || json_number_value(v) * sign >
                                                                 json_number_value(best) * sign))
        best = v;
    return best;
}

static void put_least(const struct pt_html *h, const json_t *row)
{
    put_one(h, row, extreme(row, -1));
}

static void put_most(const struct pt_html *h, const json_t *row)
{
    put_one(h, row, extreme(row, 1));
}

#define COURSE                                                                                     \
    {.title = "Span by span", .path = "values", .kind = PT_HTML_SHAPE},                            \
        {.title = "First", .put = put_first}, {.title = "Last", .put = put_last},                  \
        {.title = "Least", .put = put_least},                                                      \
    {                                                                                              \
        .title = "Most", .put = put_most                                                           \
    }

static const struct pt_html_column amount_columns[] = {{.title = "What", .path = "title"}, COURSE};
static const struct pt_html_table amounts = {
    .id = "amounts", .caption = "The machine", PT_HTML_COLUMNS(amount_columns)};
static const struct pt_html_column service_columns[] = {{.title = "Service", .path = "name"},
                                                        COURSE};
static const struct pt_html_table services = {
    .id = "services",
    .caption = "Private memory of services at the end of each span",
    PT_HTML_COLUMNS(service_columns)};

void pt_html_history(const struct pt_html *h, const json_t *part, const json_t *doc)
{
    (void)doc;
    pt_html_table(h, &findings, pt_html_get(part, "findings"),
                  pt_html_get(part, "findings_omitted"));
    pt_html_table(h, &amounts, pt_html_get(part, "rows"), NULL);
    pt_html_table(h, &services, pt_html_get(part, "services"),
                  pt_html_get(part, "services_omitted"));
}
