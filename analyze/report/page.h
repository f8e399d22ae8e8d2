/* SPDX-License-Identifier: MIT
 * A page of a report as text of 80 columns or as Markdown, by the same calls. Text handed in is any
 * text: it is escaped for where it goes. */
#ifndef PT_ANALYZE_REPORT_PAGE_H
#define PT_ANALYZE_REPORT_PAGE_H

#include "analyze/print/table.h"

enum pt_page_block { PT_PAGE_OTHER = 0, PT_PAGE_ITEM, PT_PAGE_TABLE };
struct pt_page {
    FILE *out;
    bool markdown;
    int32_t offset_s;         /* of times */
    bool failed;              /* no memory; what failed to be written shows in out */
    enum pt_page_block block; /* at work: the last one */
};

void pt_page_title(struct pt_page *p, const char *text);   /* of the whole */
void pt_page_heading(struct pt_page *p, const char *text); /* of a section */
void pt_page_part(struct pt_page *p, const char *text);    /* of a part of a section */
void pt_page_para(struct pt_page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An item of a list; mark, one character, stands before it in text, what it means in Markdown. */
void pt_page_item(struct pt_page *p, char mark, const char *meaning, const char *text);
/* A label and what there is to say of it; label "": more of the one before. */
void pt_page_pair(struct pt_page *p, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Of a table that is filled; releases it. */
void pt_page_table(struct pt_page *p, struct pt_table *t);
void pt_page_end(struct pt_page *p);

/* values in so many characters of rising blocks; NAN: a blank. */
#define PT_SPARK_MAX 64
void pt_page_spark(const double *values, size_t n, size_t width, char ret[4 * PT_SPARK_MAX + 1]);

#endif
