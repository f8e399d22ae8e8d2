/* SPDX-License-Identifier: MIT
 * Which blocks make a segment, and which segments a database. */
#include "schema/store_groups.h"

#include <stdlib.h>

#include "schema/array.h"

static int expect(struct pt_catalog *c, struct pt_group *g, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, PT_C_EXPECTED, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, g->first);
    sqlite3_bind_int64(st, 2, g->last);
    sqlite3_bind_int64(st, 3, g->ticks);
    r = pt_store_step(c->to, st, "look for a segment", err);
    if (r > 0) {
        const int64_t blocks = sqlite3_column_int64(st, 0);
        if (blocks > g->expected && blocks <= PT_BLOCKS_MAX)
            g->expected = blocks;
        g->live |= sqlite3_column_int(st, 1);
        sqlite3_reset(st);
    }
    return r;
}

static int was_dropped(struct pt_catalog *c, struct pt_group *g, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, PT_C_DROPPED, &st, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(st, 1, g->first);
    sqlite3_bind_int64(st, 2, g->last);
    r = pt_store_step(c->to, st, "look for what was dropped", err);
    g->dropped = r > 0;
    sqlite3_reset(st);
    return r;
}

int pt_groups_read(struct pt_groups *s, struct pt_catalog *c, struct pt_err *err)
{
    sqlite3_stmt *st;
    int r = pt_catalog_stmt(c, PT_C_GROUPS, &st, err);
    while (r >= 0 && (r = pt_store_step(c->to, st, "find the segments", err)) > 0) {
        struct pt_group *more = pt_array_room(s->v, s->count, &s->cap, sizeof *more);
        if (!more)
            return pt_err_nomem(err);
        s->v = more;
        struct pt_group *g = &s->v[s->count++];
        *g = (struct pt_group){.first = sqlite3_column_int64(st, 0),
                               .hash = sqlite3_column_int64(st, 1),
                               .last = sqlite3_column_int64(st, 2),
                               .ticks = sqlite3_column_int64(st, 3),
                               .found = sqlite3_column_int64(st, 4),
                               .clocks = sqlite3_column_int64(st, 5),
                               .live = sqlite3_column_int(st, 6)};
        /* the last block says that it is; without it there was at least one more */
        g->expected = sqlite3_column_int64(st, 7) + 1 + !sqlite3_column_int(st, 8);
        r = expect(c, g, err);
        if (r >= 0 && !g->live)
            r = was_dropped(c, g, err);
    }
    return r;
}

static bool is_whole(const struct pt_group *g)
{
    return g->clocks > 0 && g->found >= g->expected;
}

/* The best first. */
static int by_worth(const void *a, const void *b)
{
    const struct pt_group *ga = a, *gb = b;
    if (ga->live != gb->live)
        return ga->live ? -1 : 1;
    if (is_whole(ga) != is_whole(gb))
        return is_whole(ga) ? -1 : 1;
    if (ga->ticks != gb->ticks)
        return ga->ticks > gb->ticks ? -1 : 1;
    return ga->first < gb->first ? -1 : ga->first > gb->first;
}

static int by_first(const void *a, const void *b)
{
    const struct pt_group *ga = a, *gb = b;
    return ga->first < gb->first ? -1 : ga->first > gb->first;
}

bool pt_groups_hold(const struct pt_groups *s, int64_t first, int64_t last)
{
    for (size_t i = 0; i < s->taken; i++)
        if (first <= s->v[i].last && last >= s->v[i].first)
            return true;
    return false;
}

void pt_groups_choose(struct pt_groups *s)
{
    int64_t newest = 0;
    if (s->count > 1)
        qsort(s->v, s->count, sizeof *s->v, by_worth);
    for (size_t i = 0; i < s->count; i++)
        if (s->v[i].live && s->v[i].last > newest)
            newest = s->v[i].last;
    for (size_t i = 0; i < s->count; i++) {
        const struct pt_group g = s->v[i];
        if ((g.live || (is_whole(&g) && !g.dropped) || g.first > newest) &&
            !pt_groups_hold(s, g.first, g.last))
            s->v[s->taken++] = g;
    }
    if (s->taken > 1)
        qsort(s->v, s->taken, sizeof *s->v, by_first);
}
