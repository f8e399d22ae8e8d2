/* SPDX-License-Identifier: MIT
 * Where kernel files are looked for: one prefix and directory descriptor each for procfs, sysfs and
 * cgroupfs, so that a container's /host/proc or a recorded tree is read exactly as the live machine
 * is. */
#ifndef PT_RECORDER_ROOTS_H
#define PT_RECORDER_ROOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/err.h"

struct pt_root {
    const char *path; /* borrowed from the options */
    int fd;           /* O_PATH-like directory descriptor; -1: the tree is not there */
    bool live;        /* a real procfs, sysfs or cgroupfs, not a copy on some disk */
};

enum pt_root_kind { PT_ROOT_PROC = 0, PT_ROOT_SYS, PT_ROOT_CGROUP, PT_ROOTS };

struct pt_roots {
    struct pt_root root[PT_ROOTS];
    bool given_cgroup; /* somebody said where the cgroups are */
    bool other_proc;   /* procfs is not /proc: "self" there is not this process's own view */
};

/* NULL paths mean the usual places. Only procfs has to be there. */
int pt_roots_init(struct pt_roots *r, const char *proc, const char *sys, const char *cgroup,
                  struct pt_err *err);
void pt_roots_release(struct pt_roots *r);
/* Is this process in another namespace of this kind ("mnt", "net", "ipc") than procfs's pid 1?
 * false also where it may not know. */
bool pt_roots_ns_differs(const struct pt_roots *r, const char *ns);
/* "proc:", "sys:", "cgroup:" */
const char *pt_root_prefix(enum pt_root_kind kind);

#define PT_PID_PATH 48
/* "1234/leaf" into path; returns path. */
const char *pt_pid_path(char path[PT_PID_PATH], uint32_t pid, const char *leaf);

#endif
