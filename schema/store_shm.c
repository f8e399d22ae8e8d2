/* SPDX-License-Identifier: MIT
 * The shared memory of the WAL. A page of it that the kernel has written back takes room anew when
 * it is next changed, on file systems that never write in place (btrfs): where the disk is full, or
 * a quota, that is no error of any call but SIGBUS, and the end of the process. So it is made
 * writable before SQLite goes there, by a call that can fail. Before Linux 5.14 there is none. */
#include "schema/store_write.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#define REGION (32 << 10) /* SQLite's */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Where a page has its place once and for all there is nothing to ask for. Asking holds the map of
 * the whole process for as long as a disk hangs. */
static bool in_place(const struct pt_store *s)
{
    struct statfs fs;
    return statfs(s->path, &fs) == 0 && (fs.f_type == EXT4_SUPER_MAGIC ||
                                         fs.f_type == XFS_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC);
}

void pt_store_shared(struct pt_store *s)
{
    s->shared = !in_place(s);
}

/* Of a connection that has no -wal open yet, the shared memory would be opened, and not closed. */
static sqlite3_file *mapped(struct pt_store *s)
{
    sqlite3_file *f = NULL, *wal = NULL;
    if (!s->shared ||
        sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
        !wal || !wal->pMethods ||
        sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || !f ||
        !f->pMethods || f->pMethods->iVersion < 2)
        return NULL;
    return f;
}

int pt_store_room_to_lock(struct pt_store *s, struct pt_err *err)
{
    sqlite3_file *f = mapped(s);
    for (int i = 0; f; i++) {
        void volatile *at = NULL;
        if (f->pMethods->xShmMap(f, i, REGION, 0, &at) != SQLITE_OK || !at)
            return 0;
        if (madvise((void *)(uintptr_t)at, REGION, MADV_POPULATE_WRITE) < 0 && errno == EFAULT)
            return pt_err_set(err, PT_EFULL, ENOSPC, s->path, -1,
                              "no room on the disk, or within its quota, to change '%s-shm'",
                              s->path);
    }
    return 0;
}
