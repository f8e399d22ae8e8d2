/* SPDX-License-Identifier: MIT
 * Text and Markdown of a page. */
#include "analyze/report/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyze/print/text.h"

#define LABEL 12 /* columns */

/* ---- escaping ---- */

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool starts(const char *s, size_t n, const char *with)
{
    return strlen(with) <= n && strncasecmp(s, with, strlen(with)) == 0;
}

/* ":name:", of which pictures are made; ":05:" is of a time. */
static bool names_picture(const char *s, size_t n)
{
    size_t i;
    bool word = false;
    for (i = 1; i < n && (alnum(s[i]) || memchr("+-_", s[i], 3)); i++)
        word |= s[i] < '0' || s[i] > '9';
    return i < n && s[i] == ':' && i > 1 && (word || i > 3);
}

/* Whether at s[i] something begins, or goes on, that pages of tickets make a link of, or call
 * somebody by: addresses, "@name", "#123" and the like. They look for it in the text that is shown,
 * so that escapes do not help. */
static bool links(const char *s, size_t n, size_t i)
{
    const char *rest = s + i;
    const size_t left = n - i;
    switch (s[i]) {
    case '@':
        return true;
    case ':':
        return starts(rest, left, "://") || names_picture(rest, left);
    case '.':
        return i >= 3 && starts(rest - 3, 3, "www");
    case '-':
        return i >= 2 && left > 1 && starts(rest - 2, 2, "gh") && alnum(rest[1]);
    case '#':
    case '!':
    case '$':
    case '%':
    case '&':
    case '~':
    case '^':
        return left > 1 && (alnum(rest[1]) || rest[1] == '"');
    default:
        return false;
    }
}

/* What Markdown, and the HTML that passes through it, would take for more than text. */
static void put_markdown(struct pt_buf *out, const char *s, size_t n)
{
    static const char special[] = "\\`*_[]|~#$";
    for (size_t i = 0; i < n; i++) {
        const char c = s[i];
        const bool apart = links(s, n, i); /* an element of its own: its text joins no other */
        if (apart)
            pt_buf_put(out, "<span>", 6);
        if (c == '<')
            pt_buf_put(out, "&lt;", 4);
        else if (c == '>')
            pt_buf_put(out, "&gt;", 4);
        else if (c == '&')
            pt_buf_put(out, "&amp;", 5);
        else {
            if (memchr(special, c, sizeof(special) - 1))
                pt_buf_u8(out, '\\');
            pt_buf_u8(out, (uint8_t)c);
        }
        if (apart)
            pt_buf_put(out, "</span>", 7);
    }
}

static void escape(const struct pt_page *p, const char *s, struct pt_buf *out)
{
    if (!p->markdown) {
        pt_text_escape(s, strlen(s), out);
        return;
    }
    struct pt_buf plain;
    pt_buf_init(&plain, SIZE_MAX / 2);
    pt_text_escape(s, strlen(s), &plain);
    put_markdown(out, (const char *)plain.data, plain.len);
    out->failed |= plain.failed;
    pt_buf_release(&plain);
}

/* Prints s, escaped; as text in lines, the first of which goes on at column `indent`. */
static void put(struct pt_page *p, const char *s, size_t indent)
{
    struct pt_buf out;
    pt_buf_init(&out, SIZE_MAX / 2);
    if (p->markdown)
        escape(p, s, &out);
    else
        pt_text_wrap(s, strlen(s), indent, PT_TEXT_WIDTH, &out);
    p->failed |= out.failed;
    fwrite(out.data ? (const char *)out.data : "", 1, out.len, p->out);
    pt_buf_release(&out);
}

/* ---- blocks ---- */

/* What stands between one block and the next. */
static void next(struct pt_page *p, enum pt_page_block block)
{
    const bool list_ends = p->block == PT_PAGE_ITEM && block != PT_PAGE_ITEM;
    const bool tables = p->block == PT_PAGE_TABLE && block == PT_PAGE_TABLE && !p->markdown;
    if (list_ends || tables)
        fputc('\n', p->out);
    p->block = block;
}

static void heading(struct pt_page *p, const char *text, const char *mark, char line)
{
    next(p, PT_PAGE_OTHER);
    if (p->markdown) {
        fprintf(p->out, "%s ", mark);
        put(p, text, 0);
        fputs("\n\n", p->out);
        return;
    }
    put(p, text, 0);
    fputc('\n', p->out);
    const size_t width = line ? pt_text_width(text, strlen(text)) : 0;
    for (size_t i = 0; i < width && i < PT_TEXT_WIDTH; i++)
        fputc(line, p->out);
    fputs(line ? "\n" : "", p->out);
}

void pt_page_title(struct pt_page *p, const char *text)
{
    heading(p, text, "#", '=');
}

/* Markdown's blocks end with a blank line themselves. */
static void blank(struct pt_page *p)
{
    if (p->markdown)
        return;
    p->block = PT_PAGE_OTHER;
    fputc('\n', p->out);
}

void pt_page_heading(struct pt_page *p, const char *text)
{
    blank(p);
    heading(p, text, "##", '-');
}

void pt_page_part(struct pt_page *p, const char *text)
{
    blank(p);
    heading(p, text, "###", '\0');
}

void pt_page_para(struct pt_page *p, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    const int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    p->failed |= n < 0;
    if (n < 0)
        return;
    next(p, PT_PAGE_OTHER);
    put(p, text, 0);
    fputs(p->markdown ? "\n\n" : "\n", p->out);
    free(text);
}

void pt_page_item(struct pt_page *p, char mark, const char *meaning, const char *text)
{
    next(p, PT_PAGE_ITEM);
    if (p->markdown)
        fprintf(p->out, *meaning ? "- **%s** " : "- %s", meaning);
    else
        fprintf(p->out, "  %c ", mark);
    put(p, text, 4);
    fputc('\n', p->out);
}

void pt_page_pair(struct pt_page *p, const char *label, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    const int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    p->failed |= n < 0;
    if (n < 0)
        return;
    next(p, PT_PAGE_ITEM);
    if (p->markdown && *label)
        fprintf(p->out, "- **%s** ", label);
    else if (p->markdown)
        fputs("- ", p->out);
    else
        fprintf(p->out, "%-*s ", LABEL, label);
    put(p, text, LABEL + 1);
    fputc('\n', p->out);
    free(text);
}

/* ---- tables ---- */

static void markdown_row(struct pt_page *p, const char *const *cells, unsigned n)
{
    fputc('|', p->out);
    for (unsigned i = 0; i < n; i++) {
        fputc(' ', p->out);
        put(p, cells[i], 0);
        fputs(" |", p->out);
    }
    fputc('\n', p->out);
}

static void markdown_table(struct pt_page *p, const struct pt_table *t)
{
    const char *cells[PT_TABLE_COLUMNS];
    const char *cell = t->cells.data ? (const char *)t->cells.data : "";
    for (unsigned i = 0; i < t->ncolumns; i++)
        cells[i] = t->columns[i].title;
    markdown_row(p, cells, t->ncolumns);
    fputc('|', p->out);
    for (unsigned i = 0; i < t->ncolumns; i++)
        fputs(t->columns[i].right ? " ---: |" : " --- |", p->out);
    fputc('\n', p->out);
    for (unsigned i = 0; i < t->ncells; i++) {
        cells[i % t->ncolumns] = cell;
        cell += strlen(cell) + 1;
        if (i % t->ncolumns == t->ncolumns - 1)
            markdown_row(p, cells, t->ncolumns);
    }
    fputc('\n', p->out);
}

void pt_page_table(struct pt_page *p, struct pt_table *t)
{
    if (t->ncells)
        next(p, PT_PAGE_TABLE);
    p->failed |= t->cells.failed;
    if (t->ncells && p->markdown)
        markdown_table(p, t);
    else if (t->ncells)
        p->failed |= pt_table_end(t, p->out, false) < 0;
    pt_table_release(t);
}

void pt_page_end(struct pt_page *p)
{
    next(p, PT_PAGE_OTHER);
}

/* ---- small pictures ---- */

/* The mean of what is known of a character's share of the values. */
static double share(const double *values, size_t n, size_t width, size_t i)
{
    double sum = 0;
    size_t known = 0;
    for (size_t k = i * n / width; k < (i + 1) * n / width; k++) {
        if (isnan(values[k]))
            continue;
        sum += values[k];
        known++;
    }
    return known ? sum / (double)known : (double)NAN;
}

void pt_page_spark(const double *values, size_t n, size_t width, char ret[4 * PT_SPARK_MAX + 1])
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double v[PT_SPARK_MAX], low = INFINITY, high = -INFINITY;
    width = width < PT_SPARK_MAX ? width : PT_SPARK_MAX;
    width = width < n ? width : n;
    for (size_t i = 0; i < width; i++) {
        v[i] = share(values, n, width, i);
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    for (size_t i = 0; i < width; i++) {
        const int level =
            high > low && !isnan(v[i]) ? (int)((v[i] - low) / (high - low) * 7.999) : 0;
        const char *c = isnan(v[i]) ? " " : blocks[level];
        memcpy(ret, c, strlen(c));
        ret += strlen(c);
    }
    *ret = '\0';
}
