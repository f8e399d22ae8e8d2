/* SPDX-License-Identifier: MIT
 * e2e_storm fork RATE SECONDS: children that end at once, so many a second; prints how many.
 * e2e_storm many N: N processes that sleep, all in one address space, so that they take little;
 * prints how many there are, and waits until it is killed (in a pid namespace, as its first
 * process's child: they go with that). */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/number.h"

enum { STACK = 2048, STEP_US = 10000 };

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int storm(int64_t rate, int64_t seconds)
{
    const int64_t start = now_us(), end = start + seconds * 1000000;
    int64_t born = 0;
    for (int64_t now = start; now < end; now = now_us()) {
        const int64_t due = (now - start) * rate / 1000000;
        while (born < due) {
            const pid_t pid = fork();
            if (pid == 0)
                _exit(0);
            if (pid < 0) /* every number is taken */
                break;
            born++;
        }
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        usleep(STEP_US);
    }
    while (waitpid(-1, NULL, 0) > 0)
        ;
    printf("%lld\n", (long long)born);
    return 0;
}

static int sleeper(void *arg)
{
    (void)arg;
    while (pause() < 0)
        ;
    return 0;
}

static int many(int64_t n)
{
    char *stacks = mmap(NULL, (size_t)n * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    int64_t born = 0;
    while (born < n && clone(sleeper, stacks + (born + 1) * STACK, CLONE_VM | SIGCHLD, NULL) > 0)
        born++;
    printf("%lld\n", (long long)born);
    fflush(stdout);
    return sleeper(NULL);
}

int main(int argc, char **argv)
{
    int64_t a = 0, b = 0;
    if (argc == 4 && strcmp(argv[1], "fork") == 0 && number_of(argv[2], &a) &&
        number_of(argv[3], &b))
        return storm(a, b);
    if (argc == 3 && strcmp(argv[1], "many") == 0 && number_of(argv[2], &a))
        return many(a);
    fputs("usage: e2e_storm fork RATE SECONDS | many N\n", stderr);
    return 2;
}
