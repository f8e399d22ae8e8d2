/* SPDX-License-Identifier: MIT
 * The options, from the command line and the configuration file: one table says of each its name,
 * range, default and help. Units: microseconds, bytes, millionths of a core. */
#ifndef PT_RECORDER_OPTIONS_H
#define PT_RECORDER_OPTIONS_H

#include "recorder/mask.h"
#include "recorder/plan.h"
#include "recorder/quantity.h"

#define PT_CONFIG_PATH "/etc/pagetrail/pagetraild.conf"

/* Texts point into argv or into config_text. */
struct pt_options {
    const char *output; /* NULL: the default place */
    const char *procfs, *sysfs, *cgroupfs, *raw_log, *config;
    int64_t interval_us, duration_us; /* duration 0: until told to stop */
    int64_t timestamp_us;             /* of --once; PT_UNKNOWN: now */
    int64_t estimate_us;              /* 0: no estimate is asked for */
    int64_t sync_us;                  /* frames are durable so long after they were stored */
    int64_t budget_ppm;               /* of one core, for everything the recorder does */
    int64_t stall_us;                 /* a single read may hold up its process so long */
    int64_t burst_interval_us, burst_length_us, burst_limit; /* limit: a day */
    int64_t max_bytes, max_age_us;                           /* 0: no limit */
    int64_t once, quiet, help, version, verbose;             /* flags and how often */
    int64_t deep;                                            /* enum pt_deep_mode */
    int64_t cmdline;                                         /* enum pt_cmdline */
    int burst_line;    /* of the file, the last that says how bursts are; 0: none */
    char *config_text; /* owned */
};

#define PT_INTERVAL_US     INT64_C(10000000)
#define PT_INTERVAL_MIN_US INT64_C(1000)

/* The configuration file first (--config, else PT_CONFIG_PATH where there is one), then the command
 * line over it. < 0: PT_EUSAGE in err, with the option, its value and what is allowed; of a file
 * its name and line too. */
int pt_options_parse(struct pt_options *ret, int argc, char **argv, struct pt_err *err);
void pt_options_release(struct pt_options *o);

/* pagetraild dump [DB] ... */
struct pt_dump_options {
    const char *db;     /* NULL: where the recorder records to */
    const char *output; /* "-": standard output */
    const char *since, *until, *config;
    int64_t quiet, help;
};
/* argv[0] is the command's name. The configuration file is not read. */
int pt_dump_options_parse(struct pt_dump_options *ret, int argc, char **argv, struct pt_err *err);
const char *pt_dump_help(void);
const char *pt_options_help(void);

#endif
