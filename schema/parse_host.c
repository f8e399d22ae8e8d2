/* SPDX-License-Identifier: MIT
 * Parsers of host-wide files that are lines or columns. */
#include "schema/parse.h"

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

/* The first line's words under fixed names. */
static int columns(const char *text, size_t len, pt_emit *emit, void *ctx, const char *const *names,
                   size_t count)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    return pt_take_line(&rest, &line) ? pt_put_columns(&o, line, names, count) : 0;
}

int pt_parse_uptime(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"uptime", "idle"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_statm(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"size", "resident", "shared", "text", "lib", "data", "dt"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_file_nr(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"allocated", "unused", "max"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_dentry_state(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"nr_dentry",  "nr_unused",   "age_limit",
                                        "want_pages", "nr_negative", "dummy"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_inode_state(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"nr_inodes", "nr_free_inodes", "preshrink", "dummy1",
                                        "dummy2",    "dummy3",         "dummy4"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_mm_stat(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"orig_data_size",  "compr_data_size", "mem_used_total",
                                        "mem_limit",       "mem_used_max",    "same_pages",
                                        "pages_compacted", "huge_pages",      "huge_pages_since"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_zram_io_stat(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"failed_reads", "failed_writes", "invalid_io",
                                        "notify_free"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_zram_bd_stat(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"bd_count", "bd_reads", "bd_writes"};
    return columns(text, len, emit, ctx, names, COUNT(names));
}

/* "0.00 0.01 0.05 1/93 6340" */
int pt_parse_loadavg(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"load1", "load5", "load15"};
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, word, digits;
    int r = 0;
    if (!pt_take_line(&rest, &line))
        return 0;
    for (size_t i = 0; r >= 0 && i < COUNT(names) && pt_take_word(&line, &word); i++)
        r = pt_put_name(&o, names[i], word);
    if (r < 0 || !pt_take_word(&line, &word))
        return r;
    if (pt_take_digits(&word, &digits) && word.n > 1 && *word.p == '/') {
        r = pt_put_name(&o, "running", digits);
        if (r >= 0)
            r = pt_put_name(&o, "total", (struct pt_str){word.p + 1, word.n - 1});
    }
    if (r >= 0 && pt_take_word(&line, &word))
        r = pt_put_name(&o, "last_pid", word);
    return r;
}

static int put_stat_line(struct pt_out *o, struct pt_str line)
{
    static const char *const cpu[] = {"user", "nice",    "system", "idle",  "iowait",
                                      "irq",  "softirq", "steal",  "guest", "guest_nice"};
    static const char *const softirq[] = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                          "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};
    struct pt_str key, total;
    if (!pt_take_word(&line, &key))
        return 0;
    o->row = (struct pt_str){"", 0};
    if (pt_str_starts(key, "cpu")) {
        o->row = key;
        return pt_put_columns(o, line, cpu, COUNT(cpu));
    }
    if (!pt_take_word(&line, &total))
        return 0;
    int r = pt_put(o, key, total);
    if (r >= 0 && pt_str_is(key, "softirq")) {
        o->row = key;
        r = pt_put_columns(o, line, softirq, COUNT(softirq));
    }
    return r; /* of "intr" only the total: the rest is a number an interrupt line */
}

int pt_parse_stat(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line))
        r = put_stat_line(&o, line);
    return r < 0 ? r : 0;
}

/* Key lines; the row is the number of the processor. */
int pt_parse_cpuinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        const char *colon = memchr(line.p, ':', line.n);
        if (pt_str_starts(line, "processor") && colon != NULL)
            o.row = pt_trim((struct pt_str){colon + 1, line.n - (size_t)(colon + 1 - line.p)});
        r = pt_put_key_line(&o, line);
    }
    return r < 0 ? r : 0;
}

/* "Node 0 MemTotal:  4942040 kB" */
int pt_parse_node_meminfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, word;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (pt_take_word(&line, &word) && pt_str_is(word, "Node") && pt_take_word(&line, &word))
            r = pt_put_key_line(&o, line);
    }
    return r < 0 ? r : 0;
}

int pt_parse_pids(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        line = pt_trim(line);
        if (pt_is_number(line))
            r = pt_put_name(&o, "pid", line);
    }
    return r < 0 ? r : 0;
}

/* "source /mount/point type options 0 0"; the kernel escapes blanks in names. */
int pt_parse_mounts(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"type", "options", "freq", "passno"};
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, source;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (!pt_take_word(&line, &source) || !pt_take_word(&line, &o.row))
            continue;
        r = pt_put_name(&o, "source", source);
        if (r >= 0)
            r = pt_put_columns(&o, line, names, COUNT(names));
    }
    return r < 0 ? r : 0;
}
