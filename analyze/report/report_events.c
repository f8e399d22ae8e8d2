/* SPDX-License-Identifier: MIT
 * What happened in a report's span: events, OOM kills with the picture before them, and the marks
 * of both and of holes on the axis of the charts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/report_int.h"
#include "analyze/report/tree.h"

#define ROWS   50 /* the newest */
#define KILLS  10 /* the newest, each looked into */
#define BEFORE 5  /* processes of a table of it */
#define MARKS  200

/* The mark an event leaves; NULL: none. Reboots and gaps are seen in the snapshots themselves. */
static const char *mark_of(int kind)
{
    static const char *const marks[] = {
        [PT_EVENT_START] = "start",     [PT_EVENT_CRASH] = "crash", [PT_EVENT_CLOCK] = "clock",
        [PT_EVENT_SUSPEND] = "suspend", [PT_EVENT_OOM] = "oom",     [PT_EVENT_TRIGGER] = "trigger",
        [PT_EVENT_LOST] = "lost",
    };
    return kind >= 0 && kind < (int)(sizeof(marks) / sizeof(*marks)) ? marks[kind] : NULL;
}

/* Ends of processes are too many to be listed, and bursts follow triggers. */
static bool listed(int kind)
{
    return kind != PT_EVENT_EXIT && kind != PT_EVENT_BURST && kind != PT_EVENT_RETAIN;
}

struct kept {
    int64_t id, real_us, n;
    int kind;
    char *subject, *text;
};
/* The newest so many. */
struct ring {
    struct kept *v;
    size_t cap, count;
};
struct gather {
    int64_t counts[32];
    struct ring rows, kills, marks;
    bool nomem;
};

static void keep(struct gather *g, struct ring *ring, const struct pt_db_event *e)
{
    struct kept *k = &ring->v[ring->count++ % ring->cap];
    free(k->subject);
    free(k->text);
    *k = (struct kept){.id = e->id,
                       .real_us = e->real_us,
                       .n = e->n,
                       .kind = e->kind,
                       .subject = strdup(e->subject),
                       .text = strdup(e->text)};
    g->nomem |= !k->subject || !k->text;
}

static int on_event(void *ctx, const struct pt_db_event *e)
{
    struct gather *g = ctx;
    if (e->kind >= 0 && e->kind < 32)
        g->counts[e->kind]++;
    if (listed(e->kind))
        keep(g, &g->rows, e);
    if (e->kind == PT_EVENT_OOM)
        keep(g, &g->kills, e);
    if (mark_of(e->kind))
        keep(g, &g->marks, e);
    return 0;
}

static bool ring_init(struct ring *ring, size_t cap)
{
    *ring = (struct ring){.v = calloc(cap, sizeof(*ring->v)), .cap = cap};
    return ring->v != NULL;
}

static void ring_release(struct ring *ring)
{
    for (size_t i = 0; ring->v && i < ring->cap; i++) {
        free(ring->v[i].subject);
        free(ring->v[i].text);
    }
    free(ring->v);
}

static size_t ring_size(const struct ring *ring)
{
    return ring->count < ring->cap ? ring->count : ring->cap;
}

/* In the order they were written. */
static const struct kept *ring_at(const struct ring *ring, size_t i)
{
    return &ring->v[(ring->count - ring_size(ring) + i) % ring->cap];
}

/* ---- to JSON ---- */

static json_t *event_json(const struct kept *k)
{
    const char *name = pt_event_name(k->kind);
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "time", pt_json_time(k->real_us), "kind",
                     name ? name : "?", "subject", pt_json_str(k->subject), "detail",
                     pt_json_str(k->text), "snapshot", pt_json_int(k->n));
}

static json_t *events_json(const struct gather *g)
{
    json_t *counts = json_object(), *rows = json_array();
    for (int i = 0; i < 32 && pt_event_name(i); i++)
        json_object_set_new(counts, pt_event_name(i), json_integer((json_int_t)g->counts[i]));
    for (size_t i = 0; i < ring_size(&g->rows); i++)
        json_array_append_new(rows, event_json(ring_at(&g->rows, i)));
    return json_pack("{s:o, s:o, s:I}", "counts", counts, "rows", rows, "omitted",
                     (json_int_t)(g->rows.count - ring_size(&g->rows)));
}

static json_t *kill_json(const struct pt_report *r, const struct kept *k, struct pt_err *err)
{
    struct pt_oom_case kill = {0};
    const struct pt_db_event e = {.id = k->id,
                                  .real_us = k->real_us,
                                  .n = k->n,
                                  .kind = k->kind,
                                  .subject = k->subject,
                                  .text = k->text};
    if (pt_oom_of(r->s, &e, &kill, err) < 0)
        return NULL;
    json_t *j = pt_oom_json(&kill, BEFORE);
    pt_oom_release(&kill);
    return j;
}

static json_t *oom_json(const struct pt_report *r, const struct gather *g, struct pt_err *err)
{
    json_t *kills = json_array();
    for (size_t i = 0; i < ring_size(&g->kills) && kills; i++) {
        if (json_array_append_new(kills, kill_json(r, ring_at(&g->kills, i), err)) < 0) {
            json_decref(kills);
            kills = NULL;
        }
    }
    return kills;
}

/* ---- marks ---- */

static void add_mark(const struct pt_report *r, json_t *marks, const char *kind, int64_t us,
                     double until, json_t *text)
{
    /* what was told just before the first snapshot goes with it */
    const double at =
        fmax(round((double)pt_units_minus(us, r->leaks.timeline.first_us) / 1e5) / 10, 0);
    json_array_append_new(marks, json_pack("{s:s, s:f, s:o, s:o, s:o}", "kind", kind, "seconds", at,
                                           "until", pt_tree_number(until), "time", pt_json_time(us),
                                           "text", text));
}

static size_t add_holes(const struct pt_report *r, json_t *marks)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    char text[PT_UNITS_BUF];
    size_t n = 0;
    for (size_t i = 0; i < t->nholes; i++) {
        const int64_t from = pt_timeline_real(t, t->holes[i].from),
                      to = pt_timeline_real(t, t->holes[i].to);
        if (n++ < MARKS)
            add_mark(r, marks, "gap", from, (double)(to - t->first_us) / 1e6,
                     pt_tree_text("nothing was recorded for %s",
                                  pt_units_duration(text, sizeof(text), to - from)));
    }
    for (size_t i = 1; i < t->nboots; i++)
        if (n++ < 2 * MARKS)
            add_mark(r, marks, "boot", pt_timeline_real(t, t->boots[i].from), (double)NAN,
                     pt_tree_text("another boot"));
    return n;
}

/* Episodes of swap that made somebody wait; what was pushed out and left alone did not. */
static size_t add_episodes(const struct pt_report *r, json_t *marks)
{
    const json_t *episodes = pt_tree_at(pt_tree_at(r->doc, "swap"), "episodes"), *e;
    size_t i, n = 0;
    json_array_foreach(episodes, i, e)
    {
        const int64_t from = pt_tree_time(e, "from"), to = pt_tree_time(e, "to");
        const char *state = pt_tree_str(e, "state");
        char text[PT_UNITS_BUF];
        if (pt_tree_is(e, "state", "parked") || from == PT_UNKNOWN || to == PT_UNKNOWN)
            continue;
        if (n++ < MARKS)
            add_mark(r, marks, "swap", from,
                     (double)pt_units_minus(to, r->leaks.timeline.first_us) / 1e6,
                     pt_tree_text("%s for %s", state ? state : "?",
                                  pt_units_duration(text, sizeof(text), to - from)));
    }
    return n;
}

static int by_time(const void *a, const void *b)
{
    const double x = pt_tree_real(*(json_t *const *)a, "seconds"),
                 y = pt_tree_real(*(json_t *const *)b, "seconds");
    return (x > y) - (x < y);
}

static json_t *sorted(json_t *marks)
{
    const size_t n = json_array_size(marks);
    json_t **v = calloc(n + 1, sizeof(*v)), *all = json_array();
    for (size_t i = 0; v && i < n; i++)
        v[i] = json_array_get(marks, i);
    if (v)
        qsort(v, n, sizeof(*v), by_time);
    for (size_t i = 0; v && i < n; i++)
        json_array_append(all, v[i]);
    free(v);
    json_decref(marks);
    return all;
}

static json_t *marks_json(const struct pt_report *r, const struct gather *g, size_t *ret_omitted)
{
    json_t *marks = json_array();
    size_t n = add_holes(r, marks) + add_episodes(r, marks);
    for (size_t i = 0; i < ring_size(&g->marks); i++) {
        const struct kept *k = ring_at(&g->marks, i);
        add_mark(r, marks, mark_of(k->kind), k->real_us, (double)NAN,
                 pt_tree_text("%s%s%s", k->subject, *k->subject && *k->text ? ": " : "", k->text));
    }
    n += g->marks.count;
    *ret_omitted = n - json_array_size(marks);
    return sorted(marks);
}

/* From the first snapshot on, and until the next one after the last would have been. */
static int gather(struct pt_report *r, struct gather *g, struct pt_err *err)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    if (!ring_init(&g->rows, ROWS) || !ring_init(&g->kills, KILLS) || !ring_init(&g->marks, MARKS))
        return pt_err_nomem(err);
    const bool to_end = !r->has_leaks || r->o->to == r->s->span.last,
               from_start = !r->has_leaks || r->o->from == r->s->span.first;
    const int rc = pt_db_events(r->s->db, from_start ? INT64_MIN : t->first_us,
                                to_end ? INT64_MAX : t->last_us, INT64_MIN, on_event, g, err);
    return rc >= 0 && g->nomem ? pt_err_nomem(err) : rc;
}

int pt_report_events(struct pt_report *r, struct pt_err *err)
{
    struct gather g = {.nomem = false};
    size_t omitted = 0;
    int rc = gather(r, &g, err);
    if (rc >= 0) {
        json_t *marks = r->has_leaks ? marks_json(r, &g, &omitted) : json_array();
        const bool bad =
            json_object_set_new(r->doc, "events", events_json(&g)) < 0 ||
            json_object_set_new(r->doc, "oom", oom_json(r, &g, err)) < 0 ||
            json_object_set_new(r->doc, "oom_omitted",
                                json_integer((json_int_t)(g.kills.count - ring_size(&g.kills)))) <
                0 ||
            json_object_set_new(r->doc, "marks", marks) < 0 ||
            json_object_set_new(r->doc, "marks_omitted", json_integer((json_int_t)omitted)) < 0;
        rc = bad ? pt_err_nomem(err) : 0;
    }
    ring_release(&g.rows);
    ring_release(&g.kills);
    ring_release(&g.marks);
    return rc;
}
