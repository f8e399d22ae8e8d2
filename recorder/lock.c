/* SPDX-License-Identifier: MIT
 * The lock file. */
#include "recorder/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/scan.h"

#define TRIES                                                                                      \
    100 /* somebody may remove the file between our open and our lock, again and again             \
         */

/* Is the file we locked still the one the path names? */
static bool current(const char *path, int fd)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

static int refused(const char *path, const char *lock, int fd, int why, struct pt_err *err)
{
    char text[24];
    uint64_t pid = 0;
    const ssize_t n = pread(fd, text, sizeof(text), 0);
    struct pt_scan s = pt_scan_of(text, n > 0 ? (size_t)n : 0);
    close(fd);
    if (why != EAGAIN && why != EACCES)
        return pt_err_set(err, PT_EOPEN, why, "", -1, "cannot lock '%s': %s", lock, strerror(why));
    if (pt_scan_u64(&s, &pid))
        return pt_err_set(err, PT_ELOCKED, why, "", -1, "'%s' is being recorded to by process %llu",
                          path, (unsigned long long)pid);
    return pt_err_set(err, PT_ELOCKED, why, "", -1, "'%s' is being recorded to by another process",
                      path);
}

static void make(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* Beside the file itself, whatever links lead to it: one file, one lock. */
static bool lock_name(const char *path, char lock[PATH_MAX])
{
    char real[PATH_MAX];
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT && lstat(path, &st) == 0)
        make(path); /* the link leads nowhere yet */
    const int n = snprintf(lock, PATH_MAX, "%s.lock", realpath(path, real) ? real : path);
    return n < PATH_MAX;
}

int pt_lock_take(struct pt_lock *l, const char *path, struct pt_err *err)
{
    char name[PATH_MAX];
    if (l->fd >= 0 && current(l->name, l->fd))
        return 0;
    if (!lock_name(path, name))
        return pt_err_set(err, PT_EUSAGE, ENAMETOOLONG, "", -1, "the name of '%s' is too long",
                          path);
    for (int i = 0; i < TRIES; i++) {
        const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return pt_err_set(err, PT_EOPEN, errno, "", -1, "cannot open '%s': %s", name,
                              strerror(errno));
        struct flock how = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_OFD_SETLK, &how) < 0)
            return refused(path, name, fd, errno, err);
        if (current(name, fd)) {
            char text[24];
            size_t n = pt_digits(text, (uint64_t)getpid());
            text[n++] = '\n';
            /* on a full disk the lock holds and its holder goes unnamed */
            if (ftruncate(fd, 0) < 0 || pwrite(fd, text, n, 0) != (ssize_t)n)
                errno = 0;
            if (l->fd >= 0)
                close(l->fd);
            memcpy(l->name, name, sizeof(name));
            l->fd = fd;
            return 0;
        }
        close(fd);
    }
    return pt_err_set(err, PT_ELOCKED, 0, "", -1, "cannot lock '%s'", name);
}

void pt_lock_drop(struct pt_lock *l)
{
    if (l->fd < 0)
        return;
    if (current(l->name, l->fd))
        unlink(l->name);
    close(l->fd);
    l->fd = -1;
}
