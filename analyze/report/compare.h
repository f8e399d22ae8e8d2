/* SPDX-License-Identifier: MIT
 * Several reports side by side: periods, boots, before and after. Each is first made a column of
 * its own, so that the whole report need not be kept. */
#ifndef PT_ANALYZE_REPORT_COMPARE_H
#define PT_ANALYZE_REPORT_COMPARE_H

#include <jansson.h>

/* What is compared of a report, to which has been applied what there is to say against the one
 * before (against.h): what became of its findings is taken from there. file: where the report of
 * that span alone is; may be NULL. NULL: no memory. */
json_t *pt_compare_column(const json_t *doc, const char *title, const char *file);
/* "compare" of report.schema.json, of an array of columns, the oldest first. NULL: no memory. */
json_t *pt_compare_make(const json_t *columns);

#endif
