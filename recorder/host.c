/* SPDX-License-Identifier: MIT
 * Facts about the recorded host. */
#include "recorder/host.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/scan.h"

/* The head of a file, without trailing white space, NUL-terminated. Returns its length, 0 when it
 * cannot be read. */
static size_t slurp(int dir, const char *path, char *ret, size_t cap)
{
    const int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t got = 0;
    while (fd >= 0 && got + 1 < cap) {
        const ssize_t n = read(fd, ret + got, cap - 1 - got);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    while (got && (ret[got - 1] == '\n' || ret[got - 1] == ' '))
        got--;
    ret[got] = 0;
    return got;
}

/* Rules of its own ("CET-1CEST"), or a file that has them. */
static bool zone_known(const char *name)
{
    char path[PATH_MAX];
    const char *dir = getenv("TZDIR");
    if (strpbrk(name, "0123456789") || strcmp(name, "UTC") == 0)
        return true;
    if (*name == '/')
        return access(name, R_OK) == 0;
    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/usr/share/zoneinfo", name);
    return access(path, R_OK) == 0;
}

static void zone_told(char *ret, size_t cap)
{
    char path[PATH_MAX];
    const char *tz = getenv("TZ");
    ret[0] = 0;
    if (tz && *tz) {
        snprintf(ret, cap, "%s", *tz == ':' ? tz + 1 : tz);
        return;
    }
    const ssize_t n = readlink("/etc/localtime", path, sizeof(path) - 1);
    if (n > 0) {
        path[n] = 0;
        const char *at = strstr(path, "zoneinfo/");
        snprintf(ret, cap, "%s", at ? at + 9 : "");
    }
    if (!*ret)
        slurp(AT_FDCWD, "/etc/timezone", ret, cap);
}

static int64_t count_cpus(int proc)
{
    char *text = malloc(1 << 16);
    const size_t n = text ? slurp(proc, "stat", text, 1 << 16) : 0;
    struct pt_scan s = pt_scan_of(text, n);
    const char *line;
    size_t len;
    int64_t cpus = 0;
    while (n && pt_scan_until(&s, '\n', &line, &len))
        cpus += len > 3 && memcmp(line, "cpu", 3) == 0 && line[3] != ' ';
    free(text);
    return cpus;
}

/* Where nobody knows the rules of the zone that is asked for, as in a bare container, libc takes
 * UTC, and so are times recorded. */
static void zone_name(char *ret, size_t cap)
{
    zone_told(ret, cap);
    if (*ret && !zone_known(ret))
        snprintf(ret, cap, "UTC");
}

void pt_host_meta(const struct pt_roots *roots, int64_t interval_us, struct pt_meta *ret)
{
    const struct pt_root *root = &roots->root[PT_ROOT_PROC];
    char text[4096];
    uint64_t total = 0;
    *ret = (struct pt_meta){
        .page_size = sysconf(_SC_PAGESIZE),
        .clk_tck = sysconf(_SC_CLK_TCK),
        .cpus = count_cpus(root->fd),
        .interval_us = interval_us,
    };
    slurp(root->fd, "sys/kernel/hostname", ret->host, sizeof(ret->host));
    slurp(root->fd, "sys/kernel/osrelease", ret->kernel, sizeof(ret->kernel));
    if (!slurp(root->fd, "sys/kernel/arch", ret->arch, sizeof(ret->arch)) && root->live) {
        struct utsname uts;
        if (uname(&uts) == 0)
            snprintf(ret->arch, sizeof(ret->arch), "%.*s", (int)sizeof(ret->arch) - 1, uts.machine);
    }
    if (root->live && roots->other_proc)
        slurp(root->fd, "1/root/etc/machine-id", ret->machine_id, sizeof(ret->machine_id));
    else if (root->live)
        slurp(AT_FDCWD, "/etc/machine-id", ret->machine_id, sizeof(ret->machine_id));
    zone_name(ret->zone, sizeof(ret->zone));
    snprintf(ret->program, sizeof(ret->program), "pagetraild %s", PT_VERSION);
    const size_t n = slurp(root->fd, "meminfo", text, sizeof(text));
    if (pt_scan_after(text, n, "MemTotal:", &total))
        ret->mem_total_kb = (int64_t)total;
}

void pt_host_boot_id(const struct pt_roots *roots, char ret[40])
{
    if (!slurp(roots->root[PT_ROOT_PROC].fd, "sys/kernel/random/boot_id", ret, 40))
        memcpy(ret, "unknown", sizeof("unknown"));
}

int64_t pt_host_btime_us(const struct pt_roots *roots)
{
    const struct pt_root *root = &roots->root[PT_ROOT_PROC];
    char *text = malloc(1 << 16);
    uint64_t btime = 0;
    const size_t n = text ? slurp(root->fd, "stat", text, 1 << 16) : 0;
    const bool told = n && pt_scan_after(text, n, "\nbtime ", &btime);
    free(text);
    if (told && btime < INT64_MAX / PT_SECOND)
        return (int64_t)btime * PT_SECOND;
    return root->live ? pt_clock_us(CLOCK_REALTIME) - pt_clock_us(CLOCK_BOOTTIME) : 0;
}

int64_t pt_host_uptime_us(const struct pt_roots *roots)
{
    char text[128];
    const size_t n = slurp(roots->root[PT_ROOT_PROC].fd, "uptime", text, sizeof(text));
    struct pt_scan s = pt_scan_of(text, n);
    uint64_t seconds;
    if (!n || !pt_scan_u64(&s, &seconds) || seconds > (uint64_t)(INT64_MAX / PT_SECOND))
        return -1;
    return (int64_t)seconds * PT_SECOND;
}
