/* SPDX-License-Identifier: MIT
 * Living through the pressure that is recorded: priority, the OOM killer's score, memory that
 * stays. Each is tried; what is refused is a line of the log, and the recording goes on without. */
#ifndef PT_RECORDER_ENDURE_H
#define PT_RECORDER_ENDURE_H

/* At the start, before there are threads: they inherit it. */
void pt_endure_begin(void);
/* Once everything is open: what is in memory stays there, and what comes. */
void pt_endure_lock(void);
/* In each thread, first: its stack is there before it is needed. */
void pt_endure_stack(void);

#endif
