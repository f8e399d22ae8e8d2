/* SPDX-License-Identifier: MIT
 * Events, OOM kills, processes and words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/text.h"
#include "analyze/report/print_int.h"

#define EVENTS    20 /* the newest */
#define PROCESSES 20
#define KILLS     5
#define BEFORE    5 /* processes of the picture before an OOM kill */

/* What is told of an event, with its amounts in units; NULL: no memory. */
static char *told(struct pt_page *p, const char *subject, const char *detail)
{
    struct pt_buf text;
    pt_buf_init(&text, SIZE_MAX / 2);
    pt_buf_put(&text, subject, strlen(subject));
    if (*subject && *detail)
        pt_buf_put(&text, ": ", 2);
    pt_text_amounts(detail, strlen(detail), &text);
    pt_buf_u8(&text, 0);
    char *copy = text.failed ? NULL : strdup((const char *)text.data);
    pt_buf_release(&text);
    p->failed |= !copy;
    return copy;
}

/* ---- OOM kills ---- */

static void print_before(struct pt_page *p, const json_t *before)
{
    static const struct pt_column columns[] = {
        {"PID", true, 0},      {"ANON", true, 0},      {"SWAP", true, 0}, {"RSS", true, 0},
        {"SERVICE", false, 8}, {"COMMAND", false, 12}, {"", false, 0}};
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], c[PT_UNITS_BUF], d[PT_UNITS_BUF], e[PT_UNITS_BUF],
        swap[3 * PT_UNITS_BUF] = "no swap";
    const int64_t total = pt_tree_int(before, "swap_total");
    const json_t *limit, *process;
    struct pt_table t;
    size_t i, shown = 0;
    if (total != 0)
        snprintf(swap, sizeof(swap), "%s of %s swap used",
                 pt_units_bytes(c, sizeof(c),
                                pt_units_minus(total, pt_tree_int(before, "swap_free")), false),
                 pt_units_bytes(d, sizeof(d), total, false));
    pt_page_para(p, "%s before it %s of %s were available, %s",
                 pt_print_seconds(before, "seconds", e),
                 pt_print_bytes(before, "mem_available", false, a),
                 pt_print_bytes(before, "mem_total", false, b), swap);
    json_array_foreach(pt_tree_at(before, "limits"), i, limit)
    {
        pt_page_para(p, "%s: %s of at most %s", pt_print_str(limit, "cgroup"),
                     pt_print_bytes(limit, "usage", false, a),
                     pt_print_bytes(limit, "limit", false, b));
    }
    pt_table_init(&t, columns, 7);
    json_array_foreach(pt_tree_at(before, "processes"), i, process)
    {
        const bool killed = json_is_true(pt_tree_at(process, "killed"));
        const char *service = pt_tree_str(process, "service"),
                   *command = pt_tree_str(process, "cmdline");
        if (i >= BEFORE && !killed)
            continue;
        pt_table_cellf(&t, "%" PRId64, pt_tree_int(process, "pid"));
        pt_table_cell(&t, pt_print_bytes(process, "anon", false, a));
        pt_table_cell(&t, pt_print_bytes(process, "swap", false, a));
        pt_table_cell(&t, pt_print_bytes(process, "rss", false, a));
        pt_table_cell(&t, service ? service : "-");
        pt_table_cell(&t, command ? command : pt_print_str(process, "comm"));
        pt_table_cell(&t, killed ? "killed" : "");
        shown++;
    }
    pt_page_table(p, &t);
    pt_print_omitted(p, (int64_t)(pt_tree_count(before, "processes") - shown),
                     "in the report in JSON");
}

static void print_grown(struct pt_page *p, const json_t *grown)
{
    static const struct pt_column columns[] = {{"PID", true, 0},
                                               {"GREW BEFORE IT", true, 0},
                                               {"TO", true, 0},
                                               {"SERVICE", false, 8},
                                               {"COMMAND", false, 12}};
    char buf[PT_UNITS_BUF];
    const json_t *one;
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 5);
    json_array_foreach(grown, i, one)
    {
        const json_t *bytes = pt_tree_at(one, "bytes");
        const char *service = pt_tree_str(one, "service"), *command = pt_tree_str(one, "cmdline");
        pt_table_cellf(&t, "%" PRId64, pt_tree_int(one, "pid"));
        pt_table_cell(&t, pt_print_bytes(bytes, "delta", true, buf));
        pt_table_cell(&t, pt_print_bytes(bytes, "after", false, buf));
        pt_table_cell(&t, service ? service : "-");
        pt_table_cell(&t, command ? command : pt_print_str(one, "comm"));
    }
    pt_page_table(p, &t);
}

static void print_kill(struct pt_page *p, const json_t *doc)
{
    const json_t *kill = pt_tree_at(doc, "kill"), *next = pt_tree_at(doc, "next");
    const char *cgroup = pt_tree_str(kill, "cgroup");
    char when[PT_UNITS_BUF], *what = told(p, "", pt_print_str(kill, "detail"));
    if (!what)
        return;
    pt_page_part(p, pt_print_str(kill, "subject"));
    pt_page_para(p, "%s: %s", pt_print_time(p, kill, "time", when), what);
    free(what);
    if (cgroup)
        pt_page_para(p, "the limit of %s", cgroup);
    if (pt_tree_at(doc, "before"))
        print_before(p, pt_tree_at(doc, "before"));
    if (json_is_true(pt_tree_at(doc, "damaged")))
        pt_page_para(p, "the recording is damaged there: what is missing is left out");
    print_grown(p, pt_tree_at(doc, "grown"));
    if (next)
        pt_page_para(p, "the kernel would choose %" PRId64 " %s next", pt_tree_int(next, "pid"),
                     pt_print_str(next, "comm"));
}

void pt_print_oom(struct pt_page *p, const json_t *doc)
{
    const json_t *kill, *kills = pt_tree_at(doc, "oom");
    const size_t n = json_array_size(kills), first = n > KILLS ? n - KILLS : 0;
    const int64_t omitted = pt_tree_int(doc, "oom_omitted");
    size_t i;
    if (n == 0)
        return;
    pt_page_heading(p, "Killed for want of memory");
    if (omitted > 0 || first)
        pt_page_para(p, "%" PRId64 " earlier ones are left out",
                     (int64_t)first + (omitted > 0 ? omitted : 0));
    json_array_foreach(kills, i, kill)
    {
        if (i >= first)
            print_kill(p, kill);
    }
}

/* ---- events ---- */

void pt_print_events(struct pt_page *p, const json_t *doc)
{
    static const struct pt_column columns[] = {
        {"TIME", false, 0}, {"EVENT", false, 0}, {"WHAT", false, 20}};
    const json_t *events = pt_tree_at(doc, "events"), *rows = pt_tree_at(events, "rows");
    const size_t n = json_array_size(rows), first = n > EVENTS ? n - EVENTS : 0;
    char when[PT_UNITS_BUF];
    struct pt_table t;
    if (n == 0)
        return;
    pt_page_heading(p, "Events");
    pt_table_init(&t, columns, 3);
    for (size_t i = first; i < n; i++) {
        const json_t *e = json_array_get(rows, i);
        char *what = told(p, pt_print_str(e, "subject"), pt_print_str(e, "detail"));
        if (!what)
            break;
        pt_print_time(p, e, "time", when);
        char *zone = strrchr(when, ' '); /* the head of the report tells it */
        if (zone && strchr(when, ' ') != zone)
            *zone = '\0';
        pt_table_cell(&t, when);
        pt_table_cell(&t, pt_print_str(e, "kind"));
        pt_table_cell(&t, what);
        free(what);
    }
    pt_page_table(p, &t);
    const int64_t omitted = pt_tree_int(events, "omitted");
    pt_print_omitted(p, (int64_t)first + (omitted > 0 ? omitted : 0), "before these");
}

/* ---- processes ---- */

static int64_t listed(struct pt_table *t, const json_t *rows)
{
    static const char *const bytes[] = {"anon", "swap", "rss"};
    const json_t *process;
    char buf[PT_UNITS_BUF];
    size_t i;
    json_array_foreach(rows, i, process)
    {
        const char *service = pt_tree_str(process, "service");
        if (i >= PROCESSES)
            break;
        pt_table_cellf(t, "%" PRId64, pt_tree_int(process, "pid"));
        for (size_t k = 0; k < sizeof(bytes) / sizeof(*bytes); k++)
            pt_table_cell(t, pt_print_bytes(process, bytes[k], false, buf));
        pt_table_cell(t, pt_print_bytes(process, "change", true, buf));
        pt_table_cell(t, service ? service : "-");
        pt_table_cell(t, pt_print_str(process, "comm"));
    }
    return (int64_t)(json_array_size(rows) - i);
}

void pt_print_processes(struct pt_page *p, const json_t *doc)
{
    static const struct pt_column columns[] = {
        {"PID", true, 0},    {"ANON", true, 0},     {"SWAP", true, 0},     {"RSS", true, 0},
        {"CHANGE", true, 0}, {"SERVICE", false, 8}, {"COMMAND", false, 10}};
    const json_t *processes = pt_tree_at(doc, "processes");
    char when[PT_UNITS_BUF];
    struct pt_table t;
    if (!processes)
        return;
    pt_page_heading(p, "Processes");
    pt_page_para(p, "at %s", pt_print_time(p, processes, "time", when));
    pt_table_init(&t, columns, 7);
    const int64_t left = listed(&t, pt_tree_at(processes, "rows")),
                  omitted = pt_tree_int(processes, "omitted");
    pt_page_table(p, &t);
    pt_print_omitted(p, left + (omitted > 0 ? omitted : 0), "");
}

/* ---- words ---- */

void pt_print_glossary(struct pt_page *p, const json_t *doc)
{
    const json_t *term;
    size_t i;
    pt_page_heading(p, "Words");
    json_array_foreach(pt_tree_at(doc, "glossary"), i, term)
    {
        const char *field = pt_tree_str(term, "field");
        char *text = NULL;
        if (asprintf(&text, "%s: %s%s%s%s", pt_print_str(term, "title"),
                     pt_print_str(term, "meaning"), field ? " (" : "", field ? field : "",
                     field ? ")" : "") < 0) {
            p->failed = true;
            return;
        }
        pt_page_item(p, ' ', "", text);
        free(text);
    }
}
