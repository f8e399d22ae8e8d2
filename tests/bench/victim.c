/* SPDX-License-Identifier: MIT
 * A large process that feels when somebody else holds its mmap_lock or a CPU:
 *
 *   victim MIB
 *
 * has that much resident in 4 KiB pages and says "ready". For each line on standard input, a number
 * of milliseconds, one thread maps and unmaps memory and another faults pages in for so long, each
 * operation timed, a pause after each; then a line of nanoseconds comes back:
 *   map_ops N map_p50 .. map_p999 .. map_max .. fault_ops N fault_p50 .. fault_p999 .. fault_max ..
 * Quantiles are to one part in 32. */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE     4096u
#define MAP_SIZE (64u << 10)
#define POOL     (1024u * PAGE) /* what the second thread faults in, over and over */
#define PAUSE_NS 100000         /* 100 us: both threads together leave most of a CPU idle */

#define SUB     32u
#define BUCKETS (64u * SUB)

struct latency {
    uint64_t count[BUCKETS], ops, max;
};

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (unsigned)ns;
    const unsigned top = 63u - (unsigned)__builtin_clzll(ns), shift = top - 5;
    return (shift + 1) * SUB + (unsigned)(ns >> shift) % SUB;
}

/* The largest of a bucket. */
static uint64_t value_of(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    const unsigned shift = bucket / SUB - 1;
    return ((uint64_t)(SUB + bucket % SUB + 1) << shift) - 1;
}

static void note(struct latency *l, int64_t start)
{
    const uint64_t ns = (uint64_t)(bench_clock(CLOCK_MONOTONIC) - start);
    l->count[bucket_of(ns)]++;
    l->ops++;
    if (ns > l->max)
        l->max = ns;
}

static uint64_t quantile(const struct latency *l, double q)
{
    const uint64_t want = (uint64_t)(q * (double)l->ops);
    uint64_t seen = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        seen += l->count[b];
        if (seen > want)
            return value_of(b) < l->max ? value_of(b) : l->max;
    }
    return l->max;
}

static void *map(size_t size, int flags)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (p == MAP_FAILED)
        bench_die("cannot map", "memory");
    return p;
}

static void rest(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    nanosleep(&pause, NULL);
}

static atomic_llong until;

static void *mapper(void *arg)
{
    struct latency *l = arg;
    for (int64_t now; (now = bench_clock(CLOCK_MONOTONIC)) < until; rest()) {
        void *p = map(MAP_SIZE, 0);
        munmap(p, MAP_SIZE);
        note(l, now);
    }
    return NULL;
}

static void *faulter(void *arg)
{
    struct latency *l = arg;
    volatile char *pool = map(POOL, 0);
    madvise((void *)(uintptr_t)pool, POOL, MADV_NOHUGEPAGE);
    size_t at = 0;
    for (int64_t now; (now = bench_clock(CLOCK_MONOTONIC)) < until; rest()) {
        pool[at] = 1;
        note(l, now);
        at += PAGE;
        if (at == POOL) {
            madvise((void *)(uintptr_t)pool, POOL, MADV_DONTNEED);
            at = 0;
        }
    }
    munmap((void *)(uintptr_t)pool, POOL);
    return NULL;
}

static void tell(const char *name, const struct latency *l)
{
    printf("%s_ops %llu %s_p50 %llu %s_p999 %llu %s_max %llu ", name, (unsigned long long)l->ops,
           name, (unsigned long long)quantile(l, 0.5), name, (unsigned long long)quantile(l, 0.999),
           name, (unsigned long long)l->max);
}

static void run(uint64_t ms)
{
    static struct latency maps, faults;
    pthread_t thread[2];
    memset(&maps, 0, sizeof maps);
    memset(&faults, 0, sizeof faults);
    until = bench_clock(CLOCK_MONOTONIC) + (int64_t)ms * 1000000;
    if (pthread_create(&thread[0], NULL, mapper, &maps) ||
        pthread_create(&thread[1], NULL, faulter, &faults))
        bench_die("cannot start", "a thread");
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    tell("map", &maps);
    tell("fault", &faults);
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[32];
    const size_t size = (size_t)bench_option("MIB", argc == 2 ? argv[1] : NULL, 1u << 20) << 20;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char *big = map(size, 0);
    madvise(big, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += PAGE)
        big[i] = 1;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        run(bench_option("milliseconds", line, 3600000));
    }
    return 0;
}
