/* SPDX-License-Identifier: MIT
 * Opening a database to read, without leaving a trace beside it.
 *
 *   no -wal, or an empty one, and nobody has the file open: SQLite opens it immutable, and takes no
 * lock; a -wal nobody holds (a copied pair, a crash): both are copied to a temporary directory,
 * because reading a WAL means writing a -shm; the copy is unlinked as soon as it is open; somebody
 * has it open: read through the WAL. A read-only connection neither checkpoints nor deletes it. */
#include "schema/store_db.h"
#include "schema/store_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
#define MAGIC   "SQLite format 3" /* with its NUL */

/* SQLite's lock bytes in the main file: every connection in WAL mode holds a read lock on some of
 * these. */
#define SHARED_FIRST 0x40000002
#define SHARED_SIZE  510

static int cannot(const char *path, struct pt_err *err)
{
    const int e = errno;
    return pt_err_set(err, pt_no_room(e) ? PT_EFULL : PT_EOPEN, e, path, -1, "cannot open '%s': %s",
                      path, strerror(e));
}

bool pt_db_in_use(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool has_wal(const char *path)
{
    char wal[PATH_MAX + 8];
    struct stat st;
    snprintf(wal, sizeof wal, "%s-wal", path);
    return stat(wal, &st) == 0 && st.st_size > 0;
}

static int inspect(int fd, const char *path, struct stat *st, struct pt_err *err)
{
    char head[16];
    if (fstat(fd, st) < 0)
        return cannot(path, err);
    if (!S_ISREG(st->st_mode))
        return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a regular file", path);
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return cannot(path, err);
    if (n != sizeof head || memcmp(head, MAGIC, sizeof head) != 0)
        return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a Pagetrail database", path);
    return 0;
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

bool pt_db_overtaken(const struct pt_db *db)
{
    struct stat st;
    return db->mode == PT_MODE_ALONE && stat(db->path, &st) == 0 && st.st_dev == db->dev &&
           st.st_ino == db->ino &&
           (st.st_size != db->size || mtime_ns(&st) != db->mtime_ns || has_wal(db->path));
}

static int choose_mode(struct pt_db *db, const char *path, struct pt_err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return cannot(path, err);
    db->dev = st.st_dev;
    db->ino = st.st_ino;
    db->size = st.st_size;
    db->mtime_ns = mtime_ns(&st);
    db->mode = PT_MODE_LIVE;
    if (pt_held(st.st_dev, st.st_ino))
        return 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return cannot(path, err);
    const int r = inspect(fd, path, &st, err);
    if (r >= 0 && !pt_db_in_use(fd))
        db->mode = has_wal(path) ? PT_MODE_COPY : PT_MODE_ALONE;
    close(fd);
    return r;
}

/* "file:" and the path with everything but plain characters escaped: '?', '#' and '%' mean
 * something in a URI. */
static char *uri_of(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    const size_t size = 3 * strlen(path) + 32;
    char *uri = malloc(size);
    if (!uri)
        return NULL;
    size_t n = (size_t)snprintf(uri, size, "file:");
    for (; *path; path++) {
        if (strchr(plain, *path))
            uri[n++] = *path;
        else
            n += (size_t)snprintf(uri + n, size - n, "%%%02x", (unsigned char)*path);
    }
    snprintf(uri + n, size - n, "?immutable=1");
    return uri;
}

static int connect_to(struct pt_db *db, const char *name, int flags, struct pt_err *err)
{
    const int rc = sqlite3_open_v2(name, &db->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return pt_sql_err(db->db, rc, "open the database", err);
    sqlite3_extended_result_codes(db->db, 1);
    sqlite3_busy_timeout(db->db, BUSY_MS);
    sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    const int r = pt_sql_harden(db->db, err);
    /* Blobs are read once: decoded blocks are cached (store_block.c), and pages are the system's to
     * keep. `bench.py --only leaks` takes as long with 2 MiB as with 16, of its 10,000 processes
     * too, and a report has three readers. */
    return r < 0 ? r : pt_sql_exec(db->db, "PRAGMA cache_size=-2048", "set up the connection", err);
}

static int look_behind(const char *wal, int64_t *ret, struct pt_err *err)
{
    const int fd = open(wal, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot(wal, err);
    const int r = pt_wal_behind(fd, ret, err);
    close(fd);
    return r;
}

static int open_copy(struct pt_db *db, const char *path, struct pt_err *err)
{
    static const char *const dirs[] = {"/tmp", "/var/tmp"};
    char dir[32] = "", copy[64], copy_wal[80], copy_shm[80], wal[PATH_MAX + 8];
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !dir[0]; i++) {
        snprintf(dir, sizeof dir, "%s/pagetrail-XXXXXX", dirs[i]);
        if (!mkdtemp(dir))
            dir[0] = '\0';
    }
    if (!dir[0])
        return cannot(dirs[0], err);
    snprintf(copy, sizeof copy, "%s/copy.db", dir);
    snprintf(copy_wal, sizeof copy_wal, "%s-wal", copy);
    snprintf(copy_shm, sizeof copy_shm, "%s-shm", copy);
    snprintf(wal, sizeof wal, "%s-wal", path);
    int64_t tables;
    int r = pt_file_copy(path, copy, false, err);
    if (r >= 0)
        r = pt_file_copy(wal, copy_wal, false, err);
    if (r >= 0) /* while it is as it was found */
        r = look_behind(copy_wal, &db->behind, err);
    if (r >= 0)
        r = connect_to(db, copy, SQLITE_OPEN_READWRITE, err);
    if (r >= 0) /* recovers the WAL: now all its files are open */
        r = pt_sql_int(db->db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    unlink(copy);
    unlink(copy_wal);
    unlink(copy_shm);
    rmdir(dir);
    return r;
}

static int open_mode(struct pt_db *db, const char *path, struct pt_err *err)
{
    if (db->mode == PT_MODE_COPY)
        return open_copy(db, path, err);
    if (db->mode == PT_MODE_LIVE) {
        if (pt_hold(db->dev, db->ino) < 0)
            return pt_err_nomem(err);
        db->held = true;
        return connect_to(db, path, SQLITE_OPEN_READONLY, err);
    }
    char *uri = uri_of(path);
    const int r =
        uri ? connect_to(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err) : pt_err_nomem(err);
    free(uri);
    return r;
}

static int check_format(struct pt_db *db, struct pt_err *err)
{
    int64_t id = 0, version = 0;
    int r = pt_sql_int(db->db, "PRAGMA application_id", 0, &id, err);
    if (r >= 0)
        r = pt_sql_int(db->db, "PRAGMA user_version", 0, &version, err);
    if (r < 0)
        return r;
    if (id != PT_APPLICATION_ID)
        return pt_err_set(err, PT_EFORMAT, 0, db->path, -1, "'%s' is not a Pagetrail database",
                          db->path);
    if (version < 0 || version > PT_FORMAT)
        return pt_err_set(err, PT_ENEWER, 0, db->path, -1,
                          "'%s' has format %lld, this program knows formats up to %d", db->path,
                          (long long)version, PT_FORMAT);
    return pt_sql_verify(db->db, err);
}

int pt_db_open(const char *path, struct pt_db **ret, struct pt_err *err)
{
    char *real = realpath(path, NULL);
    if (!real)
        return cannot(path, err);
    struct pt_db *db = calloc(1, sizeof *db);
    int r =
        db && (db->path = strdup(path)) && (db->shapes = pt_shapes_new()) ? 0 : pt_err_nomem(err);
    if (r >= 0)
        r = choose_mode(db, real, err);
    if (r >= 0)
        r = open_mode(db, real, err);
    if (r >= 0)
        r = check_format(db, err);
    if (r >= 0)
        r = pt_db_load(db, err);
    free(real);
    if (r < 0) {
        pt_db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

void pt_db_close(struct pt_db *db)
{
    if (!db)
        return;
    pt_db_unload(db);
    sqlite3_close(db->db);
    if (db->held)
        pt_unhold(db->dev, db->ino);
    for (uint32_t i = 0; i < db->nplaces; i++) {
        free(db->places[i].place);
        free(db->places[i].what);
    }
    free(db->places);
    pt_shapes_free(db->shapes);
    free(db->path);
    free(db);
}
