/* SPDX-License-Identifier: MIT
 * Values of a report as HTML. Everything that may come from a recording goes through here: text is
 * made fit to be seen (print/text.h), then escaped so that it stands in an element or in a quoted
 * attribute alike. Units as in the document: bytes, seconds, RFC 3339. */
#ifndef PT_ANALYZE_REPORT_HTML_PUT_H
#define PT_ANALYZE_REPORT_HTML_PUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What a value is, and so how it is written. */
enum pt_html_kind {
    PT_HTML_TEXT = 0,
    PT_HTML_TOLD, /* what is told of an event: amounts come out in units */
    PT_HTML_NAME, /* of what not everything has: a dash where there is none */
    PT_HTML_BYTES,
    PT_HTML_CHANGE, /* bytes with their sign */
    PT_HTML_COUNT,
    PT_HTML_SECONDS,
    PT_HTML_PERCENT, /* 0..100 */
    PT_HTML_SHARE,   /* 0..1, as percent */
    PT_HTML_TIME,
    PT_HTML_LIST, /* texts or numbers, with commas between */
    PT_HTML_SHAPE /* numbers: a small picture */
};

struct pt_html {
    FILE *out;
    int32_t offset_s; /* of the recorded host's clock, east of UTC */
    double span_s;    /* of the report; NAN: not known */
    const json_t *terms;
    bool *told; /* of each term: its meaning stands at a use of it; NULL: at none */
};

/* An amount or an instant as one reads it; "?" when it is null or no such value. */
#define PT_HTML_VALUE 64
const char *pt_html_value(const struct pt_html *h, enum pt_html_kind kind, const json_t *v,
                          char *buf);

void pt_html_raw(const struct pt_html *h, const char *markup);
void pt_html_rawf(const struct pt_html *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pt_html_text(const struct pt_html *h, const char *s, size_t n);
/* At most so many columns of it: what is too long loses its middle. */
void pt_html_fit(const struct pt_html *h, const char *s, size_t columns);
void pt_html_str(const struct pt_html *h, const char *s); /* NULL: "?" */
/* Any value of that kind: "?" when unknown. Times are <time>, shapes are pictures. */
void pt_html_put(const struct pt_html *h, enum pt_html_kind kind, const json_t *v);
/* An amount of a unit as the document names it: "bytes", "percent", "bytes/s", "count", ... */
void pt_html_amount(const struct pt_html *h, const char *unit, const json_t *v);
/* Letters, digits and dashes of s: fit for an id or a class. */
void pt_html_slug(const struct pt_html *h, const char *s);
/* The word, with its meaning on hover and focus where the glossary has one: it stands at the first
 * use, from where scripts take it to the others. name: of the glossary; NULL: the word itself. */
void pt_html_term(const struct pt_html *h, const char *name, const char *word);
/* JSON within <script>: nothing in it ends the element. < 0: no memory. */
int pt_html_json(const struct pt_html *h, const json_t *j);

/* Of an object, "a.b" of an object in it; NULL when there is none. */
const json_t *pt_html_get(const json_t *o, const char *path);
/* "" when it is no string. */
const char *pt_html_get_str(const json_t *o, const char *path);
/* Microseconds since the epoch; PT_UNKNOWN when it is no time. */
int64_t pt_html_us(const json_t *rfc3339);

#endif
