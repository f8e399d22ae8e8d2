/* SPDX-License-Identifier: MIT
 * The raw log: a diagnostic that appends every text as it was read. A record is one header line,
 *   snapshot N source NAME length L read_us T outcome O
 * then L bytes and a line feed. O is "read", "unreadable:ERRNO" or "gone"; the last two have length
 * 0. In NAME, bytes up to 0x20, 0x7f and the backslash are written \ooo. T is real time in
 * microseconds. */
#ifndef PT_RECORDER_RAWLOG_H
#define PT_RECORDER_RAWLOG_H

#include <stddef.h>
#include <stdint.h>

#include "schema/err.h"

enum pt_outcome { PT_OUTCOME_READ, PT_OUTCOME_UNREADABLE, PT_OUTCOME_GONE };

struct pt_rawlog;
int pt_rawlog_open(const char *path, struct pt_rawlog **ret,
                   struct pt_err *err); /* appends; created 0600 */
int pt_rawlog_close(struct pt_rawlog *l,
                    struct pt_err *err); /* NULL allowed; < 0: something was not written */
/* Source handles are told by name once; a handle may be named anew. */
void pt_rawlog_name(struct pt_rawlog *l, uint32_t source, const char *name);
void pt_rawlog_put(struct pt_rawlog *l, int64_t n, uint32_t source, int64_t read_us,
                   enum pt_outcome outcome, int why, const void *text, size_t len);
void pt_rawlog_flush(struct pt_rawlog *l);

#endif
