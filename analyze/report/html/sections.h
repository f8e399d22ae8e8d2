/* SPDX-License-Identifier: MIT
 * The sections of a report as HTML, each from its part of the document (report.h). A section is
 * given what stands under its key, never null. */
#ifndef PT_ANALYZE_REPORT_HTML_SECTIONS_H
#define PT_ANALYZE_REPORT_HTML_SECTIONS_H

#include "analyze/report/html/table.h"

typedef void pt_html_section_fn(const struct pt_html *h, const json_t *part, const json_t *doc);

pt_html_section_fn pt_html_against, pt_html_compare, pt_html_history, pt_html_machine,
    pt_html_leaks, pt_html_growth, pt_html_memory, pt_html_swap, pt_html_kernel, pt_html_oom,
    pt_html_events, pt_html_processes, pt_html_cost;

/* "new", "worse": what became of a finding, as a badge; nothing when it is null. */
void pt_html_status(const struct pt_html *h, const json_t *status);
/* The verdict of a finding, coloured as it matters. */
void pt_html_verdict_badge(const struct pt_html *h, const json_t *verdict);

#endif
