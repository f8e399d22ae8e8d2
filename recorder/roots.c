/* SPDX-License-Identifier: MIT
 * Roots of the trees that are read. */
#include "recorder/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "recorder/scan.h"

static const struct {
    const char *usual, *prefix;
} kinds[PT_ROOTS] = {
    [PT_ROOT_PROC] = {"/proc", "proc:"},
    [PT_ROOT_SYS] = {"/sys", "sys:"},
    [PT_ROOT_CGROUP] = {"/sys/fs/cgroup", "cgroup:"},
};

static bool is_kernel_fs(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return false;
    /* the cgroup v1 hierarchies hang in a tmpfs */
    const unsigned long magic = (unsigned long)fs.f_type;
    return magic == PROC_SUPER_MAGIC || magic == SYSFS_MAGIC || magic == CGROUP2_SUPER_MAGIC ||
           magic == CGROUP_SUPER_MAGIC;
}

int pt_roots_init(struct pt_roots *r, const char *proc, const char *sys, const char *cgroup,
                  struct pt_err *err)
{
    const char *given[PT_ROOTS] = {proc, sys, cgroup};
    *r = (struct pt_roots){.other_proc = proc && strcmp(proc, "/proc") != 0,
                           .given_cgroup = cgroup != NULL};
    for (int i = 0; i < PT_ROOTS; i++) {
        struct pt_root *root = &r->root[i];
        root->path = given[i] ? given[i] : kinds[i].usual;
        root->fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root->fd < 0 && (given[i] || i == PT_ROOT_PROC)) {
            const int sys_errno = errno;
            for (int k = i; k < PT_ROOTS; k++)
                r->root[k].fd = -1;
            pt_roots_release(r);
            return pt_err_set(err, PT_EOPEN, sys_errno, "", -1, "cannot open '%s': %s", root->path,
                              strerror(sys_errno));
        }
        root->live = root->fd >= 0 && is_kernel_fs(root->fd);
    }
    return 0;
}

void pt_roots_release(struct pt_roots *r)
{
    for (int i = 0; i < PT_ROOTS; i++) {
        if (r->root[i].fd >= 0)
            close(r->root[i].fd);
        r->root[i].fd = -1;
    }
}

bool pt_roots_ns_differs(const struct pt_roots *r, const char *ns)
{
    char path[32], own[64], first[64];
    const int dir = r->root[PT_ROOT_PROC].fd;
    snprintf(path, sizeof(path), "self/ns/%s", ns);
    const ssize_t n = readlinkat(dir, path, own, sizeof(own));
    snprintf(path, sizeof(path), "1/ns/%s", ns);
    const ssize_t m = readlinkat(dir, path, first, sizeof(first));
    return n > 0 && m > 0 && (n != m || memcmp(own, first, (size_t)n) != 0);
}

const char *pt_root_prefix(enum pt_root_kind kind)
{
    return kinds[kind].prefix;
}

const char *pt_pid_path(char path[PT_PID_PATH], uint32_t pid, const char *leaf)
{
    size_t n = pt_digits(path, pid);
    path[n++] = '/';
    const size_t len = strlen(leaf);
    memcpy(path + n, leaf, len < PT_PID_PATH - n ? len + 1 : 0);
    return path;
}
