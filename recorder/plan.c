/* SPDX-License-Identifier: MIT
 * The plan of deep reads. */
#include "recorder/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "schema/array.h"
#include "schema/source.h"

#define NAMES_US  15 /* cmdline or exe, measured with open and close */
#define STATFS_US 5
/* smaps of more mappings than this costs mostly its text: smaps_rollup stands in, but for every
 * 16th time. */
#define MANY_MAPS      5000
#define MANY_EVERY     16
#define ROLLUP_EVERY   8
#define NAMES_EVERY    16
#define STUCK_SHUN_US  (600 * PT_SECOND)
#define DENIED_SHUN_US (1800 * PT_SECOND)

struct pt_plan_pick {
    double score;
    uint32_t index;
};

void pt_plan_init(struct pt_plan *p, const struct pt_plan_config *config, struct pt_deep *deep)
{
    *p = (struct pt_plan){.mode = config->mode, .deep = deep, .since_us = INT64_MAX};
    pt_gov_init(&p->gov, config->budget_ppm, config->interval_us, config->stall_us);
}

void pt_plan_release(struct pt_plan *p)
{
    pt_mounts_release(&p->mounts);
    free(p->picks);
}

uint32_t pt_plan_ready(const struct pt_plan *p)
{
    return pt_deep_results(p->deep);
}

/* ---- results ---- */

static const enum pt_proc_file file_of[] = {
    [PT_DEEP_CMDLINE] = PT_PROC_CMDLINE,
    [PT_DEEP_EXE] = PT_PROC_EXE,
    [PT_DEEP_SMAPS] = PT_PROC_SMAPS,
    [PT_DEEP_ROLLUP] = PT_PROC_ROLLUP,
};

static void put(struct pt_sink *sink, int32_t source, struct pt_deep_result *r)
{
    if (r->reading) {
        pt_sink_put(sink, (uint32_t)source, r->reading, r->read_us, r->text, r->len);
        r->reading = NULL;
    } else {
        pt_sink_fail(sink, (uint32_t)source, r->why, r->read_us);
    }
}

static void apply_mount(struct pt_plan *p, struct pt_sink *sink, struct pt_deep_result *r)
{
    if (r->gen != p->mounts_gen || r->pid >= p->mounts.n)
        return;
    struct pt_mount *mount = &p->mounts.mount[r->pid];
    if (r->why == ENOENT) {
        if (mount->source >= 0)
            pt_sink_gone(sink, (uint32_t)mount->source);
        mount->source = -1;
        return;
    }
    if (mount->source < 0)
        mount->source = (int32_t)pt_sink_open(sink, mount->name);
    if (mount->source >= 0)
        put(sink, mount->source, r);
}

static int32_t small(int64_t us)
{
    return us > INT32_MAX ? INT32_MAX : us < 1 ? 1 : (int32_t)us;
}

static void note_smaps(struct pt_plan *p, struct pt_proc *proc, const struct pt_deep_result *r,
                       int64_t now)
{
    proc->pending = false;
    p->smaps += !r->why;
    if (r->why == ETIMEDOUT)
        proc->shunned_us = now + STUCK_SHUN_US;
    else if (r->why)
        proc->shunned_us = now + DENIED_SHUN_US;
    if (r->why)
        return;
    if (r->kind == PT_DEEP_SMAPS)
        proc->maps = r->reading->nrows;
    if (r->kind == PT_DEEP_ROLLUP && proc->maps <= MANY_MAPS)
        return; /* the smaps read beside it tells the cost and the age */
    proc->deep_cost_us = small(r->cpu_us);
    proc->deep_stall_us = small(r->stall_us);
    proc->deep_us = now;
    proc->deep_rss_pages = proc->rss_pages;
    if (++proc->deep_count == 0) /* goes round, and 0 would be: never */
        proc->deep_count = MANY_EVERY;
}

/* While a program is being started it has no command line: it is asked again when the process is
 * looked at next, once. */
static void note_names(struct pt_proc *proc, const struct pt_deep_result *r)
{
    proc->names_pending--;
    if (r->kind == PT_DEEP_CMDLINE && !r->why && r->reading->nrows == 0 &&
        proc->unnamed == PT_UNNAMED_NOT)
        proc->unnamed = PT_UNNAMED_ASK;
}

static void apply_proc(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs,
                       struct pt_deep_result *r)
{
    struct pt_proc *proc = pt_procs_find(procs, r->pid);
    if (!proc || proc->gen != r->gen || !pt_proc_alive(proc))
        return;
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    const bool names = r->kind == PT_DEEP_CMDLINE || r->kind == PT_DEEP_EXE;
    if (names)
        note_names(proc, r);
    else
        note_smaps(p, proc, r, now);
    if (r->why == ETIMEDOUT) {
        p->stuck++;
        p->last_stuck_pid = r->pid;
        proc->shunned_us = now + STUCK_SHUN_US;
        proc->names_due |= names;
    }
    pt_procs_note(procs, proc, file_of[r->kind], r->why);
    if (r->why == ESRCH || r->why == ENOENT)
        return; /* it is ending, or its kind or kernel has no such file */
    const int32_t source = pt_proc_source(proc, sink, file_of[r->kind]);
    if (source >= 0)
        put(sink, source, r);
}

void pt_plan_apply(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs, uint32_t n)
{
    struct pt_deep_result r;
    for (; n && pt_deep_take(p->deep, &r); n--) {
        p->reads++;
        pt_gov_back(&p->gov, r.predicted_us);
        if (r.kind == PT_DEEP_STATFS)
            apply_mount(p, sink, &r);
        else
            apply_proc(p, sink, procs, &r);
        pt_deep_drop(p->deep, &r);
    }
}

/* ---- orders ---- */

static bool push(struct pt_plan *p, const struct pt_sink *sink, struct pt_deep_job *job,
                 int32_t source)
{
    const struct pt_reading *last = source >= 0 ? pt_enc_last(sink->enc, (uint32_t)source) : NULL;
    if (last)
        job->prev = pt_reading_ref((struct pt_reading *)(uintptr_t)last);
    if (!pt_deep_push(p->deep, job)) {
        pt_reading_unref(sink->shapes, job->prev);
        return false;
    }
    pt_gov_order(&p->gov, job->predicted_us);
    return true;
}

static bool push_proc(struct pt_plan *p, const struct pt_sink *sink, const struct pt_proc *proc,
                      enum pt_deep_kind kind, int64_t predicted_us)
{
    static const char *const names[] = {
        [PT_DEEP_CMDLINE] = "proc:1/cmdline",
        [PT_DEEP_EXE] = "proc:1/exe",
        [PT_DEEP_SMAPS] = "proc:1/smaps",
        [PT_DEEP_ROLLUP] = "proc:1/smaps_rollup",
    };
    struct pt_deep_job job = {
        .kind = kind,
        .pid = proc->pid,
        .gen = proc->gen,
        .predicted_us = predicted_us,
        .grammar = &pt_file_of(names[kind])->grammar,
    };
    return push(p, sink, &job, proc->source[file_of[kind]]);
}

static uint32_t order_names(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    uint32_t given = 0;
    uint32_t room = pt_deep_room(p->deep);
    for (uint32_t i = 0; i < pt_procs_count(procs) && room >= 2; i++) {
        struct pt_proc *proc = pt_procs_at(procs, i);
        if (!proc->names_due || proc->names_pending || proc->kernel || proc->zombie ||
            proc->shunned_us > now)
            continue;
        proc->names_pending = (uint8_t)push_proc(p, sink, proc, PT_DEEP_CMDLINE, NAMES_US);
        proc->names_pending =
            (uint8_t)(proc->names_pending + push_proc(p, sink, proc, PT_DEEP_EXE, NAMES_US));
        proc->names_due = proc->names_pending == 0;
        given += proc->names_pending;
        room -= 2;
    }
    return given;
}

static int by_score(const void *a, const void *b)
{
    const struct pt_plan_pick *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static struct pt_gov_case weigh(const struct pt_proc *proc, int64_t now, int64_t page_kb)
{
    return (struct pt_gov_case){
        .cost_us = proc->deep_cost_us,
        .stall_us = proc->deep_stall_us,
        .was_kb = proc->deep_rss_pages * page_kb,
        .rss_kb = proc->rss_pages * page_kb,
        .age_us = now - proc->deep_us,
    };
}

static void pick(struct pt_plan *p, double score, uint32_t index)
{
    struct pt_plan_pick *picks = pt_array_room(p->picks, p->npicks, &p->picks_cap, sizeof(*picks));
    if (!picks)
        return;
    p->picks = picks;
    p->picks[p->npicks++] = (struct pt_plan_pick){score, index};
}

/* Is it to be read now? Counts what is found. */
static bool wanted(struct pt_plan *p, const struct pt_proc *proc, int64_t now, int64_t page_kb,
                   double *ret_score)
{
    struct pt_coverage *seen = &p->coverage;
    const struct pt_gov_case c = weigh(proc, now, page_kb);
    seen->never += !proc->deep_count;
    if (proc->deep_count && c.age_us > seen->oldest_us)
        seen->oldest_us = c.age_us;
    if (proc->pending || proc->shunned_us > now ||
        (proc->deep_count && proc->deep_us >= p->since_us))
        return false;
    *ret_score = 1;
    if (p->mode == PT_DEEP_ALL)
        return true;
    const enum pt_gov_say say = pt_gov_weigh(&p->gov, &c, p->mood, ret_score);
    seen->stalling += say == PT_GOV_STALLS;
    return say == PT_GOV_DUE;
}

static void gather(struct pt_plan *p, struct pt_procs *procs, int64_t now, int64_t page_kb)
{
    p->npicks = 0;
    p->coverage = (struct pt_coverage){0};
    for (uint32_t i = 0; i < pt_procs_count(procs); i++) {
        const struct pt_proc *proc = pt_procs_at(procs, i);
        double score;
        if (!proc->kernel && !proc->zombie && wanted(p, proc, now, page_kb, &score))
            pick(p, score, i);
    }
    if (p->npicks)
        qsort(p->picks, p->npicks, sizeof(*p->picks), by_score);
}

static uint32_t order_one(struct pt_plan *p, struct pt_sink *sink, struct pt_proc *proc,
                          int64_t cost)
{
    uint32_t given = 0;
    const bool many = proc->maps > MANY_MAPS && p->mode != PT_DEEP_ALL;
    if (!many || proc->deep_count % MANY_EVERY == 0)
        given += push_proc(p, sink, proc, PT_DEEP_SMAPS, cost);
    if (many || proc->deep_count % ROLLUP_EVERY == 0)
        given += push_proc(p, sink, proc, PT_DEEP_ROLLUP, many ? cost : cost / 2);
    proc->pending = given > 0;
    /* A program may have been started under the same name, or have changed its title. Reading a
     * command line brings its page in from swap: seldom, and never while memory is short. */
    if (p->mood != PT_GOV_DENSE && proc->deep_count % NAMES_EVERY == NAMES_EVERY - 1)
        proc->names_due = true;
    return given;
}

static uint32_t order_smaps(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs)
{
    if (p->mode == PT_DEEP_OFF)
        return 0;
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    const int64_t page_kb = sysconf(_SC_PAGESIZE) / 1024;
    uint32_t room = pt_deep_room(p->deep), given = 0, i = 0;
    gather(p, procs, now, page_kb);
    for (; i < p->npicks && room >= 2; i++) {
        if (p->mode == PT_DEEP_AUTO && pt_gov_broke(&p->gov))
            break;
        struct pt_proc *proc = pt_procs_at(procs, p->picks[i].index);
        const struct pt_gov_case c = weigh(proc, now, page_kb);
        given += order_one(p, sink, proc, pt_gov_predict(&c));
        room -= 2;
    }
    p->coverage.overdue = p->npicks - i;
    return given;
}

uint32_t pt_plan_order(struct pt_plan *p, struct pt_sink *sink, struct pt_procs *procs)
{
    const uint32_t names = order_names(p, sink, procs);
    return names + order_smaps(p, sink, procs);
}

static void forecast_one(const struct pt_gov_case *c, struct pt_forecast *f)
{
    const double seconds = (double)c->age_us / (double)PT_SECOND;
    const double growth = c->cost_us && seconds >= 1 ? (double)llabs(c->rss_kb - c->was_kb) : 0;
    const double period =
        (double)pt_gov_period_us(c->rss_kb, growth / (seconds >= 1 ? seconds : 1)) /
        (double)PT_SECOND;
    f->reads_s += 1 / period;
    f->cpu_us_s += (double)pt_gov_predict(c) / period;
}

void pt_plan_forecast(const struct pt_plan *p, struct pt_procs *procs, struct pt_forecast *ret)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    const int64_t page_kb = sysconf(_SC_PAGESIZE) / 1024;
    *ret = (struct pt_forecast){0};
    for (uint32_t i = 0; i < pt_procs_count(procs) && p->mode != PT_DEEP_OFF; i++) {
        const struct pt_proc *proc = pt_procs_at(procs, i);
        if (proc->kernel || proc->zombie || proc->shunned_us > now)
            continue;
        const struct pt_gov_case c = weigh(proc, now, page_kb);
        ret->read += proc->deep_count > 0;
        ret->unread += !proc->deep_count;
        forecast_one(&c, ret);
    }
}

static void mount_gone(void *ctx, int32_t source)
{
    pt_sink_gone(ctx, (uint32_t)source);
}

void pt_plan_mounts(struct pt_plan *p, struct pt_sink *sink, const struct pt_roots *roots,
                    uint64_t tick, bool full)
{
    if (full || tick % PT_RARE_TICKS == 0) {
        pt_mounts_update(&p->mounts, roots, mount_gone, sink);
        p->mounts_gen++;
    }
    if (!full && tick % PT_SLOW_TICKS != 0)
        return;
    for (uint32_t i = 0; i < p->mounts.n && pt_deep_room(p->deep); i++) {
        const struct pt_mount *mount = &p->mounts.mount[i];
        struct pt_deep_job job = {
            .kind = PT_DEEP_STATFS,
            .pid = i,
            .gen = p->mounts_gen,
            .predicted_us = STATFS_US,
            .path = strdup(mount->path),
            .grammar = &pt_file_of(mount->name)->grammar,
        };
        if (!job.path || !push(p, sink, &job, mount->source))
            free(job.path);
    }
}
