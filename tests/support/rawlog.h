/* SPDX-License-Identifier: MIT
 * Reads what pagetraild --raw-log wrote (the format: recorder/rawlog.h). The log of a killed
 * recorder may end anywhere: a record cut short counts as the end. */
#ifndef PT_TESTS_SUPPORT_RAWLOG_H
#define PT_TESTS_SUPPORT_RAWLOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rawlog_outcome { RAWLOG_READ, RAWLOG_UNREADABLE, RAWLOG_GONE };

/* One record: name and text are good until the next call. */
struct rawlog {
    FILE *file;
    int64_t n, read_us;
    char *name;
    enum rawlog_outcome outcome;
    int why;
    char *text;
    size_t len;
    char *line;
    size_t line_cap, text_cap;
};

int rawlog_open(struct rawlog *l, const char *path); /* < 0: errno says why */
void rawlog_close(struct rawlog *l);
int rawlog_next(struct rawlog *l); /* 1: a record, 0: the end, < 0: not a raw log */

#endif
