/* SPDX-License-Identifier: MIT
 * Lines with their holders: stakes are collected of one picture or of two, and joined by whose they
 * are. */
#include "analyze/balance/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/balance/stakes.h"
#include "analyze/print/units.h"

const char *pt_holder_name(enum pt_holder h)
{
    static const char *const names[] = {
        [PT_HOLDER_PROCESS] = "process", [PT_HOLDER_GROUP] = "group", [PT_HOLDER_SLAB] = "slab",
        [PT_HOLDER_TMPFS] = "tmpfs",     [PT_HOLDER_SHM] = "shm",     [PT_HOLDER_OBJECT] = "object",
        [PT_HOLDER_PART] = "part"};
    return names[h];
}

/* What a sheet is made of. */
struct make {
    const struct pt_picture *from, *to; /* from NULL: one instant */
    const struct pt_diff *diff;         /* NULL: one instant */
    const struct pt_balance *before, *after;
    enum pt_by by;
    struct pt_sheet *sheet;
    struct pt_err *err;
};

static struct pt_change change(const struct make *m, int64_t before, int64_t after)
{
    return m->diff ? pt_change_of(true, before, true, after)
                   : (struct pt_change){PT_UNKNOWN, after, PT_UNKNOWN};
}

/* ---- stakes to holders ---- */

static int by_whom(const void *a, const void *b)
{
    const struct pt_stake *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (!x->key || !y->key)
        return (x->key != NULL) - (y->key != NULL);
    return strcmp(x->key, y->key);
}

static uint64_t magnitude(int64_t v)
{
    return v == PT_UNKNOWN ? 0 : v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static int by_amount(const struct pt_change *a, const struct pt_change *b)
{
    uint64_t x = magnitude(a->delta), y = magnitude(b->delta);
    if (x == y) {
        x = magnitude(a->after);
        y = magnitude(b->after);
    }
    return (x < y) - (x > y);
}

static int holder_order(const void *a, const void *b)
{
    const struct pt_sheet_holder *x = a, *y = b;
    const int r = by_amount(&x->bytes, &y->bytes);
    return r ? r : strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

/* Stakes of one holder, on both sides. */
static struct pt_sheet_holder holder_of(const struct make *m, const struct pt_stake *v, size_t n)
{
    struct pt_sheet_holder h = {.kind = v->kind, .name = v->key};
    int64_t sum[2] = {0, 0}, unseen[2] = {0, 0};
    bool there[2] = {false, false};
    for (size_t i = 0; i < n; i++) {
        const unsigned side = v[i].after;
        there[side] = true;
        if (sum[side] == PT_UNKNOWN || __builtin_add_overflow(sum[side], v[i].bytes, &sum[side]))
            sum[side] = PT_UNKNOWN;
        if (__builtin_add_overflow(unseen[side], v[i].unseen, &unseen[side]))
            unseen[side] = INT64_MAX;
        h.processes += v[i].after && v[i].kind == PT_HOLDER_GROUP;
        *(v[i].after ? &h.after : &h.before) = v[i].process;
    }
    if (h.after || h.before)
        h.name = pt_process_title(h.after ? h.after : h.before);
    h.unseen = unseen[there[1]];
    h.bytes = m->diff ? pt_change_of(there[0], sum[0], there[1], sum[1])
                      : (struct pt_change){PT_UNKNOWN, sum[1], PT_UNKNOWN};
    return h;
}

static int join(const struct make *m, struct pt_stakes *s, struct pt_sheet_line *line)
{
    if (s->nomem)
        return pt_err_nomem(m->err);
    if (s->n == 0)
        return 0;
    line->v = calloc(s->n, sizeof(*line->v));
    if (!line->v)
        return pt_err_nomem(m->err);
    qsort(s->v, s->n, sizeof(*s->v), by_whom);
    for (size_t i = 0, end; i < s->n; i = end) {
        for (end = i + 1; end < s->n && by_whom(&s->v[i], &s->v[end]) == 0;)
            end++;
        line->v[line->n++] = holder_of(m, &s->v[i], end - i);
    }
    qsort(line->v, line->n, sizeof(*line->v), holder_order);
    return 0;
}

static int64_t less(int64_t whole, int64_t part)
{
    int64_t r;
    if (part == PT_UNKNOWN) /* not there */
        return whole;
    return whole == PT_UNKNOWN || __builtin_sub_overflow(whole, part, &r) ? PT_UNKNOWN : r;
}

static void put_rest(const struct make *m, struct pt_sheet_line *line)
{
    int64_t before = line->bytes.before, after = line->bytes.after;
    for (size_t i = 0; i < line->n; i++) {
        before = less(before, line->v[i].bytes.before);
        after = less(after, line->v[i].bytes.after);
    }
    line->rest = change(m, before, after);
}

/* ---- lines ---- */

static bool slabs_known(const struct pt_picture *p)
{
    return !p || p->slabs.presence == PT_READ || p->slabs.presence == PT_CARRIED;
}

static const struct spec {
    enum pt_line line;
    const char *rest;
    pt_stakes_fn *collect; /* NULL: anonymous memory */
} specs[] = {
    {PT_LINE_ANON, "anonymous not attributed", NULL},
    {PT_LINE_SHMEM, "shared not attributed", pt_stakes_shmem},
    {PT_LINE_SLAB_UNRECLAIMABLE, "slab not attributed", pt_stakes_slabs},
    {PT_LINE_CACHE, "files", pt_stakes_cache},
    {PT_LINE_HUGETLB, "in use, or of other sizes", pt_stakes_hugetlb},
};

static int collect(const struct make *m, const struct spec *spec, struct pt_stakes *s)
{
    int rc = 0;
    if (!spec->collect && m->diff) {
        pt_stakes_anon_pair(s, m->diff);
        return 0;
    }
    for (unsigned side = m->from ? 0 : 1; side < 2 && rc >= 0; side++) {
        const struct pt_picture *p = side ? m->to : m->from;
        s->after = side;
        if (spec->collect)
            rc = spec->collect(s, p, m->err);
        else
            pt_stakes_anon(s, p);
    }
    return rc;
}

static int attribute(const struct make *m, struct pt_sheet_line *line)
{
    const struct spec *spec = NULL;
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
        if (specs[i].line == line->line)
            spec = &specs[i];
    if (!spec || (line->line == PT_LINE_SLAB_UNRECLAIMABLE &&
                  (!slabs_known(m->from) || !slabs_known(m->to))))
        return 0;
    struct pt_stakes s = {.arena = &m->sheet->arena, .by = m->by, .after = true};
    int rc = collect(m, spec, &s);
    if (rc >= 0)
        rc = join(m, &s, line);
    pt_stakes_release(&s);
    line->attributed = true;
    line->rest_name = spec->rest;
    put_rest(m, line);
    return rc;
}

static struct pt_change bytes_of(const struct make *m, enum pt_line line)
{
    return change(m, m->before ? m->before->bytes[line] : 0, m->after->bytes[line]);
}

/* slabinfo does not tell which caches can be taken back: both lines are one. */
static void merge_slabs(const struct make *m, struct pt_sheet_line *line)
{
    const enum pt_line both[] = {PT_LINE_SLAB_RECLAIMABLE, PT_LINE_SLAB_UNRECLAIMABLE};
    int64_t before = 0, after = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct pt_change c = bytes_of(m, both[i]);
        before += m->diff ? c.before : 0;
        after += c.after;
        line->of_which[i] =
            (struct pt_sheet_part){.name = i ? "unreclaimable" : "reclaimable", .bytes = c};
    }
    line->name = "slab";
    line->nof_which = 2;
    line->bytes = change(m, before, after);
}

/* What the kernel tells of a line besides, where there is any. */
static void put_parts(const struct make *m, struct pt_sheet_line *line)
{
    static const struct {
        enum pt_line line;
        enum pt_mem part;
        const char *name;
    } parts[] = {
        {PT_LINE_CACHE, PT_MEM_DIRTY, "dirty"},
        {PT_LINE_CACHE, PT_MEM_WRITEBACK, "being written"},
        {PT_LINE_ANON, PT_MEM_ANON_HUGE, "in huge pages"},
        {PT_LINE_SHMEM, PT_MEM_SHMEM_HUGE, "in huge pages"},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        const int64_t before = m->from ? m->from->mem.v[parts[i].part] : 0;
        const int64_t after = m->to->mem.v[parts[i].part];
        if (parts[i].line == line->line && before != PT_UNKNOWN && after != PT_UNKNOWN &&
            (before != 0 || after != 0))
            line->of_which[line->nof_which++] =
                (struct pt_sheet_part){.name = parts[i].name, .bytes = change(m, before, after)};
    }
}

static int make_line(struct make *m, enum pt_line which)
{
    const bool *known = m->after->known;
    struct pt_sheet_line *line = &m->sheet->v[m->sheet->n];
    if (!known[which] || (which == PT_LINE_SLAB_RECLAIMABLE && known[PT_LINE_SLAB_UNRECLAIMABLE]))
        return 0;
    *line = (struct pt_sheet_line){.name = pt_line_name(which),
                                   .line = which,
                                   .bytes = bytes_of(m, which),
                                   .rest = {PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN}};
    if (which == PT_LINE_SLAB_UNRECLAIMABLE && known[PT_LINE_SLAB_RECLAIMABLE])
        merge_slabs(m, line);
    put_parts(m, line);
    m->sheet->n++;
    return attribute(m, line);
}

/* ---- beside the lines ---- */

static void add_hints(const struct make *m)
{
    for (unsigned i = 0; i < PT_SHEET_HINTS; i++) {
        const char *name;
        const int64_t after = pt_hint_of(m->to, i, &name);
        const int64_t before = m->from ? pt_hint_of(m->from, i, &name) : PT_UNKNOWN;
        if (after != PT_UNKNOWN && after > 0)
            m->sheet->hints[m->sheet->nhints++] =
                (struct pt_sheet_part){.name = name, .bytes = change(m, before, after)};
    }
}

static int64_t swap_used(const struct pt_picture *p)
{
    return p ? pt_units_minus(p->mem.v[PT_MEM_SWAP_TOTAL], p->mem.v[PT_MEM_SWAP_FREE]) : PT_UNKNOWN;
}

static int make_all(struct make *m, struct pt_sheet *ret)
{
    struct pt_sheet sheet = {.pair = m->diff != NULL};
    const bool known =
        m->after->total != PT_UNKNOWN && (!m->before || m->before->total != PT_UNKNOWN);
    int rc = 0;
    m->sheet = &sheet;
    for (unsigned i = 0; known && i < PT_LINE_COUNT && rc >= 0; i++)
        rc = make_line(m, (enum pt_line)i);
    if (rc < 0) {
        pt_sheet_release(&sheet);
        return rc;
    }
    sheet.total = change(m, m->before ? m->before->total : PT_UNKNOWN, m->after->total);
    sheet.available = change(m, m->from ? m->from->mem.v[PT_MEM_AVAILABLE] : PT_UNKNOWN,
                             m->to->mem.v[PT_MEM_AVAILABLE]);
    sheet.swap_used = change(m, swap_used(m->from), swap_used(m->to));
    add_hints(m);
    *ret = sheet;
    return 0;
}

int pt_sheet_at(const struct pt_picture *p, enum pt_by by, struct pt_sheet *ret, struct pt_err *err)
{
    struct make m = {.to = p, .after = &p->balance, .by = by, .err = err};
    return make_all(&m, ret);
}

int pt_sheet_between(const struct pt_diff *d, enum pt_by by, struct pt_sheet *ret,
                     struct pt_err *err)
{
    struct make m = {.from = d->from,
                     .to = d->to,
                     .diff = d,
                     .before = &d->before,
                     .after = &d->after,
                     .by = by,
                     .err = err};
    return make_all(&m, ret);
}

void pt_sheet_release(struct pt_sheet *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].v);
    pt_arena_release(&s->arena);
    *s = (struct pt_sheet){0};
}

static int line_order(const void *a, const void *b)
{
    const struct pt_sheet_line *x = a, *y = b;
    const int r = by_amount(&x->bytes, &y->bytes);
    return r ? r : (x->line > y->line) - (x->line < y->line);
}

void pt_sheet_by_change(struct pt_sheet *s)
{
    if (s->n > 1)
        qsort(s->v, s->n, sizeof(*s->v), line_order);
}
