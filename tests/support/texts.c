/* SPDX-License-Identifier: MIT
 * See texts.h. */
#include "tests/support/texts.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *text_read(const char *path, size_t *ret_len)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t len = 0, cap = 1 << 16;
    ssize_t n;
    if (fd < 0)
        return NULL;
    char *text = malloc(cap);
    while (text != NULL && (n = read(fd, text + len, cap - len)) > 0) {
        len += (size_t)n;
        if (cap - len < cap / 4) {
            char *more = realloc(text, cap *= 2);
            if (more == NULL)
                free(text);
            text = more;
        }
    }
    close(fd);
    if (text == NULL || n < 0) {
        free(text);
        return NULL;
    }
    *ret_len = len;
    return text;
}

/* Copied to a block of exactly its size, so that a sanitizer sees a read past its end. */
static size_t tell(const char *path, const char *source, text_fn *fn, void *ctx)
{
    size_t len;
    char *text = text_read(path, &len);
    if (text == NULL)
        return 0;
    char *tight = malloc(len > 0 ? len : 1);
    if (tight != NULL) {
        memcpy(tight, text, len);
        fn(ctx, source, tight, len);
        free(tight);
    }
    free(text);
    return tight != NULL;
}

static size_t walk(const char *dir, const char *name, text_fn *fn, void *ctx)
{
    struct dirent **entries;
    const int n = scandir(dir, &entries, NULL, alphasort);
    size_t count = 0;
    for (int i = 0; i < n; i++) {
        char path[4096], source[4096];
        struct stat st;
        const char *entry = entries[i]->d_name;
        const char *slash = name[strlen(name) - 1] == ':' ? "" : "/";
        snprintf(path, sizeof path, "%s/%s", dir, entry);
        snprintf(source, sizeof source, "%s%s%s", name, slash, entry);
        if (entry[0] != '.' && lstat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                count += walk(path, source, fn, ctx);
            else if (S_ISREG(st.st_mode))
                count += tell(path, source, fn, ctx);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return count;
}

size_t texts_of_tree(const char *root, text_fn *fn, void *ctx)
{
    static const char *const names[] = {"proc", "sys", "cgroup"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char dir[4096], name[16];
        snprintf(dir, sizeof dir, "%s/%s", root, names[i]);
        snprintf(name, sizeof name, "%s:", names[i]);
        count += walk(dir, name, fn, ctx);
    }
    return count;
}

/* The files of one mount that match a pattern below it. */
static size_t matches(const char *mount, const char *name, const char *pattern, text_fn *fn,
                      void *ctx)
{
    char path[512], source[4096];
    glob_t found;
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", mount, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        snprintf(source, sizeof source, "%s%s", name, found.gl_pathv[i] + strlen(mount) + 1);
        count += tell(found.gl_pathv[i], source, fn, ctx);
    }
    globfree(&found);
    return count;
}

size_t texts_of_machine(text_fn *fn, void *ctx)
{
    static const char *const proc[] = {"meminfo",
                                       "vmstat",
                                       "pressure/*",
                                       "zoneinfo",
                                       "buddyinfo",
                                       "pagetypeinfo",
                                       "swaps",
                                       "slabinfo",
                                       "allocinfo",
                                       "vmallocinfo",
                                       "sysvipc/*",
                                       "loadavg",
                                       "stat",
                                       "uptime",
                                       "version",
                                       "cmdline",
                                       "cpuinfo",
                                       "mounts",
                                       "net/sockstat*",
                                       "cgroups",
                                       "devices",
                                       "1/net/sockstat*",
                                       "sys/kernel/sem",
                                       "sys/kernel/random/boot_id",
                                       "sys/fs/file-nr",
                                       "sys/fs/dentry-state",
                                       "sys/fs/inode-*",
                                       "sys/vm/*",
                                       "sys/kernel/shm*",
                                       "[0-9]*/stat",
                                       "[0-9]*/statm",
                                       "[0-9]*/status",
                                       "[0-9]*/smaps",
                                       "[0-9]*/smaps_rollup",
                                       "[0-9]*/maps",
                                       "[0-9]*/numa_maps",
                                       "[0-9]*/oom_score",
                                       "[0-9]*/oom_score_adj",
                                       "[0-9]*/cgroup",
                                       "[0-9]*/cmdline",
                                       "[0-9]*/comm"};
    static const char *const sys[] = {"devices/system/node/node*/meminfo",
                                      "devices/system/node/node*/numastat",
                                      "devices/system/node/node*/vmstat",
                                      "block/zram*/mm_stat",
                                      "block/zram*/io_stat",
                                      "block/zram*/bd_stat",
                                      "kernel/mm/lru_gen/*",
                                      "kernel/debug/zswap/*",
                                      "kernel/mm/ksm/*",
                                      "kernel/mm/transparent_hugepage/*",
                                      "kernel/mm/transparent_hugepage/khugepaged/*",
                                      "kernel/mm/transparent_hugepage/hugepages-*/stats/*",
                                      "kernel/mm/hugepages/*/*",
                                      "module/zswap/parameters/*"};
    static const char *const cgroup[] = {"memory.*",      "*/memory.*",    "*/*/memory.*",
                                         "cgroup.stat",   "*/cgroup.stat", "cgroup.procs",
                                         "*/cgroup.procs"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof proc / sizeof proc[0]; i++)
        count += matches("/proc", "proc:", proc[i], fn, ctx);
    for (size_t i = 0; i < sizeof sys / sizeof sys[0]; i++)
        count += matches("/sys", "sys:", sys[i], fn, ctx);
    for (size_t i = 0; i < sizeof cgroup / sizeof cgroup[0]; i++)
        count += matches("/sys/fs/cgroup", "cgroup:", cgroup[i], fn, ctx);
    return count;
}

const struct pt_file *text_file(const void *data, size_t size, size_t *ret_at)
{
    size_t count;
    const struct pt_file *files = pt_files(&count);
    const char *first = data, *lf = memchr(data, '\n', size);
    const size_t len = lf != NULL ? (size_t)(lf - first) : size;
    char name[128] = "";
    if (lf != NULL && len < sizeof name)
        memcpy(name, first, len);
    const struct pt_file *file = pt_file_of(name);
    const bool named = file != &files[count - 1];
    *ret_at = named ? len + 1 : 1;
    return named ? file : &files[(unsigned char)*first % count];
}
