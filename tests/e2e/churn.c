/* SPDX-License-Identifier: MIT
 * e2e_churn SECONDS DIR: makes a machine hard to record. Children are born and die all the time;
 * each does one of: map and unmap, rename itself to what breaks parsers, map files with odd names
 * and delete them, grow its heap, push its memory to swap, become a zombie, exec itself under
 * another name, make threads, hold SysV shared memory, change its oom_score_adj. Scratch files go
 * to DIR. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/number.h"

#define CHILDREN 24
#define KIB      1024u
#define MIB      (1024u * KIB)
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static const char *const hostile_names[] = {
    "foo) Z ", "foo)\nZ\n", ") R 1 1 1", "\xff\xfe\x80",    "(((((",
    "a b\tc",  "\\012\\",   "Name:\tx",  "0123456789abcde", " ",
};

static const char *scratch;
static unsigned seed;

static unsigned pick(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void *map_anon(size_t size, int flags)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void do_maps(void)
{
    char *held[16] = {NULL};
    size_t sizes[16] = {0};
    for (int i = 0; i < 200; i++) {
        const unsigned at = pick(16);
        if (held[at])
            munmap(held[at], sizes[at]);
        sizes[at] = (1 + pick(64)) * 4 * KIB;
        held[at] = map_anon(sizes[at], pick(4) ? MAP_PRIVATE : MAP_SHARED);
        if (held[at])
            memset(held[at], (int)at, 1 + pick((unsigned)sizes[at]));
        if (held[at] && pick(3) == 0)
            mprotect(held[at], 4 * KIB, PROT_READ);
        nap(5);
    }
}

static void do_names(void)
{
    for (int i = 0; i < 60; i++) {
        prctl(PR_SET_NAME, hostile_names[pick(sizeof(hostile_names) / sizeof(*hostile_names))]);
        nap(15);
    }
}

static void do_files(void)
{
    static const char *const odd[] = {"with space", "line\nfeed", "gone (deleted)",
                                      "tab\t\\012", "\xff\x01",   "7f00-8000 rw-p"};
    for (unsigned i = 0; i < 20; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%d %s", scratch, getpid(),
                 odd[pick(sizeof(odd) / sizeof(*odd))]);
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, 64 * KIB) < 0)
            _exit(1);
        char *p =
            mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, pick(2) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED)
            memset(p, 1, 64 * KIB);
        close(fd);
        if (pick(2))
            nap(20);
        unlink(path);
        nap(20);
    }
}

static void do_heap(void)
{
    for (int i = 0; i < 100; i++) {
        char *volatile p = malloc(16 * KIB);
        if (p)
            memset(p, 2, 16 * KIB);
        nap(8);
    }
}

static void do_swap(void)
{
    char *p = map_anon(4 * MIB, MAP_PRIVATE);
    for (int i = 0; p && i < 40; i++) {
        for (size_t at = 0; at < 4 * MIB; at += 4 * KIB)
            p[at]++;
        madvise(p, 4 * MIB, MADV_PAGEOUT);
        nap(25);
    }
}

static void do_zombies(void)
{
    for (int i = 0; i < 20; i++)
        if (fork() == 0)
            _exit(0);
    nap(500);
}

static void do_exec(void)
{
    char exe[4096];
    const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return;
    exe[n] = 0;
    nap(100);
    execl(exe, "churn with\nan odd name", "--sleep", "--password=geheim", (char *)NULL);
}

static void *thread(void *arg)
{
    nap(200);
    return arg;
}

static void do_threads(void)
{
    pthread_t t[8];
    int n = 0;
    while (n < 8 && pthread_create(&t[n], NULL, thread, NULL) == 0)
        n++;
    while (n > 0)
        pthread_join(t[--n], NULL);
}

static void do_shm(void)
{
    const int id = shmget(IPC_PRIVATE, MIB, IPC_CREAT | 0600);
    if (id < 0)
        return;
    char *p = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL); /* goes with the last user */
    if (p != (char *)-1)
        memset(p, 3, MIB / 2);
    nap(400);
}

static void do_adj(void)
{
    for (int i = 0; i < 10; i++) {
        const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            dprintf(fd, "%u", pick(1000));
            close(fd);
        }
        nap(40);
    }
}

static void (*const acts[])(void) = {
    do_maps, do_names, do_files, do_heap, do_swap, do_zombies, do_exec, do_threads, do_shm, do_adj,
};

static pid_t child(void)
{
    const unsigned act = pick(sizeof(acts) / sizeof(*acts));
    const unsigned s = pick(1u << 20);
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    seed = s;
    acts[act]();
    _exit(0);
}

int main(int argc, char **argv)
{
    int64_t seconds;
    if (argc >= 2 && strcmp(argv[1], "--sleep") == 0) {
        nap(700);
        return 0;
    }
    if (argc != 3 || !number_of(argv[1], &seconds)) {
        fputs("usage: e2e_churn SECONDS DIR\n", stderr);
        return 2;
    }
    scratch = argv[2];
    seed = (unsigned)getpid();
    const time_t end = time(NULL) + (time_t)seconds;
    int alive = 0;
    while (time(NULL) < end) {
        if (alive < CHILDREN && child() > 0)
            alive++;
        while (alive > 0 && waitpid(-1, NULL, WNOHANG) > 0)
            alive--;
        nap(10);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}
