/* SPDX-License-Identifier: MIT
 * labelled_subject MODE NAME SECONDS BYTES_PER_SECOND LEVEL SEED: a program whose memory behaves in
 * a known way, for recordings with labels. It calls itself NAME, holds LEVEL bytes from the start
 * and then, for SECONDS, does what MODE says:
 *
 *   malloc brk mmap threads fds sockets memfd shmfile sysv sparse   leak so, evenly
 *   onset staircase fast waves requests                             leak by malloc, as the name
 * says workers restarts                                                children that leak, and end
 *   flat saw cap30 cap60 cap80 cap95 log warm thp cow lazyfree churn ramp diurnal batch steps
 *   okworkers cache forks flood dentry                              do not leak
 *
 * BYTES_PER_SECOND is what leaks, or, of what does not, what its memory moves by at the most
 * divided by SECONDS. On standard output a line "bytes N" at the end: what was leaked.
 * Units: bytes, seconds. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/labelled/subject.h"
#include "tests/support/number.h"

#define STEP_NS 100000000 /* ten steps a second */
#define PI      3.14159265358979

struct me me;
double uniform(void)
{
    me.seed = me.seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(me.seed >> 11) / 9007199254740992.0;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(void)
{
    const struct timespec t = {.tv_nsec = STEP_NS};
    nanosleep(&t, NULL);
}

/* CPU, a part of each step. */
static void burn(double load)
{
    const double until = now_s() + 0.012 * load;
    while (now_s() < until)
        uniform();
}

void *hold(size_t n)
{
    char *p = malloc(n);
    if (!p)
        exit(1);
    memset(p, (int)(1 + uniform() * 200), n);
    return p;
}

void *map(size_t n, int flags)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
    if (p == MAP_FAILED)
        exit(1);
    return p;
}

static void leak(size_t (*take)(size_t), double due)
{
    me.debt += due;
    if (me.debt <= 0)
        return;
    const size_t n = take((size_t)me.debt);
    me.debt -= (double)n;
    me.leaked += (double)n;
}

/* How much more is due after `step` seconds at `x` of the whole time (0 to 1). */
static double even(double x, double step)
{
    (void)x;
    return me.rate * step;
}
static double onset(double x, double step)
{
    return x < 0.45 ? 0 : me.rate * step;
}
static double staircase(double x, double step)
{
    static int at;
    (void)step;
    const int stair = (int)(x * 14);
    if (stair == at)
        return 0;
    at = stair;
    return me.rate * me.seconds / 14;
}
static double fast(double x, double step)
{
    return me.rate * step * 2 * x;
}
/* A leak under waves of load: requests that burn CPU leak. */
static double requests(double x, double step)
{
    const double load = 0.55 + 0.45 * sin(2 * PI * 3 * x);
    burn(load);
    return me.rate * step * load / 0.55;
}

static void run_leak(size_t (*take)(size_t), double (*due)(double, double))
{
    const double start = now_s();
    for (double last = start, now; (now = now_s()) < start + me.seconds; last = now) {
        leak(take, due((now - start) / me.seconds, now - last) * (0.7 + 0.6 * uniform()));
        nap();
    }
}

/* Live memory that goes up and down beside an even leak. */
static void run_waves(void)
{
    const double start = now_s(), height = me.rate * me.seconds * 0.4;
    char *area = map((size_t)height + PAGE, MAP_PRIVATE);
    for (double last = start, now; (now = now_s()) < start + me.seconds; last = now) {
        const double x = (now - start) / me.seconds;
        const double load = 0.5 + 0.5 * sin(2 * PI * 5 * x);
        const size_t used = (size_t)(height * load) / PAGE * PAGE;
        memset(area, 1, used);
        madvise(area + used, (size_t)height / PAGE * PAGE - used, MADV_DONTNEED);
        burn(load);
        leak(leak_malloc, me.rate * (now - last));
        nap();
    }
}

/* ---- children ---- */

static void child(double life, double rate)
{
    me.seconds = life;
    me.rate = rate;
    hold((size_t)me.level);
    if (rate > 0)
        run_leak(leak_malloc, even);
    const double until = now_s() + (rate > 0 ? 0 : life);
    while (now_s() < until)
        nap();
    _exit(0);
}

/* Workers, each for a twelfth of the time; one restarts as soon as it ends. */
static void run_workers(int workers, double rate)
{
    const double start = now_s(), life = me.seconds / 8;
    pid_t pid[8] = {0};
    while (now_s() < start + me.seconds - life / 4) {
        for (int i = 0; i < workers; i++) {
            if (pid[i] && waitpid(pid[i], NULL, WNOHANG) == 0)
                continue;
            me.seed += 77;
            pid[i] = fork();
            if (pid[i] == 0)
                child(life * (0.9 + 0.2 * uniform()), rate);
        }
        nap();
    }
    for (int i = 0; i < workers; i++)
        waitpid(pid[i], NULL, 0);
}

/* ---- no leaks ---- */

/* An area of which a share is used; the rest is given back. */
struct area {
    char *p;
    size_t size;
};

static struct area area_of(double size)
{
    const size_t n = (size_t)size / PAGE * PAGE + PAGE;
    struct area a = {map(n, MAP_PRIVATE), n};
    madvise(a.p, n, MADV_NOHUGEPAGE);
    return a;
}

static void use(struct area *a, double share)
{
    static size_t last;
    const size_t used = (size_t)(share * (double)a->size) / PAGE * PAGE;
    if (used > last)
        memset(a->p + last, 1, used - last);
    else if (used < last)
        madvise(a->p + used, a->size - used, MADV_DONTNEED);
    last = used;
}

/* Allocated, not one mapping: a growing cache of small things. */
static void grow_to(double bytes)
{
    leak(leak_malloc, bytes - me.leaked - me.debt);
}

enum curve { FLAT, SAW, CAP, LOG, WARM, RAMP, DIURNAL, BATCH, STEPS, CACHE };

static void run_curve(enum curve c, double knot)
{
    const double start = now_s(), height = me.rate * me.seconds;
    struct area a = area_of(height);
    double load;
    for (double now; (now = now_s()) < start + me.seconds;) {
        const double x = (now - start) / me.seconds;
        switch (c) {
        case FLAT:
            break;
        case SAW:
            use(&a, 0.2 + 0.8 * fmod(x * 31 + 0.3, 1));
            break;
        case CAP:
            grow_to(height * fmin(x / knot, 1));
            break;
        case LOG:
            grow_to(height * log1p(x / 0.03) / log1p(1 / 0.03));
            break;
        case CACHE:
            grow_to(height * (1 - exp(-x / 0.2)));
            break;
        case WARM:
            use(&a, fmin(x / 1.1, 1));
            break;
        case RAMP: /* load rises, then holds; memory and CPU with it */
        case DIURNAL:
            load = c == RAMP ? fmin(x / 0.5, 1) : 0.5 + 0.5 * sin(2 * PI * 2.3 * x + 4);
            use(&a, load);
            burn(load);
            break;
        case BATCH:
            use(&a, fmod(x * 9, 1) < 0.2 ? 1 : 0);
            break;
        case STEPS:
            use(&a, floor(x * 3.4) / 3);
            break;
        }
        nap();
    }
}

/* Allocations and frees of all sizes, the live set constant: the allocator keeps what it has. */
static void run_churn(void)
{
    enum { SLOTS = 20000 };
    static void *slot[SLOTS];
    const double start = now_s();
    while (now_s() < start + me.seconds) {
        for (int i = 0; i < 400; i++) {
            const int at = (int)(uniform() * SLOTS);
            free(slot[at]);
            slot[at] = hold((size_t)(16 + exp(uniform() * 8.3)));
        }
        nap();
    }
}

static void run_thp(void)
{
    const double start = now_s(), height = me.rate * me.seconds;
    const size_t n = (size_t)height / (2u << 20) * (2u << 20) + (4u << 20);
    char *p = map(n, MAP_PRIVATE);
    madvise(p, n, MADV_HUGEPAGE);
    for (size_t at = 0; now_s() < start + me.seconds; nap()) {
        const double x = (now_s() - start) / me.seconds;
        while (at < n && (double)at < (double)n * fmin(x / 0.5, 1)) {
            p[at] = 1;
            at += 2u << 20;
        }
    }
}

/* A child that writes what it shares with its parent: USS rises, nothing is taken but copies. */
static void run_cow(void)
{
    const double start = now_s();
    const size_t n = (size_t)(me.rate * me.seconds) + PAGE;
    char *p = hold(n);
    const pid_t pid = fork();
    while (now_s() < start + me.seconds) {
        const double x = (now_s() - start) / me.seconds;
        if (pid == 0)
            memset(p, 2, (size_t)((double)n * fmin(x / 0.6, 1)));
        nap();
    }
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

static void run_lazyfree(void)
{
    const double start = now_s();
    const size_t n = (size_t)(me.rate * me.seconds) / 8 / PAGE * PAGE + PAGE;
    while (now_s() < start + me.seconds) {
        char *p = map(n, MAP_PRIVATE);
        memset(p, 1, n);
        madvise(p, n, MADV_FREE);
        for (int i = 0; i < 20; i++)
            nap();
        munmap(p, n);
    }
}

/* A tree of short-lived children that leaves nothing behind. */
static void run_forks(void)
{
    const double start = now_s();
    while (now_s() < start + me.seconds) {
        const pid_t pid = fork();
        if (pid == 0) {
            hold((size_t)(2e6 * uniform()));
            for (int i = 0; i < 12; i++)
                nap();
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

/* Pages of a file, written and kept by the kernel alone. */
static void run_flood(void)
{
    static char page[PAGE];
    char path[64];
    snprintf(path, sizeof(path), "./%s.pages", me.name);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const double start = now_s();
    double done = 0;
    memset(page, 1, sizeof(page));
    unlink(path);
    while (fd >= 0 && now_s() < start + me.seconds) {
        for (; done < me.rate * (now_s() - start); done += PAGE)
            if (write(fd, page, PAGE) != PAGE)
                break;
        nap();
    }
}

/* Names that are looked for and not there: the kernel remembers each. */
static void run_dentry(void)
{
    enum { ENTRY = 192 }; /* struct dentry */
    const double start = now_s();
    char path[64];
    uint64_t n = 0;
    while (now_s() < start + me.seconds) {
        for (; (double)n * ENTRY < me.rate * (now_s() - start); n++) {
            snprintf(path, sizeof(path), "./%s-%llu", me.name, (unsigned long long)n);
            if (access(path, F_OK) == 0)
                break;
        }
        nap();
    }
}

static void workers_leak(void)
{
    run_workers(3, me.rate);
}
static void workers_ok(void)
{
    run_workers(3, 0);
}
static void restarts(void)
{
    run_workers(1, me.rate);
}

static const struct mode {
    const char *name;
    size_t (*take)(size_t);
    double (*due)(double, double);
    void (*run)(void);
    enum curve curve;
    double knot;
} modes[] = {
    {"malloc", leak_malloc, even, NULL, FLAT, 0},
    {"brk", leak_brk, even, NULL, FLAT, 0},
    {"mmap", leak_mmap, even, NULL, FLAT, 0},
    {"threads", leak_threads, even, NULL, FLAT, 0},
    {"fds", leak_fds, even, NULL, FLAT, 0},
    {"sockets", leak_sockets, even, NULL, FLAT, 0},
    {"memfd", leak_memfd, even, NULL, FLAT, 0},
    {"shmfile", leak_shmfile, even, NULL, FLAT, 0},
    {"sysv", leak_sysv, even, NULL, FLAT, 0},
    {"sparse", leak_sparse, even, NULL, FLAT, 0},
    {"onset", leak_malloc, onset, NULL, FLAT, 0},
    {"staircase", leak_malloc, staircase, NULL, FLAT, 0},
    {"fast", leak_malloc, fast, NULL, FLAT, 0},
    {"requests", leak_malloc, requests, NULL, FLAT, 0},
    {"waves", NULL, NULL, run_waves, FLAT, 0},
    {"workers", NULL, NULL, workers_leak, FLAT, 0},
    {"restarts", NULL, NULL, restarts, FLAT, 0},
    {"okworkers", NULL, NULL, workers_ok, FLAT, 0},
    {"churn", NULL, NULL, run_churn, FLAT, 0},
    {"thp", NULL, NULL, run_thp, FLAT, 0},
    {"cow", NULL, NULL, run_cow, FLAT, 0},
    {"lazyfree", NULL, NULL, run_lazyfree, FLAT, 0},
    {"forks", NULL, NULL, run_forks, FLAT, 0},
    {"flood", NULL, NULL, run_flood, FLAT, 0},
    {"dentry", NULL, NULL, run_dentry, FLAT, 0},
    {"flat", NULL, NULL, NULL, FLAT, 0},
    {"saw", NULL, NULL, NULL, SAW, 0},
    {"cap30", NULL, NULL, NULL, CAP, 0.3},
    {"cap60", NULL, NULL, NULL, CAP, 0.6},
    {"cap80", NULL, NULL, NULL, CAP, 0.8},
    {"cap95", NULL, NULL, NULL, CAP, 0.95},
    {"log", NULL, NULL, NULL, LOG, 0},
    {"cache", NULL, NULL, NULL, CACHE, 0},
    {"warm", NULL, NULL, NULL, WARM, 0},
    {"ramp", NULL, NULL, NULL, RAMP, 0},
    {"diurnal", NULL, NULL, NULL, DIURNAL, 0},
    {"batch", NULL, NULL, NULL, BATCH, 0},
    {"steps", NULL, NULL, NULL, STEPS, 0},
};

static double number(const char *text)
{
    int64_t v = 0;
    if (!number_of(text, &v)) {
        fprintf(stderr, "labelled_subject: '%s' is not a number\n", text);
        exit(2);
    }
    return (double)v;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: labelled_subject MODE NAME SECONDS BYTES_PER_SECOND LEVEL SEED\n", stderr);
        return 2;
    }
    me.name = argv[2];
    me.seconds = number(argv[3]);
    me.rate = number(argv[4]);
    me.level = number(argv[5]);
    me.seed = (uint64_t)number(argv[6]) * 2654435761u + 1;
    prctl(PR_SET_NAME, me.name);
    prctl(PR_SET_PDEATHSIG, 9);
    if (me.level > 0)
        hold((size_t)me.level);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        const struct mode *m = &modes[i];
        if (strcmp(m->name, argv[1]) != 0)
            continue;
        if (m->take)
            run_leak(m->take, m->due);
        else if (m->run)
            m->run();
        else
            run_curve(m->curve, m->knot);
        printf("bytes %.0f\n", me.leaked);
        fflush(stdout);
        for (int k = 0; k < 300; k++) /* until the recording has ended */
            nap();
        return 0;
    }
    fprintf(stderr, "no mode '%s'\n", argv[1]);
    return 2;
}
