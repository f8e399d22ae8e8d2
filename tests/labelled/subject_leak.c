/* SPDX-License-Identifier: MIT
 * The ways labelled_subject leaks. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/labelled/subject.h"

size_t leak_malloc(size_t bytes)
{
    size_t n = 0;
    for (; n + CHUNK <= bytes; n += CHUNK)
        hold(CHUNK - 16); /* with its header a chunk of 2 KiB */
    return n;
}

size_t leak_brk(size_t bytes)
{
    const size_t n = bytes / PAGE * PAGE;
    char *p = n ? sbrk((intptr_t)n) : NULL;
    if (n && p != (void *)-1)
        memset(p, 1, n);
    return n;
}

size_t leak_mmap(size_t bytes)
{
    const size_t n = bytes / (16 * PAGE) * (16 * PAGE);
    if (n)
        memset(map(n, MAP_PRIVATE), 1, n);
    return n;
}

static void *thread_main(void *arg)
{
    char stack[PAGE * 6];
    memset(stack, 1, sizeof(stack));
    __asm__ volatile("" : : "r"(stack) : "memory");
    return arg;
}

/* An unjoined thread leaves its stack behind. */
size_t leak_threads(size_t bytes)
{
    const size_t each = PAGE * 6;
    size_t n = 0;
    for (; n + each <= bytes; n += each) {
        pthread_t t;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, 64u << 10);
        if (pthread_create(&t, &attr, thread_main, NULL) != 0)
            break;
    }
    return n;
}

size_t leak_fds(size_t bytes)
{
    size_t n = 0;
    for (; n + CHUNK <= bytes; n += CHUNK)
        if (open("/dev/null", O_RDONLY) < 0)
            break;
    return n;
}

size_t leak_sockets(size_t bytes)
{
    static int ep = -1;
    size_t n = 0;
    if (ep < 0)
        ep = epoll_create1(0);
    for (; n + CHUNK <= bytes; n += CHUNK) {
        struct epoll_event e = {.events = EPOLLIN};
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
            break;
    }
    return n;
}

static size_t append(int fd, size_t bytes)
{
    static char page[PAGE];
    size_t n = 0;
    memset(page, 1, sizeof(page));
    for (; n + PAGE <= bytes; n += PAGE)
        if (write(fd, page, PAGE) != PAGE)
            break;
    return n;
}

size_t leak_memfd(size_t bytes)
{
    static int fd = -1;
    static size_t at;
    const size_t n = bytes / PAGE * PAGE;
    if (fd < 0)
        fd = memfd_create("labelled", 0);
    if (!n || ftruncate(fd, (off_t)(at + n)) < 0)
        return 0;
    char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
    if (p == MAP_FAILED)
        return 0;
    memset(p, 1, n);
    at += n;
    return n;
}

size_t leak_shmfile(size_t bytes)
{
    static int fd = -1;
    char path[256];
    snprintf(path, sizeof(path), "%s/%s",
             getenv("LABELLED_TMPFS") ? getenv("LABELLED_TMPFS") : "/dev/shm", me.name);
    if (fd < 0)
        fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return append(fd, bytes);
}

size_t leak_sysv(size_t bytes)
{
    static char *at;
    static size_t used, size;
    const size_t n = bytes / PAGE * PAGE;
    if (!at) {
        size = (size_t)(me.rate * me.seconds * 1.2) + PAGE;
        const int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
        at = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
        if (at == (void *)-1)
            exit(1);
        shmctl(id, IPC_RMID, NULL);
    }
    if (used + n > size)
        return 0;
    memset(at + used, 1, n);
    used += n;
    return n;
}

/* A page of data for each page of page table. */
size_t leak_sparse(size_t bytes)
{
    static char *at, *end;
    size_t n = 0;
    const size_t stride = 2u << 20;
    for (; n + 2 * PAGE <= bytes; n += 2 * PAGE) {
        if (at == end) {
            at = mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (at == MAP_FAILED)
                exit(1);
            madvise(at, (size_t)8 << 30, MADV_NOHUGEPAGE);
            end = at + ((size_t)8 << 30);
        }
        *at = 1;
        at += stride;
    }
    return n;
}
