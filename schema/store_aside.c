/* SPDX-License-Identifier: MIT
 * What is set aside beside a database: itself under a new name when it is damaged, or a copy of its
 * -wal when only that is, somewhere in its middle. Nothing is replaced, and of what SQLite is going
 * to write over a copy is on the disk, with its name, before. */
#include "schema/store_db.h"
#include "schema/store_pages.h"
#include "schema/store_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A disk that damages every -wal is not to be filled with copies of them. */
#define COPIES_MAX 8
#define CHUNK      (16u << 10)

static const char *const sides[] = {"", "-wal", "-shm", "-journal"};
enum { SIDES = sizeof sides / sizeof *sides };

/* ---- names ---- */

/* What replaces nothing, where the file system can promise that. */
static int rename_to_new(const char *from, const char *to)
{
    struct stat st;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (lstat(to, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

/* The names in the directory of path are on the disk. */
static int sync_dir(const char *path, struct pt_err *err)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    memcpy(slash ? slash + 1 : dir, slash ? "" : ".", slash ? 1 : 2);
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return pt_file_cannot("open", dir, err);
    int r = 0;
    if (fsync(fd) < 0 && errno != EINVAL) /* a file system that knows no such thing */
        r = pt_file_cannot("sync", dir, err);
    close(fd);
    return r;
}

static bool free_name(const char *name)
{
    char side[PATH_MAX + 16];
    struct stat st;
    for (int i = 0; i < SIDES; i++) {
        snprintf(side, sizeof side, "%s%s", name, sides[i]);
        if (lstat(side, &st) == 0)
            return false;
    }
    return true;
}

static int choose_name(const char *path, int64_t real_us, char ret[PATH_MAX], struct pt_err *err)
{
    char when[32];
    struct tm tm;
    const time_t t = (time_t)(real_us / 1000000);
    if (!gmtime_r(&t, &tm) || !strftime(when, sizeof when, "%Y%m%dT%H%M%S", &tm))
        snprintf(when, sizeof when, "%lld", (long long)t);
    for (int i = 1; i < 1000; i++) {
        const int n = i == 1 ? snprintf(ret, PATH_MAX, "%s.damaged-%s", path, when)
                             : snprintf(ret, PATH_MAX, "%s.damaged-%s-%d", path, when, i);
        if (n >= PATH_MAX - 16)
            return pt_err_set(err, PT_EUSAGE, ENAMETOOLONG, path, -1, "the name '%s' is too long",
                              path);
        if (free_name(ret))
            return 0;
    }
    return pt_err_set(err, PT_EOPEN, EEXIST, path, -1, "too many files beside '%s' are damaged",
                      path);
}

/* ---- a database ---- */

int pt_store_set_aside(const char *path, int64_t real_us, char ret[PATH_MAX], struct pt_err *err)
{
    struct stat st;
    char from[PATH_MAX + 16], to[PATH_MAX + 16], name[PATH_MAX], real[PATH_MAX];
    if (realpath(path, real))
        path = real;
    if (stat(path, &st) == 0 && pt_held(st.st_dev, st.st_ino))
        return pt_err_set(err, PT_ELOCKED, 0, path, -1, "'%s' is open in this process", path);
    int r = choose_name(path, real_us, name, err);
    /* The file first: what is left of an end in between is a -wal without a file, which is set
     * aside with the next start. */
    for (int i = 0; i < SIDES && r >= 0; i++) {
        snprintf(from, sizeof from, "%s%s", path, sides[i]);
        snprintf(to, sizeof to, "%s%s", name, sides[i]);
        if (rename_to_new(from, to) < 0 && errno != ENOENT)
            r = pt_file_cannot("set aside", from, err);
    }
    if (r < 0)
        return r;
    sync_dir(path, NULL); /* nothing is written over: names in either order tell the same */
    memcpy(ret, name, sizeof name);
    return 0;
}

/* ---- a -wal ---- */

struct copies {
    char wal[PATH_MAX + 16]; /* the one that is to be copied */
    int64_t size;
    unsigned count; /* copies there are */
    int64_t bytes;
    char same[PATH_MAX]; /* the name, without its end, of one that is like it; "": none */
};

static bool same_content(const char *a, const char *b)
{
    uint8_t bytes[2][CHUNK];
    const int fds[2] = {open(a, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                        open(b, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    bool same = fds[0] >= 0 && fds[1] >= 0;
    for (ssize_t n = 1; same && n > 0;) {
        n = read(fds[0], bytes[0], CHUNK);
        same = n >= 0 && read(fds[1], bytes[1], CHUNK) == n &&
               memcmp(bytes[0], bytes[1], (size_t)n) == 0;
    }
    for (int i = 0; i < 2; i++) {
        if (fds[i] < 0)
            continue;
        posix_fadvise(fds[i], 0, 0, POSIX_FADV_DONTNEED);
        close(fds[i]);
    }
    return same;
}

/* name: "NAME-wal". A -wal whose database was set aside with it is no copy. */
static void count_copy(struct copies *c, const char *name)
{
    char main[PATH_MAX];
    struct stat st;
    snprintf(main, sizeof main, "%.*s", (int)(strlen(name) - strlen("-wal")), name);
    if ((stat(main, &st) == 0 && st.st_size > 0) || lstat(name, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    c->count++;
    c->bytes += st.st_size;
    if (!c->same[0] && st.st_size == c->size && same_content(c->wal, name))
        memcpy(c->same, main, sizeof main);
}

/* Where the directory may not be listed none are seen. */
static void count_copies(struct copies *c, const char *path)
{
    char dir[PATH_MAX], begin[PATH_MAX], name[2 * PATH_MAX];
    const char *base = strrchr(path, '/') + 1;
    const size_t len = (size_t)snprintf(begin, sizeof begin, "%s.damaged-", base);
    snprintf(dir, sizeof dir, "%.*s", (int)(base - path), path);
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        const size_t n = strlen(e->d_name);
        if (n > len + 4 && strncmp(e->d_name, begin, len) == 0 &&
            strcmp(e->d_name + n - 4, "-wal") == 0 &&
            snprintf(name, sizeof name, "%s%s", dir, e->d_name) < PATH_MAX)
            count_copy(c, name);
    }
    if (d)
        closedir(d);
}

/* A -wal alone is found by its name: an empty file stands for the database. It may be there, of a
 * copy that came to its end and had no time for more. */
static int stand_in(const char *name, struct pt_err *err)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return pt_file_cannot("create", name, err);
    close(fd);
    return sync_dir(name, err);
}

/* Under another name until it is whole: one that a crash cut short is none, and goes. */
static int copy_wal(const char *wal, const char *name, int64_t *ret_part, struct pt_err *err)
{
    char part[PATH_MAX + 32], to[PATH_MAX + 16];
    struct stat st;
    snprintf(part, sizeof part, "%s-part", wal);
    snprintf(to, sizeof to, "%s-wal", name);
    unlink(part);
    int r = pt_file_copy(wal, part, true, err);
    if (r < 0 && stat(part, &st) == 0)
        *ret_part = st.st_size;
    if (r >= 0 && rename_to_new(part, to) < 0)
        r = pt_file_cannot("create", to, err);
    if (r < 0) {
        unlink(part);
        return r;
    }
    r = stand_in(name, err);
    if (r < 0) {
        unlink(to);
        unlink(name);
    }
    return r;
}

static int look(const char *path, struct copies *c, int64_t *ret_behind, struct pt_err *err)
{
    struct stat st;
    int r = pt_file_is_ours(path, err);
    if (r <= 0)
        return r;
    snprintf(c->wal, sizeof c->wal, "%s-wal", path);
    const int fd = open(c->wal, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? 0 : pt_file_cannot("open", c->wal, err);
    r = fstat(fd, &st) < 0 ? pt_file_cannot("stat", c->wal, err)
                           : pt_wal_behind(fd, ret_behind, err);
    c->size = st.st_size;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return r;
}

int pt_wal_aside(const char *path, int64_t real_us, struct pt_err *err)
{
    char name[PATH_MAX], from[PATH_MAX + 16], to[PATH_MAX + 16];
    int r = choose_name(path, real_us, name, err);
    if (r < 0)
        return r;
    snprintf(from, sizeof from, "%s-wal", path);
    snprintf(to, sizeof to, "%s-wal", name);
    if (rename_to_new(from, to) < 0)
        return errno == ENOENT ? 0 : pt_file_cannot("set aside", from, err);
    return stand_in(name, err);
}

int pt_store_keep_wal(const char *path, int64_t real_us, int64_t max_bytes, struct pt_kept_wal *ret,
                      struct pt_err *err)
{
    char real[PATH_MAX], name[PATH_MAX] = "";
    struct copies c = {0};
    *ret = (struct pt_kept_wal){0};
    if (!realpath(path, real))
        return errno == ENOENT ? 0 : pt_file_cannot("find", path, err);
    int r = look(real, &c, &ret->behind, err);
    if (r < 0 || ret->behind == 0)
        return r;
    count_copies(&c, real);
    ret->copies = c.count;
    if (c.same[0]) {
        memcpy(name, c.same, sizeof name);
        r = stand_in(name, err);
    } else if (c.count == 0 ||
               (c.count < COPIES_MAX && (!max_bytes || c.bytes + c.size <= max_bytes))) {
        r = choose_name(real, real_us, name, err);
        if (r >= 0)
            r = copy_wal(c.wal, name, &ret->part, err);
    }
    if (r < 0)
        return r;
    memcpy(ret->name, name, sizeof name);
    return 1;
}
