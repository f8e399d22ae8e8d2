/* SPDX-License-Identifier: MIT
 * What swap did: whether it did harm, its episodes with whom they hurt and who pushed, and who is
 * in it. */
#include <stdint.h>
#include <string.h>

#include "analyze/report/beside.h"
#include "analyze/report/html/sections.h"

static void put_process(const struct pt_html *h, const json_t *p)
{
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(p, "pid"));
    pt_html_raw(h, " ");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(p, "comm"));
}

/* Processes with an amount each; of most the few worst tell enough. */
static void put_blamed(const struct pt_html *h, const json_t *list, const char *amount,
                       const char *what)
{
    enum { WORST = 3 };
    size_t i;
    const json_t *p;
    char buf[PT_HTML_VALUE];
    json_array_foreach(list, i, p)
    {
        if (i == WORST)
            break;
        pt_html_raw(h, i ? "<br>" : "");
        put_process(h, p);
        pt_html_rawf(h, " <span class=\"quiet\">%s%s</span>",
                     pt_html_value(h, PT_HTML_BYTES, pt_html_get(p, amount), buf), what);
    }
    if (json_array_size(list) > WORST)
        pt_html_rawf(h, "<br><span class=\"quiet\">and %zu more</span>",
                     json_array_size(list) - WORST);
    if (json_array_size(list) == 0)
        pt_html_raw(h, json_is_array(list)
                           ? "\xe2\x80\x93"
                           : "<span class=\"quiet\">not looked into: others cost more</span>");
}

static void put_victims(const struct pt_html *h, const json_t *episode)
{
    put_blamed(h, pt_html_get(episode, "victims"), "refilled_bytes", " back");
}

static void put_aggressors(const struct pt_html *h, const json_t *episode)
{
    put_blamed(h, pt_html_get(episode, "aggressors"), "growth_bytes", " grown");
}

static void put_state(const struct pt_html *h, const json_t *episode)
{
    const char *state = pt_html_get_str(episode, "state");
    const bool harm = strcmp(state, "parked") != 0 && strcmp(state, "swap-out-pressure") != 0;
    pt_html_rawf(h, "<span class=\"badge %s\">", harm ? "alarm" : "calm");
    pt_html_term(h, state, state);
    pt_html_raw(h, "</span>");
}

static const struct pt_html_column episode_columns[] = {
    {.title = "State", .path = "state", .put = put_state},
    {.title = "From", .path = "from", .kind = PT_HTML_TIME},
    {.title = "Lasted", .path = "seconds", .kind = PT_HTML_SECONDS},
    {.title = "In", .path = "bytes_in", .kind = PT_HTML_BYTES, .term = "swap_in"},
    {.title = "Out", .path = "bytes_out", .kind = PT_HTML_BYTES, .term = "swap_out"},
    {.title = "Waited", .path = "stall_seconds", .kind = PT_HTML_SECONDS, .term = "pressure_some"},
    {.title = "All waited",
     .path = "full_stall_seconds",
     .kind = PT_HTML_SECONDS,
     .term = "pressure_full"},
    {.title = "Whom it hurt", .path = "victims", .put = put_victims},
    {.title = "Who pushed", .path = "aggressors", .put = put_aggressors},
};
static const struct pt_html_table episodes = {
    .id = "episodes", .caption = "Episodes, by time", PT_HTML_COLUMNS(episode_columns)};

static void put_last(const struct pt_html *h, const json_t *process)
{
    if (json_is_false(pt_html_get(process, "alive")))
        pt_html_raw(h, "ended");
    else
        pt_html_put(h, PT_HTML_BYTES, pt_html_get(process, "last_bytes"));
}

static void put_used(const struct pt_html *h, const json_t *area)
{
    if (json_is_false(pt_html_get(area, "present")))
        pt_html_raw(h, "gone");
    else
        pt_html_put(h, PT_HTML_BYTES, pt_html_get(area, "used_bytes"));
}

static const struct pt_html_column process_columns[] = {
    {.title = "Process", .path = "comm", .put = put_process},
    {.title = "At the end",
     .path = "last_bytes",
     .kind = PT_HTML_BYTES,
     .put = put_last,
     .term = "swap"},
    {.title = "At most", .path = "most_bytes", .kind = PT_HTML_BYTES},
    {.title = "Swapped in", .path = "swapped_in_bytes", .kind = PT_HTML_BYTES},
    {.title = "Swapped out", .path = "swapped_out_bytes", .kind = PT_HTML_BYTES},
    {.title = "Major faults", .path = "major_faults", .kind = PT_HTML_COUNT},
    {.title = "Service", .path = "service", .kind = PT_HTML_NAME},
};
static const struct pt_html_table processes = {
    .id = "swapped",
    .caption = "Processes with memory in swap, by the most each had there",
    PT_HTML_COLUMNS(process_columns),
    .long_one = true};

static const struct pt_html_column device_columns[] = {
    {.title = "Swap area", .path = "name"},
    {.title = "Type", .path = "type"},
    {.title = "Size", .path = "size_bytes", .kind = PT_HTML_BYTES},
    {.title = "Used", .path = "used_bytes", .kind = PT_HTML_BYTES, .put = put_used},
    {.title = "At most", .path = "most_used_bytes", .kind = PT_HTML_BYTES},
    {.title = "Priority", .path = "priority", .kind = PT_HTML_COUNT},
};
static const struct pt_html_table devices = {
    .id = "areas", .caption = "Swap areas", PT_HTML_COLUMNS(device_columns)};

static const struct pt_html_column totals[] = {
    {.title = "swapped in", .path = "totals.bytes_in", .kind = PT_HTML_BYTES, .term = "swap_in"},
    {.title = "swapped out", .path = "totals.bytes_out", .kind = PT_HTML_BYTES, .term = "swap_out"},
    {.title = "in use at most", .path = "totals.most_used_bytes", .kind = PT_HTML_BYTES},
    {.title = "some task waited",
     .path = "totals.stall_seconds",
     .kind = PT_HTML_SECONDS,
     .term = "pressure_some"},
    {.title = "all tasks waited",
     .path = "totals.full_stall_seconds",
     .kind = PT_HTML_SECONDS,
     .term = "pressure_full"},
    {.title = "in use at the end", .path = "held.used_bytes", .kind = PT_HTML_BYTES},
    {.title = "of that, of processes", .path = "held.processes_bytes", .kind = PT_HTML_BYTES},
    {.title = "in memory too", .path = "held.cached_bytes", .kind = PT_HTML_BYTES},
    {.title = "System V segments", .path = "held.sysv_shm_bytes", .kind = PT_HTML_BYTES},
    {.title = "other shared memory", .path = "held.mapped_shmem_bytes", .kind = PT_HTML_BYTES},
    {.title = "not attributed", .path = "held.not_attributed_bytes", .kind = PT_HTML_CHANGE},
};

/* Whoever has a part in an episode alone is no row. */
static void put_processes(const struct pt_html *h, const json_t *list, const json_t *cut)
{
    size_t i;
    const json_t *p;
    json_t *rows = json_array();
    json_array_foreach(list, i, p)
    {
        if (pt_beside_swapped(p))
            json_array_append(rows, (json_t *)(uintptr_t)p);
    }
    pt_html_table(h, &processes, rows, cut);
    json_decref(rows);
}

void pt_html_swap(const struct pt_html *h, const json_t *swap, const json_t *doc)
{
    pt_html_raw(h, "<p>");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(swap, "text"));
    pt_html_raw(h, "</p>\n");
    if (json_array_size(pt_html_get(swap, "not_known")) > 0) {
        pt_html_raw(h, "<p class=\"quiet\">Not known: ");
        pt_html_put(h, PT_HTML_LIST, pt_html_get(swap, "not_known"));
        pt_html_raw(h, "</p>\n");
    }
    if (json_array_size(pt_html_get(swap, "devices")) > 0 ||
        json_array_size(pt_html_get(swap, "episodes")) > 0)
        pt_html_facts(h, totals, sizeof(totals) / sizeof(totals[0]), swap);
    pt_html_table(h, &episodes, pt_html_get(swap, "episodes"), pt_html_get(doc, "swap_omitted"));
    pt_html_table(h, &devices, pt_html_get(swap, "devices"), NULL);
    put_processes(h, pt_html_get(swap, "processes"),
                  json_object_get(pt_html_get(doc, "cut"), "swap.processes"));
}
