/* SPDX-License-Identifier: MIT
 * The steady state: with the same processes tick after tick, some of them busy, the recorder asks
 * for hardly any memory and touches none that it did not have. Counted are the calls of malloc() by
 * all its threads, SQLite's and zstd's too, and page faults. In a PID namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/endure.h"
#include "recorder/sampler.h"

#define SKIP      77
#define PROCESSES 40
#define WARM      150
#define TICKS     100
#define TICK_US   20000

/* What is left, and all of it is given back within the tick: SQLite's record and a page to work in,
 * the sort of deep reads by worth, paths of tmpfs mounts every sixth tick, the queue's events. What
 * a reading takes beyond the room of the one before comes on top, and is rare. */
#define CALLS_A_TICK 6
/* A kernel that is short of memory looks who uses what, which faults cheaply. */
#define FAULTS_A_TICK 5

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static atomic_long calls;

#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    calls++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    calls++;
    return __libc_realloc(p, size);
}
#endif

/* A third of them grow and shrink all the time. */
static void live(int number)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        void *p = NULL;
        if (number % 3 == 0) {
            p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (p != MAP_FAILED)
                memset(p, 1, 1 << 20);
        }
        usleep(10000 + 1000 * (unsigned)number);
        if (p)
            munmap(p, 1 << 20);
        usleep(10000);
    }
}

struct rig {
    struct pt_roots roots;
    struct pt_writer *writer;
    struct pt_sampler *sampler;
};

static void start(struct rig *r)
{
    struct pt_err err = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/steady.db", getenv("PT_TMP") ? getenv("PT_TMP") : "/tmp");
    if (pt_roots_init(&r->roots, NULL, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
    const struct pt_writer_config writer = {
        .path = path, .boot_id = "boot", .btime_us = 1, .sync_us = 30000000};
    if (pt_writer_new(&writer, &r->writer, &err) < 0)
        fail_msg("%s", err.text);
    const struct pt_sampler_config sampler = {
        .roots = &r->roots, .writer = r->writer, .timestamp_us = PT_UNKNOWN};
    if (pt_sampler_new(&sampler, &r->sampler, &err) < 0)
        fail_msg("%s", err.text);
}

static void tick(struct rig *r, enum pt_trigger trigger, int n)
{
    struct pt_err err = {0};
    for (int i = 0; i < n; i++) {
        if (pt_sampler_tick(r->sampler, trigger, &err) < 0)
            fail_msg("%s", err.text);
        usleep(TICK_US);
    }
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void test_steady(void **state)
{
    (void)state;
    struct rig rig = {0};
    start(&rig);
    pt_endure_lock();
    tick(&rig, PT_TRIGGER_START, 1);
    tick(&rig, PT_TRIGGER_TIMER, WARM);
    const long calls_before = calls, faults_before = faults();
    tick(&rig, PT_TRIGGER_TIMER, TICKS);
    const long called = calls - calls_before, faulted = faults() - faults_before;
    struct pt_sampler_stats s;
    pt_sampler_stats(rig.sampler, &s);
    printf("%u processes, %d ticks: %ld calls of malloc, %ld page faults\n", s.processes, TICKS,
           called, faulted);
    assert_true(s.processes > PROCESSES);
    assert_true(called > 0); /* else they are not counted */
    assert_true(called <= CALLS_A_TICK * TICKS);
    assert_true(faulted <= FAULTS_A_TICK * TICKS);
    assert_true(pt_writer_free(rig.writer, NULL, NULL) >= 0);
    pt_sampler_free(rig.sampler);
    pt_roots_release(&rig.roots);
}

static int inside(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steady)};
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("proc", "/proc", "proc", 0, NULL) < 0) {
        puts("skipped: no mount namespace");
        return SKIP;
    }
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0)
            live(i);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
#ifdef SANITIZED
    puts("skipped: sanitizers have a malloc of their own");
    return SKIP;
#endif
    mallopt(M_ARENA_MAX, 1); /* as the recorder does */
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
        puts("skipped: no PID namespace");
        return SKIP;
    }
    fflush(stdout);
    const pid_t child = fork();
    int status = 0;
    if (child == 0)
        exit(inside());
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
