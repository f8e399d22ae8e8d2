/* SPDX-License-Identifier: MIT
 * Values to HTML: escaping, amounts, times, terms. */
#include "analyze/report/html/put.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "analyze/print/text.h"
#include "analyze/print/units.h"
#include "analyze/report/html/svg.h"
#include "schema/frame.h"
#include "schema/timespec.h"

void pt_html_raw(const struct pt_html *h, const char *markup)
{
    fputs(markup, h->out);
}

void pt_html_rawf(const struct pt_html *h, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vfprintf(h->out, format, ap);
    va_end(ap);
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static const char hex[] = "0123456789abcdef";

void pt_html_text(const struct pt_html *h, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        int width;
        const size_t len = pt_text_char(s + i, n - i, &width);
        const char *e = len == 1 ? entity(s[i]) : NULL;
        if (e)
            fputs(e, h->out);
        else if (width >= 0)
            fwrite(s + i, 1, len, h->out);
        else
            for (size_t k = i; k < i + len; k++)
                fprintf(h->out, "\\x%c%c", hex[(unsigned char)s[k] >> 4],
                        hex[(unsigned char)s[k] & 15]);
        i += len;
    }
}

void pt_html_str(const struct pt_html *h, const char *s)
{
    s = s ? s : "?";
    pt_html_text(h, s, strlen(s));
}

void pt_html_fit(const struct pt_html *h, const char *s, size_t columns)
{
    struct pt_buf text;
    pt_buf_init(&text, SIZE_MAX / 2);
    pt_text_fit(s, strlen(s), columns, &text);
    pt_html_text(h, (const char *)text.data, text.len);
    pt_buf_release(&text);
}

const json_t *pt_html_get(const json_t *o, const char *path)
{
    for (const char *dot; o && (dot = strchr(path, '.')); path = dot + 1) {
        char name[64];
        const size_t n = (size_t)(dot - path);
        if (n >= sizeof(name))
            return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        o = json_object_get(o, name);
    }
    return json_object_get(o, path);
}

const char *pt_html_get_str(const json_t *o, const char *path)
{
    const char *s = json_string_value(pt_html_get(o, path));
    return s ? s : "";
}

static int64_t whole(const json_t *v)
{
    if (json_is_integer(v))
        return (int64_t)json_integer_value(v);
    const double d = json_is_real(v) ? json_real_value(v) : NAN;
    return isfinite(d) && fabs(d) < 9e18 ? (int64_t)llround(d) : PT_UNKNOWN;
}

static const char *percent_of(const json_t *v, double times, char *buf)
{
    if (!json_is_number(v))
        return "?";
    const double p = json_number_value(v) * times;
    snprintf(buf, PT_HTML_VALUE, fabs(p) < 1 && p != 0 ? "%.2f%%" : "%.1f%%", p);
    return buf;
}

static const char *duration_of(const json_t *v, char *buf)
{
    const double s = json_is_number(v) ? json_number_value(v) : NAN;
    if (!isfinite(s) || fabs(s) > 9e12)
        return "?";
    return pt_units_duration(buf, PT_HTML_VALUE, pt_units_us(s));
}

const char *pt_html_value(const struct pt_html *h, enum pt_html_kind kind, const json_t *v,
                          char *buf)
{
    switch (kind) {
    case PT_HTML_BYTES:
    case PT_HTML_CHANGE:
        return pt_units_bytes(buf, PT_HTML_VALUE, whole(v), kind == PT_HTML_CHANGE);
    case PT_HTML_COUNT:
        return pt_units_count(buf, PT_HTML_VALUE, whole(v), false);
    case PT_HTML_SECONDS:
        return duration_of(v, buf);
    case PT_HTML_PERCENT:
        return percent_of(v, 1, buf);
    case PT_HTML_SHARE:
        return percent_of(v, 100, buf);
    case PT_HTML_TIME:
        return pt_units_time(buf, PT_HTML_VALUE, pt_html_us(v), h->offset_s);
    default:
        return "?";
    }
}

static void put_list(const struct pt_html *h, const json_t *list)
{
    size_t i;
    const json_t *v;
    json_array_foreach(list, i, v)
    {
        pt_html_raw(h, i ? ", " : "");
        pt_html_put(h, PT_HTML_TEXT, v);
    }
    if (json_array_size(list) == 0)
        pt_html_raw(h, json_is_array(list) ? "\xe2\x80\x93" : "?");
}

static void put_text(const struct pt_html *h, const json_t *v)
{
    char buf[PT_HTML_VALUE];
    if (json_is_string(v))
        pt_html_text(h, json_string_value(v), json_string_length(v));
    else if (json_is_integer(v))
        pt_html_raw(h, pt_html_value(h, PT_HTML_COUNT, v, buf));
    else if (json_is_boolean(v))
        pt_html_raw(h, json_is_true(v) ? "yes" : "no");
    else
        pt_html_raw(h, "?");
}

static void put_told(const struct pt_html *h, const json_t *v)
{
    struct pt_buf text;
    pt_buf_init(&text, SIZE_MAX / 2);
    pt_text_amounts(json_string_value(v), json_string_length(v), &text);
    pt_html_text(h, (const char *)text.data, text.len);
    pt_buf_release(&text);
}

void pt_html_put(const struct pt_html *h, enum pt_html_kind kind, const json_t *v)
{
    char buf[PT_HTML_VALUE];
    if (kind == PT_HTML_NAME && !json_is_string(v)) {
        pt_html_raw(h, "\xe2\x80\x93");
    } else if (kind == PT_HTML_TEXT || kind == PT_HTML_NAME) {
        put_text(h, v);
    } else if (kind == PT_HTML_TOLD && json_is_string(v)) {
        put_told(h, v);
    } else if (kind == PT_HTML_LIST) {
        put_list(h, v);
    } else if (kind == PT_HTML_SHAPE) {
        pt_svg_shape(h, v, PT_SVG_INLINE);
    } else if (kind == PT_HTML_TIME && json_is_string(v)) {
        pt_html_raw(h, "<time datetime=\"");
        put_text(h, v);
        pt_html_rawf(h, "\">%s</time>", pt_html_value(h, kind, v, buf));
    } else {
        pt_html_raw(h, pt_html_value(h, kind, v, buf));
    }
}

void pt_html_amount(const struct pt_html *h, const char *unit, const json_t *v)
{
    static const struct {
        const char *unit, *after;
        enum pt_html_kind kind;
    } kinds[] = {{"bytes", "", PT_HTML_BYTES},     {"percent", "", PT_HTML_PERCENT},
                 {"bytes/s", "/s", PT_HTML_BYTES}, {"bytes/h", "/h", PT_HTML_CHANGE},
                 {"seconds", "", PT_HTML_SECONDS}, {"count", "", PT_HTML_COUNT}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].unit, unit) != 0)
            continue;
        pt_html_put(h, kinds[i].kind, v);
        pt_html_raw(h, json_is_number(v) ? kinds[i].after : "");
        return;
    }
    pt_html_put(h, PT_HTML_TEXT, v);
}

void pt_html_slug(const struct pt_html *h, const char *s)
{
    for (; *s; s++) {
        const bool letter = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');
        const bool capital = *s >= 'A' && *s <= 'Z';
        fputc(letter ? *s : capital ? *s - 'A' + 'a' : '-', h->out);
    }
}

int64_t pt_html_us(const json_t *rfc3339)
{
    const struct pt_timespec_base base = {0};
    struct pt_instant instant;
    struct pt_err err = {0};
    const char *s = json_string_value(rfc3339);
    return s && pt_timespec_parse(s, &base, &instant, &err) == 0 && instant.kind == PT_INSTANT_TIME
               ? instant.value
               : PT_UNKNOWN;
}

void pt_html_term(const struct pt_html *h, const char *name, const char *word)
{
    size_t i;
    const json_t *t = NULL;
    name = name ? name : word;
    json_array_foreach(h->terms, i, t) if (strcmp(pt_html_get_str(t, "term"), name) == 0) break;
    if (i == json_array_size(h->terms)) {
        pt_html_str(h, word);
        return;
    }
    pt_html_raw(h, "<a class=term href=\"#term-");
    pt_html_slug(h, name);
    if (h->told && !h->told[i]) {
        h->told[i] = true;
        pt_html_raw(h, "\" data-tip=\"");
        pt_html_put(h, PT_HTML_TEXT, json_object_get(t, "meaning"));
    }
    pt_html_raw(h, "\">");
    pt_html_str(h, word);
    pt_html_raw(h, "</a>");
}

static int put_json(const char *buffer, size_t size, void *ctx)
{
    const struct pt_html *h = ctx;
    size_t done = 0;
    for (size_t i = 0; i < size; i++) {
        if (buffer[i] != '<' && buffer[i] != '>' && buffer[i] != '&')
            continue;
        fwrite(buffer + done, 1, i - done, h->out);
        fprintf(h->out, "\\u%04x", (unsigned)buffer[i]);
        done = i + 1;
    }
    fwrite(buffer + done, 1, size - done, h->out);
    return 0;
}

/* Outside of its strings JSON has none of the three characters, and in them it may escape any. */
int pt_html_json(const struct pt_html *h, const json_t *j)
{
    enum {
        DIGITS = 6
    }; /* of reals: seconds of three months, in tenths, take more: see the caller */
    return json_dump_callback(j, put_json, (void *)(uintptr_t)h,
                              JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(DIGITS));
}
