/* SPDX-License-Identifier: MIT
 * Sections of a report as text or Markdown: each reads its part of the document, and prints nothing
 * where there is nothing. */
#ifndef PT_ANALYZE_REPORT_PRINT_INT_H
#define PT_ANALYZE_REPORT_PRINT_INT_H

#include "analyze/print/units.h"
#include "analyze/report/page.h"
#include "analyze/report/report.h"
#include "analyze/report/tree.h"

/* A value of an object to buf, of PT_UNITS_BUF bytes, which is returned. */
char *pt_print_bytes(const json_t *object, const char *key, bool sign, char *buf);
char *pt_print_time(const struct pt_page *p, const json_t *object, const char *key, char *buf);
char *pt_print_seconds(const json_t *object, const char *key, char *buf);
/* "?" where there is none. */
const char *pt_print_str(const json_t *object, const char *key);
/* The same of one that is empty, too. */
const char *pt_print_name(const json_t *object, const char *key);
/* A number by its unit: "bytes", "percent", "bytes/s", "bytes/h", "seconds", "count". */
char *pt_print_amount(double v, const char *unit, char *buf);
/* "and 12 more", where there are. */
void pt_print_omitted(struct pt_page *p, int64_t n, const char *what);
/* How many of a list the document left out: "swap.processes". */
int64_t pt_print_cut(const json_t *doc, const char *list);
/* An array of numbers as a spark. */
void pt_print_spark(const json_t *values, size_t width, char ret[4 * PT_SPARK_MAX + 1]);

void pt_print_machine(struct pt_page *p, const json_t *doc);
void pt_print_cost(struct pt_page *p, const json_t *doc);
void pt_print_leaks(struct pt_page *p, const json_t *doc);
void pt_print_growth(struct pt_page *p, const json_t *doc);
void pt_print_memory(struct pt_page *p, const json_t *doc);
void pt_print_swap(struct pt_page *p, const json_t *doc);
void pt_print_kernel(struct pt_page *p, const json_t *doc);
void pt_print_oom(struct pt_page *p, const json_t *doc);
void pt_print_events(struct pt_page *p, const json_t *doc);
void pt_print_processes(struct pt_page *p, const json_t *doc);
void pt_print_glossary(struct pt_page *p, const json_t *doc);
void pt_print_against(struct pt_page *p, const json_t *doc);
void pt_print_compare(struct pt_page *p, const json_t *doc);

#endif
