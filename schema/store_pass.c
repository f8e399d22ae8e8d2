/* SPDX-License-Identifier: MIT
 * See store_pass.h. */
#include "schema/store_pass.h"

#include <stdlib.h>

/* Bytes that a pass takes: enough for few passes, little beside the block being written. A part of
 * what all sources would take together where that is more: each pass is as long as they are many.
 * `bench.py --only seal` shows what either costs. */
#define HOLD      (512u << 10)
#define HOLD_PART 16
/* What a source takes in any case: its place here and in the chain, its name and what malloc adds;
 * and when it has done something, besides its first text. */
#define EACH  200u
#define FIRST 40u
#define GUESS 512u /* sources of the first pass; those that there is no room for wait */

static void forget(struct pt_pass *p, struct pt_pass_source *s)
{
    p->held -= s->held.held;
    pt_track_release(&s->held, p->layout->shapes);
}

int pt_pass_note(struct pt_pass *p, uint32_t index, uint32_t tick, const struct pt_source_at *at,
                 struct pt_err *err)
{
    struct pt_pass_source *s = &p->sources[index - p->lo];
    const bool stands = at->read_us == s->read_us && at->why == s->why;
    const bool had_text = s->presence == PT_READ || s->presence == PT_CARRIED;
    const bool same =
        s->any && stands &&
        (at->presence == PT_CARRIED ? had_text
                                    : at->presence != PT_READ && at->presence == s->presence);
    s->presence = (uint8_t)at->presence;
    if (same)
        return 0;
    s->read_us = at->read_us;
    s->why = at->why;
    s->any = true;
    if (index == p->lo)
        return pt_layout_state(p->layout, tick, at, err);
    const size_t held = s->held.held;
    const int r = pt_track_add(&s->held, p->layout->shapes, tick, at, p->layout->snaps, err);
    p->held += s->held.held - held;
    return r;
}

void pt_pass_make_room(struct pt_pass *p)
{
    while (p->held + p->begun * EACH > p->room && p->hi > p->lo + 1)
        forget(p, &p->sources[--p->hi - p->lo]);
}

static int flush(struct pt_pass *p, struct pt_err *err)
{
    for (uint32_t index = p->lo + 1; index < p->hi; index++) {
        struct pt_pass_source *s = &p->sources[index - p->lo];
        int r = pt_layout_source(p->layout, index, err);
        if (r >= 0)
            r = pt_track_play(&s->held, p->layout->shapes, p->layout->snaps, pt_layout_state,
                              p->layout, err);
        if (r < 0)
            return r;
        forget(p, s);
    }
    return 0;
}

/* Returns how many sources were done. */
static int64_t pass(struct pt_pass *p, int (*walk)(void *, struct pt_pass *, struct pt_err *),
                    void *ctx, struct pt_err *err)
{
    p->begun = p->hi - p->lo;
    p->sources = calloc(p->begun, sizeof *p->sources);
    if (!p->sources)
        return pt_err_nomem(err);
    int r = pt_layout_source(p->layout, p->lo, err);
    if (r >= 0)
        r = walk(ctx, p, err);
    if (r >= 0)
        r = flush(p, err);
    for (uint32_t i = 0; i < p->begun; i++)
        forget(p, &p->sources[i]);
    free(p->sources);
    return r < 0 ? r : (int64_t)(p->hi - p->lo);
}

static size_t cost_of(const struct pt_layout *l, uint32_t index)
{
    return l->entries[index].base + EACH + FIRST;
}

static size_t room_of(const struct pt_layout *l)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < l->n; i++)
        bytes += cost_of(l, i);
    return bytes / HOLD_PART > HOLD ? bytes / HOLD_PART : HOLD;
}

/* So many sources from lo on, at most `most`, that there is room for their first texts. */
static uint32_t batch(const struct pt_layout *l, uint32_t lo, uint32_t most, size_t room)
{
    uint32_t n = 0;
    size_t bytes = 0;
    while (n < most && lo + n < l->n && (n == 0 || bytes + cost_of(l, lo + n) <= room))
        bytes += cost_of(l, lo + n++);
    return n;
}

int pt_pass_all(struct pt_layout *layout,
                int (*walk)(void *ctx, struct pt_pass *pass, struct pt_err *err), void *ctx,
                struct pt_err *err)
{
    const size_t room = room_of(layout);
    uint32_t guess = GUESS;
    for (uint32_t lo = 0; lo < layout->n;) {
        const uint32_t count = batch(layout, lo, guess, room);
        struct pt_pass p = {.layout = layout, .lo = lo, .hi = lo + count, .room = room};
        const int64_t done = pass(&p, walk, ctx, err);
        if (done < 0)
            return (int)done;
        lo += (uint32_t)done;
        /* who waits for the next pass was decoded in vain, and took room: few should */
        guess = done < count             ? (uint32_t)(done + done / 4 + 1)
                : guess > UINT32_MAX / 4 ? guess
                                         : guess * 2;
    }
    return pt_layout_end(layout, err);
}
