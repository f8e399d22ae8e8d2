/* SPDX-License-Identifier: MIT
 * Numbers that are missing, and why: a frame that was damaged or never stored (table `damaged`),
 * what retention took out (table `thinned`), or a loss nobody noted. */
#include "schema/store_db.h"

#include <stdio.h>

/* What retention took out of first to last: all but `kept`. */
struct thinned {
    int64_t first, last, level, kept;
};

static int64_t count_aside(struct pt_db *db, int64_t from, int64_t to)
{
    char sql[96];
    int64_t n;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM damaged WHERE n BETWEEN %lld AND %lld",
             (long long)from, (long long)to);
    return pt_sql_int(db->db, sql, 0, &n, NULL) < 0 ? 0 : n;
}

/* Numbers that nothing holds and retention did not take. */
static void check_gap(struct pt_db *db, int64_t from, int64_t to)
{
    if (from <= to && count_aside(db, from, to) < to - from + 1)
        pt_db_tell(db, from, to, "they are missing", "snapshots %lld to %lld", (long long)from,
                   (long long)to);
}

/* What the rows of segments say, in order; then frames. */
struct walk {
    struct pt_db *db;
    size_t i;
    int64_t next; /* the number that should come; 0: any */
};

/* Segments and frames up to `to`: gaps between them, and how many snapshots they hold. Those within
 * a thinned stretch have gaps by right. */
static int64_t pass(struct walk *w, int64_t to, bool thinned)
{
    const struct pt_db *db = w->db;
    int64_t count = 0;
    for (; w->i < db->nsegs + db->nframes; w->i++) {
        const struct pt_seg *seg = w->i < db->nsegs ? &db->segs[w->i] : NULL;
        const int64_t first = seg ? seg->first : db->frames[w->i - db->nsegs].n;
        const int64_t last = seg ? seg->last : first;
        if (first > to)
            break;
        if (w->next && !thinned)
            check_gap(w->db, w->next, first - 1);
        if (last < INT64_MAX && last >= w->next)
            w->next = last + 1;
        count += seg ? seg->count : 1;
    }
    return count;
}

static void check_thinned(struct walk *w, const struct thinned *t)
{
    pass(w, t->first - 1, false);
    if (w->next)
        check_gap(w->db, w->next, t->first - 1);
    const int64_t count = pass(w, t->last, true);
    if (count < t->kept)
        pt_db_tell(w->db, t->first, t->last, "they are missing",
                   "%lld of the snapshots kept of %lld to %lld", (long long)(t->kept - count),
                   (long long)t->first, (long long)t->last);
    if (t->last >= w->next)
        w->next = t->last + 1;
}

int pt_db_check_numbers(struct pt_db *db, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct walk w = {.db = db};
    struct pt_err why = {0};
    int rc = SQLITE_DONE;
    int r = pt_sql_prepare(
        db->db, &st, "SELECT first, last, level, kept, crc FROM thinned ORDER BY first", &why);
    while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct pt_val v[4];
        const bool good = pt_row_get(st, PT_T_THINNED, v, 4);
        const struct thinned t = {v[0].i, v[1].i, v[2].i, v[3].i};
        if (!good || t.first <= 0 || t.last < t.first || t.last == INT64_MAX || t.first < w.next)
            pt_db_tell(db, t.first, t.last, "wrong checksum", "row of thinned snapshots %lld",
                       (long long)t.first);
        else
            check_thinned(&w, &t);
    }
    if (r >= 0 && rc != SQLITE_DONE)
        r = pt_sql_err(db->db, rc, "read what was thinned", &why);
    sqlite3_finalize(st);
    pass(&w, INT64_MAX, false);
    return r < 0 && !pt_db_forgive(db, &why, 0, -1, "table thinned", err) ? r : 0;
}

int pt_db_no_snap(struct pt_db *db, int64_t n, struct pt_err *err)
{
    char sql[112];
    int64_t there = 0, gone = 0;
    snprintf(sql, sizeof sql, "SELECT n FROM damaged WHERE n = %lld", (long long)n);
    if (pt_sql_int(db->db, sql, 0, &there, NULL) >= 0 && there == n)
        return pt_err_set(err, PT_EDAMAGED, 0, "frame", n,
                          "snapshot %lld is lost: its frame was damaged", (long long)n);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM thinned WHERE %lld BETWEEN first AND last",
             (long long)n);
    if (pt_sql_int(db->db, sql, 0, &gone, NULL) >= 0 && gone > 0)
        return pt_err_set(err, PT_ENOTFOUND, 0, "snapshot", n,
                          "snapshot %lld was thinned out, to save space", (long long)n);
    return pt_err_set(err, PT_ENOTFOUND, 0, "snapshot", n, "there is no snapshot %lld",
                      (long long)n);
}
