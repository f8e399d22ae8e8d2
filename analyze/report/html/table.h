/* SPDX-License-Identifier: MIT
 * Tables of a report: what their columns are stands in const tables; rows are objects of the
 * document. The first column names its row. Narrow screens show a row as a few lines, so each cell
 * carries its column's title; numbers carry their value, so that a script can sort them. */
#ifndef PT_ANALYZE_REPORT_HTML_TABLE_H
#define PT_ANALYZE_REPORT_HTML_TABLE_H

#include "analyze/report/html/put.h"

struct pt_html_column {
    const char *title;
    const char *path; /* of the value in a row, "bytes.delta" */
    enum pt_html_kind kind;
    const char *term;                       /* of the glossary; NULL: none */
    const json_t *(*of)(const json_t *row); /* the value, in the place of path */
    /* What stands in the cell, where it is not the value alone; the value is what it sorts by. */
    void (*put)(const struct pt_html *h, const json_t *row);
};
struct pt_html_table {
    const char *id; /* NULL: it stands there more than once */
    const char *caption;
    const struct pt_html_column *columns;
    unsigned ncolumns;
    bool long_one;  /* to be sorted and filtered */
    unsigned first; /* so many rows at most; 0: all */
    /* Rows whose value there is 0 are counted in one line, which says that of them. NULL: none. */
    const char *zero, *zero_says;
};
/* What was left out of it is told beneath. Nothing at all when there are neither rows nor omitted
 * ones. */
void pt_html_table(const struct pt_html *h, const struct pt_html_table *t, const json_t *rows,
                   const json_t *omitted);

/* Facts about one thing: the columns as names with a value each. */
void pt_html_facts(const struct pt_html *h, const struct pt_html_column *facts, unsigned n,
                   const json_t *of);

#define PT_HTML_COLUMNS(a) .columns = (a), .ncolumns = sizeof(a) / sizeof((a)[0])

#endif
