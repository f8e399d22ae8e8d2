/* SPDX-License-Identifier: MIT
 * episodes_subject NAME CGROUP ROLE KEY=VALUE...: a program that does one thing to memory, for
 * recordings of swapping with labels. It moves into the cgroup of that directory, calls itself
 * NAME, takes what it has from the start, says "ready" and then, until it is killed, does what ROLE
 * says:
 *
 *   hold       keeps mib= untouched, but for trickle= pages a second; SIGUSR1: touches all of it
 *   touch      threads= threads touch mib= at random, in runs of eight pages, until stall= in a
 *              thousand of their time went into faults or pace= pages a second were touched; write=
 * % of the touches write grow       from SIGUSR1 on takes kib= a second more, until it has to= MiB;
 * lock=1: none of it can be swapped; hot=1: touches it besides, as above read       reads the file
 * path= over and over, kib= a second available  takes memory until MemAvailable is mib=, gives back
 * what others want, ends under floor= MiB; the kernel's first choice when memory runs out
 *
 * Each second a line on standard output: time of day, seconds spent in touches that took long,
 * major faults, MiB had; sums since the start. Units: as said; nanoseconds inside. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/number.h"

#define PAGE      4096
#define MIB       (1 << 20)
#define RUN       8         /* pages touched one after another */
#define STEP_NS   50000000  /* of the main loop */
#define WINDOW_NS 100000000 /* in which a toucher keeps to its shares */
#define LONG_NS   3000      /* no touch takes so long without a fault */

enum key { SIZE, TRICKLE, THREADS, STALL, PACE, WRITE, TO, KIB, LOCK, HOT, FLOOR, KEYS };
static const char *const key_name[KEYS] = {"mib", "trickle", "threads", "stall", "pace", "write",
                                           "to",  "kib",     "lock",    "hot",   "floor"};
static int64_t arg[KEYS] = {[THREADS] = 1, [STALL] = 1000, [PACE] = 40000, [WRITE] = 100};
static const char *path;

static char *area;                 /* of arg[TO] or arg[SIZE] MiB */
static _Atomic int64_t have;       /* bytes of it that were taken */
static _Atomic int64_t stalled_ns; /* by all threads */

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
    const struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint64_t chance(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void enter(const char *dir)
{
    char name[4096], pid[32];
    snprintf(name, sizeof(name), "%s/cgroup.procs", dir);
    const int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    const int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, pid, (size_t)n) != n)
        die(name);
    close(fd);
}

/* Half a page of noise: what is swapped to zram costs about half. */
static void take(int64_t bytes)
{
    static uint64_t seed = 88172645463325252u;
    const int64_t old = have;
    const int64_t most = (arg[TO] > arg[SIZE] ? arg[TO] : arg[SIZE]) * MIB;
    const int64_t new = old + bytes < most ? (old + bytes) / PAGE *PAGE : most;
    if (new <= old)
        return;
    if (arg[LOCK] && mlock(area + old, (size_t)(new - old)) < 0) {
        if (errno != EAGAIN && errno != ENOMEM)
            die("mlock");
        return; /* nothing is to be had at the moment */
    }
    for (int64_t at = old; at < new; at += PAGE)
        for (size_t i = 0; i < PAGE / 2; i += sizeof(seed)) {
            chance(&seed);
            memcpy(area + at + i, &seed, sizeof(seed));
        }
    have = new;
}

static void touch(int64_t page, bool writes)
{
    volatile char *p = area + page * PAGE + 8;
    if (writes)
        (*p)++;
    else
        (void)*p;
}

/* How long the touch took if it took long, else 0. */
static int64_t touch_timed(int64_t page, bool writes)
{
    const int64_t before = now_ns(CLOCK_MONOTONIC);
    touch(page, writes);
    const int64_t took = now_ns(CLOCK_MONOTONIC) - before;
    return took > LONG_NS ? took : 0;
}

/* What a touch over its share costs is taken from the windows that follow. */
static void *touch_on(void *seeded)
{
    uint64_t seed = 0x9e3779b97f4a7c15u * (uintptr_t)seeded;
    const int64_t share = WINDOW_NS / 1000 * arg[STALL], pace = arg[PACE] / 10;
    int64_t debt = 0, end = now_ns(CLOCK_MONOTONIC);
    for (;;) {
        const int64_t pages = have / PAGE;
        for (int64_t n = 0; n < pace && debt < share && pages > RUN; n += RUN) {
            const int64_t first = (int64_t)(chance(&seed) % (uint64_t)(pages - RUN));
            const bool writes = (int64_t)(chance(&seed) % 100) < arg[WRITE];
            for (int64_t i = 0; i < RUN && debt < share; i++) {
                const int64_t took = touch_timed(first + i, writes);
                stalled_ns += took;
                debt += took;
            }
        }
        debt = debt > share ? debt - share : 0;
        end += WINDOW_NS;
        if (end < now_ns(CLOCK_MONOTONIC))
            end = now_ns(CLOCK_MONOTONIC);
        sleep_until(end);
    }
    return NULL;
}

static void start_touching(void)
{
    for (int64_t i = 0; i < arg[THREADS]; i++) {
        pthread_t thread;
        const uintptr_t seeded = (uintptr_t)(getpid() * 64 + i);
        if (pthread_create(&thread, NULL, touch_on, (void *)seeded) != 0) // NOLINT
            die("pthread_create");
    }
}

/* ---- what each role does in each step of STEP_NS; `go`: SIGUSR1 has come ---- */

static void step_hold(int64_t n, bool go)
{
    static uint64_t seed = 2463534242u;
    static bool woken;
    const int64_t pages = have / PAGE, per_second = 1000000000 / STEP_NS;
    if (arg[TRICKLE] && n % (per_second / arg[TRICKLE]) == 0)
        touch((int64_t)(chance(&seed) % (uint64_t)pages), false);
    for (int64_t i = 0; go && !woken && i < pages; i++)
        touch(i, false);
    woken = woken || go;
}

static void step_grow(int64_t n, bool go)
{
    (void)n;
    if (go)
        take(arg[KIB] * 1024 / (1000000000 / STEP_NS));
}

static void step_read(int64_t n, bool go)
{
    static char buffer[64 * 1024];
    static int fd = -1;
    (void)n, (void)go;
    if (fd < 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        die(path);
    for (int64_t due = arg[KIB] * 1024 / (1000000000 / STEP_NS); due > 0;) {
        const ssize_t got = read(fd, buffer, sizeof(buffer));
        if (got < 0 || (got == 0 && lseek(fd, 0, SEEK_SET) != 0))
            die(path);
        due -= got;
    }
}

/* MiB; the last field that is wanted stands in the first kilobyte. */
static int64_t available_mib(void)
{
    char text[1024];
    const int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        die("/proc/meminfo");
    close(fd);
    text[n] = 0;
    const char *at = strstr(text, "MemAvailable:");
    int64_t kib = 0;
    for (at = at ? at + 13 : ""; *at == ' ' || (*at >= '0' && *at <= '9'); at++)
        if (*at != ' ')
            kib = kib * 10 + (*at - '0');
    return kib / 1024;
}

static void step_available(int64_t n, bool go)
{
    const int64_t margin = 32, most = 256, mib = available_mib(), over = mib - arg[SIZE];
    (void)n, (void)go;
    if (mib < arg[FLOOR])
        _exit(3);
    if (over > margin) {
        take((over < most ? over : most) * MIB);
    } else if (over < -margin) {
        const int64_t less = have + over * MIB > 0 ? have + over * MIB : 0;
        madvise(area + less, (size_t)(have - less), MADV_DONTNEED);
        have = less;
    }
}

static const struct role {
    const char *name;
    void (*step)(int64_t n, bool go);
    bool touches;
} roles[] = {{"hold", step_hold, false},
             {"touch", NULL, true},
             {"grow", step_grow, false},
             {"read", step_read, false},
             {"available", step_available, false}};

static void say(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("%.3f %.6f %ld %.3f\n", (double)now_ns(CLOCK_REALTIME) / 1e9, (double)stalled_ns / 1e9,
           use.ru_majflt, (double)have / MIB);
    fflush(stdout);
}

static void run(const struct role *role, const sigset_t *set)
{
    const struct timespec none = {0};
    bool go = false;
    say();
    if (role->step == step_hold && !arg[TRICKLE])
        go = sigwaitinfo(set, NULL) == SIGUSR1; /* no page of it is touched before */
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    for (int64_t n = 0;; n++) {
        if (n % (1000000000 / STEP_NS) == 0)
            say();
        go = go || sigtimedwait(set, NULL, &none) == SIGUSR1;
        if (role->step)
            role->step(n, go);
        sleep_until(start + (n + 1) * STEP_NS);
    }
}

static void first_to_go(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1000\n", 5) != 5)
        die("/proc/self/oom_score_adj");
    close(fd);
}

static void parse(const char *word)
{
    const size_t n = strcspn(word, "=");
    if (strncmp(word, "path=", 5) == 0) {
        path = word + 5;
        return;
    }
    for (int k = 0; k < KEYS; k++)
        if (strlen(key_name[k]) == n && strncmp(word, key_name[k], n) == 0 && word[n] &&
            number_of(word + n + 1, &arg[k]))
            return;
    fprintf(stderr, "episodes_subject: '%s' is not understood\n", word);
    exit(2);
}

static const struct role *role_of(const char *name)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    fprintf(stderr, "episodes_subject: no role '%s'\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: episodes_subject NAME CGROUP ROLE KEY=VALUE...\n", stderr);
        return 2;
    }
    const struct role *role = role_of(argv[3]);
    for (int i = 4; i < argc; i++)
        parse(argv[i]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_NAME, argv[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter(argv[2]);

    const bool balloon = role->step == step_available;
    const int64_t most = balloon ? 64 << 10 : arg[TO] > arg[SIZE] ? arg[TO] : arg[SIZE];
    area = mmap(NULL, (size_t)(most + 1) * MIB, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        die("mmap");
    if (balloon) {
        arg[TO] = most;
        first_to_go();
    } else {
        take(arg[SIZE] * MIB);
    }
    puts("ready");
    fflush(stdout);
    if (role->touches || arg[HOT])
        start_touching();
    run(role, &set);
}
