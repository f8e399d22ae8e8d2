/* SPDX-License-Identifier: MIT
 * What is being done, on a terminal, when it takes over a second. One at a time. */
#ifndef PT_ANALYZE_REPORT_PROGRESS_H
#define PT_ANALYZE_REPORT_PROGRESS_H

void pt_progress_begin(void);
/* The next thing is begun; what is a string that stays. As struct pt_report_options has it. */
void pt_progress_tell(void *unused, const char *what);
void pt_progress_end(void);

#endif
