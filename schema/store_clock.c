/* SPDX-License-Identifier: MIT
 * Snapshots by number and by time: the clocks of segments, the cursor, the span, events. */
#include "schema/store_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "schema/array.h"

int pt_clock_tick(const struct pt_clock *clock, int64_t n, uint32_t *ret)
{
    uint32_t lo = 0, hi = clock->count;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (clock->snaps[mid].n < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == clock->count || clock->snaps[lo].n != n)
        return -1;
    *ret = lo;
    return 0;
}

/* ---- loading a clock ---- */

bool pt_seg_has(const struct pt_seg *seg, const struct pt_block *b)
{
    const uint32_t ticks = pt_block_ticks(b);
    return ticks > 0 && pt_block_first(b) == seg->first &&
           (seg->count == 0 ||
            ((int64_t)ticks == seg->count && pt_block_n(b, ticks - 1) == seg->last));
}

static int clock_from_block(const struct pt_block *b, const struct pt_seg *seg,
                            struct pt_clock *ret, struct pt_err *err)
{
    const uint32_t count = pt_block_ticks(b);
    if (pt_block_kind(b) != PT_BLOCK_CLOCK || !pt_seg_has(seg, b))
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, seg->first,
                          "it is the block of another segment");
    struct pt_snap *snaps = calloc(count, sizeof *snaps);
    if (!snaps)
        return pt_err_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const int r = pt_block_snap(b, i, &snaps[i], err);
        if (r < 0) {
            free(snaps);
            return r;
        }
    }
    ret->snaps = snaps;
    ret->count = count;
    return 0;
}

static int clock_from_blob(struct pt_db *db, const struct pt_seg *seg, struct pt_clock *ret,
                           struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct pt_block *b = NULL;
    int r = pt_sql_prepare(db->db, &st, "SELECT data FROM block WHERE id = ?1", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, seg->first * PT_BLOCKS_MAX);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(st, 0);
        r = pt_block_open(blob ? blob : "", (size_t)sqlite3_column_bytes(st, 0), db->shapes, &b,
                          err);
        if (r >= 0)
            r = clock_from_block(b, seg, ret, err);
        pt_block_free(b);
    } else if (rc == SQLITE_DONE) {
        r = pt_err_set(err, PT_EDAMAGED, 0, NULL, seg->first, "it is missing");
    } else {
        r = pt_sql_err(db->db, rc, "read a block", err);
    }
    sqlite3_finalize(st);
    return r;
}

/* The clock block is damaged: what the rows say, to the millisecond. */
static int clock_from_rows(struct pt_db *db, const struct pt_seg *seg, struct pt_clock *ret,
                           struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    size_t cap = 0;
    int r = pt_sql_prepare(
        db->db, &st,
        "SELECT " PT_SNAP_COLUMNS ", crc FROM sealed WHERE n BETWEEN ?1 AND ?2 ORDER BY n", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, seg->first);
    sqlite3_bind_int64(st, 2, seg->last);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct pt_val v[PT_SNAP_NCOLUMNS];
        if (!pt_row_get(st, PT_T_SEALED, v, PT_SNAP_NCOLUMNS)) {
            pt_db_tell(db, v[0].i, v[0].i, "wrong checksum", "row of snapshot %lld",
                       (long long)v[0].i);
            continue;
        }
        struct pt_snap *snaps = pt_array_room(ret->snaps, ret->count, &cap, sizeof *snaps);
        if (!snaps) {
            r = pt_err_nomem(err);
            break;
        }
        ret->snaps = snaps;
        pt_snap_from_row(v, &ret->snaps[ret->count++]);
    }
    if (r >= 0 && rc != SQLITE_DONE && ret->count == 0)
        r = pt_sql_err(db->db, rc, "read the sealed snapshots", err);
    else if (r >= 0 && ret->count == 0)
        r = pt_err_set(err, PT_EDAMAGED, 0, NULL, seg->first,
                       "segment %lld has neither a clock nor rows", (long long)seg->first);
    sqlite3_finalize(st);
    return r;
}

int pt_db_clock(struct pt_db *db, const struct pt_seg *seg, const struct pt_clock **ret,
                struct pt_err *err)
{
    struct pt_clock *slot = &db->clocks[0];
    for (size_t i = 0; i < PT_CLOCKS; i++) {
        struct pt_clock *c = &db->clocks[i];
        if (c->first == seg->first) {
            c->used = ++db->clock_hand;
            *ret = c;
            return 0;
        }
        if (c->used < slot->used)
            slot = c;
    }
    struct pt_clock fresh = {.first = seg->first, .used = ++db->clock_hand};
    struct pt_err why = {0};
    int r = clock_from_blob(db, seg, &fresh, &why);
    if (r < 0) {
        char place[64];
        snprintf(place, sizeof place, "segment %lld block 0 (clock)", (long long)seg->first);
        if (!pt_db_forgive(db, &why, seg->first, seg->last, place, err))
            return r;
        r = clock_from_rows(db, seg, &fresh, err);
        if (r < 0) {
            free(fresh.snaps);
            return r;
        }
    }
    free(slot->snaps);
    *slot = fresh;
    *ret = slot;
    return 0;
}

/* ---- one snapshot ---- */

/* What the headline row says, where the frame itself is damaged. */
static int snap_from_row(struct pt_db *db, int64_t n, struct pt_snap *ret, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    int r = pt_sql_prepare(db->db, &st,
                           "SELECT " PT_SNAP_COLUMNS ", key, crc FROM frame WHERE n = ?1", err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, n);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && pt_row_get(st, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1))
        pt_snap_from_row(v, ret);
    else
        r = pt_err_set(err, PT_EDAMAGED, 0, "frame", n, "frame %lld and its row are damaged",
                       (long long)n);
    sqlite3_finalize(st);
    return r;
}

static int snap_of_frame(struct pt_db *db, int64_t n, struct pt_snap *ret, struct pt_err *err)
{
    void *blob;
    size_t len;
    struct pt_frame *f;
    struct pt_err why = {0};
    int r = pt_db_frame_blob(db, n, &blob, &len, &why);
    if (r >= 0) {
        r = pt_frame_open(blob, len, &f, &why);
        free(blob);
    }
    if (r >= 0) {
        const bool right = pt_frame_snap(f)->n == n;
        if (right)
            *ret = *pt_frame_snap(f);
        pt_frame_free(f);
        if (right)
            return 0;
        r = pt_err_set(&why, PT_EDAMAGED, 0, "frame", n, "it is another frame's");
    }
    char place[64];
    snprintf(place, sizeof place, "frame %lld", (long long)n);
    if (!pt_db_forgive(db, &why, n, n, place, err))
        return r;
    return snap_from_row(db, n, ret, err);
}

int pt_db_snap(struct pt_db *db, int64_t n, struct pt_snap *ret, struct pt_err *err)
{
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    const struct pt_seg *seg = pt_db_seg_of(db, n);
    const size_t at = pt_db_frame_lower(db, n);
    uint32_t tick;
    const struct pt_clock *clock;
    if (seg && (r = pt_db_clock(db, seg, &clock, err)) >= 0 && pt_clock_tick(clock, n, &tick) == 0)
        *ret = clock->snaps[tick];
    else if (r >= 0 && at < db->nframes && db->frames[at].n == n)
        r = snap_of_frame(db, n, ret, err);
    else if (r >= 0)
        r = pt_db_no_snap(db, n, err);
    pt_db_leave(db);
    return r;
}

/* ---- the cursor ---- */

/* The nearest number above (dir > 0) or below n in a segment; 0: none. */
static int64_t step_in(const struct pt_clock *clock, int64_t n, int dir)
{
    int64_t best = 0;
    for (uint32_t i = 0; i < clock->count; i++) {
        const int64_t at = clock->snaps[i].n;
        if (dir > 0 && at > n)
            return at;
        if (dir < 0 && at < n)
            best = at;
    }
    return best;
}

static int64_t step_segs(struct pt_db *db, int64_t n, int dir)
{
    for (size_t i = 0; i < db->nsegs; i++) {
        const struct pt_seg *seg = &db->segs[dir > 0 ? i : db->nsegs - 1 - i];
        const struct pt_clock *clock;
        if (dir > 0 ? seg->last <= n : seg->first >= n)
            continue;
        const int64_t at = pt_db_clock(db, seg, &clock, NULL) < 0 ? 0 : step_in(clock, n, dir);
        if (at)
            return at;
    }
    return 0;
}

static int64_t step_frames(const struct pt_db *db, int64_t n, int dir)
{
    const size_t i = pt_db_frame_lower(db, dir > 0 ? n + 1 : n);
    if (dir > 0)
        return i < db->nframes ? db->frames[i].n : 0;
    return i > 0 ? db->frames[i - 1].n : 0;
}

int pt_db_step(struct pt_db *db, int64_t n, int dir, int64_t *ret_n, struct pt_err *err)
{
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    const int64_t a = n == INT64_MAX && dir > 0 ? 0 : step_segs(db, n, dir);
    const int64_t b = n == INT64_MAX && dir > 0 ? 0 : step_frames(db, n, dir);
    if (!a && !b)
        r = pt_err_set(err, PT_ENOTFOUND, 0, "snapshot", n, "there is no snapshot %s %lld",
                       dir > 0 ? "after" : "before", (long long)n);
    else if (!a || !b)
        *ret_n = a ? a : b;
    else
        *ret_n = (dir > 0) == (a < b) ? a : b;
    pt_db_leave(db);
    return r;
}

/* ---- by time: to the millisecond, as the rows have it ---- */

struct best {
    int64_t n, ms;
};

static void consider(struct best *best, int64_t n, int64_t ms, int64_t want, bool before)
{
    if (before ? ms > want : ms < want)
        return;
    if (!best->n || (before ? ms >= best->ms : ms < best->ms))
        *best = (struct best){n, ms};
}

static struct best find_one(struct pt_db *db, int64_t want, bool before)
{
    struct best best = {0};
    for (size_t i = 0; i < db->nsegs; i++) {
        const struct pt_seg *seg = &db->segs[before ? db->nsegs - 1 - i : i];
        const struct pt_clock *clock;
        if (before ? seg->min_ms > want : seg->max_ms < want)
            continue;
        if (best.n && (before ? seg->max_ms <= best.ms : seg->min_ms >= best.ms))
            continue;
        if (pt_db_clock(db, seg, &clock, NULL) < 0)
            continue;
        for (uint32_t t = 0; t < clock->count; t++) {
            const int64_t us = clock->snaps[t].real_us;
            if (us != PT_UNKNOWN)
                consider(&best, clock->snaps[t].n, us / 1000 - (us % 1000 < 0), want, before);
        }
    }
    for (size_t i = 0; i < db->nframes; i++)
        if (db->frames[i].ms != PT_UNKNOWN)
            consider(&best, db->frames[i].n, db->frames[i].ms, want, before);
    return best;
}

int pt_db_find(struct pt_db *db, int64_t real_us, enum pt_seek how, int64_t *ret_n,
               struct pt_err *err)
{
    const int64_t want = real_us / 1000 - (real_us % 1000 < 0);
    struct best before = {0}, after = {0};
    const int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    if (how != PT_SEEK_FIRST_AFTER)
        before = find_one(db, want, true);
    if (how != PT_SEEK_LAST_BEFORE)
        after = find_one(db, want, false);
    pt_db_leave(db);
    if (!before.n && !after.n)
        return pt_err_set(err, PT_ENOTFOUND, 0, "snapshot", -1, "there is no snapshot %s that time",
                          how == PT_SEEK_LAST_BEFORE ? "at or before" : "at or after");
    const bool nearer = !after.n || (before.n && (uint64_t)want - (uint64_t)before.ms <=
                                                     (uint64_t)after.ms - (uint64_t)want);
    *ret_n = before.n && nearer ? before.n : after.n;
    return 0;
}

/* ---- spans ---- */

int pt_db_each(struct pt_db *db, int64_t from, int64_t to,
               int (*fn)(void *ctx, const struct pt_snap *snap), void *ctx, struct pt_err *err)
{
    int64_t n = from > INT64_MIN ? from - 1 : from;
    int r = 0;
    while (r >= 0) {
        struct pt_err why = {0};
        struct pt_snap snap;
        if (pt_db_step(db, n, 1, &n, &why) < 0) {
            if (why.code == PT_ENOTFOUND)
                return 0;
            return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
        }
        if (n > to)
            return 0;
        r = pt_db_snap(db, n, &snap, &why);
        if (r >= 0)
            r = fn(ctx, &snap);
        else if (why.code == PT_EDAMAGED) /* told already */
            r = 0;
        else
            return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    }
    return r;
}

static int64_t files_size(const char *path)
{
    char wal[4096 + 8];
    struct stat st;
    int64_t size = 0;
    snprintf(wal, sizeof wal, "%s-wal", path);
    if (stat(path, &st) == 0)
        size += st.st_size;
    if (stat(wal, &st) == 0)
        size += st.st_size;
    return size;
}

int pt_db_span(struct pt_db *db, struct pt_db_span *ret, struct pt_err *err)
{
    struct pt_db_span span = {.bytes = files_size(db->path)};
    struct pt_snap snap;
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < db->nsegs; i++) {
        span.count += db->segs[i].count;
        span.segment_bytes += db->segs[i].bytes;
    }
    span.segments = (int64_t)db->nsegs;
    span.frames = (int64_t)db->nframes;
    span.count += span.frames;
    if (pt_sql_int(db->db, "SELECT sum(length(data)) FROM frame", 0, &span.frame_bytes, NULL) < 0)
        span.frame_bytes = 0;
    if (pt_sql_int(db->db, "SELECT sum(last - first + 1 - kept) FROM thinned", 0, &span.removed,
                   NULL) < 0)
        span.removed = 0;
    if (pt_db_step(db, 0, 1, &span.first, NULL) >= 0 &&
        pt_db_snap(db, span.first, &snap, NULL) >= 0)
        span.first_us = snap.real_us;
    if (pt_db_step(db, INT64_MAX, -1, &span.last, NULL) >= 0 &&
        pt_db_snap(db, span.last, &snap, NULL) >= 0)
        span.last_us = snap.real_us;
    pt_db_leave(db);
    *ret = span;
    return r;
}

/* ---- events ---- */

int pt_db_events(struct pt_db *db, int64_t from_us, int64_t to_us, int64_t after,
                 int (*fn)(void *ctx, const struct pt_db_event *e), void *ctx, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_db_enter(db, err);
    if (r < 0)
        return r;
    if (after ==
        INT64_MIN) /* the whole table is read for it: once, not with every page of events */
        r = pt_db_check_table(db, PT_T_EVENT, err);
    if (r >= 0)
        r = pt_sql_prepare(
            db->db, &st,
            "SELECT id, time_us, kind, n, subject, text, crc FROM event WHERE time_us BETWEEN "
            "?1 AND ?2 AND id > ?3 ORDER BY id",
            err);
    int rc = SQLITE_DONE;
    if (r >= 0) {
        sqlite3_bind_int64(st, 1, from_us);
        sqlite3_bind_int64(st, 2, to_us);
        sqlite3_bind_int64(st, 3, after);
    }
    while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct pt_val v[6];
        if (!pt_row_get(st, PT_T_EVENT, v, 6) || v[4].type != PT_VAL_TEXT ||
            v[5].type != PT_VAL_TEXT) {
            pt_db_tell(db, 0, -1, "wrong checksum", "event %lld", (long long)v[0].i);
            continue;
        }
        const struct pt_db_event e = {
            .id = v[0].i,
            .real_us = v[1].i,
            .kind = (int)v[2].i,
            .n = pt_val_num(&v[3]),
            .subject = v[4].text,
            .text = v[5].text,
        };
        r = fn(ctx, &e);
    }
    if (r == 0 && rc != SQLITE_DONE) {
        struct pt_err why = {0};
        pt_sql_err(db->db, rc, "read the events", &why);
        r = pt_db_forgive(db, &why, 0, -1, "table event", err) ? 0 : -(int)why.code;
    }
    sqlite3_finalize(st);
    pt_db_leave(db);
    return r;
}
