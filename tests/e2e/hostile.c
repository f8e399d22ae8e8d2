/* SPDX-License-Identifier: MIT
 * e2e_hostile DIR STEP: writes DIR/proc, DIR/sys and DIR/cgroup: trees as of a machine whose kernel
 * and programs do their worst. Every file holds one of the texts below, another one at the next
 * STEP; processes come and go. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/number.h"

#define LONG_LINE  (1u << 20)
#define LONG_LINES 2 /* such files a tree; what would be more of them has short lines */

static unsigned seed, long_lines;

static unsigned pick(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static unsigned line_length(void)
{
    return long_lines++ < LONG_LINES ? LONG_LINE : LONG_LINE / 256;
}

/* ---- texts: what any file may hold ---- */

static void t_plain(FILE *f)
{
    for (int i = 0; i < 40; i++)
        fprintf(f, "Key%d: %15u kB\n", i, pick(1u << 20));
}

static void t_empty(FILE *f)
{
    (void)f;
}

static void t_crlf(FILE *f)
{
    fprintf(f, "MemTotal: %8u kB\r\nMemFree: %u kB\r\n\r\nnr_x %u\r", pick(99999), pick(10),
            pick(3));
}

static void t_cut(FILE *f)
{
    fprintf(f, "MemTotal: %8u kB\nMemFree: %u", pick(99999), pick(1000));
}

static void t_huge(FILE *f)
{
    static const char *const n[] = {
        "9223372036854775807",  "9223372036854775808",
        "18446744073709551615", "18446744073709551616",
        "99999999999999999999", "340282366920938463463374607431768211456",
        "09223372036854775808", "0",
    };
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "big%u %s kB\nword%s\n", i, n[pick(8)], n[pick(8)]);
}

static void t_zeros(FILE *f)
{
    static const char *const n[] = {"0",  "00",  "000", "01", "001", "0000000000000000000000001",
                                    "10", "010", "7"};
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "z%u: %s %s%s\n", i, n[pick(9)], n[pick(9)], n[pick(9)]);
}

static void t_signs(FILE *f)
{
    static const char *const n[] = {"-1", "-0", "+1", "--1", "-00", "- 1", "-9223372036854775808",
                                    "1-", "-",  "+"};
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "s%u %s,%s\n", i, n[pick(10)], n[pick(10)]);
}

static void t_widths(FILE *f)
{
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "w%u:%*u %-*u|%0*u kB\n", i, (int)(1 + pick(12)), pick(1u << (1 + pick(20))),
                (int)(1 + pick(12)), pick(9999), (int)(1 + pick(9)), pick(99));
}

static void t_long(FILE *f)
{
    fprintf(f, "MemFree: %u kB\nlong:", pick(99999));
    const unsigned length = line_length();
    for (unsigned at = 0; at < length;)
        at += (unsigned)fprintf(f, pick(50) ? " %u" : " x%u", pick(1u << 30));
    fprintf(f, "\nSwapFree: %u kB\n", pick(99));
}

static void t_long_dull(FILE *f)
{
    const unsigned length = line_length();
    for (unsigned i = 0; i < length; i++)
        fputc(i % 4096 == 7 ? '0' + (int)pick(10) : 'a', f);
}

static void t_bytes(FILE *f)
{
    fprintf(f, "Name:\t\xff\xfe\x80)(\nVm\xc3: 12 kB\n");
    fwrite("nul\0 12\0\0 kB\n", 1, 13, f);
    for (int i = 0; i < 300; i++)
        fputc((int)pick(256), f);
}

static void t_blank(FILE *f)
{
    fputs("\n\n \n\t\n\n", f);
}

static void t_hex(FILE *f)
{
    static const char *const n[] = {
        "deadbeef",         "DEADBEEF",          "dEaDbEeF",         "0x1f", "0X1F", "0x",
        "ffffffffffffffff", "fffffffffffffffff", "00000000deadbeef", "e",    "1e9",  "g1"};
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "%s-%s %x %08x %s\n", n[pick(12)], n[pick(12)], pick(1u << 30), pick(1u << 30),
                n[pick(12)]);
}

static void t_fractions(FILE *f)
{
    static const char *const n[] = {
        "0.05",  "0.5",   ".5",    "5.",  "00.50", "1.000000000000000000000001",
        "99.99", "1.2.3", "-0.01", "0.00"};
    for (unsigned i = 0; i < 24; i++)
        fprintf(f, "some avg10=%s avg60=%s total=%u\n", n[pick(10)], n[pick(10)], pick(1u << 30));
}

static void t_random(FILE *f)
{
    const unsigned n = pick(9000);
    for (unsigned i = 0; i < n; i++)
        fputc(pick(3) ? "0123456789abcdef -:\n"[pick(20)] : (int)pick(256), f);
}

static void t_rows(FILE *f)
{
    static const char *const names[] = {"kmalloc-64", "dentry", "a b", "", "kmalloc-64", "(x)"};
    fputs("slabinfo - version: 2.1\n# name <active_objs>\n", f);
    for (unsigned i = pick(3); i < 12; i++)
        fprintf(f, "%-17s %6u %6u %6u %4u %4u : tunables %4u\n", names[pick(6)], pick(99),
                pick(9999), pick(999), pick(64), pick(8), pick(2));
}

static void t_smaps(FILE *f)
{
    static const char *const names[] = {
        "[heap]",
        "/usr/bin/a b",
        "/tmp/x (deleted)",
        "/tmp/x\\012y",
        "//anon",
        "[anon:gl\xffibc]",
        "",
        "/dev/zero (deleted) (deleted)",
        "7f00-8000 rw-p",
        "/SYSV00000000 (deleted)",
        "Size: 4 kB",
        "[stack]",
    };
    uint64_t at = 0x1000;
    for (unsigned i = 0; i < 60; i++) {
        const uint64_t from = pick(9) ? at : at - 0x800 * pick(3);
        at = from + 0x1000ull * pick(64) * (pick(20) ? 1 : 0x7ffffffull);
        fprintf(f, "%08" PRIx64 "-%08" PRIx64 " rw-p %08x 00:%02x %-10u %s\n", from,
                pick(30) ? at : from, pick(9) << 12, pick(256), pick(99999), names[pick(12)]);
        fprintf(f, "Size: %18u kB\nRss: %*u kB\n", pick(9999), pick(5) ? 19 : 3, pick(9999));
        if (pick(8))
            fprintf(f, "Pss_Anon:%15u kB\nVmFlags: rd wr mr %s\n", pick(9999),
                    pick(2) ? "sd " : "");
    }
    if (pick(2))
        fputs("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]", f);
}

static void t_pid_stat(FILE *f)
{
    static const char *const comm[] = {"foo) Z ",  "foo)\nZ\n", ") R 1 1 (", "",
                                       "\xff\xfe", "a b",       "))))"};
    fprintf(f, "%u (%s) S 1 %u %u 0 -1 4194560 %u 0 0", pick(999), comm[pick(7)], pick(99),
            pick(99), pick(99999));
    for (int i = 0; i < 40; i++)
        fprintf(f, " %u", pick(1u << 20));
    fputs(" 18446744073709551615 -20\n", f);
}

static void (*const texts[])(FILE *f) = {
    t_plain, t_empty,     t_crlf,  t_cut, t_huge,   t_zeros,     t_signs, t_widths, t_long,
    t_bytes, t_long_dull, t_blank, t_hex, t_random, t_fractions, t_rows,  t_smaps,  t_pid_stat,
};
#define TEXTS (sizeof(texts) / sizeof(*texts))

/* ---- trees ---- */

static const char *const host_files[] = {
    "proc/meminfo",
    "proc/vmstat",
    "proc/zoneinfo",
    "proc/buddyinfo",
    "proc/pagetypeinfo",
    "proc/swaps",
    "proc/loadavg",
    "proc/stat",
    "proc/slabinfo",
    "proc/vmallocinfo",
    "proc/pressure/memory",
    "proc/pressure/io",
    "proc/sysvipc/shm",
    "proc/cpuinfo",
    "proc/version",
    "proc/uptime",
    "proc/1/mounts",
    "proc/sys/vm/swappiness",
    "proc/sys/fs/file-nr",
    "proc/net/sockstat",
    "proc/sys/kernel/random/boot_id",
    "sys/devices/system/node/node0/meminfo",
    "sys/devices/system/node/node0/numastat",
    "sys/kernel/mm/ksm/pages_shared",
    "sys/block/zram0/mm_stat",
    "cgroup/cgroup.controllers",
    "cgroup/a.slice/memory.current",
    "cgroup/a.slice/memory.stat",
    "cgroup/a.slice/memory.events",
    "cgroup/a.slice/odd name\n/memory.current",
    "cgroup/a.slice/memory.pressure",
};
static const char *const pid_files[] = {"stat",         "statm",     "status",        "smaps",
                                        "smaps_rollup", "maps",      "numa_maps",     "cmdline",
                                        "comm",         "oom_score", "oom_score_adj", "cgroup"};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void make_parents(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            perror(path);
        *p = '/';
    }
}

/* A new file put in place of the old one, or now and then nothing, or a directory. */
static void write_text(char *path, unsigned which)
{
    char fresh[4200];
    make_parents(path);
    unlink(path);
    rmdir(path);
    if (pick(40) == 0)
        return;
    if (pick(60) == 0) {
        mkdir(path, 0700);
        return;
    }
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *f = fopen(fresh, "we");
    if (!f) {
        perror(fresh);
        exit(1);
    }
    texts[which](f);
    if (fclose(f) || rename(fresh, path) < 0) {
        perror(path);
        exit(1);
    }
}

static void remove_process(const char *dir, unsigned pid)
{
    char path[4096];
    for (unsigned i = 0; i < COUNT(pid_files); i++) {
        snprintf(path, sizeof(path), "%s/proc/%u/%s", dir, pid, pid_files[i]);
        unlink(path);
        rmdir(path);
    }
    snprintf(path, sizeof(path), "%s/proc/%u", dir, pid);
    rmdir(path);
}

/* Now and then stat, maps and smaps hold what they should, so that parsers get past the first
 * bytes. */
static void write_process(const char *dir, unsigned pid, unsigned step)
{
    char path[4096];
    for (unsigned i = 0; i < COUNT(pid_files); i++) {
        unsigned which = (i * 5 + pid * 3 + step) % TEXTS;
        if ((pid + step) % 3 == 0 && i == 0)
            which = TEXTS - 1;
        if ((pid + step) % 3 == 0 && (i == 3 || i == 5))
            which = TEXTS - 2;
        snprintf(path, sizeof(path), "%s/proc/%u/%s", dir, pid, pid_files[i]);
        write_text(path, which);
    }
}

int main(int argc, char **argv)
{
    int64_t step;
    char path[4096];
    if (argc != 3 || !number_of(argv[2], &step)) {
        fputs("usage: e2e_hostile DIR STEP\n", stderr);
        return 2;
    }
    seed = (unsigned)step * 7919u + 1;
    for (unsigned i = 0; i < COUNT(host_files); i++) {
        snprintf(path, sizeof(path), "%s/%s", argv[1], host_files[i]);
        write_text(path, (unsigned)(i * 7 + (unsigned)step) % TEXTS);
    }
    for (unsigned pid = 2; pid < 20; pid++)
        if ((pid + step) % 5)
            write_process(argv[1], pid, (unsigned)step);
        else
            remove_process(argv[1], pid);
    return 0;
}
