/* SPDX-License-Identifier: MIT
 * A file that is written whole or not at all. */
#ifndef PT_ANALYZE_REPORT_OUTPUT_H
#define PT_ANALYZE_REPORT_OUTPUT_H

#include <signal.h>
#include <stdio.h>

#include "schema/err.h"

struct pt_output {
    FILE *file;
    char *path; /* of the file itself, links followed */
    char *dir;
    char *name; /* beside path, while it has one */
    int fd;
};
/* Nobody sees it before pt_output_end(). What is there already must be a regular file that is no
 * database. */
int pt_output_begin(struct pt_output *o, const char *path, struct pt_err *err);
/* All of it is on the disk, still unseen: what follows is only its name. When it fails nothing is
 * left behind. */
int pt_output_sync(struct pt_output *o, struct pt_err *err);
/* Puts it in its place, durable; or, when ok is false or it fails, leaves nothing behind. */
int pt_output_end(struct pt_output *o, int ok, struct pt_err *err);

/* Signals that end a program wait from the one to the other: it is not ended between what leaves
 * something behind and what takes that away. */
void pt_output_hold(sigset_t *ret_was);
void pt_output_let(const sigset_t *was);
#define PT_OUTPUT_ENDS                                                                             \
    {                                                                                              \
        SIGINT, SIGTERM, SIGHUP                                                                    \
    }

#endif
