/* SPDX-License-Identifier: MIT
 * The machine and its recording: what was recorded, how well, what it cost, what happened. */
#include "analyze/report/html/sections.h"

#define FACTS(h, list, of) pt_html_facts(h, list, sizeof(list) / sizeof((list)[0]), of)

static void put_machine_cpus(const struct pt_html *h, const json_t *info)
{
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(info, "host.arch"));
    pt_html_raw(h, ", ");
    pt_html_put(h, PT_HTML_COUNT, pt_html_get(info, "host.cpus"));
    pt_html_raw(h, json_integer_value(pt_html_get(info, "host.cpus")) == 1 ? " CPU, pages of "
                                                                           : " CPUs, pages of ");
    pt_html_put(h, PT_HTML_BYTES, pt_html_get(info, "host.page_size"));
}

static void put_span(const struct pt_html *h, const json_t *info)
{
    pt_html_put(h, PT_HTML_TIME, pt_html_get(info, "first.time"));
    pt_html_raw(h, " to ");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(info, "last.time"));
}

static void put_boots(const struct pt_html *h, const json_t *info)
{
    pt_html_rawf(h, "%zu", json_array_size(pt_html_get(info, "boots")));
}

static void put_smaps(const struct pt_html *h, const json_t *info)
{
    pt_html_put(h, PT_HTML_COUNT, pt_html_get(info, "coverage.with_smaps"));
    pt_html_raw(h, " of ");
    pt_html_put(h, PT_HTML_COUNT, pt_html_get(info, "coverage.processes"));
    pt_html_raw(h, " processes");
}

static const struct pt_html_column machine[] = {
    {.title = "host", .path = "host.name"},
    {.title = "kernel", .path = "host.kernel"},
    {.title = "machine", .path = "host.arch", .put = put_machine_cpus},
    {.title = "memory", .path = "host.mem_total", .kind = PT_HTML_BYTES},
    {.title = "recorded", .path = "first.time", .put = put_span},
    {.title = "snapshots", .path = "snapshots", .kind = PT_HTML_COUNT, .term = "snapshot"},
    {.title = "thinned out", .path = "removed", .kind = PT_HTML_COUNT},
    {.title = "interval", .path = "interval_seconds", .kind = PT_HTML_SECONDS},
    {.title = "boots", .path = "boots", .put = put_boots},
    {.title = "gaps", .path = "gap_count", .kind = PT_HTML_COUNT, .term = "gap"},
    {.title = "mappings read of", .path = "coverage.with_smaps", .put = put_smaps},
    {.title = "oldest such reading",
     .path = "coverage.oldest_smaps_seconds",
     .kind = PT_HTML_SECONDS},
    {.title = "damaged places", .path = "damaged", .kind = PT_HTML_COUNT},
};

static const struct pt_html_column gap_columns[] = {
    {.title = "From", .path = "time", .kind = PT_HTML_TIME},
    {.title = "Lasted", .path = "seconds", .kind = PT_HTML_SECONDS},
};
static const struct pt_html_table gaps = {
    .id = "gaps", .caption = "Gaps: nothing was recorded", PT_HTML_COLUMNS(gap_columns)};

static const struct pt_html_column unreadable_columns[] = {
    {.title = "Files", .path = "files"},
    {.title = "Why", .path = "error"},
    {.title = "How many", .path = "count", .kind = PT_HTML_COUNT},
};
static const struct pt_html_table unreadable = {
    .id = "unreadable", .caption = "Could not be read", PT_HTML_COLUMNS(unreadable_columns)};

void pt_html_machine(const struct pt_html *h, const json_t *info, const json_t *doc)
{
    (void)doc;
    FACTS(h, machine, info);
    pt_html_table(h, &gaps, pt_html_get(info, "gaps"), NULL);
    pt_html_table(h, &unreadable, pt_html_get(info, "unreadable"), NULL);
}

/* ---- what the recorder itself cost ---- */

static const struct pt_html_column cost[] = {
    {.title = "CPU, of one core", .path = "cost.cpu_percent", .kind = PT_HTML_PERCENT},
    {.title = "most over a minute", .path = "cost.cpu_percent_max", .kind = PT_HTML_PERCENT},
    {.title = "allowed", .path = "cost.budget_percent", .kind = PT_HTML_PERCENT},
    {.title = "memory, most", .path = "cost.rss_max", .kind = PT_HTML_BYTES, .term = "rss"},
    {.title = "reading, a snapshot", .path = "cost.read_seconds", .kind = PT_HTML_SECONDS},
    {.title = "storing, a snapshot", .path = "cost.store_seconds", .kind = PT_HTML_SECONDS},
    {.title = "written a day", .path = "cost.written_per_day", .kind = PT_HTML_BYTES},
    {.title = "size of the recording", .path = "size.bytes", .kind = PT_HTML_BYTES},
    {.title = "a snapshot", .path = "size.bytes_per_snapshot", .kind = PT_HTML_BYTES},
    {.title = "a day", .path = "size.bytes_per_day", .kind = PT_HTML_BYTES},
    {.title = "snapshots not taken", .path = "missed.snapshots_not_taken", .kind = PT_HTML_COUNT},
    {.title = "snapshots not stored", .path = "missed.snapshots_not_stored", .kind = PT_HTML_COUNT},
};

void pt_html_cost(const struct pt_html *h, const json_t *info, const json_t *doc)
{
    (void)doc;
    FACTS(h, cost, info);
}

/* ---- events ---- */

static const struct pt_html_column event_columns[] = {
    {.title = "When", .path = "time", .kind = PT_HTML_TIME},
    {.title = "What", .path = "kind"},
    {.title = "Who", .path = "subject"},
    {.title = "Detail", .path = "detail", .kind = PT_HTML_TOLD},
};
static const struct pt_html_table events = {.id = "event-list",
                                            .caption = "What happened, by time",
                                            PT_HTML_COLUMNS(event_columns),
                                            .long_one = true};

void pt_html_events(const struct pt_html *h, const json_t *part, const json_t *doc)
{
    (void)doc;
    pt_html_table(h, &events, pt_html_get(part, "rows"), pt_html_get(part, "omitted"));
}
