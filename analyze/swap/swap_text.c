/* SPDX-License-Identifier: MIT
 * What swap did as text of 80 columns: first whether it matters. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"
#include "analyze/swap/swap.h"

#define EPISODES_SHOWN  10
#define PROCESSES_SHOWN 10
#define PARTS_SHOWN     3
#define SPARKS          12
#define TEXT_MAX        4096

struct printer {
    const struct pt_swap *w;
    const struct pt_session *s;
    FILE *out;
    int32_t offset;
};

static char *bytes(char *buf, double v)
{
    return pt_units_bytes(buf, PT_UNITS_BUF, pt_swap_whole(v), false);
}

static char *duration(char *buf, double seconds)
{
    return pt_units_duration(buf, PT_UNITS_BUF, pt_swap_whole(seconds * 1e6));
}

static char *percent(char *buf, double share)
{
    if (isfinite(share))
        snprintf(buf, PT_UNITS_BUF, "%.0f%%", 100 * share);
    else
        snprintf(buf, PT_UNITS_BUF, "?");
    return buf;
}

static int64_t top_of(const struct printer *p, int64_t usual)
{
    return p->s->args->top == PT_UNKNOWN ? usual : p->s->args->top;
}

/* ---- episodes ---- */

static void who(const struct pt_swap *w, uint32_t process, char *buf, size_t size)
{
    const struct pt_life *l = w->processes[process].life;
    snprintf(buf, size, "%" PRId64 " %s%s%s%s", l->pid, l->comm ? l->comm : "?",
             l->service ? " (" : "", l->service ? l->service : "", l->service ? ")" : "");
}

static void print_victims(const struct printer *p, const struct pt_swap_blame *b)
{
    for (unsigned i = 0; i < b->nvictims && (i < PARTS_SHOWN || p->s->args->verbose); i++) {
        char name[400], text[600], back[PT_UNITS_BUF], faults[PT_UNITS_BUF];
        const struct pt_swap_part *v = &b->victims[i];
        who(p->w, v->process, name, sizeof(name));
        snprintf(text, sizeof(text), "hurt:   %s: %s major faults, %s back from swap", name,
                 pt_units_count(faults, sizeof(faults), v->majflt, false),
                 pt_units_bytes(back, sizeof(back), v->refilled, false));
        pt_text_print(p->out, "", 4, text);
    }
    if (b->nvictims == 0)
        pt_text_print(p->out, "", 4, "hurt:   nobody that was recorded");
}

static void print_aggressors(const struct printer *p, const struct pt_swap_blame *b)
{
    for (unsigned i = 0; i < b->naggressors && (i < PARTS_SHOWN || p->s->args->verbose); i++) {
        char name[400], text[600], growth[PT_UNITS_BUF];
        who(p->w, b->aggressors[i].process, name, sizeof(name));
        snprintf(text, sizeof(text), "grew:   %s: %s", name,
                 pt_units_bytes(growth, sizeof(growth), b->aggressors[i].growth, true));
        pt_text_print(p->out, "", 4, text);
    }
    if (b->naggressors == 0)
        pt_text_print(p->out, "", 4, "grew:   nobody, by much");
}

static void print_details(const struct printer *p, size_t i)
{
    const struct pt_swap_episode *e = &p->w->episodes.v[i];
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], text[400];
    if (e->state == PT_SWAP_PARKED)
        return;
    snprintf(text, sizeof(text), "at most %s/s in and %s/s out%s", bytes(a, e->peak_in),
             bytes(b, e->peak_out), e->zin > 0 || e->zout > 0 ? ", zswap included" : "");
    pt_text_print(p->out, "", 4, text);
    if (isfinite(e->refault)) {
        snprintf(text, sizeof(text),
                 "%s of what came back had just been pushed out, %s of that while in use",
                 percent(a, e->refault), percent(b, e->restore));
        pt_text_print(p->out, "", 4, text);
    }
    const double reclaimed = e->steal_direct + e->steal_kswapd;
    if (reclaimed > 0) {
        snprintf(text, sizeof(text),
                 "%s of reclaim was direct: tasks had to free memory themselves",
                 percent(a, e->steal_direct / reclaimed));
        pt_text_print(p->out, "", 4, text);
    }
    if (!e->blamed) {
        pt_text_print(p->out, "", 4, "whom it hurt was not looked into: others cost more");
        return;
    }
    print_victims(p, &p->w->blame[i]);
    print_aggressors(p, &p->w->blame[i]);
}

/* Each is a table of its own, with what is told of it beneath: cells are as wide as they get. */
static void add_episode(const struct printer *p, const struct pt_swap_episode *e,
                        struct pt_table *t)
{
    char text[PT_UNITS_BUF];
    pt_table_cellf(t, "%-17s", pt_swap_state_name(e->state));
    pt_units_time(text, sizeof(text), pt_timeline_real(&p->w->timeline, e->from), p->offset);
    char *zone = strrchr(text, ' '); /* the head of the report tells it */
    if (zone && strchr(text, ' ') != zone)
        *zone = '\0';
    const char *day = strchr(text, '-'); /* and the year */
    pt_table_cellf(t, "%14s", day ? day + 1 : text);
    pt_table_cellf(t, "%11s", duration(text, e->to - e->from));
    pt_table_cellf(t, "%9s", bytes(text, e->in));
    pt_table_cellf(t, "%9s", bytes(text, e->out));
    pt_table_cell(t, duration(text, e->some));
}

static int print_episodes(const struct printer *p)
{
    static const struct pt_column columns[] = {{"EPISODE", false, 0}, {"FROM", false, 0},
                                               {"LASTED", true, 0},   {"IN", true, 0},
                                               {"OUT", true, 0},      {"STALLED", false, 0}};
    const struct pt_swap_episodes *e = &p->w->episodes;
    const int64_t top = top_of(p, p->s->args->verbose ? INT64_MAX : EPISODES_SHOWN);
    int64_t n = 0, shown = 0;
    bool *worst = malloc(e->n ? e->n : 1);
    int rc = worst ? pt_swap_episodes_worst(e, (size_t)top, worst) : -1;
    for (size_t i = 0; i < e->n && rc >= 0; i++) {
        struct pt_table t;
        n += e->v[i].state != PT_SWAP_PARKED; /* with -v only: nothing is to be done about it */
        if (!worst[i] && !p->s->args->verbose)
            continue;
        if (shown == 0)
            fputc('\n', p->out);
        pt_table_init(&t, columns, 6);
        t.no_titles = shown++ > 0;
        add_episode(p, &e->v[i], &t);
        rc = pt_table_end(&t, p->out, p->s->args->colour);
        print_details(p, i);
    }
    free(worst);
    if (n > top)
        fprintf(p->out, "and %" PRId64 " more that cost less (--top %" PRId64 ")\n", n - top, n);
    return rc;
}

/* ---- processes ---- */

/* What it had in swap over its life, in blocks; blank where it is not known. */
static void spark(const struct pt_curve *c, char *ret)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;
    *ret = '\0';
    for (uint32_t i = 0; i < c->n; i++)
        most = fmax(most, c->cell[i].time > 0 ? (double)c->cell[i].max : 0);
    for (uint32_t i = 0; i < SPARKS && c->n >= SPARKS && most > 0; i++) {
        double v = NAN;
        for (uint32_t k = i * c->n / SPARKS; k < (i + 1) * c->n / SPARKS; k++)
            if (c->cell[k].time > 0)
                v = fmax(v, (double)c->cell[k].max);
        const char *block = isnan(v) ? " " : blocks[(int)(v / most * 7.999)];
        memcpy(ret, block, strlen(block) + 1);
        ret += strlen(block);
    }
}

static void add_process(const struct pt_swap_process *q, struct pt_table *t)
{
    char text[PT_UNITS_BUF], shape[4 * SPARKS];
    pt_table_cellf(t, "%" PRId64, q->life->pid);
    pt_table_cell(t, q->life->comm ? q->life->comm : "?");
    pt_table_cell(t, q->life->died ? "ended" : pt_units_bytes(text, sizeof(text), q->last, false));
    pt_table_bytes(t, q->most, false);
    pt_table_bytes(t, q->swapped_in, false);
    pt_table_bytes(t, q->swap_pss, false);
    pt_table_bytes(t, q->shmem_swap, false);
    spark(&q->swap, shape);
    pt_table_cell(t, shape);
}

static int print_processes(const struct printer *p)
{
    static const struct pt_column columns[] = {
        {"PID", true, 0},  {"COMM", false, 6}, {"SWAP", true, 0},  {"MOST", true, 0},
        {"BACK", true, 0}, {"PSS", true, 0},   {"SHMEM", true, 0}, {"OVER TIME", false, 0}};
    const int64_t top = top_of(p, p->s->args->verbose ? INT64_MAX : PROCESSES_SHOWN);
    struct pt_table t;
    int64_t n = 0;
    pt_table_init(&t, columns, 8);
    for (size_t i = 0; i < p->w->nprocesses; i++) {
        const struct pt_swap_process *q = &p->w->processes[i];
        if ((q->most > 0 || q->shmem_swap > 0) && n++ < top)
            add_process(q, &t);
    }
    if (n)
        fputs(
            "\nWhat processes had in swap (PSS: shared pages divided; SHMEM: not in the others)\n",
            p->out);
    const int rc = t.ncells ? pt_table_end(&t, p->out, p->s->args->colour) : 0;
    if (n > top)
        fprintf(p->out, "and %" PRId64 " more (--top %" PRId64 ")\n", n - top, n);
    return rc;
}

/* ---- devices, and who holds it ---- */

static void print_compressed(const struct printer *p, const char *name, int64_t original,
                             int64_t compressed, int64_t memory)
{
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], ratio[PT_UNITS_BUF] = "?", text[400];
    if (compressed > 0 && original != PT_UNKNOWN)
        snprintf(ratio, sizeof(ratio), "%.1f", (double)original / (double)compressed);
    snprintf(text, sizeof(text), "%s holds %s, compressed %s to 1, in %s of memory", name,
             pt_units_bytes(a, sizeof(a), original, false), ratio,
             pt_units_bytes(b, sizeof(b), memory, false));
    pt_text_print(p->out, "", 0, text);
}

static int print_devices(const struct printer *p)
{
    static const struct pt_column columns[] = {{"SWAP AREA", false, 12}, {"TYPE", false, 0},
                                               {"SIZE", true, 0},        {"USED", true, 0},
                                               {"MOST", true, 0},        {"PRIO", true, 0}};
    const struct pt_swap *w = p->w;
    char text[PT_UNITS_BUF];
    struct pt_table t;
    pt_table_init(&t, columns, 6);
    for (size_t i = 0; i < w->ndevices; i++) {
        const struct pt_swap_device *d = &w->devices[i];
        pt_table_cell(&t, d->name);
        pt_table_cell(&t, d->type ? d->type : "?");
        pt_table_bytes(&t, d->size, false);
        pt_table_cell(&t, d->gone ? "gone" : pt_units_bytes(text, sizeof(text), d->used, false));
        pt_table_bytes(&t, d->most, false);
        pt_table_cell(&t, pt_units_count(text, sizeof(text), d->priority, false));
    }
    if (t.ncells)
        fputc('\n', p->out);
    const int rc = t.ncells ? pt_table_end(&t, p->out, p->s->args->colour) : 0;
    for (size_t i = 0; i < w->ndevices; i++)
        if (w->devices[i].zram)
            print_compressed(p, w->devices[i].name, w->devices[i].original,
                             w->devices[i].compressed, w->devices[i].memory);
    if (w->zswap.most_stored > 0)
        print_compressed(p, "zswap", w->zswap.stored, w->zswap.pool, w->zswap.pool);
    return rc;
}

static int print_held(const struct printer *p)
{
    static const struct pt_column columns[] = {{"IN SWAP AT THE END", false, 0}, {"", true, 0}};
    const struct pt_swap_held *h = &p->w->held;
    const struct {
        const char *name;
        int64_t bytes;
        bool sign;
    } lines[] = {
        {"processes (VmSwap)", h->processes, false},
        {"in memory too (SwapCached)", h->cached, false},
        {"System V shared memory", h->shm, false},
        {"other shared memory that is mapped", h->mapped, false},
        {"shown by no process", h->rest, true},
        {"in use", h->used, false},
    };
    struct pt_table t;
    if (h->used == PT_UNKNOWN || h->used == 0)
        return 0;
    pt_table_init(&t, columns, 2);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        pt_table_cell(&t, lines[i].name);
        pt_table_bytes(&t, lines[i].bytes, lines[i].sign);
    }
    fputc('\n', p->out);
    return pt_table_end(&t, p->out, p->s->args->colour);
}

/* ---- the whole ---- */

static void print_head(const struct printer *p)
{
    const struct pt_timeline *t = &p->w->timeline;
    char a[PT_UNITS_BUF], text[400];
    fprintf(p->out, "from %s  @%" PRId64 "\n", pt_units_time(a, sizeof(a), t->first_us, p->offset),
            t->first);
    fprintf(p->out, "to   %s  @%" PRId64 "\n\n", pt_units_time(a, sizeof(a), t->last_us, p->offset),
            t->last);
    pt_text_print(p->out, "", 0, pt_swap_sentence(p->w, text, sizeof(text)));
    /* a bin of ten seconds is two intervals at most where these are shorter */
    if (p->w->all.average > 20) {
        snprintf(text, sizeof(text), "rates are averages over %s: snapshots are so far apart",
                 duration(a, p->w->all.average));
        pt_text_print(p->out, "", 0, text);
    }
}

static void print_missing(const struct printer *p)
{
    bool any = false;
    for (uint32_t bit = 1; bit <= PT_SWAP_NO_VMSWAP; bit <<= 1) {
        if (!(p->w->missing & bit))
            continue;
        fputs(any ? "" : "\nNot known\n", p->out);
        any = true;
        pt_text_print(p->out, "", 2, pt_swap_missing_text((enum pt_swap_missing)bit));
    }
}

int pt_swap_text(const struct pt_swap *w, const struct pt_session *s)
{
    const struct printer p = {
        .w = w, .s = s, .out = s->args->out, .offset = s->args->utc ? 0 : w->timeline.utc_offset_s};
    print_head(&p);
    int rc = print_episodes(&p);
    if (rc >= 0)
        rc = print_processes(&p);
    if (rc >= 0)
        rc = print_devices(&p);
    if (rc >= 0)
        rc = print_held(&p);
    print_missing(&p);
    return rc;
}
