/* SPDX-License-Identifier: MIT
 * OOM kills as the kernel log tells them. Pure: records in, kills out. What a process is called and
 * what a cgroup is called is in the hands of whoever started them: names are taken by position from
 * both ends, never by the first thing that looks like a separator. Units: KiB. */
#ifndef PT_RECORDER_OOM_H
#define PT_RECORDER_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/portrait.h"

/* One record of /dev/kmsg. */
struct pt_kmsg {
    uint64_t facility, seq; /* facility 0: the kernel itself; others are written by programs */
    int64_t stamp_us;       /* since boot, by the kernel log's own clock */
    const char *text;       /* borrowed; unprintable bytes are spelt \xNN there */
    size_t len;
};
bool pt_kmsg_parse(const char *record, size_t len, struct pt_kmsg *ret);

struct pt_oom_kill {
    uint32_t pid; /* of the first pid namespace */
    char comm[PT_COMM_MAX];
    bool of_cgroup;             /* by a cgroup's limit; else the host's memory, ... */
    bool of_cpuset, of_policy;  /* ... or that of the nodes it may use */
    char limit[PT_CGROUP_MAX];  /* the cgroup whose limit it was; "": not told */
    char cgroup[PT_CGROUP_MAX]; /* the victim's; "": not told */
    /* PT_UNKNOWN: not told */
    int64_t total_vm_kb, anon_kb, file_kb, shmem_kb, pgtables_kb, uid, adj;
};

/* What stands in lines before the one that names the victim. */
struct pt_oom {
    char summary[1024];
    size_t len;
};

/* The text of a record of the kernel's. true: *ret is a kill. */
bool pt_oom_line(struct pt_oom *o, const char *text, size_t len, struct pt_oom_kill *ret);

/* An event of it. portrait: what the recorder knows of the victim, or NULL; foreign: pids are of
 * another namespace than the recorder sees. */
#define PT_OOM_SUBJECT (PT_COMM_MAX + 16)
#define PT_OOM_TEXT    1536
void pt_oom_describe(const struct pt_oom_kill *k, const struct pt_portrait *portrait, bool foreign,
                     char subject[PT_OOM_SUBJECT], char text[PT_OOM_TEXT]);

#endif
