/* SPDX-License-Identifier: MIT
 * The processes at the end of the span. */
#include "analyze/report/html/sections.h"

/* Columns of a command line: some are of many KiB. */
#define CMDLINE 160

static void put_command(const struct pt_html *h, const json_t *row)
{
    pt_html_raw(h, "<span class=command");
    if (json_is_string(pt_html_get(row, "cmdline"))) {
        pt_html_raw(h, " title=\"");
        pt_html_fit(h, pt_html_get_str(row, "cmdline"), CMDLINE);
        pt_html_raw(h, "\"");
    }
    pt_html_raw(h, ">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "comm"));
    pt_html_raw(h, "</span>");
}

static void put_verdict(const struct pt_html *h, const json_t *row)
{
    const char *id = pt_html_get_str(row, "finding");
    if (!*id) {
        pt_html_verdict_badge(h, pt_html_get(row, "verdict"));
        return;
    }
    pt_html_raw(h, "<a href=\"#finding-");
    pt_html_slug(h, id);
    pt_html_raw(h, "\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(row, "verdict"));
    pt_html_raw(h, "</a>");
}

static const struct pt_html_column columns[] = {
    {.title = "Command", .path = "comm", .put = put_command},
    {.title = "PID", .path = "pid", .kind = PT_HTML_COUNT},
    {.title = "Anonymous", .path = "anon", .kind = PT_HTML_BYTES, .term = "anon"},
    {.title = "Swap", .path = "swap", .kind = PT_HTML_BYTES, .term = "swap"},
    {.title = "Change", .path = "change", .kind = PT_HTML_CHANGE, .term = "change"},
    {.title = "RSS", .path = "rss", .kind = PT_HTML_BYTES, .term = "rss"},
    {.title = "PSS", .path = "pss", .kind = PT_HTML_BYTES, .term = "pss"},
    {.title = "Shared", .path = "shmem", .kind = PT_HTML_BYTES, .term = "shmem"},
    {.title = "Threads", .path = "threads", .kind = PT_HTML_COUNT},
    {.title = "User", .path = "uid", .kind = PT_HTML_COUNT},
    {.title = "Service", .path = "service", .kind = PT_HTML_NAME},
    {.title = "Verdict", .path = "verdict", .put = put_verdict},
};
static const struct pt_html_table table = {.id = "process-list",
                                           .caption =
                                               "Processes at the end, by anonymous memory and swap",
                                           PT_HTML_COLUMNS(columns),
                                           .long_one = true};

void pt_html_processes(const struct pt_html *h, const json_t *part, const json_t *doc)
{
    (void)doc;
    pt_html_table(h, &table, pt_html_get(part, "rows"), pt_html_get(part, "omitted"));
}
