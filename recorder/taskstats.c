/* SPDX-License-Identifier: MIT
 * Taskstats. */
#include "recorder/taskstats.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/sock_diag.h>
#include <linux/taskstats.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What waits in the kernel between two looks; it is charged to the socket as it comes. */
#define RECEIVE_BYTES (1 << 20)
#define BATCH         16
#define MESSAGE_MAX   2048
#define DRAIN_MAX     4096 /* batches: whoever forks without end does not keep us from snapshots */
#define REPLY_MS      2000
#define HEADS         (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr)) /* both aligned */

#ifndef AGROUP
#define AGROUP 0x20
#endif

/* ---- messages ---- */

/* As NLMSG_ALIGN and NLA_ALIGN, without their signs. */
static size_t aligned(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

struct attr {
    uint16_t type;
    const uint8_t *data;
    size_t len;
};

/* The next attribute of *p; false: there is none, or it does not fit. */
static bool next_attr(const uint8_t **p, const uint8_t *end, struct attr *ret)
{
    struct nlattr a;
    const size_t left = (size_t)(end - *p);
    if (left < sizeof(a))
        return false;
    memcpy(&a, *p, sizeof(a));
    if (a.nla_len < sizeof(a) || a.nla_len > left)
        return false;
    *ret = (struct attr){(uint16_t)(a.nla_type & NLA_TYPE_MASK), *p + sizeof(a),
                         a.nla_len - sizeof(a)};
    const size_t step = aligned(a.nla_len);
    *p += step < left ? step : left;
    return true;
}

static bool find_attr(const uint8_t *p, const uint8_t *end, uint16_t type, struct attr *ret)
{
    while (next_attr(&p, end, ret)) {
        if (ret->type == type)
            return true;
    }
    return false;
}

static bool number_attr(const struct attr *in, uint16_t type, uint32_t *ret)
{
    struct attr a;
    if (!find_attr(in->data, in->data + in->len, type, &a) || a.len < sizeof(*ret))
        return false;
    memcpy(ret, a.data, sizeof(*ret));
    return true;
}

static int64_t bounded(uint64_t v)
{
    return v > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)v;
}

/* Fields that the kernel's version of the struct does not have are 0. */
static void take_stats(const struct taskstats *ts, const struct attr *group, struct pt_task_end *e)
{
    const bool whole = ts->version >= 12; /* tells groups and their time */
    const uint64_t begin = ts->version >= 10 ? ts->ac_btime64 : ts->ac_btime;
    e->only_pid = !whole && !group;
    e->last = whole ? (ts->ac_flag & AGROUP) != 0 : true;
    if (whole)
        e->tgid = ts->ac_tgid;
    else if (!group || !number_attr(group, TASKSTATS_TYPE_TGID, &e->tgid))
        e->tgid = e->pid;
    e->lived_us = bounded(whole ? ts->ac_tgetime : ts->ac_etime);
    e->end_s = bounded(begin) + bounded(ts->ac_etime / 1000000);
    e->peak_kb = bounded(ts->hiwater_rss);
    e->status = ts->ac_exitcode;
    memcpy(e->comm, ts->ac_comm, sizeof(e->comm) - 1);
}

static bool take_end(const uint8_t *p, const uint8_t *end, struct pt_task_end *ret)
{
    struct attr pid, group, stats;
    struct taskstats ts = {0};
    struct pt_task_end e = {0};
    if (!find_attr(p, end, TASKSTATS_TYPE_AGGR_PID, &pid) ||
        !number_attr(&pid, TASKSTATS_TYPE_PID, &e.pid) ||
        !find_attr(pid.data, pid.data + pid.len, TASKSTATS_TYPE_STATS, &stats))
        return false;
    const bool grouped = find_attr(p, end, TASKSTATS_TYPE_AGGR_TGID, &group);
    memcpy(&ts, stats.data, stats.len < sizeof(ts) ? stats.len : sizeof(ts));
    take_stats(&ts, grouped ? &group : NULL, &e);
    *ret = e;
    return true;
}

size_t pt_taskstats_parse(const void *p, size_t n, uint16_t family, bool *ret_is,
                          struct pt_task_end *ret)
{
    struct nlmsghdr h;
    struct genlmsghdr g;
    const uint8_t *bytes = p;
    *ret_is = false;
    if (n < sizeof(h))
        return 0;
    memcpy(&h, p, sizeof(h));
    if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
        return 0;
    if (h.nlmsg_type == family && h.nlmsg_len >= HEADS) {
        memcpy(&g, bytes + sizeof(h), sizeof(g));
        if (g.cmd == TASKSTATS_CMD_NEW)
            *ret_is = take_end(bytes + HEADS, bytes + h.nlmsg_len, ret);
    }
    const size_t step = aligned(h.nlmsg_len);
    return step < n ? step : n;
}

/* ---- requests ---- */

/* A request with one attribute, a text. 0 or -errno. */
static int request(int fd, uint16_t type, uint16_t flags, uint8_t cmd, uint16_t attr,
                   const char *text)
{
    struct {
        struct nlmsghdr h;
        struct genlmsghdr g;
        struct nlattr a;
        char text[256];
    } m = {.h = {.nlmsg_type = type, .nlmsg_flags = flags},
           .g = {.cmd = cmd, .version = 1},
           .a = {.nla_type = attr}};
    const size_t len = strlen(text) + 1;
    if (len > sizeof(m.text))
        return -E2BIG;
    memcpy(m.text, text, len);
    m.a.nla_len = (uint16_t)(sizeof(m.a) + len);
    m.h.nlmsg_len = (uint32_t)(HEADS + aligned(m.a.nla_len));
    return send(fd, &m, m.h.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The next datagram: its length or -errno. */
static ssize_t reply(int fd, void *buf, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, REPLY_MS) <= 0)
        return -ETIMEDOUT;
    const ssize_t n = recv(fd, buf, size, 0);
    return n < 0 ? -errno : n;
}

/* 0 of an acknowledgement, -errno of an error, 1 where it is neither. */
static int acknowledged(const void *p, size_t n)
{
    struct {
        struct nlmsghdr h;
        int error;
    } m;
    if (n < sizeof(m))
        return 1;
    memcpy(&m, p, sizeof(m));
    return m.h.nlmsg_type != NLMSG_ERROR ? 1 : m.error;
}

static int find_family(int fd, uint16_t *ret)
{
    uint8_t buf[4096];
    struct attr a;
    int error = request(fd, GENL_ID_CTRL, NLM_F_REQUEST, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                        TASKSTATS_GENL_NAME);
    const ssize_t n = error < 0 ? error : reply(fd, buf, sizeof(buf));
    if (n < 0)
        return (int)n;
    error = acknowledged(buf, (size_t)n);
    if (error <= 0)
        return error < 0 ? error : -EPROTO;
    if ((size_t)n < HEADS || !find_attr(buf + HEADS, buf + n, CTRL_ATTR_FAMILY_ID, &a) ||
        a.len < sizeof(*ret))
        return -EPROTO;
    memcpy(ret, a.data, sizeof(*ret));
    return 0;
}

/* The acknowledgement may come among the first ends. */
static int enlist(int fd, uint16_t family, const char *cpus)
{
    uint8_t buf[MESSAGE_MAX];
    ssize_t n = request(fd, family, NLM_F_REQUEST | NLM_F_ACK, TASKSTATS_CMD_GET,
                        TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus);
    for (int i = 0; i < 10000 && n >= 0; i++) {
        n = reply(fd, buf, sizeof(buf));
        const int error = n < 0 ? (int)n : acknowledged(buf, (size_t)n);
        if (error <= 0 && error != -ENOBUFS)
            return error;
        n = 0;
    }
    return n < 0 ? (int)n : -EPROTO;
}

static void possible_cpus(const struct pt_roots *roots, char ret[256])
{
    const int fd =
        openat(roots->root[PT_ROOT_SYS].fd, "devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, ret, 255);
    if (fd >= 0)
        close(fd);
    if (n > 0)
        ret[n - (ret[n - 1] == '\n')] = 0;
    else
        snprintf(ret, 256, "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
}

static const char *reason(int error)
{
    switch (-error) {
    case ENOENT:
    case EPROTONOSUPPORT:
        return "the kernel has no taskstats";
    case EPERM:
    case EACCES:
        return "not permitted";
    case EINVAL:
        return "only in the first pid and user namespaces";
    default:
        return strerror(-error);
    }
}

int pt_taskstats_open(struct pt_taskstats *t, const struct pt_roots *roots, const char **ret_why)
{
    static const int size = RECEIVE_BYTES;
    char cpus[256];
    *t = (struct pt_taskstats){
        .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC)};
    int rc = t->fd < 0 ? -errno : 0;
    if (rc == 0) {
        if (setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
            setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        rc = find_family(t->fd, &t->family);
    }
    possible_cpus(roots, cpus);
    if (rc == 0)
        rc = enlist(t->fd, t->family, cpus);
    if (rc < 0) {
        *ret_why = reason(rc);
        pt_taskstats_close(t);
    }
    return rc;
}

void pt_taskstats_close(struct pt_taskstats *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

/* ---- reading ---- */

static void take(const struct pt_taskstats *t, const uint8_t *p, size_t n,
                 void (*fn)(void *ctx, const struct pt_task_end *e), void *ctx)
{
    struct pt_task_end e;
    bool is;
    size_t step;
    while ((step = pt_taskstats_parse(p, n, t->family, &is, &e)) > 0) {
        if (is)
            fn(ctx, &e);
        p += step;
        n -= step;
    }
}

void pt_taskstats_drain(struct pt_taskstats *t, void (*fn)(void *ctx, const struct pt_task_end *e),
                        void *ctx)
{
    uint8_t bytes[BATCH][MESSAGE_MAX];
    struct iovec iov[BATCH];
    struct mmsghdr m[BATCH] = {0};
    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){.iov_base = bytes[i], .iov_len = MESSAGE_MAX};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    for (int batch = 0; batch < DRAIN_MAX; batch++) {
        const int n = recvmmsg(t->fd, m, BATCH, MSG_DONTWAIT, NULL);
        if (n < 0 && (errno == ENOBUFS || errno == EINTR))
            continue; /* what was lost is counted by the kernel */
        if (n <= 0)
            return;
        for (int i = 0; i < n; i++)
            take(t, bytes[i], m[i].msg_len, fn, ctx);
        if (n < BATCH)
            return;
    }
}

uint32_t pt_taskstats_lost(const struct pt_taskstats *t)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(t->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}
