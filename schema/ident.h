/* SPDX-License-Identifier: MIT
 * Process identity: boot, pid and start time together. A pid alone is never one, and a name is
 * none: exec and prctl change what a process is called, not who it is. Units: start times are clock
 * ticks (CLK_TCK) since boot. */
#ifndef PT_SCHEMA_IDENT_H
#define PT_SCHEMA_IDENT_H

#include "schema/reading.h"

struct pt_ident {
    uint32_t boot; /* id in the boot table */
    int64_t pid;
    uint64_t start_time;
};

static inline bool pt_ident_equal(const struct pt_ident *a, const struct pt_ident *b)
{
    return a->boot == b->boot && a->pid == b->pid && a->start_time == b->start_time;
}

/* What PID/stat says of who a process is. comm points into the text: any bytes, without the
 * parentheses. */
struct pt_pid_stat {
    int64_t pid, ppid;
    uint64_t start_time;
    char state; /* 'R', 'S', ... */
    const char *comm;
    size_t comm_len;
};
/* < 0: the text is not a whole PID/stat (*ret untouched). */
int pt_pid_stat_parse(const char *text, size_t len, struct pt_pid_stat *ret);
/* The same of a reading; its text is put into scratch (reset first), and comm points there. */
int pt_pid_stat_reading(const struct pt_shapes *t, const struct pt_reading *r,
                        struct pt_buf *scratch, struct pt_pid_stat *ret, struct pt_err *err);

/* The pid of a process's source, and (ret_file, may be NULL) the file: 1234 and "status" of
 * "proc:1234/status". < 0: not a process's source. */
int64_t pt_source_pid(const char *source, const char **ret_file);

#endif
