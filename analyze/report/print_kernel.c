/* SPDX-License-Identifier: MIT
 * Kernel memory in a report: what of it grew, shared memory, zones, and what reclaim did. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/report/print_int.h"

#define SLABS   8
#define OBJECTS 5

static void add_course(struct pt_table *t, const char *name, const json_t *course)
{
    char buf[PT_UNITS_BUF];
    pt_table_cell(t, name);
    pt_table_cell(t, pt_print_bytes(course, "first", false, buf));
    pt_table_cell(t, pt_print_bytes(course, "last", false, buf));
    pt_table_cell(t, pt_print_bytes(course, "change", true, buf));
    pt_table_cell(t, pt_print_bytes(course, "most", false, buf));
}

static void print_grown(struct pt_page *p, const json_t *kernel, int64_t cut)
{
    static const struct pt_column columns[] = {{"MEMORY", false, 16},
                                               {"FIRST", true, 0},
                                               {"LAST", true, 0},
                                               {"CHANGE", true, 0},
                                               {"MOST", true, 0}};
    const json_t *item;
    struct pt_table t;
    size_t i;
    int64_t more = 0;
    pt_table_init(&t, columns, 5);
    json_array_foreach(pt_tree_at(kernel, "classes"), i, item)
    {
        if (pt_tree_int(pt_tree_at(item, "bytes"), "most") != 0)
            add_course(&t, pt_print_str(item, "name"), pt_tree_at(item, "bytes"));
    }
    json_array_foreach(pt_tree_at(kernel, "slabs"), i, item)
    {
        char name[256];
        const int64_t change = pt_tree_int(pt_tree_at(item, "bytes"), "change");
        if (change == PT_UNKNOWN || change <= 0) {
            cut = 0; /* those that grew most come first: of the rest none did */
            break;
        }
        if (i >= SLABS) {
            more++;
            continue;
        }
        snprintf(name, sizeof(name), "slab %s", pt_print_str(item, "name"));
        add_course(&t, name, pt_tree_at(item, "bytes"));
    }
    pt_page_table(p, &t);
    pt_print_omitted(p, more + cut, "slab caches that changed less");
}

/* "221 postgres and 6 more" */
static void owners(const json_t *object, char *buf, size_t size)
{
    const json_t *all = pt_tree_at(object, "owners"), *first = json_array_get(all, 0);
    const size_t n = json_array_size(all);
    const int64_t attached = pt_tree_int(pt_tree_at(object, "segment"), "attached");
    char more[32] = "";
    if (n > 1)
        snprintf(more, sizeof(more), " and %zu more", n - 1);
    if (n)
        snprintf(buf, size, "%" PRId64 " %s%s", pt_tree_int(first, "pid"),
                 pt_print_str(first, "comm"), more);
    else if (json_is_true(pt_tree_at(object, "left_behind")))
        snprintf(buf, size, "nobody: left behind");
    else if (attached != PT_UNKNOWN)
        snprintf(buf, size, "not known (%" PRId64 " attached)", attached);
    else
        snprintf(buf, size, "?");
}

static void print_objects(struct pt_page *p, const json_t *shared, int64_t cut)
{
    static const struct pt_column columns[] = {
        {"SHARED MEMORY", false, 16}, {"HELD", true, 0}, {"CHANGE", true, 0}, {"WHO", false, 12}};
    const json_t *object;
    char buf[PT_UNITS_BUF], who[128];
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 4);
    json_array_foreach(pt_tree_at(shared, "objects"), i, object)
    {
        const json_t *bytes = pt_tree_at(object, "bytes");
        if (i >= OBJECTS)
            break;
        owners(object, who, sizeof(who));
        pt_table_cell(&t, pt_print_str(object, "name"));
        pt_table_cell(&t, pt_print_bytes(bytes, "last", false, buf));
        pt_table_cell(&t, pt_print_bytes(bytes, "change", true, buf));
        pt_table_cell(&t, who);
    }
    cut += (int64_t)(pt_tree_count(shared, "objects") - i);
    pt_page_table(p, &t);
    pt_print_omitted(p, cut, "");
}

static void print_zones(struct pt_page *p, const json_t *kernel)
{
    static const struct pt_column columns[] = {
        {"ZONE", false, 10},   {"FREE", true, 0}, {"LEAST", true, 0},   {"LOW", true, 0},
        {"BELOW IT", true, 0}, {"MIN", true, 0},  {"BELOW IT", true, 0}};
    const json_t *zone;
    char buf[PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 7);
    json_array_foreach(pt_tree_at(kernel, "zones"), i, zone)
    {
        const json_t *free_course = pt_tree_at(zone, "free");
        pt_table_cell(&t, pt_print_str(zone, "name"));
        pt_table_cell(&t, pt_print_bytes(free_course, "last", false, buf));
        pt_table_cell(&t, pt_print_bytes(free_course, "least", false, buf));
        pt_table_cell(&t, pt_print_bytes(zone, "low_bytes", false, buf));
        pt_table_cell(&t, pt_print_seconds(zone, "below_low_seconds", buf));
        pt_table_cell(&t, pt_print_bytes(zone, "min_bytes", false, buf));
        pt_table_cell(&t, pt_print_seconds(zone, "below_min_seconds", buf));
    }
    pt_page_table(p, &t);
}

static void print_counters(struct pt_page *p, const json_t *kernel)
{
    static const struct pt_column columns[] = {
        {"EVENTS", false, 20}, {"COUNT", true, 0}, {"LAST", false, 0}};
    const char *topic;
    json_t *list;
    const json_t *counter;
    char when[PT_UNITS_BUF];
    struct pt_table t;
    size_t i;
    pt_table_init(&t, columns, 3);
    json_object_foreach((json_t *)pt_tree_at(kernel, "counters"), topic, list)
    {
        json_array_foreach(list, i, counter)
        {
            if (pt_tree_int(counter, "count") <= 0)
                continue;
            pt_table_cell(&t, pt_print_str(counter, "title"));
            pt_table_cellf(&t, "%" PRId64, pt_tree_int(counter, "count"));
            pt_table_cell(&t, pt_print_time(p, counter, "last_at", when));
        }
    }
    pt_page_table(p, &t);
}

static void print_unknown(struct pt_page *p, const json_t *kernel)
{
    const json_t *unknown;
    size_t i;
    json_array_foreach(pt_tree_at(kernel, "unknown"), i, unknown)
    {
        char text[512];
        snprintf(text, sizeof(text), "%s: %s", pt_print_str(unknown, "what"),
                 pt_print_str(unknown, "why"));
        pt_page_item(p, '?', "not known:", text);
    }
}

void pt_print_kernel(struct pt_page *p, const json_t *doc)
{
    const json_t *kernel = pt_tree_at(doc, "kernel");
    if (!kernel)
        return;
    pt_page_heading(p, "Kernel memory");
    print_grown(p, kernel, pt_print_cut(doc, "kernel.slabs"));
    print_objects(p, pt_tree_at(kernel, "shared"), pt_print_cut(doc, "kernel.shared.objects"));
    print_zones(p, kernel);
    print_counters(p, kernel);
    print_unknown(p, kernel);
}
