/* SPDX-License-Identifier: MIT
 * A diff as text. */
#include "analyze/diff/diff_print.h"

#include <inttypes.h>
#include <string.h>

#include "analyze/balance/sheet.h"
#include "analyze/print/table.h"
#include "analyze/print/units.h"

#define TOP_DEFAULT 10

#define LEFT(title_)                                                                               \
    {                                                                                              \
        .title = (title_)                                                                          \
    }
#define RIGHT(title_)                                                                              \
    {                                                                                              \
        .title = (title_), .right = true                                                           \
    }
#define NAME(title_, least)                                                                        \
    {                                                                                              \
        .title = (title_), .shrink = (least)                                                       \
    }

static size_t top(const struct pt_session *s)
{
    return s->args->top == PT_UNKNOWN ? TOP_DEFAULT : (size_t)s->args->top;
}

static void cell_change(struct pt_table *t, struct pt_change c)
{
    pt_table_bytes(t, c.before, false);
    pt_table_bytes(t, c.after, false);
    pt_table_bytes(t, c.delta, true);
}

/* One side only: "-" there, where a number is not unknown but not there. */
static void cell_side(struct pt_table *t, bool there, int64_t bytes)
{
    if (there)
        pt_table_bytes(t, bytes, false);
    else
        pt_table_cell(t, "-");
}

static int print(struct pt_table *t, const struct pt_session *s)
{
    return pt_table_end(t, s->args->out, s->args->colour);
}

static void title(const struct pt_session *s, const char *text)
{
    fprintf(s->args->out, s->args->colour ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

int64_t pt_diff_reboots(const struct pt_diff *d)
{
    if (d->other_db || !d->from->boot.id || !d->to->boot.id)
        return PT_UNKNOWN;
    int64_t from = 0, to = 0;
    for (uint32_t i = 0; i < pt_db_boots(d->to->db); i++) {
        const uint32_t id = pt_db_boot(d->to->db, i)->id;
        if (id == d->from->boot.id)
            from = i;
        if (id == d->to->boot.id)
            to = i;
    }
    return to > from ? to - from : from - to;
}

static void print_head(const struct pt_diff *d, const struct pt_session *a,
                       const struct pt_session *b)
{
    FILE *out = b->args->out;
    char span[PT_UNITS_BUF];
    pt_session_print_end(a, "from ", &d->from->view->snap);
    pt_session_print_end(b, "to   ", &d->to->view->snap);
    const struct pt_snap *x = &d->from->view->snap, *y = &d->to->view->snap;
    const int64_t us = pt_units_minus(y->real_us, x->real_us);
    const bool back = us != PT_UNKNOWN && us < 0;
    fprintf(out, "span %s%s", pt_units_duration(span, sizeof(span), back ? -us : us),
            back ? ", backwards: the second is the older" : "");
    const int64_t reboots = pt_diff_reboots(d);
    if (!d->other_boot)
        fputs(", same boot\n", out);
    else if (reboots != PT_UNKNOWN)
        fprintf(out,
                ", %" PRId64 " reboot%s between: processes matched by service, else exe + uid\n",
                reboots, reboots == 1 ? "" : "s");
    else
        fputs(", different boots: processes matched by service, else exe + uid\n", out);
    if (!d->other_db && x->n == y->n)
        fputs("both are the same snapshot: there is nothing between them\n", out);
    if (d->from->view->lost || d->to->view->lost)
        fputs("damaged parts of the recording are left out\n", out);
}

/* With -v: with who holds the lines. */
static int print_sheet(const struct pt_diff *d, const struct pt_session *s)
{
    struct pt_sheet sheet;
    struct pt_err err = {0};
    title(s, "Where the machine's memory is (lines add up to the total)");
    if (pt_sheet_between(d, PT_BY_PROCESS, &sheet, &err) < 0)
        return -1;
    const int rc = pt_sheet_text(&sheet, s->args->out, s->args->colour, s->args->top, false);
    pt_sheet_release(&sheet);
    return rc;
}

static int print_balance(const struct pt_diff *d, const struct pt_session *s)
{
    static const struct pt_column columns[] = {NAME("MEMORY", 12), RIGHT("BEFORE"), RIGHT("AFTER"),
                                               RIGHT("CHANGE")};
    struct pt_table t;
    title(s, "Where the machine's memory is (lines add up to the total)");
    if (d->before.total == PT_UNKNOWN || d->after.total == PT_UNKNOWN) {
        fputs("meminfo was not recorded at both ends\n", s->args->out);
        return 0;
    }
    pt_table_init(&t, columns, 4);
    for (unsigned i = 0; i < PT_LINE_COUNT; i++) {
        const struct pt_change c = pt_change_of(true, d->before.bytes[i], true, d->after.bytes[i]);
        if (!d->before.known[i] || (c.before == 0 && c.after == 0))
            continue;
        pt_table_cell(&t, pt_line_name((enum pt_line)i));
        cell_change(&t, c);
    }
    pt_table_cell(&t, "total");
    cell_change(&t, pt_change_of(true, d->before.total, true, d->after.total));
    const int64_t *x = d->from->mem.v, *y = d->to->mem.v;
    pt_table_cell(&t, "(available)");
    cell_change(&t, pt_change_of(true, x[PT_MEM_AVAILABLE], true, y[PT_MEM_AVAILABLE]));
    if (x[PT_MEM_SWAP_TOTAL] > 0 || y[PT_MEM_SWAP_TOTAL] > 0) {
        pt_table_cell(&t, "(swap free)");
        cell_change(&t, pt_change_of(true, x[PT_MEM_SWAP_FREE], true, y[PT_MEM_SWAP_FREE]));
    }
    return print(&t, s);
}

static int64_t weight_of(const struct pt_process *p)
{
    return p ? pt_process_weight(p) : PT_UNKNOWN;
}

static bool changed(const struct pt_diff_process *p)
{
    return p->weight != 0 || (p->m[PT_RSS].delta != 0 && p->m[PT_RSS].delta != PT_UNKNOWN);
}

static int print_processes(const struct pt_diff *d, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        RIGHT("PID"),    NAME("COMMAND", 8),  RIGHT("BEFORE"), RIGHT("AFTER"),
        RIGHT("CHANGE"), RIGHT("RSS CHANGE"), LEFT("")};
    struct pt_table t;
    size_t shown = 0, hidden = 0;
    title(s, "Processes by change of anonymous memory + swap");
    pt_table_init(&t, columns, 7);
    for (size_t i = 0; i < d->nprocesses; i++) {
        const struct pt_diff_process *p = &d->processes[i];
        if (!changed(p))
            continue;
        if (shown == top(s)) {
            hidden++;
            continue;
        }
        shown++;
        pt_table_cellf(&t, "%" PRId64, pt_diff_who(p)->pid);
        pt_table_cell(&t, pt_process_title(pt_diff_who(p)));
        cell_side(&t, p->before, weight_of(p->before));
        cell_side(&t, p->after, weight_of(p->after));
        pt_table_bytes(&t, p->weight, true);
        pt_table_bytes(&t, p->m[PT_RSS].delta, true);
        pt_table_cell(&t, p->side == PT_SIDE_BOTH ? "" : pt_side_name(p->side));
    }
    if (shown + hidden == 0)
        fputs("none\n", s->args->out);
    const int rc = shown ? print(&t, s) : 0;
    if (hidden)
        fprintf(s->args->out, "and %zu more (--top %zu)\n", hidden, shown + hidden);
    return rc;
}

static int print_groups(const struct pt_diff *d, const struct pt_session *s)
{
    static const char *const titles[] = {"", "EXE", "SERVICE", "CGROUP", "USER"};
    const struct pt_column columns[] = {NAME(titles[s->args->by], 8),
                                        RIGHT("PROCESSES"),
                                        RIGHT("ANON"),
                                        RIGHT("SWAP"),
                                        RIGHT("RSS"),
                                        RIGHT("PSS")};
    struct pt_table t;
    size_t shown = 0;
    title(s, "Changes, processes summed");
    pt_table_init(&t, columns, 6);
    for (size_t i = 0; i < d->ngroups && shown < top(s); i++, shown++) {
        const struct pt_diff_group *g = &d->groups[i];
        pt_table_cell(&t, g->name ? g->name : "(none)");
        pt_table_cellf(&t, g->count.delta ? "%" PRId64 " (%+" PRId64 ")" : "%" PRId64,
                       g->count.after, g->count.delta);
        pt_table_bytes(&t, g->m[PT_ANON].delta, true);
        pt_table_bytes(&t, g->m[PT_SWAP].delta, true);
        pt_table_bytes(&t, g->m[PT_RSS].delta, true);
        pt_table_bytes(&t, g->m[PT_PSS].delta, true);
    }
    const int rc = print(&t, s);
    if (d->ngroups > shown)
        fprintf(s->args->out, "and %zu more (--top %zu)\n", d->ngroups - shown, d->ngroups);
    return rc;
}

/* Of long paths the end says more. */
static void cell_mapping(struct pt_table *t, const char *name)
{
    const char *slash = strrchr(name, '/');
    if (slash && slash > name && strlen(name) > 20)
        pt_table_cellf(t, "...%s", slash);
    else
        pt_table_cell(t, name);
}

static void print_mapping(const struct pt_diff *d, const struct pt_diff_mapping *m,
                          struct pt_table *t)
{
    const struct pt_diff_process *p = &d->processes[m->process];
    const bool after = p->smaps_after_us != PT_UNKNOWN;
    const int64_t read = after ? p->smaps_after_us : p->smaps_before_us;
    const int64_t end = (after ? d->to : d->from)->view->snap.real_us;
    char age[PT_UNITS_BUF];
    pt_table_cellf(t, "%" PRId64, pt_diff_who(p)->pid);
    pt_table_cell(t, pt_process_title(pt_diff_who(p)));
    cell_mapping(t, m->name);
    cell_side(t, m->bytes.before != PT_UNKNOWN, m->bytes.before);
    cell_side(t, m->bytes.after != PT_UNKNOWN, m->bytes.after);
    pt_table_bytes(t, m->bytes.delta, true);
    pt_table_cell(t,
                  pt_units_duration(age, sizeof(age), read >= end ? 0 : pt_units_minus(end, read)));
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "es";
}

/* What the table above could not know. */
static void print_mapping_notes(const struct pt_diff *d, const struct pt_session *s)
{
    size_t missing = 0, late = 0;
    for (size_t i = 0; i < d->nprocesses; i++) {
        const struct pt_diff_process *p = &d->processes[i];
        const bool own = p->side == PT_SIDE_BOTH && !p->after->kernel && changed(p);
        missing += own && (!p->smaps_before || !p->smaps_after);
        late += own && p->late;
    }
    if (late)
        fprintf(s->args->out, "the mappings of %zu process%s were first read after the start\n",
                late, plural(late));
    if (missing)
        fprintf(s->args->out, "the mappings of %zu changed process%s are not known at both ends\n",
                missing, plural(missing));
}

/* Of what is gone the process table says enough. */
static int print_mappings(const struct pt_diff *d, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        RIGHT("PID"),   NAME("COMMAND", 8), NAME("MAPPING", 12), RIGHT("BEFORE"),
        RIGHT("AFTER"), RIGHT("CHANGE"),    RIGHT("AGE")};
    struct pt_table t;
    size_t shown = 0;
    title(s, "Mappings by change of RSS + swap (AGE: read so long before the end)");
    pt_table_init(&t, columns, 7);
    for (size_t i = 0; i < d->nmappings && shown < top(s); i++) {
        const struct pt_diff_mapping *m = &d->mappings[i];
        if (d->processes[m->process].side == PT_SIDE_GONE)
            continue;
        print_mapping(d, m, &t);
        shown++;
    }
    if (shown == 0 && top(s) > 0)
        fputs("none known\n", s->args->out);
    const int rc = shown ? print(&t, s) : 0;
    print_mapping_notes(d, s);
    return rc;
}

static int print_slabs(const struct pt_diff *d, const struct pt_session *s)
{
    static const struct pt_column columns[] = {NAME("SLAB CACHE", 12), RIGHT("BEFORE"),
                                               RIGHT("AFTER"), RIGHT("CHANGE")};
    const struct pt_slabs *const sides[] = {&d->from->slabs, &d->to->slabs};
    struct pt_table t;
    size_t shown = 0;
    title(s, "Slab caches by change");
    for (unsigned i = 0; i < 2; i++) {
        if (sides[i]->presence == PT_READ || sides[i]->presence == PT_CARRIED)
            continue;
        fprintf(s->args->out, "not known: slabinfo %s\n",
                sides[i]->presence == PT_UNREADABLE ? strerror(sides[i]->why)
                : sides[i]->presence == PT_LOST     ? "is damaged"
                                                    : "was not recorded");
        return 0;
    }
    pt_table_init(&t, columns, 4);
    for (size_t i = 0; i < d->nslabs && shown < top(s) && d->slabs[i].bytes.delta != 0;
         i++, shown++) {
        const struct pt_change *c = &d->slabs[i].bytes;
        pt_table_cell(&t, d->slabs[i].name);
        cell_side(&t, c->before != PT_UNKNOWN, c->before);
        cell_side(&t, c->after != PT_UNKNOWN, c->after);
        pt_table_bytes(&t, c->delta, true);
    }
    if (shown == 0 && top(s) > 0)
        fputs("none\n", s->args->out);
    return shown ? print(&t, s) : 0;
}

int pt_diff_text(const struct pt_diff *d, const struct pt_session *a, const struct pt_session *b)
{
    print_head(d, a, b);
    int rc = b->args->verbose ? print_sheet(d, b) : print_balance(d, b);
    if (rc == 0)
        rc = b->args->by == PT_BY_PROCESS ? print_processes(d, b) : print_groups(d, b);
    if (rc == 0)
        rc = print_mappings(d, b);
    if (rc == 0)
        rc = print_slabs(d, b);
    return rc;
}
