/* SPDX-License-Identifier: MIT
 * pagetrail info: what a recording holds. */
#include "analyze/info.h"

#include <inttypes.h>
#include <string.h>

#include "analyze/json.h"
#include "analyze/text.h"
#include "analyze/units.h"

/* "label      text", the text made fit for a terminal. */
static void line(FILE *out, const char *label, const char *text)
{
    struct pt_buf shown;
    pt_buf_init(&shown, 65536);
    pt_text_escape(text, strlen(text), &shown);
    fprintf(out, "%-12s %.*s\n", label, (int)shown.len, (const char *)shown.data);
    pt_buf_release(&shown);
}

static int64_t bytes_per_snapshot(const struct pt_session *s)
{
    return s->span.count > 0 ? s->span.bytes / s->span.count : PT_UNKNOWN;
}

/* Told when the key frame, dear and seldom, no longer decides it. */
static int64_t bytes_per_day(const struct pt_session *s)
{
    enum { ENOUGH = 360 };
    if (s->span.count < ENOUGH)
        return PT_UNKNOWN;
    return (int64_t)((double)bytes_per_snapshot(s) * 86400e6 / (double)pt_session_interval(s));
}

static void print_host(const struct pt_session *s)
{
    FILE *out = s->args->out;
    const struct pt_meta *m = pt_db_meta(s->db);
    char text[512], size[PT_UNITS_BUF];
    line(out, "host", m->host);
    snprintf(text, sizeof(text), "%s %s", m->kernel, m->arch);
    line(out, "kernel", text);
    snprintf(text, sizeof(text), "%s, %" PRId64 " CPUs, pages of %" PRId64 " bytes",
             pt_units_bytes(size, sizeof(size),
                            m->mem_total_kb > 0 ? m->mem_total_kb * 1024 : PT_UNKNOWN, false),
             m->cpus, m->page_size);
    line(out, "memory", text);
    if (*m->program)
        line(out, "recorder", m->program);
}

static void print_span(const struct pt_session *s, const struct pt_info *info)
{
    FILE *out = s->args->out;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF];
    struct pt_snap snap;
    if (s->span.count == 0) {
        line(out, "snapshots", "none");
        return;
    }
    const int32_t offset =
        s->args->utc || pt_db_snap(s->db, s->span.last, &snap, NULL) < 0 ? 0 : snap.utc_offset_s;
    fprintf(out, "%-12s %s  @%" PRId64 "\n", "first",
            pt_units_time(a, sizeof(a), s->span.first_us, offset), s->span.first);
    fprintf(out, "%-12s %s  @%" PRId64 "\n", "last",
            pt_units_time(a, sizeof(a), s->span.last_us, offset), s->span.last);
    fprintf(out, "%-12s %" PRId64 " over %s, every %s\n", "snapshots", s->span.count,
            pt_units_duration(a, sizeof(a), pt_units_minus(s->span.last_us, s->span.first_us)),
            pt_units_duration(b, sizeof(b), pt_session_interval(s)));
    fprintf(out, "%-12s %u\n", "boots", pt_db_boots(s->db));
    for (uint32_t i = 0; pt_db_boots(s->db) > 1 && i < pt_db_boots(s->db); i++) {
        const struct pt_boot *boot = pt_db_boot(s->db, i);
        pt_units_time(a, sizeof(a), boot->btime_us, offset);
        if (boot->first > 0)
            fprintf(out, "%-12s @%" PRId64 " to @%" PRId64 ", booted %s\n", "", boot->first,
                    boot->last, a);
        else
            fprintf(out, "%-12s no snapshots, booted %s\n", "", a);
    }
    fprintf(out, "%-12s %zu\n", "gaps", info->gaps_in_all);
    for (size_t i = 0; i < info->ngaps && i < 5; i++) {
        const struct pt_gap *gap = &info->gaps[i];
        fprintf(out, "%-12s %s from %s, @%" PRId64 " to @%" PRId64 "\n", "",
                pt_units_duration(b, sizeof(b), gap->us),
                pt_units_time(a, sizeof(a), gap->from_us, offset), gap->from, gap->to);
    }
}

static double cpu_percent(const struct pt_info *info)
{
    return 100.0 * (double)info->cost_us / (double)info->cost_span_us;
}

static void print_cost(const struct pt_session *s, const struct pt_info *info)
{
    FILE *out = s->args->out;
    char a[PT_UNITS_BUF], b[PT_UNITS_BUF], c[PT_UNITS_BUF];
    fprintf(out, "%-12s %" PRId64 " processes at the end, %" PRId64 " of them kernel threads\n",
            "coverage", info->processes, info->kernel);
    fprintf(out, "%-12s mappings read of %" PRId64 " of %" PRId64, "", info->with_smaps,
            info->processes - info->kernel);
    if (info->unreadable)
        fprintf(out, ", %" PRId64 " not readable", info->unreadable);
    if (info->oldest_smaps_us != PT_UNKNOWN)
        fprintf(out, ", the oldest %s ago", pt_units_duration(a, sizeof(a), info->oldest_smaps_us));
    fputc('\n', out);
    if (info->cost_span_us > 0)
        fprintf(out, "%-12s %.2f%% of a CPU, at most %s resident\n", "cost", cpu_percent(info),
                pt_units_bytes(a, sizeof(a), info->rss_max, false));
    fprintf(out, "%-12s %s: %s a snapshot", "size",
            pt_units_bytes(a, sizeof(a), s->span.bytes, false),
            pt_units_bytes(b, sizeof(b), bytes_per_snapshot(s), false));
    if (bytes_per_day(s) != PT_UNKNOWN)
        fprintf(out, ", %s a day\n", pt_units_bytes(c, sizeof(c), bytes_per_day(s), false));
    else
        fputs(" (less in a longer recording)\n", out);
    fprintf(out, "%-12s %" PRId64 " segment%s sealed (%s), %" PRId64 " frame%s not yet (%s)\n", "",
            s->span.segments, s->span.segments == 1 ? "" : "s",
            pt_units_bytes(a, sizeof(a), s->span.segment_bytes, false), s->span.frames,
            s->span.frames == 1 ? "" : "s",
            pt_units_bytes(b, sizeof(b), s->span.frame_bytes, false));
    if (s->ndamage)
        fprintf(out, "%-12s %zu place%s met ('pagetrail check' reads everything)\n", "damage",
                s->ndamage, s->ndamage == 1 ? "" : "s");
}

static json_t *gaps_json(const struct pt_info *info)
{
    json_t *a = json_array();
    for (size_t i = 0; i < info->ngaps; i++)
        json_array_append_new(
            a, json_pack("{s:I, s:I, s:o, s:f}", "from", (json_int_t)info->gaps[i].from, "to",
                         (json_int_t)info->gaps[i].to, "time", pt_json_time(info->gaps[i].from_us),
                         "seconds", (double)info->gaps[i].us / 1e6));
    return a;
}

static json_t *positive(int64_t v)
{
    return pt_json_int(v > 0 ? v : PT_UNKNOWN);
}

static json_t *boots_json(const struct pt_session *s)
{
    json_t *a = json_array();
    for (uint32_t i = 0; i < pt_db_boots(s->db); i++) {
        const struct pt_boot *b = pt_db_boot(s->db, i);
        json_array_append_new(a,
                              json_pack("{s:o, s:o, s:o, s:o}", "boot_id", pt_json_str(b->boot_id),
                                        "booted", pt_json_time(b->btime_us), "first",
                                        positive(b->first), "last", positive(b->last)));
    }
    return a;
}

static json_t *host_json(const struct pt_session *s)
{
    const struct pt_meta *m = pt_db_meta(s->db);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     pt_json_str(m->host), "machine_id", pt_json_str(m->machine_id), "kernel",
                     pt_json_str(m->kernel), "arch", pt_json_str(m->arch), "zone",
                     pt_json_str(m->zone), "program", pt_json_str(m->program), "cpus",
                     positive(m->cpus), "page_size", positive(m->page_size), "clk_tck",
                     positive(m->clk_tck), "mem_total",
                     m->mem_total_kb > 0 ? pt_json_int(m->mem_total_kb * 1024) : json_null());
}

static json_t *end_json(int64_t n, int64_t us)
{
    return n > 0 ? json_pack("{s:I, s:o}", "snapshot", (json_int_t)n, "time", pt_json_time(us))
                 : json_null();
}

static json_t *coverage_json(const struct pt_info *info)
{
    const bool aged = info->oldest_smaps_us != PT_UNKNOWN;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "processes", (json_int_t)info->processes,
                     "kernel_threads", (json_int_t)info->kernel, "with_smaps",
                     (json_int_t)info->with_smaps, "smaps_unreadable", (json_int_t)info->unreadable,
                     "lost", (json_int_t)info->lost, "oldest_smaps_seconds",
                     aged ? json_real((double)info->oldest_smaps_us / 1e6) : json_null());
}

static json_t *cost_json(const struct pt_info *info)
{
    return json_pack("{s:o, s:o}", "cpu_percent",
                     info->cost_span_us > 0 ? json_real(cpu_percent(info)) : json_null(), "rss_max",
                     pt_json_int(info->rss_max));
}

static json_t *size_json(const struct pt_session *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "bytes", (json_int_t)s->span.bytes,
                     "segments", (json_int_t)s->span.segments, "segment_bytes",
                     (json_int_t)s->span.segment_bytes, "frames", (json_int_t)s->span.frames,
                     "frame_bytes", (json_int_t)s->span.frame_bytes, "bytes_per_snapshot",
                     pt_json_int(bytes_per_snapshot(s)), "bytes_per_day",
                     pt_json_int(bytes_per_day(s)));
}

static int print_json(const struct pt_session *s, const struct pt_info *info)
{
    return pt_json_print(
        json_pack("{s:o, s:o, s:o, s:I, s:f, s:o, s:I, s:o, s:o, s:o, s:o, s:I}", "host",
                  host_json(s), "first", end_json(s->span.first, s->span.first_us), "last",
                  end_json(s->span.last, s->span.last_us), "snapshots", (json_int_t)s->span.count,
                  "interval_seconds", (double)pt_session_interval(s) / 1e6, "boots", boots_json(s),
                  "gap_count", (json_int_t)info->gaps_in_all, "gaps", gaps_json(info), "coverage",
                  coverage_json(info), "cost", cost_json(info), "size", size_json(s), "damaged",
                  (json_int_t)s->ndamage),
        s->args->out);
}

static int run(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_info info;
    struct pt_err err = {0};
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    if (pt_info_make(&s, &info, &err) < 0) {
        status = pt_fail(&err);
    } else if (args->json) {
        status = print_json(&s, &info) < 0 ? PT_EXIT_READ : PT_EXIT_OK;
    } else {
        print_host(&s);
        print_span(&s, &info);
        if (s.span.count > 0)
            print_cost(&s, &info);
    }
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_info = {
    .name = "info",
    .usage = "DB",
    .summary = "host, span, gaps, coverage, cost, size",
    .detail = "",
    .options = PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .run = run,
};
