/* SPDX-License-Identifier: MIT
 * A database whose file is moved or deleted while it is written. SQLite finds the WAL by the path
 * it opened: once another database is begun there, what only the WAL holds is gone. So the WAL is
 * emptied into the file, wherever that is now, before the path is given up. */
#include "schema/store_write.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For readers to end their transaction. */
#define WAIT_MS 1000

/* A directory that may not be searched any more tells nothing: the file is written as before. */
bool pt_store_moved(struct pt_store *s)
{
    struct stat st;
    if (stat(s->path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return st.st_dev != s->dev || st.st_ino != s->ino;
}

static int empty_wal(struct pt_store *s, struct pt_err *err)
{
    sqlite3_busy_timeout(s->db, WAIT_MS);
    const int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->db, PT_BUSY_MS);
    if ((rc & 0xff) == SQLITE_BUSY)
        return pt_err_set(err, PT_ELOCKED, 0, s->path, -1,
                          "'%s' was moved or deleted, and somebody who reads it keeps its -wal in "
                          "use",
                          s->path);
    return rc == SQLITE_OK ? 0 : pt_sql_err(s->db, rc, "checkpoint", err);
}

/* A -wal with something in it is not ours: ours was emptied. Readers that still have ours open keep
 * it without its name; under its name it would be taken for the next database's. */
static void clear_away(const char *path)
{
    char name[PATH_MAX + 8];
    struct stat st;
    snprintf(name, sizeof name, "%s-wal", path);
    if (stat(name, &st) == 0 && st.st_size > 0)
        return;
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
}

int pt_store_leave(struct pt_store *s, struct pt_err *err)
{
    struct pt_err ignored = {0};
    int r = empty_wal(s, err);
    if (r < 0)
        return r;
    pt_store_seal(s, true, &ignored); /* what is not sealed stays as frames */
    r = empty_wal(s, err);
    char *path = r >= 0 ? strdup(s->path) : NULL;
    if (!path)
        return r < 0 ? r : pt_err_nomem(err);
    pt_store_close(s, &ignored);
    clear_away(path);
    free(path);
    return 0;
}
