/* SPDX-License-Identifier: MIT
 * A population of processes to measure recorders on: of every ten, four small C programs, three C
 * programs with threads and some tens of mappings, three Python interpreters (C programs where
 * there is no python3). Every third one is busy: each second it uses some CPU time and touches or
 * gives back 40 pages or more, so that its statm changes. One in sixty leaks four pages a second on
 * top. What each does follows from its number alone.
 *
 *   population [--count N] [--busy N] [--idle] [--no-python] [--big MIB] [--seconds S]
 *
 * --busy: so many of them, a third where it is not given.
 * --big: one process more, that holds so much memory in small pages and grows a little each second.
 * Prints "ready N python P busy B" when all of them stand, and goes on until SIGTERM, SIGINT, the
 * end of its parent or S seconds. --idle starts small sleeping C programs only. The children die
 * with it. Units: pages, seconds. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA_PAGES 512
#define STEP_PAGES                                                                                 \
    40 /* the kernel may hold back changes of up to 32 pages a CPU in its counters                 \
        */
#define LEAK_PAGES 4

enum kind { KIND_SMALL, KIND_THREADS, KIND_PYTHON, KIND_BIG };

struct options {
    unsigned count, busy;
    uint64_t seconds, big_mib;
    bool idle;
    const char *python;
};

/* What one child is. */
struct member {
    unsigned number, count;
    enum kind kind;
    bool busy, leaks;
};

struct arena {
    unsigned char *base;
    size_t page;
    unsigned used; /* pages resident */
};

static const char python_program[] = "import os, sys, time, json, socket\n"
                                     "ready, busy, n, phase = map(int, sys.argv[1:5])\n"
                                     "os.write(ready, b'.')\n"
                                     "os.close(ready)\n"
                                     "while not busy:\n"
                                     "    time.sleep(3600)\n"
                                     "keep = []\n"
                                     "due = time.monotonic() + phase / 1000\n"
                                     "while True:\n"
                                     "    time.sleep(max(0, due - time.monotonic()))\n"
                                     "    due += 1\n"
                                     "    n = (n * 1103515245 + 12345) & 0x7fffffff\n"
                                     "    want = 1 + (n >> 8) % 12\n"
                                     "    want += want == len(keep)\n"
                                     "    while len(keep) < want:\n"
                                     "        keep.append(bytes([n & 255]) * 262144)\n"
                                     "    del keep[want:]\n"
                                     "    json.dumps(list(range(300)))\n";

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t h = a * 2654435761u ^ (b + 0x9e3779b9u) * 2246822519u;
    h ^= h >> 15;
    h *= 3266489917u;
    return h ^ h >> 16;
}

static struct member member_of(const struct options *o, unsigned number)
{
    struct member m = {.number = number, .count = o->count};
    if (number == o->count) { /* the last, where there is one more */
        m.kind = KIND_BIG;
        m.busy = m.leaks = true;
        return m;
    }
    if (o->idle)
        return m;
    const unsigned tenth = number % 10;
    m.kind = tenth < 4 ? KIND_SMALL : tenth < 7 ? KIND_THREADS : KIND_PYTHON;
    if (m.kind == KIND_PYTHON && !o->python)
        m.kind = KIND_THREADS;
    const unsigned nth = o->busy && o->busy < o->count ? o->count / o->busy : 3;
    m.busy = number % nth == 0;
    m.leaks = m.busy && number / nth % 20 == 0;
    return m;
}

static unsigned char *map_pages(size_t pages, size_t page, int prot)
{
    void *p = mmap(NULL, pages * page, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        bench_die("cannot map", "memory");
    madvise(p, pages * page, MADV_NOHUGEPAGE);
    return p;
}

/* One second's work: another number of resident pages, and some CPU time. */
static void work(const struct member *m, struct arena *a, uint32_t tick)
{
    const uint32_t h = mix(m->number, tick);
    unsigned want = STEP_PAGES + h % (ARENA_PAGES - 3 * STEP_PAGES);
    const unsigned apart = want > a->used ? want - a->used : a->used - want;
    if (apart < STEP_PAGES)
        want = a->used + STEP_PAGES <= ARENA_PAGES ? a->used + STEP_PAGES : a->used - STEP_PAGES;
    for (unsigned i = a->used; i < want; i++)
        a->base[i * a->page] = (unsigned char)h;
    if (want < a->used)
        madvise(a->base + want * a->page, (a->used - want) * a->page, MADV_DONTNEED);
    a->used = want;
    if (m->leaks)
        memset(map_pages(LEAK_PAGES, a->page, PROT_READ | PROT_WRITE), 1, LEAK_PAGES * a->page);
    volatile uint32_t sum = h;
    for (unsigned i = 0; i < 100000; i++)
        sum = sum * 1664525u + i;
}

static void *idle_thread(void *arg)
{
    while (pause() < 0)
        ;
    return arg;
}

/* Threads, and mappings that no neighbour can merge with. */
static void furnish(const struct member *m, size_t page)
{
    static const int prots[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE};
    for (unsigned i = 0; i < 24 + m->number % 24; i++) {
        const size_t pages = 1 + mix(m->number, i) % 16;
        unsigned char *p = map_pages(pages, page, prots[i % 3]);
        if (prots[i % 3] & PROT_WRITE)
            memset(p, 1, page);
    }
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
    }
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 << 10);
    for (unsigned i = 0; i < 1 + m->number % 4; i++) {
        pthread_t thread;
        errno = pthread_create(&thread, &attr, idle_thread, NULL);
        if (errno)
            bench_die("cannot start", "thread");
    }
}

__attribute__((noreturn)) static void live(const struct options *o, const struct member *m,
                                           int ready)
{
    static const char *const names[] = {"pop-small", "pop-threads", "", "pop-big"};
    char name[16];
    snprintf(name, sizeof name, "%s%s", names[m->kind], m->busy ? "-b" : "");
    prctl(PR_SET_NAME, name);
    struct arena a = {.page = (size_t)sysconf(_SC_PAGESIZE)};
    a.base = map_pages(ARENA_PAGES, a.page, PROT_READ | PROT_WRITE);
    if (m->kind == KIND_THREADS)
        furnish(m, a.page);
    if (m->kind == KIND_BIG)
        memset(map_pages((o->big_mib << 20) / a.page, a.page, PROT_READ | PROT_WRITE), 1,
               o->big_mib << 20);
    if (write(ready, ".", 1) != 1)
        _exit(1);
    close(ready);
    while (!m->busy)
        pause();
    int64_t due = bench_clock(CLOCK_MONOTONIC) + BENCH_NS * m->number / m->count;
    for (uint32_t tick = 0;; tick++) {
        bench_sleep_until(due);
        work(m, &a, tick);
        due += BENCH_NS;
    }
}

__attribute__((noreturn)) static void live_python(const struct options *o, const struct member *m,
                                                  int ready)
{
    char fd[12], busy[12], seed[12], phase[12];
    snprintf(fd, sizeof fd, "%d", ready);
    snprintf(busy, sizeof busy, "%d", m->busy);
    snprintf(seed, sizeof seed, "%u", mix(m->number, 1) >> 1);
    snprintf(phase, sizeof phase, "%u", 1000 * m->number / m->count);
    char *argv[] = {(char *)(uintptr_t)o->python,
                    (char[]){"-c"},
                    (char *)(uintptr_t)python_program,
                    fd,
                    busy,
                    seed,
                    phase,
                    NULL};
    execvp(o->python, argv);
    bench_die("cannot run", o->python);
}

static pid_t start(const struct options *o, unsigned number, int ready)
{
    const struct member m = member_of(o, number);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0)
        bench_die("cannot fork", "child");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(STDIN_FILENO);
    if (m.kind == KIND_PYTHON)
        live_python(o, &m, ready);
    live(o, &m, ready);
}

/* A child says it stands by one byte; all do within two minutes, or something is wrong. */
static void await(const struct options *o, int ready)
{
    const int64_t until = bench_clock(CLOCK_MONOTONIC) + 120 * BENCH_NS;
    const unsigned all = o->count + (o->big_mib > 0);
    unsigned stood = 0;
    while (stood < all) {
        struct pollfd p = {.fd = ready, .events = POLLIN};
        const int64_t left = (until - bench_clock(CLOCK_MONOTONIC)) / 1000000;
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            break;
        char bytes[256];
        const ssize_t n = read(ready, bytes, sizeof bytes);
        if (n <= 0)
            break;
        stood += (unsigned)n;
    }
    if (stood == all)
        return;
    fprintf(stderr, "only %u of %u processes stand after two minutes\n", stood, all);
    exit(1);
}

static const char *find_python(void)
{
    /* The distribution's own first: a version manager's shim starts a shell for each. */
    if (access("/usr/bin/python3", X_OK) == 0)
        return "/usr/bin/python3";
    return system("command -v python3 >/dev/null 2>&1") == 0 ? "python3" : NULL;
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.count = 300, .python = find_python()};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--count")) {
            o.count = (unsigned)bench_option("--count", argv[i + 1], 30000);
            i++;
        } else if (!strcmp(argv[i], "--seconds")) {
            o.seconds = bench_option("--seconds", argv[i + 1], 1000000);
            i++;
        } else if (!strcmp(argv[i], "--busy")) {
            o.busy = (unsigned)bench_option("--busy", argv[i + 1], 30000);
            i++;
        } else if (!strcmp(argv[i], "--big")) {
            o.big_mib = bench_option("--big", argv[i + 1], 1000000);
            i++;
        } else if (!strcmp(argv[i], "--idle")) {
            o.idle = true;
        } else if (!strcmp(argv[i], "--no-python")) {
            o.python = NULL;
        } else {
            fputs("usage: population [--count N] [--busy N] [--idle] [--no-python] [--big MIB] "
                  "[--seconds S]\n",
                  stderr);
            exit(2);
        }
    }
    return o;
}

static void announce(const struct options *o)
{
    unsigned python = 0, busy = 0;
    for (unsigned i = 0; i < o->count; i++) {
        const struct member m = member_of(o, i);
        python += m.kind == KIND_PYTHON;
        busy += m.busy;
    }
    printf("ready %u python %u busy %u\n", o->count, python, busy);
    fflush(stdout);
}

static void finish(const pid_t *pids, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
}

int main(int argc, char **argv)
{
    const struct options o = parse(argc, argv);
    const unsigned all = o.count + (o.big_mib > 0);
    pid_t *pids = calloc(all + 1, sizeof *pids);
    if (!pids)
        bench_die("cannot get", "memory");
    int pipes[2];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (pipe(pipes) < 0)
        bench_die("cannot open", "pipe");
    fcntl(pipes[0], F_SETFD, FD_CLOEXEC);
    for (unsigned i = 0; i < all; i++)
        pids[i] = start(&o, i, pipes[1]);
    close(pipes[1]);
    await(&o, pipes[0]);
    announce(&o);

    const struct timespec limit = {.tv_sec = (time_t)(o.seconds ? o.seconds : 1000000)};
    const int got = sigtimedwait(&set, NULL, &limit);
    if (got == SIGCHLD)
        fputs("a process of the population ended before its time\n", stderr);
    finish(pids, all);
    free(pids);
    return got == SIGCHLD;
}
