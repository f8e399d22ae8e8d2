/* SPDX-License-Identifier: MIT
 * What happened in a report's span: events, OOM kills with the picture before them, and the marks
 * of both and of holes on the axis of the charts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/axis.h"
#include "analyze/report/incidents.h"
#include "analyze/report/print_int.h"
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
    struct pt_victims victims;
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
    if (e->kind == PT_EVENT_OOM) {
        keep(g, &g->kills, e);
        pt_victims_add(&g->victims, e);
    }
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

/* Kills whose picture cannot be made are left out. */
static json_t *oom_json(struct pt_report *r, const struct gather *g, struct pt_err *err)
{
    json_t *kills = json_array();
    for (size_t i = 0; i < ring_size(&g->kills) && kills; i++) {
        struct pt_err why = {0};
        json_t *kill = kill_json(r, ring_at(&g->kills, i), &why);
        if (kill ? json_array_append_new(kills, kill) < 0
                 : pt_report_left_out(r, "oom", "an OOM kill", &why, err) < 0) {
            json_decref(kills);
            kills = NULL;
        }
    }
    return kills;
}

/* ---- marks ---- */

static void add_mark(json_t *marks, const char *kind, double at, double until, int64_t us,
                     json_t *text)
{
    json_array_append_new(marks, json_pack("{s:s, s:f, s:o, s:o, s:o}", "kind", kind, "seconds",
                                           round(at * 10) / 10, "until", pt_tree_number(until),
                                           "time", pt_json_time(us), "text", text));
}

static size_t add_gaps(const struct pt_timeline *t, json_t *marks)
{
    char text[PT_UNITS_BUF];
    size_t n = 0;
    for (size_t i = 0; i < t->nholes; i++) {
        const double from = t->holes[i].from, to = t->holes[i].to;
        if (!t->holes[i].reboot && n++ < MARKS)
            add_mark(marks, "gap", from, to, pt_timeline_real(t, from),
                     pt_tree_text("nothing was recorded for %s",
                                  pt_units_duration(text, sizeof(text), pt_units_us(to - from))));
    }
    return n;
}

/* Each from the last that was recorded before it. */
static size_t add_boots(const struct pt_timeline *t, json_t *marks)
{
    char text[PT_UNITS_BUF];
    for (size_t i = 1; i < t->nboots && i <= MARKS; i++) {
        const double from = t->boots[i - 1].to, to = t->boots[i].from;
        add_mark(marks, "boot", from, to > from ? to : (double)NAN, pt_timeline_real(t, to),
                 pt_tree_text("another boot, %s after what was recorded before it",
                              pt_units_duration(text, sizeof(text), pt_units_us(to - from))));
    }
    return t->nboots > 1 ? t->nboots - 1 : 0;
}

/* Episodes of swap that made somebody wait; what was pushed out and left alone did not. */
static size_t add_episodes(const struct pt_report *r, const struct pt_axis *axis, json_t *marks)
{
    const json_t *episodes = pt_tree_at(pt_tree_at(r->doc, "swap"), "episodes"), *e;
    size_t i, n = 0;
    json_array_foreach(episodes, i, e)
    {
        const int64_t from = pt_tree_time(e, "from"), to = pt_tree_time(e, "to");
        const double seconds = pt_tree_real(e, "seconds"), at = pt_axis_at(axis, from);
        const char *state = pt_tree_str(e, "state");
        char text[PT_UNITS_BUF];
        if (pt_tree_is(e, "state", "parked") || from == PT_UNKNOWN || to == PT_UNKNOWN)
            continue;
        if (n++ < MARKS)
            add_mark(marks, "swap", at, isfinite(seconds) ? at + seconds : pt_axis_at(axis, to),
                     from,
                     pt_tree_text("%s for %s", state ? state : "?",
                                  pt_print_seconds(e, "seconds", text)));
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
    struct pt_axis axis;
    const struct pt_timeline *t = &r->leaks.timeline;
    pt_axis_init(&axis, t);
    size_t n = add_gaps(t, marks) + add_boots(t, marks) + add_episodes(r, &axis, marks);
    for (size_t i = 0; i < ring_size(&g->marks); i++) {
        const struct kept *k = ring_at(&g->marks, i);
        /* what was told just before the first snapshot goes with it */
        add_mark(marks, mark_of(k->kind), pt_axis_at(&axis, k->real_us), (double)NAN, k->real_us,
                 pt_tree_text("%s%s%s", k->subject, *k->subject && *k->text ? ": " : "", k->text));
    }
    n += g->marks.count;
    *ret_omitted = n - json_array_size(marks);
    return sorted(marks);
}

/* What was told since the snapshot before the first goes with that: of spans that follow each other
 * one has it, whether it was a crash or a kill in between. */
static int64_t events_from(const struct pt_report *r)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    struct pt_snap before;
    int64_t n;
    if (!t->count || r->o->from == r->s->span.first ||
        pt_db_step(r->s->db, r->o->from, -1, &n, NULL) < 0)
        return INT64_MIN;
    if (pt_db_snap(r->s->db, n, &before, NULL) < 0 || before.real_us >= t->first_us)
        return t->first_us;
    return before.real_us + 1;
}

static int gather(struct pt_report *r, struct gather *g, struct pt_err *err)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    if (!ring_init(&g->rows, ROWS) || !ring_init(&g->kills, KILLS) || !ring_init(&g->marks, MARKS))
        return pt_err_nomem(err);
    const bool to_end = !t->count || r->o->to == r->s->span.last;
    const int rc = pt_db_events(r->s->db, events_from(r), to_end ? INT64_MAX : t->last_us,
                                INT64_MIN, on_event, g, err);
    return rc >= 0 && (g->nomem || g->victims.nomem) ? pt_err_nomem(err) : rc;
}

static int set(struct pt_report *r, const char *key, json_t *value)
{
    return json_object_set_new(r->doc, key, value);
}

/* Those of OOM kills too; each has its number. */
static int end_incidents(struct pt_report *r, struct gather *g)
{
    json_t *all = json_object_get(r->doc, "incidents"), *one;
    int64_t omitted;
    json_t *kills = pt_incidents_oom(&g->victims, pt_report_hours(r), r->offset_s, &omitted);
    int rc = kills ? json_array_extend(all, kills) : -1;
    size_t i;
    json_decref(kills);
    json_array_foreach(all, i, one)
    {
        rc |= json_object_set_new(one, "id", pt_tree_text("i%zu", i + 1));
    }
    return rc | set(r, "incidents_omitted", json_integer((json_int_t)omitted));
}

static int set_events(struct pt_report *r, struct gather *g, struct pt_err *err)
{
    const size_t kills = g->kills.count - ring_size(&g->kills);
    const bool bad = set(r, "events", events_json(g)) < 0 ||
                     set(r, "oom", oom_json(r, g, err)) < 0 ||
                     set(r, "oom_omitted", json_integer((json_int_t)kills)) < 0;
    return bad ? pt_err_nomem(err) : 0;
}

static int set_marks(struct pt_report *r, const struct gather *g, struct pt_err *err)
{
    size_t omitted = 0;
    json_t *marks = r->leaks.timeline.count ? marks_json(r, g, &omitted) : json_array();
    const bool bad = set(r, "marks", marks) < 0 ||
                     set(r, "marks_omitted", json_integer((json_int_t)omitted)) < 0;
    return bad ? pt_err_nomem(err) : 0;
}

int pt_report_events(struct pt_report *r, struct pt_err *err)
{
    struct gather g = {.nomem = false};
    struct pt_err why = {0};
    int rc = gather(r, &g, &why);
    rc = rc < 0 ? pt_report_left_out(r, "events", "events", &why, err) : set_events(r, &g, err);
    if (rc >= 0 && end_incidents(r, &g) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        rc = set_marks(r, &g, err);
    ring_release(&g.rows);
    ring_release(&g.kills);
    ring_release(&g.marks);
    pt_victims_release(&g.victims);
    return rc;
}
