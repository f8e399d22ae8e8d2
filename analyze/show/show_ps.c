/* SPDX-License-Identifier: MIT
 * pagetrail show ps: the processes as they were, the largest first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/picture/process.h"
#include "analyze/show/show.h"
#include "analyze/print/table.h"
#include "analyze/print/units.h"

static int by_weight(const void *x, const void *y)
{
    const struct pt_process *const *a = x, *const *b = y;
    const int64_t p = (*a)->m[PT_RSS] == PT_UNKNOWN ? -1 : (*a)->m[PT_RSS];
    const int64_t q = (*b)->m[PT_RSS] == PT_UNKNOWN ? -1 : (*b)->m[PT_RSS];
    if (p != q)
        return p < q ? 1 : -1;
    return (*a)->pid < (*b)->pid ? -1 : (*a)->pid > (*b)->pid;
}

static int64_t ticks_us(const struct pt_session *s, int64_t ticks)
{
    const int64_t hz = pt_db_meta(s->db)->clk_tck;
    int64_t us;
    if (ticks == PT_UNKNOWN || hz <= 0 || __builtin_mul_overflow(ticks, 1000000, &us))
        return PT_UNKNOWN;
    return us / hz;
}

/* When it was started: the boot, as this snapshot's clocks tell it, plus start time. */
static int64_t started_us(const struct pt_session *s, const struct pt_snap *snap,
                          const struct pt_process *p)
{
    const int64_t since_boot = ticks_us(s, p->start_time);
    int64_t us;
    const int64_t boot = pt_units_minus(snap->real_us, snap->boot_us);
    if (since_boot == PT_UNKNOWN || boot == PT_UNKNOWN ||
        __builtin_add_overflow(boot, since_boot, &us))
        return PT_UNKNOWN;
    return us;
}

/* "Nov23" style is ambiguous over months: within a day the time, else the date. */
static void cell_start(struct pt_table *t, const struct pt_session *s, const struct pt_snap *snap,
                       const struct pt_process *p)
{
    const int64_t us = started_us(s, snap, p);
    char when[PT_UNITS_BUF];
    pt_units_time(when, sizeof(when), us, s->args->utc ? 0 : snap->utc_offset_s);
    if (us == PT_UNKNOWN)
        pt_table_cell(t, "?");
    else if (pt_units_minus(snap->real_us, us) < 86400 * INT64_C(1000000))
        pt_table_cellf(t, "%.5s", when + strlen("2026-11-23 "));
    else
        pt_table_cellf(t, "%.10s", when);
}

static void cell_bytes(struct pt_table *t, const struct pt_process *p, int64_t bytes)
{
    if (bytes == PT_UNKNOWN && (p->kernel || p->state == 'Z'))
        pt_table_cell(t, "-"); /* has none */
    else
        pt_table_bytes(t, bytes, false);
}

/* smaps is read seldom: marked where it was not read at this very snapshot. Its age, or 0. */
static int64_t cell_pss(struct pt_table *t, const struct pt_snap *snap, const struct pt_process *p)
{
    const int64_t age = pt_units_minus(snap->real_us, p->deep_us);
    char text[PT_UNITS_BUF];
    if (p->m[PT_PSS] == PT_UNKNOWN || age == PT_UNKNOWN || age <= 0) {
        cell_bytes(t, p, p->m[PT_PSS]);
        return 0;
    }
    pt_table_cellf(t, "~%s", pt_units_bytes(text, sizeof(text), p->m[PT_PSS], false));
    return age;
}

static int print_table(const struct pt_session *s, const struct pt_snap *snap,
                       const struct pt_process *const *order, size_t n)
{
    static const struct pt_column columns[] = {
        {.title = "UID", .right = true},
        {.title = "PID", .right = true},
        {.title = "S"},
        {.title = "START"},
        {.title = "RSS", .right = true},
        {.title = "SWAP", .right = true},
        {.title = "PSS", .right = true},
        {.title = "COMMAND", .shrink = 16},
    };
    struct pt_table t;
    int64_t oldest = 0;
    pt_table_init(&t, columns, 8);
    for (size_t i = 0; i < n; i++) {
        const struct pt_process *p = order[i];
        char uid[PT_UNITS_BUF], command[512];
        pt_table_cell(&t, pt_units_count(uid, sizeof(uid), p->uid, false));
        pt_table_cellf(&t, "%" PRId64, p->pid);
        pt_table_cellf(&t, "%c", p->state > ' ' && p->state < 0x7f ? p->state : '?');
        cell_start(&t, s, snap, p);
        cell_bytes(&t, p, p->m[PT_RSS]);
        cell_bytes(&t, p, p->m[PT_SWAP]);
        const int64_t age = cell_pss(&t, snap, p);
        oldest = age > oldest ? age : oldest;
        pt_table_cell(&t, pt_process_command(p, command, sizeof(command)));
    }
    const int rc = pt_table_end(&t, s->args->out, s->args->colour);
    if (oldest > 0) {
        char text[PT_UNITS_BUF];
        fprintf(s->args->out, "~ as of when smaps was last read, up to %s before\n",
                pt_units_duration(text, sizeof(text), oldest));
    }
    return rc;
}

static json_t *process_json(const struct pt_session *s, const struct pt_snap *snap,
                            const struct pt_process *p)
{
    const char state[] = {p->state, '\0'};
    json_t *o = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:b}",
        "pid", (json_int_t)p->pid, "start_time", pt_json_int(p->start_time), "started",
        pt_json_time(started_us(s, snap, p)), "ppid", pt_json_int(p->ppid), "uid",
        pt_json_int(p->uid), "state", pt_json_str(p->state ? state : NULL), "comm",
        pt_json_str(p->comm), "exe", pt_json_str(p->exe), "cmdline", pt_json_str(p->cmdline),
        "cgroup", pt_json_str(p->cgroup), "service", pt_json_str(p->service), "container",
        pt_json_str(p->container), "pod", pt_json_str(p->pod), "qos", pt_json_str(p->qos), "vsize",
        pt_json_int(p->vsize), "cpu_ticks", pt_json_int(p->cpu), "deep_read",
        pt_json_time(p->deep_us), "kernel", p->kernel);
    for (unsigned i = 0; i < PT_MEASURES; i++)
        json_object_set_new(o, pt_measure_name((enum pt_measure)i), pt_json_int(p->m[i]));
    return o;
}

static int print_json(const struct pt_session *s, const struct pt_snap *snap,
                      const struct pt_process *const *order, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, process_json(s, snap, order[i]));
    return pt_json_print(json_pack("{s:I, s:o, s:o}", "snapshot", (json_int_t)snap->n, "time",
                                   pt_json_time(snap->real_us), "processes", a),
                         s->args->out);
}

static int show(const struct pt_session *s, const struct pt_view *view)
{
    struct pt_processes table;
    struct pt_err err = {0};
    if (pt_processes_load(view, s->smaps, &table, &err) < 0)
        return pt_fail(&err);
    const struct pt_process **order = calloc(table.n + 1, sizeof(const struct pt_process *));
    int rc = order ? 0 : -1;
    if (order) {
        for (size_t i = 0; i < table.n; i++)
            order[i] = &table.v[i];
        qsort(order, table.n, sizeof(*order), by_weight);
        const size_t n = s->args->top != PT_UNKNOWN && (uint64_t)s->args->top < table.n
                             ? (size_t)s->args->top
                             : table.n;
        if (!s->args->json)
            pt_show_head(s, "processes", &view->snap);
        rc = s->args->json ? print_json(s, &view->snap, order, n)
                           : print_table(s, &view->snap, order, n);
    }
    if (table.lost)
        fprintf(stderr, "pagetrail: %u processes are in damaged parts of the recording\n",
                table.lost);
    free(order);
    pt_processes_release(&table);
    return rc < 0 ? PT_EXIT_READ : PT_EXIT_OK;
}

int pt_show_ps(const struct pt_session *s, int64_t n)
{
    struct pt_view *view;
    struct pt_err err = {0};
    const unsigned groups =
        PT_GROUP(PT_BLOCK_PROC) | PT_GROUP(PT_BLOCK_NAMES) | PT_GROUP(PT_BLOCK_DEEP);
    if (pt_view_load(s->db, n, groups, &view, &err) < 0)
        return pt_fail(&err);
    const int status = show(s, view);
    pt_view_free(view);
    return status;
}
