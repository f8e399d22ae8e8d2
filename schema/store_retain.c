/* SPDX-License-Identifier: MIT
 * Retention: which stretch of a recording is thinned or dropped next, and that in one transaction.
 *
 * A recording that fits stays whole. When space is needed, the oldest of what is older than an
 * eighth of the span is thinned to a minute, then of what is older than half of it to ten; when
 * that is done everywhere, the oldest is thinned to what events and triggers point to, and that
 * goes last, at four times the age. Parts of the span, not fixed ages: so a small cap holds a
 * little of every age, as a large one does, and a week stays whole where years fit. A stretch that
 * is thinned joins the one before it, so that some hundred snapshots share a key frame, which is
 * most of a segment's bytes else. */
#include "schema/array.h"
#include "schema/store_thin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_PART 8
#define TEN_PART    2
#define MARKED_AGE  4
/* Snapshots of a stretch that takes in the next. */
#define JOIN_MAX 300
/* Of the cap events may take. */
#define EVENTS_PART 16
#define EVENTS_MIN  64 /* and events forgotten in one step, or one in so many of all */
#define EVENTS_STEP 8
#define EVENTS_MAX  1024

/* ---- the stretches there are ---- */

struct cursor {
    struct pt_store *s;
    sqlite3_stmt *segments, *thinnings;
    int64_t from, to, level; /* the last row of `thinned` */
    bool end;                /* there are no more of them */
};

static int next_thinning(struct cursor *c, int64_t first, struct pt_err *err)
{
    while (!c->end && c->to < first) {
        struct pt_val v[4];
        const int r = pt_store_step(c->s, c->thinnings, "read what was thinned", err);
        if (r < 0)
            return r;
        c->end = r == 0;
        if (r > 0 && pt_row_get(c->thinnings, PT_T_THINNED, v, 4)) {
            c->from = v[0].i;
            c->to = v[1].i;
            c->level = v[2].i;
        }
    }
    return 0;
}

/* 1: a stretch, 0: the end. A segment whose row is damaged is left alone. */
static int next_stretch(struct cursor *c, struct pt_stretch *ret, struct pt_err *err)
{
    struct pt_val v[8];
    int r;
    do {
        r = pt_store_step(c->s, c->segments, "read the segments", err);
        if (r <= 0)
            return r;
    } while (!pt_row_get(c->segments, PT_T_SEGMENT, v, 8) || v[2].i <= 0);
    *ret = (struct pt_stretch){.first = v[0].i,
                               .last = v[1].i,
                               .count = v[2].i,
                               .boot = v[3].i,
                               .min_ms = v[4].i,
                               .max_ms = v[5].i,
                               .blocks = v[6].i,
                               .bytes = v[7].i,
                               .from = v[0].i,
                               .to = v[1].i};
    r = next_thinning(c, ret->first, err);
    if (r >= 0 && !c->end && c->from <= ret->first && c->to >= ret->last) {
        ret->from = c->from;
        ret->to = c->to;
        ret->level = c->level > PT_THIN_ALL && c->level < PT_THIN_NONE
                         ? (enum pt_thin_level)c->level
                         : PT_THIN_ALL;
    }
    return r < 0 ? r : 1;
}

/* The first stretch of a kind, and the one before it. */
struct found {
    struct pt_stretch at, before;
    bool any, follows;
};

enum { TO_MINUTE, TO_TEN, PLAIN, MARKED, KINDS };

struct overview {
    struct found found[KINDS];
    int64_t count, newest_ms;
    struct pt_stretch oldest;
};

static void consider(struct found *f, bool is, const struct pt_stretch *at,
                     const struct pt_stretch *before, bool follows)
{
    if (f->any || !is)
        return;
    *f = (struct found){.at = *at, .any = true, .follows = follows};
    if (follows)
        f->before = *before;
}

static int overlook(struct pt_store *s, struct overview *o, struct pt_err *err)
{
    struct cursor c = {.s = s};
    struct pt_stretch at, before = {0};
    int64_t oldest_ms;
    *o = (struct overview){0};
    /* By number: a clock that was wrong for a while makes neither the newest nor the oldest. */
    int r = pt_sql_int(s->db, "SELECT max_ms FROM segment ORDER BY first DESC LIMIT 1", 0,
                       &o->newest_ms, err);
    if (r >= 0)
        r = pt_sql_int(s->db, "SELECT min_ms FROM segment ORDER BY first LIMIT 1", 0, &oldest_ms,
                       err);
    if (r >= 0)
        r = pt_store_stmt(s, PT_S_STRETCHES, &c.segments, err);
    if (r >= 0)
        r = pt_store_stmt(s, PT_S_THINNINGS, &c.thinnings, err);
    while (r >= 0 && (r = next_stretch(&c, &at, err)) > 0) {
        const int64_t age = o->newest_ms - at.max_ms, span = o->newest_ms - oldest_ms;
        const bool follows = o->count > 0 && before.to + 1 == at.from;
        if (o->count++ == 0)
            o->oldest = at;
        consider(&o->found[TO_MINUTE], at.level == PT_THIN_ALL && age > span / MINUTE_PART, &at,
                 &before, follows);
        consider(&o->found[TO_TEN], at.level == PT_THIN_MINUTE && age > span / TEN_PART, &at,
                 &before, follows);
        consider(&o->found[PLAIN], at.level < PT_THIN_MARKED, &at, &before, follows);
        consider(&o->found[MARKED], at.level == PT_THIN_MARKED, &at, &before, follows);
        before = at;
    }
    if (c.segments)
        sqlite3_reset(c.segments);
    if (c.thinnings)
        sqlite3_reset(c.thinnings);
    return r;
}

/* ---- forgetting ---- */

static int forget(struct pt_store *s, enum pt_stmt_id id, int64_t a, int64_t b, struct pt_err *err)
{
    sqlite3_stmt *st;
    const int r = pt_store_stmt(s, id, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, a);
    sqlite3_bind_int64(st, 2, b);
    return pt_store_step(s, st, "give space back", err);
}

static int forget_segment(struct pt_store *s, const struct pt_stretch *old, struct pt_err *err)
{
    int r = forget(s, PT_S_FORGET_BLOCKS, old->first * PT_BLOCKS_MAX,
                   old->first * PT_BLOCKS_MAX + PT_BLOCKS_MAX - 1, err);
    if (r >= 0)
        r = forget(s, PT_S_FORGET_SEGMENTS, old->first, old->first, err);
    return r < 0 ? r : forget(s, PT_S_FORGET_THINNED, old->from, old->to, err);
}

static int tell(struct pt_store *s, int64_t from, int64_t to, enum pt_thin_level level,
                int64_t kept, struct pt_err *err)
{
    const struct pt_val v[] = {pt_val_int(from), pt_val_int(to), pt_val_int(level),
                               pt_val_int(kept)};
    return pt_store_run(s, PT_S_THINNED, PT_T_THINNED, v, 4, NULL, 0, "note what was thinned", err);
}

/* Rows of what is gone whole are one where they meet. */
static int tell_gone(struct pt_store *s, int64_t from, int64_t to, struct pt_err *err)
{
    char sql[112];
    int64_t before, after;
    snprintf(sql, sizeof sql, "SELECT first FROM thinned WHERE last = %lld AND level = %d",
             (long long)from - 1, PT_THIN_NONE);
    int r = pt_sql_int(s->db, sql, from, &before, err);
    snprintf(sql, sizeof sql, "SELECT last FROM thinned WHERE first = %lld AND level = %d",
             (long long)to + 1, PT_THIN_NONE);
    if (r >= 0)
        r = pt_sql_int(s->db, sql, to, &after, err);
    if (r >= 0)
        r = forget(s, PT_S_FORGET_THINNED, before, after, err);
    return r < 0 ? r : tell(s, before, after, PT_THIN_NONE, 0, err);
}

/* With the first stretch goes all that is older: frames set aside, boots. */
static int forget_older(struct pt_store *s, const struct pt_stretch *gone, struct pt_err *err)
{
    int64_t first;
    int r = pt_sql_int(s->db, "SELECT first FROM segment ORDER BY first LIMIT 1", 0, &first, err);
    if (r >= 0 && (!first || first > gone->to))
        r = forget(s, PT_S_FORGET_DAMAGED, 0, gone->to, err);
    return r < 0 ? r
                 : forget(s, PT_S_FORGET_BOOTS, gone->boot, gone->boot < s->boot ? gone->boot : 0,
                          err);
}

static int drop(struct pt_store *s, const struct pt_stretch *old, uint32_t n, struct pt_err *err)
{
    int r = pt_store_begin(s, err);
    if (r < 0)
        return r;
    for (uint32_t i = 0; r >= 0 && i < n; i++) {
        r = forget_segment(s, &old[i], err);
        if (r >= 0)
            r = forget(s, PT_S_FORGET_SEALED, old[i].first, old[i].last, err);
        if (r >= 0)
            r = tell_gone(s, old[i].from, old[i].to, err);
        if (r >= 0)
            r = forget_older(s, &old[i], err);
    }
    return pt_store_end(s, r, "drop old snapshots", err);
}

/* ---- thinning ---- */

/* Rows of what was taken out, a run at a time. */
static int forget_rows(struct pt_store *s, const struct pt_thinning *t, struct pt_err *err)
{
    int r = 0;
    for (uint32_t lo = 0, hi; r >= 0 && lo < t->nsnaps; lo = hi) {
        for (hi = lo + 1; hi < t->nsnaps && t->keep[hi] == t->keep[lo];)
            hi++;
        if (!t->keep[lo])
            r = forget(s, PT_S_FORGET_SEALED, t->snaps[lo].n, t->snaps[hi - 1].n, err);
    }
    return r;
}

static int replace(struct pt_store *s, const struct pt_thinning *t, enum pt_thin_level level,
                   struct pt_err *err)
{
    int r = pt_store_begin(s, err);
    if (r < 0)
        return r;
    for (uint32_t i = 0; r >= 0 && i < t->nold; i++)
        r = forget_segment(s, &t->old[i], err);
    if (r >= 0)
        r = forget_rows(s, t, err);
    if (r >= 0)
        r = pt_fresh_write(&t->fresh, s, err);
    if (r >= 0)
        r = tell(s, t->old[0].from, t->old[t->nold - 1].to, level, t->kept, err);
    return pt_store_end(s, r, "thin old snapshots", err);
}

struct marks {
    int64_t *n;
    size_t count, cap;
};

static int read_marks(struct pt_store *s, int64_t from, int64_t to, struct marks *m,
                      struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_store_stmt(s, PT_S_MARKS, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, from);
    sqlite3_bind_int64(st, 2, to);
    while ((r = pt_store_step(s, st, "read the events", err)) > 0) {
        int64_t *more = pt_array_room(m->n, m->count, &m->cap, sizeof *more);
        if (!more) {
            sqlite3_reset(st);
            return pt_err_nomem(err);
        }
        m->n = more;
        m->n[m->count++] = sqlite3_column_int64(st, 0);
    }
    return r;
}

static int thin_marked(struct pt_store *s, const struct pt_stretch *old, uint32_t n,
                       const struct pt_pick *how, struct pt_err *err)
{
    struct pt_thinning t;
    struct pt_err why = {0};
    int r = pt_thin_choose(s, old, n, how, &t, &why);
    if (r >= 0 && t.kept == 0)
        r = drop(s, old, n, &why);
    else if (r >= 0 && t.kept == t.nsnaps && n == 1)
        r = tell(s, old->from, old->to, how->level, t.kept, &why);
    else if (r >= 0 && (r = pt_thin_make(s, &t, &why)) >= 0)
        r = replace(s, &t, how->level, &why);
    pt_thin_release(&t);
    if (r >= 0 || why.code != PT_EDAMAGED || strcmp(why.source, "database") == 0)
        return r < 0 ? pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text)
                     : r;
    /* What is damaged is not rewritten: as far as it can be read it is as good as it was. */
    if (n > 1)
        return thin_marked(s, old + n - 1, 1, how, err);
    if (how->level == PT_THIN_MARKED)
        return drop(s, old, 1, err);
    return tell(s, old->from, old->to, how->level, old->count, err);
}

/* old: the stretch, and before it (n = 2) the one it joins. */
static int thin(struct pt_store *s, const struct pt_stretch *old, uint32_t n,
                enum pt_thin_level level, struct pt_err *err)
{
    struct marks m = {0};
    int r = read_marks(s, old[0].first, old[n - 1].last + 1, &m, err);
    const struct pt_pick how = {
        .level = level, .interval_us = s->limits.interval_us, .marks = m.n, .nmarks = m.count};
    if (r >= 0)
        r = thin_marked(s, old, n, &how, err);
    free(m.n);
    return r;
}

static int thin_found(struct pt_store *s, const struct found *f, enum pt_thin_level level,
                      struct pt_err *err)
{
    const struct pt_stretch old[] = {f->before, f->at};
    const bool join = f->follows && f->before.level == level && f->before.boot == f->at.boot &&
                      f->before.count <= JOIN_MAX;
    return thin(s, join ? old : old + 1, join ? 2 : 1, level, err);
}

/* ---- events ---- */

static int forget_events(struct pt_store *s, struct pt_err *err)
{
    static const enum pt_stmt_id stages[] = {PT_S_FORGET_EXITS, PT_S_FORGET_EVENTS,
                                             PT_S_FORGET_ANY_EVENTS};
    const int64_t step = s->event_rows / EVENTS_STEP + EVENTS_MIN;
    int64_t last;
    int r = pt_sql_int(s->db, "SELECT max(id) FROM event", 0, &last, err);
    for (size_t i = 0; r >= 0 && i < sizeof stages / sizeof *stages; i++) {
        int64_t *next = &s->event_next[i];
        while (r >= 0 && *next + step <= last) {
            r = forget(s, stages[i], *next, *next + step - 1, err);
            const int64_t gone = r < 0 ? 0 : sqlite3_changes(s->db);
            *next += r < 0 ? 0 : step;
            if (gone && s->event_rows > 0) {
                s->event_bytes -= gone * (s->event_bytes / s->event_rows);
                s->event_rows -= gone;
                return 1;
            }
        }
    }
    return r;
}

/* ---- steps ---- */

/* Dropping writes little: it is what is done where there is no room for more. */
static bool tight(struct pt_store *s, const struct found *f)
{
    struct pt_disk disk;
    pt_store_disk(s, &disk);
    return disk.used + 2 * (f->at.bytes + (f->follows ? f->before.bytes : 0)) > s->limits.max_bytes;
}

static int step_size(struct pt_store *s, const struct overview *o, struct pt_err *err)
{
    static const enum pt_thin_level levels[] = {
        [TO_MINUTE] = PT_THIN_MINUTE, [TO_TEN] = PT_THIN_TEN};
    const struct found *plain = &o->found[PLAIN], *marked = &o->found[MARKED];
    for (int i = TO_MINUTE; i <= TO_TEN; i++)
        if (o->found[i].any && !tight(s, &o->found[i]))
            return thin_found(s, &o->found[i], levels[i], err) < 0 ? -1 : 1;
    const int64_t plain_age = plain->any ? o->newest_ms - plain->at.max_ms : 0;
    if (!plain->any || (marked->any && o->newest_ms - marked->at.max_ms > MARKED_AGE * plain_age))
        return drop(s, &marked->at, 1, err) < 0 ? -1 : 1;
    if (tight(s, plain))
        return drop(s, &o->oldest, 1, err) < 0 ? -1 : 1;
    return thin_found(s, plain, PT_THIN_MARKED, err) < 0 ? -1 : 1;
}

/* Age is counted from the newest segment: a clock that is set forward for a while drops nothing. */
static int step_age(struct pt_store *s, const struct overview *o, struct pt_err *err)
{
    const int64_t now_ms = o->newest_ms < s->last_us / 1000 ? o->newest_ms : s->last_us / 1000;
    const int64_t limit_ms = now_ms - s->limits.max_age_us / 1000;
    if (!s->limits.max_age_us || !o->count || !s->last_us)
        return 0;
    if (o->oldest.max_ms < limit_ms)
        return drop(s, &o->oldest, 1, err) < 0 ? -1 : 1;
    const int r = forget(s, PT_S_FORGET_OLD_EVENTS, limit_ms * 1000, EVENTS_MAX, err);
    return r < 0 ? r : sqlite3_changes(s->db) > 0;
}

static int one_step(struct pt_store *s, struct pt_err *err)
{
    struct overview o;
    struct pt_disk disk;
    int r = s->limits.max_age_us ? overlook(s, &o, err) : 0;
    if (r >= 0 && s->limits.max_age_us)
        r = step_age(s, &o, err);
    if (r || !s->limits.max_bytes)
        return r;
    if (s->event_bytes > s->limits.max_bytes / EVENTS_PART && (r = forget_events(s, err)))
        return r;
    pt_store_disk(s, &disk);
    if (disk.rest <= s->limits.max_bytes - pt_store_reserve(s))
        return 0;
    r = overlook(s, &o, err);
    /* The last segment is dropped only where the cap would not hold else. */
    if (r < 0 || o.count == 0 || (o.count == 1 && disk.used <= s->limits.max_bytes))
        return r;
    return step_size(s, &o, err);
}

int pt_store_retain(struct pt_store *s, struct pt_err *err)
{
    if (!s->limits.max_bytes && !s->limits.max_age_us)
        return 0;
    if (pt_store_room_to_lock(s, err) < 0)
        return -PT_EFULL;
    if (s->blocked && pt_store_checkpoint(s, err) < 0)
        return -1;
    if (s->blocked) /* it would only write more */
        return 0;
    const int r = one_step(s, err);
    if (r <= 0)
        return r;
    s->frame_bytes = -1; /* to be counted anew */
    if (pt_store_vacuum(s, err) < 0 || pt_store_checkpoint(s, err) < 0)
        return -1;
    return 1;
}
