/* SPDX-License-Identifier: MIT
 * The table of options, the command line and the configuration file. */
#include "recorder/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/scan.h"

#define CONFIG_MAX (64 << 10)
#define KIB        INT64_C(1024)
#define DAY        (86400 * PT_SECOND)
#define BUDGET_PPM 5000

enum kind { FLAG, TEXT, SPAN, TIME, SIZE, SHARE, COUNT, WORD };

/* With zero_off, 0 is allowed besides the range, and turns the thing off. */
struct option_row {
    const char *name;
    char letter;
    enum kind kind;
    bool zero_off, cli_only;
    size_t at; /* in struct pt_options */
    int64_t min, max, preset;
    const char *const *words; /* WORD */
    const char *arg, *help;   /* help: further lines after '\n' */
};

static const char *const deep_words[] = {
    [PT_DEEP_AUTO] = "auto", [PT_DEEP_OFF] = "off", [PT_DEEP_ALL] = "all", NULL};
static const char *const cmdline_words[] = {
    [PT_CMDLINE_MASKED] = "masked", [PT_CMDLINE_FULL] = "full", [PT_CMDLINE_NAME] = "name", NULL};

#define AT(field) .at = offsetof(struct pt_options, field)

static const struct option_row rows[] = {
    {"output", 'o', TEXT, AT(output), .arg = "FILE",
     .help = "database to write (default: for root\n"
             "/var/lib/pagetrail/pagetrail.db, else below\n"
             "$XDG_STATE_HOME)"},
    {"interval", 'i', SPAN, AT(interval_us), .min = PT_INTERVAL_MIN_US, .max = DAY,
     .preset = PT_INTERVAL_US, .arg = "TIME",
     .help = "time between snapshots: 500ms, 1m (default 10s)"},
    {"duration", 'd', SPAN, AT(duration_us), .min = 1000, .max = 3660 * DAY, .cli_only = true,
     .arg = "TIME", .help = "stop after this time"},
    {"once", 0, FLAG, AT(once), .cli_only = true, .help = "take one snapshot and stop"},
    {"timestamp", 0, TIME, AT(timestamp_us), .preset = PT_UNKNOWN, .cli_only = true, .arg = "TIME",
     .help = "with --once: the time to record it under"},
    {"estimate", 0, SPAN, AT(estimate_us), .min = 2 * PT_SECOND, .max = DAY, .cli_only = true,
     .arg = "TIME",
     .help = "record nothing: watch for TIME, then say what\n"
             "recording this machine would cost a day"},
    {"cpu-budget", 0, SHARE, AT(budget_ppm), .min = 100, .max = 1000000, .preset = 0,
     .arg = "PERCENT",
     .help = "CPU to spend, of one core (default 0.5%; more in\n"
             "proportion for intervals below 10s)"},
    {"stall-limit", 0, SPAN, AT(stall_us), .min = 1000, .max = 10 * PT_SECOND, .preset = 20000,
     .arg = "TIME",
     .help = "longest that one read may hold up a process\n"
             "(default 20ms)"},
    {"deep", 0, WORD, AT(deep), .preset = PT_DEEP_AUTO, .words = deep_words, .arg = "MODE",
     .help = "smaps of processes: auto (within the budget),\n"
             "off, all"},
    {"burst-interval", 0, SPAN, AT(burst_interval_us), .min = 100000, .max = DAY,
     .preset = PT_SECOND, .arg = "TIME", .help = "time between snapshots after a trigger (1s)"},
    {"burst-length", 0, SPAN, AT(burst_length_us), .min = PT_SECOND, .max = 3600 * PT_SECOND,
     .zero_off = true, .preset = 60 * PT_SECOND, .arg = "TIME",
     .help = "how long they stay so dense (60s; 0: never)"},
    {"burst-limit", 0, COUNT, AT(burst_limit), .min = 0, .max = 10000, .preset = 24, .arg = "N",
     .help = "bursts a day, at most (24)"},
    {"max-size", 0, SIZE, AT(max_bytes), .min = KIB * KIB, .max = KIB * KIB * KIB * KIB * KIB,
     .zero_off = true, .preset = KIB * KIB * KIB, .arg = "SIZE",
     .help = "disk space of the recording (1G; 0: no limit)"},
    {"max-age", 0, SPAN, AT(max_age_us), .min = 3600 * PT_SECOND, .max = 36600 * DAY,
     .zero_off = true, .preset = 0, .arg = "TIME",
     .help = "drop what is older: 90d (0, the default: never)"},
    {"sync", 0, SPAN, AT(sync_us), .min = 100000, .max = 3600 * PT_SECOND, .zero_off = true,
     .preset = 30 * PT_SECOND, .arg = "TIME",
     .help = "snapshots survive a power failure after so long\n"
             "(30s; 0: at once)"},
    {"cmdline", 0, WORD, AT(cmdline), .preset = PT_CMDLINE_MASKED, .words = cmdline_words,
     .arg = "MODE", .help = "command lines: masked (secrets hidden), full, name"},
    {"procfs", 0, TEXT, AT(procfs), .arg = "DIR",
     .help = "read processes from DIR instead of /proc"},
    {"sysfs", 0, TEXT, AT(sysfs), .arg = "DIR", .help = "read DIR instead of /sys"},
    {"cgroupfs", 0, TEXT, AT(cgroupfs), .arg = "DIR", .help = "read DIR instead of /sys/fs/cgroup"},
    {"raw-log", 0, TEXT, AT(raw_log), .arg = "FILE",
     .help = "append every text as it was read to FILE"},
    {"config", 0, TEXT, AT(config), .cli_only = true, .arg = "FILE",
     .help = "read options from FILE instead of\n" PT_CONFIG_PATH},
    {"quiet", 'q', FLAG, AT(quiet), .help = "tell warnings and errors only"},
    {"verbose", 'v', FLAG, AT(verbose), .help = "tell more; twice: more still"},
    {"help", 'h', FLAG, AT(help), .cli_only = true, .help = "print this and exit"},
    {"version", 'V', FLAG, AT(version), .cli_only = true, .help = "print the version and exit"},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

#define DUMP_AT(field) .at = offsetof(struct pt_dump_options, field)
static const struct option_row dump_rows[] = {
    {"since", 0, TEXT, DUMP_AT(since), .arg = "TIME",
     .help = "from the first snapshot at or after TIME on"},
    {"until", 0, TEXT, DUMP_AT(until), .arg = "TIME",
     .help = "to the last snapshot at or before TIME"},
    {"output", 'o', TEXT, DUMP_AT(output), .arg = "FILE",
     .help = "write to FILE, which must not exist (default: -,\n"
             "standard output, if it is not a terminal)"},
    {"config", 0, TEXT, DUMP_AT(config), .arg = "FILE",
     .help = "take the database from FILE instead of\n" PT_CONFIG_PATH},
    {"quiet", 'q', FLAG, DUMP_AT(quiet), .help = "tell damage and errors only"},
    {"help", 'h', FLAG, DUMP_AT(help), .help = "print this and exit"},
};

struct table {
    const struct option_row *rows;
    size_t count;
};
static const struct table recording = {rows, ROWS};
static const struct table dumping = {dump_rows, sizeof(dump_rows) / sizeof(*dump_rows)};

/* ---- help ---- */

static void help_row(struct pt_buf *out, const struct option_row *row)
{
    char left[64], line[256];
    snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", row->letter ? '-' : ' ',
             row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
             row->arg ? " " : "", row->arg ? row->arg : "");
    for (const char *at = row->help, *end; at; at = *end ? end + 1 : NULL, left[0] = 0) {
        end = strchrnul(at, '\n');
        const int n = snprintf(line, sizeof(line), "%-30s%.*s\n", left, (int)(end - at), at);
        pt_buf_put(out, line, (size_t)n);
    }
}

static const char *help_text(struct pt_buf *help, const struct table *t, const char *head,
                             const char *tail)
{
    if (!help->len) {
        pt_buf_init(help, 64 << 10);
        pt_buf_put(help, head, strlen(head));
        for (size_t i = 0; i < t->count; i++)
            help_row(help, &t->rows[i]);
        pt_buf_put(help, tail, strlen(tail) + 1);
    }
    return help->failed ? head : (const char *)help->data;
}

const char *pt_options_help(void)
{
    static struct pt_buf help;
    return help_text(
        &help, &recording,
        "Usage: pagetraild [OPTION]...\n"
        "       pagetraild dump [DB] [--since TIME] [--until TIME] [-o FILE]\n"
        "Record the memory of this machine: every process, cgroup and kernel counter.\n\n",
        "\nSIGTERM and SIGINT end the recording cleanly, SIGHUP opens FILE anew, SIGUSR1\n"
        "takes a snapshot at once. See pagetraild(8).\n");
}

const char *pt_dump_help(void)
{
    static struct pt_buf help;
    return help_text(
        &help, &dumping,
        "Usage: pagetraild dump [OPTION]... [DB]\n"
        "Copy a database, also while it is recorded to, or a slice of it into one file.\n\n",
        "\nTimes: 2d, -30m, '2h ago', 14:05, yesterday, '2026-11-23 14:05', @SNAPSHOT,\n"
        "seconds since 1970; relative to the end of the recording. See pagetraild(8).\n");
}

/* ---- one value ---- */

/* Where a value came from: the command line, or a line of a file. */
struct origin {
    const char *file;
    int line;
};

__attribute__((format(printf, 3, 4))) static int wrong(const struct origin *from,
                                                       struct pt_err *err, const char *fmt, ...)
{
    char text[200], place[64] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (from->file)
        snprintf(place, sizeof(place), ":%d: ", from->line);
    return pt_err_set(err, PT_EUSAGE, 0, "", from->line, "%s%s%s", from->file ? from->file : "",
                      place, text);
}

static void print_number(char *ret, size_t size, enum kind kind, int64_t v)
{
    if (kind == SPAN)
        pt_print_span(ret, size, v);
    else if (kind == SIZE)
        pt_print_size(ret, size, v);
    else if (kind == SHARE)
        snprintf(ret, size, "%g%%", (double)v / 10000);
    else
        snprintf(ret, size, "%" PRId64, v);
}

static int set_number(const struct option_row *row, const char *value, int64_t *ret,
                      const struct origin *from, struct pt_err *err)
{
    static const char *const like[] = {
        [SPAN] = "a time such as 10s, 500ms or 1m",
        [SIZE] = "a size such as 512M or 2G",
        [SHARE] = "a share of one core such as 0.5%",
        [COUNT] = "a number",
    };
    const char *dashes = from->file ? "" : "--";
    char least[32], most[32];
    int64_t v = 0;
    uint64_t count = 0;
    struct pt_scan s = pt_scan_of(value, strlen(value));
    const bool good = row->kind == SPAN    ? pt_parse_span(value, &v)
                      : row->kind == SIZE  ? pt_parse_size(value, &v)
                      : row->kind == SHARE ? pt_parse_share(value, &v)
                                           : pt_scan_u64(&s, &count) && s.p == s.end;
    print_number(least, sizeof(least), row->kind, row->min);
    print_number(most, sizeof(most), row->kind, row->max);
    if (!good)
        return wrong(from, err, "%s%s: '%.60s' is not %s (%s to %s%s)", dashes, row->name, value,
                     like[row->kind], least, most, row->zero_off ? ", or 0" : "");
    if (row->kind == COUNT)
        v = count > INT64_MAX ? INT64_MAX : (int64_t)count;
    if ((v < row->min || v > row->max) && !(row->zero_off && v == 0))
        return wrong(from, err, "%s%s: '%.60s' is out of range: %s to %s%s", dashes, row->name,
                     value, least, most, row->zero_off ? ", or 0" : "");
    *ret = v;
    return 0;
}

static int set_word(const struct option_row *row, const char *value, int64_t *ret,
                    const struct origin *from, struct pt_err *err)
{
    for (int i = 0; row->words[i]; i++) {
        if (strcmp(value, row->words[i]) == 0) {
            *ret = i;
            return 0;
        }
    }
    return wrong(from, err, "%s%s: '%.60s' is not %s, %s or %s", from->file ? "" : "--", row->name,
                 value, row->words[0], row->words[1], row->words[2]);
}

/* value NULL: a flag on the command line. */
static int set_flag(const struct option_row *row, const char *value, int64_t *ret,
                    const struct origin *from, struct pt_err *err)
{
    if (!value)
        ++*ret;
    else if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        *ret = *value == 'y';
    else
        return wrong(from, err, "%s: '%.60s' is not yes or no", row->name, value);
    return 0;
}

static int set(void *o, const struct option_row *row, const char *value, const struct origin *from,
               struct pt_err *err)
{
    void *field = (char *)o + row->at;
    switch (row->kind) {
    case FLAG:
        return set_flag(row, value, field, from, err);
    case TEXT:
        if (!*value)
            return wrong(from, err, "%s%s: the name is empty", from->file ? "" : "--", row->name);
        *(const char **)field = value;
        return 0;
    case TIME:
        if (pt_parse_time(value, field))
            return 0;
        return wrong(from, err,
                     "--%s: '%.60s' is not a time (seconds since 1970, RFC 3339 or 'YYYY-MM-DD "
                     "HH:MM:SS', from 1970 to 9999)",
                     row->name, value);
    case WORD:
        return set_word(row, value, field, from, err);
    case SPAN:
    case SIZE:
    case SHARE:
    case COUNT:
        break;
    }
    return set_number(row, value, field, from, err);
}

/* ---- the configuration file ---- */

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n && strchr(" \t\r", text[n - 1]))
        text[--n] = 0;
    return text;
}

static int config_line(struct pt_options *o, char *line, const struct origin *from,
                       struct pt_err *err)
{
    char *key = trim(line);
    if (!*key || *key == '#')
        return 0;
    char *value = strchr(key, '=');
    if (!value)
        return wrong(from, err, "'%.60s' is not 'option = value'", key);
    *value++ = 0;
    key = trim(key);
    value = trim(value);
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, key) != 0)
            continue;
        if (rows[i].cli_only)
            return wrong(from, err, "'%.60s' is for the command line only", key);
        if (strncmp(key, "burst-", strlen("burst-")) == 0)
            o->burst_line = from->line;
        return set(o, &rows[i], value, from, err);
    }
    return wrong(from, err, "unknown option '%.60s'", key);
}

static int config_read(const char *path, char **ret, struct pt_err *err)
{
    /* a pipe may come in pieces; one that nobody writes to is empty */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd < 0 ? NULL : malloc(CONFIG_MAX + 1);
    if (fd >= 0)
        fcntl(fd, F_SETFL, 0);
    size_t len = 0;
    ssize_t n = text ? 1 : -1;
    while (n > 0 && len <= CONFIG_MAX) {
        n = read(fd, text + len, CONFIG_MAX + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    const int why = fd >= 0 && !text ? ENOMEM : errno;
    if (fd >= 0)
        close(fd);
    if (n < 0 || len > CONFIG_MAX || memchr(text, 0, len)) {
        free(text);
        return pt_err_set(err, PT_EUSAGE, n < 0 ? why : 0, "", -1,
                          n < 0 ? "cannot read '%s': %s" : "'%s' is not a configuration file%s",
                          path, n < 0 ? strerror(why) : "");
    }
    text[len] = 0;
    *ret = text;
    return 0;
}

static int config(struct pt_options *o, const char *path, struct pt_err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors put one before UTF-8 */
    int rc = config_read(path, &o->config_text, err);
    struct origin from = {.file = path};
    char *at = o->config_text;
    if (rc >= 0 && strncmp(at, mark, strlen(mark)) == 0)
        at += strlen(mark);
    while (rc >= 0 && at) {
        char *line = strsep(&at, "\n");
        from.line++;
        rc = config_line(o, line, &from, err);
    }
    return rc;
}

/* ---- the command line ---- */

static const struct option_row *row_of(const struct table *t, int c)
{
    if (c >= 256)
        return &t->rows[c - 256];
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].letter == c)
            return &t->rows[i];
    }
    return NULL;
}

/* What getopt_long returned '?' or ':' for. */
static int refuse(const struct table *t, int c, const char *word, struct pt_err *err)
{
    const struct origin here = {0};
    const struct option_row *row = optopt ? row_of(t, optopt) : NULL;
    const char letter[] = {'-', (char)optopt, 0};
    const char *name = optopt && optopt < 256 ? letter : word;
    if (c == ':')
        return wrong(&here, err, "option '%.60s' needs a value", name);
    if (row)
        return wrong(&here, err, "option '--%s' takes no value", row->name);
    for (size_t i = 0; name == word && i < t->count; i++) {
        if (strncmp(t->rows[i].name, word + 2, strcspn(word + 2, "=")) == 0)
            return wrong(&here, err, "option '%.60s' may be --%s or another", word,
                         t->rows[i].name);
    }
    return wrong(&here, err, "unknown option '%.60s'", name);
}

/* One argument that is no option goes to *argument, where that is not NULL. */
static int command_line(const struct table *t, void *o, int argc, char **argv,
                        const char **argument, struct pt_err *err)
{
    struct option longs[ROWS + 1] = {0};
    char shorts[2 * ROWS + 2] = ":";
    size_t n = 1;
    for (size_t i = 0; i < t->count; i++) {
        longs[i] = (struct option){t->rows[i].name,
                                   t->rows[i].kind == FLAG ? no_argument : required_argument, NULL,
                                   256 + (int)i};
        if (t->rows[i].letter)
            shorts[n++] = t->rows[i].letter;
        if (t->rows[i].letter && t->rows[i].kind != FLAG)
            shorts[n++] = ':';
    }
    const struct origin here = {0};
    int c;
    optind = 0; /* glibc: from the start again */
    opterr = 0;
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (c == '?' || c == ':')
            return refuse(t, c, argv[optind - 1], err);
        const struct option_row *row = row_of(t, c);
        const int rc = set(o, row, row->kind == FLAG ? NULL : optarg, &here, err);
        if (rc < 0)
            return rc;
    }
    if (argument && optind < argc)
        *argument = argv[optind++];
    if (optind < argc)
        return wrong(&here, err, "unexpected argument '%.60s'", argv[optind]);
    return 0;
}

/* Half a percent of a core at the usual interval. Who asks for ten times as many snapshots asks for
 * ten times the cost. */
static int64_t usual_budget_ppm(int64_t interval_us)
{
    const int64_t ppm = BUDGET_PPM * PT_INTERVAL_US / interval_us;
    return ppm < BUDGET_PPM ? BUDGET_PPM : ppm > 1000000 ? 1000000 : ppm;
}

/* file: where burst_line is. */
static int agree(const struct pt_options *o, const char *file, struct pt_err *err)
{
    static const struct origin here = {0};
    const struct origin burst = {.file = o->burst_line ? file : NULL, .line = o->burst_line};
    if (o->timestamp_us != PT_UNKNOWN && !o->once)
        return wrong(&here, err, "--timestamp needs --once");
    if (o->once && o->duration_us)
        return wrong(&here, err, "--once and --duration exclude each other");
    if (o->estimate_us && (o->once || o->duration_us))
        return wrong(&here, err, "--estimate excludes --once and --duration");
    if (o->burst_length_us && o->burst_interval_us > o->burst_length_us) {
        char interval[32], length[32];
        pt_print_span(interval, sizeof(interval), o->burst_interval_us);
        pt_print_span(length, sizeof(length), o->burst_length_us);
        return wrong(&burst, err,
                     "burst-interval: '%s' is out of range: 100ms to %s, which is burst-length",
                     interval, length);
    }
    return 0;
}

int pt_options_parse(struct pt_options *ret, int argc, char **argv, struct pt_err *err)
{
    struct pt_options o = {0};
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].kind != TEXT && rows[i].kind != FLAG)
            *(int64_t *)(void *)((char *)&o + rows[i].at) = rows[i].preset;
    }
    struct pt_options first = o;
    int rc = command_line(&recording, &first, argc, argv, NULL, err);
    /* help is to be had with a broken file too; one that is there and cannot be read is an error */
    const bool there = access(PT_CONFIG_PATH, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
    const char *path = first.config ? first.config : there ? PT_CONFIG_PATH : NULL;
    if (rc >= 0 && path && !first.help && !first.version)
        rc = config(&o, path, err);
    if (rc >= 0)
        rc = command_line(&recording, &o, argc, argv, NULL, err);
    if (first.verbose && !first.quiet)
        o.quiet = 0; /* the command line goes over the file */
    if (!o.budget_ppm)
        o.budget_ppm = usual_budget_ppm(o.interval_us);
    if (rc >= 0)
        rc = agree(&o, path, err);
    o.burst_line = 0; /* of parsing alone */
    if (rc < 0) {
        pt_options_release(&o);
        return rc;
    }
    *ret = o;
    return 0;
}

void pt_options_release(struct pt_options *o)
{
    free(o->config_text);
    o->config_text = NULL;
}

int pt_dump_options_parse(struct pt_dump_options *ret, int argc, char **argv, struct pt_err *err)
{
    struct pt_dump_options o = {.output = "-"};
    const int rc = command_line(&dumping, &o, argc, argv, &o.db, err);
    if (rc >= 0)
        *ret = o;
    return rc;
}
