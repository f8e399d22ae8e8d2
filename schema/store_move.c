/* SPDX-License-Identifier: MIT
 * A database whose files others move, delete, replace or cut while it is written. SQLite finds the
 * WAL by the path it opened: once another database is begun there, what only the WAL holds is gone.
 * So the WAL is emptied into the file, wherever that is now, before the path is given up. */
#include "schema/store_write.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For readers to end their transaction, when the file is to be left. */
#define WAIT_MS 1000
#define HEAD    100 /* bytes of a database's head */

/* A directory that may not be searched any more tells nothing: the file is written as before. */
bool pt_store_moved(struct pt_store *s)
{
    struct stat st;
    if (stat(s->path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return st.st_dev != s->dev || st.st_ino != s->ino;
}

/* ---- what stands beside it ---- */

static struct pt_beside look(const struct pt_store *s, const char *suffix)
{
    char name[PATH_MAX + 8];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", s->path, suffix);
    if (stat(name, &st) < 0)
        return (struct pt_beside){0};
    return (struct pt_beside){.ino = st.st_ino, .size = st.st_size};
}

/* What is another one by now is not ours: that is for pt_store_meddled. */
static void note(struct pt_beside *b, struct pt_beside now)
{
    if (!b->ino || b->ino == now.ino)
        *b = now;
}

void pt_store_rest(struct pt_store *s)
{
    note(&s->wal, look(s, "-wal"));
    note(&s->shm, look(s, "-shm"));
}

enum pt_meddled pt_store_meddled(struct pt_store *s)
{
    const struct pt_beside file = look(s, ""), wal = look(s, "-wal"), shm = look(s, "-shm");
    if (file.ino != s->ino)
        return PT_MEDDLED_NOT; /* moved, or not to be seen */
    if (file.size < HEAD)
        return PT_MEDDLED_EMPTIED;
    const bool ours = shm.ino == s->shm.ino;
    if (s->shm.ino && ours && shm.size < s->shm.size)
        return PT_MEDDLED_SHM;
    if (s->wal.ino && wal.ino != s->wal.ino)
        return PT_MEDDLED_WAL;
    if (wal.size < s->wal.size)
        return PT_MEDDLED_CUT;
    return s->shm.ino && !ours ? PT_MEDDLED_SHM : PT_MEDDLED_NOT;
}

/* ---- leaving it ---- */

static int empty_wal(struct pt_store *s, int wait_ms, struct pt_err *err)
{
    sqlite3_busy_timeout(s->db, wait_ms);
    const int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->db, PT_BUSY_MS);
    if ((rc & 0xff) == SQLITE_BUSY)
        return pt_err_set(err, PT_ELOCKED, 0, s->path, -1,
                          "'%s' or its -wal was moved or deleted, and somebody who reads it keeps "
                          "that in use",
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
    struct pt_err why = {0}, ignored = {0};
    int r = empty_wal(s, WAIT_MS, &why);
    if (r >= 0) {
        pt_store_seal(s, true, &ignored); /* what is not sealed stays as frames */
        r = empty_wal(s, WAIT_MS, &why);
    }
    const bool let_go = r < 0 && why.code == PT_EFULL && pt_store_nameless(s);
    if (r < 0 && !let_go)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    char *path = strdup(s->path);
    if (!path)
        return pt_err_nomem(err);
    if (let_go)
        pt_store_abandon(s);
    else
        pt_store_close(s, &ignored);
    clear_away(path);
    free(path);
    return 0;
}

int pt_store_rescue(struct pt_store *s, int64_t real_us, struct pt_err *err)
{
    const int r = empty_wal(s, 0, err); /* with the next snapshot again */
    return r < 0 || look(s, "-wal").size == 0 ? r : pt_wal_aside(s->path, real_us, err);
}
