/* SPDX-License-Identifier: MIT
 * The machine, what was read of it, and what the recorder cost. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/report/print_int.h"

#define FILES 5 /* kinds of files that could not be read */
#define GAPS  5

static void print_span(struct pt_page *p, const json_t *doc)
{
    const json_t *machine = pt_tree_at(doc, "machine"), *span = pt_tree_at(doc, "span"), *gap;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    size_t i;
    if (pt_tree_int(span, "snapshots") <= 0)
        return;
    pt_page_pair(p, "recorded", "%s of %s, a snapshot every %s, @%" PRId64 " to @%" PRId64,
                 pt_print_seconds(span, "recorded_seconds", a),
                 pt_print_seconds(span, "seconds", b),
                 pt_print_seconds(machine, "interval_seconds", (char[PT_UNITS_BUF]){0}),
                 pt_tree_int(span, "first"), pt_tree_int(span, "last"));
    pt_page_pair(p, "boots", "%" PRId64, pt_tree_int(span, "boots"));
    pt_page_pair(p, "gaps", "%" PRId64, pt_tree_int(machine, "gap_count"));
    json_array_foreach(pt_tree_at(machine, "gaps"), i, gap)
    {
        if (i < GAPS)
            pt_page_pair(p, "", "%s from %s on", pt_print_seconds(gap, "seconds", a),
                         pt_print_time(p, gap, "time", b));
    }
}

static void print_coverage(struct pt_page *p, const json_t *machine)
{
    const json_t *c = pt_tree_at(machine, "coverage"), *u;
    char age[PT_UNITS_BUF], text[128] = "";
    size_t i;
    const int64_t unreadable = pt_tree_int(c, "smaps_unreadable");
    if (!c)
        return;
    if (pt_tree_int(c, "processes") == PT_UNKNOWN) {
        pt_page_pair(p, "coverage", "not known: the last snapshot is damaged");
        return;
    }
    pt_page_pair(p, "coverage",
                 "%" PRId64 " processes at the end, %" PRId64 " kernel threads among them",
                 pt_tree_int(c, "processes"), pt_tree_int(c, "kernel_threads"));
    if (unreadable > 0)
        snprintf(text, sizeof(text), ", %" PRId64 " not readable", unreadable);
    if (pt_tree_int(c, "with_smaps") > 0)
        pt_page_pair(p, "", "mappings read of %" PRId64 " of them%s, the oldest %s ago",
                     pt_tree_int(c, "with_smaps"), text,
                     pt_print_seconds(c, "oldest_smaps_seconds", age));
    else if (pt_tree_int(c, "with_smaps") == PT_UNKNOWN)
        pt_page_pair(p, "", "of how many the mappings were read is not known: that is damaged");
    else
        pt_page_pair(p, "", "mappings read of none of them%s", text);
    json_array_foreach(pt_tree_at(machine, "unreadable"), i, u)
    {
        if (i < FILES)
            pt_page_pair(p, i ? "" : "unreadable", "%" PRId64 " %s: %s", pt_tree_int(u, "count"),
                         pt_print_str(u, "files"), pt_print_str(u, "error"));
    }
    if (i > FILES)
        pt_page_pair(p, "", "and %zu more kinds", i - FILES);
}

void pt_print_machine(struct pt_page *p, const json_t *doc)
{
    const json_t *machine = pt_tree_at(doc, "machine"), *host = pt_tree_at(machine, "host");
    char size[PT_UNITS_BUF], cpus[PT_UNITS_BUF];
    pt_page_heading(p, "Machine");
    pt_page_pair(p, "host", "%s", pt_print_name(host, "name"));
    pt_page_pair(p, "kernel", "%s %s", pt_print_name(host, "kernel"), pt_print_name(host, "arch"));
    pt_page_pair(p, "memory", "%s, %s CPU%s", pt_print_bytes(host, "mem_total", false, size),
                 pt_units_count(cpus, sizeof(cpus), pt_tree_int(host, "cpus"), false),
                 pt_tree_int(host, "cpus") == 1 ? "" : "s");
    print_span(p, doc);
    print_coverage(p, machine);
}

/* ---- what the recorder itself cost ---- */

static void print_missed(struct pt_page *p, const json_t *machine)
{
    static const struct {
        const char *key, *what;
    } missed[] = {{"snapshots_not_stored", "snapshots not stored"},
                  {"snapshots_not_taken", "snapshots not taken in time"},
                  {"exits", "ends of processes"},
                  {"reads_stuck", "deep reads that hung"},
                  {"texts", "texts"},
                  {"cgroups", "times control groups too many"}};
    const json_t *m = pt_tree_at(machine, "missed");
    const char *label = "missed";
    for (size_t i = 0; i < sizeof(missed) / sizeof(*missed); i++) {
        if (pt_tree_int(m, missed[i].key) <= 0)
            continue;
        pt_page_pair(p, label, "%" PRId64 " %s", pt_tree_int(m, missed[i].key), missed[i].what);
        label = "";
    }
}

void pt_print_cost(struct pt_page *p, const json_t *doc)
{
    const json_t *machine = pt_tree_at(doc, "machine"), *cost = pt_tree_at(machine, "cost"),
                 *size = pt_tree_at(machine, "size");
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], c[PT_UNITS_BUF];
    if (!cost)
        return;
    pt_page_heading(p, "What the recorder cost");
    pt_page_pair(p, "recorder", "%s", pt_print_str(pt_tree_at(machine, "host"), "program"));
    pt_page_pair(p, "CPU", "%s of one CPU, at most %s over a minute, of %s it may take",
                 pt_print_amount(pt_tree_real(cost, "cpu_percent"), "percent", a),
                 pt_print_amount(pt_tree_real(cost, "cpu_percent_max"), "percent", b),
                 pt_print_amount(pt_tree_real(cost, "budget_percent"), "percent", c));
    pt_page_pair(p, "memory", "at most %s resident", pt_print_bytes(cost, "rss_max", false, a));
    pt_page_pair(p, "size", "%s, %s a snapshot, %s a day", pt_print_bytes(size, "bytes", false, a),
                 pt_print_bytes(size, "bytes_per_snapshot", false, b),
                 pt_print_bytes(size, "bytes_per_day", false, c));
    print_missed(p, machine);
}
