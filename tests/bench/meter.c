/* SPDX-License-Identifier: MIT
 * Runs a program and says what it used, from the kernel's own count when it ended, the last moment
 * included:
 *
 *   meter RESULT PROGRAM ARGUMENT...
 *
 * RESULT gets a line "pid N" at once and, at the end,
 *   status S wall_ns W cpu_ns C rss_kb R
 * The peak RSS is the program's own: this one is small, and what it had before exec is less.
 * SIGTERM, SIGINT and SIGHUP are handed on. Units: nanoseconds, KiB. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void hand_on(int sig)
{
    if (child > 0)
        kill(child, sig);
}

static int64_t ns_of(const struct timeval *t)
{
    return (int64_t)t->tv_sec * BENCH_NS + (int64_t)t->tv_usec * 1000;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: meter RESULT PROGRAM ARGUMENT...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "we");
    if (!out)
        bench_die("cannot open", argv[1]);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    const int64_t start = bench_clock(CLOCK_MONOTONIC);
    child = fork();
    if (child < 0)
        bench_die("cannot fork", argv[2]);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        bench_die("cannot run", argv[2]);
    }
    fprintf(out, "pid %d\n", (int)child);
    fflush(out);
    struct rusage used;
    int status = 0;
    while (wait4(child, &status, 0, &used) < 0 && errno == EINTR)
        ;
    const int64_t wall = bench_clock(CLOCK_MONOTONIC) - start;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out, "status %d wall_ns %lld cpu_ns %lld rss_kb %ld\n", code, (long long)wall,
            (long long)(ns_of(&used.ru_utime) + ns_of(&used.ru_stime)), used.ru_maxrss);
    fclose(out);
    return code;
}
