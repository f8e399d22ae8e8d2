/* SPDX-License-Identifier: MIT
 * Text tables of at most 80 columns: cells are measured as shown, the flexible columns give way to
 * what is too wide. Units: terminal columns. */
#ifndef PT_ANALYZE_PRINT_TABLE_H
#define PT_ANALYZE_PRINT_TABLE_H

#include <stdio.h>

#include "schema/wire.h"

#define PT_TABLE_COLUMNS 12

struct pt_column {
    const char *title;
    bool right;      /* aligned to the right */
    unsigned shrink; /* > 0: may shrink down to this width, its middle lost */
};
struct pt_table {
    const struct pt_column *columns;
    unsigned ncolumns;
    struct pt_buf cells; /* all cells, NUL-terminated, not yet escaped */
    unsigned ncells;
    bool no_titles;
    const char *indent;
};
void pt_table_init(struct pt_table *t, const struct pt_column *columns, unsigned ncolumns);
void pt_table_release(struct pt_table *t); /* one without cells holds nothing */
/* Cells row by row, left to right. Any bytes. */
void pt_table_cell(struct pt_table *t, const char *text);
void pt_table_cellf(struct pt_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "12.3 MiB", "?": as pt_units_bytes(). */
void pt_table_bytes(struct pt_table *t, int64_t bytes, bool sign);
/* Prints and releases it; of a table without rows the titles. < 0: no memory, nothing printed. */
int pt_table_end(struct pt_table *t, FILE *out, bool bold_titles);

#endif
