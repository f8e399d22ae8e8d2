/* SPDX-License-Identifier: MIT
 * The views of `pagetrail show`. */
#ifndef PT_ANALYZE_SHOW_SHOW_H
#define PT_ANALYZE_SHOW_SHOW_H

#include "analyze/session.h"

/* One view of snapshot n: prints it, returns the exit status. */
typedef int pt_show_fn(const struct pt_session *s, int64_t n);
pt_show_fn pt_show_text, pt_show_meminfo, pt_show_ps;

/* Prints "free at 2026-...": the line above a view. */
void pt_show_head(const struct pt_session *s, const char *view, const struct pt_snap *snap);
/* What keeps a source from being shown: "permission denied", "was not there", ... */
const char *pt_show_why_not(enum pt_presence presence, int why);

#endif
