/* SPDX-License-Identifier: MIT
 * Between the parts that print a struct pt_kernel. */
#ifndef PT_ANALYZE_KERNEL_KERNEL_PRINT_H
#define PT_ANALYZE_KERNEL_KERNEL_PRINT_H

#include "analyze/kernel/kernel_int.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

/* How many rows of a kind: --top, else a few, with -v all. */
size_t pt_kernel_top(const struct pt_session *s);
/* Prints the table under its title, if it has rows, and releases it. */
int pt_kernel_flush(struct pt_table *t, const struct pt_session *s, const char *title);

int pt_kernel_print_shared(const struct pt_kernel *k, const struct pt_session *s);
/* What -v shows besides. */
int pt_kernel_print_more(const struct pt_kernel *k, const struct pt_session *s);

#endif
