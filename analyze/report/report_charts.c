/* SPDX-License-Identifier: MIT
 * The series of a report's charts: the layers of the balance sheet, and lines on the same axis. */
#include <math.h>
#include <stdlib.h>

#include "analyze/balance/over.h"
#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/axis.h"
#include "analyze/report/report_int.h"
#include "analyze/report/strip.h"
#include "analyze/report/tree.h"

/* Points: as many as a wide screen shows apart. */
#define POINTS 300
#define SLICES 120 /* two points each */

enum line {
    LINE_AVAILABLE = 0,
    LINE_SWAP_USED,
    LINE_SWAP_IN,
    LINE_SWAP_OUT,
    LINE_PSI_SOME,
    LINE_PSI_FULL,
    LINE_PROCESSES,
    LINE_RECORDER,
    LINES
};
static const struct {
    const char *name, *title, *unit;
} lines[LINES] = {
    [LINE_AVAILABLE] = {"mem_available", "available memory", "bytes"},
    [LINE_SWAP_USED] = {"swap_used", "swap in use", "bytes"},
    [LINE_SWAP_IN] = {"swap_in", "swapped in", "bytes/s"},
    [LINE_SWAP_OUT] = {"swap_out", "swapped out", "bytes/s"},
    [LINE_PSI_SOME] = {"pressure_some", "pressure, some", "percent"},
    [LINE_PSI_FULL] = {"pressure_full", "pressure, full", "percent"},
    [LINE_PROCESSES] = {"processes", "processes", "count"},
    [LINE_RECORDER] = {"recorder_cpu", "recorder's CPU", "percent"},
};

struct tick {
    int64_t n;
    double at;
    uint32_t boot;
};
struct charts {
    struct pt_report *r;
    struct pt_strip strip[LINES];
    struct tick *ticks; /* of every snapshot */
    size_t nticks, cap;
    struct pt_axis axis;
    struct pt_snap last;
    double at, gap; /* of the last; longer steps are holes */
    /* counters of swap: which are known since when */
    struct {
        int64_t value;
        uint32_t boot;
        bool known;
    } counter[4];
    double page;
    bool nomem;
};

/* ---- snapshots ---- */

static double kib(int64_t v)
{
    return v == PT_UNKNOWN ? (double)NAN : (double)v * 1024;
}

/* Growth of a counter of microseconds over a step of so many seconds, in percent. */
static double percent(int64_t before, int64_t now, double step)
{
    return before == PT_UNKNOWN || now == PT_UNKNOWN || now < before || !(step > 0)
               ? (double)NAN
               : fmin((double)(now - before) / step / 1e4, 100);
}

static bool note_tick(struct charts *c, const struct pt_snap *snap)
{
    if (c->nticks == c->cap) {
        const size_t cap = c->cap ? c->cap * 2 : 1024;
        struct tick *v = realloc(c->ticks, cap * sizeof(*v));
        if (!v)
            return false;
        c->ticks = v;
        c->cap = cap;
    }
    c->ticks[c->nticks++] = (struct tick){snap->n, c->at, snap->boot};
    return true;
}

/* Numbers that are missing were thinned out: their time is no hole. */
static bool is_step(const struct charts *c, double step, int64_t numbers)
{
    return step > 0 && step <= c->gap * (double)(numbers > 0 ? numbers : 1);
}

static int on_snap(void *ctx, const struct pt_snap *snap)
{
    struct charts *c = ctx;
    const double from = c->at;
    const bool same = c->nticks && snap->boot == c->last.boot;
    const int64_t numbers = c->nticks ? snap->n - c->last.n : 1;
    c->at = pt_axis_next(&c->axis, snap->real_us);
    const double step = c->at - from;
    if (same && is_step(c, step, numbers)) {
        const struct pt_snap *l = &c->last;
        pt_strip_hold(&c->strip[LINE_AVAILABLE], from, c->at, kib(l->mem_available_kb));
        pt_strip_hold(&c->strip[LINE_SWAP_USED], from, c->at, kib(l->swap_used_kb));
        pt_strip_hold(&c->strip[LINE_PROCESSES], from, c->at,
                      l->processes == PT_UNKNOWN ? (double)NAN : (double)l->processes);
        pt_strip_hold(&c->strip[LINE_PSI_SOME], from, c->at,
                      percent(l->psi_some_us, snap->psi_some_us, step));
        pt_strip_hold(&c->strip[LINE_PSI_FULL], from, c->at,
                      percent(l->psi_full_us, snap->psi_full_us, step));
        if (numbers == 1)
            pt_strip_hold(&c->strip[LINE_RECORDER], from, c->at, percent(0, snap->cost_us, step));
    }
    c->last = *snap;
    c->nomem |= !note_tick(c, snap);
    return c->nomem ? -PT_ENOMEM : 0;
}

/* ---- swap counters ---- */

/* Index of the snapshot, or of the one after it. */
static size_t tick_of(const struct charts *c, int64_t n)
{
    size_t lo = 0, hi = c->nticks;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (c->ticks[mid].n < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A counter that is told anew rose since the snapshot before; in a hole it is not known when. */
static int on_counter(void *ctx, const struct pt_point *p)
{
    struct charts *c = ctx;
    const size_t i = tick_of(c, p->n);
    const bool follows = c->counter[p->which].known && c->counter[p->which].boot == p->boot;
    if (p->known && follows && i > 0 && i < c->nticks && c->ticks[i - 1].boot == p->boot) {
        const double from = c->ticks[i - 1].at, to = c->ticks[i].at;
        const int64_t pages = p->ivalue - c->counter[p->which].value;
        if (pages >= 0 && is_step(c, to - from, c->ticks[i].n - c->ticks[i - 1].n))
            pt_strip_hold(&c->strip[p->which % 2 ? LINE_SWAP_OUT : LINE_SWAP_IN], from, to,
                          (double)pages * c->page / (to - from));
    }
    c->counter[p->which].value = p->ivalue;
    c->counter[p->which].boot = p->boot;
    c->counter[p->which].known = p->known;
    return 0;
}

/* Where a counter was not told it did not rise. */
static void fill_quiet(struct charts *c)
{
    for (int line = LINE_SWAP_IN; line <= LINE_SWAP_OUT; line++) {
        const struct pt_strip *known = &c->strip[LINE_AVAILABLE];
        struct pt_strip *s = &c->strip[line];
        for (size_t i = 0; i < s->n; i++) {
            struct pt_bucket *b = &s->v[i];
            if (b->time < known->v[i].time) {
                b->low = 0;
                b->high = b->time > 0 ? b->high : 0;
                b->time = known->v[i].time;
            }
        }
    }
}

static int load_swap(struct charts *c, struct pt_err *err)
{
    static const char *const fields[] = {"pswpin", "pswpout"};
    const struct pt_field_query q = {.glob = "proc:vmstat",
                                     .fields = fields,
                                     .nfields = 2,
                                     .from = c->r->o->from,
                                     .to = c->r->o->to,
                                     .fn = on_counter,
                                     .ctx = c};
    const int rc = pt_db_fields(c->r->s->db, &q, 1, err);
    bool known = false;
    for (int i = 0; i < 2; i++)
        known |= c->counter[i].known;
    if (rc >= 0 && known)
        fill_quiet(c);
    return rc;
}

/* ---- the balance sheet ---- */

static void append(json_t *values, bool known, int64_t v)
{
    json_array_append_new(values, known ? pt_json_int(v) : json_null());
}

static double point_at(const struct charts *c, const struct pt_over_point *p)
{
    const size_t i = tick_of(c, p->n);
    return round((i < c->nticks ? c->ticks[i].at : c->at) * 10) / 10;
}

/* A hole is a point of nulls amid it: of points at one place charts draw the first alone. */
static json_t *layer_json(const struct pt_over *o, enum pt_line line)
{
    json_t *values = json_array();
    for (size_t i = 0; i < o->n; i++) {
        if (i > 0 && o->v[i].gap)
            append(values, false, 0);
        append(values, o->v[i].sheet.total != PT_UNKNOWN && o->v[i].sheet.known[line],
               o->v[i].sheet.bytes[line]);
    }
    return json_pack("{s:s, s:s, s:o}", "name", pt_line_name(line), "title", pt_line_name(line),
                     "values", values);
}

static bool has_layer(const struct pt_over *o, enum pt_line line)
{
    const struct pt_over_extreme *e = &o->extreme[line];
    return e->min != PT_UNKNOWN && (e->min != 0 || e->max != 0);
}

static json_t *memory_json(const struct charts *c, const struct pt_over *o)
{
    json_t *seconds = json_array(), *layers = json_array();
    for (size_t i = 0; i < o->n; i++) {
        const double at = point_at(c, &o->v[i]);
        if (i > 0 && o->v[i].gap)
            json_array_append_new(seconds, json_real((at + point_at(c, &o->v[i - 1])) / 2));
        json_array_append_new(seconds, json_real(at));
    }
    for (int line = 0; line < PT_LINE_COUNT; line++)
        if (has_layer(o, (enum pt_line)line))
            json_array_append_new(layers, layer_json(o, (enum pt_line)line));
    if (json_array_size(layers))
        return json_pack("{s:o, s:o}", "seconds", seconds, "layers", layers);
    json_decref(seconds);
    json_decref(layers);
    return json_null();
}

static json_t *load_memory(const struct charts *c, struct pt_err *err)
{
    struct pt_over over;
    if (pt_over_make(c->r->s->db, c->r->o->from, c->r->o->to, SLICES, &over, err) < 0)
        return NULL;
    json_t *j = memory_json(c, &over);
    pt_over_release(&over);
    return j;
}

/* ---- to JSON ---- */

static json_t *line_json(const struct charts *c, int line)
{
    const struct pt_strip *s = &c->strip[line];
    json_t *low = json_array(), *values = json_array(), *high = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const bool known = s->v[i].time > 0, fine = lines[line].unit[0] == 'p';
        /* percents to a hundredth, all else whole: it is drawn */
        const double scale = fine ? 100 : 1;
        const double v[] = {s->v[i].low, pt_strip_mean(s, i), s->v[i].high};
        json_t *const to[] = {low, values, high};
        for (int k = 0; k < 3; k++)
            json_array_append_new(to[k], !known ? json_null()
                                         : fine ? pt_tree_number(round(v[k] * scale) / scale)
                                                : pt_tree_whole(round(v[k])));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", lines[line].name, "title",
                     lines[line].title, "unit", lines[line].unit, "low", low, "values", values,
                     "high", high);
}

static bool any(const struct pt_strip *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].time > 0)
            return true;
    return false;
}

static json_t *charts_json(const struct charts *c, json_t *memory)
{
    json_t *seconds = json_array(), *all = json_array();
    const struct pt_strip *axis = &c->strip[0];
    for (size_t i = 0; i < axis->n; i++)
        json_array_append_new(
            seconds, json_real(round((axis->from + ((double)i + 0.5) * axis->width) * 10) / 10));
    for (int line = 0; line < LINES; line++)
        if (any(&c->strip[line]))
            json_array_append_new(all, line_json(c, line));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "from", pt_json_time(c->axis.from_us), "to",
                     pt_json_time(pt_units_minus(c->axis.from_us, pt_units_us(-c->axis.end))),
                     "seconds", seconds, "memory", memory, "lines", all);
}

json_t *pt_report_charts(struct pt_report *r, struct pt_err *err)
{
    const struct pt_timeline *t = &r->leaks.timeline;
    const int64_t page = pt_db_meta(r->s->db)->page_size;
    struct charts c = {.r = r,
                       .gap = 5 * fmax(t->interval, (double)pt_session_interval(r->s) / 1e6),
                       .page = page > 0 ? (double)page : 4096};
    json_t *j = NULL;
    int rc = 0;
    pt_axis_init(&c.axis, t);
    const double end = c.axis.end;
    if (!r->o->charts || !(end > 0) || !(end < 9e11))
        return json_null();
    const double points = fmin(POINTS, fmax(2, ceil(end / t->interval)));
    for (int i = 0; i < LINES && rc >= 0; i++)
        rc = pt_strip_init(&c.strip[i], 0, end, (size_t)points) ? 0 : pt_err_nomem(err);
    if (rc >= 0)
        rc = pt_db_each(r->s->db, r->o->from, r->o->to, on_snap, &c, err);
    if (rc >= 0)
        rc = load_swap(&c, err);
    json_t *memory = rc >= 0 ? load_memory(&c, err) : NULL;
    if (memory)
        j = charts_json(&c, memory);
    for (int i = 0; i < LINES; i++)
        pt_strip_release(&c.strip[i]);
    free(c.ticks);
    if (!j && !err->code)
        pt_err_nomem(err);
    return j;
}
