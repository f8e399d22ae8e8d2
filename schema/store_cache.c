/* SPDX-License-Identifier: MIT
 * What is asked of the descriptors of the store's files. Their page cache: what is on the disk is
 * dropped from it, so that recording takes no memory from what it records. The descriptors are
 * SQLite's own: closing one of ours on the same file would drop its POSIX locks. They are found by
 * inode, lowest first, as the kernel gives them; the kernel takes advice for the file, by whichever
 * descriptor. */
#include "schema/store_write.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* Recorders keep some thousand descriptors open; no SQLite file is opened after more than these. */
#define FD_MAX 32768

static bool is(int fd, uint64_t dev, uint64_t ino)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* *fd: where it was last time, -1 nowhere yet, FD_MAX in vain. */
static bool find(int *fd, uint64_t dev, uint64_t ino)
{
    if (*fd < FD_MAX && !is(*fd, dev, ino))
        for (*fd = 0; *fd < FD_MAX && !is(*fd, dev, ino);)
            ++*fd;
    return *fd < FD_MAX;
}

static void drop(int *fd, uint64_t dev, uint64_t ino)
{
    if (find(fd, dev, ino))
        posix_fadvise(*fd, 0, 0, POSIX_FADV_DONTNEED);
}

void pt_store_drop_cache(struct pt_store *s)
{
    char wal[PATH_MAX + 8];
    struct stat st;
    drop(&s->db_fd, s->dev, s->ino);
    snprintf(wal, sizeof wal, "%s-wal", s->path);
    if (stat(wal, &st) == 0)
        drop(&s->wal_fd, st.st_dev, st.st_ino);
}

bool pt_store_nameless(struct pt_store *s)
{
    struct stat st;
    return find(&s->db_fd, s->dev, s->ino) && fstat(s->db_fd, &st) == 0 && st.st_nlink == 0;
}
