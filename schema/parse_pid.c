/* SPDX-License-Identifier: MIT
 * Parsers of a process's files: stat, status, maps, smaps, numa_maps, cgroup. */
#include "schema/parse.h"

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

/* "123 (comm) S 1 ...": comm may hold anything, so it ends at the last ')'. */
int pt_parse_pid_stat(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {
        "state",       "ppid",        "pgrp",        "session",     "tty_nr",
        "tpgid",       "flags",       "minflt",      "cminflt",     "majflt",
        "cmajflt",     "utime",       "stime",       "cutime",      "cstime",
        "priority",    "nice",        "num_threads", "itrealvalue", "starttime",
        "vsize",       "rss",         "rsslim",      "startcode",   "endcode",
        "startstack",  "kstkesp",     "kstkeip",     "signal",      "blocked",
        "sigignore",   "sigcatch",    "wchan",       "nswap",       "cnswap",
        "exit_signal", "processor",   "rt_priority", "policy",      "delayacct_blkio_ticks",
        "guest_time",  "cguest_time", "start_data",  "end_data",    "start_brk",
        "arg_start",   "arg_end",     "env_start",   "env_end",     "exit_code"};
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, pid, line;
    if (!pt_take_digits(&rest, &pid) || !pt_str_starts(rest, " ("))
        return 0;
    int r = pt_put_name(&o, "pid", pid);
    const char *open = rest.p + 1, *close = memrchr(rest.p, ')', rest.n);
    if (r < 0 || close == NULL)
        return r;
    r = pt_put_name(&o, "comm", (struct pt_str){open + 1, (size_t)(close - open - 1)});
    line = (struct pt_str){close + 1, (size_t)(text + len - (close + 1))};
    if (r < 0 || !pt_take_line(&line, &rest))
        return r;
    return pt_put_columns(&o, rest, names, COUNT(names));
}

/* Two numbers or four under one key. */
static int put_ids(const struct pt_out *o, const char *const *names, struct pt_str words)
{
    return pt_put_columns(o, words, names, 4);
}

static int put_status_line(const struct pt_out *o, struct pt_str line)
{
    static const char *const uid[] = {"Uid", "Uid.effective", "Uid.saved", "Uid.fs"};
    static const char *const gid[] = {"Gid", "Gid.effective", "Gid.saved", "Gid.fs"};
    struct pt_str rest = line, key, queued;
    if (pt_str_starts(line, "Name:\t")) /* any bytes; the kernel escapes line feeds */
        return pt_put_name(o, "Name", (struct pt_str){line.p + 6, line.n - 6});
    pt_take_word(&rest, &key);
    if (pt_str_is(key, "Uid:"))
        return put_ids(o, uid, rest);
    if (pt_str_is(key, "Gid:"))
        return put_ids(o, gid, rest);
    if (pt_str_is(key, "Groups:")) /* a list of names, not one number and more */
        return pt_put_name(o, "Groups", pt_trim(rest));
    rest = pt_trim(rest);
    if (pt_str_is(key, "SigQ:") && pt_take_digits(&rest, &queued) && rest.n > 1 && *rest.p == '/') {
        int r = pt_put_name(o, "SigQ", queued);
        return r < 0 ? r : pt_put_name(o, "SigQ.limit", (struct pt_str){rest.p + 1, rest.n - 1});
    }
    return pt_put_key_line(o, line);
}

int pt_parse_status(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line))
        r = put_status_line(&o, line);
    return r < 0 ? r : 0;
}

static bool take_hex(struct pt_str *rest, struct pt_str *ret)
{
    size_t n = 0;
    while (n < rest->n &&
           ((rest->p[n] >= '0' && rest->p[n] <= '9') || (rest->p[n] >= 'a' && rest->p[n] <= 'f')))
        n++;
    *ret = (struct pt_str){rest->p, n};
    rest->p += n;
    rest->n -= n;
    return n > 0;
}

static bool take_char(struct pt_str *rest, char c)
{
    if (rest->n == 0 || *rest->p != c)
        return false;
    rest->p++;
    rest->n--;
    return true;
}

/* "55d0-55d1 r--p 00002000 fe:00 247498     /usr/bin/head" */
struct map {
    struct pt_str start, end, perms, offset, dev, major, minor, inode, path;
};

static bool take_map(struct pt_str line, struct map *ret)
{
    struct pt_str d;
    if (!take_hex(&line, &ret->start) || !take_char(&line, '-') || !take_hex(&line, &ret->end) ||
        !take_char(&line, ' ') || !pt_take_word(&line, &ret->perms) ||
        !pt_take_word(&line, &ret->offset) || !pt_take_word(&line, &ret->dev) ||
        !pt_take_word(&line, &ret->inode))
        return false;
    d = ret->dev;
    if (!take_hex(&d, &ret->major) || !take_char(&d, ':') || !take_hex(&d, &ret->minor) || d.n != 0)
        return false;
    while (take_char(&line, ' '))
        ;
    ret->path = line; /* to the end: a name may end in blanks */
    return true;
}

static int put_map(struct pt_out *o, const struct map *m)
{
    const struct {
        const char *name;
        struct pt_str value;
    } items[] = {
        {"start", m->start},     {"end", m->end},     {"perms", m->perms},
        {"offset", m->offset},   {"dev", m->dev},     {"dev.major", m->major},
        {"dev.minor", m->minor}, {"inode", m->inode}, {"path", m->path},
    };
    o->row = m->path.n > 0 ? m->path : PT_STR("[anon]");
    size_t count = m->path.n > 0 ? COUNT(items) : COUNT(items) - 1;
    for (size_t i = 0; i < count; i++) {
        int r = pt_put_name(o, items[i].name, items[i].value);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_parse_smaps(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    struct map m;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (take_map(line, &m))
            r = put_map(&o, &m);
        else if (o.row.n > 0)
            r = pt_put_key_line(&o, line);
    }
    return r < 0 ? r : 0;
}

/* The row is the file, or the first of heap, stack, huge, or nothing of those. */
static struct pt_str numa_row(struct pt_str words)
{
    struct pt_str word;
    while (pt_take_word(&words, &word)) {
        if (pt_str_starts(word, "file="))
            return (struct pt_str){word.p + 5, word.n - 5};
        if (pt_str_is(word, "heap"))
            return PT_STR("[heap]");
        if (pt_str_is(word, "stack"))
            return PT_STR("[stack]");
    }
    return PT_STR("[anon]");
}

/* "7fc5affca000 default file=/lib/x mapped=32 N0=32 kernelpagesize_kB=4"; the kernel escapes
 * blanks. */
int pt_parse_numa_maps(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, address, digits, policy;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (!pt_take_word(&line, &address) || !pt_take_word(&line, &policy))
            continue;
        struct pt_str hex = address;
        if (!take_hex(&hex, &digits) || hex.n != 0)
            continue;
        o.row = numa_row(line);
        r = pt_put_name(&o, "start", address);
        if (r >= 0)
            r = pt_put_name(&o, "policy", policy);
        if (r >= 0)
            r = pt_put_pairs(&o, line);
    }
    return r < 0 ? r : 0;
}

/* "4:memory:/path": the row is the controllers, "" for cgroup v2. */
int pt_parse_pid_cgroup(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, id;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (!pt_take_digits(&line, &id) || !take_char(&line, ':'))
            continue;
        const char *colon = memchr(line.p, ':', line.n);
        if (colon == NULL)
            continue;
        size_t n = (size_t)(colon - line.p);
        o.row = (struct pt_str){line.p, n};
        r = pt_put_name(&o, "hierarchy", id);
        if (r >= 0)
            r = pt_put_name(&o, "path", (struct pt_str){colon + 1, line.n - n - 1});
    }
    return r < 0 ? r : 0;
}
