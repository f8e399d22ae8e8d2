/* SPDX-License-Identifier: MIT
 * Pictures as SVG. The drawing is WIDE x HIGH units, stretched to its place; coordinates are whole
 * units and relative, so that a picture of many points stays small. */
#include "analyze/report/html/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 1000
#define HIGH 240

struct range {
    double low, high;
};

static double number(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static double at(const json_t *a, size_t i)
{
    return number(json_array_get(a, i));
}

static int scale(double v, struct range r, int length)
{
    const double part = r.high > r.low ? (v - r.low) / (r.high - r.low) : 0.5;
    return (int)lround(fmin(fmax(part, 0), 1) * length);
}

static struct range range_of(const json_t *values)
{
    struct range r = {INFINITY, -INFINITY};
    for (size_t i = 0; i < json_array_size(values); i++) {
        r.low = fmin(r.low, at(values, i));
        r.high = fmax(r.high, at(values, i));
    }
    return r;
}

/* A path as it is written. */
struct pen {
    const struct pt_html *h;
    int x, y;
};

static void move_to(struct pen *pen, int x, int y)
{
    pt_html_rawf(pen->h, "M%d %d", x, y);
    pen->x = x;
    pen->y = y;
}

static void line_to(struct pen *pen, int x, int y)
{
    const int dx = x - pen->x, dy = y - pen->y;
    pt_html_rawf(pen->h, dy < 0 ? "l%d%d" : "l%d %d", dx, dy);
    pen->x = x;
    pen->y = y;
}

static void open_svg(const struct pt_html *h, const char *class, bool hidden)
{
    pt_html_rawf(h, "<svg class=\"%s\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\"%s>",
                 class, WIDE, HIGH, hidden ? " aria-hidden=\"true\"" : "");
}

/* ---- one shape ---- */

static void shape_path(const struct pt_html *h, const json_t *values, struct range r)
{
    const size_t n = json_array_size(values);
    struct pen pen = {.h = h};
    bool drawing = false;
    for (size_t i = 0; i < n; i++) {
        const double v = at(values, i);
        if (!isfinite(v)) {
            drawing = false;
            continue;
        }
        const int x = (int)(i * WIDE / (n - 1)), y = HIGH - 8 - scale(v, r, HIGH - 16);
        if (!drawing)
            move_to(&pen, x, y);
        line_to(&pen, x, y); /* a value between two holes is a dot: its line has no length */
        drawing = true;
    }
}

void pt_svg_shape(const struct pt_html *h, const json_t *values, enum pt_svg_size size)
{
    const struct range r = range_of(values);
    if (json_array_size(values) < 2 || !isfinite(r.low))
        return;
    open_svg(h, size == PT_SVG_INLINE ? "spark" : "shape", true);
    pt_html_raw(h, "<path d=\"");
    shape_path(h, values, r);
    pt_html_raw(h, "\"/></svg>");
}

/* ---- pictures over time ---- */

/* Adds a layer at a point to what is below it; what is not known of a point where others are is
 * nothing. */
static double pile(double below, const json_t *layer, size_t i)
{
    const double v = at(json_object_get(layer, "values"), i);
    return !isfinite(v) ? below : isfinite(below) ? below + v : v;
}

/* The top of all layers where it is highest. */
static double highest(const json_t *layers, size_t npoints)
{
    double most = 0;
    for (size_t i = 0; i < npoints; i++) {
        double sum = NAN;
        for (size_t k = 0; k < json_array_size(layers); k++)
            sum = pile(sum, json_array_get(layers, k), i);
        most = fmax(most, sum);
    }
    return most;
}

/* Where a run of known points that begins at i or after ends; *ret_first: where it begins. */
static size_t run_of(const double *top, size_t n, size_t i, size_t *ret_first)
{
    while (i < n && !isfinite(top[i]))
        i++;
    *ret_first = i;
    while (i < n && isfinite(top[i]))
        i++;
    return i;
}

/* The area between two edges, run by run. */
static void area_path(const struct pt_html *h, const int *x, const double *bottom,
                      const double *top, size_t n, struct range r)
{
    struct pen pen = {.h = h};
    size_t first, end;
    for (size_t i = 0; i < n; i = end) {
        end = run_of(top, n, i, &first);
        for (size_t k = first; k < end; k++)
            (k == first ? move_to : line_to)(&pen, x[k], HIGH - scale(top[k], r, HIGH));
        for (size_t k = end; k > first; k--)
            line_to(&pen, x[k - 1],
                    HIGH - (isfinite(bottom[k - 1]) ? scale(bottom[k - 1], r, HIGH) : 0));
        pt_html_raw(h, end > first ? "Z" : "");
    }
}

static void put_marks(const struct pt_html *h, const json_t *marks, struct range time)
{
    size_t i;
    const json_t *m;
    json_array_foreach(marks, i, m)
    {
        const double from = number(json_object_get(m, "seconds"));
        const double until = number(json_object_get(m, "until"));
        if (!isfinite(from) || from > time.high || from < time.low)
            continue;
        const int x = scale(from, time, WIDE);
        const int wide = isfinite(until) ? scale(until, time, WIDE) - x : 0;
        pt_html_raw(h, wide > 0 ? "<path class=\"span mark-" : "<path class=\"mark-");
        pt_html_slug(h, pt_html_get_str(m, "kind"));
        if (wide > 0)
            pt_html_rawf(h, "\" d=\"M%d 0h%dV%dh-%dz\">", x, wide, HIGH, wide);
        else
            pt_html_rawf(h, "\" d=\"M%d 0V%d\">", x, HIGH);
        pt_html_raw(h, "<title>");
        pt_html_put(h, PT_HTML_TEXT, json_object_get(m, "text"));
        pt_html_raw(h, "</title></path>");
    }
}

/* The points that are drawn. */
struct points {
    size_t n;
    int *x;
    double *bottom, *top;
};

static bool points_init(struct points *p, const json_t *seconds, struct range time)
{
    p->n = json_array_size(seconds);
    p->x = calloc(p->n + 1, sizeof(*p->x));
    p->bottom = calloc(p->n + 1, sizeof(*p->bottom));
    p->top = calloc(p->n + 1, sizeof(*p->top));
    if (!p->x || !p->bottom || !p->top)
        return false;
    for (size_t i = 0; i < p->n; i++)
        p->x[i] = scale(at(seconds, i), time, WIDE);
    return true;
}

static void points_release(struct points *p)
{
    free(p->x);
    free(p->bottom);
    free(p->top);
}

static void put_layer(const struct pt_html *h, const json_t *layer, struct points *p,
                      struct range r)
{
    memcpy(p->bottom, p->top, p->n * sizeof(*p->top));
    for (size_t i = 0; i < p->n; i++)
        p->top[i] = pile(p->bottom[i], layer, i);
    pt_html_raw(h, "<path class=\"layer-");
    pt_html_slug(h, pt_html_get_str(layer, "name"));
    pt_html_raw(h, "\" d=\"");
    area_path(h, p->x, p->bottom, p->top, p->n, r);
    pt_html_raw(h, "\"/>");
}

void pt_svg_stack(const struct pt_html *h, const json_t *memory, const json_t *marks)
{
    const json_t *seconds = json_object_get(memory, "seconds");
    const json_t *layers = json_object_get(memory, "layers");
    const struct range time = range_of(seconds);
    const struct range r = {0, highest(layers, json_array_size(seconds))};
    struct points p;
    if (points_init(&p, seconds, time) && p.n > 0) {
        open_svg(h, "stack", true);
        for (size_t i = 0; i < p.n; i++)
            p.top[i] = NAN;
        for (size_t k = json_array_size(layers); k > 0; k--)
            put_layer(h, json_array_get(layers, k - 1), &p, r);
        put_marks(h, marks, time);
        pt_html_raw(h, "</svg>");
    }
    points_release(&p);
}

static void edges_of(struct points *p, const json_t *line)
{
    const json_t *low = json_object_get(line, "low"), *high = json_object_get(line, "high");
    for (size_t i = 0; i < p->n; i++) {
        p->bottom[i] = at(low, i);
        p->top[i] = at(high, i);
    }
}

void pt_svg_line(const struct pt_html *h, const json_t *seconds, const json_t *line,
                 const json_t *marks)
{
    const struct range time = range_of(seconds);
    const struct range r = {0, range_of(json_object_get(line, "high")).high};
    struct points p;
    if (points_init(&p, seconds, time) && p.n > 0 && isfinite(r.high)) {
        open_svg(h, "line", true);
        edges_of(&p, line);
        pt_html_raw(h, "<path class=\"between\" d=\"");
        area_path(h, p.x, p.bottom, p.top, p.n, r);
        pt_html_raw(h, "\"/><path class=\"mean\" d=\"");
        const json_t *values = json_object_get(line, "values");
        struct pen pen = {.h = h};
        bool drawing = false;
        for (size_t i = 0; i < p.n; i++) {
            const double v = at(values, i);
            if (isfinite(v))
                (drawing ? line_to : move_to)(&pen, p.x[i], HIGH - scale(v, r, HIGH));
            drawing = isfinite(v);
        }
        pt_html_raw(h, "\"/>");
        put_marks(h, marks, time);
        pt_html_raw(h, "</svg>");
    }
    points_release(&p);
}
