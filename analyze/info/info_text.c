/* SPDX-License-Identifier: MIT
 * What a recording holds, as text: a label, and what there is to say of it. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "analyze/info/info.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define LABEL 13 /* columns */

/* One label's text, made fit for a terminal and its lines for 80 columns. */
static void line(const struct pt_session *s, const char *label, const char *text)
{
    pt_text_print(s->args->out, label, LABEL, text);
}

/* What is said under one label, put together piece by piece: ", " before each but the first. */
struct list {
    char text[2048];
    size_t n;
};

static void add(struct list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct list *l, const char *fmt, ...)
{
    va_list ap;
    if (l->n > 0 && l->n + 2 < sizeof(l->text)) {
        memcpy(l->text + l->n, ", ", 3);
        l->n += 2;
    }
    va_start(ap, fmt);
    const int len = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, fmt, ap);
    va_end(ap);
    if (len > 0)
        l->n = l->n + (size_t)len < sizeof(l->text) ? l->n + (size_t)len : sizeof(l->text) - 1;
}

/* "3 things", when there are any. */
static void add_count(struct list *l, int64_t n, const char *one, const char *many)
{
    if (n > 0)
        add(l, "%" PRId64 " %s", n, n == 1 ? one : many);
}

static void end(const struct pt_session *s, const char *label, const struct list *l)
{
    if (l->n > 0)
        line(s, label, l->text);
}

static void print_host(const struct pt_session *s)
{
    const struct pt_meta *m = pt_db_meta(s->db);
    char text[512], size[PT_UNITS_BUF], cpus[PT_UNITS_BUF];
    line(s, "host", *m->host ? m->host : "?");
    snprintf(text, sizeof(text), "%s %s", *m->kernel ? m->kernel : "?", m->arch);
    line(s, "kernel", text);
    snprintf(text, sizeof(text), "%s, %s CPU%s, pages of %" PRId64 " bytes",
             pt_units_bytes(size, sizeof(size),
                            m->mem_total_kb > 0 ? m->mem_total_kb * 1024 : PT_UNKNOWN, false),
             pt_units_count(cpus, sizeof(cpus), m->cpus > 0 ? m->cpus : PT_UNKNOWN, false),
             m->cpus == 1 ? "" : "s", m->page_size);
    line(s, "memory", text);
    if (*m->program)
        line(s, "recorder", m->program);
}

static void print_boots(const struct pt_session *s, int32_t offset)
{
    FILE *out = s->args->out;
    char when[PT_UNITS_BUF];
    fprintf(out, "%-*s %u\n", LABEL - 1, "boots", pt_db_boots(s->db));
    for (uint32_t i = 0; pt_db_boots(s->db) > 1 && i < pt_db_boots(s->db); i++) {
        const struct pt_boot *boot = pt_db_boot(s->db, i);
        pt_units_time(when, sizeof(when), boot->btime_us, offset);
        if (boot->first > 0)
            fprintf(out, "%*s@%" PRId64 " to @%" PRId64 ", booted %s\n", LABEL, "", boot->first,
                    boot->last, when);
        else
            fprintf(out, "%*sno snapshots, booted %s\n", LABEL, "", when);
    }
}

static void print_span(const struct pt_session *s, const struct pt_info *info)
{
    enum { GAPS = 5 };
    FILE *out = s->args->out;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    struct pt_snap snap;
    if (s->span.count == 0) {
        line(s, "snapshots", "none");
        return;
    }
    const int32_t offset =
        s->args->utc || pt_db_snap(s->db, s->span.last, &snap, NULL) < 0 ? 0 : snap.utc_offset_s;
    fprintf(out, "%-*s %s  @%" PRId64 "\n", LABEL - 1, "first",
            pt_units_time(a, sizeof(a), s->span.first_us, offset), s->span.first);
    fprintf(out, "%-*s %s  @%" PRId64 "\n", LABEL - 1, "last",
            pt_units_time(a, sizeof(a), s->span.last_us, offset), s->span.last);
    fprintf(out, "%-*s %" PRId64 " over %s, every %s\n", LABEL - 1, "snapshots", s->span.count,
            pt_units_duration(a, sizeof(a), pt_units_minus(s->span.last_us, s->span.first_us)),
            pt_units_duration(b, sizeof(b), pt_session_interval(s)));
    if (s->span.removed > 0 && info->thin_n > 0) {
        struct list l = {.n = 0};
        add(&l, "%" PRId64 " thinned out or dropped", s->span.removed);
        add(&l, "every one kept since %s", pt_units_time(a, sizeof(a), info->thin_us, offset));
        end(s, "", &l);
    } else if (s->span.removed > 0)
        fprintf(out, "%*s%" PRId64 " dropped before these\n", LABEL, "", s->span.removed);
    print_boots(s, offset);
    fprintf(out, "%-*s %zu\n", LABEL - 1, "gaps", info->gaps_in_all);
    for (size_t i = 0; i < info->ngaps && i < GAPS; i++) {
        const struct pt_gap *gap = &info->gaps[i];
        fprintf(out, "%*s%s from %s, @%" PRId64 " to @%" PRId64 "\n", LABEL, "",
                pt_units_duration(b, sizeof(b), gap->us),
                pt_units_time(a, sizeof(a), gap->from_us, offset), gap->from, gap->to);
    }
}

static void print_events(const struct pt_session *s, const struct pt_info *info)
{
    struct list l = {.n = 0};
    for (int i = 0; i < PT_INFO_KINDS; i++) {
        if (pt_event_name(i) && info->events[i] > 0)
            add(&l, "%" PRId64 " %s", info->events[i], pt_event_name(i));
    }
    end(s, "events", &l);
}

/* ---- coverage ---- */

static void print_coverage(const struct pt_session *s, const struct pt_info *info)
{
    char age[PT_UNITS_BUF];
    const struct pt_own *own = &info->own;
    const int64_t looked = pt_own_last(own, "processes_read");
    struct list l = {.n = 0};
    if (info->processes == PT_UNKNOWN) {
        line(s, "coverage", "not known: the last snapshot is damaged");
        return;
    }
    add(&l, "%" PRId64 " processes at the end, %" PRId64 " of them kernel threads", info->processes,
        info->kernel);
    if (looked != PT_UNKNOWN && looked < pt_own_last(own, "processes"))
        add(&l, "%" PRId64 " looked at each time", looked);
    add_count(&l, pt_own_last(own, "cgroups"), "control group", "control groups");
    end(s, "coverage", &l);
    l = (struct list){.n = 0};
    if (info->with_smaps == PT_UNKNOWN)
        add(&l, "of how many the mappings were read is not known: that is damaged");
    else
        add(&l, "mappings read of %" PRId64 " of %" PRId64, info->with_smaps,
            info->processes - info->kernel);
    if (info->unreadable > 0)
        add(&l, "%" PRId64 " not readable", info->unreadable);
    if (info->oldest_smaps_us != PT_UNKNOWN)
        add(&l, "the oldest %s ago", pt_units_duration(age, sizeof(age), info->oldest_smaps_us));
    end(s, "", &l);
    l = (struct list){.n = 0};
    add_count(&l, pt_own_last(own, "deep_overdue"), "deep read overdue", "deep reads overdue");
    add_count(&l, pt_own_last(own, "deep_stalling"), "put off, so as not to stall its process",
              "put off, so as not to stall their processes");
    add_count(&l, pt_own_last(own, "stuck_now"), "that hangs", "that hang");
    end(s, "", &l);
}

static void print_unread(const struct pt_session *s, const struct pt_info *info)
{
    enum { FILES = 5 };
    const size_t n = s->args->verbose || info->nunread < FILES ? info->nunread : FILES;
    char text[256];
    for (size_t i = 0; i < n; i++) {
        const struct pt_unread *u = &info->unread[i];
        snprintf(text, sizeof(text), "%" PRId64 " %s: %s", u->count, u->files, pt_info_why(u->why));
        line(s, i == 0 ? "unreadable" : "", text);
    }
    if (n < info->nunread) {
        snprintf(text, sizeof(text), "and %zu more kinds (-v)", info->nunread - n);
        line(s, "", text);
    }
}

static void print_missed(const struct pt_session *s, const struct pt_info *info)
{
    static const struct {
        const char *field, *one, *many;
    } counters[] = {
        {"frames_lost", "snapshot not stored", "snapshots not stored"},
        {"ticks_skipped", "snapshot not taken in time", "snapshots not taken in time"},
        {"exits_lost", "end of a process", "ends of processes"},
        {"reads_stuck", "deep read that hung", "deep reads that hung"},
        {"texts_refused", "text", "texts"},
        {"cgroups_refused", "time a control group too many", "times a control group too many"},
    };
    struct list l = {.n = 0};
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        add_count(&l, pt_own_total(&info->own, counters[i].field), counters[i].one,
                  counters[i].many);
    end(s, "missed", &l);
}

/* ---- cost ---- */

static void print_share(struct list *l, const struct pt_own *own, const char *field,
                        const char *what)
{
    const int64_t all = pt_own_total(own, "cpu_us"), part = pt_own_total(own, field);
    if (all > 0 && part != PT_UNKNOWN)
        add(l, "%.0f%% of it %s", 100.0 * (double)part / (double)all, what);
}

static void print_times(struct list *l, const struct pt_own *own, const char *field,
                        const char *what)
{
    const double mean = pt_own_mean(own, field);
    if (mean >= 0)
        add(l, "%s %.1f ms, at most %.1f", what, mean / 1e3, (double)pt_own_max(own, field) / 1e3);
}

static void print_cost(const struct pt_session *s, const struct pt_info *info)
{
    char a[PT_UNITS_BUF];
    const struct pt_own *own = &info->own;
    const int64_t budget = pt_own_last(own, "budget_ppm"), every = pt_own_last(own, "interval_us");
    struct list l = {.n = 0};
    if (pt_info_cpu(info) >= 0)
        add(&l, "%.2f%% of a CPU", pt_info_cpu(info));
    if (info->cost_max >= 0)
        add(&l, "at most %.2f%% over a minute", info->cost_max);
    if (budget > 0)
        add(&l, "it may take %.2f%%", (double)budget / 1e4);
    if (info->rss_max != PT_UNKNOWN)
        add(&l, "at most %s resident", pt_units_bytes(a, sizeof(a), info->rss_max, false));
    end(s, "cost", &l);
    l = (struct list){.n = 0};
    print_share(&l, own, "cpu_deep_us", "deep reads");
    print_share(&l, own, "cpu_store_us", "storing");
    end(s, "", &l);
    l = (struct list){.n = 0};
    print_times(&l, own, "read_us", "reading takes");
    print_times(&l, own, "store_us", "storing");
    if (every > pt_session_interval(s))
        add(&l, "every %s at the end", pt_units_duration(a, sizeof(a), every));
    end(s, "", &l);
}

static void print_size(const struct pt_session *s, const struct pt_info *info)
{
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], text[256];
    struct list l = {.n = 0};
    add(&l, "%s: %s a snapshot", pt_units_bytes(a, sizeof(a), s->span.bytes, false),
        pt_units_bytes(b, sizeof(b), pt_info_bytes_per_snapshot(s), false));
    if (pt_info_bytes_per_day(s) != PT_UNKNOWN)
        add(&l, "%s a day", pt_units_bytes(a, sizeof(a), pt_info_bytes_per_day(s), false));
    else
        add(&l, "less in a longer recording");
    if (pt_info_bytes_per_day(s) != PT_UNKNOWN && pt_info_written_per_day(info) != PT_UNKNOWN)
        add(&l, "%s a day written for it",
            pt_units_bytes(a, sizeof(a), pt_info_written_per_day(info), false));
    end(s, "size", &l);
    snprintf(
        text, sizeof(text), "%" PRId64 " segment%s sealed (%s), %" PRId64 " frame%s not yet (%s)",
        s->span.segments, s->span.segments == 1 ? "" : "s",
        pt_units_bytes(a, sizeof(a), s->span.segment_bytes, false), s->span.frames,
        s->span.frames == 1 ? "" : "s", pt_units_bytes(b, sizeof(b), s->span.frame_bytes, false));
    line(s, "", text);
    if (s->ndamage == 0)
        return;
    snprintf(text, sizeof(text), "%zu place%s met ('pagetrail check' reads everything)", s->ndamage,
             s->ndamage == 1 ? "" : "s");
    line(s, "damage", text);
}

void pt_info_text(const struct pt_session *s, const struct pt_info *info)
{
    print_host(s);
    print_span(s, info);
    print_events(s, info);
    if (s->span.count == 0)
        return;
    print_coverage(s, info);
    print_unread(s, info);
    print_missed(s, info);
    print_cost(s, info);
    print_size(s, info);
}
