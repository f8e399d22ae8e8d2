/* SPDX-License-Identifier: MIT
 * From ends of tasks to events. */
#include "recorder/exits.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/log.h"
#include "recorder/toll.h"

/* After a look the socket is left alone so long: a thousand ends a second are four looks. */
#define PAUSE_US 250000
/* An end of our own that is not told within this time never is. */
#define PROBE_US    (2 * PT_SECOND)
#define FIRSTS_MAX  64
#define PROBE_STACK (64u << 10) /* the C library keeps it: not the eight MiB of its own choice */

struct pt_exits {
    struct pt_taskstats stats;
    struct pt_writer *writer;
    struct pt_sampler *sampler;
    struct pt_toll toll;
    int64_t hz;
    uint32_t probe; /* a thread of ours that ended; 0: its end was told */
    int64_t probe_us;
    uint32_t lost; /* told so far */
    /* first threads that ended before the last one: their statuses are those of the processes */
    struct first {
        uint32_t tgid, status;
    } firsts[FIRSTS_MAX];
    uint32_t nfirsts;
};

bool pt_exit_matches(uint64_t start_ticks, int64_t hz, const struct pt_task_end *e, int64_t real_us,
                     int64_t boot_us, int64_t mono_us)
{
    if (start_ticks == 0 || start_ticks > INT64_MAX / PT_SECOND)
        return false;
    const int64_t start = real_us - boot_us + (int64_t)start_ticks * PT_SECOND / hz;
    const int64_t begin = e->end_s * PT_SECOND - e->lived_us;
    /* the end is rounded down to a second; and what it lived leaves out the machine's sleep */
    return start >= begin - PT_SECOND - (boot_us - mono_us) && start <= begin + 2 * PT_SECOND;
}

static int64_t status_of(struct pt_exits *x, const struct pt_task_end *e)
{
    if (e->pid == e->tgid)
        return e->status;
    for (uint32_t i = 1; i <= FIRSTS_MAX && i <= x->nfirsts; i++) {
        const struct first *f = &x->firsts[(x->nfirsts - i) % FIRSTS_MAX];
        if (f->tgid == e->tgid)
            return f->status;
    }
    return -1;
}

static void on_end(void *ctx, const struct pt_task_end *e)
{
    struct pt_exits *x = ctx;
    struct pt_dead life;
    if (e->pid == x->probe)
        x->probe = 0;
    if (!e->last) {
        if (e->pid == e->tgid)
            x->firsts[x->nfirsts++ % FIRSTS_MAX] = (struct first){e->tgid, e->status};
        return;
    }
    struct pt_toll_one one = {
        .pid = e->tgid,
        .real_us = pt_clock_us(CLOCK_REALTIME),
        .peak_kb = e->peak_kb,
        .lived_us = e->lived_us,
        .status = status_of(x, e),
    };
    memcpy(one.comm, e->comm, sizeof(one.comm));
    if (pt_sampler_life(x->sampler, e->tgid, &life) &&
        pt_exit_matches(life.start_time, x->hz, e, one.real_us, pt_clock_us(CLOCK_BOOTTIME),
                        pt_clock_us(CLOCK_MONOTONIC)))
        one.n = life.n;
    pt_toll_add(&x->toll, &one, e->only_pid);
}

void pt_exits_drain(struct pt_exits *x)
{
    if (!x || x->stats.fd < 0)
        return;
    pt_taskstats_drain(&x->stats, on_end, x);
    pt_sampler_account(x->sampler)->value[PT_ACCOUNT_EXITS_LOST] = pt_taskstats_lost(&x->stats);
}

static bool on_socket(void *ctx, int revents)
{
    struct pt_exits *x = ctx;
    (void)revents; /* lost messages are POLLERR too */
    pt_exits_drain(x);
    return x->stats.fd >= 0;
}

/* ---- telling ---- */

static void put(void *ctx, int64_t real_us, int64_t n, const char *subject, const char *text)
{
    const struct pt_exits *x = ctx;
    pt_writer_event(x->writer, real_us == PT_UNKNOWN ? pt_clock_us(CLOCK_REALTIME) : real_us,
                    PT_EVENT_EXIT, n, subject, text);
}

static void note(struct pt_writer *writer, enum pt_event kind, const char *text)
{
    pt_writer_event(writer, pt_clock_us(CLOCK_REALTIME), kind, PT_UNKNOWN, "", text);
    pt_log(kind == PT_EVENT_LOST ? PT_LOG_WARNING : PT_LOG_NOTICE, "%s", text);
}

static void tell_lost(struct pt_exits *x)
{
    char text[96];
    const uint32_t lost = pt_taskstats_lost(&x->stats);
    if (lost == x->lost)
        return;
    snprintf(text, sizeof(text), "%" PRIu32 " ends of tasks were lost: too many at once",
             lost - x->lost);
    note(x->writer, PT_EVENT_LOST, text);
    x->lost = lost;
}

/* In a network namespace of its own one may enlist, but nothing is delivered. */
static void check_probe(struct pt_exits *x)
{
    if (!x->probe || pt_clock_us(CLOCK_MONOTONIC) < x->probe_us + PROBE_US)
        return;
    note(x->writer, PT_EVENT_NOTE,
         "ends of processes are not told: the kernel delivers them in the first network namespace "
         "only");
    pt_taskstats_close(&x->stats);
    pt_sampler_account(x->sampler)->value[PT_ACCOUNT_EXITS_LOST] = PT_UNKNOWN;
}

void pt_exits_tell(struct pt_exits *x, bool end)
{
    if (!x || x->stats.fd < 0)
        return;
    tell_lost(x);
    pt_toll_tell(&x->toll, pt_clock_us(CLOCK_MONOTONIC), end, put, x);
    check_probe(x);
}

/* ---- life ---- */

static void *probe_main(void *arg)
{
    *(uint32_t *)arg = (uint32_t)gettid();
    return NULL;
}

static void send_probe(struct pt_exits *x)
{
    pthread_t thread;
    x->probe_us = pt_clock_us(CLOCK_MONOTONIC);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PROBE_STACK);
    if (pthread_create(&thread, &attr, probe_main, &x->probe) == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
}

struct pt_exits *pt_exits_new(const struct pt_roots *roots, struct pt_writer *writer,
                              struct pt_sampler *sampler, struct pt_loop *loop)
{
    char text[128];
    const char *why = "";
    struct pt_exits *x = roots->root[PT_ROOT_PROC].live ? calloc(1, sizeof(*x)) : NULL;
    if (!x)
        return NULL;
    x->stats.fd = -1;
    x->writer = writer;
    x->sampler = sampler;
    x->hz = sysconf(_SC_CLK_TCK);
    pt_toll_init(&x->toll, pt_clock_us(CLOCK_MONOTONIC));
    if (pt_taskstats_open(&x->stats, roots, &why) < 0) {
        snprintf(text, sizeof(text), "ends of processes are not told: %s", why);
        note(writer, PT_EVENT_NOTE, text);
        free(x);
        return NULL;
    }
    send_probe(x);
    pt_loop_add(loop, x->stats.fd, POLLIN, PAUSE_US, on_socket, x);
    return x;
}

void pt_exits_free(struct pt_exits *x)
{
    if (!x)
        return;
    pt_taskstats_close(&x->stats);
    free(x);
}
