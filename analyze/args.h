/* SPDX-License-Identifier: MIT
 * Options and arguments of the commands: one table, from which parsing and --help are made. */
#ifndef PT_ANALYZE_ARGS_H
#define PT_ANALYZE_ARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "analyze/diff/diff.h"

enum {
    PT_EXIT_OK = 0,
    PT_EXIT_FINDINGS = 1,
    PT_EXIT_USAGE = 2,
    PT_EXIT_READ = 3,
    PT_EXIT_DAMAGED = 4
};

/* Which options a command takes: bits of pt_command.options. */
enum {
    PT_OPT_FROM_TO = 1 << 0,
    PT_OPT_AT = 1 << 1,
    PT_OPT_BY = 1 << 2,
    PT_OPT_TOP = 1 << 3,
    PT_OPT_UTC = 1 << 4,
    PT_OPT_KIND = 1 << 5,
    PT_OPT_CSV = 1 << 6, /* --format takes csv too */
    PT_OPT_FINDINGS = 1 << 7,
    PT_OPT_REPAIR = 1 << 8,
    PT_OPT_OVER = 1 << 9,
    PT_OPT_REPORT = 1 << 10,
};
#define PT_POSITIONALS 4

struct pt_args {
    const char *from, *to, *at;
    const char *output; /* of a repair or a report; NULL: not given */
    /* of a report; NULL: not given */
    const char *format, *against, *every, *split_at;
    bool compare_boots;
    bool json, csv, utc, verbose, all, exit_code, repair;
    const char *subject;
    enum pt_by by;
    int64_t top;    /* PT_UNKNOWN: not given */
    int64_t over;   /* instants of a table over time; PT_UNKNOWN: not given */
    uint32_t kinds; /* of events, 1 << enum pt_event; 0: not given */
    const char *positional[PT_POSITIONALS];
    int npositional;
    FILE *out;
    bool colour;
};

struct pt_session;
struct pt_command {
    const char *name;
    const char *usage;   /* arguments, as in the man page */
    const char *summary; /* one line */
    const char *detail;  /* for its --help: what stands after the usage; may be "" */
    unsigned options;
    int min, max; /* positional arguments */
    /* One of the two. tell: opens positional[0], is given it (pt_session_run()). run returns the
     * exit status. */
    int (*tell)(struct pt_session *s, struct pt_err *err);
    int (*run)(const struct pt_args *args);
};
int pt_command_run(const struct pt_command *command, const struct pt_args *args);
extern const struct pt_command pt_cmd_info, pt_cmd_diff, pt_cmd_show, pt_cmd_events, pt_cmd_check,
    pt_cmd_explain, pt_cmd_leaks, pt_cmd_growth, pt_cmd_balance, pt_cmd_oom, pt_cmd_kernel;
extern const struct pt_command pt_cmd_report, pt_cmd_swap;
/* NULL-terminated. */
extern const struct pt_command *const pt_commands[];

/* Parses argv[0..argc-1], argv[0] being the command's name. < 0: go on; else the exit status: help
 * was printed, or the usage was wrong and is told on standard error. */
int pt_args_parse(const struct pt_command *command, int argc, char **argv, struct pt_args *ret);
/* Parses argv as the whole program and runs it; the exit status. */
int pt_program(int argc, char **argv);

#endif
