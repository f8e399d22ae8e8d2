/* SPDX-License-Identifier: MIT
 * The file has no name until it is whole (O_TMPFILE), so that not even a kill leaves a part of it.
 * Where the file system has no such files it has one of its own until then, which whoever ends the
 * program by a signal is not left with either. */
#include "analyze/report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0666 /* less the umask */

static int fail(struct pt_err *err, const char *path, int why)
{
    return pt_err_set(err, PT_EIO, why, NULL, -1, "cannot write '%s': %s", path, strerror(why));
}

/* What may not be replaced. */
static int check_target(const char *path, struct pt_err *err)
{
    char magic[16] = "";
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : fail(err, path, errno);
    if (S_ISDIR(st.st_mode))
        return fail(err, path, EISDIR);
    if (!S_ISREG(st.st_mode))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                          "'%s' is not a regular file: without -o it goes to standard output",
                          path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool database = fd >= 0 && read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
                          memcmp(magic, "SQLite format 3", sizeof(magic)) == 0;
    if (fd >= 0)
        close(fd);
    return database ? pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                                 "'%s' is a database: no report is written over it", path)
                    : 0;
}

/* "DIR/.report-XXXXXX" */
static char *temporary(const struct pt_output *o)
{
    char *name = NULL;
    return asprintf(&name, "%s/.report-XXXXXX", o->dir) < 0 ? NULL : name;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int open_hidden(struct pt_output *o)
{
    int fd = open(o->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    o->name = temporary(o);
    fd = o->name ? mkostemp(o->name, O_CLOEXEC) : -1;
    const mode_t mask = umask(0);
    umask(mask);
    if (fd >= 0)
        fchmod(fd, MODE & ~mask);
    return fd;
}

static void release(struct pt_output *o)
{
    if (o->file)
        fclose(o->file);
    else if (o->fd >= 0)
        close(o->fd);
    if (o->name)
        unlink(o->name);
    free(o->name);
    o->name = NULL;
    free(o->path);
    free(o->dir);
    *o = (struct pt_output){.fd = -1};
}

void pt_output_hold(sigset_t *ret_was)
{
    static const int ends[] = PT_OUTPUT_ENDS;
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        sigaddset(&set, ends[i]);
    pthread_sigmask(SIG_BLOCK, &set, ret_was);
}

void pt_output_let(const sigset_t *was)
{
    pthread_sigmask(SIG_SETMASK, was, NULL);
}

int pt_output_begin(struct pt_output *o, const char *path, struct pt_err *err)
{
    *o = (struct pt_output){.fd = -1};
    int rc = check_target(path, err);
    if (rc < 0)
        return rc;
    o->path = realpath(path, NULL); /* a link stays one */
    if (!o->path)
        o->path = strdup(path);
    o->dir = o->path ? directory_of(o->path) : NULL;
    if (!o->dir) {
        release(o);
        return pt_err_nomem(err);
    }
    o->fd = open_hidden(o);
    o->file = o->fd >= 0 ? fdopen(o->fd, "w") : NULL;
    if (o->file)
        return 0;
    rc = fail(err, path, errno);
    release(o);
    return rc;
}

/* Gives the nameless file a name beside its place. */
static int name_it(struct pt_output *o)
{
    char from[64], *name = temporary(o);
    snprintf(from, sizeof(from), "/proc/self/fd/%d", o->fd);
    if (!name)
        return -1;
    for (int tries = 0; tries < 100; tries++) {
        const int fd = mkostemp(name, O_CLOEXEC); /* a name that is free */
        if (fd < 0)
            break;
        close(fd);
        unlink(name);
        if (linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            o->name = name;
            return 0;
        }
        if (errno != EEXIST)
            break;
        memcpy(name + strlen(name) - 6, "XXXXXX", 6);
    }
    free(name);
    return -1;
}

static void sync_dir(const char *dir)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

int pt_output_sync(struct pt_output *o, struct pt_err *err)
{
    int rc = 0;
    if (fflush(o->file) != 0 || ferror(o->file) || fsync(o->fd) < 0) {
        rc = fail(err, o->path, errno);
        release(o);
    }
    return rc;
}

int pt_output_end(struct pt_output *o, int ok, struct pt_err *err)
{
    int rc = ok ? pt_output_sync(o, err) : 0;
    if (rc < 0)
        return rc;
    if (ok && ((!o->name && name_it(o) < 0) || rename(o->name, o->path) < 0))
        rc = fail(err, o->path, errno);
    if (ok && rc == 0) {
        free(o->name);
        o->name = NULL;
        sync_dir(o->dir);
    }
    release(o);
    return rc;
}
