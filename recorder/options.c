/* SPDX-License-Identifier: MIT
 * Parsing the command line. */
#include "recorder/options.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#include "recorder/clock.h"
#include "recorder/scan.h"

#define SPAN_MAX_US (INT64_C(366) * 86400 * PT_SECOND)
#define EPOCH_MAX_S UINT64_C(253402300799) /* the year 9999 */

static const char help[] =
    "Usage: pagetraild [OPTION]...\n"
    "Record the memory of this machine: every process, cgroup and kernel counter.\n"
    "\n"
    "  -o, --output FILE      database to write (default /var/lib/pagetrail/pagetrail.db\n"
    "                         for root, else below $XDG_STATE_HOME)\n"
    "  -i, --interval TIME    time between snapshots: 10s, 500ms, 1m (default 10s)\n"
    "  -d, --duration TIME    stop after this time\n"
    "      --once             take one snapshot and stop\n"
    "      --timestamp TIME   with --once: the time to record it under\n"
    "      --deep MODE        smaps of processes: auto (a share of CPU), off, all\n"
    "      --cmdline MODE     command lines: masked (secrets hidden), full, name\n"
    "      --procfs DIR       read processes from DIR instead of /proc\n"
    "      --sysfs DIR        read DIR instead of /sys\n"
    "      --cgroupfs DIR     read DIR instead of /sys/fs/cgroup\n"
    "      --raw-log FILE     append every text as it was read to FILE\n"
    "  -q, --quiet            tell warnings and errors only\n"
    "  -v, --verbose          tell more; twice: more still\n"
    "  -h, --help             print this and exit\n"
    "  -V, --version          print the version and exit\n"
    "\n"
    "SIGTERM and SIGINT end the recording cleanly, SIGHUP opens FILE anew, SIGUSR1 takes\n"
    "a snapshot at once. See pagetraild(8).\n";

const char *pt_options_help(void)
{
    return help;
}

/* Digits after a point as millionths. */
static bool fraction(struct pt_scan *s, int64_t *ret)
{
    int64_t v = 0, unit = 100000;
    const char *start = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, unit /= 10)
        v += (*s->p - '0') * unit;
    *ret = v;
    return s->p > start;
}

bool pt_parse_span(const char *text, int64_t *ret_us)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {
        {"", PT_SECOND},
        {"s", PT_SECOND},
        {"us", 1},
        {"ms", 1000},
        {"m", 60 * PT_SECOND},
        {"min", 60 * PT_SECOND},
        {"h", 3600 * PT_SECOND},
        {"d", 86400 * PT_SECOND},
    };
    struct pt_scan s = pt_scan_of(text, strlen(text));
    uint64_t whole;
    int64_t part = 0;
    if (!pt_scan_u64(&s, &whole))
        return false;
    if (s.p < s.end && *s.p == '.') {
        s.p++;
        if (!fraction(&s, &part))
            return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(s.p, units[i].name) != 0)
            continue;
        if (whole > (uint64_t)(SPAN_MAX_US / units[i].us))
            return false;
        *ret_us = (int64_t)whole * units[i].us + part * units[i].us / PT_SECOND;
        return true;
    }
    return false;
}

/* Exactly n digits and then `after` (0: nothing asked). */
static bool digits(struct pt_scan *s, int n, char after, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++, s->p++) {
        if (s->p >= s->end || *s->p < '0' || *s->p > '9')
            return false;
        v = v * 10 + (*s->p - '0');
    }
    *ret = v;
    if (!after)
        return true;
    return s->p < s->end && *s->p++ == after;
}

/* "Z", "+01:00" or nothing. *ret_local: nothing. */
static bool zone(struct pt_scan *s, int64_t *ret_offset_s, bool *ret_local)
{
    int h, m;
    *ret_offset_s = 0;
    *ret_local = s->p == s->end;
    if (*ret_local)
        return true;
    const char c = *s->p++;
    if (c == 'Z' || c == 'z')
        return s->p == s->end;
    if ((c != '+' && c != '-') || !digits(s, 2, ':', &h) || !digits(s, 2, 0, &m) ||
        s->p != s->end || h > 23 || m > 59)
        return false;
    *ret_offset_s = (h * 3600 + m * 60) * (c == '-' ? -1 : 1);
    return true;
}

static bool in_range(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60 && tm->tm_year >= 70;
}

static bool parse_date(struct pt_scan s, int64_t *ret_us)
{
    struct tm tm = {.tm_isdst = -1};
    int64_t part = 0, offset;
    bool local;
    if (!digits(&s, 4, '-', &tm.tm_year) || !digits(&s, 2, '-', &tm.tm_mon) ||
        !digits(&s, 2, 0, &tm.tm_mday) || s.p >= s.end || !memchr("Tt ", *s.p, 3))
        return false;
    s.p++;
    if (!digits(&s, 2, ':', &tm.tm_hour) || !digits(&s, 2, 0, &tm.tm_min))
        return false;
    if (s.p < s.end && *s.p == ':') {
        s.p++;
        if (!digits(&s, 2, 0, &tm.tm_sec))
            return false;
        if (s.p < s.end && *s.p == '.') {
            s.p++;
            if (!fraction(&s, &part))
                return false;
        }
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (!in_range(&tm) || !zone(&s, &offset, &local))
        return false;
    const time_t t = local ? mktime(&tm) : timegm(&tm);
    *ret_us = ((int64_t)t - offset) * PT_SECOND + part;
    return t != (time_t)-1;
}

bool pt_parse_time(const char *text, int64_t *ret_us)
{
    struct pt_scan s = pt_scan_of(text, strlen(text));
    const struct pt_scan start = s;
    uint64_t seconds;
    int64_t part = 0;
    if (pt_scan_u64(&s, &seconds) && (s.p == s.end || *s.p == '.')) {
        const bool plain = s.p == s.end;
        s.p += !plain;
        if ((!plain && !fraction(&s, &part)) || s.p != s.end || seconds > EPOCH_MAX_S)
            return false;
        *ret_us = (int64_t)seconds * PT_SECOND + part;
        return true;
    }
    return parse_date(start, ret_us);
}

/* ---- options ---- */

enum {
    OPT_ONCE = 256,
    OPT_TIMESTAMP,
    OPT_DEEP,
    OPT_CMDLINE,
    OPT_PROCFS,
    OPT_SYSFS,
    OPT_CGROUPFS,
    OPT_RAW_LOG
};

static const struct option longs[] = {
    {"output", required_argument, NULL, 'o'},
    {"interval", required_argument, NULL, 'i'},
    {"duration", required_argument, NULL, 'd'},
    {"once", no_argument, NULL, OPT_ONCE},
    {"timestamp", required_argument, NULL, OPT_TIMESTAMP},
    {"deep", required_argument, NULL, OPT_DEEP},
    {"cmdline", required_argument, NULL, OPT_CMDLINE},
    {"procfs", required_argument, NULL, OPT_PROCFS},
    {"sysfs", required_argument, NULL, OPT_SYSFS},
    {"cgroupfs", required_argument, NULL, OPT_CGROUPFS},
    {"raw-log", required_argument, NULL, OPT_RAW_LOG},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char *const deep_words[] = {
    [PT_DEEP_AUTO] = "auto", [PT_DEEP_OFF] = "off", [PT_DEEP_ALL] = "all", NULL};
static const char *const cmdline_words[] = {
    [PT_CMDLINE_MASKED] = "masked", [PT_CMDLINE_FULL] = "full", [PT_CMDLINE_NAME] = "name", NULL};

static int choose(const char *option, const char *value, const char *const *words,
                  struct pt_err *err)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0)
            return i;
    }
    return pt_err_set(err, PT_EUSAGE, 0, "", -1, "--%s: '%s' is not %s, %s or %s", option, value,
                      words[0], words[1], words[2]);
}

static int span_option(const char *option, const char *value, int64_t least, int64_t *ret,
                       struct pt_err *err)
{
    if (!pt_parse_span(value, ret))
        return pt_err_set(err, PT_EUSAGE, 0, "", -1,
                          "--%s: '%s' is not a time such as 10s, 500ms or 1m", option, value);
    if (*ret < least)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "--%s: '%s' is too short", option, value);
    return 0;
}

static int value_option(struct pt_options *o, int c, const char *value, struct pt_err *err)
{
    int rc = 0;
    switch (c) {
    case 'i':
        return span_option("interval", value, PT_INTERVAL_MIN_US, &o->interval_us, err);
    case 'd':
        return span_option("duration", value, 1, &o->duration_us, err);
    case OPT_TIMESTAMP:
        if (!pt_parse_time(value, &o->timestamp_us))
            return pt_err_set(err, PT_EUSAGE, 0, "", -1, "--timestamp: '%s' is not a time", value);
        break;
    case OPT_DEEP:
        rc = choose("deep", value, deep_words, err);
        o->deep = rc < 0 ? PT_DEEP_AUTO : (enum pt_deep_mode)rc;
        break;
    case OPT_CMDLINE:
        rc = choose("cmdline", value, cmdline_words, err);
        o->cmdline = rc < 0 ? PT_CMDLINE_MASKED : (enum pt_cmdline)rc;
        break;
    default:
        break;
    }
    return rc < 0 ? rc : 0;
}

static int one_option(struct pt_options *o, int c, struct pt_err *err)
{
    const char **text = c == 'o'            ? &o->output
                        : c == OPT_PROCFS   ? &o->procfs
                        : c == OPT_SYSFS    ? &o->sysfs
                        : c == OPT_CGROUPFS ? &o->cgroupfs
                        : c == OPT_RAW_LOG  ? &o->raw_log
                                            : NULL;
    if (text && !*optarg)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "a file name is empty");
    if (text)
        *text = optarg;
    o->once |= c == OPT_ONCE;
    o->quiet |= c == 'q';
    o->verbose += c == 'v';
    o->help |= c == 'h';
    o->version |= c == 'V';
    return value_option(o, c, optarg, err);
}

int pt_options_parse(struct pt_options *ret, int argc, char **argv, struct pt_err *err)
{
    struct pt_options o = {.interval_us = PT_INTERVAL_US, .timestamp_us = PT_UNKNOWN};
    int c;
    optind = 0; /* glibc: from the start again */
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":o:i:d:qvhV", longs, NULL)) != -1) {
        const char *what = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        if (c == '?')
            return pt_err_set(err, PT_EUSAGE, 0, "", -1, "unknown option '%s'", what);
        if (c == ':')
            return pt_err_set(err, PT_EUSAGE, 0, "", -1, "option '%s' needs a value", what);
        const int rc = one_option(&o, c, err);
        if (rc < 0)
            return rc;
    }
    if (optind < argc)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "unexpected argument '%s'", argv[optind]);
    if (o.timestamp_us != PT_UNKNOWN && !o.once)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "--timestamp needs --once");
    if (o.once && o.duration_us)
        return pt_err_set(err, PT_EUSAGE, 0, "", -1, "--once and --duration exclude each other");
    *ret = o;
    return 0;
}
