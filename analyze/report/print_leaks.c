/* SPDX-License-Identifier: MIT
 * Leaks: a table of the alarms, the evidence of each, and what grew and is none. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyze/leaks/leaks_print.h"
#include "analyze/report/match.h"
#include "analyze/report/print_int.h"

#define SPARK 10
/* Further than so many times the record nothing is foretold. */
#define FORESIGHT 10.0
#define EVIDENCE  10 /* findings with their evidence */
#define OTHERS    15

static void print_evidence(struct pt_page *p, const json_t *f)
{
    const json_t *e, *m;
    size_t i;
    char text[512], bytes[PT_UNITS_BUF];
    snprintf(text, sizeof(text), "%s: %s", pt_print_str(f, "title"), pt_print_str(f, "class"));
    pt_page_part(p, text);
    json_array_foreach(pt_tree_at(f, "evidence"), i, e)
    {
        const bool passed = json_is_true(pt_tree_at(e, "passed"));
        pt_page_item(p, passed ? '+' : '-', passed ? "for:" : "against:", pt_print_str(e, "text"));
    }
    json_array_foreach(pt_tree_at(f, "mappings"), i, m)
    {
        snprintf(text, sizeof(text), "%s in %s (%s)",
                 pt_print_bytes(m, "growth_bytes", true, bytes), pt_print_str(m, "name"),
                 pt_print_str(m, "class"));
        pt_page_item(p, ' ', "where:", text);
    }
}

/* "1234 redis-server", "nginx.service", "dentry". */
static void who(const json_t *f, char *buf, size_t size)
{
    const json_t *subject = pt_tree_at(f, "subject");
    if (pt_tree_is(subject, "kind", "process"))
        snprintf(buf, size, "%" PRId64 " %s", pt_tree_int(subject, "pid"),
                 pt_print_str(subject, "comm"));
    else if (pt_tree_is(subject, "kind", "service"))
        snprintf(buf, size, "%s", pt_print_str(subject, "service"));
    else
        snprintf(buf, size, "%s", pt_print_str(subject, "name"));
}

static const char *full_in(const json_t *f, double span, char *buf)
{
    const json_t *exhaustion = pt_tree_at(f, "exhaustion");
    const double s = pt_tree_real(exhaustion, "seconds");
    return !isfinite(s)           ? "?"
           : s > FORESIGHT * span ? "> 10x"
                                  : pt_print_seconds(exhaustion, "seconds", buf);
}

static void add_row(struct pt_table *t, const json_t *f, bool of_alarms, double span)
{
    char title[512], verdict[64], buf[PT_UNITS_BUF], shape[4 * PT_SPARK_MAX + 1];
    snprintf(verdict, sizeof(verdict), "%s%s%s", pt_print_str(f, "verdict"), of_alarms ? " " : "",
             of_alarms ? pt_print_str(f, "confidence") : "");
    pt_table_cell(t, verdict);
    who(f, title, sizeof(title));
    pt_table_cell(t, title);
    pt_table_cell(t, pt_class_brief(pt_print_str(f, "class")));
    pt_table_cell(t, pt_print_bytes(f, "growth_bytes", true, buf));
    if (of_alarms) {
        pt_table_cell(t, pt_print_amount(pt_tree_real(f, "slope_bytes_per_hour"), "bytes/h", buf));
        pt_table_cell(t, full_in(f, span, buf));
    }
    pt_print_spark(pt_tree_at(pt_tree_at(f, "picture"), "values"), SPARK, shape);
    pt_table_cell(t, shape);
}

static void print_table(struct pt_page *p, const json_t *doc, bool of_alarms, size_t top)
{
    static const struct pt_column alarm_columns[] = {
        {"VERDICT", false, 11}, {"WHO", false, 13},   {"CLASS", false, 7}, {"GROWTH", true, 0},
        {"AN HOUR", true, 0},   {"FULL IN", true, 0}, {"SHAPE", false, 0}};
    static const struct pt_column columns[] = {{"VERDICT", false, 0},
                                               {"WHO", false, 16},
                                               {"CLASS", false, 7},
                                               {"GROWTH", true, 0},
                                               {"SHAPE", false, 0}};
    const json_t *leaks = pt_tree_at(doc, "leaks"), *f;
    const double span = pt_tree_real(pt_tree_at(doc, "span"), "seconds");
    struct pt_table t;
    size_t i, n = 0;
    pt_table_init(&t, of_alarms ? alarm_columns : columns, of_alarms ? 7 : 5);
    json_array_foreach(pt_tree_at(leaks, "findings"), i, f)
    {
        if (pt_match_alarms(f) == of_alarms && n++ < top)
            add_row(&t, f, of_alarms, span);
    }
    pt_page_table(p, &t);
    const int64_t omitted = pt_tree_int(leaks, of_alarms ? "omitted_alarms" : "omitted_others");
    pt_print_omitted(p, (n > top ? (int64_t)(n - top) : 0) + (omitted > 0 ? omitted : 0), "");
}

void pt_print_leaks(struct pt_page *p, const json_t *doc)
{
    const json_t *leaks = pt_tree_at(doc, "leaks"), *f;
    char a[PT_UNITS_BUF];
    size_t i, told = 0;
    if (!leaks)
        return;
    pt_page_heading(p, "Leaks");
    if (pt_tree_int(leaks, "alarms") == 0)
        pt_page_para(p, "no leak found");
    print_table(p, doc, true, SIZE_MAX);
    const double slope = pt_tree_real(leaks, "available_slope_bytes_per_hour"),
                 explained = pt_tree_real(leaks, "explained_fraction");
    if (isfinite(slope) && isfinite(explained))
        pt_page_para(p,
                     "available memory goes down by %s an hour; the alarms explain %.0f%% of that",
                     pt_print_amount(-slope, "bytes", a), 100 * explained);
    json_array_foreach(pt_tree_at(leaks, "findings"), i, f)
    {
        if (pt_match_alarms(f) && told++ < EVIDENCE)
            print_evidence(p, f);
    }
    if (told > EVIDENCE)
        pt_page_para(p, "the evidence of %zu more is in the report in HTML or JSON",
                     told - EVIDENCE);
    pt_page_heading(p, "Grew or moved, and is not called a leak");
    if (pt_tree_int(leaks, "others") == 0)
        pt_page_para(p, "nothing");
    print_table(p, doc, false, OTHERS);
    pt_page_para(p, "%" PRId64 " stable, %" PRId64 " too short to tell",
                 pt_tree_int(leaks, "stable"), pt_tree_int(leaks, "insufficient"));
}
