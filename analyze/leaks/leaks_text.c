/* SPDX-License-Identifier: MIT
 * Findings as text of 80 columns: alarms first, then what grew and is none. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyze/leaks/leaks_print.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define SPARKS 8
#define HOUR   3600.0
/* Of the path of a group that has a limit. */
#define LIMIT_WIDTH 48

#define MAPPING_WIDTH 44 /* of the name of one */
/* A class that grew by less of the whole is not told of. */
#define CLASS_SHARE 0.02

/* Further than so many times the record nothing is foretold. */
#define FORESIGHT 10.0

/* The envelope in eight characters, from its least to its greatest. */
static void spark(const struct pt_env *e, char *ret)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double low = INFINITY, high = -INFINITY;
    *ret = '\0';
    for (int i = 0; i < e->n; i++) {
        low = fmin(low, e->v[i]);
        high = fmax(high, e->v[i]);
    }
    for (int i = 0; i < SPARKS && e->n >= SPARKS; i++) {
        const double v = e->v[i * (e->n - 1) / (SPARKS - 1)];
        const int level = high > low ? (int)((v - low) / (high - low) * 7.999) : 0;
        memcpy(ret, blocks[level], strlen(blocks[level]) + 1);
        ret += strlen(blocks[level]);
    }
}

const char *pt_class_brief(const char *class)
{
    static const struct {
        const char *class, *brief;
    } names[] = {
        {"descriptors", "files"},    {"page-tables", "ptes"},        {"private-file", "private"},
        {"kernel-stacks", "stacks"}, {"slab-unreclaimable", "slab"}, {"slab-reclaimable", "slab"},
        {"residual", "rest"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i].class, class) == 0)
            return names[i].brief;
    return class;
}

/* What people want to know: at this rate, until it is full. No wider than its title. */
static void when_full(const struct pt_leaks *l, const struct pt_finding *f, char *buf, size_t size)
{
    const double t = f->ruling.exhaustion;
    if (isnan(t))
        snprintf(buf, size, "?");
    else if (t > FORESIGHT * l->timeline.end)
        snprintf(buf, size, "> 10x");
    else if (t < 100)
        snprintf(buf, size, "%.0f s", t);
    else if (t < 100 * 60)
        snprintf(buf, size, "%.0f min", t / 60);
    else if (t < 48 * HOUR)
        snprintf(buf, size, "%.1f h", t / HOUR);
    else
        snprintf(buf, size, "%.1f d", t / (24 * HOUR));
}

static void rate_of(const struct pt_finding *f, char *buf, size_t size)
{
    pt_units_bytes(buf, size, pt_units_whole(f->ruling.b * HOUR), true);
}

/* "by class: heap +12.0 MiB, anon +512 KiB". */
static void classes(FILE *out, const struct pt_finding *f, const char *indent)
{
    char bytes[PT_UNITS_BUF];
    const char *lead = "by class:";
    for (int c = 0; c < PT_CLASS_COUNT && f->readings; c++) {
        if (fabs(f->classes[c]) < CLASS_SHARE * fabs(f->ruling.growth))
            continue;
        fprintf(out, "%s%s %s %s", *lead == 'b' ? indent : "", lead,
                pt_class_name((enum pt_class)c),
                pt_units_bytes(bytes, sizeof(bytes), (int64_t)f->classes[c], true));
        lead = ",";
    }
    if (*lead == ',')
        fputc('\n', out);
}

static void evidence(FILE *out, const struct pt_finding *f, const char *indent)
{
    for (int i = 0; i < f->ruling.nevidence; i++)
        fprintf(out, "%s%c %s\n", indent, f->ruling.evidence[i].passed ? '+' : '-',
                f->ruling.evidence[i].text);
    classes(out, f, "      ");
    for (int i = 0; i < f->parts.ntop && i < 3; i++) {
        char bytes[PT_UNITS_BUF];
        struct pt_buf name;
        pt_buf_init(&name, 4096);
        pt_text_fit(f->parts.top[i].name, strlen(f->parts.top[i].name), MAPPING_WIDTH, &name);
        fprintf(out, "%s  %s in %.*s (%s)\n", indent,
                pt_units_bytes(bytes, sizeof(bytes), (int64_t)f->parts.top[i].growth, true),
                (int)name.len, (const char *)name.data, pt_class_name(f->parts.top[i].of));
        pt_buf_release(&name);
    }
}

/* Why it is not called a leak: the last thing that spoke against it. */
static const char *reason(const struct pt_finding *f)
{
    const struct pt_ruling *r = &f->ruling;
    const char *text = "";
    for (int i = 0; i < r->nevidence; i++)
        if (!r->evidence[i].passed && strcmp(r->evidence[i].test, "second-look") != 0 &&
            strcmp(r->evidence[i].test, "mappings") != 0)
            text = r->evidence[i].text;
    return text;
}

static void print_since(const struct pt_leaks *l, const struct pt_finding *f, FILE *out,
                        int32_t offset)
{
    char since[PT_UNITS_BUF], low[PT_UNITS_BUF], high[PT_UNITS_BUF];
    const struct pt_ruling *r = &f->ruling;
    fprintf(out, "    since %s, %s to %s an hour",
            pt_units_time(since, sizeof(since), pt_timeline_real(&l->timeline, r->since), offset),
            pt_units_bytes(low, sizeof(low), pt_units_whole(r->low * HOUR), false),
            pt_units_bytes(high, sizeof(high), pt_units_whole(r->high * HOUR), false));
    if (!isnan(r->exhaustion) && isfinite(r->exhaustion_high) &&
        r->exhaustion_high <= FORESIGHT * l->timeline.end) {
        struct pt_buf limit;
        pt_buf_init(&limit, 4096);
        pt_text_fit(f->limit ? f->limit : "?", f->limit ? strlen(f->limit) : 1, LIMIT_WIDTH,
                    &limit);
        fprintf(out, "\n    %.*s full in %s to %s", (int)limit.len, (const char *)limit.data,
                pt_units_duration(low, sizeof(low), pt_units_us(r->exhaustion_low)),
                pt_units_duration(high, sizeof(high), pt_units_us(r->exhaustion_high)));
        pt_buf_release(&limit);
    }
    fputc('\n', out);
}

static int print_row(const struct pt_leaks *l, const struct pt_session *s,
                     const struct pt_finding *f, struct pt_table *t)
{
    char title[512], verdict[64], text[PT_UNITS_BUF + 8], shape[4 * SPARKS + 1];
    const struct pt_ruling *r = &f->ruling;
    const bool alarm = pt_verdict_alarms(r->verdict);
    (void)s;
    snprintf(verdict, sizeof(verdict), "%s%s%s", pt_verdict_name(r->verdict), alarm ? " " : "",
             alarm ? pt_confidence_name(r->confidence) : "");
    pt_table_cell(t, verdict);
    pt_finding_title(f, title, sizeof(title));
    pt_table_cell(t, title);
    pt_table_cell(t, pt_class_brief(f->what));
    pt_table_cell(t, pt_units_bytes(text, sizeof(text),
                                    isnan(r->growth) ? PT_UNKNOWN : (int64_t)r->growth, true));
    if (alarm) {
        rate_of(f, text, sizeof(text));
        pt_table_cell(t, text);
        when_full(l, f, text, sizeof(text));
        pt_table_cell(t, text);
    }
    spark(&r->env, shape);
    pt_table_cell(t, shape);
    return 0;
}

/* A table of the findings that are alarms, or of those that are not; with -v one at a time and its
 * evidence beneath. Returns how many there were; < 0: no memory. */
static int64_t print_table(const struct pt_leaks *l, const struct pt_session *s, bool alarms,
                           int32_t offset)
{
    static const struct pt_column alarm_columns[] = {
        {"VERDICT", false, 11}, {"WHO", false, 13},   {"CLASS", false, 7}, {"GROWTH", true, 0},
        {"AN HOUR", true, 0},   {"FULL IN", true, 0}, {"SHAPE", false, 0}};
    static const struct pt_column columns[] = {{"VERDICT", false, 0},
                                               {"WHO", false, 16},
                                               {"CLASS", false, 7},
                                               {"GROWTH", true, 0},
                                               {"SHAPE", false, 0}};
    FILE *out = s->args->out;
    const int64_t top = s->args->top == PT_UNKNOWN ? alarms ? INT64_MAX : 10 : s->args->top;
    int64_t n = 0;
    int rc = 0;
    struct pt_table t;
    pt_table_init(&t, alarms ? alarm_columns : columns, alarms ? 7 : 5);
    for (size_t i = 0; i < l->n + l->nquiet && rc >= 0; i++) {
        struct pt_finding quiet;
        const struct pt_finding *f = i < l->n ? &l->v[i] : &quiet;
        if (i >= l->n)
            quiet = pt_quiet_finding(&l->quiet[i - l->n]);
        if (pt_verdict_alarms(f->ruling.verdict) != alarms || !pt_finding_shown(f, s->args) ||
            n++ >= top)
            continue;
        print_row(l, s, f, &t);
        if (!s->args->verbose)
            continue;
        rc = pt_table_end(&t, out, s->args->colour);
        pt_table_init(&t, alarms ? alarm_columns : columns, alarms ? 7 : 5);
        t.no_titles = true;
        if (alarms)
            print_since(l, f, out, offset);
        evidence(out, f, "    ");
    }
    if (t.ncells)
        rc = pt_table_end(&t, out, s->args->colour);
    if (n > top)
        fprintf(out, "and %" PRId64 " more (--top %" PRId64 ")\n", n - top, n);
    return rc < 0 ? rc : n;
}

static void print_head(const struct pt_leaks *l, const struct pt_session *s)
{
    FILE *out = s->args->out;
    const struct pt_timeline *t = &l->timeline;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    const int32_t offset = s->args->utc ? 0 : t->utc_offset_s;
    fprintf(out, "from %s  @%" PRId64 "\n", pt_units_time(a, sizeof(a), t->first_us, offset),
            t->first);
    fprintf(out, "to   %s  @%" PRId64 "\n", pt_units_time(a, sizeof(a), t->last_us, offset),
            t->last);
    fprintf(out, "span %s, %" PRId64 " snapshots, %zu series",
            pt_units_duration(a, sizeof(a), pt_units_us(t->end)), t->count, l->series);
    if (!isnan(l->available))
        fprintf(out, "\navailable memory %s an hour",
                pt_units_bytes(b, sizeof(b), pt_units_whole(l->available * HOUR), true));
    fputc('\n', out);
    if (!isnan(l->explained))
        fprintf(out, "the alarms explain %.0f%% of that\n", 100 * l->explained);
}

/* What could not be known. */
static void print_limits(const struct pt_leaks *l, FILE *out)
{
    const struct pt_timeline *t = &l->timeline;
    char a[PT_UNITS_BUF];
    size_t n;
    const double gaps = pt_timeline_unrecorded(t, false, &n);
    if (n)
        fprintf(out, "nothing was recorded for %s (%zu gap%s)\n",
                pt_units_duration(a, sizeof(a), pt_units_us(gaps)), n, n == 1 ? "" : "s");
    const double off = pt_timeline_unrecorded(t, true, &n);
    if (n)
        fprintf(out, "nothing was recorded for %s around %zu reboot%s\n",
                pt_units_duration(a, sizeof(a), pt_units_us(off)), n, n == 1 ? "" : "s");
    if (t->nboots > 1)
        fprintf(out, "%zu boots: processes are followed within each, services across\n", t->nboots);
    if (t->clock_steps)
        fprintf(out, "the clock was set %" PRIu32 " time%s: times are by the clock as it was\n",
                t->clock_steps, t->clock_steps == 1 ? "" : "s");
    if (l->lives.unreadable)
        fprintf(out, "the memory of %" PRIu64 " processes could not be read\n",
                l->lives.unreadable);
    if (!l->smaps)
        fputs("no mappings were read: in which kind of memory growth sits is not known\n", out);
}

/* No leak is good news only of what was known for long enough; of one subject, where one was asked
 * for. */
static void print_none(const struct pt_leaks *l, const struct pt_args *args)
{
    size_t all = 0, insufficient = 0;
    for (size_t i = 0; i < l->n; i++)
        all += !args->subject || pt_finding_shown(&l->v[i], args);
    for (size_t i = 0; i < l->nquiet; i++) {
        const struct pt_finding quiet = pt_quiet_finding(&l->quiet[i]);
        const bool asked = !args->subject || pt_finding_shown(&quiet, args);
        all += asked;
        insufficient += asked && quiet.ruling.verdict == PT_INSUFFICIENT;
    }
    if (insufficient == 0)
        fputs("no leak found\n", args->out);
    else if (insufficient == all)
        fputs("no leak found, but all is too short to tell: record for longer\n", args->out);
    else
        fprintf(args->out, "no leak found; %zu of %zu series are too short to tell\n", insufficient,
                all);
}

int pt_leaks_text(const struct pt_leaks *l, const struct pt_session *s)
{
    FILE *out = s->args->out;
    const int32_t offset = s->args->utc ? 0 : l->timeline.utc_offset_s;
    size_t stable = 0, insufficient = 0;
    print_head(l, s);
    fputc('\n', out);
    const int64_t alarms = print_table(l, s, true, offset);
    for (size_t i = 0; i < l->nquiet; i++) {
        stable += l->quiet[i].verdict == PT_STABLE;
        insufficient += l->quiet[i].verdict == PT_INSUFFICIENT;
    }
    if (alarms == 0)
        print_none(l, s->args);
    fputs("\nGrew or moved, and is not called a leak\n", out);
    const int64_t others = alarms < 0 ? alarms : print_table(l, s, false, offset);
    if (others == 0)
        fputs("nothing\n", out);
    if (others < 0)
        return -1;
    for (size_t i = 0; i < l->n && !s->args->verbose && s->args->subject; i++)
        if (pt_finding_shown(&l->v[i], s->args) && *reason(&l->v[i]))
            fprintf(out, "  %s\n", reason(&l->v[i]));
    fprintf(out, "\n%zu stable, %zu too short to tell%s\n", stable, insufficient,
            s->args->all ? "" : " (--all)");
    print_limits(l, out);
    return 0;
}
