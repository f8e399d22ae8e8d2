/* SPDX-License-Identifier: MIT
 * The deep reader's threads and queues. */
#include "recorder/deep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "recorder/clock.h"
#include "recorder/endure.h"

#define STACK_BYTES (128u << 10)
#define PIECE       (64u << 10) /* packed under one hold of the shapes lock */

struct worker {
    struct pt_deep *deep;
    struct pt_pack pack;
    struct pt_buf text; /* kept texts, command lines */
    char *piece;
    struct pt_deep_job job;
    int64_t stall_us;   /* of the job: the longest read() */
    int64_t started_us; /* monotonic; 0: idle */
    bool abandoned;     /* by the sampler: end quietly */
};

struct pt_deep {
    struct pt_deep_config config;
    pthread_mutex_t lock; /* of all below, and of the workers' job, started_us and abandoned */
    pthread_cond_t wake, done;
    struct pt_deep_job jobs[PT_DEEP_QUEUE];
    struct pt_deep_result results[PT_DEEP_QUEUE];
    uint32_t job_first, njobs, result_first, nresults;
    struct worker *worker; /* the one at work; NULL: paused */
    uint32_t threads;      /* alive, the stuck included */
    uint32_t stuck;
    int64_t cpu_us;
    int64_t moved_us; /* something was begun, done or given up last */
    bool ending;
};

static const char *const leaves[] = {
    [PT_DEEP_CMDLINE] = "cmdline",
    [PT_DEEP_EXE] = "exe",
    [PT_DEEP_SMAPS] = "smaps",
    [PT_DEEP_ROLLUP] = "smaps_rollup",
};

/* ---- one read ---- */

static int feed(struct worker *w, const void *bytes, size_t len)
{
    const struct pt_deep_config *c = &w->deep->config;
    struct pt_err err = {0};
    pthread_mutex_lock(c->shapes_lock);
    const int rc = pt_pack_feed(&w->pack, bytes, len, &err);
    pthread_mutex_unlock(c->shapes_lock);
    return rc < 0 ? -(err.code == PT_ENOMEM ? EFBIG : EIO) : 0;
}

/* Fills the piece. Returns what came, less than PIECE at the end, or -errno. The lock is held for a
 * read() at most, by the clock on the wall: who holds it may be kept waiting for a CPU, and its
 * priority does not help against other groups of processes. */
static ssize_t fill(struct worker *w, int fd)
{
    size_t got = 0;
    int64_t before = pt_clock_us(CLOCK_MONOTONIC);
    while (got < PIECE) {
        const ssize_t n = read(fd, w->piece + got, PIECE - got);
        const int64_t after = pt_clock_us(CLOCK_MONOTONIC);
        if (after - before > w->stall_us)
            w->stall_us = after - before;
        before = after;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* Reads to the end: pieces go to the packer, or to w->text when they must be seen whole first. */
static int read_pieces(struct worker *w, int fd, bool pack, bool keep)
{
    for (;;) {
        const ssize_t n = fill(w, fd);
        if (n < 0)
            return (int)n;
        if (keep)
            pt_buf_put(&w->text, w->piece, (size_t)n);
        const int rc = pack && n ? feed(w, w->piece, (size_t)n) : 0;
        if (rc < 0)
            return rc;
        if (n < (ssize_t)PIECE)
            return w->text.failed ? -EFBIG : 0;
    }
}

static int read_cmdline(struct worker *w, int fd)
{
    const int rc = read_pieces(w, fd, false, true);
    if (rc < 0)
        return rc;
    struct pt_buf masked;
    pt_buf_init(&masked, 2 * PT_DEEP_TEXT_MAX);
    pt_mask(w->deep->config.cmdline, (const char *)w->text.data, w->text.len, &masked);
    pt_buf_release(&w->text);
    w->text = masked; /* the raw log gets what is recorded, never the secret */
    if (masked.failed)
        return -EFBIG;
    return masked.len ? feed(w, masked.data, masked.len) : 0;
}

static int read_file(struct worker *w)
{
    char path[PT_PID_PATH];
    pt_pid_path(path, w->job.pid, leaves[w->job.kind]);
    const int fd = openat(w->deep->config.roots->root[PT_ROOT_PROC].fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    const int rc = w->job.kind == PT_DEEP_CMDLINE
                       ? read_cmdline(w, fd)
                       : read_pieces(w, fd, true, w->deep->config.keep_text);
    close(fd);
    return rc;
}

static int read_exe(struct worker *w)
{
    char path[PT_PID_PATH];
    pt_pid_path(path, w->job.pid, "exe");
    const ssize_t n =
        readlinkat(w->deep->config.roots->root[PT_ROOT_PROC].fd, path, w->piece, PIECE);
    if (n < 0)
        return -errno;
    pt_buf_put(&w->text, w->piece, (size_t)n);
    return n ? feed(w, w->piece, (size_t)n) : 0;
}

static int read_statfs(struct worker *w)
{
    struct statfs fs;
    if (statfs(w->job.path, &fs) < 0)
        return -errno;
    if (fs.f_type != TMPFS_MAGIC)
        return -ENOENT; /* something else is mounted over it */
    const int n =
        snprintf(w->piece, PIECE,
                 "bsize %lld\nblocks %llu\nbfree %llu\nbavail %llu\nfiles %llu\nffree %llu\n",
                 (long long)fs.f_bsize, (unsigned long long)fs.f_blocks,
                 (unsigned long long)fs.f_bfree, (unsigned long long)fs.f_bavail,
                 (unsigned long long)fs.f_files, (unsigned long long)fs.f_ffree);
    pt_buf_put(&w->text, w->piece, (size_t)n);
    return feed(w, w->piece, (size_t)n);
}

static int read_job(struct worker *w)
{
    switch (w->job.kind) {
    case PT_DEEP_EXE:
        return read_exe(w);
    case PT_DEEP_STATFS:
        return read_statfs(w);
    case PT_DEEP_CMDLINE:
    case PT_DEEP_SMAPS:
    case PT_DEEP_ROLLUP:
        break;
    }
    return read_file(w);
}

static void finish(struct worker *w, int rc, struct pt_deep_result *r)
{
    const struct pt_deep_config *c = &w->deep->config;
    struct pt_err err = {0};
    pthread_mutex_lock(c->shapes_lock);
    if (rc < 0)
        pt_pack_abort(&w->pack);
    else if (pt_pack_end(&w->pack, &r->reading, &err) < 0)
        rc = -ENOMEM;
    pt_reading_unref(c->shapes, w->job.prev);
    pthread_mutex_unlock(c->shapes_lock);
    free(w->job.path);
    w->job.prev = NULL;
    w->job.path = NULL;
    r->why = -rc;
    if (rc >= 0 && c->keep_text) {
        r->text = (char *)w->text.data;
        r->len = w->text.len;
        pt_buf_init(&w->text, 2 * PT_DEEP_TEXT_MAX);
    } else if (w->text.cap > PIECE) {
        pt_buf_release(&w->text);
        pt_buf_init(&w->text, 2 * PT_DEEP_TEXT_MAX);
    }
}

static void perform(struct worker *w, struct pt_deep_result *r)
{
    const struct pt_deep_config *c = &w->deep->config;
    const int64_t cpu = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    *r = (struct pt_deep_result){.kind = w->job.kind,
                                 .pid = w->job.pid,
                                 .gen = w->job.gen,
                                 .predicted_us = w->job.predicted_us};
    w->stall_us = 0;
    pt_buf_reset(&w->text);
    if (c->keep_text)
        w->text.max = PT_TEXT_MAX;
    pthread_mutex_lock(c->shapes_lock);
    pt_pack_begin(&w->pack, w->job.grammar, w->job.prev);
    pthread_mutex_unlock(c->shapes_lock);
    const int rc = read_job(w);
    r->read_us = pt_clock_us(CLOCK_REALTIME) + c->shift_us;
    finish(w, rc, r);
    r->stall_us = w->stall_us;
    r->cpu_us = pt_clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

/* ---- threads ---- */

static void worker_free(struct worker *w)
{
    pt_pack_release(&w->pack);
    pt_buf_release(&w->text);
    free(w->piece);
    free(w);
}

/* Under d->lock. There is room: jobs and results together never exceed the queue. */
static void push_result(struct pt_deep *d, const struct pt_deep_result *r)
{
    d->results[(d->result_first + d->nresults++) % PT_DEEP_QUEUE] = *r;
    d->cpu_us += r->cpu_us;
}

static void drop_result(const struct pt_deep *d, struct pt_deep_result *r)
{
    pt_reading_unref(d->config.shapes, r->reading);
    pt_reading_unref(d->config.shapes, r->prev);
    free(r->text);
    r->reading = r->prev = NULL;
    r->text = NULL;
}

static bool worker_step(struct worker *w)
{
    struct pt_deep *d = w->deep;
    while (!d->njobs && !d->ending)
        pthread_cond_wait(&d->wake, &d->lock);
    if (d->ending)
        return false;
    w->job = d->jobs[d->job_first];
    d->job_first = (d->job_first + 1) % PT_DEEP_QUEUE;
    d->njobs--;
    w->started_us = d->moved_us = pt_clock_us(CLOCK_MONOTONIC);
    pthread_mutex_unlock(&d->lock);
    struct pt_deep_result r;
    perform(w, &r);
    pthread_mutex_lock(&d->lock);
    w->started_us = 0;
    d->moved_us = pt_clock_us(CLOCK_MONOTONIC);
    if (!w->abandoned)
        push_result(d, &r);
    if (!d->njobs ||
        w->abandoned) /* nobody waits for less: thousands at the start would each wake */
        pthread_cond_signal(&d->done);
    if (!w->abandoned)
        return true;
    d->stuck--;
    pthread_mutex_unlock(&d->lock);
    pthread_mutex_lock(d->config.shapes_lock);
    drop_result(d, &r);
    pthread_mutex_unlock(d->config.shapes_lock);
    pthread_mutex_lock(&d->lock);
    return false;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct pt_deep *d = w->deep;
    pt_endure_stack();
    pthread_mutex_lock(&d->lock);
    while (worker_step(w))
        ;
    if (d->worker == w)
        d->worker = NULL;
    worker_free(w);
    d->threads--;
    pthread_cond_broadcast(&d->done);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* Under d->lock. */
static int worker_start(struct pt_deep *d)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->deep = d;
    pt_pack_init(&w->pack, d->config.shapes);
    pt_buf_init(&w->text, 2 * PT_DEEP_TEXT_MAX);
    w->piece = malloc(PIECE);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    const int rc = w->piece ? pthread_create(&thread, &attr, worker_main, w) : ENOMEM;
    pthread_attr_destroy(&attr);
    if (rc) {
        worker_free(w);
        return -rc;
    }
    pthread_setname_np(thread, "deep");
    d->worker = w;
    d->moved_us = pt_clock_us(CLOCK_MONOTONIC);
    d->threads++;
    return 0;
}

int pt_deep_new(const struct pt_deep_config *config, struct pt_deep **ret, struct pt_err *err)
{
    struct pt_deep *d = calloc(1, sizeof(*d));
    if (!d)
        return pt_err_nomem(err);
    d->config = *config;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wake, NULL);
    pthread_cond_init(&d->done, &attr);
    pthread_condattr_destroy(&attr);
    const int rc = worker_start(d);
    if (rc < 0) {
        free(d);
        return pt_err_set(err, PT_ENOMEM, -rc, "", -1, "cannot start the deep reader: %s",
                          strerror(-rc));
    }
    *ret = d;
    return 0;
}

static void drop_job(struct pt_deep *d, struct pt_deep_job *job)
{
    pthread_mutex_lock(d->config.shapes_lock);
    pt_reading_unref(d->config.shapes, job->prev);
    pthread_mutex_unlock(d->config.shapes_lock);
    free(job->path);
}

bool pt_deep_free(struct pt_deep *d)
{
    if (!d)
        return true;
    pthread_mutex_lock(&d->lock);
    d->ending = true;
    pthread_cond_broadcast(&d->wake);
    struct timespec until = pt_timespec(pt_clock_us(CLOCK_MONOTONIC) + PT_DEEP_STUCK_US);
    while (d->threads > d->stuck && pthread_cond_timedwait(&d->done, &d->lock, &until) == 0)
        ;
    const bool left = d->threads != 0;
    pthread_mutex_unlock(&d->lock);
    if (left)
        return false; /* a thread hangs in its read and will look at d when it comes back: d must
                         stay */
    for (; d->njobs; d->njobs--, d->job_first = (d->job_first + 1) % PT_DEEP_QUEUE)
        drop_job(d, &d->jobs[d->job_first]);
    pthread_mutex_lock(d->config.shapes_lock);
    for (; d->nresults; d->nresults--, d->result_first = (d->result_first + 1) % PT_DEEP_QUEUE)
        drop_result(d, &d->results[d->result_first]);
    pthread_mutex_unlock(d->config.shapes_lock);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->done);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return true;
}

/* ---- the sampler's side ---- */

/* Under d->lock: a job at work or a thread about to take one counts as a place too. */
static uint32_t room(const struct pt_deep *d)
{
    const uint32_t used = d->njobs + d->nresults + 1;
    return used < PT_DEEP_QUEUE ? PT_DEEP_QUEUE - used : 0;
}

uint32_t pt_deep_room(struct pt_deep *d)
{
    pthread_mutex_lock(&d->lock);
    const uint32_t n = d->worker ? room(d) : 0;
    pthread_mutex_unlock(&d->lock);
    return n;
}

uint32_t pt_deep_results(struct pt_deep *d)
{
    pthread_mutex_lock(&d->lock);
    const uint32_t n = d->nresults;
    pthread_mutex_unlock(&d->lock);
    return n;
}

bool pt_deep_push(struct pt_deep *d, const struct pt_deep_job *job)
{
    pthread_mutex_lock(&d->lock);
    const bool fits = room(d) > 0;
    if (fits) {
        if (!d->njobs)
            d->moved_us = pt_clock_us(CLOCK_MONOTONIC);
        d->jobs[(d->job_first + d->njobs++) % PT_DEEP_QUEUE] = *job;
        pthread_cond_signal(&d->wake);
    }
    pthread_mutex_unlock(&d->lock);
    return fits;
}

bool pt_deep_take(struct pt_deep *d, struct pt_deep_result *ret)
{
    pthread_mutex_lock(&d->lock);
    const bool any = d->nresults > 0;
    if (any) {
        *ret = d->results[d->result_first];
        d->result_first = (d->result_first + 1) % PT_DEEP_QUEUE;
        d->nresults--;
    }
    pthread_mutex_unlock(&d->lock);
    return any;
}

void pt_deep_drop(struct pt_deep *d, struct pt_deep_result *result)
{
    drop_result(d, result);
}

/* Under d->lock. */
static void push_stuck(struct pt_deep *d, const struct pt_deep_job *job, struct pt_reading *prev)
{
    const struct pt_deep_result r = {
        .kind = job->kind,
        .pid = job->pid,
        .gen = job->gen,
        .predicted_us = job->predicted_us,
        .prev = prev,
        .why = ETIMEDOUT,
        .read_us = pt_clock_us(CLOCK_REALTIME) + d->config.shift_us,
    };
    push_result(d, &r);
}

/* Under d->lock. The other reads of a process that hangs would each cost a thread too. */
static void abandon(struct pt_deep *d)
{
    struct worker *w = d->worker;
    w->abandoned = true;
    d->worker = NULL;
    d->stuck++;
    push_stuck(d, &w->job, NULL);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->njobs; i++) {
        const struct pt_deep_job job = d->jobs[(d->job_first + i) % PT_DEEP_QUEUE];
        const bool same =
            job.pid == w->job.pid && job.kind != PT_DEEP_STATFS && job.kind != PT_DEEP_EXE;
        if (same && w->job.kind != PT_DEEP_STATFS)
            push_stuck(d, &job, job.prev);
        else
            d->jobs[(d->job_first + kept++) % PT_DEEP_QUEUE] = job;
    }
    d->njobs = kept;
}

int64_t pt_deep_watch(struct pt_deep *d)
{
    int64_t left = -1;
    pthread_mutex_lock(&d->lock);
    if (d->worker && d->worker->started_us) {
        left = d->worker->started_us + PT_DEEP_STUCK_US - pt_clock_us(CLOCK_MONOTONIC);
        if (left <= 0) {
            abandon(d);
            left = -1;
        }
    }
    if (!d->worker && d->stuck <= PT_DEEP_STUCK_MAX && !d->ending)
        worker_start(d);
    if (left < 0 && d->worker && d->njobs)
        left = PT_DEEP_STUCK_US; /* about to begin */
    pthread_mutex_unlock(&d->lock);
    return left;
}

void pt_deep_wait(struct pt_deep *d, int64_t timeout_us)
{
    const int64_t until = pt_clock_us(CLOCK_MONOTONIC) + timeout_us;
    for (;;) {
        const int64_t left = pt_deep_watch(d);
        const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
        pthread_mutex_lock(&d->lock);
        const bool idle = !d->worker || (!d->njobs && !d->worker->started_us);
        const int64_t step = left >= 0 && now + left < until ? now + left : until;
        const struct timespec ts = pt_timespec(step);
        if (!idle && now < until)
            pthread_cond_timedwait(&d->done, &d->lock, &ts);
        pthread_mutex_unlock(&d->lock);
        if (idle || now >= until)
            return;
    }
}

uint32_t pt_deep_stuck(struct pt_deep *d, bool *ret_paused)
{
    pthread_mutex_lock(&d->lock);
    const uint32_t n = d->stuck;
    *ret_paused = !d->worker;
    pthread_mutex_unlock(&d->lock);
    return n;
}

bool pt_deep_stalled(struct pt_deep *d, int64_t limit_us)
{
    pthread_mutex_lock(&d->lock);
    const bool stalled = d->worker && (d->njobs || d->worker->started_us) &&
                         pt_clock_us(CLOCK_MONOTONIC) - d->moved_us > limit_us;
    pthread_mutex_unlock(&d->lock);
    return stalled;
}

int64_t pt_deep_cpu_us(struct pt_deep *d)
{
    pthread_mutex_lock(&d->lock);
    const int64_t us = d->cpu_us;
    pthread_mutex_unlock(&d->lock);
    return us;
}
