/* SPDX-License-Identifier: MIT
 * What the ways of asking for reports have in common: one, one a period, before and after. */
#ifndef PT_ANALYZE_REPORT_CMD_REPORT_H
#define PT_ANALYZE_REPORT_CMD_REPORT_H

#include "analyze/report/output.h"
#include "analyze/report/report.h"

struct pt_report_format {
    const char *name, *suffix;
    int (*print)(const json_t *doc, FILE *out);
};
/* What came of it, for the exit status. */
struct pt_report_outcome {
    bool alarms;  /* one of the reports has one, of a leak or in its verdict; side by side, the
                     newest */
    bool partial; /* what could not be read is left out of one */
};
/* What is asked for: snapshots, and the format. */
struct pt_report_span {
    int64_t from, to;
    const struct pt_report_format *format;
};
const struct pt_report_format *pt_report_format_of(const char *name, struct pt_err *err);
json_t *pt_report_of(struct pt_session *s, int64_t from, int64_t to, struct pt_err *err);
/* Adds what there is to say of another report. */
void pt_report_judge(const json_t *doc, struct pt_report_outcome *outcome);
/* Written and on the disk, and not seen before pt_output_end(). */
int pt_report_write(const json_t *doc, const struct pt_report_format *format, const char *path,
                    struct pt_output *ret, struct pt_err *err);
/* To a file, whole or not at all; path NULL: to out. */
int pt_report_put(const json_t *doc, const struct pt_report_format *format, const char *path,
                  FILE *out, struct pt_err *err);

int pt_report_every(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err);
int pt_report_split(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err);
int pt_report_boots(struct pt_session *s, const struct pt_report_span *span,
                    struct pt_report_outcome *ret, struct pt_err *err);

#endif
