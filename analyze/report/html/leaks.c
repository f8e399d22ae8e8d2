/* SPDX-License-Identifier: MIT
 * Findings: alarms one by one, each with its picture and evidence; what grew and is no leak as a
 * table. */
#include <stdint.h>
#include <string.h>

#include "analyze/report/html/sections.h"
#include "analyze/report/match.h"
#include "analyze/report/html/svg.h"

void pt_html_status(const struct pt_html *h, const json_t *status)
{
    if (!json_is_string(status))
        return;
    pt_html_raw(h, " <span class=\"badge status-");
    pt_html_slug(h, json_string_value(status));
    pt_html_raw(h, "\">");
    pt_html_term(h, NULL, json_string_value(status));
    pt_html_raw(h, "</span>");
}

void pt_html_verdict_badge(const struct pt_html *h, const json_t *verdict)
{
    const char *name = json_is_string(verdict) ? json_string_value(verdict) : NULL;
    if (!name)
        return;
    pt_html_rawf(h, "<span class=\"badge %s\">", pt_match_alarming(name) ? "alarm" : "calm");
    pt_html_term(h, name, name);
    pt_html_raw(h, "</span>");
}

/* ---- one finding ---- */

/* Further than so many times the record nothing is foretold. */
#define FORESIGHT 10.0

static void put_an_hour(const struct pt_html *h, const json_t *f)
{
    char rate[PT_HTML_VALUE], low[PT_HTML_VALUE], high[PT_HTML_VALUE];
    pt_html_rawf(h, "%s an hour <span class=\"quiet\">(%s to %s)</span>",
                 pt_html_value(h, PT_HTML_CHANGE, pt_html_get(f, "slope_bytes_per_hour"), rate),
                 pt_html_value(h, PT_HTML_BYTES, pt_html_get(f, "slope_low"), low),
                 pt_html_value(h, PT_HTML_BYTES, pt_html_get(f, "slope_high"), high));
}

static void put_full(const struct pt_html *h, const json_t *f)
{
    char when[PT_HTML_VALUE], low[PT_HTML_VALUE], high[PT_HTML_VALUE];
    const json_t *e = pt_html_get(f, "exhaustion");
    if (!json_is_number(pt_html_get(e, "seconds"))) {
        pt_html_raw(h, "not foreseen");
        return;
    }
    if (json_number_value(pt_html_get(e, "seconds")) > FORESIGHT * h->span_s) {
        pt_html_rawf(h, "beyond %.0f times this record", FORESIGHT);
        return;
    }
    pt_html_str(h, json_string_value(pt_html_get(e, "limit")));
    pt_html_rawf(h, " full in %s",
                 pt_html_value(h, PT_HTML_SECONDS, pt_html_get(e, "seconds"), when));
    if (json_is_number(pt_html_get(e, "low")) && json_is_number(pt_html_get(e, "high")))
        pt_html_rawf(h, " <span class=\"quiet\">(%s to %s)</span>",
                     pt_html_value(h, PT_HTML_SECONDS, pt_html_get(e, "low"), low),
                     pt_html_value(h, PT_HTML_SECONDS, pt_html_get(e, "high"), high));
}

static void put_class(const struct pt_html *h, const json_t *f)
{
    const char *name = pt_html_get_str(f, "class");
    pt_html_term(h, name, name);
}

static const struct pt_html_column facts[] = {
    {.title = "grew by", .path = "growth_bytes", .kind = PT_HTML_CHANGE},
    {.title = "rate", .path = "slope_bytes_per_hour", .put = put_an_hour},
    {.title = "since", .path = "since", .kind = PT_HTML_TIME},
    {.title = "kind of memory", .path = "class", .put = put_class},
    {.title = "until full", .path = "exhaustion.seconds", .put = put_full},
};

static void put_picture(const struct pt_html *h, const json_t *picture)
{
    char low[PT_HTML_VALUE], high[PT_HTML_VALUE];
    const json_t *values = pt_html_get(picture, "values");
    const json_t *least = NULL, *most = NULL, *v;
    size_t i;
    json_array_foreach(values, i, v)
    {
        if (!json_is_number(v))
            continue;
        least = !least || json_number_value(v) < json_number_value(least) ? v : least;
        most = !most || json_number_value(v) > json_number_value(most) ? v : most;
    }
    if (!least)
        return;
    pt_html_rawf(h,
                 "<figure class=\"picture\"><div class=\"plot\"><span class=\"high\">%s</span>"
                 "<span class=\"low\">%s</span>",
                 pt_html_value(h, PT_HTML_BYTES, most, high),
                 pt_html_value(h, PT_HTML_BYTES, least, low));
    pt_svg_shape(h, values, PT_SVG_FIGURE);
    pt_html_raw(h, "</div><figcaption>");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(picture, "from"));
    pt_html_raw(h, " <span>to</span> ");
    pt_html_put(h, PT_HTML_TIME, pt_html_get(picture, "to"));
    pt_html_raw(h, "</figcaption></figure>\n");
}

static void put_evidence(const struct pt_html *h, const json_t *evidence)
{
    size_t i;
    const json_t *e;
    if (json_array_size(evidence) == 0)
        return;
    pt_html_raw(h, "<ul class=\"evidence\">\n");
    json_array_foreach(evidence, i, e)
    {
        pt_html_raw(h, json_is_true(pt_html_get(e, "passed")) ? "<li class=for>" : "<li>");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(e, "text"));
        pt_html_raw(h, "\n");
    }
    pt_html_raw(h, "</ul>\n");
}

static void put_mappings(const struct pt_html *h, const json_t *mappings)
{
    size_t i;
    const json_t *m;
    char bytes[PT_HTML_VALUE];
    if (json_array_size(mappings) == 0)
        return;
    pt_html_raw(h, "<p class=\"where\">");
    json_array_foreach(mappings, i, m)
    {
        pt_html_rawf(h, "%s<b>%s</b> in <code>", i ? "; " : "",
                     pt_html_value(h, PT_HTML_CHANGE, pt_html_get(m, "growth_bytes"), bytes));
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(m, "name"));
        pt_html_raw(h, "</code> (");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(m, "class"));
        if (json_integer_value(pt_html_get(m, "count")) > 1)
            pt_html_rawf(h, ", %" JSON_INTEGER_FORMAT " mappings",
                         json_integer_value(pt_html_get(m, "count")));
        pt_html_raw(h, ")");
    }
    pt_html_raw(h, "</p>\n");
}

static void put_finding(const struct pt_html *h, const json_t *f)
{
    pt_html_raw(h, "<article class=\"finding\" id=\"finding-");
    pt_html_slug(h, pt_html_get_str(f, "id"));
    pt_html_raw(h, "\">\n<h3>");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(f, "title"));
    pt_html_raw(h, "</h3>\n<p class=\"badges\">");
    pt_html_verdict_badge(h, pt_html_get(f, "verdict"));
    pt_html_raw(h, " <span class=\"badge calm\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(f, "confidence"));
    pt_html_raw(h, " ");
    pt_html_term(h, "confidence", "confidence");
    pt_html_raw(h, "</span>");
    pt_html_status(h, pt_html_get(f, "status"));
    pt_html_raw(h, "</p>\n<p class=\"sentence\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(f, "sentence"));
    pt_html_raw(h, "</p>\n<div class=\"beside\">\n<div>");
    put_picture(h, pt_html_get(f, "picture"));
    pt_html_facts(h, facts, sizeof(facts) / sizeof(facts[0]), f);
    pt_html_raw(h, "</div>\n<div>");
    put_mappings(h, pt_html_get(f, "mappings"));
    pt_html_raw(h, "<details open><summary>Evidence</summary>\n");
    put_evidence(h, pt_html_get(f, "evidence"));
    pt_html_raw(h, "</details>\n</div>\n</article>\n");
}

/* ---- those that are no alarm ---- */

static void put_who(const struct pt_html *h, const json_t *f)
{
    pt_html_raw(h, "<span id=\"finding-");
    pt_html_slug(h, pt_html_get_str(f, "id"));
    pt_html_raw(h, "\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(f, "title"));
    pt_html_raw(h, "</span>");
    pt_html_status(h, pt_html_get(f, "status"));
}

static void put_verdict(const struct pt_html *h, const json_t *f)
{
    pt_html_verdict_badge(h, pt_html_get(f, "verdict"));
}

static const struct pt_html_column other_columns[] = {
    {.title = "Who", .path = "title", .put = put_who},
    {.title = "Verdict", .path = "verdict", .put = put_verdict},
    {.title = "Kind of memory", .path = "class", .put = put_class},
    {.title = "Grew by", .path = "growth_bytes", .kind = PT_HTML_CHANGE},
    {.title = "Shape", .path = "picture.values", .kind = PT_HTML_SHAPE},
    {.title = "Why", .path = "sentence"},
};
static const struct pt_html_table others = {.id = "others",
                                            .caption = "Grew or moved, and is not called a leak",
                                            PT_HTML_COLUMNS(other_columns)};

static void put_summary(const struct pt_html *h, const json_t *leaks)
{
    char buf[PT_HTML_VALUE];
    pt_html_rawf(h,
                 "<p>%" JSON_INTEGER_FORMAT " series were looked at: %" JSON_INTEGER_FORMAT
                 " stable, %" JSON_INTEGER_FORMAT " too short to tell.",
                 json_integer_value(pt_html_get(leaks, "series")),
                 json_integer_value(pt_html_get(leaks, "stable")),
                 json_integer_value(pt_html_get(leaks, "insufficient")));
    const json_t *slope = pt_html_get(leaks, "available_slope_bytes_per_hour");
    if (json_is_number(slope)) {
        pt_html_raw(h, " Available memory ");
        pt_html_rawf(h, "changed by %s an hour", pt_html_value(h, PT_HTML_CHANGE, slope, buf));
        const json_t *part = pt_html_get(leaks, "explained_fraction");
        if (json_is_number(part))
            pt_html_rawf(h, "; the alarms explain %s of that",
                         pt_html_value(h, PT_HTML_SHARE, part, buf));
        pt_html_raw(h, ".");
    }
    if (json_is_false(pt_html_get(leaks, "smaps")))
        pt_html_raw(h, " No mappings were read: which kind of memory grew is not known.");
    pt_html_raw(h, "</p>\n");
}

void pt_html_leaks(const struct pt_html *h, const json_t *leaks, const json_t *doc)
{
    size_t i;
    const json_t *f;
    (void)doc;
    put_summary(h, leaks);
    json_t *rest = json_array();
    json_array_foreach(pt_html_get(leaks, "findings"), i, f)
    {
        if (pt_match_alarming(pt_html_get_str(f, "verdict")))
            put_finding(h, f);
        else
            json_array_append(rest, (json_t *)(uintptr_t)f);
    }
    if (json_integer_value(pt_html_get(leaks, "omitted_alarms")) > 0)
        pt_html_rawf(h,
                     "<p class=\"cut\">%" JSON_INTEGER_FORMAT
                     " more alarms are not listed; a larger <code>--top</code> lists them</p>\n",
                     json_integer_value(pt_html_get(leaks, "omitted_alarms")));
    pt_html_table(h, &others, rest, pt_html_get(leaks, "omitted_others"));
    json_decref(rest);
}
