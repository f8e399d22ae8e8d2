/* SPDX-License-Identifier: MIT
 * Cuts a new database to a range of snapshots, as retention takes snapshots out of segments: what
 * was read before the first one that stays is carried there, with the time it was read at. */
#include "schema/store_trim.h"

#include <stdio.h>

#include "schema/store_rows.h"
#include "schema/store_thin.h"

/* The segments that reach over an end of a range are two at most. */
#define ENDS 2

static int drop(struct pt_store *s, const struct pt_stretch *old, struct pt_err *err)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "DELETE FROM block WHERE id / 65536 = %lld; DELETE FROM sealed WHERE n BETWEEN %lld "
             "AND %lld; DELETE FROM segment WHERE first = %lld",
             (long long)old->first, (long long)old->first, (long long)old->last,
             (long long)old->first);
    return pt_sql_exec(s->db, sql, "cut a segment", err);
}

static int cut(struct pt_store *s, const struct pt_stretch *old, int64_t first, int64_t last,
               struct pt_err *err)
{
    static const struct pt_pick all = {.level = PT_THIN_ALL, .interval_us = 1};
    struct pt_thinning t;
    struct pt_err why = {0};
    int r = pt_thin_choose(s, old, 1, &all, &t, &why);
    if (r >= 0) {
        t.kept = 0;
        for (uint32_t i = 0; i < t.nsnaps; i++) {
            t.keep[i] = t.snaps[i].n >= first && t.snaps[i].n <= last;
            t.kept += t.keep[i];
        }
        if (t.kept > 0)
            r = pt_thin_make(s, &t, &why);
    }
    if (r >= 0)
        r = drop(s, old, &why);
    if (r >= 0 && t.kept > 0)
        r = pt_store_sealed(s, t.fresh.snaps, (size_t)t.fresh.count, &why);
    if (r >= 0 && t.kept > 0)
        r = pt_fresh_write(&t.fresh, s, &why);
    pt_thin_release(&t);
    if (r < 0 && why.code == PT_EDAMAGED) /* as it is: nothing that fails a check is rewritten */
        return 0;
    return r < 0 ? pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text) : 0;
}

static int cut_segments(struct pt_store *s, int64_t first, int64_t last, struct pt_err *err)
{
    struct pt_stretch old[ENDS];
    sqlite3_stmt *st = NULL;
    int count = 0;
    int r = pt_sql_prepare(s->db, &st,
                           "SELECT first, last, count, boot, min_ms, max_ms, blocks, bytes FROM "
                           "segment WHERE ?1 > first AND ?1 <= last OR ?2 >= first AND ?2 < last",
                           err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, first);
    sqlite3_bind_int64(st, 2, last);
    while (count < ENDS && (r = pt_store_step(s, st, "find the ends", err)) > 0) {
        int64_t v[8];
        for (int i = 0; i < 8; i++)
            v[i] = sqlite3_column_int64(st, i);
        old[count++] = (struct pt_stretch){v[0], v[1], v[2], v[3], v[4],       v[5],
                                           v[6], v[7], v[0], v[1], PT_THIN_ALL};
    }
    sqlite3_finalize(st);
    for (int i = 0; i < count && r >= 0; i++)
        r = cut(s, &old[i], first, last, err);
    return r;
}

/* Rows of what was thinned end where the range does. */
static int cut_thinned(struct pt_store *s, int64_t first, int64_t last, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct pt_val rows[ENDS][4];
    int count = 0;
    char sql[64];
    int r = pt_sql_prepare(s->db, &st,
                           "SELECT first, last, level, (SELECT count(*) FROM sealed WHERE n "
                           "BETWEEN max(first, ?1) AND min(last, ?2)) FROM thinned WHERE ?1 > "
                           "first AND ?1 <= last OR ?2 >= first AND ?2 < last",
                           err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, first);
    sqlite3_bind_int64(st, 2, last);
    for (; count < ENDS && (r = pt_store_step(s, st, "find the ends", err)) > 0; count++)
        for (int i = 0; i < 4; i++)
            rows[count][i] = pt_val_int(sqlite3_column_int64(st, i));
    sqlite3_finalize(st);
    for (int i = 0; i < count && r >= 0; i++) {
        struct pt_val *v = rows[i];
        snprintf(sql, sizeof sql, "DELETE FROM thinned WHERE first = %lld", (long long)v[0].i);
        r = pt_sql_exec(s->db, sql, "cut a stretch", err);
        v[0].i = v[0].i < first ? first : v[0].i;
        v[1].i = v[1].i > last ? last : v[1].i;
        if (r >= 0)
            r = pt_store_run(s, PT_S_THINNED, PT_T_THINNED, v, 4, NULL, 0, "cut a stretch", err);
    }
    return r;
}

int pt_store_trim(struct pt_store *s, int64_t first, int64_t last, struct pt_err *err)
{
    int64_t frame;
    int r = pt_sql_int(s->db, "SELECT min(n) FROM frame", INT64_MAX, &frame, err);
    if (r >= 0 && frame < first)
        r = pt_store_seal(s, true, err);
    if (r >= 0)
        r = pt_store_begin(s, err);
    if (r < 0)
        return r;
    r = cut_segments(s, first, last, err);
    if (r >= 0)
        r = cut_thinned(s, first, last, err);
    return pt_store_end(s, r, "cut to the range", err);
}
