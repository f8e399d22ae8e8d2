/* SPDX-License-Identifier: MIT
 * The table of processes: scanning, births and deaths, and looking at all or some of them. */
#include "recorder/procs_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/fds.h"
#include "recorder/scan.h"

/* A kept descriptor holds about 4.9 KiB of kernel memory and counts against RLIMIT_NOFILE. */
#define KEPT_MAX 2000

int pt_procs_new(const struct pt_roots *roots, struct pt_procs **ret, struct pt_err *err)
{
    struct pt_procs *t = calloc(1, sizeof(*t));
    char *names = malloc(PT_PROCS_NAMES);
    if (!t || !names) {
        free(t);
        free(names);
        return pt_err_nomem(err);
    }
    t->roots = roots;
    t->names = names;
    t->quota_us = INT64_MAX;
    t->forks = t->forks_scanned = PT_UNKNOWN;
    t->kept_max = pt_fds_share(KEPT_MAX, 6);
    *ret = t;
    return 0;
}

void pt_procs_free(struct pt_procs *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->n; i++) {
        for (int k = 0; k < PT_PROC_KEPT; k++)
            pt_proc_close(t, t->list[i], k);
        free(t->list[i]);
    }
    free(t->list);
    free(t->names);
    free(t);
}

void pt_procs_on_death(struct pt_procs *t, void (*fn)(void *ctx, const struct pt_proc *p),
                       void *ctx)
{
    t->on_death = fn;
    t->on_death_ctx = ctx;
}

void pt_proc_tell_death(const struct pt_procs *t, const struct pt_proc *p)
{
    if (t->on_death && !p->fresh)
        t->on_death(t->on_death_ctx, p);
}

void pt_procs_quota(struct pt_procs *t, int64_t quota_us)
{
    t->quota_us = quota_us;
}

void pt_procs_forks(struct pt_procs *t, int64_t forks)
{
    t->forks = forks;
}

uint32_t pt_procs_count(const struct pt_procs *t)
{
    return t->n;
}

struct pt_proc *pt_procs_at(struct pt_procs *t, uint32_t index)
{
    return t->list[index];
}

uint32_t pt_procs_kept(const struct pt_procs *t)
{
    return t->kept;
}

uint32_t pt_procs_visited(const struct pt_procs *t)
{
    return t->visited;
}

const uint32_t *pt_procs_denied(const struct pt_procs *t)
{
    return t->denied;
}

/* Index of the first process whose pid is not below. */
static uint32_t lower(const struct pt_procs *t, uint32_t pid)
{
    uint32_t lo = 0, hi = t->n;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (t->list[mid]->pid < pid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct pt_proc *pt_procs_find(struct pt_procs *t, uint32_t pid)
{
    const uint32_t i = lower(t, pid);
    return i < t->n && t->list[i]->pid == pid ? t->list[i] : NULL;
}

/* ---- lives ---- */

/* A new life of this pid. */
static void life(struct pt_procs *t, struct pt_proc *p, uint32_t pid, uint64_t inode)
{
    *p = (struct pt_proc){
        .pid = pid,
        .gen = ++t->gens,
        .inode = inode,
        .seen = t->scan,
        .slot = t->births++,
        .fresh = true,
        .names_due = true,
        .deep_us = pt_clock_us(CLOCK_MONOTONIC),
    };
    memset(p->source, -1, sizeof(p->source));
    memset(p->fd, -1, sizeof(p->fd));
}

static void death(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink)
{
    pt_proc_tell_death(t, p);
    for (int k = 0; k < PT_PROC_FILES; k++) {
        if (p->source[k] >= 0)
            pt_sink_gone(sink, (uint32_t)p->source[k]);
        p->source[k] = -1;
        pt_procs_note(t, p, (enum pt_proc_file)k, 0);
    }
    for (int k = 0; k < PT_PROC_KEPT; k++)
        pt_proc_close(t, p, k);
}

static int insert(struct pt_procs *t, uint32_t at, uint32_t pid, uint64_t inode)
{
    if (t->n == t->cap) {
        const uint32_t cap = t->cap + t->cap / 4 + 64;
        struct pt_proc **list = realloc(t->list, cap * sizeof(struct pt_proc *));
        if (!list)
            return -1;
        t->list = list;
        t->cap = cap;
    }
    struct pt_proc *p = malloc(sizeof(*p));
    if (!p)
        return -1;
    life(t, p, pid, inode);
    memmove(t->list + at + 1, t->list + at, (t->n - at) * sizeof(struct pt_proc *));
    t->list[at] = p;
    t->n++;
    return 0;
}

/* ---- scanning ---- */

/* One entry of the directory. *hint: where the next pid is likely to stand. */
static int scan_entry(struct pt_procs *t, const struct dirent64 *d, uint32_t *hint)
{
    uint64_t pid;
    struct pt_scan s = pt_scan_of(d->d_name, strlen(d->d_name));
    if (!pt_scan_u64(&s, &pid) || s.p != s.end || pid == 0 || pid > INT32_MAX ||
        d->d_name[0] == '0')
        return 0;
    uint32_t i = *hint;
    if (i >= t->n || t->list[i]->pid != pid)
        i = lower(t, (uint32_t)pid);
    *hint = i + 1;
    if (i == t->n || t->list[i]->pid != pid)
        return insert(t, i, (uint32_t)pid, d->d_ino);
    struct pt_proc *p = t->list[i];
    p->seen = t->scan;
    if (p->inode != d->d_ino) {
        p->inode = d->d_ino;
        p->heat = PT_HEAT_MAX; /* its identity is looked at in this tick */
        p->statm_hash = 0;
    }
    return 0;
}

/* Listing costs the kernel about 1 us a process. An end is told by statm; only kernel threads,
 * which have none, wait for the listing of every PT_SLOW_TICKS. */
static bool scan_due(const struct pt_procs *t, uint64_t tick, bool full)
{
    return full || t->forks == PT_UNKNOWN || t->forks != t->forks_scanned ||
           tick % PT_SLOW_TICKS == 0 || !t->roots->root[PT_ROOT_PROC].live;
}

static int scan(struct pt_procs *t, struct pt_err *err)
{
    const int dir = t->roots->root[PT_ROOT_PROC].fd;
    uint32_t hint = 0;
    t->scan++;
    if (lseek(dir, 0, SEEK_SET) < 0)
        return pt_err_set(err, PT_EIO, errno, "proc:", -1, "cannot rewind procfs: %s",
                          strerror(errno));
    for (;;) {
        const ssize_t n = getdents64(dir, t->names, PT_PROCS_NAMES);
        if (n < 0)
            return pt_err_set(err, PT_EIO, errno, "proc:", -1, "cannot list procfs: %s",
                              strerror(errno));
        if (n == 0)
            return 0;
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(t->names + at);
            at += d->d_reclen;
            if (scan_entry(t, d, &hint) < 0)
                return pt_err_nomem(err);
        }
    }
}

/* false: it ended, and nobody has its number. */
static bool visit(struct pt_procs *t, struct pt_proc *p, const struct pt_tour *v)
{
    if (pt_proc_read(t, p, v) >= 0)
        return true;
    death(t, p, v->sink);
    /* is somebody else there under the same number? */
    life(t, p, p->pid, p->inode);
    if (pt_proc_read(t, p, &(struct pt_tour){v->sink, v->cgroups, v->tick, true, v->until_us}) >= 0)
        return true;
    death(t, p, v->sink);
    return false;
}

/* Clocks are dear: one look for so many processes. */
#define CLOCK_EVERY 16

/* Looks at all, or at those that change, from where the last such tour ended, while there is time.
 */
static void tour(struct pt_procs *t, const struct pt_tour *v, bool changing)
{
    uint32_t *next = &t->next_pid[changing];
    uint32_t i = v->until_us == INT64_MAX ? 0 : lower(t, *next), looked = 0;
    for (uint32_t k = 0; k < t->n; k++, i++) {
        if (i >= t->n)
            i = 0;
        struct pt_proc *p = t->list[i];
        if (p->visit == t->ticks || (changing && !p->heat && !p->fresh))
            continue;
        *next = p->pid;
        if (v->until_us != INT64_MAX && looked++ % CLOCK_EVERY == CLOCK_EVERY - 1 &&
            pt_clock_us(CLOCK_THREAD_CPUTIME_ID) >= v->until_us)
            return;
        if (!visit(t, p, v))
            p->seen = t->scan - 1;
        p->visit = t->ticks;
        t->visited++;
    }
}

/* Drops those that were not listed, or ended since. */
static void bury(struct pt_procs *t, struct pt_sink *sink)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct pt_proc *p = t->list[i];
        if (p->seen == t->scan) {
            t->list[kept++] = p;
            continue;
        }
        death(t, p, sink);
        free(p);
    }
    t->n = kept;
}

int pt_procs_tick(struct pt_procs *t, struct pt_sink *sink, struct pt_cgroups *cgroups,
                  uint64_t tick, bool full, struct pt_err *err)
{
    struct pt_tour v = {sink, cgroups, tick, full, INT64_MAX};
    const int64_t start = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    if (scan_due(t, tick, full)) {
        if (scan(t, err) < 0)
            return -1;
        t->forks_scanned = t->forks;
        bury(t, sink);
    }
    t->visited = 0;
    t->ticks++;
    if (!full && t->quota_us != INT64_MAX) {
        /* those that change leave time for the others to be looked at some day */
        v.until_us = start + t->quota_us / 4 * 3;
        tour(t, &v, true);
        v.until_us = start + t->quota_us;
    }
    tour(t, &v, false);
    bury(t, sink);
    return 0;
}
