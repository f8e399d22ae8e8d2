/* SPDX-License-Identifier: MIT
 * A diff as text and as JSON. */
#ifndef PT_ANALYZE_DIFF_DIFF_PRINT_H
#define PT_ANALYZE_DIFF_DIFF_PRINT_H

#include "analyze/diff/diff.h"
#include "analyze/session.h"

/* < 0: no memory. a and b are the sessions of the two sides (the same for one database). */
int pt_diff_text(const struct pt_diff *d, const struct pt_session *a, const struct pt_session *b);
int pt_diff_json(const struct pt_diff *d, const struct pt_session *a, const struct pt_session *b);
/* Reboots between the two: 0 within one boot, PT_UNKNOWN for two databases. */
int64_t pt_diff_reboots(const struct pt_diff *d);

#endif
