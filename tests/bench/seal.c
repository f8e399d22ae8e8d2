/* SPDX-License-Identifier: MIT
 * What a seal takes: packs all frames of a database that a recorder left when it was killed.
 *
 *   seal DB
 *
 * Prints "cpu_ns C rss_kb R": the CPU time, and the most memory there was at once beyond what the
 * open database has. Memory is set up as the recorder's. Units: nanoseconds, KiB. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "schema/store.h"

/* A number of /proc/self/status, in KiB. */
static uint64_t status_kb(const char *key)
{
    char line[256], number[32] = "";
    FILE *f = fopen("/proc/self/status", "re");
    if (!f)
        bench_die("cannot open", "/proc/self/status");
    while (fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *digits = line + strcspn(line, "0123456789");
            snprintf(number, sizeof number, "%.*s", (int)strspn(digits, "0123456789"), digits);
        }
    fclose(f);
    uint64_t kb;
    if (!bench_number(number, INT64_MAX, &kb))
        bench_die("cannot read", key);
    return kb;
}

/* Peaks count from now on. */
static void forget_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1)
        bench_die("cannot write to", "/proc/self/clear_refs");
    close(fd);
}

int main(int argc, char **argv)
{
    struct pt_err err = {0};
    struct pt_store *store = NULL;
    const struct pt_meta meta = {.host = "bench"};
    if (argc != 2) {
        fputs("usage: seal DB\n", stderr);
        return 2;
    }
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    int r = pt_store_open(argv[1], &meta, &store, &err);
    forget_peak();
    const uint64_t before = status_kb("VmRSS:");
    const int64_t start = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    if (r >= 0)
        r = pt_store_seal(store, true, &err);
    const int64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - start;
    const uint64_t peak = status_kb("VmHWM:");
    if (r >= 0)
        r = pt_store_close(store, &err);
    if (r < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    printf("cpu_ns %lld rss_kb %llu\n", (long long)cpu, (unsigned long long)(peak - before));
    return 0;
}
