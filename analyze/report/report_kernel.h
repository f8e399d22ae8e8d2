/* SPDX-License-Identifier: MIT
 * Kernel memory of a report's span. */
#ifndef PT_ANALYZE_REPORT_REPORT_KERNEL_H
#define PT_ANALYZE_REPORT_REPORT_KERNEL_H

#include <jansson.h>

#include "analyze/session.h"

/* Of snapshots [from, to], top lines a table: kernel.schema.json. NULL: err says why. */
json_t *pt_report_kernel(const struct pt_session *s, int64_t from, int64_t to, size_t top,
                         struct pt_err *err);

#endif
