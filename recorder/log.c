/* SPDX-License-Identifier: MIT
 * Messages. */
#include "recorder/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    enum pt_log level;
    bool tty, progress; /* progress: the cursor stands behind a progress line */
} state = {.level = PT_LOG_INFO};

void pt_log_init(enum pt_log level)
{
    state.level = level;
    state.tty = isatty(STDERR_FILENO) == 1;
}

bool pt_log_tty(void)
{
    return state.tty;
}

void pt_log(enum pt_log priority, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    if (priority > state.level)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (!state.tty)
        fprintf(stderr, "<%d>%s\n", (int)priority, text);
    else
        fprintf(stderr, "%spagetraild: %s\n", state.progress ? "\r\033[K" : "", text);
    state.progress = false;
}

void pt_log_progress(const char *fmt, ...)
{
    va_list args;
    if (!state.tty || state.level < PT_LOG_INFO)
        return;
    fputs("\r\033[K", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fflush(stderr);
    state.progress = true;
}
