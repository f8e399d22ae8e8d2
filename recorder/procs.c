/* SPDX-License-Identifier: MIT
 * The table of processes: scanning, births and deaths. */
#include "recorder/procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/scan.h"
#include "schema/source.h"

/* A kept descriptor holds about 4.9 KiB of kernel memory and counts against RLIMIT_NOFILE. */
#define KEPT_MAX     2000
#define SCAN_BUFFER  (32u << 10)
#define FLAG_KTHREAD 0x00200000u
#define HEAT_MAX     12
#define FDS_COUNTED                                                                                \
    16384 /* where the kernel does not tell, directories longer than this are not counted */

struct pt_procs {
    const struct pt_roots *roots;
    struct pt_proc **list; /* by pid */
    uint32_t n, cap;
    uint32_t scan, births, gens;
    uint32_t kept, kept_max, visited;
    uint32_t denied[PT_PROC_FILES];
    int64_t forks, forks_scanned; /* now, and before the last scan; PT_UNKNOWN */
    char *names;                  /* getdents buffer */
    void (*on_death)(void *ctx, const struct pt_proc *p);
    void *on_death_ctx;
};

static const char *const leaves[PT_PROC_FILES] = {
    [PT_PROC_STATM] = "statm",
    [PT_PROC_STAT] = "stat",
    [PT_PROC_STATUS] = "status",
    [PT_PROC_OOM_SCORE] = "oom_score",
    [PT_PROC_OOM_ADJ] = "oom_score_adj",
    [PT_PROC_CGROUP] = "cgroup",
    [PT_PROC_FD] = "fd",
    [PT_PROC_EXE] = "exe",
    [PT_PROC_CMDLINE] = "cmdline",
    [PT_PROC_SMAPS] = "smaps",
    [PT_PROC_ROLLUP] = "smaps_rollup",
};

int pt_procs_new(const struct pt_roots *roots, struct pt_procs **ret, struct pt_err *err)
{
    struct pt_procs *t = calloc(1, sizeof(*t));
    char *names = malloc(SCAN_BUFFER);
    if (!t || !names) {
        free(t);
        free(names);
        return pt_err_nomem(err);
    }
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    t->roots = roots;
    t->names = names;
    t->forks = t->forks_scanned = PT_UNKNOWN;
    t->kept_max = limit.rlim_cur / 2 < KEPT_MAX ? (uint32_t)(limit.rlim_cur / 2) : KEPT_MAX;
    *ret = t;
    return 0;
}

static void close_kept(struct pt_procs *t, struct pt_proc *p, int file)
{
    if (p->fd[file] < 0)
        return;
    close(p->fd[file]);
    p->fd[file] = -1;
    t->kept--;
}

void pt_procs_free(struct pt_procs *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->n; i++) {
        for (int k = 0; k < PT_PROC_KEPT; k++)
            close_kept(t, t->list[i], k);
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

static void tell_death(const struct pt_procs *t, const struct pt_proc *p)
{
    if (t->on_death && !p->fresh)
        t->on_death(t->on_death_ctx, p);
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

void pt_procs_note(struct pt_procs *t, struct pt_proc *p, enum pt_proc_file file, int why)
{
    const bool denied = why == EACCES || why == EPERM;
    const bool was = p->denied >> file & 1;
    if (denied == was)
        return;
    p->denied = (uint16_t)(p->denied ^ 1u << file);
    t->denied[file] += denied ? 1 : UINT32_MAX;
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
    tell_death(t, p);
    for (int k = 0; k < PT_PROC_FILES; k++) {
        if (p->source[k] >= 0)
            pt_sink_gone(sink, (uint32_t)p->source[k]);
        p->source[k] = -1;
        pt_procs_note(t, p, (enum pt_proc_file)k, 0);
    }
    for (int k = 0; k < PT_PROC_KEPT; k++)
        close_kept(t, p, k);
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
        p->heat = HEAT_MAX; /* its identity is looked at in this tick */
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
        const ssize_t n = getdents64(dir, t->names, SCAN_BUFFER);
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

/* ---- reading ---- */

/* The same for every process: looked up once, by the sampler's thread alone. */
static const struct pt_grammar *grammars[PT_PROC_FILES];

int32_t pt_proc_source(struct pt_proc *p, struct pt_sink *sink, enum pt_proc_file file)
{
    if (p->source[file] < 0) {
        char name[8 + PT_PID_PATH] = "proc:";
        pt_pid_path(name + 5, p->pid, leaves[file]);
        if (!grammars[file])
            grammars[file] = &pt_file_of(name)->grammar;
        const int64_t source = pt_sink_open_as(sink, name, grammars[file]);
        p->source[file] = source < 0 || source > INT32_MAX ? -1 : (int32_t)source;
    }
    return p->source[file];
}

bool pt_proc_alive(const struct pt_proc *p)
{
    char c;
    return p->fd[PT_PROC_STATM] < 0 || pread(p->fd[PT_PROC_STATM], &c, 1, 0) >= 0 || errno != ESRCH;
}

/* Tells an end of the process from a file that may not be read. */
static bool vanished(ssize_t n)
{
    return n == -ESRCH || n == -ENOENT;
}

/* Little room for descriptors is left: it is for those that change. */
static bool crowded(const struct pt_procs *t)
{
    return t->kept >= t->kept_max - t->kept_max / 8;
}

static bool may_keep(const struct pt_procs *t, const struct pt_proc *p, int file)
{
    return !crowded(t) || (t->kept < t->kept_max && (file == PT_PROC_STATM || p->heat > 1));
}

/* statm, stat or status: by its kept descriptor where there is one. Failures other than the end of
 * the process are recorded here. */
static ssize_t read_kept(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink, int file)
{
    int fd = p->fd[file];
    if (fd < 0) {
        char path[PT_PID_PATH];
        pt_pid_path(path, p->pid, leaves[file]);
        fd = openat(t->roots->root[PT_ROOT_PROC].fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    ssize_t n = fd < 0 ? -errno : 0;
    if (vanished(n))
        return n;
    const int32_t source = pt_proc_source(p, sink, (enum pt_proc_file)file);
    if (source < 0)
        n = -ENOMEM;
    else if (fd >= 0)
        n = pt_sink_fd(sink, (uint32_t)source, fd, PT_READ_RECORD);
    pt_procs_note(t, p, (enum pt_proc_file)file, n < 0 ? (int)-n : 0);
    if (n < 0 && !vanished(n) && source >= 0)
        pt_sink_fail(sink, (uint32_t)source, (int)-n, PT_UNKNOWN);
    if (fd >= 0 && p->fd[file] < 0) {
        if (n >= 0 && may_keep(t, p, file)) {
            p->fd[file] = fd;
            t->kept++;
        } else {
            close(fd);
        }
    } else if (n < 0) {
        close_kept(t, p, file);
    }
    return n;
}

/* A small file, opened for this once; what the kernel does not have is passed over. Returns its
 * length or -errno. */
static ssize_t read_small(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink,
                          enum pt_proc_file file)
{
    char path[PT_PID_PATH];
    pt_pid_path(path, p->pid, leaves[file]);
    const int fd = openat(t->roots->root[PT_ROOT_PROC].fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const int why = fd < 0 ? errno : 0;
    if (vanished(-why))
        return -why;
    const int32_t source = pt_proc_source(p, sink, file);
    ssize_t n = source < 0 ? -ENOMEM : -why;
    if (fd >= 0 && source >= 0)
        n = pt_sink_fd(sink, (uint32_t)source, fd, PT_READ_RECORD);
    if (fd >= 0)
        close(fd);
    pt_procs_note(t, p, file, n < 0 ? (int)-n : 0);
    if (n < 0 && !vanished(n) && source >= 0)
        pt_sink_fail(sink, (uint32_t)source, (int)-n, PT_UNKNOWN);
    return n;
}

/* Entries of PID/fd where st_size does not tell: < 0 too many to be worth it, or -errno. */
static int64_t count_fds(const struct pt_procs *t, const char *path)
{
    const int fd =
        openat(t->roots->root[PT_ROOT_PROC].fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int64_t count = 0;
    ssize_t n;
    while ((n = getdents64(fd, t->names, SCAN_BUFFER)) > 0 && count <= FDS_COUNTED) {
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(t->names + at);
            at += d->d_reclen;
            count += d->d_name[0] != '.';
        }
    }
    close(fd);
    return n < 0 ? -EIO : count > FDS_COUNTED ? -EFBIG : count;
}

/* The number of open files as a text: st_size of the directory since Linux 6.2. */
static void read_fd_count(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink)
{
    char path[PT_PID_PATH], text[24];
    struct stat st;
    pt_pid_path(path, p->pid, leaves[PT_PROC_FD]);
    const struct pt_root *root = &t->roots->root[PT_ROOT_PROC];
    if (fstatat(root->fd, path, &st, 0) < 0)
        return;
    int64_t count = root->live ? st.st_size : 0;
    if (count == 0)
        count = count_fds(t, path);
    pt_procs_note(t, p, PT_PROC_FD, count < 0 ? (int)-count : 0);
    const int32_t source = vanished((ssize_t)count) ? -1 : pt_proc_source(p, sink, PT_PROC_FD);
    if (source >= 0 && count < 0) {
        pt_sink_fail(sink, (uint32_t)source, (int)-count, PT_UNKNOWN);
    } else if (source >= 0) {
        const size_t n = pt_digits(text, (uint64_t)count);
        text[n] = '\n';
        pt_sink_text(sink, (uint32_t)source, text, n + 1);
    }
}

bool pt_stat_parse(const char *text, size_t len, struct pt_stat *ret)
{
    const char *open = memchr(text, '(', len);
    const char *close = memrchr(text, ')', len);
    if (!open || !close || close < open)
        return false;
    struct pt_stat st = {.comm_hash = (uint32_t)pt_hash(open, (size_t)(close - open))};
    struct pt_scan s = pt_scan_of(close + 1, (size_t)(text + len - close - 1));
    const char *word;
    size_t n;
    for (int field = 2; pt_scan_until(&s, ' ', &word, &n); field++) {
        struct pt_scan w = pt_scan_of(word, n);
        if (field == 3 && n == 1)
            st.state = *word;
        else if (field == 9 && !pt_scan_u64(&w, &st.flags))
            return false;
        else if (field == 22) {
            if (!pt_scan_u64(&w, &st.start_time))
                return false;
            *ret = st;
            return true;
        }
    }
    return false;
}

/* stat, and what it says of who this is. < 0: the process ended or is another one. */
static int read_stat(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink)
{
    struct pt_stat st;
    const ssize_t n = read_kept(t, p, sink, PT_PROC_STAT);
    if (vanished(n))
        return -1;
    if (n < 0 || n >= (ssize_t)PT_SINK_BUFFER || !pt_stat_parse(sink->buf, (size_t)n, &st))
        return 0;
    if (p->start_time && p->start_time != st.start_time)
        return -1;
    p->start_time = st.start_time;
    p->kernel = (st.flags & FLAG_KTHREAD) != 0;
    p->zombie = st.state == 'Z' || st.state == 'X';
    if (p->comm_hash != st.comm_hash)
        p->names_due = true;
    p->comm_hash = st.comm_hash;
    return 0;
}

/* Returns 1 when it changed, 0 when not, < 0 when the process ended. */
static int read_statm(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink)
{
    const ssize_t n = read_kept(t, p, sink, PT_PROC_STATM);
    if (n < 0 || n >= (ssize_t)PT_SINK_BUFFER)
        return vanished(n) ? -1 : 1;
    const uint64_t hash = pt_hash(sink->buf, (size_t)n);
    if (hash == p->statm_hash) {
        p->heat = p->heat ? (uint8_t)(p->heat - 1) : 0;
        return 0;
    }
    uint64_t pages = 0;
    struct pt_scan s = pt_scan_of(sink->buf, (size_t)n);
    if (pt_scan_u64(&s, &pages)) {
        pt_scan_blanks(&s);
        const bool known = pt_scan_u64(&s, &pages);
        if (known && pages == 0 && p->rss_pages)
            tell_death(t, p); /* it is ending, perhaps as a zombie for long */
        if (known)
            p->rss_pages = pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
    }
    p->statm_hash = hash;
    p->heat = p->heat + 4 < HEAT_MAX ? (uint8_t)(p->heat + 4) : HEAT_MAX;
    return 1;
}

static void read_smalls(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink,
                        struct pt_cgroups *cgroups)
{
    if (p->kernel)
        return;
    const ssize_t n = read_small(t, p, sink, PT_PROC_CGROUP);
    if (n > 0 && n < (ssize_t)PT_SINK_BUFFER)
        pt_cgroups_note(cgroups, sink->buf, (size_t)n);
    read_small(t, p, sink, PT_PROC_OOM_SCORE);
    read_small(t, p, sink, PT_PROC_OOM_ADJ);
    read_fd_count(t, p, sink);
}

/* < 0: it ended, or its pid is another's now. */
static int read_proc(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink,
                     struct pt_cgroups *cgroups, uint64_t tick, bool full)
{
    /* a kernel thread has no memory of its own to look at */
    const uint32_t period = p->kernel ? PT_SMALL_TICKS : PT_SLOW_TICKS;
    bool due = full || p->fresh || tick % period == p->slot % period;
    if (p->fresh && read_stat(t, p, sink) < 0)
        return -1;
    if (!p->kernel) {
        const int changed = read_statm(t, p, sink);
        if (changed < 0)
            return -1;
        due |= changed > 0;
    } else {
        due |= p->heat > 0; /* another directory inode: perhaps another process */
        p->heat = 0;
    }
    if (due && ((!p->fresh && read_stat(t, p, sink) < 0) ||
                vanished(read_kept(t, p, sink, PT_PROC_STATUS))))
        return -1;
    if (full || p->fresh || tick % PT_SMALL_TICKS == p->slot % PT_SMALL_TICKS)
        read_smalls(t, p, sink, cgroups);
    if ((p->heat == 0 && crowded(t)) || p->kernel) {
        close_kept(t, p, PT_PROC_STAT);
        close_kept(t, p, PT_PROC_STATUS);
    }
    p->fresh = false;
    return 0;
}

/* true: it lives. */
static bool visit(struct pt_procs *t, struct pt_proc *p, struct pt_sink *sink,
                  struct pt_cgroups *cgroups, uint64_t tick, bool full)
{
    if (p->seen != t->scan) {
        death(t, p, sink);
        return false;
    }
    if (read_proc(t, p, sink, cgroups, tick, full) >= 0)
        return true;
    death(t, p, sink);
    /* the directory was listed just now: is somebody else there under the same number? */
    life(t, p, p->pid, p->inode);
    if (read_proc(t, p, sink, cgroups, tick, true) >= 0)
        return true;
    death(t, p, sink);
    return false;
}

int pt_procs_tick(struct pt_procs *t, struct pt_sink *sink, struct pt_cgroups *cgroups,
                  uint64_t tick, bool full, struct pt_err *err)
{
    if (scan_due(t, tick, full)) {
        if (scan(t, err) < 0)
            return -1;
        t->forks_scanned = t->forks;
    }
    uint32_t kept = 0;
    t->visited = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct pt_proc *p = t->list[i];
        t->visited++;
        if (visit(t, p, sink, cgroups, tick, full))
            t->list[kept++] = p;
        else
            free(p);
    }
    t->n = kept;
    return 0;
}
