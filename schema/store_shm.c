/* SPDX-License-Identifier: MIT
 * The shared memory of the WAL. A page of it that the kernel has written back takes room anew when
 * it is next changed, on file systems that never write in place (btrfs): where the disk is full, or
 * a quota, that is no error of any call but SIGBUS, and the end of the process. So each page is
 * written to before SQLite goes there, with the signal caught. */
#include "schema/store_write.h"

#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/vfs.h>

#define REGION (32 << 10) /* SQLite's */
#define PAGE   4096

/* Where a page has its place once and for all there is nothing to ask for. */
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

static _Thread_local sigjmp_buf *volatile asking; /* this thread, now */

/* Of anybody else it is what it would be without us. */
static void on_bus(int sig)
{
    if (asking)
        siglongjmp(*asking, 1);
    signal(sig, SIG_DFL);
}

/* Writes what is there: others write beside. A call that does it (MADV_POPULATE_WRITE) holds the
 * map of the whole process for as long as a disk hangs; a thread that faults holds, since Linux
 * 6.4, this part of it. */
static void touch(void volatile *region)
{
    for (size_t at = 0; at < REGION; at += PAGE) {
        uint32_t volatile *word = (uint32_t volatile *)region + at / sizeof *word;
        uint32_t was = __atomic_load_n(word, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(word, &was, was, false, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED))
            ;
    }
}

static bool has_room(void volatile *region)
{
    const struct sigaction ours = {.sa_handler = on_bus, .sa_flags = SA_NODEFER};
    struct sigaction theirs;
    sigjmp_buf here;
    if (sigaction(SIGBUS, &ours, &theirs) < 0)
        return true;
    volatile bool room = false;
    if (sigsetjmp(here, 0) == 0) {
        asking = &here;
        touch(region);
        room = true;
    }
    asking = NULL;
    sigaction(SIGBUS, &theirs, NULL);
    return room;
}

int pt_store_room_to_lock(struct pt_store *s, struct pt_err *err)
{
    sqlite3_file *f = mapped(s);
    for (int i = 0; f; i++) {
        void volatile *at = NULL;
        if (f->pMethods->xShmMap(f, i, REGION, 0, &at) != SQLITE_OK || !at)
            return 0;
        if (!has_room(at))
            return pt_err_set(err, PT_EFULL, ENOSPC, s->path, -1,
                              "no room on the disk, or within its quota, to change '%s-shm'",
                              s->path);
    }
    return 0;
}
