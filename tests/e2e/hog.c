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

#define MIB (1u << 20)

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

static void step(const char *arg, const sigset_t *set, int64_t *have)
{
    int64_t mib = 0, ms = 0;
    const char *colon = strchr(arg, ':');
    char head[32];
    snprintf(head, sizeof(head), "%.*s", (int)(colon ? colon - arg : 0), arg);
    if (!colon || !number_of(head, &mib) || !number_of(colon + 1, &ms)) {
        fprintf(stderr, "hog: '%s' is not MIB:MS\n", arg);
        exit(2);
    }
    for (; *have < mib; ++*have) {
        char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            exit(1);
        for (size_t i = 0; i < MIB; i += 4096)
            p[i] = (char)(i >> 12 | 1);
    }
    if (write(STDOUT_FILENO, "ready\n", 6) < 0)
        exit(1);
    const struct timespec ts = {.tv_sec = (time_t)(ms / 1000),
                                .tv_nsec = (long)(ms % 1000) * 1000000};
    int sig;
    if (ms)
        nanosleep(&ts, NULL);
    else
        sigwait(set, &sig);
}

int main(int argc, char **argv)
{
    sigset_t set;
    int64_t have = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "name=", 5) == 0)
            prctl(PR_SET_NAME, argv[i] + 5);
        else if (strncmp(argv[i], "cgroup=", 7) == 0)
            enter(argv[i] + 7);
        else
            step(argv[i], &set, &have);
    }
    return 0;
}
