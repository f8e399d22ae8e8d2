/* SPDX-License-Identifier: MIT
 * The failing file system: every call is passed on, unless it is its turn to fail. */
#include "tests/support/faultfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>

struct faultfs faultfs;

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this one */
    bool database;      /* the main file */
};

static sqlite3_vfs *under;
static int last_errno;

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

static bool fails(enum faultfs_op op)
{
    if (!(faultfs.ops & op))
        return false;
    faultfs.calls++;
    if (!faultfs.at || (faultfs.forever ? faultfs.calls < faultfs.at : faultfs.calls != faultfs.at))
        return false;
    faultfs.failed++;
    errno = last_errno = faultfs.sys;
    return true;
}

/* ---- files ---- */

static void see(const sqlite3_file *f, enum faultfs_op op)
{
    if (faultfs.seen)
        faultfs.seen(op, ((const struct file *)f)->database);
}

static int f_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int f_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
    return fails(FAULTFS_READ) ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), buf, n, at);
}

static int f_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
    see(f, FAULTFS_WRITE);
    if (!fails(FAULTFS_WRITE))
        return real(f)->pMethods->xWrite(real(f), buf, n, at);
    if (faultfs.half)
        real(f)->pMethods->xWrite(real(f), buf, n / 2, at);
    return faultfs.sys == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    see(f, FAULTFS_TRUNCATE);
    return fails(FAULTFS_TRUNCATE) ? SQLITE_IOERR_TRUNCATE
                                   : real(f)->pMethods->xTruncate(real(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    see(f, FAULTFS_SYNC);
    return fails(FAULTFS_SYNC) ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return fails(FAULTFS_SIZE) ? SQLITE_IOERR_FSTAT : real(f)->pMethods->xFileSize(real(f), ret);
}

static int f_lock(sqlite3_file *f, int level)
{
    if (fails(FAULTFS_LOCK))
        return faultfs.sys == EBUSY ? SQLITE_BUSY : SQLITE_IOERR_LOCK;
    return real(f)->pMethods->xLock(real(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int f_reserved(sqlite3_file *f, int *ret)
{
    return fails(FAULTFS_LOCK) ? SQLITE_IOERR_CHECKRESERVEDLOCK
                               : real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int f_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int f_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
    return fails(FAULTFS_SHM) ? SQLITE_IOERR_SHMSIZE
                              : real(f)->pMethods->xShmMap(real(f), region, size, extend, ret);
}

/* Unlocking never fails. */
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) && fails(FAULTFS_LOCK))
        return faultfs.sys == EBUSY ? SQLITE_BUSY : SQLITE_IOERR_SHMLOCK;
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
    file->database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    file->real = (sqlite3_file *)(void *)(file + 1);
    if (fails(FAULTFS_OPEN))
        return SQLITE_CANTOPEN;
    const int rc = under->xOpen(under, name, file->real, flags, ret_flags);
    if (rc == SQLITE_OK)
        file->base.pMethods = &methods;
    return rc;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync)
{
    (void)v;
    return fails(FAULTFS_DELETE) ? SQLITE_IOERR_DELETE : under->xDelete(under, name, sync);
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
    (void)v;
    return fails(FAULTFS_ACCESS) ? SQLITE_IOERR_ACCESS : under->xAccess(under, name, flags, ret);
}

static int v_last_error(sqlite3_vfs *v, int n, char *text)
{
    (void)v, (void)n, (void)text;
    return last_errno;
}

/* Who waits for a lock that never comes free waits in no time. */
static int v_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return faultfs.at ? us : under->xSleep(under, us);
}

int faultfs_register(void)
{
    static sqlite3_vfs vfs;
    under = sqlite3_vfs_find(NULL);
    if (!under)
        return -1;
    vfs = *under;
    vfs.pNext = NULL;
    vfs.zName = "faultfs";
    vfs.szOsFile = (int)sizeof(struct file) + under->szOsFile;
    vfs.xOpen = v_open;
    vfs.xDelete = v_delete;
    vfs.xAccess = v_access;
    vfs.xSleep = v_sleep;
    vfs.xGetLastError = v_last_error;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -1;
}
