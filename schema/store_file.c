/* SPDX-License-Identifier: MIT
 * The database as a file, before SQLite sees it: whose it is. SQLite plays a journal that it finds
 * back into the file, whoever's they are, and deletes the WAL of a file that was cut to nothing: so
 * it is given nothing but what looks like a database of ours.
 */
#include "schema/store_db.h"
#include "schema/store_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC     "SQLite format 3" /* with its NUL */
#define HEAD_SIZE 100
#define VERSION   60 /* where user_version and application_id stand, big-endian */
#define ID        68

/* How much of a file without a head is searched for something of ours. */
#define SEARCHED (16u << 20)
#define CHUNK    (64u << 10)

int pt_file_cannot(const char *what, const char *path, struct pt_err *err)
{
    const int e = errno;
    const enum pt_code code = pt_no_room(e) ? PT_EFULL : e == EIO ? PT_EIO : PT_EOPEN;
    return pt_err_set(err, code, e, path, -1, "cannot %s '%s': %s", what, path, strerror(e));
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- whose it is ---- */

/* The head of a frame or of a block: magic, version, tag, two zeros. */
static bool is_blob(const uint8_t *p)
{
    return (memcmp(p, "PTfr", 4) == 0 || memcmp(p, "PTbl", 4) == 0) && p[4] == PT_FORMAT &&
           p[6] == 0 && p[7] == 0;
}

static bool chunk_has_ours(const uint8_t *data, size_t len)
{
    static const char table[] = "CREATE TABLE sealed(n INTEGER PRIMARY KEY";
    if (memmem(data, len, table, sizeof table - 1))
        return true;
    const uint8_t *end = data + len;
    for (const uint8_t *p = data; p + 8 <= end; p++) {
        p = memmem(p, (size_t)(end - p), "PT", 2);
        if (!p || p + 8 > end)
            return false;
        if (is_blob(p))
            return true;
    }
    return false;
}

/* Does a file whose head is broken hold something of ours, or nothing but zeros (as a file that had
 * grown when the power failed)? */
static bool looks_ours(int fd)
{
    const size_t overlap = 64;
    uint8_t *buf = malloc(overlap + CHUNK);
    size_t kept = 0;
    bool ours = false, zeros = true;
    ssize_t n = 0;
    for (off_t at = 0; buf && !ours && at < (off_t)SEARCHED; at += n) {
        n = pread(fd, buf + kept, CHUNK, at);
        if (n <= 0)
            break;
        const size_t len = kept + (size_t)n;
        for (size_t i = kept; i < len && zeros; i++)
            zeros = buf[i] == 0;
        ours = chunk_has_ours(buf, len);
        kept = len < overlap ? len : overlap;
        memmove(buf, buf + len - kept, kept);
    }
    free(buf);
    return ours || (zeros && n == 0);
}

static bool has(const char *path, const char *side)
{
    char name[PATH_MAX + 16];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, side);
    return stat(name, &st) == 0 && st.st_size > 0;
}

/* The power failed while SQLite made the file: its other pages are there, and the journal. */
static bool half_made(const char *path, const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (head[i])
            return false;
    return has(path, "-journal");
}

/* size > 0 */
static int inspect(int fd, const char *path, struct pt_err *err)
{
    uint8_t head[HEAD_SIZE];
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return pt_file_cannot("read", path, err);
    const bool sqlite = n >= (ssize_t)sizeof MAGIC && memcmp(head, MAGIC, sizeof MAGIC) == 0;
    if (sqlite && n == HEAD_SIZE) {
        const uint32_t version = big_endian(head + VERSION);
        if (big_endian(head + ID) != PT_APPLICATION_ID)
            return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is a database of another program",
                              path);
        if (version <= PT_FORMAT)
            return 0;
        return pt_err_set(err, PT_ENEWER, 0, path, -1,
                          "'%s' has format %u, this program knows formats up to %d", path, version,
                          PT_FORMAT);
    }
    if (sqlite || looks_ours(fd) || half_made(path, head, (size_t)n))
        return pt_err_set(err, PT_EDAMAGED, 0, path, -1, "the head of '%s' is damaged", path);
    return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a Pagetrail database", path);
}

int pt_file_prepare(const char *path, struct stat *ret, struct pt_err *err)
{
    struct stat st;
    const bool there = stat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode))
        return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a regular file", path);
    if (there && pt_held(st.st_dev, st.st_ino))
        return pt_err_set(err, PT_ELOCKED, 0, path, -1, "'%s' is open in this process already",
                          path);
    if ((!there || st.st_size == 0) && has(path, "-wal"))
        return pt_err_set(err, PT_EDAMAGED, 0, path, -1, "'%s' is %s, and its -wal is not", path,
                          there ? "empty" : "gone");
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0)
        return pt_file_cannot("open", path, err);
    int r = 0;
    if (fstat(fd, ret) < 0)
        r = pt_file_cannot("stat", path, err);
    else if (!S_ISREG(ret->st_mode))
        r = pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a regular file", path);
    else if (ret->st_nlink > 1 && pt_db_in_use(fd)) /* each name has a -wal of its own */
        r = pt_err_set(err, PT_ELOCKED, 0, path, -1,
                       "'%s' has other names (hard links), and is open in another process", path);
    else if (ret->st_size > 0)
        r = inspect(fd, path, err);
    else if ((ret->st_mode & 077) && fchmod(fd, 0600) < 0) /* made beforehand, by touch */
        r = pt_file_cannot("take away others' right to read", path, err);
    close(fd);
    return r;
}

int pt_file_is_ours(const char *path, struct pt_err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : pt_file_cannot("stat", path, err);
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || pt_held(st.st_dev, st.st_ino))
        return 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return pt_file_cannot("open", path, err);
    const bool ours = inspect(fd, path, NULL) >= 0;
    close(fd);
    return ours;
}

/* ---- copying ---- */

int pt_file_copy(const char *from, const char *to, bool durable, struct pt_err *err)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return pt_file_cannot("read", from, err);
    const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = out < 0 ? pt_file_cannot("write", to, err) : 0;
    char *buf = malloc(1u << 16);
    ssize_t n = buf ? 1 : 0;
    if (!buf && r >= 0)
        r = pt_err_nomem(err);
    while (r >= 0 && n > 0) {
        n = read(in, buf, 1u << 16);
        if (n < 0)
            r = pt_file_cannot("read", from, err);
        for (ssize_t done = 0, w; r >= 0 && done < n; done += w)
            if ((w = write(out, buf + done, (size_t)(n - done))) < 0)
                r = pt_file_cannot("write", to, err);
    }
    if (r >= 0 && durable && fsync(out) < 0)
        r = pt_file_cannot("sync", to, err);
    free(buf);
    if (out >= 0) {
        posix_fadvise(out, 0, 0, POSIX_FADV_DONTNEED);
        close(out);
    }
    posix_fadvise(in, 0, 0, POSIX_FADV_DONTNEED);
    close(in);
    return r;
}
