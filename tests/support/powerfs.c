/* SPDX-License-Identifier: MIT
 * The disk that forgets. */
#include "tests/support/powerfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NODES = 16, SECTOR = 512 };

struct op {
    bool truncate;
    int64_t at;
    size_t len;
    uint8_t *data;
};

/* A file: its bytes on the disk, and what was done since. */
struct node {
    char name[128];
    bool there; /* its name is on the disk */
    uint8_t *data;
    size_t len;
    struct op *ops;
    size_t nops, cap;
};

struct file {
    sqlite3_file base;
    sqlite3_file *real;
    struct node *node; /* NULL: temporary */
};

void (*powerfs_before)(void);

static sqlite3_vfs *under;
static char directory[256];
static struct node nodes[NODES];
static pthread_mutex_t lock;

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

/* ---- nodes (under lock) ---- */

static struct node *node_of(const char *path)
{
    const size_t len = strlen(directory);
    if (!path || strncmp(path, directory, len) != 0 || path[len] != '/' ||
        strchr(path + len + 1, '/'))
        return NULL;
    const char *name = path + len + 1;
    for (int i = 0; i < NODES; i++) {
        if (!nodes[i].name[0])
            snprintf(nodes[i].name, sizeof nodes[i].name, "%s", name);
        if (strcmp(nodes[i].name, name) == 0)
            return &nodes[i];
    }
    abort();
}

static void forget_ops(struct node *n)
{
    for (size_t i = 0; i < n->nops; i++)
        free(n->ops[i].data);
    n->nops = 0;
}

static void note(struct node *n, bool truncate, int64_t at, const void *data, size_t len)
{
    if (!n)
        return;
    if (n->nops == n->cap) {
        n->cap = n->cap ? 2 * n->cap : 64;
        n->ops = realloc(n->ops, n->cap * sizeof *n->ops);
    }
    struct op op = {.truncate = truncate, .at = at, .len = len, .data = malloc(len + 1)};
    if (!n->ops || !op.data)
        abort();
    if (len)
        memcpy(op.data, data, len);
    n->ops[n->nops++] = op;
}

struct image {
    uint8_t *data;
    size_t len;
};

static void put(struct image *im, size_t at, const uint8_t *data, size_t len)
{
    if (at + len > im->len) {
        im->data = realloc(im->data, at + len);
        if (!im->data)
            abort();
        memset(im->data + im->len, 0, at + len - im->len);
        im->len = at + len;
    }
    memcpy(im->data + at, data, len);
}

static void apply(struct image *im, const struct op *op, enum powerfs_fate fate, unsigned *seed)
{
    if (op->truncate) {
        if ((size_t)op->at < im->len && (fate == POWERFS_ALL || rand_r(seed) % 2))
            im->len = (size_t)op->at;
        return;
    }
    const bool torn = fate == POWERFS_SOME && rand_r(seed) % 2;
    if (fate == POWERFS_SOME && !torn && rand_r(seed) % 2)
        return;
    for (size_t at = 0; at < op->len; at += SECTOR) {
        const size_t n = op->len - at < SECTOR ? op->len - at : SECTOR;
        if (!torn || rand_r(seed) % 2)
            put(im, (size_t)op->at + at, op->data + at, n);
    }
}

static struct image image_of(const struct node *n, enum powerfs_fate fate, unsigned *seed)
{
    struct image im = {.data = malloc(n->len + 1), .len = n->len};
    if (!im.data)
        abort();
    if (n->len)
        memcpy(im.data, n->data, n->len);
    for (size_t i = 0; i < n->nops && fate != POWERFS_NONE; i++)
        apply(&im, &n->ops[i], fate, seed);
    return im;
}

/* All that was done is on the disk. */
static void settle(struct node *n)
{
    unsigned seed = 0;
    struct image im = image_of(n, POWERFS_ALL, &seed);
    free(n->data);
    n->data = im.data;
    n->len = im.len;
    n->there = true;
    forget_ops(n);
}

int powerfs_fail(const char *dir, enum powerfs_fate fate, unsigned seed)
{
    char path[512];
    int r = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < NODES && r == 0; i++) {
        const struct node *n = &nodes[i];
        const bool there =
            n->there ||
            (n->nops && (fate == POWERFS_ALL || (fate == POWERFS_SOME && rand_r(&seed) % 2)));
        snprintf(path, sizeof path, "%.300s/%.127s", dir, n->name);
        if (n->name[0])
            unlink(path);
        if (!n->name[0] || !there)
            continue;
        struct image im = image_of(n, fate, &seed);
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, im.data, im.len) != (ssize_t)im.len)
            r = -1;
        if (fd >= 0)
            close(fd);
        free(im.data);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

void powerfs_reset(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < NODES; i++) {
        forget_ops(&nodes[i]);
        free(nodes[i].ops);
        free(nodes[i].data);
        nodes[i] = (struct node){0};
    }
    pthread_mutex_unlock(&lock);
}

static void begin(void)
{
    if (powerfs_before)
        powerfs_before();
    pthread_mutex_lock(&lock);
}

/* ---- files ---- */

static int f_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int f_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), buf, n, at);
}

static int f_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
    begin();
    const int rc = real(f)->pMethods->xWrite(real(f), buf, n, at);
    if (rc == SQLITE_OK)
        note(((struct file *)f)->node, false, at, buf, (size_t)n);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    begin();
    const int rc = real(f)->pMethods->xTruncate(real(f), size);
    if (rc == SQLITE_OK)
        note(((struct file *)f)->node, true, size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int f_sync(sqlite3_file *f, int flags)
{
    (void)flags; /* what is under us need not sync */
    begin();
    if (((struct file *)f)->node)
        settle(((struct file *)f)->node);
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real(f)->pMethods->xFileSize(real(f), ret);
}

static int f_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int f_reserved(sqlite3_file *f, int *ret)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

/* A sector is written whole or not at all; nothing else is promised. */
static int f_sector(sqlite3_file *f)
{
    (void)f;
    return SECTOR;
}

static int f_device(sqlite3_file *f)
{
    (void)f;
    return 0;
}

static int f_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
    return real(f)->pMethods->xShmMap(real(f), region, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without mmap of the file */
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

/* ---- the file system ---- */

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct file *file = (struct file *)f;
    (void)v;
    file->base.pMethods = NULL;
    file->real = (sqlite3_file *)(void *)(file + 1);
    const int rc = under->xOpen(under, name, file->real, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&lock);
    file->node = node_of(name);
    pthread_mutex_unlock(&lock);
    file->base.pMethods = &methods;
    return rc;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync)
{
    (void)v;
    begin();
    struct node *n = node_of(name);
    const int rc = under->xDelete(under, name, sync);
    if (rc == SQLITE_OK && n && sync) {
        forget_ops(n);
        n->len = 0;
        n->there = false;
    } else if (rc == SQLITE_OK) {
        note(n, true, 0, NULL, 0); /* or it is there yet */
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

int powerfs_register(const char *dir)
{
    static sqlite3_vfs vfs;
    snprintf(directory, sizeof directory, "%s", dir);
    pthread_mutex_init(&lock, NULL);
    under = sqlite3_vfs_find(NULL);
    if (!under)
        return -1;
    vfs = *under;
    vfs.pNext = NULL;
    vfs.zName = "powerfs";
    vfs.szOsFile = (int)sizeof(struct file) + under->szOsFile;
    vfs.xOpen = v_open;
    vfs.xDelete = v_delete;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -1;
}
