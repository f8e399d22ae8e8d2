/* SPDX-License-Identifier: MIT
 * The command line. Units: microseconds. */
#ifndef PT_RECORDER_OPTIONS_H
#define PT_RECORDER_OPTIONS_H

#include "recorder/mask.h"
#include "recorder/plan.h"

struct pt_options {
    const char *output; /* NULL: the default place */
    const char *procfs, *sysfs, *cgroupfs, *raw_log;
    int64_t interval_us, duration_us; /* duration 0: until told to stop */
    int64_t timestamp_us;             /* of --once; PT_UNKNOWN: now */
    bool once, quiet, help, version;
    int verbose;
    enum pt_deep_mode deep;
    enum pt_cmdline cmdline;
};

#define PT_INTERVAL_US     INT64_C(10000000)
#define PT_INTERVAL_MIN_US INT64_C(10000)

/* < 0: PT_EUSAGE in err. */
int pt_options_parse(struct pt_options *ret, int argc, char **argv, struct pt_err *err);
const char *pt_options_help(void);

/* "10s", "500ms", "1.5m", "2h", "1d", "10" (seconds). */
bool pt_parse_span(const char *text, int64_t *ret_us);
/* Epoch seconds ("1790000000", "1790000000.5"), RFC 3339, or "YYYY-MM-DD HH:MM[:SS]" in local time.
 */
bool pt_parse_time(const char *text, int64_t *ret_us);

#endif
