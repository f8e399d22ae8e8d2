/* SPDX-License-Identifier: MIT
 * OOM kills with the picture before each. */
#include "analyze/report/html/sections.h"

static void put_process(const struct pt_html *h, const json_t *row)
{
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "comm"));
    if (json_is_true(pt_html_get(row, "killed")))
        pt_html_raw(h, " <span class=\"badge alarm\">killed</span>");
}

static const struct pt_html_column before_columns[] = {
    {.title = "Command", .path = "comm", .put = put_process},
    {.title = "PID", .path = "pid", .kind = PT_HTML_COUNT},
    {.title = "Anonymous", .path = "anon", .kind = PT_HTML_BYTES, .term = "anon"},
    {.title = "Swap", .path = "swap", .kind = PT_HTML_BYTES, .term = "swap"},
    {.title = "RSS", .path = "rss", .kind = PT_HTML_BYTES, .term = "rss"},
    {.title = "Service", .path = "service", .kind = PT_HTML_NAME},
};
static const struct pt_html_table before = {.caption = "The heaviest processes just before",
                                            PT_HTML_COLUMNS(before_columns)};

static const struct pt_html_column limit_columns[] = {
    {.title = "Control group", .path = "cgroup"},
    {.title = "Used", .path = "usage", .kind = PT_HTML_BYTES},
    {.title = "Limit", .path = "limit", .kind = PT_HTML_BYTES},
};
static const struct pt_html_table limits = {
    .caption = "Limits of its control groups, the innermost first", PT_HTML_COLUMNS(limit_columns)};

static const struct pt_html_column machine[] = {
    {.title = "looked at", .path = "time", .kind = PT_HTML_TIME},
    {.title = "before the kill", .path = "seconds", .kind = PT_HTML_SECONDS},
    {.title = "memory", .path = "mem_total", .kind = PT_HTML_BYTES},
    {.title = "free", .path = "mem_free", .kind = PT_HTML_BYTES, .term = "free"},
    {.title = "available", .path = "mem_available", .kind = PT_HTML_BYTES, .term = "mem_available"},
    {.title = "swap", .path = "swap_total", .kind = PT_HTML_BYTES},
    {.title = "swap free", .path = "swap_free", .kind = PT_HTML_BYTES},
    {.title = "some waited",
     .path = "pressure_some",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_some"},
    {.title = "all waited",
     .path = "pressure_full",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_full"},
};

static void put_kill(const struct pt_html *h, const json_t *event)
{
    const json_t *picture = pt_html_get(event, "before");
    pt_html_raw(h, "<article class=\"finding\">\n<h3>");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(event, "subject"));
    pt_html_raw(h, "</h3>\n<p class=\"sentence\">");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(event, "time"));
    pt_html_raw(h, ": ");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(event, "detail"));
    pt_html_raw(h, "</p>\n");
    if (json_is_object(picture)) {
        pt_html_facts(h, machine, sizeof(machine) / sizeof(machine[0]), picture);
        pt_html_table(h, &limits, pt_html_get(picture, "limits"), NULL);
        pt_html_table(h, &before, pt_html_get(picture, "processes"), NULL);
    } else {
        pt_html_raw(h, "<p>There is no snapshot of the machine before it.</p>\n");
    }
    pt_html_raw(h, "</article>\n");
}

void pt_html_oom(const struct pt_html *h, const json_t *kills, const json_t *doc)
{
    size_t i;
    const json_t *event;
    json_array_foreach(kills, i, event) put_kill(h, event);
    if (json_integer_value(pt_html_get(doc, "oom_omitted")) > 0)
        pt_html_rawf(h, "<p class=\"cut\">%" JSON_INTEGER_FORMAT " more are not listed</p>\n",
                     json_integer_value(pt_html_get(doc, "oom_omitted")));
}
