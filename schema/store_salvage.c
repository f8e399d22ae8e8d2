/* SPDX-License-Identifier: MIT
 * Makes a database of what a catalog has: segments of their blocks, frames after them, and a list
 * of what is known to be missing. */
#include "schema/store_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/store_groups.h"

struct salvage {
    struct pt_catalog cat;
    struct pt_pages pages;
    const struct pt_salvage_ops *ops;
    struct pt_shapes *shapes;
    struct pt_groups groups;
    struct pt_salvaged sum;
    int64_t undated; /* snapshots of segments that nothing says when they were */
};

__attribute__((format(printf, 5, 6))) static void tell(struct salvage *s, int64_t n1, int64_t n2,
                                                       const char *what, const char *place, ...)
{
    char text[128];
    va_list ap;
    va_start(ap, place);
    vsnprintf(text, sizeof text, place, ap);
    va_end(ap);
    s->sum.lost++;
    if (s->ops->lost)
        s->ops->lost(s->ops->ctx, text, n1, n2, what);
}

static int on_bad(void *ctx, uint32_t page, const char *what, struct pt_err *err)
{
    struct salvage *s = (struct salvage *)((char *)ctx - offsetof(struct salvage, cat));
    (void)err;
    tell(s, 0, -1, what, "page %u", page);
    return 0;
}

/* ---- one segment ---- */

/* A segment in the making: rows from its clock block, else from rows of `sealed`. */
struct making {
    struct pt_group *g;
    struct pt_seg seg;
    int64_t next; /* place of the next block */
    uint32_t rows;
};

static int add_snap(struct salvage *s, struct making *m, const struct pt_snap *snap,
                    struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS];
    pt_snap_to_row(snap, v);
    if (v[1].type == PT_VAL_INT && (m->seg.count == 0 || v[1].i < m->seg.min_ms))
        m->seg.min_ms = v[1].i;
    if (v[1].type == PT_VAL_INT && (m->seg.count == 0 || v[1].i > m->seg.max_ms))
        m->seg.max_ms = v[1].i;
    if (m->seg.count++ == 0)
        m->seg.boot = snap->boot;
    return pt_store_sealed(s->cat.to, snap, 1, err);
}

static int snap_of_row(struct salvage *s, int64_t n, struct pt_snap *ret, struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS];
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(&s->cat, PT_C_HEAD_OF, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, n);
    r = pt_store_step(s->cat.to, st, "look for a snapshot", err);
    if (r > 0) {
        pt_row_get(st, PT_T_SEALED, v, PT_SNAP_NCOLUMNS);
        pt_snap_from_row(v, ret);
        sqlite3_reset(st);
    }
    return r;
}

/* The snapshots of a segment, from any of its blocks: 1 if it says when they were. */
static int add_snaps(struct salvage *s, struct making *m, const struct pt_block *b,
                     struct pt_err *err)
{
    const uint32_t count = pt_block_ticks(b);
    const bool clock = pt_block_kind(b) == PT_BLOCK_CLOCK;
    for (uint32_t i = 0; i < count; i++) {
        struct pt_snap snap;
        int r =
            clock ? pt_block_snap(b, i, &snap, err) : snap_of_row(s, pt_block_n(b, i), &snap, err);
        if (r >= 0 && (clock || r > 0))
            r = add_snap(s, m, &snap, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int tell_block(struct salvage *s, const struct making *m, int64_t at, struct pt_err *err)
{
    static const char *const kinds[] = {"clock", "system", "processes", "names", "deep"};
    char text[200] = "it is lost";
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(&s->cat, PT_C_WHAT, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, m->g->first * PT_BLOCKS_MAX + at);
    r = pt_store_step(s->cat.to, st, "look for a block", err);
    if (r > 0) {
        const int64_t kind = sqlite3_column_int64(st, 0);
        const char *what = (const char *)sqlite3_column_text(st, 1);
        snprintf(text, sizeof text, "it is lost, with %s of %s",
                 kind >= 0 && kind < 5 ? kinds[kind] : "?", what ? what : "?");
        for (char *p = text; *p; p++)
            *p = *p == '\n' ? ' ' : *p;
        sqlite3_reset(st);
    }
    s->sum.lost_blocks++;
    tell(s, m->g->first, m->g->last, text, "segment %lld block %lld", (long long)m->g->first,
         (long long)at);
    return r;
}

static int tell_blocks(struct salvage *s, const struct making *m, int64_t from, int64_t to,
                       struct pt_err *err)
{
    int r = 0;
    for (int64_t at = from; at < to && r >= 0; at++)
        r = tell_block(s, m, at, err);
    return r;
}

static int write_block(struct salvage *s, struct making *m, sqlite3_stmt *st, struct pt_err *err)
{
    const int64_t kind = sqlite3_column_int64(st, 0);
    const char *what = (const char *)sqlite3_column_text(st, 1);
    const int64_t place = sqlite3_column_int64(st, 8);
    if (place < m->next) /* its place is taken */
        return 0;
    int r = tell_blocks(s, m, m->next, place, err);
    if (r >= 0)
        r = pt_catalog_blob(&s->cat, st, err);
    if (r < 0)
        return r;
    const struct pt_val v[] = {pt_val_int(m->g->first * PT_BLOCKS_MAX + place), pt_val_int(kind),
                               pt_val_text(what)};
    m->next = place + 1;
    m->seg.bytes += (int64_t)s->cat.blob.len;
    r = pt_store_run(s->cat.to, PT_S_BLOCK, PT_T_BLOCK, v, 3, s->cat.blob.data, s->cat.blob.len,
                     "write a block", err);
    if (r >= 0 && m->rows == 0) {
        struct pt_block *b;
        m->rows = 1;
        r = pt_block_open(s->cat.blob.data, s->cat.blob.len, s->shapes, &b, err);
        if (r >= 0) {
            r = add_snaps(s, m, b, err);
            pt_block_free(b);
        }
    }
    return r;
}

/* A segment has as many snapshots as its blocks, which are known by that. */
static void note_undated(struct salvage *s, struct making *m)
{
    const int64_t undated = m->g->ticks - m->seg.count;
    m->seg.count = m->g->ticks;
    if (undated == 0)
        return;
    s->undated += undated;
    s->sum.lost_snapshots += undated;
    tell(s, m->g->first, m->g->last, "nothing says when they were",
         "%lld snapshots of segment %lld", (long long)undated, (long long)m->g->first);
}

static int write_segment(struct salvage *s, struct pt_group *g, struct pt_err *err)
{
    struct making m = {.g = g, .seg = {.first = g->first, .last = g->last}};
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(&s->cat, PT_C_BLOCKS, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, g->first);
    sqlite3_bind_int64(st, 2, g->hash);
    while (r >= 0 && (r = pt_store_step(s->cat.to, st, "find the blocks", err)) > 0)
        r = write_block(s, &m, st, err);
    if (r >= 0)
        r = tell_blocks(s, &m, m.next, g->expected, err);
    m.seg.blocks = m.next > g->expected ? m.next : g->expected;
    if (r < 0)
        return r;
    if (m.seg.count > 0) {
        note_undated(s, &m);
        return pt_store_segment(s->cat.to, &m.seg, err);
    }
    tell(s, g->first, g->last, "nothing says when its snapshots were", "segment %lld",
         (long long)g->first);
    return pt_sql_exec(s->cat.to->db, "ROLLBACK TO segment", "leave a segment out", err);
}

/* Without a clock and without rows nobody knows when its snapshots were: its numbers are missing.
 */
static int write_segments(struct salvage *s, struct pt_err *err)
{
    int r = 0;
    for (size_t i = 0; i < s->groups.taken && r >= 0; i++) {
        r = pt_sql_exec(s->cat.to->db, "SAVEPOINT segment", "begin a segment", err);
        if (r >= 0)
            r = write_segment(s, &s->groups.v[i], err);
        if (r >= 0)
            r = pt_sql_exec(s->cat.to->db, "RELEASE segment", "end a segment", err);
    }
    return r;
}

/* ---- frames ---- */

static int write_frame(struct salvage *s, sqlite3_stmt *st, int64_t *key_n, struct pt_err *err)
{
    struct pt_val v[PT_SNAP_NCOLUMNS + 1];
    const int64_t n = sqlite3_column_int64(st, 0), of = sqlite3_column_int64(st, 1);
    int r = pt_catalog_blob(&s->cat, st, err);
    if (r >= 0)
        r = pt_row_of_frame(s->cat.blob.data, s->cat.blob.len, v, err);
    if (r < 0)
        return r;
    if (of == n)
        *key_n = n;
    if (of == *key_n)
        return pt_store_run(s->cat.to, PT_S_FRAME, PT_T_FRAME, v, PT_SNAP_NCOLUMNS + 1,
                            s->cat.blob.data, s->cat.blob.len, "write a frame", err);
    v[PT_SNAP_NCOLUMNS] = pt_val_text("its key frame is lost");
    tell(s, n, n, v[PT_SNAP_NCOLUMNS].text, "frame %lld", (long long)n);
    s->sum.lost_snapshots++;
    char sql[64];
    snprintf(sql, sizeof sql, "DELETE FROM damaged WHERE n = %lld", (long long)n);
    r = pt_sql_exec(s->cat.to->db, sql, "set a frame aside", err);
    return r < 0 ? r
                 : pt_store_run(s->cat.to, PT_S_DAMAGED, PT_T_DAMAGED, v, PT_SNAP_NCOLUMNS + 1,
                                s->cat.blob.data, s->cat.blob.len, "set a frame aside", err);
}

/* Frames that no segment has. Those before the first segment were dropped with theirs. */
static int write_frames(struct salvage *s, struct pt_err *err)
{
    const int64_t lowest = s->groups.taken ? s->groups.v[0].first : 0;
    int64_t before = 0, key_n = 0;
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(&s->cat, PT_C_FRAMES, &st, err);
    while (r >= 0 && (r = pt_store_step(s->cat.to, st, "find the frames", err)) > 0) {
        const int64_t n = sqlite3_column_int64(st, 0);
        if (n != before && n > lowest && !pt_groups_hold(&s->groups, n, n))
            r = write_frame(s, st, &key_n, err);
        before = n;
    }
    return r;
}

/* ---- the rest, and what is missing ---- */

static int note_boots(struct salvage *s, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(s->cat.to->db, &st,
                           "SELECT boot FROM segment UNION SELECT boot FROM frame EXCEPT SELECT id "
                           "FROM boot",
                           err);
    while (r >= 0 && (r = pt_store_step(s->cat.to, st, "look for boots", err)) > 0) {
        const int64_t id = sqlite3_column_int64(st, 0);
        const struct pt_val v[] = {pt_val_int(id), pt_val_text(""), pt_val_int(PT_UNKNOWN)};
        tell(s, 0, -1, "its row is lost", "boot %lld", (long long)id);
        r = pt_store_run(s->cat.to, PT_S_BOOT_ADD, PT_T_BOOT, v, 3, NULL, 0, "add a boot", err);
    }
    sqlite3_finalize(st);
    return r;
}

static int note_meta(struct salvage *s, struct pt_err *err)
{
    int64_t count;
    const int r = pt_sql_int(s->cat.to->db, "SELECT count(*) FROM meta", 0, &count, err);
    if (r >= 0 && count < (int64_t)pt_meta_field_count)
        tell(s, 0, -1, "some of what is known of the host is lost", "table meta");
    return r;
}

static void note_gap(struct salvage *s, int64_t from, int64_t to)
{
    if (from > to)
        return;
    s->sum.lost_snapshots += to - from + 1;
    tell(s, from, to, "they are missing", "snapshots %lld to %lld", (long long)from, (long long)to);
}

/* What was kept of a stretch that was thinned, and is not there. */
static int note_thinned(struct salvage *s, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int r = pt_sql_prepare(s->cat.to->db, &st,
                           "SELECT first, last, kept - (SELECT ifnull(sum(count), 0) FROM segment "
                           "AS g WHERE g.first BETWEEN thinned.first AND thinned.last) AS less "
                           "FROM thinned WHERE less > 0",
                           err);
    while (r >= 0 && (r = pt_store_step(s->cat.to, st, "look for gaps", err)) > 0) {
        const long long first = sqlite3_column_int64(st, 0), last = sqlite3_column_int64(st, 1),
                        less = sqlite3_column_int64(st, 2);
        s->sum.lost_snapshots += less;
        tell(s, first, last, "they are missing", "%lld of the snapshots kept of %lld to %lld", less,
             first, last);
    }
    sqlite3_finalize(st);
    return r;
}

/* Numbers are given without gaps. The last one that was given is told by rows too. */
static int note_numbers(struct salvage *s, struct pt_err *err)
{
    sqlite3_stmt *st = NULL;
    int64_t next = 0, last = 0;
    int r = pt_sql_prepare(s->cat.to->db, &st,
                           "SELECT first, last FROM segment UNION ALL SELECT n, n FROM frame UNION "
                           "ALL SELECT n, n FROM damaged WHERE n > (SELECT ifnull(min(first), 0) "
                           "FROM segment) UNION ALL SELECT first, last FROM thinned ORDER BY 1",
                           err);
    while (r >= 0 && (r = pt_store_step(s->cat.to, st, "look for gaps", err)) > 0) {
        const int64_t first = sqlite3_column_int64(st, 0), to = sqlite3_column_int64(st, 1);
        if (next)
            note_gap(s, next, first - 1);
        if (to >= next && to < INT64_MAX)
            next = to + 1;
    }
    sqlite3_finalize(st);
    if (r >= 0)
        r = note_thinned(s, err);
    if (r >= 0)
        r = pt_sql_int(s->cat.to->db,
                       "SELECT max(n) FROM (SELECT max(last) AS n FROM temp.seg WHERE live UNION "
                       "ALL SELECT max(n) FROM temp.head)",
                       0, &last, err);
    if (s->cat.newest > last)
        last = s->cat.newest;
    if (r >= 0 && last >= next && last < INT64_MAX)
        note_gap(s, next ? next : 1, last);
    return r;
}

static int note_events(struct salvage *s, struct pt_err *err)
{
    int64_t missing;
    int r = pt_sql_exec(s->cat.to->db,
                        "INSERT OR IGNORE INTO event SELECT * FROM temp.spare WHERE id > (SELECT "
                        "ifnull(min(id), 0) FROM event)",
                        "add events", err);
    if (r >= 0)
        r = pt_sql_int(s->cat.to->db, "SELECT max(id) - min(id) + 1 - count(*) FROM event", 0,
                       &missing, err);
    if (r >= 0 && missing > 0)
        tell(s, 0, -1, "they are missing", "%lld events", (long long)missing);
    return r;
}

static int sums(struct salvage *s, struct pt_err *err)
{
    sqlite3 *db = s->cat.to->db;
    int r = pt_sql_int(db, "SELECT count(*) FROM segment", 0, &s->sum.segments, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT count(*) FROM frame", 0, &s->sum.frames, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT count(*) FROM event", 0, &s->sum.events, err);
    if (r >= 0)
        r = pt_sql_int(db, "SELECT sum(count) FROM segment", 0, &s->sum.snapshots, err);
    s->sum.snapshots += s->sum.frames - s->undated;
    return r;
}

static int build(struct salvage *s, struct pt_err *err)
{
    int r = pt_catalog_fill(&s->cat, s->ops->progress, s->ops->ctx, err);
    if (r >= 0)
        r = pt_groups_read(&s->groups, &s->cat, err);
    if (r < 0)
        return r;
    pt_groups_choose(&s->groups);
    r = write_segments(s, err);
    if (r >= 0)
        r = write_frames(s, err);
    if (r >= 0)
        r = note_boots(s, err);
    if (r >= 0)
        r = note_meta(s, err);
    if (r >= 0)
        r = note_events(s, err);
    if (r >= 0)
        r = note_numbers(s, err);
    return r < 0 ? r : sums(s, err);
}

/* ---- files ---- */

static int open_file(const char *path, bool needed, int *ret, struct pt_err *err)
{
    struct stat st;
    *ret = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*ret < 0)
        return !needed && errno == ENOENT
                   ? 0
                   : pt_err_set(err, PT_EOPEN, errno, path, -1, "cannot open '%s': %s", path,
                                strerror(errno));
    if (fstat(*ret, &st) < 0 || !S_ISREG(st.st_mode))
        return pt_err_set(err, PT_EFORMAT, 0, path, -1, "'%s' is not a regular file", path);
    return 0;
}

static int run(struct salvage *s, struct pt_store *to, int fd, int wal_fd, struct pt_err *err)
{
    int r = pt_pages_init(&s->pages, fd, wal_fd, err);
    if (r < 0)
        return r;
    if (s->pages.told > s->pages.npages && !s->pages.nslots)
        tell(s, 0, -1, "it is cut short", "page %u of %u", s->pages.npages, s->pages.told);
    r = pt_store_begin(to, err);
    if (r < 0)
        return r;
    r = build(s, err);
    return pt_store_end(to, r, "write what was found", err);
}

int pt_salvage(const char *path, struct pt_store *to, const struct pt_salvage_ops *ops,
               struct pt_salvaged *ret, struct pt_err *err)
{
    struct salvage s = {.ops = ops, .shapes = pt_shapes_new()};
    char wal[PATH_MAX + 8];
    int fd = -1, wal_fd = -1;
    snprintf(wal, sizeof wal, "%s-wal", path);
    int r = s.shapes ? open_file(path, true, &fd, err) : pt_err_nomem(err);
    if (r >= 0 && pt_db_in_use(fd))
        r = pt_err_set(err, PT_ELOCKED, 0, path, -1, "'%s' is being written to: dump it instead",
                       path);
    if (r >= 0)
        r = open_file(wal, false, &wal_fd, err);
    if (r >= 0)
        r = pt_catalog_init(&s.cat, to, &s.pages, err);
    s.cat.bad = on_bad;
    if (r >= 0)
        r = run(&s, to, fd, wal_fd, err);
    pt_catalog_release(&s.cat);
    pt_pages_release(&s.pages);
    pt_shapes_free(s.shapes);
    free(s.groups.v);
    if (fd >= 0)
        close(fd);
    if (wal_fd >= 0)
        close(wal_fd);
    if (r >= 0)
        r = pt_store_vacuum(to, err);
    if (r >= 0)
        *ret = s.sum;
    return r;
}
