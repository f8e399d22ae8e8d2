/* SPDX-License-Identifier: MIT
 * What the sampler tells: its account in the recording, and what others ask it for. */
#include "recorder/sampler_int.h"

#include <string.h>

#include "recorder/clock.h"

struct pt_writer_stats pt_sampler_stored(const struct pt_sampler *s)
{
    struct pt_writer_stats w = {.store_us = PT_UNKNOWN};
    if (s->config.writer)
        pt_writer_stats(s->config.writer, &w);
    return w;
}

void pt_sampler_tell(const struct pt_sampler *s, const struct pt_snap *snap, enum pt_event kind,
                     const char *text)
{
    if (s->config.writer)
        pt_writer_event(s->config.writer, snap->real_us, kind, snap->n, "", text);
}

/* ---- the account ---- */

static void account_fill(struct pt_sampler *s, const struct pt_snap *snap)
{
    int64_t *v = s->account.value;
    const struct pt_writer_stats w = pt_sampler_stored(s);
    bool paused;
    v[PT_ACCOUNT_CPU_US] = s->cpu_us;
    v[PT_ACCOUNT_CPU_DEEP_US] = s->deep_us;
    v[PT_ACCOUNT_CPU_STORE_US] = w.cpu_us;
    v[PT_ACCOUNT_RSS_KB] = s->rss_kb;
    v[PT_ACCOUNT_FDS_KEPT] = pt_procs_kept(s->procs);
    v[PT_ACCOUNT_READ_US] = snap->span_us;
    v[PT_ACCOUNT_STORE_US] = w.store_us;
    v[PT_ACCOUNT_FRAME_BYTES] = (int64_t)s->frame_bytes;
    v[PT_ACCOUNT_WRITTEN_BYTES] = pt_own_written(&s->own);
    v[PT_ACCOUNT_BUDGET_PPM] = s->plan.gov.budget_ppm;
    v[PT_ACCOUNT_PROCESSES] = pt_procs_count(s->procs);
    v[PT_ACCOUNT_PROCESSES_READ] = pt_procs_visited(s->procs);
    v[PT_ACCOUNT_DEEP_READS] = (int64_t)s->plan.reads;
    if (s->config.plan.mode != PT_DEEP_OFF) {
        v[PT_ACCOUNT_DEEP_OVERDUE] = s->plan.coverage.overdue;
        v[PT_ACCOUNT_DEEP_STALLING] = s->plan.coverage.stalling;
        v[PT_ACCOUNT_DEEP_NEVER] = s->plan.coverage.never;
        v[PT_ACCOUNT_DEEP_OLDEST_S] = s->plan.coverage.oldest_us / PT_SECOND;
    }
    v[PT_ACCOUNT_READS_STUCK] = (int64_t)s->plan.stuck;
    v[PT_ACCOUNT_STUCK_NOW] = pt_deep_stuck(s->deep, &paused);
    v[PT_ACCOUNT_TEXTS_REFUSED] = (int64_t)s->sink.refused;
    v[PT_ACCOUNT_FRAMES_LOST] = (int64_t)w.lost;
    v[PT_ACCOUNT_CGROUPS] = pt_cgroups_count(s->cgroups);
    v[PT_ACCOUNT_CGROUPS_REFUSED] = (int64_t)pt_cgroups_refused(s->cgroups);
    v[PT_ACCOUNT_DENIED_SYSTEM] = pt_system_denied(s->system);
    for (size_t i = 0; i < PT_PROC_FILES; i++)
        v[PT_ACCOUNT_DENIED + i] = pt_procs_denied(s->procs)[i];
}

void pt_sampler_account_put(struct pt_sampler *s, const struct pt_snap *snap)
{
    char text[PT_ACCOUNT_TEXT];
    account_fill(s, snap);
    const size_t len = pt_account_text(&s->account, text);
    if (s->account_source < 0)
        s->account_source = pt_sink_open(&s->sink, "self:account");
    if (s->account_source >= 0)
        pt_sink_text(&s->sink, (uint32_t)s->account_source, text, len);
}

struct pt_account *pt_sampler_account(struct pt_sampler *s)
{
    return &s->account;
}

/* ---- for others ---- */

const struct pt_portrait *pt_sampler_portrait(struct pt_sampler *s, uint32_t pid)
{
    pthread_mutex_lock(&s->lock);
    const struct pt_portrait *p = pt_gallery_find(&s->gallery, s->procs, &s->sink, s->last.n, pid);
    pthread_mutex_unlock(&s->lock);
    return p;
}

bool pt_sampler_life(struct pt_sampler *s, uint32_t pid, struct pt_dead *ret)
{
    return pt_gallery_life(&s->gallery, s->procs, s->last.n, pid, ret);
}

uint32_t pt_sampler_kills(struct pt_sampler *s, struct pt_cgroup_kills *ret, uint32_t max)
{
    return pt_cgroups_kills(s->cgroups, ret, max);
}

const struct pt_snap *pt_sampler_last(const struct pt_sampler *s)
{
    return &s->last;
}

const struct pt_headline *pt_sampler_headline(const struct pt_sampler *s)
{
    return &s->headline;
}

void pt_sampler_new_chain(struct pt_sampler *s)
{
    s->want_key = true;
}

void pt_sampler_forecast(struct pt_sampler *s, struct pt_forecast *ret)
{
    pt_plan_forecast(&s->plan, s->procs, ret);
}

void pt_sampler_denied(const struct pt_sampler *s, void (*fn)(void *ctx, const char *name),
                       void *ctx)
{
    pt_system_each_denied(s->system, fn, ctx);
}

int64_t pt_sampler_watch(struct pt_sampler *s)
{
    return pt_deep_watch(s->deep);
}

const struct pt_access *pt_sampler_access(const struct pt_sampler *s)
{
    return &s->access;
}

bool pt_sampler_stalled(struct pt_sampler *s, int64_t limit_us)
{
    return pt_deep_stalled(s->deep, limit_us);
}

void pt_sampler_stats(struct pt_sampler *s, struct pt_sampler_stats *ret)
{
    *ret = (struct pt_sampler_stats){
        .snapshots = s->snapshots,
        .refused = s->sink.refused,
        .processes = pt_procs_count(s->procs),
        .cgroups = pt_cgroups_count(s->cgroups),
        .kept_fds = pt_procs_kept(s->procs),
        .deep_reads = s->plan.reads,
        .deep_smaps = s->plan.smaps,
        .denied_system = pt_system_denied(s->system),
        .stuck = s->plan.stuck,
        .last_stuck_pid = s->plan.last_stuck_pid,
        .last_cost_us = s->cost_us,
        .rss_kb = s->rss_kb,
    };
    ret->chain_bytes = pt_enc_chain_bytes(s->enc);
    memcpy(ret->part_us, s->part_us, sizeof(ret->part_us));
    memcpy(ret->denied, pt_procs_denied(s->procs), sizeof(ret->denied));
    ret->stuck_now = pt_deep_stuck(s->deep, &ret->deep_paused);
}
