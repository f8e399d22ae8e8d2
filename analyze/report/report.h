/* SPDX-License-Identifier: MIT
 * One document of all findings over a span: a JSON tree, from which every format is printed. Its
 * keys are those of report.schema.json: times RFC 3339 in UTC, sizes bytes, null where not known;
 * whoever prints it adds utc_offset_seconds to times. Text in it is any text: whoever prints it
 * escapes it. */
/* clang-format off */
/* kind "report":
 *   report, kind, program, database, utc_offset_seconds, span
 *   damaged     places in which the span could not be read
 *   notes       to be read first
 *   left_out    sections that could not be made: section, text
 *   verdict     a sentence a finding, worst first: severity (alarm, warning, note, good), section,
 *               text, finding (an id or null), status (new, ongoing, worse, better, resolved; null)
 *   incidents   findings that are no growth: what swap did, whom the OOM killer hit (incidents.h)
 *   cut         of lists that are cut, "swap.processes": how many of them are left out
 *   machine     as `info` has it
 *   leaks       counts, and findings as `leaks` has them with id, title, sentence, status, picture
 *               {from, to, values}: some 48 points of its series
 *   growth      as `growth` has it; each class with omitted holders counted
 *   charts      from, to, by the last clock, and in seconds from there:
 *               memory {seconds, layers: name, title, values}, a stack that adds up to the machine's
 *               memory; seconds and lines (name, title, unit, low, values, high), the least, mean
 *               and most of a bucket
 *   marks       events, gaps, reboots and episodes on that axis: kind, seconds, until, time, text
 *   swap, kernel, oom
 *               as those commands have it; null where there is nothing
 *   events      counts by kind, rows, omitted
 *   processes   at the end of the span: rows, omitted
 *   glossary    term, meaning, unit, field
 *   against     null, or what it was compared to and what became of each finding
 *   compare     null, or several spans side by side: columns, rows, findings
 * kind "index" has report, kind, program, database, utc_offset_seconds, notes, host, every and
 * compare. */
/* clang-format on */
#ifndef PT_ANALYZE_REPORT_REPORT_H
#define PT_ANALYZE_REPORT_REPORT_H

#include <jansson.h>

#include "analyze/session.h"

#define PT_REPORT_VERSION 1

struct pt_report_options {
    int64_t from, to; /* snapshots */
    int64_t top;      /* lines a table at the most; PT_UNKNOWN: as many as suit each */
    bool charts;      /* the series of charts too; dear in size, text has no use for them */
    void (*progress)(void *ctx, const char *what); /* may be NULL; a section begins */
    void *ctx;
};
/* NULL: err says why. */
json_t *pt_report_make(struct pt_session *s, const struct pt_report_options *o, struct pt_err *err);

/* Of a document of either kind. < 0: no memory, or the write failed. */
int pt_report_text(const json_t *doc, FILE *out);
int pt_report_markdown(const json_t *doc, FILE *out);
int pt_report_json(const json_t *doc, FILE *out);
int pt_report_html(const json_t *doc, FILE *out);

#endif
