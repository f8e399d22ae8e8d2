/* SPDX-License-Identifier: MIT
 * What a recording holds, as JSON (info.schema.json). */
#include "analyze/info/info.h"
#include "analyze/print/json.h"

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

/* Those of the span. */
static json_t *boots_json(const struct pt_session *s)
{
    const struct pt_db_span *span = &s->span;
    json_t *a = json_array();
    for (uint32_t i = 0; i < pt_db_boots(s->db); i++) {
        const struct pt_boot *b = pt_db_boot(s->db, i);
        if (span->count > 0 && b->first > 0 && (b->first > span->last || b->last < span->first))
            continue;
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

static json_t *seconds(double us)
{
    return us < 0 ? json_null() : json_real(us / 1e6);
}

static json_t *last_seconds(const struct pt_own *own, const char *field, double per_second)
{
    const int64_t v = pt_own_last(own, field);
    return v == PT_UNKNOWN ? json_null() : json_real((double)v / per_second);
}

static json_t *coverage_json(const struct pt_info *info)
{
    const struct pt_own *own = &info->own;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "processes",
        pt_json_int(info->processes), "kernel_threads", pt_json_int(info->kernel), "with_smaps",
        pt_json_int(info->with_smaps), "smaps_unreadable", pt_json_int(info->unreadable), "lost",
        pt_json_int(info->lost), "oldest_smaps_seconds",
        info->oldest_smaps_us == PT_UNKNOWN ? json_null() : seconds((double)info->oldest_smaps_us),
        "processes_read", pt_json_int(pt_own_last(own, "processes_read")), "deep_overdue",
        pt_json_int(pt_own_last(own, "deep_overdue")), "deep_stalling",
        pt_json_int(pt_own_last(own, "deep_stalling")), "deep_never",
        pt_json_int(pt_own_last(own, "deep_never")), "deep_oldest_seconds",
        last_seconds(own, "deep_oldest_s", 1), "stuck", pt_json_int(pt_own_last(own, "stuck_now")),
        "cgroups", pt_json_int(pt_own_last(own, "cgroups")));
}

static json_t *unreadable_json(const struct pt_info *info)
{
    json_t *a = json_array();
    for (size_t i = 0; i < info->nunread; i++) {
        const struct pt_unread *u = &info->unread[i];
        json_array_append_new(
            a, json_pack("{s:o, s:i, s:o, s:I}", "files", pt_json_str(u->files), "errno", u->why,
                         "error", pt_json_str(pt_info_why(u->why)), "count", (json_int_t)u->count));
    }
    return a;
}

static json_t *missed_json(const struct pt_own *own)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "snapshots_not_stored",
                     pt_json_int(pt_own_total(own, "frames_lost")), "snapshots_not_taken",
                     pt_json_int(pt_own_total(own, "ticks_skipped")), "exits",
                     pt_json_int(pt_own_total(own, "exits_lost")), "reads_stuck",
                     pt_json_int(pt_own_total(own, "reads_stuck")), "texts",
                     pt_json_int(pt_own_total(own, "texts_refused")), "cgroups",
                     pt_json_int(pt_own_total(own, "cgroups_refused")));
}

static json_t *events_json(const struct pt_info *info)
{
    json_t *o = json_object();
    for (int i = 0; i < PT_INFO_KINDS && pt_event_name(i); i++)
        json_object_set_new(o, pt_event_name(i), json_integer(info->events[i]));
    return o;
}

static json_t *percent(double v)
{
    return v < 0 ? json_null() : json_real(v);
}

/* Of the recorder's CPU. */
static json_t *share(const struct pt_own *own, const char *field)
{
    const int64_t all = pt_own_total(own, "cpu_us"), part = pt_own_total(own, field);
    return all > 0 && part != PT_UNKNOWN ? json_real(100.0 * (double)part / (double)all)
                                         : json_null();
}

static json_t *most_seconds(const struct pt_own *own, const char *field)
{
    const int64_t v = pt_own_max(own, field);
    return v == PT_UNKNOWN ? json_null() : seconds((double)v);
}

static json_t *cost_json(const struct pt_info *info)
{
    const struct pt_own *own = &info->own;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu_percent",
        percent(pt_info_cpu(info)), "cpu_percent_max", percent(info->cost_max), "budget_percent",
        last_seconds(own, "budget_ppm", 1e4), "deep_share", share(own, "cpu_deep_us"),
        "store_share", share(own, "cpu_store_us"), "rss_max", pt_json_int(info->rss_max),
        "read_seconds", seconds(pt_own_mean(own, "read_us")), "read_seconds_max",
        most_seconds(own, "read_us"), "store_seconds", seconds(pt_own_mean(own, "store_us")),
        "store_seconds_max", most_seconds(own, "store_us"), "interval_seconds",
        last_seconds(own, "interval_us", 1e6), "written_per_day",
        pt_json_int(pt_info_written_per_day(info)));
}

static json_t *size_json(const struct pt_session *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "bytes", (json_int_t)s->span.bytes,
                     "segments", (json_int_t)s->span.segments, "segment_bytes",
                     (json_int_t)s->span.segment_bytes, "frames", (json_int_t)s->span.frames,
                     "frame_bytes", (json_int_t)s->span.frame_bytes, "bytes_per_snapshot",
                     pt_json_int(pt_info_bytes_per_snapshot(s)), "bytes_per_day",
                     pt_json_int(pt_info_bytes_per_day(s)));
}

json_t *pt_info_json(const struct pt_session *s, const struct pt_info *info)
{
    const struct pt_db_span *span = &s->span;
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:f, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:I}",
                     "host", host_json(s), "first", end_json(span->first, span->first_us), "last",
                     end_json(span->last, span->last_us), "snapshots", (json_int_t)span->count,
                     "removed", (json_int_t)span->removed, "whole_since",
                     end_json(span->removed > 0 ? info->thin_n : 0, info->thin_us),
                     "interval_seconds", (double)pt_session_interval(s) / 1e6, "boots",
                     boots_json(s), "gap_count", (json_int_t)info->gaps_in_all, "gaps",
                     gaps_json(info), "events", events_json(info), "coverage", coverage_json(info),
                     "unreadable", unreadable_json(info), "missed", missed_json(&info->own), "cost",
                     cost_json(info), "size", size_json(s), "damaged", (json_int_t)s->ndamage);
}
