/* SPDX-License-Identifier: MIT
 * Tables: measure all cells, shrink what may, print. */
#include "analyze/print/table.h"

#include <stdarg.h>
#include <string.h>

#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define CELLS_MAX (64u << 20)
#define GAP       2u

void pt_table_init(struct pt_table *t, const struct pt_column *columns, unsigned ncolumns)
{
    *t = (struct pt_table){.columns = columns, .ncolumns = ncolumns, .indent = ""};
    pt_buf_init(&t->cells, CELLS_MAX);
}

void pt_table_release(struct pt_table *t)
{
    pt_buf_release(&t->cells);
}

void pt_table_cell(struct pt_table *t, const char *text)
{
    pt_buf_put(&t->cells, text, strlen(text) + 1);
    t->ncells++;
}

void pt_table_bytes(struct pt_table *t, int64_t bytes, bool sign)
{
    char text[PT_UNITS_BUF];
    pt_table_cell(t, pt_units_bytes(text, sizeof(text), bytes, sign));
}

void pt_table_cellf(struct pt_table *t, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pt_table_cell(t, text);
}

static void measure(const struct pt_table *t, size_t *widths)
{
    for (unsigned i = 0; i < t->ncolumns; i++)
        widths[i] = t->no_titles ? 0 : strlen(t->columns[i].title);
    const char *cell = (const char *)t->cells.data;
    for (unsigned i = 0; i < t->ncells; i++) {
        const size_t len = strlen(cell), width = pt_text_width(cell, len);
        if (width > widths[i % t->ncolumns])
            widths[i % t->ncolumns] = width;
        cell += len + 1;
    }
}

/* Takes columns off the widest shrinkable one until the line fits, or none can give. */
static void shrink(const struct pt_table *t, size_t *widths)
{
    size_t total = strlen(t->indent) + (size_t)GAP * (t->ncolumns - 1);
    for (unsigned i = 0; i < t->ncolumns; i++)
        total += widths[i];
    while (total > PT_TEXT_WIDTH) {
        unsigned widest = t->ncolumns;
        for (unsigned i = 0; i < t->ncolumns; i++) {
            const unsigned least = t->columns[i].shrink;
            if (least && widths[i] > least && (widest == t->ncolumns || widths[i] > widths[widest]))
                widest = i;
        }
        if (widest == t->ncolumns)
            return;
        widths[widest]--;
        total--;
    }
}

static void pad(struct pt_buf *line, size_t n)
{
    uint8_t *room = pt_buf_room(line, n);
    if (room) {
        memset(room, ' ', n);
        line->len += n;
    }
}

static void put_cell(const struct pt_table *t, struct pt_buf *line, unsigned column, size_t width,
                     const char *cell)
{
    const size_t len = strlen(cell);
    struct pt_buf fitted;
    pt_buf_init(&fitted, CELLS_MAX);
    pt_text_fit(cell, len, width, &fitted);
    const size_t shown = pt_text_width((const char *)fitted.data, fitted.len);
    const size_t left = width > shown ? width - shown : 0;
    if (t->columns[column].right)
        pad(line, left);
    pt_buf_put(line, fitted.data, fitted.len);
    if (!t->columns[column].right && column + 1 < t->ncolumns)
        pad(line, left);
    if (column + 1 < t->ncolumns)
        pad(line, GAP);
    line->failed |= fitted.failed;
    pt_buf_release(&fitted);
}

static void print_line(struct pt_buf *line, FILE *out, bool bold)
{
    while (line->len > 0 && line->data[line->len - 1] == ' ')
        line->len--;
    fprintf(out, bold ? "\033[1m%.*s\033[0m\n" : "%.*s\n", (int)line->len,
            (const char *)line->data);
    pt_buf_reset(line);
}

static int print(const struct pt_table *t, FILE *out, bool bold_titles)
{
    size_t widths[PT_TABLE_COLUMNS];
    struct pt_buf line;
    if (t->cells.failed)
        return -1;
    pt_buf_init(&line, CELLS_MAX);
    measure(t, widths);
    shrink(t, widths);
    if (!t->no_titles) {
        pt_buf_put(&line, t->indent, strlen(t->indent));
        for (unsigned i = 0; i < t->ncolumns; i++)
            put_cell(t, &line, i, widths[i], t->columns[i].title);
        print_line(&line, out, bold_titles);
    }
    const char *cell = (const char *)t->cells.data;
    for (unsigned i = 0; i < t->ncells; i++) {
        if (i % t->ncolumns == 0)
            pt_buf_put(&line, t->indent, strlen(t->indent));
        put_cell(t, &line, i % t->ncolumns, widths[i % t->ncolumns], cell);
        cell += strlen(cell) + 1;
        if (i % t->ncolumns == t->ncolumns - 1)
            print_line(&line, out, false);
    }
    const bool failed = line.failed;
    pt_buf_release(&line);
    return failed ? -1 : 0;
}

int pt_table_end(struct pt_table *t, FILE *out, bool bold_titles)
{
    const int rc = print(t, out, bold_titles);
    pt_table_release(t);
    return rc;
}
