/* SPDX-License-Identifier: MIT
 * hog [name=COMM] [cgroup=DIR] STEP...: takes memory and holds it. STEP is MIB:MS: touch that much
 * in all, then sleep so long (0: until SIGUSR1). Says "ready" after each step. DIR: moves into that
 * cgroup first. Units: MiB, ms. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/number.h"

#define MIB    (1u << 20)
#define BLOCKS 4096

static void enter(const char *dir)
{
    char path[4096], pid[32];
    snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
    const int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, pid, (size_t)n) != n) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static char *block[BLOCKS];
static int64_t have;

static void touch(int64_t i)
{
    for (size_t at = 0; at < MIB; at += 4096)
        block[i][at]++;
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void hold(char how, int64_t ms, const sigset_t *set)
{
    const struct timespec ts = {.tv_sec = (time_t)(ms / 1000),
                                .tv_nsec = (long)(ms % 1000) * 1000000};
    const int64_t end = now_ms() + ms;
    int sig;
    if (how == '*') {
        for (int64_t i = 0; now_ms() < end; i = (i + 1) % have)
            touch(i);
    } else if (ms) {
        nanosleep(&ts, NULL);
    } else {
        sigwait(set, &sig);
    }
}

static void step(const char *arg, const sigset_t *set)
{
    int64_t mib = 0, ms = 0;
    const size_t n = strcspn(arg, ":*");
    char head[32];
    snprintf(head, sizeof(head), "%.*s", (int)n, arg);
    if (!arg[n] || !number_of(head, &mib) || !number_of(arg + n + 1, &ms) || mib > BLOCKS) {
        fprintf(stderr, "hog: '%s' is not MIB:MS or MIB*MS\n", arg);
        exit(2);
    }
    for (; have < mib; have++) {
        block[have] = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block[have] == MAP_FAILED)
            exit(1);
        touch(have);
    }
    if (write(STDOUT_FILENO, "ready\n", 6) < 0)
        exit(1);
    hold(arg[n], ms, set);
}

int main(int argc, char **argv)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "name=", 5) == 0)
            prctl(PR_SET_NAME, argv[i] + 5);
        else if (strncmp(argv[i], "cgroup=", 7) == 0)
            enter(argv[i] + 7);
        else
            step(argv[i], &set);
    }
    return 0;
}
