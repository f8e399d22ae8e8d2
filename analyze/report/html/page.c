/* SPDX-License-Identifier: MIT
 * A report as one HTML file that needs nothing else: the page around the sections. Its policy
 * allows the embedded style sheet and scripts by their hashes and nothing more; data for charts is
 * JSON in an element that is not run. */
#include "analyze/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report/html/assets.h"
#include "analyze/report/html/sections.h"

static const struct section {
    const char *id, *key, *title;
    pt_html_section_fn *put;
    const char *none; /* said in its place when the document has nothing of it; NULL: no section */
} sections[] = {
    {"against", "against", "Since the earlier report", pt_html_against, NULL},
    {"compare", "compare", "Span by span", pt_html_compare, NULL},
    {"machine", "machine", "The machine", pt_html_machine, NULL},
    {"leaks", "leaks", "Leaks", pt_html_leaks, "The span is too short to look for leaks."},
    {"growth", "growth", "Who grew", pt_html_growth, "There are not two snapshots to compare."},
    {"memory", "charts", "Memory over time", pt_html_memory, NULL},
    {"swap", "swap", "Swap", pt_html_swap, NULL},
    {"kernel", "kernel", "Kernel memory", pt_html_kernel, NULL},
    {"oom", "oom", "OOM kills", pt_html_oom, NULL},
    {"events", "events", "Events", pt_html_events, NULL},
    {"processes", "processes", "Processes", pt_html_processes, NULL},
    {"cost", "machine", "What recording cost", pt_html_cost, NULL},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* NULL: there is nothing of it. */
static const json_t *part_of(const json_t *doc, const struct section *s)
{
    const json_t *part = json_object_get(doc, s->key);
    return json_object_size(part) > 0 || json_array_size(part) > 0 ? part : NULL;
}

static void put_asset(const struct pt_html *h, const char *open, const struct pt_asset *a,
                      const char *close)
{
    if (a->size == 0)
        return;
    pt_html_raw(h, open);
    fwrite(a->data, 1, a->size, h->out);
    pt_html_raw(h, close);
}

static void put_head(const struct pt_html *h, const char *title)
{
    pt_html_raw(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    pt_html_rawf(h, "style-src '%s'; script-src '%s'", pt_asset_style.hash, pt_asset_script.hash);
    if (pt_asset_charts.size > 0)
        pt_html_rawf(h, " '%s'", pt_asset_charts.hash);
    pt_html_raw(h, "; base-uri 'none'; form-action 'none'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    pt_html_str(h, title);
    pt_html_raw(h, "</title>\n");
    put_asset(h, "<style>", &pt_asset_style, "</style>\n");
    pt_html_raw(h, "</head>\n");
}

/* ---- what is read first ---- */

static void put_title(const struct pt_html *h, const json_t *doc)
{
    const char *host = pt_html_get_str(doc, "machine.host.name");
    host = *host ? host : pt_html_get_str(doc, "host");
    pt_html_raw(h, "<header class=\"top\">\n<p class=\"kind\">Memory report</p>\n<h1>");
    pt_html_str(h, *host ? host : pt_html_get_str(doc, "database"));
    pt_html_raw(h, "</h1>\n<p class=\"span\">");
    if (json_is_string(pt_html_get(doc, "span.from"))) {
        pt_html_put(h, PT_HTML_TIME, pt_html_get(doc, "span.from"));
        pt_html_raw(h, " to ");
        pt_html_put(h, PT_HTML_TIME, pt_html_get(doc, "span.to"));
        pt_html_raw(h, ", ");
        pt_html_put(h, PT_HTML_SECONDS, pt_html_get(doc, "span.seconds"));
    }
    pt_html_raw(h, "</p>\n</header>\n");
}

static void put_notes(const struct pt_html *h, const json_t *notes)
{
    size_t i;
    const json_t *note;
    if (json_array_size(notes) == 0)
        return;
    pt_html_raw(h, "<section class=\"notes\" aria-label=\"To be known first\">\n<ul>\n");
    json_array_foreach(notes, i, note)
    {
        pt_html_raw(h, "<li>");
        pt_html_put(h, PT_HTML_TEXT, note);
        pt_html_raw(h, "</li>\n");
    }
    pt_html_raw(h, "</ul>\n</section>\n");
}

static void put_sentence(const struct pt_html *h, const json_t *v)
{
    const char *id = pt_html_get_str(v, "finding"), *section = pt_html_get_str(v, "section");
    pt_html_raw(h, "<li class=\"severity-");
    pt_html_slug(h, pt_html_get_str(v, "severity"));
    pt_html_raw(h, "\"><span class=\"severity\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(v, "severity"));
    pt_html_raw(h, "</span> ");
    const bool own = *id && strcmp(section, "leaks") == 0; /* it has a place of its own */
    const bool gone = strcmp(pt_html_get_str(v, "status"), "resolved") == 0;
    pt_html_raw(h, own ? "<a href=\"#finding-" : "<a href=\"#");
    pt_html_slug(h, own ? id : gone ? "against" : section);
    pt_html_raw(h, "\">");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(v, "text"));
    pt_html_raw(h, "</a><span>");
    pt_html_status(h, pt_html_get(v, "status"));
    pt_html_raw(h, "</span></li>\n");
}

static void put_verdict(const struct pt_html *h, const json_t *verdict)
{
    size_t i;
    const json_t *v;
    if (json_array_size(verdict) == 0)
        return;
    pt_html_raw(h, "<section id=\"verdict\">\n<h2>Verdict</h2>\n<ol>\n");
    json_array_foreach(verdict, i, v) put_sentence(h, v);
    pt_html_raw(h, "</ol>\n</section>\n");
}

static void put_nav(const struct pt_html *h, const json_t *doc)
{
    pt_html_raw(h, "<nav aria-label=\"Sections\"><ul>\n");
    if (json_array_size(json_object_get(doc, "verdict")) > 0)
        pt_html_raw(h, "<li><a href=\"#verdict\">Verdict</a></li>\n");
    for (size_t i = 0; i < SECTIONS; i++)
        if (part_of(doc, &sections[i]))
            pt_html_rawf(h, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id, sections[i].title);
    if (json_array_size(h->terms) > 0)
        pt_html_raw(h, "<li><a href=\"#glossary\">Glossary</a></li>\n");
    pt_html_raw(h, "</ul></nav>\n");
}

/* ---- the rest ---- */

/* What is said of a section that could not be made. */
static const json_t *left_out(const json_t *doc, const char *key)
{
    size_t i;
    const json_t *one;
    json_array_foreach(pt_html_get(doc, "left_out"), i, one)
    {
        if (strcmp(pt_html_get_str(one, "section"), key) == 0)
            return pt_html_get(one, "text");
    }
    return NULL;
}

static void put_why(const struct pt_html *h, const json_t *why)
{
    pt_html_raw(h, "<p>");
    pt_html_put(h, PT_HTML_TEXT, why);
    pt_html_raw(h, "</p>\n");
}

static void put_sections(const struct pt_html *h, const json_t *doc)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct section *s = &sections[i];
        const json_t *part = part_of(doc, s), *why = part ? NULL : left_out(doc, s->key);
        /* a document of another kind does not have the key at all */
        if (!part && !why && !(s->none && json_object_get(doc, s->key)))
            continue;
        pt_html_rawf(h, "<section id=\"%s\" aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s</h2>\n",
                     s->id, s->id, s->id, s->title);
        if (part)
            s->put(h, part, doc);
        else if (why)
            put_why(h, why);
        else
            pt_html_rawf(h, "<p>%s</p>\n", s->none);
        pt_html_raw(h, "</section>\n");
    }
}

static void put_glossary(const struct pt_html *h)
{
    size_t i;
    const json_t *t;
    if (json_array_size(h->terms) == 0)
        return;
    pt_html_raw(h, "<section id=\"glossary\" aria-labelledby=\"h-glossary\">\n"
                   "<h2 id=\"h-glossary\">Glossary</h2>\n<dl class=\"glossary\">\n");
    json_array_foreach(h->terms, i, t)
    {
        pt_html_raw(h, "<div id=\"term-");
        pt_html_slug(h, pt_html_get_str(t, "term"));
        pt_html_raw(h, "\"><dt>");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(t, "title"));
        pt_html_raw(h, "</dt><dd>");
        pt_html_put(h, PT_HTML_TEXT, pt_html_get(t, "meaning"));
        if (json_is_string(pt_html_get(t, "field"))) {
            pt_html_raw(h, " <code>");
            pt_html_put(h, PT_HTML_TEXT, pt_html_get(t, "field"));
            pt_html_raw(h, "</code>");
        }
        pt_html_raw(h, "</dd></div>\n");
    }
    pt_html_raw(h, "</dl>\n</section>\n");
}

static void put_footer(const struct pt_html *h, const json_t *doc)
{
    pt_html_raw(h, "<footer>\n<p>Made by ");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(doc, "program"));
    pt_html_raw(h, " of <code>");
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(doc, "database"));
    pt_html_raw(h, "</code>. Times are the recorded machine's; sizes are in powers of 1024; "
                   "<b>?</b> is what is not known. The file holds everything it shows and asks "
                   "nothing of any network.</p>\n");
    if (pt_asset_charts.size > 0) {
        pt_html_raw(h, "<details><summary>Licence of the charts (dygraphs)</summary>\n<pre>");
        for (size_t i = 0, line = 0; i < pt_asset_charts_licence.size; i++) {
            if (pt_asset_charts_licence.data[i] != '\n')
                continue;
            pt_html_text(h, (const char *)pt_asset_charts_licence.data + line, i - line);
            pt_html_raw(h, "\n");
            line = i + 1;
        }
        pt_html_raw(h, "</pre>\n</details>\n");
    }
    pt_html_raw(h, "</footer>\n");
}

int pt_report_html(const json_t *doc, FILE *out)
{
    const struct pt_html h = {
        .out = out,
        .offset_s = (int32_t)json_integer_value(json_object_get(doc, "utc_offset_seconds")),
        .span_s = json_is_number(pt_html_get(doc, "span.seconds"))
                      ? json_number_value(pt_html_get(doc, "span.seconds"))
                      : (double)NAN,
        .terms = json_object_get(doc, "glossary"),
        .told = calloc(json_array_size(json_object_get(doc, "glossary")) + 1, sizeof(bool))};
    const char *host = pt_html_get_str(doc, "machine.host.name");
    char title[128];
    host = *host ? host : pt_html_get_str(doc, "host");
    snprintf(title, sizeof(title), "Memory report: %s", *host ? host : "?");
    put_head(&h, title);
    pt_html_raw(&h, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n");
    put_title(&h, doc);
    put_nav(&h, doc);
    pt_html_raw(&h, "<main id=\"main\">\n");
    put_notes(&h, json_object_get(doc, "notes"));
    put_verdict(&h, json_object_get(doc, "verdict"));
    put_sections(&h, doc);
    put_glossary(&h);
    pt_html_raw(&h, "</main>\n");
    put_footer(&h, doc);
    put_asset(&h, "<script>", &pt_asset_charts, "</script>\n");
    put_asset(&h, "<script>", &pt_asset_script, "</script>\n");
    pt_html_raw(&h, "</body>\n</html>\n");
    free(h.told);
    return ferror(out) ? -1 : 0;
}
