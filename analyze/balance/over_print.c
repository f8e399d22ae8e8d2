/* SPDX-License-Identifier: MIT
 * Sheets over time as a table and as JSON (balance-over.schema.json). */
#include <string.h>

#include "analyze/balance/over.h"
#include "analyze/print/json.h"
#include "analyze/print/table.h"
#include "analyze/print/units.h"

/* ---- text ---- */

enum {
    COL_FREE = 0,
    COL_CACHE,
    COL_ANON,
    COL_SHMEM,
    COL_SLAB,
    COL_HUGE,
    COL_KERNEL,
    COL_REST,
    COLS
};

static unsigned column_of(unsigned line)
{
    switch (line) {
    case PT_LINE_FREE:
    case PT_LINE_PCP:
        return COL_FREE;
    case PT_LINE_CACHE:
    case PT_LINE_SWAP_CACHE:
        return COL_CACHE;
    case PT_LINE_ANON:
        return COL_ANON;
    case PT_LINE_SHMEM:
        return COL_SHMEM;
    case PT_LINE_SLAB_RECLAIMABLE:
    case PT_LINE_SLAB_UNRECLAIMABLE:
        return COL_SLAB;
    case PT_LINE_HUGETLB:
        return COL_HUGE;
    case PT_LINE_UNACCOUNTED:
        return COL_REST;
    default:
        return COL_KERNEL;
    }
}

/* "11-25 16:34:04*": the year stands in the title. */
static void cell_time(struct pt_table *t, const struct pt_over_point *p, bool utc)
{
    enum { YEAR = 5, DATE_AND_TIME = 19 };
    char text[PT_UNITS_BUF];
    pt_units_time(text, sizeof(text), p->real_us, utc ? 0 : p->utc_offset_s);
    text[strlen(text) > DATE_AND_TIME ? DATE_AND_TIME : strlen(text)] = '\0';
    pt_table_cellf(t, "%s%s", strlen(text) == DATE_AND_TIME ? text + YEAR : text,
                   p->gap ? "*" : "");
}

static void add_row(struct pt_table *t, const struct pt_over_point *p, double unit, int decimals,
                    bool utc)
{
    int64_t sum[COLS] = {0};
    for (unsigned i = 0; i < PT_LINE_COUNT; i++)
        sum[column_of(i)] += p->sheet.bytes[i];
    cell_time(t, p, utc);
    for (unsigned i = 0; i < COLS; i++)
        pt_table_cellf(t, "%.*f", decimals, (double)sum[i] / unit);
}

int pt_over_text(const struct pt_over *o, FILE *out, bool colour, bool utc)
{
    static const struct pt_column columns[] = {
        {"TIME", false, 0}, {"FREE", true, 0},   {"CACHE", true, 0},
        {"ANON", true, 0},  {"SHMEM", true, 0},  {"SLAB", true, 0},
        {"HUGE", true, 0},  {"KERNEL", true, 0}, {"REST", true, 0}};
    const double mib = 1 << 20, gib = 1 << 30;
    struct pt_table t;
    char total[PT_UNITS_BUF];
    bool gap = false;
    if (o->n == 0) {
        fputs("what the machine's memory was used for was not recorded\n", out);
        return 0;
    }
    const int64_t bytes = o->v[o->n - 1].sheet.total;
    const bool large = bytes >= (INT64_C(256) << 30);
    fprintf(out, "in %s; each row adds up to the machine's memory, %s at the end\n",
            large ? "GiB" : "MiB", pt_units_bytes(total, sizeof(total), bytes, false));
    pt_table_init(&t, columns, 9);
    for (size_t i = 0; i < o->n; i++) {
        add_row(&t, &o->v[i], large ? gib : mib, large, utc);
        gap |= o->v[i].gap;
    }
    const int rc = pt_table_end(&t, out, colour);
    if (gap)
        fputs("* nothing was recorded for a while before\n", out);
    return rc;
}

/* ---- JSON ---- */

static json_t *lines_json(const struct pt_balance *sheet)
{
    json_t *lines = json_object();
    for (unsigned i = 0; i < PT_LINE_COUNT; i++)
        if (sheet->known[i])
            json_object_set_new(lines, pt_line_name((enum pt_line)i), pt_json_int(sheet->bytes[i]));
    return lines;
}

static json_t *points_json(const struct pt_over *o)
{
    json_t *a = json_array();
    for (size_t i = 0; i < o->n; i++) {
        const struct pt_over_point *p = &o->v[i];
        json_array_append_new(
            a, json_pack("{s:I, s:o, s:b, s:o, s:o, s:o, s:o}", "snapshot", (json_int_t)p->n,
                         "time", pt_json_time(p->real_us), "gap_before", p->gap, "total",
                         pt_json_int(p->sheet.total), "available", pt_json_int(p->available),
                         "swap_used", pt_json_int(p->swap_used), "lines", lines_json(&p->sheet)));
    }
    return a;
}

json_t *pt_over_json(const struct pt_over *o)
{
    json_t *extremes = json_array();
    for (unsigned i = 0; i < PT_LINE_COUNT; i++) {
        const struct pt_over_extreme *e = &o->extreme[i];
        if (e->min == PT_UNKNOWN)
            continue;
        json_array_append_new(
            extremes, json_pack("{s:s, s:o, s:o, s:o, s:o}", "line", pt_line_name((enum pt_line)i),
                                "min", pt_json_int(e->min), "min_time", pt_json_time(e->min_us),
                                "max", pt_json_int(e->max), "max_time", pt_json_time(e->max_us)));
    }
    return json_pack("{s:o, s:o}", "points", points_json(o), "extremes", extremes);
}
