/* SPDX-License-Identifier: MIT
 * What the sections of a report are made from. */
#ifndef PT_ANALYZE_REPORT_REPORT_INT_H
#define PT_ANALYZE_REPORT_REPORT_INT_H

#include "analyze/diff/diff.h"
#include "analyze/leaks/leaks.h"
#include "analyze/report/report.h"
#include "analyze/report/beside.h"

struct pt_report {
    struct pt_session *s;
    const struct pt_report_options *o;
    int32_t offset_s; /* of times in sentences */
    struct pt_leaks leaks;
    bool has_leaks;
    struct pt_picture before, after; /* the ends of the span; view NULL: could not be read */
    struct pt_diff diff;
    struct pt_beside beside; /* swap, kernel */
    bool has_beside;         /* it has not ended */
    json_t *doc;
};

/* A section that cannot be made is left out, and said; what only want of memory explains ends the
 * whole. */
int pt_report_left_out(struct pt_report *r, const char *section, const char *doing,
                       const struct pt_err *why, struct pt_err *err);
double pt_report_hours(const struct pt_report *r); /* that were recorded */

/* The lines of a table: what was asked for, else what suits it. */
size_t pt_report_top(const struct pt_report *r, size_t usual);

/* Sections. NULL: err says why; null where there is nothing to say. */
json_t *pt_report_leaks(struct pt_report *r, struct pt_err *err);
json_t *pt_report_charts(struct pt_report *r, struct pt_err *err);
json_t *pt_report_processes(struct pt_report *r, struct pt_err *err);
json_t *pt_report_glossary(struct pt_report *r, struct pt_err *err);
json_t *pt_report_verdict(struct pt_report *r, struct pt_err *err);
/* Adds events, oom, marks and what was left out of them to the document, and to its incidents. */
int pt_report_events(struct pt_report *r, struct pt_err *err);

/* What a finding is, in a sentence, and who it is. */
json_t *pt_report_sentence(const struct pt_report *r, const struct pt_finding *f);
/* The finding that a process is the subject of, or its service: its id; NULL: none. */
const char *pt_report_finding_of(const json_t *leaks, int64_t pid, int64_t start_time,
                                 const char **ret_verdict);

#endif
