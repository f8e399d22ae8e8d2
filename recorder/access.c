/* SPDX-License-Identifier: MIT
 * What may not be read. */
#include "recorder/access.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/scan.h"

static bool is_of(const char *source, const char *prefix)
{
    return strncmp(source, prefix, strlen(prefix)) == 0;
}

/* "proc:12/smaps": whose it is and which file. */
static const char *classify(const char *source, enum pt_of *ret_of)
{
    const char *slash = strrchr(source, '/');
    const size_t skip = is_of(source, "proc:") ? strlen("proc:") : strlen(source);
    struct pt_scan s = pt_scan_of(source + skip, strlen(source + skip));
    uint64_t pid;
    *ret_of = PT_OF_HOST;
    if (slash && pt_scan_u64(&s, &pid) && *s.p == '/') {
        *ret_of = PT_OF_PROCESSES;
        return s.p + 1;
    }
    if (slash && is_of(source, "cgroup:")) {
        *ret_of = PT_OF_CGROUPS;
        return slash + 1;
    }
    return source;
}

void pt_access_add(struct pt_access *a, const char *source, int why)
{
    enum pt_of of;
    if (!source || (why != EACCES && why != EPERM))
        return;
    const char *what = classify(source, &of);
    for (uint32_t i = 0; i < a->rows; i++) {
        if (a->row[i].of == of && strcmp(a->row[i].what, what) == 0) {
            a->row[i].n++;
            return;
        }
    }
    if (a->rows == PT_ACCESS_ROWS || strlen(what) >= sizeof(a->row[0].what)) {
        a->more++;
        return;
    }
    a->row[a->rows].of = of;
    a->row[a->rows].n = 1;
    memcpy(a->row[a->rows++].what, what, strlen(what) + 1);
}

bool pt_access_denied(const struct pt_access *a, char ret[PT_ACCESS_TEXT])
{
    static const char *const whose[][2] = {
        [PT_OF_PROCESSES] = {"process", "processes"}, [PT_OF_CGROUPS] = {"cgroup", "cgroups"}};
    size_t n = (size_t)snprintf(ret, PT_ACCESS_TEXT, "not permitted to read: ");
    uint32_t more = a->more;
    for (uint32_t i = 0; i < a->rows; i++) {
        const char *comma = i ? ", " : "";
        if (n + sizeof(a->row[i].what) + 64 > PT_ACCESS_TEXT)
            more += a->row[i].n;
        else if (a->row[i].of == PT_OF_HOST)
            n += (size_t)snprintf(ret + n, PT_ACCESS_TEXT - n, "%s%s", comma, a->row[i].what);
        else
            n += (size_t)snprintf(ret + n, PT_ACCESS_TEXT - n, "%s%s of %" PRIu32 " %s", comma,
                                  a->row[i].what, a->row[i].n,
                                  whose[a->row[i].of][a->row[i].n != 1]);
    }
    if (more)
        snprintf(ret + n, PT_ACCESS_TEXT - n, "%s%" PRIu32 " more", a->rows ? ", " : "", more);
    return a->rows || more;
}

/* Is a process of another user to be seen? */
static bool sees_others(int proc)
{
    const int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool seen = false;
    for (const struct dirent *d = dir ? readdir(dir) : NULL; d && !seen; d = readdir(dir)) {
        struct stat st;
        seen = d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
               fstatat(proc, d->d_name, &st, 0) == 0 && st.st_uid != geteuid();
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return seen;
}

const char *pt_access_empty(const struct pt_roots *roots)
{
    struct stat st;
    return fstatat(roots->root[PT_ROOT_PROC].fd, "meminfo", &st, 0) == 0
               ? NULL
               : "there is no meminfo in the directory that --procfs names: is procfs mounted "
                 "there?";
}

const char *pt_access_hidden(const struct pt_roots *roots)
{
    const struct pt_root *proc = &roots->root[PT_ROOT_PROC];
    struct stat st;
    /* process 1 is always there */
    if (!proc->live || fstatat(proc->fd, "1", &st, 0) == 0 || errno != ENOENT ||
        sees_others(proc->fd))
        return NULL;
    return "processes of other users are hidden: procfs is mounted with hidepid";
}

const char *pt_access_cgroups(const struct pt_roots *roots)
{
    const struct pt_root *cgroup = &roots->root[PT_ROOT_CGROUP];
    if (cgroup->fd < 0)
        return "there is no cgroup file system: no cgroups are recorded";
    if (cgroup->live && !roots->given_cgroup && pt_roots_ns_differs(roots, "cgroup"))
        return "cgroups are those of this process's own namespace: --cgroupfs tells where the "
               "host's are";
    return NULL;
}
