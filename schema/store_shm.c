/* SPDX-License-Identifier: MIT
 * The shared memory of the WAL. A page of it that the kernel has written back takes room anew when
 * it is next changed, on file systems that never write in place (btrfs): where the disk is full, or
 * a quota, that is no error of any call but SIGBUS, and the end of the process. So it is made
 * writable before SQLite goes there, by a call that can fail. Before Linux 5.14 there is none. */
#include "schema/store_write.h"

#include <errno.h>
#include <sys/mman.h>

#define REGION (32 << 10) /* SQLite's */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

int pt_store_room_to_lock(struct pt_store *s, struct pt_err *err)
{
    sqlite3_file *f = NULL;
    if (!s->shared ||
        sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK || !f ||
        !f->pMethods || f->pMethods->iVersion < 2)
        return 0;
    for (int i = 0;; i++) {
        void volatile *at = NULL;
        if (f->pMethods->xShmMap(f, i, REGION, 0, &at) != SQLITE_OK || !at)
            return 0;
        if (madvise((void *)(uintptr_t)at, REGION, MADV_POPULATE_WRITE) < 0 && errno == EFAULT)
            return pt_err_set(err, PT_EFULL, ENOSPC, s->path, -1,
                              "no room on the disk, or within its quota, to change '%s-shm'",
                              s->path);
    }
}
