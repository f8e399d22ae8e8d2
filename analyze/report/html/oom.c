/* SPDX-License-Identifier: MIT
 * OOM kills: whose limit it was, the machine and the minutes before, who had grown and whom the
 * kernel could choose. */
#include "analyze/report/html/sections.h"

/* Of lists that may be long, their beginning. */
#define FIRST 10

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
                                            PT_HTML_COLUMNS(before_columns),
                                            .first = FIRST};

static const struct pt_html_column limit_columns[] = {
    {.title = "Control group", .path = "cgroup"},
    {.title = "Used", .path = "usage", .kind = PT_HTML_BYTES},
    {.title = "Limit", .path = "limit", .kind = PT_HTML_BYTES},
};
static const struct pt_html_table limits = {
    .caption = "Limits of its control groups, the innermost first", PT_HTML_COLUMNS(limit_columns)};

static const struct pt_html_column minute_columns[] = {
    {.title = "When", .path = "time", .kind = PT_HTML_TIME},
    {.title = "Available", .path = "available", .kind = PT_HTML_BYTES, .term = "mem_available"},
    {.title = "Swap used", .path = "swap_used", .kind = PT_HTML_BYTES},
    {.title = "Some waited",
     .path = "pressure_some",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_some"},
    {.title = "All waited",
     .path = "pressure_full",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_full"},
    {.title = "Its control group", .path = "group_usage", .kind = PT_HTML_BYTES},
};
static const struct pt_html_table minutes = {.caption = "The minutes before",
                                             PT_HTML_COLUMNS(minute_columns)};

/* Whoever has no earlier amount did not live then. */
static void put_earlier(const struct pt_html *h, const json_t *row)
{
    const json_t *bytes = pt_html_get(row, "bytes.before");
    if (json_is_integer(bytes))
        pt_html_put(h, PT_HTML_BYTES, bytes);
    else
        pt_html_raw(h, "new");
}

static const struct pt_html_column grown_columns[] = {
    {.title = "Command", .path = "comm"},
    {.title = "PID", .path = "pid", .kind = PT_HTML_COUNT},
    {.title = "Before", .path = "bytes.before", .kind = PT_HTML_BYTES, .put = put_earlier},
    {.title = "After", .path = "bytes.after", .kind = PT_HTML_BYTES},
    {.title = "Change", .path = "bytes.delta", .kind = PT_HTML_CHANGE},
    {.title = "Service", .path = "service", .kind = PT_HTML_NAME},
};
static const struct pt_html_table grown = {
    .caption = "Who had grown in these minutes", PT_HTML_COLUMNS(grown_columns), .first = FIRST};

static const struct pt_html_column candidate_columns[] = {
    {.title = "Command", .path = "comm", .put = put_process},
    {.title = "PID", .path = "pid", .kind = PT_HTML_COUNT},
    {.title = "Counts as", .path = "badness", .kind = PT_HTML_BYTES},
    {.title = "oom_score_adj", .path = "oom_score_adj", .kind = PT_HTML_COUNT},
    {.title = "Exempt", .path = "exempt"},
};
static const struct pt_html_table candidates = {.caption =
                                                    "Whom the kernel could choose, by its own rule",
                                                PT_HTML_COLUMNS(candidate_columns),
                                                .first = FIRST};

static const struct pt_html_column facts[] = {
    {.title = "limit of", .path = "kill.constraint"},
    {.title = "looked at", .path = "before.time", .kind = PT_HTML_TIME},
    {.title = "before the kill", .path = "before.seconds", .kind = PT_HTML_SECONDS},
    {.title = "memory", .path = "before.mem_total", .kind = PT_HTML_BYTES},
    {.title = "available",
     .path = "before.mem_available",
     .kind = PT_HTML_BYTES,
     .term = "mem_available"},
    {.title = "swap", .path = "before.swap_total", .kind = PT_HTML_BYTES},
    {.title = "swap free", .path = "before.swap_free", .kind = PT_HTML_BYTES},
    {.title = "some waited",
     .path = "before.pressure_some",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_some"},
    {.title = "all waited",
     .path = "before.pressure_full",
     .kind = PT_HTML_PERCENT,
     .term = "pressure_full"},
};

static void put_kill(const struct pt_html *h, const json_t *oom)
{
    pt_html_raw(h, "<article class=\"finding\">\n<h3>");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(oom, "kill.subject"));
    pt_html_raw(h, "</h3>\n<p class=\"sentence\">");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(oom, "kill.time"));
    pt_html_raw(h, ": ");
    pt_html_put(h, PT_HTML_TOLD, pt_html_get(oom, "kill.detail"));
    pt_html_raw(h, "</p>\n");
    if (json_is_object(pt_html_get(oom, "before"))) {
        pt_html_facts(h, facts, sizeof(facts) / sizeof(facts[0]), oom);
        pt_html_table(h, &limits, pt_html_get(oom, "before.limits"), NULL);
        pt_html_table(h, &before, pt_html_get(oom, "before.processes"), NULL);
        pt_html_table(h, &grown, pt_html_get(oom, "grown"), NULL);
        pt_html_table(h, &candidates, pt_html_get(oom, "candidates"), NULL);
        pt_html_table(h, &minutes, pt_html_get(oom, "minutes"), NULL);
    } else {
        pt_html_raw(h, json_is_true(pt_html_get(oom, "damaged"))
                           ? "<p>What stood before it cannot be read: the recording is damaged "
                             "there.</p>\n"
                           : "<p>There is no snapshot of the machine before it.</p>\n");
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
