/* SPDX-License-Identifier: MIT
 * Columns of reports, and the rows, services and findings that they have in common. */
#include "analyze/report/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/report/match.h"
#include "analyze/report/pair.h"
#include "analyze/report/tree.h"

#define SERVICES 20
#define FINDINGS 200

/* ---- one column ---- */

enum of { OF_LOW = 0, OF_MEAN, OF_HIGH };

/* The rows: lines of the charts, and what is counted. */
static const struct {
    const char *name, *title, *unit;
    const char *line; /* of the charts; NULL: made by number() */
    enum of of;
} rows[] = {
    {"recorded", "recorded", "seconds", NULL, OF_MEAN},
    {"alarms", "leaks", "count", NULL, OF_MEAN},
    {"leak_slope", "leaks in all, an hour", "bytes/h", NULL, OF_MEAN},
    {"oom", "OOM kills", "count", NULL, OF_MEAN},
    {"available_mean", "available memory", "bytes", "mem_available", OF_MEAN},
    {"available_least", "available memory, least", "bytes", "mem_available", OF_LOW},
    {"swap_used", "swap in use, most", "bytes", "swap_used", OF_HIGH},
    {"swap_in", "swapped in", "bytes/s", "swap_in", OF_MEAN},
    {"swap_out", "swapped out", "bytes/s", "swap_out", OF_MEAN},
    {"pressure_some", "some waited for memory", "percent", "pressure_some", OF_MEAN},
    {"pressure_most", "some waited, most", "percent", "pressure_some", OF_HIGH},
    {"processes", "processes", "count", "processes", OF_MEAN},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static double of_line(const json_t *doc, size_t row)
{
    static const char *const keys[] = {[OF_LOW] = "low", [OF_MEAN] = "values", [OF_HIGH] = "high"};
    const json_t *lines = pt_tree_at(pt_tree_at(doc, "charts"), "lines"), *line, *v;
    double sum = 0, extreme = NAN;
    size_t i, k, n = 0;
    json_array_foreach(lines, i, line)
    {
        if (!pt_tree_is(line, "name", rows[row].line))
            continue;
        json_array_foreach(pt_tree_at(line, keys[rows[row].of]), k, v)
        {
            if (!json_is_number(v))
                continue;
            const double x = json_number_value(v);
            extreme = rows[row].of == OF_LOW ? fmin(extreme, x) : fmax(extreme, x);
            sum += x;
            n++;
        }
    }
    return rows[row].of != OF_MEAN ? extreme : n ? sum / (double)n : (double)NAN;
}

/* PT_UNKNOWN: none that could be told, which is not that there are none. */
static int64_t alarms_of(const json_t *doc)
{
    const json_t *leaks = pt_tree_at(doc, "leaks");
    const int64_t n = pt_tree_int(leaks, "alarms"), series = pt_tree_int(leaks, "series");
    const bool told = series > 0 && pt_tree_int(leaks, "insufficient") < series &&
                      !(pt_tree_int(doc, "damaged") > 0);
    return n > 0 || told ? n : PT_UNKNOWN;
}

static double leak_slope(const json_t *doc)
{
    const json_t *f;
    size_t i;
    double sum = 0;
    json_array_foreach(pt_tree_at(pt_tree_at(doc, "leaks"), "findings"), i, f)
    {
        const double b = pt_tree_real(f, "slope_bytes_per_hour");
        sum += pt_match_alarms(f) && b > 0 ? b : 0;
    }
    return sum;
}

static double number(const json_t *doc, size_t row)
{
    if (rows[row].line)
        return of_line(doc, row);
    if (strcmp(rows[row].name, "recorded") == 0)
        return pt_tree_real(pt_tree_at(doc, "span"), "recorded_seconds");
    const int64_t alarms = alarms_of(doc);
    if (strcmp(rows[row].name, "alarms") == 0)
        return alarms == PT_UNKNOWN ? (double)NAN : (double)alarms;
    if (strcmp(rows[row].name, "leak_slope") == 0)
        return alarms == PT_UNKNOWN ? (double)NAN : leak_slope(doc);
    return pt_tree_at(doc, "oom")
               ? (double)pt_tree_count(doc, "oom") + fmax(pt_tree_real(doc, "oom_omitted"), 0)
               : (double)NAN;
}

/* Private memory, in memory or in swap, of the processes of each service at the end. */
static json_t *services_of(const json_t *doc)
{
    const json_t *process;
    size_t i;
    json_t *sums = json_object();
    json_array_foreach(pt_tree_at(pt_tree_at(doc, "processes"), "rows"), i, process)
    {
        const char *service = pt_tree_str(process, "service"),
                   *name = service ? service : pt_tree_str(process, "comm");
        const int64_t anon = pt_tree_int(process, "anon"), swap = pt_tree_int(process, "swap");
        int64_t sum = pt_tree_int(sums, name ? name : "?");
        if (anon == PT_UNKNOWN || __builtin_add_overflow(sum == PT_UNKNOWN ? 0 : sum, anon, &sum) ||
            (swap != PT_UNKNOWN && __builtin_add_overflow(sum, swap, &sum)))
            continue;
        json_object_set_new(sums, name ? name : "?", json_integer((json_int_t)sum));
    }
    return sums;
}

/* As it is called where there is little room. */
static const char *short_name(const json_t *finding)
{
    static const char *const keys[] = {"comm", "service", "name"};
    const json_t *subject = pt_tree_at(finding, "subject");
    const char *title = pt_tree_str(finding, "title"), *name = NULL;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && !name; i++)
        name = pt_tree_str(subject, keys[i]);
    /* incidents are called by their titles */
    return (pt_tree_str(finding, "section") || !name) && title ? title : name ? name : "?";
}

static void add_findings(json_t *all, const json_t *list)
{
    static const char *const keys[] = {"id",
                                       "title",
                                       "class",
                                       "verdict",
                                       "subject",
                                       "count",
                                       "slope_bytes_per_hour",
                                       "slope_low",
                                       "slope_high",
                                       "growth_bytes",
                                       "per_hour"};
    const json_t *f;
    size_t i;
    json_array_foreach(list, i, f)
    {
        json_t *one = json_object();
        for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
            json_object_set(one, keys[k], json_object_get(f, keys[k]));
        json_object_set_new(one, "name", json_string(short_name(f)));
        json_array_append_new(all, one);
    }
}

static json_t *findings_of(const json_t *doc)
{
    json_t *all = json_array();
    add_findings(all, pt_tree_at(pt_tree_at(doc, "leaks"), "findings"));
    add_findings(all, pt_tree_at(doc, "incidents"));
    return all;
}

/* What the report itself says became of findings. */
static json_t *became_of(const json_t *doc)
{
    json_t *list = json_object_get(json_object_get(doc, "against"), "findings");
    return list ? json_incref(list) : json_array();
}

json_t *pt_compare_column(const json_t *doc, const char *title, const char *file)
{
    const json_t *span = pt_tree_at(doc, "span"),
                 *first = json_array_get(pt_tree_at(doc, "verdict"), 0);
    const char *verdict = pt_tree_str(first, "text");
    const int64_t snapshots = pt_tree_int(span, "snapshots");
    json_t *values = json_array();
    for (size_t i = 0; i < ROWS; i++)
        json_array_append_new(values, pt_tree_number(number(doc, i)));
    return json_pack("{s:{s:o, s:s?, s:s?, s:o, s:o, s:I, s:o, s:s, s:o}, s:o, s:o, s:o, s:o}",
                     "head", "title", pt_json_str(title), "from", pt_tree_str(span, "from"), "to",
                     pt_tree_str(span, "to"), "first", pt_json_int(pt_tree_int(span, "first")),
                     "last", pt_json_int(pt_tree_int(span, "last")), "snapshots",
                     (json_int_t)(snapshots == PT_UNKNOWN ? 0 : snapshots), "file",
                     pt_json_str(file), "verdict", verdict ? verdict : "", "alarms",
                     pt_json_int(alarms_of(doc)), "values", values, "services", services_of(doc),
                     "findings", findings_of(doc), "became", became_of(doc));
}

/* ---- side by side ---- */

static json_t *rows_json(const json_t *columns)
{
    const json_t *column;
    size_t k;
    json_t *all = json_array();
    for (size_t i = 0; i < ROWS; i++) {
        json_t *values = json_array();
        bool any = false;
        json_array_foreach(columns, k, column)
        {
            json_t *v = json_array_get(pt_tree_at(column, "values"), i);
            any |= json_is_number(v);
            json_array_append(values, v);
        }
        if (any)
            json_array_append_new(all,
                                  json_pack("{s:s, s:s, s:s, s:o}", "name", rows[i].name, "title",
                                            rows[i].title, "unit", rows[i].unit, "values", values));
        else
            json_decref(values);
    }
    return all;
}

struct service {
    const char *name;
    int64_t most;
};

static int by_most(const void *a, const void *b)
{
    const struct service *x = a, *y = b;
    return x->most != y->most ? (x->most < y->most ? 1 : -1) : strcmp(x->name, y->name);
}

/* Every name of any column, with the most it had. */
static json_t *names_of(const json_t *columns)
{
    const json_t *column;
    json_t *value, *names = json_object();
    const char *name;
    size_t i;
    json_array_foreach(columns, i, column)
    {
        json_object_foreach(json_object_get(column, "services"), name, value)
        {
            const int64_t before = pt_tree_int(names, name);
            if (before == PT_UNKNOWN || before < json_integer_value(value))
                json_object_set(names, name, value);
        }
    }
    return names;
}

static json_t *services_json(const json_t *columns, size_t *ret_omitted)
{
    json_t *names = names_of(columns), *all = json_array(), *value;
    const size_t n = json_object_size(names);
    struct service *v = calloc(n + 1, sizeof(*v));
    const json_t *column;
    const char *name;
    size_t k = 0, i;
    json_object_foreach(names, name, value)
    {
        if (v)
            v[k++] = (struct service){name, json_integer_value(value)};
    }
    if (k)
        qsort(v, k, sizeof(*v), by_most);
    *ret_omitted = k > SERVICES ? k - SERVICES : 0;
    for (size_t s = 0; s < k && s < SERVICES; s++) {
        json_t *values = json_array();
        json_array_foreach(columns, i, column)
        {
            json_array_append_new(
                values, pt_json_int(pt_tree_int(pt_tree_at(column, "services"), v[s].name)));
        }
        json_array_append_new(all, json_pack("{s:s, s:o}", "name", v[s].name, "values", values));
    }
    free(v);
    json_decref(names);
    return all;
}

/* ---- findings through the columns ---- */

/* A row for each thing that was an alarm in one of them. newest: what each looked like last; cells:
 * of each so far, from column begin[row] on; said: what became of it, by the last that said so;
 * row_of: the row of each finding of the column before; SIZE_MAX: none. */
struct tracks {
    json_t *newest, *cells, *said;
    size_t *begin, cap;
    size_t *row_of;
    struct pt_keyed keyed; /* rows, by all that each looked like */
};

/* NULL: nothing is said of it. */
static const char *became(const json_t *column, const json_t *finding)
{
    const char *id = pt_tree_str(finding, "id");
    const json_t *one;
    size_t i;
    json_array_foreach(pt_tree_at(column, "became"), i, one)
    {
        if (id && pt_tree_is(one, "finding", id))
            return pt_tree_str(one, "status");
    }
    return NULL;
}

/* Of one that it does not have, and the column before had. */
static const char *became_gone(const json_t *column, const json_t *before)
{
    const json_t *one;
    size_t i;
    json_array_foreach(pt_tree_at(column, "became"), i, one)
    {
        if (!pt_tree_str(one, "finding") &&
            json_equal(pt_tree_at(one, "title"), pt_tree_at(before, "title")) &&
            json_equal(pt_tree_at(one, "class"), pt_tree_at(before, "class")))
            return pt_tree_str(one, "status");
    }
    return NULL;
}

static json_t *cell(const json_t *finding, const char *status)
{
    return json_pack("{s:O, s:o, s:o, s:o, s:s?}", "verdict", json_object_get(finding, "verdict"),
                     "slope_bytes_per_hour",
                     pt_tree_number(pt_tree_real(finding, "slope_bytes_per_hour")), "growth_bytes",
                     pt_json_int(pt_tree_int(finding, "growth_bytes")), "count",
                     pt_json_int(pt_tree_int(finding, "count")), "status", status);
}

/* Those that the column before does not have: the rows of earlier ones, as far as none of this
 * column goes on there. */
static int match_older(const struct tracks *t, const json_t *findings, size_t *row)
{
    const size_t n = json_array_size(findings), nrows = json_array_size(t->newest);
    bool *taken = calloc(nrows + 1, sizeof(*taken));
    size_t *from = calloc(n + 1, sizeof(*from)), *pair = calloc(n + 1, sizeof(*pair));
    json_t *left = json_array();
    int rc = taken && from && pair && left ? 0 : -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (row[i] != SIZE_MAX) {
            taken[row[i]] = true;
            continue;
        }
        from[json_array_size(left)] = i;
        rc = json_array_append(left, json_array_get(findings, i));
    }
    rc = rc == 0 ? pt_match_keyed(left, t->newest, &t->keyed, taken, pair) : rc;
    for (size_t i = 0; i < json_array_size(left) && rc == 0; i++)
        row[from[i]] = pair[i];
    json_decref(left);
    free(pair);
    free(from);
    free(taken);
    return rc;
}

/* What was resolved stays so while it is no alarm. */
static int say(struct tracks *t, size_t row, const char *status, const json_t *finding)
{
    const char *said = json_string_value(json_array_get(t->said, row));
    if (!status && said && strcmp(said, pt_status_name(PT_RESOLVED)) == 0 &&
        !pt_match_alarms(finding))
        return 0;
    return json_array_set_new(t->said, row, status ? json_string(status) : json_null());
}

/* A row that begins with a column. */
static int add_row(struct tracks *t, json_t *finding, size_t column)
{
    const size_t n = json_array_size(t->newest);
    if (n == t->cap) {
        const size_t cap = t->cap ? 2 * t->cap : 256;
        size_t *grown = realloc(t->begin, cap * sizeof(*grown));
        if (!grown)
            return -1;
        t->begin = grown;
        t->cap = cap;
    }
    t->begin[n] = column;
    return json_array_append(t->newest, finding) | json_array_append_new(t->cells, json_array()) |
           json_array_append_new(t->said, json_null());
}

static int put_cell(struct tracks *t, size_t row, size_t column, json_t *finding,
                    const char *status)
{
    json_t *cells = json_array_get(t->cells, row);
    int rc = pt_keyed_add(&t->keyed, finding, row);
    while (t->begin[row] + json_array_size(cells) < column && rc == 0)
        rc = json_array_append_new(cells, json_null());
    rc |= json_array_append_new(cells, cell(finding, status));
    rc |= say(t, row, status, finding);
    return rc | json_array_set(t->newest, row, finding);
}

/* Rows that end with the column before. */
static int end_rows(struct tracks *t, const json_t *column, size_t at)
{
    int rc = 0;
    for (size_t i = 0; at > 0 && i < json_array_size(t->cells); i++) {
        const json_t *newest = json_array_get(t->newest, i);
        if (t->begin[i] + json_array_size(json_array_get(t->cells, i)) == at)
            rc |= say(t, i, became_gone(column, newest), newest);
    }
    return rc;
}

static int add_column(struct tracks *t, const json_t *columns, size_t at)
{
    const json_t *column = json_array_get(columns, at), *findings = pt_tree_at(column, "findings"),
                 *old = at ? pt_tree_at(json_array_get(columns, at - 1), "findings") : NULL;
    const size_t n = json_array_size(findings);
    size_t *pair = calloc(n + 1, sizeof(*pair)), *row = calloc(n + 1, sizeof(*row));
    int rc = pair && row ? pt_match_findings(findings, old, pair) : -1;
    for (size_t i = 0; i < n && rc == 0; i++)
        row[i] = pair[i] == SIZE_MAX ? SIZE_MAX : t->row_of[pair[i]];
    rc = rc == 0 ? match_older(t, findings, row) : rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        json_t *f = json_array_get(findings, i);
        if (row[i] == SIZE_MAX && !pt_match_alarms(f))
            continue;
        if (row[i] == SIZE_MAX) {
            row[i] = json_array_size(t->newest);
            rc = add_row(t, f, at);
        }
        rc = rc == 0 ? put_cell(t, row[i], at, f, became(column, f)) : rc;
    }
    rc |= end_rows(t, column, at);
    free(pair);
    free(t->row_of);
    t->row_of = row;
    return rc;
}

struct rank {
    size_t row, last; /* the newest column it is of */
    bool alarm;       /* it was one there */
};

static int newest_first(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    if (x->alarm != y->alarm)
        return x->alarm ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int by_row(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

/* Rows that there is room for: what goes on rather than what is long gone. NULL: no memory. */
static struct rank *shown_of(const struct tracks *t, size_t *ret_n)
{
    const size_t n = json_array_size(t->newest);
    struct rank *v = calloc(n + 1, sizeof(*v));
    for (size_t i = 0; v && i < n; i++)
        v[i] = (struct rank){i, t->begin[i] + json_array_size(json_array_get(t->cells, i)),
                             pt_match_alarms(json_array_get(t->newest, i))};
    *ret_n = n < FINDINGS ? n : FINDINGS;
    if (v && n > FINDINGS) {
        qsort(v, n, sizeof(*v), newest_first);
        qsort(v, FINDINGS, sizeof(*v), by_row);
    }
    return v;
}

static json_t *row_json(const struct tracks *t, size_t row, size_t ncolumns)
{
    json_t *cells = json_array();
    const json_t *newest = json_array_get(t->newest, row);
    const char *status = json_string_value(json_array_get(t->said, row)),
               *title = pt_tree_str(newest, "title"), *class = pt_tree_str(newest, "class");
    int rc = 0;
    while (json_array_size(cells) < t->begin[row] && rc == 0)
        rc = json_array_append_new(cells, json_null());
    rc = rc == 0 ? json_array_extend(cells, json_array_get(t->cells, row)) : rc;
    while (json_array_size(cells) < ncolumns && rc == 0)
        rc = json_array_append_new(cells, json_null());
    if (rc == 0)
        return json_pack("{s:s, s:O, s:s, s:s?, s:o}", "title", title ? title : "?", "name",
                         json_object_get(newest, "name"), "class", class ? class : "?", "status",
                         status, "cells", cells);
    json_decref(cells);
    return NULL;
}

static json_t *findings_json(const json_t *columns, size_t *ret_omitted)
{
    struct tracks t = {.newest = json_array(), .cells = json_array(), .said = json_array()};
    const size_t n = json_array_size(columns);
    size_t shown = 0;
    json_t *all = json_array();
    int rc = t.newest && t.cells && t.said && all ? 0 : -1;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_column(&t, columns, i);
    struct rank *ranks = rc == 0 ? shown_of(&t, &shown) : NULL;
    for (size_t i = 0; i < shown && ranks && rc == 0; i++)
        rc = json_array_append_new(all, row_json(&t, ranks[i].row, n));
    *ret_omitted = json_array_size(t.newest) - shown;
    const bool ok = ranks && rc == 0;
    free(ranks);
    free(t.begin);
    free(t.row_of);
    pt_keyed_release(&t.keyed);
    json_decref(t.newest);
    json_decref(t.cells);
    json_decref(t.said);
    if (ok)
        return all;
    json_decref(all);
    return NULL;
}

json_t *pt_compare_make(const json_t *columns)
{
    size_t services_omitted = 0, findings_omitted = 0, i;
    const json_t *column;
    json_t *heads = json_array();
    json_array_foreach(columns, i, column)
    {
        json_array_append(heads, json_object_get(column, "head"));
    }
    json_t *findings = findings_json(columns, &findings_omitted);
    json_t *services = services_json(columns, &services_omitted);
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:I}", "columns", heads, "rows", rows_json(columns),
                     "services", services, "services_omitted", (json_int_t)services_omitted,
                     "findings", findings, "findings_omitted", (json_int_t)findings_omitted);
}
