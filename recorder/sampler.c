/* SPDX-License-Identifier: MIT
 * Taking snapshots. */
#include "recorder/sampler_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/clock.h"
#include "recorder/host.h"
#include "recorder/past.h"
#include "recorder/sources.h"

#define FRAME_MAX (64u << 20)
/* What snapshots are like: whether everything is read, and that only while triggers have not used
 * up their share; whom deep reads are for, how long they are waited for, and the CPU time that is
 * lent for them, at most what a minute earns. */
static const struct manner {
    bool full, spared;
    enum pt_gov_mood mood;
    int64_t wait_us, loan_us;
} manners[] = {
    [PT_TRIGGER_TIMER] = {false, false, PT_GOV_ROUTINE, 0, 0},
    [PT_TRIGGER_ONCE] = {true, false, PT_GOV_ASKED, 15000000, 10000000},
    [PT_TRIGGER_START] = {true, false, PT_GOV_EAGER, 1500000, 300000},
    [PT_TRIGGER_STOP] = {true, false, PT_GOV_EAGER, 1000000, 100000},
    [PT_TRIGGER_SIGNAL] = {true, false, PT_GOV_ASKED, 300000, 100000},
    /* whoever grows may be killed soon: its last deep reading should be of now */
    [PT_TRIGGER_PSI] = {true, true, PT_GOV_DENSE, 300000, 100000},
    [PT_TRIGGER_OOM] = {true, false, PT_GOV_DENSE, 300000, 100000},
    [PT_TRIGGER_LOW] = {true, true, PT_GOV_DENSE, 300000, 100000},
    [PT_TRIGGER_BURST] = {false, false, PT_GOV_DENSE, 0, 0},
};

/* ---- what takes the snapshots ---- */

static void hand_over(struct pt_sampler *s, const struct pt_snap *snap)
{
    if (s->config.writer)
        pt_writer_push(s->config.writer, snap, s->want_key, &s->frame);
    else
        s->config.frame(s->config.ctx, snap, s->want_key, &s->frame);
    if (s->config.writer && snap->trigger == PT_TRIGGER_SIGNAL)
        pt_writer_sync(s->config.writer);
}

/* ---- life ---- */

static void on_death(void *ctx, const struct pt_proc *p)
{
    struct pt_sampler *s = ctx;
    pt_gallery_bury(&s->gallery, p, &s->sink, s->last.n);
}

static int open_parts(struct pt_sampler *s, struct pt_err *err)
{
    const struct pt_sampler_config *c = &s->config;
    s->shapes = pt_shapes_new();
    s->enc = s->shapes ? pt_enc_new(s->shapes) : NULL;
    if (!s->enc)
        return pt_err_nomem(err);
    const struct pt_deep_config deep = {
        .roots = c->roots,
        .shapes = s->shapes,
        .shapes_lock = &s->lock,
        .cmdline = c->cmdline,
        .shift_us =
            c->timestamp_us == PT_UNKNOWN ? 0 : c->timestamp_us - pt_clock_us(CLOCK_REALTIME),
        .keep_text = c->raw != NULL,
    };
    pt_gallery_init(&s->gallery);
    int rc = pt_sink_init(&s->sink, s->enc, s->shapes, c->raw, err);
    if (rc >= 0)
        rc = pt_system_new(c->roots, &s->system, err);
    if (rc >= 0)
        rc = pt_procs_new(c->roots, &s->procs, err);
    if (rc >= 0)
        pt_procs_on_death(s->procs, on_death, s);
    if (rc >= 0)
        rc = pt_cgroups_new(c->roots, &s->cgroups, err);
    if (rc >= 0)
        rc = pt_deep_new(&deep, &s->deep, err);
    if (rc >= 0)
        pt_plan_init(&s->plan, &c->plan, s->deep);
    return rc;
}

int pt_sampler_new(const struct pt_sampler_config *config, struct pt_sampler **ret,
                   struct pt_err *err)
{
    struct pt_sampler *s = calloc(1, sizeof(*s));
    if (!s)
        return pt_err_nomem(err);
    s->config = *config;
    pt_own_init(&s->own);
    s->account_source = -1;
    pt_account_init(&s->account);
    pt_sampler_budget_init(s);
    s->rss_kb = PT_UNKNOWN;
    s->headline = (struct pt_headline){PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN,
                                       PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, 0};
    pthread_mutex_init(&s->lock, NULL);
    pt_buf_init(&s->frame, FRAME_MAX);
    const int rc = open_parts(s, err);
    if (rc < 0) {
        pt_sampler_free(s);
        return rc;
    }
    pt_sampler_reopened(s);
    *ret = s;
    return 0;
}

bool pt_sampler_free(struct pt_sampler *s)
{
    if (!s || !pt_deep_free(s->deep))
        return !s;
    pt_plan_release(&s->plan);
    pt_gallery_release(&s->gallery);
    pt_cgroups_free(s->cgroups);
    pt_procs_free(s->procs);
    pt_system_free(s->system);
    pt_sink_release(&s->sink);
    pt_enc_free(s->enc);
    pt_shapes_free(s->shapes);
    pt_buf_release(&s->frame);
    pthread_mutex_destroy(&s->lock);
    pt_own_release(&s->own);
    free(s);
    return true;
}

void pt_sampler_reopened(struct pt_sampler *s)
{
    s->n = s->config.writer ? pt_writer_next(s->config.writer) : 1;
    s->last.n = 0;
    s->want_key = true;
}

/* ---- clocks ---- */

static int32_t utc_offset(int64_t real_us)
{
    const time_t t = (time_t)(real_us / PT_SECOND);
    struct tm tm;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static void begin_snap(struct pt_sampler *s, enum pt_trigger trigger, struct pt_snap *snap)
{
    const struct pt_root *proc = &s->config.roots->root[PT_ROOT_PROC];
    *snap = (struct pt_snap){
        .n = s->n,
        .real_us = pt_clock_us(CLOCK_REALTIME),
        .boot_us = pt_clock_us(CLOCK_BOOTTIME),
        .mono_us = pt_clock_us(CLOCK_MONOTONIC),
        .boot = s->config.writer ? pt_writer_boot(s->config.writer) : 1,
        .trigger = (uint32_t)trigger,
        .cost_us = PT_UNKNOWN,
        .deep_us = PT_UNKNOWN,
        .rss_kb = PT_UNKNOWN,
        .mem_available_kb = PT_UNKNOWN,
        .swap_used_kb = PT_UNKNOWN,
        .psi_some_us = PT_UNKNOWN,
        .psi_full_us = PT_UNKNOWN,
        .processes = PT_UNKNOWN,
    };
    if (s->config.timestamp_us != PT_UNKNOWN) {
        s->sink.shift_us = s->config.timestamp_us - snap->real_us;
        snap->real_us = s->config.timestamp_us;
    }
    const int64_t uptime = proc->live ? -1 : pt_host_uptime_us(s->config.roots);
    if (uptime >= 0)
        snap->boot_us = snap->mono_us = uptime;
    snap->utc_offset_s = utc_offset(snap->real_us);
}

/* Tells of sleep and of a clock that was set, between the snapshot before and this one. */
static void compare_clocks(struct pt_sampler *s, const struct pt_snap *now)
{
    int64_t slept, stepped;
    char text[128];
    if (!s->last.n || !s->config.roots->root[PT_ROOT_PROC].live ||
        s->config.timestamp_us != PT_UNKNOWN)
        return;
    pt_past_clocks(&s->last, now, &slept, &stepped);
    if (slept) {
        snprintf(text, sizeof(text), "the machine slept for %" PRId64 " s",
                 (slept + PT_SECOND / 2) / PT_SECOND);
        pt_sampler_tell(s, now, PT_EVENT_SUSPEND, text);
    }
    if (stepped) {
        snprintf(text, sizeof(text), "the clock was set by %+" PRId64 " ms", stepped / 1000);
        pt_sampler_tell(s, now, PT_EVENT_CLOCK, text);
    }
}

static void end_snap(struct pt_sampler *s, const struct pt_headline *h, struct pt_snap *snap)
{
    const int64_t cpu = pt_clock_us(CLOCK_PROCESS_CPUTIME_ID), deep = pt_deep_cpu_us(s->deep);
    s->cost_us = cpu - s->cpu_us;
    snap->cost_us = s->cost_us;
    snap->deep_us = deep - s->deep_us;
    s->cpu_us = cpu;
    s->deep_us = deep;
    snap->rss_kb = s->rss_kb = pt_own_rss_kb(&s->own);
    snap->mem_available_kb = h->mem_available_kb;
    snap->swap_used_kb = h->swap_used_kb;
    snap->psi_some_us = h->psi_some_us;
    snap->psi_full_us = h->psi_full_us;
    snap->processes = pt_procs_count(s->procs);
}

/* ---- one snapshot ---- */

/* Orders deep reads and waits for them, without the lock, until there are none left or the time is
 * over. */
static void collect(struct pt_sampler *s, int64_t wait_us)
{
    const int64_t until = pt_clock_us(CLOCK_MONOTONIC) + wait_us;
    int64_t left = wait_us;
    while (left > 0) {
        const uint32_t given = pt_plan_order(&s->plan, &s->sink, s->procs);
        pthread_mutex_unlock(&s->lock);
        pt_deep_wait(s->deep, left);
        pthread_mutex_lock(&s->lock);
        pt_plan_apply(&s->plan, &s->sink, s->procs, pt_plan_ready(&s->plan));
        left = given ? until - pt_clock_us(CLOCK_MONOTONIC) : 0;
    }
}

/* What this thread did since the last call was this part. */
static void part(struct pt_sampler *s, enum pt_part part)
{
    const int64_t now = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    s->part_us[part] += now - s->clock_us;
    s->clock_us = now;
}

/* The cheap files. */
static int read_cheap(struct pt_sampler *s, bool full, struct pt_err *err)
{
    static const enum pt_part parts[PT_TIERS] = {PT_PART_TICK, PT_PART_SLOW, PT_PART_RARE};
    s->clock_us = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    for (int tier = 0; tier < PT_TIERS; tier++) {
        pt_system_tick(s->system, &s->sink, (enum pt_tier)tier, s->tick, full, &s->headline);
        part(s, parts[tier]);
    }
    pt_procs_forks(s->procs, s->headline.forks);
    const int rc = pt_procs_tick(s->procs, &s->sink, s->cgroups, s->tick, full, err);
    part(s, PT_PART_PROCS);
    pt_cgroups_tick(s->cgroups, &s->sink, s->tick, full);
    part(s, PT_PART_CGROUPS);
    return rc;
}

/* Results there were before the processes were looked at, then new orders. */
static void read_deep(struct pt_sampler *s, const struct manner *m, uint32_t ready, int64_t start)
{
    pt_plan_apply(&s->plan, &s->sink, s->procs, ready);
    pt_plan_mounts(&s->plan, &s->sink, s->config.roots, s->tick, m->full);
    s->plan.since_us = m->wait_us ? start : INT64_MAX; /* this snapshot waits: once each */
    s->plan.mood = m->mood;
    const int64_t minute = 60 * s->plan.gov.budget_ppm;
    const bool asked = m->mood == PT_GOV_ASKED;
    s->asked_us = pt_deep_cpu_us(s->deep);
    if (m->mood != PT_GOV_DENSE || !pt_gov_overdrawn(&s->plan.gov))
        pt_gov_lend(&s->plan.gov, asked || m->loan_us < minute ? m->loan_us : minute);
    if (m->wait_us)
        collect(s, m->wait_us);
    else
        pt_plan_order(&s->plan, &s->sink, s->procs);
    part(s, PT_PART_DEEP);
}

/* Under the lock. */
static int read_all(struct pt_sampler *s, const struct manner *m, struct pt_snap *snap,
                    struct pt_err *err)
{
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    const uint32_t ready = pt_plan_ready(&s->plan);
    if (pt_enc_begin(s->enc, snap, err) < 0)
        return -1;
    const int rc = read_cheap(s, m->full, err);
    snap->span_us = pt_clock_us(CLOCK_MONOTONIC) - start;
    read_deep(s, m, ready, start);
    end_snap(s, &s->headline, snap);
    pt_sampler_account_put(s, snap);
    pt_buf_reset(&s->frame);
    const int end = pt_enc_end(s->enc, snap, &s->frame, rc < 0 ? NULL : err);
    part(s, PT_PART_FRAME);
    return rc < 0 ? rc : end;
}

static bool chain_full(const struct pt_sampler *s)
{
    return pt_enc_chain_frames(s->enc) >= PT_CHAIN_FRAMES ||
           pt_enc_chain_bytes(s->enc) >= s->key_bytes + pt_chain_room(s->key_bytes);
}

/* With very many processes, triggers that come again and again would be all that the budget is
 * spent on: having used up their share they take what a burst's snapshots take. */
static const struct manner *manner_of(struct pt_sampler *s, enum pt_trigger trigger)
{
    static const struct manner other = {true, false, PT_GOV_EAGER, 0, 0};
    const struct manner *m =
        (size_t)trigger < sizeof(manners) / sizeof(*manners) ? &manners[trigger] : &other;
    s->spared = m->spared && pt_gov_overdrawn(&s->plan.gov);
    return s->spared ? &manners[PT_TRIGGER_BURST] : m;
}

int pt_sampler_tick(struct pt_sampler *s, enum pt_trigger trigger, struct pt_err *err)
{
    int64_t before[PT_PARTS];
    struct pt_snap snap;
    memcpy(before, s->part_us, sizeof(before));
    pt_sampler_budget_pass(s);
    const struct manner *m = manner_of(s, trigger);
    if ((s->config.writer && (pt_writer_wants_key(s->config.writer, &s->n) ||
                              pt_writer_ends_chain(s->config.writer))) ||
        chain_full(s))
        s->want_key = true;
    pt_deep_watch(s->deep);
    pthread_mutex_lock(&s->lock);
    if (s->want_key) {
        s->sealing.waiting += pt_enc_chain_bytes(s->enc);
        pt_enc_new_chain(s->enc);
    }
    begin_snap(s, trigger, &snap);
    s->sink.n = snap.n;
    s->sink.access = NULL;
    if (trigger == PT_TRIGGER_START || trigger == PT_TRIGGER_ONCE) {
        s->access = (struct pt_access){.rows = 0};
        s->sink.access = &s->access;
    }
    const int rc = read_all(s, m, &snap, err);
    pthread_mutex_unlock(&s->lock);
    s->tick++;
    pt_rawlog_flush(s->config.raw);
    if (rc < 0) {
        s->want_key = true;
        return rc;
    }
    s->n++; /* only now: the store takes no number that was left out */
    compare_clocks(s, &snap);
    s->frame_bytes += s->frame.len;
    hand_over(s, &snap);
    if (s->want_key)
        s->key_bytes = pt_enc_chain_bytes(s->enc);
    s->want_key = false;
    s->last = snap;
    s->snapshots++;
    if (!m->full)
        pt_sampler_budget_note(s, before, &snap);
    else if (m->mood == PT_GOV_DENSE)
        pt_sampler_budget_alarm(s, before);
    return 0;
}
