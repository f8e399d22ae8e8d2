/* SPDX-License-Identifier: MIT
 * Frames that are not sealed yet, sealed in memory for one question. */
#include "schema/store_db.h"

#include <stdlib.h>
#include <string.h>

#define LEVEL 1 /* of blocks that live for one call */

struct run {
    struct pt_db *db;
    bool (*keep)(void *ctx, const char *name);
    int (*fn)(void *ctx, const struct pt_block *b, const struct pt_snap *snaps, uint32_t nsnaps,
              struct pt_err *err);
    void *ctx;
    int64_t first, last;
    sqlite3_stmt *st;
    struct pt_snap *snaps;
    uint32_t nsnaps;
};

static int run_rewind(void *ctx, struct pt_err *err)
{
    struct run *run = ctx;
    const int r =
        pt_sql_prepare(run->db->db, &run->st,
                       "SELECT n, data FROM frame WHERE n BETWEEN ?1 AND ?2 ORDER BY n", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(run->st, 1, run->first);
    sqlite3_bind_int64(run->st, 2, run->last);
    return 0;
}

static int run_next(void *ctx, int64_t *ret_n, const void **ret_blob, size_t *ret_len,
                    struct pt_err *err)
{
    struct run *run = ctx;
    const int rc = sqlite3_step(run->st);
    if (rc == SQLITE_DONE)
        return 0;
    if (rc != SQLITE_ROW)
        return pt_sql_err(run->db->db, rc, "read a frame", err);
    *ret_n = sqlite3_column_int64(run->st, 0);
    *ret_blob = sqlite3_column_blob(run->st, 1);
    *ret_len = (size_t)sqlite3_column_bytes(run->st, 1);
    if (!*ret_blob)
        *ret_blob = "";
    return 1;
}

static int run_bad(void *ctx, int64_t n, const char *what, struct pt_err *err)
{
    struct run *run = ctx;
    (void)err;
    pt_db_tell(run->db, n, n, what, "frame %lld", (long long)n);
    return 0;
}

static int run_snaps(void *ctx, const struct pt_snap *snaps, uint32_t count, struct pt_err *err)
{
    struct run *run = ctx;
    run->snaps = malloc(count * sizeof *snaps);
    if (!run->snaps)
        return pt_err_nomem(err);
    memcpy(run->snaps, snaps, count * sizeof *snaps);
    run->nsnaps = count;
    return 0;
}

static int run_block(void *ctx, enum pt_block_kind kind, const char *what, const void *blob,
                     size_t len, struct pt_err *err)
{
    struct run *run = ctx;
    struct pt_block *b;
    (void)what;
    if (kind == PT_BLOCK_CLOCK)
        return 0;
    int r = pt_block_open(blob, len, run->db->shapes, &b, err);
    if (r < 0)
        return r;
    r = run->fn(run->ctx, b, run->snaps, run->nsnaps, err);
    pt_block_free(b);
    return r;
}

static bool run_keep(void *ctx, const char *name)
{
    const struct run *run = ctx;
    return run->keep(run->ctx, name);
}

static int seal_run(struct run *run, struct pt_err *err)
{
    const struct pt_frames frames = {run_rewind, run_next, run};
    const struct pt_seal_ops ops = {run_bad, run_snaps, run_block, run};
    struct pt_err why = {0};
    int r = pt_seal_chain(run->db->shapes, &frames, &ops, run_keep, run, LEVEL, &why);
    sqlite3_finalize(run->st);
    free(run->snaps);
    if (r < 0 && pt_db_forgive(run->db, &why, run->first, run->last, "unsealed frames", err))
        r = 0;
    return r < 0 ? r : 0;
}

/* Chain by chain, as the rows (or, where they are damaged, the frames) say where each begins. */
int pt_db_runs(struct pt_db *db, bool (*keep)(void *ctx, const char *name), int64_t from,
               int64_t to,
               int (*fn)(void *ctx, const struct pt_block *b, const struct pt_snap *snaps,
                         uint32_t nsnaps, struct pt_err *err),
               void *ctx, struct pt_err *err)
{
    const struct pt_frame_at *v = db->frames;
    const size_t n = db->nframes;
    int r = 0;
    for (size_t i = 0, next; i < n && r >= 0; i = next) {
        for (next = i + 1; next < n && !v[next].key;)
            next++;
        struct run run = {
            .db = db, .keep = keep, .fn = fn, .ctx = ctx, .first = v[i].n, .last = v[next - 1].n};
        if (run.last >= from && run.first <= to)
            r = seal_run(&run, err);
    }
    return r;
}
