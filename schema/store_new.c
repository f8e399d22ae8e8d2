/* SPDX-License-Identifier: MIT
 * A database in the making: a temporary file, SQLite on it, and its name in the end. */
#include "schema/store_new.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/store_write.h"

struct pt_new {
    char *path; /* NULL: without a name */
    char tmp[PATH_MAX + 16];
    bool there; /* tmp */
    int fd;
    struct pt_store *store;
    int64_t bytes;
};

static int cannot(const char *do_what, const char *path, struct pt_err *err)
{
    const int e = errno;
    const enum pt_code code = pt_no_room(e) ? PT_EFULL : e == EIO || e == EPIPE ? PT_EIO : PT_EOPEN;
    return pt_err_set(err, code, e, path, -1, "cannot %s '%s': %s", do_what, path, strerror(e));
}

static int refuse(const char *path, struct pt_err *err)
{
    return pt_err_set(err, PT_EUSAGE, EEXIST, path, -1, "'%s' exists: it is not overwritten", path);
}

/* There, and not simply a place that somebody has kept free (mktemp). */
static bool taken(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > 0);
}

/* What is in memory when a transaction is rolled back is new pages only, and those are not kept.
 * Nothing is synced before the end. */
static int open_store(const char *path, struct pt_store **ret, struct pt_err *err)
{
    struct pt_store *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return pt_err_nomem(err);
    }
    s->frame_bytes = -1;
    const int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    int r = rc == SQLITE_OK ? 0 : pt_sql_err(s->db, rc, "open the new database", err);
    if (r >= 0) {
        sqlite3_extended_result_codes(s->db, 1);
        r = pt_sql_harden(s->db, err);
    }
    if (r >= 0)
        r = pt_sql_exec(s->db,
                        "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA "
                        "locking_mode=EXCLUSIVE; PRAGMA cache_size=-2048",
                        "set up the new database", err);
    if (r >= 0)
        r = pt_store_create(s, NULL, NULL, err);
    if (r < 0) {
        pt_store_close(s, NULL);
        return r;
    }
    *ret = s;
    return 0;
}

/* SQLite opens the file by its name; without one it goes on by its descriptor. */
static int create(struct pt_new *n, struct pt_err *err)
{
    n->fd = mkostemp(n->tmp, O_CLOEXEC);
    if (n->fd < 0)
        return cannot("create", n->tmp, err);
    n->there = true;
    const int r = open_store(n->tmp, &n->store, err);
    if (!n->path && n->there)
        n->there = unlink(n->tmp) < 0;
    return r;
}

static int create_at(struct pt_new *n, const char *where, const char *name, struct pt_new **ret,
                     struct pt_err *err)
{
    if (!n)
        return pt_err_nomem(err);
    n->fd = -1;
    int r = 0;
    if (snprintf(n->tmp, sizeof n->tmp, "%s%s", where, name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        r = cannot("create", where, err);
    }
    if (r >= 0)
        r = create(n, err);
    if (r < 0) {
        pt_new_free(n);
        return r;
    }
    *ret = n;
    return 0;
}

int pt_new_create(const char *path, struct pt_new **ret, struct pt_err *err)
{
    if (taken(path))
        return refuse(path, err);
    struct pt_new *n = calloc(1, sizeof *n);
    if (n && !(n->path = strdup(path))) {
        free(n);
        n = NULL;
    }
    return create_at(n, path, ".part-XXXXXX", ret, err);
}

int pt_new_anonymous(const char *dir, struct pt_new **ret, struct pt_err *err)
{
    return create_at(calloc(1, sizeof(struct pt_new)), dir, "/pagetrail-XXXXXX", ret, err);
}

struct pt_store *pt_new_store(struct pt_new *n)
{
    return n->store;
}

/* ---- the end ---- */

static int settle(struct pt_new *n, struct pt_err *err)
{
    struct stat st;
    const int r = pt_store_close(n->store, err);
    n->store = NULL;
    if (r < 0)
        return r;
    if (fstat(n->fd, &st) < 0)
        return cannot("stat", n->tmp, err);
    n->bytes = st.st_size;
    return 0;
}

/* The name is given without taking it from anybody; a file system that cannot do that in one step
 * gets two. */
static int give_name(struct pt_new *n, struct pt_err *err)
{
    if (renameat2(AT_FDCWD, n->tmp, AT_FDCWD, n->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EEXIST && errno != EINVAL && errno != ENOSYS)
        return cannot("create", n->path, err);
    if (taken(n->path))
        return refuse(n->path, err);
    return rename(n->tmp, n->path) < 0 ? cannot("create", n->path, err) : 0;
}

static void sync_dir(const char *path)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0';
    const int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* the file is durable; that its name is too cannot be had here */
    fsync(fd);
    close(fd);
}

int pt_new_finish(struct pt_new *n, struct pt_err *err)
{
    int r = settle(n, err);
    if (r >= 0 && fsync(n->fd) < 0)
        r = cannot("write", n->tmp, err);
    if (r >= 0)
        r = give_name(n, err);
    if (r < 0)
        return r;
    n->there = false;
    posix_fadvise(n->fd, 0, 0, POSIX_FADV_DONTNEED);
    sync_dir(n->path);
    return 0;
}

static int write_all(int fd, const char *buf, size_t len)
{
    for (size_t done = 0; done < len;) {
        const ssize_t w = write(fd, buf + done, len - done);
        if (w < 0 && errno != EINTR)
            return -1;
        done += w < 0 ? 0 : (size_t)w;
    }
    return 0;
}

int pt_new_send(struct pt_new *n, int fd, const char *what, struct pt_err *err)
{
    enum { CHUNK = 128 << 10 };
    int r = settle(n, err);
    char *buf = r < 0 ? NULL : malloc(CHUNK);
    if (r >= 0 && !buf)
        r = pt_err_nomem(err);
    for (int64_t at = 0; r >= 0 && at < n->bytes;) {
        const ssize_t got = pread(n->fd, buf, CHUNK, at);
        if (got <= 0)
            r = cannot("read", n->tmp, err);
        else if (write_all(fd, buf, (size_t)got) < 0)
            r = cannot("write", what, err);
        at += got;
    }
    free(buf);
    return r;
}

int64_t pt_new_bytes(const struct pt_new *n)
{
    return n->bytes;
}

void pt_new_free(struct pt_new *n)
{
    if (!n)
        return;
    if (n->store)
        pt_store_close(n->store, NULL);
    if (n->there)
        unlink(n->tmp);
    if (n->fd >= 0)
        close(n->fd);
    free(n->path);
    free(n);
}
