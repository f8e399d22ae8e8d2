/* SPDX-License-Identifier: MIT
 * A kill looked into, as text. */
#include <inttypes.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define INDENT 4

struct print {
    const struct pt_oom_case *c;
    const struct pt_session *s;
    FILE *out;
    size_t top;
};

static void cell_percent(struct pt_table *t, double v)
{
    if (v < 0)
        pt_table_cell(t, "?");
    else
        pt_table_cellf(t, "%.1f%%", v);
}

static void title(const struct print *p, const char *text)
{
    fprintf(p->out, p->s->args->colour ? "\n%*s\033[1m%s\033[0m\n" : "\n%*s%s\n", INDENT, "", text);
}

static void begin(struct pt_table *t, const struct pt_column *columns, unsigned n)
{
    pt_table_init(t, columns, n);
    t->indent = "    ";
}

static int end(const struct print *p, struct pt_table *t)
{
    return pt_table_end(t, p->out, p->s->args->colour);
}

static int wrapped(const struct print *p, const char *text)
{
    return pt_text_print(p->out, "", INDENT, text);
}

static int print_constraint(const struct print *p)
{
    const struct pt_oom_case *c = p->c;
    const char *name = c->cgroup ? c->cgroup : "?";
    char text[1024];
    switch (c->constraint) {
    case PT_CONSTRAINT_HOST:
        snprintf(text, sizeof(text), "the whole machine was out of memory");
        break;
    case PT_CONSTRAINT_CGROUP:
        snprintf(text, sizeof(text), "the control group %s was at its limit", name);
        break;
    case PT_CONSTRAINT_CPUSET:
    case PT_CONSTRAINT_POLICY:
        snprintf(text, sizeof(text), "the nodes of its %s were out of memory",
                 pt_constraint_name(c->constraint));
        break;
    case PT_CONSTRAINT_NONE:
        snprintf(text, sizeof(text), "whose limit it was is not known");
        break;
    }
    if (c->counted)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 " (inferred: the kernel log could not be read)");
    return wrapped(p, text);
}

static void cell_clock(struct pt_table *t, const struct print *p, const struct pt_oom_minute *m)
{
    enum { DATE = 11, TIME = 8 };
    char text[PT_UNITS_BUF];
    pt_units_time(text, sizeof(text), m->real_us, p->s->args->utc ? 0 : m->utc_offset_s);
    pt_table_cellf(t, "%.*s", TIME, strlen(text) >= DATE + TIME ? text + DATE : text);
}

static int print_minutes(const struct print *p)
{
    static const struct pt_column columns[] = {{"TIME", false, 0},     {"AVAILABLE", true, 0},
                                               {"SWAP USED", true, 0}, {"SOME", true, 0},
                                               {"FULL", true, 0},      {"GROUP", true, 0}};
    struct pt_table t;
    bool group = false;
    for (unsigned i = 0; i < p->c->nminutes; i++)
        group |= p->c->minutes[i].usage != PT_UNKNOWN;
    title(p, "The minutes before (SOME, FULL: share of 10 s in which some or all waited)");
    begin(&t, columns, group ? 6 : 5);
    for (unsigned i = 0; i < p->c->nminutes; i++) {
        const struct pt_oom_minute *m = &p->c->minutes[i];
        cell_clock(&t, p, m);
        pt_table_bytes(&t, m->available, false);
        pt_table_bytes(&t, m->swap_used, false);
        cell_percent(&t, m->some);
        cell_percent(&t, m->full);
        if (group)
            pt_table_bytes(&t, m->usage, false);
    }
    return end(p, &t);
}

static int print_growers(const struct print *p)
{
    static const struct pt_column columns[] = {{"PID", true, 0},      {"BEFORE", true, 0},
                                               {"AFTER", true, 0},    {"CHANGE", true, 0},
                                               {"SERVICE", false, 8}, {"COMMAND", false, 12}};
    struct pt_table t;
    title(p, "Who had grown meanwhile (anonymous memory and swap)");
    if (p->c->ngrowers == 0) {
        fprintf(p->out, "%*s%s\n", INDENT, "",
                p->c->damaged ? "not known: the recording is damaged there" : "nobody");
        return 0;
    }
    begin(&t, columns, 6);
    for (size_t i = 0; i < p->c->ngrowers && i < p->top; i++) {
        const struct pt_oom_grower *g = &p->c->growers[i];
        char text[512];
        pt_table_cellf(&t, "%" PRId64, g->after->pid);
        if (g->before)
            pt_table_bytes(&t, g->was, false);
        else
            pt_table_cell(&t, "-");
        pt_table_bytes(&t, g->is, false);
        pt_table_bytes(&t, g->delta, true);
        pt_table_cell(&t, g->after->service ? g->after->service : "-");
        pt_table_cell(&t, pt_process_command(g->after, text, sizeof(text)));
    }
    return end(p, &t);
}

static const char *mark_of(const struct pt_oom_case *c, const struct pt_candidate *one)
{
    return c->killed && one->process == c->before.subject ? "killed"
           : one == c->next                               ? (c->killed ? "next" : "first")
           : one->exempt                                  ? "exempt"
                                                          : "";
}

static void cell_adj(struct pt_table *t, const struct pt_candidate *c)
{
    if (c->guessed)
        pt_table_cell(t, "?");
    else
        pt_table_cellf(t, "%" PRId64, c->process->oom_adj);
}

static int print_candidates(const struct print *p)
{
    static const struct pt_column columns[] = {
        {"PID", true, 0}, {"RSS", true, 0},     {"SWAP", true, 0},      {"TABLES", true, 0},
        {"ADJ", true, 0}, {"BADNESS", true, 0}, {"COMMAND", false, 12}, {"", false, 0}};
    struct pt_table t;
    title(p, "Whom the kernel would choose, by its rule (ADJ: oom_score_adj)");
    if (p->c->ncandidates == 0) {
        fprintf(p->out, "%*snobody that this recording knows\n", INDENT, "");
        return 0;
    }
    begin(&t, columns, 8);
    for (size_t i = 0; i < p->c->ncandidates; i++) {
        const struct pt_candidate *c = &p->c->candidates[i];
        char text[512];
        if (i >= p->top && !*mark_of(p->c, c))
            continue;
        if (i >= p->top && c->exempt)
            continue;
        pt_table_cellf(&t, "%" PRId64, c->process->pid);
        pt_table_bytes(&t, c->process->m[PT_RSS], false);
        pt_table_bytes(&t, c->process->m[PT_SWAP], false);
        pt_table_bytes(&t, c->process->pgtables, false);
        cell_adj(&t, c);
        pt_table_bytes(&t, c->badness, false);
        pt_table_cell(&t, pt_process_command(c->process, text, sizeof(text)));
        pt_table_cell(&t, mark_of(p->c, c));
    }
    const int rc = end(p, &t);
    if (p->c->kills_asker)
        fprintf(p->out, "%*svm.oom_kill_allocating_task is set: whoever asks is killed instead\n",
                INDENT, "");
    return rc;
}

static int print_zones(const struct print *p)
{
    static const struct pt_column columns[] = {{"ZONE", false, 8}, {"FREE", true, 0},
                                               {"MIN", true, 0},   {"LOW", true, 0},
                                               {"HIGH", true, 0},  {"", false, 0}};
    struct pt_table t;
    title(p, "Free memory of each zone against its watermarks");
    if (p->c->zones.n == 0) {
        fprintf(p->out, "%*snot known: zoneinfo was not recorded\n", INDENT, "");
        return 0;
    }
    begin(&t, columns, 6);
    for (size_t i = 0; i < p->c->zones.n; i++) {
        const struct pt_zone *z = &p->c->zones.v[i];
        pt_table_cell(&t, z->name);
        pt_table_bytes(&t, z->free, false);
        pt_table_bytes(&t, z->min, false);
        pt_table_bytes(&t, z->low, false);
        pt_table_bytes(&t, z->high, false);
        pt_table_cell(&t, pt_zone_state(z));
    }
    return end(p, &t);
}

int pt_oom_text(const struct pt_oom_case *c, const struct pt_session *s, size_t top)
{
    const struct print p = {.c = c, .s = s, .out = s->args->out, .top = top};
    int rc = c->killed ? print_constraint(&p) : 0;
    if (rc >= 0 && !c->found)
        return wrapped(&p, c->damaged ? "what stood before it cannot be read: the recording is "
                                        "damaged there"
                                      : "there is no snapshot before it");
    if (rc >= 0 && c->damaged)
        rc = wrapped(&p, "the recording is damaged there: what is missing is left out");
    if (rc >= 0 && c->killed)
        rc = pt_before_print(s, &c->before, top);
    if (rc >= 0)
        rc = print_minutes(&p);
    if (rc >= 0)
        rc = print_growers(&p);
    if (rc >= 0)
        rc = print_candidates(&p);
    return rc >= 0 ? print_zones(&p) : rc;
}
