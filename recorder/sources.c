/* SPDX-License-Identifier: MIT
 * The table of host-wide files, and reading them. */
#include "recorder/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/scan.h"
#include "schema/array.h"

#define PROC(p, t)                                                                                 \
    {                                                                                              \
        .root = PT_ROOT_PROC, .path = p, .tier = PT_TIER_##t                                       \
    }
#define PROC_NS(p, t, n)                                                                           \
    {                                                                                              \
        .root = PT_ROOT_PROC, .path = p, .tier = PT_TIER_##t, .ns = n                              \
    }
#define PROC_PID1(p, t, n)                                                                         \
    {                                                                                              \
        .root = PT_ROOT_PROC, .path = p, .tier = PT_TIER_##t, .ns = n, .pid1 = true                \
    }
#define SYS(p, t)                                                                                  \
    {                                                                                              \
        .root = PT_ROOT_SYS, .path = p, .tier = PT_TIER_##t                                        \
    }

static const struct pt_source_row rows[] = {
    PROC("meminfo", TICK),
    PROC("vmstat", TICK),
    PROC("pressure/memory", TICK),
    PROC("pressure/io", TICK),
    PROC("pressure/cpu", TICK),
    PROC("zoneinfo", TICK),
    PROC("buddyinfo", TICK),
    PROC("swaps", TICK),
    PROC("loadavg", TICK),
    PROC("stat", TICK),
    PROC_NS("sysvipc/shm", TICK, "ipc"),

    PROC("slabinfo", SLOW),
    PROC("uptime", SLOW),
    PROC("cgroups", SLOW),
    PROC("pressure/irq", SLOW),
    PROC_NS("net/sockstat", SLOW, "net"),
    PROC_NS("net/sockstat6", SLOW, "net"),
    PROC_PID1("1/net/sockstat", SLOW, "net"),
    PROC_PID1("1/net/sockstat6", SLOW, "net"),
    PROC_NS("sysvipc/msg", SLOW, "ipc"),
    PROC_NS("sysvipc/sem", SLOW, "ipc"),
    PROC("sys/fs/file-nr", SLOW),
    PROC("sys/fs/dentry-state", SLOW),
    PROC("sys/fs/inode-nr", SLOW),
    PROC("sys/fs/inode-state", SLOW),
    SYS("devices/system/node/node*/meminfo", SLOW),
    SYS("devices/system/node/node*/numastat", SLOW),
    SYS("devices/system/node/node*/hugepages/hugepages-*/*_hugepages", SLOW),
    SYS("block/zram*/mm_stat", SLOW),
    SYS("block/zram*/io_stat", SLOW),
    SYS("block/zram*/bd_stat", SLOW),
    SYS("kernel/debug/zswap/*", SLOW),
    SYS("kernel/mm/ksm/pages_*", SLOW),
    SYS("kernel/mm/hugepages/hugepages-*/*hugepages*", SLOW),
    SYS("kernel/mm/transparent_hugepage/khugepaged/full_scans", SLOW),
    SYS("kernel/mm/transparent_hugepage/khugepaged/pages_collapsed", SLOW),

    PROC("pagetypeinfo", RARE),
    PROC("vmallocinfo", RARE),
    PROC("allocinfo", RARE),
    PROC("sys/vm/*", RARE),
    PROC_NS("mounts", RARE, "mnt"),
    PROC_PID1("1/mounts", RARE, "mnt"),
    PROC("cpuinfo", RARE),
    PROC("version", RARE),
    PROC("cmdline", RARE),
    PROC("devices", RARE),
    PROC("filesystems", RARE),
    PROC("tty/drivers", RARE),
    PROC("sys/fs/file-max", RARE),
    PROC("sys/kernel/hostname", RARE),
    PROC("sys/kernel/osrelease", RARE),
    PROC("sys/kernel/ostype", RARE),
    PROC("sys/kernel/version", RARE),
    PROC("sys/kernel/pid_max", RARE),
    PROC("sys/kernel/threads-max", RARE),
    PROC("sys/kernel/random/boot_id", RARE),
    PROC_NS("sys/kernel/shm*", RARE, "ipc"),
    PROC_NS("sys/kernel/msgm*", RARE, "ipc"),
    PROC_NS("sys/kernel/sem", RARE, "ipc"),
    SYS("kernel/mm/ksm/*", RARE),
    SYS("kernel/mm/transparent_hugepage/*", RARE),
    SYS("kernel/mm/transparent_hugepage/hugepages-*/stats/*", RARE),
    SYS("kernel/mm/transparent_hugepage/hugepages-*/*enabled", RARE),
    SYS("kernel/mm/transparent_hugepage/khugepaged/*", RARE),
    SYS("kernel/mm/lru_gen/*", RARE),
    SYS("kernel/mm/numa/*", RARE),
    SYS("kernel/mm/swap/*", RARE),
    SYS("module/zswap/parameters/*", RARE),
    SYS("block/zram*/disksize", RARE),
    SYS("block/zram*/comp_algorithm", RARE),
};

/* Files that a pattern finds and that must not be read: a read of stat_refresh makes every CPU fold
 * its counters. */
static const char *const never[] = {
    "sys/vm/stat_refresh",
    "sys/vm/compact_memory",
    "sys/vm/drop_caches",
};

/* Patterns are looked up again every so many ticks: nodes, zram devices and huge page sizes come
 * and go. */
#define EXPAND_TICKS     360
#define SYSTEM_FILES_MAX 4096

struct entry {
    char *name, *path; /* path points into name unless the namespace marks it */
    int64_t source;    /* handle; < 0: not opened */
    int fd;            /* kept open, or -1 */
    uint8_t root, tier;
    bool denied;
    uint32_t phase;
};

struct pt_system {
    const struct pt_roots *roots;
    struct entry *entries;
    uint32_t n;
    size_t cap;
    uint64_t expanded; /* tick + 1 of the last expansion; 0: never */
};

const struct pt_source_row *pt_source_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(*rows);
    return rows;
}

/* Does a tick read a source of this tier and phase? */
static bool is_due(enum pt_tier tier, uint32_t phase, uint64_t tick)
{
    static const uint32_t period[PT_TIERS] = {1, PT_SLOW_TICKS, PT_RARE_TICKS};
    return tick % period[tier] == phase % period[tier];
}

int pt_system_new(const struct pt_roots *roots, struct pt_system **ret, struct pt_err *err)
{
    struct pt_system *s = calloc(1, sizeof(*s));
    if (!s)
        return pt_err_nomem(err);
    s->roots = roots;
    *ret = s;
    return 0;
}

void pt_system_free(struct pt_system *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->entries[i].fd >= 0)
            close(s->entries[i].fd);
        free(s->entries[i].name);
        free(s->entries[i].path);
    }
    free(s->entries);
    free(s);
}

/* ---- expansion ---- */

static bool known(const struct pt_system *s, enum pt_root_kind root, const char *path)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->entries[i].root == root && strcmp(s->entries[i].path, path) == 0)
            return true;
    }
    return false;
}

static bool wanted(const struct pt_system *s, const struct pt_source_row *row, const char *path)
{
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (row->root == PT_ROOT_PROC && strcmp(path, never[i]) == 0)
            return false;
    }
    return s->n < SYSTEM_FILES_MAX && !known(s, row->root, path);
}

static void add(struct pt_system *s, const struct pt_source_row *row, const char *path)
{
    if (!wanted(s, row, path))
        return;
    struct entry *entries = pt_array_room(s->entries, s->n, &s->cap, sizeof(*entries));
    if (!entries)
        return;
    s->entries = entries;
    const char *own =
        row->ns && !row->pid1 && pt_roots_ns_differs(s->roots, row->ns) ? "self/" : "";
    struct entry e = {.root = (uint8_t)row->root,
                      .tier = (uint8_t)row->tier,
                      .fd = -1,
                      .source = -1,
                      .phase = s->n};
    if (asprintf(&e.name, "%s%s%s", pt_root_prefix(row->root), own, path) < 0)
        return;
    e.path = strdup(path);
    if (!e.path) {
        free(e.name);
        return;
    }
    s->entries[s->n++] = e;
}

/* Is it a file that may be read? Directories and files without read permission (write-only knobs)
 * are passed over. */
static bool readable_file(int dir, const char *path)
{
    struct stat st;
    return fstatat(dir, path, &st, 0) == 0 && !S_ISDIR(st.st_mode) && (st.st_mode & 0444);
}

/* Adds what matches the pattern in path from `at` on; path has the expanded part before it. */
static void expand(struct pt_system *s, struct pt_sink *sink, const struct pt_source_row *row,
                   const char *done, const char *rest)
{
    const int root = s->roots->root[row->root].fd;
    const size_t plain = strcspn(rest, "*");
    char path[512];
    if (!rest[plain]) {
        if (snprintf(path, sizeof(path), "%s%s", done, rest) < (int)sizeof(path) &&
            (plain == strlen(row->path) || readable_file(root, path)))
            add(s, row, path);
        return;
    }
    size_t comp = plain;
    while (comp > 0 && rest[comp - 1] != '/')
        comp--;
    const size_t end = comp + strcspn(rest + comp, "/");
    char pattern[128];
    if (end - comp >= sizeof(pattern) ||
        snprintf(path, sizeof(path), "%s%.*s", done, (int)comp, rest) >= (int)sizeof(path))
        return;
    memcpy(pattern, rest + comp, end - comp);
    pattern[end - comp] = 0;
    const int fd = openat(root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int why = fd < 0 ? errno : 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        else if (sink->access && snprintf(path, sizeof(path), "%s%s", pt_root_prefix(row->root),
                                          row->path) < (int)sizeof(path))
            pt_access_add(sink->access, path, why);
        return;
    }
    for (const struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        char next[512];
        if (d->d_name[0] != '.' && fnmatch(pattern, d->d_name, 0) == 0 &&
            snprintf(next, sizeof(next), "%s%s", path, d->d_name) < (int)sizeof(next))
            expand(s, sink, row, next, rest + end);
    }
    closedir(dir);
}

static void expand_all(struct pt_system *s, struct pt_sink *sink)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (s->roots->root[rows[i].root].fd >= 0 &&
            (!rows[i].pid1 || s->roots->other_proc || pt_roots_ns_differs(s->roots, rows[i].ns)))
            expand(s, sink, &rows[i], "", rows[i].path);
    }
}

/* ---- reading ---- */

static void headline_meminfo(struct pt_headline *h, const char *text, size_t len)
{
    uint64_t total, left, available;
    if (pt_scan_after(text, len, "MemTotal:", &total))
        h->mem_total_kb = (int64_t)total;
    if (pt_scan_after(text, len, "MemAvailable:", &available))
        h->mem_available_kb = (int64_t)available;
    if (pt_scan_after(text, len, "SwapTotal:", &total) &&
        pt_scan_after(text, len, "SwapFree:", &left) && left <= total)
        h->swap_used_kb = (int64_t)(total - left);
}

static void headline_pressure(struct pt_headline *h, const char *text, size_t len)
{
    uint64_t v;
    const char *full = memmem(text, len, "full ", 5);
    if (pt_scan_after(text, full ? (size_t)(full - text) : len, "total=", &v))
        h->psi_some_us = (int64_t)v;
    if (full && pt_scan_after(full, (size_t)(text + len - full), "total=", &v))
        h->psi_full_us = (int64_t)v;
}

static void headline_stat(struct pt_headline *h, const char *text, size_t len)
{
    uint64_t forks;
    if (pt_scan_after(text, len, "\nprocesses ", &forks))
        h->forks = (int64_t)forks;
}

static void headline_vmstat(struct pt_headline *h, const char *text, size_t len)
{
    uint64_t kills;
    if (pt_scan_after(text, len, "\noom_kill ", &kills))
        h->oom_kills = (int64_t)kills;
}

static void headline_zoneinfo(struct pt_headline *h, const char *text, size_t len)
{
    static const char key[] = "\n        high ";
    const char *end = text + len, *at = text;
    uint64_t pages;
    h->high_pages = 0;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
        if (pt_scan_after(at, (size_t)(end - at), "high ", &pages) && pages < INT32_MAX)
            h->high_pages += (int64_t)pages;
        at += sizeof(key) - 1;
    }
}

static void headline(struct pt_headline *h, const struct entry *e, const char *text, size_t len)
{
    static const struct {
        const char *name;
        void (*look)(struct pt_headline *h, const char *text, size_t len);
    } files[] = {
        {"proc:meminfo", headline_meminfo},   {"proc:pressure/memory", headline_pressure},
        {"proc:stat", headline_stat},         {"proc:vmstat", headline_vmstat},
        {"proc:zoneinfo", headline_zoneinfo},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        if (strcmp(e->name, files[i].name) == 0)
            files[i].look(h, text, len);
    }
}

static void entry_failed(struct entry *e, struct pt_sink *sink, int why)
{
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
    e->denied = why == EACCES || why == EPERM;
    if (why == ENOENT || why == ENODEV) {
        if (e->source >= 0)
            pt_sink_gone(sink, (uint32_t)e->source);
        e->source = -1;
        return;
    }
    if (e->source < 0)
        e->source = pt_sink_open(sink, e->name);
    if (e->source >= 0)
        pt_sink_fail(sink, (uint32_t)e->source, why, PT_UNKNOWN);
}

static void entry_read(const struct pt_system *s, struct entry *e, struct pt_sink *sink,
                       struct pt_headline *h)
{
    int fd = e->fd;
    if (fd < 0)
        fd = openat(s->roots->root[e->root].fd, e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        entry_failed(e, sink, errno);
        return;
    }
    if (e->source < 0)
        e->source = pt_sink_open(sink, e->name);
    const ssize_t n =
        e->source < 0 ? -ENOMEM : pt_sink_fd(sink, (uint32_t)e->source, fd, PT_READ_ALL);
    if (e->tier == PT_TIER_TICK)
        e->fd = fd;
    else
        close(fd);
    e->denied = false;
    if (n < 0)
        entry_failed(e, sink, (int)-n);
    else if (e->tier == PT_TIER_TICK && n < (ssize_t)PT_SINK_BUFFER)
        headline(h, e, sink->buf, (size_t)n);
}

uint32_t pt_system_denied(const struct pt_system *s)
{
    uint32_t denied = 0;
    for (uint32_t i = 0; i < s->n; i++)
        denied += s->entries[i].denied;
    return denied;
}

void pt_system_each_denied(const struct pt_system *s, void (*fn)(void *ctx, const char *name),
                           void *ctx)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->entries[i].denied)
            fn(ctx, s->entries[i].name);
    }
}

void pt_system_tick(struct pt_system *s, struct pt_sink *sink, enum pt_tier tier, uint64_t tick,
                    bool full, struct pt_headline *ret)
{
    if (tier == PT_TIER_TICK) {
        *ret = (struct pt_headline){PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN,
                                    PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN,
                                    PT_UNKNOWN, PT_UNKNOWN, pt_clock_us(CLOCK_MONOTONIC)};
        if (!s->expanded || tick + 1 - s->expanded >= EXPAND_TICKS) {
            expand_all(s, sink);
            s->expanded = tick + 1;
        }
    }
    for (uint32_t i = 0; i < s->n; i++) {
        struct entry *e = &s->entries[i];
        if (e->tier == tier && (full || is_due(e->tier, e->phase, tick)))
            entry_read(s, e, sink, ret);
    }
}
