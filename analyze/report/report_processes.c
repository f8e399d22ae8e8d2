/* SPDX-License-Identifier: MIT
 * The processes at the end of a report's span, the heaviest first, with what each of them grew by
 * and what is said of it. */
#include <stdlib.h>

#include "analyze/print/json.h"
#include "analyze/report/report_int.h"
#include "analyze/report/tree.h"

/* With 300 a table of all is still under a tenth of a megabyte. */
#define PROCESSES 500

/* What it would give back, without smaps that may be old. */
static int64_t weight(const struct pt_diff_process *p)
{
    return pt_process_weight(p->after);
}

static int by_weight(const void *a, const void *b)
{
    const struct pt_diff_process *x = *(const struct pt_diff_process *const *)a,
                                 *y = *(const struct pt_diff_process *const *)b;
    if (weight(x) != weight(y))
        return weight(x) < weight(y) ? 1 : -1;
    return (x->after->pid > y->after->pid) - (x->after->pid < y->after->pid);
}

/* Of one process: one that came in its place has not grown. */
static int64_t change(const struct pt_diff_process *p)
{
    if (p->side != PT_SIDE_BOTH || p->match != PT_MATCH_IDENTITY)
        return PT_UNKNOWN;
    const int64_t now = pt_process_weight(p->after), was = pt_process_weight(p->before);
    return now == PT_UNKNOWN || was == PT_UNKNOWN ? PT_UNKNOWN : now - was;
}

static json_t *row(const struct pt_report *r, const struct pt_diff_process *d)
{
    const struct pt_process *p = d->after;
    const char *verdict;
    const char *id =
        pt_report_finding_of(json_object_get(r->doc, "leaks"), p->pid, p->start_time, &verdict);
    const char state[] = {p->state, '\0'};
    json_t *j =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", (json_int_t)p->pid,
                  "start_time", pt_json_int(p->start_time), "comm", pt_json_str(p->comm), "exe",
                  pt_json_str(p->exe), "cmdline", pt_json_str(p->cmdline), "service",
                  pt_json_str(p->service), "uid", pt_json_int(p->uid), "threads",
                  pt_json_int(p->threads), "state", p->state ? pt_json_str(state) : json_null());
    json_t *rest = json_pack("{s:o, s:s?, s:s?}", "change", pt_json_int(change(d)), "verdict",
                             verdict, "finding", id);
    static const enum pt_measure measures[] = {PT_RSS,  PT_ANON, PT_SWAP, PT_SHMEM,
                                               PT_FILE, PT_PSS,  PT_USS};
    for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
        json_object_set_new(rest, pt_measure_name(measures[i]), pt_json_int(p->m[measures[i]]));
    if (!j || !rest || json_object_update(j, rest) < 0) {
        json_decref(j);
        j = NULL;
    }
    json_decref(rest);
    return j;
}

json_t *pt_report_processes(struct pt_report *r, struct pt_err *err)
{
    const struct pt_diff *d = &r->diff;
    if (!r->after.view)
        return json_null();
    const struct pt_diff_process **order = calloc(d->nprocesses + 1, sizeof(*order));
    size_t n = 0;
    if (!order) {
        pt_err_nomem(err);
        return NULL;
    }
    for (size_t i = 0; i < d->nprocesses; i++)
        if (d->processes[i].after && !d->processes[i].after->kernel)
            order[n++] = &d->processes[i];
    qsort(order, n, sizeof(*order), by_weight);
    const size_t top = pt_report_top(r, PROCESSES), shown = n < top ? n : top;
    json_t *rows = json_array();
    for (size_t i = 0; i < shown; i++)
        json_array_append_new(rows, row(r, order[i]));
    free(order);
    return json_pack("{s:o, s:I, s:o, s:I}", "time", pt_json_time(r->after.view->snap.real_us),
                     "snapshot", (json_int_t)r->after.view->snap.n, "rows", rows, "omitted",
                     (json_int_t)(n - shown));
}
