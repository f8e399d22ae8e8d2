/* SPDX-License-Identifier: MIT
 * The picture before an event, as text and JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/picture/before.h"
#include "analyze/print/json.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define INDENT 4

static void add_row(struct pt_table *t, const struct pt_before *b, const struct pt_process *p)
{
    char text[512];
    pt_table_cellf(t, "%" PRId64, p->pid);
    pt_table_bytes(t, p->m[PT_ANON], false);
    pt_table_bytes(t, p->m[PT_SWAP], false);
    pt_table_bytes(t, p->m[PT_RSS], false);
    pt_table_cell(t, p->service ? p->service : "-");
    pt_table_cell(t, pt_process_command(p, text, sizeof(text)));
    pt_table_cell(t, p == b->subject ? "killed" : "");
}

/* Kernel threads hold nothing that could be told. */
static bool is_shown(const struct pt_before *b, size_t i, size_t top)
{
    const struct pt_process *p = b->order[i];
    return p == b->subject || (i < top && !p->kernel && pt_process_weight(p) != PT_UNKNOWN);
}

static int print_table(const struct pt_session *s, const struct pt_before *b, size_t top)
{
    static const struct pt_column columns[] = {
        {.title = "PID", .right = true},
        {.title = "ANON", .right = true},
        {.title = "SWAP", .right = true},
        {.title = "RSS", .right = true},
        {.title = "SERVICE", .shrink = 8},
        {.title = "COMMAND", .shrink = 12},
        {.title = ""},
    };
    struct pt_table t;
    pt_table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
    t.indent = "    ";
    for (size_t i = 0; i < b->processes.n; i++) {
        if (is_shown(b, i, top))
            add_row(&t, b, b->order[i]);
    }
    return pt_table_end(&t, s->args->out, s->args->colour);
}

static int print_machine(FILE *out, const struct pt_before *b)
{
    const int64_t *v = b->mem.v;
    char age[PT_UNITS_BUF], when[PT_UNITS_BUF + 32], available[PT_UNITS_BUF], total[PT_UNITS_BUF],
        used[PT_UNITS_BUF], swap[PT_UNITS_BUF], some[32] = "", full[32] = "", text[512],
                                                swaps[3 * PT_UNITS_BUF] = "no swap";
    snprintf(when, sizeof(when), "@%" PRId64, b->view->snap.n);
    if (b->age_us >= 0) /* the clock may have been set */
        snprintf(when, sizeof(when), "%s, @%" PRId64,
                 pt_units_duration(age, sizeof(age), b->age_us), b->view->snap.n);
    if (b->some >= 0)
        snprintf(some, sizeof(some), ", pressure some %.2f%%", b->some);
    if (b->full >= 0)
        snprintf(full, sizeof(full), " full %.2f%%", b->full);
    const int64_t swapped = pt_units_minus(v[PT_MEM_SWAP_TOTAL], v[PT_MEM_SWAP_FREE]);
    if (v[PT_MEM_SWAP_TOTAL] != 0)
        snprintf(swaps, sizeof(swaps), "%s of %s swap used",
                 pt_units_bytes(used, sizeof(used), swapped, false),
                 pt_units_bytes(swap, sizeof(swap), v[PT_MEM_SWAP_TOTAL], false));
    snprintf(text, sizeof(text), "before it (%s): %s of %s available, %s%s%s", when,
             pt_units_bytes(available, sizeof(available), v[PT_MEM_AVAILABLE], false),
             pt_units_bytes(total, sizeof(total), v[PT_MEM_TOTAL], false), swaps, some, full);
    return pt_text_print(out, "", INDENT, text);
}

static int print_limit(FILE *out, const struct pt_limit *limit)
{
    char usage[PT_UNITS_BUF], most[PT_UNITS_BUF], *text = NULL;
    if (asprintf(&text, "%s: %s of at most %s", limit->path,
                 pt_units_bytes(usage, sizeof(usage), limit->usage, false),
                 pt_units_bytes(most, sizeof(most), limit->limit, false)) < 0)
        return -1;
    const int rc = pt_text_print(out, "", INDENT, text);
    free(text);
    return rc;
}

int pt_before_print(const struct pt_session *s, const struct pt_before *b, size_t top)
{
    int rc = print_machine(s->args->out, b);
    for (unsigned i = 0; rc == 0 && i < b->nlimits; i++)
        rc = print_limit(s->args->out, &b->limits[i]);
    return rc < 0 ? rc : print_table(s, b, top);
}

/* ---- JSON ---- */

static json_t *percent(double v)
{
    return v < 0 ? json_null() : json_real(v);
}

static json_t *process_json(const struct pt_before *b, const struct pt_process *p)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "pid",
        (json_int_t)p->pid, "start_time", pt_json_int(p->start_time), "comm", pt_json_str(p->comm),
        "cmdline", pt_json_str(p->cmdline), "cgroup", pt_json_str(p->cgroup), "service",
        pt_json_str(p->service), "container", pt_json_str(p->container), "pod", pt_json_str(p->pod),
        "rss", pt_json_int(p->m[PT_RSS]), "anon", pt_json_int(p->m[PT_ANON]), "shmem",
        pt_json_int(p->m[PT_SHMEM]), "swap", pt_json_int(p->m[PT_SWAP]), "killed", p == b->subject);
}

static json_t *limits_json(const struct pt_before *b)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < b->nlimits; i++)
        json_array_append_new(a,
                              json_pack("{s:o, s:o, s:o}", "cgroup", pt_json_str(b->limits[i].path),
                                        "usage", pt_json_int(b->limits[i].usage), "limit",
                                        pt_json_int(b->limits[i].limit)));
    return a;
}

json_t *pt_before_json(const struct pt_before *b, size_t top)
{
    const int64_t *v = b->mem.v;
    json_t *processes = json_array();
    for (size_t i = 0; i < b->processes.n; i++) {
        if (is_shown(b, i, top))
            json_array_append_new(processes, process_json(b, b->order[i]));
    }
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "snapshot",
        (json_int_t)b->view->snap.n, "time", pt_json_time(b->view->snap.real_us), "seconds",
        b->age_us == PT_UNKNOWN ? json_null() : json_real((double)b->age_us / 1e6), "mem_total",
        pt_json_int(v[PT_MEM_TOTAL]), "mem_free", pt_json_int(v[PT_MEM_FREE]), "mem_available",
        pt_json_int(v[PT_MEM_AVAILABLE]), "swap_total", pt_json_int(v[PT_MEM_SWAP_TOTAL]),
        "swap_free", pt_json_int(v[PT_MEM_SWAP_FREE]), "pressure_some", percent(b->some),
        "pressure_full", percent(b->full), "limits", limits_json(b), "processes", processes);
}
