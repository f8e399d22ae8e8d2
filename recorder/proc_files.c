/* SPDX-License-Identifier: MIT
 * Reading the cheap files of one process, and what the recorder learns from them. */
#include "recorder/procs_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/scan.h"
#include "schema/source.h"

#define FLAG_KTHREAD 0x00200000u
/* Where the kernel does not tell, directories longer than this are not counted. */
#define FDS_COUNTED 16384

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

void pt_proc_close(struct pt_procs *t, struct pt_proc *p, int file)
{
    if (p->fd[file] < 0)
        return;
    close(p->fd[file]);
    p->fd[file] = -1;
    t->kept--;
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
        pt_proc_close(t, p, file);
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
    while ((n = getdents64(fd, t->names, PT_PROCS_NAMES)) > 0 && count <= FDS_COUNTED) {
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
    if (p->comm_hash != st.comm_hash || p->unnamed == PT_UNNAMED_ASK) {
        p->names_due = true;
        p->unnamed = p->comm_hash != st.comm_hash ? PT_UNNAMED_NOT : PT_UNNAMED_ASKED;
    }
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
            pt_proc_tell_death(t, p); /* it is ending, perhaps as a zombie for long */
        if (known)
            p->rss_pages = pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
    }
    p->statm_hash = hash;
    p->heat = p->heat + 4 < PT_HEAT_MAX ? (uint8_t)(p->heat + 4) : PT_HEAT_MAX;
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

/* In its turn, or when its turn was missed because it was not looked at. */
static bool is_due(uint64_t tick, uint32_t last, uint32_t period, uint32_t slot)
{
    return tick % period == slot % period || (uint32_t)tick - last >= 2 * period;
}

int pt_proc_read(struct pt_procs *t, struct pt_proc *p, const struct pt_tour *v)
{
    struct pt_sink *sink = v->sink;
    const uint64_t tick = v->tick;
    /* a kernel thread has no memory of its own to look at */
    const uint32_t period = p->kernel ? PT_SMALL_TICKS : PT_SLOW_TICKS;
    bool due = is_due(tick, p->status_tick, period, p->slot) || v->full || p->fresh;
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
    if (due)
        p->status_tick = (uint32_t)tick;
    if (v->full || p->fresh || is_due(tick, p->small_tick, PT_SMALL_TICKS, p->slot)) {
        read_smalls(t, p, sink, v->cgroups);
        p->small_tick = (uint32_t)tick;
    }
    if ((p->heat == 0 && crowded(t)) || p->kernel) {
        pt_proc_close(t, p, PT_PROC_STAT);
        pt_proc_close(t, p, PT_PROC_STATUS);
    }
    p->fresh = false;
    return 0;
}
