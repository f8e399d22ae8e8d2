/* SPDX-License-Identifier: MIT
 * What the daemon tells people: lines with journald's priorities ("<4>text") where standard error
 * is not a terminal, plain lines and a progress line where it is. Only the daemon and main call
 * this. */
#ifndef PT_RECORDER_LOG_H
#define PT_RECORDER_LOG_H

#include <stdbool.h>

enum pt_log {
    PT_LOG_ERROR = 3,
    PT_LOG_WARNING = 4,
    PT_LOG_NOTICE = 5,
    PT_LOG_INFO = 6,
    PT_LOG_DEBUG = 7
};

/* level: the least important that is told. */
void pt_log_init(enum pt_log level);
bool pt_log_tty(void);
void pt_log(enum pt_log priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Overwrites the progress line; nothing when not on a terminal or when quiet. */
void pt_log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
