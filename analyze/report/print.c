/* SPDX-License-Identifier: MIT
 * A report as text or Markdown: its head, its verdict, and the sections in their order. */
#include "analyze/report/print_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

char *pt_print_bytes(const json_t *object, const char *key, bool sign, char *buf)
{
    return pt_units_bytes(buf, PT_UNITS_BUF, pt_tree_int(object, key), sign);
}

char *pt_print_time(const struct pt_page *p, const json_t *object, const char *key, char *buf)
{
    return pt_units_time(buf, PT_UNITS_BUF, pt_tree_time(object, key), p->offset_s);
}

char *pt_print_seconds(const json_t *object, const char *key, char *buf)
{
    const double s = pt_tree_real(object, key);
    return pt_units_duration(buf, PT_UNITS_BUF, pt_units_us(s));
}

const char *pt_print_str(const json_t *object, const char *key)
{
    const char *s = pt_tree_str(object, key);
    return s ? s : "?";
}

char *pt_print_amount(double v, const char *unit, char *buf)
{
    char text[PT_UNITS_BUF];
    const bool whole = isfinite(v) && fabs(v) < 9e18;
    if (!whole)
        snprintf(buf, PT_UNITS_BUF, "?");
    else if (strcmp(unit, "percent") == 0)
        snprintf(buf, PT_UNITS_BUF, "%.2f%%", v);
    else if (strcmp(unit, "count") == 0)
        snprintf(buf, PT_UNITS_BUF, "%.0f", v);
    else if (strcmp(unit, "seconds") == 0)
        pt_units_duration(buf, PT_UNITS_BUF, pt_units_us(v));
    else
        snprintf(buf, PT_UNITS_BUF, "%s%s",
                 pt_units_bytes(text, sizeof(text), (int64_t)v, strcmp(unit, "bytes/h") == 0),
                 strcmp(unit, "bytes/s") == 0 ? "/s" : "");
    return buf;
}

const char *pt_print_name(const json_t *object, const char *key)
{
    const char *s = pt_tree_str(object, key);
    return s && *s ? s : "?";
}

void pt_print_omitted(struct pt_page *p, int64_t n, const char *what)
{
    if (n > 0)
        pt_page_para(p, "and %" PRId64 " more%s%s", n, *what ? " " : "", what);
}

int64_t pt_print_cut(const json_t *doc, const char *list)
{
    const int64_t n = pt_tree_int(pt_tree_at(doc, "cut"), list);
    return n > 0 ? n : 0;
}

void pt_print_spark(const json_t *values, size_t width, char ret[4 * PT_SPARK_MAX + 1])
{
    const size_t n = json_array_size(values);
    double *v = calloc(n + 1, sizeof(*v));
    *ret = '\0';
    for (size_t i = 0; v && i < n; i++) {
        const json_t *one = json_array_get(values, i);
        v[i] = json_is_number(one) ? json_number_value(one) : (double)NAN;
    }
    if (v)
        pt_page_spark(v, n, width, ret);
    free(v);
}

/* ---- the head ---- */

static void print_head(struct pt_page *p, const json_t *doc)
{
    const json_t *span = pt_tree_at(doc, "span"), *note;
    char title[512], from[PT_UNITS_BUF], to[PT_UNITS_BUF], length[PT_UNITS_BUF];
    size_t i;
    snprintf(title, sizeof(title), "Memory of %s",
             pt_tree_is(doc, "kind", "index")
                 ? pt_print_name(doc, "host")
                 : pt_print_name(pt_tree_at(pt_tree_at(doc, "machine"), "host"), "name"));
    pt_page_title(p, title);
    if (pt_tree_int(span, "snapshots") > 0)
        pt_page_para(p, "%s to %s: %s, %" PRId64 " snapshots", pt_print_time(p, span, "from", from),
                     pt_print_time(p, span, "to", to), pt_print_seconds(span, "seconds", length),
                     pt_tree_int(span, "snapshots"));
    json_array_foreach(pt_tree_at(doc, "notes"), i, note)
    {
        const char *text = json_string_value(note);
        pt_page_item(p, '!', "note:", text ? text : "?");
    }
}

static void print_verdict(struct pt_page *p, const json_t *doc)
{
    static const struct {
        const char *severity, *meaning;
        char mark;
    } marks[] = {{"alarm", "alarm:", '!'},
                 {"warning", "warning:", '?'},
                 {"note", "note:", '-'},
                 {"good", "", '+'}};
    const json_t *v;
    size_t i;
    pt_page_heading(p, "Verdict");
    json_array_foreach(pt_tree_at(doc, "verdict"), i, v)
    {
        const char *status = pt_tree_str(v, "status"), *text = pt_print_str(v, "text");
        size_t k = 0;
        while (k + 1 < sizeof(marks) / sizeof(*marks) &&
               !pt_tree_is(v, "severity", marks[k].severity))
            k++;
        char *all = NULL;
        if (asprintf(&all, "%s%s%s", status ? status : "", status ? ": " : "", text) < 0) {
            p->failed = true;
            return;
        }
        pt_page_item(p, marks[k].mark, marks[k].meaning, all);
        free(all);
    }
}

typedef void print_fn(struct pt_page *p, const json_t *doc);

static int print(const json_t *doc, FILE *out, bool markdown)
{
    static print_fn *const sections[] = {
        print_verdict,   pt_print_against,   pt_print_compare, pt_print_machine, pt_print_leaks,
        pt_print_growth, pt_print_memory,    pt_print_swap,    pt_print_kernel,  pt_print_oom,
        pt_print_events, pt_print_processes, pt_print_cost,    pt_print_glossary};
    const int64_t offset = pt_tree_int(doc, "utc_offset_seconds");
    struct pt_page p = {.out = out,
                        .markdown = markdown,
                        .offset_s = offset > -86400 && offset < 86400 ? (int32_t)offset : 0};
    print_head(&p, doc);
    if (pt_tree_is(doc, "kind", "index")) {
        pt_print_compare(&p, doc);
    } else {
        for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
            sections[i](&p, doc);
    }
    pt_page_end(&p);
    return p.failed || ferror(out) ? -1 : 0;
}

int pt_report_text(const json_t *doc, FILE *out)
{
    return print(doc, out, false);
}

int pt_report_markdown(const json_t *doc, FILE *out)
{
    return print(doc, out, true);
}
