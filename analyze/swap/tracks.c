/* SPDX-License-Identifier: MIT
 * Points of a process's file to tracks. The fields of one instant come one by one, and are taken
 * together: memory that moves from RssAnon to VmSwap neither grows nor shrinks. */
#include "analyze/swap/tracks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "schema/array.h"
#include "schema/source.h"

/* Without a reading for so many intervals it was not there. */
#define GAP 5.0

/* ---- the table ---- */

static size_t slot_at(const struct pt_tracks *t, int64_t pid)
{
    size_t at = (size_t)((uint64_t)pid * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (t->nslots - 1);
    while (t->slots[at] && t->v[t->slots[at] - 1].pid != pid)
        at = (at + 1) & (t->nslots - 1);
    return at;
}

static bool rehash(struct pt_tracks *t)
{
    uint32_t *old = t->slots;
    const size_t n = t->nslots;
    t->nslots = n ? n * 2 : 1024;
    t->slots = calloc(t->nslots, sizeof(*t->slots));
    if (!t->slots) {
        t->slots = old;
        t->nslots = n;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (old[i])
            t->slots[slot_at(t, t->v[old[i] - 1].pid)] = old[i];
    free(old);
    return true;
}

static struct pt_track *add_track(struct pt_tracks *t, int64_t pid, uint32_t boot, double at)
{
    struct pt_track *v = pt_array_room(t->v, t->n, &t->cap, sizeof(*v));
    if (!v)
        return NULL;
    t->v = v;
    if ((t->n + 1) * 2 > t->nslots && !rehash(t))
        return NULL;
    uint32_t *slot = &t->slots[slot_at(t, pid)];
    struct pt_track *k = &t->v[t->n++];
    *k = (struct pt_track){.pid = pid,
                           .boot = boot,
                           .before = *slot,
                           .from = at,
                           .until = at,
                           .at = at,
                           .since = at,
                           .lost = NAN,
                           .majflt = PT_UNKNOWN,
                           .first = PT_UNKNOWN,
                           .last = PT_UNKNOWN,
                           .most = PT_UNKNOWN,
                           .first_anon = PT_UNKNOWN,
                           .most_at = NAN};
    pt_curve_init(&k->swap, t->timeline->interval);
    if (*slot)
        t->v[*slot - 1].after = (uint32_t)t->n;
    *slot = (uint32_t)t->n;
    return k;
}

/* 0: none. */
static uint32_t newest(const struct pt_tracks *t, int64_t pid)
{
    return t->nslots ? t->slots[slot_at(t, pid)] : 0;
}

/* 0: none. */
static uint32_t life_at(const struct pt_tracks *t, int64_t pid, double at)
{
    uint32_t slot = newest(t, pid);
    while (slot && t->v[slot - 1].from > at)
        slot = t->v[slot - 1].before;
    return slot;
}

const struct pt_track *pt_track_life(const struct pt_tracks *t, int64_t pid, double at)
{
    const uint32_t slot = life_at(t, pid, at);
    return slot ? &t->v[slot - 1] : NULL;
}

/* ---- changes ---- */

static struct pt_track_part *part_of(struct pt_tracks *t, struct pt_track *k, uint32_t episode)
{
    uint32_t at = k->nparts; /* mostly the last: time goes on */
    while (at > 0 && k->parts[at - 1].episode > episode)
        at--;
    if (at > 0 && k->parts[at - 1].episode == episode)
        return &k->parts[at - 1];
    if (k->nparts == k->parts_cap) {
        const uint32_t cap = k->parts_cap ? k->parts_cap * 2 : 4;
        struct pt_track_part *v = realloc(k->parts, cap * sizeof(*v));
        t->nomem |= !v;
        if (!v)
            return NULL;
        k->parts = v;
        k->parts_cap = cap;
    }
    memmove(&k->parts[at + 1], &k->parts[at], (k->nparts++ - at) * sizeof(*k->parts));
    k->parts[at] =
        (struct pt_track_part){.episode = episode, .start = PT_UNKNOWN, .most = PT_UNKNOWN};
    return &k->parts[at];
}

size_t pt_window_first(const double *latest, size_t n, double at)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (latest[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t first_window(const struct pt_tracks *t, double at)
{
    return pt_window_first(t->latest, t->nwindows, at);
}

static bool within(const struct pt_window *w, double at)
{
    return w->from < at && at <= w->to;
}

void pt_track_stat(struct pt_tracks *t, struct pt_track *k)
{
    const uint32_t bit = 1u << PT_TRACK_MAJFLT;
    int64_t rise;
    if (!(k->known & k->now_known & bit) ||
        __builtin_sub_overflow(k->now[PT_TRACK_MAJFLT], k->v[PT_TRACK_MAJFLT], &rise) || rise < 0) {
        k->majflt = k->majflt == PT_UNKNOWN && (k->now_known & bit) ? 0 : k->majflt;
        return;
    }
    k->majflt += rise;
    for (size_t i = first_window(t, k->at); rise && i < t->nwindows && t->windows[i].from < k->at;
         i++) {
        struct pt_track_part *p =
            within(&t->windows[i], k->at) ? part_of(t, k, t->windows[i].episode) : NULL;
        if (p)
            p->majflt += rise;
    }
}

/* RssAnon + VmSwap; kernels without swap do not tell the second. */
static int64_t anon_of(const int64_t *v, uint32_t known)
{
    int64_t sum = PT_UNKNOWN;
    if (known >> PT_TRACK_ANON & 1)
        sum = v[PT_TRACK_ANON];
    if (sum != PT_UNKNOWN && (known >> PT_TRACK_SWAP & 1) &&
        __builtin_add_overflow(sum, v[PT_TRACK_SWAP], &sum))
        sum = PT_UNKNOWN;
    return sum;
}

static void note_growth(struct pt_track_part *p, int64_t before, int64_t now, bool born)
{
    if (p->start == PT_UNKNOWN) {
        p->born = born;
        p->start = p->most = born ? 0 : before;
    }
    p->most = now > p->most ? now : p->most;
}

static void note_swap(struct pt_track *k, int64_t before, int64_t now)
{
    if (now > k->most) {
        k->most = now;
        k->most_at = k->at;
    }
    k->first = k->first == PT_UNKNOWN ? now : k->first;
    k->last = now;
    if (before != PT_UNKNOWN && now < before)
        k->in += before - now;
    else if (before != PT_UNKNOWN)
        k->out += now - before;
}

void pt_track_status(struct pt_tracks *t, struct pt_track *k)
{
    const uint32_t bit = 1u << PT_TRACK_SWAP;
    const int64_t was = k->known & bit ? k->v[PT_TRACK_SWAP] : PT_UNKNOWN;
    const int64_t is = k->now_known & bit ? k->now[PT_TRACK_SWAP] : PT_UNKNOWN;
    const int64_t anon = anon_of(k->now, k->now_known), before = anon_of(k->v, k->known);
    const bool first = k->first_anon == PT_UNKNOWN;
    if (is != PT_UNKNOWN)
        note_swap(k, was, is);
    if (anon == PT_UNKNOWN)
        return;
    if (first)
        k->first_anon = k->least_anon = k->most_anon = anon;
    k->least_anon = anon < k->least_anon ? anon : k->least_anon;
    k->most_anon = anon > k->most_anon ? anon : k->most_anon;
    if (before == PT_UNKNOWN && !(first && k->born))
        return; /* how much of it is new is not known */
    for (size_t i = first_window(t, k->at); i < t->nwindows && t->windows[i].from < k->at; i++) {
        struct pt_track_part *p =
            within(&t->windows[i], k->at) ? part_of(t, k, t->windows[i].episode) : NULL;
        if (!p)
            continue;
        note_growth(p, before, anon, first);
        if (was != PT_UNKNOWN && is != PT_UNKNOWN && is < was)
            p->refilled += was - is;
    }
}

/* VmSwap as it was holds up to an instant, but for the holes. */
static void hold(struct pt_tracks *t, struct pt_track *k, double to)
{
    const struct pt_timeline *line = t->timeline;
    double from = k->since;
    if (t->change == pt_track_status && (k->known >> PT_TRACK_SWAP & 1)) {
        const double v = (double)k->v[PT_TRACK_SWAP];
        for (size_t i = pt_timeline_hole_after(line, from);
             i < line->nholes && line->holes[i].from < to; i++) {
            if (line->holes[i].from > from &&
                !pt_curve_hold(&k->swap, from, line->holes[i].from, v))
                t->nomem = true;
            from = line->holes[i].to;
        }
        if (from < to && !pt_curve_hold(&k->swap, from, to, v))
            t->nomem = true;
    }
    k->since = to > k->since ? to : k->since;
}

/* The instant at hand is whole. */
static void commit(struct pt_tracks *t)
{
    struct pt_track *k = t->current;
    if (!k || (k->known == k->now_known && memcmp(k->v, k->now, sizeof(k->v)) == 0))
        return;
    hold(t, k, k->at);
    t->change(t, k);
    memcpy(k->v, k->now, sizeof(k->v));
    k->known = k->now_known;
}

/* ---- points ---- */

/* Is this the first snapshot of a boot, or after a hole? */
static bool begins(const struct pt_timeline *t, double at)
{
    for (size_t i = 0; i < t->nboots; i++)
        if (!(t->boots[i].from < at) && !(t->boots[i].from > at))
            return true;
    const size_t i = pt_timeline_hole_after(t, at);
    return i > 0 && !(t->holes[i - 1].to < at);
}

/* The track that a source's next points belong to; NULL: none yet, or no memory. */
static struct pt_track *track_of(struct pt_tracks *t, const struct pt_point *p, int64_t pid,
                                 double at)
{
    const uint32_t slot = newest(t, pid);
    struct pt_track *k = slot ? &t->v[slot - 1] : NULL;
    const bool there = k && k->boot == p->boot && !(k->over && at > k->lost);
    if (there && pt_timeline_known(t->timeline, k->until, at) <= GAP * t->timeline->interval)
        return k;
    if (!p->known)
        return NULL;
    k = add_track(t, pid, p->boot, at);
    t->nomem |= !k;
    if (k)
        k->born = !there && !begins(t->timeline, at);
    return k;
}

static void lose(struct pt_track *k, const struct pt_point *p, double at)
{
    k->over = p->presence == PT_ABSENT;
    k->lost = at;
    k->now_known = 0;
}

/* The pid is another process's from `at` on: whatever was told of this instant is the new one's.
 * NULL: no memory. */
static struct pt_track *another(struct pt_tracks *t, double at)
{
    struct pt_track *old = t->current;
    const struct pt_track was = *old;
    old->now_known = old->known;
    memcpy(old->now, old->v, sizeof(old->v));
    old->over = true;
    old->lost = at;
    struct pt_track *k = t->current = add_track(t, was.pid, was.boot, at);
    t->nomem |= !k;
    if (!k)
        return NULL;
    k->born = !begins(t->timeline, at);
    k->until = was.until > at ? was.until : at;
    k->now_known = was.now_known;
    memcpy(k->now, was.now, sizeof(k->now));
    return k;
}

static int64_t start_of(const struct pt_track *k)
{
    return (k->now_known & 1u << PT_TRACK_START ? k->now : k->v)[PT_TRACK_START];
}

/* The life of a track's pid at an instant, + 1; 0: not known. Those of a pid ascend. */
static uint32_t life_of(const struct pt_tracks *t, const struct pt_track *k, double at)
{
    const struct pt_track *v = t->lives->v;
    uint32_t life = k->life ? k->life : k->before ? t->v[k->before - 1].life : 0;
    if (!life)
        life = life_at(t->lives, k->pid, at);
    while (life && v[life - 1].after && !(v[v[life - 1].after - 1].from > at))
        life = v[life - 1].after;
    return life;
}

/* The current track, or the next where its pid was another's by `at`. NULL: no memory. */
static struct pt_track *follow(struct pt_tracks *t, double at)
{
    struct pt_track *k = t->current;
    const uint32_t life = t->lives ? life_of(t, k, at) : 0;
    if (life && k->life && k->life != life) {
        const struct pt_track *was = &t->lives->v[k->life - 1], *is = &t->lives->v[life - 1];
        if (is->boot == k->boot && start_of(was) != start_of(is))
            k = another(t, is->from > k->at ? is->from : at);
    }
    if (k && life)
        k->life = life;
    return k;
}

int pt_track_point(void *ctx, const struct pt_point *p)
{
    struct pt_tracks *t = ctx;
    const double at = pt_timeline_at(t->timeline, p->boot, p->boot_us);
    const double end = pt_timeline_at(t->timeline, p->boot, p->end_boot_us);
    const bool same_source = strcmp(p->source, t->source) == 0;
    t->unreadable |= !p->known && p->presence == PT_UNREADABLE;
    if (isnan(at) || isnan(end))
        return 0;
    struct pt_track *k = same_source ? t->current : NULL;
    if (!k || at > k->at || k->boot != p->boot) {
        commit(t);
        const size_t n = strnlen(p->source, sizeof(t->source) - 1);
        memcpy(t->source, p->source, n);
        t->source[n] = '\0';
        k = t->current = track_of(t, p, pt_source_pid(p->source, NULL), at);
        if (!k || (p->known && !(k = follow(t, at))))
            return t->nomem ? -1 : 0;
        k->at = at;
    } else if (p->known && k->over && !(k = follow(t, at))) {
        return -1;
    }
    if (!p->known) {
        if (p->instance == k->instance || !*p->field)
            lose(k, p, at);
        return 0;
    }
    const uint32_t bit = 1u << p->which;
    if ((t->same & k->known & bit) && k->v[p->which] != p->ivalue && !(k = another(t, at)))
        return -1;
    int64_t v;
    if (__builtin_mul_overflow(p->ivalue, t->unit, &v))
        return 0;
    k->over = false;
    k->instance = p->instance;
    k->now[p->which] = v;
    k->now_known |= bit;
    k->until = end;
    return 0;
}

void pt_tracks_end(struct pt_tracks *t)
{
    commit(t);
    t->current = NULL;
    for (size_t i = 0; i < t->n; i++)
        hold(t, &t->v[i], t->v[i].over ? t->v[i].lost : t->v[i].until);
}

void pt_tracks_release(struct pt_tracks *t)
{
    for (size_t i = 0; i < t->n; i++) {
        pt_curve_release(&t->v[i].swap);
        free(t->v[i].parts);
    }
    free(t->v);
    free(t->slots);
    *t = (struct pt_tracks){0};
}
